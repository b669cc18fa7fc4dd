//! Directories that ntfs-3g filled on volumes of mkntfs, with and without DOS names, and volumes of Windows: after many
//! renamings everyone who reads them sees exactly the new names.

#![allow(clippy::unwrap_used)]

mod common;

use common::image::{Image, mkntfs};
use common::judge::{
    assert_ntfsfix_is_content, assert_ntfsresize_accounts, assert_our_checker_finds_nothing, seven_zip,
};
use common::mount::{Access, Mounted};
use common::renaming::{Renamer, apply, assert_clean, listing, own_names};
use common::tools::{fixture, oracle, run, try_run};
use std::collections::{BTreeMap, BTreeSet};
use winrefit_ntfs::check::{CheckOptions, check};
use winrefit_ntfs::rename::{RenameError, rename};
use winrefit_ntfs::{AttributeType, FileReference, Volume};

/// Offset of the volume on the disk of the fixture of Windows 10.
const WINDOWS_VOLUME: usize = 128 * 512;
const MIB: u64 = 1 << 20;

fn content(index: usize) -> Vec<u8> {
    // Some in the record, some in clusters.
    let times = if index.is_multiple_of(7) {
        100
    } else {
        1 + index % 5
    };
    format!("this is file {index}").repeat(times).into_bytes()
}

/// A volume with `count` files in `\dir`, each `every`th with a DOS name (0: none), some removed again.
fn filled(count: usize, every: usize) -> Option<Image> {
    let image = mkntfs((32 + count as u64 / 250) * MIB, 512, 4096)?;
    let mounted = Mounted::new(&image, Access::Plain)?;
    let dir = mounted.root().join("dir");
    std::fs::create_dir(&dir).unwrap();
    for index in 0..count {
        let path = dir.join(format!("The file with number {index:05}.data"));
        std::fs::write(&path, content(index)).unwrap();
        if every > 0 && index % every == 0 {
            xattr::set(
                &path,
                "system.ntfs_dos_name",
                format!("F{index:06}.DAT").as_bytes(),
            )
            .unwrap();
        }
    }
    // Leaves empty, in the way of another writer.
    for index in (0..count).filter(|index| index % 97 > 60) {
        std::fs::remove_file(dir.join(format!("The file with number {index:05}.data"))).unwrap();
    }
    drop(mounted);
    Some(image)
}

/// What fls lists of a directory, without what was deleted.
fn fls(image: &Image, directory: u64) -> Option<BTreeSet<String>> {
    let printed = run(oracle("fls")?
        .args(["-f", "ntfs", "-u", "-F", image.path()])
        .arg(directory.to_string()));
    let name = |line: &str| Some(line.split_once('\t')?.1.to_owned());
    Some(printed.lines().filter_map(name).collect())
}

/// Everyone sees these names in `\dir`, each with the content that its file had.
fn assert_everyone_agrees(image: &Image, names: &BTreeMap<String, FileReference>, before: &Before) {
    assert_our_checker_finds_nothing(image, 2048);
    assert_ntfsfix_is_content(image);
    assert_ntfsresize_accounts(image, false);
    if before.opened_by_seven_zip
        && let Err(printed) = seven_zip(image)
    {
        panic!("{printed}");
    }
    let directory = Volume::open(image).unwrap().lookup("dir").unwrap().unwrap();
    if let Some(listed) = fls(image, directory.number().0) {
        let due: BTreeSet<_> = names.keys().cloned().collect();
        let differ: Vec<_> = listed
            .symmetric_difference(&due)
            .filter(|name| !before.stale.contains(*name))
            .take(5)
            .collect();
        assert!(differ.is_empty(), "fls: {differ:?}");
    }
    let Some(mounted) = Mounted::new(image, Access::ReadOnly) else {
        return;
    };
    let mut seen = 0;
    for entry in std::fs::read_dir(mounted.root().join("dir")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let read = std::fs::read(entry.path()).unwrap();
        assert_eq!(read, before.contents[&names[&name].record.0], "{name}");
        seen += 1;
    }
    assert_eq!(seen, names.len());
}

/// What was to be seen before the renamings.
struct Before {
    /// By the number of the record.
    contents: BTreeMap<u64, Vec<u8>>,
    /// fls also lists what is in blocks that ntfs-3g has given up.
    stale: BTreeSet<String>,
    /// 7-Zip does not open every volume that ntfs-3g has filled.
    opened_by_seven_zip: bool,
}

fn contents(image: &Image) -> BTreeMap<u64, Vec<u8>> {
    let mounted = Mounted::new(image, Access::ReadOnly).unwrap();
    let entries = std::fs::read_dir(mounted.root().join("dir")).unwrap();
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            let number = std::os::unix::fs::DirEntryExt::ino(&entry);
            (number, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn rename_many(count: usize, every: usize, (steps, check_every): (usize, usize), long: bool) {
    let Some(mut image) = filled(count, every) else {
        return;
    };
    assert_our_checker_finds_nothing(&image, 2048);
    let mut renamer = Renamer::new(&image, "dir", count as u64);
    let directory = Volume::open(&image).unwrap().lookup("dir").unwrap().unwrap();
    let mut stale = fls(&image, directory.number().0).unwrap_or_default();
    stale.retain(|name| !renamer.names.contains_key(name));
    let before = Before {
        contents: contents(&image),
        stale,
        opened_by_seven_zip: seven_zip(&image).is_ok(),
    };
    eprintln!("{count} entries: 7-Zip opens it: {}", before.opened_by_seven_zip);
    if long {
        renamer = renamer.with_long_names();
    }
    let mut done = 0;
    for step in 1..=steps {
        done += usize::from(renamer.step(&mut image));
        if step % check_every == 0 {
            assert_clean(&image, &format!("step {step}"));
        }
    }
    renamer.assert_listed(&image);
    assert!(done * 10 >= steps * 8, "{done} of {steps}");
    assert_everyone_agrees(&image, &renamer.names, &before);
}

#[test]
fn a_small_directory() {
    rename_many(4, 2, (40, 1), false);
}

#[test]
fn fifty_entries() {
    rename_many(50, 0, (300, 1), false);
    rename_many(50, 1, (300, 1), true);
}

#[test]
fn a_thousand_entries() {
    rename_many(1000, 3, (2000, 50), false);
    rename_many(1000, 1, (1500, 50), true);
}

#[test]
fn twenty_thousand_entries() {
    rename_many(20_000, 10, (400, 100), false);
}

/// Streams of the directory's own have pushed the parts of its index into other records, as in \Windows\System32.
#[test]
fn a_directory_with_an_attribute_list() {
    let Some(mut image) = filled(400, 3) else { return };
    let Some(mounted) = Mounted::new(&image, Access::Everything) else {
        return;
    };
    for stream in 0..8 {
        let path = mounted.root().join(format!("dir:stream {stream}"));
        std::fs::write(path, vec![stream; 120]).unwrap();
    }
    drop(mounted);
    let volume = Volume::open(&image).unwrap();
    let directory = volume.lookup("dir").unwrap().unwrap();
    assert!(directory.records().len() > 1, "no attribute list");
    let holder = |type_code| {
        let mut attributes = directory.attributes().map(Result::unwrap);
        attributes
            .find(|a| a.type_code() == type_code)
            .map(|a| a.record().0)
    };
    eprintln!(
        "root in {:?}, blocks in {:?}, bitmap in {:?}",
        holder(AttributeType::INDEX_ROOT),
        holder(AttributeType::INDEX_ALLOCATION),
        holder(AttributeType::BITMAP)
    );
    assert_our_checker_finds_nothing(&image, 2048);
    let mut renamer = Renamer::new(&image, "dir", 77).with_long_names();
    let blocks = |image: &Image| {
        let volume = Volume::open(image).unwrap();
        let directory = volume.lookup("dir").unwrap().unwrap();
        directory
            .require(AttributeType::INDEX_ALLOCATION, "$I30")
            .unwrap()
            .len()
    };
    let before = blocks(&image);
    let mut done = 0;
    for step in 0..600 {
        done += usize::from(renamer.step(&mut image));
        if step % 20 == 0 {
            assert_clean(&image, &format!("step {step}"));
        }
    }
    assert!(done > 400 && blocks(&image) > before, "{done} done");
    renamer.assert_listed(&image);
    assert_our_checker_finds_nothing(&image, 2048);
    assert_ntfsfix_is_content(&image);
    let Some(mounted) = Mounted::new(&image, Access::Everything) else {
        return;
    };
    let seen = std::fs::read_dir(mounted.root().join("dir")).unwrap().count();
    assert_eq!(seen, renamer.names.len());
    let stream = std::fs::read(mounted.root().join("dir:stream 7")).unwrap();
    assert_eq!(stream, vec![7; 120]);
}

/// What ntfs-3g calls by a DOS name is called by another one of the same pattern afterwards.
#[test]
fn dos_names_follow_the_long_ones() {
    let Some(mut image) = filled(10, 5) else { return };
    let old = "The file with number 00005.data";
    let renamed = apply(&mut image, "dir", "f000005.dat", "SoftwareDistribution.old").unwrap();
    assert_eq!(renamed.old, old);
    assert_eq!(renamed.short.as_deref(), Some("SOFTWA~1.OLD"));
    let mut names = own_names(&image, "dir/SoftwareDistribution.old");
    names.sort();
    let pair = [
        ("SOFTWA~1.OLD".to_owned(), 2),
        ("SoftwareDistribution.old".to_owned(), 1),
    ];
    assert_eq!(names, pair);
    let (_, dos) = listing(&image, "dir");
    assert_eq!(dos, ["F000000.DAT", "SOFTWA~1.OLD"].map(str::to_owned).into());
    let renamed = apply(
        &mut image,
        "dir",
        "The file with number 00006.data",
        "Without.partner",
    )
    .unwrap();
    assert_eq!(renamed.short, None);
    assert_our_checker_finds_nothing(&image, 2048);
    let Some(mounted) = Mounted::new(&image, Access::ReadOnly) else {
        return;
    };
    let path = mounted.root().join("dir/SoftwareDistribution.old");
    let short = xattr::get(&path, "system.ntfs_dos_name").unwrap();
    assert_eq!(short.as_deref(), Some(b"SOFTWA~1.OLD".as_slice()));
    assert_eq!(std::fs::read(path).unwrap(), content(5));
}

/// Every file and directory of a volume that Windows made gets another name and its own again.
fn there_and_back(mut image: Image) {
    let report = |image: &Image| check(image, &CheckOptions::default()).unwrap();
    let before = report(&image);
    // One of the volumes has no backup boot sector where ntfsfix looks for it.
    let was_content = oracle("ntfsfix").is_some_and(|mut tool| try_run(tool.arg("-n").arg(image.path())).0);
    let mut places = vec![String::new()];
    let mut done = 0;
    while let Some(directory) = places.pop() {
        let (names, dos) = listing(&image, &directory);
        for (name, reference) in &names {
            let volume = Volume::open(&image).unwrap();
            if reference.record.0 < 24 || directory == "/$Extend" {
                let refused = rename(&volume, &directory, name, "x", 1);
                assert!(matches!(refused, Err(RenameError::SystemFile { .. })), "{name}");
                continue;
            }
            let file = volume.file_by_reference(*reference).unwrap();
            if file.is_directory() {
                places.push(format!("{directory}/{name}"));
            }
            let paired = own_names(&image, &format!("{directory}/{name}"));
            let new = format!("{name}.renamed, for a while");
            let there = match apply(&mut image, &directory, name, &new) {
                Err(RenameError::SplitRecord { .. }) => continue,
                there => there.unwrap(),
            };
            let has_dos = paired.iter().any(|(_, namespace)| *namespace >= 2);
            assert_eq!(there.short.is_some(), has_dos, "{name}: {paired:?}");
            assert_eq!(report(&image).counts, before.counts, "{name}");
            apply(&mut image, &directory, &new, name).unwrap();
            assert_eq!(report(&image).counts, before.counts, "{name}");
            done += 1;
        }
        let (names_after, dos_after) = listing(&image, &directory);
        assert_eq!(
            (&names, dos.len()),
            (&names_after, dos_after.len()),
            "{directory}"
        );
    }
    eprintln!("{done} renamed there and back");
    if was_content {
        assert_ntfsfix_is_content(&image);
    }
    assert!(done > 0);
}

#[test]
fn a_volume_of_windows_10() {
    let Some(mut disk) = fixture("ntfs/win10-ntfs-fixed-4MiB-mbr.vhd.xz") else {
        return;
    };
    there_and_back(Image::of(&disk.split_off(WINDOWS_VOLUME), 0, 512));
}

#[test]
fn a_small_volume_of_windows() {
    let Some(disk) = fixture("ntfs/win-tiny-512cluster-7MiB.dd.xz") else {
        return;
    };
    there_and_back(Image::of(&disk, 0, 512));
}
