//! Shrinks that cut through each kind of thing that can lie in the tail of a volume.
//!
//! Where no tool puts a thing there, `common/scatter.rs` does. Shadow copies keep absolute offsets of the volume, which
//! no mover of clusters can repair; they are refused, which is tested where the refusal is.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use common::image::{Image, mkntfs};
use common::judge::Judge;
use common::mount::{Access, Mounted};
use common::random::Spec;
use common::resized::{self, grow_at_end, room_and_need, shrink_step_by_step};
use common::scatter::{Extent, Scatter};
use common::tree::{mixed, noise};
use std::io::Write;
use std::path::Path;
use winrefit_disk::{Device, ReadAt};
use winrefit_ntfs::check::{CheckOptions, check};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_ntfs::resize::ResizeError;
use winrefit_ntfs::{AttributeType as Type, RecordNumber, Volume};

const MIB: u64 = 1 << 20;
/// Sector, cluster and record size.
const GEOMETRIES: [(u32, u32, u32); 5] = [
    (512, 512, 1024),
    (512, 4096, 1024),
    (512, 4096, 4096),
    (512, 65536, 1024),
    (4096, 4096, 4096),
];

fn builder(bytes: u64, (sector_size, cluster_size, record_size): (u32, u32, u32)) -> VolumeBuilder {
    let options = FormatOptions {
        sector_size,
        cluster_size,
        record_size,
        hidden_sectors: 2048,
        ..FormatOptions::new(bytes / u64::from(sector_size))
    };
    VolumeBuilder::new(options).unwrap()
}

fn written(builder: VolumeBuilder, bytes: u64) -> Image {
    let mut image = Image::new(bytes, builder.geometry().sector_size);
    builder.write_to(&mut image).unwrap();
    image
}

/// A volume of 96 MiB with files of many sizes, whose second half is free.
fn half_full(geometry: (u32, u32, u32)) -> Scatter {
    let mut builder = builder(96 * MIB, geometry);
    common::tree::add(&mut builder, &mixed());
    Scatter::of(&written(builder, 96 * MIB))
}

/// Judges the volume, shrinks it to `bytes`, looking at every step, judges it, grows it back and judges it again.
fn assert_shrinks(image: &mut Image, bytes: u64) {
    let judge = Judge::of(image).unwrap();
    let (room, need) = room_and_need(image, bytes);
    assert!(need > 0, "nothing lies in the tail");
    let before = image.size();
    let shrink = shrink_step_by_step(image, bytes, |image| judge.accept_midway(image))
        .unwrap_or_else(|error| panic!("{error} ({error:?}); {room} clusters are free for {need}"));
    assert!(shrink.bytes_to_move() > 0);
    judge.accept(image, 2048);
    grow_at_end(image, before).unwrap();
    judge.accept(image, 2048);
}

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
        let clusters: u64 = volume
            .extents(0, Type::DATA, "")
            .iter()
            .map(|run| run.clusters)
            .sum();
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
        let clusters: u64 = volume
            .extents(0, Type::DATA, "")
            .iter()
            .map(|run| run.clusters)
            .sum();
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
        resized::shrink(&mut image, 72 * MIB).unwrap();
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
fn a_directory_of_100_000_entries_whose_index_is_in_the_tail() {
    let bytes = 320 * MIB;
    let mut builder = builder(bytes, (512, 4096, 1024));
    for index in 0..100_000 {
        let path = format!("many/{index} {}n", "n".repeat(index % 40));
        builder
            .add_file(&path, 0x20, FileData::Bytes(Vec::new()))
            .unwrap();
    }
    let mut volume = Scatter::of(&written(builder, bytes));
    let directory = volume.record_of("many");
    volume.move_to_tail(directory, Type::INDEX_ALLOCATION, "$I30");
    let mut image = volume.image();
    let judge = Judge::of(&image).unwrap();
    let first = volume.extents(directory, Type::INDEX_ALLOCATION, "$I30")[0]
        .lcn
        .unwrap()
        .0;
    // Through the midst of it.
    resized::shrink(&mut image, first * 4096 + 5 * MIB).unwrap();
    judge.accept(&image, 2048);
}

/// Files called `single/N` of so many clusters each.
fn singles(builder: &mut VolumeBuilder, geometry: (u32, u32, u32), count: usize, clusters: u32) {
    for index in 0..count {
        let data = FileData::Bytes(noise(index as u64, (clusters * geometry.1) as usize));
        builder
            .add_file(&format!("single/{index:06}"), 0x20, data)
            .unwrap();
    }
}

fn remove_singles(root: &Path, numbers: impl Iterator<Item = usize>) {
    for number in numbers {
        std::fs::remove_file(root.join(format!("single/{number:06}"))).unwrap();
    }
}

/// A volume of 64 MiB that has holes of one cluster each up to its last file; and where that ends.
fn holes(geometry: (u32, u32, u32)) -> Option<(Scatter, u64)> {
    let mut builder = builder(64 * MIB, geometry);
    singles(&mut builder, geometry, 3000, 1);
    let image = written(builder, 64 * MIB);
    let end = Scatter::of(&image).end_of_used();
    let mounted = Mounted::new(&image, Access::Everything)?;
    // ntfs-3g does not use the first 64 file records again.
    remove_singles(mounted.root(), (40..3000).step_by(2));
    drop(mounted);
    Some((Scatter::of(&image), end))
}

/// Mounts the volume and lets `change` work on it.
fn with_mount(volume: &mut Scatter, change: impl FnOnce(&Path)) {
    let image = volume.image();
    let mounted = Mounted::new(&image, Access::Everything).unwrap();
    change(mounted.root());
    drop(mounted);
    *volume = Scatter::of(&image);
}

#[test]
fn a_file_of_more_than_5000_runs_in_the_tail() {
    let geometry = (512, 512, 1024);
    let mut builder = builder(64 * MIB, geometry);
    singles(&mut builder, geometry, 11_000, 2);
    let Some(mut volume) = mkntfs(4 * MIB, 512, 512).map(|_| Scatter::of(&written(builder, 64 * MIB))) else {
        return;
    };
    let end = volume.end_of_used();
    with_mount(&mut volume, |root| {
        // All that is free is hidden while the file is written, so that it takes every hole.
        let mut rest = std::fs::File::create(root.join("rest")).unwrap();
        while rest.write_all(&[1; 4096]).is_ok() {}
        drop(rest);
        remove_singles(root, (40..11_000).step_by(2));
        let mut runs = std::fs::File::create(root.join("runs")).unwrap();
        for index in 0..5200 {
            runs.write_all(&noise(index, 1024)).unwrap();
        }
        drop(runs);
        std::fs::remove_file(root.join("rest")).unwrap();
    });
    let record = volume.record_of("runs");
    let runs = volume.extents(record, Type::DATA, "");
    assert!(runs.len() > 5000, "{} runs", runs.len());
    let middle = runs[runs.len() / 2].lcn.unwrap().0;
    drop(runs);
    // Free space in one piece before the new end: what `rest` had cannot serve, so delete a part of the singles.
    with_mount(&mut volume, |root| remove_singles(root, (1..5000).step_by(2)));
    let image = volume.image();
    let shortest = (middle..end).find(|end| {
        let (room, need) = room_and_need(&image, end * 512 + 512);
        need > 0 && room > need + need / 10 + 2000
    });
    assert_shrinks(&mut volume.image(), shortest.unwrap() * 512 + 512);
}

/// A file of one run goes into holes of one cluster each: its run list outgrows its record.
#[test]
fn a_record_whose_run_list_outgrows_it() {
    for record_size in [1024, 4096] {
        let Some((mut volume, end)) = holes((512, 4096, record_size)) else {
            return;
        };
        with_mount(&mut volume, |root| {
            std::fs::write(root.join("whole"), noise(6, 1200 * 4096)).unwrap();
            // The record has little room left.
            for index in 0..2 {
                std::fs::write(root.join(format!("whole:stream {index}")), noise(index, 150)).unwrap();
            }
        });
        volume.move_to_tail(volume.record_of("whole"), Type::DATA, "");
        assert_shrinks(&mut volume.image(), end * 4096 + 512);
    }
}

/// The same where the $MFT has no free record left for what the record cannot hold.
#[test]
fn a_run_list_that_outgrows_its_record_where_the_mft_has_no_free_one() {
    let Some((mut volume, end)) = holes((512, 4096, 1024)) else {
        return;
    };
    with_mount(&mut volume, |root| {
        std::fs::write(root.join("whole"), noise(6, 1200 * 4096)).unwrap()
    });
    volume.move_to_tail(volume.record_of("whole"), Type::DATA, "");
    use_every_record(&mut volume);
    assert_shrinks(&mut volume.image(), end * 4096 + 512);
}

/// ntfsresize said "No free mft record for $MFT" after it had moved data: the $MFT's own run list outgrows record 0.
#[test]
fn ntfsresize_142_the_mft_itself_gets_into_pieces_without_a_free_record() {
    let Some((mut volume, end)) = holes((512, 4096, 1024)) else {
        return;
    };
    use_every_record(&mut volume);
    let clusters: u64 = volume
        .extents(0, Type::DATA, "")
        .iter()
        .map(|run| run.clusters)
        .sum();
    let first = 16;
    let head = volume.free_before(volume.clusters() - clusters - 10, first);
    let tail = volume.clusters() - clusters - 5;
    volume.relocate(0, Type::DATA, "", &[(head, first), (tail, clusters - first)]);
    let mut image = volume.image();
    let judge = Judge::of(&image).unwrap();
    // Single clusters are all there is before the new end, but for the head of the $MFT.
    match resized::shrink(&mut image, (end.max(head + first)) * 4096 + 512) {
        Ok(_) => judge.accept(&image, 2048),
        Err(ResizeError::Ntfs(error)) => panic!("{error}"),
        Err(error) => panic!(
            "refused, with {:?} free for it: {error}",
            room_and_need(&image, end * 4096 + 512)
        ),
    }
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

#[test]
fn compressed_and_sparse_files_in_the_tail() {
    for cluster_log in [9, 12] {
        let spec = Spec {
            ours: false,
            sectors: 131_072,
            cluster_log,
            large_sectors: false,
            large_records: false,
            fill_percent: 40,
            aged: false,
            features: 0b11,
            seed: 11,
        };
        let Some(image) = spec.build() else { return };
        let mut volume = Scatter::of(&image);
        let mut moved = 0;
        for path in [
            "packed/0", "packed/1", "packed/2", "packed/3", "packed/4", "packed/5", "sparse",
        ] {
            let record = volume.record_of(path);
            let file = volume.volume().file(RecordNumber(record)).unwrap();
            let data = file.base().find(Type::DATA, "").unwrap();
            // Those whose runs need more records than one stay where they are.
            if data.is_some_and(|data| data.is_non_resident()) && file.records().len() == 1 {
                volume.move_to_tail(record, Type::DATA, "");
                moved += 1;
            }
        }
        assert!(moved >= 2, "{moved} files in the tail");
        assert_shrinks(&mut volume.image(), 52 * MIB);
    }
}

#[test]
fn named_streams_and_attribute_lists_in_the_tail() {
    let Some(image) = mkntfs(64 * MIB, 512, 4096) else {
        return;
    };
    let mut volume = Scatter::of(&image);
    with_mount(&mut volume, |root| {
        std::fs::create_dir(root.join("deep")).unwrap();
        let journal = root.join("deep/UsnJrnl");
        std::fs::write(&journal, b"").unwrap();
        std::fs::write(root.join("deep/UsnJrnl:$Max"), noise(1, 32)).unwrap();
        // Sparse at its start, as the change journal is.
        let stream = std::fs::File::create(root.join("deep/UsnJrnl:$J")).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&stream, &noise(2, 300_000), 5 * MIB).unwrap();
        std::fs::write(root.join("listed"), noise(3, 9000)).unwrap();
        for index in 0..150 {
            let link = root.join(format!("{index}{}", "n".repeat(200)));
            std::fs::hard_link(root.join("listed"), link).unwrap();
        }
    });
    let (journal, listed) = (volume.record_of("deep/UsnJrnl"), volume.record_of("listed"));
    volume.move_to_tail(journal, Type::DATA, "$J");
    volume.move_to_tail(listed, Type::ATTRIBUTE_LIST, "");
    volume.move_to_tail(5, Type::INDEX_ALLOCATION, "$I30");
    assert_shrinks(&mut volume.image(), 60 * MIB);
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
