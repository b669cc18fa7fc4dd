//! What was found: meaning first, then what it rests on, then what to do.

use super::glyphs as g;
use super::page::{MARGIN, Page, Span, Tone};
use super::records::minute;
use winrefit_repair::report::{Confidence, FindingReport, Report, Severity};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// All findings.
pub fn section(page: &mut Page, report: &Report) {
    listed(page, report.findings.iter());
}

/// Whether a reset helps, without a heading.
pub fn advice(page: &mut Page, report: &Report) {
    for finding in report.findings.iter().filter(|finding| is_advice(finding)) {
        one(page, finding);
    }
}

/// All findings but whether a reset helps.
pub fn others(page: &mut Page, report: &Report) {
    listed(page, report.findings.iter().filter(|finding| !is_advice(finding)));
}

/// Whether the finding is about the reset itself.
pub fn is_advice(finding: &FindingReport) -> bool {
    matches!(finding.code, "reset-will-not-help" | "reset-may-help")
}

fn listed<'r>(page: &mut Page, findings: impl Iterator<Item = &'r FindingReport>) {
    let mut findings = findings.peekable();
    if findings.peek().is_none() {
        return;
    }
    page.heading(text!("Findings"));
    for finding in findings {
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
