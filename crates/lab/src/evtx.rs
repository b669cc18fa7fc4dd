//! Writes event logs (EVTX, version 3.1): a file header, then chunks of 64 KiB, each complete in itself with its names,
//! templates and records.
//!
//! Structures after the documentation of libevtx ("Windows XML Event Log (EVTX) format"). What that leaves open, the
//! buckets of names and templates, the order of the values and which elements depend on one, is as in a System.evtx of
//! Windows 10. Times and numbers come from the events, so equal events give equal bytes.

mod binxml;
mod chunk;
mod event;
mod system;

pub use event::{Event, Payload, Provider, Value};

use chunk::{CHUNK_BYTES, Chunk};

/// Size of the file header's block; the chunks begin behind it.
const HEADER_BYTES: usize = 4096;
/// What the header's checksum covers.
const HEADER_CHECKED: usize = 120;
const DIRTY: u32 = 1;
/// Size of a log that is new: Windows makes room for 17 chunks. Those not yet used are zero.
pub const NEW_LOG_BYTES: u64 = (HEADER_BYTES + 17 * CHUNK_BYTES) as u64;

/// Which log it is, and on which computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogName {
    /// The channel: "System", "Application".
    pub channel: &'static str,
    /// The computer's name.
    pub computer: &'static str,
}

/// A log under construction.
#[derive(Debug)]
pub struct LogWriter {
    name: LogName,
    /// The header's place and the chunks that are full.
    file: Vec<u8>,
    chunk: Chunk,
    next_record: u64,
    dirty: bool,
}

impl LogWriter {
    /// A log without records. A `dirty` one is left as by a computer that lost power: marked so, and with a header that
    /// does not count the newest records.
    pub fn new(name: LogName, dirty: bool) -> Self {
        Self {
            name,
            file: vec![0; HEADER_BYTES],
            chunk: Chunk::new(),
            next_record: 1,
            dirty,
        }
    }

    /// Appends an event; its record has the next number.
    ///
    /// # Panics
    /// If the event alone does not fit a chunk of 64 KiB.
    pub fn push(&mut self, event: &Event) {
        if !self.chunk.record(&self.name, self.next_record, event) {
            self.close_chunk();
            let fits = self.chunk.record(&self.name, self.next_record, event);
            assert!(fits, "event {} has more than a chunk can hold", event.id);
        }
        self.next_record += 1;
    }

    /// Size of the file with all records so far, in bytes.
    pub fn size_bytes(&self) -> u64 {
        let open = if self.chunk.is_empty() { 0 } else { CHUNK_BYTES };
        (self.file.len() + open) as u64
    }

    /// The bytes of the file.
    pub fn finish(mut self) -> Vec<u8> {
        if !self.chunk.is_empty() {
            self.close_chunk();
        }
        let mut chunks = (self.file.len() - HEADER_BYTES) / CHUNK_BYTES;
        let mut next_record = self.next_record;
        if self.dirty {
            // The header is written when a log is opened and closed, seldom in between.
            chunks = chunks.div_ceil(2);
            next_record = next_record / 2 + 1;
        }
        let header = &mut self.file[..HEADER_BYTES];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"ElfFile\0");
        // First chunk at 8: zero.
        put(16, &(chunks.saturating_sub(1) as u64).to_le_bytes());
        put(24, &next_record.to_le_bytes());
        put(32, &128u32.to_le_bytes());
        put(36, &1u16.to_le_bytes()); // minor version
        put(38, &3u16.to_le_bytes()); // major version
        put(40, &(HEADER_BYTES as u16).to_le_bytes());
        put(42, &(chunks as u16).to_le_bytes());
        put(120, &if self.dirty { DIRTY } else { 0 }.to_le_bytes());
        let sum = crc32fast::hash(&header[..HEADER_CHECKED]);
        header[124..128].copy_from_slice(&sum.to_le_bytes());
        self.file
    }

    fn close_chunk(&mut self) {
        let full = std::mem::replace(&mut self.chunk, Chunk::new());
        self.file.extend(full.finish(self.dirty));
    }
}

#[cfg(test)]
mod tests;
