//! Disks with an MBR: the table by our own reader and by sfdisk, the boot store, `ReAgent.xml` and the volumes.

#![allow(clippy::unwrap_used)]

#[path = "../src/oracle.rs"]
mod oracle;

use oracle::{TempFile, run, skip};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use winrefit_disk::{ByteRange, DiskError, DiskFile, ReadAt, ReadWindow};
use winrefit_formats::bcd::{Bcd, BcdPartition, ChainBreak, DeviceKind};
use winrefit_formats::mbr::{MbrSlot, read_mbr};
use winrefit_formats::reagent::ReAgent;
use winrefit_formats::{Guid, Hive};
use winrefit_lab::profile::{BootCode, PartitionStyle, Quirk, Role, WinRePlace};
use winrefit_lab::{CreateOptions, CreatedDisk, CreatedPartition, Profile, create_file, profiles};
use winrefit_ntfs::{AttributeType, Volume};

struct Disk {
    profile: &'static Profile,
    folder: tempfile::TempDir,
    made: CreatedDisk,
}

impl Disk {
    fn new(profile: &'static Profile) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = CreateOptions {
            size: None,
            files: Some(30),
            event_log: None,
        };
        let made = create_file(profile, &options, &folder.path().join("disk.img")).unwrap();
        Self {
            profile,
            folder,
            made,
        }
    }

    fn named(name: &str) -> Self {
        Self::new(Profile::find(name).unwrap())
    }

    /// All disks with an MBR, one after the other.
    fn all() -> impl Iterator<Item = Self> {
        profiles::all().filter(|profile| profile.is_mbr()).map(Self::new)
    }

    /// Those whose Windows is not encrypted.
    fn readable() -> impl Iterator<Item = Self> {
        let encrypted = [Some(Quirk::BitLocker), Some(Quirk::ForeignBootSector)];
        Self::all().filter(move |disk| !encrypted.contains(&disk.profile.quirk))
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("disk.img")
    }

    fn opened(&self) -> DiskFile {
        // Between fork and exec a child that another test starts has the lock of the disk's maker.
        for _ in 0..100 {
            match DiskFile::open_read(&self.path()) {
                Err(DiskError::InUse { .. }) => std::thread::sleep(Duration::from_millis(20)),
                opened => return opened.unwrap(),
            }
        }
        panic!("{} stays in use", self.path().display());
    }

    fn lba(&self, offset: u64) -> u64 {
        assert_eq!(offset % self.profile.sector_size.bytes(), 0);
        offset / self.profile.sector_size.bytes()
    }

    /// The first 4 MiB of a file.
    fn file(&self, partition: &CreatedPartition, path: &str) -> Option<Vec<u8>> {
        let disk = self.opened();
        let volume = Volume::open(ReadWindow::new(&disk, partition.range).unwrap()).unwrap();
        let file = volume.lookup(path).unwrap()?;
        let stream = file.require(AttributeType::DATA, "").unwrap();
        let length = stream.len().min(4 << 20) as usize;
        let reader = stream.reader(volume.reader(), volume.geometry()).unwrap();
        Some(reader.read_vec(0, length).unwrap())
    }

    fn windows(&self) -> CreatedPartition {
        *self.made.windows().next().unwrap()
    }

    /// A part of the disk, or all of it, as a read-only block device with the disk's sectors.
    fn attach(&self, range: ByteRange) -> Option<Loop> {
        if run("id", &["-u"])?.trim() != "0" || !Path::new("/dev/loop-control").exists() {
            skip("loop devices need root and /dev/loop-control");
            return None;
        }
        let (offset, length) = (range.start.to_string(), range.len().to_string());
        let (sector, path) = (self.profile.sector_size.bytes().to_string(), self.path());
        let arguments = [
            "-r",
            "-f",
            "--show",
            "-b",
            &sector,
            "-o",
            &offset,
            "--sizelimit",
            &length,
        ];
        let printed = run("losetup", &[&arguments[..], &[path.to_str().unwrap()]].concat())?;
        Some(Loop(printed.trim().to_owned()))
    }
}

/// A loop device; detached with its owner.
struct Loop(String);

impl Drop for Loop {
    fn drop(&mut self) {
        // Not `run`, which may panic.
        let _ = std::process::Command::new("losetup")
            .args(["-d", &self.0])
            .status();
    }
}

/// The type that a partition has by its role.
fn type_code(disk: &Disk, role: Role) -> u8 {
    match role {
        Role::SystemReserved if disk.profile.name == "mbr-ldm" => 0x42,
        Role::SystemReserved if disk.profile.quirk == Some(Quirk::SystemIsRecovery) => 0x27,
        Role::SystemReserved | Role::Windows | Role::Data => 0x07,
        Role::LdmWindows => 0x42,
        Role::Recovery => 0x27,
        Role::Oem => 0x12,
        Role::Linux => 0x83,
        other => panic!("no profile has {other:?}"),
    }
}

/// Number, type, active, first sector, end.
type Row = (u32, u8, bool, u64, u64);

/// What the table is to have, in the order of the numbers.
fn due(disk: &Disk) -> Vec<Row> {
    let active = disk.made.system().unwrap().number;
    let row = |number, type_code, range: ByteRange| {
        let (first, end) = (disk.lba(range.start), disk.lba(range.end));
        (number, type_code, number == active, first, end)
    };
    let partitions = disk.made.partitions.iter();
    let rows = partitions.map(|p| row(p.number, type_code(disk, p.role), p.range));
    let extended = disk.made.extended.map(|(number, range)| row(number, 0x0f, range));
    let mut rows: Vec<Row> = rows.chain(extended).collect();
    rows.sort_unstable();
    rows
}

#[test]
fn our_own_reader_finds_no_defect_and_what_was_made() {
    let mut logical = 0;
    for disk in Disk::all() {
        let name = disk.profile.name;
        let table = read_mbr(&disk.opened(), disk.profile.sector_size).unwrap();
        assert!(table.defects.is_empty(), "{name}: {:?}", table.defects);
        let table = table.usable().unwrap();
        assert_eq!(Some(table.disk_signature()), disk.made.disk_signature, "{name}");
        let row = |p: &winrefit_formats::MbrPartition| {
            (p.number, p.type_code, p.active, p.range.start.0, p.range.end.0)
        };
        let mut found: Vec<Row> = table.partitions().iter().map(row).collect();
        found.sort_unstable();
        assert_eq!(found, due(&disk), "{name}");
        for partition in &disk.made.partitions {
            let entry = table.partition(partition.number).unwrap();
            let ebr = match entry.slot {
                MbrSlot::Primary(_) => None,
                MbrSlot::Logical { ebr, .. } => Some(ebr.0),
            };
            assert_eq!(ebr, partition.ebr.map(|ebr| disk.lba(ebr)), "{name}");
            logical += usize::from(ebr.is_some());
        }
    }
    assert!(logical >= 6, "{logical} logical partitions");
}

#[test]
fn sfdisk_agrees() {
    for disk in Disk::all() {
        let name = disk.profile.name;
        // In a file it takes all sectors for ones of 512 bytes.
        let whole = match disk.profile.sector_size.bytes() {
            512 => None,
            _ => match disk.attach(ByteRange::new(0, disk.made.size_bytes)) {
                Some(device) => Some(device),
                None => continue,
            },
        };
        let path = disk.path();
        let path = whole.as_ref().map_or(path.to_str().unwrap(), |device| &device.0);
        let Some(report) = run("sfdisk", &["--verify", path]) else {
            return;
        };
        assert!(report.contains("No errors detected."), "{name}: {report}");
        let document: Value = serde_json::from_str(&run("sfdisk", &["-J", path]).unwrap()).unwrap();
        let table = &document["partitiontable"];
        assert_eq!(table["label"], "dos");
        let signature = format!("{:#010x}", disk.made.disk_signature.unwrap());
        assert_eq!(table["id"], signature, "{name}");
        let rows = table["partitions"].as_array().unwrap().iter().map(|entry| {
            let digits = entry["node"].as_str().unwrap().strip_prefix(path).unwrap();
            let number = digits.trim_start_matches('p').parse().unwrap();
            let type_code = u8::from_str_radix(entry["type"].as_str().unwrap(), 16).unwrap();
            let (start, size) = (entry["start"].as_u64().unwrap(), entry["size"].as_u64().unwrap());
            (number, type_code, entry["bootable"] == true, start, start + size)
        });
        assert_eq!(rows.collect::<Vec<Row>>(), due(&disk), "{name}");
    }
}

#[test]
fn the_sectors_before_the_partitions_are_those_of_a_used_disk() {
    for disk in Disk::all() {
        let name = disk.profile.name;
        let PartitionStyle::Mbr(spec) = disk.profile.style else {
            panic!("{name} has no MBR");
        };
        let sector_bytes = disk.profile.sector_size.bytes();
        let opened = disk.opened();
        let first = opened.read_vec(0, sector_bytes as usize).unwrap();
        assert!(first[..440].iter().all(|byte| *byte != 0), "{name}");
        assert_eq!(first[444..446], [0, 0]);
        assert_eq!(first[510..512], [0x55, 0xAA]);
        let core = opened.read_vec(sector_bytes, 62 * sector_bytes as usize).unwrap();
        let in_use = core
            .chunks(sector_bytes as usize)
            .filter(|sector| sector.iter().any(|byte| *byte != 0));
        let due = match (spec.boot_code, name) {
            (BootCode::Grub, _) => 62,
            // The header of the dynamic disk.
            (_, "mbr-ldm") => 1,
            _ => 0,
        };
        assert_eq!(in_use.count(), due, "{name}");
        for partition in disk.made.partitions.iter().filter(|p| p.free_bytes.is_some()) {
            let boot = opened.read_vec(partition.range.start, 512).unwrap();
            let hidden = u32::from_le_bytes(boot[0x1c..0x20].try_into().unwrap());
            let before = partition.range.start - partition.ebr.unwrap_or(0);
            assert_eq!(u64::from(hidden), disk.lba(before), "{name} {}", partition.number);
        }
    }
}

/// The partition with WinRE, as boot store and `ReAgent.xml` are to name it; none where it is disabled.
fn winre(disk: &Disk) -> Option<CreatedPartition> {
    let role = match disk.profile.recovery.place {
        WinRePlace::Disabled => return None,
        WinRePlace::SystemPartition => Role::SystemReserved,
        _ => Role::Recovery,
    };
    Some(*disk.made.partition(role).unwrap())
}

#[test]
fn the_boot_store_names_partitions_by_signature_and_offset() {
    for disk in Disk::all() {
        let name = disk.profile.name;
        let system = disk.made.system().unwrap();
        for path in ["bootmgr", "BOOTNXT", r"Boot\memtest.exe"] {
            assert!(disk.file(system, path).is_some(), "{name}: {path}");
        }
        let bytes = disk.file(system, r"Boot\BCD").unwrap();
        let store = Bcd::read(&Hive::open(&bytes.as_slice()).unwrap()).unwrap();
        let at = |partition: &CreatedPartition| {
            DeviceKind::Partition(BcdPartition::Mbr {
                signature: disk.made.disk_signature.unwrap(),
                offset: partition.range.start,
            })
        };
        let Some(winre) = winre(&disk) else {
            let missing = store.default_winre().unwrap_err();
            assert!(
                matches!(missing, ChainBreak::NoElement { .. }),
                "{name}: {missing}"
            );
            continue;
        };
        let chain = store.default_winre().unwrap();
        assert_eq!(chain.image_device, at(&winre), "{name}");
        assert_eq!(chain.sdi_device, at(&winre), "{name}");
        let image = disk.file(&winre, &chain.image_path[1..]).unwrap();
        assert!(image.starts_with(b"MSWIM"), "{name}");
        assert!(disk.file(&winre, &chain.sdi_path[1..]).is_some(), "{name}");
        let manager = store.object(winrefit_formats::bcd::types::BOOT_MANAGER).unwrap();
        assert_eq!(manager.device(0x1100_0001).unwrap().kind, at(system), "{name}");
        let loader = store.object(chain.os_loader).unwrap();
        assert_eq!(
            loader.device(0x2100_0001).unwrap().kind,
            at(&disk.windows()),
            "{name}"
        );
        assert_eq!(loader.text(0x1200_0002), Some(r"\Windows\system32\winload.exe"));
        // An outside reader follows the same way.
        let file = TempFile::new("BCD", &bytes);
        let key = format!(r"\Objects\{{{}}}\Elements\14000008", chain.os_loader);
        if let Some(sequence) = run("hivexget", &[file.path(), &key, "Element"]) {
            assert_eq!(sequence.trim(), format!("{{{}}}", chain.winre_loader), "{name}");
        }
    }
}

#[test]
fn reagent_xml_names_the_disk_by_its_signature() {
    for disk in Disk::readable() {
        let name = disk.profile.name;
        let own = disk.file(&disk.windows(), r"Windows\System32\Recovery\ReAgent.xml");
        let Some(winre) = winre(&disk) else {
            let reagent = ReAgent::parse(&own.unwrap()).unwrap();
            assert_eq!(reagent.install_state, Some(0), "{name}");
            continue;
        };
        let copies = [own, disk.file(&winre, r"Recovery\WindowsRE\ReAgent.xml")];
        for bytes in copies {
            let reagent = ReAgent::parse(&bytes.unwrap()).unwrap();
            let place = reagent.winre_location.unwrap();
            assert_eq!(Some(place.id), disk.made.disk_signature, "{name}");
            assert_eq!(place.guid, Guid::ZERO, "{name}");
            assert_eq!(place.offset, winre.range.start, "{name}");
            assert_eq!(place.path, r"\Recovery\WindowsRE");
            assert_eq!(reagent.install_state, Some(1));
        }
    }
}

#[test]
fn ntfsprogs_account_for_every_cluster() {
    for name in [
        "mbr",
        "mbr-logical",
        "mbr-cylinders",
        "mbr-xp-alignment",
        "mbr-winre-in-system-reserved",
        "mbr-4kn",
    ] {
        let disk = Disk::named(name);
        for partition in disk.made.partitions.iter().filter(|p| p.free_bytes.is_some()) {
            let Some(device) = disk.attach(partition.range) else {
                return;
            };
            if let Some(report) = run("ntfsfix", &["-n", &device.0]) {
                assert!(report.contains("processed successfully"), "{name}: {report}");
            }
            if let Some(report) = run("ntfsresize", &["-i", "-f", "-P", &device.0]) {
                let is_sound = report.contains("Accounting clusters") && !report.contains("ERROR");
                assert!(is_sound, "{name}: {report}");
            }
            if let Some(report) = run("ntfsinfo", &["-f", "-m", &device.0]) {
                let label = partition.role.volume_label();
                let line = report.lines().find(|line| line.contains("Volume Name:")).unwrap();
                assert_eq!(line.split(':').nth(1).unwrap().trim(), label, "{name}: {report}");
            }
        }
    }
}
