//! A chunk: header, the tables of names and templates, records.

use super::binxml::{END, Element, FRAGMENT};
use super::event::Event;
use super::{LogName, system};
use std::collections::HashMap;
use uuid::{Uuid, uuid};

/// Size of every chunk.
pub(super) const CHUNK_BYTES: usize = 64 << 10;
/// Size of the chunk's header with both tables.
const CHUNK_HEADER: usize = 512;
/// Where the header keeps the first name of each bucket, and how many there are.
const NAMES: (usize, u32) = (128, 64);
/// The same for templates.
const TEMPLATES: (usize, u32) = (384, 32);
const TEMPLATE_INSTANCE: [u8; 2] = [0x0C, 1];
/// The name space of the identifiers of templates.
const TEMPLATE_SPACE: Uuid = uuid!("5a0d3bb2-35c6-4c3a-9a55-0c2f7e3cf1de");

/// A value of a template instance: its type and its bytes. Type 0 is none.
pub(super) type Filled = (u8, Vec<u8>);

/// A chunk under construction.
#[derive(Debug)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    names: HashMap<&'static str, u32>,
    /// Identifier and place by what the template is for.
    templates: HashMap<String, (u32, u32)>,
    /// Numbers of the first and last record.
    records: Option<(u64, u64)>,
    last_record_at: u32,
}

impl Chunk {
    pub fn new() -> Self {
        let mut bytes = Vec::with_capacity(CHUNK_BYTES);
        bytes.resize(CHUNK_HEADER, 0);
        Self {
            bytes,
            names: HashMap::new(),
            templates: HashMap::new(),
            records: None,
            last_record_at: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_none()
    }

    /// Appends a record; false if the chunk has no room for it. It is to be closed then.
    pub fn record(&mut self, log: &LogName, number: u64, event: &Event) -> bool {
        let (start, tables) = (self.bytes.len(), self.bytes[..CHUNK_HEADER].to_vec());
        self.put(b"**\0\0\0\0\0\0");
        self.put(&number.to_le_bytes());
        self.put(&event.time.to_le_bytes());
        self.put(&FRAGMENT);
        system::put(self, log, number, event);
        self.put(&[END]);
        let length = (self.bytes.len() + 4 - start).next_multiple_of(8);
        if start + length > CHUNK_BYTES {
            // Names and templates of the record go with it. The maps are not used any more.
            self.bytes.truncate(start);
            self.bytes[..CHUNK_HEADER].copy_from_slice(&tables);
            return false;
        }
        self.bytes.resize(start + length - 4, 0);
        self.put(&(length as u32).to_le_bytes());
        self.set(start + 4, length as u32);
        self.last_record_at = start as u32;
        let first = self.records.map_or(number, |(first, _)| first);
        self.records = Some((first, number));
        true
    }

    /// The whole chunk.
    pub fn finish(mut self, dirty: bool) -> Vec<u8> {
        let (first, last) = self.records.unwrap_or((0, 0));
        let mut header = b"ElfChnk\0".to_vec();
        // By their place in the log and by their identifiers, which are the same in a log that was never cleared.
        for number in [first, last, first, last] {
            header.extend(number.to_le_bytes());
        }
        let records_sum = crc32fast::hash(&self.bytes[CHUNK_HEADER..]);
        for number in [128, self.last_record_at, self.bytes.len() as u32, records_sum] {
            header.extend(number.to_le_bytes());
        }
        self.bytes[..header.len()].copy_from_slice(&header);
        self.set(120, u32::from(dirty));
        let mut sum = crc32fast::Hasher::new();
        sum.update(&self.bytes[..120]);
        sum.update(&self.bytes[128..CHUNK_HEADER]);
        self.set(124, sum.finalize());
        self.bytes.resize(CHUNK_BYTES, 0);
        self.bytes
    }

    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Keeps four bytes free for the size of what follows them.
    pub fn reserve_size(&mut self) -> usize {
        self.put(&[0; 4]);
        self.bytes.len()
    }

    /// Sets a size that was reserved.
    pub fn fill_size(&mut self, from: usize) {
        let size = self.bytes.len() - from;
        self.set(from - 4, size as u32);
    }

    /// A text with its length in front.
    pub fn counted_text(&mut self, text: &str) {
        let count = text.encode_utf16().count() as u16;
        self.put(&count.to_le_bytes());
        self.bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    }

    /// The place of a name. Where it is used for the first time it follows itself.
    pub fn name(&mut self, name: &'static str) {
        if let Some(&at) = self.names.get(name) {
            self.put(&at.to_le_bytes());
            return;
        }
        let at = self.bytes.len() as u32 + 4;
        self.names.insert(name, at);
        self.put(&at.to_le_bytes());
        let hash = hash(name.encode_utf16()) & 0xFFFF;
        let next = self.enter(NAMES, hash, at);
        self.put(&next.to_le_bytes());
        self.put(&(hash as u16).to_le_bytes());
        self.counted_text(name);
        self.put(&[0, 0]);
    }

    /// An instance of the template for `key`, which `element` gives where the chunk does not have it yet, with these
    /// values. `last` appends the bytes of one value more, of type binary XML.
    pub fn instance(
        &mut self,
        key: String,
        element: impl FnOnce() -> Element,
        values: &[Filled],
        last: Option<&mut dyn FnMut(&mut Self)>,
    ) {
        self.template(key, element);
        let count = values.len() + usize::from(last.is_some());
        self.put(&(count as u32).to_le_bytes());
        for (kind, bytes) in values {
            self.put(&(bytes.len() as u16).to_le_bytes());
            self.put(&[*kind, 0]);
        }
        let last_descriptor = self.bytes.len();
        if last.is_some() {
            self.put(&[0, 0, 0x21, 0]);
        }
        values.iter().for_each(|(_, bytes)| self.put(bytes));
        if let Some(write) = last {
            let from = self.bytes.len();
            write(self);
            let size = (self.bytes.len() - from) as u16;
            self.bytes[last_descriptor..last_descriptor + 2].copy_from_slice(&size.to_le_bytes());
        }
    }

    /// The start of a template instance: which template it is, and the template where it is used for the first time.
    fn template(&mut self, key: String, element: impl FnOnce() -> Element) {
        self.put(&TEMPLATE_INSTANCE);
        if let Some(&(id, at)) = self.templates.get(&key) {
            self.put(&id.to_le_bytes());
            self.put(&at.to_le_bytes());
            return;
        }
        let guid = Uuid::new_v5(&TEMPLATE_SPACE, key.as_bytes()).to_bytes_le();
        let id = u32::from_le_bytes([guid[0], guid[1], guid[2], guid[3]]);
        let at = self.bytes.len() as u32 + 8;
        self.templates.insert(key, (id, at));
        self.put(&id.to_le_bytes());
        self.put(&at.to_le_bytes());
        let words = guid
            .chunks_exact(2)
            .map(|word| u16::from_le_bytes([word[0], word[1]]));
        let next = self.enter(TEMPLATES, hash(words), at);
        self.put(&next.to_le_bytes());
        self.put(&guid);
        let size = self.reserve_size();
        self.put(&FRAGMENT);
        self.element(&element());
        self.put(&[END]);
        self.fill_size(size);
    }

    /// Makes `at` the first of its bucket and returns the one that was.
    fn enter(&mut self, (table, buckets): (usize, u32), hash: u32, at: u32) -> u32 {
        let place = table + 4 * (hash % buckets) as usize;
        let bytes = &self.bytes[place..place + 4];
        let before = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        self.set(place, at);
        before
    }

    fn set(&mut self, at: usize, number: u32) {
        self.bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
}

/// The hash by which names and templates are found; of names, the lower 16 bits are stored, too.
fn hash(units: impl Iterator<Item = u16>) -> u32 {
    units.fold(0u32, |sum, unit| {
        sum.wrapping_mul(65_599).wrapping_add(u32::from(unit))
    })
}
