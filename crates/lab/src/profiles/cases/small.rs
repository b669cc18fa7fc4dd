//! The recovery partition is too small for its updates.

use super::super::{AS_INSTALLED, SETUP};
use super::{DISK_FULL, FAILED, MIB, WINDOWS_10_RE, failed, out_of_space, past, small_10, titles};
use crate::evidence::{EvidenceSpec, Happening, Lines, LogLines, RegistryFact};
use crate::profile::{Profile, RecoverySpec, WinRePlace};
use crate::software;
use crate::time::{MINUTE, at};

const NONE: EvidenceSpec = EvidenceSpec::ORDINARY;
/// When it failed in the month the error came up.
const JANUARY: u64 = at(2024, 1, 10, 3, 12);
/// `ERROR_INTERNET_TIMEOUT`.
const TIMED_OUT: u32 = 0x8007_2EE2;
const IMAGE_BYTES: u64 = 462_000_000;
const NO_SPACE: Lines = Lines::ComponentStoreFailed {
    code: 0x800F_0828,
    name: "CBS_E_INSUFFICIENT_DISK_SPACE",
    about: "package Package_for_KB5034441~31bf3856ad364e35~amd64~~19041.3920.1.3, WinRE",
};

/// The image as Windows 11 21H2 installs it.
const WINDOWS_11_RE: RecoverySpec = RecoverySpec {
    image_build: 22_000,
    ..WINDOWS_10_RE
};
/// The image of Windows 11 23H2 as an update of Windows left it.
const WINDOWS_11_23H2_RE: RecoverySpec = RecoverySpec {
    image_build: 22_621,
    image_revision: 4455,
    ..WINDOWS_10_RE
};

pub(super) const PROFILES: &[Profile] = &[
    Profile {
        evidence: EvidenceSpec {
            past: &out_of_space(JANUARY, titles::KB5034441),
            lines: &[LogLines {
                time: JANUARY - MINUTE,
                what: Lines::ServicingFailed { code: DISK_FULL },
            }],
            ..NONE
        },
        ..small_10(
            "case-kb5034441",
            "Windows 10: KB5034441 failed with 0x80070643, WinREAgent 4502 says phase 2",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &out_of_space(JANUARY, titles::KB5034441_GERMAN),
            ..NONE
        },
        ..small_10("case-kb5034441-german", "the same with the title in German")
    },
    Profile {
        evidence: EvidenceSpec {
            past: &out_of_space(JANUARY, titles::KB5034441_CHINESE),
            ..NONE
        },
        ..small_10("case-kb5034441-chinese", "the same with the title in Chinese")
    },
    Profile {
        windows: software::SERVER_2022,
        partitions: SETUP,
        recovery: AS_INSTALLED,
        evidence: EvidenceSpec {
            past: &out_of_space(JANUARY, titles::KB5034439),
            ..NONE
        },
        ..small_10(
            "case-kb5034439",
            "Windows Server 2022: KB5034439 failed with 0x80070643",
        )
    },
    Profile {
        windows: software::WINDOWS_11_21H2,
        recovery: WINDOWS_11_RE,
        evidence: EvidenceSpec {
            past: &out_of_space(JANUARY, titles::KB5034440),
            ..NONE
        },
        ..small_10(
            "case-kb5034440",
            "Windows 11 21H2: KB5034440 failed with 0x80070643",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &out_of_space(at(2024, 11, 13, 4, 40), titles::KB5048239),
            ..NONE
        },
        ..small_10(
            "case-kb5048239",
            "Windows 10: KB5048239 of late 2024 failed with 0x80070643",
        )
    },
    Profile {
        windows: software::WINDOWS_10_LATE_2025,
        evidence: EvidenceSpec {
            past: &out_of_space(at(2026, 7, 15, 2, 5), titles::KB5120221),
            ..NONE
        },
        ..small_10(
            "case-kb5120221",
            "Windows 10 with extended updates: KB5120221 of 2026, named by the phrase, failed",
        )
    },
    Profile {
        windows: software::WINDOWS_10_LATE_2025,
        evidence: EvidenceSpec {
            past: &out_of_space(at(2027, 2, 10, 2, 5), titles::UNKNOWN),
            ..NONE
        },
        ..small_10(
            "case-unknown-kb",
            "an update that only the phrase \"Windows Recovery Environment Update\" tells to be about WinRE failed",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[past(
                JANUARY,
                Happening::UpdateFailed {
                    title: titles::KB5034441,
                    code: FAILED,
                },
            )],
            ..NONE
        },
        ..small_10(
            "case-no-agent-event",
            "KB5034441 failed; WinREAgent has left no event",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(JANUARY - 5 * MINUTE, Happening::UpdateStarted(titles::KB5034441)),
                past(JANUARY, Happening::ServicingStarted),
            ],
            servicing_folder: true,
            ..NONE
        },
        ..small_10(
            "case-4500-without-end",
            r"servicing of WinRE began and never ended; \$WinREAgent is still there",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(JANUARY - 4 * MINUTE, Happening::ServicingStarted),
                past(JANUARY, Happening::ServicingCancelled),
            ],
            ..NONE
        },
        ..small_10("case-4503", "servicing of WinRE was cancelled")
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(JANUARY - 4 * MINUTE, Happening::ServicingStarted),
                past(
                    JANUARY - MINUTE,
                    Happening::ServicingFailed {
                        phase: 2,
                        code: DISK_FULL,
                    },
                ),
                past(JANUARY, Happening::ServicingRolledBack),
            ],
            ..NONE
        },
        ..small_10("case-4504", "servicing of WinRE failed and was rolled back")
    },
    Profile {
        evidence: EvidenceSpec {
            lines: &[LogLines {
                time: JANUARY,
                what: NO_SPACE,
            }],
            ..NONE
        },
        ..small_10(
            "case-0x800f0828",
            "no event is left, but CBS.log has 0x800F0828, too little space",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &out_of_space(JANUARY, titles::KB5034441),
            lines: &[LogLines {
                time: JANUARY,
                what: NO_SPACE,
            }],
            cbs_log_bytes: 6 * MIB,
            ..NONE
        },
        ..small_10(
            "case-large-cbs-log",
            "KB5034441 failed, and a CBS.log of 6 MiB says 0x800F0828 too",
        )
    },
    Profile {
        windows: software::WINDOWS_10_LATE_2025,
        evidence: EvidenceSpec {
            last_run: at(2025, 11, 5, 8, 0),
            ..NONE
        },
        ..small_10(
            "case-not-offered",
            "too small since August 2024 means: no update is offered, no error is shown",
        )
    },
    Profile {
        windows: software::WINDOWS_11_23H2,
        recovery: WINDOWS_11_23H2_RE,
        evidence: EvidenceSpec {
            past: &[
                past(at(2025, 11, 12, 3, 0), Happening::ServicingStarted),
                past(
                    at(2025, 11, 12, 3, 4),
                    Happening::ServicingFailed {
                        phase: 2,
                        code: DISK_FULL,
                    },
                ),
                past(
                    at(2025, 11, 12, 3, 20),
                    Happening::UpdateInstalled(titles::WINDOWS_11_ROLLUP),
                ),
            ],
            registry: &[RegistryFact::LcuVersion("10.0.22621.4455")],
            ..NONE
        },
        ..small_10(
            "case-windows11-23h2",
            "Windows 11 23H2, whose WinRE comes with Windows' own update: 4502, and the update itself installed",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            lines: &[LogLines {
                time: at(2023, 11, 20, 9, 30),
                what: Lines::SetupRefusedPartition {
                    image_bytes: 695_151_930,
                    free_bytes: 301_125_632,
                },
            }],
            ..NONE
        },
        ..small_10(
            "case-setup-refused",
            "Setup found too little space for WinRE: MeetPartitionRequirements in setupact.log",
        )
    },
    Profile {
        recovery: RecoverySpec {
            place: WinRePlace::Disabled,
            ..WINDOWS_10_RE
        },
        evidence: EvidenceSpec {
            past: &out_of_space(JANUARY, titles::KB5034441),
            lines: &[LogLines {
                time: at(2024, 1, 12, 18, 2),
                what: Lines::EnableFailed {
                    image_bytes: IMAGE_BYTES,
                    free_bytes: 310_000_000,
                },
            }],
            ..NONE
        },
        ..small_10(
            "case-enable-failed",
            "WinRE was disabled to repair it, and reagentc /enable found no partition",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(
                    JANUARY - MINUTE,
                    Happening::ServicingFailed {
                        phase: 2,
                        code: DISK_FULL,
                    },
                ),
                past(
                    JANUARY,
                    Happening::UpdateFailed {
                        title: titles::KB5034441,
                        code: FAILED,
                    },
                ),
                past(JANUARY + 9 * MINUTE, super::DOTNET_INSTALLER),
                past(
                    JANUARY + 10 * MINUTE,
                    Happening::UpdateFailed {
                        title: titles::DOTNET,
                        code: FAILED,
                    },
                ),
            ],
            ..NONE
        },
        ..small_10(
            "case-two-diseases",
            "KB5034441 failed for lack of space, and an update of .NET for a reason of its own",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(
                    at(2024, 1, 14, 19, 0),
                    Happening::ShrinkAnalysed {
                        file: r"\$Mft::$BITMAP",
                        last_cluster: 0x3F_F0E2,
                    },
                ),
                past(
                    at(2024, 1, 15, 3, 12),
                    Happening::UpdateFailed {
                        title: titles::KB5034441,
                        code: FAILED,
                    },
                ),
            ],
            ..NONE
        },
        ..small_10(
            "case-shrink-tried",
            "KB5034441 failed again after somebody tried to shrink C: and Windows would not",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &failed(JANUARY, titles::KB5034441, TIMED_OUT),
            ..NONE
        },
        ..small_10(
            "case-network-error",
            "KB5034441 failed with 0x80072EE2, a time-out of the network; the partition is too small as well",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &out_of_space(JANUARY, titles::UNKNOWN_GERMAN),
            ..NONE
        },
        ..small_10(
            "case-unknown-kb-german",
            "an update of WinRE that no table knows failed, with its title in German",
        )
    },
];
