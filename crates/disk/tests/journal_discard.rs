//! Giving up a journal: only while nothing of its work is in place, and nothing but its own place is written.

#![allow(clippy::unwrap_used)]

mod journal_case;

use journal_case::{Case, GUID, SECTOR, moving, plain, sectors};
use winrefit_disk::journal::{self, Content, Decision, JournalError, Outcome, State, Whole};
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
        let seen = journal::inspect(disk, &found, Some(GUID), &mut |_| ()).unwrap();
        (seen.decision, seen.content) == (Decision::Resume, Content::Mixed)
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

/// Work of which nothing is missing, on a disk that was used or not: its journal is finished.
#[test]
fn only_work_of_which_nothing_is_missing_is_called_done() {
    for case in [plain(), moving()] {
        let new = case.outside(&case.committed(&case.base).0);
        let (mut kept, mut refused) = (0, 0);
        for disk in [cut(&case, false), cut(&case, true)].concat() {
            let is_new = case.outside(&disk) == new;
            let disk = used(&case, &disk);
            let found = case.find(&disk).unwrap();
            let mut device = Recording::new(disk.clone());
            let outcome = journal::keep(&mut device, &found, Some(GUID), &mut |_| ());
            let (mut after, events) = device.into_parts();
            let is_underway = matches!(found.header.state, State::Committed | State::Undoing);
            if !is_underway || !is_new {
                assert!(matches!(outcome, Err(JournalError::NotDiscardable { .. })));
                assert!(events.is_empty());
                refused += 1;
                continue;
            }
            outcome.unwrap();
            kept += 1;
            let header = found.header.header_offset;
            assert!(events.iter().all(|event| match event {
                Event::Write { offset, data } => *offset == header && data.len() as u64 == SECTOR,
                Event::Flush => true,
            }));
            let found = case.find(&after).unwrap();
            assert_eq!(found.header.state, State::Applied);
            journal::undo(&mut after, &found, Some(GUID), &mut |_| ()).unwrap();
            assert!(case.outside(&after) == case.outside(&used(&case, &case.base)));
        }
        assert!(kept > 0 && refused > 0, "{kept}, {refused}");
    }
}

/// Somebody has written to touched sectors. Which state is there is known by the phase next to its end.
#[test]
fn foreign_writes_hide_a_whole_state_only_in_the_phase_that_tells_of_it() {
    let case = plain();
    let extents = &case.transaction.extents;
    let phases = || extents.iter().map(|extent| extent.phase);
    let (lowest, highest) = (phases().min().unwrap(), phases().max().unwrap());
    assert!(lowest < highest);
    let alone = |phase| {
        let mut own = extents.iter().filter(|extent| extent.phase == phase);
        let is_alone = |at: u64| {
            let mut others = extents.iter().filter(|other| other.phase != phase);
            others.all(|other| at < other.offset || at >= other.offset + other.after.len() as u64)
        };
        own.find(|extent| is_alone(extent.offset)).unwrap().offset
    };
    let new = case.outside(&case.committed(&case.base).0);
    let mut ends = [0; 3];
    for disk in [cut(&case, false), cut(&case, true)].concat() {
        let state = case.find(&disk).unwrap().header.state;
        if !matches!(state, State::Committed | State::Undoing) {
            continue;
        }
        let content = case.outside(&disk);
        for phase in [lowest, highest] {
            let due = match phase == lowest {
                false if content == case.old_content() => Some(Whole::Old),
                true if content == new => Some(Whole::New),
                _ => None,
            };
            let mut disk = disk.clone();
            disk.write_at(alone(phase), &[0x77; SECTOR as usize]).unwrap();
            let found = case.find(&disk).unwrap();
            let seen = journal::inspect(&disk, &found, Some(GUID), &mut |_| ()).unwrap();
            assert!(matches!(seen.content, Content::Foreign { .. }));
            assert_eq!(seen.whole, due, "{state}, phase {phase}");
            for way in [Whole::Old, Whole::New] {
                let mut device = disk.clone();
                let outcome = match way {
                    Whole::Old => journal::discard(&mut device, &found, Some(GUID), &[], &mut |_| ()),
                    Whole::New => journal::keep(&mut device, &found, Some(GUID), &mut |_| ()),
                };
                assert!(case.outside(&device) == case.outside(&disk));
                match outcome {
                    Ok(()) => assert_eq!(due, Some(way)),
                    Err(error) => {
                        assert!(matches!(error, JournalError::ForeignWrites { .. }), "{error}");
                        assert!(due != Some(way) && device == disk);
                    }
                }
            }
            ends[due.map_or(0, |whole| 1 + usize::from(whole == Whole::New))] += 1;
        }
    }
    assert!(ends.iter().all(|count| *count > 0), "{ends:?}");
}
