//! Every kind of repair on a disk that ntfs-3g, which stands for Windows, has used since: behind the repair, and in the
//! middle of one that was cut. `undo` and `resume` either lose nothing of what was written since, or write nothing.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "common/cut_cases.rs"]
mod cases;
mod common;
#[path = "common/update.rs"]
mod update;

use cases::Case;
use common::mount::{assert_judged_sound_at, while_mounted_at};
use common::{compare, files_in, target};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use winrefit_disk::{ByteRange, Event, MemoryDevice, ReadWindow, recording};
use winrefit_ntfs::Volume;
use winrefit_ntfs::check::{CheckOptions, CheckReport, Severity, check};
use winrefit_repair::RepairError;
use winrefit_repair::commands::{resume, undo};
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::target::Target;

/// Cuts of each repair, unless WINREFIT_USED_CUTS=all.
const CUTS: usize = 3;

/// Repairs that change what every use changes, too: they are not undone behind any.
const NEVER_UNDONE: [&str; 7] = [
    "data",
    "primary_damaged",
    "reclaim",
    "relocate_twice",
    "relocate_twice_mbr",
    "shrink",
    "shrink_4096",
];

type Files = BTreeMap<String, Vec<u8>>;

/// What a driver does to a volume.
#[derive(Debug, Clone, Copy)]
enum Use {
    /// Short files, which lie in their records.
    Little,
    /// Files in most of the clusters that are free.
    Much,
    /// The files of the users are deleted, among them those whose data has moved.
    Less,
}

impl Use {
    fn put_into(self, at: &Path) {
        let (count, length) = match self {
            Self::Little => (12, 200),
            Self::Much => (40, 1 << 20),
            Self::Less => {
                let _ = fs::remove_dir_all(at.join("Users"));
                // A volume with nothing else keeps something to be compared.
                if fs::read_dir(at).unwrap().next().is_none() {
                    fs::write(at.join("new.txt"), b"new").unwrap();
                }
                return;
            }
        };
        let path = |index| at.join(format!("new{index:02}.bin"));
        let is_written = |&index: &u8| fs::write(path(index), vec![index | 1; length]).is_ok();
        // ntfsresize does not judge a full volume.
        if let Some(full) = (0..count).find(|index| !is_written(index)) {
            fs::remove_file(path(full)).unwrap();
        }
    }
}

/// The partitions with NTFS, also where the copies of the table disagree.
fn volumes(disk: &MemoryDevice) -> BTreeMap<u32, ByteRange> {
    let reading = compare::table(disk);
    let entries = reading.table.entries();
    let places = entries
        .iter()
        .map(|entry| (entry.number, entry.range.bytes(reading.sector_size)));
    places
        .filter(|(_, range)| Volume::open(ReadWindow::new(disk, *range).unwrap()).is_ok())
        .collect()
}

/// What repairs change, or put aside.
const CHANGED: [&str; 5] = [
    "ReAgent.xml",
    "BCD",
    r"config\SYSTEM",
    "SoftwareDistributi",
    "catroot",
];

/// The files of a volume but for those.
fn kept(disk: &MemoryDevice, range: ByteRange) -> Files {
    let mut all = files_in(disk, range);
    all.retain(|path, _| !CHANGED.iter().any(|changed| path.contains(changed)));
    all
}

fn warnings(report: &CheckReport) -> u64 {
    report.count_of(Severity::Warning)
}

/// How a way ended: done, or refused with this code.
type End = Option<&'static str>;

/// Goes a way on a disk that was used, and says how it ended. `fresh` is the disk before it was used.
fn judged(
    fresh: &MemoryDevice,
    used: &MemoryDevice,
    what: &str,
    way: impl FnOnce(&mut Target<MemoryDevice>) -> Result<Report, RepairError>,
) -> End {
    let mut subject = target(used.clone());
    let result = way(&mut subject);
    let disk = subject.device;
    let done = matches!(&result, Ok(report) if report.refusal.is_none());
    if !done {
        assert!(disk == *used, "{what}: refused after a write");
        return Some(result.map_or_else(|error| error.code(), |report| report.refusal.unwrap().code));
    }
    let verdict = result.unwrap().verdict;
    // Healthy is one that has no journal yet.
    let known = [
        Verdict::Undone,
        Verdict::Repaired,
        Verdict::NeedsRepair,
        Verdict::Healthy,
    ];
    assert!(known.contains(&verdict), "{what}: {verdict:?}");
    let left = volumes(&disk);
    let table = compare::table(&disk).table;
    let places = volumes(used);
    for (&number, &range) in &places {
        match left.get(&number) {
            Some(now) => assert!(
                kept(&disk, *now) == kept(used, range),
                "{what}: files of {number}"
            ),
            // What was asked to be removed goes with all that is in it.
            None if what.starts_with("remove_stale, cut") => {}
            // Another one that goes may have nothing of its own.
            None => {
                assert!(table.entry(number).is_none(), "{what}: no volume in {number}");
                let is_as_made = kept(used, range) == kept(fresh, range);
                assert!(is_as_made, "{what}: {number} is gone");
            }
        }
    }
    for (number, range) in left {
        let of =
            |disk, range| check(ReadWindow::new(disk, range).unwrap(), &CheckOptions::default()).unwrap();
        let report = of(&disk, range);
        assert!(report.is_consistent(), "{what}: {number}: {:?}", report.problems);
        // Nothing is left over of what was under way.
        let earlier = places.get(&number).map_or(0, |range| warnings(&of(used, *range)));
        assert!(
            warnings(&report) <= earlier,
            "{what}: {number}: {:?}",
            report.problems
        );
        assert_judged_sound_at(&disk, range);
    }
    None
}

/// The disk after the first `count` events.
fn cut(case: &Case, events: &[Event], count: usize) -> MemoryDevice {
    let mut disk = case.old.clone();
    recording::replay(&mut disk, &events[..count]).unwrap();
    disk
}

fn run(name: &str, case: &Case) {
    let (new, events) = case.repaired();
    let mut ends = BTreeMap::new();
    let flushes = (1..=events.len()).filter(|end| events[end - 1] == Event::Flush);
    let flushes: Vec<usize> = flushes.collect();
    let all = std::env::var("WINREFIT_USED_CUTS").is_ok_and(|cuts| cuts == "all");
    let step = if all { 1 } else { flushes.len().div_ceil(CUTS) };
    let cuts: Vec<usize> = flushes.into_iter().skip(step / 2).step_by(step).collect();
    let disks = cuts
        .into_iter()
        .map(|count| (format!("cut at {count}"), cut(case, &events, count)));
    for (when, fresh) in disks.chain([("repaired".to_owned(), new)]) {
        for (number, range) in volumes(&fresh) {
            for kind in [Use::Little, Use::Much, Use::Less] {
                let mut used = fresh.clone();
                if while_mounted_at(&mut used, range, |at| kind.put_into(at)).is_none() {
                    return;
                }
                let what = format!("{name}, {when}, {kind:?} on {number}");
                let end = if when == "repaired" {
                    judged(&fresh, &used, &what, |subject| {
                        undo(subject, &mut |_| true, &mut |_| ())
                    })
                } else {
                    judged(&fresh, &used, &what, |subject| resume(subject, &mut |_| ()))
                };
                *ends.entry((when == "repaired", end)).or_insert(0) += 1;
            }
        }
    }
    println!("{name}: {ends:?}");
    assert!(ends.contains_key(&(false, None)), "{name}: no resume was done");
    let is_undone = ends.contains_key(&(true, None));
    assert_eq!(is_undone, !NEVER_UNDONE.contains(&name), "{name}");
}

macro_rules! runs {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name), &cases::$name());
        })*
    };
}

runs! {
    grow_end
    grow_front
    shrink
    shrink_4096
    data
    system_data
    body_in_clusters
    relocate
    relocate_twice
    relocate_twice_mbr
    reclaim
    remove_stale
    mbr_primary
    mbr_logical
    primary_damaged
    disk_has_grown
    create
    create_twice
    reset
}
