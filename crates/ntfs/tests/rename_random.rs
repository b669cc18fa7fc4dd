//! Thousands of renamings at random in one directory: whatever splits, empties and grows there, the volume stays sound.

#![allow(clippy::unwrap_used)]

mod common;

use common::renaming::{Renamer, apply, assert_clean, listing};
use winrefit_disk::{Device, MemoryDevice, SectorSize};
use winrefit_ntfs::check::{CheckOptions, ProblemCode, check};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_ntfs::index::{ROOT_HEADER, entries};
use winrefit_ntfs::rename::RenameError;
use winrefit_ntfs::{AttributeType, RecordNumber, Volume, fixup};

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
fn run(options: FormatOptions, count: usize, steps: (usize, usize), seed: u64) {
    let mut device = volume(options, count);
    let renamer = Renamer::new(&device, "dir", seed);
    assert_eq!(renamer.names.len(), count);
    run_on(&mut device, renamer, steps, seed);
    assert_eq!(listing(&device, "beside").0.len(), 1);
}

fn run_on(device: &mut MemoryDevice, mut renamer: Renamer, (steps, every): (usize, usize), seed: u64) {
    let mut done = 0;
    for step in 1..=steps {
        done += usize::from(renamer.step(device));
        if step % every == 0 {
            assert_clean(&*device, &format!("seed {seed}, step {step}"));
            renamer.assert_listed(&*device);
        }
    }
    assert_clean(&*device, "at the end");
    renamer.assert_listed(&*device);
    assert!(done * 10 >= steps * 8, "{done} of {steps} were done");
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

/// A block has room for six of the longest names: keys are taken from full neighbours, and merged into others.
#[test]
fn long_names() {
    for (count, seed) in [(12, 20), (60, 21), (300, 22), (1500, 23)] {
        let mut device = volume(FormatOptions::new(24 * MIB / 512), count);
        let renamer = Renamer::new(&device, "dir", seed).with_long_names();
        run_on(&mut device, renamer, (1500, 10), seed);
    }
}

/// Every other cluster is taken, so that each new block is a run of its own. Once the root has a key something else fills
/// the record: for the next run the root has to give way, and in the end there is no room for more. What is taken belongs to nobody, which the checker may say.
#[test]
fn blocks_in_many_runs() {
    for (count, length) in [(700, 30), (700, 100), (700, 230)] {
        many_runs(count, length);
    }
}

fn many_runs(count: usize, length: usize) {
    let mut device = volume(FormatOptions::new(32 * MIB / 512), count);
    take_every_other_cluster(&mut device);
    let before = runs_of(&device);
    let (mut refused, mut is_filled) = (0, false);
    for index in 0..count {
        let old = format!("file number {index:05}");
        let new = format!("{index:05}{}", "m".repeat(length + index * 7 % 10));
        match apply(&mut device, "dir", &old, &new) {
            Ok(_) => {}
            Err(RenameError::DirectoryFull { .. }) => refused += 1,
            Err(error) => panic!("{old} -> {new}: {error}"),
        }
        if root_items(&device) > 0 && !is_filled {
            fill_record(&mut device);
            is_filled = true;
        }
        if index % 250 == 0 {
            let report = check(&device, &CheckOptions::default()).unwrap();
            let leaked = report.count(ProblemCode::ClusterLeaked);
            assert!(report.problems_total == leaked, "{:#?}", report.problems);
        }
    }
    let report = check(&device, &CheckOptions::default()).unwrap();
    assert_eq!(report.problems_total, report.count(ProblemCode::ClusterLeaked));
    let runs = runs_of(&device);
    assert!(before < 5 && runs > 10, "{runs} runs");
    assert!(is_filled && root_items(&device) == 0);
    assert!(refused < count, "{refused} refused at {runs} runs");
    assert_eq!(listing(&device, "dir").0.len(), count);
}

fn runs_of(device: &MemoryDevice) -> usize {
    let volume = Volume::open(device).unwrap();
    let file = volume.lookup("dir").unwrap().unwrap();
    let stream = file.require(AttributeType::INDEX_ALLOCATION, "$I30").unwrap();
    stream.runs().unwrap().0.len()
}

fn take_every_other_cluster(device: &mut MemoryDevice) {
    let volume = Volume::open(&*device).unwrap();
    let bitmap = volume.file(RecordNumber::BITMAP).unwrap();
    let stream = bitmap.require(AttributeType::DATA, "").unwrap();
    let bytes = volume.read_stream(stream.clone(), 1 << 20).unwrap();
    let run = stream.runs().unwrap().0[0];
    let place = volume.geometry().offset_of(run.lcn.unwrap());
    let marked: Vec<u8> = bytes.iter().map(|byte| byte | 0xAA).collect();
    device.write_at(place, &marked).unwrap();
}

/// Keys in the root.
fn root_items(device: &MemoryDevice) -> usize {
    let volume = Volume::open(device).unwrap();
    let file = volume.lookup("dir").unwrap().unwrap();
    let root = file.require(AttributeType::INDEX_ROOT, "$I30").unwrap();
    let root = volume.read_stream(root, 1024).unwrap();
    entries(&root, ROOT_HEADER, file.number(), None).unwrap().len() - 1
}

/// Adds an attribute to the record of the directory that leaves no byte free.
fn fill_record(device: &mut MemoryDevice) {
    let volume = Volume::open(&*device).unwrap();
    let number = volume.lookup("dir").unwrap().unwrap().number();
    let run = volume.mft_runs().0[0];
    let place = volume.geometry().offset_of(run.lcn.unwrap()) + number.0 * 1024;
    let mut record = volume.read_record(number).unwrap();
    let (used, id) = (record.bytes_used(), record.next_attribute_id());
    let bytes = record.bytes_mut();
    let length = bytes.len() - used;
    assert!(length >= 0x18);
    let end = bytes[used - 8..used].to_vec();
    let mut filler = vec![0; length];
    filler[..4].copy_from_slice(&AttributeType::LOGGED_UTILITY_STREAM.0.to_le_bytes());
    filler[4..8].copy_from_slice(&(length as u32).to_le_bytes());
    filler[0x0E..0x10].copy_from_slice(&id.to_le_bytes());
    filler[0x10..0x14].copy_from_slice(&(length as u32 - 0x18).to_le_bytes());
    filler[0x14] = 0x18;
    bytes[used - 8..used - 8 + length].copy_from_slice(&filler);
    bytes[1016..].copy_from_slice(&end);
    bytes[0x18..0x1C].copy_from_slice(&1024u32.to_le_bytes());
    bytes[0x28..0x2A].copy_from_slice(&(id + 1).to_le_bytes());
    let mut bytes = bytes.to_vec();
    fixup::protect(&mut bytes, 9);
    device.write_at(place, &bytes).unwrap();
}
