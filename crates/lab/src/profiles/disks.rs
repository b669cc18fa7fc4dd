//! Disks and partition tables that are not as usual.

use super::{AS_INSTALLED, GIB, MIB, MSR, RECOVERY, SETUP, WINDOWS, mib, part, profile};
use crate::profile::{Profile, Quirk, RecoverySpec, Role};
use winrefit_disk::SectorSize;

const fn with(quirk: Quirk, base: Profile) -> Profile {
    Profile {
        quirk: Some(quirk),
        ..base
    }
}

pub(super) const PROFILES: &[Profile] = &[
    Profile {
        sector_size: SectorSize::B4096,
        ..profile(
            "4kn",
            "a disk with sectors of 4096 bytes",
            "shrink+grow-front",
            // FAT32 needs so much on such a disk.
            &[
                part(Role::EfiSystem, mib(300), "EFI system partition"),
                MSR,
                WINDOWS,
                RECOVERY,
            ],
        )
    },
    Profile {
        disk_size_bytes: 2112 * GIB,
        // Its $Bitmap alone has 66 MiB.
        file_count: 200,
        ..profile(
            "over-2tib",
            "a disk of 2112 GiB: the recovery partition lies behind the 32-bit sector numbers",
            "shrink+grow-front",
            SETUP,
        )
    },
    with(
        Quirk::Grown(8 * GIB),
        profile(
            "grown",
            "a virtual disk made 8 GiB larger: the second copy of the table is not at its end",
            "grow-end",
            SETUP,
        ),
    ),
    with(
        Quirk::PrimaryTableDamaged,
        profile(
            "primary-table-damaged",
            "the first copy of the partition table has lost its header",
            "shrink+grow-front",
            SETUP,
        ),
    ),
    with(
        Quirk::BackupTableDamaged,
        profile(
            "backup-table-damaged",
            "the second copy of the partition table has lost its header",
            "shrink+grow-front",
            SETUP,
        ),
    ),
    with(
        Quirk::HybridMbr,
        profile(
            "hybrid-mbr",
            "LBA 0 names the Windows partition beside the protective entry",
            "hybrid-mbr",
            SETUP,
        ),
    ),
    with(
        Quirk::ManyEntries,
        profile(
            "256-entries",
            "a partition table of 256 entries instead of 128",
            "shrink+grow-front",
            SETUP,
        ),
    ),
    with(
        Quirk::EndsAtLastUsable,
        profile(
            "ends-in-reserve",
            "the recovery partition ends in the last MiB, at the last sector before the second table",
            "shrink+grow-front",
            SETUP,
        ),
    ),
    Profile {
        recovery: RecoverySpec {
            free_bytes: 120 * MIB,
            ..AS_INSTALLED
        },
        file_count: 300,
        ..with(
            Quirk::FullTail,
            profile(
                "full-tail",
                "files and the file system's own structures fill the end of C:",
                "shrink+grow-front",
                SETUP,
            ),
        )
    },
];
