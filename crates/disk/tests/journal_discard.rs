//! Giving up a journal: only while nothing of its work is in place, and nothing but its own place is written.

#![allow(clippy::unwrap_used)]

mod journal_case;

use journal_case::{Case, GUID, SECTOR, moving, plain, sectors};
use winrefit_disk::journal::{self, Content, Decision, JournalError, Outcome, State};
use winrefit_disk::{ByteRange, Crash, Device, Event, MemoryDevice, ReadAt, Recording};

/// A disk for each cut of a commit, or of the undo behind it, that has a journal.
fn cut(case: &Case, is_undo: bool) -> Vec<MemoryDevice> {
    let (new, commit) = case.committed(&case.base);
    let (base, events) = match is_undo {
        false => (case.base.clone(), commit),
        true => {
            let mut device = Recording::new(new.clone());
            let found = case.find(&new).unwrap();
            journal::undo(&mut device, &found, Some(GUID), &mut |_| ()).unwrap();
            (new, device.into_parts().1)
        }
    };
    let disks = (0..=events.len()).map(|count| {
        let mut disk = base.clone();
        Crash::Prefix { count }.apply(&mut disk, &events).unwrap();
        disk
    });
    disks.filter(|disk| case.find(disk).is_some()).collect()
}

/// A sector that the work does not touch, written since.
fn used(case: &Case, disk: &MemoryDevice) -> MemoryDevice {
    let mut used = disk.clone();
    used.write_at(5 * SECTOR, &[0xa5; SECTOR as usize]).unwrap();
    assert_eq!(case.versions(&used), case.versions(disk));
    used
}

#[test]
fn only_a_journal_whose_work_is_not_in_place_is_given_up() {
    for case in [plain(), moving()] {
        let mut given_up = Vec::new();
        for disk in [cut(&case, false), cut(&case, true)].concat() {
            let is_old = case.outside(&disk) == case.old_content();
            let disk = used(&case, &disk);
            let found = case.find(&disk).unwrap();
            let state = found.header.state;
            let mut device = Recording::new(disk.clone());
            let outcome = journal::discard(&mut device, &found, Some(GUID), &[], &mut |_| ());
            let (after, events) = device.into_parts();
            if state == State::Applied || state != State::Preparing && !is_old {
                assert!(
                    matches!(outcome, Err(JournalError::NotDiscardable { .. })),
                    "{state}"
                );
                assert!(events.is_empty(), "{state}");
                continue;
            }
            outcome.unwrap();
            given_up.push(state);
            for event in &events {
                if let Event::Write { offset, data } = event {
                    let range = ByteRange::new(*offset, offset + data.len() as u64);
                    assert!(case.gap.contains(&range), "{state}: {range}");
                }
            }
            assert!(case.gap_is_zero(&after) && case.find(&after).is_none());
            assert!(case.outside(&after) == case.outside(&disk), "{state}");
            assert_resumable(&case, &disk, &events);
        }
        for state in [State::Preparing, State::Committed, State::Undoing] {
            assert!(given_up.contains(&state), "{state}");
        }
    }
}

/// A cut of the discard leaves a journal that goes on to be removed, or that can still be given up.
fn assert_resumable(case: &Case, disk: &MemoryDevice, events: &[Event]) {
    let before = case.find(disk).unwrap().header.state;
    for count in 0..events.len() {
        let mut device = disk.clone();
        Crash::Prefix { count }.apply(&mut device, events).unwrap();
        let Some(found) = case.find(&device) else { continue };
        if found.header.state == before && before != State::Preparing {
            journal::discard(&mut device, &found, Some(GUID), &[], &mut |_| ()).unwrap();
        } else {
            let outcome = journal::resume(&mut device, &found, Some(GUID), &mut |_| ()).unwrap();
            assert_eq!(outcome, Outcome::Discarded, "after {count} events");
        }
        assert!(case.gap_is_zero(&device));
        assert!(
            case.outside(&device) == case.outside(disk),
            "after {count} events"
        );
    }
}

#[test]
fn what_belongs_to_a_partition_by_now_is_not_written() {
    let case = plain();
    let disk = cut(&case, false).into_iter().find(|disk| {
        case.find(disk)
            .is_some_and(|found| found.header.state == State::Committed)
    });
    let disk = disk.unwrap();
    let found = case.find(&disk).unwrap();
    let header = case.gap.start / SECTOR;
    let taken = [sectors(header + 6, header + 8), sectors(header + 3, header + 4)];
    let mut device = disk.clone();
    journal::discard(&mut device, &found, Some(GUID), &taken, &mut |_| ()).unwrap();
    for sector in header..case.gap.end / SECTOR {
        let at = sectors(sector, sector + 1);
        let is = device.read_vec(at.start, SECTOR as usize).unwrap();
        let was = disk.read_vec(at.start, SECTOR as usize).unwrap();
        if taken.iter().any(|taken| taken.contains(&at)) {
            assert!(is == was && was.iter().any(|byte| *byte != 0), "{sector}");
        } else {
            assert!(is.iter().all(|byte| *byte == 0), "{sector}");
        }
    }
    let mut device = disk.clone();
    let taken = [sectors(header - 2, header + 1)];
    let outcome = journal::discard(&mut device, &found, Some(GUID), &taken, &mut |_| ());
    assert!(matches!(outcome, Err(JournalError::HeaderTaken { offset }) if offset == case.gap.start));
    assert!(device == disk);
}

#[test]
fn what_stops_a_resume_stops_a_discard() {
    let case = moving();
    let disk = cut(&case, false).into_iter().find(|disk| {
        let found = case.find(disk).unwrap();
        journal::inspect(disk, &found, Some(GUID), &mut |_| ()).unwrap() == (Decision::Resume, Content::Mixed)
    });
    let disk = disk.unwrap();
    let found = case.find(&disk).unwrap();
    let mut foreign = disk.clone();
    foreign.write_at(2 * SECTOR, &[0x5a; SECTOR as usize]).unwrap();
    for (disk, guid) in [(foreign, GUID), (disk, [0; 16])] {
        let mut device = disk.clone();
        let outcome = journal::discard(&mut device, &found, Some(guid), &[], &mut |_| ());
        assert!(matches!(
            outcome,
            Err(JournalError::ForeignWrites { .. } | JournalError::OtherDisk { .. })
        ));
        assert!(device == disk);
    }
}
