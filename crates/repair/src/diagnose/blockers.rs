//! What stands in the way of a repair that is due. It comes before the advice to plan one: until it is gone, `plan` refuses.

use super::Diagnosis;
use crate::advice::past_refs;
use crate::observation::{Content, Observation, Space};
use crate::plan::{Request, plan};
use crate::refusal::Refusal;
use crate::report::{FindingReport, Severity};
use crate::text;
use crate::text::Text;

/// Findings that `plan` refuses for, where they concern what has to change, and that a person can do away with.
const CURABLE: [&str; 8] = [
    "volume-not-at-rest",
    "fast-startup",
    "unclean-log",
    "bitlocker",
    "foreign-boot-sector",
    "hybrid-mbr",
    "shadow-copies",
    "bad-clusters",
];
/// The same, for good.
const LASTING: [&str; 3] = ["refs", "managed-disk", "recovery-volume-too-large"];
/// Findings that advise to plan a repair.
const ADVISING: [&str; 3] = [
    "re-too-small",
    "re-update-fails-for-space",
    "no-recovery-partition",
];
/// What a volume that was not measured is taken to have free, so that space is not what a repair is refused for.
const UNMEASURED: Space = Space {
    free_bytes: 1 << 50,
    front_growth_min: None,
};

/// What a repair is refused for, whatever the free space of volumes that were not measured.
pub(crate) fn refused_by(observation: &mut Observation, named: Option<u32>) -> Option<Refusal> {
    let mut set = Vec::new();
    for partition in &mut observation.partitions {
        if let Content::Ntfs(ntfs) = &mut partition.content
            && ntfs.space.is_none()
        {
            ntfs.space = Some(UNMEASURED);
            set.push(partition.number);
        }
    }
    let refused_by = refusal(observation, named);
    for partition in &mut observation.partitions {
        if let Content::Ntfs(ntfs) = &mut partition.content
            && set.contains(&partition.number)
        {
            ntfs.space = None;
        }
    }
    refused_by
}

fn refusal(observation: &Observation, named: Option<u32>) -> Option<Refusal> {
    let request = |recovery_partition| Request {
        recovery_partition,
        ..Request::default()
    };
    match plan(observation, &request(named)) {
        Err(Refusal::SeveralRecoveryPartitions { numbers }) => {
            let each = numbers.into_iter();
            let mut plans = each.map(|number| plan(observation, &request(Some(number))));
            // One that can be made is advised as ever, whatever another is refused for.
            let refused = plans.try_fold(None, |refused: Option<Refusal>, planned| match planned {
                Ok(plan) if plan.is_empty() => Some(refused),
                Ok(_) => None,
                Err(refusal) => Some(refused.or(Some(refusal))),
            });
            refused.flatten()
        }
        planned => planned.err(),
    }
}

impl Diagnosis<'_> {
    /// Puts what a repair is refused by before the advice to plan one, and lets that say what comes first.
    pub(crate) fn blocked_by(mut self, refusal: Option<&Refusal>) -> Self {
        let is_due = self.findings.iter().any(|f| ADVISING[..].contains(&f.code));
        let Some(refusal) = refusal.filter(|_| is_due) else {
            return self;
        };
        let code = match refusal.code() {
            "hibernated" | "dirty" => "volume-not-at-rest",
            code => code,
        };
        // Of several volumes with the same obstacle it is the one that the refusal names in the same words.
        let refused = refusal.report().explained.title;
        let same = || self.findings.iter().filter(|f| f.code == code);
        let found = same().find(|f| f.explained.title == refused).or(same().next());
        let found = found.map(|f| f.explained.title.clone());
        let is_lasting = LASTING.contains(&code);
        let advice = match &found {
            Some(title) if is_lasting || CURABLE.contains(&code) => first(title, is_lasting),
            _ => text!(
                "What stands in the way comes first: {refused}. `winrefit plan` says what can be done about it.",
                refused
            ),
        };
        let blocks = |finding: &FindingReport| {
            finding.code == code && found.as_ref() == Some(&finding.explained.title)
        };
        for finding in &mut self.findings {
            if blocks(finding) {
                finding.severity = finding.severity.min(Severity::Warning);
                if code == "refs" {
                    finding.explained.next = past_refs();
                }
            } else if finding.severity == Severity::Problem && ADVISING.contains(&finding.code) {
                finding.explained.next = advice.clone();
            }
        }
        self.findings.sort_by_key(|finding| !blocks(finding));
        self
    }
}

fn first(blocker: &Text, is_lasting: bool) -> Text {
    if is_lasting {
        text!(
            "winrefit makes no room here as the disk is: {blocker}. That finding says what can be done.",
            blocker
        )
    } else {
        text!(
            "This has to be gone first, or every repair is refused: {blocker}. After that, `winrefit plan`, then `winrefit \
             fix`.",
            blocker
        )
    }
}
