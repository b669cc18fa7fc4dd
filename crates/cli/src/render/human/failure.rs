//! An error: what happened and where, and what to do next.

use super::page::{Page, Span, Tone};
use crate::output::Screen;
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// Two paragraphs for standard error.
pub fn render(what: &Text, next: &Text, screen: &Screen) -> String {
    let mut page = Page::new(screen);
    for (label, tone, words) in [
        (text!("error:"), Tone::Bad, what),
        (text!("next:"), Tone::Strong, next),
    ] {
        let label = format!("{} ", page.language().say(label));
        page.hanging(0, vec![Span::new(label, tone)], words, Tone::Plain);
    }
    page.render(screen)
}
