//! The profiles, in groups. A new profile is one entry in one of the lists; a layout that several share is a constant
//! here.

mod cases;
mod disks;
mod layouts;
mod mbr;
mod refusals;
mod winre;

use crate::evidence::EvidenceSpec;
use crate::profile::{PartitionSpec, PartitionStyle, Profile, RecoverySpec, Role, Size, WinRePlace};
use crate::software;
use winrefit_disk::SectorSize;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Profiles that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// They.
    pub profiles: &'static [Profile],
}

/// All profiles, in the order in which they are listed.
pub const GROUPS: &[Group] = &[
    Group {
        title: "Order of partitions",
        profiles: layouts::PROFILES,
    },
    Group {
        title: "State of the recovery environment",
        profiles: winre::PROFILES,
    },
    Group {
        title: "Disks and partition tables",
        profiles: disks::PROFILES,
    },
    Group {
        title: "Disks with an MBR",
        profiles: mbr::PROFILES,
    },
    Group {
        title: "Volumes that may not be changed",
        profiles: refusals::PROFILES,
    },
];

/// All profiles.
pub fn all() -> impl Iterator<Item = &'static Profile> {
    GROUPS.iter().flat_map(|group| group.profiles)
}

/// The cases: Windows on which updates failed, or could, each with the evidence of why. They are not among [`all`],
/// which are about disks.
pub const CASES: &[Group] = cases::GROUPS;

/// All cases.
pub fn cases() -> impl Iterator<Item = &'static Profile> {
    CASES.iter().flat_map(|group| group.profiles)
}

const fn part(role: Role, size: Size, name: &'static str) -> PartitionSpec {
    PartitionSpec {
        role,
        size,
        name,
        logical: false,
    }
}

const fn mib(count: u64) -> Size {
    Size::Bytes(count * MIB)
}

const ESP: PartitionSpec = part(Role::EfiSystem, mib(100), "EFI system partition");
const MSR: PartitionSpec = part(Role::MicrosoftReserved, mib(16), "Microsoft reserved partition");
const WINDOWS: PartitionSpec = part(Role::Windows, Size::Rest, "Basic data partition");

/// The recovery partition of Windows Server 2022.
const RECOVERY: PartitionSpec = recovery(525);

const fn recovery(size_mib: u64) -> PartitionSpec {
    part(Role::Recovery, mib(size_mib), "")
}

/// What Setup of Windows Server 2022 and Windows 10 since 2004 makes on an empty UEFI disk.
const SETUP: &[PartitionSpec] = &[ESP, MSR, WINDOWS, RECOVERY];

/// The recovery environment of Windows Server 2022 as it was installed.
const AS_INSTALLED: RecoverySpec = RecoverySpec {
    place: WinRePlace::RecoveryPartition,
    // 82.37 MiB, as reported of such a machine.
    free_bytes: 21_087 * 4096,
    image_build: 20_348,
    image_revision: 587,
    registry_version: None,
};

/// A small Windows Server 2022, to be varied: `Profile { quirk, ..profile(...) }`.
const fn profile(
    name: &'static str,
    summary: &'static str,
    expected: &'static str,
    partitions: &'static [PartitionSpec],
) -> Profile {
    Profile {
        name,
        summary,
        expected,
        disk_size_bytes: 32 * GIB,
        sector_size: SectorSize::B512,
        style: PartitionStyle::Gpt,
        partitions,
        windows: software::SERVER_2022,
        recovery: AS_INSTALLED,
        file_count: 500,
        quirk: None,
        evidence: EvidenceSpec::ORDINARY,
    }
}
