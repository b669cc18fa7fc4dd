//! Lab disks as data: what is on a disk, in which order, how large, and what is wrong with it.
//!
//! A new profile is one entry in [`PROFILES`].

use crate::software::{self, WindowsRelease};
use winrefit_disk::ByteRange;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Alignment of partitions, and the space that Windows Setup leaves unused at both ends of a disk.
pub const ALIGNMENT_BYTES: u64 = MIB;

/// A disk of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// How a user asks for it.
    pub name: &'static str,
    /// One line on what it shows.
    pub summary: &'static str,
    /// Size of the disk unless the user wants another.
    pub disk_size_bytes: u64,
    /// The partitions in the order of their numbers and places.
    pub partitions: &'static [PartitionSpec],
    /// The Windows on it.
    pub windows: WindowsRelease,
    /// The recovery environment.
    pub recovery: RecoverySpec,
    /// Number of files on the Windows volume, besides the few that make it a Windows.
    pub file_count: u32,
}

/// One partition of a profile.
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
    /// C:, NTFS.
    Windows,
    /// Windows RE tools, NTFS.
    Recovery,
}

impl Role {
    /// The GPT attributes that Windows Setup gives such a partition: bit 0 platform required, bit 63 no drive letter.
    pub const fn attributes(self) -> u64 {
        match self {
            Self::EfiSystem | Self::MicrosoftReserved => 0x8000_0000_0000_0000,
            Self::Windows => 0,
            Self::Recovery => 0x8000_0000_0000_0001,
        }
    }

    /// The label of its volume.
    pub const fn volume_label(self) -> &'static str {
        match self {
            Self::EfiSystem => "SYSTEM",
            Self::MicrosoftReserved | Self::Windows => "",
            Self::Recovery => "Recovery",
        }
    }
}

/// How large a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// So many bytes, a multiple of [`ALIGNMENT_BYTES`].
    Bytes(u64),
    /// What the others leave of the disk. One partition of a profile at most.
    Rest,
}

/// The recovery environment of a profile, enabled: boot store and `ReAgent.xml` point to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoverySpec {
    /// Bytes free on its volume with everything in place; the image takes what remains. A multiple of 4096.
    pub free_bytes: u64,
    /// Build of the image; the version is 10.0.build.revision.
    pub image_build: u32,
    /// Serviced revision of the image.
    pub image_revision: u32,
    /// `WinREVersion` in the registry of Windows, which may differ from the image.
    pub registry_version: Option<&'static str>,
}

/// The partitions that Setup of Windows Server 2022 and Windows 10 since 2004 makes on an empty UEFI disk.
const fn setup_layout(recovery_bytes: u64) -> [PartitionSpec; 4] {
    [
        PartitionSpec {
            role: Role::EfiSystem,
            size: Size::Bytes(100 * MIB),
            name: "EFI system partition",
        },
        PartitionSpec {
            role: Role::MicrosoftReserved,
            size: Size::Bytes(16 * MIB),
            name: "Microsoft reserved partition",
        },
        PartitionSpec {
            role: Role::Windows,
            size: Size::Rest,
            name: "Basic data partition",
        },
        PartitionSpec {
            role: Role::Recovery,
            size: Size::Bytes(recovery_bytes),
            name: "",
        },
    ]
}

/// All profiles, in the order in which they are listed.
pub const PROFILES: &[Profile] = &[
    Profile {
        name: "server2022",
        summary: "a fresh Windows Server 2022 whose 525 MB recovery partition is too small for its updates",
        disk_size_bytes: 64 * GIB,
        partitions: &setup_layout(525 * MIB),
        windows: software::SERVER_2022,
        recovery: RecoverySpec {
            // 82.37 MiB, as reported of such a machine.
            free_bytes: 21_087 * 4096,
            image_build: 20_348,
            image_revision: 587,
            registry_version: None,
        },
        file_count: 4000,
    },
    Profile {
        name: "healthy",
        summary: "the same Windows with a recovery partition that has room for updates",
        disk_size_bytes: 64 * GIB,
        partitions: &setup_layout(1100 * MIB),
        windows: software::SERVER_2022,
        recovery: RecoverySpec {
            free_bytes: 600 * MIB,
            image_build: 20_348,
            image_revision: 2849,
            registry_version: Some("10.0.20348.2849"),
        },
        file_count: 4000,
    },
];

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

/// The least that "the rest" may be.
const SMALLEST_REST_BYTES: u64 = 256 * MIB;

impl Profile {
    /// The profile of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// Where each partition lies on a disk of `disk_size_bytes`, in the order of [`Profile::partitions`]. The first
    /// begins at 1 MiB, each follows right behind the one before, and the last ends at the highest multiple of 1 MiB
    /// that leaves 1 MiB of the disk, unless no partition takes the rest.
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
        let usable_bytes =
            (disk_size_bytes / ALIGNMENT_BYTES * ALIGNMENT_BYTES).saturating_sub(2 * ALIGNMENT_BYTES);
        let needed_bytes = fixed_bytes.saturating_add(rests * SMALLEST_REST_BYTES);
        if usable_bytes < needed_bytes {
            let needed_bytes = needed_bytes.saturating_add(2 * ALIGNMENT_BYTES);
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
        Ok(ranges.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for profile in PROFILES {
            assert_eq!(Profile::find(profile.name), Some(profile));
            // A disk that does not end at a multiple of 1 MiB as well.
            for size in [profile.disk_size_bytes, profile.disk_size_bytes - 512] {
                let ranges = profile.layout(size).unwrap();
                assert!(
                    ranges.windows(2).all(|pair| pair[0].end == pair[1].start),
                    "{}",
                    profile.name
                );
                assert!(ranges.last().unwrap().end <= size - MIB, "{}", profile.name);
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
