//! Whole small disks of any layout, GPT or MBR. The MBR is written here by hand, so that what the engine reads and
//! changes was not made by its own code.

use super::wim::winre;
use super::{disk_guid, scatter};
use winrefit_disk::{ByteRange, Device, Lba, MemoryDevice, ReadAt, SectorSize, Window};
use winrefit_formats::gpt::types;
use winrefit_formats::{Gpt, Guid, LbaRange, Partition, PartitionName, ReAgentLocation, ReAgentTemplate};
use winrefit_ntfs::AttributeType;
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};

const MIB: u64 = 1 << 20;
pub const SIGNATURE: u32 = 0x5EED_CAFE;
/// Bytes of boot code before the disk signature.
pub const CODE: usize = 440;
/// What a Windows without a recovery partition has at hand.
pub const STAGED_IMAGE: &str = r"Windows\System32\Recovery\Winre.wim";
pub const STAGED_SDI: &str = r"Windows\Boot\DVD\EFI\boot.sdi";
pub const NOISE: &str = r"Users\someone\noise.bin";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Gpt,
    Mbr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// ESP, or the small active NTFS volume of a BIOS machine.
    System,
    /// MSR; on an MBR disk bytes of no known kind.
    Reserved,
    Windows,
    Data,
    /// The one that Windows names.
    Recovery,
    /// Another one, which nothing names.
    Stale,
    /// Linux.
    Foreign,
}

#[derive(Debug, Clone)]
pub struct Part {
    pub kind: Kind,
    /// First sector, and the first behind.
    pub start: u64,
    pub end: u64,
    /// Sectors from the EBR to the start, where it is a logical one.
    pub ebr: Option<u64>,
    /// KiB of the file that fills the volume from its front.
    pub fill: u64,
    /// Whether that file lies at the volume's end.
    pub tail: bool,
    pub cluster: u32,
}

#[derive(Debug, Clone)]
pub struct Disk {
    pub style: Style,
    pub sector_size: SectorSize,
    pub sectors: u64,
    /// In the order of their numbers.
    pub parts: Vec<Part>,
    pub extended: Option<(u64, u64)>,
    /// Where the extended partition has its entry: behind so many primary ones.
    pub extended_after: usize,
    pub seed: u64,
}

pub fn part(kind: Kind, mib: (u64, u64)) -> Part {
    Part {
        kind,
        start: mib.0 * 2048,
        end: mib.1 * 2048,
        ebr: None,
        fill: if kind == Kind::Recovery { 0 } else { 1024 },
        tail: false,
        cluster: 4096,
    }
}

/// A logical partition whose EBR lies so many sectors before it.
pub fn logical(kind: Kind, mib: (u64, u64), ebr: u64) -> Part {
    Part {
        ebr: Some(ebr),
        ..part(kind, mib)
    }
}

/// A disk with sectors of 512 bytes.
pub fn disk(style: Style, mib: u64, parts: &[Part]) -> Disk {
    Disk {
        style,
        sector_size: SectorSize::B512,
        sectors: mib * 2048,
        parts: parts.to_vec(),
        extended: None,
        extended_after: 4,
        seed: 7,
    }
}

impl Disk {
    /// The same with other sectors; all places stay what they are in bytes.
    pub fn with_sectors(mut self, size: SectorSize) -> Self {
        let scale = size.bytes() / self.sector_size.bytes();
        for part in &mut self.parts {
            (part.start, part.end) = (part.start / scale, part.end / scale);
            part.ebr = part.ebr.map(|ebr| (ebr / scale).max(1));
        }
        self.extended = self.extended.map(|(start, end)| (start / scale, end / scale));
        (self.sector_size, self.sectors) = (size, self.sectors / scale);
        self
    }

    /// The number of each part.
    pub fn numbers(&self) -> Vec<u32> {
        if self.style == Style::Gpt {
            return (1..).take(self.parts.len()).collect();
        }
        let (mut primary, mut logical) = (0, 4);
        let numbers = self.parts.iter().map(|part| {
            let own = if part.ebr.is_some() {
                &mut logical
            } else {
                &mut primary
            };
            *own += 1;
            let is_behind =
                part.ebr.is_none() && *own as usize > self.extended_after && self.extended.is_some();
            *own + u32::from(is_behind)
        });
        numbers.collect()
    }

    pub fn number_of(&self, kind: Kind) -> Option<u32> {
        let at = self.parts.iter().position(|part| part.kind == kind)?;
        Some(self.numbers()[at])
    }

    pub fn recovery(&self) -> u32 {
        self.number_of(Kind::Recovery).unwrap()
    }

    /// The disk; `None` if something does not fit its volume.
    pub fn try_build(&self) -> Option<MemoryDevice> {
        let size = self.sector_size;
        let mut disk = MemoryDevice::zeroed((self.sectors * size.bytes()) as usize, size);
        self.write_table(&mut disk);
        for (at, part) in self.parts.iter().enumerate() {
            let range = ByteRange::new(part.start * size.bytes(), part.end * size.bytes());
            match self.volume(at, part) {
                Some(volume) => {
                    volume?
                        .write_to(&mut Window::new(&mut disk, range).unwrap())
                        .ok()?;
                    if part.tail {
                        to_tail(&mut disk, range);
                    }
                }
                None => {
                    let noise: Vec<u8> = noise(range.len() as usize, self.seed + at as u64);
                    disk.write_at(range.start, &noise).unwrap();
                }
            }
        }
        Some(disk)
    }

    /// The partition table only.
    pub fn write_table(&self, disk: &mut MemoryDevice) {
        match self.style {
            Style::Gpt => self.write_gpt(disk),
            Style::Mbr => self.write_mbr(disk),
        }
    }

    pub fn build(&self) -> MemoryDevice {
        self.try_build().expect("everything fits")
    }

    fn write_gpt(&self, disk: &mut MemoryDevice) {
        let mut gpt = Gpt::new(disk_guid(), self.sectors, self.sector_size).unwrap();
        for (part, number) in self.parts.iter().zip(self.numbers()) {
            let (type_guid, attributes) = match part.kind {
                Kind::System => (types::PARTITION_SYSTEM_GUID, 0),
                Kind::Reserved => (types::PARTITION_MSFT_RESERVED_GUID, 0),
                Kind::Windows | Kind::Data => (types::PARTITION_BASIC_DATA_GUID, 0),
                Kind::Recovery | Kind::Stale => (
                    types::PARTITION_MSFT_RECOVERY_GUID,
                    types::GPT_ATTRIBUTE_PLATFORM_REQUIRED | types::GPT_BASIC_DATA_ATTRIBUTE_NO_DRIVE_LETTER,
                ),
                Kind::Foreign => (types::LINUX_FILESYSTEM_GUID, 4),
            };
            gpt.add(Partition {
                number,
                type_guid,
                unique_guid: Guid::from_u128(0xfeed_0000_0000_4000_8000_0000_0000_0000 + u128::from(number)),
                range: LbaRange::new(Lba(part.start), Lba(part.end)),
                attributes,
                name: PartitionName::new(&format!("part {number}")).unwrap(),
            })
            .unwrap();
        }
        gpt.write_protective_mbr(disk).unwrap();
        gpt.write(disk).unwrap();
    }

    fn write_mbr(&self, disk: &mut MemoryDevice) {
        let size = self.sector_size.bytes();
        let mut sector = vec![0; size as usize];
        for (at, byte) in sector[..CODE].iter_mut().enumerate() {
            *byte = (at * 7 + 0x33) as u8;
        }
        sector[CODE..CODE + 4].copy_from_slice(&SIGNATURE.to_le_bytes());
        sector[510..512].copy_from_slice(&[0x55, 0xaa]);
        for (part, number) in self.parts.iter().zip(self.numbers()) {
            if part.ebr.is_none() {
                let status = if part.kind == Kind::System { 0x80 } else { 0 };
                let at = 446 + 16 * (number as usize - 1);
                let entry = entry(status, type_code(part.kind), (part.start, part.end), 0);
                sector[at..at + 16].copy_from_slice(&entry);
            }
        }
        if let Some(range) = self.extended {
            let primaries = self.parts.iter().filter(|part| part.ebr.is_none()).count();
            let at = 446 + 16 * self.extended_after.min(primaries);
            sector[at..at + 16].copy_from_slice(&entry(0, 0x0f, range, 0));
            self.write_ebrs(disk, range.0);
        }
        disk.write_at(0, &sector).unwrap();
    }

    fn write_ebrs(&self, disk: &mut MemoryDevice, base: u64) {
        let size = self.sector_size.bytes();
        let logical: Vec<(u64, &Part)> = self
            .parts
            .iter()
            .filter_map(|part| Some((part.start - part.ebr?, part)))
            .collect();
        for (at, (ebr, part)) in logical.iter().enumerate() {
            let mut sector = vec![0; size as usize];
            sector[510..512].copy_from_slice(&[0x55, 0xaa]);
            let own = entry(0, type_code(part.kind), (part.start, part.end), *ebr);
            sector[446..462].copy_from_slice(&own);
            if let Some((next, behind)) = logical.get(at + 1) {
                sector[462..478].copy_from_slice(&entry(0, 0x05, (*next, behind.end), base));
            }
            disk.write_at(ebr * size, &sector).unwrap();
        }
    }

    /// Outer `None` for what is no NTFS volume, inner for one that does not fit.
    fn volume(&self, at: usize, part: &Part) -> Option<Option<VolumeBuilder>> {
        let is_ntfs = match part.kind {
            Kind::System => self.style == Style::Mbr,
            Kind::Reserved | Kind::Foreign => false,
            _ => true,
        };
        is_ntfs.then(|| self.fill(at, part))
    }

    fn fill(&self, at: usize, part: &Part) -> Option<VolumeBuilder> {
        let base = match self.sector_size {
            SectorSize::B512 => FormatOptions::new(part.end - part.start),
            SectorSize::B4096 => FormatOptions::new_4kn(part.end - part.start),
        };
        let options = FormatOptions {
            hidden_sectors: part.start,
            cluster_size: part.cluster.max(base.sector_size),
            ..base
        };
        let mut volume = VolumeBuilder::new(options).ok()?;
        let mut add = |path: &str, data: FileData| volume.add_file(path, 0, data).ok();
        if part.kind == Kind::Windows {
            let path = r"Windows\System32\Recovery\ReAgent.xml";
            add(path, FileData::Bytes(self.reagent_xml()))?;
            if self.number_of(Kind::Recovery).is_none() {
                add(STAGED_IMAGE, wim())?;
                add(STAGED_SDI, FileData::Bytes(vec![0x5D; 30_000]))?;
            }
        }
        if self.boot_part() == Some(at) {
            add(r"Boot\BCD", FileData::Bytes(self.boot_store()))?;
            add("bootmgr", FileData::Bytes(vec![0xB0; 3000]))?;
        }
        if matches!(part.kind, Kind::Recovery | Kind::Stale) {
            add(r"Recovery\WindowsRE\Winre.wim", wim())?;
            add(
                r"Recovery\WindowsRE\boot.sdi",
                FileData::Bytes(vec![0x5D; 30_000]),
            )?;
        }
        if part.kind == Kind::Recovery {
            add(
                r"Recovery\WindowsRE\ReAgent.xml",
                FileData::Bytes(self.reagent_xml()),
            )?;
        }
        for i in 0..12u8 {
            add(
                &format!(r"Users\f{i}.txt"),
                FileData::Bytes(vec![i; 600 + usize::from(i) * 90]),
            )?;
        }
        let noise = noise((part.fill << 10) as usize, self.seed + at as u64);
        add(NOISE, FileData::Bytes(noise))?;
        Some(volume)
    }

    /// The part with the boot store of an MBR disk.
    fn boot_part(&self) -> Option<usize> {
        let of = |kind| self.parts.iter().position(|part| part.kind == kind);
        let is_mbr = self.style == Style::Mbr;
        of(Kind::System).or(of(Kind::Windows)).filter(|_| is_mbr)
    }

    fn boot_store(&self) -> Vec<u8> {
        let name = |kind| {
            let part = self.parts.iter().find(|part| part.kind == kind);
            winrefit_lab::bcd::Partition::Mbr {
                signature: SIGNATURE,
                offset: part.map_or(0, |part| part.start) * self.sector_size.bytes(),
            }
        };
        let id = uuid::Uuid::from_u128;
        let recovery = winrefit_lab::bcd::RecoveryEntry {
            partition: name(Kind::Recovery),
            loader: id(0x11),
            ramdisk: id(0x12),
        };
        let store = winrefit_lab::bcd::BootStore {
            system: name(Kind::System),
            windows: name(Kind::Windows),
            loader: id(0x13),
            resume: id(0x14),
            description: "Windows",
            recovery: Some(recovery),
        };
        store.to_hive(0).unwrap()
    }

    /// That WinRE is on the recovery partition; disabled, where there is none.
    pub fn reagent_xml(&self) -> Vec<u8> {
        let mut all = self.parts.iter();
        let Some(recovery) = all.find(|part| part.kind == Kind::Recovery) else {
            return ReAgentTemplate::default().to_bytes();
        };
        let (id, guid) = match self.style {
            Style::Gpt => (0, disk_guid()),
            Style::Mbr => (SIGNATURE, Guid::from_u128(0)),
        };
        let winre_location = ReAgentLocation {
            path: r"\Recovery\WindowsRE".to_owned(),
            id,
            offset: recovery.start * self.sector_size.bytes(),
            guid,
        };
        ReAgentTemplate {
            winre_location,
            install_state: 1,
            ..Default::default()
        }
        .to_bytes()
    }
}

fn to_tail(disk: &mut MemoryDevice, range: ByteRange) {
    let sector = disk.sector_size().bytes() as u32;
    let bytes = disk.read_vec(range.start, range.len() as usize).unwrap();
    let mut volume = scatter::Scatter::of_bytes(bytes, sector);
    let record = volume.record_of(NOISE);
    let count = volume.clusters_of(record, AttributeType::DATA, "");
    let place = volume.clusters() - count;
    volume.relocate(record, AttributeType::DATA, "", &[(place, count)]);
    disk.write_at(range.start, &volume.bytes).unwrap();
}

/// The image of all recovery environments on these disks.
pub fn wim() -> FileData {
    winre(2 * MIB, vec![(1 << 20, vec![0xA5; 700 << 10])])
}

pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn type_code(kind: Kind) -> u8 {
    match kind {
        Kind::System | Kind::Windows | Kind::Data => 0x07,
        Kind::Recovery | Kind::Stale => 0x27,
        Kind::Reserved => 0x12,
        Kind::Foreign => 0x83,
    }
}

/// An entry whose start counts from `base`.
fn entry(status: u8, type_code: u8, range: (u64, u64), base: u64) -> [u8; 16] {
    let mut entry = [0; 16];
    entry[0] = status;
    entry[1..4].copy_from_slice(&chs(range.0));
    entry[4] = type_code;
    entry[5..8].copy_from_slice(&chs(range.1 - 1));
    entry[8..12].copy_from_slice(&((range.0 - base) as u32).to_le_bytes());
    entry[12..].copy_from_slice(&((range.1 - range.0) as u32).to_le_bytes());
    entry
}

/// Cylinder, head and sector by the geometry of 255 heads and 63 sectors; none of these disks has 1024 cylinders.
pub fn chs(lba: u64) -> [u8; 3] {
    let cylinder = lba / (255 * 63);
    assert!(cylinder < 1024);
    let (head, sector) = (lba / 63 % 255, lba % 63 + 1);
    [head as u8, (sector | (cylinder >> 8) << 6) as u8, cylinder as u8]
}
