//! From the records of a chunk to events: which ones may be wanted, and their decoding by the crate `evtx`.

use super::chunk::{Chunk, Record};
use super::{
    DECODED_BYTES_MAX, DamageKind, EVENT_TEXT_BYTES_MAX, Event, EventLog, FAILURES_MAX, Wanted, event, quiet,
};
use crate::bytes::{array_at, u32_at, utf16_bytes};
use evtx::{EvtxChunkData, ParserSettings};
use memchr::memmem::Finder;
use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

/// What a record's BinXML begins with when it is one template instance: the header of a fragment (version 1.1, no
/// flags), then the token of an instance. A byte, the template's identifier and the offset of its definition follow.
const INSTANCE: [u8; 5] = [0x0f, 1, 1, 0, 0x0c];
const INSTANCE_DEFINITION: usize = 10;
/// Next definition, GUID, size of what follows.
const DEFINITION_HEAD_BYTES: usize = 24;
const DEFINITION_SIZE: usize = 20;

/// Decodes events of the wanted providers.
pub(super) struct Reader<'w> {
    wanted: &'w [Wanted<'w>],
    /// Searches for the providers' names as they stand in a chunk.
    names: Vec<Finder<'static>>,
    settings: Arc<ParserSettings>,
    failures: usize,
    /// Bytes of text that were decoded so far, wanted or not.
    decoded_bytes: Cell<usize>,
}

/// What decoding a record came to.
enum Decoded {
    Event(Event),
    /// Of a wanted provider, but not a wanted event; or only mentions the name.
    Other,
    Failed,
    TooLarge(usize),
}

impl<'w> Reader<'w> {
    pub fn new(wanted: &'w [Wanted<'w>]) -> Self {
        let named = wanted.iter().filter(|wanted| !wanted.provider.is_empty());
        Self {
            wanted,
            names: named
                .map(|wanted| Finder::new(&utf16_bytes(wanted.provider)).into_owned())
                .collect(),
            settings: Arc::new(ParserSettings::new().indent(false)),
            failures: 0,
            decoded_bytes: Cell::new(0),
        }
    }

    /// The newest `room` wanted events of the chunk, and whether older ones may have been left out.
    pub fn events(&mut self, mut chunk: Chunk, room: usize, log: &mut EventLog) -> (Vec<Event>, bool) {
        let keep = self.candidates(&chunk);
        if !keep.contains(&true) {
            return (Vec::new(), false);
        }
        if room == 0 || self.has_given_up() {
            return (Vec::new(), true);
        }
        chunk.reduce(&keep);
        let mut decoded: Vec<Option<Decoded>> = chunk.records.iter().map(|_| None).collect();
        let (records, offset) = (std::mem::take(&mut chunk.records), chunk.offset);
        quiet::catch(|| self.decode(chunk.bytes, &records, &mut decoded));
        let mut events = Vec::new();
        for ((record, result), keep) in records.iter().zip(decoded).zip(keep) {
            let (record_id, at) = (record.id, offset + record.place.start as u64);
            match result {
                Some(Decoded::Event(event)) => events.push(event),
                Some(Decoded::Other) => {}
                _ if !keep || self.has_given_up() => {}
                Some(Decoded::TooLarge(bytes)) => {
                    log.note(at, DamageKind::TooLarge { record_id, bytes });
                    self.failures += 1;
                }
                Some(Decoded::Failed) | None => {
                    log.note(at, DamageKind::Undecodable { record_id });
                    self.failures += 1;
                }
            }
        }
        let gave_up = self.has_given_up();
        if gave_up {
            log.note(offset, DamageKind::GaveUp);
        }
        let older = events.len().saturating_sub(room);
        events.drain(..older);
        (events, older > 0 || gave_up)
    }

    /// Whether too much was spent on this log: hostile records are dear.
    fn has_given_up(&self) -> bool {
        self.failures >= FAILURES_MAX || self.decoded_bytes.get() >= DECODED_BYTES_MAX
    }

    /// For each record whether its event can be one of a wanted provider: the name stands in the record, or in the
    /// template that it is an instance of, or the record is no such instance.
    fn candidates(&self, chunk: &Chunk) -> Vec<bool> {
        let found = self.names.iter().flat_map(|name| name.find_iter(&chunk.bytes));
        let mut hits: Vec<usize> = found.collect();
        hits.sort_unstable();
        let is_hit = |range: Range<usize>| {
            let next = hits.partition_point(|&hit| hit < range.start);
            hits.get(next).is_some_and(|&hit| hit < range.end)
        };
        let may_be_wanted = |record: &Record| match template(&chunk.bytes, record) {
            Some(definition) => is_hit(definition) || is_hit(record.binxml()),
            None => true,
        };
        let records = chunk.records.iter();
        match hits.is_empty() {
            true => Vec::new(),
            false => records.map(may_be_wanted).collect(),
        }
    }

    /// Decodes the reduced chunk `bytes`, whose `records` were found by [`Chunk::walk`].
    fn decode(&self, bytes: Vec<u8>, records: &[Record], decoded: &mut [Option<Decoded>]) {
        let Ok(mut data) = EvtxChunkData::new(bytes, false) else {
            return;
        };
        let Ok(mut chunk) = data.parse(Arc::clone(&self.settings)) else {
            return;
        };
        // Errors are those of records that were not kept, which have no signature, and of kept ones that fail: these are
        // known by having no result in the end.
        for result in chunk.iter().flatten() {
            let at = usize::try_from(result.binxml_offset).unwrap_or(usize::MAX);
            let Ok(number) = records.binary_search_by_key(&at, |record| record.binxml().start) else {
                continue;
            };
            let (Some(record), Some(slot)) = (records.get(number), decoded.get_mut(number)) else {
                continue;
            };
            if self.decoded_bytes.get() >= DECODED_BYTES_MAX {
                break;
            }
            let xml = result.into_xml_bytes();
            let bytes = xml.as_ref().map_or(0, |xml| xml.data.len());
            self.decoded_bytes
                .set(self.decoded_bytes.get().saturating_add(bytes));
            *slot = Some(match xml {
                Ok(xml) if xml.data.len() > EVENT_TEXT_BYTES_MAX => Decoded::TooLarge(xml.data.len()),
                Ok(xml) => self.event(&xml.data, record),
                Err(_) => Decoded::Failed,
            });
        }
    }

    fn event(&self, xml: &[u8], record: &Record) -> Decoded {
        let text = String::from_utf8_lossy(xml);
        // Most records of a wanted provider are other events; parsing them would be most of the work.
        let is_other = |id| {
            !self
                .wanted
                .iter()
                .any(|wanted| wanted.ids.is_empty() || wanted.ids.contains(&id))
        };
        if event::id_in_text(&text).is_some_and(is_other) {
            return Decoded::Other;
        }
        let Some(event) = Event::parse(&text, record.id, record.written) else {
            return Decoded::Failed;
        };
        let is_wanted = |wanted: &Wanted<'_>| {
            wanted.provider == event.provider && (wanted.ids.is_empty() || wanted.ids.contains(&event.id))
        };
        match self.wanted.iter().any(is_wanted) {
            true => Decoded::Event(event),
            false => Decoded::Other,
        }
    }
}

/// The definition of the template that the record is an instance of; `None` if that cannot be told.
fn template(bytes: &[u8], record: &Record) -> Option<Range<usize>> {
    let binxml = bytes.get(record.binxml())?;
    if array_at(binxml, 0)? != INSTANCE {
        return None;
    }
    let start = u32_at(binxml, INSTANCE_DEFINITION)? as usize;
    let size = u32_at(bytes, start.checked_add(DEFINITION_SIZE)?)? as usize;
    let end = start.checked_add(DEFINITION_HEAD_BYTES)?.checked_add(size)?;
    (end <= bytes.len()).then_some(start..end)
}
