//! Updates of WinRE that fail for want of space, or are never offered for it.

use super::case::Case;
use super::words::{self, finding};
use super::{servicing, with_room};
use crate::kb;
use crate::records::events::UpdateEvent;
use crate::report::{Confidence, Evidence, FindingReport, Severity};
use crate::text;

/// The phase of servicing that Microsoft explains: too little space.
pub(super) const PHASE_OF_SPACE: i64 = 2;
/// `CBS_E_INSUFFICIENT_DISK_SPACE`, the code that the error should have had.
pub(super) const NO_SPACE: u32 = 0x800F_0828;
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
        Some(true) if !failures.is_empty() => found.extend(with_room::fails(case, &failures)),
        _ => {}
    }
    found.extend(with_room::past_failure(case, &failures));
    found.extend(servicing::failed(case, &failures));
    found.extend(servicing::placement_failed(case));
    found.extend(servicing::unfinished(case));
    found.extend(servicing::may_not_start(case));
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
