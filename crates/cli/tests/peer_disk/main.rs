//! Whole repairs of disks that none of our code made: with volumes by mkntfs and ntfs-3g, and with volumes by Windows.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod support;
mod windows_made;

use std::path::{Path, PathBuf};
use support::{
    assert_tools_accept, extract, files_of, hash_of, partition, range_of, report, shared, tool_ok,
};

const RECOVERY: &str = "4";

/// A disk by make-disk.sh; `None`, with a visible note, where one cannot be made.
fn make_disk(folder: &Path) -> Option<PathBuf> {
    let script = shared("peer/make-disk.sh")?;
    for tool in ["mkntfs", "ntfs-3g", "sgdisk", "losetup"] {
        tool_ok("bash", &["-c", "command -v \"$1\" || exit 0", "bash", tool]).filter(|found| {
            let found = !found.trim().is_empty();
            let required = std::env::var_os("WINREFIT_REQUIRE_ORACLES").is_some_and(|value| value == "1");
            assert!(found || !required, "{tool} is required here");
            if !found {
                eprintln!("SKIPPED: {tool} is not installed");
            }
            found
        })?;
    }
    // Neither of these can be installed.
    let can = "[ \"$(id -u)\" = 0 ] && [ -e /dev/fuse ] && losetup -f >/dev/null 2>&1 && echo yes || echo no";
    if tool_ok("bash", &["-c", can])?.trim() != "yes" {
        eprintln!("SKIPPED: making the disk takes root, loop devices and /dev/fuse");
        return None;
    }
    let disk = folder.join("disk.img");
    tool_ok("bash", &[script.to_str()?, disk.to_str()?, "300", "16"])?;
    Some(disk)
}

/// What must never change of a partition.
fn identity(disk: &str, number: &str) -> Option<Vec<String>> {
    let text = tool_ok("sgdisk", &["-i", number, disk])?;
    let keys = [
        "Partition GUID code",
        "Partition unique GUID",
        "Attribute flags",
        "Partition name",
    ];
    let lines: Vec<_> = text
        .lines()
        .filter(|line| keys.iter().any(|key| line.starts_with(key)))
        .map(str::to_owned)
        .collect();
    assert_eq!(lines.len(), keys.len(), "{text}");
    Some(lines)
}

/// The files of both volumes, after every tool has accepted the volumes.
fn volumes(disk: &Path, report: &serde_json::Value, folder: &Path) -> [Option<String>; 2] {
    [3, 4].map(|number| {
        let volume = folder.join("volume.img");
        extract(disk, range_of(partition(report, number)), &volume);
        assert_tools_accept(&volume);
        let files = files_of(&volume);
        std::fs::remove_file(&volume).unwrap();
        files
    })
}

#[test]
fn a_disk_by_other_tools_is_repaired_and_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let Some(image) = make_disk(folder.path()) else {
        return;
    };
    let disk = image.to_str().unwrap();
    let before = report(3, &["diagnose", disk]);
    assert_eq!(before["verdict"], "needs-repair");
    let findings = before["findings"].as_array().unwrap();
    assert!(
        findings.iter().any(|finding| finding["code"] == "re-too-small"),
        "{findings:#?}"
    );
    let refused = report(4, &["plan", disk]);
    assert_eq!(refused["refusal"]["code"], "no-windows-reference");
    let old_hash = hash_of(&image);
    let old_identity = identity(disk, RECOVERY);
    let old_files = volumes(&image, &before, folder.path());

    let planned = report(3, &["plan", disk, "--recovery-partition", RECOVERY]);
    assert_eq!(hash_of(&image), old_hash, "plan has written");
    let fixed = report(0, &["fix", disk, "--yes", "--recovery-partition", RECOVERY]);
    assert_eq!(fixed["verdict"], "repaired");
    assert_eq!(fixed["plan"]["strategy"], "shrink+grow-front");
    assert_eq!(fixed["plan"]["changes"], planned["plan"]["changes"]);
    assert!(fixed["plan"]["bytes_written"].as_u64().unwrap() < 2 << 20);
    let (old, new) = (range_of(partition(&before, 4)), range_of(partition(&fixed, 4)));
    assert_eq!(new.end, old.end);
    assert!(new.end - new.start >= 1000 << 20, "{new:?}");
    assert_eq!(range_of(partition(&fixed, 3)).end, new.start);
    assert!(fixed["recovery"]["free_bytes"].as_u64().unwrap() >= 302 << 20);

    if let Some(text) = tool_ok("sgdisk", &["-v", disk]) {
        assert!(text.contains("No problems found"), "{text}");
    }
    assert_eq!(identity(disk, RECOVERY), old_identity);
    assert_eq!(volumes(&image, &fixed, folder.path()), old_files);
    let checked = report(0, &["check", disk]);
    assert_eq!(checked["checks"].as_array().unwrap().len(), 2);

    let new_hash = hash_of(&image);
    assert_ne!(new_hash, old_hash);
    let again = report(0, &["fix", disk, "--yes", "--recovery-partition", RECOVERY]);
    assert_eq!(
        (&again["verdict"], &again["plan"]["strategy"]),
        (&"healthy".into(), &"keep".into())
    );
    assert_eq!(
        hash_of(&image),
        new_hash,
        "nothing to do, and yet something was written"
    );

    let undone = report(0, &["undo", disk, "--yes"]);
    assert_eq!(undone["verdict"], "undone");
    assert_eq!(
        hash_of(&image),
        old_hash,
        "undo does not give back the old disk bit for bit"
    );
}
