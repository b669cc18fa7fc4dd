//! Consistency of NTFS volumes.

use super::page::{MARGIN, Page, Span, Tone, mark};
use super::segments::name;
use super::typeset;
use winrefit_repair::report::{CheckProblem, Report, VolumeCheck};
use winrefit_repair::text;

/// Every volume that was checked, with its problems.
pub fn section(page: &mut Page, report: &Report) {
    if report.checks.is_empty() {
        return;
    }
    page.heading(text!("NTFS volumes"));
    for check in &report.checks {
        volume(page, report, check);
    }
}

fn volume(page: &mut Page, report: &Report, check: &VolumeCheck) {
    let mut partitions = report.disk.iter().flat_map(|disk| &disk.partitions);
    let title = partitions
        .find(|partition| partition.number == check.partition)
        .map(|partition| format!(" {}", page.language().say(name(partition))))
        .unwrap_or_default();
    let is_at_rest = check.consistent || check.is_damaged();
    let sign = if is_at_rest {
        mark(check.consistent)
    } else {
        Span::new("!", Tone::Caution)
    };
    let state = match (check.level, check.consistent) {
        _ if !is_at_rest => text!("not at rest"),
        ("quick", true) => text!("consistent (quick check)"),
        ("quick", false) => text!("not consistent (quick check)"),
        (_, true) => text!("consistent"),
        (_, false) => text!("not consistent"),
    };
    page.hanging(
        MARGIN,
        vec![sign, Span::new(" ", Tone::Plain)],
        text!(
            "{volume}: {state}, {used} of {records} MFT records in use",
            volume = format!("{}{title}", check.partition),
            state,
            used = check.records_in_use,
            records = check.records
        ),
        Tone::Strong,
    );
    for problem in &check.problems {
        one(page, problem);
    }
    let unlisted = check.problems_total.saturating_sub(check.problems.len() as u64);
    if unlisted > 0 {
        let more = text!("and {count} more", count = unlisted);
        page.paragraph(MARGIN + 2, more, Tone::Quiet);
    }
    page.blank();
}

fn one(page: &mut Page, problem: &CheckProblem) {
    let words = [text!("error"), text!("warning"), text!("note")].map(|word| page.language().say(word));
    let columns = words.iter().map(|word| typeset::width(word)).max().unwrap_or(0) + 1;
    let [error, warning, note] = words;
    let (word, tone) = match problem.severity {
        "error" => (error, Tone::Bad),
        "warning" => (warning, Tone::Caution),
        _ => (note, Tone::Quiet),
    };
    let lead = vec![Span::new(typeset::pad(&word, columns), tone)];
    let said = text!("{problem} ({code})", problem = &problem.text, code = problem.code);
    page.hanging(MARGIN + 2, lead, said, Tone::Plain);
}
