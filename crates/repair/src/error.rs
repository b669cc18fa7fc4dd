//! Why a command could not be carried out at all. A refusal is no error: it is an answer.

use winrefit_disk::journal::JournalError;
use winrefit_disk::{DiskError, SectorSize};
use winrefit_formats::gpt::{GptEditError, GptReadError};
use winrefit_formats::{GptDisagreement, ReagentError};
use winrefit_ntfs::NtfsError;
use winrefit_ntfs::edit::EditError;
use winrefit_ntfs::resize::ResizeError;

/// An error of a command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepairError {
    /// The medium failed, or cannot be opened.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is no GUID partition table to work with.
    #[error("no GUID partition table: {0}")]
    Gpt(#[from] GptReadError),
    /// The partition table can be read from neither copy.
    #[error("{0}")]
    BothTables(GptDisagreement),
    /// The journal stopped the work.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A volume that was fine before cannot be read.
    #[error("partition {partition}: {source}")]
    Ntfs {
        /// The partition.
        partition: u32,
        /// What is wrong.
        source: NtfsError,
    },
    /// A volume cannot be resized as planned.
    #[error("partition {partition}: {source}")]
    Resize {
        /// The partition.
        partition: u32,
        /// Why not.
        source: ResizeError,
    },
    /// A file cannot be changed as planned.
    #[error("partition {partition}: {source}")]
    Edit {
        /// The partition.
        partition: u32,
        /// Why not.
        source: EditError,
    },
    /// ReAgent.xml cannot be patched.
    #[error("partition {partition}, ReAgent.xml: {source}")]
    ReAgent {
        /// The partition.
        partition: u32,
        /// Why not.
        source: ReagentError,
    },
    /// The partition table does not take the plan.
    #[error(transparent)]
    GptEdit(#[from] GptEditError),
    /// The user named a partition that is not there.
    #[error("there is no partition {number} on the disk")]
    NoSuchPartition {
        /// The number.
        number: u32,
    },
    /// The partition that the user named holds no NTFS volume.
    #[error("partition {number} holds no NTFS volume but: {found}")]
    NotNtfs {
        /// The number.
        number: u32,
        /// What it holds.
        found: &'static str,
    },
    /// The device's sectors are not those that the partition table was made for.
    #[error(
        "the partition table is for sectors of {} bytes, the device has {}",
        table.bytes(),
        device.bytes()
    )]
    SectorSize {
        /// Of the table.
        table: SectorSize,
        /// Of the device.
        device: SectorSize,
    },
}

impl RepairError {
    /// Whether the command line asks for something that this disk does not have.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NoSuchPartition { .. } | Self::NotNtfs { .. })
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Disk(DiskError::InUse { .. }) => "target-in-use",
            Self::Disk(DiskError::Open { .. } | DiskError::NotADisk { .. }) => "cannot-open",
            Self::Disk(_) => "io",
            Self::Gpt(_) => "not-gpt",
            Self::BothTables(_) => "partition-table-damaged",
            Self::Journal(_) => "journal",
            Self::Ntfs { .. } => "ntfs",
            Self::Resize { .. } => "resize",
            Self::Edit { .. } => "edit",
            Self::ReAgent { .. } => "reagent",
            Self::GptEdit(_) => "partition-table",
            Self::NoSuchPartition { .. } => "no-such-partition",
            Self::NotNtfs { .. } => "not-ntfs",
            Self::SectorSize { .. } => "sector-size",
        }
    }

    /// What the user can do about it.
    pub fn next(&self) -> String {
        match self {
            Self::Disk(DiskError::InUse { .. }) => {
                "Shut down the virtual machine or unmount what uses the disk, then run the command again.".into()
            }
            Self::Disk(DiskError::Io { .. } | DiskError::Stopped { .. }) | Self::Journal(JournalError::ReadBack { .. }) => {
                "The disk or its connection fails. Make a copy of it first; then run `winrefit resume` on the disk, \
                 which completes or discards what was begun."
                    .into()
            }
            Self::Disk(_) => "Check the path, and that you may read and write it.".into(),
            Self::BothTables(_) => {
                "Keep a copy of the disk, then rebuild its partition table with a tool made for that.".into()
            }
            Self::Gpt(_) => {
                "Name a whole disk with a GUID partition table, not a partition. MBR disks are not supported yet.".into()
            }
            Self::Journal(JournalError::ChangedSince { .. } | JournalError::ForeignWrites { .. }) => {
                "Windows or another tool has written to the disk since. winrefit will not overwrite that; nothing was \
                 changed now."
                    .into()
            }
            Self::Journal(JournalError::OtherDisk { .. }) => {
                "Run the command on the disk that the work was begun on, or on a copy of exactly the same size.".into()
            }
            Self::Journal(JournalError::NewerVersion { .. }) => "Use the newer winrefit that wrote it.".into(),
            Self::Journal(_) => "Nothing was written. Keep a copy of the disk as it is before anything else.".into(),
            Self::NoSuchPartition { .. } | Self::NotNtfs { .. } => "Run `winrefit diagnose` to see the partitions.".into(),
            Self::Ntfs { partition, .. } | Self::Resize { partition, .. } | Self::Edit { partition, .. } => {
                format!("Nothing was written. Run `winrefit check --partition {partition}` on the disk to see more.")
            }
            Self::ReAgent { .. } | Self::GptEdit(_) | Self::SectorSize { .. } => {
                "Nothing was written. Run `winrefit diagnose` on the disk to see more.".into()
            }
        }
    }
}
