//! Updates of WinRE: failed for want of space, failed only seemingly, failed otherwise, or never offered.

use super::case::Case;
use super::words::{self, finding, hex, name};
use crate::diagnose::evidence;
use crate::kb::{self, Issue};
use crate::records::SOFTWARE_HIVE;
use crate::records::events::{Servicing, UpdateEvent};
use crate::report::{Confidence, Evidence, FindingReport, Severity};
use crate::text;
use crate::text::Text;

/// The phase of servicing that Microsoft explains: too little space.
const PHASE_OF_SPACE: i64 = 2;
/// `CBS_E_INSUFFICIENT_DISK_SPACE`, the code that the error should have had.
const NO_SPACE: u32 = 0x800F_0828;
/// When Microsoft withdrew the updates that failed, and began not to offer their successors where space is short:
/// 2024-08-13, as FILETIME.
const NOT_OFFERED_SINCE: u64 = 133_679_808_000_000_000;

pub(super) fn findings(case: &Case<'_>) -> Vec<FindingReport> {
    let failures = case.winre_failures();
    let mut found: Vec<FindingReport> = Vec::new();
    match case.room.as_ref().map(|rule| rule.met) {
        Some(false) => {
            let proof = proof_of_shortage(case, &failures);
            if proof.is_empty() {
                found.extend(not_offered(case));
            } else {
                found.push(fails_for_space(case, proof));
            }
        }
        Some(true) if !failures.is_empty() => found.push(fails_with_room(case, &failures)),
        _ => {}
    }
    found.extend(past_failure(case, &failures));
    found.extend(servicing_failed(case));
    found.extend(unfinished(case));
    found.extend(may_not_start(case));
    found
}

/// Everything that shows that an update failed for want of space: one group for each kind of source.
fn proof_of_shortage(case: &Case<'_>, failures: &[&UpdateEvent]) -> Vec<Vec<Evidence>> {
    let events = failures
        .iter()
        .rev()
        .take(3)
        .map(|event| words::update(case, event))
        .collect();
    let of_space = |phase: Option<i64>, code| phase == Some(PHASE_OF_SPACE) || code == Some(NO_SPACE);
    let servicing = case.servicing_failures().into_iter().rev();
    let servicing = servicing
        .filter(|(_, phase, code)| of_space(*phase, *code))
        .take(3);
    let servicing = servicing
        .map(|(event, _, _)| words::servicing(case, event))
        .collect();
    let codes = case
        .records
        .logs
        .servicing_codes
        .iter()
        .filter(|seen| seen.code == NO_SPACE);
    let codes = codes.map(|seen| words::line(case, &seen.last)).collect();
    let history = case.records.logs.history.iter().rev();
    let of_winre = history
        .filter(|failure| kb::table().is_winre(&failure.kbs, &failure.title))
        .take(1);
    let history = of_winre
        .map(|failure| words::line(case, &failure.place))
        .collect();
    let groups: [Vec<Evidence>; 4] = [events, servicing, codes, history];
    groups.into_iter().filter(|group| !group.is_empty()).collect()
}

fn fails_for_space(case: &Case<'_>, proof: Vec<Vec<Evidence>>) -> FindingReport {
    // The room is measured; two kinds of records that say the same leave no other reading.
    let confidence = if proof.len() >= 2 {
        Confidence::Certain
    } else {
        Confidence::Likely
    };
    let mut all: Vec<Evidence> = proof.into_iter().flatten().collect();
    all.extend(case.room.as_ref().and_then(|rule| words::room(case, rule)));
    finding(
        "re-update-fails-for-space",
        Severity::Problem,
        confidence,
        [
            text!("Updates of WinRE fail because the recovery environment has too little room"),
            text!(
                "Windows prepared the update and had no room for it where WinRE lies. The code 0x80070643 only says that an \
                 installation failed; the records beside the free space say why."
            ),
            text!(
                "Make room: `winrefit plan`, then `winrefit fix`. Windows Update repeats the update by itself."
            ),
        ],
        all,
    )
}

/// Too little room, and nothing failed: since August 2024 the update is not offered to such a machine, and where it is part
/// of the cumulative update it is passed over.
fn not_offered(case: &Case<'_>) -> Option<FindingReport> {
    let build = case.build()?;
    let table = kb::table();
    let room = case.room.as_ref().and_then(|rule| words::room(case, rule));
    let texts = if table.has_winre_updates(build) {
        let (_, newest) = case.records.events.system_span?;
        if newest < NOT_OFFERED_SINCE {
            return None;
        }
        [
            text!("No update of WinRE is offered to this Windows, so no error shows"),
            text!(
                "Since August 2024 Windows Update does not offer updates of WinRE where they would not fit. That nothing fails \
                 is no sign of health."
            ),
            text!("Make room: `winrefit plan`, then `winrefit fix`. Windows Update then offers the update."),
        ]
    } else if table.for_build(build).next().is_some() {
        [
            text!("Updates of WinRE are passed over in silence on this Windows"),
            text!(
                "On this release the cumulative updates service WinRE, and go on without a word where it has too little room."
            ),
            text!(
                "Make room: `winrefit plan`, then `winrefit fix`. The next cumulative update services WinRE."
            ),
        ]
    } else {
        return None;
    };
    Some(finding(
        "re-update-not-offered",
        Severity::Warning,
        Confidence::Likely,
        texts,
        room.into_iter().collect(),
    ))
}

/// An update of WinRE failed, and there is room.
fn fails_with_room(case: &Case<'_>, failures: &[&UpdateEvent]) -> FindingReport {
    let is_known = |event: &&UpdateEvent| {
        let mut updates = event.kbs.iter().filter_map(|kb| kb::table().update(*kb));
        updates.any(|update| update.issue == Some(Issue::ErrorUntilRestart))
    };
    let known = failures.iter().any(is_known);
    let (required, pending) = case.waits_for_restart();
    let mut all: Vec<Evidence> = failures.iter().map(|event| words::update(case, event)).collect();
    all.extend(case.room.as_ref().and_then(|rule| words::room(case, rule)));
    if required || pending {
        all.extend(
            required.then(|| words::value(case, SOFTWARE_HIVE, r"WindowsUpdate\Auto Update\RebootRequired")),
        );
        all.extend(
            pending.then(|| words::value(case, SOFTWARE_HIVE, r"Component Based Servicing\RebootPending")),
        );
        return finding(
            "re-update-error-until-restart",
            Severity::Warning,
            if known {
                Confidence::Certain
            } else {
                Confidence::Likely
            },
            [
                text!("The error is shown until Windows restarts; the update itself may be fine"),
                text!(
                    "There is room for the update, and a restart is waiting. Windows Update then shows 0x80070643 although the \
                     update is applied once the restart is done."
                ),
                text!(
                    "Restart Windows, then look again with `winrefit diagnose`. Nothing has to be repaired on the disk."
                ),
            ],
            all,
        );
    }
    let phase = case.servicing_failures();
    let of_space: Vec<_> = phase
        .iter()
        .filter(|(_, phase, _)| *phase == Some(PHASE_OF_SPACE))
        .collect();
    if !of_space.is_empty() {
        all.extend(of_space.iter().map(|(event, _, _)| words::servicing(case, event)));
        return finding(
            "re-update-failed-before-room",
            Severity::Note,
            Confidence::Likely,
            [
                text!("Updates of WinRE failed for want of space, and there is room now"),
                text!("The records are from a time before room was made; nothing has failed since."),
                text!("Let Windows Update look for updates. It repeats the update by itself."),
            ],
            all,
        );
    }
    let core = case.is_server_core();
    all.extend(core.then(|| words::value(case, SOFTWARE_HIVE, "InstallationType = Server Core")));
    let detail = if core {
        text!(
            "There is room for the update, so that is not the reason. On Server Core this update is known to fail for a reason \
             of its own, which more room does not cure."
        )
    } else {
        text!("There is room for the update, so that is not the reason, or no longer.")
    };
    finding(
        "re-update-fails-otherwise",
        Severity::Warning,
        Confidence::Possible,
        [
            text!("An update of WinRE failed although there is room for it"),
            detail,
            text!(
                "Restart Windows and look for updates once more. If it fails again, look at Logs\\WinREAgent\\setupact.log in \
                 the Windows folder, and at `reagentc /info`."
            ),
        ],
        all,
    )
}

/// Failures that were made good.
fn past_failure(case: &Case<'_>, outstanding: &[&UpdateEvent]) -> Option<FindingReport> {
    let last = case.all_winre_failures().last()?;
    if !outstanding.is_empty() || case.room.as_ref().is_some_and(|rule| !rule.met) {
        return None;
    }
    let mut all = vec![words::update(case, last)];
    all.extend(case.winre_success().map(|event| words::update(case, event)));
    all.extend(case.serviced().map(|event| words::servicing(case, event)));
    Some(finding(
        "re-update-made-good",
        Severity::Note,
        Confidence::Certain,
        [
            text!("An update of WinRE failed, and one succeeded later"),
            text!("The error {name} left behind is history.", name = name(last)),
            text!("Nothing is to be done about it."),
        ],
        all,
    ))
}

/// Servicing failed in a way that Microsoft does not explain.
fn servicing_failed(case: &Case<'_>) -> Option<FindingReport> {
    let failures = case.servicing_failures();
    let (event, phase, code) = failures
        .into_iter()
        .rev()
        .find(|(_, phase, code)| *phase != Some(PHASE_OF_SPACE) && *code != Some(NO_SPACE))?;
    let phase_words = phase.map_or_else(|| "?".to_owned(), |phase| phase.to_string());
    let code_words = code.map_or_else(|| "?".to_owned(), hex);
    Some(finding(
        "winre-servicing-failed",
        Severity::Warning,
        Confidence::Possible,
        [
            text!("Servicing of WinRE failed for another reason than space"),
            text!(
                "Windows gives the phase {phase} and the code {code}. Microsoft explains phase 2 only, which means too little \
                 space; what the others mean is not known.",
                phase = phase_words,
                code = code_words,
            ),
            text!(
                "Look at Logs\\WinREAgent\\setuperr.log in the Windows folder around that time. `reagentc /disable` and \
                 `reagentc /enable` put the image in place anew."
            ),
        ],
        vec![words::servicing(case, event)],
    ))
}

/// Servicing began, or was taken back, and nothing came after.
fn unfinished(case: &Case<'_>) -> Option<FindingReport> {
    let last = case.records.events.servicing.last()?;
    let title = match last.what {
        Servicing::Started => text!("Servicing of WinRE began and did not end"),
        Servicing::Cancelled => text!("Servicing of WinRE was cancelled"),
        Servicing::RolledBack => text!("Servicing of WinRE was taken back"),
        Servicing::Succeeded { .. } | Servicing::Failed { .. } => return None,
    };
    Some(finding(
        "winre-servicing-unfinished",
        Severity::Warning,
        Confidence::Possible,
        [
            title,
            text!("The image may be the old one. It is replaced as a whole, so it is not half of either."),
            text!("Restart Windows and look for updates; look at the version of the image again afterwards."),
        ],
        vec![words::servicing(case, last)],
    ))
}

/// An update that is known to leave a WinRE that does not start.
fn may_not_start(case: &Case<'_>) -> Option<FindingReport> {
    let success = case.winre_success()?;
    let table = kb::table();
    let mut updates = success.kbs.iter().filter_map(|kb| table.update(*kb));
    let update = updates.find(|update| update.issue == Some(Issue::WinreMayNotStart))?;
    let cures = update.cured_by.iter().map(|kb| Text::raw(format!("KB{kb}")));
    let mut all = vec![words::update(case, success)];
    let number = case.windows.partition;
    all.push(evidence(
        text!("table of updates, KB{kb}", kb = Text::raw(update.kb.to_string())),
        text!(
            "Windows on partition {number} has installed it, and none that came later",
            number
        ),
    ));
    Some(finding(
        "winre-may-not-start",
        Severity::Warning,
        Confidence::Possible,
        [
            text!("The update installed last can leave a WinRE that does not start"),
            text!(
                "After {name} WinRE does not start on some machines. Whether this one is concerned cannot be told from the \
                 disk.",
                name = name(success)
            ),
            text!(
                "Install {cures} or a later update of WinRE, and try once whether WinRE starts (`reagentc /boottore`, then \
                 restart).",
                cures = Text::one_of(cures)
            ),
        ],
        all,
    ))
}
