//! Copies that a transaction relies on, and a body in free clusters: what others may do to them, and what they may not.

#![allow(clippy::unwrap_used)]

mod journal_case;

use journal_case::{Case, Changes, GUID, SECTOR, meta, moving, plain, sectors};
use winrefit_disk::journal::{self, Decision, JournalError, JournalPlace, Outcome, State, Transaction};
use winrefit_disk::{ByteRange, Crash, Device, MemoryDevice, Metered, Move, SectorSize};

/// Bytes of the copies and originals of [`moving`], in sectors that no extent covers, and the copy's sector.
const ENDS: [(u64, u64); 4] = [
    (12 * SECTOR + 7, 12 * SECTOR),
    (14 * SECTOR + 511, 14 * SECTOR),
    (32 * SECTOR, 14 * SECTOR),
    (40 * SECTOR + 1, 16 * SECTOR),
];

fn commit(device: &mut MemoryDevice, case: &Case) -> Result<journal::Header, JournalError> {
    journal::commit(device, case.place, &case.transaction, &meta(), &mut |_| ())
}

fn undo(device: &mut MemoryDevice, case: &Case) -> Result<(), JournalError> {
    let found = case.find(device).unwrap();
    journal::undo(device, &found, Some(GUID), &mut |_| ())
}

#[test]
fn a_wrong_copy_stops_a_commit_before_it_writes() {
    let case = moving();
    for (byte, _) in ENDS {
        let mut device = case.base.clone();
        device.bytes_mut()[byte as usize] ^= 1;
        let untouched = device.clone();
        match commit(&mut device, &case) {
            Err(JournalError::CopyDiffers { to, from }) => assert!([to, from].contains(&byte), "{byte}"),
            other => panic!("{byte}: {other:?}"),
        }
        assert!(device == untouched);
    }
}

#[test]
fn impossible_moves_stop_a_commit_before_it_writes() {
    let case = moving();
    let over = |to, from| Move {
        to,
        from,
        length: SECTOR,
    };
    for bad in [
        over(case.gap.start, 20 * SECTOR),
        over(20 * SECTOR, case.gap.start),
        over(case.place.body.start, 20 * SECTOR),
        over(20 * SECTOR, case.place.body.start),
        over(20 * SECTOR, 104 * SECTOR),
        over(31 * SECTOR, 20 * SECTOR),
        over(20 * SECTOR + 1, 21 * SECTOR),
    ] {
        let mut wrong = case.clone();
        wrong.transaction.moves.push(bad);
        let mut device = case.base.clone();
        let result = commit(&mut device, &wrong);
        let refused = matches!(
            result,
            Err(JournalError::MoveInPlace { .. }
                | JournalError::MoveOutside { .. }
                | JournalError::MovesOverlap { .. }
                | JournalError::MoveShape { .. })
        );
        assert!(refused, "{bad:?}: {result:?}");
        assert!(device == case.base);
    }
}

#[test]
fn after_a_cut_torn_copies_end_old_or_stop() {
    let case = moving();
    let (_, events) = case.committed(&case.base);
    let (mut discarded, mut stopped) = (0, 0);
    for count in 0..=events.len() {
        let mut cut = case.base.clone();
        Crash::Prefix { count }.apply(&mut cut, &events).unwrap();
        let found = case.find(&cut);
        let Some(found) = found.filter(|found| found.header.state == State::Committed) else {
            continue;
        };
        for (byte, sector) in ENDS {
            let mut device = cut.clone();
            device.bytes_mut()[byte as usize] ^= 1;
            let untouched = device.clone();
            let nothing_yet = case.outside(&cut) == case.old_content();
            let decision = journal::assess(&device, &found, Some(GUID)).unwrap();
            let result = journal::resume(&mut device, &found, Some(GUID), &mut |_| ());
            if nothing_yet {
                assert_eq!(decision, Decision::Discard, "{count}");
                assert_eq!(result.unwrap(), Outcome::Discarded, "{count}");
                device.bytes_mut()[byte as usize] ^= 1;
                assert_eq!(case.judge(&device, "discarded"), State::Preparing);
                discarded += 1;
            } else {
                assert_eq!(
                    decision,
                    Decision::StopForeignWrites { offset: sector },
                    "{count}"
                );
                assert!(matches!(result, Err(JournalError::ForeignWrites { offset }) if offset == sector));
                assert!(device == untouched, "{count}");
                stopped += 1;
            }
        }
    }
    assert!(discarded >= 4 && stopped >= 16, "{discarded}, {stopped}");
}

#[test]
fn an_undo_with_torn_copies_does_not_begin_and_does_not_go_on() {
    let case = moving();
    let (committed, _) = case.committed(&case.base);
    for (byte, sector) in ENDS {
        let mut device = committed.clone();
        device.bytes_mut()[byte as usize] ^= 1;
        let untouched = device.clone();
        match undo(&mut device, &case) {
            Err(JournalError::ChangedSince { offset }) => assert_eq!(offset, sector, "{byte}"),
            other => panic!("{byte}: {other:?}"),
        }
        assert!(device == untouched);
    }

    let mut recording = winrefit_disk::Recording::new(committed.clone());
    let found = case.find(&committed).unwrap();
    journal::undo(&mut recording, &found, Some(GUID), &mut |_| ()).unwrap();
    let (_, events) = recording.into_parts();
    let (mut finished, mut stopped) = (0, 0);
    for count in 0..=events.len() {
        let mut device = committed.clone();
        Crash::Prefix { count }.apply(&mut device, &events).unwrap();
        let found = case.find(&device);
        let Some(found) = found.filter(|found| found.header.state == State::Undoing) else {
            continue;
        };
        let all_back = case.outside(&device) == case.old_content();
        device.bytes_mut()[ENDS[0].0 as usize] ^= 1;
        match journal::resume(&mut device, &found, Some(GUID), &mut |_| ()) {
            Ok(Outcome::Undone) => {
                assert!(all_back, "{count}");
                finished += 1;
            }
            Err(JournalError::ForeignWrites { offset }) => {
                assert!(!all_back && offset == ENDS[0].1, "{count}");
                stopped += 1;
            }
            other => panic!("{count}: {other:?}"),
        }
    }
    assert!(finished > 0 && stopped > 4, "{finished}, {stopped}");
}

/// The case with all changes committed, and some bytes of the body overwritten as a file would.
fn overwritten(case: &Case) -> MemoryDevice {
    let (mut device, _) = case.committed(&case.base);
    device
        .write_at(case.place.body.start + SECTOR, &[0xF1; 700])
        .unwrap();
    device
}

#[test]
fn an_overwritten_body_ends_the_undo_and_nothing_else() {
    let case = moving();
    let mut device = overwritten(&case);
    let untouched = device.clone();
    let found = case.find(&device).unwrap();
    assert_eq!(
        journal::assess(&device, &found, Some(GUID)).unwrap(),
        Decision::Done
    );
    let done = journal::resume(&mut device, &found, Some(GUID), &mut |_| ());
    assert_eq!(done.unwrap(), Outcome::NothingToDo);
    match undo(&mut device, &case) {
        Err(JournalError::UndoOverwritten { offset }) => assert_eq!(offset, case.place.body.start),
        other => panic!("{other:?}"),
    }
    assert!(device == untouched);
}

#[test]
fn a_new_commit_replaces_a_journal_and_leaves_its_free_clusters_alone() {
    let first = moving();
    let device = overwritten(&first);
    let mut changes = Changes::new(&device);
    changes.add(20, 2, 0, 0x42);
    let second = Case {
        base: device.clone(),
        gap: sectors(8, 10),
        place: JournalPlace {
            header: first.gap.start,
            body: sectors(50, 60),
            free_end: first.gap.end,
        },
        transaction: Transaction {
            extents: changes.extents,
            moves: Vec::new(),
        },
    };
    let (mut new, events) = second.committed(&device);
    for (count, _) in events.iter().enumerate() {
        let mut cut = device.clone();
        Crash::Prefix { count }.apply(&mut cut, &events).unwrap();
        if count > 0 {
            second.settle(&mut cut, &format!("{count} events"));
        }
        let body = first.place.body;
        let body = body.start as usize..body.end as usize;
        assert!(
            cut.bytes()[body.clone()] == device.bytes()[body],
            "{count} events"
        );
    }
    undo(&mut new, &second).unwrap();
    assert!(second.gap_is_zero(&new));
    assert!(second.outside(&new) == second.old_content());
}

#[test]
fn a_body_in_free_clusters_cleans_the_gap_of_an_earlier_one() {
    let first = plain();
    let (device, _) = first.committed(&first.base);
    let mut changes = Changes::new(&device);
    changes.add(44, 1, 0, 0x42);
    let second = Case {
        base: device.clone(),
        gap: first.gap,
        place: JournalPlace {
            header: first.gap.start,
            body: sectors(56, 60),
            free_end: first.gap.end,
        },
        transaction: Transaction {
            extents: changes.extents,
            moves: Vec::new(),
        },
    };
    let (mut new, events) = second.committed(&device);
    let header = second.find(&new).unwrap().header;
    assert_eq!(header.gap(), sectors(8, 9));
    let behind = (9 * SECTOR) as usize..first.gap.end as usize;
    assert!(new.bytes()[behind].iter().all(|byte| *byte == 0));
    for crash in Crash::all(&events, SectorSize::B512) {
        let mut cut = device.clone();
        crash.apply(&mut cut, &events).unwrap();
        if second.find(&cut).unwrap().header.body_offset == header.body_offset {
            second.settle(&mut cut, &format!("{crash:?}"));
        }
    }
    undo(&mut new, &second).unwrap();
    assert!(second.gap_is_zero(&new));

    // The body must not lie where the older one is still to be removed.
    let mut bad = second.clone();
    bad.place.body = sectors(10, 20);
    let refused = commit(&mut device.clone(), &bad);
    assert!(
        matches!(refused, Err(JournalError::BadPlace { .. })),
        "{refused:?}"
    );
}

#[test]
fn free_clusters_that_someone_took_after_a_cut_are_not_wiped() {
    let case = moving();
    let (committed, commit_events) = case.committed(&case.base);
    let mut recording = winrefit_disk::Recording::new(committed.clone());
    let found = case.find(&committed).unwrap();
    journal::undo(&mut recording, &found, Some(GUID), &mut |_| ()).unwrap();
    let (_, undo_events) = recording.into_parts();
    let mut seen = 0;
    for (base, events) in [(&case.base, &commit_events), (&committed, &undo_events)] {
        for count in 0..=events.len() {
            let mut device = base.clone();
            Crash::Prefix { count }.apply(&mut device, events).unwrap();
            let preparing = |device| {
                case.find(device)
                    .is_some_and(|f| f.header.state == State::Preparing)
            };
            if !preparing(&device) {
                continue;
            }
            let file = case.place.body.start + 3 * SECTOR;
            device.write_at(file, &[0xF1; 1024]).unwrap();
            let all = device.bytes()[case.place.body.start as usize..].to_vec();
            assert_eq!(case.settle(&mut device, "taken"), State::Preparing);
            assert!(device.bytes()[case.place.body.start as usize..] == all, "{count}");
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
}

#[test]
fn headers_that_point_out_of_bounds_are_refused() {
    let case = moving();
    let (mut device, _) = case.committed(&case.base);
    let found = |device: &MemoryDevice, within: ByteRange| {
        journal::find(device, SectorSize::B512, &[case.gap.start], within)
    };
    assert!(found(&device, sectors(8, 104)).unwrap().is_some());
    // The second partition table, for example, lies behind.
    let outside = found(&device, sectors(8, 65));
    assert!(
        matches!(outside, Err(JournalError::ImpossibleHeader { .. })),
        "{outside:?}"
    );
    assert!(found(&device, sectors(9, 104)).unwrap().is_none());
    // A body that claims a touched sector is a damaged one, whatever lies there.
    let header = case.gap.start as usize;
    let bytes = device.bytes_mut();
    bytes[header + 72..header + 80].copy_from_slice(&(63 * SECTOR).to_le_bytes());
    let crc = crc32fast::hash(&bytes[header..header + 508]);
    bytes[header + 508..header + 512].copy_from_slice(&crc.to_le_bytes());
    let undone = undo(&mut device, &case);
    assert!(
        matches!(undone, Err(JournalError::UndoOverwritten { .. })),
        "{undone:?}"
    );
}

/// A relocation changes single sectors all over the disk.
#[test]
fn many_small_extents_take_few_requests() {
    const COUNT: u64 = 20_000;
    let device = MemoryDevice::zeroed(64 << 20, SectorSize::B512);
    let mut transaction = Transaction::default();
    for n in (0..COUNT).rev() {
        transaction.extents.push(journal::Extent {
            // Four of five sectors, and in the order that is worst.
            offset: (40 << 20) + (n + n / 4) * SECTOR,
            before: vec![0; SECTOR as usize],
            after: vec![n as u8 | 1; SECTOR as usize],
            phase: 1,
        });
    }
    let place = JournalPlace {
        header: SECTOR,
        body: ByteRange::new(1 << 20, 40 << 20),
        free_end: 2 * SECTOR,
    };
    let mut metered = Metered::new(device);
    let header = journal::commit(&mut metered, place, &transaction, &meta(), &mut |_| ()).unwrap();
    let mebibytes = header.body_len.div_ceil(1 << 20);
    assert_eq!(metered.writes(), 3 + mebibytes + COUNT / 4);
    // The header's sector, whether it is all zeros, and the extents twice.
    assert_eq!(metered.reads(), 2 + 2 * COUNT / 4);
    assert_eq!(metered.flushes(), 5);
    let again = journal::load(&metered, &header).unwrap();
    assert!(again == transaction);
}
