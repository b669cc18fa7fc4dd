//! Volumes as large as they get.

use crate::disks::{Disk, NewFile, bytes};
use crate::measure::{Budget, USUAL, all, alone, budget};
use winrefit_lab::evidence::RegistryFact;
use winrefit_lab::system_hive::system_hive;

/// A number from the environment.
fn setting(name: &str, usual: u64) -> u64 {
    let wanted = std::env::var(name).ok();
    wanted.map_or(usual, |count| count.parse().expect(name))
}

/// One directory with all files of the volume, each with a name of its own.
#[test]
fn a_directory_with_many_files() {
    let _alone = alone();
    let count = setting("WINREFIT_LIMITS_RECORDS", 20_000);
    // A name takes 150 bytes in the index, and a record 1 KiB.
    let mib = 150 + ((count * 1300) >> 20);
    let file = |number: u64| -> NewFile { bytes(&format!(r"Windows\file number {number:08}"), Vec::new()) };
    let mut files: Vec<NewFile> = (0..count).map(file).collect();
    files.push(bytes(
        r"Windows\SoftwareDistribution\DataStore\DataStore.edb",
        vec![1; 9000],
    ));
    files.push(bytes(r"Windows\System32\catroot2\edb.log", vec![1; 9000]));
    let facts = [RegistryFact::StartType {
        service: "wuauserv",
        start: 4,
    }];
    files.push(bytes(
        r"Windows\System32\config\SYSTEM",
        system_hive(&facts, 0).unwrap(),
    ));
    let disk = Disk {
        mib: mib + 30,
        border: mib,
        ..Disk::with(files)
    };
    // 60 bytes for each file, and what every volume needs.
    let full = budget(64 + ((count as usize * 120) >> 20), 60 + count / 2000);
    let outcomes = all(
        &format!("a directory with {count} files"),
        disk.build(),
        (USUAL, full),
    );
    assert!(outcomes.verify.is_ok() && outcomes.plan.is_ok());
}

/// The size of the largest disk, and what its bitmaps of 32 MiB for each TiB cost at most.
pub fn largest() -> (u64, Budget) {
    let tib: u64 = setting("WINREFIT_LIMITS_TIB", 1);
    (tib, budget(64 + 160 * tib as usize, 60 + 20 * tib))
}

/// A sparse disk of 1 TiB, or of as many as are asked for: with 15 one bitmap of the clusters has 480 MiB.
#[test]
fn a_disk_of_many_tib() {
    let _alone = alone();
    let (tib, full) = largest();
    let mib = tib << 20;
    let disk = Disk {
        mib,
        border: mib - 25,
        ..Disk::with(vec![bytes("one file", vec![1; 3 << 20])])
    };
    let outcomes = all(&format!("a disk of {tib} TiB"), disk.build(), (USUAL, full));
    assert!(outcomes.diagnose.is_ok() && outcomes.verify.is_ok());
}
