//! Lab disks as data: what is on a disk, in which order, how large, and what is wrong with it.
//!
//! The profiles themselves are in [`crate::profiles`].

use crate::profiles;
use crate::software::WindowsRelease;
use winrefit_disk::{ByteRange, SectorSize};

const MIB: u64 = 1 << 20;

/// Alignment of partitions, and the space that Windows Setup leaves unused at both ends of a disk.
pub const ALIGNMENT_BYTES: u64 = MIB;

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
    /// The partitions in the order of their numbers and places, and the gaps between them.
    pub partitions: &'static [PartitionSpec],
    /// The Windows on it.
    pub windows: WindowsRelease,
    /// The recovery environment.
    pub recovery: RecoverySpec,
    /// Number of files on the Windows volume, besides the few that make it a Windows.
    pub file_count: u32,
    /// What else is special about it.
    pub quirk: Option<Quirk>,
}

/// One partition of a profile, or a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionSpec {
    /// What it is for.
    pub role: Role,
    /// How large it is.
    pub size: Size,
    /// Its name in the partition table.
    pub name: &'static str,
}

/// What a partition is for. Type GUID, attributes and content follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// EFI system partition, FAT32.
    EfiSystem,
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
    /// A computer maker's tools, FAT32, with a type of the maker's own.
    Oem,
    /// A ReFS volume, as far as its boot sector.
    Refs,
    /// The database of a dynamic disk.
    LdmMetadata,
    /// The volumes of a dynamic disk: C:, NTFS.
    LdmWindows,
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
    /// Disabled; the image is back in `\Windows\System32\Recovery`.
    Disabled,
    /// Enabled on the recovery partition, but the image is nowhere.
    ImageMissing,
    /// Enabled on the recovery partition; the image is in `\$WinREAgent\Backup` of C: only.
    ImageInBackup,
}

/// A profile that cannot be laid out on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// The disk is too small for the partitions.
    #[error("the disk has {actual_bytes} bytes; the partitions of this profile need {needed_bytes}")]
    DiskTooSmall {
        /// What the partitions of fixed size, the least rest and both ends need.
        needed_bytes: u64,
        /// What there is.
        actual_bytes: u64,
    },
    /// The profile itself is wrong: more than one rest, or a size that is not aligned.
    #[error("partition {number} of the profile has a size that cannot be placed")]
    Size {
        /// Number of the partition, from 1.
        number: u32,
    },
}

/// Length of a table of 128 entries.
const ENTRIES_BYTES: u64 = 16 << 10;
/// The least that "the rest" may be.
const SMALLEST_REST_BYTES: u64 = 256 * MIB;

impl Profile {
    /// The profile of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        profiles::all().find(|profile| profile.name == name)
    }

    /// Bytes that the partition table knows of on a disk of `disk_size_bytes`.
    pub fn table_size_bytes(&self, disk_size_bytes: u64) -> u64 {
        match self.quirk {
            Some(Quirk::Grown(by_bytes)) => disk_size_bytes.saturating_sub(by_bytes),
            _ => disk_size_bytes,
        }
    }

    /// Where each partition or gap lies on a disk of `disk_size_bytes`, in the order of [`Profile::partitions`]. The
    /// first begins at 1 MiB, each follows right behind the one before, and the last ends at the highest multiple of
    /// 1 MiB that leaves 1 MiB of the disk, unless none takes the rest.
    ///
    /// # Errors
    /// [`LayoutError`] if they do not fit.
    pub fn layout(&self, disk_size_bytes: u64) -> Result<Vec<ByteRange>, LayoutError> {
        let (mut fixed_bytes, mut rests) = (0u64, 0);
        for (spec, number) in self.partitions.iter().zip(1..) {
            match spec.size {
                Size::Bytes(bytes) if bytes > 0 && bytes % ALIGNMENT_BYTES == 0 => {
                    fixed_bytes = fixed_bytes
                        .checked_add(bytes)
                        .ok_or(LayoutError::Size { number })?;
                }
                Size::Rest if rests == 0 => rests = 1,
                _ => return Err(LayoutError::Size { number }),
            }
        }
        let table_bytes = self.table_size_bytes(disk_size_bytes);
        let usable_bytes =
            (table_bytes / ALIGNMENT_BYTES * ALIGNMENT_BYTES).saturating_sub(2 * ALIGNMENT_BYTES);
        let needed_bytes = fixed_bytes.saturating_add(rests * SMALLEST_REST_BYTES);
        if usable_bytes < needed_bytes {
            let needed_bytes = needed_bytes
                .saturating_add(2 * ALIGNMENT_BYTES)
                .saturating_add(disk_size_bytes - table_bytes);
            return Err(LayoutError::DiskTooSmall {
                needed_bytes,
                actual_bytes: disk_size_bytes,
            });
        }
        let mut start = ALIGNMENT_BYTES;
        let ranges = self.partitions.iter().map(|spec| {
            let length = match spec.size {
                Size::Bytes(bytes) => bytes,
                Size::Rest => usable_bytes - fixed_bytes,
            };
            let range = ByteRange::new(start, start + length);
            start = range.end;
            range
        });
        let mut ranges: Vec<_> = ranges.collect();
        if let (Some(Quirk::EndsAtLastUsable), Some(last)) = (self.quirk, ranges.last_mut()) {
            // Behind it: the entries of the second copy, and its header.
            let sector = self.sector_size.bytes();
            last.end = table_bytes / sector * sector - ENTRIES_BYTES - sector;
        }
        Ok(ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn server2022_lies_as_setup_leaves_it() {
        let profile = Profile::find("server2022").unwrap();
        let ranges = profile.layout(profile.disk_size_bytes).unwrap();
        assert_eq!(ranges[0], ByteRange::new(MIB, 101 * MIB));
        assert_eq!(ranges[1], ByteRange::new(101 * MIB, 117 * MIB));
        assert_eq!(ranges[2], ByteRange::new(117 * MIB, 65_010 * MIB));
        assert_eq!(ranges[3], ByteRange::new(65_010 * MIB, 65_535 * MIB));
        assert_eq!(
            format!("{:.2}", profile.recovery.free_bytes as f64 / MIB as f64),
            "82.37"
        );
        assert_eq!(profile.partitions[3].role.attributes(), 0x8000_0000_0000_0001);
    }

    #[test]
    fn every_profile_can_be_found_and_laid_out() {
        for profile in profiles::all() {
            assert_eq!(Profile::find(profile.name), Some(profile));
            // A disk that does not end at a multiple of 1 MiB as well.
            let sector = profile.sector_size.bytes();
            for size in [profile.disk_size_bytes, profile.disk_size_bytes - sector] {
                let ranges = profile.layout(size).unwrap();
                assert!(
                    ranges.windows(2).all(|pair| pair[0].end == pair[1].start),
                    "{}",
                    profile.name
                );
                let reserve = match profile.quirk {
                    Some(Quirk::EndsAtLastUsable) => 33 * 512,
                    _ => MIB,
                };
                assert!(ranges.last().unwrap().end <= size - reserve, "{}", profile.name);
            }
            assert_eq!(profile.recovery.free_bytes % 4096, 0);
        }
        assert_eq!(Profile::find("none"), None);
    }

    #[test]
    fn a_disk_too_small_is_refused_with_the_size_it_needs() {
        let profile = Profile::find("server2022").unwrap();
        let Err(LayoutError::DiskTooSmall {
            needed_bytes,
            actual_bytes,
        }) = profile.layout(GIB / 2)
        else {
            panic!("laid out on half a GiB");
        };
        assert_eq!(
            (needed_bytes, actual_bytes),
            ((1 + 100 + 16 + 256 + 525 + 1) * MIB, GIB / 2)
        );
        assert!(profile.layout(needed_bytes).is_ok());
        assert!(profile.layout(needed_bytes - 1).is_err());
    }

    #[test]
    fn a_wrong_profile_is_refused() {
        let profile = *Profile::find("healthy").unwrap();
        let rest = PartitionSpec {
            role: Role::Windows,
            size: Size::Rest,
            name: "",
        };
        let odd = PartitionSpec {
            role: Role::Windows,
            size: Size::Bytes(MIB + 512),
            name: "",
        };
        let layout = |partitions| {
            Profile {
                partitions,
                ..profile
            }
            .layout(64 * GIB)
        };
        assert_eq!(
            layout(Box::leak(Box::new([rest, rest]))),
            Err(LayoutError::Size { number: 2 })
        );
        assert_eq!(
            layout(Box::leak(Box::new([odd]))),
            Err(LayoutError::Size { number: 1 })
        );
    }
}
