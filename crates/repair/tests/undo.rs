//! `undo` behind a cut repair, a cut undo, another undo, and a second repair: for each strategy.
#![allow(clippy::unwrap_used)]

mod common;
#[allow(dead_code)]
#[path = "common/cut_cases.rs"]
mod cut_cases;
#[path = "common/update.rs"]
mod update;

use common::compare::first_lost;
use common::target;
use cut_cases::Asked;
use winrefit_disk::{Event, MemoryDevice, Overlay, ReadAt, Recording, recording};
use winrefit_repair::commands::{diagnose, fix, resume, undo};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::target::Target;

/// A repair by its name.
struct Case {
    name: &'static str,
    made: cut_cases::Case,
    request: Request,
}

impl Case {
    fn new(name: &'static str, made: cut_cases::Case) -> Self {
        let request = match &made.asked {
            Asked::Fix(request) => *request,
            Asked::Reset(_) => panic!("{name} is no repair"),
        };
        Self { name, made, request }
    }
}

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
    let mut subject = subject(&case.made.old);
    let report = fix(&mut subject, &case.request, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{}", case.name);
    assert_eq!(report.plan.unwrap().strategy, case.made.strategy, "{}", case.name);
    let (disk, events) = subject.device.into_parts();
    (whole(&disk, &case.made.old), events)
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
    for _ in 0..case.made.commits {
        let (next, report, events) = undone(&disk);
        if report.verdict == Verdict::Refused {
            assert_eq!(report.refusal.unwrap().code, "nothing-to-undo", "{what}");
            assert_eq!(events, [], "{what}: nothing is written");
            break;
        }
        assert_eq!(report.verdict, Verdict::Undone, "{what}");
        disk = next;
    }
    assert_eq!(first_lost(&case.made.old, &disk), None, "{what}");
    let (same, report, events) = undone(&disk);
    assert_eq!(report.refusal.unwrap().code, "nothing-to-undo", "{what}");
    assert!(
        same == disk && events.is_empty(),
        "{what}: a second undo writes nothing"
    );
}

fn cases() -> Vec<Case> {
    vec![
        Case::new("another place", cut_cases::relocate()),
        Case::new("in two commits", cut_cases::relocate_twice()),
        Case::new("in two commits, old place given away", cut_cases::reclaim()),
        Case::new("in two commits, MBR", cut_cases::relocate_twice_mbr()),
        Case::new("MBR primary", cut_cases::mbr_primary()),
        Case::new("MBR logical", cut_cases::mbr_logical()),
    ]
}

#[test]
fn an_undo_behind_a_cut_gives_the_old_disk_back() {
    for case in cases() {
        let (new, events) = fixed(&case);
        let (_, _, back) = undone(&new);
        for (base, events, during) in [(&case.made.old, &events, "repair"), (&new, &back, "undo")] {
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
    let case = &Case::new("MBR primary", cut_cases::mbr_primary());
    let (first, _) = fixed(case);
    let more = Request {
        size_bytes: case.request.size_bytes.map(|size| size + (2 << 20)),
        ..case.request
    };
    let mut subject = subject(&first);
    let mut said = String::new();
    let mut ask = |report: &Report| {
        said = report.journal.as_ref().unwrap().text.to_string();
        true
    };
    let report = fix(&mut subject, &more, &mut ask, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    assert!(said.contains("undone only before the next one"), "{said}");
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
    assert_ne!(table(&disk), table(&case.made.old));
    let (same, report, events) = undone(&disk);
    assert_eq!(report.refusal.unwrap().code, "nothing-to-undo");
    assert!(same == disk && events.is_empty());
}
