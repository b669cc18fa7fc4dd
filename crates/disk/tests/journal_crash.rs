//! Power cuts at every point of commit, resume and undo: the device is exactly old or exactly new afterwards.
//!
//! The device is small so that all cuts can be tried: after each one `resume` runs, and for a part of them `resume`
//! itself is cut at every point and run again.

#![allow(clippy::unwrap_used)]

use uuid::Uuid;
use winrefit_disk::journal::{self, Decision, Extent, Found, JournalPlace, Meta, Outcome, State};
use winrefit_disk::{ByteRange, Crash, Event, MemoryDevice, ReadAt, Recording, SectorSize};

const GUID: [u8; 16] = *b"the disk's guid.";

/// A device of 64 sectors with a journal place, and what is to change on it.
struct Case {
    base: MemoryDevice,
    place: JournalPlace,
    extents: Vec<Extent>,
}

fn extent(base: &MemoryDevice, sector: u64, sectors: usize, phase: u8, mark: u8) -> Extent {
    let size = SectorSize::B512.bytes();
    let before = base.read_vec(sector * size, sectors * size as usize).unwrap();
    let mut after: Vec<u8> = before.iter().map(|byte| byte ^ mark).collect();
    if sectors > 2 {
        // A sector that is the same in both images must not confuse the recovery.
        after[512..1024].copy_from_slice(&before[512..1024]);
    }
    Extent {
        offset: sector * size,
        before,
        after,
        phase,
    }
}

fn case() -> Case {
    let size = 512u64;
    let mut bytes: Vec<u8> = (0..64 * size)
        .map(|i| (i / size) as u8 ^ (i % 251) as u8)
        .collect();
    let place = JournalPlace {
        range: ByteRange::new(8 * size, 40 * size),
    };
    bytes[8 * 512..40 * 512].fill(0);
    let base = MemoryDevice::from_bytes(bytes, SectorSize::B512);
    let extents = vec![
        extent(&base, 63, 1, 2, 0x55),
        extent(&base, 1, 1, 2, 0xff),
        extent(&base, 42, 4, 0, 0x0f),
        extent(&base, 50, 3, 1, 0xf0),
        extent(&base, 2, 2, 1, 0x33),
    ];
    Case { base, place, extents }
}

fn meta() -> Meta {
    Meta {
        transaction_id: Uuid::from_u128(7),
        disk_guid: GUID,
        created_unix_seconds: 1_700_000_000,
        memo: [1; journal::MEMO_BYTES],
    }
}

impl Case {
    fn committed(&self, base: &MemoryDevice) -> (MemoryDevice, Vec<Event>) {
        let mut device = Recording::new(base.clone());
        journal::commit(&mut device, self.place, &self.extents, &meta(), &mut |_| ()).unwrap();
        device.into_parts()
    }

    fn find(&self, device: &MemoryDevice) -> Option<Found> {
        journal::find(device, SectorSize::B512, &[self.place]).unwrap()
    }

    /// The image with the journal's place blanked.
    fn outside(&self, device: &MemoryDevice) -> Vec<u8> {
        let mut bytes = device.bytes().to_vec();
        bytes[self.place.range.start as usize..self.place.range.end as usize].fill(0);
        bytes
    }

    fn new_content(&self) -> Vec<u8> {
        let mut bytes = self.base.bytes().to_vec();
        for extent in &self.extents {
            let start = extent.offset as usize;
            bytes[start..start + extent.after.len()].copy_from_slice(&extent.after);
        }
        bytes
    }

    fn place_is_zero(&self, device: &MemoryDevice) -> bool {
        let range = self.place.range;
        device.bytes()[range.start as usize..range.end as usize]
            .iter()
            .all(|byte| *byte == 0)
    }

    /// Resumes, checks that the result is old or new exactly, and says which.
    fn settle(&self, device: &mut MemoryDevice, what: &str) -> State {
        if let Some(found) = self.find(device) {
            journal::resume(device, &found, Some(GUID), &mut |_| ())
                .unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        self.judge(device, what)
    }

    fn judge(&self, device: &MemoryDevice, what: &str) -> State {
        let outside = self.outside(device);
        match self.find(device) {
            None => {
                assert!(outside == self.base.bytes(), "{what}: not the old content");
                assert!(
                    self.place_is_zero(device),
                    "{what}: a trace of the journal is left"
                );
                State::Preparing
            }
            Some(found) => {
                assert_eq!(found.header.state, State::Applied, "{what}");
                assert!(outside == self.new_content(), "{what}: not the new content");
                State::Applied
            }
        }
    }

    /// Every cut of `events` on `base`, resumed; every `nested`-th one with every cut of the resume as well.
    /// Returns how often the result was old and how often new.
    fn cut_everywhere(&self, base: &MemoryDevice, events: &[Event], nested: usize) -> (usize, usize) {
        let (mut old, mut new) = (0, 0);
        for (number, crash) in Crash::all(events, SectorSize::B512).into_iter().enumerate() {
            let mut device = base.clone();
            crash.apply(&mut device, events).unwrap();
            if number % nested == 0 {
                self.cut_the_resume(&device, &format!("{crash:?}"));
            }
            match self.settle(&mut device, &format!("{crash:?}")) {
                State::Applied => new += 1,
                _ => old += 1,
            }
        }
        (old, new)
    }

    fn cut_the_resume(&self, crashed: &MemoryDevice, what: &str) {
        let Some(found) = self.find(crashed) else { return };
        let mut device = Recording::new(crashed.clone());
        journal::resume(&mut device, &found, Some(GUID), &mut |_| ()).unwrap();
        let (settled, events) = device.into_parts();
        let result = self.judge(&settled, what);
        for again in Crash::all(&events, SectorSize::B512) {
            let mut device = crashed.clone();
            again.apply(&mut device, &events).unwrap();
            let what = format!("{what}, then {again:?}");
            assert_eq!(
                self.settle(&mut device, &what),
                result,
                "{what}: the direction changed"
            );
        }
    }
}

#[test]
fn a_commit_cut_anywhere_ends_old_or_new() {
    let case = case();
    let (device, events) = case.committed(&case.base);
    assert_eq!(case.judge(&device, "uncut"), State::Applied);
    let (old, new) = case.cut_everywhere(&case.base, &events, 3);
    assert!(old > 10 && new > 10, "{old} old, {new} new: the cuts miss a side");
}

#[test]
fn an_undo_cut_anywhere_ends_old_or_new() {
    let case = case();
    let (committed, _) = case.committed(&case.base);
    let mut device = Recording::new(committed.clone());
    let found = case.find(&committed).unwrap();
    journal::check_undo(&committed, &found, Some(GUID)).unwrap();
    journal::undo(&mut device, &found, Some(GUID), &mut |_| ()).unwrap();
    let (undone, events) = device.into_parts();
    assert!(undone.bytes() == case.base.bytes(), "undo is not bit for bit");
    assert_eq!(
        phases(&case, &events),
        [2, 2, 1, 1, 0],
        "an undo goes from the last phase to the first"
    );
    let (old, new) = case.cut_everywhere(&committed, &events, 3);
    assert!(old > 10 && new > 0, "{old} old, {new} new: the cuts miss a side");
}

#[test]
fn a_second_commit_over_an_old_journal_leaves_no_trace_after_its_undo() {
    let mut first = case();
    let mut device = first.committed(&first.base).0;
    let long_end = first.find(&device).unwrap().header.area().end;
    // A shorter transaction on top: the longer old body must go.
    let small = extent(&device, 44, 1, 0, 0x77);
    first.base = MemoryDevice::from_bytes(first.outside(&device), SectorSize::B512);
    first.extents = vec![small];
    let with_old_journal = device.clone();
    let (committed, events) = first.committed(&with_old_journal);
    let header = first.find(&committed).unwrap().header;
    assert!(header.area().end < long_end);
    assert_eq!(header.wipe_len, header.body_len);

    // Cuts before the first header arrives leave the old journal, which is neither of the two results here.
    let arrived = |device: &MemoryDevice| {
        first
            .find(device)
            .is_some_and(|found| found.header != header_of(&first, &with_old_journal))
    };
    let (mut old, mut new) = (0, 0);
    for crash in Crash::all(&events, SectorSize::B512) {
        let mut cut = with_old_journal.clone();
        crash.apply(&mut cut, &events).unwrap();
        if !arrived(&cut) {
            assert!(first.outside(&cut) == first.base.bytes(), "{crash:?}");
            continue;
        }
        match first.settle(&mut cut, &format!("{crash:?}")) {
            State::Applied => new += 1,
            _ => old += 1,
        }
    }
    assert!(old > 10 && new > 1, "{old} old, {new} new");

    device = committed;
    let found = first.find(&device).unwrap();
    journal::undo(&mut device, &found, Some(GUID), &mut |_| ()).unwrap();
    assert!(device.bytes() == first.base.bytes(), "a trace is left");
}

fn header_of(case: &Case, device: &MemoryDevice) -> journal::Header {
    case.find(device).unwrap().header
}

/// The phases of the extents in the order in which they were written.
fn phases(case: &Case, events: &[Event]) -> Vec<u8> {
    let phase = |event: &Event| match event {
        Event::Write { offset, .. } => case.extents.iter().find(|extent| extent.offset == *offset),
        Event::Flush => None,
    };
    events
        .iter()
        .filter_map(phase)
        .map(|extent| extent.phase)
        .collect()
}

/// The order itself, read from the log: place only, flush, committed header, flush, and only then the extents.
#[test]
fn no_extent_is_written_before_the_commit_record_is_durable() {
    let case = case();
    let (_, events) = case.committed(&case.base);
    let in_place = |offset: u64, length: u64| {
        case.place
            .range
            .contains(&ByteRange::new(offset, offset + length))
    };
    let mut states = Vec::new();
    let mut durable_state = 0u32;
    let mut unflushed = false;
    for event in &events {
        match event {
            Event::Flush => {
                durable_state = states.last().copied().unwrap_or(0);
                unflushed = false;
            }
            Event::Write { offset, data } if in_place(*offset, data.len() as u64) => {
                if *offset == case.place.range.start {
                    assert!(!unflushed, "a header was written together with other writes");
                    states.push(u32::from_le_bytes(data[12..16].try_into().unwrap()));
                }
                unflushed = true;
            }
            Event::Write { offset, .. } => {
                assert_eq!(
                    durable_state, 2,
                    "byte {offset} was written in state {durable_state}"
                );
                unflushed = true;
            }
        }
    }
    assert_eq!(states, [1, 2, 3]);
    assert_eq!(events.last(), Some(&Event::Flush));
    assert_eq!(phases(&case, &events), [0, 1, 1, 2, 2]);
}

#[test]
fn the_outcome_of_a_resume_is_what_was_assessed() {
    let case = case();
    let (_, events) = case.committed(&case.base);
    let mut seen = Vec::new();
    for count in 0..=events.len() {
        let mut device = case.base.clone();
        Crash::Prefix { count }.apply(&mut device, &events).unwrap();
        let Some(found) = case.find(&device) else { continue };
        let decision = journal::assess(&device, &found, None).unwrap();
        let outcome = journal::resume(&mut device, &found, None, &mut |_| ()).unwrap();
        let expected = match decision {
            Decision::Discard => Outcome::Discarded,
            Decision::Resume => Outcome::Completed,
            Decision::Done => Outcome::NothingToDo,
            other => panic!("{other:?}"),
        };
        assert_eq!(outcome, expected, "after {count} events");
        seen.push(outcome);
    }
    seen.dedup();
    assert_eq!(
        seen,
        [Outcome::Discarded, Outcome::Completed, Outcome::NothingToDo]
    );
}

#[test]
fn every_stage_reports_up_to_its_total() {
    let case = case();
    let mut device = case.base.clone();
    let mut seen = Vec::new();
    journal::commit(&mut device, case.place, &case.extents, &meta(), &mut |step| {
        seen.push(step)
    })
    .unwrap();
    let found = case.find(&device).unwrap();
    journal::undo(&mut device, &found, None, &mut |step| seen.push(step)).unwrap();
    let mut finished = Vec::new();
    for stage in seen.chunk_by(|a, b| a.stage == b.stage) {
        let (first, last) = (stage[0], stage[stage.len() - 1]);
        assert_eq!(first.done_bytes, 0, "{first:?}");
        assert_eq!(last.done_bytes, last.total_bytes, "{last:?}");
        finished.push(last.stage);
    }
    use journal::Stage::{Apply, Journal, Verify, Wipe};
    assert_eq!(finished, [Journal, Apply, Verify, Apply, Verify, Wipe]);
}
