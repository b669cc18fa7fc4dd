//! plan and fix: the same way, which ends before the commit or goes through it.

use super::read_only::{check_named, mark_unfinished};
use super::{Progress, ProgressSink, build};
use crate::diagnose;
use crate::error::RepairError;
use crate::explain::size;
use crate::observation::Observation;
use crate::observe::{Depth, observe};
use crate::places::free_places;
use crate::plan::{self, Plan, Request, Step};
use crate::refusal::Refusal;
use crate::report::{Report, Verdict};
use crate::stage::{StageError, stage};
use crate::target::Target;
use crate::verify::{self, Before};
use std::collections::BTreeMap;
use winrefit_disk::journal::{self, MEMO_BYTES, Meta};
use winrefit_disk::{ByteRange, Device, Extent, JournalPlace, ReadAt, ReadWindow};
use winrefit_ntfs::check::{CheckReport, owners_from, path_of};
use winrefit_ntfs::{Lcn, Volume};

/// All that a commit needs, proven.
struct Prepared {
    observation: Observation,
    /// Checks of the volumes that change, by partition.
    checks: BTreeMap<u32, CheckReport>,
    plan: Plan,
    extents: Vec<Extent>,
    place: JournalPlace,
    report: Report,
}

/// What preparation came to.
enum Preparation {
    /// There is something to commit.
    Ready(Box<Prepared>),
    /// There is nothing to do, or it is refused: the report says which.
    Ended(Box<Report>),
}

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
    let Prepared {
        observation,
        checks,
        plan,
        extents,
        place,
        mut report,
    } = prepared;
    let meta = Meta {
        transaction_id: uuid::Uuid::new_v4(),
        disk_guid: observation.table.disk_guid().to_bytes_le(),
        created_unix_seconds: target.now_unix_seconds,
        memo: memo(&plan),
    };
    journal::commit(&mut target.device, place, &extents, &meta, &mut |p| {
        progress(Progress::Committing(p))
    })?;
    progress(Progress::Verifying);
    let before = Before {
        observation: &observation,
        checks: &checks,
    };
    let items = verify::verify_plan(target.disk(), None, &before, &plan)?;
    report.verdict = if items.iter().all(|item| item.ok) {
        Verdict::Repaired
    } else {
        Verdict::Damaged
    };
    report.verification = items;
    // The map and the rules of the report are those of the repaired disk; the plan keeps both.
    let after = observe(target.disk(), target.reported, Depth::Full)?;
    let diagnosis = diagnose::diagnose(&after, Some(plan.recovery_partition));
    let new = build::of_diagnosis("fix", &target.name, &after, diagnosis);
    (report.disk, report.recovery, report.findings) = (new.disk, new.recovery, new.findings);
    mark_unfinished(&after, &mut report);
    Ok(report)
}

fn prepare<D: Device>(
    command: &'static str,
    target: &Target<D>,
    request: &Request,
    progress: ProgressSink<'_>,
) -> Result<Preparation, RepairError> {
    let disk = target.disk();
    let observation = observe(disk, target.reported, Depth::Full)?;
    check_named(&observation, request.recovery_partition)?;
    let diagnosis = diagnose::diagnose(&observation, request.recovery_partition);
    let mut report = build::of_diagnosis(command, &target.name, &observation, diagnosis);
    mark_unfinished(&observation, &mut report);
    let ended = |report| Ok(Preparation::Ended(Box::new(report)));
    if report.verdict == Verdict::Unfinished {
        return ended(report);
    }
    let plan = match plan::plan(&observation, request) {
        Ok(plan) => plan,
        Err(refusal) => return ended(refused(report, &name_the_file(disk, &observation, refusal))),
    };
    if plan.is_empty() {
        report.plan = Some(build::plan(&observation, &plan, &[], None));
        report.verdict = Verdict::Healthy;
        return ended(report);
    }
    let mut checks = BTreeMap::new();
    for partition in observation
        .partitions
        .iter()
        .filter(|p| plan.changed_partitions().contains(&p.number))
    {
        progress(Progress::Checking {
            partition: partition.number,
        });
        let (check, summary) = verify::check_partition(disk, observation.sector_size, partition)?;
        let number = partition.number;
        checks.insert(number, check);
        let first = summary
            .problems
            .first()
            .map(|problem| problem.text.clone())
            .unwrap_or_default();
        let consistent = summary.consistent;
        report.checks.push(summary);
        if !consistent {
            return ended(refused(
                report,
                &Refusal::DamagedNtfs {
                    number,
                    problem: first,
                },
            ));
        }
    }
    progress(Progress::Staging);
    let staged = match stage(disk, &observation, &plan) {
        Ok(staged) => staged,
        Err(StageError::Refused(refusal)) => return ended(refused(report, &refusal)),
        Err(StageError::Failed(error)) => return Err(error),
    };
    progress(Progress::VerifyingStaged);
    let before = Before {
        observation: &observation,
        checks: &checks,
    };
    let items = verify::verify_plan(&staged.overlay, Some(disk), &before, &plan)?;
    if let Some(failed) = items.iter().find(|item| !item.ok) {
        let refusal = Refusal::StagedCheckFailed {
            what: failed.what.clone(),
            detail: failed.detail.clone(),
        };
        report.verification = items;
        return ended(refused(report, &refusal));
    }
    let free_after = free_after(&staged.overlay, &observation, &plan)?;
    let extents = staged.extents;
    let needed = journal::required_bytes(&extents, observation.sector_size)?;
    let place = match journal_place(&target.device, &observation, &plan, needed) {
        Ok(place) => place,
        Err(refusal) => return ended(refused(report, &refusal)),
    };
    let mut plan_report = build::plan(&observation, &plan, &extents, Some((place, needed)));
    plan_report.recovery_free_bytes_after = free_after;
    report.plan = Some(plan_report);
    report.verification = items;
    report.verdict = Verdict::NeedsRepair;
    mark_donor(&mut report, &plan);
    Ok(Preparation::Ready(Box::new(Prepared {
        observation,
        checks,
        plan,
        extents,
        place,
        report,
    })))
}

fn refused(mut report: Report, refusal: &Refusal) -> Report {
    report.refusal = Some(refusal.report());
    report.verdict = if refusal.is_damage() {
        Verdict::Damaged
    } else {
        Verdict::Refused
    };
    report
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
    let after = observe(disk, Some(before.sector_size), Depth::Quick)?;
    Ok(after
        .partition(plan.recovery_partition)
        .and_then(|p| p.free_bytes()))
}

/// A tail in use is refused with the name of a file that lies there, where one can be found.
fn name_the_file(disk: &dyn ReadAt, observation: &Observation, refusal: Refusal) -> Refusal {
    let Refusal::TailInUse {
        number,
        path: None,
        bytes_behind,
    } = refusal
    else {
        return refusal;
    };
    let path = observation.partition(number).and_then(|partition| {
        let volume = Volume::open(ReadWindow::new(disk, partition.range).ok()?).ok()?;
        let used_end = partition.ntfs()?.space?.used_end;
        let from = used_end.saturating_sub(bytes_behind) / u64::from(volume.geometry().cluster_size);
        let owner = owners_from(&volume, Lcn(from), 1).ok()?.into_iter().next()?;
        path_of(&volume, owner.record).ok()
    });
    Refusal::TailInUse {
        number,
        path,
        bytes_behind,
    }
}

/// The first place that takes the journal: unallocated before and after the repair, and zero.
fn journal_place<D: Device>(
    device: &D,
    observation: &Observation,
    plan: &Plan,
    needed_bytes: u64,
) -> Result<JournalPlace, Refusal> {
    let sector = observation.sector_size;
    let mut used: Vec<ByteRange> = observation.partitions.iter().map(|p| p.range).collect();
    for step in &plan.steps {
        if let Step::SetPartition { after, .. } = step {
            used.push(ByteRange::new(
                after.start * sector.bytes(),
                after.end * sector.bytes(),
            ));
        }
    }
    let mut problem = "neither exists".to_owned();
    for place in free_places(observation.table.usable(), sector, &used) {
        match journal::check_place(device, place, needed_bytes) {
            Ok(_) => return Ok(place),
            Err(error) => problem = error.to_string(),
        }
    }
    Err(Refusal::NoJournalSpace {
        needed_bytes,
        problem,
    })
}

/// What the journal's header says of the repair, for whoever finds it.
fn memo(plan: &Plan) -> [u8; MEMO_BYTES] {
    let text = format!(
        "winrefit {}: {}, partition {} by {}",
        env!("CARGO_PKG_VERSION"),
        plan.strategy.name(),
        plan.recovery_partition,
        size(plan.growth_bytes)
    );
    let mut memo = [0; MEMO_BYTES];
    let length = text.len().min(MEMO_BYTES);
    memo[..length].copy_from_slice(&text.as_bytes()[..length]);
    memo
}
