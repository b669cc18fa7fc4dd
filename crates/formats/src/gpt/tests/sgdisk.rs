//! `sgdisk` as an independent judge, in both directions.

use super::*;
use std::path::Path;
use std::process::Command;

fn sgdisk(path: &Path, args: &[&str]) -> Option<String> {
    let Ok(output) = Command::new("sgdisk").args(args).arg(path).output() else {
        eprintln!("SKIPPED: sgdisk is not installed");
        return None;
    };
    assert!(output.status.success(), "sgdisk {args:?}: {output:?}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Has sgdisk check a disk, and gives the file.
pub(super) fn verify(device: &MemoryDevice) -> Option<tempfile::NamedTempFile> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), device.bytes()).unwrap();
    let verdict = sgdisk(file.path(), &["-v"])?;
    assert!(verdict.contains("No problems found"), "{verdict}");
    Some(file)
}

#[test]
fn sgdisk_accepts_our_table() {
    let Some(file) = verify(&disk_with(&table(SectorSize::B512))) else {
        return;
    };
    let info = sgdisk(file.path(), &["-i", "7"]).unwrap();
    for expected in [
        "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC",
        "Partition unique GUID: 00000000-0000-0000-0000-0000ABCD0007",
        "First sector: 4096 ",
        "Last sector: 4999 ",
        "Attribute flags: 8000000000000001",
        "Partition name: 'Recovery \u{e9}'",
    ] {
        assert!(info.contains(expected), "{expected} in {info}");
    }
}

#[test]
fn a_table_by_sgdisk_is_read_and_kept() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(64 << 20).unwrap();
    let args = [
        "-a1",
        "-n3:2048:+4M",
        "-t3:ef00",
        "-c3:ESP",
        "-n9:20480:+8M",
        "-t9:2700",
        "-A9:set:0",
        "-A9:set:63",
        "-c9:WinRE tools",
    ];
    let Some(_) = sgdisk(file.path(), &args) else {
        return;
    };
    let mut device = MemoryDevice::from_bytes(std::fs::read(file.path()).unwrap(), SectorSize::B512);
    let before = device.clone();
    let gpt = reread(&device).usable().unwrap();
    assert_eq!(
        gpt.partitions().iter().map(|p| p.number).collect::<Vec<_>>(),
        [3, 9]
    );
    let esp = gpt.partition(3).unwrap();
    assert_eq!(
        (esp.type_guid, esp.start(), esp.sectors()),
        (PARTITION_SYSTEM_GUID, Lba(2048), 8192)
    );
    let re = gpt.partition(9).unwrap();
    assert_eq!(
        (re.type_guid, re.attributes),
        (PARTITION_MSFT_RECOVERY_GUID, 0x8000_0000_0000_0001)
    );
    assert_eq!(re.name.to_string(), "WinRE tools");
    gpt.write(&mut device).unwrap();
    assert!(device == before);
}
