//! The lab's profiles, and a disk just made.

use super::page::{MARGIN, Page, Span, Tone, mark};
use crate::output::Screen;
use std::path::Path;
use winrefit_lab::profiles::Group;
use winrefit_repair::text::{Bytes, Text};
use winrefit_repair::{counted, text};

/// The list of profiles.
pub fn list(groups: &[Group], screen: &Screen) -> String {
    let mut page = Page::new(screen);
    let profiles = || groups.iter().flat_map(|group| group.profiles);
    let widest = profiles().map(|profile| profile.name.len()).max().unwrap_or(0);
    for group in groups {
        page.heading(Text::raw(group.title));
        for profile in group.profiles {
            let lead = vec![Span::new(format!("{:<widest$}  ", profile.name), Tone::Strong)];
            let words = text!(
                "{summary} ({size}, {count} files). Plan: {plan}",
                summary = profile.summary,
                size = Bytes(profile.disk_size_bytes),
                count = profile.file_count,
                plan = profile.expected
            );
            page.hanging(MARGIN, lead, words, Tone::Plain);
        }
    }
    page.render(screen)
}

/// All disks just made.
pub fn created_all(directory: &Path, count: usize, screen: &Screen) -> String {
    let directory = directory.display().to_string();
    let made = counted!(count, "{directory}: 1 disk", "{directory}: {n} disks", directory);
    let next = text!("winrefit lab list, which says what each disk shows");
    finished(made, next, screen)
}

/// A disk just made.
pub fn created(path: &Path, profile: &str, size_bytes: u64, screen: &Screen) -> String {
    let path = path.display().to_string();
    let next = Text::raw(format!("winrefit diagnose {path}"));
    let made = text!(
        "{path}: {profile}, {size}",
        path,
        profile,
        size = Bytes(size_bytes)
    );
    finished(made, next, screen)
}

fn finished(made: Text, next: Text, screen: &Screen) -> String {
    let mut page = Page::new(screen);
    let lead = vec![mark(true), Span::new(" ", Tone::Plain)];
    page.hanging(MARGIN, lead, made, Tone::Plain);
    let lead = format!("{}  ", page.language().say(text!("Next")));
    page.hanging(MARGIN, vec![Span::new(lead, Tone::Quiet)], next, Tone::Quiet);
    page.render(screen)
}
