//! Repaired disks that are used: files that get their content in chosen clusters.

use super::mount::{assert_judged_sound, while_mounted};
use super::{Layout, MIB, RECOVERY, WINDOWS, partition_range, target};
use std::fs;
use winrefit_disk::{Event, MemoryDevice, ReadWindow, Recording};
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::check::{CheckOptions, check};
use winrefit_ntfs::{AttributeType, Lcn, Volume};
use winrefit_repair::commands::fix;
use winrefit_repair::plan::Request;
use winrefit_repair::report::Verdict;

pub fn repaired(old: &MemoryDevice, request: &Request) -> (MemoryDevice, Vec<Event>) {
    let mut subject = target(Recording::new(old.clone()));
    let report = fix(&mut subject, request, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    subject.device.into_parts()
}

pub fn assert_sound(disk: &MemoryDevice) {
    for number in [WINDOWS, RECOVERY] {
        let range = partition_range(disk, number);
        let report = check(ReadWindow::new(disk, range).unwrap(), &CheckOptions::default()).unwrap();
        assert!(report.is_consistent(), "{number}: {:?}", report.problems);
        assert_judged_sound(disk, number);
    }
}

/// Runs of a file's data as bytes of the volume.
pub fn place(disk: &MemoryDevice, number: u32, path: &str) -> Vec<(u64, u64)> {
    let range = partition_range(disk, number);
    let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap();
    let file = volume.lookup(path).unwrap().unwrap();
    let stream = file.require(AttributeType::DATA, "").unwrap();
    let cluster = u64::from(volume.geometry().cluster_size);
    let runs = &stream.runs().unwrap().0;
    let run = |run: &winrefit_ntfs::runs::Run| (run.lcn.unwrap().0 * cluster, run.clusters * cluster);
    runs.iter().map(run).collect()
}

pub const SLOTS: u32 = 60;

/// Empty files to be filled later, so that neither a directory nor the $MFT has to grow then. The root directory is one of
/// the things that a repair changes, and it knows the dates of what is in it: they lie deeper.
pub fn slot(number: u32, index: u32) -> String {
    let folder = if number == WINDOWS {
        "Users/someone"
    } else {
        "Recovery/WindowsRE"
    };
    format!("{folder}/slots/new{index:03}.bin")
}

/// A disk whose volumes both have such files; `None` where it cannot be made.
pub fn with_slots(layout: &Layout) -> Option<MemoryDevice> {
    let mut disk = layout.build();
    for number in [WINDOWS, RECOVERY] {
        while_mounted(&mut disk, number, |at| {
            fs::create_dir(at.join(slot(number, 0)).parent().unwrap()).unwrap();
            (0..SLOTS).for_each(|index| fs::write(at.join(slot(number, index)), b"").unwrap());
        })?;
    }
    Some(disk)
}

/// Puts a MiB into those of the slots that get their place wholly between two bytes of the volume. What stays free is as it
/// was.
pub fn keep_slots_within(disk: &mut MemoryDevice, number: u32, bytes: (u64, u64)) -> Vec<String> {
    let before = disk.clone();
    let kept = fill_slots_within(disk, number, bytes);
    let range = partition_range(disk, number);
    let volume = Volume::open(ReadWindow::new(&before, range).unwrap()).unwrap();
    let geometry = volume.geometry();
    let now = Volume::open(ReadWindow::new(&*disk, range).unwrap()).unwrap();
    let bitmap = ClusterBitmap::read(&now).unwrap();
    drop(now);
    for run in bitmap.free_runs(Lcn(geometry.clusters())) {
        let start = (range.start + geometry.offset_of(run.lcn.unwrap())) as usize;
        let end = start + (run.clusters * u64::from(geometry.cluster_size)) as usize;
        disk.bytes_mut()[start..end].copy_from_slice(&before.bytes()[start..end]);
    }
    kept
}

/// The same, but what stays free was written to in between.
pub fn fill_slots_within(disk: &mut MemoryDevice, number: u32, bytes: (u64, u64)) -> Vec<String> {
    let path = |index: u32| slot(number, index).replace('/', "\\");
    let filled = while_mounted(disk, number, |at| {
        let fill =
            |&index: &u32| fs::write(at.join(slot(number, index)), vec![index as u8 | 1; MIB as usize]);
        (0..SLOTS).take_while(|index| fill(index).is_ok()).count() as u32
    });
    let is_within = |index: &u32| {
        let runs = place(disk, number, &path(*index));
        runs.iter()
            .all(|&(start, length)| bytes.0 <= start && start + length <= bytes.1)
    };
    let (kept, mut gone): (Vec<u32>, Vec<u32>) = (0..filled.unwrap()).partition(is_within);
    gone.push(filled.unwrap());
    while_mounted(disk, number, |at| {
        for index in gone {
            fs::write(at.join(slot(number, index)), b"").unwrap();
        }
    });
    assert!(!kept.is_empty(), "no slot lies there");
    kept.into_iter().map(path).collect()
}
