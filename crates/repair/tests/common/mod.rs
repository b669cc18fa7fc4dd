//! Small whole disks in memory, built piece by piece so that every test says what its disk is like.
#![allow(dead_code)]

#[path = "../../../ntfs/tests/common/image.rs"]
pub mod image;
#[path = "../../../ntfs/tests/common/scatter.rs"]
pub mod scatter;
#[path = "../../../ntfs/tests/common/shadow.rs"]
pub mod shadow;
#[path = "../../../ntfs/tests/common/tools.rs"]
pub mod tools;

pub mod compare;
pub mod disks;
pub mod lab;
pub mod mount;
pub mod used;
pub mod wim;

use std::collections::BTreeMap;
use winrefit_disk::{ByteRange, Device, Lba, MemoryDevice, ReadAt, ReadWindow, SectorSize, Window};
use winrefit_formats::gpt::types;
use winrefit_formats::{Gpt, Guid, LbaRange, Partition, PartitionName, ReAgentLocation, ReAgentTemplate};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_ntfs::record::Record;
use winrefit_ntfs::{AttributeType, RecordNumber, Volume};
use winrefit_repair::plan::Request;
use winrefit_repair::target::Target;

pub const MIB: u64 = 1 << 20;
pub const WINDOWS: u32 = 3;
pub const RECOVERY: u32 = 4;

/// A growth that fits the small disks of the tests.
pub const REQUEST: Request = Request {
    size_bytes: Some(40 * MIB),
    free_bytes: Some(10 * MIB),
    recovery_partition: None,
    drop_shadow_copies: false,
    reclaim: false,
    remove_stale: None,
    create: false,
};

/// Where things lie, in MiB.
#[derive(Debug, Clone)]
pub struct Layout {
    pub disk: u64,
    pub windows: (u64, u64),
    pub recovery: (u64, u64),
    pub sector_size: SectorSize,
    /// Size of the file that fills C: from its front, in MiB.
    pub data: u64,
    /// Whether that file, $LogFile, $MFTMirr, $Bitmap and the start of the $MFT lie at the end of C:.
    pub full_tail: bool,
    /// Whether C: has a ReAgent.xml that names the recovery partition.
    pub reagent: bool,
    pub recovery_cluster: u32,
    /// How many shadow copies C: has, and how many the recovery volume.
    pub shadow_copies: [usize; 2],
    /// Files of 256 KiB that fill the recovery volume.
    pub recovery_fill: u32,
    /// Files beside the image that make the $MFT longer, a KiB each.
    pub recovery_files: u32,
    /// The hive SYSTEM of C:, beside what Windows Update stores; without it neither is there.
    pub update: Option<Vec<u8>>,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            disk: 80,
            windows: (4, 55),
            recovery: (55, 79),
            sector_size: SectorSize::B512,
            data: 2,
            full_tail: false,
            reagent: true,
            recovery_cluster: 4096,
            shadow_copies: [0; 2],
            recovery_fill: 0,
            recovery_files: 0,
            update: None,
        }
    }
}

pub fn disk_guid() -> Guid {
    Guid::from_u128(0x1d15_c000_0000_4000_8000_0000_0000_0001)
}

fn entry(number: u32, type_guid: Guid, mib: (u64, u64), size: SectorSize, attributes: u64) -> Partition {
    let lba = |mib: u64| Lba(mib * MIB / size.bytes());
    Partition {
        number,
        type_guid,
        unique_guid: Guid::from_u128(0xfeed_0000_0000_4000_8000_0000_0000_0000 + u128::from(number)),
        range: LbaRange::new(lba(mib.0), lba(mib.1)),
        attributes,
        name: PartitionName::new("a name").unwrap(),
    }
}

impl Layout {
    pub fn build(&self) -> MemoryDevice {
        let size = self.sector_size;
        let mut disk = MemoryDevice::zeroed((self.disk * MIB) as usize, size);
        let mut gpt = Gpt::new(disk_guid(), self.disk * MIB / size.bytes(), size).unwrap();
        let required =
            types::GPT_ATTRIBUTE_PLATFORM_REQUIRED | types::GPT_BASIC_DATA_ATTRIBUTE_NO_DRIVE_LETTER;
        gpt.add(entry(1, types::PARTITION_SYSTEM_GUID, (1, 2), size, 0))
            .unwrap();
        gpt.add(entry(2, types::PARTITION_MSFT_RESERVED_GUID, (2, 3), size, 0))
            .unwrap();
        gpt.add(entry(
            WINDOWS,
            types::PARTITION_BASIC_DATA_GUID,
            self.windows,
            size,
            0,
        ))
        .unwrap();
        gpt.add(entry(
            RECOVERY,
            types::PARTITION_MSFT_RECOVERY_GUID,
            self.recovery,
            size,
            required,
        ))
        .unwrap();
        gpt.write_protective_mbr(&mut disk).unwrap();
        gpt.write(&mut disk).unwrap();
        self.build_windows(&mut disk);
        self.build_recovery(&mut disk);
        disk
    }

    fn options(&self, mib: (u64, u64), label: &str) -> FormatOptions {
        let sectors = (mib.1 - mib.0) * MIB / self.sector_size.bytes();
        let base = match self.sector_size {
            SectorSize::B512 => FormatOptions::new(sectors),
            SectorSize::B4096 => FormatOptions::new_4kn(sectors),
        };
        FormatOptions {
            hidden_sectors: mib.0 * MIB / self.sector_size.bytes(),
            label: label.to_owned(),
            ..base
        }
    }

    pub fn reagent_xml(&self) -> Vec<u8> {
        let winre_location = ReAgentLocation {
            path: r"\Recovery\WindowsRE".to_owned(),
            id: 0,
            offset: self.recovery.0 * MIB,
            guid: disk_guid(),
        };
        ReAgentTemplate {
            winre_location,
            install_state: 1,
            ..Default::default()
        }
        .to_bytes()
    }

    fn build_windows(&self, disk: &mut MemoryDevice) {
        let mut volume = VolumeBuilder::new(self.options(self.windows, "Windows")).unwrap();
        if self.reagent {
            let path = r"Windows\System32\Recovery\ReAgent.xml";
            volume
                .add_file(path, 0, FileData::Bytes(self.reagent_xml()))
                .unwrap();
        }
        let noise: Vec<u8> = (0..self.data * MIB).map(|i| (i * 31 + i / 977) as u8).collect();
        volume
            .add_file(r"Users\someone\noise.bin", 0, FileData::Bytes(noise))
            .unwrap();
        for i in 0..40 {
            volume
                .add_file(&format!(r"Users\f{i}.txt"), 0, FileData::Bytes(vec![i; 600]))
                .unwrap();
        }
        if let Some(hive) = &self.update {
            add_update(&mut volume, hive);
        }
        write(volume, disk, self.windows, self.shadow_copies[0]);
        if self.full_tail {
            fill_tail(disk, self.windows);
        }
    }

    fn build_recovery(&self, disk: &mut MemoryDevice) {
        let mut options = self.options(self.recovery, "Recovery");
        options.cluster_size = self.recovery_cluster.max(options.sector_size);
        let mut volume = VolumeBuilder::new(options).unwrap();
        let data = wim::winre(9 * MIB, vec![(1 << 20, vec![0xA5; 3 << 20])]);
        volume.add_file(r"Recovery\WindowsRE\Winre.wim", 6, data).unwrap();
        volume
            .add_file(
                r"Recovery\WindowsRE\ReAgent.xml",
                6,
                FileData::Bytes(self.reagent_xml()),
            )
            .unwrap();
        volume
            .add_file(
                r"Recovery\WindowsRE\boot.sdi",
                6,
                FileData::Bytes(vec![0x5D; 90_000]),
            )
            .unwrap();
        for i in 0..self.recovery_fill {
            let fill = FileData::Bytes(vec![0xF5; 256 << 10]);
            volume
                .add_file(&format!(r"Recovery\fill{i}.bin"), 6, fill)
                .unwrap();
        }
        for i in 0..self.recovery_files {
            volume
                .add_file(
                    &format!(r"Recovery\Logs\{i}.log"),
                    0,
                    FileData::Bytes(vec![i as u8; 300]),
                )
                .unwrap();
        }
        write(volume, disk, self.recovery, self.shadow_copies[1]);
    }
}

/// What Windows Update stores, among many neighbours, and a hive SYSTEM.
fn add_update(volume: &mut VolumeBuilder, hive: &[u8]) {
    let mut add = |path: &str, bytes: Vec<u8>| {
        volume.add_file(path, 0, FileData::Bytes(bytes)).unwrap();
    };
    add(
        r"Windows\SoftwareDistribution\DataStore\DataStore.edb",
        vec![0xED; 70_000],
    );
    add(
        r"Windows\SoftwareDistribution\Download\update.cab",
        vec![0xCA; 9_000],
    );
    add(
        r"Windows\SoftwareDistribution\ReportingEvents.log",
        vec![0x4C; 400],
    );
    add(r"Windows\System32\catroot2\edb.log", vec![0xE0; 5_000]);
    add(r"Windows\System32\catroot2\dberr.txt", vec![0xDB; 300]);
    add(r"Windows\System32\config\SYSTEM", hive.to_vec());
    for index in 0..120 {
        add(
            &format!(r"Windows\System32\library{index:03}.dll"),
            vec![index; 200],
        );
    }
    for index in 0..13 {
        volume
            .add_directory(&format!(r"Windows\spare{index}"), 0)
            .unwrap();
    }
}

fn fill_tail(disk: &mut MemoryDevice, mib: (u64, u64)) {
    let sector = disk.sector_size().bytes() as u32;
    let length = (mib.1 - mib.0) * MIB;
    let mut volume = scatter::Scatter::of_bytes(disk.read_vec(mib.0 * MIB, length as usize).unwrap(), sector);
    let noise = volume.record_of(r"Users\someone\noise.bin");
    for record in [2, noise, 1, 6, 0] {
        volume.move_to_tail(record, AttributeType::DATA, "");
    }
    disk.write_at(mib.0 * MIB, &volume.bytes).unwrap();
}

fn write(mut volume: VolumeBuilder, disk: &mut MemoryDevice, mib: (u64, u64), shadow_copies: usize) {
    if shadow_copies > 0 {
        shadow::add_files(&mut volume, shadow_copies);
    }
    let mut part = Window::new(disk, ByteRange::new(mib.0 * MIB, mib.1 * MIB)).unwrap();
    volume.write_to(&mut part).unwrap();
    if shadow_copies > 0 {
        shadow::write(&mut part, shadow_copies);
    }
}

pub fn target<D>(device: D) -> Target<D> {
    Target {
        device,
        name: "test disk".to_owned(),
        reported: None,
        now_unix_seconds: 1_700_000_000,
    }
}

/// The volume of a partition, by the table that is on the disk now.
pub fn partition_range(disk: &dyn ReadAt, number: u32) -> ByteRange {
    let reading = compare::table(disk);
    assert!(reading.table.sound.is_ok(), "{:?}", reading.table.sound);
    reading
        .table
        .entry(number)
        .unwrap()
        .range
        .bytes(reading.sector_size)
}

/// Every user file of a volume with its content.
pub fn files(disk: &dyn ReadAt, number: u32) -> BTreeMap<String, Vec<u8>> {
    files_in(disk, partition_range(disk, number))
}

/// The same, of the volume at a place.
pub fn files_in(disk: &dyn ReadAt, range: ByteRange) -> BTreeMap<String, Vec<u8>> {
    let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap();
    let mut all = BTreeMap::new();
    for record in 24..volume.records() {
        let Ok(file) = volume.file(RecordNumber(record)) else {
            continue;
        };
        if !file.base().is_in_use() || file.is_directory() {
            continue;
        }
        let Some(stream) = file.stream(AttributeType::DATA, "").unwrap() else {
            continue;
        };
        let path = winrefit_ntfs::check::path_of(&volume, RecordNumber(record)).unwrap();
        assert!(
            volume.lookup(&path).unwrap().is_some(),
            "{path} is in no directory"
        );
        all.insert(path, volume.read_stream(stream, 1 << 30).unwrap());
    }
    assert!(!all.is_empty());
    all
}

/// Flips a byte of a volume.
pub fn poke(disk: &mut MemoryDevice, offset: u64, bytes: &[u8]) {
    disk.write_at(offset, bytes).unwrap();
}

/// A file record of a volume: its place on the disk, itself, and its bytes on the disk.
pub fn record(disk: &MemoryDevice, part: u32, number: u64) -> (u64, Record, Vec<u8>) {
    let range = partition_range(disk, part);
    let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap();
    let geometry = volume.geometry();
    let lcn = volume.mft_runs().0[0].lcn.unwrap();
    let at = range.start + geometry.offset_of(lcn) + number * u64::from(geometry.record_size);
    let raw = disk.read_vec(at, geometry.record_size as usize).unwrap();
    (at, Record::parse(RecordNumber(number), raw.clone()).unwrap(), raw)
}

/// Writes a changed record with right fixups, into $MFTMirr as well where it has a copy there.
pub fn store(device: &mut impl Device, clean: &MemoryDevice, part: u32, changed: (u64, Record, Vec<u8>)) {
    let (at, record, raw) = changed;
    let bytes = winrefit_ntfs::fixup::protect_over(record.bytes(), &raw);
    device.write_at(at, &bytes).unwrap();
    let number = record.number().0;
    if number < 4 {
        let range = partition_range(clean, part);
        let volume = Volume::open(ReadWindow::new(clean, range).unwrap()).unwrap();
        let mirror = range.start + volume.geometry().offset_of(volume.boot().mft_mirr_lcn());
        device
            .write_at(mirror + number * raw.len() as u64, &bytes)
            .unwrap();
    }
}

/// Number of the record of a file.
pub fn record_of(disk: &MemoryDevice, part: u32, path: &str) -> u64 {
    let range = partition_range(disk, part);
    let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap();
    volume.lookup(path).unwrap().unwrap().number().0
}

/// Changes bytes of the attribute of this type and name in a record.
pub fn change(
    disk: &mut MemoryDevice,
    part: u32,
    number: u64,
    what: (AttributeType, &str),
    at: usize,
    bytes: &[u8],
) {
    let (place, mut found, raw) = record(disk, part, number);
    let offset = found.find(what.0, what.1).unwrap().unwrap().offset() + at;
    found.bytes_mut()[offset..offset + bytes.len()].copy_from_slice(bytes);
    let clean = disk.clone();
    store(disk, &clean, part, (place, found, raw));
}
