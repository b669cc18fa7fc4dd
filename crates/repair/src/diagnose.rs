//! Judgement: what the observed facts mean. A pure function.

mod table;

use crate::explain::{Explained, size};
use crate::observation::{Content, Observation, Partition};
use crate::observe::REAGENT_XML;
use crate::report::{Evidence, FindingReport, RuleReport, Severity, Verdict};
use crate::rules;
use crate::select::candidate_or_named;

/// What a diagnosis comes to.
#[derive(Debug)]
pub struct Diagnosis<'o> {
    /// The recovery partition, or the one that may be it.
    pub recovery: Option<&'o Partition>,
    /// Rules applied to it.
    pub rules: Vec<RuleReport>,
    /// Findings, the worst first.
    pub findings: Vec<FindingReport>,
    /// The outcome.
    pub verdict: Verdict,
}

/// Diagnoses a disk.
pub fn diagnose(observation: &Observation, named: Option<u32>) -> Diagnosis<'_> {
    let recovery = candidate_or_named(observation, named);
    let mut findings = Vec::new();
    let mut rules = Vec::new();
    match recovery {
        Some(partition) => {
            rules = rules_of(partition);
            findings.extend(space_finding(partition, &rules));
            findings.extend(image_finding(partition));
            findings.extend(unreadable_finding(observation, partition));
            findings.extend(reference_finding(observation, partition, named));
        }
        None => findings.push(finding(
            "no-recovery-partition",
            Severity::Warning,
            "There is no recovery partition on this disk",
            "No partition has the recovery type. WinRE may be switched off, or live on the Windows volume.",
            "Look at `reagentc /info` in Windows.",
            Vec::new(),
        )),
    }
    for windows in &observation.windows {
        findings.extend(windows_findings(windows));
    }
    findings.extend(observation.partitions.iter().filter_map(volume_finding));
    findings.extend(
        observation
            .table
            .sound
            .as_ref()
            .err()
            .map(|problem| table::finding_of(problem, &observation.table)),
    );
    findings.sort_by_key(|finding| (finding.severity, !is_damage(finding)));
    let verdict = if findings.iter().any(is_damage) {
        Verdict::Damaged
    } else if findings.iter().any(|f| f.severity == Severity::Problem) {
        Verdict::NeedsRepair
    } else {
        Verdict::Healthy
    };
    Diagnosis {
        recovery,
        rules,
        findings,
        verdict,
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

fn finding(
    code: &'static str,
    severity: Severity,
    title: impl Into<String>,
    detail: impl Into<String>,
    next: impl Into<String>,
    evidence: Vec<Evidence>,
) -> FindingReport {
    FindingReport {
        code,
        severity,
        explained: Explained::new(title, detail, next),
        evidence,
    }
}

fn evidence(source: impl Into<String>, value: impl Into<String>) -> Evidence {
    Evidence {
        source: source.into(),
        value: value.into(),
    }
}

fn rules_of(partition: &Partition) -> Vec<RuleReport> {
    let Some(free) = partition.free_bytes() else {
        return Vec::new();
    };
    let mut rules = vec![rules::servicing(free)];
    rules.extend(
        partition
            .winre
            .as_ref()
            .map(|winre| rules::placement(free, winre.size_bytes)),
    );
    rules
}

fn space_finding(partition: &Partition, rules: &[RuleReport]) -> Option<FindingReport> {
    let broken: Vec<_> = rules.iter().filter(|rule| !rule.met).collect();
    let first = broken.first()?;
    let source = format!("partition {}, $Bitmap", partition.number);
    let missing = first.required_bytes - first.available_bytes;
    Some(finding(
        "re-too-small",
        Severity::Problem,
        "The recovery partition is too small for its next update",
        format!(
            "{} more have to be free on partition {}. Until then Windows Update cannot service WinRE: the update \
             fails with 0x80070643, or is silently not offered.",
            size(missing),
            partition.number
        ),
        "Run `winrefit plan` to see how room can be made, then `winrefit fix`.",
        broken
            .iter()
            .map(|rule| evidence(source.clone(), format!("{}: {}", rule.code, rule.arithmetic)))
            .collect(),
    ))
}

/// A Windows relies on the partition, and no volume is there.
fn unreadable_finding(observation: &Observation, partition: &Partition) -> Option<FindingReport> {
    let number = partition.number;
    let mut windows = observation.windows.iter();
    let referring = windows.find(|w| w.recovery_partition == Some(number))?;
    if matches!(
        partition.content,
        Content::Ntfs(_) | Content::DamagedNtfs(_) | Content::BitLocker
    ) {
        return None;
    }
    Some(finding(
        "re-unreadable",
        Severity::Problem,
        format!("The recovery partition {number} holds no readable volume"),
        format!(
            "Windows on partition {} relies on it, so this Windows has no working recovery environment.",
            referring.partition
        ),
        "Keep a copy of the disk. In Windows, `reagentc /disable` and `reagentc /enable` choose a place anew, if the \
         image still exists.",
        vec![evidence(
            format!("partition {number}, first sector"),
            format!("found: {}", partition.content.name()),
        )],
    ))
}

fn image_finding(partition: &Partition) -> Option<FindingReport> {
    let source = format!("partition {}", partition.number);
    match &partition.winre {
        None if partition.ntfs().is_some() => Some(finding(
            "winre-image-missing",
            Severity::Warning,
            "The recovery partition holds no WinRE image",
            r"There is no \Recovery\WindowsRE\Winre.wim. WinRE is disabled, or lives elsewhere.",
            "Look at `reagentc /info` in Windows; `reagentc /enable` puts the image there if there is room.",
            vec![evidence(source, "file not found")],
        )),
        Some(winre) => winre.version.as_ref().err().map(|problem| {
            finding(
                "winre-image-unreadable",
                Severity::Warning,
                "The WinRE image cannot be read",
                "Its header or its description is damaged, so its version is unknown.",
                "Replace Winre.wim with one of the same Windows build.",
                vec![evidence(format!("{source}, {}", winre.path), problem.clone())],
            )
        }),
        None => None,
    }
}

fn reference_finding(
    observation: &Observation,
    partition: &Partition,
    named: Option<u32>,
) -> Option<FindingReport> {
    let referred = observation
        .windows
        .iter()
        .any(|w| w.recovery_partition == Some(partition.number));
    if referred || named == Some(partition.number) {
        return None;
    }
    let number = partition.number;
    Some(finding(
        "no-windows-reference",
        Severity::Warning,
        format!("No Windows on this disk refers to recovery partition {number}"),
        "It may belong to another disk, or be a leftover. It is not changed unless it is named.",
        format!("If you know that it is the right one, add --recovery-partition {number}."),
        vec![evidence(
            "ReAgent.xml of every Windows found",
            "none names this partition",
        )],
    ))
}

fn windows_findings(windows: &crate::observation::Windows) -> Vec<FindingReport> {
    let source = format!("partition {}, {REAGENT_XML}", windows.partition);
    match &windows.reagent {
        Some(Err(problem)) => vec![finding(
            "reagent-unreadable",
            Severity::Warning,
            "ReAgent.xml cannot be read",
            "Which recovery partition this Windows uses is therefore unknown.",
            "Run `reagentc /disable` and `reagentc /enable` in Windows, which writes it anew.",
            vec![evidence(source, problem.clone())],
        )],
        Some(Ok(reagent)) if reagent.install_state == Some(0) => vec![finding(
            "winre-disabled",
            Severity::Warning,
            "WinRE is disabled",
            "This Windows has no recovery environment, and gets no updates for one.",
            "Run `reagentc /enable` in Windows once there is enough room.",
            vec![evidence(source, "InstallState = 0")],
        )],
        _ => Vec::new(),
    }
}

fn volume_finding(partition: &Partition) -> Option<FindingReport> {
    let number = partition.number;
    let at = |what: &str| format!("partition {number}, {what}");
    match &partition.content {
        Content::BitLocker => Some(finding(
            "bitlocker",
            Severity::Note,
            format!("Partition {number} is encrypted by BitLocker"),
            "Nothing inside it can be read or changed from outside.",
            "If it has to give space, decrypt it in Windows first.",
            vec![evidence(at("boot sector"), "-FVE-FS-")],
        )),
        Content::DamagedNtfs(error) => Some(finding(
            "ntfs-unreadable",
            Severity::Problem,
            format!("The NTFS volume on partition {number} cannot be read"),
            "A structure that everything else depends on is damaged.",
            "Make a copy of the disk, then run `chkdsk /f` in Windows.",
            vec![evidence(at("boot sector or $MFT"), error.to_string())],
        )),
        Content::Ntfs(ntfs) => match &ntfs.state {
            Err(error) => Some(finding(
                "ntfs-unreadable",
                Severity::Problem,
                format!("The state of the NTFS volume on partition {number} cannot be read"),
                "A structure that everything else depends on is damaged.",
                "Make a copy of the disk, then run `chkdsk /f` in Windows.",
                vec![evidence(at("$Volume or $LogFile"), error.to_string())],
            )),
            Ok(state) if state.hibernated || state.is_dirty() || !state.log.is_at_rest() => Some(finding(
                "volume-not-at-rest",
                Severity::Warning,
                format!("The volume on partition {number} is not at rest"),
                "Windows was hibernated, not shut down fully, or wants chkdsk to run. It is not changed like this.",
                "Start that Windows, let chkdsk finish, and shut it down fully: shutdown /s /t 0",
                vec![
                    evidence(at("$LogFile"), state.log.to_string()),
                    evidence(at("$Volume"), format!("flags {:#06x}", state.flags)),
                    evidence(
                        at("hiberfil.sys"),
                        if state.hibernated {
                            "hibernated"
                        } else {
                            "not hibernated"
                        },
                    ),
                ],
            )),
            Ok(_) => None,
        },
        _ => None,
    }
}
