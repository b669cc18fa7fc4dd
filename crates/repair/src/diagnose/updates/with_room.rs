//! Updates of WinRE that failed although there is room: only seemingly, before there was room, or for another reason.

use super::case::Case;
use super::winre::PHASE_OF_SPACE;
use super::words::{self, finding, name};
use crate::kb::{self, Issue};
use crate::records::SOFTWARE_HIVE;
use crate::records::events::UpdateEvent;
use crate::report::{Confidence, Evidence, FindingReport, Severity};
use crate::text;

/// An update of WinRE failed, and there is room. `None` where the servicing of WinRE says more about it.
pub(super) fn fails(case: &Case<'_>, failures: &[&UpdateEvent]) -> Option<FindingReport> {
    let mut all: Vec<Evidence> = failures.iter().map(|event| words::update(case, event)).collect();
    all.extend(case.room.as_ref().and_then(|rule| words::room(case, rule)));
    let (required, pending) = case.waits_for_restart();
    if required || pending {
        all.extend(words::restart(case));
        return Some(until_restart(failures, all));
    }
    let servicing = case.servicing_failures();
    let of_space = servicing
        .iter()
        .filter(|(_, phase, _)| *phase == Some(PHASE_OF_SPACE));
    let of_space: Vec<Evidence> = of_space
        .map(|(event, ..)| words::servicing(case, event))
        .collect();
    if !of_space.is_empty() {
        all.extend(of_space);
        return Some(before_room(all));
    }
    servicing.is_empty().then(|| otherwise(case, all))
}

fn until_restart(failures: &[&UpdateEvent], all: Vec<Evidence>) -> FindingReport {
    let is_known = |event: &&UpdateEvent| {
        let mut updates = event.kbs.iter().filter_map(|kb| kb::table().update(*kb));
        updates.any(|update| update.issue == Some(Issue::ErrorUntilRestart))
    };
    let known = failures.iter().any(is_known);
    finding(
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
    )
}

fn before_room(all: Vec<Evidence>) -> FindingReport {
    finding(
        "re-update-failed-before-room",
        Severity::Note,
        Confidence::Likely,
        [
            text!("Updates of WinRE failed for want of space, and there is room now"),
            text!("The records are from a time before room was made; nothing has failed since."),
            text!("Let Windows Update look for updates. It repeats the update by itself."),
        ],
        all,
    )
}

fn otherwise(case: &Case<'_>, mut all: Vec<Evidence>) -> FindingReport {
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
pub(super) fn past_failure(case: &Case<'_>, outstanding: &[&UpdateEvent]) -> Option<FindingReport> {
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
