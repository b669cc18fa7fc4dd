//! Pages of a reset of Windows Update.

use super::fixtures::*;
use winrefit_repair::report::*;

fn finding(code: &'static str, severity: Severity, [title, detail, next]: [&str; 3]) -> FindingReport {
    FindingReport {
        code,
        severity,
        confidence: Confidence::Certain,
        explained: explained(title, detail, next),
        evidence: vec![],
    }
}

fn reset(verdict: Verdict) -> Report {
    let mut report = planned();
    (report.command, report.verdict) = ("reset-update", verdict);
    let plan = report.plan.as_mut().unwrap();
    plan.strategy = "reset-update";
    plan.summary = "What Windows Update has stored is put aside.".raw();
    plan.steps = ["Rename SoftwareDistribution.", "Set Start of wuauserv."]
        .map(Raw::raw)
        .into();
    plan.commit_steps = vec![2];
    plan.changes = vec![];
    plan.afterwards = vec!["Start Windows.".raw()];
    report.findings = vec![
        finding(
            "reset-will-not-help",
            Severity::Warning,
            [
                "Resetting Windows Update will not cure this: there is too little room",
                "The cause lies elsewhere.",
                "Make room: `winrefit fix`.",
            ],
        ),
        finding(
            "re-too-small",
            Severity::Problem,
            [
                "There is too little room",
                "165 MiB more have to be free.",
                "`winrefit plan`",
            ],
        ),
    ];
    if verdict == Verdict::Repaired {
        report.verification = vec![VerificationItem {
            noted: false,
            what: "Folder SoftwareDistributio~".raw(),
            ok: true,
            detail: "there".raw(),
        }];
    }
    report
}

#[test]
fn reset_at_80() {
    insta::assert_snapshot!(show(&reset(Verdict::NeedsRepair), 80, false));
}

#[test]
fn reset_done_at_80() {
    insta::assert_snapshot!(show(&reset(Verdict::Repaired), 80, false));
}
