//! Kinds of damage of a volume with indexes: what it is, how it is done, and the codes that have to be found.

use super::indexed::{Indexed, entry_length};
use winrefit_ntfs::AttributeType as Type;
use winrefit_ntfs::check::ProblemCode::{self, *};
use winrefit_ntfs::index::I30;

pub type Case = (&'static str, fn(&mut Indexed), &'static [ProblemCode]);

const NAME: &str = "a name of some length, number 01234";

pub fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    bytes[offset..offset + value.len()].copy_from_slice(value);
}

pub fn large(lab: &mut Indexed, change: impl FnOnce(&mut [u8], usize)) {
    let directory = lab.file("large");
    lab.edit_entry(directory, NAME, change);
}

fn leaf(lab: &mut Indexed, change: impl FnOnce(&mut [u8])) {
    let directory = lab.file("large");
    let block = lab.find_block(directory, false);
    lab.edit_block(directory, block, change);
}

fn inner(lab: &mut Indexed, change: impl FnOnce(&mut [u8])) {
    let directory = lab.file("large");
    let block = lab.find_block(directory, true);
    lab.edit_block(directory, block, change);
}

/// The first entry of a block.
fn first(node: &[u8]) -> usize {
    0x18 + usize::from(node[0x18])
}

pub const DIRECTORIES: &[Case] = &[
    (
        "$INDEX_ROOT gone",
        |lab| {
            let file = lab.file("small");
            lab.edit_attribute(file, Type::INDEX_ROOT, I30, |bytes| bytes[0] = 0x92);
        },
        &[IndexRootMissing],
    ),
    (
        "directory flag off",
        |lab| {
            let file = lab.file("small");
            lab.edit(file, |plain| plain[0x16] = 1);
        },
        &[ParentMissing, IndexWithoutFlag, IndexEntryFlags],
    ),
    (
        "type of the root",
        |lab| {
            let file = lab.file("small");
            lab.edit_root(file, I30, |root| root[0] = 0x40);
        },
        &[IndexRootField],
    ),
    (
        "collation of the root",
        |lab| {
            let file = lab.file("small");
            lab.edit_root(file, I30, |root| root[4] = 2);
        },
        &[IndexRootField],
    ),
    (
        "block size of the root",
        |lab| {
            let file = lab.file("large");
            lab.edit_root(file, I30, |root| root[9] = 8);
        },
        &[IndexRootField],
    ),
    (
        "entries of the root begin too far",
        |lab| {
            let file = lab.file("small");
            lab.edit_root(file, I30, |root| root[0x11] = 0x40);
        },
        &[IndexNodeHeader],
    ),
    (
        "$INDEX_ALLOCATION gone",
        |lab| {
            let file = lab.file("large");
            lab.edit_attribute(file, Type::INDEX_ALLOCATION, I30, |bytes| bytes[0] = 0xA2);
        },
        &[IndexAllocationMissing],
    ),
    (
        "$BITMAP gone",
        |lab| {
            let file = lab.file("large");
            lab.edit_attribute(file, Type::BITMAP, I30, |bytes| bytes[0] = 0xB2);
        },
        &[IndexBitmapMissing],
    ),
    (
        "$BITMAP short",
        |lab| {
            let file = lab.file("large");
            lab.edit_attribute(file, Type::BITMAP, I30, |bytes| bytes[0x10] -= 8);
        },
        &[IndexBitmapTooSmall],
    ),
    (
        "$INDEX_ALLOCATION longer than its clusters",
        |lab| {
            let file = lab.file("large");
            lab.edit_attribute(file, Type::INDEX_ALLOCATION, I30, |bytes| bytes[0x36] = 1);
        },
        &[DataSize, IndexUnreadable],
    ),
];

pub const TREES: &[Case] = &[
    (
        "signature of a block",
        |lab| {
            let directory = lab.file("large");
            let place = lab.block_place(directory, 0);
            lab.bytes[place] = b'X';
        },
        &[IndexBlockSignature],
    ),
    (
        "block torn",
        |lab| {
            let directory = lab.file("large");
            let place = lab.block_place(directory, 0);
            lab.bytes[place + 1023] ^= 1;
        },
        &[IndexBlockTorn],
    ),
    (
        "VCN of a block",
        |lab| leaf(lab, |plain| plain[0x10] ^= 4),
        &[IndexBlockVcn],
    ),
    (
        "used size of a node",
        |lab| leaf(lab, |plain| plain[0x1D] = 0xFF),
        &[IndexNodeHeader],
    ),
    (
        "allocated size of a node",
        |lab| leaf(lab, |plain| plain[0x21] ^= 1),
        &[IndexNodeHeader],
    ),
    (
        "entry length",
        |lab| large(lab, |node, at| node[at + 8] += 4),
        &[IndexEntryMalformed],
    ),
    (
        "entry of length 0",
        |lab| large(lab, |node, at| node[at + 8] = 0),
        &[IndexEntryMalformed],
    ),
    (
        "key longer than its entry",
        |lab| large(lab, |node, at| node[at + 10] = 0xFF),
        &[IndexEntryMalformed],
    ),
    (
        "last entry in the middle",
        |lab| large(lab, |node, at| node[at + 12] |= 2),
        &[IndexEntryMalformed],
    ),
    (
        "entry of an inner node without a sub-node",
        |lab| {
            inner(lab, |plain| {
                let at = first(plain);
                plain[at + 12] = 0;
            });
        },
        &[IndexSubnode],
    ),
    (
        "sub-node behind the end",
        |lab| {
            inner(lab, |plain| {
                let at = first(plain);
                let end = at + entry_length(plain, at);
                plain[end - 2] = 1;
            });
        },
        &[IndexSubnode],
    ),
    (
        "sub-node twice",
        |lab| {
            inner(lab, |plain| {
                let at = first(plain);
                let end = at + entry_length(plain, at);
                let vcn = plain[end - 8..end].to_vec();
                let next = end + entry_length(plain, end);
                put(plain, next - 8, &vcn);
            });
        },
        &[IndexBlockShared],
    ),
    (
        "a leaf as its own parent",
        |lab| {
            inner(lab, |plain| {
                let own = plain[0x10..0x18].to_vec();
                let at = first(plain);
                let end = at + entry_length(plain, at);
                put(plain, end - 8, &own);
            });
        },
        &[IndexBlockShared],
    ),
    (
        "a level left out",
        |lab| {
            // The topmost block names, in place of an inner block, the first leaf of that.
            let directory = lab.file("large");
            let top = (0..lab.blocks(directory))
                .rev()
                .find(|&block| lab.block(directory, block)[0x24] == 1);
            let top = top.unwrap();
            let plain = lab.block(directory, top);
            let at = first(&plain);
            let end = at + entry_length(&plain, at);
            let below = plain[end - 8] as usize;
            let below = lab.block(directory, below);
            let at = first(&below);
            let leaf_end = at + entry_length(&below, at);
            let vcn = below[leaf_end - 8..leaf_end].to_vec();
            lab.edit_block(directory, top, |plain| put(plain, end - 8, &vcn));
        },
        &[IndexDepth, IndexBlockLeaked, NameMissingInIndex],
    ),
    (
        "block in use free in the bitmap",
        |lab| {
            let file = lab.file("large");
            lab.edit_attribute(file, Type::BITMAP, I30, |bytes| bytes[0x20] &= !4);
        },
        &[IndexBlockUnmarked],
    ),
    (
        "bit behind the last block",
        |lab| {
            let file = lab.file("large");
            lab.edit_attribute(file, Type::BITMAP, I30, |bytes| *bytes.last_mut().unwrap() = 0x80);
        },
        &[IndexBlockLeaked],
    ),
    (
        "two entries exchanged",
        |lab| {
            large(lab, |node, at| {
                let length = entry_length(node, at);
                assert_eq!(length, entry_length(node, at + length));
                let (a, b) = node[at..at + 2 * length].split_at_mut(length);
                a.swap_with_slice(b);
            });
        },
        &[IndexOrder],
    ),
    (
        "an entry twice",
        |lab| {
            large(lab, |node, at| {
                let length = entry_length(node, at);
                node.copy_within(at..at + length, at + length);
            });
        },
        &[IndexEntryDuplicate, NameMissingInIndex],
    ),
];
