//! What cannot be on a volume is refused with an error that says what and why.

#![allow(clippy::unwrap_used)]

mod common;

use common::image::Image;
use winrefit_disk::{MemoryDevice, ReadAt, SectorSize, Window};
use winrefit_ntfs::format::{FileData, FormatError, FormatOptions, VolumeBuilder};
use winrefit_ntfs::{AttributeType, RecordNumber, Volume};

const SECTORS: u64 = 16 << 11;

fn builder() -> VolumeBuilder {
    VolumeBuilder::new(FormatOptions::new(SECTORS)).unwrap()
}

fn bytes(length: usize) -> FileData {
    FileData::Bytes(vec![1; length])
}

#[test]
fn names_that_windows_cannot_use_are_refused_and_leave_nothing() {
    let long = format!("new/{}", "x".repeat(256));
    let mut builder = builder();
    for path in [
        "", "/", "a//b", "a/", "new/a:b", "new/b*", "new/./c", "new/..", "new/d.", "new/e ", &long,
    ] {
        let error = builder.add_file(path, 0, bytes(1)).unwrap_err();
        assert!(
            matches!(&error, FormatError::BadName { path: p, .. } if p == path),
            "{path}: {error}"
        );
        assert!(builder.add_directory(path, 0).is_err());
    }
    let mut image = Image::strict(SECTORS * 512, 512);
    builder.write_to(&mut image).unwrap();
    assert!(Volume::open(&image).unwrap().lookup("new").unwrap().is_none());
}

#[test]
fn what_exists_is_not_replaced() {
    let mut builder = builder();
    builder.add_file("Dir/File", 0, bytes(1)).unwrap();
    for path in [
        "dir/FILE",
        "DIR\\file",
        "\\Dir\\File",
        "dir",
        "$mft",
        "$Extend",
        "$BITMAP",
    ] {
        let error = builder.add_file(path, 0, bytes(1)).unwrap_err();
        assert!(
            matches!(&error, FormatError::Exists { path: p } if p == path),
            "{path}: {error}"
        );
    }
    builder.add_directory("DIR", 2).unwrap();
    assert!(matches!(
        builder.add_directory("dir", 2),
        Err(FormatError::Exists { .. })
    ));
    for path in ["dir/file/x", "$Extend/x", "$Extend/$Quota/x", "$MFT/x"] {
        let error = builder.add_directory(path, 0).unwrap_err();
        assert!(
            matches!(&error, FormatError::NotADirectory { path: p, .. } if p == path),
            "{path}: {error}"
        );
    }
    let mut image = Image::strict(SECTORS * 512, 512);
    builder.write_to(&mut image).unwrap();
    let volume = Volume::open(&image).unwrap();
    let root = volume
        .directory(&volume.file(RecordNumber::ROOT).unwrap())
        .unwrap();
    let names: Vec<String> = root
        .list()
        .unwrap()
        .iter()
        .map(|(_, name)| name.display_name())
        .collect();
    assert!(
        names.contains(&"DIR".to_owned()) && !names.contains(&"Dir".to_owned()),
        "{names:?}"
    );
}

#[test]
fn options_that_no_volume_has_are_refused() {
    type Change = fn(&mut FormatOptions);
    let changes: [(&str, Change); 9] = [
        ("sector size", |o| o.sector_size = 1024),
        ("cluster size", |o| o.cluster_size = 256),
        ("cluster size", |o| o.cluster_size = 3000),
        ("cluster size", |o| o.cluster_size = 128 << 10),
        ("file record size", |o| o.record_size = 2048),
        ("file record size", |o| {
            (o.sector_size, o.record_size) = (4096, 1024)
        }),
        ("partition size in sectors", |o| o.partition_sectors = 0),
        ("partition size in sectors", |o| o.partition_sectors = 128),
        ("partition size in sectors", |o| o.partition_sectors = u64::MAX),
    ];
    for (name, change) in changes {
        let mut options = FormatOptions::new(SECTORS);
        change(&mut options);
        let error = VolumeBuilder::new(options).unwrap_err();
        assert!(
            matches!(&error, FormatError::BadOption { field, .. } if *field == name),
            "{name}: {error}"
        );
    }
    let mut options = FormatOptions::new(SECTORS);
    options.label = "x".repeat(33);
    let error = VolumeBuilder::new(options).unwrap_err();
    assert!(matches!(
        error,
        FormatError::LabelTooLong {
            actual: 33,
            limit: 32
        }
    ));
}

#[test]
fn devices_that_do_not_fit_are_refused_before_a_write() {
    let mut short = MemoryDevice::zeroed(SECTORS as usize * 512 - 512, SectorSize::B512);
    let error = builder().write_to(&mut short).unwrap_err();
    assert!(
        matches!(error, FormatError::DeviceTooSmall { needed_bytes, available_bytes }
        if needed_bytes == SECTORS * 512 && available_bytes == needed_bytes - 512)
    );
    let mut other = MemoryDevice::zeroed(SECTORS as usize * 512, SectorSize::B4096);
    let error = builder().write_to(&mut other).unwrap_err();
    assert!(matches!(
        error,
        FormatError::SectorSizeMismatch {
            expected: 512,
            actual: 4096
        }
    ));
    assert!(short.bytes().iter().chain(other.bytes()).all(|&byte| byte == 0));
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_no_volume() {
    let mut tiny = MemoryDevice::zeroed(2 << 20, SectorSize::B512);
    let error = VolumeBuilder::new(FormatOptions::new(4096))
        .unwrap()
        .write_to(&mut tiny)
        .unwrap_err();
    assert!(
        matches!(error, FormatError::NoSpace { available: 511, .. }),
        "{error}"
    );

    let mut device = MemoryDevice::zeroed(SECTORS as usize * 512, SectorSize::B512);
    builder().write_to(&mut device).unwrap();
    assert!(Volume::open(&device).is_ok());
    let mut builder = builder();
    assert!(matches!(
        builder.add_file("big", 0, bytes(17 << 20)),
        Err(FormatError::NoSpace { .. })
    ));
    builder.add_file("one", 0, bytes(9 << 20)).unwrap();
    builder.add_file("two", 0, bytes(9 << 20)).unwrap();
    let error = builder.write_to(&mut device).unwrap_err();
    assert!(
        matches!(error, FormatError::NoSpace { needed: 2304, .. }),
        "{error}"
    );
    assert!(
        Volume::open(&device).is_err(),
        "an unfinished volume can be opened"
    );
}

#[test]
fn every_cluster_can_be_filled() {
    let probe = |length: usize| {
        let mut builder = builder();
        builder.add_file("all", 0, bytes(length)).unwrap();
        let mut image = Image::strict(SECTORS * 512, 512);
        let written = builder.write_to(&mut image)?;
        Ok::<_, FormatError>((image, written))
    };
    let (_, written) = probe(4096).unwrap();
    let free = written.free_clusters as usize + 1;
    let (image, written) = probe(free * 4096).unwrap();
    assert_eq!(written.free_clusters, 0);
    let volume = Volume::open(&image).unwrap();
    let file = volume.lookup("ALL").unwrap().unwrap();
    let stream = file.require(AttributeType::DATA, "").unwrap();
    assert!(
        volume
            .read_stream(stream, 1 << 30)
            .unwrap()
            .iter()
            .all(|&byte| byte == 1)
    );
    assert!(matches!(probe(free * 4096 + 1), Err(FormatError::NoSpace { .. })));
}

#[test]
fn pieces_outside_their_file_are_refused() {
    let data = FileData::Zeroed {
        size: 1000,
        pieces: vec![(990, vec![1; 11])],
    };
    let error = builder().add_file("a", 0, data).unwrap_err();
    assert!(matches!(
        error,
        FormatError::BadPiece {
            offset: 990,
            length: 11,
            ..
        }
    ));
}

#[test]
fn a_volume_in_a_window_writes_nothing_around_it() {
    let mut disk = MemoryDevice::from_bytes(vec![0xA5; 24 << 20], SectorSize::B512);
    let range = winrefit_disk::ByteRange::new(4 << 20, 20 << 20);
    let mut window = Window::new(&mut disk, range).unwrap();
    builder().write_to(&mut window).unwrap();
    assert_eq!(window.size(), 16 << 20);
    assert!(Volume::open(&disk.bytes()[4 << 20..20 << 20]).is_ok());
    let outside = disk.bytes()[..4 << 20].iter().chain(&disk.bytes()[20 << 20..]);
    assert!(outside.copied().all(|byte| byte == 0xA5));
}
