//! reset-update: the components of Windows Update put back. The way of plan and fix, with a plan of its own.

use super::fix::{commit, name};
use super::parts::first_done;
use super::prepare::{Preparation, concluded, prove_all, refused};
use super::read_only::{check_named, mark_unfinished};
use super::{ProgressSink, build};
use crate::diagnose::images::filetime;
use crate::diagnose::{self, Diagnosis};
use crate::error::RepairError;
use crate::observation::Observation;
use crate::observe::{Depth, observe};
use crate::plan::Plan;
use crate::records::{self, Records};
use crate::refusal::Refusal;
use crate::report::{FindingReport, Report, Verdict};
use crate::reset::{self, ResetRequest};
use crate::target::Target;
use crate::text::Text;
use winrefit_disk::{Device, DiskError, ReadAt};
use winrefit_ntfs::NtfsError;

const COMMAND: &str = "reset-update";

/// Says what [`reset_update()`] would do, proven on a copy-on-write view. Writes nothing.
///
/// # Errors
/// [`RepairError`].
pub fn plan_reset<D: Device>(
    target: &Target<D>,
    request: &ResetRequest,
    progress: ProgressSink<'_>,
) -> Result<Report, RepairError> {
    Ok(match prepare(target, request, progress)? {
        Preparation::Ready(prepared) => unasked(prepared.report),
        Preparation::Ended(report) => *report,
    })
}

/// That something can be reset does not make a disk one that needs repair: where nothing speaks for a reset, the verdict
/// is that of what was found.
fn unasked(mut report: Report) -> Report {
    let mut advice = report.findings.iter().filter(|finding| is_advice(finding));
    let speaks_for = advice.any(|f| f.code == "reset-may-help" && !f.evidence.is_empty());
    let found = diagnose::verdict_of(&report.findings);
    if !speaks_for && matches!(found, Verdict::Healthy | Verdict::Attention) {
        report.verdict = found;
    }
    report
}

/// Resets the components of Windows Update: as [`plan_reset()`], then, if `ask` agrees to the report, commits and
/// verifies.
///
/// # Errors
/// [`RepairError`]. Once the commit has begun, `resume` completes or discards it.
pub fn reset_update<D: Device>(
    target: &mut Target<D>,
    request: &ResetRequest,
    ask: &mut dyn FnMut(&Report) -> bool,
    progress: ProgressSink<'_>,
) -> Result<Report, RepairError> {
    let prepared = match prepare(target, request, progress)? {
        Preparation::Ready(prepared) => *prepared,
        Preparation::Ended(report) => return Ok(*report),
    };
    if !ask(&prepared.report) {
        return Ok(prepared.report);
    }
    // What was said before the commit holds for the disk that it was said of.
    let said = prepared
        .report
        .findings
        .iter()
        .filter(|finding| is_advice(finding));
    let said: Vec<FindingReport> = said.cloned().collect();
    let windows = prepared.plan.changed_partitions();
    let named = name(&prepared);
    let mut report = commit(target, prepared, named, progress)?;
    if report.verdict == Verdict::Repaired {
        let known = findings_now(target, &windows);
        let findings = known.map_err(|error| RepairError::Unverified(Box::new(error)))?;
        report.findings = said.into_iter().chain(findings).collect();
    }
    Ok(report)
}

fn is_advice(finding: &FindingReport) -> bool {
    matches!(finding.code, "reset-will-not-help" | "reset-may-help")
}

fn findings_now<D: Device>(target: &Target<D>, windows: &[u32]) -> Result<Vec<FindingReport>, RepairError> {
    let observation = observe(target.disk(), target.reported, Depth::Full)?;
    let records = records_of(target.disk(), &observation, windows);
    Ok(diagnosed(&observation, &records).findings)
}

/// The records of these Windows, or of all if there are none of them.
fn records_of(disk: &dyn ReadAt, observation: &Observation, windows: &[u32]) -> Vec<Records> {
    let mut records = records::read(disk, observation);
    records.retain(|records| windows.is_empty() || windows.contains(&records.partition));
    records
}

fn diagnosed<'o>(observation: &'o Observation, records: &[Records]) -> Diagnosis<'o> {
    diagnose::diagnose(observation, None).with_records(observation, records)
}

fn prepare<D: Device>(
    target: &Target<D>,
    request: &ResetRequest,
    progress: ProgressSink<'_>,
) -> Result<Preparation, RepairError> {
    let disk = target.disk();
    let observation = observe(disk, target.reported, Depth::Full)?;
    check_named(&observation, request.windows)?;
    let windows = reset::windows(&observation, request);
    let known: Vec<u32> = windows.as_ref().ok().copied().into_iter().collect();
    let records = records_of(disk, &observation, &known);
    let diagnosis = diagnosed(&observation, &records);
    let verdict = diagnosis.verdict;
    let mut report = build::of_diagnosis(COMMAND, &target.name, &observation, diagnosis);
    mark_unfinished(&observation, &mut report);
    let ended = |report| Ok(Preparation::Ended(Box::new(report)));
    if report.verdict == Verdict::Unfinished {
        return ended(report);
    }
    let half = first_done(&observation).map_or(Ok(()), |_| Err(Refusal::HalfDone));
    let time = filetime(target.now_unix_seconds);
    let planned = match half.and(windows) {
        Ok(number) => planned(disk, &observation, (number, &records), request, time)?,
        Err(refusal) => Err(refusal),
    };
    let (plan, stay) = match planned {
        Ok(planned) => planned,
        Err(refusal) => {
            // Of a Windows that cannot be seen nothing speaks for a reset.
            advise(&mut report, known.is_empty());
            return ended(refused(report, &refusal));
        }
    };
    advise(&mut report, plan.is_empty());
    if plan.is_empty() {
        report.plan = Some(build::plan(&observation, &plan, &[], None));
        report.verdict = verdict;
        return ended(report);
    }
    let proven = prove_all(&target.device, &observation, &plan, &mut report, progress);
    if let Some(told) = &mut report.plan {
        told.untouched.extend(stay);
    }
    concluded(proven, (observation, plan), report)
}

/// What is to be said first is put first.
fn advise(report: &mut Report, is_idle: bool) {
    let advice = diagnose::reset::advice(&report.findings, is_idle);
    report.findings.splice(0..0, advice);
}

/// A plan, and what it leaves as it is although it is not usual.
type Planned = (Plan, Option<Text>);

fn planned(
    disk: &dyn ReadAt,
    observation: &Observation,
    (number, records): (u32, &[Records]),
    request: &ResetRequest,
    time: u64,
) -> Result<Result<Planned, Refusal>, RepairError> {
    let partition = observation
        .partition(number)
        .ok_or(RepairError::NoSuchPartition { number })?;
    let folders = match reset::folders(disk, partition.range) {
        Ok(folders) => folders,
        Err(source @ NtfsError::Disk(DiskError::Io { .. })) => {
            let partition = number;
            return Err(RepairError::Ntfs { partition, source });
        }
        Err(error) => {
            let problem = Text::quoted(error);
            return Ok(Err(Refusal::DamagedNtfs { number, problem }));
        }
    };
    let mut records = records.iter().filter(|records| records.partition == number);
    let services = records.next().map_or_else(|| Ok(Vec::new()), reset::services);
    let known = services.as_deref();
    let plan = reset::plan(number, (&folders, known), request, time);
    let stay = services.as_ref().ok().and_then(|services| build::told(services));
    Ok(plan.map(|plan| (plan, stay)))
}
