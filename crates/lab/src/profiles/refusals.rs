//! Disks that are refused, for the sake of the data on them.

use super::{ESP, GIB, MIB, MSR, RECOVERY, SETUP, WINDOWS, mib, part, profile, recovery};
use crate::profile::{Profile, Quirk, Role, Size};

/// Setup's layout with something special about C:.
const fn quirk(quirk: Quirk, name: &'static str, summary: &'static str, expected: &'static str) -> Profile {
    Profile {
        quirk: Some(quirk),
        ..profile(name, summary, expected, SETUP)
    }
}

pub(super) const PROFILES: &[Profile] = &[
    quirk(
        Quirk::BitLocker,
        "bitlocker",
        "C: is encrypted by BitLocker",
        "bitlocker",
    ),
    quirk(
        Quirk::ForeignBootSector,
        "foreign-boot-sector",
        "C: begins with random bytes, as VeraCrypt leaves it",
        "foreign-boot-sector",
    ),
    Profile {
        quirk: Some(Quirk::ForeignBootSector),
        ..profile(
            "foreign-boot-sector-gap",
            "the same with 2 GiB unallocated before the recovery partition",
            "foreign-boot-sector",
            &[
                ESP,
                MSR,
                WINDOWS,
                part(Role::Unallocated, mib(2048), ""),
                RECOVERY,
            ],
        )
    },
    quirk(
        Quirk::Hibernated,
        "hibernated",
        "Windows is hibernated: hiberfil.sys holds it",
        "hibernated",
    ),
    quirk(
        Quirk::FastStartup,
        "fast-startup",
        "Windows was shut down with Fast Startup: $LogFile has version 2.0",
        "fast-startup",
    ),
    quirk(Quirk::Dirty, "dirty", "C: is marked dirty", "dirty"),
    quirk(
        Quirk::UncleanLog,
        "unclean-log",
        "C: was not unmounted: $LogFile is in use",
        "unclean-log",
    ),
    profile(
        "dynamic-disk",
        "a dynamic disk: the Logical Disk Manager owns C:",
        "managed-disk",
        &[
            ESP,
            part(Role::LdmMetadata, mib(1), "LDM metadata partition"),
            MSR,
            part(Role::LdmWindows, Size::Rest, "LDM data partition"),
            RECOVERY,
        ],
    ),
    profile(
        "spanned",
        "a dynamic disk with a part of a spanned volume before the recovery partition",
        "managed-disk",
        &[
            ESP,
            part(Role::LdmMetadata, mib(1), "LDM metadata partition"),
            MSR,
            part(Role::LdmWindows, mib(16 << 10), "LDM data partition"),
            part(Role::LdmExtent, Size::Rest, "LDM data partition"),
            RECOVERY,
        ],
    ),
    profile(
        "storage-spaces",
        "the space before the recovery partition belongs to a storage pool",
        "managed-disk",
        &[
            ESP,
            MSR,
            part(Role::Windows, mib(16 << 10), "Basic data partition"),
            part(Role::StoragePool, Size::Rest, "Storage pool"),
            RECOVERY,
        ],
    ),
    Profile {
        quirk: Some(Quirk::FreeBytes(300 * MIB)),
        ..profile(
            "refs",
            "a ReFS volume lies before the recovery partition, and C: has 300 MiB free",
            "refs",
            &[
                ESP,
                MSR,
                part(Role::Windows, mib(12 << 10), "Basic data partition"),
                part(Role::Refs, Size::Rest, "Basic data partition"),
                RECOVERY,
            ],
        )
    },
    profile(
        "re-over-2gib",
        "WinRE lies in a computer maker's factory image of 3 GiB",
        "recovery-volume-too-large",
        &[ESP, MSR, WINDOWS, recovery(3072)],
    ),
    quirk(
        Quirk::ShadowCopies(3),
        "shadow-copies",
        "C: has three shadow copies",
        "shadow-copies",
    ),
    quirk(
        Quirk::BadClusters,
        "bad-clusters",
        "C: has bad clusters where the recovery partition would begin",
        "bad-clusters",
    ),
    Profile {
        disk_size_bytes: 16 * GIB,
        ..quirk(
            Quirk::FreeBytes(300 * MIB),
            "donor-full",
            "C: has 300 MiB free",
            "donor-too-full",
        )
    },
];
