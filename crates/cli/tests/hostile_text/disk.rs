//! A disk whose every name, title and value is hostile. Each has a tag of its own, so that a test can tell where it was
//! shown.

use rustix::fs::{SeekFrom, seek};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use winrefit_disk::ByteRange;
use winrefit_lab::evidence::{EvidenceSpec, Happening, Lines, LogLines, Past, RegistryFact};
use winrefit_lab::profile::{PartitionSpec, Role, Size};
use winrefit_lab::software::WindowsRelease;
use winrefit_lab::time::at;
use winrefit_lab::{CreateOptions, CreatedDisk, Profile, content, create_file};

/// What terminals, bidirectional text and markup act on, behind a tag.
macro_rules! hostile {
    ($tag:literal) => {
        concat!(
            $tag,
            "\u{1b}]0;t\u{7}\u{1b}[2J\r\n\t\u{7f}\u{85}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{e0001}<b>&'\"`"
        )
    };
}

/// As many as fit the name of a partition, without what would end it.
macro_rules! hostile_name {
    ($tag:literal) => {
        concat!(
            $tag,
            "\u{1b}[2J\u{7}\r\n\u{9b}m\u{7f}\u{202e}\u{2067}\u{200f}\u{2029}<i>"
        )
    };
}

const JANUARY: u64 = at(2024, 1, 10, 3, 12);
const FAILED: u32 = 0x8007_0643;

const fn past(minutes: u64, what: Happening) -> Past {
    Past {
        time: JANUARY + minutes * 600_000_000,
        what,
    }
}

const fn line(what: Lines) -> LogLines {
    LogLines { time: JANUARY, what }
}

const EVIDENCE: EvidenceSpec = EvidenceSpec {
    past: &[
        past(0, Happening::UpdateStarted(hostile!("TITLE-A KB5034441 "))),
        past(1, Happening::ServicingStarted),
        past(
            2,
            Happening::ServicingFailed {
                phase: 2,
                code: 0x8007_0070,
            },
        ),
        past(
            3,
            Happening::UpdateFailed {
                title: hostile!("TITLE-B KB5034441 Windows Recovery Environment Update "),
                code: FAILED,
            },
        ),
        past(4, Happening::UpdateInstalled(hostile!("TITLE-C KB5034122 "))),
        past(
            5,
            Happening::UpdateFailed {
                title: hostile!("TITLE-D KB5034275 .NET Framework "),
                code: FAILED,
            },
        ),
        past(
            5,
            Happening::InstallerFailed {
                product: hostile!("PRODUCT "),
                version: hostile!("VERSION "),
                manufacturer: hostile!("MAKER "),
            },
        ),
        past(
            6,
            Happening::ServiceNotStarted {
                service: hostile!("SERVICE "),
                error: 1058,
            },
        ),
        past(
            7,
            Happening::StartTypeChanged {
                service: hostile!("SERVICE-B "),
                name: "wuauserv",
                from: hostile!("FROM "),
                to: hostile!("TO "),
            },
        ),
        past(
            8,
            Happening::ShrinkAnalysed {
                file: hostile!("UNMOVABLE "),
                last_cluster: 1234,
            },
        ),
        past(
            9,
            Happening::UpdateFailed {
                title: hostile!("TITLE-E "),
                code: 0x8007_3712,
            },
        ),
        past(
            10,
            Happening::ServicingSucceeded {
                version: hostile!("10.0.1.2 "),
            },
        ),
    ],
    lines: &[
        line(Lines::EnableFailed {
            image_bytes: 1 << 28,
            free_bytes: 1 << 20,
        }),
        line(Lines::SetupRefusedPartition {
            image_bytes: 1 << 28,
            free_bytes: 1 << 20,
        }),
        line(Lines::ComponentStoreFailed {
            code: 0x8007_3712,
            name: hostile!("ERROR "),
            about: hostile!("ABOUT "),
        }),
        line(Lines::ComponentStoreFailed {
            code: 0x800F_0828,
            name: "CBS_E_INSUFFICIENT_DISK_SPACE",
            about: hostile!("WINRE KB5034441 "),
        }),
    ],
    registry: &[
        RegistryFact::Package {
            identity: hostile!("Package_for_KB5034441~31bf3856ad364e35~amd64~~19041.3920.1.3"),
            state: 0x40,
        },
        RegistryFact::LcuVersion(hostile!("LCU 10.0.19045.3930 ")),
        RegistryFact::Installed {
            key: hostile!("KEY "),
            name: hostile!("ANTIVIRUS Avast "),
            publisher: hostile!("PUBLISHER Avast "),
            version: hostile!("9.9 "),
        },
        RegistryFact::DefenderDisabled,
        RegistryFact::ImageState(hostile!("IMAGE_STATE ")),
        RegistryFact::StartType {
            service: "wuauserv",
            start: 4,
        },
    ],
    ..EvidenceSpec::ORDINARY
};

const fn part(role: Role, size: Size, name: &'static str) -> PartitionSpec {
    PartitionSpec {
        role,
        size,
        name,
        logical: false,
    }
}

const MIB: u64 = 1 << 20;
const RECORD_BYTES: u64 = 1024;
/// Where the boot sector names the first clusters of `$MFT` and `$MFTMirr`.
const MFT_CLUSTER_AT: usize = 0x30;
const MIRROR_CLUSTER_AT: usize = 0x38;

/// The layout of Windows Setup, with somebody's volume on it.
const PARTITIONS: &[PartitionSpec] = &[
    part(Role::EfiSystem, Size::Bytes(100 * MIB), hostile_name!("EFI")),
    part(
        Role::MicrosoftReserved,
        Size::Bytes(16 * MIB),
        hostile_name!("MSR"),
    ),
    part(Role::Windows, Size::Rest, hostile_name!("WIN")),
    part(Role::Recovery, Size::Bytes(525 * MIB), hostile_name!("REC")),
    part(Role::Data, Size::Bytes(64 * MIB), hostile_name!("DAT")),
];

/// The disk. With `is_torn` names in its file systems are replaced as well, which leaves volumes that are damaged and
/// settings that lead nowhere: their findings and errors quote them.
pub fn make(path: &Path, is_torn: bool) -> CreatedDisk {
    let base = Profile::find("case-kb5034441").unwrap();
    let profile = Profile {
        partitions: PARTITIONS,
        windows: WindowsRelease {
            product_name: hostile!("NAME "),
            edition_id: hostile!("EDITION "),
            installation_type: hostile!("KIND "),
            display_version: hostile!("DISPLAY "),
            branch: hostile!("BRANCH "),
            boot_name: hostile!("BOOT "),
            ..base.windows
        },
        recovery: winrefit_lab::profile::RecoverySpec {
            registry_version: Some(hostile!("WINRE 10.0.19041.3920 ")),
            ..base.recovery
        },
        evidence: EVIDENCE,
        ..*base
    };
    let options = CreateOptions {
        size: Some(8 << 30),
        files: Some(20),
        event_log: None,
    };
    let disk = create_file(&profile, &options, path).unwrap();
    let file = File::options().read(true).write(true).open(path).unwrap();
    let esp = disk.partition(Role::EfiSystem).unwrap().range.start;
    file.write_all_at(b"FAT\x1b[2J\x9b\x07\r\n", esp + 71).unwrap();
    for role in [Role::Recovery, Role::Data] {
        label(&file, disk.partition(role).unwrap().range);
    }
    image_names(&file, &disk);
    if is_torn {
        tear(&file, &disk);
    }
    disk
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Puts a hostile label into record 3, `$Volume`, of a volume and into its mirror, as long as the one that is there.
fn label(file: &File, range: ByteRange) {
    let old = if range.len() > 100 * MIB {
        "Recovery"
    } else {
        "Data"
    };
    let new = if old.len() > 4 {
        "L\u{1b}[2J\u{9b}\u{202e}\u{7f}"
    } else {
        "\u{1b}\u{9b}\u{202e}\u{7}"
    };
    let mut boot = [0; 512];
    file.read_exact_at(&mut boot, range.start).unwrap();
    for field in [MFT_CLUSTER_AT, MIRROR_CLUSTER_AT] {
        let cluster = u64::from_le_bytes(boot[field..field + 8].try_into().unwrap());
        let record = range.start + cluster * u64::from(boot[0x0d]) * 512 + 3 * RECORD_BYTES;
        let mut bytes = vec![0; RECORD_BYTES as usize];
        file.read_exact_at(&mut bytes, record).unwrap();
        assert_eq!(replace(&mut bytes, &utf16(old), &utf16(new)), 1, "the label");
        file.write_all_at(&bytes, record).unwrap();
    }
}

/// Replaces every `old` by `new`, which is as long.
fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) -> usize {
    assert_eq!(old.len(), new.len());
    let (mut at, mut count) = (0, 0);
    while let Some(found) = bytes[at..].windows(old.len()).position(|window| window == old) {
        bytes[at + found..][..new.len()].copy_from_slice(new);
        at += found + new.len();
        count += 1;
    }
    count
}

/// Replaces in all data of a partition; what is a hole in the file has none.
fn replace_in(file: &File, range: ByteRange, pairs: &[(&[u8], &[u8])]) -> usize {
    let (mut count, mut at) = (0, range.start);
    // ENXIO: no data behind `at`.
    while let Ok(start) = seek(file, SeekFrom::Data(at)) {
        if start >= range.end {
            break;
        }
        at = seek(file, SeekFrom::Hole(start)).unwrap();
        let mut bytes = vec![0; (at.min(range.end) - start) as usize];
        file.read_exact_at(&mut bytes, start).unwrap();
        count += pairs
            .iter()
            .map(|(old, new)| replace(&mut bytes, old, new))
            .sum::<usize>();
        file.write_all_at(&bytes, start).unwrap();
    }
    count
}

/// The name of the image, in the XML of `Winre.wim`: what XML allows of it.
fn image_names(file: &File, disk: &CreatedDisk) {
    let range = disk.partition(Role::Recovery).unwrap().range;
    let (old, new) = (
        utf16("<EDITIONID>WindowsPE"),
        utf16("<EDITIONID>Ed\u{9b}\u{202e}\u{2066}\u{7f}\u{85}\u{200b}x"),
    );
    assert!(replace_in(file, range, &[(&old, &new)]) > 0, "the image's XML");
    let (old, new) = (
        utf16("Recovery Environment"),
        utf16("Reco\u{9b}2J\u{202e}\u{2066}nvironment "),
    );
    assert!(replace_in(file, range, &[(&old, &new)]) > 0, "the image's name");
}

/// Names of files and paths in settings.
fn tear(file: &File, disk: &CreatedDisk) {
    let windows = disk.partition(Role::Windows).unwrap().range;
    let tree = content::tree(disk.seed, disk.file_count);
    let files = tree
        .iter()
        .filter(|entry| matches!(entry.kind, content::EntryKind::File { .. }));
    let names = files.filter_map(|entry| entry.path.rsplit('\\').next());
    // A short one, so that no fixup lies in it.
    let name = names
        .filter(|name| name.is_ascii() && name.len() < 20)
        .max_by_key(|name| name.len())
        .unwrap();
    let evil: String = "\u{1b}[2J\u{202e}\u{9b}\u{7}\u{7f}"
        .chars()
        .cycle()
        .take(name.len())
        .collect();
    let (old, new) = (
        r#"path="\Recovery\WindowsRE""#,
        "path=\"\\Re\u{202e}\u{9b}covry\\WinRE\"",
    );
    let xml = (old.as_bytes(), new.as_bytes());
    let count = replace_in(file, windows, &[(&utf16(name), &utf16(&evil)), xml]);
    assert!(count > 1, "{name}");
    // Its count of names is wrong, which the checker says with all of them.
    let mut boot = [0; 512];
    file.read_exact_at(&mut boot, windows.start).unwrap();
    let cluster = u64::from_le_bytes(boot[MFT_CLUSTER_AT..MFT_CLUSTER_AT + 8].try_into().unwrap());
    let mft = windows.start + cluster * u64::from(boot[0x0d]) * 512;
    let mut record = vec![0; RECORD_BYTES as usize];
    let evil = utf16(&evil);
    let offsets = (mft..).step_by(RECORD_BYTES as usize).take(200);
    let found = offsets.into_iter().find(|offset| {
        file.read_exact_at(&mut record, *offset).unwrap();
        // Not the folder that lists it.
        record[0x16] & 2 == 0 && record.windows(evil.len()).any(|window| window == evil)
    });
    file.write_all_at(&[7], found.unwrap() + 0x12).unwrap();
}
