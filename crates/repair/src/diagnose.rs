//! Judgement: what the observed facts mean. A pure function.

pub(crate) mod blockers;
mod boot;
mod disabled;
pub(crate) mod images;
mod obstacles;
mod partitions;
pub(crate) mod reset;
mod table;
pub(crate) mod unreadable;
mod updates;
mod verdict;
mod winre;

use crate::explain::{Explained, rfc3339};
use crate::observation::{Content, Observation, Partition};
use crate::plan;
use crate::report::{Confidence, Evidence, FindingReport, RuleReport, Severity, Verdict};
use crate::select::candidate_or_named;
use crate::text;
use crate::text::Text;
use crate::winre::space_rules;
use verdict::{is_for_winrefit, verdict, wants_attention};
use winrefit_ntfs::NtfsError;

pub use verdict::is_damage;
pub(crate) use verdict::{is_of_rest, verdict as verdict_of, verdict_with_room};

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
    let judged = judged(observation, named);
    let several = judged.len() > 1;
    let lacks_room = |p: &&Partition| winre::lacks_room(observation, p);
    // Of several that are used the first one that lacks room is the one to speak of.
    let recovery = match &judged[..] {
        [first, _, ..] => judged.iter().copied().find(lacks_room).or(Some(*first)),
        _ => candidate_or_named(observation, named),
    };
    let room = |partition: &&Partition| partitions::space(observation, partition, several);
    let mut findings: Vec<_> = judged.iter().filter_map(room).collect();
    let wants_room = !findings.is_empty();
    for windows in &observation.windows {
        findings.extend(winre::of_windows(observation, windows));
    }
    findings.extend(boot::of_disk(observation));
    findings.extend(partitions::several(observation, &judged));
    for partition in &observation.partitions {
        findings.extend(partitions::unnamed(observation, partition, named));
        findings.extend(volume_finding(partition));
    }
    findings.extend(no_partition(observation));
    findings.extend(obstacles::of_disk(observation, &judged, wants_room));
    let problem = observation.table.sound.as_ref().err();
    findings.extend(problem.map(|problem| table::finding_of(problem, &observation.table)));
    sort(&mut findings);
    let is_judged = |partition: &&Partition| judged.iter().any(|p| p.number == partition.number);
    Diagnosis {
        recovery,
        rules: recovery
            .filter(is_judged)
            .map_or_else(Vec::new, |partition| space_rules(observation, partition)),
        verdict: verdict(&findings),
        findings,
    }
}

impl Diagnosis<'_> {
    /// The same with another finding.
    pub(crate) fn with(mut self, finding: Option<FindingReport>) -> Self {
        self.findings.extend(finding);
        sort(&mut self.findings);
        self.verdict = verdict(&self.findings);
        self
    }
}

/// The worst first, and of equal ones that first which the verdict rests on.
fn sort(findings: &mut [FindingReport]) {
    findings.sort_by_key(|finding| {
        let leads = updates::LEADING.contains(&finding.code);
        (
            finding.severity,
            !is_damage(finding),
            !is_for_winrefit(finding),
            !wants_attention(finding),
            !leads,
        )
    });
}

/// The recovery partitions whose room is judged: the one that is named, else all that a Windows uses, else the only one
/// that can be meant.
fn judged(observation: &Observation, named: Option<u32>) -> Vec<&Partition> {
    let used = |p: &&Partition| partitions::is_named(observation, p);
    if named.is_none() && observation.partitions.iter().any(|p| used(&p)) {
        let all = observation.partitions.iter();
        return all.filter(used).filter(|p| p.is_recovery_type()).collect();
    }
    candidate_or_named(observation, named).into_iter().collect()
}

fn finding(
    code: &'static str,
    severity: Severity,
    title: impl Into<Text>,
    detail: impl Into<Text>,
    next: impl Into<Text>,
    evidence: Vec<Evidence>,
) -> FindingReport {
    FindingReport {
        code,
        severity,
        confidence: Confidence::Certain,
        explained: Explained::new(title, detail, next),
        evidence,
    }
}

fn evidence(source: impl Into<Text>, value: impl Into<Text>) -> Evidence {
    Evidence {
        source: source.into(),
        value: value.into(),
        time: None,
    }
}

/// Evidence with the time (FILETIME) at which it was written down.
fn evidence_at(source: impl Into<Text>, value: impl Into<Text>, filetime: u64) -> Evidence {
    Evidence {
        time: Some(rfc3339(filetime)),
        ..evidence(source, value)
    }
}

fn no_partition(observation: &Observation) -> Option<FindingReport> {
    let enabled = |w: &crate::observation::Windows| w.image_path().is_some();
    if observation.partitions.iter().any(Partition::is_recovery_type)
        || observation.windows.iter().any(enabled)
    {
        return None;
    }
    let (severity, next) = if plan::can_create(observation) {
        (
            Severity::Problem,
            text!("Run `winrefit plan` to see how one can be made, then `winrefit fix`."),
        )
    } else {
        (
            Severity::Warning,
            text!("`winrefit plan` says what stands against making one."),
        )
    };
    Some(finding(
        "no-recovery-partition",
        severity,
        text!("There is no recovery partition on this disk"),
        text!("No partition has the recovery type."),
        next,
        Vec::new(),
    ))
}

pub(crate) fn volume_finding(partition: &Partition) -> Option<FindingReport> {
    let number = partition.number;
    let unread = |title, place, error: &NtfsError| {
        let (detail, next) = match error.is_of_medium() {
            true => (
                text!("The disk cannot read sectors that everything else depends on."),
                unreadable::copy_first(),
            ),
            false => (
                text!("A structure that everything else depends on is damaged."),
                text!(
                    "Make a copy of the disk, then run `chkdsk C: /f` in Windows, with the letter of that volume."
                ),
            ),
        };
        let evidence = vec![evidence(place, Text::quoted(error))];
        finding(
            "ntfs-unreadable",
            Severity::Problem,
            title,
            detail,
            next,
            evidence,
        )
    };
    match &partition.content {
        Content::DamagedNtfs(error) => Some(unread(
            text!("The NTFS volume on partition {number} cannot be read", number),
            text!("partition {number}, boot sector or $MFT", number),
            error,
        )),
        Content::Ntfs(ntfs) => match &ntfs.state {
            Err(error) => Some(unread(
                text!(
                    "The state of the NTFS volume on partition {number} cannot be read",
                    number
                ),
                text!("partition {number}, $Volume or $LogFile", number),
                error,
            )),
            Ok(state) => obstacles::at_rest(partition, state),
        },
        _ => None,
    }
}
