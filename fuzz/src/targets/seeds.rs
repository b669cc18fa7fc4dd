//! Valid inputs to begin with, made from the lab: small files for the targets that take whole files, and the numbers of
//! the bases for those that take changes.

use super::bases;
use winrefit_disk::{MemoryDevice, ReadAt, SectorSize};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_ntfs::{RecordNumber, Volume};

const AGENT: &str = "\
2024-01-10 08:00:00, Info                         [ReAgentc.exe] -----Exiting command line: reagentc /info, Error: 0-----
2024-01-10 09:00:00, Info                         [ReAgentc.exe] -----Executing command line: reagentc  /enable-----
2024-01-10 09:00:01, Info                         [ReAgentc.exe]  Checking partition at offset 1023135449088, partition number: 4
2024-01-10 09:00:01, Info                         [ReAgentc.exe] MeetPartitionRequirements Partition details: {Offset: 1023135449088, Free space: 105489612, Total space: 1073737728}
2024-01-10 09:00:01, Info                         [ReAgentc.exe] MeetPartitionRequirements WinRE WIM size: 822021945
2024-01-10 09:00:01, Warning                      [ReAgentc.exe] MeetPartitionRequirements Partition has bitlocker, offset = 1023135449088
2024-01-10 09:00:02, Warning                      [ReAgentc.exe] MeetPartitionRequirements Not enough total space: required 876547897, actual 2
2024-01-10 09:00:03, Error                        [ReAgentc.exe] No suitable partition could be found for installing WinRE
2024-01-10 09:00:03, Info                         [ReAgentc.exe] -----Exiting command line: reagentc  /enable, Error: 70-----
";

const UPDATES: &str = "\u{feff}{77F5FB23-3E9B-4F9A-9B3F-0D1C5C7C1B11}\t2024-01-12 09:14:15:123+0100\t1\t182 \
[AGENT_INSTALLING_FAILED]\t101\t{0AD1C5C7-0000-4000-8000-000000000001}\t200\t80070643\tUpdateOrchestrator\tFailure\t\
Content Install\tInstallation Failure: Windows failed to install the following update with error 0x80070643: \
2024-01 Security Update for Windows Server 2022 (KB5034439).\r\n";

const SERVICING: &str = "<?xml version='1.0' encoding='utf-8'?>\n<ResetSession Staged=\"N\" \
Session=\"31081862_1\"><Operation Name=\"SetImagePath\" Path=\"C:\\Recovery\"/></ResetSession>";

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Seeds of each target.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut found: Vec<(&str, Vec<u8>)> = vec![
        ("logs", AGENT.into()),
        ("logs", UPDATES.into()),
        ("logs", utf16(UPDATES)),
        ("servicing", SERVICING.into()),
        (
            "kb",
            include_bytes!("../../../crates/repair/data/kb.toml").to_vec(),
        ),
        ("kb", b"2024-01 Security Update (KB5034441, kb5034439)".to_vec()),
    ];
    let reagent = bases::windows_file(r"Windows\System32\Recovery\ReAgent.xml");
    found.push(("reagent", reagent));
    let device = winrefit_lab::bcd::Partition::Mbr {
        signature: 7,
        offset: 1 << 20,
    };
    let other = winrefit_lab::bcd::Partition::Gpt {
        disk: uuid::Uuid::from_u128(1),
        partition: uuid::Uuid::from_u128(2),
    };
    for partition in [device, other] {
        found.push(("bcd_device", partition.element()));
        let path = r"\Recovery\WindowsRE\Winre.wim";
        found.push((
            "bcd_device",
            partition.ramdisk_element(uuid::Uuid::from_u128(3), path),
        ));
    }
    found.extend(parts_of_ntfs());
    // Bases without a change, and each with one.
    for name in [
        "bcd",
        "diagnose",
        "disk",
        "evtx",
        "fat",
        "gpt",
        "hive",
        "journal",
        "mbr",
        "ntfs_check",
        "ntfs_read",
        "ntfs_rename",
        "ntfs_resize",
        "wim",
    ] {
        for base in 0..14u8 {
            found.push((name, vec![base]));
            found.push((
                name,
                vec![
                    base, 7, 0, 0x20, 0x40, 0, 0xFF, 0xFF, 0xFF, 0xFF, 3, 0, 0x18, 0x10, 0x20, 1,
                ],
            ));
        }
    }
    found
}

fn parts_of_ntfs() -> Vec<(&'static str, Vec<u8>)> {
    let mut device = MemoryDevice::zeroed(4 << 20, SectorSize::B512);
    let mut builder = VolumeBuilder::new(FormatOptions::new((4 << 20) / 512)).expect("a size that fits");
    for index in 0..40 {
        let name = format!("large/a name of some length, number {index:05}");
        builder
            .add_file(&name, 0x20, FileData::Bytes(vec![1; index * 200]))
            .expect("room for it");
    }
    builder.write_to(&mut device).expect("room for it");
    let volume = Volume::open(&device).expect("a volume that was just made");
    let mut found = vec![("ntfs_boot", device.bytes()[..512].to_vec())];
    for number in [0, 3, 5, 9, 24, 30] {
        let Ok(record) = volume.read_record(RecordNumber(number)) else {
            continue;
        };
        let used = record.bytes()[..record.bytes_used()].to_vec();
        found.push(("ntfs_record", [vec![0], used].concat()));
        for attribute in record.attributes().flatten() {
            match attribute.value() {
                Some(value) if attribute.type_code().0 == 0x90 => found.push(("ntfs_index", value.to_vec())),
                Some(_) => {}
                None => found.push(("ntfs_runs", attribute.mapping_pairs().to_vec())),
            }
        }
    }
    let block = (0..volume.geometry().clusters())
        .filter_map(|lcn| device.read_vec(lcn * 4096, 4096).ok())
        .find(|block| block.starts_with(b"INDX"));
    found.push(("ntfs_index", block.unwrap_or_default()));
    let entry = |at: u8| {
        let mut entry = vec![0u8; 0x20];
        (entry[0], entry[4], entry[7], entry[8], entry[0x10]) = (0x80, 0x20, 0x1A, at, 24 + at);
        entry
    };
    found.push(("ntfs_list", [entry(0), entry(4)].concat()));
    found
}
