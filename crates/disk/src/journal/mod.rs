//! The atomic commit, and its undo: a journal on the disk itself.
//!
//! A transaction is a list of [`Extent`]s. [`commit`] first writes all of their after- and before-images to a
//! [`JournalPlace`] that nothing else uses, flushes, and makes the journal valid with one sector; only then does it touch
//! the extents. After a cut [`find`] sees the journal and [`resume`] leaves the device exactly old or exactly new.
//! The journal stays on the disk, so that [`undo`] can put the old content back and remove every trace.
//!
//! Invariants, each proven by the crash tests:
//! * No extent is written before the flush behind the header that says [`State::Committed`] (or [`State::Undoing`]).
//! * The header is the first thing that is written and the last that is removed, so a body is never left behind.
//! * The state [`State::Preparing`] means that all extents hold their old content; discarding needs no body.
//! * Nothing read from the journal is believed before its checksum, and no offset before its bounds are checked.
//! * After the first failed write nothing more is written ([`crate::FailStop`]).
//!
//! The layout is docs/formats/journal.md, the reasons are docs/adr/0002-journal.md.

mod body;
mod commit;
mod error;
mod find;
mod header;
mod images;
#[cfg(test)]
mod layout_tests;
mod recover;
pub mod recovery;

pub use commit::{check_place, commit};
pub use error::JournalError;
pub use find::{Found, find, load};
pub use header::{Header, MAGIC, MEMO_BYTES, State, VERSION};
pub use recover::{Outcome, assess, check_undo, resume, undo};
pub use recovery::Decision;

use crate::{ByteRange, SectorSize};
use uuid::Uuid;

/// Upper bound of a body. A repair needs some hundred KiB; what is read from a disk must have an end.
pub const MAX_BODY_BYTES: u64 = 64 << 20;

/// Whole sectors that change together with all other extents of the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Byte offset on the device, a multiple of the sector size.
    pub offset: u64,
    /// What the device holds there now.
    pub before: Vec<u8>,
    /// What it is to hold. As long as `before`, and a multiple of the sector size.
    pub after: Vec<u8>,
    /// Extents of a lower phase are durable before those of a higher one are written; an undo goes the other way.
    pub phase: u8,
}

/// Space on the device that no partition and no volume uses, before and after the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalPlace {
    /// Whole sectors. The header is the first one.
    pub range: ByteRange,
}

/// What the caller wants to be written into the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Names the transaction.
    pub transaction_id: Uuid,
    /// The GPT disk GUID in its on-disk byte order; zero where the disk has none.
    pub disk_guid: [u8; 16],
    /// Now, in seconds since 1970 UTC: this crate knows no clock.
    pub created_unix_seconds: u64,
    /// Whatever the caller wants to find again, for example what the repair was.
    pub memo: [u8; MEMO_BYTES],
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Writing the journal's body.
    Journal,
    /// Writing images to their extents.
    Apply,
    /// Reading the extents back.
    Verify,
    /// Zeroing the journal.
    Wipe,
}

/// How far a stage has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Bytes done in this stage.
    pub done_bytes: u64,
    /// Bytes of this stage in all.
    pub total_bytes: u64,
}

/// How many bytes a [`JournalPlace`] needs for a transaction of `extents`, header included.
///
/// # Errors
/// [`JournalError::TooLarge`].
pub fn required_bytes(extents: &[Extent], sector_size: SectorSize) -> Result<u64, JournalError> {
    Ok(sector_size.bytes() + body::length(extents, sector_size)?)
}
