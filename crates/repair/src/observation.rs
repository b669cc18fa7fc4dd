//! What is on a disk: facts with their places, without judgement.

use crate::boot::BootStore;
use crate::table::{PartitionType, Table};
use crate::text;
use crate::text::Text;
use winrefit_disk::journal::{Found, JournalError};
use winrefit_disk::{ByteRange, Lba, SectorSize};
use winrefit_formats::{Guid, ReAgent, WimArchitecture, WimVersion};
use winrefit_ntfs::runs::Run;
use winrefit_ntfs::state::VolumeState;
use winrefit_ntfs::vss::Storage;
use winrefit_ntfs::{Geometry, NtfsError};

/// A disk as it was observed.
#[derive(Debug)]
pub struct Observation {
    /// Length in bytes.
    pub size_bytes: u64,
    /// Logical sector size.
    pub sector_size: SectorSize,
    /// The partition table.
    pub table: Table,
    /// Partitions in order of their place.
    pub partitions: Vec<Partition>,
    /// Windows installations.
    pub windows: Vec<Windows>,
    /// Boot stores.
    pub boot_stores: Vec<BootStore>,
    /// A journal of winrefit on the disk, or damage of one.
    pub journal: Result<Option<Found>, JournalError>,
}

/// A partition and what is in it.
#[derive(Debug)]
pub struct Partition {
    /// Number in the table.
    pub number: u32,
    /// Bytes of the disk.
    pub range: ByteRange,
    /// First sector.
    pub start_lba: u64,
    /// Number of sectors.
    pub sectors: u64,
    /// What it is for.
    pub kind: PartitionType,
    /// GPT: its identity.
    pub unique_guid: Option<Guid>,
    /// GPT: attribute bits.
    pub attributes: Option<u64>,
    /// GPT: its name; empty on an MBR disk.
    pub name: String,
    /// MBR: whether BIOS boot code starts from it.
    pub is_active: bool,
    /// MBR: where the EBR of a logical partition lies.
    pub ebr: Option<Lba>,
    /// What is in it.
    pub content: Content,
    /// The WinRE image at its standard place in the volume.
    pub winre: Option<WinRe>,
    /// WinRE images at other places in it.
    pub other_images: Vec<WinRe>,
}

/// What a partition holds.
#[derive(Debug)]
pub enum Content {
    /// An NTFS volume.
    Ntfs(Box<Ntfs>),
    /// An NTFS boot sector, but the volume cannot be opened.
    DamagedNtfs(NtfsError),
    /// A volume encrypted by BitLocker.
    BitLocker,
    /// A ReFS volume.
    Refs,
    /// A FAT12, FAT16 or FAT32 volume.
    Fat(&'static str),
    /// An exFAT volume.
    ExFat,
    /// All zeros where a boot sector would be.
    Empty,
    /// Something else.
    Unknown,
}

/// An NTFS volume.
#[derive(Debug)]
pub struct Ntfs {
    /// Sizes.
    pub geometry: Geometry,
    /// Label, version, flags, log, hibernation.
    pub state: Result<VolumeState, NtfsError>,
    /// Free space, where it was measured.
    pub space: Option<Space>,
    /// Clusters that Windows has put aside as bad.
    pub bad_clusters: Result<Vec<Run>, NtfsError>,
    /// Files of shadow copies, where they were looked for.
    pub shadow_storage: Option<Storage>,
}

/// Use of a volume's clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes not in use.
    pub free_bytes: u64,
    /// Fewest bytes by which the front can grow.
    pub front_growth_min: Option<u64>,
}

/// A WinRE image in a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WinRe {
    /// Path of the image.
    pub path: String,
    /// Length of the image in bytes.
    pub size_bytes: u64,
    /// Its version, or why it cannot be read.
    pub version: Result<Option<WimVersion>, String>,
    /// Its architecture.
    pub architecture: Option<WimArchitecture>,
    /// When its content was changed last, in seconds since 1970.
    pub modified: Option<u64>,
}

/// A Windows installation.
#[derive(Debug)]
pub struct Windows {
    /// The partition that holds it.
    pub partition: u32,
    /// `ProductName`.
    pub product: Option<String>,
    /// `DisplayVersion`.
    pub display_version: Option<String>,
    /// `CurrentBuild` and `UBR`.
    pub build: Option<String>,
    /// ReAgent.xml, or why it cannot be read. `None` if there is none.
    pub reagent: Option<Result<ReAgent, String>>,
    /// The partition that ReAgent.xml names, if it names one of this disk.
    pub recovery_partition: Option<u32>,
}

impl Windows {
    /// ReAgent.xml, if it can be read.
    pub fn readable_reagent(&self) -> Option<&ReAgent> {
        self.reagent.as_ref()?.as_ref().ok()
    }

    /// Path of the image that ReAgent.xml names; `None` if it names none.
    pub fn image_path(&self) -> Option<String> {
        let location = self.readable_reagent()?.winre_location.as_ref()?;
        let folder = location.path.trim_matches(['\\', '/']);
        (!folder.is_empty()).then(|| format!(r"\{folder}\Winre.wim"))
    }
}

impl Observation {
    /// The partition of that number.
    pub fn partition(&self, number: u32) -> Option<&Partition> {
        self.partitions.iter().find(|p| p.number == number)
    }
}

impl Partition {
    /// The NTFS volume, if it is one that can be opened.
    pub fn ntfs(&self) -> Option<&Ntfs> {
        match &self.content {
            Content::Ntfs(ntfs) => Some(ntfs),
            _ => None,
        }
    }

    /// Free bytes, where they were measured.
    pub fn free_bytes(&self) -> Option<u64> {
        Some(self.ntfs()?.space?.free_bytes)
    }

    /// The image at this path, ignoring case as NTFS does.
    pub fn image(&self, path: &str) -> Option<&WinRe> {
        self.images()
            .find(|image| image.path.to_lowercase() == path.to_lowercase())
    }

    /// All images found, the one at the standard place first.
    pub fn images(&self) -> impl Iterator<Item = &WinRe> {
        self.winre.iter().chain(&self.other_images)
    }

    /// Whether the partition has the recovery type.
    pub fn is_recovery_type(&self) -> bool {
        self.kind.is_recovery()
    }
}

impl Content {
    /// Short name for reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ntfs(_) | Self::DamagedNtfs(_) => "ntfs",
            Self::BitLocker => "bitlocker",
            Self::Refs => "refs",
            Self::Fat(kind) => kind,
            Self::ExFat => "exfat",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }

    /// The same for people.
    pub fn text(&self) -> Text {
        match self {
            Self::Empty => text!("empty"),
            Self::Unknown => text!("unknown"),
            other => Text::raw(other.name()),
        }
    }
}
