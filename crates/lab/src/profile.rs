//! Lab disks as data: what is on a disk, in which order, how large, and what is wrong with it.
//!
//! The profiles themselves are in [`crate::profiles`].

use crate::evidence::EvidenceSpec;
use crate::profiles;
use crate::software::WindowsRelease;
use winrefit_disk::SectorSize;

mod layout;

pub use layout::{ALIGNMENT_BYTES, LayoutError, Place};

/// A disk of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// How a user asks for it.
    pub name: &'static str,
    /// One line on what it shows.
    pub summary: &'static str,
    /// What `winrefit plan` answers on it: a strategy, or the code of a refusal.
    pub expected: &'static str,
    /// Size of the disk unless the user wants another.
    pub disk_size_bytes: u64,
    /// Its logical sectors.
    pub sector_size: SectorSize,
    /// What partition table it has.
    pub style: PartitionStyle,
    /// The partitions in the order of their places, and the gaps between them.
    pub partitions: &'static [PartitionSpec],
    /// The Windows on it.
    pub windows: WindowsRelease,
    /// The recovery environment.
    pub recovery: RecoverySpec,
    /// Number of files on the Windows volume, besides the few that make it a Windows.
    pub file_count: u32,
    /// What else is special about it.
    pub quirk: Option<Quirk>,
    /// What its Windows keeps of the past.
    pub evidence: EvidenceSpec,
}

/// One partition of a profile, or a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionSpec {
    /// What it is for.
    pub role: Role,
    /// How large it is.
    pub size: Size,
    /// Its name in the partition table; an MBR has none.
    pub name: &'static str,
    /// MBR only: it lies in the extended partition. Those that do follow each other.
    pub logical: bool,
}

/// What partition table a disk has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionStyle {
    /// A GPT; the firmware is UEFI.
    Gpt,
    /// An MBR; the firmware is a BIOS.
    Mbr(MbrSpec),
}

/// An MBR. The system partition is the active one: "System Reserved", or the first Windows where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MbrSpec {
    /// Where partitions begin.
    pub alignment: Alignment,
    /// What starts the computer.
    pub boot_code: BootCode,
}

/// Where the partitions of an MBR begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    /// At whole MiB, as Windows since Vista has it; a logical one lies 1 MiB behind its EBR.
    Mebibyte,
    /// The first one, made by Windows XP, at sector 63; the others at whole MiB.
    FirstAtTrack,
    /// At whole cylinders of 255 heads and 63 sectors, as Windows XP and many makers had it: the first partition and
    /// the logical ones begin one track behind.
    Cylinder,
}

/// What is in the first sectors of an MBR disk. Neither starts a computer: the bytes are made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootCode {
    /// Code in LBA 0, as Windows has it.
    Windows,
    /// The same and 62 sectors behind it, as GRUB has it.
    Grub,
}

/// What a partition is for. Type, attributes and content follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// EFI system partition, FAT32.
    EfiSystem,
    /// The active partition of an MBR disk with the boot files, NTFS.
    SystemReserved,
    /// Microsoft reserved partition, without a file system.
    MicrosoftReserved,
    /// C:, NTFS. Of several, each is a Windows.
    Windows,
    /// Windows RE tools, NTFS. Each belongs to the Windows of the same rank.
    Recovery,
    /// A recovery partition with an old image that no Windows refers to.
    StaleRecovery,
    /// A formatted recovery partition without any file.
    EmptyRecovery,
    /// An ext4 file system, as far as its superblock.
    Linux,
    /// Somebody's files, NTFS.
    Data,
    /// A computer maker's tools, FAT32, with a type of the maker's own.
    Oem,
    /// A ReFS volume, as far as its boot sector.
    Refs,
    /// The database of a dynamic disk.
    LdmMetadata,
    /// The volumes of a dynamic disk: C:, NTFS.
    LdmWindows,
    /// A part of a dynamic disk's volume that begins on another disk.
    LdmExtent,
    /// Member of a storage pool.
    StoragePool,
    /// No partition: unallocated space.
    Unallocated,
}

impl Role {
    /// The GPT attributes that Windows Setup gives such a partition: bit 0 platform required, bit 63 no drive letter.
    pub const fn attributes(self) -> u64 {
        match self {
            Self::EfiSystem | Self::MicrosoftReserved => 0x8000_0000_0000_0000,
            Self::Recovery | Self::StaleRecovery | Self::EmptyRecovery | Self::Oem => 0x8000_0000_0000_0001,
            _ => 0,
        }
    }

    /// The label of its volume.
    pub const fn volume_label(self) -> &'static str {
        match self {
            Self::EfiSystem => "SYSTEM",
            Self::SystemReserved => "System Reserved",
            Self::Data => "Data",
            Self::Recovery | Self::StaleRecovery | Self::EmptyRecovery => "Recovery",
            Self::Oem => "DIAGS",
            _ => "",
        }
    }

    /// Whether a Windows is on it.
    pub const fn is_windows(self) -> bool {
        matches!(self, Self::Windows | Self::LdmWindows)
    }
}

/// What is special about a disk beyond its partitions. What concerns a volume concerns the first Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// Encrypted by BitLocker.
    BitLocker,
    /// Encrypted by something that leaves no readable boot sector, VeraCrypt for example.
    ForeignBootSector,
    /// A hibernated Windows in `hiberfil.sys`.
    Hibernated,
    /// `$LogFile` of version 2.0.
    FastStartup,
    /// The dirty flag.
    Dirty,
    /// `$LogFile` in use.
    UncleanLog,
    /// So many shadow copies.
    ShadowCopies(u8),
    /// Some bad clusters 64 MiB before the end.
    BadClusters,
    /// All files and some of the file system's own lie at the end.
    FullTail,
    /// So many bytes are free; a multiple of the cluster size.
    FreeBytes(u64),
    /// The header of the first copy of the partition table is gone.
    PrimaryTableDamaged,
    /// The header of the second copy of the partition table is gone.
    BackupTableDamaged,
    /// LBA 0 names the Windows partition, too.
    HybridMbr,
    /// A partition table of 256 entries.
    ManyEntries,
    /// The disk grew by so many bytes after it was partitioned.
    Grown(u64),
    /// The last partition ends at the last sector that the table lets it use.
    EndsAtLastUsable,
    /// The boot store starts the leftover recovery partition instead.
    BootStoreDisagrees,
    /// System Reserved has the type of recovery partitions, as some makers of computers set it up.
    SystemIsRecovery,
}

/// How large a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// So many bytes, a multiple of [`ALIGNMENT_BYTES`].
    Bytes(u64),
    /// What the others leave of the disk. One of a profile at most.
    Rest,
}

/// The recovery environment of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoverySpec {
    /// Where it is.
    pub place: WinRePlace,
    /// Bytes free on its volume with everything in place; the image takes what remains. A multiple of 4096. Of no
    /// account where the image is not on the recovery partition.
    pub free_bytes: u64,
    /// Build of the image; the version is 10.0.build.revision.
    pub image_build: u32,
    /// Serviced revision of the image.
    pub image_revision: u32,
    /// `WinREVersion` in the registry of Windows, which may differ from the image.
    pub registry_version: Option<&'static str>,
}

/// Where the recovery environment is, and whether boot store and `ReAgent.xml` point to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WinRePlace {
    /// Enabled, on the recovery partition.
    RecoveryPartition,
    /// Enabled, on the Windows volume.
    WindowsVolume,
    /// Enabled, on the active partition of an MBR disk, as Windows Server 2012 R2 has it.
    SystemPartition,
    /// Disabled; the image is back in `\Windows\System32\Recovery`.
    Disabled,
    /// Enabled on the recovery partition, but the image is nowhere.
    ImageMissing,
    /// Enabled on the recovery partition; the image is in `\$WinREAgent\Backup` of C: only.
    ImageInBackup,
}

impl Profile {
    /// The profile of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        let mut known = profiles::all().chain(profiles::cases());
        known.find(|profile| profile.name == name)
    }

    /// Whether the disk has an MBR instead of a GPT.
    pub const fn is_mbr(&self) -> bool {
        matches!(self.style, PartitionStyle::Mbr(_))
    }

    /// Whether it is a dynamic disk.
    pub fn is_dynamic(&self) -> bool {
        self.partitions.iter().any(|spec| spec.role == Role::LdmWindows)
    }
}
