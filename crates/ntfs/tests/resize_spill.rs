//! Shrinks whose data find only holes of one cluster: run lists that outgrow their record spill into others.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use common::image::Image;
use common::judge::Judge;
use common::mount::{Access, Mounted};
use common::resized::{shrink, shrink_step_by_step};
use common::scatter::Scatter;
use common::tail::{Geometry, MIB, assert_shrinks, builder, written};
use common::tree::noise;
use std::path::Path;
use winrefit_disk::moves;
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::check::{CheckOptions, check};
use winrefit_ntfs::edit::Edits;
use winrefit_ntfs::format::FileData;
use winrefit_ntfs::resize::{ResizeError, shrink_end};
use winrefit_ntfs::{AttributeType as Type, Lcn, RecordNumber, Vcn, Volume};

const GEOMETRY: Geometry = (512, 4096, 1024);

/// A volume of 64 MiB whose first part has free clusters one by one only, and the cluster behind that part. What is free
/// in rows is marked as used by nobody.
fn pierced(geometry: Geometry) -> Option<(Scatter, u64)> {
    let mut builder = builder(64 * MIB, geometry);
    for index in 0..3000u64 {
        let data = FileData::Bytes(noise(index, geometry.1.max(1024) as usize));
        builder
            .add_file(&format!("single/{index:06}"), 0x20, data)
            .unwrap();
    }
    let image = written(builder, 64 * MIB);
    let end = Scatter::of(&image).end_of_used();
    let mounted = Mounted::new(&image, Access::Everything)?;
    // ntfs-3g does not use the first 64 file records again.
    for number in (40..3000).step_by(2) {
        std::fs::remove_file(mounted.root().join(format!("single/{number:06}"))).unwrap();
    }
    drop(mounted);
    let mut volume = Scatter::of(&image);
    let longest = u64::from(1024u32.div_ceil(geometry.1));
    hide_rows(&mut volume, end, longest);
    Some((volume, end))
}

/// Takes away what is free before `end` in rows longer than `longest`.
fn hide_rows(volume: &mut Scatter, end: u64, longest: u64) {
    let rows: Vec<_> = volume
        .bitmap()
        .free_runs(Lcn(end))
        .filter(|run| run.clusters > longest)
        .map(|run| (run.lcn.unwrap().0, run.clusters))
        .collect();
    volume.leak(&rows);
}

fn with_mount(volume: &mut Scatter, change: impl FnOnce(&Path)) {
    let image = volume.image();
    let mounted = Mounted::new(&image, Access::Everything).unwrap();
    change(mounted.root());
    drop(mounted);
    *volume = Scatter::of(&image);
}

/// The records that a file has.
fn records_of(image: &Image, path: &str) -> Vec<u64> {
    let volume = Volume::open(image).unwrap();
    let file = volume.lookup(path).unwrap().unwrap();
    file.records().iter().map(|record| record.number().0).collect()
}

/// A file of one run in the tail, with little room left in its record.
fn with_whole(volume: &mut Scatter) {
    with_mount(volume, |root| {
        std::fs::write(root.join("whole"), noise(6, 1200 * 4096)).unwrap();
        for index in 0..2 {
            std::fs::write(root.join(format!("whole:stream {index}")), noise(index, 150)).unwrap();
        }
    });
    volume.move_to_tail(volume.record_of("whole"), Type::DATA, "");
}

#[test]
fn a_run_list_that_outgrows_its_record() {
    for record_size in [1024, 4096] {
        let geometry = (512, 4096, record_size);
        let Some((mut volume, end)) = pierced(geometry) else {
            return;
        };
        with_whole(&mut volume);
        let mut image = volume.image();
        assert_eq!(records_of(&image, "whole").len(), 1);
        shrink(&mut image, end * 4096 + 512).unwrap();
        assert!(records_of(&image, "whole").len() > 1, "it did not spill");
        assert_shrinks(&mut volume.image(), end * 4096 + 512);
    }
}

#[test]
fn the_same_in_clusters_smaller_than_a_record() {
    let Some((mut volume, end)) = pierced((512, 512, 1024)) else {
        return;
    };
    with_mount(&mut volume, |root| {
        std::fs::write(root.join("whole"), noise(6, 1200 * 512)).unwrap();
    });
    volume.move_to_tail(volume.record_of("whole"), Type::DATA, "");
    let mut image = volume.image();
    shrink(&mut image, end * 512 + 512).unwrap();
    assert!(records_of(&image, "whole").len() > 1, "it did not spill");
    assert_shrinks(&mut volume.image(), end * 512 + 512);
}

#[test]
fn two_attributes_of_a_record_outgrow_it() {
    let Some((mut volume, end)) = pierced(GEOMETRY) else {
        return;
    };
    with_mount(&mut volume, |root| {
        std::fs::write(root.join("whole"), noise(6, 700 * 4096)).unwrap();
        std::fs::write(root.join("whole:bbb"), noise(7, 600 * 4096)).unwrap();
        for index in 0..2 {
            std::fs::write(root.join(format!("whole:s{index}")), noise(index, 90)).unwrap();
        }
    });
    let record = volume.record_of("whole");
    volume.move_to_tail(record, Type::DATA, "");
    let top = volume.free_before(volume.clusters(), 700);
    let extents: Vec<_> = (0..30).map(|i| (top - 40 + 21 * i, 20)).collect();
    volume.relocate(record, Type::DATA, "bbb", &extents);
    assert_shrinks(&mut volume.image(), end * 4096 + 512);
}

/// Makes empty files until no file record from 24 on is free.
fn use_every_record(volume: &mut Scatter) {
    for round in 0..6 {
        let report = check(&volume.bytes, &CheckOptions::default()).unwrap();
        // Records 16 to 23 are never used for files.
        let free = report.records - report.records_in_use - 8;
        if free == 0 {
            return;
        }
        with_mount(volume, |root| {
            for index in 0..free {
                std::fs::write(root.join(format!("{round} {index}")), b"").unwrap();
            }
        });
    }
    panic!("the $MFT keeps growing");
}

/// What does not fit its record gets others from a $MFT that has to grow for them, into holes as well.
#[test]
fn the_mft_grows_where_no_record_is_free() {
    let Some((mut volume, end)) = pierced(GEOMETRY) else {
        return;
    };
    with_whole(&mut volume);
    use_every_record(&mut volume);
    let mut image = volume.image();
    let before = Volume::open(&image).unwrap().records();
    shrink(&mut image, end * 4096 + 512).unwrap();
    assert!(
        Volume::open(&image).unwrap().records() > before,
        "it did not grow"
    );
    assert_shrinks(&mut volume.image(), end * 4096 + 512);
}

/// ntfsresize said "No free mft record for $MFT" after it had moved data. Where the $MFT's own run list outgrows record 0
/// this is refused before anything is written.
#[test]
fn ntfsresize_142_the_mft_itself_is_refused_before_anything_is_written() {
    let Some((mut volume, end)) = pierced(GEOMETRY) else {
        return;
    };
    use_every_record(&mut volume);
    let clusters = volume.clusters_of(0, Type::DATA, "");
    let first = 16;
    let head = volume.free_before(volume.clusters() - clusters - 10, first);
    let tail = volume.clusters() - clusters - 5;
    volume.relocate(0, Type::DATA, "", &[(head, first), (tail, clusters - first)]);
    let end = end.max(head + first);
    hide_rows(&mut volume, end, 1);
    let mut image = volume.image();
    let refused = shrink(&mut image, end * 4096 + 512);
    assert!(
        matches!(
            refused,
            Err(ResizeError::CannotRelocate {
                record: RecordNumber::MFT,
                ..
            })
        ),
        "{refused:?}"
    );
    assert!(image.bytes() == volume.bytes);
}

/// A file with an attribute list in clusters, which lies in the tail and changes: no copy, and no edit before the switch,
/// goes to clusters that are free before and after; a journal may be there.
#[test]
fn a_list_in_clusters_leaves_nothing_behind() {
    let Some((mut volume, end)) = pierced(GEOMETRY) else {
        return;
    };
    with_mount(&mut volume, |root| {
        std::fs::write(root.join("listed"), noise(3, 1000 * 4096)).unwrap();
        for index in 0..100 {
            let link = format!("{index}{}", "n".repeat(150));
            std::fs::hard_link(root.join("listed"), root.join(link)).unwrap();
        }
    });
    volume.move_to_tail(volume.record_of("listed"), Type::ATTRIBUTE_LIST, "");
    let mut image = volume.image();
    let bits = |image: &Image| ClusterBitmap::read(&Volume::open(image).unwrap()).unwrap();
    let old = bits(&image);
    let shrink = shrink(&mut image, end * 4096 + 512).unwrap();
    let new = bits(&image);
    let is_free = |at: u64| {
        let lcn = Lcn(at / 4096);
        lcn.0 < end && !old.is_set(lcn) && !new.is_set(lcn)
    };
    for m in &shrink.moves {
        assert!(!(0..m.length).step_by(4096).any(|at| is_free(m.to + at)), "{m:?}");
    }
    for edit in &shrink.edits.0 {
        assert!(!is_free(edit.offset), "step {}, byte {}", edit.step, edit.offset);
    }
    assert_shrinks(&mut volume.image(), end * 4096 + 512);
}

/// The base record is one switch: all that it names is there before.
#[test]
fn a_file_that_spills_is_whole_as_soon_as_its_base_record_is_written() {
    let Some((mut volume, end)) = pierced(GEOMETRY) else {
        return;
    };
    with_whole(&mut volume);
    let record = volume.record_of("whole");
    let mut image = volume.image();
    let judge = Judge::of(&image).unwrap();
    let shrink = shrink_end(&image, (end * 4096 + 512) / 512).unwrap();
    moves::copy(&mut image, &shrink.moves, &mut |_| true).unwrap();
    let place = {
        let volume = Volume::open(&image).unwrap();
        let at = record * 1024;
        let (vcn, run) = volume.mft_runs().find(Vcn(at / 4096)).unwrap();
        volume.geometry().offset_of(run.lcn.unwrap()) + at - vcn.0 * 4096
    };
    let first = |edit: &&_| {
        let edit: &winrefit_ntfs::edit::Edit = edit;
        edit.step == 0 || edit.step == 1 && edit.offset == place
    };
    Edits(shrink.edits.0.iter().filter(first).cloned().collect())
        .apply(&mut image)
        .unwrap();
    assert!(records_of(&image, "whole").len() > 1);
    judge.accept_midway(&image);
}

/// The start of the $MFT moves, and takes effect with the boot sector only; the base record lies in a part that stays.
#[test]
fn a_file_that_spills_is_whole_while_the_start_of_the_mft_moves() {
    let Some((mut volume, end)) = pierced(GEOMETRY) else {
        return;
    };
    with_mount(&mut volume, |root| {
        let dummies: Vec<_> = (0..20).map(|i| root.join(format!("dummy{i}"))).collect();
        dummies
            .iter()
            .for_each(|dummy| std::fs::write(dummy, b"").unwrap());
        std::fs::write(root.join("whole"), noise(6, 1200 * 4096)).unwrap();
        dummies
            .iter()
            .for_each(|dummy| std::fs::remove_file(dummy).unwrap());
    });
    let record = volume.record_of("whole");
    let clusters = volume.clusters_of(0, Type::DATA, "");
    volume.move_to_tail(record, Type::DATA, "");
    let head = record / 4;
    let tail = volume.free_before(volume.clusters() - 1300, head);
    let rest = clusters - head;
    let front = (volume.free_before(end + rest + 400, rest), rest);
    volume.relocate(0, Type::DATA, "", &[(tail, head), front]);
    let new_end = end.max(front.0 + front.1);
    assert!(new_end < tail);
    // One row for the head of the $MFT, else single clusters.
    let mut rows: Vec<_> = volume
        .bitmap()
        .free_runs(Lcn(new_end))
        .filter(|run| run.clusters > 1)
        .map(|run| (run.lcn.unwrap().0, run.clusters))
        .collect();
    rows[0] = (rows[0].0 + head, rows[0].1 - head);
    volume.leak(&rows);
    let mut image = volume.image();
    let judge = Judge::of(&image).unwrap();
    shrink_step_by_step(&mut image, new_end * 4096 + 512, |image| {
        judge.accept_midway(image)
    })
    .unwrap();
    assert!(records_of(&image, "whole").len() > 1);
    judge.accept(&image, 2048);
}
