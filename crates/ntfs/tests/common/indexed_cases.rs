//! Kinds of damage of a volume with indexes: what it is, how it is done, and the codes that have to be found.

use super::indexed::{Indexed, entry_length};
use winrefit_ntfs::AttributeType as Type;
use winrefit_ntfs::RecordNumber;
use winrefit_ntfs::check::ProblemCode::{self, *};
use winrefit_ntfs::index::I30;

pub type Case = (&'static str, fn(&mut Indexed), &'static [ProblemCode]);

const NAME: &str = "a name of some length, number 01234";
const NEXT_NAME: &str = "a name of some length, number 01235";

fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    bytes[offset..offset + value.len()].copy_from_slice(value);
}

fn large(lab: &mut Indexed, change: impl FnOnce(&mut [u8], usize)) {
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

/// Changes the value of a file's $FILE_NAME.
fn name(lab: &mut Indexed, path: &str, change: impl FnOnce(&mut [u8])) {
    let file = lab.file(path);
    lab.edit_attribute(file, Type::FILE_NAME, "", |bytes| change(&mut bytes[0x18..]));
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

pub const NAMES: &[Case] = &[
    (
        "entry with a stale sequence",
        |lab| large(lab, |node, at| node[at + 6] ^= 1),
        &[IndexEntryDangling, NameMissingInIndex],
    ),
    (
        "entry of a record behind the $MFT",
        |lab| large(lab, |node, at| node[at + 3] = 1),
        &[IndexEntryDangling, NameMissingInIndex],
    ),
    (
        "entry of another file",
        |lab| {
            let other = lab.file(&format!("large/{NEXT_NAME}")) as u32;
            large(lab, |node, at| put(node, at, &other.to_le_bytes()));
        },
        &[IndexEntryUnmatched, NameMissingInIndex],
    ),
    (
        "entry of another directory",
        |lab| {
            let other = lab.file("small") as u32;
            large(lab, |node, at| put(node, at + 0x10, &other.to_le_bytes()));
        },
        &[IndexEntryParent, NameMissingInIndex],
    ),
    (
        "entry with another namespace",
        |lab| large(lab, |node, at| node[at + 0x10 + 0x41] ^= 1),
        &[IndexEntryUnmatched, NameMissingInIndex],
    ),
    (
        "entry with another case",
        |lab| large(lab, |node, at| node[at + 0x10 + 0x42] ^= 0x20),
        &[IndexEntryUnmatched, NameMissingInIndex],
    ),
    (
        "entry gone",
        |lab| {
            large(lab, |node, at| {
                let length = entry_length(node, at);
                let used = u32::from_le_bytes(node[0x1C..0x20].try_into().unwrap()) as usize;
                node.copy_within(at + length..0x18 + used, at);
                put(node, 0x1C, &((used - length) as u32).to_le_bytes());
            });
        },
        &[NameMissingInIndex],
    ),
    (
        "entry takes a file for a directory",
        |lab| large(lab, |node, at| node[at + 0x10 + 0x3B] |= 0x10),
        &[IndexEntryFlags],
    ),
    (
        "entry with another data size",
        |lab| large(lab, |node, at| node[at + 0x10 + 0x30] += 1),
        &[IndexEntrySizes],
    ),
    (
        "name with another directory",
        |lab| {
            let other = lab.file("large") as u32;
            name(lab, "small/file 1", |value| put(value, 0, &other.to_le_bytes()));
        },
        &[IndexEntryUnmatched, NameMissingInIndex],
    ),
    (
        "DOS name alone",
        |lab| {
            name(lab, "small/file 1", |value| value[0x41] = 2);
            let directory = lab.file("small");
            lab.edit_entry(directory, "file 1", |node, at| node[at + 0x10 + 0x41] = 2);
        },
        &[DosNameUnpaired],
    ),
    (
        "file without a name",
        |lab| {
            let file = lab.file("small/file 1");
            lab.edit_attribute(file, Type::FILE_NAME, "", |bytes| bytes[0] = 0x40);
            lab.edit(file, |plain| plain[0x12] = 0);
        },
        &[IndexEntryUnmatched, NamelessFile, ObjectIdIndex],
    ),
    (
        "two directories within each other",
        |lab| {
            let (inner, innermost) = (lab.file("large/inner"), lab.file("large/inner/innermost"));
            name(lab, "large/inner", |value| {
                put(value, 0, &(innermost as u32).to_le_bytes())
            });
            let _ = inner;
        },
        &[IndexEntryUnmatched, NameMissingInIndex, Unreachable],
    ),
    (
        "directory in two directories",
        |lab| {
            let (inner, small) = (lab.file("large/inner"), lab.file("small") as u32);
            let read = lab.volume().read_record(RecordNumber(inner)).unwrap();
            let name = read.find(Type::FILE_NAME, "").unwrap().unwrap();
            let (start, mut copy) = (name.offset(), name.bytes().to_vec());
            let (id, used) = (read.next_attribute_id(), read.bytes_used());
            put(&mut copy, 0x0E, &id.to_le_bytes());
            put(&mut copy, 0x18, &small.to_le_bytes());
            lab.edit(inner, |plain| {
                let behind = start + copy.len();
                plain.copy_within(behind..used, behind + copy.len());
                put(plain, behind, &copy);
                put(plain, 0x12, &2u16.to_le_bytes());
                put(plain, 0x18, &((used + copy.len()) as u32).to_le_bytes());
                put(plain, 0x28, &(id + 1).to_le_bytes());
            });
        },
        &[NameMissingInIndex, DirectoryTwice],
    ),
    (
        "$STANDARD_INFORMATION short",
        |lab| {
            let file = lab.file("small/file 1");
            lab.edit_attribute(file, Type::STANDARD_INFORMATION, "", |bytes| bytes[0x10] = 0x40);
        },
        &[StandardInformation],
    ),
    (
        "$DATA twice",
        |lab| {
            lab.edit_attribute(8, Type::DATA, "$Bad", |bytes| bytes[9] = 0);
        },
        &[UnexpectedHole, BadClusMissing, AttributeDuplicate],
    ),
];

/// Changes bytes of $SDS.
fn descriptors(lab: &mut Indexed, offset: usize, change: impl FnOnce(&mut u8)) {
    let place = lab.place(9, Type::DATA, "$SDS", offset);
    change(&mut lab.bytes[place]);
}

pub const SECURITY: &[Case] = &[
    (
        "header in $SDS",
        |lab| descriptors(lab, 4, |byte| *byte = 9),
        &[SecurityEntry, SecurityCopies],
    ),
    (
        "descriptor in both copies",
        |lab| {
            descriptors(lab, 0x40, |byte| *byte ^= 1);
            descriptors(lab, 0x40040, |byte| *byte ^= 1);
        },
        &[SecurityHash],
    ),
    (
        "revision of a descriptor, its hash kept",
        |lab| {
            for copy in [0, 0x40000] {
                descriptors(lab, copy + 0x14, |byte| *byte += 1);
                descriptors(lab, copy + 0x18, |byte| *byte -= 8);
            }
        },
        &[SecurityDescriptor],
    ),
    (
        "second copy",
        |lab| descriptors(lab, 0x40050, |byte| *byte ^= 0x80),
        &[SecurityCopies],
    ),
    (
        "entry of $SII",
        |lab| lab.edit_root(9, "$SII", |root| root[0x20 + 0x14] ^= 1),
        &[SecurityIndex],
    ),
    (
        "entry of $SDH",
        |lab| lab.edit_root(9, "$SDH", |root| root[0x20 + 0x20] ^= 1),
        &[SecurityIndex],
    ),
    (
        "order of $SII",
        |lab| lab.edit_root(9, "$SII", |root| root[0x20 + 0x10 + 2] = 1),
        &[IndexOrder, SecurityIndex],
    ),
    (
        "$SII gone",
        |lab| lab.edit_attribute(9, Type::INDEX_ROOT, "$SII", |bytes| bytes[0x1A] ^= 1),
        &[AttributeOrder, SecurityUnreadable],
    ),
    (
        "security id that does not exist",
        |lab| {
            let file = lab.file("small/file 1");
            lab.edit_attribute(file, Type::STANDARD_INFORMATION, "", |bytes| {
                bytes[0x18 + 0x35] = 9
            });
        },
        &[SecurityIdMissing],
    ),
];

pub const VIEWS: &[Case] = &[
    (
        "a reparse point that is not listed",
        |lab| {
            let file = lab.file("small/file 1");
            lab.edit_attribute(file, Type::DATA, "", |bytes| bytes[0] = 0xC0);
        },
        &[IndexEntrySizes, ReparseIndex],
    ),
    (
        "an object id that is not listed",
        |lab| {
            // The volume's own, in another file.
            let file = lab.file("small/file 0");
            lab.edit_attribute(file, Type::DATA, "", |bytes| bytes[0] = 0x40);
        },
        &[ObjectIdIndex],
    ),
];

pub const TABLES: &[Case] = &[
    (
        "$UpCase maps a letter wrong",
        |lab| {
            let place = lab.place(10, Type::DATA, "", 0x61 * 2);
            lab.bytes[place] = 0x62;
        },
        &[IndexOrder, UpCaseMapping, UpCaseChecksum],
    ),
    (
        "checksum of $UpCase",
        |lab| {
            lab.edit_attribute(10, Type::DATA, "$Info", |bytes| {
                bytes[usize::from(bytes[0x14]) + 8] ^= 1
            })
        },
        &[UpCaseChecksum],
    ),
    (
        "$UpCase short",
        |lab| {
            lab.edit_attribute(10, Type::DATA, "", |bytes| {
                put(bytes, 0x30, &0x1FFFEu32.to_le_bytes());
                put(bytes, 0x38, &0x1FFFEu32.to_le_bytes());
            });
        },
        &[UpCaseUnreadable],
    ),
    (
        "$AttrDef",
        |lab| {
            let place = lab.place(4, Type::DATA, "", 160 + 128);
            lab.bytes[place] ^= 4;
        },
        &[AttributeDefinitions],
    ),
    (
        "reserved record free",
        |lab| {
            lab.edit(14, |plain| plain[0x16] = 0);
            let place = lab.place(0, Type::BITMAP, "", 1);
            lab.bytes[place] &= !0x40;
        },
        &[ReservedRecordFree],
    ),
    (
        "$MFT's own record torn",
        |lab| {
            let place = lab.place(0, Type::DATA, "", 511);
            lab.bytes[place] ^= 0x40;
        },
        &[RecordTorn, MftReadByMirror],
    ),
];
