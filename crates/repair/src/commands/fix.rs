//! plan and fix: the same way, which ends before the commit or goes through it.

use super::originals::{self, DIGEST_BYTES};
use super::parts::{Part, TEXT_BYTES, first_done, mark_sound};
use super::prepare::{Preparation, Prepared, prepare, prepare_second};
use super::read_only::mark_unfinished;
use super::{Progress, ProgressSink, build, is_begun};
use crate::diagnose;
use crate::error::RepairError;
use crate::explain::size;
use crate::observation::Observation;
use crate::observe::{Depth, observe};
use crate::plan::{Plan, Request};
use crate::records;
use crate::refusal::Refusal;
use crate::report::{Report, Verdict};
use crate::shrink::file_at;
use crate::target::Target;
use crate::text;
use crate::text::Text;
use crate::verify::{self, Before};
use winrefit_disk::error::Operation;
use winrefit_disk::journal::{self, MEMO_BYTES, Meta, Transaction};
use winrefit_disk::{Device, DiskError, moves};
use winrefit_ntfs::check::Severity;

/// Says what `fix` would do: plans, stages and proves the result on a copy-on-write view. Writes nothing.
///
/// # Errors
/// [`RepairError`].
pub fn plan<D: Device>(
    target: &Target<D>,
    request: &Request,
    progress: ProgressSink<'_>,
) -> Result<Report, RepairError> {
    Ok(match prepare("plan", target, request, progress)? {
        Preparation::Ready(prepared) => prepared.report,
        Preparation::Ended(report) => *report,
    })
}

/// Repairs the disk: as [`plan()`], then, if `ask` agrees to the report, commits and verifies.
///
/// # Errors
/// [`RepairError`]. Once the commit has begun, `resume` completes or discards it.
pub fn fix<D: Device>(
    target: &mut Target<D>,
    request: &Request,
    ask: &mut dyn FnMut(&Report) -> bool,
    progress: ProgressSink<'_>,
) -> Result<Report, RepairError> {
    let prepared = match prepare("fix", target, request, progress)? {
        Preparation::Ready(prepared) => *prepared,
        Preparation::Ended(report) => return Ok(*report),
    };
    if !ask(&prepared.report) {
        return Ok(prepared.report);
    }
    let second = prepared.plan.then.clone();
    let first_place = prepared.place;
    let (id, part) = name(&prepared);
    let done = commit(target, prepared, (id, part), progress)?;
    let Some(second) = second.filter(|_| done.verdict == Verdict::Repaired) else {
        return Ok(done);
    };
    let mut report = match prepare_second(target, *second, first_place, done, progress)? {
        Preparation::Ready(prepared) => commit(target, *prepared, (id, Part::Second), progress)?,
        Preparation::Ended(report) => *report,
    };
    if let Some(refusal) = &mut report.refusal {
        let half = text!(
            "The first of the repair's two parts is done: there is unallocated space for the recovery partition, \
             which is as it was. `winrefit fix` tries the second one again, `winrefit undo` takes the first one back."
        );
        refusal.explained.next = Text::sentences([half, std::mem::take(&mut refusal.explained.next)]);
    }
    Ok(report)
}

/// The name of the repair, and which part of it the first commit is: the second, where the first is on the disk.
pub(super) fn name(prepared: &Prepared) -> (uuid::Uuid, Part) {
    let plan = &prepared.plan;
    let begun = first_done(&prepared.observation).filter(|_| plan.uses_new_place());
    match begun {
        Some(first) => (first.header.transaction_id, Part::Second),
        None if plan.then.is_some() => (uuid::Uuid::new_v4(), Part::First),
        None => (uuid::Uuid::new_v4(), Part::Whole),
    }
}

/// When a journal is made: after the one that is there, whatever the clock says, because of two the newer one is
/// undone first.
fn created(observation: &Observation, now: u64) -> u64 {
    let journal = observation.journal.as_ref().ok().and_then(Option::as_ref);
    let earliest = journal.map_or(0, |found| found.header.created_unix_seconds.saturating_add(1));
    now.max(earliest)
}

/// Copies what has to move, commits, and proves the disk.
pub(super) fn commit<D: Device>(
    target: &mut Target<D>,
    prepared: Prepared,
    (id, part): (uuid::Uuid, Part),
    progress: ProgressSink<'_>,
) -> Result<Report, RepairError> {
    let Prepared {
        observation,
        checks,
        plan,
        transaction,
        place,
        report,
    } = prepared;
    if let Err(error) = copy_data(target, &transaction, progress) {
        return unreadable(target, &observation, report, error);
    }
    let digest = match part {
        Part::First => originals::digest(target.disk(), (&observation, &plan), &transaction)?,
        _ => [0; DIGEST_BYTES],
    };
    let mut memo = memo(&plan);
    part.mark(&mut memo, digest);
    if checks
        .values()
        .all(|check| check.count_of(Severity::Warning) == 0)
    {
        mark_sound(&mut memo);
    }
    let meta = Meta {
        transaction_id: part.id(id),
        disk_guid: observation.table.id.to_bytes(),
        created_unix_seconds: created(&observation, target.now_unix_seconds),
        memo,
    };
    journal::commit(&mut target.device, place, &transaction, &meta, &mut |p| {
        progress(Progress::Committing(p))
    })
    .map_err(|error| RepairError::of_writing(error, || is_begun(target)))?;
    proven(
        target,
        report,
        &Before {
            observation: &observation,
            checks: &checks,
        },
        &plan,
        progress,
    )
    .map_err(|error| RepairError::Unverified(Box::new(error)))
}

/// Copies what has to move to free space. Whenever this ends, the disk is the old one.
fn copy_data<D: Device>(
    target: &mut Target<D>,
    transaction: &Transaction,
    progress: ProgressSink<'_>,
) -> Result<(), DiskError> {
    let moves = &transaction.moves;
    if moves.is_empty() {
        return Ok(());
    }
    let total_bytes = moves.iter().map(|m| m.length).sum();
    moves::copy(&mut target.device, moves, &mut |done_bytes| {
        progress(Progress::Moving {
            done_bytes,
            total_bytes,
        });
        true
    })
}

/// Data that cannot be read refuse the repair, by the name of their file.
fn unreadable<D: Device>(
    target: &Target<D>,
    observation: &Observation,
    mut report: Report,
    error: DiskError,
) -> Result<Report, RepairError> {
    let DiskError::Io {
        operation: Operation::Read,
        offset,
        ..
    } = error
    else {
        return Err(error.into());
    };
    let Some((number, path)) = file_at(target.disk(), observation, offset) else {
        return Err(error.into());
    };
    let refusal = Refusal::UnreadableData { number, path, offset };
    report.refusal = Some(refusal.report());
    report.verdict = Verdict::Refused;
    Ok(report)
}

/// The report with the proof of the repaired disk.
fn proven<D: Device>(
    target: &Target<D>,
    mut report: Report,
    before: &Before<'_>,
    plan: &Plan,
    progress: ProgressSink<'_>,
) -> Result<Report, RepairError> {
    progress(Progress::Verifying);
    let items = verify::verify_plan(target.disk(), None, before, plan)?;
    report.verdict = if items.iter().all(|item| item.ok) {
        Verdict::Repaired
    } else {
        Verdict::Damaged
    };
    report.verification = items;
    // The map and the rules of the report are those of the repaired disk; the plan keeps both.
    let after = observe(target.disk(), target.reported, Depth::Full)?;
    let records = records::read(target.disk(), &after);
    let diagnosis = diagnose::diagnose(&after, plan.recovery_partition).with_records(&after, &records);
    let new = build::of_diagnosis("fix", &target.name, &after, diagnosis);
    (report.disk, report.recovery, report.findings) = (new.disk, new.recovery, new.findings);
    mark_unfinished(&after, &mut report);
    Ok(report)
}

/// What the journal's header says of the repair, for whoever finds it.
fn memo(plan: &Plan) -> [u8; MEMO_BYTES] {
    let what = match plan.recovery_partition {
        Some(number) => format!("partition {number} by {}", size(plan.growth_bytes)),
        None => plan
            .changed_partitions()
            .first()
            .map_or_else(String::new, |number| format!("Windows on partition {number}")),
    };
    let text = format!(
        "winrefit {}: {}, {what}",
        env!("CARGO_PKG_VERSION"),
        plan.strategy.name(),
    );
    let mut memo = [0; MEMO_BYTES];
    let length = text.len().min(TEXT_BYTES);
    memo[..length].copy_from_slice(&text.as_bytes()[..length]);
    memo
}
