//! What can go wrong while a lab disk is built.

use crate::hive::HiveError;
use crate::profile::LayoutError;
use winrefit_disk::DiskError;
use winrefit_formats::gpt::{GptEditError, GptWriteError};
use winrefit_ntfs::NtfsError;
use winrefit_ntfs::format::FormatError;

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
    /// The disk's size is not a multiple of its sector size.
    #[error("{size_bytes} bytes are not whole sectors of {sector_bytes} bytes")]
    PartialSector {
        /// Size of the disk.
        size_bytes: u64,
        /// Size of its sectors.
        sector_bytes: u64,
    },
    /// An NTFS volume could not be made.
    #[error("cannot make the NTFS volume of partition {partition}: {source}")]
    Format {
        /// Number of the partition.
        partition: u32,
        /// Why not.
        source: FormatError,
    },
    /// The recovery volume cannot have the free space that its profile wants.
    #[error("partition {partition} is to have {expected_bytes} bytes free but can have {actual_bytes}")]
    FreeSpace {
        /// Number of the partition.
        partition: u32,
        /// What the profile wants.
        expected_bytes: u64,
        /// What there would be.
        actual_bytes: u64,
    },
    /// A volume just made could not be altered.
    #[error(transparent)]
    Ntfs(#[from] NtfsError),
    /// A volume just made has no place for what is to be put there.
    #[error("there is no place for {what} on the Windows volume")]
    NoPlace {
        /// What was to be put there.
        what: &'static str,
    },
    /// The partitions cannot be entered into a partition table.
    #[error(transparent)]
    Table(#[from] GptEditError),
    /// The partition table could not be written.
    #[error(transparent)]
    WriteTable(#[from] GptWriteError),
}
