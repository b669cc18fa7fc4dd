//! Damage of file records and attributes, one kind at a time: each is found, and nothing else is reported.
#![allow(clippy::unwrap_used, dead_code)]

mod common;

use common::lab::{CLUSTER, Case, EXTENSION, FREE, Lab, SPLIT, run_cases};
use winrefit_ntfs::AttributeType as Type;
use winrefit_ntfs::check::ProblemCode as Code;

/// A record with sound attributes that no other check depends on: $UpCase.
const FILE: u64 = 10;

fn set(lab: &mut Lab, record: u64, offset: usize, value: &'static [u8]) {
    lab.edit(record, |plain| {
        plain[offset..offset + value.len()].copy_from_slice(value)
    });
}

fn set_attribute(lab: &mut Lab, record: u64, type_code: Type, offset: usize, value: &'static [u8]) {
    lab.edit_attribute(record, type_code, "", |bytes| {
        bytes[offset..offset + value.len()].copy_from_slice(value);
    });
}

/// Replaces the mapping pairs of $UpCase.
fn pairs(lab: &mut Lab, value: &'static [u8]) {
    set_attribute(lab, FILE, Type::DATA, 0x40, value);
}

const HEADERS: &[Case] = &[
    (
        "a stride not written",
        |lab| {
            let place = lab.record_place(SPLIT) + 1023;
            lab.bytes[place] ^= 1;
        },
        &[
            Code::RecordTorn,
            Code::ExtensionOrphan,
            Code::ClusterLeaked,
            Code::IndexEntryDangling,
        ],
    ),
    (
        "marked bad",
        |lab| {
            let place = lab.record_place(24);
            lab.put(place, b"BAAD");
        },
        &[Code::RecordMarkedBad, Code::IndexEntryDangling],
    ),
    (
        "signature gone",
        |lab| {
            let place = lab.record_place(24);
            lab.put(place, &[0; 1024]);
        },
        &[Code::RecordSignature, Code::IndexEntryDangling],
    ),
    (
        "used size not a multiple of 8",
        |lab| {
            lab.edit(24, |plain| plain[0x18] -= 4);
        },
        &[Code::RecordHeader, Code::IndexEntryDangling],
    ),
    (
        "allocated size",
        |lab| set(lab, 24, 0x1C, &[0, 8]),
        &[Code::RecordHeader, Code::IndexEntryDangling],
    ),
    (
        "sequence 0",
        |lab| set(lab, 24, 0x10, &[0, 0]),
        &[
            Code::RecordSequence,
            Code::IndexEntryDangling,
            Code::NameMissingInIndex,
        ],
    ),
    (
        "another record's number",
        |lab| set(lab, 24, 0x2C, &[9]),
        &[Code::RecordNumberDiffers],
    ),
    (
        "free in the bitmap",
        |lab| lab.mark_record(24, false),
        &[Code::RecordUnmarked],
    ),
    (
        "marked though free",
        |lab| lab.mark_record(FREE, true),
        &[Code::RecordLeaked],
    ),
    (
        "free and torn",
        |lab| {
            let place = lab.record_place(FREE) + 1023;
            lab.bytes[place] ^= 1;
        },
        &[Code::FreeRecordDamaged],
    ),
    (
        "free and nearly empty",
        |lab| {
            let place = lab.record_place(FREE);
            lab.put(place, &[0; 1024]);
            lab.put(place + 77, &[1]);
        },
        &[Code::FreeRecordDamaged],
    ),
    (
        "used size too large",
        |lab| lab.edit(24, |plain| plain[0x18] += 8),
        &[Code::BytesUsed],
    ),
    (
        "no end marker",
        |lab| {
            lab.edit(24, |plain| {
                let used = usize::from(u16::from_le_bytes([plain[0x18], plain[0x19]]));
                plain[used - 8..used].fill(0);
            });
        },
        &[Code::AttributeMalformed],
    ),
    (
        "used size too small",
        |lab| lab.edit(24, |plain| plain[0x18] -= 8),
        &[Code::AttributesUnterminated],
    ),
    (
        "attribute length",
        |lab| set_attribute(lab, 24, Type::FILE_NAME, 4, &[0x61]),
        &[
            Code::AttributeMalformed,
            Code::IndexEntryUnmatched,
            Code::NamelessFile,
        ],
    ),
    (
        "next id",
        |lab| set(lab, 24, 0x28, &[0, 0]),
        &[Code::NextAttributeId],
    ),
    ("link count", |lab| set(lab, 24, 0x12, &[7]), &[Code::LinkCount]),
    (
        "link count of a file with a list",
        |lab| set(lab, SPLIT, 0x12, &[7]),
        &[Code::LinkCount],
    ),
];

const ATTRIBUTES: &[Case] = &[
    (
        "order",
        |lab| set_attribute(lab, FILE, Type::STANDARD_INFORMATION, 0, &[0x40]),
        &[
            Code::AttributeOrder,
            Code::ObjectIdIndex,
            Code::StandardInformation,
        ],
    ),
    (
        "id used twice",
        |lab| {
            let read = lab
                .volume()
                .read_record(winrefit_ntfs::RecordNumber(FILE))
                .unwrap();
            let id = read.find(Type::DATA, "").unwrap().unwrap().id().to_le_bytes();
            lab.edit_attribute(FILE, Type::FILE_NAME, "", |bytes| {
                bytes[0x0E..0x10].copy_from_slice(&id)
            });
        },
        &[Code::AttributeIdDuplicate],
    ),
    (
        "index root in clusters",
        |lab| set_attribute(lab, 4, Type::DATA, 0, &[0x90]),
        &[Code::AttributeNotResident, Code::AttributeDefinitions],
    ),
    (
        "namespace",
        |lab| set_attribute(lab, 24, Type::FILE_NAME, 0x18 + 0x41, &[9]),
        &[
            Code::FileNameMalformed,
            Code::IndexEntryUnmatched,
            Code::NamelessFile,
        ],
    ),
    (
        "not indexed",
        |lab| set_attribute(lab, 24, Type::FILE_NAME, 0x16, &[0]),
        &[Code::FileNameNotIndexed],
    ),
    (
        "parent reused",
        |lab| set_attribute(lab, 24, Type::FILE_NAME, 0x18 + 6, &[99]),
        &[Code::ParentMissing, Code::IndexEntryUnmatched],
    ),
    (
        "parent is a file",
        |lab| {
            set_attribute(lab, 24, Type::FILE_NAME, 0x18, &[10, 0, 0, 0, 0, 0, 10, 0]);
        },
        &[Code::ParentMissing, Code::IndexEntryUnmatched],
    ),
    (
        "data size",
        |lab| lab.add(4, Type::DATA, "", 0x30, 5000),
        &[Code::DataSize],
    ),
    (
        "initialised size",
        |lab| lab.add(4, Type::DATA, "", 0x38, 1),
        &[Code::InitializedSize],
    ),
    (
        "allocated size",
        |lab| lab.add(4, Type::DATA, "", 0x28, 4096),
        &[Code::AllocatedSize],
    ),
    (
        "allocated size of a split stream",
        |lab| lab.add(SPLIT, Type::DATA, "", 0x28, 4096),
        &[Code::AllocatedSize],
    ),
    (
        "total allocated size",
        |lab| lab.add(SPLIT, Type::DATA, "", 0x40, -4096),
        &[Code::TotalAllocated],
    ),
    (
        "pairs without sense",
        |lab| pairs(lab, &[0x9F]),
        &[Code::RunsDamaged, Code::ClusterLeaked, Code::UpCaseUnreadable],
    ),
    (
        "LCN of -1",
        |lab| pairs(lab, &[0x11, 32, 0xFF, 0]),
        &[Code::RunsDamaged, Code::ClusterLeaked, Code::UpCaseUnreadable],
    ),
    (
        "a run shorter than its VCNs",
        |lab| lab.add(FILE, Type::DATA, "", 0x18, 1),
        &[Code::RunsLength, Code::UpCaseUnreadable],
    ),
    (
        "a run behind the end",
        |lab| pairs(lab, &[0x21, 32, 0xFF, 0x7F, 0]),
        &[Code::RunOutOfBounds, Code::ClusterLeaked, Code::UpCaseUnreadable],
    ),
    (
        "a hole",
        |lab| pairs(lab, &[0x01, 32, 0]),
        &[
            Code::UnexpectedHole,
            Code::ClusterLeaked,
            Code::IndexOrder,
            Code::UpCaseMapping,
            Code::UpCaseChecksum,
        ],
    ),
    (
        "clusters of another file",
        |lab| {
            let lcn = lab.place(2, Type::DATA, "") / CLUSTER + 7;
            lab.edit_attribute(FILE, Type::DATA, "", |bytes| {
                bytes[0x40..0x45].copy_from_slice(&[0x21, 32, lcn as u8, (lcn >> 8) as u8, 0]);
            });
        },
        &[
            Code::ClusterOwnedTwice,
            Code::ClusterLeaked,
            Code::IndexOrder,
            Code::UpCaseMapping,
            Code::UpCaseChecksum,
        ],
    ),
];

const SPLITS: &[Case] = &[
    (
        "a piece too far",
        |lab| {
            lab.add(EXTENSION, Type::DATA, "", 0x10, 1);
            lab.add(EXTENSION, Type::DATA, "", 0x18, 1);
            lab.edit_attribute(SPLIT, Type::ATTRIBUTE_LIST, "", |bytes| {
                bytes[0x18 + 0x60 + 8] = 5
            });
        },
        &[Code::StreamGap],
    ),
    (
        "a piece elsewhere than listed",
        |lab| {
            lab.add(EXTENSION, Type::DATA, "", 0x10, 1);
            lab.add(EXTENSION, Type::DATA, "", 0x18, 1);
        },
        &[
            Code::StreamGap,
            Code::AttributeListDangling,
            Code::AttributeUnlisted,
        ],
    ),
    (
        "two entries exchanged",
        |lab| {
            lab.edit_attribute(SPLIT, Type::ATTRIBUTE_LIST, "", |bytes| {
                let (a, b) = bytes[0x18..0x58].split_at_mut(0x20);
                a.swap_with_slice(b);
            });
        },
        &[Code::AttributeListOrder],
    ),
    (
        "entry length 0",
        |lab| set_attribute(lab, SPLIT, Type::ATTRIBUTE_LIST, 0x18 + 4, &[0]),
        &[Code::AttributeListDamaged],
    ),
    (
        "entry names another id",
        |lab| set_attribute(lab, SPLIT, Type::ATTRIBUTE_LIST, 0x18 + 0x18, &[8]),
        &[Code::AttributeListDangling, Code::AttributeUnlisted],
    ),
    (
        "entry with a stale sequence",
        |lab| {
            set_attribute(lab, SPLIT, Type::ATTRIBUTE_LIST, 0x18 + 0x60 + 0x16, &[8]);
        },
        &[Code::AttributeListDangling],
    ),
    (
        "entry gone",
        |lab| set_attribute(lab, SPLIT, Type::ATTRIBUTE_LIST, 0x10, &[0x60]),
        &[Code::AttributeUnlisted],
    ),
    (
        "base with another sequence",
        |lab| set(lab, EXTENSION, 0x26, &[7]),
        &[
            Code::AllocatedSize,
            Code::TotalAllocated,
            Code::AttributeListDangling,
            Code::ExtensionOrphan,
        ],
    ),
    (
        "base is free",
        |lab| {
            set(lab, EXTENSION, 0x20, &[FREE as u8]);
        },
        &[
            Code::AllocatedSize,
            Code::TotalAllocated,
            Code::AttributeListDangling,
            Code::ExtensionOrphan,
        ],
    ),
];

#[test]
fn damaged_headers_are_found() {
    run_cases(HEADERS);
}

#[test]
fn damaged_attributes_are_found() {
    run_cases(ATTRIBUTES);
}

#[test]
fn damaged_attribute_lists_are_found() {
    run_cases(SPLITS);
}

#[test]
fn both_owners_of_a_cluster_are_named_exactly() {
    let Some(mut lab) = Lab::new() else { return };
    let lcn = lab.split_lcn + 6;
    let (low, high) = (lcn as u8, (lcn >> 8) as u8);
    lab.edit_attribute(FILE, Type::DATA, "", |bytes| {
        bytes[0x40..0x45].copy_from_slice(&[0x21, 32, low, high, 0]);
    });
    let report = lab.check();
    let twice: Vec<_> = report
        .problems
        .iter()
        .filter(|p| p.code == Code::ClusterOwnedTwice)
        .collect();
    let [problem] = twice[..] else {
        panic!("{report:?}")
    };
    let other = problem.other.as_ref().unwrap();
    let mut records = [problem.record.unwrap().0, other.record.0];
    records.sort_unstable();
    assert_eq!(records, [FILE, SPLIT]);
    assert_eq!((problem.lcn.unwrap().0, problem.clusters), (lcn, Some(2)));
    assert_eq!(report.shared_clusters, 2);
}
