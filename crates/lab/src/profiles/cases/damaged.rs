//! Evidence that is damaged or missing: what is left has to do, and what is not known must be said.

use super::{FAILED, Profile, out_of_space, past, roomy_10, small_10, titles};
use crate::evidence::{EvidenceSpec, Happening, HiveState, LogState, RegistryFact};
use crate::time::at;

const JANUARY: u64 = at(2024, 1, 10, 3, 12);
const NONE: EvidenceSpec = EvidenceSpec::ORDINARY;
/// Failed for lack of space, and no doubt about it.
const CLEAR: EvidenceSpec = EvidenceSpec {
    // Right behind it, so that it is at the end of the log.
    last_run: JANUARY,
    past: &out_of_space(JANUARY, titles::KB5034441),
    ..NONE
};

pub(super) const PROFILES: &[Profile] = &[
    Profile {
        evidence: EvidenceSpec {
            past: &[past(
                at(2025, 4, 9, 3, 30),
                Happening::UpdateFailed {
                    title: titles::KB5057589,
                    code: FAILED,
                },
            )],
            software_hive: HiveState::Dirty(&[RegistryFact::RebootRequired]),
            ..NONE
        },
        ..roomy_10(
            "case-dirty-software",
            "the false error of April 2025; that a restart is due is in the log of the SOFTWARE hive only",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            system_hive: HiveState::Dirty(&[RegistryFact::StartType {
                service: "wuauserv",
                start: 4,
            }]),
            ..CLEAR
        },
        ..small_10(
            "case-dirty-system",
            "KB5034441 failed; that wuauserv was disabled since is in the log of the SYSTEM hive only",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            system_hive: HiveState::Missing,
            ..CLEAR
        },
        ..small_10("case-no-system-hive", "KB5034441 failed; there is no SYSTEM hive")
    },
    Profile {
        evidence: EvidenceSpec {
            system_log: LogState::Truncated(100_000),
            ..CLEAR
        },
        ..small_10(
            "case-truncated-log",
            "System.evtx was cut off in its second chunk; the failure lies behind",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            system_log: LogState::Missing,
            ..CLEAR
        },
        ..small_10(
            "case-no-log",
            "there is no System.evtx; ReportingEvents.log has the failure",
        )
    },
    Profile {
        evidence: EvidenceSpec {
            system_log: LogState::Dirty,
            ..CLEAR
        },
        ..small_10(
            "case-dirty-log",
            "System.evtx was in use when power was lost; its header does not count the newest records",
        )
    },
];
