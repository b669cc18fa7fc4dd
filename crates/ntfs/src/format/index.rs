//! Building indexes: resident ones, and B+trees loaded in bulk from entries that are already in order.

use super::options::INDEX_BLOCK_SIZE;
use crate::bytes::put;
use crate::fixup;
use crate::index::{BLOCK_HEADER, ENTRY_LAST, ENTRY_SUBNODE, SIGNATURE};
use crate::types::Geometry;

/// Collation rule of file names, and the type code of their attribute.
pub(super) const FILE_NAMES: (u32, u32) = (0x30, 1);
/// View indexes have no attribute type. Collation rules: by a 32-bit number, by a SID, by hash and number, by
/// 32-bit numbers.
pub(super) const BY_NUMBER: (u32, u32) = (0, 0x10);
pub(super) const BY_SID: (u32, u32) = (0, 0x11);
pub(super) const BY_SECURITY_HASH: (u32, u32) = (0, 0x12);
pub(super) const BY_NUMBERS: (u32, u32) = (0, 0x13);

const BLOCK: usize = INDEX_BLOCK_SIZE as usize;
/// Offset of the update sequence array in an index block.
const UPDATE_SEQUENCE: usize = 0x28;
/// Offset of the first entry in an index block, behind the array, and in a root.
const FIRST_IN_BLOCK: usize = 0x40;
const FIRST_IN_ROOT: usize = 0x20;
const INDEX_HEADER: usize = 0x10;
const ENTRY_HEADER: usize = 0x10;
/// The VCN at the end of an entry that has a sub-node.
const SUBNODE: usize = 8;

/// An entry of a file name index, for a leaf.
pub(super) fn name_entry(reference: u64, key: &[u8]) -> Vec<u8> {
    let mut entry = vec![0; (ENTRY_HEADER + key.len()).next_multiple_of(8)];
    let length = entry.len() as u16;
    put(&mut entry, 0, &reference.to_le_bytes());
    put(&mut entry, 8, &length.to_le_bytes());
    put(&mut entry, 10, &(key.len() as u16).to_le_bytes());
    put(&mut entry, ENTRY_HEADER, key);
    entry
}

/// An entry of a view index, for a leaf.
pub(super) fn view_entry(key: &[u8], data: &[u8]) -> Vec<u8> {
    let at = ENTRY_HEADER + key.len();
    let mut entry = vec![0; (at + data.len()).next_multiple_of(8)];
    let length = entry.len() as u16;
    put(&mut entry, 0, &(at as u16).to_le_bytes());
    put(&mut entry, 2, &(data.len() as u16).to_le_bytes());
    put(&mut entry, 8, &length.to_le_bytes());
    put(&mut entry, 10, &(key.len() as u16).to_le_bytes());
    put(&mut entry, ENTRY_HEADER, key);
    put(&mut entry, at, data);
    entry
}

/// Value of an $INDEX_ROOT without sub-nodes.
pub(super) fn small_root(kind: (u32, u32), entries: &[Vec<u8>], geometry: &Geometry) -> Vec<u8> {
    root(kind, entries, None, geometry)
}

/// Bytes of the value of [`small_root`].
pub(super) fn small_root_bytes(entries: &[Vec<u8>]) -> usize {
    FIRST_IN_ROOT + entries.iter().map(Vec::len).sum::<usize>() + ENTRY_HEADER
}

fn root(kind: (u32, u32), entries: &[Vec<u8>], below: Option<u64>, geometry: &Geometry) -> Vec<u8> {
    let mut value = vec![0; FIRST_IN_ROOT];
    put(&mut value, 0, &kind.0.to_le_bytes());
    put(&mut value, 4, &kind.1.to_le_bytes());
    put(&mut value, 8, &INDEX_BLOCK_SIZE.to_le_bytes());
    put(&mut value, 12, &(vcns_per_block(geometry) as u32).to_le_bytes());
    value.extend(entries.iter().flatten());
    value.extend(last_entry(below));
    let used = (value.len() - INDEX_HEADER) as u32;
    put_header(
        &mut value,
        INDEX_HEADER,
        FIRST_IN_ROOT,
        [used, used],
        below.is_some(),
    );
    value
}

/// The header of a node: first entry, used and allocated bytes (all counted from the header), has sub-nodes.
fn put_header(node: &mut [u8], at: usize, first: usize, sizes: [u32; 2], inner: bool) {
    put(node, at, &((first - at) as u32).to_le_bytes());
    put(node, at + 4, &sizes[0].to_le_bytes());
    put(node, at + 8, &sizes[1].to_le_bytes());
    put(node, at + 12, &[u8::from(inner)]);
}

/// The entry without a key that ends a node.
fn last_entry(below: Option<u64>) -> Vec<u8> {
    let mut entry = vec![0; ENTRY_HEADER];
    put(&mut entry, 8, &(ENTRY_HEADER as u16).to_le_bytes());
    put(&mut entry, 12, &ENTRY_LAST.to_le_bytes());
    with_subnode(entry, below)
}

/// Lets `below` lie left of the entry's key.
fn with_subnode(mut entry: Vec<u8>, below: Option<u64>) -> Vec<u8> {
    if let Some(vcn) = below {
        let flags = u16::from(entry[12]) | ENTRY_SUBNODE;
        entry.extend(vcn.to_le_bytes());
        let length = entry.len() as u16;
        put(&mut entry, 8, &length.to_le_bytes());
        put(&mut entry, 12, &flags.to_le_bytes());
    }
    entry
}

/// VCNs count clusters, or 512-byte units where a block is smaller than a cluster.
fn vcns_per_block(geometry: &Geometry) -> u64 {
    let unit = if INDEX_BLOCK_SIZE >= geometry.cluster_size {
        geometry.cluster_size
    } else {
        512
    };
    u64::from(INDEX_BLOCK_SIZE / unit)
}

/// An index that has blocks.
pub(super) struct Tree {
    /// Value of $INDEX_ROOT: nothing but the way to the topmost block.
    pub(super) root: Vec<u8>,
    /// The blocks, as on the disk.
    pub(super) blocks: Vec<u8>,
}

/// An entry and the block left of it.
struct Item {
    entry: Vec<u8>,
    below: Option<u64>,
}

/// Builds the tree over entries in collation order: full leaves from left to right, then level by level the entries
/// between two neighbours, until a level is one block.
pub(super) fn tree(kind: (u32, u32), entries: Vec<Vec<u8>>, geometry: &Geometry) -> Tree {
    let mut blocks = Blocks {
        bytes: Vec::new(),
        vcns_per_block: vcns_per_block(geometry),
    };
    let below = None;
    let mut items: Vec<Item> = entries.into_iter().map(|entry| Item { entry, below }).collect();
    let mut last_below = None;
    // Each level has at most a fifth of the entries of the one beneath, so this ends.
    loop {
        let (between, last) = pack_level(&mut blocks, items, last_below);
        if between.is_empty() {
            let root = root(kind, &[], Some(last), geometry);
            let blocks = blocks.bytes;
            return Tree { root, blocks };
        }
        (items, last_below) = (between, Some(last));
    }
}

/// Fills blocks with the items of one level. Gives the entries between them, each with the block left of it, and the
/// last block.
fn pack_level(blocks: &mut Blocks, items: Vec<Item>, last_below: Option<u64>) -> (Vec<Item>, u64) {
    let inner = last_below.is_some();
    let tail = if inner { SUBNODE } else { 0 };
    let capacity = BLOCK - FIRST_IN_BLOCK - ENTRY_HEADER - tail;
    let (mut between, mut node, mut used) = (Vec::new(), Vec::new(), 0);
    let mut rest = items.into_iter().peekable();
    while let Some(item) = rest.next() {
        let length = item.entry.len() + tail;
        if used + length <= capacity {
            used += length;
            node.push(item);
            continue;
        }
        // Behind the entry that goes up there must be another one: no block may be empty.
        let (up, kept) = match rest.peek() {
            None if !node.is_empty() => (node.pop(), Some(item)),
            _ => (Some(item), None),
        };
        let left = blocks.push(std::mem::take(&mut node), up.as_ref().and_then(|up| up.below));
        between.extend(up.map(|up| Item {
            entry: up.entry,
            below: Some(left),
        }));
        node.extend(kept);
        used = node.iter().map(|item| item.entry.len() + tail).sum();
    }
    let last = blocks.push(node, last_below);
    (between, last)
}

struct Blocks {
    bytes: Vec<u8>,
    vcns_per_block: u64,
}

impl Blocks {
    /// Appends a block and gives its VCN.
    fn push(&mut self, items: Vec<Item>, last_below: Option<u64>) -> u64 {
        let vcn = (self.bytes.len() / BLOCK) as u64 * self.vcns_per_block;
        let mut block = Vec::with_capacity(BLOCK);
        block.resize(FIRST_IN_BLOCK, 0);
        put(&mut block, 0, &SIGNATURE);
        put(&mut block, 4, &(UPDATE_SEQUENCE as u16).to_le_bytes());
        put(&mut block, 6, &((BLOCK / fixup::STRIDE + 1) as u16).to_le_bytes());
        put(&mut block, 0x10, &vcn.to_le_bytes());
        for item in items {
            block.extend(with_subnode(item.entry, item.below));
        }
        block.extend(last_entry(last_below));
        let sizes = [(block.len() - BLOCK_HEADER) as u32, (BLOCK - BLOCK_HEADER) as u32];
        put_header(
            &mut block,
            BLOCK_HEADER,
            FIRST_IN_BLOCK,
            sizes,
            last_below.is_some(),
        );
        block.resize(BLOCK, 0);
        fixup::protect(&mut block, 1);
        self.bytes.extend(block);
        vcn
    }
}

/// The bitmap of `blocks` index blocks, all in use: a multiple of 8 bytes.
pub(super) fn block_bitmap(blocks: usize) -> Vec<u8> {
    let mut bits = vec![0xFF; blocks / 8];
    if !blocks.is_multiple_of(8) {
        bits.push((1u8 << (blocks % 8)) - 1);
    }
    bits.resize(bits.len().next_multiple_of(8), 0);
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{ROOT_HEADER, entries};
    use crate::types::RecordNumber;

    /// Keys below a node in order. Every block has a key, leaves are equally deep, and flags say what there is.
    fn walk(
        tree: &Tree,
        node: &[u8],
        header: usize,
        depth: usize,
        leaf_depth: &mut Option<usize>,
    ) -> Vec<u32> {
        let list = entries(node, header, RecordNumber(0), None).unwrap();
        assert!(list.len() > 1 || header == ROOT_HEADER, "an empty block");
        let inner = list.iter().all(|entry| entry.subnode().is_some());
        assert!(inner || list.iter().all(|entry| entry.subnode().is_none()));
        assert_eq!(node[header + 12], u8::from(inner));
        if !inner {
            assert_eq!(*leaf_depth.get_or_insert(depth), depth);
        }
        let mut keys = Vec::new();
        for entry in list {
            if let Some(vcn) = entry.subnode() {
                let at = vcn.0 as usize * 4096;
                let mut block = tree.blocks[at..at + BLOCK].to_vec();
                fixup::apply(&mut block, SIGNATURE, "index block", 0).unwrap();
                assert_eq!(block[0x10..0x18], vcn.0.to_le_bytes());
                keys.extend(walk(tree, &block, BLOCK_HEADER, depth + 1, leaf_depth));
            }
            keys.extend(entry.key().first_chunk().map(|key| u32::from_le_bytes(*key)));
        }
        keys
    }

    #[test]
    fn trees_of_every_size_are_whole_and_have_no_empty_block() {
        let geometry = super::super::FormatOptions::new(1 << 20).geometry().unwrap();
        for key_bytes in [4, 0x42, 100, 0x240] {
            for count in (1..300).chain([5_000]) {
                let make = |number: u32| {
                    let mut key = number.to_le_bytes().to_vec();
                    key.resize(key_bytes, 0);
                    name_entry(7, &key)
                };
                let tree = tree(FILE_NAMES, (0..count).map(make).collect(), &geometry);
                let keys = walk(&tree, &tree.root, ROOT_HEADER, 0, &mut None);
                assert!(keys.into_iter().eq(0..count), "{count} keys of {key_bytes} bytes");
            }
        }
    }

    #[test]
    fn block_bitmaps_have_a_bit_for_each_block() {
        assert_eq!(block_bitmap(1), [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(block_bitmap(64), [0xFF; 8]);
        assert_eq!(block_bitmap(66)[8..], [3, 0, 0, 0, 0, 0, 0, 0]);
    }
}
