//! Cuts and orders beside those of the crash matrix (`matrix/`): what the order of the writes has to be, and the ways on from
//! between two commits.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "common/cut_cases.rs"]
mod cases;
mod common;
#[path = "common/update.rs"]
mod update;

use cases::{Asked, Case, reclaim, relocate_twice, relocate_twice_mbr};
use common::compare::first_lost;
use common::{Layout, RECOVERY, REQUEST, WINDOWS, partition_range, target};
use winrefit_disk::{ByteRange, Device, Event, MemoryDevice, Overlay, Recording, recording};
use winrefit_repair::commands::{diagnose, fix, resume, undo};
use winrefit_repair::plan::Request;
use winrefit_repair::report::Verdict;

/// The disk after a repair, and every write and flush that led there.
fn repair(old: &MemoryDevice, request: &Request) -> (MemoryDevice, Vec<Event>) {
    let mut subject = target(Recording::new(old.clone()));
    let report = fix(&mut subject, request, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    subject.device.into_parts()
}

/// Repairs that take two commits.
fn doubles() -> [(&'static str, Case); 3] {
    [
        ("relocate", relocate_twice()),
        ("relocate, MBR", relocate_twice_mbr()),
        ("old place given away", reclaim()),
    ]
}

fn request(case: &Case) -> &Request {
    match &case.asked {
        Asked::Fix(request) => request,
        Asked::Reset(_) => panic!("a repair"),
    }
}

/// The disk behind the first of two commits.
fn between(case: &Case, events: &[Event]) -> MemoryDevice {
    let is_applied = |end: &usize| {
        let mut cut = Overlay::new(&case.old, case.old.sector_size());
        recording::replay(&mut cut, &events[..*end]).unwrap();
        let journal = diagnose(&target(cut), None).unwrap().journal;
        journal.is_some_and(|journal| journal.state == "applied")
    };
    let flushes = (1..=events.len()).filter(|end| events[end - 1] == Event::Flush);
    let end = flushes.into_iter().find(is_applied).unwrap();
    let mut state = case.old.clone();
    recording::replay(&mut state, &events[..end]).unwrap();
    state
}

/// From the state between two commits there is a way forward and a way back.
#[test]
fn between_two_commits_fix_goes_on_and_undo_goes_back() {
    for (name, case) in doubles() {
        let (new, events) = repair(&case.old, request(&case));
        let middle = between(&case, &events);
        let mut back = target(middle.clone());
        let report = undo(&mut back, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Undone, "{name}: {:?}", report.refusal);
        assert_eq!(first_lost(&case.old, &back.device), None, "{name}");

        let mut on = target(middle);
        let report = fix(&mut on, request(&case), &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Repaired, "{name}: {:?}", report.refusal);
        assert_eq!(first_lost(&new, &on.device), None, "{name}");
        let report = undo(&mut on, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Undone, "{name}: {:?}", report.refusal);
        assert_eq!(first_lost(&case.old, &on.device), None, "{name}");
    }
}

/// An undo of two parts that was cut is gone on with by another undo.
#[test]
fn a_cut_undo_of_two_parts_can_be_finished() {
    for (name, case) in doubles() {
        let new = repair(&case.old, request(&case)).0;
        let mut subject = target(Recording::new(new.clone()));
        undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
        let (_, events) = subject.device.into_parts();
        for count in 0..=events.len() {
            let mut cut = Overlay::new(&new, new.sector_size());
            recording::replay(&mut cut, &events[..count]).unwrap();
            let mut subject = target(cut);
            resume(&mut subject, &mut |_| ()).unwrap();
            let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
            let code = report.refusal.map(|refusal| refusal.code);
            assert!(
                matches!(code, None | Some("nothing-to-undo")),
                "{name}, {count}: {code:?}"
            );
            assert_eq!(first_lost(&case.old, &subject.device), None, "{name}, {count}");
        }
    }
}

/// The clusters that the donor gives up may hold data of it until its boot sector says that it ends before them.
#[test]
fn what_the_donor_gives_up_is_written_after_the_donor_has_ended() {
    let old = Layout::default().build();
    let (new, events) = repair(&old, &REQUEST);
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
    let (new, _) = repair(&old, &REQUEST);
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
