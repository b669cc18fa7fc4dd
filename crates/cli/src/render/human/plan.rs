//! The plan: the picture of what moves, the steps, and what stays as it is.

use super::changes;
use super::glyphs as g;
use super::page::{MARGIN, Page, Span, Tone};
use super::segments::{State, with_all};
use super::{map, strip};
use winrefit_repair::explain::size;
use winrefit_repair::report::{Report, Verdict};

/// The disk before and after: enlarged where borders move, as a whole where a partition goes to another place.
pub fn picture(page: &mut Page, report: &Report) {
    let (Some(disk), Some(plan)) = (&report.disk, &report.plan) else {
        return;
    };
    let disk = &with_all(disk, plan);
    if plan.changes.iter().any(changes::is_elsewhere) {
        // The map of the disk as it is stands above.
        let (title, state) = if report.verdict == Verdict::NeedsRepair {
            ("After the repair", State::After)
        } else {
            ("Before the repair", State::Before)
        };
        page.heading(title);
        map::draw(page, disk, Some(plan), state);
        page.blank();
        return;
    }
    let Some(caption) = strip::caption(disk, plan) else {
        return;
    };
    page.blank();
    let gains = plan
        .changes
        .iter()
        .any(|c| c.before.sectors > 0 && c.after.sectors > c.before.sectors);
    let legend = if gains {
        format!("   {} gained", g::GAINED)
    } else {
        String::new()
    };
    page.line(
        MARGIN,
        [Span::new(caption, Tone::Strong), Span::new(legend, Tone::Quiet)],
    );
    strip::draw(page, disk, plan);
    page.blank();
}

/// The strategy and its steps.
pub fn steps(page: &mut Page, report: &Report) {
    let Some(plan) = &report.plan else { return };
    page.heading("Plan");
    let lead = vec![Span::new(format!("{}  ", plan.strategy), Tone::Recovery)];
    page.hanging(MARGIN, lead, &plan.summary, Tone::Plain);
    let is_first = |number: u64| plan.commit_steps.len() > 1 && number == 1;
    let is_second = |number: u64| {
        plan.commit_steps.len() > 1 && plan.commit_steps.first().is_some_and(|first| first + 1 == number)
    };
    for (number, step) in (1..).zip(&plan.steps) {
        if is_first(number) {
            page.paragraph(MARGIN, "First commit", Tone::Strong);
        } else if is_second(number) {
            page.paragraph(MARGIN, "Second commit, right after the first", Tone::Strong);
        }
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
        let mut text = format!("{} of data, to space that nothing uses", size(plan.move_bytes));
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
