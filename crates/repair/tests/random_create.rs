//! Random disks without a recovery partition: one is made where there is room, or refused; nothing else is otherwise, and an
//! undo takes it away again.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/seeded.rs"]
mod seeded;

use common::compare::{first_lost, table};
use common::disks::{Disk, Kind, NOISE, STAGED_IMAGE, Style, part};
use common::{MIB, files, target};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use seeded::{Counts, run_cases};
use std::collections::BTreeMap;
use winrefit_disk::{MemoryDevice, SectorSize};
use winrefit_repair::commands::{fix, plan, undo, verify};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::plan::{Plan, Request, Sectors, Step};
use winrefit_repair::report::Verdict;

/// Disks in a usual run.
const CASES: u32 = 16;
/// Refusals that such a disk can meet.
const REFUSALS: [&str; 3] = ["no-recovery-partition", "no-slot", "no-journal-space"];

#[derive(Debug, Clone)]
struct Case {
    disk: Disk,
    request: Request,
}

/// Key of the place, whether it is there, MiB, KiB more, sectors of 512 bytes before it, percent that is filled, and
/// whether that is at the end.
type Item = (u16, bool, u64, u64, u64, u64, bool);

fn item(presence: f64, mib: std::ops::Range<u64>) -> impl Strategy<Value = Item> {
    let gap = prop_oneof![
        5 => Just(0u64),
        1 => (1u64..260).prop_map(|n| n * 8),
        1 => (1u64..40).prop_map(|mib| mib * 2048),
    ];
    let odd = prop_oneof![4 => Just(0u64), 1 => (0u64..252).prop_map(|n| n * 4)];
    let there = prop::bool::weighted(presence);
    (any::<u16>(), there, mib, odd, gap, 0u64..70, any::<bool>())
}

fn case() -> impl Strategy<Value = Case> {
    let items = (
        item(0.6, 4..6),
        item(0.4, 1..3),
        item(1.0, 24..64),
        item(0.5, 6..50),
        item(0.3, 1..5),
    );
    let behind = prop_oneof![1 => Just(64u64), 3 => Just(2048), 2 => Just(2048 + 48), 2 => (2u64..36).prop_map(|mib| mib * 2048)];
    let start = prop_oneof![6 => Just(2048u64), 1 => Just(64)];
    let asked = (22u64..34, 0u64..6);
    (
        items,
        any::<bool>(),
        prop::bool::weighted(0.25),
        (start, behind),
        asked,
        any::<u64>(),
    )
        .prop_map(make)
}

type Items = (Item, Item, Item, Item, Item);
type Made = (Items, bool, bool, (u64, u64), (u64, u64), u64);

fn make(((a, b, c, d, e), is_gpt, is_large, (mut at, behind), (size, free), seed): Made) -> Case {
    let kinds = [
        Kind::System,
        Kind::Reserved,
        Kind::Windows,
        Kind::Data,
        Kind::Foreign,
    ];
    let mut items: Vec<(Kind, Item)> = kinds.into_iter().zip([a, b, c, d, e]).collect();
    items.retain(|(_, item)| item.1);
    items.sort_by_key(|(_, item)| item.0);
    let style = if is_gpt { Style::Gpt } else { Style::Mbr };
    if !is_gpt && items.len() > 4 {
        items.retain(|(kind, _)| *kind != Kind::Reserved);
    }
    let mut parts = Vec::new();
    for (kind, (_, _, mib, odd, gap, percent, tail)) in items {
        at += gap;
        let kib = mib * 1024 + odd;
        // The image and what the file system has take their part.
        let room = kib.saturating_sub(8 << 10) * percent / 100;
        let is_volume = matches!(kind, Kind::Windows | Kind::Data);
        let tail = tail && is_volume;
        let mut new = part(kind, (0, 0));
        (new.start, new.end, new.tail) = (at, at + kib * 2, tail);
        new.fill = match (is_volume, tail) {
            (false, _) => 16,
            (true, false) => room,
            (true, true) => room * 2 / 5 + 128,
        };
        at = new.end;
        parts.push(new);
    }
    let disk = Disk {
        style,
        sector_size: SectorSize::B512,
        sectors: (at + behind).next_multiple_of(8),
        parts,
        extended: None,
        extended_after: 4,
        seed,
    };
    let request = Request {
        size_bytes: Some(size * MIB),
        free_bytes: Some(free * MIB),
        ..Request::default()
    };
    let can_be_large = disk.parts.iter().all(|p| p.start % 8 == 0 && p.end % 8 == 0);
    let disk = if is_large && can_be_large {
        disk.with_sectors(SectorSize::B4096)
    } else {
        disk
    };
    Case { disk, request }
}

/// Only an end of a volume may move, and what is made is on whole MiB that nothing has. Gives the new number.
fn check_plan(disk: &Disk, plan: &Plan) -> u32 {
    let kinds: BTreeMap<u32, Kind> = disk
        .numbers()
        .into_iter()
        .zip(disk.parts.iter().map(|p| p.kind))
        .collect();
    let own = disk.parts.iter().map(|part| Sectors {
        start: part.start,
        end: part.end,
    });
    let mut places: BTreeMap<u32, Sectors> = disk.numbers().into_iter().zip(own).collect();
    let mut made = None;
    for step in plan.commits().flat_map(|commit| &commit.steps) {
        match *step {
            Step::SetPartition {
                partition,
                before,
                after,
            } => {
                assert!(
                    matches!(kinds[&partition], Kind::Windows | Kind::Data),
                    "{step:?}"
                );
                assert_eq!((places[&partition], before.start), (before, after.start));
                assert!(after.end < before.end, "{step:?}");
                places.insert(partition, after);
            }
            Step::CreatePartition { partition, at, .. } => {
                assert_eq!(places.insert(partition, at), None, "{step:?}");
                assert!(
                    (at.start * disk.sector_size.bytes()).is_multiple_of(MIB),
                    "{step:?}"
                );
                made = Some(partition);
            }
            Step::ShrinkEnd { partition, .. } => {
                assert!(
                    matches!(kinds[&partition], Kind::Windows | Kind::Data),
                    "{step:?}"
                );
            }
            ref other => panic!("{other:?}"),
        }
    }
    let mut sorted: Vec<Sectors> = places.values().copied().collect();
    sorted.sort_by_key(|place| place.start);
    assert!(
        sorted.windows(2).all(|two| two[0].end <= two[1].start),
        "{sorted:?}"
    );
    assert!(sorted.last().unwrap().end < disk.sectors, "{sorted:?}");
    made.unwrap()
}

fn volumes(disk: &Disk, device: &MemoryDevice) -> BTreeMap<u32, BTreeMap<String, Vec<u8>>> {
    let is_volume = |kind: Kind| match kind {
        Kind::Windows | Kind::Data => true,
        Kind::System => disk.style == Style::Mbr,
        _ => false,
    };
    let all = disk.numbers().into_iter().zip(&disk.parts);
    all.filter(|(_, part)| is_volume(part.kind))
        .map(|(number, _)| (number, files(device, number)))
        .collect()
}

fn check_made(disk: &Disk, made: u32, (old, new): (&MemoryDevice, &MemoryDevice)) {
    let before = volumes(disk, old);
    assert!(before == volumes(disk, new), "files of what was there");
    let windows = disk.number_of(Kind::Windows).unwrap();
    let find = |files: &BTreeMap<String, Vec<u8>>, name: &str| {
        files
            .iter()
            .find(|(path, _)| path.ends_with(name))
            .map(|(_, content)| content.clone())
    };
    let image = STAGED_IMAGE.rsplit('\\').next().unwrap();
    let recovery = files(new, made);
    assert!(find(&recovery, image).is_some_and(|it| Some(it) == find(&before[&windows], image)));
    assert!(find(&recovery, NOISE).is_none());
    let entry = table(new).table.entry(made).unwrap().clone();
    match disk.style {
        Style::Gpt => assert_eq!(entry.attributes, Some(0x8000_0000_0000_0001)),
        Style::Mbr => assert!(!entry.is_active),
    }
    let verified = verify(&target(new.clone()), None, &mut |_| ()).unwrap();
    let mut checks = verified.checks.iter();
    assert!(checks.all(|check| check.consistent && check.problems.is_empty()));
}

fn run(case: &Case, counts: &Counts) -> Result<(), TestCaseError> {
    let Some(old) = case.disk.try_build() else {
        return Err(TestCaseError::reject("something does not fit"));
    };
    let observation = observe(&old, None, Depth::Full).unwrap();
    let planned = winrefit_repair::plan::plan(&observation, &case.request);
    let made = planned.as_ref().ok().map(|plan| check_plan(&case.disk, plan));
    let mut subject = target(old.clone());
    let report = fix(&mut subject, &case.request, &mut |_| true, &mut |_| ()).unwrap();
    let told = match report.verdict {
        Verdict::Repaired => {
            check_made(&case.disk, made.unwrap(), (&old, &subject.device));
            let again = plan(&target(subject.device.clone()), &case.request, &mut |_| ()).unwrap();
            assert_eq!(again.plan.unwrap().strategy, "keep");
            let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
            assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
            assert_eq!(first_lost(&old, &subject.device), None);
            format!("create in {}", planned.unwrap().commits().count())
        }
        Verdict::Refused => {
            let refusal = report.refusal.unwrap();
            assert!(REFUSALS.contains(&refusal.code), "{refusal:?}");
            assert!(subject.device == old, "a refusal writes nothing");
            format!("refused: {}", refusal.code)
        }
        other => panic!("{other:?}"),
    };
    let what = format!("{:?} {told}", case.disk.style);
    counts.add(&what);
    Ok(())
}

#[test]
fn random_disks_without_a_recovery_partition_get_one_or_stay_as_they_are() {
    run_cases(&case(), (CASES, 40), |case, counts| run(&case, counts));
}
