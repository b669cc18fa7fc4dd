//! Updates of WinRE that failed although there is room: only seemingly, before there was room, or for another reason.

use super::case::{Case, INSTALLER_FAILED};
use super::words::{self, finding, name};
use crate::kb::{self, Issue};
use crate::records::SOFTWARE_HIVE;
use crate::records::events::UpdateEvent;
use crate::report::{Confidence, Evidence, FindingReport, Severity};
use crate::rules::SIZE_BYTES_MAX;
use crate::text;
use crate::text::Text;

/// An update of WinRE failed, and there is room. `None` where nothing failed, or servicing says more about it.
pub(super) fn fails(case: &Case<'_>, failures: &[&UpdateEvent]) -> Option<FindingReport> {
    let of_space = case.space_failures();
    if failures.is_empty() && of_space.is_empty() {
        return None;
    }
    let mut all: Vec<Evidence> = failures.iter().map(|event| words::update(case, event)).collect();
    all.extend(case.room.as_ref().and_then(|rule| words::room(case, rule)));
    if !of_space.is_empty() {
        all.extend(of_space);
        return Some(room_now(case, all));
    }
    let (required, pending) = case.waits_for_restart();
    if (required || pending) && !case.is_server_core() {
        all.extend(words::restart(case));
        return Some(until_restart(case, failures, all));
    }
    case.servicing_failures().is_empty().then(|| otherwise(case, all))
}

/// An update of WinRE failed, and where WinRE is, or whether there is room for it, is not known.
pub(super) fn not_measured(case: &Case<'_>, failures: &[&UpdateEvent]) -> Option<FindingReport> {
    let mut all: Vec<Evidence> = failures.iter().map(|event| words::update(case, event)).collect();
    all.extend(case.space_failures());
    if all.is_empty() {
        return None;
    }
    Some(finding(
        "re-update-failed-unmeasured",
        Severity::Note,
        Confidence::Possible,
        [
            text!("Updates of WinRE failed; whether for want of space cannot be told as WinRE is now"),
            text!(
                "WinRE is off, its image is not in place, or the free space of its volume was not measured."
            ),
            if case.is_present() {
                text!(
                    "`winrefit verify` measures the free space: 250 MiB have to be free where the image is. Then let Windows \
                     Update look for updates."
                )
            } else {
                text!(
                    "Bring WinRE in order first, as the other findings say. Then Windows Update offers its newest update of \
                     WinRE."
                )
            },
        ],
        all,
    ))
}

fn until_restart(case: &Case<'_>, failures: &[&UpdateEvent], all: Vec<Evidence>) -> FindingReport {
    let is_known = |event: &&UpdateEvent| {
        let mut updates = event.kbs.iter().filter_map(|kb| kb::table().update(*kb));
        event.code == Some(INSTALLER_FAILED)
            && updates.any(|update| update.issue == Some(Issue::ErrorUntilRestart))
    };
    let known = failures.iter().all(is_known) && case.servicing_failures().is_empty();
    finding(
        "re-update-error-until-restart",
        Severity::Warning,
        if known {
            Confidence::Certain
        } else {
            Confidence::Possible
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

/// What is asked for beyond the free space that servicing may have found too little.
const MORE_BYTES: u64 = 150 << 20;
/// What is asked for is a round number.
const ROUND_BYTES: u64 = 50 << 20;

/// How the partition gets more room than it has, where it may become so large.
fn more_room(case: &Case<'_>) -> Text {
    let Some((place, free)) = case
        .image
        .and_then(|(place, _)| Some((place, place.free_bytes()?)))
    else {
        return Text::empty();
    };
    let wanted = free
        .saturating_add(MORE_BYTES)
        .div_ceil(ROUND_BYTES)
        .saturating_mul(ROUND_BYTES);
    let grown = place.range.len().saturating_add(wanted.saturating_sub(free));
    if !place.is_recovery_type() || grown >= SIZE_BYTES_MAX {
        return Text::empty();
    }
    text!(
        "If servicing fails again, `{command}` shows how more room can be made; `winrefit fix` with the same makes it.",
        command = format!("winrefit plan --free {}MiB", wanted >> 20)
    )
}

/// Servicing found too little room, and there is the room that the rule wants.
fn room_now(case: &Case<'_>, all: Vec<Evidence>) -> FindingReport {
    finding(
        "re-update-failed-before-room",
        Severity::Warning,
        Confidence::Possible,
        [
            text!("Servicing of WinRE found too little room, although there is room now"),
            text!(
                "Either room was made since, or the image that was to come needs more than 250 MiB on top. Nothing on the disk \
                 says which."
            ),
            Text::sentences([text!("Let Windows Update look for updates."), more_room(case)]),
        ],
        all,
    )
}

/// An update of WinRE failed with a code that does not come from a want of space, which there is as well.
pub(super) fn for_another_reason(case: &Case<'_>, failures: &[&UpdateEvent]) -> FindingReport {
    let mut all: Vec<Evidence> = failures.iter().map(|event| words::update(case, event)).collect();
    all.extend(case.room.as_ref().and_then(|rule| words::room(case, rule)));
    finding(
        "re-update-fails-otherwise",
        Severity::Warning,
        Confidence::Likely,
        [
            text!("An update of WinRE failed with an error that does not come from a want of space"),
            text!("There is too little room as well: without that error the update would fail for it."),
            Text::sentences([
                case.make_room(),
                text!("Then look up the error, and let Windows Update look for updates."),
            ]),
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
