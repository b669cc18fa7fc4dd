//! What the image is open to, and what Windows says of its version.

use super::case::Case;
use super::words::{self, finding};
use crate::diagnose::evidence;
use crate::kb::{self, Version};
use crate::records::SOFTWARE_HIVE;
use crate::records::events::Servicing;
use crate::report::{Confidence, Evidence, FindingReport, Severity};
use crate::text;
use crate::text::Text;

pub(super) fn findings(case: &Case<'_>) -> Vec<FindingReport> {
    let Some(version) = case.image_version() else {
        return Vec::new();
    };
    let contradiction = contradiction(case, version);
    // What is said of a record that contradicts the image need not be said of the registry once more.
    let forged = if contradiction.is_none() {
        forged(case, version)
    } else {
        None
    };
    let found = [
        contradiction,
        forged,
        script(case, version),
        vulnerable(case, version),
    ];
    found.into_iter().flatten().collect()
}

fn vulnerable(case: &Case<'_>, version: Version) -> Option<FindingReport> {
    let open = kb::table().open_in(version);
    let (_, floor) = open.iter().max_by_key(|(_, floor)| *floor)?;
    let names = Text::all_of(open.iter().map(|(cve, _)| Text::raw(*cve)));
    let newest = case.build().and_then(|build| kb::table().newest_winre(build));
    let is_blocked =
        contradiction(case, version).is_some() || claim(case).is_some_and(|claim| claim > version);
    let next = match newest {
        _ if case.room.is_none() && !case.is_present() => {
            text!(
                "Bring WinRE in order first, as the other findings say; then Windows Update brings a new image."
            )
        }
        _ if case.room.as_ref().is_some_and(|rule| !rule.met) => {
            text!("Make room first, as the finding about it says; then Windows Update brings a new image.")
        }
        _ if is_blocked => text!(
            "First put right what the other findings say: as it is, Windows Update does not offer the update. Then let it \
             install one."
        ),
        Some(update) => text!(
            "Let Windows Update install the newest update of WinRE (KB{kb} as far as this version of winrefit knows).",
            kb = Text::raw(update.kb.to_string())
        ),
        None => text!("Let Windows Update install the newest updates, and look again."),
    };
    let mut all: Vec<Evidence> = words::image_version(case).into_iter().collect();
    all.extend(open.iter().map(|(cve, floor)| {
        evidence(
            text!("table of updates, {cve}", cve = *cve),
            text!("closed from version {floor} on", floor = floor.to_string()),
        )
    }));
    Some(finding(
        "winre-image-vulnerable",
        Severity::Warning,
        Confidence::Certain,
        [
            text!("The WinRE image is open to {names}", names),
            text!(
                "Its version is {version}, and the vulnerability is closed from {floor} on. Anyone with physical access to \
                 the machine can get around BitLocker with it.",
                version = version.to_string(),
                floor = floor.to_string()
            ),
            next,
        ],
        all,
    ))
}

/// The version that the registry claims.
fn claim(case: &Case<'_>) -> Option<Version> {
    case.records
        .software
        .as_ref()?
        .winre_version
        .as_ref()?
        .parse()
        .ok()
}

fn forged(case: &Case<'_>, version: Version) -> Option<FindingReport> {
    let claim = claim(case).filter(|claim| *claim > version && claim.build() == version.build())?;
    let brings = |kb: u32| {
        let update = kb::table().update(kb);
        update
            .and_then(|update| update.image)
            .is_some_and(|image| image >= claim)
    };
    let by_event = case.records.events.servicing.iter().any(|event| {
        matches!(&event.what, Servicing::Succeeded { version: Some(said) } if said.parse() == Ok(claim))
    });
    let mut packages = case
        .records
        .software
        .iter()
        .flat_map(|software| &software.packages);
    let said = by_event || case.winre_success().is_some() || packages.any(|(kb, _)| brings(*kb));
    let mut all = vec![words::value(
        case,
        SOFTWARE_HIVE,
        format!("WinREVersion = {claim}"),
    )];
    all.extend(words::image_version(case));
    // An old image may have come back with a recovery environment that was made anew, after an honest update.
    let (confidence, detail) = if said {
        (
            Confidence::Possible,
            text!(
                "Windows did update WinRE to the version that it claims. The image that is in place now is an older one: it was \
                 put there later, or the update went to another one."
            ),
        )
    } else {
        (
            if case.has_whole_log() {
                Confidence::Likely
            } else {
                Confidence::Possible
            },
            text!(
                "The registry claims a version that the image does not have, and no record of such an update was found. Scripts \
                 that silence the update write this value. Windows then does not offer the update, and what it closes stays \
                 open."
            ),
        )
    };
    Some(finding(
        "winre-version-forged",
        Severity::Warning,
        confidence,
        [
            text!("Windows claims a newer WinRE than it has"),
            detail,
            text!(
                "In Windows, as administrator: `{command}`; then let Windows Update look for updates.",
                command = r#"reg delete "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion" /v WinREVersion"#
            ),
        ],
        all,
    ))
}

/// The mark of Microsoft's script for patching the image, beside an image that is not patched.
fn script(case: &Case<'_>, version: Version) -> Option<FindingReport> {
    let software = case.records.software.as_ref()?;
    if !software.patch_script_done || kb::table().open_in(version).is_empty() {
        return None;
    }
    let mut all = vec![words::value(
        case,
        SOFTWARE_HIVE,
        r"Microsoft\PushButtonReset, WinREPathScriptSucceed = 1",
    )];
    all.extend(words::image_version(case));
    Some(finding(
        "patch-script-claims-success",
        Severity::Warning,
        Confidence::Likely,
        [
            text!("The script that patches WinRE says it is done, and the image is an old one"),
            text!("Microsoft's PatchWinREScript leaves this mark, and does nothing where it finds it."),
            text!(
                "In Windows, as administrator: `{command}`; then run the script again, or let Windows Update do it.",
                command = r"reg delete HKLM\SOFTWARE\Microsoft\PushButtonReset /v WinREPathScriptSucceed"
            ),
        ],
        all,
    ))
}

/// Windows says that an update was installed, and the image is older than what it brings.
fn contradiction(case: &Case<'_>, version: Version) -> Option<FindingReport> {
    let (required, pending) = case.waits_for_restart();
    // Until the restart that an update waits for, both are true.
    if required || pending || case.is_staged() {
        return None;
    }
    let mut all = Vec::new();
    if let Some(success) = case.winre_success() {
        let mut updates = success.kbs.iter().filter_map(|kb| kb::table().update(*kb));
        let brings = updates.find_map(|update| update.image);
        if brings.is_some_and(|brings| version < brings && brings.build() == version.build()) {
            all.push(words::update(case, success));
        }
    }
    if let Some(event) = case.serviced()
        && let Servicing::Succeeded { version: Some(said) } = &event.what
        && said
            .parse()
            .is_ok_and(|said: Version| said > version && said.build() == version.build())
    {
        all.push(words::servicing(case, event));
    }
    if all.is_empty() {
        return None;
    }
    all.extend(words::image_version(case));
    Some(finding(
        "records-contradict",
        Severity::Warning,
        Confidence::Certain,
        [
            text!("Windows recorded an update of WinRE, and the image is older than that"),
            text!(
                "Both cannot be true of one image. Either an old image was put back afterwards, or the update went to an image \
                 at another place."
            ),
            text!(
                "Trust the image. In Windows, `reagentc /info` names the one in use; let Windows Update look again once \
                 that is settled."
            ),
        ],
        all,
    ))
}
