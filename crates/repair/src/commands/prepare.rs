//! Everything before the commit: observe, plan, check, stage, prove, find a place for the journal.

use super::parts::first_done;
use super::read_only::{check_named, mark_unfinished};
use super::{Progress, ProgressSink, build};
use crate::diagnose;
use crate::error::RepairError;
use crate::observation::{Content, Observation};
use crate::observe::{Depth, observe};
use crate::places::journal_place;
use crate::plan::{self, Plan, Request, Step};
use crate::refusal::Refusal;
use crate::report::{PlanReport, Report, Verdict};
use crate::shrink::largest_behind;
use crate::stage::{StageError, Staged, stage};
use crate::target::Target;
use crate::text;
use crate::text::Text;
use crate::verify::{self, Before};
use std::collections::BTreeMap;
use winrefit_disk::journal::{self, Found, JournalError, Transaction};
use winrefit_disk::{Device, JournalPlace, ReadAt};
use winrefit_ntfs::check::{CheckLevel, CheckReport};

/// All that a commit needs, proven.
pub(super) struct Prepared {
    pub(super) observation: Observation,
    /// Checks of the volumes that change, by partition.
    pub(super) checks: BTreeMap<u32, CheckReport>,
    pub(super) plan: Plan,
    pub(super) transaction: Transaction,
    pub(super) place: JournalPlace,
    pub(super) report: Report,
}

/// What preparation came to.
pub(super) enum Preparation {
    /// There is something to commit.
    Ready(Box<Prepared>),
    /// There is nothing to do, or it is refused: the report says which.
    Ended(Box<Report>),
}

pub(super) fn prepare<D: Device>(
    command: &'static str,
    target: &Target<D>,
    request: &Request,
    progress: ProgressSink<'_>,
) -> Result<Preparation, RepairError> {
    let disk = target.disk();
    let observation = observe(disk, target.reported, Depth::Full)?;
    check_named(&observation, request.recovery_partition)?;
    check_named(&observation, request.remove_stale)?;
    let planned = plan::plan(&observation, request);
    let diagnosis = diagnose::diagnose(&observation, request.recovery_partition);
    let diagnosis = diagnosis.blocked_by(planned.as_ref().err());
    let mut report = build::of_diagnosis(command, &target.name, &observation, diagnosis);
    mark_unfinished(&observation, &mut report);
    let ended = |report| Ok(Preparation::Ended(Box::new(report)));
    if report.verdict == Verdict::Unfinished {
        return ended(report);
    }
    let plan = match planned {
        Ok(plan) => plan,
        Err(refusal) => {
            let less = plan::less(&observation, request, &refusal);
            let refusal = with_file(disk, &observation, refusal);
            return ended(refused_with_less(report, &refusal, less));
        }
    };
    if plan.is_empty() {
        report.plan = Some(build::plan(&observation, &plan, &[], None));
        report.verdict = diagnose::verdict_with_room(&report.findings);
        return ended(report);
    }
    let proven = prove_all(&target.device, &observation, &plan, &mut report, progress);
    if let Some(told) = &mut report.plan {
        let summary = std::mem::take(&mut told.summary);
        told.summary = Text::sentences([summary, build::idle_reclaim(&plan, request)]);
    }
    concluded(proven, (observation, plan), report)
}

/// The second half of a repair, on the disk that the first one left. `avoid` is where that one's journal lies.
pub(super) fn prepare_second<D: Device>(
    target: &Target<D>,
    plan: Plan,
    avoid: JournalPlace,
    mut report: Report,
    progress: ProgressSink<'_>,
) -> Result<Preparation, RepairError> {
    let observation = observe(target.disk(), target.reported, Depth::Full)?;
    let whole = report.plan.clone();
    report.checks.clear();
    let proven = prove(&target.device, &observation, &plan, (&mut report, progress)).and_then(|proven| {
        let place = proven.place(&target.device, (&observation, &plan), Some(avoid))?;
        Ok((proven.checks, proven.staged.transaction, place))
    });
    // The report tells of the whole repair.
    report.plan = whole;
    concluded(proven, (observation, plan), report)
}

/// What a commit writes, where its journal goes, and the checks to hold the result against.
pub(super) type Ready = (BTreeMap<u32, CheckReport>, Transaction, JournalPlace);

pub(super) fn concluded(
    proven: Result<Ready, StageError>,
    (observation, plan): (Observation, Plan),
    report: Report,
) -> Result<Preparation, RepairError> {
    match proven {
        Ok((checks, transaction, place)) => Ok(Preparation::Ready(Box::new(Prepared {
            observation,
            checks,
            plan,
            transaction,
            place,
            report,
        }))),
        Err(StageError::Refused(refusal)) => Ok(Preparation::Ended(Box::new(refused(report, &refusal)))),
        Err(StageError::Failed(error)) => Err(error),
    }
}

/// Proves both halves of a plan, the second on the staged result of the first, and fills the report on the way.
pub(super) fn prove_all<D: Device>(
    device: &D,
    observation: &Observation,
    plan: &Plan,
    report: &mut Report,
    progress: ProgressSink<'_>,
) -> Result<Ready, StageError> {
    let proven = prove(device, observation, plan, (&mut *report, &mut *progress))?;
    // What was begun is gone on with; both parts can then be undone.
    let first = first_done(observation).filter(|_| plan.uses_new_place());
    let place = proven.place(device, (observation, plan), first.map(place_of))?;
    let needed = proven.journal_bytes(observation)?;
    let transaction = &proven.staged.transaction;
    let of_plan =
        |transactions: &[&Transaction]| build::plan(observation, plan, transactions, Some((place, needed)));
    report.plan = Some(match plan.then.as_deref() {
        None => PlanReport {
            recovery_free_bytes_after: free_after(&proven.staged.overlay, observation, plan)?,
            ..of_plan(&[transaction])
        },
        Some(second) => {
            let middle = observe(&proven.staged.overlay, Some(observation.sector_size), Depth::Full)?;
            let then = prove(&proven.staged.overlay, &middle, second, (&mut *report, progress))?;
            then.place(&proven.staged.overlay, (&middle, second), Some(place))?;
            PlanReport {
                recovery_free_bytes_after: free_after(&then.staged.overlay, &middle, second)?,
                ..of_plan(&[transaction, &then.staged.transaction])
            }
        }
    });
    report.verdict = Verdict::NeedsRepair;
    mark_donor(report, plan);
    if let (None, Some(journal)) = (first, &mut report.journal) {
        journal.text = text!(
            "A repair was completed here. It can be undone only before the next one: run `winrefit undo` now if it \
             may have to be taken back."
        );
    }
    Ok((proven.checks, proven.staged.transaction, place))
}

/// Where a journal is.
fn place_of(found: &Found) -> JournalPlace {
    JournalPlace {
        header: found.header.header_offset,
        body: found.header.body(),
        free_end: found.header.gap().end,
    }
}

/// A staged result that passed, with the checks that it was held against.
struct Proven<'d> {
    checks: BTreeMap<u32, CheckReport>,
    staged: Staged<'d>,
}

impl Proven<'_> {
    fn journal_bytes(&self, observation: &Observation) -> Result<u64, StageError> {
        match journal::required_bytes(&self.staged.transaction, observation.sector_size) {
            Err(error @ JournalError::TooLarge { needed, .. }) => {
                Err(StageError::Refused(Refusal::NoJournalSpace {
                    needed_bytes: needed,
                    problem: text!(
                        "{error}; a smaller growth changes less (--size, --free)",
                        error = error.to_string()
                    ),
                }))
            }
            other => Ok(other?),
        }
    }

    fn place<D: Device>(
        &self,
        device: &D,
        (observation, plan): (&Observation, &Plan),
        avoid: Option<JournalPlace>,
    ) -> Result<JournalPlace, StageError> {
        let needed = self.journal_bytes(observation)?;
        let (overlay, transaction) = (&self.staged.overlay, &self.staged.transaction);
        let place = journal_place(device, overlay, (observation, plan), (transaction, needed), avoid);
        place.map_err(StageError::Refused)
    }
}

/// Checks what the plan changes, stages it, and proves the staged result.
fn prove<'d>(
    disk: &'d dyn ReadAt,
    observation: &Observation,
    plan: &Plan,
    (report, progress): (&mut Report, ProgressSink<'_>),
) -> Result<Proven<'d>, StageError> {
    let checks = check_volumes(disk, observation, plan, report, progress)?;
    progress(Progress::Staging);
    let staged = stage(disk, observation, plan)?;
    progress(Progress::VerifyingStaged);
    let before = Before {
        observation,
        checks: &checks,
    };
    report.verification = verify::verify_plan(&staged.overlay, Some(disk), &before, plan)?;
    if let Some(failed) = report.verification.iter().find(|item| !item.ok) {
        let (what, detail) = (failed.what.clone(), failed.detail.clone());
        return Err(StageError::Refused(Refusal::StagedCheckFailed { what, detail }));
    }
    Ok(Proven { checks, staged })
}

/// Checks every volume that the plan changes. One with an error is not touched.
fn check_volumes(
    disk: &dyn ReadAt,
    observation: &Observation,
    plan: &Plan,
    report: &mut Report,
    progress: ProgressSink<'_>,
) -> Result<BTreeMap<u32, CheckReport>, StageError> {
    let changed = plan.needed_partitions();
    let mut checks = BTreeMap::new();
    for partition in observation
        .partitions
        .iter()
        .filter(|p| changed.contains(&p.number) && !matches!(p.content, Content::Fat(_)))
    {
        let number = partition.number;
        progress(Progress::Checking { partition: number });
        let (check, summary) =
            verify::check_partition(disk, observation.sector_size, partition, CheckLevel::Full)?;
        let worst = summary.problems.first().map(|problem| problem.text.clone());
        let consistent = summary.consistent;
        report.checks.push(summary);
        if !consistent {
            let problem = worst.unwrap_or_default();
            return Err(StageError::Refused(Refusal::DamagedNtfs { number, problem }));
        }
        checks.insert(number, check);
    }
    Ok(checks)
}

pub(super) fn refused(report: Report, refusal: &Refusal) -> Report {
    refused_with_less(report, refusal, None)
}

/// The same; `less` is what could be had.
fn refused_with_less(mut report: Report, refusal: &Refusal, less: Option<u64>) -> Report {
    report.refusal = Some(refusal.report_with_less(less));
    report.verdict = Verdict::Refused;
    report
}

/// A donor that is too full is refused with the name of a file that is in the way.
fn with_file(disk: &dyn ReadAt, observation: &Observation, mut refusal: Refusal) -> Refusal {
    if let Refusal::DonorTooFull {
        number,
        needed_bytes,
        path,
        ..
    } = &mut refusal
    {
        let length = observation.partition(*number).map_or(0, |p| p.range.len());
        let from = length.saturating_sub(*needed_bytes);
        *path = largest_behind(disk, observation, *number, from);
    }
    refusal
}

fn mark_donor(report: &mut Report, plan: &Plan) {
    for step in &plan.steps {
        if let (Step::ShrinkEnd { partition, .. }, Some(disk)) = (step, &mut report.disk) {
            disk.partitions
                .iter_mut()
                .filter(|p| p.number == *partition)
                .for_each(|p| p.roles.push("donor"));
        }
    }
}

fn free_after(disk: &dyn ReadAt, before: &Observation, plan: &Plan) -> Result<Option<u64>, RepairError> {
    let Some(number) = plan.recovery_partition else {
        return Ok(None);
    };
    let after = observe(disk, Some(before.sector_size), Depth::Quick)?;
    Ok(after.partition(number).and_then(|p| p.free_bytes()))
}
