//! The lab's profiles, and a disk just made.

use super::page::{MARGIN, Page, Span, Tone, mark};
use crate::output::Screen;
use std::path::Path;
use winrefit_lab::Profile;
use winrefit_repair::explain::size;

/// The list of profiles.
pub fn list(profiles: &[Profile], screen: &Screen) -> String {
    let mut page = Page::new(screen.width);
    let widest = profiles
        .iter()
        .map(|profile| profile.name.len())
        .max()
        .unwrap_or(0);
    for profile in profiles {
        let lead = vec![Span::new(format!("{:<widest$}  ", profile.name), Tone::Strong)];
        let text = format!(
            "{} ({}, {} files)",
            profile.summary,
            size(profile.disk_size_bytes),
            profile.file_count
        );
        page.hanging(MARGIN, lead, &text, Tone::Plain);
    }
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
