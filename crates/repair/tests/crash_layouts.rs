//! A power cut at every point of the repairs that `crash.rs` has no disk for: a new place in one commit and in two, MBR
//! disks, leftovers that go, tables that are mended on the way. What is in use is then that of the old disk, of the new
//! one, or of the disk between the two commits.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/crash_cases.rs"]
mod crash_cases;

use common::compare::first_lost;
use common::target;
use crash_cases::{Case, others, relocations};
use winrefit_disk::{
    ByteRange, Crash, Device, Event, MemoryDevice, Overlay, ReadAt, ReadWindow, Recording, recording,
};
use winrefit_ntfs::check::{CheckOptions, check};
use winrefit_repair::commands::{diagnose, fix, resume, undo};
use winrefit_repair::report::Verdict;

/// The disks that a repair leads through, and all writes and flushes on the way.
struct Run {
    states: Vec<MemoryDevice>,
    events: Vec<Event>,
}

fn state_at(start: &MemoryDevice, events: &[Event]) -> MemoryDevice {
    let mut state = start.clone();
    recording::replay(&mut state, events).unwrap();
    state
}

fn flushes(events: &[Event]) -> impl Iterator<Item = usize> + '_ {
    (0..events.len()).filter(|&index| events[index] == Event::Flush)
}

fn repair(case: &Case) -> Run {
    let mut subject = target(Recording::new(case.old.clone()));
    let report = fix(&mut subject, &case.request, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(
        report.verdict,
        Verdict::Repaired,
        "{}: {:?}",
        case.name,
        report.refusal
    );
    assert_eq!(report.plan.unwrap().strategy, case.strategy, "{}", case.name);
    let (new, events) = subject.device.into_parts();
    let mut states = vec![case.old.clone()];
    if case.is_double {
        let is_applied = |index: &usize| {
            let mut cut = Overlay::new(&case.old, case.old.sector_size());
            recording::replay(&mut cut, &events[..=*index]).unwrap();
            let journal = diagnose(&target(cut), None).unwrap().journal;
            journal.is_some_and(|journal| journal.state == "applied")
        };
        let middle = flushes(&events).find(is_applied).unwrap();
        states.push(state_at(&case.old, &events[..=middle]));
    }
    states.push(new);
    Run { states, events }
}

/// Which of the states a disk is in.
fn class(name: &str, states: &[MemoryDevice], device: &dyn ReadAt) -> usize {
    let lost: Vec<Option<u64>> = states.iter().map(|state| first_lost(state, device)).collect();
    lost.iter()
        .position(Option::is_none)
        .unwrap_or_else(|| panic!("{name}: none of the disks: {lost:?}"))
}

/// Cuts the power in each way, resumes, and counts which state comes out.
fn cut_everywhere(name: &str, start: &MemoryDevice, run: &Run, crashes: &[Crash]) -> Vec<u32> {
    let mut counts = vec![0; run.states.len()];
    for (index, crash) in crashes.iter().enumerate() {
        let name = format!("{name}, {crash:?}");
        let cut = || {
            let mut cut = Overlay::new(start, start.sector_size());
            crash.apply(&mut cut, &run.events).unwrap();
            cut
        };
        let mut subject = target(Recording::new(cut()));
        resume(&mut subject, &mut |_| ()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (done, events) = subject.device.into_parts();
        let state = class(&name, &run.states, &done);
        counts[state] += 1;
        // A second cut, within the resume.
        if index % 5 == 0 {
            let mut again = cut();
            recording::replay(&mut again, &events[..events.len() / 2]).unwrap();
            let mut subject = target(again);
            resume(&mut subject, &mut |_| ()).unwrap_or_else(|error| panic!("{name}, again: {error}"));
            assert_eq!(class(&name, &run.states, &subject.device), state, "{name}, again");
        }
    }
    counts
}

fn prefixes(events: &[Event]) -> Vec<Crash> {
    (0..=events.len()).map(|count| Crash::Prefix { count }).collect()
}

/// No prefix, and not one of the many ways in which a long copy of data is torn.
fn is_telling(crash: &Crash, events: &[Event]) -> bool {
    match crash {
        Crash::Prefix { .. } => false,
        Crash::Torn { write, kept } => match &events[*write] {
            Event::Write { data, .. } => data.len() < 64 << 10 || *kept == data.len() / 1024 * 512,
            Event::Flush => false,
        },
        _ => true,
    }
}

fn cut_repairs(cases: &[Case]) {
    for case in cases {
        let run = repair(case);
        let every = prefixes(&run.events);
        let counts = cut_everywhere(case.name, &case.old, &run, &every);
        let other: Vec<Crash> = Crash::all(&run.events, case.old.sector_size())
            .into_iter()
            .filter(|crash| is_telling(crash, &run.events))
            .collect();
        let step = other.len().div_ceil(40);
        let other: Vec<Crash> = other.into_iter().step_by(step).collect();
        let more = cut_everywhere(case.name, &case.old, &run, &other);
        println!("{}: prefixes end in {counts:?}, others in {more:?}", case.name);
        assert!(counts.iter().all(|count| *count > 2), "{}: {counts:?}", case.name);
    }
}

fn cut_undos(cases: &[Case]) {
    for case in cases {
        let repaired = repair(case);
        let new = repaired.states.last().unwrap().clone();
        let mut subject = target(Recording::new(new.clone()));
        let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(
            report.verdict,
            Verdict::Undone,
            "{}: {:?}",
            case.name,
            report.refusal
        );
        let (undone, events) = subject.device.into_parts();
        assert_eq!(first_lost(&case.old, &undone), None, "{}", case.name);
        let run = Run { events, ..repaired };
        let every = prefixes(&run.events);
        let counts = cut_everywhere(case.name, &new, &run, &every);
        println!("{}: prefixes of the undo end in {counts:?}", case.name);
        assert!(counts.iter().all(|count| *count > 0), "{}: {counts:?}", case.name);
    }
}

#[test]
fn a_cut_repair_to_a_new_place_ends_in_one_of_its_states() {
    cut_repairs(&relocations());
}

#[test]
fn other_cut_repairs_end_old_or_new() {
    cut_repairs(&others());
}

#[test]
fn a_cut_undo_of_a_new_place_ends_in_one_of_its_states() {
    cut_undos(&relocations());
}

#[test]
fn other_cut_undos_end_repaired_or_old() {
    cut_undos(&others());
}

/// From the state between two commits there is a way forward and a way back.
#[test]
fn between_two_commits_fix_goes_on_and_undo_goes_back() {
    for case in relocations().iter().filter(|case| case.is_double) {
        let run = repair(case);
        let [old, middle, new] = &run.states[..] else {
            panic!()
        };
        let mut back = target(middle.clone());
        let report = undo(&mut back, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(
            report.verdict,
            Verdict::Undone,
            "{}: {:?}",
            case.name,
            report.refusal
        );
        assert_eq!(first_lost(old, &back.device), None, "{}", case.name);

        let mut on = target(middle.clone());
        let report = fix(&mut on, &case.request, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(
            report.verdict,
            Verdict::Repaired,
            "{}: {:?}",
            case.name,
            report.refusal
        );
        assert_eq!(first_lost(new, &on.device), None, "{}", case.name);
        let report = undo(&mut on, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(
            report.verdict,
            Verdict::Undone,
            "{}: {:?}",
            case.name,
            report.refusal
        );
        assert_eq!(first_lost(old, &on.device), None, "{}", case.name);
    }
}

/// An undo of two parts that was cut is gone on with by another undo.
#[test]
fn a_cut_undo_of_two_parts_can_be_finished() {
    for case in relocations().iter().filter(|case| case.is_double) {
        let run = repair(case);
        let new = run.states.last().unwrap();
        let mut subject = target(Recording::new(new.clone()));
        undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
        let (_, events) = subject.device.into_parts();
        for count in 0..=events.len() {
            let mut cut = Overlay::new(new, new.sector_size());
            recording::replay(&mut cut, &events[..count]).unwrap();
            let mut subject = target(cut);
            resume(&mut subject, &mut |_| ()).unwrap();
            let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
            let code = report.refusal.map(|refusal| refusal.code);
            assert!(
                matches!(code, None | Some("nothing-to-undo")),
                "{}, {count}: {code:?}",
                case.name
            );
            assert_eq!(
                first_lost(&case.old, &subject.device),
                None,
                "{}, {count}",
                case.name
            );
        }
    }
}

/// Between any two flushes, before a resume: the table can be read, no volume has an error, the image is found.
#[test]
fn the_disk_can_be_used_at_every_flush() {
    for case in relocations().iter().chain(&others()) {
        let run = repair(case);
        let undone = {
            let mut subject = target(Recording::new(run.states.last().unwrap().clone()));
            undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
            subject.device.into_parts().1
        };
        let both = [(&case.old, &run.events), (run.states.last().unwrap(), &undone)];
        for (start, events) in both {
            for index in flushes(events) {
                let mut cut = Overlay::new(start, start.sector_size());
                recording::replay(&mut cut, &events[..=index]).unwrap();
                assert_usable(case.name, index, &mut cut);
            }
        }
    }
}

fn assert_usable(name: &str, index: usize, cut: &mut impl Device) {
    let report = diagnose(&target(&mut *cut), None).unwrap();
    assert!(
        report.findings.iter().all(|f| f.code != "ntfs-unreadable"),
        "{name}, event {index}"
    );
    let version = report.recovery.and_then(|recovery| recovery.image?.version);
    let journal = report.journal.map(|journal| journal.state);
    let disk = report.disk.unwrap();
    for part in disk.partitions.iter().filter(|part| part.filesystem == "ntfs") {
        let start = part.start_lba * disk.sector_size_bytes;
        let range = ByteRange::new(start, start + part.size_bytes);
        let check = check(ReadWindow::new(&*cut, range).unwrap(), &CheckOptions::default()).unwrap();
        let number = part.number;
        assert!(
            check.is_consistent(),
            "{name}, event {index}, partition {number}: {:?}",
            check.problems
        );
    }
    assert_eq!(
        version.as_deref(),
        Some("10.0.20348.587"),
        "{name}, event {index}, journal {journal:?}"
    );
}
