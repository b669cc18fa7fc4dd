//! Why updates of a Windows failed, and what it is open to: judgement of what it has written down, beside what the disk
//! is. Never from one source alone where there are more; what speaks against each other is shown, not averaged.

mod case;
mod others;
mod servicing;
mod settings;
mod version;
mod winre;
mod with_room;
mod words;

use super::Diagnosis;
use crate::observation::Observation;
use crate::records::Records;
use crate::report::FindingReport;
use crate::text;
use crate::text::Text;
use case::Case;

/// Findings on the updates of each Windows.
pub(super) fn of_disk(observation: &Observation, records: &[Records]) -> Vec<FindingReport> {
    let case = |records| Case::new(observation, records);
    records
        .iter()
        .filter_map(case)
        .flat_map(|case| of_windows(&case))
        .collect()
}

fn of_windows(case: &Case<'_>) -> Vec<FindingReport> {
    let mut findings = winre::findings(case);
    findings.extend(version::findings(case));
    findings.extend(others::findings(case));
    findings.extend(settings::findings(case));
    findings
}

/// Codes of findings that a person has to act on in Windows.
pub(super) const WANT_ATTENTION: [&str; 24] = [
    "re-update-not-offered",
    "re-update-error-until-restart",
    "re-update-fails-otherwise",
    "re-update-failed-before-room",
    "winre-servicing-failed",
    "winre-servicing-unfinished",
    "winre-placement-failed",
    "winre-image-vulnerable",
    "winre-version-forged",
    "patch-script-claims-success",
    "winre-may-not-start",
    "records-contradict",
    "winre-in-temporary-folder",
    "net-framework-update-fails",
    "defender-update-fails",
    "sql-server-update-fails",
    "office-update-fails",
    "installer-fails",
    "update-fails",
    "system-partition-small",
    "component-store-damaged",
    "update-service-disabled",
    "winreagent-left-over",
    "setup-not-finished",
];

/// Codes of findings that have to be dealt with before others of their kind can be.
pub(super) const LEADING: [&str; 6] = [
    "setup-not-finished",
    "records-contradict",
    "winre-version-forged",
    "patch-script-claims-success",
    "re-update-error-until-restart",
    "re-update-fails-otherwise",
];

/// Until Setup is over reagentc refuses, so what says to run it says when.
fn after_setup(findings: &mut [FindingReport]) {
    if !findings.iter().any(|f| f.code == "setup-not-finished") {
        return;
    }
    for finding in findings.iter_mut().filter(|f| f.code.starts_with("winre-")) {
        let next = std::mem::take(&mut finding.explained.next);
        finding.explained.next = if next.to_string().contains("`reagentc /enable`") {
            Text::sentences([text!("When Setup is over, and not before:"), next])
        } else {
            next
        };
    }
}

impl Diagnosis<'_> {
    /// Takes in what is known from the records of Windows, and judges anew.
    pub(crate) fn with_records(mut self, observation: &Observation, records: &[Records]) -> Self {
        self.findings.extend(of_disk(observation, records));
        after_setup(&mut self.findings);
        super::sort(&mut self.findings);
        self.verdict = super::verdict(&self.findings);
        self
    }
}
