//! Sparse disks with a Windows and a recovery volume, and whatever a test puts on them.

use crate::common::image::Image;
use crate::common::wim::winre;
use crate::common::{RECOVERY, WINDOWS, disk_guid};
use winrefit_disk::{ByteRange, Device, Lba, ReadAt, ReadWindow, SectorSize, Window};
use winrefit_formats::gpt::types;
use winrefit_formats::{Gpt, Guid, LbaRange, Partition, PartitionName, ReAgentLocation, ReAgentTemplate};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_ntfs::record::Record;
use winrefit_ntfs::{AttributeType, RecordNumber, Volume, fixup};

const MIB: u64 = 1 << 20;
pub const REAGENT: &str = r"Windows\System32\Recovery\ReAgent.xml";
pub const WINRE: &str = r"Recovery\WindowsRE\Winre.wim";

/// A file to be made.
pub type NewFile = (String, FileData);

/// A disk: its parts in MiB, and its files. What a test does not name is as small as can be.
pub struct Disk {
    pub mib: u64,
    /// C:, which begins at 4 MiB, ends where the recovery partition begins.
    pub border: u64,
    pub sector_size: SectorSize,
    pub cluster_size: u32,
    /// Files of C:; one at the place of a file that every Windows has stands for that.
    pub windows: Vec<NewFile>,
    pub image: Option<FileData>,
    /// Partitions of 1 MiB each behind the recovery partition.
    pub others: u32,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            mib: 120,
            border: 95,
            sector_size: SectorSize::B512,
            cluster_size: 4096,
            windows: Vec::new(),
            image: None,
            others: 0,
        }
    }
}

pub fn bytes(path: &str, content: Vec<u8>) -> NewFile {
    (path.to_owned(), FileData::Bytes(content))
}

impl Disk {
    /// One with these files on C:.
    pub fn with(windows: Vec<NewFile>) -> Self {
        Self {
            windows,
            ..Self::default()
        }
    }

    /// Where the recovery partition ends.
    fn end(&self) -> u64 {
        self.mib - 1 - u64::from(self.others)
    }

    pub fn build(self) -> Image {
        let mut disk = Image::new(self.mib * MIB, self.sector_size.bytes() as u32);
        self.table(&mut disk);
        let end = self.end();
        let reagent = self.reagent();
        let mut windows = self.volume((4, self.border));
        let has = |path: &str| self.windows.iter().any(|(own, _)| own.eq_ignore_ascii_case(path));
        if !has(REAGENT) {
            windows.add_file(REAGENT, 0, FileData::Bytes(reagent)).unwrap();
        }
        let mut recovery = self.volume((self.border, end));
        for (path, data) in self.windows {
            windows.add_file(&path, 0, data).unwrap();
        }
        let image = self.image.unwrap_or_else(|| winre(6 * MIB, vec![]));
        recovery.add_file(WINRE, 6, image).unwrap();
        write(windows, &mut disk, (4, self.border));
        write(recovery, &mut disk, (self.border, end));
        disk
    }

    fn reagent(&self) -> Vec<u8> {
        let winre_location = ReAgentLocation {
            path: r"\Recovery\WindowsRE".to_owned(),
            id: 0,
            offset: self.border * MIB,
            guid: disk_guid(),
        };
        let template = ReAgentTemplate {
            winre_location,
            install_state: 1,
            ..Default::default()
        };
        template.to_bytes()
    }

    fn volume(&self, mib: (u64, u64)) -> VolumeBuilder {
        let sectors = (mib.1 - mib.0) * MIB / self.sector_size.bytes();
        let base = match self.sector_size {
            SectorSize::B512 => FormatOptions::new(sectors),
            SectorSize::B4096 => FormatOptions::new_4kn(sectors),
        };
        let options = FormatOptions {
            hidden_sectors: mib.0 * MIB / self.sector_size.bytes(),
            cluster_size: self.cluster_size,
            ..base
        };
        VolumeBuilder::new(options).unwrap()
    }

    fn table(&self, disk: &mut Image) {
        let size = self.sector_size;
        let mut gpt = Gpt::new(disk_guid(), self.mib * MIB / size.bytes(), size).unwrap();
        let mut add = |number: u32, type_guid: Guid, mib: (u64, u64), attributes: u64| {
            let lba = |mib: u64| Lba(mib * MIB / size.bytes());
            let partition = Partition {
                number,
                type_guid,
                unique_guid: Guid::from_u128(0xfeed_0000_0000_4000_8000_0000_0000_0000 + u128::from(number)),
                range: LbaRange::new(lba(mib.0), lba(mib.1)),
                attributes,
                name: PartitionName::new("a name").unwrap(),
            };
            gpt.add(partition).unwrap();
        };
        let hidden = types::GPT_ATTRIBUTE_PLATFORM_REQUIRED | types::GPT_BASIC_DATA_ATTRIBUTE_NO_DRIVE_LETTER;
        add(1, types::PARTITION_SYSTEM_GUID, (1, 2), 0);
        add(2, types::PARTITION_MSFT_RESERVED_GUID, (2, 3), 0);
        add(WINDOWS, types::PARTITION_BASIC_DATA_GUID, (4, self.border), 0);
        add(
            RECOVERY,
            types::PARTITION_MSFT_RECOVERY_GUID,
            (self.border, self.end()),
            hidden,
        );
        for other in 0..self.others {
            let start = self.end() + u64::from(other);
            add(5 + other, types::PARTITION_BASIC_DATA_GUID, (start, start + 1), 0);
        }
        gpt.write_protective_mbr(disk).unwrap();
        gpt.write(disk).unwrap();
    }
}

fn write(volume: VolumeBuilder, disk: &mut Image, mib: (u64, u64)) {
    let mut part = Window::new(disk, ByteRange::new(mib.0 * MIB, mib.1 * MIB)).unwrap();
    volume.write_to(&mut part).unwrap();
}

/// Changes a file record of a volume that begins at byte `start`, under right fixups, and its copy in $MFTMirr.
pub fn edit(disk: &mut Image, range: ByteRange, number: u64, change: impl FnOnce(&mut Vec<u8>)) {
    let (places, bytes) = {
        let volume = Volume::open(ReadWindow::new(&*disk, range).unwrap()).unwrap();
        let geometry = volume.geometry();
        let size = u64::from(geometry.record_size);
        let cluster = u64::from(geometry.cluster_size);
        let (start, run) = volume
            .mft_runs()
            .find(winrefit_ntfs::Vcn(number * size / cluster))
            .unwrap();
        let at = range.start + geometry.offset_of(run.lcn.unwrap()) + number * size - start.0 * cluster;
        let mirror = range.start + geometry.offset_of(volume.boot().mft_mirr_lcn()) + number * size;
        let mut bytes = disk.read_vec(at, size as usize).unwrap();
        fixup::apply(&mut bytes, *b"FILE", "file record", 0).unwrap();
        change(&mut bytes);
        bytes.resize(size as usize, 0);
        fixup::protect(&mut bytes, 0x77);
        (if number < 4 { vec![at, mirror] } else { vec![at] }, bytes)
    };
    for at in places {
        disk.write_at(at, &bytes).unwrap();
    }
}

/// A file record, fixups removed.
pub fn record(disk: &Image, range: ByteRange, number: u64) -> Record {
    let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap();
    volume.read_record(RecordNumber(number)).unwrap()
}

/// Number of the record of a path.
pub fn record_of(disk: &Image, range: ByteRange, path: &str) -> u64 {
    let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap();
    volume.lookup(path).unwrap().expect(path).number().0
}

/// Where an attribute stands in a record.
pub fn attribute(record: &Record, kind: AttributeType, name: &str) -> std::ops::Range<usize> {
    let found = record.find(kind, name).unwrap().unwrap();
    found.offset()..found.offset() + found.bytes().len()
}
