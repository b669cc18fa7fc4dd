//! Windows event logs (EVTX): the events of wanted providers, newest first read, oldest first returned.
//!
//! Source: libyal/libevtx, "Windows XML Event Log (EVTX) format". A log is a file header of 4 KiB and chunks of 64 KiB,
//! each of which can be read alone; the chunks are found by their place, so neither a damaged file header nor a damaged
//! chunk ends the reading. BinXML is decoded by the crate `evtx`, chunk by chunk, and only for records that mention a
//! wanted provider.
//!
//! Bounds: one chunk in memory at a time; [`Limits`] for bytes and events; [`DAMAGE_MAX`] notes of damage; an event has
//! at most [`EVENT_TEXT_BYTES_MAX`] of text; all that are kept have [`KEPT_BYTES_MAX`]; after [`FAILURES_MAX`] records that could not be decoded, or [`DECODED_BYTES_MAX`] of text, no more are tried.
//! The crate bounds a record's tree to 2^18 nodes and a chunk's to 2^20.

mod chunk;
mod damage;
mod decode;
mod event;
mod header;
mod quiet;
#[cfg(test)]
mod tests;

pub use damage::{Damage, DamageKind};
pub use event::Event;

use chunk::{CHUNK_BYTES, Chunk};
use header::{ChunkPlace, FileHeader};
use winrefit_disk::{DiskError, ReadAt};

/// Notes of damage that are kept; [`EventLog::damage_omitted`] counts the others.
pub const DAMAGE_MAX: usize = 64;
/// Text of one event, as XML, in bytes. Records are smaller than a chunk, but may repeat what they hold.
pub const EVENT_TEXT_BYTES_MAX: usize = 256 << 10;
/// Records that may fail to be decoded before the reading ends. Hostile ones are dear.
pub const FAILURES_MAX: usize = 64;

/// Text of all records that are decoded, as XML, in bytes: many times what a log of 20 MiB has of any provider. Records
/// can be made to repeat what they hold, and would take minutes.
pub const DECODED_BYTES_MAX: usize = 256 << 20;

/// Memory for the events that are kept. Where it is full, older ones are left out, as by [`Group::events_max`].
pub const KEPT_BYTES_MAX: usize = 16 << 20;

/// A provider and its events that are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'w> {
    /// Name of the provider, exactly.
    pub provider: &'w str,
    /// Event ids; none stands for all.
    pub ids: &'w [u32],
}

impl Wanted<'_> {
    fn has_id(&self, id: u32) -> bool {
        self.ids.is_empty() || self.ids.contains(&id)
    }
}

/// Events that share a limit, so that a crowd of one kind does not push another one out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group<'w> {
    /// The events.
    pub wanted: &'w [Wanted<'w>],
    /// Most of them that are kept, the newest.
    pub events_max: usize,
}

/// How much of a log is read. Where a limit is met, the newest part is what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of chunks.
    pub bytes_max: u64,
    /// Wanted events.
    pub events_max: usize,
}

impl Default for Limits {
    /// 64 MiB, three times the largest size that Windows gives a System log by itself, and 1000 events.
    fn default() -> Self {
        Self {
            bytes_max: 64 << 20,
            events_max: 1000,
        }
    }
}

/// Why nothing of a log could be read.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EvtxError {
    /// The file could not be read at all.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Neither a file header nor any chunk.
    #[error("no event log: {file_bytes} bytes that begin with {actual:02x?} and hold no chunk")]
    NotALog {
        /// Size of the file.
        file_bytes: u64,
        /// Its first 8 bytes, or fewer.
        actual: Vec<u8>,
    },
}

/// What was read of a log.
#[derive(Debug, Clone, Default)]
pub struct EventLog {
    /// The wanted events, oldest first.
    pub events: Vec<Event>,
    /// Chunks that were read and not empty.
    pub chunks: usize,
    /// Records in them, wanted or not.
    pub records_seen: usize,
    /// Earliest time of a record that was read: FILETIME, 100 ns units since 1601.
    pub first_time: Option<u64>,
    /// Latest time of a record that was read.
    pub last_time: Option<u64>,
    /// The file header says that the log was not closed. Its counts are then out of date, which is no damage.
    pub dirty: bool,
    /// What could not be read or does not agree, by place.
    pub damage: Vec<Damage>,
    /// Notes of damage beyond [`DAMAGE_MAX`].
    pub damage_omitted: usize,
    /// A limit was met: older chunks were left out, or, by [`EventLog::read`], older wanted events.
    pub truncated: bool,
    /// By [`EventLog::read_groups`]: for each group whether older events of it may have been left out.
    pub cut: Vec<bool>,
}

impl EventLog {
    /// Reads the `wanted` events of the log in `source`.
    ///
    /// # Errors
    /// [`EvtxError`] if the file cannot be read, or is no event log. Damage within a log is no error.
    pub fn read(source: &dyn ReadAt, wanted: &[Wanted<'_>], limits: Limits) -> Result<Self, EvtxError> {
        let group = Group {
            wanted,
            events_max: limits.events_max,
        };
        let mut log = Self::read_groups(source, &[group], limits.bytes_max)?;
        log.truncated |= log.cut.contains(&true);
        Ok(log)
    }

    /// Reads the events of all `groups` in one go, from at most `bytes_max` of chunks.
    ///
    /// # Errors
    /// As [`EventLog::read`].
    pub fn read_groups(source: &dyn ReadAt, groups: &[Group<'_>], bytes_max: u64) -> Result<Self, EvtxError> {
        let mut log = Self::default();
        let header = FileHeader::read(source)?;
        let places = header::chunk_places(source, &mut log)?;
        let used = places.iter().filter(|place| place.is_used).count();
        match &header {
            Some(header) => {
                log.dirty = header.is_dirty;
                header.check(used, &mut log);
            }
            None if places.iter().all(|place| !place.has_signature) => {
                let length = source.size().min(8) as usize;
                return Err(EvtxError::NotALog {
                    file_bytes: source.size(),
                    actual: source.read_vec(0, length)?,
                });
            }
            None => log.note(0, DamageKind::FileSignature),
        }
        let mut reader = decode::Reader::new(groups);
        for place in header::newest_first(places, bytes_max, &mut log) {
            log.read_chunk(source, place, &mut reader);
        }
        log.cut = reader.cut();
        log.events.sort_by_key(|event| event.record_id);
        log.damage.sort_by_key(|damage| damage.offset);
        Ok(log)
    }

    fn read_chunk(&mut self, source: &dyn ReadAt, place: ChunkPlace, reader: &mut decode::Reader<'_>) {
        let length = source.size().saturating_sub(place.offset).min(CHUNK_BYTES as u64) as usize;
        let mut bytes = match source.read_vec(place.offset, length) {
            Ok(bytes) => bytes,
            Err(error) => return self.note(place.offset, DamageKind::Unreadable(error)),
        };
        if length < CHUNK_BYTES {
            self.note(place.offset, DamageKind::ChunkCut { bytes: length });
            bytes.resize(CHUNK_BYTES, 0);
        }
        let chunk = Chunk::walk(bytes, place.offset, self);
        if chunk.records.is_empty() {
            return;
        }
        self.chunks += 1;
        self.records_seen += chunk.records.len();
        for record in &chunk.records {
            let time = record.written;
            self.first_time = Some(self.first_time.map_or(time, |first| first.min(time)));
            self.last_time = Some(self.last_time.map_or(time, |last| last.max(time)));
        }
        let events = reader.events(chunk, self);
        self.events.extend(events);
    }

    fn note(&mut self, offset: u64, kind: DamageKind) {
        if self.damage.len() < DAMAGE_MAX {
            self.damage.push(Damage { offset, kind });
        } else {
            self.damage_omitted += 1;
        }
    }
}
