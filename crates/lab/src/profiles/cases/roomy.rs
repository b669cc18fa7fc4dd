//! The recovery partition has room: the error is false or over, or something else is wrong with WinRE.

use super::{FAILED, MIB, OLD_RE, Profile, UPDATED_RE, old_10, out_of_space, past, roomy_10, titles};
use crate::evidence::{EvidenceSpec, Happening, Lines, LogLines, RegistryFact};
use crate::profile::{RecoverySpec, WinRePlace};
use crate::software;
use crate::time::{DAY, MINUTE, at};

const NONE: EvidenceSpec = EvidenceSpec::ORDINARY;
const JANUARY: u64 = at(2024, 1, 10, 3, 12);
const APRIL: u64 = at(2025, 4, 9, 3, 30);
const RECOVERY_PACKAGE: RegistryFact = RegistryFact::Package {
    identity: "Package_for_KB5034441~31bf3856ad364e35~amd64~~19041.3920.1.3",
    state: 0x70,
};
const FALSE_ERROR: Happening = Happening::UpdateFailed {
    title: titles::KB5057589,
    code: FAILED,
};

/// The image after the update of April 2025, and after that of October 2025.
const APRIL_RE: RecoverySpec = RecoverySpec {
    image_revision: 5728,
    registry_version: Some("10.0.19041.5728"),
    ..UPDATED_RE
};
const OCTOBER_RE: RecoverySpec = RecoverySpec {
    image_revision: 6456,
    registry_version: Some("10.0.19041.6456"),
    ..UPDATED_RE
};
const SERVER_RE: RecoverySpec = RecoverySpec {
    image_build: 20_348,
    image_revision: 587,
    ..OLD_RE
};

pub(super) const PROFILES: &[Profile] = &[
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(
                    JANUARY,
                    Happening::UpdateFailed {
                        title: titles::KB5034441,
                        code: FAILED,
                    },
                ),
                past(JANUARY + 60 * DAY, Happening::ServicingStarted),
                past(
                    JANUARY + 60 * DAY + 3 * MINUTE,
                    Happening::ServicingSucceeded {
                        version: "10.0.19041.3920",
                    },
                ),
                past(
                    JANUARY + 60 * DAY + 4 * MINUTE,
                    Happening::UpdateInstalled(titles::KB5034441),
                ),
            ],
            registry: &[RECOVERY_PACKAGE],
            ..NONE
        },
        ..roomy_10(
            "case-repaired-since",
            "KB5034441 failed in January; the partition was enlarged and 4501 says success since",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &out_of_space(JANUARY, titles::KB5034441),
            ..NONE
        },
        ..old_10(
            "case-room-now",
            "KB5034441 failed for lack of space; there is room now, and nothing has tried again",
        )
    },
    Profile {
        recovery: APRIL_RE,
        evidence: EvidenceSpec {
            past: &[past(APRIL, FALSE_ERROR)],
            registry: &[RegistryFact::RebootRequired],
            ..NONE
        },
        ..roomy_10(
            "case-false-error",
            "the false 0x80070643 of April 2025: KB5057589 while another update waits for a restart",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(
                    APRIL - 10 * MINUTE,
                    Happening::UpdateInstalled(titles::WINDOWS_10_ROLLUP_APRIL),
                ),
                past(APRIL, FALSE_ERROR),
            ],
            registry: &[RegistryFact::RebootPending],
            ..NONE
        },
        ..roomy_10(
            "case-false-error-pending",
            "the same; only the component store says that a restart is due",
        )
    },
    Profile {
        recovery: APRIL_RE,
        evidence: EvidenceSpec {
            past: &[
                past(APRIL, FALSE_ERROR),
                past(APRIL + DAY, Happening::ServicingStarted),
                past(
                    APRIL + DAY + 3 * MINUTE,
                    Happening::ServicingSucceeded {
                        version: "10.0.19041.5728",
                    },
                ),
            ],
            ..NONE
        },
        ..roomy_10(
            "case-false-error-over",
            "the same after the restart: 4501 says success",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(JANUARY, Happening::ServicingStarted),
                past(
                    JANUARY + MINUTE,
                    Happening::ServicingFailed {
                        phase: 5,
                        code: 0x8007_0005,
                    },
                ),
                past(
                    JANUARY + 2 * MINUTE,
                    Happening::UpdateFailed {
                        title: titles::KB5034441,
                        code: FAILED,
                    },
                ),
            ],
            ..NONE
        },
        ..old_10(
            "case-other-phase",
            "WinREAgent 4502 with a phase other than 2, whose meaning is not published",
        )
    },
    Profile {
        windows: software::SERVER_2022_CORE,
        recovery: SERVER_RE,
        evidence: EvidenceSpec {
            past: &[past(
                JANUARY,
                Happening::UpdateFailed {
                    title: titles::KB5034439,
                    code: FAILED,
                },
            )],
            ..NONE
        },
        ..old_10(
            "case-server-core",
            "Server Core 2022: KB5034439 fails although there is room; enlarging does not help",
        )
    },
    old_10(
        "case-old-image",
        "there is room, no error, and an image that was never updated",
    ),
    Profile {
        recovery: RecoverySpec {
            registry_version: Some("10.0.19041.3920"),
            ..OLD_RE
        },
        ..old_10(
            "case-forged-version",
            "WinREVersion in the registry is a claim: 10.0.19041.3920, the image is older",
        )
    },
    Profile {
        recovery: RecoverySpec {
            registry_version: None,
            ..UPDATED_RE
        },
        ..roomy_10(
            "case-version-missing",
            "the image is up to date and the registry does not say so",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[past(JANUARY, Happening::UpdateInstalled(titles::KB5034441))],
            registry: &[RECOVERY_PACKAGE],
            ..NONE
        },
        ..old_10(
            "case-contradiction",
            "Windows says that KB5034441 is installed; the image is the old one",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            registry: &[RegistryFact::PatchScriptSucceeded],
            ..NONE
        },
        ..old_10(
            "case-patch-script",
            "Microsoft's script left WinREPathScriptSucceed, and the image is old",
        )
    },
    Profile {
        recovery: RecoverySpec {
            place: WinRePlace::ImageInBackup,
            ..OLD_RE
        },
        evidence: EvidenceSpec {
            lines: &[LogLines {
                time: at(2024, 1, 18, 21, 7),
                what: Lines::ImageSetToBackup,
            }],
            servicing_folder: true,
            ..NONE
        },
        ..old_10(
            "case-image-in-backup",
            r"reagentc /setreimage with \$WinREAgent\Backup, as forums advise; the image is there only",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &super::failed(at(2024, 1, 10, 3, 40), titles::WINDOWS_10_ROLLUP, 0x800F_0922),
            servicing_folder: true,
            ..NONE
        },
        ..roomy_10(
            "case-leftover-folder",
            r"the monthly update fails with 0x800F0922 and an old \$WinREAgent lies on C:",
        )
    },
    Profile {
        windows: software::WINDOWS_10_LATE_2025,
        recovery: OCTOBER_RE,
        evidence: EvidenceSpec {
            past: &[
                past(
                    at(2025, 10, 15, 3, 8),
                    Happening::ServicingSucceeded {
                        version: "10.0.19041.6456",
                    },
                ),
                past(
                    at(2025, 10, 15, 3, 9),
                    Happening::UpdateInstalled(titles::KB5068164),
                ),
            ],
            registry: &[RegistryFact::Package {
                identity: "Package_for_KB5068164~31bf3856ad364e35~amd64~~19041.6456.1.2",
                state: 0x70,
            }],
            ..NONE
        },
        ..roomy_10(
            "case-kb5068164",
            "KB5068164 of October 2025, which can leave a WinRE that does not start; KB5075039 is missing",
        )
    },
    Profile {
        windows: software::WINDOWS_10_LATE_2025,
        recovery: RecoverySpec {
            image_revision: 6931,
            registry_version: Some("10.0.19041.6931"),
            ..OCTOBER_RE
        },
        evidence: EvidenceSpec {
            past: &[
                past(
                    at(2025, 10, 15, 3, 9),
                    Happening::UpdateInstalled(titles::KB5068164),
                ),
                past(
                    at(2026, 3, 4, 3, 8),
                    Happening::ServicingSucceeded {
                        version: "10.0.19041.6931",
                    },
                ),
                past(
                    at(2026, 3, 4, 3, 9),
                    Happening::UpdateInstalled(titles::KB5075039),
                ),
            ],
            ..NONE
        },
        ..roomy_10("case-kb5075039", "the same, repaired by KB5075039 of March 2026")
    },
    Profile {
        recovery: RecoverySpec {
            place: WinRePlace::Disabled,
            free_bytes: 600 * MIB,
            ..OLD_RE
        },
        evidence: EvidenceSpec {
            registry: &[
                RegistryFact::ImageState("IMAGE_STATE_SPECIALIZE_RESEAL_TO_AUDIT"),
                RegistryFact::Setup {
                    in_progress: 1,
                    oobe: 0,
                    kind: 2,
                },
            ],
            ..NONE
        },
        ..old_10(
            "case-audit-mode",
            "Windows in audit mode: reagentc would answer 4c7, WinRE is disabled",
        )
    },
    Profile {
        recovery: RecoverySpec {
            place: WinRePlace::Disabled,
            ..OLD_RE
        },
        evidence: EvidenceSpec {
            registry: &[
                RegistryFact::ImageState("IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE"),
                RegistryFact::Setup {
                    in_progress: 1,
                    oobe: 1,
                    kind: 2,
                },
            ],
            ..NONE
        },
        ..old_10(
            "case-oobe",
            "Windows before its first sign-in: Setup has not ended",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(JANUARY - 4 * MINUTE, Happening::ServicingStarted),
                past(
                    JANUARY,
                    Happening::ServicingFailed {
                        phase: 2,
                        code: super::DISK_FULL,
                    },
                ),
            ],
            ..NONE
        },
        ..roomy_10(
            "case-silent-failure",
            "WinREAgent 4502 says phase 2 although there is the room that the rule wants; Windows Update says nothing",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            registry: &[RegistryFact::RebootRequired],
            servicing_folder: true,
            ..NONE
        },
        ..roomy_10(
            "case-staged",
            "an update waits in \\$WinREAgent for the restart that is due",
        )
    },
];
