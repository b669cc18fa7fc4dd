//! What can go wrong between us and a medium. Fields, not prose: the caller decides what to tell the user.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was being done when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Opening, locking or asking the size of the target.
    Open,
    /// Reading bytes.
    Read,
    /// Writing bytes.
    Write,
    /// Waiting until written bytes are durable.
    Flush,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Read => "read",
            Self::Write => "write",
            Self::Flush => "flush",
        })
    }
}

/// Who uses a target that we would have had for ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InUseBy {
    /// A file system of it is mounted.
    Mount {
        /// Where.
        mount_point: String,
    },
    /// Another block device is built on it (LVM, RAID, encryption).
    Holder {
        /// Name of that device.
        device: String,
    },
    /// An image file is attached as a loop device.
    LoopDevice {
        /// Path of the loop device.
        device: PathBuf,
    },
    /// A lock of a running virtual machine, or of another disk image tool.
    ImageLock,
    /// Another winrefit, or another program that locks the file or device.
    Lock,
    /// The operating system does not say who.
    System,
}

impl InUseBy {
    /// What the user can do about it.
    pub fn next_action(&self) -> &'static str {
        match self {
            Self::Mount { .. } => "unmount it first",
            Self::Holder { .. } => "deactivate that device first",
            Self::LoopDevice { .. } => {
                "detach it with `losetup -d`, or name the loop device instead of the file"
            }
            Self::ImageLock => "shut the virtual machine down first",
            Self::Lock => "wait until that program has ended",
            Self::System => "close whatever uses it (swap, RAID, a mounted file system)",
        }
    }
}

impl fmt::Display for InUseBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mount { mount_point } => write!(f, "it is mounted at {mount_point}"),
            Self::Holder { device } => write!(f, "the device {device} is built on it"),
            Self::LoopDevice { device } => write!(f, "it is attached as {}", device.display()),
            Self::ImageLock => f.write_str("a virtual machine or another image tool has locked it"),
            Self::Lock => f.write_str("another program has locked it"),
            Self::System => f.write_str("the system has claimed it"),
        }
    }
}

/// What a path names when it is no disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotADiskKind {
    /// A directory.
    Directory,
    /// A character device, a pipe or a socket.
    Special,
    /// A block device with a logical sector size that Windows does not boot from.
    SectorSize {
        /// The logical sector size that the device reports, in bytes.
        bytes: u32,
    },
}

impl fmt::Display for NotADiskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => f.write_str("it is a directory"),
            Self::Special => f.write_str("it is a character device, a pipe or a socket"),
            Self::SectorSize { bytes } => write!(
                f,
                "it has sectors of {bytes} bytes, and Windows boots from 512 and 4096 only"
            ),
        }
    }
}

/// An error of the medium or of the way it was used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The operating system reported an error.
    #[error("{}: {source}", io_text(*operation, *offset, *length))]
    Io {
        /// What was being done.
        operation: Operation,
        /// Byte offset on the device.
        offset: u64,
        /// Number of bytes asked for.
        length: u64,
        /// The operating system's error.
        source: Arc<io::Error>,
    },
    /// A request reaches behind the end of the device.
    #[error("{length} bytes at byte {offset} reach behind the end of the device at byte {device_len}")]
    OutOfBounds {
        /// Byte offset asked for.
        offset: u64,
        /// Number of bytes asked for.
        length: u64,
        /// Length of the device in bytes.
        device_len: u64,
    },
    /// An earlier write or flush failed, so nothing more is written.
    #[error("nothing more is written after an earlier failure ({first})")]
    Stopped {
        /// The first failure, as text.
        first: String,
    },
    /// More was asked for than reading may cost: what is read names the same bytes again and again.
    #[error("byte {offset} was not read: its structures ask for more than {limit_bytes} bytes in all")]
    Spent {
        /// Byte offset of the request.
        offset: u64,
        /// What may be read in all.
        limit_bytes: u64,
    },
    /// The caller asked to end a copy of data that nothing depends on yet.
    #[error("copying was stopped before its end; nothing that is in use was changed")]
    Cancelled,
    /// A write was attempted on a device that was opened for reading.
    #[error("the device was opened for reading only; a write of {length} bytes at byte {offset} was refused")]
    ReadOnly {
        /// Byte offset of the refused write.
        offset: u64,
        /// Number of bytes of the refused write.
        length: u64,
    },
    /// The target cannot be opened.
    #[error("cannot open {}: {source}", path.display())]
    Open {
        /// The target.
        path: PathBuf,
        /// The operating system's error.
        source: Arc<io::Error>,
    },
    /// A new image file cannot be made.
    #[error("cannot create {}: {source}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: Arc<io::Error>,
    },
    /// Someone else uses the target.
    #[error("{} is in use: {by}; {}", path.display(), by.next_action())]
    InUse {
        /// The target.
        path: PathBuf,
        /// Who.
        by: InUseBy,
    },
    /// The target is neither a disk nor a disk image.
    #[error("{} is not a disk or disk image: {found}; name a raw image file or a block device", path.display())]
    NotADisk {
        /// The target.
        path: PathBuf,
        /// What it is.
        found: NotADiskKind,
    },
}

/// A flush has no place: it is about all that was written.
fn io_text(operation: Operation, offset: u64, length: u64) -> String {
    match operation {
        Operation::Flush => "cannot flush what was written to the disk".to_owned(),
        operation => format!("cannot {operation} {length} bytes at byte {offset}"),
    }
}

impl DiskError {
    /// Wraps an operating system error with its place.
    pub fn io(operation: Operation, offset: u64, length: usize, source: io::Error) -> Self {
        Self::Io {
            operation,
            offset,
            length: length as u64,
            source: Arc::new(source),
        }
    }

    pub(crate) fn open(path: &Path, source: io::Error) -> Self {
        Self::Open {
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    pub(crate) fn create(path: &Path, source: io::Error) -> Self {
        Self::Create {
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    pub(crate) fn in_use(path: &Path, by: InUseBy) -> Self {
        Self::InUse {
            path: path.to_owned(),
            by,
        }
    }

    pub(crate) fn check_bounds(offset: u64, length: usize, device_len: u64) -> Result<(), Self> {
        let length = length as u64;
        match offset.checked_add(length) {
            Some(end) if end <= device_len => Ok(()),
            _ => Err(Self::OutOfBounds {
                offset,
                length,
                device_len,
            }),
        }
    }
}
