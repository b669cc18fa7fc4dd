//! What was looked at after a repair, and how it is.

use super::page::{MARGIN, Page, Span, Tone, mark};
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::text;

/// The list, each with its mark.
pub fn section(page: &mut Page, report: &Report) {
    if report.verification.is_empty() {
        return;
    }
    let good = report.verification.iter().filter(|item| item.ok).count();
    let all = report.verification.len();
    page.heading(text!("Verified: {good} of {all}", good, all));
    items(page, report);
    page.blank();
}

/// The list without a heading.
pub fn items(page: &mut Page, report: &Report) {
    for item in &report.verification {
        // After an undo that worked, what is wrong was so before the repair, and is no fault of it.
        let sign = if item.ok && item.noted || !item.ok && report.verdict == Verdict::Undone {
            Span::new("!", Tone::Caution)
        } else {
            mark(item.ok)
        };
        let lead = vec![sign, Span::new(" ", Tone::Plain)];
        let tone = if item.ok { Tone::Plain } else { Tone::Strong };
        let words = if item.detail.is_empty() {
            item.what.clone()
        } else {
            text!("{what}: {detail}", what = &item.what, detail = &item.detail)
        };
        page.hanging(MARGIN, lead, words, tone);
    }
}
