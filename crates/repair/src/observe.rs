//! Reading the facts of a disk. Damage inside a volume is a fact, not an error, and so is a sector that cannot be read:
//! only a missing partition table ends an observation.

pub mod images;
pub(crate) mod unreadable;

use crate::boot;
use crate::error::RepairError;
use crate::observation::{Content, Ntfs, Observation, Partition, Space, Windows};
use crate::places::find_journal;
use crate::records::product_name;
use crate::table::{Entry, TableReading, read_table};
use winrefit_disk::{Allowance, ReadAt, ReadWindow, SectorSize};
use winrefit_formats::{Hive, ReAgent};
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::resize::front_growth_clusters_min;
use winrefit_ntfs::state::VolumeState;
use winrefit_ntfs::vss;
use winrefit_ntfs::{AttributeType, NtfsError, Volume, bad_clusters};

/// Paths where Windows Setup and reagentc put the recovery environment.
pub const WINRE_IMAGE: &str = r"\Recovery\WindowsRE\Winre.wim";
/// The recovery configuration of a Windows.
pub const REAGENT_XML: &str = r"\Windows\System32\Recovery\ReAgent.xml";
const SOFTWARE_HIVE: &str = r"\Windows\System32\config\SOFTWARE";
const CURRENT_VERSION: &str = r"Microsoft\Windows NT\CurrentVersion";
/// ReAgent.xml is about 1.1 kB.
pub(crate) const REAGENT_BYTES_MAX: u64 = 1 << 20;

/// What may be read of the hive for the name of a Windows: four values of one key.
const RELEASE_READ_BYTES_MAX: u64 = 16 << 20;
/// Longest name that is kept.
const RELEASE_CHARS_MAX: usize = 300;

/// How much to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What a diagnosis needs. The $Bitmap of large volumes is not read, so their free space stays unknown.
    Quick,
    /// The $Bitmap of every volume as well.
    Full,
}

/// Longest $Bitmap that [`Depth::Quick`] reads: a volume of 16 GiB with clusters of 4 KiB.
const QUICK_BITMAP_BYTES: u64 = 512 << 10;

type Part<'d> = ReadWindow<&'d dyn ReadAt>;

/// Observes a whole disk.
///
/// # Errors
/// Those of [`read_table`], or an error of the medium.
pub fn observe(
    disk: &dyn ReadAt,
    device: Option<SectorSize>,
    depth: Depth,
) -> Result<Observation, RepairError> {
    if let Some(format) = foreign_format(disk) {
        return Err(RepairError::NotRaw { format });
    }
    let TableReading { table, sector_size } = read_table(disk, device)?;
    let journal = find_journal(disk, &table, sector_size);
    let mut entries: Vec<_> = table.entries().iter().collect();
    entries.sort_by_key(|entry| entry.range.start);
    let partitions = entries
        .into_iter()
        .map(|entry| partition(disk, sector_size, entry, depth))
        .collect();
    let mut observation = Observation {
        size_bytes: disk.size(),
        sector_size,
        table,
        partitions,
        windows: Vec::new(),
        boot_stores: Vec::new(),
        journal,
    };
    observation.windows = windows(disk, &observation)?;
    images::add_named(disk, &mut observation.partitions, &observation.windows);
    observation.boot_stores = boot::observe(disk, &observation);
    Ok(observation)
}

/// Formats of virtual disks by their signatures (qemu block drivers' documentation, MS-VHDX, libvhdi, libvmdk).
fn foreign_format(disk: &dyn ReadAt) -> Option<&'static str> {
    // Reading the partition table tells of a first sector that is bad.
    let head = disk.read_vec(0, disk.size().min(512) as usize).ok()?;
    let begins = |magic: &[u8]| head.starts_with(magic);
    if begins(b"QFI\xfb") {
        Some("QCOW2")
    } else if begins(b"vhdxfile") {
        Some("VHDX")
    } else if begins(b"KDMV") || begins(b"# Disk DescriptorFile") {
        Some("VMDK")
    } else if begins(b"conectix") || ends_as_vhd(disk) {
        Some("VHD")
    } else if head.get(0x40..0x44) == Some(&[0x7F, 0x10, 0xDA, 0xBE]) && begins(b"<<<") {
        Some("VDI")
    } else {
        None
    }
}

/// Whether a footer stands at the end that is not that of a fixed size, which [`winrefit_disk::DiskFile`] leaves out: the
/// second copy of a GPT would be written over it.
fn ends_as_vhd(disk: &dyn ReadAt) -> bool {
    let footer = disk.size().checked_sub(512).map(|at| disk.read_vec(at, 8));
    matches!(footer, Some(Ok(cookie)) if cookie == b"conectix")
}

fn partition(disk: &dyn ReadAt, sector_size: SectorSize, entry: &Entry, depth: Depth) -> Partition {
    let range = entry.range.bytes(sector_size);
    // An MBR may name sectors that the disk does not have.
    let part = ReadWindow::new(disk, range).ok();
    let content = part.map_or(Content::Unknown, |part| content(part, depth));
    let (winre, other_images) = match (&content, part) {
        (Content::Ntfs(_), Some(part)) => {
            Volume::open(part).map_or((None, Vec::new()), |volume| images::find(&volume))
        }
        _ => (None, Vec::new()),
    };
    Partition {
        number: entry.number,
        range,
        start_lba: entry.range.start.0,
        sectors: entry.range.sectors(),
        kind: entry.kind,
        unique_guid: entry.unique_guid,
        attributes: entry.attributes,
        name: entry.name.clone(),
        is_active: entry.is_active,
        ebr: entry.ebr,
        content,
        winre,
        other_images,
    }
}

/// Tells what a partition holds by its first sector; where that cannot be read, by the last one: a volume of NTFS has a
/// copy there.
fn content(part: Part<'_>, depth: Depth) -> Content {
    let mut sector = [0u8; 512];
    let length = sector.len() as u64;
    if part.size() < length {
        return Content::Unknown;
    }
    if let Err(error) = part.read_at(0, &mut sector) {
        let mut last = [0u8; 512];
        let is_ntfs = |last: &[u8; 512]| last[3..11] == *b"NTFS    ";
        let sizes = [length, 4096].into_iter().filter(|&size| size <= part.size());
        let mut backups =
            sizes.map(|size| part.read_at(part.size() - size, &mut last).is_ok() && is_ntfs(&last));
        return match backups.any(|is_ntfs| is_ntfs) {
            true => Content::DamagedNtfs(error.into()),
            false => Content::Unknown,
        };
    }
    let ends = sector[510..] == [0x55, 0xAA];
    match &sector[3..11] {
        b"NTFS    " => match ntfs(part, depth) {
            Ok(ntfs) => Content::Ntfs(Box::new(ntfs)),
            Err(error) => Content::DamagedNtfs(error),
        },
        b"-FVE-FS-" => Content::BitLocker,
        b"EXFAT   " => Content::ExFat,
        oem if oem.starts_with(b"ReFS") => Content::Refs,
        _ if ends && &sector[0x52..0x5A] == b"FAT32   " => Content::Fat("fat32"),
        _ if ends && &sector[0x36..0x3B] == b"FAT16" => Content::Fat("fat16"),
        _ if ends && &sector[0x36..0x3B] == b"FAT12" => Content::Fat("fat12"),
        _ if sector.iter().all(|&byte| byte == 0) => Content::Empty,
        _ => Content::Unknown,
    }
}

fn ntfs(part: Part<'_>, depth: Depth) -> Result<Ntfs, NtfsError> {
    let volume = Volume::open(part)?;
    let geometry = volume.geometry();
    let small = ClusterBitmap::bytes_for(geometry.clusters()) <= QUICK_BITMAP_BYTES;
    let space = match depth {
        Depth::Full => Some(space(&volume)?),
        // A diagnosis goes on without what it cannot read.
        Depth::Quick if small => match space(&volume) {
            Err(NtfsError::Disk(_)) => None,
            measured => Some(measured?),
        },
        Depth::Quick => None,
    };
    let state = VolumeState::read(&volume);
    // What cannot be read there is damage, which the check before a change finds.
    let shadow_storage = match depth {
        Depth::Quick => None,
        Depth::Full => vss::storage(&volume).ok(),
    };
    Ok(Ntfs {
        geometry,
        state,
        space,
        bad_clusters: bad_clusters(&volume),
        shadow_storage,
    })
}

fn space<R: ReadAt>(volume: &Volume<R>) -> Result<Space, NtfsError> {
    let geometry = volume.geometry();
    let bitmap = ClusterBitmap::read(volume)?;
    let cluster = u64::from(geometry.cluster_size);
    Ok(Space {
        free_bytes: bitmap.free_clusters() * cluster,
        front_growth_min: front_growth_clusters_min(volume)
            .ok()
            .map(|clusters| clusters.saturating_mul(cluster)),
    })
}

fn windows(disk: &dyn ReadAt, observation: &Observation) -> Result<Vec<Windows>, RepairError> {
    let mut found = Vec::new();
    for partition in &observation.partitions {
        if partition.ntfs().is_none() || partition.is_recovery_type() {
            continue;
        }
        let Ok(volume) = Volume::open(ReadWindow::new(disk, partition.range)?) else {
            continue;
        };
        let reagent = read_small(&volume, REAGENT_XML, REAGENT_BYTES_MAX).map_err(|e| e.to_string());
        let reagent = reagent
            .transpose()
            .map(|bytes| bytes.and_then(|bytes| ReAgent::parse(&bytes).map_err(|e| e.to_string())));
        let names = release(&volume);
        if reagent.is_none() && names.is_none() {
            continue;
        }
        let [product, display_version, build] = names.unwrap_or_default();
        let location = reagent
            .as_ref()
            .and_then(|r| r.as_ref().ok()?.winre_location.clone());
        let recovery_partition = location.and_then(|location| {
            let here = observation.table.id.is_of(&location);
            let mut all = observation.partitions.iter();
            all.find(|p| here && !location.path.is_empty() && p.range.start == location.offset)
                .map(|p| p.number)
        });
        let number = partition.number;
        found.push(Windows {
            partition: number,
            product,
            display_version,
            build,
            reagent,
            recovery_partition,
        });
    }
    Ok(found)
}

/// The content of a file of at most `limit` bytes; `None` if there is no such file.
pub(crate) fn read_small<R: ReadAt>(
    volume: &Volume<R>,
    path: &str,
    limit: u64,
) -> Result<Option<Vec<u8>>, NtfsError> {
    let Some(file) = volume.lookup(path)? else {
        return Ok(None);
    };
    let stream = file.require(AttributeType::DATA, "")?;
    volume.read_stream(stream, limit).map(Some)
}

/// Product name, display version and build from the SOFTWARE hive; `None` if there is no such hive.
fn release<R: ReadAt>(volume: &Volume<R>) -> Option<[Option<String>; 3]> {
    let file = volume.lookup(SOFTWARE_HIVE).ok()??;
    let stream = file.require(AttributeType::DATA, "").ok()?;
    let reader = Allowance::new(volume.stream_reader(stream).ok()?, RELEASE_READ_BYTES_MAX);
    let hive = Hive::open(&reader).ok()?;
    let value = |name: &str| hive.value(CURRENT_VERSION, name).ok().flatten();
    let text = |name: &str| {
        let value = value(name)?;
        Some(
            value
                .as_str()?
                .chars()
                .take(RELEASE_CHARS_MAX)
                .collect::<String>(),
        )
    };
    let build = text("CurrentBuild").map(|build| match value("UBR").and_then(|v| v.as_u64()) {
        Some(revision) => format!("{build}.{revision}"),
        None => build,
    });
    let number = text("CurrentBuild").and_then(|build| build.parse().ok());
    let product = text("ProductName").map(|name| product_name(&name, number));
    Some([product, text("DisplayVersion"), build])
}
