//! Both ends of volumes that other people's tools made: Windows' own, and mkntfs' with files written by ntfs-3g.
#![allow(clippy::unwrap_used)]

mod common;

use common::image::{Image, mkntfs};
use common::judge::assert_tools_accept;
use common::tools::fixture;
use std::collections::BTreeMap;
use winrefit_disk::{ByteRange, Device, MemoryDevice, ReadAt, ReadWindow, SectorSize, Window};
use winrefit_ntfs::record::Record;
use winrefit_ntfs::resize::{
    FrontGrowth, ResizeError, front_growth_clusters_min, grow_end, grow_front, shrink_end,
};
use winrefit_ntfs::{AttributeType, NtfsError, RecordNumber, Volume, fixup};

/// Every stream of every file in use: (record, attribute type, name) to content.
fn contents<R: ReadAt>(reader: R) -> BTreeMap<(u64, u32, Vec<u16>), Vec<u8>> {
    let volume = Volume::open(reader).unwrap();
    let mut all = BTreeMap::new();
    for number in 0..volume.records() {
        let Ok(file) = volume.file(RecordNumber(number)) else {
            continue;
        };
        if !file.base().is_in_use() || file.base().base().is_some() {
            continue;
        }
        let keys: Vec<_> = file
            .attributes()
            .map(|a| a.unwrap())
            .map(|a| (a.type_code(), a.name()))
            .collect();
        for (type_code, name) in keys {
            // What spans the volume changes with its size, and the journal and the table itself are checked elsewhere.
            let index_of_root = number == 5 && [0x90, 0xA0].contains(&type_code.0);
            if [0, 1, 6, 7, 8].contains(&number) || index_of_root {
                continue;
            }
            let text = String::from_utf16(&name).unwrap();
            let stream = file.stream(type_code, &text).unwrap().unwrap();
            if let Ok(bytes) = volume.read_stream(stream, 1 << 30) {
                all.insert((number, type_code.0, name), bytes);
            }
        }
    }
    assert!(all.len() > 20);
    all
}

/// Fails with the keys of what differs, not with megabytes of content.
fn assert_same<A: ReadAt, B: ReadAt>(a: A, b: B) {
    let (a, b) = (contents(a), contents(b));
    let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let differ: Vec<_> = keys
        .into_iter()
        .filter(|key| a.get(*key) != b.get(*key))
        .collect();
    assert!(
        differ.is_empty(),
        "streams differ (record, type, name): {differ:?}"
    );
}

/// A device with `image` at its end and `front` bytes of noise before it.
fn with_front(image: &[u8], front: usize) -> MemoryDevice {
    let mut bytes: Vec<u8> = (0..front).map(|i| (i * 7 + i / 251) as u8).collect();
    bytes.extend_from_slice(image);
    MemoryDevice::from_bytes(bytes, SectorSize::B512)
}

fn save_and_check(bytes: &[u8]) {
    let sector_size = u16::from_le_bytes([bytes[0x0B], bytes[0x0C]]);
    assert_tools_accept(&Image::of(bytes, 0, sector_size.into()));
}

fn grow_front_of(image: &[u8], front: u64) {
    let mut device = with_front(image, front as usize);
    let cluster = u64::from(Volume::open(image).unwrap().geometry().cluster_size);
    let old = ReadWindow::new(&device, ByteRange::new(front, device.size())).unwrap();
    let edits = grow_front(
        old,
        FrontGrowth {
            clusters: front / cluster,
            hidden_sectors: 77,
        },
    )
    .unwrap();
    for edit in edits.0.iter().filter(|edit| edit.step == 0) {
        let end = edit.offset + edit.bytes.len() as u64;
        assert!(
            end <= front,
            "step 0 writes into the old volume at {}",
            edit.offset
        );
    }
    edits.apply(&mut device).unwrap();
    let volume = Volume::open(&device).unwrap();
    assert_eq!(volume.boot().hidden_sectors(), 77);
    assert_eq!(volume.geometry().total_sectors, device.size() / 512 - 1);
    assert_same(&device, image);
    save_and_check(device.bytes());
}

fn windows_10_volume() -> Option<Vec<u8>> {
    let vhd = fixture("ntfs/win10-ntfs-fixed-4MiB-mbr.vhd.xz")?;
    Some(vhd[128 * 512..][..6016 * 512].to_vec())
}

#[test]
fn a_volume_made_by_windows_10_grows_to_its_front() {
    let Some(image) = windows_10_volume() else { return };
    grow_front_of(&image, 1 << 20);
    grow_front_of(&image, 300 << 20);
}

#[test]
fn a_volume_with_512_byte_clusters_grows_to_its_front() {
    let Some(image) = fixture("ntfs/win-tiny-512cluster-7MiB.dd.xz") else {
        return;
    };
    grow_front_of(&image, 1 << 20);
    grow_front_of(&image, 33 << 20);
}

#[test]
fn a_front_too_small_for_the_rewritten_structures_is_refused_with_the_size_that_will_do() {
    let Some(image) = windows_10_volume() else { return };
    let small = grow_front(
        &image,
        FrontGrowth {
            clusters: 3,
            hidden_sectors: 0,
        },
    );
    let Err(ResizeError::GrowthTooSmall { clusters_min, .. }) = small else {
        panic!("{small:?}")
    };
    grow_front(
        &image,
        FrontGrowth {
            clusters: clusters_min,
            hidden_sectors: 0,
        },
    )
    .unwrap();
}

#[test]
fn volumes_made_by_windows_grow_and_shrink_at_their_end() {
    let tiny = fixture("ntfs/win-tiny-512cluster-7MiB.dd.xz");
    for image in [windows_10_volume(), tiny].into_iter().flatten() {
        for more in [4096, 1 << 20, 400 << 20] {
            let mut bytes = image.clone();
            bytes.resize(image.len() + more, 0xEE);
            let mut device = MemoryDevice::from_bytes(bytes, SectorSize::B512);
            let sectors = device.size() / 512;
            grow_end(&device, sectors).unwrap().apply(&mut device).unwrap();
            assert_eq!(
                Volume::open(&device).unwrap().geometry().total_sectors,
                sectors - 1
            );
            assert_same(&device, &image);
            save_and_check(device.bytes());
            // And back again: what was added is free.
            let old_sectors = image.len() as u64 / 512;
            shrink_end(&device, old_sectors)
                .unwrap()
                .apply(&mut device)
                .unwrap();
            assert_same(&device, &image);
            save_and_check(&device.bytes()[..image.len()]);
        }
    }
}

#[test]
fn more_than_is_free_does_not_move() {
    let Some(image) = windows_10_volume() else { return };
    let refused = shrink_end(&image, 600);
    let Err(ResizeError::Full { needed, free }) = refused else {
        panic!("{refused:?}");
    };
    assert!(needed > free, "{needed} {free}");
    assert!(matches!(
        shrink_end(&image, 6016),
        Err(ResizeError::WrongDirection { .. })
    ));
}

#[test]
fn volumes_of_mkntfs_keep_every_cluster_size_at_both_ends() {
    for (cluster, sector) in [(512, 512), (1024, 512), (4096, 512), (65536, 512), (4096, 4096)] {
        let Some(image) = mkntfs(64 << 20, sector, cluster) else {
            return;
        };
        let image = image.bytes();
        grow_front_of_sized(&image, 24 << 20, sector);
        let mut device = MemoryDevice::from_bytes(image.clone(), SectorSize::B512);
        let unit = u64::from(sector);
        shrink_end(&device, (40 << 20) / unit)
            .unwrap()
            .apply(&mut device)
            .unwrap();
        assert_same(
            ReadWindow::new(&device, ByteRange::new(0, 40 << 20)).unwrap(),
            &image,
        );
        save_and_check(&device.bytes()[..40 << 20]);
        grow_end(&device, (60 << 20) / unit)
            .unwrap()
            .apply(&mut device)
            .unwrap();
        save_and_check(&device.bytes()[..60 << 20]);
        assert_same(&device, &image);
    }
}

fn grow_front_of_sized(image: &[u8], front: u64, sector: u32) {
    if sector == 512 {
        return grow_front_of(image, front);
    }
    let mut device = with_front(image, front as usize);
    let cluster = u64::from(Volume::open(image).unwrap().geometry().cluster_size);
    let mut window = Window::new(&mut device, ByteRange::new(0, front + image.len() as u64)).unwrap();
    grow_front(
        image,
        FrontGrowth {
            clusters: front / cluster,
            hidden_sectors: 1,
        },
    )
    .unwrap()
    .apply(&mut window)
    .unwrap();
    window.flush().unwrap();
    assert_same(&device, image);
    save_and_check(device.bytes());
}

#[test]
fn the_promised_least_growth_is_the_least_where_a_small_cluster_holds_few_bits() {
    // A cluster of 512 bytes holds the bits of 2 MiB only, so the bits of the front itself need more than one.
    for (mib, cluster) in [(8, 512), (24, 512), (64, 512), (64, 1024), (64, 4096)] {
        let Some(image) = mkntfs(mib << 20, 512, cluster) else {
            return;
        };
        let least = front_growth_clusters_min(&Volume::open(&image).unwrap()).unwrap();
        let grow = |clusters| {
            grow_front(
                &image,
                FrontGrowth {
                    clusters,
                    hidden_sectors: 0,
                },
            )
        };
        grow(least).unwrap();
        let refused = grow(least - 1);
        assert!(
            matches!(refused, Err(ResizeError::GrowthTooSmall { clusters_min, .. }) if clusters_min == least),
            "{:?}",
            refused.err()
        );
    }
}

#[test]
fn a_volume_smaller_than_its_partition_keeps_its_size_and_gets_a_backup_boot_sector_within() {
    let Some(image) = mkntfs(16 << 20, 512, 4096).map(|image| image.bytes()) else {
        return;
    };
    // A partition of 24 MiB, the backup boot sector in its last sector only, where the new end loses it.
    let mut bytes = image.clone();
    let boot = bytes[..512].to_vec();
    bytes[image.len() - 512..].fill(0);
    bytes.resize(24 << 20, 0);
    bytes[(24 << 20) - 512..].copy_from_slice(&boot);
    for new_bytes in [16 << 20, 20 << 20, (24 << 20) - 512] {
        let mut device = MemoryDevice::from_bytes(bytes.clone(), SectorSize::B512);
        shrink_end(&device, new_bytes / 512)
            .unwrap()
            .apply(&mut device)
            .unwrap();
        assert_eq!(device.bytes()[..image.len()], image, "the volume itself changed");
        save_and_check(&device.bytes()[..new_bytes as usize]);
    }
    let same = shrink_end(&bytes, (24 << 20) / 512);
    assert!(
        matches!(same, Err(ResizeError::WrongDirection { .. })),
        "{:?}",
        same.err()
    );
}

#[test]
fn a_volume_does_not_become_smaller_than_any_volume_is() {
    let Some(image) = mkntfs(48 << 20, 512, 2_097_152).map(|image| image.bytes()) else {
        return;
    };
    let sectors = |clusters: u64| clusters * 4096 + 1;
    let refused = shrink_end(&image, sectors(15));
    assert!(
        matches!(
            refused,
            Err(ResizeError::Ntfs(NtfsError::BadBootSector {
                field: "total sectors",
                ..
            }))
        ),
        "{:?}",
        refused.err()
    );
    let mut device = MemoryDevice::from_bytes(image.clone(), SectorSize::B512);
    shrink_end(&device, sectors(16))
        .unwrap()
        .apply(&mut device)
        .unwrap();
    assert_same(&device, &image);
}

#[test]
fn clusters_that_no_volume_has_are_left_alone_in_a_free_record_and_refused_in_a_used_one() {
    let Some(image) = mkntfs(16 << 20, 512, 4096).map(|image| image.bytes()) else {
        return;
    };
    let volume = Volume::open(&image).unwrap();
    let planted = RecordNumber(20);
    let mut record = Record::parse(planted, volume.read_raw_record(RecordNumber::BITMAP).unwrap()).unwrap();
    let data = record.find(AttributeType::DATA, "").unwrap().unwrap();
    let (offset, length) = (data.offset(), data.bytes().len());
    let mut wild = data.bytes()[..0x40].to_vec();
    // LCN 0, then the largest that 64 bits hold.
    wild.extend([
        0x11, 1, 0, 0x81, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0,
    ]);
    wild[4] = wild.len() as u8;
    wild[0x18] = 1;
    record.replace_attribute(offset, length, &wild).unwrap();
    record.bytes_mut()[0x2C] = 20;
    let at = volume.geometry().offset_of(volume.boot().mft_lcn()) as usize + 20 * 1024;
    for in_use in [0, 1] {
        record.bytes_mut()[0x16] = in_use;
        let mut raw = record.bytes().to_vec();
        fixup::protect(&mut raw, 1);
        let mut bytes = image.clone();
        bytes[at..at + 1024].copy_from_slice(&raw);
        let growth = FrontGrowth {
            clusters: 1000,
            hidden_sectors: 0,
        };
        let result = grow_front(&bytes, growth);
        if in_use == 1 {
            assert!(
                matches!(
                    result,
                    Err(ResizeError::Ntfs(NtfsError::ClusterOutOfBounds { record, .. })) if record == planted
                ),
                "{:?}",
                result.err()
            );
            continue;
        }
        let mut device = with_front(&bytes, 1000 * 4096);
        result.unwrap().apply(&mut device).unwrap();
        let grown = Volume::open(&device).unwrap();
        assert_eq!(grown.read_raw_record(planted).unwrap(), raw);
    }
}
