//! The recovery partition: its state, the sums of the space rules, and where its space goes.

use super::markup::Html;
use super::parts::{Cell, Sign, chip, fact, facts, percent, row, subheading, table, value_fact, written};
use super::words::{number, size};
use winrefit_repair::report::{
    FileUsageReport, ImageReport, RecoveryReport, Report, RuleReport, UsageReport,
};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// Room right of the longest bar, for what marks the need.
const BAR_PERCENT: f64 = 98.0;

/// State, rules, usage.
pub fn section(html: &mut Html, report: &Report) {
    let Some(recovery) = &report.recovery else { return };
    state(html, recovery);
    if !recovery.rules.is_empty() {
        subheading(html, text!("Is there enough space?"));
        html.paragraph(
            "quiet",
            text!("Each bar is what is there; the line across it is what is needed."),
        );
        for each in &recovery.rules {
            rule(html, each);
        }
    }
    if let Some(usage) = &recovery.usage {
        used(html, recovery, usage);
    }
}

fn state(html: &mut Html, recovery: &RecoveryReport) {
    facts(html, |html| {
        let number = recovery.partition;
        fact(html, text!("Recovery partition"), |html| {
            let size = size(recovery.size_bytes);
            html.text(match recovery.free_bytes.map(super::words::size) {
                Some(free) => text!("number {number}, {size}, {free} of it free", number, size, free),
                None => text!("number {number}, {size}", number, size),
            });
        });
        fact(html, text!("WinRE"), |html| match recovery.enabled {
            Some(true) => chip(html, Sign::Good, text!("enabled")),
            Some(false) => chip(html, Sign::Caution, text!("disabled")),
            None => chip(html, Sign::Caution, text!("no Windows refers to this partition")),
        });
        if let Some(image) = &recovery.image {
            fact(html, text!("Image"), |html| {
                html.value(&image.path);
                html.text(Text::raw(" "));
                html.text(image_words(image));
            });
            value_fact(
                html,
                text!("Image changed last (UTC)"),
                image.modified.as_deref().map(super::time::shown),
            );
        }
    });
}

/// Version, architecture and size of an image.
pub fn image_words(image: &ImageReport) -> Text {
    let known = [image.version.as_ref(), image.architecture.as_ref()];
    let known = known.into_iter().flatten().map(Text::raw);
    Text::listed(known.chain([size(image.size_bytes)]))
}

/// What is there against what has to be.
fn rule(html: &mut Html, rule: &RuleReport) {
    html.element("div", &[("class", "rule card")], |html| {
        html.element("p", &[("class", "rule-head")], |html| {
            let word = if rule.met { text!("met") } else { text!("not met") };
            chip(html, Sign::of(rule.met), word);
            html.leaf("strong", "", rule_name(rule.code));
            let (available, required) = (size(rule.available_bytes), size(rule.required_bytes));
            html.leaf(
                "span",
                "amount",
                text!("{available} there, {required} needed", available, required),
            );
        });
        let longest = rule.available_bytes.max(rule.required_bytes) as f64;
        let at = |bytes: u64| percent(bytes as f64, longest) / 100.0 * BAR_PERCENT;
        let fill = if rule.met { "fill good" } else { "fill bad" };
        html.element(
            "svg",
            &[
                ("class", "bar"),
                ("width", "100%"),
                ("height", "26"),
                ("aria-hidden", "true"),
            ],
            |html| {
                let full = written(100.0);
                html.empty(
                    "rect",
                    &[
                        ("class", "track"),
                        ("x", "0"),
                        ("y", "6"),
                        ("width", &full),
                        ("height", "14"),
                    ],
                );
                let width = written(at(rule.available_bytes));
                html.empty(
                    "rect",
                    &[
                        ("class", fill),
                        ("x", "0"),
                        ("y", "6"),
                        ("width", &width),
                        ("height", "14"),
                    ],
                );
                let x = written(at(rule.required_bytes));
                // With a margin of the page's colour, so that it is seen on the bar as well.
                for class in ["need-margin", "need"] {
                    html.empty(
                        "line",
                        &[
                            ("class", class),
                            ("x1", &x),
                            ("y1", "0"),
                            ("x2", &x),
                            ("y2", "26"),
                        ],
                    );
                }
            },
        );
        html.element("p", &[("class", "sum")], |html| html.text(&rule.arithmetic));
        html.paragraph("quiet", &rule.rule);
    });
}

fn rule_name(code: &'static str) -> Text {
    match code {
        "servicing" => text!("Space for the next update"),
        "placement" => text!("Space for an image of this size"),
        other => Text::raw(other),
    }
}

/// Class, name and bytes of a part of the volume.
type Part = (&'static str, Text, Option<u64>);

fn used(html: &mut Html, recovery: &RecoveryReport, usage: &UsageReport) {
    subheading(html, text!("Where the space of the recovery partition goes"));
    let of = |is_winre: bool| {
        let files = usage.files.iter().filter(|file| file.is_winre == is_winre);
        files.fold(0_u64, |sum, file| sum.saturating_add(file.bytes))
    };
    let parts = [
        ("part-winre", text!("WinRE"), Some(of(true))),
        (
            "part-foreign",
            text!("Files that are no part of WinRE"),
            Some(of(false)),
        ),
        ("part-other", text!("Other files"), Some(usage.other_bytes)),
        (
            "part-metadata",
            text!("The file system itself"),
            Some(usage.metadata_bytes),
        ),
        ("part-free", text!("Free"), recovery.free_bytes),
    ];
    stacked(html, recovery.size_bytes, &parts);
    shares(html, recovery.size_bytes, parts);
    files(html, &usage.files);
}

/// The parts beside each other, in one bar.
fn stacked(html: &mut Html, whole: u64, parts: &[Part]) {
    let whole = whole as f64;
    html.element(
        "svg",
        &[
            ("class", "bar"),
            ("width", "100%"),
            ("height", "26"),
            ("aria-hidden", "true"),
        ],
        |html| {
            html.empty(
                "rect",
                &[
                    ("class", "track"),
                    ("x", "0"),
                    ("y", "0"),
                    ("width", "100%"),
                    ("height", "24"),
                ],
            );
            let mut left = 0.0;
            for (class, _, bytes) in parts {
                let width = percent(bytes.unwrap_or(0) as f64, whole).min(100.0 - left);
                let (x, width_written) = (written(left), written(width));
                html.empty(
                    "rect",
                    &[
                        ("class", class),
                        ("x", &x),
                        ("y", "0"),
                        ("width", &width_written),
                        ("height", "24"),
                    ],
                );
                left += width;
            }
        },
    );
}

fn shares(html: &mut Html, whole: u64, parts: [Part; 5]) {
    let columns = [("", text!("What")), ("n", text!("Size")), ("n", text!("Share"))];
    table(html, text!("Parts of the recovery partition"), &columns, |html| {
        for (class, words, bytes) in parts {
            let Some(bytes) = bytes.filter(|bytes| *bytes > 0) else {
                continue;
            };
            html.element("tr", &[], |html| {
                html.element("td", &[], |html| {
                    html.element(
                        "svg",
                        &[("class", "swatch"), ("width", "18"), ("height", "12")],
                        |html| {
                            html.empty("rect", &[("class", class), ("width", "18"), ("height", "12")]);
                        },
                    );
                    html.text(words);
                });
                html.leaf("td", "n", size(bytes));
                html.leaf("td", "n", share(bytes, whole));
            });
        }
    });
}

fn share(bytes: u64, whole: u64) -> Text {
    let share = percent(bytes as f64, whole as f64);
    if share < 1.0 {
        text!("below 1 %")
    } else {
        text!("{share} %", share = number(share.round()))
    }
}

fn files(html: &mut Html, files: &[FileUsageReport]) {
    if files.is_empty() {
        return;
    }
    let columns = [
        ("", text!("Largest files")),
        ("", text!("Part of")),
        ("n", text!("Size")),
    ];
    table(html, text!("The largest files on it"), &columns, |html| {
        for file in files {
            let belongs = if file.is_winre {
                text!("WinRE")
            } else {
                text!("not WinRE")
            };
            let cells = [
                ("code", Cell::Value(&file.path)),
                ("", Cell::Words(belongs)),
                ("n", Cell::Words(size(file.bytes))),
            ];
            row(html, &cells);
        }
    });
}
