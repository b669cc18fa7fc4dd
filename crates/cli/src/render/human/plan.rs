//! The plan: the picture of what moves, the steps, and what stays as it is.

use super::changes;
use super::glyphs as g;
use super::names::Name;
use super::page::{MARGIN, Page, Span, Tone};
use super::segments::{State, with_all};
use super::verdict::is_ahead;
use super::{map, strip};
use winrefit_repair::report::{PlanReport, Report, Verdict};
use winrefit_repair::text;
use winrefit_repair::text::{Bytes, Text};

/// The disk before and after: enlarged where borders move, as a whole where a partition goes to another place.
pub fn picture(page: &mut Page, report: &Report) {
    let (Some(disk), Some(plan)) = (&report.disk, &report.plan) else {
        return;
    };
    let disk = &with_all(disk, plan);
    if plan.changes.iter().any(changes::is_elsewhere) {
        // The map of the disk as it is stands above.
        let (title, state) = if report.verdict == Verdict::NeedsRepair {
            (text!("After the repair"), State::After)
        } else {
            (text!("Before the repair"), State::Before)
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
        format!("   {} {}", g::GAINED, page.language().say(text!("gained")))
    } else {
        String::new()
    };
    let caption = page.span(caption, Tone::Strong);
    page.line(MARGIN, [caption, Span::new(legend, Tone::Quiet)]);
    strip::draw(page, disk, plan);
    page.blank();
}

/// The strategy and its steps.
pub fn steps(page: &mut Page, report: &Report) {
    let Some(plan) = &report.plan else { return };
    page.heading(text!("Plan"));
    let lead = vec![Span::new(format!("{}  ", plan.strategy), Tone::Recovery)];
    page.hanging(MARGIN, lead, &plan.summary, Tone::Plain);
    let is_first = |number: u64| plan.commit_steps.len() > 1 && number == 1;
    let is_second = |number: u64| {
        plan.commit_steps.len() > 1 && plan.commit_steps.first().is_some_and(|first| first + 1 == number)
    };
    for (number, step) in (1..).zip(&plan.steps) {
        if is_first(number) {
            page.paragraph(MARGIN, text!("First commit"), Tone::Strong);
        } else if is_second(number) {
            page.paragraph(
                MARGIN,
                text!("Second commit, right after the first"),
                Tone::Strong,
            );
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
    let Some(plan) = report.plan.as_ref().filter(|plan| !plan.steps.is_empty()) else {
        return;
    };
    page.blank();
    let is_due = is_ahead(report);
    let (copied, written) = if is_due {
        (Name::WillCopy, Name::WillWrite)
    } else {
        (Name::Copied, Name::Written)
    };
    if plan.move_bytes > 0 {
        page.entry(Some(copied), moved_words(plan, is_due));
    }
    page.entry(Some(written), written_words(plan));
    for dropped in &plan.dropped_shadow_copies {
        page.entry(Some(Name::GivenUp), &dropped.text);
    }
    for (index, untouched) in plan.untouched.iter().enumerate() {
        page.entry((index == 0).then_some(Name::Untouched), untouched);
    }
    for afterwards in &plan.afterwards {
        page.entry(Some(Name::Afterwards), afterwards);
    }
    page.entry(Some(Name::Undo), &plan.undo);
}

fn moved_words(plan: &PlanReport, is_due: bool) -> Text {
    let size = Bytes(plan.move_bytes);
    if is_due {
        text!(
            "{size} of data, to space that nothing uses; about {seconds} s on a hard disk",
            size,
            seconds = plan.move_seconds.max(1)
        )
    } else {
        text!("{size} of data, to space that nothing uses", size)
    }
}

fn written_words(plan: &PlanReport) -> Text {
    let (size, journal) = (Bytes(plan.bytes_written), Bytes(plan.journal_bytes));
    match &plan.journal_place {
        _ if plan.journal_bytes == 0 => size.into(),
        Some(place) => text!(
            "{size} in place, {journal} of journal: {place}",
            size,
            journal,
            place
        ),
        None => text!("{size} in place, {journal} of journal", size, journal),
    }
}
