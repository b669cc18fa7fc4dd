//! The files of NTFS itself: present, named, at rest, and true to the volume.

use super::codes::ProblemCode;
use super::facts::MftFacts;
use super::mft::SYSTEM_NAMES;
use super::problem::Problem;
use super::report::Findings;
use crate::bytes::{take, u16_at};
use crate::error::NtfsError;
use crate::file::{Stream, StreamBody};
use crate::logfile::{self, LogState};
use crate::state::{
    FLAG_CHKDSK_UNDER_WAY, FLAG_DIRTY, FLAG_MODIFIED_BY_CHKDSK, FLAG_RESIZE_LOG, FLAG_UPGRADE,
};
use crate::types::{AttributeType, RecordNumber};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// Records that Windows keeps in $MFTMirr; a larger cluster holds more, which are not always kept up.
const MIRRORED_RECORDS: u64 = 4;
/// $MFTMirr is one cluster at most (2 MiB), or four records.
const MIRROR_BYTES_MAX: u64 = 2 << 20;

pub(crate) fn check<R: ReadAt>(
    volume: &Volume<R>,
    facts: &MftFacts,
    findings: &mut Findings,
) -> Result<(), NtfsError> {
    check_records(facts, findings);
    check_state(volume, findings)?;
    check_mirror(volume, findings)?;
    check_bad_clusters(volume, findings)
}

fn check_records(facts: &MftFacts, findings: &mut Findings) {
    for number in (0..SYSTEM_NAMES.len() as u64).map(RecordNumber) {
        let Some(brief) = facts.brief(number).filter(|brief| brief.is_in_use()) else {
            findings.push(Problem::of(ProblemCode::SystemRecordMissing, number));
            continue;
        };
        if facts.system_named >> number.0 & 1 == 0 {
            findings.push(Problem::of(ProblemCode::SystemRecordName, number));
        }
        let (due, sequence) = (number.0.max(1), u64::from(brief.sequence));
        let is_root = number == RecordNumber::ROOT;
        if is_root && (!brief.is_directory() || sequence != due) {
            findings.push(Problem::of(ProblemCode::RootRecord, number).values(due, sequence));
        } else if sequence != due {
            findings.push(Problem::of(ProblemCode::SystemRecordSequence, number).values(due, sequence));
        }
    }
}

fn check_state<R: ReadAt>(volume: &Volume<R>, findings: &mut Findings) -> Result<(), NtfsError> {
    let number = RecordNumber::VOLUME;
    let missing = ProblemCode::VolumeInformationMissing;
    let read = || {
        let record = volume.read_record(number)?;
        let attribute = record.find(AttributeType::VOLUME_INFORMATION, "")?;
        let value = attribute
            .and_then(|a| a.value())
            .and_then(|value| take(value, 0, 12));
        Ok(value.map(|value| ([value[8], value[9]], u16_at(value, 10).unwrap_or(0))))
    };
    match findings.damage(read(), missing, number)? {
        Some(Some((version, flags))) => {
            if version != [3, 1] {
                let (due, actual) = (0x0301, u16::from_be_bytes(version).into());
                findings.push(Problem::of(ProblemCode::VolumeVersion, number).values(due, actual));
            }
            for (flag, code) in [
                (FLAG_DIRTY, ProblemCode::VolumeDirty),
                (FLAG_RESIZE_LOG, ProblemCode::ResizeLogPending),
                (FLAG_UPGRADE, ProblemCode::UpgradePending),
                (
                    FLAG_CHKDSK_UNDER_WAY | FLAG_MODIFIED_BY_CHKDSK,
                    ProblemCode::ChkdskUnderWay,
                ),
            ] {
                if flags & flag != 0 {
                    findings.push(Problem::of(code, number).actual(flags.into()));
                }
            }
        }
        Some(None) => findings.push(Problem::of(missing, number)),
        None => {}
    }
    let log = logfile::read_state(volume);
    let code = match findings.damage(log, ProblemCode::LogDamaged, RecordNumber::LOG_FILE)? {
        Some(LogState::InUse) => ProblemCode::LogInUse,
        Some(LogState::FastStartup { .. }) => ProblemCode::LogFastStartup,
        Some(LogState::Damaged) => ProblemCode::LogDamaged,
        Some(LogState::Clean | LogState::Uninitialized) | None => return Ok(()),
    };
    findings.push(Problem::of(code, RecordNumber::LOG_FILE));
    Ok(())
}

/// $MFTMirr holds the first records byte by byte, update sequences included.
fn check_mirror<R: ReadAt>(volume: &Volume<R>, findings: &mut Findings) -> Result<(), NtfsError> {
    let (number, code) = (RecordNumber::MFT_MIRR, ProblemCode::MirrorUnreadable);
    let read = || volume.file(number)?.require(AttributeType::DATA, "");
    let Some(stream) = findings.damage(read(), code, number)? else {
        return Ok(());
    };
    let first_lcn = stream.runs().and_then(|runs| runs.0.first()?.lcn);
    let due = volume.boot().mft_mirr_lcn();
    if first_lcn != Some(due) {
        let mut problem = Problem::of(ProblemCode::MirrorPlace, number).actual(due.0);
        problem.expected = first_lcn.map(|lcn| lcn.0);
        findings.push(problem);
    }
    let record_size = u64::from(volume.geometry().record_size);
    let records = (stream.len().min(MIRROR_BYTES_MAX) / record_size).min(volume.records());
    if records < MIRRORED_RECORDS {
        findings.push(Problem::of(code, number).values(MIRRORED_RECORDS, records));
    }
    let length = (records * record_size) as usize;
    let mirror = volume
        .stream_reader(stream)
        .and_then(|reader| Ok(reader.read_vec(0, length)?));
    let mft = volume
        .stream_reader(volume.mft().clone())
        .and_then(|reader| Ok(reader.read_vec(0, length)?));
    let Some(mirror) = findings.damage(mirror, code, number)? else {
        return Ok(());
    };
    let pairs = mft?;
    let pairs = pairs
        .chunks(record_size as usize)
        .zip(mirror.chunks(record_size as usize));
    for (index, (record, copy)) in pairs.enumerate().filter(|(_, (record, copy))| record != copy) {
        let index = index as u64;
        let is_kept = index < MIRRORED_RECORDS;
        let code = if is_kept {
            ProblemCode::MirrorDiffers
        } else {
            ProblemCode::MirrorTailDiffers
        };
        let byte = record.iter().zip(copy).position(|(a, b)| a != b).unwrap_or(0) as u64;
        let place = volume
            .geometry()
            .offset_of(due)
            .saturating_add(index * record_size + byte);
        findings.push(Problem::of(code, RecordNumber(index)).at(place));
        if !is_kept {
            break;
        }
    }
    Ok(())
}

/// $Bad is a hole as long as the volume's clusters, with the bad ones as runs. Windows uses it only to add clusters, so
/// another length is no danger by itself; what we resize must have the right one all the same.
fn check_bad_clusters<R: ReadAt>(volume: &Volume<R>, findings: &mut Findings) -> Result<(), NtfsError> {
    let number = RecordNumber::BAD_CLUS;
    let geometry = volume.geometry();
    let read = || volume.file(number)?.stream(AttributeType::DATA, "$Bad");
    let code = ProblemCode::BadClusMissing;
    match findings.damage(read(), code, number)? {
        Some(Some(Stream {
            body: StreamBody::NonResident { runs, sizes },
            ..
        })) => {
            let due = geometry.clusters().saturating_mul(geometry.cluster_size.into());
            let spanned = runs.clusters().saturating_mul(geometry.cluster_size.into());
            let wrong = [sizes.data, sizes.allocated, spanned]
                .into_iter()
                .find(|&size| size != due);
            if let Some(actual) = wrong {
                let problem = Problem::of(ProblemCode::BadClusSize, number).values(due, actual);
                findings.push(problem.attribute(AttributeType::DATA, b"$\0B\0a\0d\0"));
            }
        }
        Some(_) => findings.push(Problem::of(code, number)),
        None => {}
    }
    let bad = findings.report.bad_clusters;
    if bad != 0 {
        findings.push(Problem::of(ProblemCode::BadClusters, number).actual(bad));
    }
    Ok(())
}
