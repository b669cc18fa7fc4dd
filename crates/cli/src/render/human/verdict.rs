//! Head and foot of every page: the outcome in one line, unfinished work, refusals, the next command.

use super::changes::free;
use super::glyphs as g;
use super::names::Name;
use super::page::{MARGIN, Page, Span, Tone, mark};
use winrefit_repair::report::{FindingReport, JournalReport, Report, Severity, Verdict, VolumeCheck};
use winrefit_repair::text;
use winrefit_repair::text::Text;

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
    let outcome = text!("{word}. {reason}", word, reason = reason(report));
    page.hanging(MARGIN, lead, outcome, Tone::Strong);
    page.blank();
}

/// Sign and word of the outcome.
pub fn outcome(report: &Report) -> (Span, Text) {
    let caution = || Span::new("!", Tone::Caution);
    match report.verdict {
        Verdict::Healthy if report.command == "resume" => (mark(true), text!("Nothing to resume")),
        Verdict::Healthy => (mark(true), text!("Healthy")),
        Verdict::NeedsRepair => (mark(false), text!("Needs repair")),
        Verdict::Attention => (caution(), text!("Needs attention")),
        Verdict::Refused => (caution(), text!("Refused")),
        Verdict::Unfinished => (caution(), text!("Unfinished")),
        Verdict::Repaired => (mark(true), text!("Repaired")),
        Verdict::Undone => (mark(true), text!("Undone")),
        Verdict::Damaged => (mark(false), text!("Damaged")),
    }
}

/// What the outcome rests on.
pub fn reason(report: &Report) -> Text {
    let problem = report
        .findings
        .iter()
        .find(|finding| finding.severity == Severity::Problem);
    let problem = problem.map(|finding| finding.explained.title.clone());
    match report.verdict {
        Verdict::Healthy if report.command == "reset-update" && is_ahead(report) => {
            text!("Nothing speaks for a reset of Windows Update. What one would do stands below")
        }
        Verdict::Healthy => healthy(report),
        Verdict::NeedsRepair if report.command == "reset-update" => reset(report),
        Verdict::NeedsRepair if report.plan.is_some() => problem.unwrap_or_else(|| wish(report)),
        // The findings come with the worst first, and of equal ones with that first which the verdict rests on.
        Verdict::NeedsRepair | Verdict::Attention => problem
            .or_else(|| Some(report.findings.first()?.explained.title.clone()))
            .unwrap_or_else(|| text!("Something has to be done in Windows")),
        Verdict::Refused => report.refusal.as_ref().map_or_else(
            || text!("Nothing was written"),
            |refusal| refusal.explained.title.clone(),
        ),
        Verdict::Unfinished => report.refusal.as_ref().map_or_else(
            || text!("Earlier work on this disk was interrupted"),
            |refusal| refusal.explained.title.clone(),
        ),
        Verdict::Repaired if report.command == "undo" => text!("The last repair of this disk can be undone"),
        Verdict::Repaired => repaired(report),
        Verdict::Undone => text!("The disk is as it was before the repair"),
        // A finding may be of something else; a volume that failed its check is what the verdict rests on.
        Verdict::Damaged if report.checks.iter().any(VolumeCheck::is_damaged) => damage(report),
        Verdict::Damaged => problem.unwrap_or_else(|| damage(report)),
    }
}

/// Whether the report is of a plan that is not carried out yet.
pub fn is_ahead(report: &Report) -> bool {
    match report.verdict {
        Verdict::NeedsRepair => true,
        Verdict::Healthy | Verdict::Attention => {
            let plan = report.plan.as_ref();
            report.command == "reset-update" && plan.is_some_and(|plan| !plan.steps.is_empty())
        }
        _ => false,
    }
}

/// What speaks against a reset, or that there is something to reset.
fn reset(report: &Report) -> Text {
    match report.findings.first() {
        Some(finding) if finding.code == "reset-will-not-help" => {
            text!("Resetting Windows Update will not cure what was found")
        }
        _ => text!("Windows Update can be reset"),
    }
}

/// Why there is a plan where nothing is wrong.
fn wish(report: &Report) -> Text {
    match report.plan.as_ref().map(|plan| plan.strategy) {
        Some("create") => text!("There is no recovery partition, and one can be made"),
        Some("remove-stale") => text!("The old recovery partition can go"),
        _ => text!("A repair is possible and advised"),
    }
}

/// What a repair came to, in numbers.
fn repaired(report: &Report) -> Text {
    let Some(plan) = &report.plan else {
        return text!("The recovery partition has room for updates, and everything was verified");
    };
    if plan.strategy == "reset-update" {
        return text!("Windows Update is reset, and everything was verified. The rest is done in Windows");
    }
    let free = free(report, plan);
    match (plan.strategy, plan.afterwards.is_empty()) {
        ("create", true) => text!(
            "There is a recovery partition, with {free} free beside its image, and everything was verified",
            free
        ),
        ("create", false) => text!(
            "There is a recovery partition, with {free} free beside its image, and everything was verified. The rest \
             is done in Windows",
            free
        ),
        ("remove-stale", true) => text!("The old recovery partition is gone, and everything was verified"),
        ("remove-stale", false) => text!(
            "The old recovery partition is gone, and everything was verified. The rest is done in Windows"
        ),
        (_, true) => text!("Free space for updates: {free}. Everything was verified", free),
        (_, false) => text!(
            "Free space for updates: {free}. Everything was verified. The rest is done in Windows",
            free
        ),
    }
}

fn healthy(report: &Report) -> Text {
    match report.command {
        "verify" => text!("Everything that was looked at is as it has to be"),
        "check" => text!("No error was found"),
        "resume" => text!("No work is unfinished"),
        "undo" => text!("There is nothing to undo"),
        "plan" | "fix" => text!("There is room enough. `winrefit diagnose` tells of all else"),
        _ => text!("Nothing needs to be done"),
    }
}

fn damage(report: &Report) -> Text {
    let damaged = report.checks.iter().filter(|check| check.is_damaged());
    let damaged: Vec<u32> = damaged.map(|check| check.partition).collect();
    match damaged[..] {
        [] => text!("A structure on the disk is damaged"),
        [number] => text!("The NTFS volume on partition {number} is not consistent", number),
        _ => text!(
            "The NTFS volumes on the partitions {numbers} are not consistent",
            numbers = Text::all_of(damaged.iter().map(|&number| number.into()))
        ),
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
    page.entry(Some(Name::Journal), &journal.text);
    let facts = [
        journal_state(journal),
        journal.memo.clone(),
        journal.place.clone(),
    ];
    let facts = facts.into_iter().filter(|fact| !fact.is_empty());
    page.entry(None, Text::listed(facts));
    page.blank();
}

fn journal_state(journal: &JournalReport) -> Text {
    match journal.state {
        "preparing" => text!("preparing"),
        "committed" => text!("committed"),
        "applied" => text!("applied"),
        "undoing" => text!("undoing"),
        "removed" => text!("removed"),
        "damaged" => text!("damaged"),
        other => Text::raw(other),
    }
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
    page.heading(text!("Why nothing is done"));
    page.paragraph(MARGIN, Text::raw(refusal.code), Tone::Quiet);
    page.paragraph(MARGIN, &refusal.explained.detail, Tone::Plain);
    let lead = vec![Span::new(format!("{} ", g::ARROW), Tone::Good)];
    page.hanging(MARGIN, lead, &refusal.explained.next, Tone::Plain);
}

/// Whether nothing needs repair but what a reset of Windows Update's services cures.
fn is_for_reset(report: &Report) -> bool {
    let mut problems = report.findings.iter().filter(|f| f.severity == Severity::Problem);
    let is_disabled = |f: &FindingReport| f.code == "update-service-disabled";
    problems.all(|f| f.code == "winre-image-gone") && report.findings.iter().any(is_disabled)
}

/// The command that comes next, where there is one.
pub fn next_command(report: &Report, options: &str) -> Option<String> {
    // A refused resume says itself what has to be done before another one, and what stands before the problem has to be gone
    // before a plan is of any use.
    let has_problem = report.findings.iter().any(|f| f.severity == Severity::Problem);
    let first = report.findings.first();
    let is_blocked = has_problem && first.is_some_and(|f| f.severity != Severity::Problem);
    if report.refusal.is_some() || is_blocked && report.verdict != Verdict::Unfinished {
        return None;
    }
    let (next, options) = match (report.verdict, report.command) {
        (Verdict::NeedsRepair, "diagnose") if is_for_reset(report) => {
            ("winrefit reset-update", "--only services --dry-run")
        }
        (Verdict::NeedsRepair, "diagnose") => ("winrefit plan", options),
        (Verdict::NeedsRepair, "plan") => ("winrefit fix", options),
        (Verdict::Unfinished, _) => ("winrefit resume", ""),
        _ => return None,
    };
    // A name that begins like an option would be taken for one.
    let target = match report.target.starts_with('-') {
        true => format!("./{}", report.target),
        false => report.target.clone(),
    };
    let target = match target.contains(char::is_whitespace) {
        true => format!("\"{target}\""),
        false => target,
    };
    let recovery = report.recovery.as_ref().map(|recovery| recovery.partition);
    let is_one_of_several = report.findings.iter().any(|f| f.code == "several-windows");
    let option = "--recovery-partition";
    let named = match recovery.filter(|_| is_one_of_several && !options.contains(option)) {
        Some(number) if report.command == "diagnose" => format!(" {option} {number}"),
        _ => String::new(),
    };
    let command = format!("{next} {target} {options}");
    Some(format!("{}{named}", command.trim_end()))
}

/// That command, at the end of the page.
pub fn foot(page: &mut Page, report: &Report, options: &str) {
    let Some(command) = next_command(report, options) else {
        return;
    };
    page.blank();
    let lead = format!("{}  ", page.language().say(text!("Next")));
    page.hanging(
        MARGIN,
        vec![Span::new(lead, Tone::Quiet)],
        Text::raw(command),
        Tone::Strong,
    );
}
