//! Recovery partitions where there was none.
#![allow(clippy::unwrap_used)]

mod common;

use common::wim::winre;
use common::{MIB, disk_guid, files, partition_range, target};
use winrefit_disk::{
    ByteRange, Device, Fault, Faulty, Lba, MemoryDevice, ReadAt, ReadWindow, SectorSize, Window,
};
use winrefit_formats::gpt::types;
use winrefit_formats::{Gpt, Guid, LbaRange, Partition, PartitionName, ReAgentTemplate, read_gpt};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_ntfs::{AttributeType, Volume};
use winrefit_repair::commands::{diagnose, fix, plan, undo, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};

const WINDOWS: u32 = 2;
const CREATED: u32 = 1;
const IMAGE: &str = r"Windows\System32\Recovery\Winre.wim";
const SDI: &str = r"Windows\Boot\DVD\EFI\boot.sdi";

const REQUEST: Request = Request {
    size_bytes: Some(60 * MIB),
    free_bytes: Some(12 * MIB),
    recovery_partition: None,
    drop_shadow_copies: false,
    reclaim: false,
    remove_stale: None,
    create: false,
};

/// What is special about a disk.
#[derive(Clone, Copy)]
struct Disk {
    /// Where C: lies, in MiB of 160.
    windows: (u64, u64),
    /// Sectors behind those: the size of most disks is no whole number of MiB.
    odd: u64,
    sector_size: SectorSize,
    image: bool,
    /// MiB of data in C:.
    data: u64,
}

const USUAL: Disk = Disk {
    windows: (2, 158),
    odd: 0,
    sector_size: SectorSize::B512,
    image: true,
    data: 2,
};

impl Disk {
    fn build(&self) -> MemoryDevice {
        let size = self.sector_size;
        let lba = |mib: u64| Lba(mib * MIB / size.bytes());
        let mut disk = MemoryDevice::zeroed((160 * MIB + self.odd * size.bytes()) as usize, size);
        // What lies in unallocated space is not always zeros.
        disk.bytes_mut()[(110 * MIB) as usize..(150 * MIB) as usize].fill(0xEE);
        let mut gpt = Gpt::new(disk_guid(), lba(160).0 + self.odd, size).unwrap();
        gpt.add(Partition {
            number: WINDOWS,
            type_guid: types::PARTITION_BASIC_DATA_GUID,
            unique_guid: Guid::from_u128(77),
            range: LbaRange::new(lba(self.windows.0), lba(self.windows.1)),
            attributes: 0,
            name: PartitionName::new("Basic data partition").unwrap(),
        })
        .unwrap();
        gpt.write_protective_mbr(&mut disk).unwrap();
        gpt.write(&mut disk).unwrap();
        let sectors = (self.windows.1 - self.windows.0) * MIB / size.bytes();
        let base = match size {
            SectorSize::B512 => FormatOptions::new(sectors),
            SectorSize::B4096 => FormatOptions::new_4kn(sectors),
        };
        let mut volume = VolumeBuilder::new(FormatOptions {
            hidden_sectors: lba(self.windows.0).0,
            ..base
        })
        .unwrap();
        let reagent = ReAgentTemplate::default().to_bytes();
        let noise: Vec<u8> = (0..self.data * MIB).map(|i| (i * 31 + i / 977) as u8).collect();
        let mut add = |path: &str, data| volume.add_file(path, 0, data).unwrap();
        add(r"Windows\System32\Recovery\ReAgent.xml", FileData::Bytes(reagent));
        add(SDI, FileData::Bytes(vec![0x5D; 90_000]));
        add(r"Users\noise.bin", FileData::Bytes(noise));
        if self.image {
            add(IMAGE, winre(9 * MIB + 777, vec![(1 << 20, vec![0xA5; 3 << 20])]));
        }
        let range = ByteRange::new(self.windows.0 * MIB, self.windows.1 * MIB);
        let mut part = Window::new(&mut disk, range).unwrap();
        volume.write_to(&mut part).unwrap();
        disk
    }
}

fn created(disk: &Disk) -> (MemoryDevice, MemoryDevice, Report) {
    let old = disk.build();
    let mut subject = target(old.clone());
    let report = fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    let problems: Vec<_> = report.verification.iter().filter(|item| !item.ok).collect();
    assert_eq!(
        report.verdict,
        Verdict::Repaired,
        "{:?} {problems:?}",
        report.refusal
    );
    assert_eq!(report.plan.as_ref().unwrap().strategy, "create");
    (old, subject.device, report)
}

/// FILE_ATTRIBUTE_ values of a file.
fn attributes(disk: &MemoryDevice, path: &str) -> u32 {
    let volume = Volume::open(ReadWindow::new(disk, partition_range(disk, CREATED)).unwrap()).unwrap();
    let file = volume.lookup(path).unwrap().unwrap();
    let standard = file
        .base()
        .find(AttributeType::STANDARD_INFORMATION, "")
        .unwrap()
        .unwrap();
    u32::from_le_bytes(standard.value().unwrap()[0x20..0x24].try_into().unwrap())
}

fn assert_made(disk: &Disk, old: &MemoryDevice, new: &MemoryDevice) {
    assert_eq!(files(old, WINDOWS), files(new, WINDOWS));
    let (windows, recovery) = (files(new, WINDOWS), files(new, CREATED));
    for (own, source) in [
        (r"Winre.wim", IMAGE),
        ("boot.sdi", SDI),
        ("ReAgent.xml", r"Windows\System32\Recovery\ReAgent.xml"),
    ] {
        let find = |files: &std::collections::BTreeMap<String, Vec<u8>>, end: &str| {
            let found = files.iter().find(|(path, _)| path.ends_with(end));
            found.map(|(_, content)| content.clone()).unwrap()
        };
        assert!(find(&recovery, own) == find(&windows, source), "{own}");
        assert_eq!(attributes(new, &format!(r"\Recovery\WindowsRE\{own}")) & 6, 6);
    }
    let gpt = read_gpt(new, disk.sector_size).unwrap().usable().unwrap();
    let entry = gpt.partition(CREATED).unwrap();
    assert_eq!(entry.type_guid, types::PARTITION_MSFT_RECOVERY_GUID);
    assert_eq!(entry.attributes, 0x8000_0000_0000_0001);
    assert_eq!(entry.range.sectors() * disk.sector_size.bytes(), 60 * MIB);
    assert!((entry.start().0 * disk.sector_size.bytes()).is_multiple_of(MIB));
    let again = plan(&target(new.clone()), &REQUEST, &mut |_| ()).unwrap();
    assert_eq!(again.plan.unwrap().strategy, "keep");
    let verified = verify(&target(new.clone()), None, &mut |_| ()).unwrap();
    // Windows' own rules are for sizes that are not met here, and WinRE is still disabled.
    let sound = |what: &str| !what.starts_with("Free space") && !what.starts_with("ReAgent.xml");
    let mut items = verified
        .verification
        .iter()
        .filter(|item| sound(&item.what.to_string()));
    assert!(items.all(|item| item.ok), "{verified:?}");
}

/// Everything that was in use is back: the table, and every file of Windows.
fn assert_undone(old: &MemoryDevice, new: MemoryDevice) {
    let mut subject = target(new);
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone);
    let back = subject.device;
    assert_eq!(files(old, WINDOWS), files(&back, WINDOWS));
    let size = old.size() as usize;
    let tables = [0..34 * 512, size - 33 * 512..size];
    for table in tables {
        assert!(old.bytes()[table.clone()] == back.bytes()[table]);
    }
    let (a, b) = (partition_range(old, WINDOWS), partition_range(&back, WINDOWS));
    assert_eq!(a, b);
}

#[test]
fn in_unallocated_space_it_takes_one_commit() {
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        let disk = Disk {
            windows: (2, 90),
            sector_size,
            ..USUAL
        };
        let (old, new, report) = created(&disk);
        assert!(report.plan.unwrap().steps.len() == 1);
        assert_made(&disk, &old, &new);
        assert_eq!(partition_range(&new, CREATED).start, 90 * MIB);
        assert_undone(&old, new);
    }
}

#[test]
fn windows_gives_the_space_where_there_is_none() {
    for (data, odd) in [(2, 0), (60, 0), (2, 64)] {
        let disk = Disk { data, odd, ..USUAL };
        let (old, new, _) = created(&disk);
        assert_made(&disk, &old, &new);
        assert_eq!(
            partition_range(&new, WINDOWS).end,
            partition_range(&new, CREATED).start
        );
        assert_undone(&old, new);
    }
}

#[test]
fn a_repair_that_ended_between_its_commits_is_told_of_gone_on_with_and_undone_as_a_whole() {
    let old = USUAL.build();
    let range = ByteRange::new(100 * MIB, 150 * MIB);
    let mut subject = target(Faulty::new(old.clone(), Fault::UnwritableSectors { range }));
    assert!(fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).is_err());
    let half = subject.device.into_inner();
    assert_eq!(partition_range(&half, WINDOWS).end, 99 * MIB);
    let report = diagnose(&target(half.clone()), None).unwrap();
    assert_eq!(report.verdict, Verdict::NeedsRepair);
    assert!(
        report
            .journal
            .unwrap()
            .text
            .to_string()
            .contains("first of the two commits")
    );
    let mut subject = target(half);
    let report = fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    assert_made(&USUAL, &old, &subject.device);
    assert_undone(&old, subject.device);
}

#[test]
fn a_damaged_windows_volume_is_copied_from_by_nobody() {
    let disk = Disk {
        windows: (2, 90),
        ..USUAL
    };
    let mut damaged = disk.build();
    let volume =
        Volume::open(ReadWindow::new(&damaged, partition_range(&damaged, WINDOWS)).unwrap()).unwrap();
    let bitmap = volume.file(winrefit_ntfs::RecordNumber::BITMAP).unwrap();
    let stream = bitmap.require(AttributeType::DATA, "").unwrap();
    let lcn = stream.runs().unwrap().0[0].lcn.unwrap();
    let at = 2 * MIB + volume.geometry().offset_of(lcn);
    drop(volume);
    // Clusters in use that $Bitmap calls free: the journal would go there.
    damaged.write_at(at, &[0; 64]).unwrap();
    let mut subject = target(damaged.clone());
    let report = fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.refusal.unwrap().code, "damaged-ntfs");
    assert!(subject.device.bytes() == damaged.bytes());
}

#[test]
fn without_an_image_or_space_nothing_is_made() {
    let code = |disk: Disk| {
        let report = plan(&target(disk.build()), &REQUEST, &mut |_| ()).unwrap();
        report.refusal.map(|refusal| refusal.code)
    };
    let image = false;
    assert_eq!(code(Disk { image, ..USUAL }), Some("no-recovery-partition"));
    assert_eq!(code(Disk { data: 120, ..USUAL }), Some("no-recovery-partition"));
    assert_eq!(code(USUAL), None);
}

#[test]
fn the_rest_is_said_to_be_windows_part() {
    let (_, new, report) = created(&USUAL);
    let afterwards = report.plan.unwrap().afterwards;
    assert!(
        afterwards[0].to_string().contains("reagentc /enable"),
        "{afterwards:?}"
    );
    let report = diagnose(&target(new), None).unwrap();
    assert!(report.findings.iter().any(|f| f.code == "winre-disabled"));
}
