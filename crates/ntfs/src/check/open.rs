//! Opening a volume that may be damaged: through the boot sector, and through $MFTMirr where the $MFT's own record
//! cannot be read.

use super::ProblemCode;
use super::mft::record_problem;
use super::problem::Problem;
use super::report::Findings;
use crate::boot::{BOOT_SECTOR_BYTES, BootSector};
use crate::error::NtfsError;
use crate::record::Record;
use crate::types::RecordNumber;
use crate::volume::Volume;
use std::cell::Cell;
use winrefit_disk::{DiskError, ReadAt};

/// The medium, with other bytes in one place.
pub(crate) struct Patched<'r, R> {
    reader: &'r R,
    offset: u64,
    bytes: Vec<u8>,
    is_active: Cell<bool>,
}

impl<R: ReadAt> ReadAt for Patched<'_, R> {
    fn size(&self) -> u64 {
        self.reader.size()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.reader.read_at(offset, buf)?;
        let end = offset.saturating_add(buf.len() as u64);
        let from = offset.max(self.offset);
        let to = end.min(self.offset.saturating_add(self.bytes.len() as u64));
        if from < to && self.is_active.get() {
            let patch = &self.bytes[(from - self.offset) as usize..(to - self.offset) as usize];
            buf[(from - offset) as usize..(to - offset) as usize].copy_from_slice(patch);
        }
        Ok(())
    }
}

/// Opens the volume, or tells why nothing but its boot sector can be checked.
pub(crate) fn open<'r, R: ReadAt>(
    reader: &'r R,
    findings: &mut Findings,
) -> Result<Option<Volume<Patched<'r, R>>>, NtfsError> {
    let mut sector = [0; BOOT_SECTOR_BYTES];
    reader.read_at(0, &mut sector)?;
    let boot = match BootSector::parse(&sector) {
        Err(NtfsError::BadBootSector { offset, actual, .. }) => {
            let problem = Problem::new(ProblemCode::BootSectorField);
            findings.push(problem.at(offset as u64).actual(actual));
            return Ok(None);
        }
        other => other?,
    };
    let plain = |offset, bytes| Patched {
        reader,
        offset,
        bytes,
        is_active: Cell::new(true),
    };
    match Volume::open(plain(0, Vec::new())) {
        Ok(volume) => Ok(Some(volume)),
        Err(error) if error.is_of_medium() => Err(error),
        Err(NtfsError::Truncated {
            volume_bytes,
            available_bytes,
        }) => {
            let problem = Problem::new(ProblemCode::VolumeLargerThanPartition);
            findings.push(problem.values(available_bytes, volume_bytes));
            Ok(None)
        }
        Err(error) => {
            let place = boot.geometry().offset_of(boot.mft_lcn());
            if let Some((code, actual)) = record_problem(&error) {
                let mut problem = Problem::of(code, RecordNumber::MFT).at(place);
                problem.actual = actual;
                findings.push(problem);
            }
            let copy = mirrored(reader, &boot)?;
            match copy.map(|copy| Volume::open(plain(place, copy))) {
                Some(Ok(volume)) => {
                    // Where the boot sector names a wrong place the record itself is found by its own runs.
                    let first = volume.mft_runs().0.first().and_then(|run| run.lcn);
                    volume.reader().is_active.set(first == Some(boot.mft_lcn()));
                    findings.push(Problem::of(ProblemCode::MftReadByMirror, RecordNumber::MFT));
                    Ok(Some(volume))
                }
                Some(Err(error)) if error.is_of_medium() => Err(error),
                _ => {
                    findings.push(Problem::of(ProblemCode::MftUnreadable, RecordNumber::MFT));
                    Ok(None)
                }
            }
        }
    }
}

/// The copy of the $MFT's own record in $MFTMirr, if it is sound.
fn mirrored<R: ReadAt>(reader: &R, boot: &BootSector) -> Result<Option<Vec<u8>>, NtfsError> {
    let geometry = boot.geometry();
    let place = geometry.offset_of(boot.mft_mirr_lcn());
    let raw = match reader.read_vec(place, geometry.record_size as usize) {
        Err(DiskError::OutOfBounds { .. }) => return Ok(None),
        other => other?,
    };
    let is_sound = Record::parse(RecordNumber::MFT, raw.clone())
        .is_ok_and(|record| record.is_in_use() && record.base().is_none());
    Ok(is_sound.then_some(raw))
}
