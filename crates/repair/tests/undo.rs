//! `undo` behind a cut repair, a cut undo, another undo, and a second repair: for each strategy.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/crash_cases.rs"]
mod crash_cases;

use common::compare::first_lost;
use common::target;
use crash_cases::{Case, others, relocations};
use winrefit_disk::{Event, MemoryDevice, Overlay, ReadAt, Recording, recording};
use winrefit_repair::commands::{diagnose, fix, resume, undo};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::target::Target;

type Disk<'d> = Target<Recording<Overlay<&'d MemoryDevice>>>;

fn subject(disk: &MemoryDevice) -> Disk<'_> {
    target(Recording::new(Overlay::new(
        disk,
        common::compare::table(disk).sector_size,
    )))
}

fn whole(disk: &dyn ReadAt, like: &MemoryDevice) -> MemoryDevice {
    let bytes = disk.read_vec(0, like.bytes().len()).unwrap();
    MemoryDevice::from_bytes(bytes, common::compare::table(like).sector_size)
}

fn fixed(case: &Case) -> (MemoryDevice, Vec<Event>) {
    let mut subject = subject(&case.old);
    let report = fix(&mut subject, &case.request, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{}", case.name);
    assert_eq!(report.plan.unwrap().strategy, case.strategy, "{}", case.name);
    let (disk, events) = subject.device.into_parts();
    (whole(&disk, &case.old), events)
}

fn undone(disk: &MemoryDevice) -> (MemoryDevice, Report, Vec<Event>) {
    let mut subject = subject(disk);
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    let (device, events) = subject.device.into_parts();
    (whole(&device, disk), report, events)
}

fn resumed(disk: &MemoryDevice) -> MemoryDevice {
    let mut subject = subject(disk);
    let report = resume(&mut subject, &mut |_| ()).unwrap();
    assert!(report.refusal.is_none(), "{:?}", report.refusal);
    whole(&subject.device, disk)
}

/// The state after so many events.
fn cut(base: &MemoryDevice, events: &[Event], count: usize) -> MemoryDevice {
    let mut disk = base.clone();
    recording::replay(&mut disk, &events[..count]).unwrap();
    disk
}

/// Undoes until nothing is left to undo, and gives back the old disk.
fn assert_undoes_to_old(case: &Case, disk: &MemoryDevice, what: &str) {
    let mut disk = disk.clone();
    // A second part whose undo was cut leaves the first one.
    for _ in 0..1 + u32::from(case.is_double) {
        let (next, report, events) = undone(&disk);
        if report.verdict == Verdict::Refused {
            assert_eq!(report.refusal.unwrap().code, "nothing-to-undo", "{what}");
            assert_eq!(events, [], "{what}: nothing is written");
            break;
        }
        assert_eq!(report.verdict, Verdict::Undone, "{what}");
        disk = next;
    }
    assert_eq!(first_lost(&case.old, &disk), None, "{what}");
    let (same, report, events) = undone(&disk);
    assert_eq!(report.refusal.unwrap().code, "nothing-to-undo", "{what}");
    assert!(
        same == disk && events.is_empty(),
        "{what}: a second undo writes nothing"
    );
}

fn cases() -> Vec<Case> {
    relocations()
        .into_iter()
        .chain(others().into_iter().take(2))
        .collect()
}

#[test]
fn an_undo_behind_a_cut_gives_the_old_disk_back() {
    for case in cases() {
        let (new, events) = fixed(&case);
        let (_, _, back) = undone(&new);
        for (base, events, during) in [(&case.old, &events, "repair"), (&new, &back, "undo")] {
            for part in [3, 5, 7, 8] {
                let count = events.len() * part / 9;
                let what = format!(
                    "{}: cut in {during} after {count} of {} events",
                    case.name,
                    events.len()
                );
                let disk = cut(base, events, count);
                let seen = diagnose(&subject(&disk), None).unwrap().verdict;
                if seen == Verdict::Unfinished {
                    // Undo does not begin on it.
                    let (same, report, written) = undone(&disk);
                    assert_eq!(report.verdict, Verdict::Unfinished, "{what}");
                    assert!(same == disk && written.is_empty(), "{what}");
                }
                assert_undoes_to_old(&case, &resumed(&disk), &what);
            }
        }
    }
}

#[test]
fn only_the_last_repair_is_undone() {
    let case = &others()[0];
    let (first, _) = fixed(case);
    let more = Request {
        size_bytes: case.request.size_bytes.map(|size| size + (2 << 20)),
        ..case.request
    };
    let mut subject = subject(&first);
    let report = fix(&mut subject, &more, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    let second = whole(&subject.device, &first);
    let (disk, report, _) = undone(&second);
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    let table = |disk: &MemoryDevice| {
        let reading = common::compare::table(disk);
        reading
            .table
            .entries()
            .iter()
            .map(|entry| entry.range)
            .collect::<Vec<_>>()
    };
    assert_eq!(table(&disk), table(&first));
    assert_ne!(table(&disk), table(&case.old));
    let (same, report, events) = undone(&disk);
    assert_eq!(report.refusal.unwrap().code, "nothing-to-undo");
    assert!(same == disk && events.is_empty());
}
