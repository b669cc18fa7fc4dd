//! From the records of a chunk to events: which ones may be wanted, and their decoding by the crate `evtx`.

use super::chunk::{Chunk, Record};
use super::{
    DECODED_BYTES_MAX, DamageKind, EVENT_TEXT_BYTES_MAX, Event, EventLog, FAILURES_MAX, Group,
    KEPT_BYTES_MAX, Wanted, event, quiet,
};
use crate::bytes::{array_at, u32_at, utf16_bytes};
use evtx::{EvtxChunkData, ParserSettings};
use memchr::memmem::Finder;
use std::cell::Cell;
use std::collections::BTreeSet;
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
    groups: &'w [Group<'w>],
    /// How many more events each group may have, and whether there may be older ones that it has not.
    left: Vec<usize>,
    cut: Vec<Cell<bool>>,
    /// Searches for the providers' names as they stand in a chunk.
    names: Vec<Finder<'static>>,
    settings: Arc<ParserSettings>,
    failures: usize,
    /// Memory that the events so far take.
    kept_bytes: usize,
    /// Bytes of text that were decoded so far, wanted or not.
    decoded_bytes: Cell<usize>,
}

/// What decoding a record came to.
enum Decoded {
    /// Of the group of that number.
    Event(usize, Event),
    /// Of a wanted provider, but not a wanted event; or only mentions the name.
    Other,
    Failed,
    TooLarge(usize),
}

impl<'w> Reader<'w> {
    pub fn new(groups: &'w [Group<'w>]) -> Self {
        let wanted = groups.iter().flat_map(|group| group.wanted);
        let named: BTreeSet<&str> = wanted.map(|wanted| wanted.provider).collect();
        let names = named.into_iter().filter(|name| !name.is_empty());
        Self {
            groups,
            left: groups.iter().map(|group| group.events_max).collect(),
            cut: vec![Cell::new(false); groups.len()],
            names: names
                .map(|name| Finder::new(&utf16_bytes(name)).into_owned())
                .collect(),
            settings: Arc::new(ParserSettings::new().indent(false)),
            failures: 0,
            kept_bytes: 0,
            decoded_bytes: Cell::new(0),
        }
    }

    /// For each group whether older events of it may have been left out.
    pub fn cut(&self) -> Vec<bool> {
        self.cut.iter().map(Cell::get).collect()
    }

    /// The wanted events of the chunk, the newest of each group that it has room for.
    pub fn events(&mut self, mut chunk: Chunk, log: &mut EventLog) -> Vec<Event> {
        let keep = self.candidates(&chunk);
        if !keep.contains(&true) {
            return Vec::new();
        }
        if self.has_given_up() || self.left.iter().all(|left| *left == 0) {
            self.cut.iter().for_each(|cut| cut.set(true));
            return Vec::new();
        }
        chunk.reduce(&keep);
        let mut decoded: Vec<Option<Decoded>> = chunk.records.iter().map(|_| None).collect();
        let (records, offset) = (std::mem::take(&mut chunk.records), chunk.offset);
        quiet::catch(|| self.decode(chunk.bytes, &records, &mut decoded));
        let mut events = Vec::new();
        for ((record, result), keep) in records.iter().zip(decoded).zip(keep) {
            let (record_id, at) = (record.id, offset + record.place.start as u64);
            match result {
                Some(Decoded::Event(group, event)) => events.push((group, event)),
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
        if self.has_given_up() {
            log.note(offset, DamageKind::GaveUp);
            self.cut.iter().for_each(|cut| cut.set(true));
        }
        self.newest(events)
    }

    /// Of the events of a chunk, oldest first, those that their groups have room for.
    fn newest(&mut self, events: Vec<(usize, Event)>) -> Vec<Event> {
        let mut kept = Vec::new();
        for (group, event) in events.into_iter().rev() {
            let bytes = event.kept_bytes();
            let fits = self.kept_bytes + bytes <= KEPT_BYTES_MAX;
            match self.left.get_mut(group) {
                Some(left) if *left > 0 && fits => {
                    *left -= 1;
                    self.kept_bytes += bytes;
                    kept.push(event);
                }
                Some(_) if !fits => {
                    // No older ones either: what is kept is the newest part.
                    self.left.fill(0);
                    self.cut.iter().for_each(|cut| cut.set(true));
                }
                _ => self.mark_cut(group),
            }
        }
        kept
    }

    fn mark_cut(&self, group: usize) {
        if let Some(cut) = self.cut.get(group) {
            cut.set(true);
        }
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
        // Most records of a wanted provider are other events, or of a group that has all it may have; parsing them would be
        // most of the work.
        if let Some(id) = event::id_in_text(&text) {
            let mut has_room = false;
            for (number, left) in self.groups_of(|wanted| wanted.has_id(id)) {
                has_room |= left > 0;
                if left == 0 {
                    self.mark_cut(number);
                }
            }
            if !has_room {
                return Decoded::Other;
            }
        }
        let Some(event) = Event::parse(&text, record.id, record.written) else {
            return Decoded::Failed;
        };
        let is_wanted = |wanted: &Wanted<'_>| wanted.provider == event.provider && wanted.has_id(event.id);
        let group = self.groups_of(is_wanted).next();
        group.map_or(Decoded::Other, |(group, _)| Decoded::Event(group, event))
    }

    /// The groups with an event of that kind, by number, and how many more each may have.
    fn groups_of(&self, is_wanted: impl Fn(&Wanted<'_>) -> bool) -> impl Iterator<Item = (usize, usize)> {
        let groups = self.groups.iter().zip(&self.left).enumerate();
        groups
            .filter(move |(_, (group, _))| group.wanted.iter().any(&is_wanted))
            .map(|(number, (_, left))| (number, *left))
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
