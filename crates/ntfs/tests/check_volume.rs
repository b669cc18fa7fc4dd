//! Damage of what describes the volume as a whole, one kind at a time.
#![allow(clippy::unwrap_used, dead_code)]

mod common;

use common::image::mkntfs;
use common::lab::{CLUSTER, Case, Lab, run_cases};
use winrefit_ntfs::AttributeType as Type;
use winrefit_ntfs::check::{CheckOptions, PartitionPlace, ProblemCode as Code, check};
use winrefit_ntfs::fixup;

fn last_sector(lab: &Lab) -> usize {
    lab.bytes.len() - 512
}

/// Changes the boot sector and its backup alike.
fn boot(lab: &mut Lab, offset: usize, value: &[u8]) {
    let backup = last_sector(lab);
    lab.put(offset, value);
    lab.put(backup + offset, value);
}

fn volume_flags(lab: &mut Lab, flags: u16) {
    lab.edit_attribute(3, Type::VOLUME_INFORMATION, "", |bytes| {
        bytes[0x18 + 10..0x18 + 12].copy_from_slice(&flags.to_le_bytes());
    });
}

/// Two restart pages of this LFS version, with a client and without the clean flag.
fn log(lab: &mut Lab, major: u8) {
    let mut page = vec![0; 4096];
    for (offset, value) in [
        (0, &b"RSTR\x1e\0\x09\0"[..]),
        (0x10, &[0, 0x10, 0, 0, 0, 0x10, 0, 0, 0x30, 0, 1, 0, major, 0]),
    ] {
        page[offset..offset + value.len()].copy_from_slice(value);
    }
    fixup::protect(&mut page, 3);
    let place = lab.place(2, Type::DATA, "");
    lab.put(place, &page);
    lab.put(place + 4096, &page);
}

const BOOT: &[Case] = &[
    (
        "reserved sectors",
        |lab| boot(lab, 0x0E, &[1]),
        &[Code::BootSectorField],
    ),
    (
        "sectors per cluster",
        |lab| boot(lab, 0x0D, &[3]),
        &[Code::BootSectorField],
    ),
    (
        "no sectors",
        |lab| boot(lab, 0x28, &[0; 8]),
        &[Code::BootSectorField],
    ),
    (
        "backup gone",
        |lab| {
            let place = last_sector(lab);
            lab.put(place, &[0; 512]);
        },
        &[Code::BackupBootSectorMissing],
    ),
    (
        "backup stale",
        |lab| {
            let place = last_sector(lab);
            lab.bytes[place + 0x48] ^= 1;
        },
        &[Code::BackupBootSectorDiffers],
    ),
    (
        "larger than the medium",
        |lab| boot(lab, 0x2A, &[1]),
        &[Code::VolumeLargerThanPartition],
    ),
    (
        "$MFTMirr elsewhere",
        |lab| {
            let lcn = lab.volume().boot().mft_mirr_lcn().0;
            boot(lab, 0x38, &(lcn + 1).to_le_bytes());
        },
        &[Code::MirrorPlace],
    ),
    (
        "$MFT elsewhere",
        |lab| {
            let log = lab.place(2, Type::DATA, "") / CLUSTER;
            boot(lab, 0x30, &(log as u64).to_le_bytes());
        },
        &[Code::MftPlace, Code::RecordSignature, Code::MftReadByMirror],
    ),
    (
        "$MFT read from its mirror",
        |lab| {
            let lcn = lab.volume().boot().mft_mirr_lcn().0;
            boot(lab, 0x30, &lcn.to_le_bytes());
        },
        &[Code::MftPlace],
    ),
    (
        "$MFT's own record and its copy torn",
        |lab| {
            let (place, copy) = (lab.record_place(0) + 511, lab.place(1, Type::DATA, "") + 511);
            lab.bytes[place] ^= 0x40;
            lab.bytes[copy] ^= 0x40;
        },
        &[Code::MftUnreadable, Code::RecordTorn],
    ),
    (
        "$MFT's own record torn",
        |lab| {
            let place = lab.record_place(0) + 511;
            lab.bytes[place] ^= 0x40;
        },
        &[Code::RecordTorn, Code::MftReadByMirror],
    ),
];

const STATE: &[Case] = &[
    (
        "version",
        |lab| {
            lab.edit_attribute(3, Type::VOLUME_INFORMATION, "", |bytes| bytes[0x18 + 9] = 0);
        },
        &[Code::VolumeVersion],
    ),
    ("dirty", |lab| volume_flags(lab, 1), &[Code::VolumeDirty]),
    (
        "log to be resized",
        |lab| volume_flags(lab, 2),
        &[Code::ResizeLogPending],
    ),
    (
        "to be upgraded",
        |lab| volume_flags(lab, 4),
        &[Code::UpgradePending],
    ),
    ("chkdsk", |lab| volume_flags(lab, 0x8000), &[Code::ChkdskUnderWay]),
    (
        "no version",
        |lab| {
            lab.edit_attribute(3, Type::VOLUME_INFORMATION, "", |bytes| bytes[0] = 0x72);
        },
        &[Code::VolumeInformationMissing],
    ),
    (
        "log garbage",
        |lab| {
            let place = lab.place(2, Type::DATA, "");
            lab.put(place, &[0x55; 16384]);
        },
        &[Code::LogDamaged],
    ),
    ("log in use", |lab| log(lab, 1), &[Code::LogInUse]),
    ("log of version 2", |lab| log(lab, 2), &[Code::LogFastStartup]),
];

const METADATA: &[Case] = &[
    (
        "used cluster free",
        |lab| lab.mark_clusters(lab.split_lcn, 3, false),
        &[Code::ClusterUnmarked],
    ),
    (
        "cluster marked",
        |lab| lab.mark_clusters(lab.free_clusters(9) + 4, 5, true),
        &[Code::ClusterLeaked],
    ),
    (
        "padding",
        |lab| {
            let clusters = lab.volume().geometry().clusters();
            lab.mark_clusters(clusters, 1, false);
        },
        &[Code::BitmapPadding],
    ),
    (
        "$Bitmap short",
        |lab| {
            lab.add(6, Type::DATA, "", 0x30, -16);
            lab.add(6, Type::DATA, "", 0x38, -16);
        },
        &[Code::BitmapTooSmall],
    ),
    (
        "$Bitmap long",
        |lab| {
            lab.add(6, Type::DATA, "", 0x30, 8);
            lab.add(6, Type::DATA, "", 0x38, 8);
        },
        &[Code::BitmapSize],
    ),
    (
        "$Bitmap gone",
        |lab| lab.edit_attribute(6, Type::DATA, "", |bytes| bytes[0] = 0x82),
        &[Code::BitmapUnreadable],
    ),
    (
        "bitmap of the $MFT short",
        |lab| {
            lab.add(0, Type::BITMAP, "", 0x30, -8);
            lab.add(0, Type::BITMAP, "", 0x38, -8);
        },
        &[Code::MftBitmapTooSmall],
    ),
    (
        "bitmap of the $MFT gone",
        |lab| lab.edit_attribute(0, Type::BITMAP, "", |bytes| bytes[0] = 0xB2),
        &[Code::MftBitmapUnreadable],
    ),
    (
        "bitmap of the $MFT marks a record behind its end",
        |lab| lab.mark_record(50, true),
        &[Code::MftBitmapTail],
    ),
    (
        "mirror stale",
        |lab| {
            let place = lab.place(1, Type::DATA, "");
            lab.bytes[place + 3 * 1024 + 1000] ^= 1;
        },
        &[Code::MirrorDiffers],
    ),
    (
        "mirror short",
        |lab| {
            lab.add(1, Type::DATA, "", 0x30, -1024);
            lab.add(1, Type::DATA, "", 0x38, -1024);
        },
        &[Code::MirrorUnreadable],
    ),
    (
        "$Bad short",
        |lab| lab.add(8, Type::DATA, "$Bad", 0x30, -4096),
        &[Code::BadClusSize],
    ),
    (
        "$Bad gone",
        |lab| lab.edit_attribute(8, Type::DATA, "$Bad", |bytes| bytes[0x40] ^= 1),
        &[Code::UnexpectedHole, Code::BadClusMissing],
    ),
    (
        "a bad cluster",
        |lab| {
            let lcn = lab.free_clusters(1);
            lab.mark_clusters(lcn, 1, true);
            // One cluster, then a hole of 1022.
            let pairs = [0x11, 1, lcn as u8, 0x02, 0xFE, 0x03, 0];
            lab.edit_attribute(8, Type::DATA, "$Bad", |bytes| {
                bytes[0x48..0x4F].copy_from_slice(&pairs)
            });
        },
        &[Code::BadClusters],
    ),
    (
        "system file gone",
        |lab| {
            lab.edit(9, |plain| plain[0x16] = 0);
        },
        &[
            Code::RecordLeaked,
            Code::ClusterLeaked,
            Code::SystemRecordMissing,
            Code::IndexEntryDangling,
        ],
    ),
    (
        "system file renamed",
        |lab| {
            lab.edit_attribute(4, Type::FILE_NAME, "", |bytes| bytes[0x18 + 0x42 + 2] ^= 0x20);
        },
        &[
            Code::SystemRecordName,
            Code::IndexEntryUnmatched,
            Code::NameMissingInIndex,
        ],
    ),
    (
        "system file with another sequence",
        |lab| lab.edit(9, |plain| plain[0x10] = 1),
        &[
            Code::SystemRecordSequence,
            Code::IndexEntryDangling,
            Code::NameMissingInIndex,
        ],
    ),
    (
        "root with another sequence",
        |lab| lab.edit(5, |plain| plain[0x10] = 6),
        &[Code::ParentMissing, Code::IndexEntryParent, Code::RootRecord],
    ),
];

#[test]
fn a_damaged_boot_sector_is_found() {
    run_cases(BOOT);
}

#[test]
fn a_volume_that_is_not_at_rest_is_found() {
    run_cases(STATE);
}

#[test]
fn damaged_metadata_is_found() {
    run_cases(METADATA);
}

#[test]
fn the_place_in_the_partition_is_checked() {
    let Some(lab) = Lab::new() else { return };
    let sectors = lab.bytes.len() as u64 / 512;
    let codes = |start_lba, sectors, sector_size, bytes: &Vec<u8>| -> Vec<Code> {
        let partition = Some(PartitionPlace {
            start_lba,
            sectors,
            sector_size,
        });
        let options = CheckOptions {
            partition,
            ..CheckOptions::default()
        };
        common::lab::codes_of(&check(bytes, &options).unwrap())
    };
    assert_eq!(codes(2048, sectors, 512, &lab.bytes), []);
    // The field has 32 bits.
    assert_eq!(codes(2048 + (1 << 32), sectors, 512, &lab.bytes), []);
    assert_eq!(codes(4096, sectors, 512, &lab.bytes), [Code::HiddenSectors]);
    assert_eq!(
        codes(2048, sectors / 8, 4096, &lab.bytes),
        [Code::SectorSizeDiffers]
    );
    let larger = codes(2048, sectors - 1, 512, &lab.bytes);
    assert_eq!(larger, [Code::VolumeLargerThanPartition]);
    let mut long = lab.bytes.clone();
    long.resize(lab.bytes.len() + CLUSTER, 0);
    assert_eq!(
        codes(2048, sectors + 8, 512, &long),
        [Code::VolumeSmallerThanPartition]
    );
    let end = lab.bytes.len();
    long.copy_within(end - 512..end, end + CLUSTER - 512);
    long[end - 512..end].fill(0);
    let elsewhere = [Code::BackupBootSectorElsewhere, Code::VolumeSmallerThanPartition];
    assert_eq!(codes(2048, sectors + 8, 512, &long), elsewhere);
}

#[test]
fn what_is_not_ntfs_is_an_error_and_no_report() {
    let error = check(vec![0; 65536], &CheckOptions::default()).unwrap_err();
    assert!(matches!(error, winrefit_ntfs::NtfsError::NotNtfs { .. }));
}

#[test]
fn a_mirror_of_a_large_cluster_may_be_stale_behind_its_fourth_record() {
    let Some(image) = mkntfs(16 << 20, 512, 65536) else {
        return;
    };
    let mut bytes = image.bytes();
    let codes = |bytes: &Vec<u8>| -> Vec<Code> {
        check(bytes, &CheckOptions::default())
            .unwrap()
            .counts
            .into_keys()
            .collect()
    };
    assert_eq!(codes(&bytes), []);
    let mirror = winrefit_ntfs::Volume::open(&bytes)
        .unwrap()
        .boot()
        .mft_mirr_lcn()
        .0 as usize
        * 65536;
    bytes[mirror + 5 * 1024 + 0x40] ^= 1;
    assert_eq!(codes(&bytes), [Code::MirrorTailDiffers]);
    bytes[mirror + 3 * 1024 + 0x40] ^= 1;
    assert_eq!(codes(&bytes), [Code::MirrorDiffers, Code::MirrorTailDiffers]);
}
