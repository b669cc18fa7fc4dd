//! What findings come to in one word: whether winrefit has something to do, a person has, or nobody.

use super::updates;
use crate::report::{FindingReport, Severity, Verdict};

/// What findings come to.
pub(crate) fn verdict(findings: &[FindingReport]) -> Verdict {
    if findings.iter().any(is_damage) {
        Verdict::Damaged
    } else if findings.iter().any(is_for_winrefit) {
        Verdict::NeedsRepair
    } else if findings.iter().any(wants_attention) {
        Verdict::Attention
    } else {
        Verdict::Healthy
    }
}

/// The verdict where nothing is left for winrefit to do: the room is what was asked for.
pub(crate) fn verdict_with_room(findings: &[FindingReport]) -> Verdict {
    let others: Vec<_> = findings
        .iter()
        .filter(|f| f.code != "re-too-small")
        .cloned()
        .collect();
    match verdict(&others) {
        Verdict::NeedsRepair => Verdict::Attention,
        other => other,
    }
}

/// Whether a finding is damage of the disk, and not only a lack of space.
pub fn is_damage(finding: &FindingReport) -> bool {
    [
        "ntfs-unreadable",
        "re-unreadable",
        "partition-table-damaged",
        "partition-table-copy-damaged",
    ]
    .contains(&finding.code)
}

/// Whether a command of winrefit cures what was found, if nothing stands in its way: `plan` and `fix` make room or a
/// partition, `reset-update` sets services back.
pub(super) fn is_for_winrefit(finding: &FindingReport) -> bool {
    match finding.code {
        "re-too-small" | "re-update-fails-for-space" | "update-service-disabled" => true,
        "no-recovery-partition" => finding.severity == Severity::Problem,
        _ => false,
    }
}

/// Whether a finding is that Windows has not left a volume for good: what is read there may not be what Windows has, so
/// nobody can say that all is well.
pub(crate) fn is_of_rest(finding: &FindingReport) -> bool {
    ["volume-not-at-rest", "fast-startup", "unclean-log"].contains(&finding.code)
}

/// Whether a finding asks for a person: it leaves a Windows without a recovery environment that works for certain, or
/// stops its updates, and winrefit cannot cure it.
pub(super) fn wants_attention(finding: &FindingReport) -> bool {
    [
        "winre-image-gone",
        "winre-disabled",
        "boot-chain-broken",
        "boot-store-disagrees",
        "winre-on-another-disk",
        "winre-out-of-sight",
        "winre-on-windows-volume",
        "winre-on-data-volume",
        "winre-image-unreadable",
        "re-encrypted",
        "reagent-unreadable",
        "reagent-missing",
        "unreadable-sectors",
    ]
    .contains(&finding.code)
        || is_of_rest(finding)
        || finding.severity == Severity::Problem
        || finding.severity == Severity::Warning && updates::WANT_ATTENTION.contains(&finding.code)
}
