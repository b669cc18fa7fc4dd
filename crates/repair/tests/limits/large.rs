//! Volumes as large as they get.

use crate::disks::{Disk, NewFile, bytes};
use crate::measure::{USUAL, all, alone, budget};

/// Files of the volume with many.
fn records() -> u64 {
    let wanted = std::env::var("WINREFIT_LIMITS_RECORDS").ok();
    wanted.map_or(20_000, |count| {
        count.parse().expect("WINREFIT_LIMITS_RECORDS is a number")
    })
}

/// One directory with all files of the volume, each with a name of its own.
#[test]
fn a_directory_with_many_files() {
    let _alone = alone();
    let count = records();
    // A name takes 150 bytes in the index, and a record 1 KiB.
    let mib = 150 + ((count * 1300) >> 20);
    let file = |number: u64| -> NewFile { bytes(&format!(r"Windows\file number {number:08}"), Vec::new()) };
    let mut files: Vec<NewFile> = (0..count).map(file).collect();
    files.push(bytes(
        r"Windows\SoftwareDistribution\DataStore\DataStore.edb",
        vec![1; 9000],
    ));
    files.push(bytes(r"Windows\System32\catroot2\edb.log", vec![1; 9000]));
    let disk = Disk {
        mib: mib + 30,
        border: mib,
        ..Disk::with(files)
    };
    // 60 bytes for each file, and what every volume needs.
    let full = budget(64 + ((count as usize * 120) >> 20), 20 + count / 10_000);
    let outcomes = all(
        &format!("a directory with {count} files"),
        disk.build(),
        (USUAL, full),
    );
    assert!(outcomes.verify.is_ok() && outcomes.plan.is_ok());
}

/// The largest volume with clusters of 4 KiB, but for some: a sparse disk of 15 TiB.
#[test]
fn a_disk_of_15_tib() {
    let _alone = alone();
    let mib = 15 << 20;
    let disk = Disk {
        mib,
        border: mib - 25,
        ..Disk::with(vec![bytes("one file", vec![1; 3 << 20])])
    };
    // $Bitmap has 480 MiB, and a check has a second one.
    let full = budget(2400, 300);
    let outcomes = all("a disk of 15 TiB", disk.build(), (USUAL, full));
    assert!(outcomes.diagnose.is_ok() && outcomes.verify.is_ok());
}
