//! What an undo of two parts makes anew, where the second part lies over what the first one had written to.
#![allow(clippy::unwrap_used)]

mod common;

use common::compare::first_lost;
use common::disks::{Kind, Style, disk, part};
use common::{MIB, partition_range, scatter, target};
use winrefit_disk::{Device, Event, Fault, Faulty, MemoryDevice, ReadAt, Recording, SectorSize};
use winrefit_ntfs::AttributeType;
use winrefit_repair::commands::{fix, undo};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::plan::Request;
use winrefit_repair::report::Verdict;

const MIRROR: u64 = 1;
const LOG: u64 = 2;
const BITMAP: u64 = 6;

/// Puts a stream of a volume at this MiB of the disk.
fn put_at(device: &mut MemoryDevice, number: u32, record: u64, mib: u64) {
    let range = partition_range(device, number);
    let bytes = device.read_vec(range.start, range.len() as usize).unwrap();
    let mut volume = scatter::Scatter::of_bytes(bytes, device.sector_size().bytes() as u32);
    let count = volume.clusters_of(record, AttributeType::DATA, "");
    let lcn = (mib * MIB - range.start) / volume.cluster_size();
    volume.relocate(record, AttributeType::DATA, "", &[(lcn, count)]);
    device.write_at(range.start, &volume.bytes).unwrap();
}

/// A disk of which streams of C: lie in the tail that C: gives, at these MiB of the disk, and what is asked for.
fn made(size: SectorSize, streams: &[(u64, u64)]) -> (MemoryDevice, Request) {
    let parts = [part(Kind::Recovery, (1, 9)), part(Kind::Windows, (9, 39))];
    let disk = disk(Style::Gpt, 40, &parts).with_sectors(size);
    let windows = disk.number_of(Kind::Windows).unwrap();
    let mut old = disk.build();
    for &(record, mib) in streams {
        put_at(&mut old, windows, record, mib);
    }
    let request = Request {
        size_bytes: Some(12 * MIB),
        free_bytes: Some(2 * MIB),
        ..Request::default()
    };
    (old, request)
}

/// The first of the streams lies where the recovery volume will have its image. After repair and undo the disk is what it
/// was.
fn assert_undone(size: SectorSize, streams: &[(u64, u64)]) {
    let (old, request) = made(size, streams);
    let mut subject = target(old.clone());
    let report = fix(&mut subject, &request, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    assert_eq!(report.plan.unwrap().strategy, "relocate");
    let place = |device: &MemoryDevice| device.read_vec(streams[0].1 * MIB, 4096).unwrap();
    let [was, is] = [&old, &subject.device].map(place);
    assert_ne!(was, is, "the second part was to overwrite it");
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    assert_eq!(first_lost(&old, &subject.device), None);
}

/// $MFTMirr has the record of $LogFile, which moves as well: so the first part writes into what it then leaves behind.
#[test]
fn originals_that_the_first_part_had_written_to_are_made_anew_as_it_left_them() {
    assert_undone(SectorSize::B512, &[(MIRROR, 29), (LOG, 33)]);
}

/// The first part marks the new place of $Bitmap in the old one: all of its only sector is in the journal then.
#[test]
fn an_original_all_of_which_the_first_part_had_written_is_noticed_as_lost() {
    assert_undone(SectorSize::B4096, &[(BITMAP, 29)]);
    assert_undone(SectorSize::B512, &[(BITMAP, 29)]);
}

/// The second part is put back, and then the disk takes no more.
#[test]
fn an_undo_that_fails_between_two_parts_says_how_far_it_is() {
    let (old, request) = made(SectorSize::B512, &[(MIRROR, 29), (LOG, 33)]);
    let mut subject = target(old.clone());
    fix(&mut subject, &request, &mut |_| true, &mut |_| ()).unwrap();
    let repaired = subject.device;
    let seen = observe(&repaired, None, Depth::Quick).unwrap();
    let header = seen.journal.unwrap().unwrap().header.header_offset;
    let mut subject = target(Recording::new(repaired.clone()));
    undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    let (_, events) = subject.device.into_parts();
    let writes = events.iter().filter_map(|event| match event {
        Event::Write { offset, data } => Some((*offset, data)),
        Event::Flush => None,
    });
    // The first zeros there: the second part's journal is gone.
    let removed = writes
        .enumerate()
        .find(|(_, (offset, data))| *offset == header && data.iter().all(|byte| *byte == 0));
    let number = removed.unwrap().0 as u64 + 1;
    let mut subject = target(Faulty::new(repaired, Fault::WritesFrom { number }));
    let error = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap_err();
    let next = error.next().to_string();
    assert!(!next.contains("Nothing that is in use was changed"), "{next}");
    assert!(next.contains("`winrefit undo`"), "{next}");
    assert_eq!(error.code(), "half-undone", "{error}");
    assert!(
        error
            .to_string()
            .contains("second of the repair's two parts was put back"),
        "{error}"
    );
    let mut subject = target(subject.device.into_inner());
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    assert_eq!(first_lost(&old, &subject.device), None);
}
