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
    let found = [
        vulnerable(case, version),
        forged(case, version),
        script(case, version),
        contradiction(case, version),
    ];
    found.into_iter().flatten().collect()
}

fn vulnerable(case: &Case<'_>, version: Version) -> Option<FindingReport> {
    let open = kb::table().open_in(version);
    let (_, floor) = open.iter().max_by_key(|(_, floor)| *floor)?;
    let names = Text::all_of(open.iter().map(|(cve, _)| Text::raw(*cve)));
    let newest = case.build().and_then(|build| kb::table().newest_winre(build));
    let next = match newest {
        _ if case.room.as_ref().is_some_and(|rule| !rule.met) => {
            text!("Make room first (`winrefit plan`); then Windows Update brings a new image.")
        }
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
                "Its version is {version}, and the vulnerability is closed from {floor} on. Who has the machine in hand can \
                 get around BitLocker with it.",
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
    let said = case.records.events.servicing.iter().any(|event| {
        matches!(&event.what, Servicing::Succeeded { version: Some(said) } if said.parse() == Ok(claim))
    });
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
            Confidence::Likely,
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
                "Delete the value WinREVersion in Windows (`reg delete`), and let Windows Update look again."
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
                "Delete the value WinREPathScriptSucceed and run the script again, or let Windows Update do it."
            ),
        ],
        all,
    ))
}

/// Windows says that an update was installed, and the image is older than what it brings.
fn contradiction(case: &Case<'_>, version: Version) -> Option<FindingReport> {
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
