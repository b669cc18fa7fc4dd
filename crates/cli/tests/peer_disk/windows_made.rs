//! Volumes that Windows formatted and wrote to, as recovery partitions on disks partitioned by sgdisk. They are only
//! some megabytes, so what is wished for is small too.

use super::support::{
    assert_tools_accept, extract, files_of, hash_of, insert, partition, range_of, report, shared, tool_ok,
};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const MIB: u64 = 1 << 20;
const DISK_BYTES: u64 = 1200 * MIB;
/// Where a donor begins, and how long it is.
const DONOR: std::ops::Range<u64> = MIB..641 * MIB;

/// What is wished for.
const WISH: [&str; 7] = [
    "--yes",
    "--recovery-partition",
    "2",
    "--size",
    "300MiB",
    "--free",
    "260MiB",
];

/// What lies before the recovery partition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// An NTFS volume by mkntfs.
    Donor,
    /// 640 MiB that no partition covers.
    Gap,
}

/// Whether there is unallocated space behind the recovery partition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    /// Up to the end of the disk.
    Gap,
    /// A basic data partition begins right there.
    Partition,
}

/// The volume of the Windows 10 fixture: 4 KiB clusters, 6016 sectors.
fn windows_10() -> Option<Vec<u8>> {
    let vhd = unpacked("fixtures/ntfs/win10-ntfs-fixed-4MiB-mbr.vhd.xz")?;
    Some(vhd[128 * 512..][..6016 * 512].to_vec())
}

/// The volume with 512-byte clusters. Its journal has not been replayed.
fn tiny() -> Option<Vec<u8>> {
    unpacked("fixtures/ntfs/win-tiny-512cluster-7MiB.dd.xz")
}

fn unpacked(name: &str) -> Option<Vec<u8>> {
    let path = shared(name)?;
    let output = Command::new("xz").arg("-dkc").arg(path).output();
    let Ok(output) = output else {
        tool_ok("xz", &["--version"])?;
        return None;
    };
    assert!(output.status.success());
    Some(output.stdout)
}

/// Overwrites the journal the way formatters leave it.
fn with_empty_log(mut volume: Vec<u8>) -> Vec<u8> {
    use winrefit_ntfs::{AttributeType, RecordNumber, Volume};
    let opened = Volume::open(volume.as_slice()).unwrap();
    let log = opened.file(RecordNumber(2)).unwrap();
    let stream = log.require(AttributeType::DATA, "").unwrap();
    let cluster = u64::from(opened.geometry().cluster_size);
    let runs: Vec<_> = stream
        .runs()
        .unwrap()
        .0
        .iter()
        .map(|run| (run.lcn.unwrap().0 * cluster, run.clusters * cluster))
        .collect();
    for (start, length) in runs {
        volume[start as usize..][..length as usize].fill(0xFF);
    }
    volume
}

/// Makes the disk; the recovery partition is number 2. `None` where a tool is missing.
fn disk(folder: &Path, volume: &[u8], before: Before, behind: Behind) -> Option<PathBuf> {
    let image = folder.join("disk.img");
    let _ = std::fs::remove_file(&image);
    std::fs::File::create(&image)
        .unwrap()
        .set_len(DISK_BYTES)
        .unwrap();
    let (start, sectors) = (DONOR.end / 512, volume.len() as u64 / 512);
    let recovery = format!("-n=2:{start}:{}", start + sectors - 1);
    let mut arguments = vec!["-a1", "-o", &recovery, "-t=2:2700", "-A=2:set:0", "-A=2:set:63"];
    let donor = format!("-n=1:{}:{}", DONOR.start / 512, DONOR.end / 512 - 1);
    if before == Before::Donor {
        arguments.extend([&donor, "-t=1:0700"]);
    }
    let right = format!("-n=3:{}:{}", start + sectors, start + sectors + 2047);
    if behind == Behind::Partition {
        arguments.extend([&right, "-t=3:0700"]);
    }
    arguments.push(image.to_str().unwrap());
    tool_ok("sgdisk", &arguments)?;
    if before == Before::Donor {
        let made = folder.join("donor.img");
        std::fs::File::create(&made)
            .unwrap()
            .set_len(DONOR.end - DONOR.start)
            .unwrap();
        let path = made.to_str().unwrap();
        tool_ok(
            "mkntfs",
            &["-F", "-Q", "-p", "2048", "-H", "255", "-S", "63", path],
        )?;
        insert(&image, DONOR.start, &std::fs::read(&made).unwrap());
    }
    insert(&image, DONOR.end, volume);
    Some(image)
}

/// Asks for room, and demands `strategy`, files that are the same, tools that accept the result, and a way back.
fn repair(volume: &[u8], before: Before, behind: Behind, strategy: &str) {
    let folder = tempfile::tempdir().unwrap();
    let Some(image) = disk(folder.path(), volume, before, behind) else {
        return;
    };
    let path = image.to_str().unwrap();
    let old_hash = hash_of(&image);
    let old = folder.path().join("old.img");
    std::fs::write(&old, volume).unwrap();
    let arguments = [&["fix", path], &WISH[..]].concat();
    let fixed = report(0, &arguments);
    assert_eq!(
        (&fixed["verdict"], &fixed["plan"]["strategy"]),
        (&"repaired".into(), &strategy.into())
    );
    let grown = range_of(partition(&fixed, 2));
    assert!(grown.end - grown.start > volume.len() as u64, "{grown:?}");
    if let Some(text) = tool_ok("sgdisk", &["-v", path]) {
        assert!(text.contains("No problems found"), "{text}");
    }
    let new = folder.path().join("new.img");
    extract(&image, grown, &new);
    assert_tools_accept(&new);
    assert_eq!(files_of(&new), files_of(&old));
    if before == Before::Donor {
        extract(&image, range_of(partition(&fixed, 1)), &new);
        assert_tools_accept(&new);
    }
    report(0, &["check", path]);
    let again = report(0, &arguments);
    assert_eq!(again["plan"]["strategy"], "keep");
    report(0, &["undo", path, "--yes"]);
    assert_eq!(
        hash_of(&image),
        old_hash,
        "undo does not give back the old disk bit for bit"
    );
}

#[test]
fn the_volume_of_windows_10_takes_space_from_the_volume_before_it() {
    let Some(volume) = windows_10() else { return };
    repair(&volume, Before::Donor, Behind::Partition, "shrink+grow-front");
}

#[test]
fn the_volume_of_windows_10_grows_into_a_gap_before_it() {
    let Some(volume) = windows_10() else { return };
    repair(&volume, Before::Gap, Behind::Partition, "grow-front");
}

#[test]
fn the_volume_of_windows_10_grows_into_a_gap_behind_it() {
    let Some(volume) = windows_10() else { return };
    repair(&volume, Before::Donor, Behind::Gap, "grow-end");
}

#[test]
fn a_volume_whose_journal_is_not_clean_is_refused() {
    let Some(volume) = tiny() else { return };
    let folder = tempfile::tempdir().unwrap();
    let Some(image) = disk(folder.path(), &volume, Before::Donor, Behind::Partition) else {
        return;
    };
    let before = hash_of(&image);
    let arguments = [&["fix", image.to_str().unwrap()], &WISH[..]].concat();
    let refused: Value = report(4, &arguments);
    assert_eq!(refused["refusal"]["code"], "unclean-log");
    assert_eq!(hash_of(&image), before, "refused, and yet something was written");
}

#[test]
fn a_volume_with_clusters_of_512_bytes_grows_either_way() {
    let Some(volume) = tiny().map(with_empty_log) else {
        return;
    };
    repair(&volume, Before::Donor, Behind::Partition, "shrink+grow-front");
    repair(&volume, Before::Gap, Behind::Partition, "grow-front");
    repair(&volume, Before::Gap, Behind::Gap, "grow-end");
}
