//! Consistency of NTFS volumes.

use super::page::{MARGIN, Page, Span, Tone, mark};
use super::segments::name;
use winrefit_repair::report::{CheckProblem, Report, VolumeCheck};

/// Every volume that was checked, with its problems.
pub fn section(page: &mut Page, report: &Report) {
    if report.checks.is_empty() {
        return;
    }
    page.heading("NTFS volumes");
    for check in &report.checks {
        volume(page, report, check);
    }
}

fn volume(page: &mut Page, report: &Report, check: &VolumeCheck) {
    let partitions = report.disk.iter().flat_map(|disk| &disk.partitions);
    let title = partitions
        .filter(|partition| partition.number == check.partition)
        .map(|partition| format!(" {}", name(partition)))
        .next()
        .unwrap_or_default();
    let word = if check.consistent {
        "consistent"
    } else {
        "not consistent"
    };
    let word = match check.level {
        "quick" => format!("{word} (quick check)"),
        _ => word.to_owned(),
    };
    let text = format!(
        "{}{title}: {word}, {} of {} MFT records in use",
        check.partition, check.records_in_use, check.records
    );
    page.hanging(
        MARGIN,
        vec![mark(check.consistent), Span::new(" ", Tone::Plain)],
        &text,
        Tone::Strong,
    );
    for problem in &check.problems {
        one(page, problem);
    }
    let unlisted = check.problems_total.saturating_sub(check.problems.len() as u64);
    if unlisted > 0 {
        page.paragraph(MARGIN + 2, &format!("and {unlisted} more"), Tone::Quiet);
    }
    page.blank();
}

fn one(page: &mut Page, problem: &CheckProblem) {
    let tone = match problem.severity {
        "error" => Tone::Bad,
        "warning" => Tone::Caution,
        _ => Tone::Quiet,
    };
    let lead = vec![Span::new(format!("{:<8}", problem.severity), tone)];
    page.hanging(
        MARGIN + 2,
        lead,
        &format!("{} ({})", problem.text, problem.code),
        Tone::Plain,
    );
}
