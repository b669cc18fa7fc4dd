//! Disks of BIOS computers, with an MBR.

use super::{AS_INSTALLED, GIB, MIB, RECOVERY, WINDOWS, mib, part, profile, recovery};
use crate::profile::{
    Alignment, BootCode, MbrSpec, PartitionSpec, PartitionStyle, Profile, Quirk, RecoverySpec, Role, Size,
    WinRePlace,
};
use winrefit_disk::SectorSize;

const USUAL: MbrSpec = MbrSpec {
    alignment: Alignment::Mebibyte,
    boot_code: BootCode::Windows,
};

const SYSTEM: PartitionSpec = part(Role::SystemReserved, mib(500), "");
const OEM: PartitionSpec = part(Role::Oem, mib(256), "");
const LINUX: PartitionSpec = part(Role::Linux, mib(4096), "");
const DATA: PartitionSpec = part(Role::Data, mib(8 << 10), "");
const GAP: PartitionSpec = part(Role::Unallocated, mib(2048), "");

const fn logical(spec: PartitionSpec) -> PartitionSpec {
    PartitionSpec {
        logical: true,
        ..spec
    }
}

const fn mbr(
    name: &'static str,
    summary: &'static str,
    expected: &'static str,
    partitions: &'static [PartitionSpec],
) -> Profile {
    Profile {
        style: PartitionStyle::Mbr(USUAL),
        ..profile(name, summary, expected, partitions)
    }
}

const fn aligned(alignment: Alignment, base: Profile) -> Profile {
    Profile {
        style: PartitionStyle::Mbr(MbrSpec { alignment, ..USUAL }),
        ..base
    }
}

pub(super) const PROFILES: &[Profile] = &[
    mbr(
        "mbr",
        "a BIOS computer as Setup lays it out: System Reserved, C:, and a recovery partition that is too small",
        "shrink+grow-front",
        &[SYSTEM, WINDOWS, RECOVERY],
    ),
    Profile {
        recovery: RecoverySpec {
            free_bytes: 600 * MIB,
            image_revision: 2849,
            registry_version: Some("10.0.20348.2849"),
            ..AS_INSTALLED
        },
        ..mbr(
            "mbr-healthy",
            "the same with a recovery partition that has room for updates",
            "keep",
            &[SYSTEM, WINDOWS, recovery(1100)],
        )
    },
    Profile {
        recovery: RecoverySpec {
            place: WinRePlace::Disabled,
            ..AS_INSTALLED
        },
        ..mbr(
            "mbr-no-re",
            "no recovery partition, WinRE disabled",
            "create",
            &[SYSTEM, WINDOWS],
        )
    },
    mbr(
        "mbr-full",
        "all four entries in use, a computer maker's partition between C: and the recovery partition",
        "relocate",
        &[SYSTEM, WINDOWS, OEM, RECOVERY],
    ),
    mbr(
        "mbr-four-primaries",
        "all four entries in use, the recovery partition right behind C:",
        "shrink+grow-front",
        &[SYSTEM, OEM, WINDOWS, RECOVERY],
    ),
    mbr(
        "mbr-re-first",
        "the recovery partition before C:",
        "relocate",
        &[SYSTEM, RECOVERY, WINDOWS],
    ),
    mbr(
        "mbr-gap-behind",
        "2 GiB unallocated behind the recovery partition",
        "grow-end",
        &[SYSTEM, WINDOWS, RECOVERY, GAP],
    ),
    mbr(
        "mbr-logical",
        "D: and the recovery partition are logical partitions",
        "shrink+grow-front",
        &[SYSTEM, WINDOWS, logical(DATA), logical(RECOVERY)],
    ),
    mbr(
        "mbr-logical-windows",
        "C: and the recovery partition are logical partitions",
        "shrink+grow-front",
        &[SYSTEM, logical(WINDOWS), logical(RECOVERY)],
    ),
    mbr(
        "mbr-logical-first",
        "the recovery partition is the first logical partition, C: lies before the extended one",
        "no-donor",
        &[SYSTEM, WINDOWS, logical(RECOVERY), logical(DATA)],
    ),
    mbr(
        "mbr-system-on-c",
        "no System Reserved: C: is active and has the boot files",
        "shrink+grow-front",
        &[WINDOWS, RECOVERY],
    ),
    aligned(
        Alignment::FirstAtTrack,
        mbr(
            "mbr-xp-alignment",
            "C: was made by Windows XP and begins at sector 63",
            "shrink+grow-front",
            &[WINDOWS, RECOVERY],
        ),
    ),
    aligned(
        Alignment::Cylinder,
        mbr(
            "mbr-cylinders",
            "all partitions begin at cylinders of 255 heads and 63 sectors, the logical ones a track behind",
            "shrink+grow-front",
            &[WINDOWS, logical(DATA), logical(RECOVERY)],
        ),
    ),
    Profile {
        recovery: RecoverySpec {
            place: WinRePlace::SystemPartition,
            free_bytes: 50 * MIB,
            image_build: 9600,
            image_revision: 17_031,
            registry_version: None,
        },
        ..mbr(
            "mbr-winre-in-system-reserved",
            "WinRE in System Reserved, as Windows Server 2012 R2 set it up",
            "not-recovery-type",
            &[part(Role::SystemReserved, mib(350), ""), WINDOWS],
        )
    },
    Profile {
        quirk: Some(Quirk::SystemIsRecovery),
        recovery: RecoverySpec {
            place: WinRePlace::SystemPartition,
            ..AS_INSTALLED
        },
        ..mbr(
            "mbr-re-active",
            "the active partition is of the recovery type: the boot manager and WinRE are both in it",
            "active-recovery-partition",
            &[part(Role::SystemReserved, mib(1024), ""), WINDOWS],
        )
    },
    Profile {
        quirk: Some(Quirk::BitLocker),
        ..mbr(
            "mbr-bitlocker",
            "C: is encrypted by BitLocker, on a BIOS computer",
            "bitlocker",
            &[SYSTEM, WINDOWS, RECOVERY],
        )
    },
    Profile {
        quirk: Some(Quirk::ForeignBootSector),
        ..mbr(
            "mbr-foreign-boot-sector",
            "C: is encrypted by something else, on a BIOS computer",
            "foreign-boot-sector",
            &[SYSTEM, WINDOWS, RECOVERY],
        )
    },
    Profile {
        style: PartitionStyle::Mbr(MbrSpec {
            boot_code: BootCode::Grub,
            ..USUAL
        }),
        ..mbr(
            "mbr-linux-boot",
            "GRUB in the sectors behind the MBR, and a Linux partition between C: and the recovery partition",
            "relocate",
            &[SYSTEM, WINDOWS, LINUX, RECOVERY],
        )
    },
    mbr(
        "mbr-ldm",
        "a dynamic disk with an MBR: the Logical Disk Manager owns C:",
        "managed-disk",
        &[SYSTEM, part(Role::LdmWindows, Size::Rest, ""), RECOVERY],
    ),
    Profile {
        sector_size: SectorSize::B4096,
        ..mbr(
            "mbr-4kn",
            "an MBR on a disk with sectors of 4096 bytes",
            "shrink+grow-front",
            &[SYSTEM, WINDOWS, RECOVERY],
        )
    },
    Profile {
        disk_size_bytes: 2112 * GIB,
        // Its $Bitmap alone has 64 MiB.
        file_count: 200,
        ..mbr(
            "mbr-over-2tib",
            "a disk of 2112 GiB: the recovery partition ends 1 MiB before what an MBR can name",
            "shrink+grow-front",
            &[SYSTEM, WINDOWS, RECOVERY],
        )
    },
];
