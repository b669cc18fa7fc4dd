//! What was found: meaning first, then what it rests on, then what to do.

use super::glyphs as g;
use super::page::{MARGIN, Page, Span, Tone};
use super::records::minute;
use winrefit_repair::report::{Confidence, FindingReport, Report, Severity};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// All findings.
pub fn section(page: &mut Page, report: &Report) {
    if report.findings.is_empty() {
        return;
    }
    page.heading(text!("Findings"));
    for finding in &report.findings {
        one(page, finding);
    }
}

fn one(page: &mut Page, finding: &FindingReport) {
    let sign = match finding.severity {
        Severity::Problem => Span::new(g::CROSS.to_string(), Tone::Bad),
        Severity::Warning => Span::new("!", Tone::Caution),
        Severity::Note => Span::new("i", Tone::System),
    };
    page.hanging(
        MARGIN,
        vec![sign, Span::new(" ", Tone::Plain)],
        &finding.explained.title,
        Tone::Strong,
    );
    let indent = MARGIN + 2;
    let code = match finding.confidence {
        Confidence::Certain => Text::raw(finding.code),
        Confidence::Likely => text!("{code}, likely", code = finding.code),
        Confidence::Possible => text!("{code}, possible", code = finding.code),
    };
    page.paragraph(indent, code, Tone::Quiet);
    if !finding.explained.detail.is_empty() {
        page.paragraph(indent, &finding.explained.detail, Tone::Plain);
    }
    for evidence in &finding.evidence {
        let source = match &evidence.time {
            Some(time) => text!(
                "{source}, {time}:",
                source = &evidence.source,
                time = minute(time)
            ),
            None => text!("{source}:", source = &evidence.source),
        };
        let words = page.language().say(&source);
        let lead = Span::new(format!("{} {words} ", g::UNALLOCATED), Tone::Quiet);
        if lead.width() * 2 < page.inner_width() {
            page.hanging(indent, vec![lead], &evidence.value, Tone::Plain);
        } else {
            let dot = Span::new(format!("{} ", g::UNALLOCATED), Tone::Quiet);
            page.hanging(indent, vec![dot], source, Tone::Quiet);
            page.paragraph(indent + 2, &evidence.value, Tone::Plain);
        }
    }
    if !finding.explained.next.is_empty() {
        let lead = vec![Span::new(format!("{} ", g::ARROW), Tone::Good)];
        page.hanging(indent, lead, &finding.explained.next, Tone::Plain);
    }
    page.blank();
}
