//! What can stop a commit, a resume or an undo.

use super::State;
use crate::{ByteRange, DiskError};

/// An error of the journal. Unless a variant says otherwise nothing was written.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The medium failed. During a commit this can be at any point: read the journal again to learn which.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is nothing to change.
    #[error("the transaction changes nothing")]
    NoExtents,
    /// An extent is empty, not made of whole sectors, or its images differ in length.
    #[error(
        "the extent at byte {offset} is not made of whole sectors of {sector_size} bytes \
         ({before_bytes} bytes before, {after_bytes} after)"
    )]
    ExtentShape {
        /// Byte offset of the extent.
        offset: u64,
        /// Length of the before-image in bytes.
        before_bytes: u64,
        /// Length of the after-image in bytes.
        after_bytes: u64,
        /// Logical sector size in bytes.
        sector_size: u64,
    },
    /// An extent reaches behind the end of the device.
    #[error("the extent {range} reaches behind the end of the device at byte {device_len}")]
    ExtentOutside {
        /// The extent.
        range: ByteRange,
        /// Length of the device in bytes.
        device_len: u64,
    },
    /// Two extents of one phase share bytes.
    #[error("two extents of one phase share the byte {offset}")]
    ExtentsOverlap {
        /// First shared byte.
        offset: u64,
    },
    /// An extent does not begin with what the extent of an earlier phase leaves.
    #[error("two phases of the transaction disagree about byte {offset}")]
    VersionsDisagree {
        /// First byte of which they do.
        offset: u64,
    },
    /// An extent lies where the journal lies.
    #[error("the extent {range} lies in the journal's own place")]
    ExtentInPlace {
        /// The extent.
        range: ByteRange,
    },
    /// A move is empty or not made of whole sectors.
    #[error(
        "the move of {length} bytes from byte {from} to byte {to} is not made of whole sectors of {sector_size} bytes"
    )]
    MoveShape {
        /// Byte offset of the copy.
        to: u64,
        /// Byte offset of the original.
        from: u64,
        /// Length in bytes.
        length: u64,
        /// Logical sector size in bytes.
        sector_size: u64,
    },
    /// An end of a move reaches behind the end of the device.
    #[error("the moved {range} reaches behind the end of the device at byte {device_len}")]
    MoveOutside {
        /// The copy or the original.
        range: ByteRange,
        /// Length of the device in bytes.
        device_len: u64,
    },
    /// A copy shares bytes with another copy or an original.
    #[error("the copy of one move shares byte {offset} with another move")]
    MovesOverlap {
        /// First shared byte.
        offset: u64,
    },
    /// A copy or an original lies where the journal lies.
    #[error("the moved {range} lies in the journal's own place")]
    MoveInPlace {
        /// The copy or the original.
        range: ByteRange,
    },
    /// A copy that the transaction relies on is not what it was copied from.
    #[error("the copy at byte {to} is not what is at byte {from}")]
    CopyDiffers {
        /// Byte offset in the copy.
        to: u64,
        /// Byte offset in the original.
        from: u64,
    },
    /// The journal's body would be longer than [`super::MAX_BODY_BYTES`].
    #[error("the journal would need {needed} bytes; {limit} are the limit")]
    TooLarge {
        /// Bytes needed for the body.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// The place is not made of whole sectors, or reaches behind the end of the device.
    #[error("{range} cannot hold a journal on a device of {device_len} bytes")]
    BadPlace {
        /// The place.
        range: ByteRange,
        /// Length of the device in bytes.
        device_len: u64,
    },
    /// The place is too small for this transaction.
    #[error("the journal needs {needed} bytes and its place has {available}")]
    PlaceTooSmall {
        /// Bytes needed, header included.
        needed: u64,
        /// Bytes in the place.
        available: u64,
    },
    /// The place holds something that is not a retired journal.
    #[error("the journal's place is in use: byte {offset} is not zero")]
    PlaceInUse {
        /// First byte that is not zero.
        offset: u64,
    },
    /// The place holds a journal whose work is not finished.
    #[error("unfinished work from before (journal in state {state})")]
    Unfinished {
        /// That journal's state.
        state: State,
    },
    /// The device does not hold what the transaction was prepared for.
    #[error("the disk has changed since the repair was prepared: first difference at byte {offset}")]
    BeforeMismatch {
        /// First byte that differs.
        offset: u64,
    },
    /// The device does not give back what was written. The journal stays unfinished.
    #[error("the disk does not give back what was written at byte {offset}")]
    ReadBack {
        /// First byte that differs.
        offset: u64,
    },
    /// A header with our magic whose checksum is wrong.
    #[error("the journal's header at byte {offset} is damaged")]
    DamagedHeader {
        /// Byte offset of the header.
        offset: u64,
    },
    /// A header whose checksum is right and whose field cannot be.
    #[error("the journal's header at byte {offset} has the impossible {field} {value}")]
    ImpossibleHeader {
        /// Byte offset of the header.
        offset: u64,
        /// The field, as docs/formats/journal.md names it.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// A journal of a later winrefit.
    #[error("the journal at byte {offset} has version {version}, which a newer winrefit wrote")]
    NewerVersion {
        /// Byte offset of the header.
        offset: u64,
        /// The version found.
        version: u32,
    },
    /// More than one journal on this device is unfinished.
    #[error("unfinished journals at byte {first} and at byte {second}")]
    TwoUnfinished {
        /// Byte offset of one header.
        first: u64,
        /// Byte offset of the other.
        second: u64,
    },
    /// The journal was written for another device: this one is a copy of other length, or has another disk GUID.
    #[error(
        "the journal belongs to a disk of {journal_len} bytes with another identity; this one has {device_len}"
    )]
    OtherDisk {
        /// Device length that the journal names.
        journal_len: u64,
        /// Length of this device.
        device_len: u64,
    },
    /// The body does not have its checksum, or its table cannot be.
    #[error("the journal's body at byte {offset} is damaged")]
    DamagedBody {
        /// Byte offset of the body.
        offset: u64,
    },
    /// The repair is done, and what an undo needs is not on the disk any more: the body lay in clusters that were free,
    /// and is not what its checksum says.
    #[error("the record of the repair at byte {offset} was overwritten since, so it cannot be undone")]
    UndoOverwritten {
        /// Byte offset of the body.
        offset: u64,
    },
    /// Someone else wrote where unfinished work has to go on.
    #[error("byte {offset} was changed by something else while a repair was unfinished")]
    ForeignWrites {
        /// First byte of the first such sector.
        offset: u64,
    },
    /// Undo is impossible since a touched sector, a copy or its original has changed.
    #[error("byte {offset} has changed since the repair, so it cannot be undone")]
    ChangedSince {
        /// First byte of the first such sector.
        offset: u64,
    },
    /// Only a journal whose work has changed nothing can be given up.
    #[error("a journal in state {state} whose work is in place cannot be given up")]
    NotDiscardable {
        /// The journal's state.
        state: State,
    },
    /// The journal's header lies in a partition by now.
    #[error("the journal's header at byte {offset} lies in a partition by now")]
    HeaderTaken {
        /// Byte offset of the header.
        offset: u64,
    },
    /// Undo needs a finished repair.
    #[error("a journal in state {state} cannot be undone; resume first")]
    NotApplied {
        /// The journal's state.
        state: State,
    },
}
