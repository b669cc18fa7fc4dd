//! Shrinks that cut through files whose records, lists or indexes are hard to keep.
//!
//! Shadow copies keep absolute offsets of the volume, which no mover of clusters can repair; they are refused, which is
//! tested where the refusal is.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use common::image::mkntfs;
use common::judge::Judge;
use common::mount::{Access, Mounted};
use common::random::Spec;
use common::resized::{room_and_need, shrink};
use common::scatter::Scatter;
use common::tail::{Geometry, MIB, assert_shrinks, builder, written};
use common::tree::noise;
use std::io::Write;
use std::path::Path;
use winrefit_ntfs::format::{FileData, VolumeBuilder};
use winrefit_ntfs::{AttributeType as Type, RecordNumber};

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
    shrink(&mut image, first * 4096 + 5 * MIB).unwrap();
    judge.accept(&image, 2048);
}

/// Files called `single/N` of so many clusters each.
fn singles(builder: &mut VolumeBuilder, geometry: Geometry, count: usize, clusters: u32) {
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
