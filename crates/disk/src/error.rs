//! What can go wrong between us and a medium. Fields, not prose: the caller decides what to tell the user.

use std::fmt;
use std::io;
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

/// An error of the medium or of the way it was used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The operating system reported an error.
    #[error("cannot {operation} {length} bytes at byte {offset}: {source}")]
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
    /// A write was attempted on a device that was opened for reading.
    #[error("the device was opened for reading only; a write of {length} bytes at byte {offset} was refused")]
    ReadOnly {
        /// Byte offset of the refused write.
        offset: u64,
        /// Number of bytes of the refused write.
        length: u64,
    },
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
