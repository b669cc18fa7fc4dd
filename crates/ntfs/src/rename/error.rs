//! Why a file or directory cannot be given another name.

use crate::check::Problem;
use crate::error::NtfsError;
use crate::types::RecordNumber;

/// Why a renaming is refused. Nothing has been written then.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RenameError {
    /// The volume is damaged, or the medium failed.
    #[error(transparent)]
    Ntfs(#[from] NtfsError),
    /// Win32 programs could not use the new name.
    #[error("{name:?} cannot be a name: {problem}")]
    InvalidName {
        /// The new name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is no such directory, or it is a file.
    #[error("there is no directory {path}")]
    NoDirectory {
        /// The path looked for.
        path: String,
    },
    /// The directory has no entry of the old name.
    #[error("{path} has no entry {name:?}")]
    NotFound {
        /// The directory.
        path: String,
        /// The old name.
        name: String,
    },
    /// The directory has an entry of the new name, maybe in another case.
    #[error("{path} has an entry {name:?} already")]
    Exists {
        /// The directory.
        path: String,
        /// The name as it is there.
        name: String,
    },
    /// The new name cannot take the place of the old one.
    #[error("{new:?} cannot be put in the place of {old:?}: {problem}")]
    NotInPlace {
        /// The old name.
        old: String,
        /// The new name.
        new: String,
        /// What stands against it.
        problem: &'static str,
    },
    /// The file is one of NTFS itself.
    #[error("file record {record} is one of NTFS itself")]
    SystemFile {
        /// The file.
        record: RecordNumber,
    },
    /// The directory's index has to be repaired first.
    #[error("the index of directory record {directory} is damaged: {problem}")]
    DirectoryDamaged {
        /// The directory.
        directory: RecordNumber,
        /// The first problem found.
        problem: Box<Problem>,
    },
    /// The names in the file's record are not those in the directory.
    #[error("file record {record} does not have the name {name:?} that directory record {directory} lists")]
    NamesDiffer {
        /// The file.
        record: RecordNumber,
        /// The directory.
        directory: RecordNumber,
        /// The name in the index.
        name: String,
    },
    /// The file has an attribute list; its names may be in any of its records, so they are left alone.
    #[error("the attributes of file record {record} are spread over several records")]
    SplitRecord {
        /// The file.
        record: RecordNumber,
    },
    /// The file's record has no room for the new names, and nothing in it can be moved out.
    #[error("file record {record} is full: {needed} more bytes are needed and {free} are free")]
    RecordFull {
        /// The file.
        record: RecordNumber,
        /// Missing bytes.
        needed: usize,
        /// Free bytes.
        free: usize,
    },
    /// The directory's index cannot grow as it would have to.
    #[error("the index of directory record {directory} cannot grow: {problem}")]
    DirectoryFull {
        /// The directory.
        directory: RecordNumber,
        /// What is missing.
        problem: &'static str,
    },
    /// Every candidate for the name of the 8.3 form is taken.
    #[error("directory record {directory} has no name of the form 8.3 left for {name:?}")]
    NoShortName {
        /// The directory.
        directory: RecordNumber,
        /// The new name.
        name: String,
    },
}
