//! Power cuts at every point of commit, resume and undo: the device is exactly old or exactly new afterwards.
//!
//! The device is small so that all cuts can be tried: after each one `resume` runs, and is itself cut at every point
//! and run again.

#![allow(clippy::unwrap_used)]

mod journal_case;

use journal_case::{Case, Changes, GUID, meta, moving, plain};
use winrefit_disk::journal::{self, Decision, JournalError, JournalPlace, Outcome, State};
use winrefit_disk::{ByteRange, Crash, Event, MemoryDevice, Recording, SectorSize, recording::replay};

impl Case {
    /// Every cut of `events` on `base`, resumed, and each with every cut of the resume as well.
    /// Returns how often the result was old and how often new.
    fn cut_everywhere(&self, base: &MemoryDevice, events: &[Event]) -> (usize, usize) {
        let (mut old, mut new) = (0, 0);
        for crash in Crash::all(events, SectorSize::B512) {
            let mut device = base.clone();
            crash.apply(&mut device, events).unwrap();
            self.cut_the_resume(&device, &format!("{crash:?}"));
            match self.settle(&mut device, &format!("{crash:?}")) {
                State::Applied => new += 1,
                _ => old += 1,
            }
        }
        (old, new)
    }

    /// No write of a resume takes a sector back to an earlier version, nor one of a resumed undo to a later one. And
    /// what they build upon is made durable first: a cut process, unlike a cut disk, leaves writes without a flush.
    fn assert_one_way(&self, crashed: &MemoryDevice, events: &[Event], state: State, what: &str) {
        if matches!(state, State::Committed | State::Undoing) {
            assert_eq!(events.first(), Some(&Event::Flush), "{what}");
        }
        let mut device = crashed.clone();
        let mut last = self.versions(&device);
        for event in events {
            replay(&mut device, std::slice::from_ref(event)).unwrap();
            let now = self.versions(&device);
            let one_way = last.iter().zip(&now).all(|(last, now)| match state {
                State::Undoing => now <= last,
                _ => now >= last,
            });
            assert!(one_way, "{what}: from {last:?} to {now:?}");
            last = now;
        }
    }

    fn cut_the_resume(&self, crashed: &MemoryDevice, what: &str) {
        let Some(found) = self.find(crashed) else { return };
        let mut device = Recording::new(crashed.clone());
        journal::resume(&mut device, &found, Some(GUID), &mut |_| ()).unwrap();
        let (settled, events) = device.into_parts();
        let result = self.judge(&settled, what);
        self.assert_one_way(crashed, &events, found.header.state, what);
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
    for case in [plain(), moving()] {
        let (device, events) = case.committed(&case.base);
        assert_eq!(case.judge(&device, "uncut"), State::Applied);
        let (old, new) = case.cut_everywhere(&case.base, &events);
        assert!(old > 10 && new > 10, "{old} old, {new} new: the cuts miss a side");
    }
}

#[test]
fn an_undo_cut_anywhere_ends_old_or_new() {
    let back = [[2, 2, 1, 1, 0].to_vec(), [9, 9, 3, 2, 2, 1, 1, 0, 0].to_vec()];
    for (case, phases) in [plain(), moving()].into_iter().zip(back) {
        assert_undo_ends_old_or_new(&case, &phases);
    }
}

fn assert_undo_ends_old_or_new(case: &Case, back: &[u8]) {
    let (committed, _) = case.committed(&case.base);
    let mut device = Recording::new(committed.clone());
    let found = case.find(&committed).unwrap();
    journal::check_undo(&committed, &found, Some(GUID), &mut |_| ()).unwrap();
    journal::undo(&mut device, &found, Some(GUID), &mut |_| ()).unwrap();
    let (undone, events) = device.into_parts();
    assert!(
        case.outside(&undone) == case.old_content(),
        "undo is not bit for bit"
    );
    let body = case.place.body;
    let body = &undone.bytes()[body.start as usize..][..committed_body_len(case, &committed)];
    assert!(body.iter().all(|byte| *byte == 0), "the body is left");
    assert_eq!(
        phases(case, &events),
        back,
        "an undo goes from the last phase to the first"
    );
    let (old, new) = case.cut_everywhere(&committed, &events);
    assert!(old > 10 && new > 0, "{old} old, {new} new: the cuts miss a side");
}

fn committed_body_len(case: &Case, device: &MemoryDevice) -> usize {
    header_of(case, device).body_len as usize
}

#[test]
fn a_second_commit_over_an_old_journal_leaves_no_trace_after_its_undo() {
    let mut first = plain();
    let mut device = first.committed(&first.base).0;
    let long_end = first.find(&device).unwrap().header.gap().end;
    // A shorter transaction on top: the longer old body must go.
    first.base = MemoryDevice::from_bytes(first.outside(&device), SectorSize::B512);
    let mut small = Changes::new(&first.base);
    small.add(44, 1, 0, 0x77);
    first.transaction.extents = small.extents;
    let with_old_journal = device.clone();
    let (committed, events) = first.committed(&with_old_journal);
    let header = first.find(&committed).unwrap().header;
    assert!(header.gap().end < long_end);
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

/// Someone has the rear of the gap by now, and what an old journal left there with it.
#[test]
fn a_journal_that_replaces_a_longer_one_zeroes_nothing_behind_its_place() {
    let mut case = plain();
    let longer = case.committed(&case.base).0;
    let old_end = header_of(&case, &longer).gap().end;
    let taken = ByteRange::new(14 * 512, old_end);
    assert!(taken.start < old_end);
    for owner in [None, Some(0xab)] {
        let mut start = longer.clone();
        if let Some(mark) = owner {
            start.bytes_mut()[taken.start as usize..taken.end as usize].fill(mark);
        }
        case.gap = ByteRange::new(case.gap.start, taken.start);
        case.place = JournalPlace::in_gap(case.gap, SectorSize::B512);
        case.base = MemoryDevice::from_bytes(case.outside(&start), SectorSize::B512);
        let mut small = Changes::new(&case.base);
        small.add(44, 1, 0, 0x77);
        case.transaction.extents = small.extents;
        let (committed, mut events) = case.committed(&start);
        let header = header_of(&case, &committed);
        assert!(header.gap().end < taken.start, "nothing was to be zeroed at all");

        for crash in Crash::all(&events, SectorSize::B512) {
            let mut cut = start.clone();
            crash.apply(&mut cut, &events).unwrap();
            let new = case
                .find(&cut)
                .is_some_and(|found| found.header.gap().end <= taken.start);
            if new {
                case.settle(&mut cut, &format!("{crash:?}"));
            }
            assert!(
                case.outside(&cut)[14 * 512..40 * 512] == start.bytes()[14 * 512..40 * 512],
                "{crash:?}"
            );
        }

        let mut device = Recording::new(committed.clone());
        let found = case.find(&committed).unwrap();
        journal::undo(&mut device, &found, Some(GUID), &mut |_| ()).unwrap();
        let (undone, back) = device.into_parts();
        assert!(undone.bytes() == case.base.bytes(), "a trace is left");
        events.extend(back);
        for event in &events {
            if let Event::Write { offset, data } = event {
                let written = ByteRange::new(*offset, offset + data.len() as u64);
                assert!(!written.overlaps(&taken), "{written}");
            }
        }
    }
}

/// The old state is in place and may have been used: a partition may lie where the body was being written.
#[test]
fn a_removal_zeroes_nothing_behind_what_is_free() {
    let case = plain();
    let events = case.committed(&case.base).1;
    // Header, flush, body.
    let mut cut = case.base.clone();
    Crash::Prefix { count: 3 }.apply(&mut cut, &events).unwrap();
    let taken = ByteRange::new(12 * 512, case.gap.end);
    let bytes = taken.start as usize..taken.end as usize;
    cut.bytes_mut()[bytes.clone()].fill(0xab);
    let found = case.find(&cut).unwrap();
    assert_eq!(found.header.state, State::Preparing);
    assert!(found.header.gap().end > taken.start);
    for free_end in [taken.start, case.gap.start + 512] {
        let mut device = cut.clone();
        let taken = [ByteRange::new(free_end, case.gap.end)];
        journal::discard(&mut device, &found, Some(GUID), &taken, &mut |_| ()).unwrap();
        assert!(case.find(&device).is_none());
        let (start, end) = (case.gap.start as usize, free_end as usize);
        assert!(device.bytes()[end..] == cut.bytes()[end..], "{free_end}");
        assert!(
            device.bytes()[start..end].iter().all(|byte| *byte == 0),
            "{free_end}"
        );
    }
    let mut device = cut.clone();
    let error = journal::discard(&mut device, &found, Some(GUID), &[case.gap], &mut |_| ()).unwrap_err();
    assert!(matches!(error, JournalError::HeaderTaken { offset } if offset == case.gap.start));
    assert!(device == cut);
}

fn header_of(case: &Case, device: &MemoryDevice) -> journal::Header {
    case.find(device).unwrap().header
}

/// The phases of the extents in the order in which they were written. Each is told by its bytes.
fn phases(case: &Case, events: &[Event]) -> Vec<u8> {
    let phase = |event: &Event| match event {
        Event::Write { offset, data } => case
            .transaction
            .extents
            .iter()
            .find(|extent| extent.offset == *offset && (extent.after == *data || extent.before == *data)),
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
    for (case, order) in [
        (plain(), [0, 1, 1, 2, 2].to_vec()),
        (moving(), [0, 0, 1, 1, 2, 2, 3, 9, 9].to_vec()),
    ] {
        assert_order(&case, &order);
    }
}

fn assert_order(case: &Case, order: &[u8]) {
    let (_, events) = case.committed(&case.base);
    let in_place = |offset: u64, length: u64| {
        let range = ByteRange::new(offset, offset + length);
        case.gap.contains(&range) || case.place.body.contains(&range)
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
                if *offset == case.gap.start {
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
    assert_eq!(phases(case, &events), order);
}

#[test]
fn the_outcome_of_a_resume_is_what_was_assessed() {
    let case = moving();
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
    use journal::Stage::{Apply, Compare, Journal, Verify, Wipe};
    let without_moves = [Journal, Apply, Verify, Apply, Verify, Wipe].to_vec();
    let with_moves = [Compare, Journal, Apply, Verify, Compare, Apply, Verify, Wipe].to_vec();
    for (case, stages) in [(plain(), without_moves), (moving(), with_moves)] {
        let mut device = case.base.clone();
        let mut seen = Vec::new();
        let mut see = |step| seen.push(step);
        journal::commit(&mut device, case.place, &case.transaction, &meta(), &mut see).unwrap();
        let found = case.find(&device).unwrap();
        journal::undo(&mut device, &found, None, &mut see).unwrap();
        let mut finished = Vec::new();
        for stage in seen.chunk_by(|a, b| a.stage == b.stage) {
            let (first, last) = (stage[0], stage[stage.len() - 1]);
            assert_eq!(first.done_bytes, 0, "{first:?}");
            assert_eq!(last.done_bytes, last.total_bytes, "{last:?}");
            finished.push(last.stage);
        }
        assert_eq!(finished, stages);
    }
}
