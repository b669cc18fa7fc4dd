//! A power cut at every point of a reset of Windows Update and of its undo: behind a resume the disk is the old one or
//! the new one, and at every flush before that one that Windows can use.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/update.rs"]
mod update;

use common::compare::first_lost;
use common::{Layout, WINDOWS, partition_range, target};
use update::{ALL, FOLDERS, SYSTEM, has, layout, start};
use winrefit_disk::{
    ByteRange, Crash, Device, Event, MemoryDevice, Overlay, ReadAt, ReadWindow, Recording, SectorSize,
    recording,
};
use winrefit_formats::Hive;
use winrefit_ntfs::check::{CheckOptions, check};
use winrefit_ntfs::{AttributeType, Volume};
use winrefit_repair::commands::{diagnose, reset_update, resume, undo};
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

/// How often a resume behind such a cut of `events` on `start` ends in each of the two states.
fn cut(
    name: &str,
    start: &MemoryDevice,
    events: &[Event],
    states: [&MemoryDevice; 2],
    crashes: impl Iterator<Item = Crash>,
) -> [u32; 2] {
    let mut counts = [0; 2];
    for crash in crashes {
        let mut disk = Overlay::new(start, start.sector_size());
        crash.apply(&mut disk, events).unwrap();
        let mut subject = target(disk);
        resume(&mut subject, &mut |_| ()).unwrap_or_else(|error| panic!("{name}, {crash:?}: {error}"));
        let lost = states.map(|state| first_lost(state, &subject.device));
        let state = lost.iter().position(Option::is_none);
        let state = state.unwrap_or_else(|| panic!("{name}, {crash:?}: neither disk: {lost:?}"));
        counts[state] += 1;
    }
    counts
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

#[test]
fn a_cut_reset_ends_old_or_new() {
    for (name, old) in disks() {
        let (new, events) = reset(name, &old);
        let states = [&old, &new];
        let every = cut(name, &old, &events, states, prefixes(&events));
        let some = cut(name, &old, &events, states, others(&events, old.sector_size()));
        println!("{name}: prefixes end in {every:?}, others in {some:?}");
        assert!(
            every.iter().chain(&some).all(|count| *count > 2),
            "{name}: {every:?}, {some:?}"
        );
    }
}

#[test]
fn a_cut_undo_ends_new_or_old() {
    for (name, old) in disks() {
        let (new, _) = reset(name, &old);
        let (back, events) = undone(name, &new);
        assert_eq!(first_lost(&old, &back), None, "{name}");
        let states = [&new, &old];
        let every = cut(name, &new, &events, states, prefixes(&events));
        let some = cut(name, &new, &events, states, others(&events, old.sector_size()));
        println!("{name}: prefixes of the undo end in {every:?}, others in {some:?}");
        assert!(every.iter().all(|count| *count > 0), "{name}: {every:?}");
    }
}

/// Nothing is written in place before the record of the commit is durable: the first write into C: is behind a flush
/// behind which a resume ends in the new state.
#[test]
fn the_journal_is_durable_before_the_first_write_in_place() {
    for (name, old) in disks() {
        let (new, events) = reset(name, &old);
        let range = partition_range(&old, WINDOWS);
        let is_in_place = |event: &Event| match event {
            Event::Write { offset, .. } => range.start <= *offset && *offset < range.end,
            Event::Flush => false,
        };
        let first = events.iter().position(is_in_place).unwrap();
        assert_eq!(events[first - 1], Event::Flush, "{name}");
        let mut disk = Overlay::new(&old, old.sector_size());
        recording::replay(&mut disk, &events[..first]).unwrap();
        let mut subject = target(disk);
        resume(&mut subject, &mut |_| ()).unwrap();
        assert_eq!(first_lost(&new, &subject.device), None, "{name}");
    }
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
    let [first, second] = FOLDERS.map(|folder| {
        let is_new = has(disk, &format!("{folder}.old"));
        assert!(has(disk, folder) != is_new, "{name}: {folder}");
        is_new
    });
    let starts = STARTS.map(|(service, _)| start(disk, service) != 4);
    [first, second, starts == [true; 3]]
}

/// Torn anywhere, the hive is clean and every service starts in the old way or the new. Where it lies is told by the old
/// disk: a directory above it may be torn, too.
#[test]
fn no_choice_of_the_writes_makes_the_hive_a_dirty_one() {
    let (name, old) = &disks()[0];
    let (_, events) = reset(name, old);
    let part = partition_range(old, WINDOWS);
    let volume = Volume::open(ReadWindow::new(old, part).unwrap()).unwrap();
    let file = volume.lookup(SYSTEM).unwrap().unwrap();
    let stream = file.require(AttributeType::DATA, "").unwrap();
    let ranges = volume.plain_ranges(&stream).unwrap().unwrap();
    let mut partly = 0;
    for crash in others(&events, old.sector_size()).chain(prefixes(&events)) {
        let mut disk = Overlay::new(old, old.sector_size());
        crash.apply(&mut disk, &events).unwrap();
        let piece = |range: &ByteRange| disk.read_vec(part.start + range.start, range.len() as usize);
        let bytes: Vec<u8> = ranges.iter().flat_map(|range| piece(range).unwrap()).collect();
        let hive = Hive::open(&bytes).unwrap();
        assert!(!hive.is_dirty());
        let starts = STARTS.map(|(service, _)| {
            let path = format!(r"ControlSet001\Services\{service}");
            hive.dword(&path, "Start").unwrap().unwrap()
        });
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
