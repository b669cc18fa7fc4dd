//! Consistency check of a volume, read-only. It guards every change: it runs on the disk before, on the staged state,
//! and on the disk after.
//!
//! One sequential pass over the $MFT in large reads checks every record by itself and marks what its runs own; what
//! concerns several records is compared behind it from what is remembered of each. A full check then reads every
//! index and compares its entries with the names remembered. One thread reads, others check; a report is the same
//! whatever their number. Memory is one bit for each cluster and some 60 bytes for each file. No content of a volume
//! makes a check panic, loop, or take longer than a few passes over the $MFT and the indexes.
//!
//! | file | what it checks |
//! |---|---|
//! | `open`, `boot` | boot sector, its backup, the place in the partition; $MFTMirr in place of a damaged $MFT |
//! | `mft` | headers of the records, the bitmap of the $MFT |
//! | `attributes` | runs and sizes of an attribute, names |
//! | `split` | files with attribute lists |
//! | `ownership` | clusters with two owners |
//! | `clusters` | $Bitmap |
//! | `system`, `tables` | system files, version, flags, log, $MFTMirr, $BadClus, $UpCase, $AttrDef, reserved records |
//! | `indexes`, `tree`, `collation` | the parts of each index, its B+tree, the order of its keys |
//! | `entries`, `names` | index entries against files, names against indexes, parents, paths to the root |
//! | `directory` | the index of one directory by itself |
//! | `security`, `views` | $Secure; $ObjId and $Reparse |

mod attributes;
mod bits;
mod boot;
mod clusters;
mod codes;
mod collation;
mod directory;
mod entries;
mod facts;
mod indexes;
mod mft;
mod names;
mod open;
mod owners;
mod ownership;
mod parallel;
mod path;
mod problem;
mod report;
mod security;
mod split;
mod system;
mod tables;
mod tree;
mod views;
mod window;

pub(crate) use collation::Collation;
pub(crate) use directory::check_directory;
pub(crate) use tree::vcn_unit;

pub use codes::{ProblemCode, Severity};
pub use owners::{Owner, owner_of, owners_from};
pub use path::path_of;
pub use problem::Problem;
pub use report::CheckReport;

use crate::error::NtfsError;
use crate::volume::Volume;
use ownership::Ownership;
use report::Findings;
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

/// How much to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CheckLevel {
    /// File records, clusters, and the files of NTFS itself.
    Quick,
    /// Also every index against the files it names and back, $Secure, and that a path leads to every file.
    #[default]
    Full,
}

impl CheckLevel {
    /// The name, for people and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Full => "full",
        }
    }
}

/// What to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckOptions {
    /// The partition, which the reader covers. Without it hidden sectors and the fit are not checked, and the reader's
    /// end is taken for the partition's.
    pub partition: Option<PartitionPlace>,
    /// Problems to keep; the rest is counted.
    pub problems_max: usize,
    /// How much to check.
    pub level: CheckLevel,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            partition: None,
            problems_max: 1000,
            level: CheckLevel::default(),
        }
    }
}

/// Checks the volume that begins at byte 0 of `reader`.
///
/// # Errors
/// [`NtfsError::NotNtfs`] if there is no NTFS, [`NtfsError::TooMuch`] if the volume has more records or names than can be
/// checked, or an error of the medium. All damage is in the report.
pub fn check<R: ReadAt>(reader: R, options: &CheckOptions) -> Result<CheckReport, NtfsError> {
    let mut findings = Findings::new(options.problems_max);
    findings.report.level = options.level;
    if let Some(volume) = open::open(&reader, &mut findings)? {
        check_volume(&volume, options, &mut findings)?;
        path::add_paths(&volume, &mut findings.report.problems)?;
    }
    Ok(findings.report)
}

fn check_volume<R: ReadAt>(
    volume: &Volume<R>,
    options: &CheckOptions,
    findings: &mut Findings,
) -> Result<(), NtfsError> {
    volume.check_records()?;
    let clusters = volume.geometry().clusters();
    findings.report.records = volume.records();
    findings.report.clusters = clusters;
    boot::check(volume, options, findings)?;
    let mut ownership = Ownership::new(clusters);
    let mut facts = mft::scan(volume, options.level, findings, &mut ownership)?;
    names::check_parents(volume, &facts, findings);
    split::check(volume, &mut facts, findings)?;
    ownership.report_conflicts(volume, findings)?;
    clusters::check(volume, &ownership, findings)?;
    system::check(volume, &facts, findings)?;
    tables::check(volume, &facts, findings)?;
    if options.level == CheckLevel::Full {
        let views = indexes::check(volume, &mut facts, findings)?;
        security::check(volume, &facts, &views, findings)?;
        views::check(&facts, &views, findings);
    }
    findings.report.owned = Some(ownership.into_bitmap());
    Ok(())
}
