//! What can go wrong while a lab disk is built.

use crate::hive::HiveError;
use crate::profile::LayoutError;
use winrefit_disk::DiskError;

/// An error of the lab.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// The target could not be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The FAT library refused an operation.
    #[error("cannot {action} {path:?} on the EFI system partition: {source}")]
    Fat {
        /// What was being done: "format", "create", "write" and the like.
        action: &'static str,
        /// The path on the volume; empty where the whole volume is meant.
        path: String,
        /// The library's error.
        source: std::io::Error,
    },
    /// A volume of this size cannot hold the 65,525 clusters that make a FAT volume FAT32.
    #[error("{size_bytes} bytes are too few for FAT32 with sectors of {sector_bytes} bytes")]
    TooSmallForFat32 {
        /// Size of the volume.
        size_bytes: u64,
        /// Size of its sectors.
        sector_bytes: u64,
    },
    /// A registry hive could not be composed.
    #[error(transparent)]
    Hive(#[from] HiveError),
    /// The partitions of a profile do not fit the disk.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}
