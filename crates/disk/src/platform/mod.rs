//! What differs between operating systems, one module each with the same functions.
//!
//! * `open(path, access)` opens, locks and measures a target, and refuses one that is in use.
//! * `create(path, size_bytes)` makes a new image file, locked and for its owner only.
//! * `read_exact_at` and `write_all_at` read and write at an offset.

#[cfg(target_os = "linux")]
mod busy;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{create, open, read_exact_at, write_all_at};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::{create, open, read_exact_at, write_all_at};

#[cfg(not(any(target_os = "linux", windows)))]
compile_error!("raw files are implemented for Linux and Windows");

use crate::SectorSize;
use crate::file::MediumKind;
use std::fs::File;
use std::sync::Arc;

/// What a target is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// An open, locked target.
#[derive(Debug)]
pub(crate) struct Opened {
    pub file: Arc<File>,
    pub kind: MediumKind,
    pub size_bytes: u64,
    /// `None` where only the content can tell.
    pub sector_size: Option<SectorSize>,
}
