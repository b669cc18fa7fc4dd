//! Whether a reset is what the evidence asks for: said before anything else.

use crate::explain::Explained;
use crate::report::{Confidence, Evidence, FindingReport, Severity};
use crate::text;
use crate::text::Text;

/// Findings whose cause a reset does not touch, the surest first.
const OTHER_CAUSES: [&str; 13] = [
    "re-update-fails-for-space",
    "re-too-small",
    "re-update-error-until-restart",
    "system-partition-small",
    "component-store-damaged",
    "winreagent-left-over",
    "winre-servicing-failed",
    "net-framework-update-fails",
    "defender-update-fails",
    "sql-server-update-fails",
    "office-update-fails",
    "installer-fails",
    "setup-not-finished",
];
/// Findings that a reset is known to cure.
const CURED: &str = "update-service-disabled";
/// Failures whose cause nobody knows.
const UNKNOWN: [&str; 2] = ["update-fails", "re-update-fails-otherwise"];

/// What is to be said first: that a reset will not help, where something else is the cause; that it may, where it fits.
/// `is_idle`: there is nothing to reset.
pub(crate) fn advice(findings: &[FindingReport], is_idle: bool) -> Vec<FindingReport> {
    let other = other_cause(findings);
    let fits = (!is_idle).then(|| may_help(findings, other.is_none())).flatten();
    other.into_iter().chain(fits).collect()
}

fn other_cause(findings: &[FindingReport]) -> Option<FindingReport> {
    let causes: Vec<&FindingReport> = OTHER_CAUSES
        .iter()
        .flat_map(|code| findings.iter().filter(move |finding| finding.code == *code))
        .filter(|finding| finding.severity != Severity::Note)
        .collect();
    let first = causes.first()?;
    Some(FindingReport {
        code: "reset-will-not-help",
        severity: Severity::Warning,
        confidence: first.confidence,
        explained: Explained::new(
            text!(
                "Resetting Windows Update will not cure this: {finding}",
                finding = &first.explained.title
            ),
            text!(
                "A reset gives two folders new names and sets services back; the cause that was found lies elsewhere."
            ),
            &first.explained.next,
        ),
        evidence: causes.into_iter().map(cited).collect(),
    })
}

fn may_help(findings: &[FindingReport], is_only: bool) -> Option<FindingReport> {
    let of = |codes: &[&str]| -> Vec<Evidence> {
        let all = findings.iter().filter(|finding| codes.contains(&finding.code));
        all.map(cited).collect()
    };
    let (cured, unknown) = (of(&[CURED]), of(&UNKNOWN));
    let (confidence, detail, evidence) = if !cured.is_empty() {
        (
            Confidence::Certain,
            text!("A service that updates need was found disabled; a reset of the services sets it back."),
            cured,
        )
    } else if !unknown.is_empty() {
        (
            Confidence::Possible,
            text!(
                "Updates fail, and the records do not say why. What Windows Update has stored is one of the things that may \
                 be damaged."
            ),
            unknown,
        )
    } else if is_only {
        (
            Confidence::Possible,
            text!("The records name no cause, so nothing speaks for a reset, and nothing against it."),
            Vec::new(),
        )
    } else {
        return None;
    };
    Some(FindingReport {
        code: "reset-may-help",
        severity: Severity::Note,
        confidence,
        explained: Explained::new(
            text!("Resetting Windows Update may help here"),
            detail,
            Text::empty(),
        ),
        evidence,
    })
}

fn cited(finding: &FindingReport) -> Evidence {
    Evidence {
        source: Text::raw(finding.code),
        value: finding.explained.title.clone(),
        time: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(code: &'static str, severity: Severity) -> FindingReport {
        FindingReport {
            code,
            severity,
            confidence: Confidence::Likely,
            explained: Explained::new(Text::raw(code), Text::empty(), Text::raw("next")),
            evidence: Vec::new(),
        }
    }

    fn codes(findings: &[(&'static str, Severity)], is_idle: bool) -> Vec<(&'static str, usize)> {
        let findings: Vec<_> = findings
            .iter()
            .map(|&(code, severity)| finding(code, severity))
            .collect();
        let said = advice(&findings, is_idle);
        said.iter().map(|said| (said.code, said.evidence.len())).collect()
    }

    #[test]
    fn the_cause_decides_what_is_said() {
        use Severity::{Note, Problem, Warning};
        for (findings, said) in [
            (&[][..], &[("reset-may-help", 0)][..]),
            (&[("re-too-small", Problem)], &[("reset-will-not-help", 1)]),
            (
                &[("re-too-small", Problem), ("re-update-fails-for-space", Warning)],
                &[("reset-will-not-help", 2)],
            ),
            (&[("winreagent-left-over", Note)], &[("reset-may-help", 0)]),
            (&[("update-fails", Warning)], &[("reset-may-help", 1)]),
            (
                &[("re-too-small", Problem), ("update-service-disabled", Warning)],
                &[("reset-will-not-help", 1), ("reset-may-help", 1)],
            ),
        ] {
            assert_eq!(codes(findings, false), said, "{findings:?}");
        }
        assert_eq!(codes(&[("update-fails", Warning)], true), []);
        assert_eq!(
            codes(&[("re-too-small", Problem)], true),
            [("reset-will-not-help", 1)]
        );
    }

    #[test]
    fn the_surest_cause_is_named_with_its_next_step() {
        let findings = [
            finding("office-update-fails", Severity::Warning),
            finding("re-update-fails-for-space", Severity::Warning),
        ];
        let said = advice(&findings, false);
        let title = said[0].explained.title.to_string();
        assert!(title.ends_with("re-update-fails-for-space"), "{title}");
        assert_eq!(said[0].explained.next.to_string(), "next");
    }
}
