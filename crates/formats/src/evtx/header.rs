//! The file header, and the places of the chunks.

use super::chunk::CHUNK_BYTES;
use super::{DamageKind, EventLog, EvtxError};
use crate::bytes::{u16_at, u32_at, u64_at};
use winrefit_disk::ReadAt;

/// Size of the file header with its padding.
pub(super) const FILE_HEADER_BYTES: usize = 4096;
const SIGNATURE: &[u8] = b"ElfFile\0";
pub(super) const CHUNK_SIGNATURE: &[u8] = b"ElfChnk\0";
const CHECKED_BYTES: usize = 120;
const FLAG_DIRTY: u32 = 1;
/// Places that are looked at, which is 4 GiB of log.
const PLACES_MAX: u64 = 1 << 16;
/// A chunk's header with the fixed part of its first record.
const CHUNK_HEAD_BYTES: usize = 512 + 24;

/// The fields of the file header that are used.
pub(super) struct FileHeader {
    pub is_dirty: bool,
    chunk_count: u32,
    expected: u32,
    actual: u32,
}

/// Where a chunk lies, and what orders it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkPlace {
    pub offset: u64,
    pub has_signature: bool,
    /// Not zeros throughout its header.
    pub is_used: bool,
    /// Identifier of its first record, 0 if not known.
    first_record: u64,
}

impl FileHeader {
    /// `None` if the signature is wrong.
    pub fn read(source: &dyn ReadAt) -> Result<Option<Self>, EvtxError> {
        let length = source.size().min(128) as usize;
        let bytes = source.read_vec(0, length)?;
        if !bytes.starts_with(SIGNATURE) || bytes.len() < 128 {
            return Ok(None);
        }
        Ok(Some(Self {
            is_dirty: u32_at(&bytes, 120).unwrap_or(0) & FLAG_DIRTY != 0,
            chunk_count: u32::from(u16_at(&bytes, 42).unwrap_or(0)),
            expected: u32_at(&bytes, 124).unwrap_or(0),
            actual: crc32fast::hash(bytes.get(..CHECKED_BYTES).unwrap_or_default()),
        }))
    }

    /// Notes what does not agree. The count of a dirty log is out of date.
    pub fn check(&self, used: usize, log: &mut EventLog) {
        let (expected, actual) = (self.expected, self.actual);
        if expected != actual {
            log.note(0, DamageKind::FileChecksum { expected, actual });
        }
        // The field has 16 bits.
        if !self.is_dirty && self.chunk_count as usize != used & 0xffff {
            let (expected, actual) = (self.chunk_count, used);
            log.note(0, DamageKind::ChunkCount { expected, actual });
        }
    }
}

/// Every place of a chunk in the file, by offset. Bytes too few for a chunk's header are no place.
pub(super) fn chunk_places(source: &dyn ReadAt, log: &mut EventLog) -> Result<Vec<ChunkPlace>, EvtxError> {
    let room = source.size().saturating_sub(FILE_HEADER_BYTES as u64);
    let count = room.div_ceil(CHUNK_BYTES as u64);
    log.truncated |= count > PLACES_MAX;
    let mut places = Vec::new();
    for number in 0..count.min(PLACES_MAX) {
        let offset = FILE_HEADER_BYTES as u64 + number * CHUNK_BYTES as u64;
        let length = (source.size() - offset).min(CHUNK_HEAD_BYTES as u64) as usize;
        let mut place = ChunkPlace {
            offset,
            has_signature: false,
            is_used: true,
            first_record: 0,
        };
        match source.read_vec(offset, length) {
            Ok(head) => {
                place.has_signature = head.starts_with(CHUNK_SIGNATURE);
                place.is_used = head.iter().any(|&byte| byte != 0);
                // The record itself: the header of the chunk being written is out of date.
                place.first_record = u64_at(&head, 512 + 8).unwrap_or(0);
            }
            Err(error) => {
                place.is_used = false;
                log.note(offset, DamageKind::Unreadable(error));
            }
        }
        places.push(place);
    }
    Ok(places)
}

/// The places that are in use, newest first, as far as `bytes_max` reaches.
pub(super) fn newest_first(
    mut places: Vec<ChunkPlace>,
    bytes_max: u64,
    log: &mut EventLog,
) -> Vec<ChunkPlace> {
    places.retain(|place| place.is_used);
    // Of two with the same record the one without a signature is the worse.
    places.sort_by_key(|place| std::cmp::Reverse((place.has_signature, place.first_record)));
    let count_max = usize::try_from(bytes_max / CHUNK_BYTES as u64).unwrap_or(usize::MAX);
    log.truncated |= places.len() > count_max;
    places.truncate(count_max);
    places
}
