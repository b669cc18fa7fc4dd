//! What a renaming does to a file's record and to small directories, and what it refuses.

#![allow(clippy::unwrap_used)]

mod common;

use common::renaming::{TIME, apply, assert_clean, fixed_fields, listing, own_names, value_of};
use winrefit_disk::{Device, MemoryDevice, Overlay, SectorSize};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_ntfs::rename::{RenameError, rename};
use winrefit_ntfs::{AttributeType, RecordNumber, Volume};

const SIZE: u64 = 16 << 20;

/// `\Windows` as far as it matters, in both sizes of a directory.
fn windows() -> MemoryDevice {
    let mut device = MemoryDevice::zeroed(SIZE as usize, SectorSize::B512);
    let mut builder = VolumeBuilder::new(FormatOptions::new(SIZE / 512)).unwrap();
    for index in 0..40 {
        let name = format!("Windows/SoftwareDistribution/Download/{index}.cab");
        builder
            .add_file(&name, 0x20, FileData::Bytes(vec![index; 3000]))
            .unwrap();
        builder
            .add_directory(&format!("Windows/System32/a directory, number {index}"), 0)
            .unwrap();
    }
    builder
        .add_file(
            "Windows/System32/catroot2/edb.log",
            0x20,
            FileData::Bytes(vec![3; 70_000]),
        )
        .unwrap();
    builder
        .add_file("Windows/System32/m.dll", 0x20, FileData::Bytes(vec![4; 9]))
        .unwrap();
    builder.write_to(&mut device).unwrap();
    assert_clean(&device, "new");
    device
}

fn link_count(device: &MemoryDevice, path: &str) -> u16 {
    let volume = Volume::open(device).unwrap();
    volume.lookup(path).unwrap().unwrap().base().link_count()
}

#[test]
fn the_two_directories_of_windows() {
    let mut device = windows();
    let before = fixed_fields(&device, "Windows/SoftwareDistribution");
    let times = value_of(
        &device,
        "Windows/System32/catroot2",
        AttributeType::STANDARD_INFORMATION,
    );
    for (directory, old, new) in [
        ("Windows", "softwaredistribution", "SoftwareDistribution.old"),
        (r"\Windows\System32", "catroot2", "catroot2.old"),
    ] {
        let renamed = apply(&mut device, directory, old, new).unwrap();
        assert!(renamed.old.eq_ignore_ascii_case(old) && renamed.short.is_none());
        assert_clean(&device, new);
        let volume = Volume::open(&device).unwrap();
        assert!(volume.lookup(&format!("{directory}/{old}")).unwrap().is_none());
    }
    let old = "Windows/SoftwareDistribution.old";
    assert_eq!(
        own_names(&device, old),
        [("SoftwareDistribution.old".to_owned(), 0)]
    );
    assert_eq!(fixed_fields(&device, old), before);
    let catroot = "Windows/System32/catroot2.old";
    assert_eq!(own_names(&device, catroot), [("catroot2.old".to_owned(), 3)]);
    // Of the times only that of the last change is another one.
    let now = value_of(&device, catroot, AttributeType::STANDARD_INFORMATION);
    assert_eq!(
        (&now[..0x10], &now[0x18..]),
        (&times[..0x10], &times[0x18..]),
        "other fields"
    );
    assert_eq!(now[0x10..0x18], TIME.to_le_bytes());
    assert_eq!(listing(&device, &format!("{old}/Download")).0.len(), 40);
    let volume = Volume::open(&device).unwrap();
    let file = volume.lookup(&format!("{catroot}/edb.log")).unwrap().unwrap();
    let stream = file.require(AttributeType::DATA, "").unwrap();
    assert_eq!(volume.read_stream(stream, 1 << 20).unwrap(), vec![3; 70_000]);
}

/// A name of the 8.3 form serves DOS alone; a longer one gets a partner, and loses it again.
#[test]
fn partners_come_and_go_and_the_link_count_with_them() {
    let mut device = windows();
    let system32 = "Windows/System32";
    let renamed = apply(&mut device, system32, "catroot2", "catroot2.older").unwrap();
    assert_eq!(renamed.short.as_deref(), Some("CATROO~1.OLD"));
    let path = "Windows/System32/catroot2.older";
    let pair = [("CATROO~1.OLD".to_owned(), 2), ("catroot2.older".to_owned(), 1)];
    assert_eq!(own_names(&device, path), pair);
    assert_eq!(link_count(&device, path), 2);
    assert_clean(&device, "a pair");

    // By the DOS name, to another pair: the candidate is free, as its owner is the file itself.
    let renamed = apply(&mut device, system32, "catroo~1.old", "catroot2 but older.oldest").unwrap();
    assert_eq!(renamed.old, "catroot2.older");
    assert_eq!(renamed.short.as_deref(), Some("CATROO~1.OLD"));
    assert_clean(&device, "another pair");
    let renamed = apply(&mut device, system32, "m.dll", "catroot2 and young.oldest").unwrap();
    assert_eq!(renamed.short.as_deref(), Some("CATROO~2.OLD"));
    assert_clean(&device, "two pairs");
    // The partner of another file is taken.
    let taken = apply(&mut device, system32, "catroot2 and young.oldest", "CATROO~1.OLD");
    assert!(matches!(taken, Err(RenameError::Exists { name, .. }) if name == "CATROO~1.OLD"));

    let renamed = apply(&mut device, system32, "catroot2 but older.oldest", "catroot2").unwrap();
    assert_eq!(renamed.short, None);
    assert_eq!(
        own_names(&device, "Windows/System32/catroot2"),
        [("catroot2".to_owned(), 3)]
    );
    assert_eq!(link_count(&device, "Windows/System32/catroot2"), 1);
    assert_clean(&device, "one name again");
}

#[test]
fn there_and_back_gives_the_same_listing() {
    let mut device = windows();
    let before = listing(&device, "Windows/System32");
    for index in 0..40 {
        let (old, new) = (
            format!("a directory, number {index}"),
            format!("{index} \u{e9}\u{df}"),
        );
        apply(&mut device, "Windows/System32", &old, &new).unwrap();
        apply(&mut device, "Windows/System32", &new, &old).unwrap();
        assert_clean(&device, &old);
    }
    assert_eq!(listing(&device, "Windows/System32"), before);
}

#[test]
fn another_case_is_another_name() {
    let mut device = windows();
    apply(&mut device, "Windows", "SYSTEM32", "system32").unwrap();
    assert_eq!(
        own_names(&device, "Windows/System32"),
        [("system32".to_owned(), 3)]
    );
    assert_clean(&device, "case");
    let same = apply(&mut device, "Windows", "system32", "system32");
    assert!(matches!(same, Err(RenameError::Exists { .. })));
}

/// Names grow to the longest possible one, at the front and at the end of the directory; a directory's own entries leave
/// its record where the name needs the room.
#[test]
fn the_longest_names() {
    let mut device = windows();
    let (front, back) = ("!".repeat(255), "\u{ff5e}".repeat(255));
    for (old, new) in [
        ("m.dll", &front),
        ("a directory, number 7", &back),
        ("catroot2", &"c".repeat(200)),
    ] {
        apply(&mut device, "Windows/System32", old, new).unwrap();
        assert_clean(&device, old);
    }
    // The record of \Windows has two entries in its root; with 200 units of name and a partner they have no room there.
    let root_before = value_of_root(&device, "Windows");
    apply(&mut device, "", "Windows", &"W".repeat(200)).unwrap();
    assert_clean(&device, "a directory");
    assert_eq!(listing(&device, &"W".repeat(200)).0.len(), 2);
    assert_eq!(root_before, 0, "its root was a leaf");
}

/// Whether the root of a directory has blocks below.
fn value_of_root(device: &MemoryDevice, path: &str) -> u8 {
    let volume = Volume::open(device).unwrap();
    let file = volume.lookup(path).unwrap().unwrap();
    let root = file.require(AttributeType::INDEX_ROOT, "$I30").unwrap();
    volume.read_stream(root, 1024).unwrap()[0x1C]
}

/// A directory with many entries in its own record gives them up for a longer name.
#[test]
fn a_full_record_of_a_directory_makes_room() {
    let mut device = MemoryDevice::zeroed(SIZE as usize, SectorSize::B512);
    let mut builder = VolumeBuilder::new(FormatOptions::new(SIZE / 512)).unwrap();
    for index in 0..7 {
        builder.add_directory(&format!("full/{index}"), 0).unwrap();
    }
    builder.write_to(&mut device).unwrap();
    assert_eq!(value_of_root(&device, "full"), 0);
    let long = "f".repeat(60);
    apply(&mut device, "", "full", &long).unwrap();
    assert_clean(&device, "made room");
    assert_eq!(value_of_root(&device, &long), 1, "the entries lie in a block now");
    assert_eq!(listing(&device, &long).0.len(), 7);
    // 255 units and a block leave no room for the index' own attributes.
    let full = apply(&mut device, "", &long, &"g".repeat(255));
    let text = format!("{full:?}");
    assert!(matches!(full, Err(RenameError::RecordFull { .. })), "{text}");
    assert_clean(&device, "refused");
}

#[test]
fn what_cannot_be_is_refused_and_nothing_changes() {
    let mut device = windows();
    let before = device.clone();
    let mut refused = |directory: &str, old: &str, new: &str| {
        let error = apply(&mut device, directory, old, new).unwrap_err();
        assert!(device == before, "{old}");
        error
    };
    type E = RenameError;
    assert!(matches!(refused("nowhere", "x", "y"), E::NoDirectory { .. }));
    assert!(matches!(
        refused("Windows/System32/m.dll", "x", "y"),
        E::NoDirectory { .. }
    ));
    assert!(matches!(refused("Windows", "System33", "y"), E::NotFound { .. }));
    assert!(
        matches!(refused("Windows/System32", "catroot2", "M.DLL"), E::Exists { name, .. } if name == "m.dll")
    );
    for new in ["", "a/b", "a:b", "a.", "nul.txt", &"x".repeat(256)] {
        assert!(
            matches!(refused("Windows", "System32", new), E::InvalidName { .. }),
            "{new}"
        );
    }
    assert!(matches!(refused("", "$Boot", "boot"), E::SystemFile { record } if record == RecordNumber::BOOT));
    assert!(matches!(
        refused("", ".", "root"),
        E::SystemFile {
            record: RecordNumber::ROOT
        }
    ));
    assert!(matches!(
        refused("$Extend", "$Quota", "quota"),
        E::SystemFile { .. }
    ));
}

/// On a view that keeps what is below it, as the callers have it; and planning alone writes nothing.
#[test]
fn a_copy_on_write_view_takes_the_edits() {
    let device = windows();
    let mut view = Overlay::new(&device, SectorSize::B512);
    let volume = Volume::open(&view).unwrap();
    let renamed = rename(&volume, "Windows", "SoftwareDistribution", "x y z", TIME).unwrap();
    assert!(view.changes().unwrap().is_empty());
    renamed.edits.apply(&mut view).unwrap();
    view.flush().unwrap();
    assert_clean(&view, "the view");
    assert!(
        Volume::open(&view)
            .unwrap()
            .lookup("Windows/x y z")
            .unwrap()
            .is_some()
    );
    assert_clean(&device, "what is below");
    assert!(
        Volume::open(&device)
            .unwrap()
            .lookup("Windows/x y z")
            .unwrap()
            .is_none()
    );
    // The records of the file and of its directory, and no more.
    let sectors: u64 = renamed
        .edits
        .0
        .iter()
        .map(|edit| edit.bytes.len() as u64 / 512)
        .sum();
    assert!(sectors <= 4, "{sectors} sectors");
}
