//! Head and foot of every page: the outcome in one line, unfinished work, refusals, the next command.

use super::changes::free;
use super::glyphs as g;
use super::page::{MARGIN, Page, Span, Tone, mark};
use winrefit_repair::report::{Report, Severity, Verdict};

/// Command, target and outcome.
pub fn head(page: &mut Page, report: &Report) {
    let command = Span::new(format!("winrefit {}", report.command), Tone::Quiet);
    page.line(
        MARGIN,
        [
            command,
            Span::new("  ", Tone::Plain),
            Span::new(&report.target, Tone::Quiet),
        ],
    );
    page.blank();
    let (sign, word) = outcome(report);
    let lead = vec![sign, Span::new(" ", Tone::Plain)];
    page.hanging(MARGIN, lead, &format!("{word}. {}", reason(report)), Tone::Strong);
    page.blank();
}

fn outcome(report: &Report) -> (Span, &'static str) {
    let caution = || Span::new("!", Tone::Caution);
    match report.verdict {
        Verdict::Healthy if report.command == "resume" => (mark(true), "Nothing to resume"),
        Verdict::Healthy => (mark(true), "Healthy"),
        Verdict::NeedsRepair => (mark(false), "Needs repair"),
        Verdict::Attention => (caution(), "Needs attention"),
        Verdict::Refused => (caution(), "Refused"),
        Verdict::Unfinished => (caution(), "Unfinished"),
        Verdict::Repaired => (mark(true), "Repaired"),
        Verdict::Undone => (mark(true), "Undone"),
        Verdict::Damaged => (mark(false), "Damaged"),
    }
}

fn reason(report: &Report) -> String {
    let problem = report
        .findings
        .iter()
        .find(|finding| finding.severity == Severity::Problem);
    let problem = problem.map(|finding| finding.explained.title.clone());
    match report.verdict {
        Verdict::Healthy => healthy(report).into(),
        Verdict::NeedsRepair => problem.unwrap_or_else(|| wish(report).into()),
        // The findings come with the worst first, and of equal ones with that first which the verdict rests on.
        Verdict::Attention => problem
            .or_else(|| Some(report.findings.first()?.explained.title.clone()))
            .unwrap_or_else(|| "Something has to be done in Windows".into()),
        Verdict::Refused => report.refusal.as_ref().map_or_else(
            || "Nothing was written".into(),
            |refusal| refusal.explained.title.clone(),
        ),
        Verdict::Unfinished => "Earlier work on this disk was interrupted".into(),
        Verdict::Repaired if report.command == "undo" => "The last repair of this disk can be undone".into(),
        Verdict::Repaired => repaired(report),
        Verdict::Undone => "The disk is as it was before the repair".into(),
        // A finding may be of something else; a volume that failed its check is what the verdict rests on.
        Verdict::Damaged if report.checks.iter().any(|check| !check.consistent) => damage(report),
        Verdict::Damaged => problem.unwrap_or_else(|| damage(report)),
    }
}

/// Why there is a plan where nothing is wrong.
fn wish(report: &Report) -> &'static str {
    match report.plan.as_ref().map(|plan| plan.strategy) {
        Some("create") => "There is no recovery partition, and one can be made",
        Some("remove-stale") => "The old recovery partition can go",
        _ => "A repair is possible and advised",
    }
}

/// What a repair came to, in numbers.
fn repaired(report: &Report) -> String {
    let Some(plan) = &report.plan else {
        return "The recovery partition has room for updates, and everything was verified".into();
    };
    let free = free(report, plan);
    let rest = if plan.afterwards.is_empty() {
        ""
    } else {
        ". The rest is done in Windows"
    };
    let done = match plan.strategy {
        "create" => format!("There is a recovery partition, with {free} free beside its image"),
        "remove-stale" => "The old recovery partition is gone".into(),
        _ => return format!("Free space for updates: {free}. Everything was verified{rest}"),
    };
    format!("{done}, and everything was verified{rest}")
}

fn healthy(report: &Report) -> &'static str {
    match report.command {
        "verify" => "Everything that was looked at is as it has to be",
        "check" => "No error was found",
        "resume" => "No work is unfinished",
        "undo" => "There is nothing to undo",
        _ => "Nothing needs to be done",
    }
}

fn damage(report: &Report) -> String {
    let damaged: Vec<String> = report
        .checks
        .iter()
        .filter(|check| !check.consistent)
        .map(|check| format!("partition {}", check.partition))
        .collect();
    if damaged.is_empty() {
        "A structure on the disk is damaged".into()
    } else {
        format!("The NTFS volume on {} is not consistent", damaged.join(" and "))
    }
}

/// Earlier work: first on the page where it is what matters, a remark at the end otherwise.
pub fn journal(page: &mut Page, report: &Report, place: JournalPlace) {
    let Some(journal) = &report.journal else { return };
    let matters = report.verdict == Verdict::Unfinished || matches!(report.command, "resume" | "undo");
    if matters != (place == JournalPlace::Head) {
        return;
    }
    page.blank();
    page.entry("Journal", &journal.text);
    let facts = [journal.state, &journal.memo, &journal.place];
    let facts: Vec<&str> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
    page.entry("", &facts.join(", "));
    page.blank();
}

/// Where on a page a journal is spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalPlace {
    /// Right below the verdict.
    Head,
    /// At the end.
    Foot,
}

/// Why nothing is done, and the way out.
pub fn refusal(page: &mut Page, report: &Report) {
    let Some(refusal) = &report.refusal else { return };
    page.heading("Why nothing is done");
    page.paragraph(MARGIN, refusal.code, Tone::Quiet);
    page.paragraph(MARGIN, &refusal.explained.detail, Tone::Plain);
    let lead = vec![Span::new(format!("{} ", g::ARROW), Tone::Good)];
    page.hanging(MARGIN, lead, &refusal.explained.next, Tone::Plain);
}

/// The command that comes next, where there is one.
pub fn foot(page: &mut Page, report: &Report, options: &str) {
    let (next, options) = match (report.verdict, report.command) {
        (Verdict::NeedsRepair, "diagnose") => ("winrefit plan", options),
        (Verdict::NeedsRepair, "plan") => ("winrefit fix", options),
        (Verdict::Unfinished, _) => ("winrefit resume", ""),
        _ => return,
    };
    let target = if report.target.contains(char::is_whitespace) {
        format!("\"{}\"", report.target)
    } else {
        report.target.clone()
    };
    page.blank();
    let lead = vec![Span::new("Next  ", Tone::Quiet)];
    page.hanging(
        MARGIN,
        lead,
        format!("{next} {target} {options}").trim_end(),
        Tone::Strong,
    );
}
