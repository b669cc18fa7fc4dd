//! A small writer of event logs: one template per provider and chunk, as Windows writes them.

use super::super::chunk::{CHUNK_BYTES, HEADER_BYTES};
use crate::bytes::utf16_bytes;

/// What an event says.
#[derive(Clone)]
pub(super) struct Spec<'s> {
    pub provider: &'s str,
    pub id: u16,
    pub code: u32,
    pub title: &'s str,
    /// The provider's name is a value of the record instead of a part of the template.
    pub names_provider_itself: bool,
}

pub(super) fn spec<'s>(provider: &'s str, id: u16, code: u32, title: &'s str) -> Spec<'s> {
    Spec {
        provider,
        id,
        code,
        title,
        names_provider_itself: false,
    }
}

/// Time of the record with that identifier.
pub(super) fn time(record_id: u64) -> u64 {
    131_754_142_648_816_283 + record_id * 10_000_000
}

/// A whole log of these chunks, closed.
pub(super) fn log(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0; 4096];
    file[..8].copy_from_slice(b"ElfFile\0");
    put(&mut file, 16, &(chunks.len() as u64 - 1).to_le_bytes());
    put(&mut file, 32, &128u32.to_le_bytes());
    put(&mut file, 36, &[1, 0, 3, 0, 0, 0x10]);
    put(&mut file, 42, &(chunks.len() as u16).to_le_bytes());
    let sum = crc32fast::hash(&file[..120]);
    put(&mut file, 124, &sum.to_le_bytes());
    chunks.iter().for_each(|chunk| file.extend(chunk));
    file
}

pub(super) fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

/// A chunk whose records count from `first_id`.
pub(super) fn chunk(first_id: u64, events: &[Spec<'_>]) -> Vec<u8> {
    let mut out = Writer {
        bytes: vec![0; HEADER_BYTES],
        templates: Vec::new(),
    };
    let mut last = HEADER_BYTES;
    for (id, event) in (first_id..).zip(events) {
        last = out.bytes.len();
        out.record(id, event);
    }
    let (free, last_id) = (out.bytes.len() as u32, first_id + events.len() as u64 - 1);
    let mut bytes = out.bytes;
    assert!(bytes.len() <= CHUNK_BYTES);
    bytes.resize(CHUNK_BYTES, 0);
    put(&mut bytes, 0, b"ElfChnk\0");
    for (at, id) in [(8, first_id), (16, last_id), (24, first_id), (32, last_id)] {
        put(&mut bytes, at, &id.to_le_bytes());
    }
    put(&mut bytes, 40, &128u32.to_le_bytes());
    put(&mut bytes, 44, &(last as u32).to_le_bytes());
    put(&mut bytes, 48, &free.to_le_bytes());
    seal(&mut bytes);
    bytes
}

/// Sets a chunk's checksums.
pub(super) fn seal(chunk: &mut [u8]) {
    let free = u32::from_le_bytes(chunk[48..52].try_into().unwrap()) as usize;
    let sum = crc32fast::hash(&chunk[HEADER_BYTES..free]);
    put(chunk, 52, &sum.to_le_bytes());
    let mut header = crc32fast::Hasher::new();
    header.update(&chunk[..120]);
    header.update(&chunk[128..HEADER_BYTES]);
    put(chunk, 124, &header.finalize().to_le_bytes());
}

/// One record with this BinXML.
pub(super) fn record(id: u64, binxml: &[u8]) -> Vec<u8> {
    let size = (24 + binxml.len() + 4) as u32;
    let head = [
        &[0x2a, 0x2a, 0, 0][..],
        &size.to_le_bytes(),
        &id.to_le_bytes(),
        &time(id).to_le_bytes(),
    ];
    [&head.concat()[..], binxml, &size.to_le_bytes()].concat()
}

struct Writer {
    bytes: Vec<u8>,
    /// Provider and place of each definition.
    templates: Vec<(String, u32)>,
}

const FRAGMENT: [u8; 4] = [0x0f, 1, 1, 0];

impl Writer {
    fn record(&mut self, id: u64, event: &Spec<'_>) {
        let start = self.bytes.len();
        self.bytes.extend([0x2a, 0x2a, 0, 0, 0, 0, 0, 0]);
        self.bytes.extend(id.to_le_bytes());
        self.bytes.extend(time(id).to_le_bytes());
        self.bytes.extend(FRAGMENT);
        self.instance(event);
        self.bytes.push(0);
        let size = (self.bytes.len() - start + 4) as u32;
        self.bytes.extend(size.to_le_bytes());
        put(&mut self.bytes, start + 4, &size.to_le_bytes());
    }

    fn instance(&mut self, event: &Spec<'_>) {
        let key = match event.names_provider_itself {
            true => String::new(),
            false => event.provider.to_string(),
        };
        self.bytes.extend([0x0c, 1, 1, 2, 3, 4]);
        let known = self
            .templates
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, at)| *at);
        let here = self.bytes.len() as u32 + 4;
        self.bytes.extend(known.unwrap_or(here).to_le_bytes());
        if known.is_none() {
            self.templates.push((key, here));
            self.definition(event);
        }
        let title = utf16_bytes(event.title);
        let provider = utf16_bytes(event.provider);
        let values: [(u8, &[u8]); 6] = [
            (0x06, &event.id.to_le_bytes()),
            (0x04, &[2]),
            (0x14, &event.code.to_le_bytes()),
            (0x01, &title),
            (0x07, &(-2i32).to_le_bytes()),
            (0x01, &provider),
        ];
        self.bytes.extend((values.len() as u32).to_le_bytes());
        for (kind, value) in values {
            self.bytes.extend((value.len() as u16).to_le_bytes());
            self.bytes.extend([kind, 0]);
        }
        values.iter().for_each(|(_, value)| self.bytes.extend(*value));
    }

    fn definition(&mut self, event: &Spec<'_>) {
        self.bytes.extend([0; 20]);
        let size = self.bytes.len();
        self.bytes.extend([0; 4]);
        self.bytes.extend(FRAGMENT);
        self.element("Event", &[], |out| {
            out.element("System", &[], |out| {
                let provider = match event.names_provider_itself {
                    true => substitution(5, 0x01),
                    false => value(event.provider),
                };
                out.element("Provider", &[("Name", provider)], |_| {});
                let qualifiers = value("16390");
                out.element("EventID", &[("Qualifiers", qualifiers)], |out| {
                    out.bytes.extend(substitution(0, 6))
                });
                out.element("Level", &[], |out| out.bytes.extend(substitution(1, 4)));
            });
            out.element("EventData", &[], |out| {
                let name = |name| [("Name", value(name))];
                out.element("Data", &name("errorCode"), |out| {
                    out.bytes.extend(substitution(2, 0x14))
                });
                out.element("Data", &name("updateTitle"), |out| {
                    out.bytes.extend(substitution(3, 1))
                });
                out.element("Data", &[], |out| out.bytes.extend(substitution(4, 7)));
            });
        });
        self.bytes.push(0);
        let length = (self.bytes.len() - size - 4) as u32;
        put(&mut self.bytes, size, &length.to_le_bytes());
    }

    fn element(&mut self, name: &str, attributes: &[(&str, Vec<u8>)], content: impl FnOnce(&mut Self)) {
        self.bytes.push(if attributes.is_empty() { 0x01 } else { 0x41 });
        self.bytes.extend([0xff, 0xff]);
        let size = self.bytes.len();
        self.bytes.extend([0; 4]);
        self.name(name);
        if !attributes.is_empty() {
            let list = self.bytes.len();
            self.bytes.extend([0; 4]);
            for (name, value) in attributes {
                self.bytes.push(0x06);
                self.name(name);
                self.bytes.extend(value);
            }
            let length = (self.bytes.len() - list - 4) as u32;
            put(&mut self.bytes, list, &length.to_le_bytes());
        }
        self.bytes.push(0x02);
        content(self);
        self.bytes.push(0x04);
        let length = (self.bytes.len() - size - 4) as u32;
        put(&mut self.bytes, size, &length.to_le_bytes());
    }

    /// A name, always spelled out where it is used.
    fn name(&mut self, name: &str) {
        let here = self.bytes.len() as u32 + 4;
        self.bytes.extend(here.to_le_bytes());
        self.bytes.extend([0; 6]);
        self.bytes.extend((name.len() as u16).to_le_bytes());
        self.bytes.extend(utf16_bytes(name));
        self.bytes.extend([0; 2]);
    }
}

fn value(text: &str) -> Vec<u8> {
    let length = text.encode_utf16().count() as u16;
    [&[0x05, 0x01][..], &length.to_le_bytes(), &utf16_bytes(text)].concat()
}

fn substitution(number: u16, kind: u8) -> Vec<u8> {
    [&[0x0d][..], &number.to_le_bytes(), &[kind]].concat()
}
