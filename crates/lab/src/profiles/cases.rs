//! The cases: one update that failed, or should have been offered, and what its Windows tells of it.
//!
//! The disks are plain and small; what differs is the evidence. `expected` is what `plan` answers, as everywhere.

mod damaged;
mod other;
mod roomy;
mod small;
mod titles;

use super::{AS_INSTALLED, ESP, GIB, Group, MIB, MSR, WINDOWS, profile, recovery};
use crate::evidence::{Happening, Past};
use crate::profile::{PartitionSpec, Profile, RecoverySpec};
use crate::software;
use crate::time::MINUTE;

pub(super) const GROUPS: &[Group] = &[
    Group {
        title: "Cases: the recovery partition is too small",
        profiles: small::PROFILES,
    },
    Group {
        title: "Cases: the recovery partition has room",
        profiles: roomy::PROFILES,
    },
    Group {
        title: "Cases: it is not about the recovery partition",
        profiles: other::PROFILES,
    },
    Group {
        title: "Cases: evidence that is damaged or missing",
        profiles: damaged::PROFILES,
    },
];

/// `ERROR_INSTALL_FAILURE` as an HRESULT: the error that all this is about.
const FAILED: u32 = 0x8007_0643;
/// `ERROR_DISK_FULL` as an HRESULT.
const DISK_FULL: u32 = 0x8007_0070;

/// The image as Windows 10 installs it.
const WINDOWS_10_RE: RecoverySpec = RecoverySpec {
    free_bytes: 85 * MIB,
    image_build: 19_041,
    image_revision: 1,
    ..AS_INSTALLED
};
/// The same behind a partition with room, and updated in January 2024.
const UPDATED_RE: RecoverySpec = RecoverySpec {
    free_bytes: 600 * MIB,
    image_revision: 3920,
    registry_version: Some("10.0.19041.3920"),
    ..WINDOWS_10_RE
};
/// A partition with room and an image that was never updated.
const OLD_RE: RecoverySpec = RecoverySpec {
    free_bytes: 600 * MIB,
    ..WINDOWS_10_RE
};

const SMALL: &[PartitionSpec] = &[ESP, MSR, WINDOWS, recovery(529)];
const ROOMY: &[PartitionSpec] = &[ESP, MSR, WINDOWS, recovery(1100)];

/// Windows 10 22H2 with a recovery partition that is too small.
const fn small_10(name: &'static str, summary: &'static str) -> Profile {
    Profile {
        disk_size_bytes: 16 * GIB,
        file_count: 60,
        windows: software::WINDOWS_10_22H2,
        recovery: WINDOWS_10_RE,
        ..profile(name, summary, "shrink+grow-front", SMALL)
    }
}

/// Windows 10 22H2 with a recovery partition that has room, and an image that is up to date.
const fn roomy_10(name: &'static str, summary: &'static str) -> Profile {
    Profile {
        partitions: ROOMY,
        recovery: UPDATED_RE,
        expected: "keep",
        ..small_10(name, summary)
    }
}

/// The same with an image that is not.
const fn old_10(name: &'static str, summary: &'static str) -> Profile {
    Profile {
        recovery: OLD_RE,
        ..roomy_10(name, summary)
    }
}

const fn past(time: u64, what: Happening) -> Past {
    Past { time, what }
}

/// An update of WinRE that failed for lack of space, from its download on; `time` is when it failed.
const fn out_of_space(time: u64, title: &'static str) -> [Past; 5] {
    [
        past(time - 20 * MINUTE, Happening::UpdateDownloading(title)),
        past(time - 5 * MINUTE, Happening::UpdateStarted(title)),
        past(time - 4 * MINUTE, Happening::ServicingStarted),
        past(
            time - MINUTE,
            Happening::ServicingFailed {
                phase: 2,
                code: DISK_FULL,
            },
        ),
        past(time, Happening::UpdateFailed { title, code: FAILED }),
    ]
}

/// An update that failed, without a word from WinRE.
const fn failed(time: u64, title: &'static str, code: u32) -> [Past; 2] {
    [
        past(time - 5 * MINUTE, Happening::UpdateStarted(title)),
        past(time, Happening::UpdateFailed { title, code }),
    ]
}

/// What Windows Installer says when an update of .NET fails.
const DOTNET_INSTALLER: Happening = Happening::InstallerFailed {
    product: "Microsoft .NET Framework 4.8.1",
    version: "4.8.09037",
    manufacturer: "Microsoft Corporation",
};
