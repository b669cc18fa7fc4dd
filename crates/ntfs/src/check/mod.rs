//! Consistency check of a volume, read-only. It guards every change: it runs on the disk before, on the staged state,
//! and on the disk after.
//!
//! One sequential pass over the $MFT in large reads checks every record by itself and marks what its runs own; what
//! concerns several records is compared behind it from a few bytes remembered of each. Memory is one bit for each
//! cluster and some bytes for each record. No content of a volume makes a check panic, loop, or take longer than a
//! few passes over the $MFT. The indexes of directories are not checked yet: their place is behind the pass, with the
//! facts of all records at hand.
//!
//! | file | what it checks |
//! |---|---|
//! | `boot` | boot sector, its backup, the place in the partition |
//! | `mft` | headers of the records, the bitmap of the $MFT, parents |
//! | `attributes` | runs and sizes of an attribute, names |
//! | `split` | files with attribute lists |
//! | `ownership` | clusters with two owners |
//! | `clusters` | $Bitmap |
//! | `system` | system files, version, flags, log, $MFTMirr, $BadClus |

mod attributes;
mod boot;
mod clusters;
mod mft;
mod owners;
mod ownership;
mod path;
mod problem;
mod report;
mod split;
mod system;

pub use owners::{Owner, owners_from};
pub use path::path_of;
pub use problem::{Problem, ProblemCode, Severity};
pub use report::CheckReport;

use crate::boot::{BOOT_SECTOR_BYTES, BootSector};
use crate::error::NtfsError;
use crate::types::RecordNumber;
use crate::volume::Volume;
use ownership::Ownership;
use report::{Findings, is_of_medium};
use winrefit_disk::ReadAt;

/// Where the partition of a volume is on its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionPlace {
    /// First sector.
    pub start_lba: u64,
    /// Sectors of the partition.
    pub sectors: u64,
    /// Bytes in a logical sector of the disk.
    pub sector_size: u32,
}

/// What to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckOptions {
    /// The partition, which the reader covers. Without it hidden sectors and the fit are not checked, and the reader's
    /// end is taken for the partition's.
    pub partition: Option<PartitionPlace>,
    /// Problems to keep; the rest is counted.
    pub problems_max: usize,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            partition: None,
            problems_max: 1000,
        }
    }
}

/// Checks the volume that begins at byte 0 of `reader`.
///
/// # Errors
/// [`NtfsError::NotNtfs`] if there is no NTFS, or an error of the medium. All damage is in the report.
pub fn check<R: ReadAt>(reader: R, options: &CheckOptions) -> Result<CheckReport, NtfsError> {
    let mut findings = Findings::new(options.problems_max);
    if let Some(volume) = open(&reader, &mut findings)? {
        check_volume(&volume, options, &mut findings)?;
    }
    Ok(findings.report)
}

fn check_volume<R: ReadAt>(
    volume: &Volume<R>,
    options: &CheckOptions,
    findings: &mut Findings,
) -> Result<(), NtfsError> {
    let clusters = volume.geometry().clusters();
    findings.report.records = volume.records();
    findings.report.clusters = clusters;
    boot::check(volume, options, findings)?;
    let mut ownership = Ownership::new(clusters);
    let mut facts = mft::scan(volume, findings, &mut ownership)?;
    split::check(volume, &mut facts, findings)?;
    ownership.report_conflicts(volume, findings)?;
    clusters::check(volume, &ownership, findings)?;
    system::check(volume, &facts, findings)?;
    findings.report.owned = Some(ownership.into_bitmap());
    Ok(())
}

/// Opens the volume, or tells why nothing but its boot sector can be checked.
fn open<'r, R: ReadAt>(reader: &'r R, findings: &mut Findings) -> Result<Option<Volume<&'r R>>, NtfsError> {
    let mut sector = [0; BOOT_SECTOR_BYTES];
    reader.read_at(0, &mut sector)?;
    match BootSector::parse(&sector) {
        Err(NtfsError::BadBootSector { offset, actual, .. }) => {
            let problem = Problem::new(ProblemCode::BootSectorField);
            findings.push(problem.at(offset as u64).actual(actual));
            return Ok(None);
        }
        other => other?,
    };
    match Volume::open(reader) {
        Ok(volume) => Ok(Some(volume)),
        Err(error) if is_of_medium(&error) => Err(error),
        Err(NtfsError::Truncated {
            volume_bytes,
            available_bytes,
        }) => {
            let problem = Problem::new(ProblemCode::VolumeLargerThanPartition);
            findings.push(problem.values(available_bytes, volume_bytes));
            Ok(None)
        }
        Err(error) => {
            if let Some((code, actual)) = mft::record_problem(&error) {
                let mut problem = Problem::of(code, RecordNumber::MFT);
                problem.actual = actual;
                findings.push(problem);
            }
            findings.push(Problem::of(ProblemCode::MftUnreadable, RecordNumber::MFT));
            Ok(None)
        }
    }
}
