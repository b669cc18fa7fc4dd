//! Recovery partitions that nothing uses: they go where the user names them, and give their place.
#![allow(clippy::unwrap_used)]

mod common;

use common::compare::{first_lost, table};
use common::disks::{Kind, Part, Style, disk, part};
use common::{MIB, poke, target};
use winrefit_disk::MemoryDevice;
use winrefit_repair::commands::{fix, plan, undo};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};

fn request(size: u64) -> Request {
    Request {
        size_bytes: Some(size * MIB),
        free_bytes: Some(2 * MIB),
        ..Request::default()
    }
}

fn fixed(old: &MemoryDevice, request: &Request) -> (MemoryDevice, Report) {
    let mut subject = target(old.clone());
    let report = fix(&mut subject, request, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    (subject.device, report)
}

fn check_undone(old: &MemoryDevice, new: &MemoryDevice) {
    let mut subject = target(new.clone());
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    assert_eq!(first_lost(old, &subject.device), None);
    let again = undo(&mut subject, &mut |_| panic!("no question"), &mut |_| ()).unwrap();
    assert_eq!(again.refusal.unwrap().code, "nothing-to-undo");
}

#[test]
fn a_leftover_gives_its_place() {
    let beside = |parts: &[Part]| disk(Style::Gpt, 60, parts);
    let windows = part(Kind::Windows, (1, 20));
    let cases = [
        // Right before, right behind, elsewhere.
        (
            beside(&[
                windows.clone(),
                part(Kind::Stale, (20, 28)),
                part(Kind::Recovery, (28, 36)),
                part(Kind::Foreign, (36, 37)),
            ]),
            "grow-front",
        ),
        (
            beside(&[
                windows.clone(),
                part(Kind::Recovery, (20, 28)),
                part(Kind::Stale, (28, 36)),
                part(Kind::Foreign, (36, 37)),
            ]),
            "grow-end",
        ),
        (
            beside(&[
                part(Kind::Recovery, (1, 9)),
                part(Kind::Foreign, (9, 10)),
                part(Kind::Windows, (10, 30)),
                part(Kind::Stale, (50, 58)),
            ]),
            "relocate",
        ),
    ];
    for (disk, strategy) in cases {
        let old = disk.build();
        let stale = disk.number_of(Kind::Stale);
        let wish = Request {
            remove_stale: stale,
            ..request(12)
        };
        let (new, report) = fixed(&old, &wish);
        assert_eq!(report.plan.unwrap().strategy, strategy);
        assert!(table(&new).table.entry(stale.unwrap()).is_none());
        let mut subject = target(new);
        let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Undone);
        if strategy != "relocate" {
            assert!(subject.device.bytes() == old.bytes(), "undone bit for bit");
        }
        assert_eq!(first_lost(&old, &subject.device), None);
        // Nothing but the entry goes where there is room enough.
        let (new, report) = fixed(
            &old,
            &Request {
                ..Request {
                    size_bytes: Some(6 * MIB),
                    ..wish
                }
            },
        );
        assert_eq!(report.plan.unwrap().strategy, "remove-stale");
        check_undone(&old, &new);
    }
}

#[test]
fn what_is_no_leftover_stays() {
    let parts = [
        part(Kind::System, (1, 5)),
        part(Kind::Windows, (5, 24)),
        part(Kind::Recovery, (24, 32)),
    ];
    let old = disk(Style::Gpt, 40, &parts).build();
    for number in [1, 2, 3] {
        let wish = Request {
            remove_stale: Some(number),
            ..request(12)
        };
        let mut subject = target(old.clone());
        let report = fix(&mut subject, &wish, &mut |_| panic!("no question"), &mut |_| ()).unwrap();
        assert_eq!(report.refusal.unwrap().code, "not-stale", "partition {number}");
        assert!(subject.device == old);
    }
    // What the machine starts from.
    let parts = [
        part(Kind::Stale, (1, 9)),
        part(Kind::Windows, (9, 24)),
        part(Kind::Recovery, (24, 32)),
    ];
    let mut old = disk(Style::Mbr, 40, &parts).build();
    poke(&mut old, 446, &[0x80]);
    let wish = Request {
        remove_stale: Some(1),
        ..request(12)
    };
    let report = plan(&target(old), &wish, &mut |_| ()).unwrap();
    assert_eq!(report.refusal.unwrap().code, "not-stale");
}
