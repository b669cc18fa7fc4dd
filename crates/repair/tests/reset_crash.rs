//! What a cut reset of Windows Update leaves, beyond what the crash matrix (`matrix/`) knows of: at every flush each folder
//! under one name, and a hive that is clean.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/update.rs"]
mod update;

use common::{Layout, WINDOWS, partition_range, target};
use update::{ALL, ASIDE, FOLDERS, has, layout, start};
use winrefit_disk::journal::State;
use winrefit_disk::{
    Crash, Device, Event, Lba, MemoryDevice, Overlay, ReadAt, ReadWindow, Recording, SectorSize, recording,
};
use winrefit_formats::{LbaRange, read_gpt};
use winrefit_ntfs::check::{CheckOptions, check};
use winrefit_repair::commands::{diagnose, reset_update, resume, undo};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::report::Verdict;

const STARTS: [(&str, u32); 3] = [("wuauserv", 4), ("BITS", 4), ("TrustedInstaller", 4)];

fn disks() -> Vec<(&'static str, MemoryDevice)> {
    let large_sectors = Layout {
        sector_size: SectorSize::B4096,
        ..layout(&STARTS)
    };
    vec![
        ("512-byte sectors", layout(&STARTS).build()),
        ("4096-byte sectors", large_sectors.build()),
    ]
}

/// The disk that a reset leaves, and how it comes to that.
fn reset(name: &str, old: &MemoryDevice) -> (MemoryDevice, Vec<Event>) {
    let mut subject = target(Recording::new(old.clone()));
    let report = reset_update(&mut subject, &ALL, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{name}: {:?}", report.refusal);
    subject.device.into_parts()
}

fn undone(name: &str, new: &MemoryDevice) -> (MemoryDevice, Vec<Event>) {
    let mut subject = target(Recording::new(new.clone()));
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{name}: {:?}", report.refusal);
    subject.device.into_parts()
}

fn prefixes(events: &[Event]) -> impl Iterator<Item = Crash> {
    (0..=events.len()).map(|count| Crash::Prefix { count })
}

/// Lost, torn and reordered writes, some of the many.
fn others(events: &[Event], sector_size: SectorSize) -> impl Iterator<Item = Crash> {
    let mut all = Crash::all(events, sector_size);
    all.retain(|crash| !matches!(crash, Crash::Prefix { .. }));
    let step = all.len().div_ceil(250);
    all.into_iter().step_by(step)
}

/// Without a resume: at every flush the volume has no fault, each folder is there under one name, and the hive is one
/// that Windows loads as it is.
#[test]
fn the_disk_can_be_used_at_every_flush() {
    for (name, old) in disks() {
        let (new, events) = reset(name, &old);
        let (_, back) = undone(name, &new);
        let mut seen = Vec::new();
        for (begin, events) in [(&old, &events), (&new, &back)] {
            for index in (0..events.len()).filter(|&index| events[index] == Event::Flush) {
                let mut disk = Overlay::new(begin, begin.sector_size());
                recording::replay(&mut disk, &events[..=index]).unwrap();
                seen.push(usable(&format!("{name}, event {index}"), &disk));
            }
        }
        seen.dedup();
        println!("{name}: {seen:?}");
        assert!(seen.contains(&[false, false, false]) && seen.contains(&[true, true, true]));
    }
}

/// Which of folders and services are reset by now.
fn usable(name: &str, disk: &dyn ReadAt) -> [bool; 3] {
    let part = ReadWindow::new(disk, partition_range(disk, WINDOWS)).unwrap();
    let checked = check(part, &CheckOptions::default()).unwrap();
    assert_eq!(checked.problems_total, 0, "{name}: {:?}", checked.problems);
    let [first, second] = [0, 1].map(|index| {
        let (folder, is_new) = (FOLDERS[index], has(disk, ASIDE[index]));
        assert!(has(disk, folder) != is_new, "{name}: {folder}");
        is_new
    });
    let starts = STARTS.map(|(service, _)| start(disk, service) != 4);
    [first, second, starts == [true; 3]]
}

/// Torn anywhere, the directories above it can be read, the hive is clean, and every service starts in the old way or
/// the new.
#[test]
fn no_choice_of_the_writes_hides_the_hive_or_makes_it_a_dirty_one() {
    let (name, old) = &disks()[0];
    let (_, events) = reset(name, old);
    let mut partly = 0;
    for crash in others(&events, old.sector_size()).chain(prefixes(&events)) {
        let mut disk = Overlay::new(old, old.sector_size());
        crash.apply(&mut disk, &events).unwrap();
        let starts = STARTS.map(|(service, _)| start(&disk, service));
        let due = [3, 2, 3];
        assert!(
            starts.iter().zip(due).all(|(now, due)| [4, due].contains(now)),
            "{starts:?}"
        );
        partly += u32::from(starts.contains(&4) && starts.iter().any(|now| *now != 4));
    }
    assert!(partly > 0, "the services are all in one sector");
}

#[test]
fn an_interrupted_reset_is_told_of() {
    let (name, old) = &disks()[0];
    let (_, events) = reset(name, old);
    let mut disk = Overlay::new(old, old.sector_size());
    recording::replay(&mut disk, &events[..events.len() - 2]).unwrap();
    let report = diagnose(&target(disk), None).unwrap();
    assert_eq!(report.verdict, Verdict::Unfinished);
    let memo = report.journal.unwrap().memo.to_string();
    assert!(memo.contains("reset-update"), "{memo}");
}

/// Going on writes to the header and to what was recorded: what else of the journal's place has become a partition's is in
/// nobody's way.
#[test]
fn a_partition_that_has_taken_some_of_the_journals_place_is_no_obstacle_to_going_on() {
    let (name, old) = &disks()[0];
    let (_, events) = reset(name, old);
    let mut met = 0;
    for end in (0..events.len()).filter(|&index| events[index] == Event::Flush) {
        let mut disk = old.clone();
        recording::replay(&mut disk, &events[..=end]).unwrap();
        let Ok(Some(found)) = observe(&disk, None, Depth::Quick).unwrap().journal else {
            continue;
        };
        if found.header.state != State::Committed {
            continue;
        }
        let mut gpt = read_gpt(&disk, SectorSize::B512).unwrap().usable().unwrap();
        let last = found.header.gap().end / 512 - 1;
        gpt.set_range(1, LbaRange::new(Lba(last), Lba(4096))).unwrap();
        gpt.write(&mut disk).unwrap();
        let mut subject = target(disk);
        let report = resume(&mut subject, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Repaired, "{end}: {:?}", report.refusal);
        met += 1;
    }
    assert!(met >= 3, "{met}");
}
