//! The plan: the picture of what moves, the numbers, the steps, and what stays as it is.

use super::disk::pad;
use super::glyphs as g;
use super::page::{MARGIN, Page, Span, Tone};
use super::segments::{bytes, name};
use super::strip;
use std::ops::Range;
use winrefit_repair::explain::size;
use winrefit_repair::report::{ChangeReport, DiskReport, PlanReport, Report, Verdict};

/// Columns of a partition's name in the table of changes.
const NAME: usize = 14;

/// The part of the disk that changes, before and after.
pub fn picture(page: &mut Page, report: &Report) {
    let (Some(disk), Some(plan)) = (&report.disk, &report.plan) else {
        return;
    };
    let Some(caption) = strip::caption(disk, plan) else {
        return;
    };
    page.blank();
    let legend = format!("   {} gained", g::GAINED);
    page.line(
        MARGIN,
        [Span::new(caption, Tone::Strong), Span::new(legend, Tone::Quiet)],
    );
    strip::draw(page, disk, plan);
    page.blank();
}

/// The partitions that change, in numbers.
pub fn changes(page: &mut Page, report: &Report) {
    let (Some(disk), Some(plan)) = (&report.disk, &report.plan) else {
        return;
    };
    for change in &plan.changes {
        let title = disk
            .partitions
            .iter()
            .find(|partition| partition.number == change.partition)
            .map_or_else(String::new, name);
        let title = pad(&format!("{} {title}", change.partition), NAME);
        page.hanging(
            MARGIN,
            vec![Span::new(title, Tone::Quiet)],
            &change_line(disk, change),
            Tone::Plain,
        );
    }
    if !plan.changes.is_empty() {
        let line = free_line(report, plan);
        page.line(
            MARGIN,
            [
                Span::new(pad("  free", NAME), Tone::Quiet),
                Span::new(line, Tone::Strong),
            ],
        );
    }
    page.blank();
}

/// Free space of the recovery volume: measured now, and after the plan where that is still to come.
fn free_line(report: &Report, plan: &PlanReport) -> String {
    let now = report.recovery.as_ref().and_then(|recovery| recovery.free_bytes);
    match (now, plan.recovery_free_bytes_after) {
        (Some(now), Some(after)) if report.verdict == Verdict::NeedsRepair => to(now, after),
        (Some(bytes), _) | (None, Some(bytes)) => size(bytes),
        (None, None) => "unknown".into(),
    }
}

/// An arrow that is an arrow in ASCII as well.
fn to(before: u64, after: u64) -> String {
    format!("{} {}{} {}", size(before), g::LINE, g::TO_RIGHT, size(after))
}

fn change_line(disk: &DiskReport, change: &ChangeReport) -> String {
    let before = bytes(change.before, disk.sector_size_bytes);
    let after = bytes(change.after, disk.sector_size_bytes);
    let (size_before, size_after) = (length(&before), length(&after));
    let sign = if size_after < size_before { "-" } else { "+" };
    let difference = size(size_before.abs_diff(size_after));
    let mut line = format!("{}  ({sign}{difference})", to(size_before, size_after));
    for (edge, from, to) in [
        ("start", before.start, after.start),
        ("end", before.end, after.end),
    ] {
        if from != to {
            let direction = if to < from { "earlier" } else { "later" };
            line.push_str(&format!(", {edge} {} {direction}", size(from.abs_diff(to))));
        }
    }
    line
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

/// The strategy and its steps.
pub fn steps(page: &mut Page, report: &Report) {
    let Some(plan) = &report.plan else { return };
    page.heading("Plan");
    let lead = vec![Span::new(format!("{}  ", plan.strategy), Tone::Recovery)];
    page.hanging(MARGIN, lead, &plan.summary, Tone::Plain);
    for (number, step) in (1..).zip(&plan.steps) {
        page.hanging(
            MARGIN,
            vec![Span::new(format!("{number:>2}. "), Tone::Quiet)],
            step,
            Tone::Plain,
        );
    }
}

/// What is written, what is not, and the way back.
pub fn promises(page: &mut Page, report: &Report) {
    let Some(plan) = report.plan.as_ref().filter(|plan| !plan.changes.is_empty()) else {
        return;
    };
    page.blank();
    let written = if report.verdict == Verdict::NeedsRepair {
        "Will write"
    } else {
        "Written"
    };
    let mut text = size(plan.bytes_written);
    if plan.journal_bytes > 0 {
        text.push_str(&format!(" in place, {} of journal", size(plan.journal_bytes)));
        if let Some(place) = &plan.journal_place {
            text.push_str(&format!(": {place}"));
        }
    }
    if plan.move_bytes > 0 {
        let copied = if report.verdict == Verdict::NeedsRepair {
            "Will copy"
        } else {
            "Copied"
        };
        let mut text = format!("{} of data to free space", size(plan.move_bytes));
        if report.verdict == Verdict::NeedsRepair {
            text.push_str(&format!("; about {} s on a hard disk", plan.move_seconds.max(1)));
        }
        page.entry(copied, &text);
    }
    page.entry(written, &text);
    for dropped in &plan.dropped_shadow_copies {
        page.entry("Given up", &dropped.text);
    }
    for (index, untouched) in plan.untouched.iter().enumerate() {
        let name = if index == 0 { "Untouched" } else { "" };
        page.entry(name, untouched);
    }
    for afterwards in &plan.afterwards {
        page.entry("Afterwards", afterwards);
    }
    page.entry("Undo", &plan.undo);
}
