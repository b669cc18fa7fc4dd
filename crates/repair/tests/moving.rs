//! Repairs for which data of the donor have to move.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Layout, MIB, RECOVERY, REQUEST, WINDOWS, files, partition_range, poke, target};
use winrefit_disk::{ByteRange, Fault, Faulty, MemoryDevice, ReadAt};
use winrefit_ntfs::{AttributeType, Volume};
use winrefit_repair::commands::{Progress, fix, plan, undo, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::Verdict;

/// C: with that file, $LogFile, $MFTMirr, $Bitmap and the start of the $MFT at its end.
fn full() -> MemoryDevice {
    let layout = Layout {
        full_tail: true,
        ..Layout::default()
    };
    layout.build()
}

/// Where a file of C: begins on the disk.
fn place_of(disk: &dyn ReadAt, path: &str) -> u64 {
    let range = partition_range(disk, WINDOWS);
    let volume = Volume::open(winrefit_disk::ReadWindow::new(disk, range).unwrap()).unwrap();
    let file = volume.lookup(path).unwrap().unwrap();
    let stream = file.require(AttributeType::DATA, "").unwrap();
    range.start
        + volume
            .geometry()
            .offset_of(stream.runs().unwrap().0[0].lcn.unwrap())
}

const NOISE: &str = r"Users\someone\noise.bin";

#[test]
fn data_in_the_tail_are_planned_moved_and_all_there() {
    let old = full();
    let files_before = [WINDOWS, RECOVERY].map(|number| files(&old, number));
    let planned = plan(&target(old.clone()), &REQUEST, &mut |_| ()).unwrap();
    let planned = planned.plan.unwrap();
    assert!(planned.move_bytes > 2 * MIB, "{}", planned.move_bytes);
    assert!(planned.move_seconds >= 1);
    assert!(
        planned.steps[0]
            .to_string()
            .contains("copied to its free space first"),
        "{:?}",
        planned.steps
    );

    let mut subject = target(old.clone());
    let mut copied = Vec::new();
    let report = fix(&mut subject, &REQUEST, &mut |_| true, &mut |step| {
        if let Progress::Moving {
            done_bytes,
            total_bytes,
        } = step
        {
            copied.push((done_bytes, total_bytes));
        }
    })
    .unwrap();
    assert_eq!(report.verdict, Verdict::Repaired);
    assert_eq!(copied.last(), Some(&(planned.move_bytes, planned.move_bytes)));
    let verified = verify(&subject, None, &mut |_| ()).unwrap();
    assert!(!verified.checks.is_empty() && verified.checks.iter().all(|check| check.consistent));
    for (number, mut before) in [WINDOWS, RECOVERY].into_iter().zip(files_before) {
        let mut after = files(&subject.device, number);
        // The one file that says where the recovery partition is.
        for all in [&mut before, &mut after] {
            all.retain(|path, _| !path.ends_with("ReAgent.xml"));
        }
        assert!(before == after, "files of partition {number}");
    }
    assert!(place_of(&subject.device, NOISE) < partition_range(&subject.device, RECOVERY).start);
}

#[test]
fn an_undo_is_refused_once_either_copy_of_the_data_was_written() {
    let old = full();
    let mut subject = target(old.clone());
    fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    let repaired = subject.device;
    let [was, is] = [&old, &repaired].map(|disk| place_of(disk, NOISE));
    for place in [was + MIB, is + MIB] {
        let mut disk = repaired.clone();
        poke(&mut disk, place, b"written by Windows");
        let mut subject = target(disk.clone());
        let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(report.refusal.map(|r| r.code), Some("changed-since"));
        assert!(subject.device == disk, "nothing is written");
    }
    let mut subject = target(repaired);
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone);
    assert_eq!(place_of(&subject.device, NOISE), was);
}

#[test]
fn too_little_free_space_for_what_moves_is_a_donor_that_is_too_full() {
    let layout = Layout {
        data: 22,
        ..Layout::default()
    };
    let request = Request {
        size_bytes: Some(60 * MIB),
        ..REQUEST
    };
    let report = plan(&target(layout.build()), &request, &mut |_| ()).unwrap();
    assert_eq!(report.refusal.map(|r| r.code), Some("donor-too-full"));
}

#[test]
fn data_that_cannot_be_read_refuse_the_repair_by_the_name_of_their_file() {
    let old = full();
    let sector = place_of(&old, NOISE) + MIB;
    let files_before = files(&old, WINDOWS);
    // $LogFile, with a lower number, lies behind it.
    assert!(place_of(&old, "$LogFile") > sector);
    let range = ByteRange::new(sector, sector + 512);
    let mut subject = target(Faulty::new(old, Fault::BadSectors { range }));
    let report = fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Refused);
    let refusal = report.refusal.unwrap();
    assert_eq!(refusal.code, "unreadable-data");
    let text = refusal.explained.detail.to_string();
    assert!(
        text.contains("noise.bin") && text.contains(&sector.to_string()),
        "{text}"
    );
    assert!(files(&subject.device.into_inner(), WINDOWS) == files_before);
}

/// The offset in ReAgent.xml loses a digit: the file, whose size its directory knows, keeps its length.
#[test]
fn a_recovery_partition_whose_offset_has_fewer_digits_is_repaired() {
    let layout = Layout {
        disk: 135,
        windows: (4, 110),
        recovery: (110, 134),
        ..Layout::default()
    };
    let mut subject = target(layout.build());
    let report = fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    let start = partition_range(&subject.device, RECOVERY).start;
    assert!(start < 100_000_000 && layout.recovery.0 * MIB > 100_000_000);
    let all = files(&subject.device, WINDOWS);
    let (_, reagent) = all
        .iter()
        .find(|(path, _)| path.ends_with("ReAgent.xml"))
        .unwrap();
    assert_eq!(reagent.len(), layout.reagent_xml().len());
    let parsed = winrefit_formats::ReAgent::parse(reagent).unwrap();
    assert_eq!(parsed.winre_location.unwrap().offset, start);
}
