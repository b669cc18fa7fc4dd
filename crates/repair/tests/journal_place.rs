//! Where a repair's journal goes on a disk that has had one before, and has been used since.
#![allow(clippy::unwrap_used)]

mod common;

use common::compare::first_lost;
use common::disks::{Kind, Style, disk, part};
use common::{MIB, partition_range, target};
use winrefit_disk::journal::Header;
use winrefit_disk::{ByteRange, Device, Lba, MemoryDevice, ReadAt, SectorSize};
use winrefit_formats::gpt::types;
use winrefit_formats::{Guid, LbaRange, Partition, PartitionName, read_gpt};
use winrefit_repair::commands::{fix, undo};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::plan::Request;
use winrefit_repair::report::Verdict;

fn request(size: u64) -> Request {
    Request {
        size_bytes: Some(size * MIB),
        free_bytes: Some(2 * MIB),
        ..Request::default()
    }
}

fn journal_of(disk: &MemoryDevice) -> Header {
    let journal = observe(disk, None, Depth::Quick).unwrap().journal;
    journal.unwrap().unwrap().header
}

/// The disk with a recovery partition of `size` MiB, and where its journal ends.
fn repaired(disk: MemoryDevice, size: u64) -> (MemoryDevice, u64) {
    let mut subject = target(disk);
    let report = fix(&mut subject, &request(size), &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    let end = journal_of(&subject.device).gap().end;
    (subject.device, end)
}

/// A disk whose long journal lies before a first partition that begins late.
fn with_long_journal() -> (MemoryDevice, u64) {
    let mut windows = part(Kind::Windows, (8, 32));
    windows.tail = true;
    repaired(
        disk(Style::Gpt, 41, &[windows, part(Kind::Recovery, (32, 40))]).build(),
        12,
    )
}

/// Where a journal had lain there may be a partition by now. A shorter journal in front of it must not clear it away.
#[test]
fn a_partition_over_the_tail_of_an_applied_journal_was_filled_with_zeros() {
    let (first, first_end) = with_long_journal();
    let (_, second_end) = repaired(first.clone(), 13);
    assert!(
        second_end < first_end,
        "the second journal has to be the shorter one"
    );

    let mut used = first;
    let taken = ByteRange::new(second_end, 8 * MIB);
    let mut gpt = read_gpt(&used, SectorSize::B512).unwrap().usable().unwrap();
    let range = LbaRange::new(Lba(taken.start / 512), Lba(taken.end / 512));
    gpt.add(Partition {
        number: 9,
        type_guid: types::LINUX_FILESYSTEM_GUID,
        unique_guid: Guid::from_u128(99),
        range,
        attributes: 0,
        name: PartitionName::new("data").unwrap(),
    })
    .unwrap();
    gpt.write(&mut used).unwrap();
    let content = vec![0xab; taken.len() as usize];
    used.write_at(taken.start, &content).unwrap();

    let (again, end) = repaired(used, 13);
    assert!(end <= taken.start, "the journal lies in the partition");
    let now = again.read_vec(taken.start, content.len()).unwrap();
    assert!(now == content, "the partition was written to");
}

/// What nobody has taken is cleared, so that a longer journal finds its place free later.
#[test]
fn the_rest_of_a_longer_journal_is_cleared_where_it_is_free() {
    let (first, first_end) = with_long_journal();
    let (second, second_end) = repaired(first, 13);
    let rest = second
        .read_vec(second_end, (first_end - second_end) as usize)
        .unwrap();
    assert!(rest.iter().all(|byte| *byte == 0), "something is left");
}

/// The first of two journals lay behind the last partition, where the second commit put the recovery partition: neither
/// commit could be undone any more. Now both find room behind the new place.
#[test]
fn the_new_place_of_a_recovery_partition_covered_the_journal_of_its_first_commit() {
    let mut windows = part(Kind::Windows, (9, 33));
    windows.tail = true;
    let mut recovery = part(Kind::Recovery, (1, 9));
    // In the gap before it there is room for a header, but for no journal.
    recovery.start = 48;
    let mut shape = disk(Style::Gpt, 35, &[recovery, windows]);
    // The last MiB that is whole ends right before the backup table.
    shape.sectors = 35 * 2048 + 64;
    let old = shape.build();
    let mut subject = target(old.clone());
    let report = fix(&mut subject, &request(14), &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    let place_end = partition_range(&subject.device, 1).end;
    assert!(place_end < 35 * MIB, "{place_end}");
    assert!(journal_of(&subject.device).header_offset >= place_end);
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    assert_eq!(first_lost(&old, &subject.device), None);
}
