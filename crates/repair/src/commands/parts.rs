//! A repair in two commits has two journals. Each says which part it is, and by its name finds the other one.
//!
//! The last bytes of the memo hold that, and in the first part's a digest of what the second one may overwrite.

use super::originals::DIGEST_BYTES;
use crate::error::RepairError;
use crate::observation::Observation;
use crate::places::journal_at_other_place;
use uuid::Uuid;
use winrefit_disk::ReadAt;
use winrefit_disk::journal::{Found, Header, MEMO_BYTES};

const MARK_OFFSET: usize = 208;
const FIRST: &[u8] = b"part 1/2";
const SECOND: &[u8] = b"part 2/2";
/// Says that no volume that the commit changes had a warning before. Older journals say nothing.
const SOUND: &[u8] = b"sound";
const SOUND_OFFSET: usize = MARK_OFFSET + FIRST.len();
const DIGEST_OFFSET: usize = MEMO_BYTES - DIGEST_BYTES;
/// Bytes of the memo that are text.
pub(super) const TEXT_BYTES: usize = MARK_OFFSET - 1;

/// Which commit of a repair it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The only one.
    Whole,
    /// The one that makes room.
    First,
    /// The one that uses it.
    Second,
}

impl Part {
    /// The one that a journal is of.
    pub(super) fn of(header: &Header) -> Self {
        match header.memo.get(MARK_OFFSET..MARK_OFFSET + FIRST.len()) {
            Some(FIRST) => Self::First,
            Some(SECOND) => Self::Second,
            _ => Self::Whole,
        }
    }

    /// The name of its transaction, for a repair of that name: both parts' differ in one bit.
    pub(super) fn id(self, repair: Uuid) -> Uuid {
        Uuid::from_u128(repair.as_u128() & !1 | u128::from(self == Self::Second))
    }

    /// Writes it into a memo.
    pub(super) fn mark(self, memo: &mut [u8; MEMO_BYTES], digest: [u8; DIGEST_BYTES]) {
        let mark = match self {
            Self::Whole => return,
            Self::First => FIRST,
            Self::Second => SECOND,
        };
        memo[MARK_OFFSET..MARK_OFFSET + mark.len()].copy_from_slice(mark);
        memo[DIGEST_OFFSET..].copy_from_slice(&digest);
    }
}

/// Writes into a memo that the volumes that change are without a warning.
pub(super) fn mark_sound(memo: &mut [u8; MEMO_BYTES]) {
    memo[SOUND_OFFSET..SOUND_OFFSET + SOUND.len()].copy_from_slice(SOUND);
}

/// Whether the volumes that a commit changed were without a warning before, and so after it.
pub(super) fn was_sound(header: &Header) -> bool {
    header.memo[SOUND_OFFSET..].starts_with(SOUND)
}

/// The digest in the memo of a first part.
pub(super) fn digest_in(header: &Header) -> [u8; DIGEST_BYTES] {
    let mut digest = [0; DIGEST_BYTES];
    digest.copy_from_slice(&header.memo[DIGEST_OFFSET..]);
    digest
}

/// The finished first part of a repair on this disk, if its second one is what is due.
pub(super) fn first_done(observation: &Observation) -> Option<&Found> {
    let found = observation.journal.as_ref().ok()?.as_ref()?;
    (Part::of(&found.header) == Part::First && !found.is_unfinished()).then_some(found)
}

/// The first part of the repair that `second` is the second one of, as long as its journal is there.
pub(super) fn first_of(
    disk: &dyn ReadAt,
    observation: &Observation,
    second: &Found,
) -> Result<Option<Found>, RepairError> {
    let (table, size) = (&observation.table, observation.sector_size);
    let other = journal_at_other_place(disk, table, size, second.header.header_offset)?;
    let id = Part::First.id(second.header.transaction_id);
    Ok(other.filter(|first| {
        let header = &first.header;
        Part::of(header) == Part::First && header.transaction_id == id && !first.is_unfinished()
    }))
}
