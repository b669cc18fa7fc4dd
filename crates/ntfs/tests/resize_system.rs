//! Shrinks that cut through files of NTFS itself, its bad clusters, and clusters that nobody owns.
//!
//! No tool puts these into the tail of a volume, so `common/scatter.rs` does.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use common::image::Image;
use common::judge::Judge;
use common::resized::{shrink, shrink_step_by_step};
use common::scatter::Extent;
use common::tail::{GEOMETRIES, MIB, assert_shrinks, half_full};
use winrefit_disk::ReadAt;
use winrefit_ntfs::check::{CheckOptions, check};
use winrefit_ntfs::{AttributeType as Type, RecordNumber, Volume};

/// Puts a stream of NTFS' own into the tail, and shrinks.
fn assert_moves_out_of_tail(record: u64, kind: Type, name: &str) {
    for geometry in GEOMETRIES {
        let mut volume = half_full(geometry);
        volume.move_to_tail(record, kind, name);
        assert_shrinks(&mut volume.image(), 72 * MIB);
    }
}

#[test]
fn a_fragmented_mft_in_the_tail() {
    for geometry in GEOMETRIES {
        let mut volume = half_full(geometry);
        let clusters = volume.clusters_of(0, Type::DATA, "");
        let end = volume.clusters();
        // Pieces before and behind the new end in turns, the first one before it; record numbers straddle pieces.
        let each = clusters.div_ceil(16);
        let front = volume.free_rows(16, each);
        let mut left = clusters;
        let mut pieces: Vec<Extent> = Vec::new();
        for index in 0..16 {
            let count = each.min(left);
            left -= count;
            let lcn = if index % 2 == 0 {
                front[index as usize].0
            } else {
                end - 1 - (index + 1) * (each + 1)
            };
            pieces.extend((count > 0).then_some((lcn, count)));
        }
        volume.relocate(0, Type::DATA, "", &pieces);
        assert_shrinks(&mut volume.image(), 72 * MIB);
    }
}

#[test]
fn the_first_extent_of_the_mft_in_the_tail() {
    for geometry in GEOMETRIES {
        let mut volume = half_full(geometry);
        let clusters = volume.clusters_of(0, Type::DATA, "");
        let tail = volume.clusters() - clusters - 5;
        let first = (64 * 1024 / volume.cluster_size()).clamp(1, clusters - 1);
        let front = volume.free_rows(1, clusters - first)[0];
        volume.relocate(0, Type::DATA, "", &[(tail, first), front]);
        let mut image = volume.image();
        assert_shrinks(&mut image, 72 * MIB);
        assert_mirror_is_current(&image);
    }
}

/// ntfsresize moved the first extent of the $MFT and left the old record 0 in $MFTMirr.
#[test]
fn ntfsresize_209_the_mirror_follows_a_moved_start_of_the_mft() {
    for geometry in GEOMETRIES {
        let mut volume = half_full(geometry);
        volume.move_to_tail(0, Type::DATA, "");
        let mut image = volume.image();
        shrink(&mut image, 72 * MIB).unwrap();
        assert_mirror_is_current(&image);
        volume.move_to_tail(1, Type::DATA, "");
        let mut image = volume.image();
        assert_shrinks(&mut image, 72 * MIB);
        assert_mirror_is_current(&image);
    }
}

fn assert_mirror_is_current(image: &Image) {
    let volume = Volume::open(image).unwrap();
    let geometry = volume.geometry();
    let mirror = geometry.offset_of(volume.boot().mft_mirr_lcn());
    let size = geometry.record_size as usize;
    let file = volume.file(RecordNumber::MFT_MIRR).unwrap();
    let records = file.require(Type::DATA, "").unwrap().len() / size as u64;
    assert!(records >= 4);
    for number in 0..records {
        let copy = image.read_vec(mirror + number * size as u64, size).unwrap();
        assert!(
            volume.read_raw_record(RecordNumber(number)).unwrap() == copy,
            "record {number}"
        );
    }
}

#[test]
fn the_mft_mirror_in_the_tail() {
    assert_moves_out_of_tail(1, Type::DATA, "");
}

#[test]
fn the_log_file_in_the_tail() {
    assert_moves_out_of_tail(2, Type::DATA, "");
}

#[test]
fn the_cluster_bitmap_in_the_tail() {
    assert_moves_out_of_tail(6, Type::DATA, "");
}

#[test]
fn the_bitmap_of_the_mft_in_the_tail() {
    assert_moves_out_of_tail(0, Type::BITMAP, "");
}

#[test]
fn security_descriptors_and_the_upcase_table_in_the_tail() {
    for geometry in GEOMETRIES {
        let mut volume = half_full(geometry);
        volume.move_to_tail(9, Type::DATA, "$SDS");
        volume.move_to_tail(10, Type::DATA, "");
        assert_shrinks(&mut volume.image(), 72 * MIB);
    }
}

#[test]
fn everything_of_ntfs_itself_in_the_tail_at_once() {
    for geometry in GEOMETRIES {
        let mut volume = half_full(geometry);
        for record in [0, 1, 2, 6, 10] {
            volume.move_to_tail(record, Type::DATA, "");
        }
        volume.move_to_tail(0, Type::BITMAP, "");
        volume.move_to_tail(9, Type::DATA, "$SDS");
        assert_shrinks(&mut volume.image(), 72 * MIB);
    }
}

#[test]
fn bad_clusters_before_and_behind_the_new_end() {
    for geometry in GEOMETRIES {
        let mut volume = half_full(geometry);
        let clusters = volume.clusters();
        let cluster = volume.cluster_size();
        let new_end = 72 * MIB / cluster;
        // In free space, on both sides of the new end and across it.
        let front = volume.free_rows(3, 3);
        let mut bad = vec![front[1], front[2], (new_end - 2, 4), (clusters - 9, 5)];
        bad.sort_unstable();
        volume.mark_bad(&bad);
        volume.move_to_tail(2, Type::DATA, "");
        let mut image = volume.image();
        let before = check(&image, &CheckOptions::default()).unwrap();
        assert_eq!(before.bad_clusters, 15);
        let judge = Judge::of(&image).unwrap();
        let shrink = shrink_step_by_step(&mut image, 72 * MIB, |image| judge.accept_midway(image)).unwrap();
        let is_bad = |at: u64| {
            bad.iter()
                .any(|&(lcn, count)| (lcn..lcn + count).contains(&(at / cluster)))
        };
        for one in &shrink.moves {
            for at in (0..one.length).step_by(cluster as usize) {
                assert!(
                    !is_bad(one.from + at) && !is_bad(one.to + at),
                    "{one:?} touches a bad cluster"
                );
            }
        }
        judge.accept(&image, 2048);
        let after = check(&image, &CheckOptions::default()).unwrap();
        // Six of them lie before the new end, and one across it: the volume's last cluster, as its last sector is none.
        assert_eq!(after.bad_clusters, 7);
    }
}

/// ntfsresize refuses volumes on which $Bitmap marks clusters that nothing owns. Those behind the new end are dropped.
#[test]
fn ntfsresize_204_clusters_that_nobody_owns_are_tolerated() {
    for geometry in GEOMETRIES {
        let mut volume = half_full(geometry);
        let clusters = volume.clusters();
        let front = volume.free_rows(3, 2);
        volume.leak(&[front[2], (clusters - 40, 7)]);
        volume.move_to_tail(2, Type::DATA, "");
        let mut image = volume.image();
        assert_eq!(
            check(&image, &CheckOptions::default()).unwrap().leaked_clusters,
            9
        );
        assert_shrinks(&mut image, 72 * MIB);
        assert_eq!(
            check(&image, &CheckOptions::default()).unwrap().leaked_clusters,
            2
        );
    }
}
