//! Why a command could not be carried out at all. A refusal is no error: it is an answer.

use crate::table::TableEditError;
use crate::text;
use crate::text::Text;
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
#[error("{}", self.text())]
#[non_exhaustive]
pub enum RepairError {
    /// The medium failed, or cannot be opened.
    Disk(#[from] DiskError),
    /// There is no partition table to work with.
    Gpt(#[from] GptReadError),
    /// There is no MBR partition table to work with.
    Mbr(#[from] MbrReadError),
    /// The partition table can be read from neither copy.
    BothTables(GptDisagreement),
    /// The journal stopped the work.
    Journal(JournalError),
    /// Something else has written to the disk while work was unfinished.
    UsedSince {
        /// First byte of the first such sector.
        offset: u64,
        /// Where that is, in words.
        place: Text,
    },
    /// Writing failed after it had begun.
    Interrupted(JournalError),
    /// Of a repair in two parts the second one was put back, the first one not yet.
    HalfUndone(Box<RepairError>),
    /// The work is complete on the disk, but looking at it afterwards failed.
    Unverified(Box<RepairError>),
    /// The file is an image in a format of its own.
    NotRaw {
        /// Name of the format.
        format: &'static str,
    },
    /// A volume that was fine before cannot be read.
    Ntfs {
        /// The partition.
        partition: u32,
        /// What is wrong.
        source: NtfsError,
    },
    /// A volume cannot be resized as planned.
    Resize {
        /// The partition.
        partition: u32,
        /// Why not.
        source: ResizeError,
    },
    /// A volume cannot be made as planned.
    Format {
        /// The partition.
        partition: u32,
        /// Why not.
        source: FormatError,
    },
    /// A file cannot be changed as planned.
    Edit {
        /// The partition.
        partition: u32,
        /// Why not.
        source: EditError,
    },
    /// ReAgent.xml cannot be patched.
    ReAgent {
        /// The partition.
        partition: u32,
        /// Why not.
        source: ReagentError,
    },
    /// The partition table does not take the plan.
    TableEdit(#[from] TableEditError),
    /// The user named a partition that is not there.
    NoSuchPartition {
        /// The number.
        number: u32,
    },
    /// The partition that the user named is no recovery partition.
    NotRecoveryType {
        /// The number.
        number: u32,
    },
    /// The partition that the user named holds no NTFS volume.
    NotNtfs {
        /// The number.
        number: u32,
        /// What it holds.
        found: Text,
    },
    /// The device's sectors are not those that the partition table was made for.
    SectorSize {
        /// Of the table.
        table: SectorSize,
        /// Of the device.
        device: SectorSize,
    },
}

impl RepairError {
    /// The error of a commit, resume or undo: some only say why it was not begun. `is_begun` is whether a journal on the
    /// disk tells of unfinished work, as far as that can be read.
    pub(crate) fn of_writing(error: JournalError, is_begun: impl FnOnce() -> bool) -> Self {
        match error {
            JournalError::Disk(
                error @ DiskError::Io {
                    operation: Operation::Read,
                    ..
                },
            ) if !is_begun() => Self::Disk(error),
            JournalError::Disk(_) | JournalError::ReadBack { .. } => Self::Interrupted(error),
            error => Self::Journal(error),
        }
    }

    /// The failure of the medium that this is about, if nothing was begun.
    fn of_medium(&self) -> Option<&DiskError> {
        match self {
            Self::Disk(error)
            | Self::Gpt(GptReadError::Disk(error))
            | Self::Mbr(MbrReadError::Disk(error))
            | Self::Ntfs {
                source: NtfsError::Disk(error),
                ..
            }
            | Self::Resize {
                source: ResizeError::Ntfs(NtfsError::Disk(error)),
                ..
            }
            | Self::Edit {
                source: EditError::Ntfs(NtfsError::Disk(error)),
                ..
            }
            | Self::Format {
                source: FormatError::Disk(error),
                ..
            } => Some(error),
            _ => None,
        }
    }

    /// Whether work may be unfinished on the disk, and stays so.
    pub fn is_unfinished(&self) -> bool {
        matches!(self, Self::Interrupted(_) | Self::UsedSince { .. })
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

    /// What happened, and where.
    pub fn text(&self) -> Text {
        match self {
            Self::Disk(error) => Text::quoted(error),
            Self::Gpt(error) => text!("no partition table: {problem}", problem = error.to_string()),
            Self::Mbr(error) => text!("no partition table: {problem}", problem = error.to_string()),
            Self::BothTables(error) => Text::quoted(error),
            Self::Journal(error) => Text::quoted(error),
            Self::UsedSince { offset, place } => text!(
                "byte {offset} ({place}) was changed by something else while a repair was unfinished",
                offset,
                place
            ),
            Self::Interrupted(error) => {
                text!("the work was interrupted: {problem}", problem = error.to_string())
            }
            Self::HalfUndone(error) => text!(
                "the second of the repair's two parts was put back, the first one not: {problem}",
                problem = error.text()
            ),
            Self::Unverified(error) => text!(
                "the work was completed, but could not be verified: {problem}",
                problem = error.text()
            ),
            Self::NotRaw { format } => {
                text!("the file is a {format} image, not a raw disk", format = *format)
            }
            Self::Ntfs { partition, source } => on_partition(*partition, source),
            Self::Resize { partition, source } => on_partition(*partition, source),
            Self::Format { partition, source } => on_partition(*partition, source),
            Self::Edit { partition, source } => on_partition(*partition, source),
            Self::ReAgent { partition, source } => text!(
                "partition {number}, ReAgent.xml: {problem}",
                number = partition,
                problem = source.to_string()
            ),
            Self::TableEdit(error) => Text::quoted(error),
            Self::NoSuchPartition { number } => text!("there is no partition {number} on the disk", number),
            Self::NotRecoveryType { number } => {
                text!("partition {number} is not of the recovery type", number)
            }
            Self::NotNtfs { number, found } => text!(
                "partition {number} holds no NTFS volume but: {found}",
                number,
                found
            ),
            Self::SectorSize { table, device } => text!(
                "the partition table is for sectors of {table} bytes, the device has {device}",
                table = table.bytes(),
                device = device.bytes()
            ),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Disk(DiskError::InUse { .. }) => "target-in-use",
            Self::Disk(DiskError::Open { .. } | DiskError::NotADisk { .. }) => "cannot-open",
            Self::Disk(_) => "io",
            Self::Gpt(_) | Self::Mbr(_) => "no-partition-table",
            Self::BothTables(_) => "partition-table-damaged",
            Self::Journal(_) | Self::UsedSince { .. } => "journal",
            Self::Interrupted(_) => "interrupted",
            Self::HalfUndone(_) => "half-undone",
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
    pub fn next(&self) -> Text {
        if let Some(error) = self.of_medium() {
            return next_of_disk(error);
        }
        match self {
            Self::Disk(error) => next_of_disk(error),
            Self::Interrupted(_) => {
                text!(
                    "What was begun is recorded on the disk. Cure the cause (cable, full storage, a device that is \
                     read-only), then run `winrefit resume`, which completes or discards it. If the disk itself fails, \
                     copy it first, with `ddrescue` to one of exactly the same size, and run `winrefit resume` on the \
                     copy. Do not start Windows before."
                )
            }
            Self::HalfUndone(_) => text!(
                "Windows and WinRE are as they were, and there is unallocated space for the recovery partition. Cure the \
                 cause (cable, full storage, a device that is read-only), then run `winrefit undo` again, which goes on \
                 with the first part. If the disk itself fails, copy it first, with `ddrescue` to one of exactly the same \
                 size."
            ),
            Self::Unverified(_) => text!(
                "Cure the cause, then run `winrefit verify`. If the disk itself fails, copy it first, with `ddrescue` to \
                 one of exactly the same size."
            ),
            Self::NotRaw { .. } => {
                text!(
                    "Attach it with `qemu-nbd -c /dev/nbd0 IMAGE` and name /dev/nbd0, or make a raw copy with \
                     `qemu-img convert -O raw`."
                )
            }
            Self::BothTables(_) => {
                text!(
                    "Make sure first that the target is the whole disk and not one partition of it, and that a copy \
                     or image is complete and raw. Otherwise keep a copy of the disk, then rebuild its partition \
                     table with a tool made for that."
                )
            }
            Self::Gpt(_) | Self::Mbr(_) => {
                text!(
                    "If the target is one partition, name the whole disk. If it is the whole disk, its partition table is \
                     lost: keep a copy of the disk, then let TestDisk or gdisk make the table anew."
                )
            }
            Self::UsedSince { .. } => text!(
                "Windows or another tool has written to the disk since the work was interrupted. winrefit will not \
                 overwrite that; nothing was written now. Keep a copy of the whole disk as it is, and save what was \
                 written since, before anything else. Then put back a backup from before the repair, and the saved files: \
                 winrefit cannot join both states."
            ),
            Self::Journal(error) => next_of_journal(error),
            Self::NoSuchPartition { .. } | Self::NotRecoveryType { .. } | Self::NotNtfs { .. } => {
                text!("Run `winrefit diagnose` to see the partitions.")
            }
            Self::Ntfs { partition, .. } | Self::Resize { partition, .. } | Self::Edit { partition, .. } => {
                text!(
                    "Nothing was written. Run `winrefit check --partition {partition}` on the disk to see more.",
                    partition
                )
            }
            Self::Format { .. } | Self::ReAgent { .. } | Self::TableEdit(_) | Self::SectorSize { .. } => {
                text!("Nothing was written. Run `winrefit diagnose` on the disk to see more.")
            }
        }
    }
}

impl From<JournalError> for RepairError {
    /// A medium that failed is not the journal's doing.
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Disk(error) => Self::Disk(error),
            error => Self::Journal(error),
        }
    }
}

fn next_of_disk(error: &DiskError) -> Text {
    match error {
        DiskError::InUse { .. } => {
            text!("Shut down the virtual machine or unmount what uses the disk, then run the command again.")
        }
        DiskError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            text!(
                "The file system that holds the image is full: make room there, then run the command again. \
                 Nothing in use was changed."
            )
        }
        DiskError::Io {
            operation: Operation::Write,
            source,
            ..
        } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            text!(
                "The device is read-only: attach it for writing, then run the command again. Nothing was changed."
            )
        }
        DiskError::Open { source, .. } if source.kind() == std::io::ErrorKind::ReadOnlyFilesystem => {
            text!(
                "The device is read-only: attach it for writing, then run the command again. Nothing was changed."
            )
        }
        DiskError::Open { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            text!(
                "Run the command as root for a block device, as the owner of the file for an image. To change a disk, attach it \
                 for writing; to change an image, see that its file is not write-protected. Nothing was changed."
            )
        }
        DiskError::Io { .. } | DiskError::Stopped { .. } => {
            text!(
                "The disk or its connection fails. Nothing that is in use was changed. Copy the whole disk before \
                 anything else, with `ddrescue` to one of exactly the same size, and go on with the copy."
            )
        }
        _ => text!("Check the path, and that you may read and write it."),
    }
}

fn next_of_journal(error: &JournalError) -> Text {
    match error {
        JournalError::ChangedSince { .. } | JournalError::ForeignWrites { .. } => {
            text!(
                "Windows or another tool has written to the disk since. winrefit will not overwrite that; nothing \
                 was changed now."
            )
        }
        JournalError::OtherDisk { .. } => {
            text!(
                "Run the command on the disk that the work was begun on, or on a copy of exactly the same size."
            )
        }
        JournalError::NewerVersion { .. } => {
            text!("Use the newer winrefit that wrote it.")
        }
        _ => {
            text!("Nothing was written. Keep a copy of the disk as it is before anything else.")
        }
    }
}

fn on_partition(number: u32, problem: &impl std::fmt::Display) -> Text {
    text!(
        "partition {number}: {problem}",
        number,
        problem = problem.to_string()
    )
}
