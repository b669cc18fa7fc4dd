//! Kinds of damage of names, descriptors, views and tables, on a volume with indexes.

use super::indexed::{Indexed, entry_length};
use super::indexed_cases::{Case, large, put};
use winrefit_ntfs::AttributeType as Type;
use winrefit_ntfs::RecordNumber;
use winrefit_ntfs::check::ProblemCode::*;

const NEXT_NAME: &str = "a name of some length, number 01235";

/// Changes the value of a file's $FILE_NAME.
fn name(lab: &mut Indexed, path: &str, change: impl FnOnce(&mut [u8])) {
    let file = lab.file(path);
    lab.edit_attribute(file, Type::FILE_NAME, "", |bytes| change(&mut bytes[0x18..]));
}

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
