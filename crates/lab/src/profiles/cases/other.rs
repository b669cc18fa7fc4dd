//! 0x80070643 and its neighbours for reasons that have nothing to do with the recovery partition.

use super::super::{MSR, WINDOWS, mib, part, recovery};
use super::{DOTNET_INSTALLER, FAILED, Profile, failed, past, roomy_10, titles};
use crate::evidence::{EvidenceSpec, Happening, Lines, LogLines, RegistryFact};
use crate::profile::{PartitionSpec, Role};
use crate::time::{MINUTE, at};

const NONE: EvidenceSpec = EvidenceSpec::ORDINARY;
const TIME: u64 = at(2024, 1, 10, 3, 12);
/// The least that FAT32 allows, and hardly more.
const SMALL_ESP: PartitionSpec = part(Role::EfiSystem, mib(40), "EFI system partition");
const ANTIVIRUS: RegistryFact = RegistryFact::Installed {
    key: "{7C2A3E0B-6B0F-4E51-9C77-8C6E8C9E4D10}",
    name: "Avast Premium Security",
    publisher: "Avast Software",
    version: "23.12.6094",
};
const OPTIMISER: RegistryFact = RegistryFact::Installed {
    key: "Advanced SystemCare_is1",
    name: "Advanced SystemCare",
    publisher: "IObit",
    version: "17.1.0",
};

const fn disabled(service: &'static str) -> RegistryFact {
    RegistryFact::StartType { service, start: 4 }
}

pub(super) const PROFILES: &[Profile] = &[
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(TIME - MINUTE, DOTNET_INSTALLER),
                past(
                    TIME,
                    Happening::UpdateFailed {
                        title: titles::DOTNET,
                        code: FAILED,
                    },
                ),
            ],
            ..NONE
        },
        ..roomy_10(
            "case-dotnet",
            "an update of .NET failed with 0x80070643; MsiInstaller 11708 and 1033 say 1603",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &failed(TIME, titles::DEFENDER_PLATFORM, FAILED),
            ..NONE
        },
        ..roomy_10(
            "case-defender-platform",
            "KB4052623, Defender's platform, failed with 0x80070643",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &failed(TIME, titles::DEFENDER_SIGNATURES, FAILED),
            ..NONE
        },
        ..roomy_10(
            "case-defender-signatures",
            "KB2267602, Defender's signatures, failed with 0x80070643; later ones succeeded",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &failed(TIME, titles::SECURITY_PLATFORM, FAILED),
            ..NONE
        },
        ..roomy_10(
            "case-security-platform",
            "KB5007651, the Windows Security platform, failed with 0x80070643",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(
                    TIME - MINUTE,
                    Happening::InstallerFailed {
                        product: "SQL Server 2019 Database Engine Services",
                        version: "15.0.2104.1",
                        manufacturer: "Microsoft Corporation",
                    },
                ),
                past(
                    TIME,
                    Happening::UpdateFailed {
                        title: titles::SQL_SERVER,
                        code: FAILED,
                    },
                ),
            ],
            registry: &[RegistryFact::Installed {
                key: "Microsoft SQL Server SQL2019",
                name: "Microsoft SQL Server 2019 (64-bit)",
                publisher: "Microsoft Corporation",
                version: "15.0.2104.1",
            }],
            ..NONE
        },
        ..roomy_10("case-sql-server", "a GDR of SQL Server failed with 0x80070643")
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(
                    TIME - MINUTE,
                    Happening::InstallerFailed {
                        product: "Microsoft Office Professional Plus 2016",
                        version: "16.0.4266.1001",
                        manufacturer: "Microsoft Corporation",
                    },
                ),
                past(
                    TIME,
                    Happening::UpdateFailed {
                        title: titles::OFFICE,
                        code: FAILED,
                    },
                ),
            ],
            ..NONE
        },
        ..roomy_10("case-office", "an update of Office failed with 0x80070643")
    },
    Profile {
        evidence: EvidenceSpec {
            past: &failed(TIME, titles::DEFENDER_PLATFORM, FAILED),
            registry: &[ANTIVIRUS, RegistryFact::DefenderDisabled],
            ..NONE
        },
        ..roomy_10(
            "case-antivirus",
            "KB4052623 failed, another company's antivirus is installed and Defender is off",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &failed(TIME, titles::DOTNET, FAILED),
            registry: &[RegistryFact::ControlledFolderAccess],
            ..NONE
        },
        ..roomy_10(
            "case-controlled-folders",
            "an update of .NET failed while Controlled Folder Access is on",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &failed(TIME, titles::WINDOWS_10_ROLLUP, 0x8007_3712),
            lines: &[
                LogLines {
                    time: TIME - 2 * MINUTE,
                    what: Lines::ComponentStoreFailed {
                        code: 0x8007_3712,
                        name: "ERROR_SXS_COMPONENT_STORE_CORRUPT",
                        about: "component amd64_microsoft-windows-recovery",
                    },
                },
                LogLines {
                    time: TIME - MINUTE,
                    what: Lines::ComponentStoreFailed {
                        code: 0x800F_081F,
                        name: "CBS_E_SOURCE_MISSING",
                        about: "package Package_for_RollupFix~31bf3856ad364e35~amd64~~19041.3930.1.7",
                    },
                },
            ],
            ..NONE
        },
        ..roomy_10(
            "case-component-store",
            "the component store is damaged: CBS.log has 0x80073712 and 0x800F081F",
        )
    },
    Profile {
        partitions: &[SMALL_ESP, MSR, WINDOWS, recovery(1100)],
        evidence: EvidenceSpec {
            past: &failed(TIME, titles::WINDOWS_10_ROLLUP, 0x800F_0922),
            ..NONE
        },
        ..roomy_10(
            "case-small-esp",
            "the monthly update fails with 0x800F0922, the EFI system partition has 40 MiB",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &[
                past(
                    TIME - 2 * MINUTE,
                    Happening::StartTypeChanged {
                        service: "Windows Update",
                        name: "wuauserv",
                        from: "demand start",
                        to: "disabled",
                    },
                ),
                past(
                    TIME - MINUTE,
                    Happening::ServiceNotStarted {
                        service: "Windows Update",
                        error: 1058,
                    },
                ),
                past(
                    TIME,
                    Happening::UpdateFailed {
                        title: titles::WINDOWS_10_ROLLUP,
                        code: 0x8007_0422,
                    },
                ),
            ],
            registry: &[disabled("wuauserv")],
            ..NONE
        },
        ..roomy_10(
            "case-update-service-disabled",
            "the service wuauserv is disabled; updates fail with 0x80070422",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            past: &failed(TIME, titles::WINDOWS_10_ROLLUP, 0x8007_0422),
            registry: &[
                disabled("TrustedInstaller"),
                disabled("BITS"),
                disabled("WaaSMedicSvc"),
                OPTIMISER,
                RegistryFact::FirewallOff,
            ],
            ..NONE
        },
        ..roomy_10(
            "case-optimiser",
            "an \"optimiser\" has disabled TrustedInstaller, BITS and the firewall",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            registry: &[
                disabled("defragsvc"),
                disabled("vds"),
                disabled("VSS"),
                disabled("swprv"),
            ],
            ..NONE
        },
        ..roomy_10(
            "case-shrink-services-disabled",
            "the services that shrinking C: in Windows needs are disabled",
        )
    },
];
