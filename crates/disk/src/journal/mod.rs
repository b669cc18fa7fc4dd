//! The atomic commit, and its undo: a journal on the disk itself.
//!
//! A [`Transaction`] is a list of [`Extent`]s, and of the [`Move`]s whose copies they rely on. [`commit`] first writes
//! all after- and before-images to a [`JournalPlace`] that nothing else uses, flushes, and makes the journal valid with
//! one sector; only then does it touch the extents. After a cut [`find`] sees the journal and [`resume`] leaves the device
//! exactly old or exactly new. The journal stays on the disk, so that [`undo`] can put the old content back.
//!
//! Invariants, each proven by the crash tests:
//! * No extent is written before the flush behind the header that says [`State::Committed`] (or [`State::Undoing`]).
//! * The header is the first thing that is written and the last that is removed, so a body is never left behind it.
//! * The state [`State::Preparing`] means that all extents hold their old content; discarding needs no body.
//! * A body in free clusters is overwritten only while it is known to be ours: Windows may own the clusters by now.
//! * A resume never takes a sector back to an earlier version.
//! * Nothing read from the journal is believed before its checksum, and no offset before its bounds are checked.
//! * After the first failed write nothing more is written ([`crate::FailStop`]).
//!
//! The layout is docs/formats/journal.md, the reasons are docs/adr/0002-journal.md.

mod body;
mod commit;
mod copies;
mod discard;
mod error;
mod find;
mod header;
mod images;
#[cfg(test)]
mod layout_tests;
mod recover;
pub mod recovery;
mod versions;

pub use commit::{check_place, commit};
pub use discard::{discard, keep};
pub use error::JournalError;
pub use find::{Found, find, load};
pub use header::{Header, MAGIC, MEMO_BYTES, State, VERSION};
pub use recover::{Outcome, Seen, Whole, assess, check_undo, inspect, resume, undo};
pub use recovery::{Content, Decision};

use crate::{ByteRange, Move, SectorSize};
use uuid::Uuid;

/// Upper bound of a body. Moving a volume's tail changes some ten MiB; what is read from a disk must have an end.
pub const MAX_BODY_BYTES: u64 = 256 << 20;

/// What is to change, wholly or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transaction {
    /// At least one. The same sector may lie in extents of several phases: each then takes it from the version that
    /// the phase before it leaves (`before` is that one's `after`) to the next.
    pub extents: Vec<Extent>,
    /// Copies that were made before, and flushed. The journal copies nothing: it makes sure that they are whole before
    /// the new content relies on them, and that the originals are before the old content does again.
    pub moves: Vec<Move>,
}

/// Whole sectors that change together with all other extents of the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Byte offset on the device, a multiple of the sector size.
    pub offset: u64,
    /// What the device holds there before this phase.
    pub before: Vec<u8>,
    /// What it is to hold. As long as `before`, and a multiple of the sector size.
    pub after: Vec<u8>,
    /// Extents of a lower phase are durable before those of a higher one are written; an undo goes the other way.
    /// Extents of one phase do not overlap.
    pub phase: u8,
}

/// Where a journal goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalPlace {
    /// Byte offset of the header: a sector that no partition uses, before and after the transaction.
    pub header: u64,
    /// Whole sectors; the body begins where they do. Right behind the header, they are as unused as its sector, which
    /// is checked. Anywhere else nobody can check it: they are free in some volume before and after the transaction.
    pub body: ByteRange,
    /// Byte offset of the end of the unallocated space behind the header; of its sector at least, and of the body where
    /// it lies there. An earlier journal may have been longer than that: the rest of it belongs to someone else by now,
    /// and is not zeroed.
    pub free_end: u64,
}

impl JournalPlace {
    /// The place with the header in the first sector of `gap` and the body in the rest. A body that needs less may be
    /// cut down; the end of the free space stays.
    pub fn in_gap(gap: ByteRange, sector_size: SectorSize) -> Self {
        let body = gap.start.saturating_add(sector_size.bytes());
        Self {
            header: gap.start,
            body: ByteRange::new(body, gap.end),
            free_end: gap.end,
        }
    }

    /// Whether the body lies right behind the header.
    pub fn is_in_gap(&self, sector_size: SectorSize) -> bool {
        self.header.checked_add(sector_size.bytes()) == Some(self.body.start)
    }

    /// The header, and the body where it lies right behind.
    pub fn in_gap_range(&self, sector_size: SectorSize) -> ByteRange {
        let behind = self.header.saturating_add(sector_size.bytes());
        let end = if self.is_in_gap(sector_size) {
            self.body.end
        } else {
            behind
        };
        ByteRange::new(self.header, end)
    }
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
    /// Comparing what was moved with where it was.
    Compare,
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

/// How many bytes a journal of `transaction` takes, its header included.
///
/// # Errors
/// [`JournalError::TooLarge`].
pub fn required_bytes(transaction: &Transaction, sector_size: SectorSize) -> Result<u64, JournalError> {
    Ok(sector_size.bytes() + body::length(transaction, sector_size)?)
}
