//! The report as a page for people. [`render`] is the table of contents: which command shows which sections.

mod canvas;
pub mod changes;
mod checks;
pub mod demo;
mod disk;
pub mod explain;
pub mod failure;
mod findings;
mod glyphs;
pub mod kb;
pub mod lab;
mod map;
mod names;
pub mod page;
mod plan;
mod records;
mod recovery;
pub mod segments;
pub mod strip;
#[cfg(test)]
mod tests;
pub mod typeset;
pub mod verdict;
mod verification;

use crate::output::Screen;
use page::Page;
use verdict::JournalPlace;
use winrefit_repair::report::{Report, Verdict};

/// `report` as a page. `options` are those that the next command needs as well, as one types them.
pub fn render(report: &Report, options: &str, screen: &Screen) -> String {
    let mut page = Page::new(screen);
    verdict::head(&mut page, report);
    verdict::journal(&mut page, report, JournalPlace::Head);
    match report.command {
        "diagnose" => diagnosed(&mut page, report),
        "plan" => planned(&mut page, report),
        "fix" if report.verdict == Verdict::NeedsRepair => planned(&mut page, report),
        "reset-update" => reset(&mut page, report),
        "check" => {
            checks::section(&mut page, report);
            findings::section(&mut page, report);
        }
        _ => done(&mut page, report),
    }
    verdict::refusal(&mut page, report);
    verdict::journal(&mut page, report, JournalPlace::Foot);
    verdict::foot(&mut page, report, options);
    page.render(screen)
}

fn diagnosed(page: &mut Page, report: &Report) {
    disk::section(page, report);
    disk::table(page, report);
    recovery::section(page, report, recovery::Rules::Explained);
    records::usage(page, report);
    findings::section(page, report);
    records::timeline(page, report);
    records::sources(page, report);
}

fn planned(page: &mut Page, report: &Report) {
    disk::section(page, report);
    plan::picture(page, report);
    changes::section(page, report);
    plan::steps(page, report);
    plan::promises(page, report);
    // Nothing is planned, and yet there is something to do.
    if report.verdict == Verdict::Attention {
        page.blank();
        findings::section(page, report);
    }
}

/// Whether it helps comes first, and what else was found last.
fn reset(page: &mut Page, report: &Report) {
    findings::advice(page, report);
    disk::section(page, report);
    plan::steps(page, report);
    plan::promises(page, report);
    if !verdict::is_ahead(report) {
        verification::section(page, report);
    }
    if !report.checks.iter().all(|check| check.consistent) {
        checks::section(page, report);
    }
    page.blank();
    findings::others(page, report);
}

/// What fix, resume, undo and verify leave behind.
fn done(page: &mut Page, report: &Report) {
    disk::section(page, report);
    plan::picture(page, report);
    changes::section(page, report);
    recovery::section(page, report, recovery::Rules::Sums);
    verification::section(page, report);
    if !report.checks.iter().all(|check| check.consistent) || report.command == "verify" {
        checks::section(page, report);
    }
    findings::section(page, report);
    plan::promises(page, report);
}
