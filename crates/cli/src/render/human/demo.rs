//! The demo's story on a screen or two: what is wrong, what moves, what proves it.

use super::page::{MARGIN, Page, Span, Tone, mark};
use super::segments::State;
use super::{changes, map, plan, recovery, verification};
use crate::output::Screen;
use std::time::Duration;
use winrefit_repair::report::{Report, Severity};
use winrefit_repair::text;
use winrefit_repair::text::{Bytes, Text};

/// What happened.
pub struct Story<'a> {
    /// What the disk shows, in words.
    pub profile: &'a str,
    /// The diagnosis of the failing disk.
    pub diagnosis: &'a Report,
    /// The plan, made from a full look at the disk.
    pub plan: &'a Report,
    /// The repair.
    pub repair: &'a Report,
    /// Time that the repair took.
    pub repair_time: Duration,
    /// Where the disk is kept, if it is.
    pub kept: Option<&'a str>,
}

/// The story as a page.
pub fn render(story: &Story<'_>, screen: &Screen) -> String {
    let mut page = Page::new(screen);
    failing(&mut page, story);
    planned(&mut page, story);
    repaired(&mut page, story);
    ending(&mut page, story);
    page.render(screen)
}

fn chapter(page: &mut Page, number: u32, title: Text) {
    page.blank();
    let title = page.span(title, Tone::Strong);
    page.line(MARGIN, [Span::new(format!("{number}  "), Tone::Recovery), title]);
}

fn failing(page: &mut Page, story: &Story<'_>) {
    chapter(page, 1, text!("A Windows whose update ends in 0x80070643"));
    page.paragraph(MARGIN, Text::raw(story.profile), Tone::Quiet);
    if let Some(disk) = &story.plan.disk {
        map::draw(page, disk, None, State::Reported);
    }
    page.blank();
    let problems = story
        .diagnosis
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Problem);
    for problem in problems {
        let lead = vec![mark(false), Span::new(" ", Tone::Plain)];
        page.hanging(MARGIN, lead, &problem.explained.title, Tone::Strong);
        page.paragraph(MARGIN + 2, &problem.explained.detail, Tone::Plain);
    }
    if let Some(recovery) = &story.diagnosis.recovery {
        recovery::rules_in_short(page, recovery);
    }
}

fn planned(page: &mut Page, story: &Story<'_>) {
    let Some(plan) = &story.plan.plan else { return };
    chapter(page, 2, text!("The border moves, the data stays"));
    page.paragraph(MARGIN, &plan.summary, Tone::Plain);
    plan::picture(page, story.plan);
    changes::section(page, story.plan);
}

fn repaired(page: &mut Page, story: &Story<'_>) {
    let millis = story.repair_time.as_millis();
    let seconds = format!("{}.{:02}", millis / 1000, millis % 1000 / 10);
    let seconds = page.language().decimal(&seconds);
    chapter(
        page,
        3,
        text!("Repaired in {seconds} seconds, and verified", seconds),
    );
    if let Some(plan) = &story.repair.plan {
        let commit = text!(
            "One atomic commit: {written} written in place, {journal} of journal. A power cut at any moment leaves \
             the old disk or the new one.",
            written = Bytes(plan.bytes_written),
            journal = Bytes(plan.journal_bytes)
        );
        page.paragraph(MARGIN, commit, Tone::Plain);
    }
    page.blank();
    verification::items(page, story.repair);
    page.blank();
    if let Some(disk) = &story.repair.disk {
        map::draw(page, disk, None, State::Reported);
    }
    if let Some(recovery) = &story.repair.recovery {
        recovery::rules_in_short(page, recovery);
    }
}

fn ending(page: &mut Page, story: &Story<'_>) {
    page.blank();
    match story.kept {
        Some(path) => {
            page.paragraph(
                MARGIN,
                text!("The disk is kept. Look at it, or take the repair back:"),
                Tone::Quiet,
            );
            page.paragraph(
                MARGIN + 2,
                Text::raw(format!("winrefit diagnose {path}")),
                Tone::Plain,
            );
            page.paragraph(
                MARGIN + 2,
                Text::raw(format!("winrefit undo {path}")),
                Tone::Plain,
            );
        }
        None => page.paragraph(
            MARGIN,
            text!("The disk was temporary and is gone; --keep DIR keeps one."),
            Tone::Quiet,
        ),
    }
}
