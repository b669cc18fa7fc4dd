//! What was looked at and done: verification, checks of volumes, the journal.

use super::markup::Html;
use super::parts::{Cell, Sign, chip, fact, facts, row, subheading, table, value_fact};
use super::words::number;
use crate::render::human::segments::name;
use winrefit_repair::report::{CheckProblem, Report, Verdict, VolumeCheck};
use winrefit_repair::text::Text;
use winrefit_repair::{counted, text};

/// What verification looked at.
pub fn verification(html: &mut Html, report: &Report) {
    if report.verification.is_empty() {
        return;
    }
    let all = report.verification.len();
    let good = report.verification.iter().filter(|item| item.ok).count();
    html.paragraph("", text!("{good} of {all} are as they have to be.", good, all));
    let columns = [
        ("", text!("Result")),
        ("", text!("What was looked at")),
        ("", text!("What was found")),
    ];
    table(html, text!("Verification"), &columns, |html| {
        for item in &report.verification {
            // After an undo that worked, what is wrong was so before the repair, and is no fault of it.
            let (sign, word) = match (item.ok, report.verdict) {
                (true, _) if item.noted => (Sign::Caution, text!("to be noticed")),
                (true, _) => (Sign::Good, text!("good")),
                (false, Verdict::Undone) => (Sign::Caution, text!("as before the repair")),
                (false, _) => (Sign::Bad, text!("not good")),
            };
            row(
                html,
                &[
                    ("", Cell::Chip(sign, word)),
                    ("", Cell::Value(&item.what)),
                    ("", Cell::Value(&item.detail)),
                ],
            );
        }
    });
}

/// Consistency of volumes.
pub fn checks(html: &mut Html, report: &Report) {
    for check in &report.checks {
        volume(html, report, check);
    }
}

fn volume(html: &mut Html, report: &Report, check: &VolumeCheck) {
    let number = check.partition;
    let mut partitions = report.disk.iter().flat_map(|disk| &disk.partitions);
    let partition = partitions.find(|partition| partition.number == number);
    subheading(
        html,
        match partition.map(name) {
            Some(name) => text!("Partition {number}, {name}", number, name),
            None => text!("Partition {number}", number),
        },
    );
    html.element("p", &[], |html| {
        let (sign, word) = match (check.consistent, check.is_damaged()) {
            (true, _) => (Sign::Good, text!("consistent")),
            (false, true) => (Sign::Bad, text!("not consistent")),
            (false, false) => (Sign::Caution, text!("not at rest")),
        };
        chip(html, sign, word);
        let (used, records) = (check.records_in_use, check.records);
        html.text(" ");
        html.text(match check.level {
            "quick" => text!(
                "Quick check; {used} of {records} file records in use.",
                used,
                records
            ),
            _ => text!(
                "Full check; {used} of {records} file records in use.",
                used,
                records
            ),
        });
    });
    if check.problems.is_empty() {
        return;
    }
    let columns = [
        ("", text!("Severity")),
        ("", text!("Problem")),
        ("", text!("Where")),
        ("", text!("Code")),
    ];
    table(html, text!("Problems of the volume"), &columns, |html| {
        for problem in &check.problems {
            let (sign, word) = match problem.severity {
                "error" => (Sign::Bad, text!("error")),
                "warning" => (Sign::Caution, text!("warning")),
                _ => (Sign::Note, text!("note")),
            };
            let place = place(problem);
            row(
                html,
                &[
                    ("", Cell::Chip(sign, word)),
                    ("", Cell::Value(&problem.text)),
                    ("source", Cell::Value(&place)),
                    ("code", Cell::Words(Text::raw(problem.code))),
                ],
            );
        }
    });
    let unlisted = check.problems_total.saturating_sub(check.problems.len() as u64);
    if unlisted > 0 {
        html.paragraph(
            "quiet",
            counted!(unlisted, "One more is not listed.", "{n} more are not listed."),
        );
    }
}

fn place(problem: &CheckProblem) -> Text {
    let parts = [
        problem.path.as_ref().map(Text::raw),
        problem.record.map(|record| text!("file record {record}", record)),
        problem
            .attribute
            .as_ref()
            .map(|attribute| text!("attribute {attribute}", attribute)),
        problem
            .volume_byte
            .map(|byte| text!("byte {byte} of the volume", byte)),
        problem.expected.map(|value| text!("expected {value}", value)),
        problem.actual.map(|value| text!("found {value}", value)),
    ];
    Text::listed(parts.into_iter().flatten())
}

/// Earlier work on the disk.
pub fn journal(html: &mut Html, report: &Report) {
    let Some(journal) = &report.journal else { return };
    html.paragraph("", &journal.text);
    facts(html, |html| {
        fact(html, text!("State"), |html| html.leaf("code", "", journal.state));
        value_fact(html, text!("What the work was"), Some(&journal.memo));
        value_fact(html, text!("Where it lies"), Some(&journal.place));
    });
}

/// Which records of Windows were looked for, and what came of that.
pub fn sources(html: &mut Html, report: &Report) {
    if report.sources.is_empty() {
        return;
    }
    let columns = [
        ("", text!("State")),
        ("n", text!("Partition")),
        ("", text!("Source")),
        ("", text!("More")),
    ];
    table(html, text!("Records that were looked for"), &columns, |html| {
        for source in &report.sources {
            let (sign, word) = match source.state {
                "read" => (Sign::Good, text!("read")),
                "newest-part" => (Sign::Note, text!("newest part read")),
                "missing" => (Sign::Note, text!("not there")),
                "damaged" => (Sign::Caution, text!("damaged")),
                "unreadable" => (Sign::Caution, text!("not readable")),
                other => (Sign::Note, Text::raw(other)),
            };
            row(
                html,
                &[
                    ("", Cell::Chip(sign, word)),
                    ("n", Cell::Words(number(source.partition))),
                    ("code", Cell::Value(&source.path)),
                    ("", Cell::Value(&source.detail)),
                ],
            );
        }
    });
}

/// The JSON, to be saved and to be read.
pub fn raw(html: &mut Html, json: &str) {
    html.paragraph(
        "",
        text!("The same report for programs, as `--format json` writes it."),
    );
    let address = format!(
        "data:application/json;base64,{}",
        super::base64::encode(json.as_bytes())
    );
    html.element("p", &[], |html| {
        let attributes = [
            ("class", "download"),
            ("download", "winrefit-report.json"),
            ("href", &*address),
        ];
        html.element("a", &attributes, |html| html.text(text!("Save the JSON")));
    });
    // Twice in one file is enough for reports of the usual length only.
    if json.len() > RAW_SHOWN_MAX {
        return;
    }
    html.element("details", &[("class", "raw")], |html| {
        html.leaf("summary", "", text!("Show the JSON"));
        html.element("pre", &[("tabindex", "0"), ("dir", "ltr")], |html| {
            html.lines(json)
        });
    });
}

/// Bytes of JSON up to which it is shown on the page.
const RAW_SHOWN_MAX: usize = 512 << 10;
