//! The lab's profiles, and a disk just made.

use super::page::{MARGIN, Page, Span, Tone, mark};
use crate::output::Screen;
use std::path::Path;
use winrefit_lab::profiles::Group;
use winrefit_repair::explain::size;

/// The list of profiles.
pub fn list(groups: &[Group], screen: &Screen) -> String {
    let mut page = Page::new(screen.width);
    let profiles = || groups.iter().flat_map(|group| group.profiles);
    let widest = profiles().map(|profile| profile.name.len()).max().unwrap_or(0);
    for group in groups {
        page.heading(group.title);
        for profile in group.profiles {
            let lead = vec![Span::new(format!("{:<widest$}  ", profile.name), Tone::Strong)];
            let text = format!(
                "{} ({}, {} files). Plan: {}",
                profile.summary,
                size(profile.disk_size_bytes),
                profile.file_count,
                profile.expected
            );
            page.hanging(MARGIN, lead, &text, Tone::Plain);
        }
    }
    page.render(screen)
}

/// All disks just made.
pub fn created_all(directory: &Path, count: usize, screen: &Screen) -> String {
    let mut page = Page::new(screen.width);
    let directory = directory.display();
    page.hanging(
        MARGIN,
        vec![mark(true), Span::new(" ", Tone::Plain)],
        &format!("{directory}: {count} disks"),
        Tone::Plain,
    );
    page.paragraph(
        MARGIN,
        "Next  winrefit lab list, which says what each disk shows",
        Tone::Quiet,
    );
    page.render(screen)
}

/// A disk just made.
pub fn created(path: &Path, profile: &str, size_bytes: u64, screen: &Screen) -> String {
    let mut page = Page::new(screen.width);
    let path = path.display();
    let text = format!("{path}: {profile}, {}", size(size_bytes));
    page.hanging(
        MARGIN,
        vec![mark(true), Span::new(" ", Tone::Plain)],
        &text,
        Tone::Plain,
    );
    page.paragraph(MARGIN, &format!("Next  winrefit diagnose {path}"), Tone::Quiet);
    page.render(screen)
}
