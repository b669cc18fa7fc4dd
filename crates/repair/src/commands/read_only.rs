//! Commands that never write: diagnose, verify, check.

use super::build;
use super::parts::first_done;
use super::{Progress, ProgressSink};
use crate::diagnose;
use crate::diagnose::blockers::refused_by;
use crate::diagnose::unreadable::of_reads;
use crate::error::RepairError;
use crate::observation::Observation;
use crate::observe::unreadable::Attentive;
use crate::observe::{Depth, observe};
use crate::records::{self, usage::usage};
use crate::report::{JournalReport, Report, Verdict, VolumeCheck};
use crate::select::candidate_or_named;
use crate::target::Target;
use crate::text;
use crate::text::Text;
use crate::verify;
use winrefit_disk::Device;
use winrefit_disk::journal::JournalError;
use winrefit_ntfs::check::CheckLevel;

/// Says what is wrong with a disk and what to do.
///
/// # Errors
/// [`RepairError`].
pub fn diagnose<D: Device>(target: &Target<D>, named: Option<u32>) -> Result<Report, RepairError> {
    let disk = Attentive::new(target.disk());
    let mut observation = observe(&disk, target.reported, Depth::Quick)?;
    check_recovery(&observation, named)?;
    let refused_by = refused_by(&mut observation, named);
    let records = records::read(&disk, &observation);
    let diagnosis = diagnose::diagnose(&observation, named).with_records(&observation, &records);
    let recovery = diagnosis.recovery.map(|partition| partition.number);
    let usage = recovery.and_then(|number| usage(&disk, &observation, number));
    let unreadable = of_reads(&observation, &disk.into_failed());
    let diagnosis = diagnosis.with(unreadable).blocked_by(refused_by.as_ref());
    let mut report = build::of_diagnosis("diagnose", &target.name, &observation, diagnosis);
    build::add_records(&mut report, &records, usage.as_ref());
    mark_unfinished(&observation, &mut report);
    Ok(report)
}

/// Checks that a disk is as a repair leaves it.
///
/// # Errors
/// [`RepairError`].
pub fn verify<D: Device>(
    target: &Target<D>,
    named: Option<u32>,
    progress: ProgressSink<'_>,
) -> Result<Report, RepairError> {
    progress(Progress::Verifying);
    let mut observation = observe(target.disk(), target.reported, Depth::Full)?;
    check_recovery(&observation, named)?;
    let refused_by = refused_by(&mut observation, named);
    let diagnosis = diagnose::diagnose(&observation, named).blocked_by(refused_by.as_ref());
    let (items, checks) = verify::verify_disk(target.disk(), &observation, diagnosis.recovery)?;
    let mut report = build::of_diagnosis("verify", &target.name, &observation, diagnosis);
    if checks.iter().any(VolumeCheck::is_damaged) {
        report.verdict = Verdict::Damaged;
    } else if report.verdict == Verdict::Healthy && items.iter().any(|item| !item.ok) {
        report.verdict = Verdict::Attention;
    }
    (report.verification, report.checks) = (items, checks);
    mark_unfinished(&observation, &mut report);
    Ok(report)
}

/// Findings of volumes that no checker can look into, so that no page lets them pass for checked.
const UNCHECKED: [&str; 3] = ["bitlocker", "foreign-boot-sector", "refs"];

/// Checks the consistency of one NTFS volume, or of all of them.
///
/// # Errors
/// [`RepairError`].
pub fn check<D: Device>(
    target: &Target<D>,
    number: Option<u32>,
    level: CheckLevel,
    progress: ProgressSink<'_>,
) -> Result<Report, RepairError> {
    let observation = observe(target.disk(), target.reported, Depth::Quick)?;
    check_named(&observation, number)?;
    let mut report = build::empty("check", &target.name);
    report.disk = Some(build::disk(&observation, candidate_or_named(&observation, None)));
    for partition in &observation.partitions {
        let is_ntfs = partition.content.name() == "ntfs";
        if number == Some(partition.number) && !is_ntfs {
            return Err(RepairError::NotNtfs {
                number: partition.number,
                found: partition.content.text(),
            });
        }
        if number.map_or(is_ntfs, |number| number == partition.number) {
            progress(Progress::Checking {
                partition: partition.number,
            });
            let (_, summary) =
                verify::check_partition(target.disk(), observation.sector_size, partition, level)?;
            report.checks.push(summary);
            let found = diagnose::volume_finding(partition);
            report.findings.extend(found.filter(diagnose::is_of_rest));
        }
    }
    if !report.findings.is_empty() {
        report.verdict = Verdict::Attention;
    }
    // What cannot even be opened as a volume is not passed over.
    let diagnosis = diagnose::diagnose(&observation, None);
    report.findings.extend(
        diagnosis
            .findings
            .into_iter()
            .filter(|f| number.is_none() && (diagnose::is_damage(f) || UNCHECKED.contains(&f.code))),
    );
    if report.checks.iter().any(VolumeCheck::is_damaged) || report.findings.iter().any(diagnose::is_damage) {
        report.verdict = Verdict::Damaged;
    }
    mark_unfinished(&observation, &mut report);
    Ok(report)
}

pub(super) fn check_named(observation: &Observation, named: Option<u32>) -> Result<(), RepairError> {
    match named.filter(|&number| observation.partition(number).is_none()) {
        Some(number) => Err(RepairError::NoSuchPartition { number }),
        None => Ok(()),
    }
}

/// The recovery partition that the user names has to be one.
fn check_recovery(observation: &Observation, named: Option<u32>) -> Result<(), RepairError> {
    check_named(observation, named)?;
    let partition = named.and_then(|number| observation.partition(number));
    match partition.filter(|partition| !partition.is_recovery_type()) {
        Some(partition) => Err(RepairError::NotRecoveryType {
            number: partition.number,
        }),
        None => Ok(()),
    }
}

/// Unfinished work comes before every other judgement: the disk is between two states.
pub(super) fn mark_unfinished(observation: &Observation, report: &mut Report) {
    let sector = observation.sector_size.bytes();
    match &observation.journal {
        Ok(None) => {}
        Ok(Some(found)) if !found.is_unfinished() => {
            let is_half = first_done(observation).is_some();
            let text = if is_half {
                text!(
                    "The first of the two commits of a repair is done: there is space for the recovery partition, and \
                     Windows and WinRE are as they were. `winrefit fix` goes on, `winrefit undo` takes the space \
                     back."
                )
            } else {
                text!(
                    "A repair was completed here and can be undone with `winrefit undo`, as long as nothing else has \
                     changed its sectors."
                )
            };
            if is_half && matches!(report.verdict, Verdict::Healthy | Verdict::Attention) {
                report.verdict = Verdict::NeedsRepair;
            }
            report.journal = Some(build::journal(found, sector, text));
        }
        Ok(Some(found)) => {
            report.verdict = Verdict::Unfinished;
            // Advice for a disk between two states would be wrong for either.
            report.findings.clear();
            let text = text!(
                "Work on this disk was interrupted. Run `winrefit resume` before anything else, and do not start \
                 Windows from the disk before that."
            );
            report.journal = Some(build::journal(found, sector, text));
        }
        Err(error) => {
            report.verdict = Verdict::Unfinished;
            report.journal = Some(JournalReport {
                state: "damaged",
                memo: Text::empty(),
                place: text!("the journal's place"),
                text: unusable(error),
            });
        }
    }
}

fn unusable(error: &JournalError) -> Text {
    match error {
        JournalError::Disk(_) => text!(
            "Where a journal of winrefit would be, the disk cannot be read: {error}. Whether work is unfinished is not \
             known, so nothing is written. Copy the whole disk first, with `ddrescue` to one of exactly the same size, and \
             go on with the copy.",
            error = error.to_string()
        ),
        _ => text!(
            "A journal of winrefit is on the disk and cannot be used: {error}. Whether work is unfinished is not known. \
             Keep a copy of the disk before anything else.",
            error = error.to_string()
        ),
    }
}
