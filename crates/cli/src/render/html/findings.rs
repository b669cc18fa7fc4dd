//! What was found: how bad and how certain it is, what it means, what to do, and what it rests on.

use super::markup::Html;
use super::parts::{Cell, Sign, chip, row, table};
use winrefit_repair::report::{Confidence, Evidence, FindingReport, RefusalReport, Report, Severity};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// More evidence than this is folded.
const EVIDENCE_SHOWN: usize = 8;

/// Why nothing is done, and the findings, the most severe first.
pub fn section(html: &mut Html, report: &Report) {
    for finding in &report.findings {
        one(html, finding);
    }
}

/// Why nothing is done.
pub fn refusal(html: &mut Html, report: &Report) {
    if let Some(RefusalReport { code, explained }) = &report.refusal {
        html.element("div", &[("class", "card finding caution")], |html| {
            html.element("p", &[("class", "marks")], |html| {
                chip(html, Sign::Caution, text!("Refused"));
                html.leaf("code", "", *code);
            });
            html.leaf("h3", "", &explained.title);
            html.paragraph("", &explained.detail);
            next(html, &explained.next);
        });
    }
}

fn one(html: &mut Html, finding: &FindingReport) {
    let (sign, word) = match finding.severity {
        Severity::Problem => (Sign::Bad, text!("Problem")),
        Severity::Warning => (Sign::Caution, text!("Warning")),
        Severity::Note => (Sign::Note, text!("Note")),
    };
    let class = format!("card finding {}", sign.class());
    html.element("div", &[("class", &class)], |html| {
        html.element("p", &[("class", "marks")], |html| {
            chip(html, sign, word);
            html.leaf("span", "confidence", confidence(finding.confidence));
            html.leaf("code", "", finding.code);
        });
        html.leaf("h3", "", &finding.explained.title);
        html.paragraph("", &finding.explained.detail);
        next(html, &finding.explained.next);
        evidence(html, &finding.evidence);
    });
}

fn confidence(confidence: Confidence) -> Text {
    match confidence {
        Confidence::Certain => text!("certain: measured, or said alike by independent sources"),
        Confidence::Likely => text!("likely: the evidence fits, and nothing speaks against it"),
        Confidence::Possible => text!("possible: one reading among several"),
    }
}

fn next(html: &mut Html, words: &impl super::words::Say) {
    if words.say().is_empty() {
        return;
    }
    html.element("p", &[("class", "do")], |html| {
        html.leaf("strong", "", text!("What to do"));
        html.text(" ");
        html.prose(words);
    });
}

fn evidence(html: &mut Html, all: &[Evidence]) {
    let (shown, folded) = all.split_at(all.len().min(EVIDENCE_SHOWN));
    if !shown.is_empty() {
        rows(html, text!("Evidence"), shown);
    }
    if !folded.is_empty() {
        html.element("details", &[], |html| {
            html.leaf(
                "summary",
                "",
                winrefit_repair::counted!(folded.len(), "One more fact", "{n} more facts"),
            );
            rows(html, text!("More evidence"), folded);
        });
    }
}

fn rows(html: &mut Html, caption: Text, all: &[Evidence]) {
    let columns = [
        ("", text!("Where")),
        ("", text!("What stands there")),
        ("", text!("Written (UTC)")),
    ];
    let has_times = all.iter().any(|evidence| evidence.time.is_some());
    let columns = if has_times { &columns[..] } else { &columns[..2] };
    table(html, caption, columns, |html| {
        for evidence in all {
            let time = super::time::shown(evidence.time.as_deref().unwrap_or_default());
            let mut cells = vec![
                ("source", Cell::Value(&evidence.source)),
                ("", Cell::Value(&evidence.value)),
            ];
            if has_times {
                cells.push(("time", Cell::Value(&time)));
            }
            row(html, &cells);
        }
    });
}
