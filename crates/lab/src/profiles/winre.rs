//! Where the recovery environment is, other than enabled in its partition.

use super::{AS_INSTALLED, ESP, MSR, RECOVERY, SETUP, WINDOWS, mib, part, profile};
use crate::profile::{PartitionSpec, Profile, Quirk, RecoverySpec, Role, WinRePlace};

const EMPTY: PartitionSpec = part(Role::EmptyRecovery, mib(525), "");
const STALE: PartitionSpec = part(Role::StaleRecovery, mib(450), "");

const fn at(place: WinRePlace, base: Profile) -> Profile {
    Profile {
        recovery: RecoverySpec {
            place,
            ..AS_INSTALLED
        },
        ..base
    }
}

pub(super) const PROFILES: &[Profile] = &[
    at(
        WinRePlace::WindowsVolume,
        profile(
            "winre-on-c",
            "WinRE enabled on the Windows volume, no recovery partition",
            "winre-on-windows-volume",
            &[ESP, MSR, WINDOWS],
        ),
    ),
    at(
        WinRePlace::Disabled,
        profile(
            "winre-disabled",
            r"WinRE disabled: the image is back in \Windows\System32\Recovery, the partition is there",
            "shrink+grow-front",
            SETUP,
        ),
    ),
    at(
        WinRePlace::Disabled,
        profile(
            "re-empty",
            "a recovery partition without any file, WinRE disabled",
            "shrink+grow-front",
            &[ESP, MSR, WINDOWS, EMPTY],
        ),
    ),
    at(
        WinRePlace::Disabled,
        profile(
            "no-re",
            "no recovery partition, WinRE disabled",
            "create",
            &[ESP, MSR, WINDOWS],
        ),
    ),
    at(
        WinRePlace::Disabled,
        profile(
            "create-gap",
            r"no recovery partition, the image in \Windows\System32\Recovery, 2 GiB unallocated behind C:",
            "create",
            &[ESP, MSR, WINDOWS, part(Role::Unallocated, mib(2048), "")],
        ),
    ),
    at(
        WinRePlace::ImageMissing,
        profile(
            "winre-missing",
            "WinRE enabled, but Winre.wim is nowhere on the disk",
            "keep",
            SETUP,
        ),
    ),
    at(
        WinRePlace::ImageMissing,
        profile(
            "winre-image-elsewhere",
            "WinRE enabled, but the only Winre.wim is an old one in a leftover recovery partition",
            "shrink+grow-front",
            &[ESP, MSR, WINDOWS, RECOVERY, STALE],
        ),
    ),
    at(
        WinRePlace::ImageInBackup,
        profile(
            "winre-in-backup",
            r"WinRE enabled, but Winre.wim is left in \$WinREAgent\Backup only, as after an update that broke off",
            "shrink+grow-front",
            SETUP,
        ),
    ),
    Profile {
        quirk: Some(Quirk::BootStoreDisagrees),
        ..profile(
            "boot-store-disagrees",
            "ReAgent.xml names one recovery partition, the boot store another",
            "shrink+grow-front",
            &[ESP, MSR, WINDOWS, RECOVERY, STALE],
        )
    },
];
