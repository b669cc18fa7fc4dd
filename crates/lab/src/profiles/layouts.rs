//! Where the recovery partition lies, and what lies beside it.

use super::{AS_INSTALLED, ESP, GIB, MIB, MSR, RECOVERY, SETUP, WINDOWS, mib, part, profile, recovery};
use crate::profile::{PartitionSpec, Profile, Quirk, RecoverySpec, Role, Size};
use crate::software;

const LINUX: PartitionSpec = part(Role::Linux, mib(4096), "linux");
const OEM: PartitionSpec = part(Role::Oem, mib(256), "DIAGS");
const STALE: PartitionSpec = part(Role::StaleRecovery, mib(450), "Basic data partition");
const GAP: PartitionSpec = part(Role::Unallocated, mib(2048), "");
const SMALL_GAP: PartitionSpec = part(Role::Unallocated, mib(200), "");

/// The recovery environment of Windows 10 22H2, in the 529 MiB that Setup gave it until 2004.
const WINDOWS_10_RE: RecoverySpec = RecoverySpec {
    free_bytes: 85 * MIB,
    image_build: 19_041,
    image_revision: 1,
    ..AS_INSTALLED
};

pub(super) const PROFILES: &[Profile] = &[
    Profile {
        disk_size_bytes: 64 * GIB,
        file_count: 4000,
        ..profile(
            "server2022",
            "a fresh Windows Server 2022 whose 525 MB recovery partition is too small for its updates",
            "shrink+grow-front",
            SETUP,
        )
    },
    Profile {
        disk_size_bytes: 64 * GIB,
        file_count: 4000,
        recovery: RecoverySpec {
            free_bytes: 600 * MIB,
            image_revision: 2849,
            registry_version: Some("10.0.20348.2849"),
            ..AS_INSTALLED
        },
        ..profile(
            "healthy",
            "the same Windows with a recovery partition that has room for updates",
            "keep",
            &[ESP, MSR, WINDOWS, recovery(1100)],
        )
    },
    Profile {
        windows: software::WINDOWS_10_22H2,
        recovery: WINDOWS_10_RE,
        ..profile(
            "win10-old-order",
            "Windows 10 as Setup laid it out until version 2004: the recovery partition before all others",
            "relocate",
            &[recovery(529), ESP, MSR, WINDOWS],
        )
    },
    profile(
        "gap-behind",
        "2 GiB unallocated behind the recovery partition, as on a virtual disk made larger",
        "grow-end",
        &[ESP, MSR, WINDOWS, RECOVERY, GAP],
    ),
    profile(
        "gap-before",
        "2 GiB unallocated between C: and the recovery partition",
        "grow-front",
        &[ESP, MSR, WINDOWS, GAP, RECOVERY],
    ),
    profile(
        "gap-too-small",
        "200 MiB unallocated between C: and the recovery partition, which is not enough",
        "shrink+grow-front",
        &[ESP, MSR, WINDOWS, SMALL_GAP, RECOVERY],
    ),
    profile(
        "linux-between",
        "a Linux partition between C: and the recovery partition",
        "relocate",
        &[ESP, MSR, WINDOWS, LINUX, RECOVERY],
    ),
    profile(
        "refs-between",
        "a ReFS volume between C: and the recovery partition",
        "relocate",
        &[
            ESP,
            MSR,
            part(Role::Windows, mib(16 << 10), "Basic data partition"),
            part(Role::Refs, Size::Rest, "Basic data partition"),
            RECOVERY,
        ],
    ),
    profile(
        "linux-behind",
        "a Linux partition behind the recovery partition",
        "shrink+grow-front",
        &[ESP, MSR, WINDOWS, RECOVERY, LINUX],
    ),
    profile(
        "oem-between",
        "a computer maker's partition between C: and the recovery partition",
        "relocate",
        &[ESP, MSR, WINDOWS, OEM, RECOVERY],
    ),
    profile(
        "oem-behind",
        "a computer maker's partition behind the recovery partition",
        "shrink+grow-front",
        &[ESP, MSR, WINDOWS, RECOVERY, OEM],
    ),
    profile(
        "leftover-first",
        "an old recovery partition at the start of the disk, the active one at its end",
        "shrink+grow-front",
        &[STALE, ESP, MSR, WINDOWS, RECOVERY],
    ),
    profile(
        "leftover-between",
        "an old recovery partition between C: and the active one",
        "relocate",
        &[ESP, MSR, WINDOWS, STALE, RECOVERY],
    ),
    profile(
        "leftover-behind",
        "an old recovery partition behind the active one",
        "shrink+grow-front",
        &[ESP, MSR, WINDOWS, RECOVERY, STALE],
    ),
    profile(
        "two-re-adjacent",
        "an emptied old recovery partition right before the active one",
        "relocate",
        &[
            ESP,
            MSR,
            WINDOWS,
            part(Role::EmptyRecovery, mib(450), ""),
            RECOVERY,
        ],
    ),
    profile(
        "re-between-linux",
        "the recovery partition between two Linux partitions, 3 GiB unallocated behind the second",
        "relocate",
        &[
            ESP,
            MSR,
            WINDOWS,
            LINUX,
            RECOVERY,
            LINUX,
            part(Role::Unallocated, mib(3072), ""),
        ],
    ),
    profile(
        "data-between",
        "a data volume with free space between C: and the recovery partition",
        "shrink+grow-front",
        &[
            ESP,
            MSR,
            WINDOWS,
            part(Role::Data, mib(8 << 10), "Basic data partition"),
            RECOVERY,
        ],
    ),
    Profile {
        quirk: Some(Quirk::FreeBytes(300 * MIB)),
        ..profile(
            "data-donor",
            "C: has 300 MiB free; a data volume with much free space lies behind the recovery partition",
            "relocate",
            &[
                ESP,
                MSR,
                part(Role::Windows, mib(12 << 10), "Basic data partition"),
                RECOVERY,
                part(Role::Data, Size::Rest, "Basic data partition"),
            ],
        )
    },
    profile(
        "two-windows",
        "two Windows installations, each with a recovery partition of its own",
        "several-recovery-partitions",
        &[
            ESP,
            MSR,
            part(Role::Windows, mib(12 << 10), "Basic data partition"),
            RECOVERY,
            part(Role::Windows, Size::Rest, "Basic data partition"),
            RECOVERY,
        ],
    ),
];
