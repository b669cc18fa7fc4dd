//! Random disks: a repair is whole or refused, touches only what it may, and can be undone.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/random.rs"]
mod random;
#[path = "common/seeded.rs"]
mod seeded;

use common::compare::{difference, first_lost, table};
use common::disks::{Disk, Kind, Style};
use common::files;
use common::target;
use proptest::test_runner::TestCaseError;
use random::{Case, case};
use seeded::{Counts, run_cases};
use std::collections::BTreeMap;
use winrefit_disk::MemoryDevice;
use winrefit_repair::commands::{fix, plan, undo, verify};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::plan::{Plan, Request, Sectors, Step};
use winrefit_repair::report::{Report, Verdict};

/// Disks in a usual run.
const CASES: u32 = 60;

/// Borders as a plan leaves them, commit by commit, never overlap and change only where they may.
fn check_plan(disk: &Disk, plan: &Plan, request: &Request) {
    let kinds: BTreeMap<u32, Kind> = disk
        .numbers()
        .into_iter()
        .zip(disk.parts.iter().map(|p| p.kind))
        .collect();
    let own = |part: &common::disks::Part| Sectors {
        start: part.start,
        end: part.end,
    };
    let mut places: BTreeMap<u32, Sectors> = disk
        .numbers()
        .into_iter()
        .zip(disk.parts.iter().map(own))
        .collect();
    for commit in plan.commits() {
        for step in &commit.steps {
            match *step {
                Step::SetPartition {
                    partition,
                    before,
                    after,
                } => {
                    let kind = kinds[&partition];
                    assert_eq!(places[&partition], before, "{step:?}");
                    match kind {
                        Kind::Recovery => {}
                        Kind::Windows | Kind::Data => assert_eq!(before.start, after.start, "{step:?}"),
                        _ => panic!("{kind:?}: {step:?}"),
                    }
                    places.insert(partition, after);
                }
                Step::RemovePartition { partition, .. } => {
                    assert_eq!(
                        (kinds[&partition], Some(partition)),
                        (Kind::Stale, request.remove_stale)
                    );
                    places.remove(&partition);
                }
                _ => {}
            }
        }
        let mut sorted: Vec<Sectors> = places.values().copied().collect();
        sorted.sort_by_key(|place| place.start);
        assert!(
            sorted.windows(2).all(|two| two[0].end <= two[1].start),
            "{sorted:?}"
        );
        let reserved = if disk.style == Style::Gpt { 5 } else { 0 };
        assert!(
            sorted.last().unwrap().end + reserved <= disk.sectors,
            "{sorted:?}"
        );
    }
}

/// What a disk was, to be held against what it becomes.
struct Before {
    device: MemoryDevice,
    files: BTreeMap<u32, BTreeMap<String, Vec<u8>>>,
}

fn volumes(disk: &Disk) -> impl Iterator<Item = (u32, Kind)> + '_ {
    let is_volume = |kind: &Kind| match kind {
        Kind::Reserved | Kind::Foreign => false,
        Kind::System => disk.style == Style::Mbr,
        _ => true,
    };
    let all = disk
        .numbers()
        .into_iter()
        .zip(disk.parts.iter().map(|part| part.kind));
    all.filter(move |(_, kind)| is_volume(kind))
}

fn files_of(
    disk: &Disk,
    device: &MemoryDevice,
    without: Option<u32>,
) -> BTreeMap<u32, BTreeMap<String, Vec<u8>>> {
    let numbers = volumes(disk)
        .map(|(number, _)| number)
        .filter(|number| Some(*number) != without);
    numbers.map(|number| (number, files(device, number))).collect()
}

/// A repaired disk is whole, and nothing is otherwise that did not have to be.
fn check_repaired(case: &Case, before: &Before, new: &MemoryDevice) {
    let disk = &case.disk;
    let gone = case.request.remove_stale;
    let after = files_of(disk, new, gone);
    for (number, mut old) in before.files.clone() {
        if Some(number) == gone {
            continue;
        }
        let mut new = after[&number].clone();
        for all in [&mut old, &mut new] {
            all.retain(|path, _| !path.ends_with("ReAgent.xml") && !path.ends_with("BCD"));
        }
        assert!(old == new, "files of partition {number}");
    }
    let [old_table, new_table] = [&before.device, new].map(|disk| table(disk).table);
    for entry in new_table.entries() {
        let old = old_table.entry(entry.number).unwrap();
        let same = (
            old.kind,
            old.unique_guid,
            old.attributes,
            &old.name,
            old.is_active,
        ) == (
            entry.kind,
            entry.unique_guid,
            entry.attributes,
            &entry.name,
            entry.is_active,
        );
        assert!(same, "{entry:?}");
    }
    assert_eq!(
        old_table.entries().len(),
        new_table.entries().len() + usize::from(gone.is_some())
    );
    for (part, number) in disk.parts.iter().zip(disk.numbers()) {
        if matches!(part.kind, Kind::System | Kind::Reserved | Kind::Foreign)
            || (part.kind == Kind::Stale && Some(number) != gone)
        {
            let range = old_table.bytes(old_table.entry(number).unwrap().range);
            assert_eq!(
                new_table.entry(number).unwrap().range,
                old_table.entry(number).unwrap().range
            );
            // The boot store of an MBR disk is told of a new start.
            if part.kind != Kind::System || disk.style == Style::Gpt {
                assert_eq!(difference(&before.device, new, range), None, "partition {number}");
            }
        }
    }
    let verified = verify(&target(new.clone()), None, &mut |_| ()).unwrap();
    assert!(
        verified
            .checks
            .iter()
            .all(|check| check.consistent && check.problems.is_empty())
    );
    for item in &verified.verification {
        assert!(
            item.ok || item.what.to_string().contains("Free space"),
            "{}: {}",
            item.what,
            item.detail
        );
    }
}

fn check_undone(old: &MemoryDevice, new: &MemoryDevice) {
    let mut subject = target(new.clone());
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    assert_eq!(first_lost(old, &subject.device), None);
    let again = undo(&mut subject, &mut |_| panic!("nothing to ask"), &mut |_| ()).unwrap();
    assert_eq!(again.refusal.map(|refusal| refusal.code), Some("nothing-to-undo"));
}

fn refusal(report: &Report) -> &'static str {
    report.refusal.as_ref().map_or("none", |refusal| refusal.code)
}

fn run(case: &Case, counts: &Counts) -> Result<(), TestCaseError> {
    let Some(old) = case.disk.try_build() else {
        return Err(TestCaseError::reject("something does not fit"));
    };
    let before = Before {
        files: files_of(&case.disk, &old, None),
        device: old,
    };
    let observation = observe(&before.device, None, Depth::Full).unwrap();
    assert_eq!(observation.sector_size, case.disk.sector_size);
    let planned = winrefit_repair::plan::plan(&observation, &case.request);
    if let Ok(plan) = &planned {
        check_plan(&case.disk, plan, &case.request);
    }
    let mut subject = target(before.device.clone());
    let report = fix(&mut subject, &case.request, &mut |_| true, &mut |_| ()).unwrap();
    let style = format!("{:?}", case.disk.style);
    match report.verdict {
        Verdict::Repaired => {
            let plan = planned.unwrap();
            let commits = plan.commits().count();
            let ebr = case
                .disk
                .parts
                .iter()
                .find(|p| p.kind == Kind::Recovery)
                .unwrap()
                .ebr;
            let place = if ebr.is_some() { "logical " } else { "" };
            counts.add(&format!("{style} {place}{} in {commits}", plan.strategy.name()));
            check_repaired(case, &before, &subject.device);
            let request = Request {
                remove_stale: None,
                ..case.request
            };
            let again = plan_again(&subject.device, &request);
            assert_eq!((again.0, again.1.as_str()), (Verdict::Healthy, "keep"));
            check_undone(&before.device, &subject.device);
        }
        Verdict::Refused => {
            counts.add(&format!("{style} refused: {}", refusal(&report)));
            assert_ne!(refusal(&report), "staged-check-failed", "{:?}", report.refusal);
            assert!(subject.device == before.device, "a refusal writes nothing");
        }
        Verdict::Healthy => {
            counts.add(&format!("{style} keep"));
            assert!(subject.device == before.device);
        }
        other => panic!("{other:?}"),
    }
    Ok(())
}

fn plan_again(device: &MemoryDevice, request: &Request) -> (Verdict, String) {
    let report = plan(&target(device.clone()), request, &mut |_| ()).unwrap();
    let strategy = report.plan.map_or("none", |plan| plan.strategy);
    (report.verdict, strategy.to_owned())
}

#[test]
fn random_disks_are_repaired_or_refused_and_never_in_between() {
    run_cases(&case(), (CASES, 80), |case, counts| run(&case, counts));
}
