//! Errors of making a volume.

use winrefit_disk::DiskError;

/// Why a volume could not be made, or a file not be added to it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The medium, or the source of a file's content, failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// An option has a value that no NTFS volume has.
    #[error("{field} {actual} is not possible on an NTFS volume")]
    BadOption {
        /// Name of the option.
        field: &'static str,
        /// Its value.
        actual: u64,
    },
    /// The device does not have sectors of the size that was asked for.
    #[error("the volume is to have sectors of {expected} bytes, the device's have {actual}")]
    SectorSizeMismatch {
        /// Sector size of the options.
        expected: u64,
        /// Sector size of the device.
        actual: u64,
    },
    /// The device is shorter than the volume.
    #[error("the volume needs {needed_bytes} bytes but the device has {available_bytes}")]
    DeviceTooSmall {
        /// Bytes of the volume.
        needed_bytes: u64,
        /// Bytes of the device.
        available_bytes: u64,
    },
    /// The label is too long.
    #[error("the label has {actual} UTF-16 units; {limit} are possible")]
    LabelTooLong {
        /// Units of the label.
        actual: usize,
        /// Units at most.
        limit: usize,
    },
    /// A component of a path is no name that Win32 programs can use.
    #[error("{path:?}: {name:?} cannot be a file name: {problem}")]
    BadName {
        /// The path that was to be added.
        path: String,
        /// The component.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is a file or directory of this path, perhaps in another spelling.
    #[error("{path:?} exists already")]
    Exists {
        /// The path that was to be added.
        path: String,
    },
    /// A component on the way is a file, or a directory of NTFS itself.
    #[error("{path:?}: {name:?} is not a directory that files can be added to")]
    NotADirectory {
        /// The path that was to be added.
        path: String,
        /// The component.
        name: String,
    },
    /// A piece of a sparse content lies outside the file or overlaps the one before.
    #[error(
        "{path:?}: a piece of {length} bytes at byte {offset} overlaps another one or the end of the file"
    )]
    BadPiece {
        /// The path that was to be added.
        path: String,
        /// Byte offset of the piece in the file.
        offset: u64,
        /// Its length.
        length: u64,
    },
    /// The volume cannot hold what was to be written to it.
    #[error("no space: {needed} clusters are needed, {available} are free")]
    NoSpace {
        /// Clusters asked for.
        needed: u64,
        /// Clusters free at that time.
        available: u64,
    },
    /// The attributes of a file do not fit its record.
    #[error("file record {record} cannot hold its attributes")]
    RecordOverflow {
        /// Number of the record.
        record: u64,
    },
}
