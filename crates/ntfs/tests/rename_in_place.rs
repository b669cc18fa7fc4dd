//! New names in the place of the old ones: two sectors change, each for itself, and nothing else.

#![allow(clippy::unwrap_used)]

mod common;

use common::renaming::{TIME, apply, assert_clean, listing, own_names, value_of};
use std::collections::BTreeSet;
use winrefit_disk::{Device, MemoryDevice, SectorSize};
use winrefit_ntfs::check::{CheckOptions, check};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_ntfs::rename::{RenameError, Renamed, name_in_place, rename_in_place};
use winrefit_ntfs::{AttributeType, Volume};

const SIZE: u64 = 32 << 20;
const SECTOR: usize = 512;

fn built(fill: impl FnOnce(&mut VolumeBuilder)) -> MemoryDevice {
    let mut device = MemoryDevice::zeroed(SIZE as usize, SectorSize::B512);
    let mut builder = VolumeBuilder::new(FormatOptions::new(SIZE / 512)).unwrap();
    fill(&mut builder);
    builder.write_to(&mut device).unwrap();
    device
}

fn windows() -> MemoryDevice {
    built(|builder| {
        for path in [
            "Windows/SoftwareDistribution/Download",
            "Windows/System32/catroot2/state",
        ] {
            builder.add_directory(path, 0).unwrap();
        }
        for index in 0..200 {
            let path = format!("Windows/System32/library{index:03}.dll");
            builder
                .add_file(&path, 0x20, FileData::Bytes(vec![index; 40]))
                .unwrap();
        }
    })
}

fn free_name(device: &MemoryDevice, directory: &str, old: &str) -> Option<String> {
    name_in_place(&Volume::open(device).unwrap(), directory, old).unwrap()
}

fn renamed(device: &MemoryDevice, directory: &str, old: &str, new: &str) -> Result<Renamed, RenameError> {
    rename_in_place(&Volume::open(device).unwrap(), directory, old, new, TIME)
}

/// The sectors in which two disks differ.
fn differing(a: &MemoryDevice, b: &MemoryDevice) -> Vec<usize> {
    let sectors = a.bytes().chunks(SECTOR).zip(b.bytes().chunks(SECTOR));
    sectors
        .enumerate()
        .filter(|(_, (a, b))| a != b)
        .map(|(sector, _)| sector)
        .collect()
}

/// Writes a renaming, and looks at what every cut between its sectors leaves.
fn assert_atomic(device: &mut MemoryDevice, directory: &str, old: &str, new: &str) {
    let before = device.clone();
    let result = renamed(device, directory, old, new).unwrap();
    result.edits.apply(device).unwrap();
    assert_clean(&*device, new);
    let sectors = differing(&before, device);
    assert_eq!(sectors.len(), 2, "{directory}/{old}: {sectors:?}");
    for sector in sectors {
        let range = sector * SECTOR..(sector + 1) * SECTOR;
        let mut cut = before.clone();
        cut.write_at(range.start as u64, &device.bytes()[range]).unwrap();
        let report = check(&cut, &CheckOptions::default()).unwrap();
        let codes: BTreeSet<_> = report.problems.iter().map(|problem| problem.code).collect();
        let differ = ["index-entry-unmatched", "name-missing-in-index"];
        assert!(
            codes
                .iter()
                .all(|code| differ.contains(&code.to_string().as_str())),
            "{codes:?}"
        );
        let names = listing(&cut, directory).0;
        assert!(names.contains_key(old) != names.contains_key(new), "{old}");
    }
}

#[test]
fn the_two_directories_of_windows() {
    let mut device = windows();
    for (directory, old, new) in [
        ("Windows", "SoftwareDistribution", "SoftwareDistributio~"),
        (r"\Windows\System32", "catroot2", "catroot~"),
    ] {
        assert_eq!(free_name(&device, directory, old).as_deref(), Some(new));
        let path = format!("{directory}/{new}");
        assert_atomic(&mut device, directory, old, new);
        let information = value_of(&device, &path, AttributeType::STANDARD_INFORMATION);
        assert_eq!(information[0x10..0x18], TIME.to_le_bytes());
    }
    assert_eq!(
        own_names(&device, "Windows/System32/catroot~"),
        [("catroot~".to_owned(), 3)]
    );
}

/// Entries of the root, of leaves and of the nodes between, wherever in a sector their last unit lies.
#[test]
fn every_entry_of_a_large_directory() {
    let mut device = built(|builder| {
        for index in 0..1500u32 {
            let name = "n".repeat(1 + (index as usize * 7) % 60);
            builder
                .add_directory(&format!("many/{index:04} {name}a"), 0)
                .unwrap();
        }
    });
    let names: Vec<String> = listing(&device, "many").0.into_keys().collect();
    for old in names.iter().step_by(29) {
        let new = free_name(&device, "many", old).unwrap();
        assert_atomic(&mut device, "many", old, &new);
    }
}

/// Entries that lie in the directory's own record.
#[test]
fn entries_of_a_small_directory() {
    let names = ["a1", "b1", "c1"];
    let mut device = built(|builder| {
        for name in names {
            builder.add_directory(&format!("few/{name}"), 0).unwrap();
        }
    });
    for old in names {
        assert_atomic(&mut device, "few", old, &format!("{}~", &old[..1]));
    }
}

#[test]
fn a_partner_of_the_short_form_stays() {
    let mut device = windows();
    apply(&mut device, "Windows/System32", "catroot2", "catroot number 2").unwrap();
    let pair = own_names(&device, "Windows/System32/catroot number 2");
    assert_eq!(pair[0], ("CATROO~1".to_owned(), 2));
    let result = renamed(&device, "Windows/System32", "CATROO~1", "catroot number ~").unwrap();
    assert_eq!(
        (result.old.as_str(), result.short.as_deref()),
        ("catroot number 2", Some("CATROO~1"))
    );
    assert_atomic(
        &mut device,
        "Windows/System32",
        "catroot number 2",
        "catroot number ~",
    );
    let now = own_names(&device, "Windows/System32/catroot number ~");
    assert_eq!(now, [pair[0].clone(), ("catroot number ~".to_owned(), 1)]);
}

#[test]
fn names_that_are_taken_or_come_between_are_passed_over() {
    let mut device = windows();
    let system32 = "Windows/System32";
    let free = |device: &MemoryDevice| free_name(device, system32, "catroot2");
    for due in "~_9876543-01".chars() {
        let name = format!("catroot{due}");
        assert_eq!(free(&device), Some(name.clone()));
        assert_atomic(&mut device, system32, "catroot2", &name);
        // Windows makes it anew.
        let other = listing(&device, system32).0.into_keys().next_back().unwrap();
        apply(&mut device, system32, &other, "catroot2").unwrap();
    }
    assert_eq!(free(&device), None);

    // Somebody's earlier copy sorts between the old name and the ones behind it.
    let mut device = windows();
    apply(&mut device, system32, "library001.dll", "catroot2.old").unwrap();
    assert_eq!(free(&device).as_deref(), Some("catroot-"));
    apply(&mut device, system32, "library002.dll", "catroot1.old").unwrap();
    assert_eq!(free(&device), None);
}

#[test]
fn what_cannot_be_is_refused() {
    let mut device = windows();
    let system32 = "Windows/System32";
    apply(&mut device, system32, "library001.dll", "catroot2.old").unwrap();
    for (old, new, due) in [
        ("catroot2", "catroot2", "last character"),
        ("catroot2", "catroot22", "last character"),
        ("catroot2", "catrood2", "last character"),
        ("catroot2", "catroot+", "8.3 form"),
        ("catroot2", "catroot~", "comes between"),
    ] {
        match renamed(&device, system32, old, new) {
            Err(RenameError::NotInPlace { problem, .. }) => {
                assert!(problem.contains(due), "{new}: {problem}")
            }
            other => panic!("{new}: {:?}", other.map(|renamed| renamed.old)),
        }
    }
    type E = RenameError;
    let error = |directory, old, new| renamed(&device, directory, old, new).unwrap_err();
    assert!(matches!(error("nowhere", "x1", "x~"), E::NoDirectory { .. }));
    assert!(matches!(
        error(system32, "catroot7", "catroot~"),
        E::NotFound { .. }
    ));
    assert!(matches!(
        error(system32, "catroot2", "catroot?"),
        E::InvalidName { .. }
    ));
    assert!(matches!(error("", "$Boot", "$Boo~"), E::SystemFile { .. }));
}
