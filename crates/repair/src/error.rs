//! Why a command could not be carried out at all. A refusal is no error: it is an answer.

use crate::table::TableEditError;
use winrefit_disk::journal::JournalError;
use winrefit_disk::{DiskError, Operation, SectorSize};
use winrefit_formats::gpt::GptReadError;
use winrefit_formats::mbr::MbrReadError;
use winrefit_formats::{GptDisagreement, ReagentError};
use winrefit_ntfs::NtfsError;
use winrefit_ntfs::edit::EditError;
use winrefit_ntfs::format::FormatError;
use winrefit_ntfs::resize::ResizeError;

/// An error of a command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepairError {
    /// The medium failed, or cannot be opened.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is no partition table to work with.
    #[error("no partition table: {0}")]
    Gpt(#[from] GptReadError),
    /// There is no MBR partition table to work with.
    #[error("no partition table: {0}")]
    Mbr(#[from] MbrReadError),
    /// The partition table can be read from neither copy.
    #[error("{0}")]
    BothTables(GptDisagreement),
    /// The journal stopped the work.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Writing failed after it had begun.
    #[error("the work was interrupted: {0}")]
    Interrupted(JournalError),
    /// The work is complete on the disk, but looking at it afterwards failed.
    #[error("the work was completed, but could not be verified: {0}")]
    Unverified(Box<RepairError>),
    /// The file is an image in a format of its own.
    #[error("the file is a {format} image, not a raw disk")]
    NotRaw {
        /// Name of the format.
        format: &'static str,
    },
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
    /// A volume cannot be made as planned.
    #[error("partition {partition}: {source}")]
    Format {
        /// The partition.
        partition: u32,
        /// Why not.
        source: FormatError,
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
    TableEdit(#[from] TableEditError),
    /// The user named a partition that is not there.
    #[error("there is no partition {number} on the disk")]
    NoSuchPartition {
        /// The number.
        number: u32,
    },
    /// The partition that the user named is no recovery partition.
    #[error("partition {number} is not of the recovery type")]
    NotRecoveryType {
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
    /// The error of a commit, resume or undo: some only say why it was not begun.
    pub(crate) fn of_writing(error: JournalError) -> Self {
        match error {
            JournalError::Disk(_) | JournalError::ReadBack { .. } => Self::Interrupted(error),
            error => Self::Journal(error),
        }
    }

    /// Whether work may be unfinished on the disk.
    pub fn is_unfinished(&self) -> bool {
        matches!(self, Self::Interrupted(_))
    }

    /// Whether the disk itself is damaged.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::BothTables(_))
    }

    /// Whether the command line asks for something that this disk does not have.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoSuchPartition { .. } | Self::NotRecoveryType { .. } | Self::NotNtfs { .. }
        )
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Disk(DiskError::InUse { .. }) => "target-in-use",
            Self::Disk(DiskError::Open { .. } | DiskError::NotADisk { .. }) => "cannot-open",
            Self::Disk(_) => "io",
            Self::Gpt(_) | Self::Mbr(_) => "no-partition-table",
            Self::BothTables(_) => "partition-table-damaged",
            Self::Journal(_) => "journal",
            Self::Interrupted(_) => "interrupted",
            Self::Unverified(_) => "unverified",
            Self::NotRaw { .. } => "not-raw",
            Self::Ntfs { .. } => "ntfs",
            Self::Resize { .. } => "resize",
            Self::Edit { .. } => "edit",
            Self::Format { .. } => "format",
            Self::ReAgent { .. } => "reagent",
            Self::TableEdit(_) => "partition-table",
            Self::NoSuchPartition { .. } => "no-such-partition",
            Self::NotRecoveryType { .. } => "not-recovery-type",
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
            Self::Interrupted(_) => {
                "What was begun is recorded on the disk. Cure the cause (cable, full storage, a device that is \
                 read-only), then run `winrefit resume`, which completes or discards it. Do not start Windows before."
                    .into()
            }
            Self::Unverified(_) => "Cure the cause, then run `winrefit verify`.".into(),
            Self::NotRaw { .. } => {
                "Attach it with `qemu-nbd -c /dev/nbd0 IMAGE` and name /dev/nbd0, or make a raw copy with \
                 `qemu-img convert -O raw`."
                    .into()
            }
            Self::Disk(DiskError::Io { source, .. }) if source.kind() == std::io::ErrorKind::StorageFull => {
                "The file system that holds the image is full: make room there, then run the command again. Nothing in \
                 use was changed."
                    .into()
            }
            Self::Disk(DiskError::Io {
                operation: Operation::Write,
                source,
                ..
            }) if source.kind() == std::io::ErrorKind::PermissionDenied => {
                "The device is read-only: attach it for writing, then run the command again. Nothing was changed.".into()
            }
            Self::Disk(DiskError::Io { .. } | DiskError::Stopped { .. }) => {
                "The disk or its connection fails. Nothing was written; make a copy of the disk before anything else."
                    .into()
            }
            Self::Disk(_) => "Check the path, and that you may read and write it.".into(),
            Self::BothTables(_) => {
                "Make sure first that the target is the whole disk and not one partition of it, and that a copy or image \
                 is complete and raw. Otherwise keep a copy of the disk, then rebuild its partition table with a tool made \
                 for that."
                    .into()
            }
            Self::Gpt(_) | Self::Mbr(_) => "Name a whole disk with its partition table, not a partition.".into(),
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
            Self::NoSuchPartition { .. } | Self::NotRecoveryType { .. } | Self::NotNtfs { .. } => "Run `winrefit diagnose` to see the partitions.".into(),
            Self::Ntfs { partition, .. } | Self::Resize { partition, .. } | Self::Edit { partition, .. } => {
                format!("Nothing was written. Run `winrefit check --partition {partition}` on the disk to see more.")
            }
            Self::Format { .. } | Self::ReAgent { .. } | Self::TableEdit(_) | Self::SectorSize { .. } => {
                "Nothing was written. Run `winrefit diagnose` on the disk to see more.".into()
            }
        }
    }
}
