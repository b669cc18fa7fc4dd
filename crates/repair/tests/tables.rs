//! Partition tables that are not as they should be.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Layout, MIB, REQUEST, poke, target};
use winrefit_disk::{Device, MemoryDevice, ReadAt, SectorSize};
use winrefit_formats::read_gpt;
use winrefit_repair::commands::{diagnose, fix, undo};
use winrefit_repair::report::{Report, Verdict};

fn repaired(disk: &MemoryDevice) -> (MemoryDevice, Report) {
    let mut subject = target(disk.clone());
    let report = fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    (subject.device, report)
}

fn assert_undone(disk: MemoryDevice, old: &MemoryDevice) {
    let mut subject = target(disk);
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone);
    assert!(subject.device.bytes() == old.bytes());
}

fn says(report: &Report, words: &str) -> bool {
    let plan = report.plan.as_ref().unwrap();
    plan.steps.iter().any(|step| step.to_string().contains(words))
}

#[test]
fn a_damaged_copy_is_made_anew_by_the_repair_which_says_so() {
    let good = Layout::default().build();
    let end = good.size();
    for (at, which) in [(512 + 40, "first"), (1024, "first"), (end - 512 + 40, "second")] {
        let mut disk = good.clone();
        poke(&mut disk, at, &[0xff]);
        let before = diagnose(&target(disk.clone()), None).unwrap();
        assert_eq!(
            (before.verdict, before.findings[0].code),
            (Verdict::Damaged, "partition-table-copy-damaged")
        );
        let (new, report) = repaired(&disk);
        assert!(
            says(&report, &format!("Make the {which} copy")),
            "{:?}",
            report.plan
        );
        assert!(read_gpt(&new, SectorSize::B512).unwrap().usable().is_ok());
        assert_undone(new, &disk);
    }
}

#[test]
fn a_disk_that_has_grown_gives_its_new_space() {
    let mut bytes = Layout::default().build().bytes().to_vec();
    bytes.resize(bytes.len() + (40 * MIB) as usize, 0);
    let disk = MemoryDevice::from_bytes(bytes, SectorSize::B512);
    let before = diagnose(&target(disk.clone()), None).unwrap();
    assert!(before.findings.iter().any(|f| f.code == "disk-has-grown"));
    let (new, report) = repaired(&disk);
    assert_eq!(report.plan.as_ref().unwrap().strategy, "grow-end");
    assert!(says(&report, "which has grown"));
    let gpt = read_gpt(&new, SectorSize::B512).unwrap().usable().unwrap();
    assert_eq!(gpt.usable().end.0, new.size() / 512 - 33);
    assert_undone(new, &disk);
}

#[test]
fn a_hybrid_mbr_stops_what_it_knows_of_and_nothing_else() {
    let mut disk = Layout::default().build();
    // Of type 0x07, with a start and a number of sectors.
    let entry = |start: u64, sectors: u64| {
        let mut entry = [0u8; 16];
        entry[4] = 0x07;
        entry[8..12].copy_from_slice(&(start as u32).to_le_bytes());
        entry[12..].copy_from_slice(&(sectors as u32).to_le_bytes());
        entry
    };
    disk.write_at(446 + 16, &entry(2048, 2048)).unwrap();
    let (new, _) = repaired(&disk);
    assert_undone(new, &disk);
    disk.write_at(446 + 16, &entry(4 * 2048, 51 * 2048)).unwrap();
    let report = fix(&mut target(disk.clone()), &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.refusal.unwrap().code, "hybrid-mbr");
}

#[test]
fn space_that_only_a_hybrid_mbr_names_is_nobodys_to_take() {
    let mut entry = [0u8; 16];
    entry[4] = 0x83;
    entry[8..12].copy_from_slice(&(40 * 2048u32).to_le_bytes());
    entry[12..].copy_from_slice(&(15 * 2048u32).to_le_bytes());
    let layout = Layout {
        windows: (4, 40),
        ..Layout::default()
    };
    // Before the recovery partition, and as the only unallocated space that it could move to.
    let moved = Layout {
        recovery: (4, 16),
        windows: (16, 40),
        ..Layout::default()
    };
    for layout in [layout, moved] {
        let mut disk = layout.build();
        disk.write_at(446 + 16, &entry).unwrap();
        disk.write_at(40 * MIB, &[0xDA; 4096]).unwrap();
        let mut subject = target(disk.clone());
        let report = fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
        assert_ne!(report.verdict, Verdict::Repaired, "{:?}", report.plan);
        assert!(subject.device.bytes() == disk.bytes());
    }
}

#[test]
fn the_old_backup_of_a_disk_that_has_grown_is_no_place_for_copies() {
    // The recovery partition comes first, so it moves into the new space.
    let layout = Layout {
        recovery: (4, 28),
        windows: (28, 79),
        ..Layout::default()
    };
    let mut bytes = layout.build().bytes().to_vec();
    bytes.resize(bytes.len() + (60 * MIB) as usize, 0);
    let disk = MemoryDevice::from_bytes(bytes, SectorSize::B512);
    let (new, report) = repaired(&disk);
    assert_eq!(report.plan.as_ref().unwrap().strategy, "relocate");
    let mut subject = target(new);
    undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    // The last sectors before the old end: the old entries and their header.
    let old_end = (80 * MIB) as usize;
    let range = old_end - 33 * 512..old_end;
    assert!(subject.device.bytes()[range.clone()] == disk.bytes()[range]);
}
