//! A power cut at every point of a whole repair, and of its undo: `resume` ends in the old disk or the new one, exactly.
//! And between the phases of a commit the disk is one that Windows can start from, even before any resume.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Layout, MIB, RECOVERY, REQUEST, WINDOWS, partition_range, target};
use winrefit_disk::{
    ByteRange, Crash, Device, Event, MemoryDevice, Overlay, ReadAt, ReadWindow, Recording, SectorSize,
    recording,
};
use winrefit_ntfs::check::{CheckOptions, check};
use winrefit_repair::commands::{diagnose, fix, resume, undo};
use winrefit_repair::report::Verdict;

fn layouts() -> [(&'static str, Layout); 5] {
    [
        ("shrink+grow-front", Layout::default()),
        (
            "grow-front",
            Layout {
                windows: (4, 30),
                ..Layout::default()
            },
        ),
        (
            "grow-end",
            Layout {
                disk: 100,
                ..Layout::default()
            },
        ),
        (
            "journal in free clusters",
            Layout {
                recovery_files: 600,
                ..Layout::default()
            },
        ),
        (
            "data in the donor's tail",
            Layout {
                full_tail: true,
                ..Layout::default()
            },
        ),
    ]
}

/// The disk after the repair, and every write and flush that led there.
fn record(old: &MemoryDevice) -> (MemoryDevice, Vec<Event>) {
    let mut subject = target(Recording::new(old.clone()));
    let report = fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired);
    subject.device.into_parts()
}

/// The free clusters that hold the journal's body on a repaired disk, or nothing.
fn body_in_clusters(new: &MemoryDevice) -> ByteRange {
    let header = 34 * new.sector_size().bytes();
    let field = |at: u64| u64::from_le_bytes(new.read_vec(header + at, 8).unwrap().try_into().unwrap());
    let (offset, length) = (field(72), field(80));
    if offset == header + new.sector_size().bytes() {
        return ByteRange::new(0, 0);
    }
    ByteRange::new(offset, offset + length)
}

/// What is written before the journal: copies of data, into free clusters.
fn copies(events: &[Event], sector_size: SectorSize) -> Vec<ByteRange> {
    let header = 34 * sector_size.bytes();
    let written = events.iter().filter_map(|event| match event {
        Event::Write { offset, data } => Some(ByteRange::new(*offset, offset + data.len() as u64)),
        Event::Flush => None,
    });
    written.take_while(|range| range.start != header).collect()
}

/// First byte, outside of `except`, in which a device differs from an image.
fn difference(device: &dyn ReadAt, image: &MemoryDevice, except: &[ByteRange]) -> Option<u64> {
    // What the overlay did not change is the base; only where the images differ or the overlay wrote has to be read.
    let mut at = 0;
    while at < image.size() {
        let length = (1 << 20).min(image.size() - at) as usize;
        let actual = device.read_vec(at, length).unwrap();
        let expected = &image.bytes()[at as usize..at as usize + length];
        if actual[..] != *expected {
            let first = actual.iter().zip(expected).enumerate().find(|(index, (a, b))| {
                let offset = at + *index as u64;
                a != b
                    && !except
                        .iter()
                        .any(|range| (range.start..range.end).contains(&offset))
            });
            if let Some((index, _)) = first {
                return Some(at + index as u64);
            }
        }
        at += length as u64;
    }
    None
}

/// Cuts the power in every way of `crashes`, resumes, and counts how often each of the two disks came out. Where copies
/// of data went, the old disk may have anything.
fn assert_old_or_new(
    base: &MemoryDevice,
    ends: [&MemoryDevice; 2],
    copies: &[ByteRange],
    events: &[Event],
    crashes: &[Crash],
) -> [u32; 2] {
    let mut counts = [0; 2];
    // Whichever of the two is the repaired one; on the other these are zeros, or bytes of no journal.
    let header = 34 * base.sector_size().bytes();
    let is_repaired = |end: &MemoryDevice| end.read_vec(header, 8).unwrap() == b"WRFTJRNL";
    let repaired = ends.into_iter().find(|end| is_repaired(end));
    let body = body_in_clusters(repaired.unwrap());
    let except = ends.map(|end| {
        let copies = if is_repaired(end) { &[] } else { copies };
        [&[body], copies].concat()
    });
    for crash in crashes {
        let mut cut = Overlay::new(base, base.sector_size());
        crash.apply(&mut cut, events).unwrap();
        let mut subject = target(cut);
        let before = diagnose(&subject, None).unwrap();
        let unfinished = before.verdict == Verdict::Unfinished;
        let journal = before.journal.map(|journal| journal.state);
        resume(&mut subject, &mut |_| ()).unwrap_or_else(|error| panic!("{crash:?}: {error}"));
        let differ = [0, 1].map(|end| difference(&subject.device, ends[end], &except[end]));
        match differ {
            [None, _] => counts[0] += 1,
            [_, None] => counts[1] += 1,
            [old, new] => {
                panic!("{crash:?}, journal {journal:?}: differs from old at {old:?}, from new at {new:?}")
            }
        }
        if !unfinished {
            // Said to be finished, so it must have been one of the two before resume as well.
            assert!(matches!(journal, None | Some("applied")), "{crash:?}");
        }
    }
    counts
}

#[test]
fn a_repair_cut_anywhere_ends_old_or_new() {
    for (name, layout) in layouts() {
        let old = layout.build();
        let (new, events) = record(&old);
        let crashes: Vec<Crash> = Crash::all(&events, old.sector_size())
            .into_iter()
            .filter(|c| matches!(c, Crash::Prefix { .. }))
            .collect();
        let copies = copies(&events, old.sector_size());
        let [old_count, new_count] = assert_old_or_new(&old, [&old, &new], &copies, &events, &crashes);
        println!(
            "{name}: {} events, {old_count} cuts end old, {new_count} end new",
            events.len()
        );
        assert_eq!(crashes.len(), events.len() + 1, "every prefix");
        assert!(old_count > 2 && new_count > 2);
    }
}

#[test]
fn a_repair_with_lost_torn_or_reordered_writes_ends_old_or_new() {
    let layouts = layouts();
    // Every third one: the whole set is the journal's own test. Torn copies are many and alike.
    for ((name, layout), step) in [(&layouts[0], 3), (&layouts[4], 101)] {
        let old = layout.build();
        let (new, events) = record(&old);
        let crashes: Vec<Crash> = Crash::all(&events, old.sector_size())
            .into_iter()
            .filter(|c| !matches!(c, Crash::Prefix { .. }))
            .step_by(step)
            .collect();
        let copies = copies(&events, old.sector_size());
        let [old_count, new_count] = assert_old_or_new(&old, [&old, &new], &copies, &events, &crashes);
        println!(
            "{name}: {} cuts: {old_count} end old, {new_count} end new",
            crashes.len()
        );
        assert!(old_count > 0 && new_count > 0);
    }
}

#[test]
fn an_undo_cut_anywhere_ends_repaired_or_old() {
    for (name, layout) in layouts() {
        let old = layout.build();
        let (new, repair) = record(&old);
        let copies = copies(&repair, old.sector_size());
        let mut subject = target(Recording::new(new.clone()));
        assert_eq!(
            undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap().verdict,
            Verdict::Undone
        );
        let (undone, events) = subject.device.into_parts();
        let except = [&[body_in_clusters(&new)], &copies[..]].concat();
        assert_eq!(difference(&undone, &old, &except), None);
        let crashes: Vec<Crash> = (0..=events.len()).map(|count| Crash::Prefix { count }).collect();
        let [repaired, back] = assert_old_or_new(&new, [&new, &old], &copies, &events, &crashes);
        println!(
            "{name}: {} events, {repaired} cuts end repaired, {back} end old",
            events.len()
        );
        assert!(repaired > 0 && back > 2);
    }
}

/// Between two flushes of the commit: one copy of the partition table is good, both volumes have no error, the
/// recovery image can be found.
#[test]
fn the_disk_can_be_used_between_the_phases_without_resume() {
    for (name, layout) in layouts() {
        let old = layout.build();
        let (_, events) = record(&old);
        let mut states = 0;
        for (index, event) in events.iter().enumerate() {
            if *event != Event::Flush {
                continue;
            }
            let mut cut = Overlay::new(&old, old.sector_size());
            recording::replay(&mut cut, &events[..=index]).unwrap();
            let report = diagnose(&target(&mut cut), None).unwrap();
            assert!(
                report.findings.iter().all(|f| f.code != "ntfs-unreadable"),
                "{name}, event {index}"
            );
            let recovery = report.recovery.unwrap();
            let version = recovery.image.unwrap().version;
            assert_eq!(
                version.as_deref(),
                Some("10.0.20348.587"),
                "{name}, event {index}"
            );
            let disk = report.disk.unwrap();
            for number in [WINDOWS, RECOVERY] {
                let part = disk.partitions.iter().find(|p| p.number == number).unwrap();
                let start = part.start_lba * disk.sector_size_bytes;
                let range = ByteRange::new(start, start + part.size_bytes);
                let check = check(ReadWindow::new(&cut, range).unwrap(), &CheckOptions::default()).unwrap();
                assert!(
                    check.is_consistent(),
                    "{name}, event {index}, partition {number}: {:?}",
                    check.problems
                );
            }
            states += 1;
        }
        println!("{name}: {states} states between flushes");
        assert!(states >= 6);
    }
}

#[test]
fn nothing_is_written_in_place_before_the_journal_is_durable() {
    let (_, layout) = &layouts()[0];
    let old = layout.build();
    let (new, events) = record(&old);
    let sector = old.sector_size().bytes();
    // The journal lies in the first unallocated sectors; its header's second write is the commit record.
    let journal = ByteRange::new(34 * sector, MIB);
    let (mut header_writes, mut durable, mut in_place) = (0, false, 0);
    for event in &events {
        match event {
            Event::Flush => durable = header_writes >= 2,
            Event::Write { offset, .. } if *offset == journal.start => header_writes += 1,
            Event::Write { offset, data } => {
                let range = ByteRange::new(*offset, offset + data.len() as u64);
                if !journal.contains(&range) {
                    assert!(durable, "{range} is written before the commit record is durable");
                    in_place += 1;
                }
            }
        }
    }
    assert!(
        header_writes == 3 && in_place > 5,
        "{header_writes} header writes, {in_place} in place"
    );
    assert_ne!(partition_range(&new, RECOVERY), partition_range(&old, RECOVERY));
}

/// The clusters that the donor gives up may hold data of it until its boot sector says that it ends before them.
#[test]
fn what_the_donor_gives_up_is_written_after_the_donor_has_ended() {
    let (_, layout) = &layouts()[0];
    let old = layout.build();
    let (new, events) = record(&old);
    let boot = partition_range(&old, WINDOWS).start;
    let given = ByteRange::new(
        partition_range(&new, RECOVERY).start,
        partition_range(&old, RECOVERY).start,
    );
    let (mut written, mut ended, mut in_given) = (false, false, 0);
    for event in &events {
        match event {
            Event::Flush => ended = written,
            Event::Write { offset, .. } if *offset == boot => written = true,
            Event::Write { offset, .. } if given.start <= *offset && *offset < given.end => {
                assert!(ended, "byte {offset} is written before the donor has ended");
                in_given += 1;
            }
            Event::Write { .. } => {}
        }
    }
    assert!(in_given > 0);
}

#[test]
fn what_windows_changed_since_is_never_overwritten() {
    let old = Layout::default().build();
    let (new, _) = record(&old);
    let mut changed = new.clone();
    // The recovery volume's new boot sector.
    let range = partition_range(&changed, RECOVERY);
    let at = range.start + 3;
    changed.write_at(at, b"X").unwrap();
    let mut subject = target(changed.clone());
    let report = undo(&mut subject, &mut |_| panic!("no question is due"), &mut |_| ()).unwrap();
    let refusal = report.refusal.unwrap();
    assert_eq!(
        (report.verdict, refusal.code),
        (Verdict::Refused, "changed-since")
    );
    assert!(
        refusal
            .explained
            .detail
            .to_string()
            .contains("partition 4, byte 0"),
        "{}",
        refusal.explained.detail
    );
    assert!(subject.device == changed);
}
