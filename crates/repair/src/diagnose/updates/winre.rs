//! Updates of WinRE that fail for want of space, or are never offered for it.

use super::case::{Case, INSTALLER_FAILED};
use super::words::{self, finding};
use super::{servicing, with_room};
use crate::kb;
use crate::records::events::UpdateEvent;
use crate::report::{Confidence, Evidence, FindingReport, Severity};
use crate::text;
use crate::text::Text;
use winrefit_formats::kb_numbers;

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
            if proof.updates.is_empty() && proof.servicing.is_empty() {
                found.extend(match failures.as_slice() {
                    [] => not_offered(case),
                    failures => Some(with_room::for_another_reason(case, failures)),
                });
            } else {
                found.push(fails_for_space(case, proof));
            }
        }
        Some(true) => found.extend(with_room::fails(case, &failures)),
        None => found.extend(with_room::not_measured(case, &failures)),
    }
    found.extend(with_room::past_failure(case, &failures));
    found.extend(servicing::failed(case, &failures));
    found.extend(servicing::placement_failed(case));
    found.extend(servicing::unfinished(case));
    found.extend(servicing::may_not_start(case));
    found
}

/// What shows that an update failed for want of space.
struct Proof {
    /// Windows Update: that an installer failed, which may have other reasons.
    updates: Vec<Evidence>,
    /// Servicing: that there was too little space.
    servicing: Vec<Evidence>,
}

/// Codes of an update that failed for want of space, in Windows Update's words and in others.
const CODES_OF_SPACE: [u32; 3] = [INSTALLER_FAILED, 0x8007_0070, NO_SPACE];

fn proof_of_shortage(case: &Case<'_>, failures: &[&UpdateEvent]) -> Proof {
    let is_of_space = |code: u32| CODES_OF_SPACE.contains(&code);
    let failures = failures
        .iter()
        .rev()
        .filter(|event| event.code.is_some_and(is_of_space));
    let mut updates: Vec<Evidence> = failures.take(3).map(|event| words::update(case, event)).collect();
    // The history repeats what the events say, and stays when they are gone.
    let history = case.records.logs.history.iter().rev();
    let history = history.filter(|failure| {
        let of_winre = kb::table().is_winre(&failure.kbs, &failure.title);
        of_winre && is_of_space(failure.code) && case.is_outstanding(&failure.place)
    });
    updates.extend(history.take(1).map(|failure| words::line(case, &failure.place)));
    let mut servicing = case.space_failures();
    let codes = case.records.logs.servicing_codes.iter();
    // The same code is that of a full C:, too.
    let is_of_winre =
        |line: &str| line.to_lowercase().contains("winre") || kb::table().is_winre(&kb_numbers(line), "");
    let codes = codes.filter(|seen| {
        seen.code == NO_SPACE && case.is_outstanding(&seen.last) && is_of_winre(&seen.last.line)
    });
    servicing.extend(codes.map(|seen| words::line(case, &seen.last)));
    Proof { updates, servicing }
}

fn fails_for_space(case: &Case<'_>, proof: Proof) -> FindingReport {
    let (required, pending) = case.waits_for_restart();
    // The room is measured. That servicing and Windows Update say the same leaves no other reading.
    let confidence = match (proof.updates.is_empty(), proof.servicing.is_empty()) {
        (false, false) => Confidence::Certain,
        (false, true) if required || pending => Confidence::Possible,
        _ => Confidence::Likely,
    };
    let mut all = proof.updates;
    all.extend(proof.servicing);
    all.extend(case.room.as_ref().and_then(|rule| words::room(case, rule)));
    let own = case
        .build()
        .is_none_or(|build| kb::table().has_winre_updates(build));
    let then = if own {
        text!("Windows Update then offers its newest update of WinRE.")
    } else {
        text!("The next cumulative update services WinRE.")
    };
    let next = Text::sentences([case.make_room(), then]);
    finding(
        "re-update-fails-for-space",
        Severity::Problem,
        confidence,
        [
            text!("Updates of WinRE fail because the recovery environment has too little room"),
            text!(
                "Windows prepared the update and had no room for it where WinRE lies. The code 0x80070643 only says that an \
                 installation failed; the records and the free space together say why."
            ),
            next,
        ],
        all,
    )
}

/// Too little room, and nothing failed: since August 2024 the update is not offered to such a machine, and where it is part
/// of the cumulative update it is passed over.
fn not_offered(case: &Case<'_>) -> Option<FindingReport> {
    // Who has got one since then is offered them.
    if case.last_success().is_some_and(|time| time >= NOT_OFFERED_SINCE) {
        return None;
    }
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
            Text::sentences([case.make_room(), text!("Windows Update then offers the update.")]),
        ]
    } else if table.for_build(build).next().is_some() {
        [
            text!("Updates of WinRE are passed over in silence on this Windows"),
            text!(
                "On this release the cumulative updates service WinRE, and go on without a word where it has too little room."
            ),
            Text::sentences([
                case.make_room(),
                text!("The next cumulative update services WinRE."),
            ]),
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
