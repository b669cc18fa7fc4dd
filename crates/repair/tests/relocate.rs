//! A new place for the recovery partition, the old one given away, leftovers removed: from plan to undo.
#![allow(clippy::unwrap_used)]

mod common;

use common::compare::{first_lost, table};
use common::disks::{Disk, Kind, NOISE, Part, Style, disk, part};
use common::tools::{oracle, run};
use common::{MIB, files, partition_range, poke, target};
use std::io::Write;
use tempfile::NamedTempFile;
use winrefit_disk::{ByteRange, Fault, Faulty, MemoryDevice, SectorSize};
use winrefit_ntfs::{AttributeType, Volume};
use winrefit_repair::commands::{fix, plan, undo, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};

fn request(size: u64) -> Request {
    Request {
        size_bytes: Some(size * MIB),
        free_bytes: Some(2 * MIB),
        ..Request::default()
    }
}

fn tail(kind: Kind, mib: (u64, u64)) -> Part {
    Part {
        tail: true,
        fill: 3 << 10,
        ..part(kind, mib)
    }
}

/// The recovery partition first, and unallocated space behind C:.
fn one_commit() -> Disk {
    disk(
        Style::Gpt,
        46,
        &[part(Kind::Recovery, (1, 9)), part(Kind::Windows, (9, 29))],
    )
}

/// The same without, and with data at the end of C:.
fn two_commits() -> Disk {
    disk(
        Style::Gpt,
        40,
        &[part(Kind::Recovery, (1, 9)), tail(Kind::Windows, (9, 39))],
    )
}

/// A volume right before, too full to give what is needed; another one gives it.
fn data_donor() -> Disk {
    let mut parts = [
        part(Kind::Windows, (1, 13)),
        part(Kind::Recovery, (13, 21)),
        tail(Kind::Data, (21, 51)),
    ];
    parts[0].fill = 8 << 10;
    disk(Style::Gpt, 52, &parts)
}

fn fixed(old: &MemoryDevice, request: &Request) -> (MemoryDevice, Report) {
    let mut subject = target(old.clone());
    let report = fix(&mut subject, request, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    (subject.device, report)
}

/// Everything that has to be true of a disk on which the recovery partition has moved.
fn check_moved(disk: &Disk, old: &MemoryDevice, new: &MemoryDevice, request: &Request) {
    for number in disk.numbers() {
        let [mut before, mut after] = [old, new].map(|device| files(device, number));
        for all in [&mut before, &mut after] {
            all.retain(|path, _| !path.ends_with("ReAgent.xml") && !path.ends_with("BCD"));
        }
        assert!(before == after, "files of partition {number}");
    }
    let number = disk.recovery();
    let [old_table, new_table] = [old, new].map(|device| table(device).table);
    let (was, is) = (old_table.entry(number).unwrap(), new_table.entry(number).unwrap());
    assert_eq!(
        (was.kind, was.unique_guid, was.attributes, &was.name),
        (is.kind, is.unique_guid, is.attributes, &is.name)
    );
    assert!(!was.range.overlaps(&is.range), "{} {}", was.range, is.range);
    let subject = target(new.clone());
    let verified = verify(&subject, None, &mut |_| ()).unwrap();
    assert!(
        verified
            .checks
            .iter()
            .all(|check| check.consistent && check.problems.is_empty())
    );
    let items = verified.verification.iter();
    let failed: Vec<_> = items
        .filter(|item| !item.ok && !item.what.to_string().contains("Free space"))
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
    let free = verified.recovery.unwrap().free_bytes.unwrap();
    assert!(free >= request.free_bytes.unwrap());
    let again = plan(&subject, request, &mut |_| ()).unwrap();
    assert_eq!(
        (again.verdict, again.plan.unwrap().strategy),
        (Verdict::Healthy, "keep")
    );
    let mut subject = subject;
    let again = fix(&mut subject, request, &mut |_| panic!("no question"), &mut |_| ()).unwrap();
    assert_eq!(again.verdict, Verdict::Healthy);
    assert!(subject.device == *new);
}

fn check_undone(old: &MemoryDevice, new: &MemoryDevice) {
    let mut subject = target(new.clone());
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    assert_eq!(first_lost(old, &subject.device), None);
    let again = undo(&mut subject, &mut |_| panic!("no question"), &mut |_| ()).unwrap();
    assert_eq!(again.refusal.unwrap().code, "nothing-to-undo");
}

fn assert_unallocated(device: &MemoryDevice, mib: (u64, u64)) {
    let TableEntries(ranges) = ranges(device);
    let free = |range: &(u64, u64)| range.1 <= mib.0 * MIB || mib.1 * MIB <= range.0;
    assert!(ranges.iter().all(free), "{ranges:?}");
}

struct TableEntries(Vec<(u64, u64)>);

fn ranges(device: &MemoryDevice) -> TableEntries {
    let reading = table(device);
    let all = reading.table.entries().iter().map(|entry| {
        let range = entry.range.bytes(reading.sector_size);
        (range.start, range.end)
    });
    TableEntries(all.collect())
}

#[test]
fn unallocated_space_takes_it_in_one_commit() {
    for size in [SectorSize::B512, SectorSize::B4096] {
        let disk = one_commit().with_sectors(size);
        let old = disk.build();
        let (new, report) = fixed(&old, &request(14));
        let plan = report.plan.unwrap();
        assert_eq!(plan.strategy, "relocate");
        check_moved(&disk, &old, &new, &request(14));
        assert_eq!(partition_range(&new, 1).start, 29 * MIB);
        assert_eq!(partition_range(&new, 2), partition_range(&old, 2));
        assert_unallocated(&new, (1, 9));
        check_undone(&old, &new);
    }
}

#[test]
fn a_donor_elsewhere_takes_a_second_commit() {
    for (disk, donor) in [(two_commits(), 2), (data_donor(), 3)] {
        for size in [SectorSize::B512, SectorSize::B4096] {
            let disk = disk.clone().with_sectors(size);
            let old = disk.build();
            let (new, report) = fixed(&old, &request(14));
            assert!(report.plan.unwrap().summary.to_string().contains("two commits"));
            check_moved(&disk, &old, &new, &request(14));
            let place = partition_range(&new, disk.recovery());
            assert_eq!(partition_range(&new, donor).end, place.start);
            assert_eq!(partition_range(&old, donor).end, place.end);
            check_undone(&old, &new);
        }
    }
}

#[test]
fn the_old_place_goes_to_the_volume_before_it_where_that_is_asked_for() {
    let wish = Request {
        reclaim: true,
        ..request(14)
    };
    let disk = data_donor();
    let old = disk.build();
    let (new, _) = fixed(&old, &wish);
    check_moved(&disk, &old, &new, &wish);
    assert_eq!(partition_range(&new, 1).end, 21 * MIB);
    let volume = winrefit_disk::ReadWindow::new(&new, partition_range(&new, 1)).unwrap();
    let length = Volume::open(volume).unwrap().geometry().volume_bytes();
    assert_eq!(length, 20 * MIB);
    check_undone(&old, &new);
    // Nothing lies before it here, so the wish changes nothing.
    let old = one_commit().build();
    assert!(
        fixed(&old, &wish).0.bytes()[MIB as usize..] == fixed(&old, &request(14)).0.bytes()[MIB as usize..]
    );
}

#[test]
fn a_declined_question_writes_nothing() {
    for disk in [one_commit(), two_commits()] {
        let old = disk.build();
        let mut subject = target(old.clone());
        let mut asked = 0;
        let report = fix(
            &mut subject,
            &request(14),
            &mut |report| {
                asked += 1;
                assert_eq!(report.plan.as_ref().unwrap().strategy, "relocate");
                false
            },
            &mut |_| (),
        );
        assert_eq!((asked, report.unwrap().verdict), (1, Verdict::NeedsRepair));
        assert!(subject.device == old);
    }
}

/// Where the content of a file begins on the disk.
fn place_of(device: &MemoryDevice, number: u32, path: &str) -> u64 {
    let range = partition_range(device, number);
    let volume = Volume::open(winrefit_disk::ReadWindow::new(device, range).unwrap()).unwrap();
    let file = volume.lookup(path).unwrap().unwrap();
    let stream = file.require(AttributeType::DATA, "").unwrap();
    range.start
        + volume
            .geometry()
            .offset_of(stream.runs().unwrap().0[0].lcn.unwrap())
}

/// The first part is done, the second one is not: a working disk, and words that say so.
fn assert_half(old: &MemoryDevice, half: MemoryDevice) {
    let verified = verify(&target(half.clone()), None, &mut |_| ()).unwrap();
    assert!(verified.checks.iter().all(|check| check.consistent));
    assert_eq!(
        partition_range(&half, 1),
        partition_range(old, 1),
        "the recovery partition"
    );
    check_undone(old, &half);
    let (new, _) = fixed(&half, &request(14));
    check_moved(&two_commits(), old, &new, &request(14));
    check_undone(old, &new);
}

#[test]
fn an_image_that_cannot_be_read_leaves_the_first_part_and_says_so() {
    let old = two_commits().build();
    let bad = place_of(&old, 1, r"Recovery\WindowsRE\Winre.wim") + (1 << 20) + 4096;
    let range = ByteRange::new(bad, bad + 512);
    let mut subject = target(Faulty::new(old.clone(), Fault::BadSectors { range }));
    let report = fix(&mut subject, &request(14), &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Refused);
    let refusal = report.refusal.unwrap();
    assert_eq!(refusal.code, "unreadable-data");
    let words = refusal.explained;
    assert!(words.detail.to_string().contains("Winre.wim"), "{words:?}");
    assert!(
        words
            .next
            .to_string()
            .contains("first of the repair's two parts is done"),
        "{words:?}"
    );
    assert_half(&old, subject.device.into_inner());
}

#[test]
fn a_disk_that_fails_in_the_second_part_is_left_working() {
    let old = two_commits().build();
    // The recovery volume's new place.
    let range = ByteRange::new(25 * MIB, 39 * MIB);
    let mut subject = target(Faulty::new(old.clone(), Fault::UnwritableSectors { range }));
    let error = fix(&mut subject, &request(14), &mut |_| true, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("no more writes"), "{error}");
    assert_half(&old, subject.device.into_inner());
}

#[test]
fn an_undo_takes_back_both_parts_or_none() {
    let disk = two_commits();
    let old = disk.build();
    let (new, _) = fixed(&old, &request(14));
    let noise = place_of(&new, 2, NOISE);
    assert!(noise < partition_range(&new, 1).start);
    // A byte that both parts wrote, one of the copy that the first part made, and one that only the first part wrote.
    for at in [
        partition_range(&new, 1).start + 3,
        noise + 5000,
        partition_range(&new, 2).start + 0x28,
    ] {
        let mut changed = new.clone();
        let byte = changed.bytes()[at as usize];
        poke(&mut changed, at, &[!byte]);
        let mut subject = target(changed.clone());
        let report = undo(&mut subject, &mut |_| panic!("no question"), &mut |_| ());
        match report {
            Ok(report) => assert_eq!(report.refusal.unwrap().code, "changed-since", "byte {at}"),
            // Its own boot sector is a volume's, so nothing may be left to tell.
            Err(error) => panic!("byte {at}: {error}"),
        }
        assert!(subject.device == changed, "nothing is written");
    }
}

/// A later repair takes the first one's place in the first gap.
#[test]
fn a_second_part_alone_is_not_undone() {
    let old = two_commits().build();
    let (new, _) = fixed(&old, &request(14));
    let (newer, report) = fixed(&new, &request(16));
    assert_eq!(report.plan.unwrap().strategy, "shrink+grow-front");
    let mut subject = target(newer);
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone);
    let before = subject.device.clone();
    let report = undo(&mut subject, &mut |_| panic!("no question"), &mut |_| ()).unwrap();
    assert_eq!(report.refusal.unwrap().code, "undo-overwritten");
    assert!(subject.device == before);
}

/// A size that is no whole number of MiB, as real disks have: the last one is cut off right behind the tables.
fn odd_size(mib: u64, parts: &[Part]) -> Disk {
    let mut odd = disk(Style::Gpt, mib, parts);
    odd.sectors += 64;
    odd
}

fn check_with_sgdisk(disk: &MemoryDevice) {
    let Some(mut sgdisk) = oracle("sgdisk") else {
        return;
    };
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(disk.bytes()).unwrap();
    let said = run(sgdisk.arg("-v").arg(file.path()));
    assert!(said.contains("No problems found"), "{said}");
}

/// The new place reached to the end of the disk, where the second part has its journal, and the repair was refused.
#[test]
fn the_last_whole_mib_is_left_to_the_second_journal() {
    let parts = [part(Kind::Recovery, (1, 9)), tail(Kind::Windows, (9, 39))];
    for size in [SectorSize::B512, SectorSize::B4096] {
        let disk = odd_size(40, &parts).with_sectors(size);
        let old = disk.build();
        let (new, report) = fixed(&old, &request(14));
        assert!(report.plan.unwrap().summary.to_string().contains("two commits"));
        check_moved(&disk, &old, &new, &request(14));
        assert_eq!(partition_range(&new, 1).end, 39 * MIB);
        if size == SectorSize::B512 {
            check_with_sgdisk(&new);
        }
        check_undone(&old, &new);
    }
}

/// Both parts' journals have to be there for an undo, so there have to be two places for them. A file of C: was where the
/// second one would be.
#[test]
fn a_disk_with_room_for_one_journal_is_not_relocated_in_two_parts() {
    let parts = [part(Kind::Recovery, (1, 9)), tail(Kind::Windows, (9, 39))];
    let old = odd_size(39, &parts).build();
    let mut subject = target(old.clone());
    let report = fix(
        &mut subject,
        &request(14),
        &mut |_| panic!("no question"),
        &mut |_| (),
    )
    .unwrap();
    assert_eq!(report.refusal.unwrap().code, "no-journal-space");
    assert!(subject.device == old);
}
