//! An error: what happened and where, and what to do next.

use super::page::{Page, Span, Tone};
use crate::output::Screen;

/// Two paragraphs for standard error.
pub fn render(what: &str, next: &str, screen: &Screen) -> String {
    let mut page = Page::new(screen.width);
    page.hanging(0, vec![Span::new("error: ", Tone::Bad)], what, Tone::Plain);
    page.hanging(0, vec![Span::new("next: ", Tone::Strong)], next, Tone::Plain);
    page.render(screen)
}
