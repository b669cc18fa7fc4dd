//! The document: head, outcome, contents, sections.

use super::markup::Html;
use super::parts::{Sign, fact, facts};
use super::words::{Say, language_name, size};
use super::{disk, facts as machine, findings, next, outcome, plan, recovery, timeline};
use crate::render::human::verdict;
use winrefit_repair::report::{Report, Verdict, WindowsReport};
use winrefit_repair::text;
use winrefit_repair::text::Text;

const STYLE: &str = include_str!("style.css");

/// No script, nothing from elsewhere: the file can be opened on any machine.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// A part of the page with an entry in the contents.
struct Section {
    id: &'static str,
    title: Text,
    body: Html,
}

/// The whole file. `json` is the same report for programs.
pub fn render(report: &Report, options: &str, json: &str) -> String {
    let sections = sections(report, options, json);
    let mut html = Html::new("page");
    html.doctype();
    html.element("html", &[("lang", language_name())], |html| {
        head(html, report);
        html.element("body", &[], |html| {
            patterns(html);
            banner(html, report);
            contents(html, &sections);
            html.element("main", &[], |html| {
                for section in sections {
                    html.element("section", &[("id", section.id)], |html| {
                        html.leaf("h2", "", section.title);
                        html.append(section.body);
                    });
                }
            });
            html.element("footer", &[], |html| {
                let (version, schema) = (report.winrefit_version, report.schema);
                html.text(text!("Written by winrefit {version} from a report of the form {schema}. It has no script and loads nothing.", version, schema));
            });
        });
    });
    html.into_markup()
}

fn head(html: &mut Html, report: &Report) {
    html.element("head", &[], |html| {
        html.empty("meta", &[("charset", "utf-8")]);
        html.empty(
            "meta",
            &[("http-equiv", "Content-Security-Policy"), ("content", POLICY)],
        );
        html.empty(
            "meta",
            &[
                ("name", "viewport"),
                ("content", "width=device-width, initial-scale=1"),
            ],
        );
        html.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
        html.empty("meta", &[("name", "referrer"), ("content", "no-referrer")]);
        let (outcome, target) = (verdict::outcome(report).1, &report.target);
        html.leaf(
            "title",
            "",
            text!("{outcome}: {target} - winrefit", outcome, target),
        );
        html.style(STYLE);
    });
}

/// What is used by several pictures.
fn patterns(html: &mut Html) {
    html.element(
        "svg",
        &[
            ("class", "patterns"),
            ("width", "0"),
            ("height", "0"),
            ("aria-hidden", "true"),
        ],
        |html| {
            html.element("defs", &[], |html| {
                for (id, line) in [("hatch-gained", "M0 6L6 0"), ("hatch-gap", "M0 8L8 0")] {
                    let side = if id == "hatch-gap" { "8" } else { "6" };
                    let attributes = [
                        ("id", id),
                        ("width", side),
                        ("height", side),
                        ("patternUnits", "userSpaceOnUse"),
                    ];
                    html.element("pattern", &attributes, |html| {
                        html.empty("rect", &[("class", "ground"), ("width", side), ("height", side)]);
                        html.empty("path", &[("d", line)]);
                    });
                }
            });
        },
    );
}

fn sign(report: &Report) -> Sign {
    match report.verdict {
        Verdict::Healthy | Verdict::Repaired | Verdict::Undone => Sign::Good,
        Verdict::NeedsRepair | Verdict::Damaged => Sign::Bad,
        Verdict::Attention | Verdict::Refused | Verdict::Unfinished => Sign::Caution,
    }
}

/// The outcome in a sentence, and what it is about.
fn banner(html: &mut Html, report: &Report) {
    let sign = sign(report);
    let class = format!("banner {}", sign.class());
    html.element("header", &[("class", &class)], |html| {
        html.element("p", &[("class", "brand")], |html| {
            html.leaf("span", "", text!("winrefit {command}", command = report.command));
        });
        html.element("h1", &[], |html| {
            sign.draw(html);
            html.element("span", &[], |html| {
                html.leaf("span", "outcome", verdict::outcome(report).1);
                html.text(". ");
                html.prose(verdict::reason(report));
            });
        });
        facts(html, |html| {
            fact(html, text!("Disk"), |html| html.value(&report.target));
            if let Some(disk) = &report.disk {
                fact(html, text!("Size"), |html| {
                    let (size, style) = (size(disk.size_bytes), disk.style.to_ascii_uppercase());
                    html.text(text!("{size}, {style}", size, style));
                });
            }
            for windows in report.windows.iter().take(4) {
                fact(html, text!("Windows"), |html| html.value(windows_words(windows)));
            }
            let mut names = report
                .windows
                .iter()
                .filter_map(|windows| windows.registry.as_ref()?.computer_name.as_ref());
            if let (Some(name), 1) = (names.next(), report.windows.len()) {
                fact(html, text!("Computer"), |html| html.value(name));
            }
            fact(html, text!("winrefit"), |html| html.text(report.winrefit_version));
        });
    });
}

fn windows_words(windows: &WindowsReport) -> Text {
    let known = [&windows.product, &windows.display_version, &windows.build];
    let known = known.into_iter().flatten().map(Text::raw);
    Text::listed(known.chain([text!("on partition {number}", number = windows.partition)]))
}

fn contents(html: &mut Html, sections: &[Section]) {
    html.element("nav", &[("aria-label", &text!("Contents").say())], |html| {
        html.element("ul", &[], |html| {
            for section in sections {
                let address = format!("#{}", section.id);
                html.element("li", &[], |html| {
                    html.element("a", &[("href", &address)], |html| html.text(&section.title))
                });
            }
        });
    });
}

/// The sections that have something to say, in the order in which one reads them.
fn sections(report: &Report, options: &str, json: &str) -> Vec<Section> {
    let mut all = Vec::new();
    let mut add = |id: &'static str, title: Text, fill: &dyn Fn(&mut Html)| {
        let mut body = Html::new(id);
        fill(&mut body);
        if !body.is_empty() {
            all.push(Section { id, title, body });
        }
    };
    add("next", text!("What to do next"), &|html| {
        next::section(html, report, options)
    });
    add("refusal", text!("Why nothing is done"), &|html| {
        findings::refusal(html, report)
    });
    add("journal", text!("Earlier work on this disk"), &|html| {
        outcome::journal(html, report)
    });
    add("disk", text!("The disk"), &|html| disk::section(html, report));
    add("recovery", text!("The recovery partition"), &|html| {
        recovery::section(html, report)
    });
    add("plan", plan_title(report), &|html| plan::section(html, report));
    add("verification", text!("Verification"), &|html| {
        outcome::verification(html, report)
    });
    add("checks", text!("NTFS volumes"), &|html| {
        outcome::checks(html, report)
    });
    add("findings", text!("Findings"), &|html| {
        findings::section(html, report)
    });
    add("timeline", text!("Timeline"), &|html| {
        timeline::section(html, report)
    });
    add("machine", text!("The machine"), &|html| {
        machine::section(html, report)
    });
    add("sources", text!("Sources"), &|html| {
        outcome::sources(html, report)
    });
    add("raw", text!("The report as data"), &|html| {
        outcome::raw(html, json)
    });
    all
}

fn plan_title(report: &Report) -> Text {
    match report.verdict {
        Verdict::Repaired => text!("What was done"),
        Verdict::Undone => text!("What was put back"),
        _ => text!("The plan"),
    }
}
