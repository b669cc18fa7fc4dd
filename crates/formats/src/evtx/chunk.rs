//! One chunk: its checksums, and the places of its records.
//!
//! The records are walked here, not by the decoder, because the header of the chunk that was being written is out of
//! date in a log that was not closed, and because most records need not be decoded.

use super::header::CHUNK_SIGNATURE;
use super::{DamageKind, EventLog};
use crate::bytes::{array_at, u32_at, u64_at};
use std::ops::Range;

pub(super) const CHUNK_BYTES: usize = 64 << 10;
pub(super) const HEADER_BYTES: usize = 512;
const RECORD_SIGNATURE: &[u8] = &[0x2a, 0x2a, 0, 0];
/// Signature, size, identifier, time.
pub(super) const RECORD_HEAD_BYTES: usize = 24;
/// With the copy of the size at its end.
const RECORD_BYTES_MIN: usize = RECORD_HEAD_BYTES + 4;
/// The chunk's header is checked without its flags and checksum.
const FLAGS: usize = 120;
const CHECKSUM: usize = 124;
const TABLES: usize = 128;
const FLAG_NO_CHECKSUM: u32 = 4;

/// A chunk with the records that were found in it.
pub(super) struct Chunk {
    pub bytes: Vec<u8>,
    /// Where it lies in the file.
    pub offset: u64,
    pub records: Vec<Record>,
}

/// A record: its place within the chunk, and its fixed fields.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub place: Range<usize>,
    pub id: u64,
    pub written: u64,
}

impl Record {
    /// Where its BinXML lies.
    pub fn binxml(&self) -> Range<usize> {
        self.place.start + RECORD_HEAD_BYTES..self.place.end - 4
    }
}

impl Chunk {
    /// Finds the records in `bytes`, which has [`CHUNK_BYTES`]. What is wrong is noted in `log`.
    pub fn walk(bytes: Vec<u8>, offset: u64, log: &mut EventLog) -> Self {
        let mut chunk = Self {
            bytes,
            offset,
            records: Vec::new(),
        };
        let has_signature = chunk.bytes.starts_with(CHUNK_SIGNATURE);
        if !has_signature {
            let actual = array_at(&chunk.bytes, 0).unwrap_or_default();
            log.note(offset, DamageKind::ChunkSignature { actual });
        }
        let free = u32_at(&chunk.bytes, 48).unwrap_or(0);
        let mut live_end = CHUNK_BYTES;
        if has_signature && (HEADER_BYTES..=CHUNK_BYTES).contains(&(free as usize)) {
            live_end = free as usize;
            chunk.check(live_end, log);
        } else if has_signature {
            log.note(offset, DamageKind::FreeSpace { offset: free });
        }
        chunk.find_records(live_end, log);
        chunk
    }

    fn check(&self, live_end: usize, log: &mut EventLog) {
        let field = |at| u32_at(&self.bytes, at).unwrap_or(0);
        if field(FLAGS) & FLAG_NO_CHECKSUM != 0 {
            return;
        }
        let part = |range: Range<usize>| self.bytes.get(range).unwrap_or_default();
        let mut header = crc32fast::Hasher::new();
        header.update(part(0..FLAGS));
        header.update(part(TABLES..HEADER_BYTES));
        let (expected, actual) = (field(CHECKSUM), header.finalize());
        if expected != actual {
            log.note(self.offset, DamageKind::ChunkHeaderChecksum { expected, actual });
        }
        let (expected, actual) = (field(52), crc32fast::hash(part(HEADER_BYTES..live_end)));
        if expected != actual {
            log.note(self.offset, DamageKind::ChunkDataChecksum { expected, actual });
        }
    }

    /// Up to `live_end` every record counts, and a gap is damage. Behind it a record counts only if it continues the
    /// one before: the rest may be what the chunk held before it was used again.
    fn find_records(&mut self, live_end: usize, log: &mut EventLog) {
        let mut at = HEADER_BYTES;
        while at < CHUNK_BYTES {
            match self.record_at(at) {
                Some(record) => {
                    let previous = self.records.last().map(|record| record.id);
                    let continues = previous.is_none_or(|id| id.checked_add(1) == Some(record.id));
                    if at >= live_end && !continues {
                        return;
                    }
                    at = record.place.end;
                    self.records.push(record);
                }
                None if at >= live_end => return,
                None => {
                    let next = self.next_record(at + 1, live_end);
                    let rest = self.bytes.get(at..live_end).unwrap_or_default();
                    if next.is_some() || rest.iter().any(|&byte| byte != 0) {
                        log.note(self.offset + at as u64, DamageKind::Record);
                    }
                    let Some(next) = next else { return };
                    at = next;
                }
            }
        }
    }

    /// The record at `at`, if its signature, its size and the copy of it are right.
    fn record_at(&self, at: usize) -> Option<Record> {
        let head = self.bytes.get(at..)?;
        if !head.starts_with(RECORD_SIGNATURE) {
            return None;
        }
        let size = u32_at(head, 4)? as usize;
        if size < RECORD_BYTES_MIN || size > head.len() || u32_at(head, size - 4)? as usize != size {
            return None;
        }
        Some(Record {
            place: at..at + size,
            id: u64_at(head, 8)?,
            written: u64_at(head, 16)?,
        })
    }

    fn next_record(&self, from: usize, live_end: usize) -> Option<usize> {
        let area = self.bytes.get(from..live_end)?;
        memchr::memmem::find_iter(area, RECORD_SIGNATURE)
            .map(|hit| from + hit)
            .find(|&at| self.record_at(at).is_some())
    }

    /// Makes the bytes those of a chunk that holds the records in `keep` and no others, for a decoder that walks it.
    ///
    /// The header names the records that were found. Records that are not kept lose their signature; their bytes stay,
    /// because templates and names lie within them. The tables of strings and templates are emptied: they serve
    /// writers, and the decoder finds both by the offsets in the records.
    pub fn reduce(&mut self, keep: &[bool]) {
        let ids = self.records.iter().map(|record| record.id);
        let (first, last) = (ids.clone().min().unwrap_or(0), ids.max().unwrap_or(0));
        let (start, end) = match self.records.last() {
            Some(record) => (record.place.start as u32, record.place.end as u32),
            None => return,
        };
        let mut put = |at: usize, bytes: &[u8]| {
            if let Some(field) = self.bytes.get_mut(at..at + bytes.len()) {
                field.copy_from_slice(bytes);
            }
        };
        put(0, CHUNK_SIGNATURE);
        for (at, id) in [(8, first), (16, last), (24, first), (32, last)] {
            put(at, &id.to_le_bytes());
        }
        put(44, &start.to_le_bytes());
        put(48, &end.to_le_bytes());
        put(TABLES, &[0; HEADER_BYTES - TABLES]);
        for (record, _) in self.records.iter().zip(keep).filter(|(_, keep)| !**keep) {
            put(record.place.start, &[0; 4]);
        }
    }
}
