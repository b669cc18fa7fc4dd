//! What can go wrong.

use std::path::PathBuf;
use std::process::ExitStatus;
use thiserror::Error;

/// Why a benchmark ended early.
#[derive(Debug, Error)]
pub enum Error {
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// The operating system's word.
        source: std::io::Error,
    },
    /// A program did not start.
    #[error("{program} cannot be started: {source}")]
    Start {
        /// Which one.
        program: String,
        /// The operating system's word.
        source: std::io::Error,
    },
    /// A program failed.
    #[error("{program} ended with {status}\n{output}")]
    Failed {
        /// Which one.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        output: String,
    },
    /// A program's answer is not what it should be.
    #[error("{what} is not readable: {found}")]
    Answer {
        /// Whose answer.
        what: &'static str,
        /// What came.
        found: String,
    },
    /// A volume could not be made.
    #[error("the volume cannot be made: {0}")]
    Format(winrefit_ntfs::format::FormatError),
    /// A measuring call of the operating system.
    #[error("getrusage: {0}")]
    Usage(#[from] nix::Error),
}
