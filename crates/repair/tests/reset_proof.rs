//! The proof of a reset finds whatever else is different; and where the journal goes if the gap is taken.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/update.rs"]
mod update;

use common::compare::first_lost;
use common::{MIB, WINDOWS, partition_range, poke, record_of, target};
use std::collections::BTreeMap;
use update::{ALL, SYSTEM, broken, content};
use winrefit_disk::{Device, MemoryDevice, ReadAt, ReadWindow};
use winrefit_formats::Hive;
use winrefit_lab::hive::seal;
use winrefit_ntfs::rename::rename;
use winrefit_ntfs::{AttributeType, Volume};
use winrefit_repair::commands::{reset_update, undo};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::plan::{Plan, Step};
use winrefit_repair::records;
use winrefit_repair::report::Verdict;
use winrefit_repair::reset;
use winrefit_repair::verify::{Before, verify_plan};

const NOW: u64 = 133_500_000_000_000_000;

fn plan(disk: &MemoryDevice) -> Plan {
    let observation = observe(disk, None, Depth::Full).unwrap();
    let known = records::read(disk, &observation);
    let services = reset::services(&known[0]).unwrap();
    let folders = reset::folders(disk, partition_range(disk, WINDOWS)).unwrap();
    reset::plan(WINDOWS, (&folders, Ok(&services)), &ALL, NOW).unwrap()
}

/// What the proof objects to on `new`, as the result of the plan for `old`.
fn objections(old: &MemoryDevice, new: &MemoryDevice) -> Vec<String> {
    let observation = observe(old, None, Depth::Full).unwrap();
    let before = Before {
        observation: &observation,
        checks: &BTreeMap::new(),
    };
    let items = verify_plan(new, Some(old), &before, &plan(old)).unwrap();
    let wrong = items.iter().filter(|item| !item.ok);
    wrong
        .map(|item| format!("{}: {}", item.what, item.detail))
        .collect()
}

fn reset_disk(old: &MemoryDevice) -> MemoryDevice {
    let mut subject = target(old.clone());
    let report = reset_update(&mut subject, &ALL, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    subject.device
}

/// Applies edits of C:.
fn edit(
    disk: &mut MemoryDevice,
    edits: impl Fn(&Volume<ReadWindow<&MemoryDevice>>) -> winrefit_ntfs::edit::Edits,
) {
    let range = partition_range(disk, WINDOWS);
    let edits = edits(&Volume::open(ReadWindow::new(&*disk, range).unwrap()).unwrap());
    for edit in edits.0 {
        disk.write_at(range.start + edit.offset, &edit.bytes).unwrap();
    }
}

fn rename_on(disk: &mut MemoryDevice, directory: &str, from: &str, to: &str) {
    edit(disk, |volume| {
        rename(volume, directory, from, to, NOW).unwrap().edits
    });
}

/// Where a byte of a file of C: lies on the disk.
fn place(disk: &MemoryDevice, path: &str, at: u64) -> u64 {
    let range = partition_range(disk, WINDOWS);
    let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap();
    let file = volume.lookup(path).unwrap().unwrap();
    let stream = file.require(AttributeType::DATA, "").unwrap();
    let ranges = volume.plain_ranges(&stream).unwrap().unwrap();
    assert_eq!(ranges.len(), 1);
    range.start + ranges[0].start + at
}

/// Where the start type of a service lies in the hive.
fn start_offset(hive: &[u8], service: &str) -> u64 {
    let hive = Hive::open(&hive).unwrap();
    let key = hive
        .key(&format!(r"ControlSet001\Services\{service}"))
        .unwrap()
        .unwrap();
    key.value("Start").unwrap().unwrap().data_ranges().unwrap()[0].start
}

#[test]
fn the_result_is_proven_and_the_old_disk_is_not_it() {
    let old = broken();
    assert!(
        plan(&old)
            .steps
            .iter()
            .any(|step| matches!(step, Step::SetServiceStart { .. }))
    );
    assert_eq!(objections(&old, &reset_disk(&old)), [""; 0]);
    let wrong = objections(&old, &old);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert!(
        wrong[0].contains("it is not there") && wrong[2].contains("Start of wuauserv is not 3"),
        "{wrong:?}"
    );
}

#[test]
fn whatever_else_changed_is_found() {
    let old = broken();
    let new = reset_disk(&old);
    let hive = content(&new, SYSTEM);
    let service = |name| place(&new, SYSTEM, start_offset(&hive, name));
    type Tamper<'t> = &'t dyn Fn(&mut MemoryDevice);
    let cases: [(&str, Tamper<'_>); 7] = [
        ("another name in", &|disk| {
            rename_on(disk, r"\Windows\System32", "library007.dll", "library.dll")
        }),
        ("its content is not what it was", &|disk| {
            rename_on(disk, r"\Windows\SoftwareDistributio~", "Download", "Downloads")
        }),
        ("it is another folder than before", &|disk| {
            rename_on(disk, r"\Windows", "SoftwareDistributio~", "other");
            rename_on(disk, r"\Windows", "spare0", "SoftwareDistributio~");
        }),
        ("is still there", &|disk| {
            rename_on(disk, r"\Windows", "spare0", "SoftwareDistribution")
        }),
        ("Start of BITS is not 2", &|disk| {
            poke(disk, service("BITS"), &[4])
        }),
        ("of the hive has changed as well", &|disk| {
            poke(disk, service("VSS"), &[4])
        }),
        ("is in the middle of a write", &|disk| {
            let mut block = hive[..512].to_vec();
            block[4] = block[4].wrapping_add(1);
            seal(&mut block);
            poke(disk, place(&new, SYSTEM, 0), &block);
        }),
    ];
    for (due, tamper) in cases {
        let mut disk = new.clone();
        tamper(&mut disk);
        let wrong = objections(&old, &disk);
        assert!(wrong.iter().any(|said| said.contains(due)), "{due}: {wrong:?}");
    }
}

/// Only one sector before the first partition is free: the rest of the journal goes to free clusters of C:.
#[test]
fn a_journal_in_free_clusters_serves_a_reset() {
    let mut old = broken();
    poke(&mut old, 36 * 512, b"boot manager");
    let end = old.size() - MIB;
    for at in (end..old.size() - 33 * 512).step_by(512) {
        poke(&mut old, at, b"data");
    }
    let mut subject = target(old.clone());
    let report = reset_update(&mut subject, &ALL, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    let place = report.plan.unwrap().journal_place.unwrap().to_string();
    assert!(place.contains("free clusters of partition 3"), "{place}");
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    assert_eq!(first_lost(&old, &subject.device), None);
}

/// The time is the command's, in the record of the folder.
#[test]
fn the_folder_says_when_it_was_renamed() {
    let new = reset_disk(&broken());
    let number = record_of(&new, WINDOWS, r"\Windows\SoftwareDistributio~");
    let (_, record, _) = common::record(&new, WINDOWS, number);
    let information = record
        .find(AttributeType::STANDARD_INFORMATION, "")
        .unwrap()
        .unwrap();
    let at = information.offset() + 0x18 + 0x10;
    let changed = u64::from_le_bytes(record.bytes()[at..at + 8].try_into().unwrap());
    // 1 700 000 000 seconds after 1970, from 1601 on.
    assert_eq!(changed, (1_700_000_000 + 11_644_473_600) * 10_000_000);
}
