//! Nodes of a directory's index in memory.

use crate::bytes::{put, u16_at};
use crate::check::Collation;
use crate::error::NtfsError;
use crate::index::{BLOCK_HEADER, ENTRY_LAST, ENTRY_SUBNODE, ROOT_HEADER, SIGNATURE, entries};
use crate::types::{FileReference, RecordNumber, Vcn};
use crate::upcase::UpCase;
use crate::{bytes, fixup};
use std::cmp::Ordering;

const ENTRY_HEADER: usize = 0x10;
const SUBNODE: usize = 8;
/// Offsets in an entry.
const LENGTH: usize = 8;
const KEY_LENGTH: usize = 0x0A;
const FLAGS: usize = 0x0C;
/// Offset of the name's length, its namespace and the name in a key.
const NAME_LENGTH: usize = 0x40;
const NAMESPACE: usize = 0x41;
const NAME: usize = 0x42;
/// Offset of the update sequence array in a new index block.
const UPDATE_SEQUENCE: usize = 0x28;
/// Offset of the first entry in a root.
const FIRST_IN_ROOT: usize = ROOT_HEADER + 0x10;

/// A key with its file, as an entry of a leaf, and the block left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    entry: Vec<u8>,
    pub(super) below: Option<Vcn>,
}

impl Item {
    /// An entry for a leaf.
    pub(super) fn new(reference: FileReference, key: &[u8]) -> Self {
        let mut entry = vec![0; (ENTRY_HEADER + key.len()).next_multiple_of(8)];
        let length = entry.len() as u16;
        put(&mut entry, 0, &reference.to_raw().to_le_bytes());
        put(&mut entry, LENGTH, &length.to_le_bytes());
        put(&mut entry, KEY_LENGTH, &(key.len() as u16).to_le_bytes());
        put(&mut entry, ENTRY_HEADER, key);
        Self { entry, below: None }
    }

    /// The same key above another block.
    pub(super) fn above(mut self, below: Option<Vcn>) -> Self {
        self.below = below;
        self
    }

    pub(super) fn reference(&self) -> FileReference {
        FileReference::from_raw(bytes::u64_at(&self.entry, 0).unwrap_or(0))
    }

    /// The $FILE_NAME value.
    pub(super) fn key(&self) -> &[u8] {
        let length = u16_at(&self.entry, KEY_LENGTH).unwrap_or(0);
        bytes::take(&self.entry, ENTRY_HEADER, length.into()).unwrap_or_default()
    }

    /// The name in UTF-16 units.
    pub(super) fn name(&self) -> Vec<u16> {
        name_of(self.key())
    }

    pub(super) fn namespace(&self) -> u8 {
        self.key().get(NAMESPACE).copied().unwrap_or(0)
    }

    /// Bytes that it takes in its node.
    pub(super) fn bytes(&self) -> usize {
        self.entry.len() + self.below.map_or(0, |_| SUBNODE)
    }

    fn append_to(&self, node: &mut Vec<u8>) {
        append(node, &self.entry, self.below);
    }
}

/// The name in a $FILE_NAME value, in UTF-16 units.
pub(super) fn name_of(key: &[u8]) -> Vec<u16> {
    let units = key.get(NAME_LENGTH).copied().unwrap_or(0);
    bytes::utf16(bytes::take(key, NAME, usize::from(units) * 2).unwrap_or_default())
}

/// A $FILE_NAME value with another name: parent, times, sizes and flags are kept. The name has 255 units at most.
pub(super) fn with_name(value: &[u8], name: &[u16], namespace: u8) -> Vec<u8> {
    let mut value = value.get(..NAME_LENGTH).unwrap_or_default().to_vec();
    value.extend([name.len() as u8, namespace]);
    value.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
    value
}

fn append(node: &mut Vec<u8>, entry: &[u8], below: Option<Vcn>) {
    let start = node.len();
    node.extend_from_slice(entry);
    if let Some(vcn) = below {
        let flags = u16_at(entry, FLAGS).unwrap_or(0) | ENTRY_SUBNODE;
        let length = (entry.len() + SUBNODE) as u16;
        node.extend(vcn.0.to_le_bytes());
        put(node, start + LENGTH, &length.to_le_bytes());
        put(node, start + FLAGS, &flags.to_le_bytes());
    }
}

/// A node: its keys in order, each with the block left of it, and the block right of the last one. In a leaf there
/// are no blocks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Node {
    pub(super) items: Vec<Item>,
    pub(super) last: Option<Vcn>,
}

impl Node {
    /// Takes a node apart whose index header lies at `header`.
    pub(super) fn parse(
        node: &[u8],
        header: usize,
        (directory, block): (RecordNumber, Option<Vcn>),
    ) -> Result<Self, NtfsError> {
        let mut parsed = Self::default();
        for entry in entries(node, header, directory, block)? {
            let below = entry.subnode();
            if entry.flags() & ENTRY_LAST != 0 {
                parsed.last = below;
                break;
            }
            let tail = below.map_or(0, |_| SUBNODE);
            let mut bytes = entry.bytes[..entry.bytes.len() - tail].to_vec();
            let length = bytes.len() as u16;
            put(&mut bytes, LENGTH, &length.to_le_bytes());
            put(&mut bytes, FLAGS, &(entry.flags() & !ENTRY_SUBNODE).to_le_bytes());
            parsed.items.push(Item { entry: bytes, below });
        }
        // Every key has a block left of it or none has; what changes the tree relies on that.
        let is_even = parsed
            .items
            .iter()
            .all(|item| item.below.is_some() == parsed.last.is_some());
        if !is_even {
            return Err(NtfsError::BadIndex {
                record: directory,
                block,
                offset: header,
                problem: "sub-nodes for some of the entries",
            });
        }
        Ok(parsed)
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.last.is_none()
    }

    /// Bytes of all entries, the last one included.
    pub(super) fn bytes(&self) -> usize {
        let last = ENTRY_HEADER + self.last.map_or(0, |_| SUBNODE);
        self.items.iter().map(Item::bytes).sum::<usize>() + last
    }

    /// The block left of the item at `index`, or right of the last one.
    pub(super) fn child(&self, index: usize) -> Option<Vcn> {
        self.items.get(index).map_or(self.last, |item| item.below)
    }

    pub(super) fn set_child(&mut self, index: usize, vcn: Vcn) {
        match self.items.get_mut(index) {
            Some(item) => item.below = Some(vcn),
            None => self.last = Some(vcn),
        }
    }

    /// Which child a block is.
    pub(super) fn position_of(&self, vcn: Vcn) -> Option<usize> {
        (0..=self.items.len()).find(|&index| self.child(index) == Some(vcn))
    }

    /// Where a key is, or where it would have to be.
    pub(super) fn search(&self, upcase: &UpCase, key: &[u8]) -> Result<usize, usize> {
        let order = |item: &Item| Collation::FileName.compare(Some(upcase), item.key(), key);
        self.items
            .binary_search_by(|item| order(item).unwrap_or(Ordering::Equal))
    }

    fn entries(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes());
        self.items.iter().for_each(|item| item.append_to(&mut bytes));
        let mut last = [0; ENTRY_HEADER];
        put(&mut last, LENGTH, &(ENTRY_HEADER as u16).to_le_bytes());
        put(&mut last, FLAGS, &ENTRY_LAST.to_le_bytes());
        append(&mut bytes, &last, self.last);
        bytes
    }

    /// Bytes that the value of an $INDEX_ROOT has with this node.
    pub(super) fn root_bytes(&self) -> usize {
        FIRST_IN_ROOT + self.bytes()
    }

    /// The value of an $INDEX_ROOT: the fields in front are those of `old`. A leaf stays marked as one of an index
    /// that has blocks.
    pub(super) fn to_root(&self, old: &[u8]) -> Vec<u8> {
        let mut value = old.to_vec();
        value.resize(FIRST_IN_ROOT, 0);
        let is_large = !self.is_leaf() || old.get(ROOT_HEADER + 0x0C).is_some_and(|flags| flags & 1 != 0);
        value.extend(self.entries());
        let used = (value.len() - ROOT_HEADER) as u32;
        let first = (FIRST_IN_ROOT - ROOT_HEADER) as u32;
        put_header(&mut value, ROOT_HEADER, [first, used, used], is_large);
        value
    }

    /// The index block, without its fixups; `old` is what it was before, or `None` for a new one.
    pub(super) fn to_block(&self, vcn: Vcn, size: usize, old: Option<&[u8]>) -> Vec<u8> {
        let first = first_entry(size, old);
        let mut block = old.and_then(|old| old.get(..first)).map_or_else(
            || {
                let mut block = vec![0; first];
                put(&mut block, 0, &SIGNATURE);
                put(&mut block, 4, &(UPDATE_SEQUENCE as u16).to_le_bytes());
                put(&mut block, 6, &((size / fixup::STRIDE + 1) as u16).to_le_bytes());
                put(&mut block, 0x10, &vcn.0.to_le_bytes());
                block
            },
            <[u8]>::to_vec,
        );
        block.extend(self.entries());
        let used = (block.len() - BLOCK_HEADER) as u32;
        let sizes = [(first - BLOCK_HEADER) as u32, used, (size - BLOCK_HEADER) as u32];
        put_header(&mut block, BLOCK_HEADER, sizes, !self.is_leaf());
        block.resize(size, 0);
        block
    }
}

/// Offset of the first entry of a block: where it is, or where it is in a new one, behind the update sequence array.
pub(super) fn first_entry(size: usize, old: Option<&[u8]>) -> usize {
    let at = old.and_then(|old| bytes::u32_at(old, BLOCK_HEADER));
    let new = (UPDATE_SEQUENCE + (size / fixup::STRIDE + 1) * 2).next_multiple_of(8);
    at.map_or(new, |at| BLOCK_HEADER.saturating_add(at as usize).min(size))
}

/// First entry, used and allocated bytes, counted from the header; whether there are blocks below.
fn put_header(node: &mut [u8], at: usize, sizes: [u32; 3], has_blocks: bool) {
    for (index, size) in sizes.iter().enumerate() {
        put(node, at + index * 4, &size.to_le_bytes());
    }
    put(node, at + 0x0C, &[u8::from(has_blocks)]);
}
