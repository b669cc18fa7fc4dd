//! Thousands of renamings at random in one directory: whatever splits, empties and grows there, the volume stays sound.

#![allow(clippy::unwrap_used)]

mod common;

use common::renaming::{Renamer, assert_clean, listing};
use winrefit_disk::{MemoryDevice, SectorSize};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};

/// A volume of our own writer with `count` files in `\dir` and another directory beside it.
fn volume(options: FormatOptions, count: usize) -> MemoryDevice {
    let sector_size = SectorSize::from_bytes(options.sector_size.into()).unwrap();
    let bytes = options.partition_sectors as usize * options.sector_size as usize;
    let mut device = MemoryDevice::zeroed(bytes, sector_size);
    let mut builder = VolumeBuilder::new(options).unwrap();
    builder.add_file("beside/x", 0, FileData::Bytes(vec![1])).unwrap();
    for index in 0..count {
        let content = FileData::Bytes(index.to_string().into_bytes());
        builder
            .add_file(&format!("dir/file number {index:05}"), 0x20, content)
            .unwrap();
    }
    builder.write_to(&mut device).unwrap();
    device
}

/// Renames `steps` times; looks at the whole volume every `every` times.
fn run(options: FormatOptions, count: usize, (steps, every): (usize, usize), seed: u64) {
    let mut device = volume(options, count);
    let mut renamer = Renamer::new(&device, "dir", seed);
    assert_eq!(renamer.names.len(), count);
    let mut done = 0;
    for step in 1..=steps {
        done += usize::from(renamer.step(&mut device));
        if step % every == 0 {
            assert_clean(&device, &format!("seed {seed}, step {step}"));
            renamer.assert_listed(&device);
        }
    }
    assert_clean(&device, "at the end");
    renamer.assert_listed(&device);
    assert!(done * 10 >= steps * 8, "{done} of {steps} were done");
    assert_eq!(listing(&device, "beside").0.len(), 1);
}

const MIB: u64 = 1 << 20;

#[test]
fn a_few_names_in_the_root() {
    for seed in 0..30 {
        run(
            FormatOptions::new(8 * MIB / 512),
            1 + seed as usize % 6,
            (60, 1),
            seed,
        );
    }
}

#[test]
fn fifty_names() {
    for seed in 100..104 {
        run(FormatOptions::new(8 * MIB / 512), 50, (400, 1), seed);
    }
}

#[test]
fn a_thousand_names() {
    run(FormatOptions::new(16 * MIB / 512), 1000, (4000, 50), 7);
}

#[test]
fn twenty_thousand_names() {
    run(FormatOptions::new(96 * MIB / 512), 20_000, (300, 50), 8);
}

/// Index blocks of several clusters, and of a part of one.
#[test]
fn other_clusters_sectors_and_records() {
    for cluster_size in [512, 1024, 2048, 8192, 65536] {
        let options = FormatOptions {
            cluster_size,
            ..FormatOptions::new(24 * MIB / 512)
        };
        run(options, 200, (600, 10), u64::from(cluster_size));
    }
    run(FormatOptions::new_4kn(32 * MIB / 4096), 200, (600, 10), 4);
    run(FormatOptions::new_4kn(32 * MIB / 4096), 3, (200, 1), 5);
}
