//! The whole page, of hand-made reports. With `WINREFIT_HTML_OUT` set to a directory the pages are put there, to be
//! looked at.

mod contrast;
mod reports;

use super::render;
use crate::language::{Language, Tag};
use reports::{everything, hostile, many_partitions, small};
use roxmltree::{Document, Node, ParsingOptions};
use winrefit_repair::report::{Report, Verdict};

/// Renders `report` and looks over what must be so on every page.
fn page(name: &str, report: &Report) -> String {
    let page = render(report, "", Language::of(Tag::English, false)).unwrap();
    if let Some(directory) = std::env::var_os("WINREFIT_HTML_OUT") {
        std::fs::write(
            std::path::Path::new(&directory).join(format!("{name}.html")),
            &page,
        )
        .unwrap();
    }
    let document = parse(&page);
    for node in document.descendants().filter(Node::is_element) {
        harmless(&node);
    }
    for id in references(&document) {
        let named = document
            .descendants()
            .filter(|node| node.attribute("id") == Some(&id));
        assert_eq!(named.count(), 1, "{id} is named once");
    }
    let bad = |c: char| {
        c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    };
    assert!(!page.contains(bad), "{name}: a control is on the page");
    page
}

fn parse(page: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(page, options).unwrap()
}

fn harmless(node: &Node<'_, '_>) {
    let name = node.tag_name().name();
    let active = [
        "script",
        "iframe",
        "object",
        "embed",
        "link",
        "img",
        "form",
        "input",
        "base",
        "foreignObject",
        "animate",
        "set",
    ];
    assert!(!active.contains(&name), "{name}");
    for attribute in node.attributes() {
        let value = attribute.value();
        assert!(!attribute.name().starts_with("on"), "{name} {}", attribute.name());
        assert!(
            !matches!(attribute.name(), "src" | "srcset" | "style" | "action"),
            "{name} {}",
            attribute.name()
        );
        if attribute.name() == "href" {
            assert!(
                value.starts_with('#') || value.starts_with("data:application/json;base64,"),
                "{value}"
            );
        }
    }
    if name == "style" {
        let sheet = node.text().unwrap_or_default();
        assert!(!sheet.contains("http") && !sheet.contains("@import") && !sheet.contains("javascript"));
        assert!(
            sheet.split("url(").skip(1).all(|url| url.starts_with('#')),
            "a style sheet loads something"
        );
    }
}

/// Ids that something on the page refers to.
fn references(document: &Document<'_>) -> Vec<String> {
    let nodes = document.descendants().filter(Node::is_element);
    nodes
        .flat_map(|node| {
            let labels = node
                .attribute("aria-labelledby")
                .unwrap_or_default()
                .split(' ')
                .map(str::to_owned);
            let address = node
                .attribute("href")
                .and_then(|address| address.strip_prefix('#'));
            labels.chain(address.map(str::to_owned)).collect::<Vec<_>>()
        })
        .filter(|id| !id.is_empty())
        .collect()
}

/// What is read on the page, a line for each text.
fn words(page: &str) -> String {
    let document = parse(page);
    let texts = document.descendants().filter(|node| node.is_text());
    let texts = texts.filter(|node| {
        !node
            .ancestors()
            .any(|above| matches!(above.tag_name().name(), "style" | "pre"))
    });
    let texts: Vec<_> = texts
        .filter_map(|node| node.text())
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .collect();
    texts.join("\n")
}

#[test]
fn a_small_report_as_a_page() {
    let page = page("small", &small());
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    let (main, raw) = after.split_once("<section id=\"raw\">").unwrap();
    assert!(
        raw.contains("data:application/json;base64,eyJ") || raw.contains("data:application/json;base64,ewog")
    );
    insta::assert_snapshot!(format!("{before}<style></style>{main}"));
}

#[test]
fn everything_that_a_report_holds_is_on_the_page() {
    let report = everything();
    let words = words(&page("everything", &report));
    for due in [
        "Needs repair",
        "The recovery partition is too small for its next update",
        "FILESERVER-01",
        "82.37 MiB there, 250 MiB needed",
        "\\Recovery\\WindowsRE\\Winre.wim",
        "Windows Update (wuauserv)",
        "hinders updates",
        "off for public networks",
        "185 earlier entries",
        "not readable",
        "Endpoint Guard",
        "2 shadow copies of 2024 are given up",
        "475 MiB smaller",
        "cluster 81920 belongs to record 41 and to record 77",
        "3 more are not listed.",
        "Package_for_KB5034441",
        "likely: the evidence fits, and nothing speaks against it",
        "Nothing is lost: resume completes it.",
    ] {
        assert!(words.contains(due), "{due}:\n{words}");
    }
}

#[test]
fn a_hostile_disk_cannot_write_markup() {
    let page = page("hostile", &hostile());
    let document = parse(&page);
    let data = document
        .descendants()
        .find(|node| node.attribute("download").is_some())
        .unwrap();
    assert!(
        data.attribute("href")
            .is_some_and(|address| !address.contains("alert"))
    );
    assert!(
        page.matches("&lt;script&gt;alert(1)&lt;/script&gt;").count() > 60,
        "it is shown as text"
    );
    assert!(page.contains("\\u{202e}"));
}

#[test]
fn strange_disks_are_drawn_or_left_out_but_never_break_a_page() {
    let mut empty = everything();
    let disk = empty.disk.as_mut().unwrap();
    (disk.size_bytes, disk.sector_size_bytes) = (0, 0);
    let mut huge = everything();
    let disk = huge.disk.as_mut().unwrap();
    (disk.size_bytes, disk.sector_size_bytes) = (u64::MAX, 4096);
    for partition in &mut disk.partitions {
        (partition.start_lba, partition.sectors, partition.size_bytes) = (u64::MAX, u64::MAX, u64::MAX);
        partition.free_bytes = Some(u64::MAX);
    }
    for change in &mut huge.plan.as_mut().unwrap().changes {
        (change.after.start_lba, change.after.sectors) = (u64::MAX, u64::MAX);
    }
    for entry in &mut huge.timeline {
        entry.time = "9999-12-31T23:59:59Z".into();
    }
    huge.timeline[0].time = "0001-01-01T00:00:00Z".into();
    let mut none = everything();
    (none.disk, none.recovery, none.plan, none.refusal) = (None, None, None, None);
    for entry in &mut none.timeline {
        entry.time = "some day".into();
    }
    for (name, report) in [
        ("empty", empty),
        ("huge", huge),
        ("none", none),
        ("many", many_partitions(128)),
    ] {
        let page = page(name, &report);
        assert!(!page.contains("NaN") && !page.contains("inf%"), "{name}");
    }
    page("twenty", &many_partitions(20));
}

#[test]
fn places_are_to_scale() {
    let page = page("scale", &small());
    let document = parse(&page);
    let map = document
        .descendants()
        .find(|node| node.attribute("class") == Some("map"))
        .unwrap();
    let boxes: Vec<(f64, f64)> = map
        .descendants()
        .filter(|node| node.attribute("class") == Some("box"))
        .map(|node| {
            let number = |name| {
                node.attribute(name)
                    .unwrap()
                    .trim_end_matches('%')
                    .parse()
                    .unwrap()
            };
            (number("x"), number("width"))
        })
        .collect();
    // 64 GiB: Windows from 117 MiB to 65010 MiB, recovery to 65535 MiB; the first two are too narrow to be seen.
    let near =
        |(x, width): (f64, f64), due: (f64, f64)| (x - due.0).abs() < 0.001 && (width - due.1).abs() < 0.001;
    assert_eq!(boxes.len(), 4);
    assert!(
        boxes
            .iter()
            .any(|found| near(*found, (117.0 / 655.36, 64_893.0 / 655.36))),
        "{boxes:?}"
    );
    assert!(
        boxes
            .iter()
            .any(|found| near(*found, (65_010.0 / 655.36, 525.0 / 655.36))),
        "{boxes:?}"
    );
    assert_eq!(boxes.iter().filter(|(_, width)| *width == 0.3).count(), 2);
}

#[test]
fn the_json_inside_is_that_of_the_json_format() {
    let report = everything();
    let page = page("json", &report);
    let json = crate::render::json::render(&report).unwrap();
    let address = format!(
        "data:application/json;base64,{}",
        super::base64::encode(json.as_bytes())
    );
    let document = parse(&page);
    let link = document
        .descendants()
        .find(|node| node.attribute("download").is_some())
        .unwrap();
    assert_eq!(link.attribute("href"), Some(&*address));
    let shown = document
        .descendants()
        .find(|node| node.attribute("dir") == Some("ltr"))
        .unwrap();
    assert_eq!(shown.text(), Some(&*json), "nothing in it has to be made visible");
}

#[test]
fn each_outcome_has_a_sign_a_word_and_something_to_do() {
    for (verdict, class, word) in [
        (Verdict::Healthy, "good", "Healthy"),
        (Verdict::NeedsRepair, "bad", "Needs repair"),
        (Verdict::Attention, "caution", "Needs attention"),
        (Verdict::Refused, "caution", "Refused"),
        (Verdict::Unfinished, "caution", "Unfinished"),
        (Verdict::Repaired, "good", "Repaired"),
        (Verdict::Undone, "good", "Undone"),
        (Verdict::Damaged, "bad", "Damaged"),
    ] {
        let mut report = small();
        report.verdict = verdict;
        let page = page("outcome", &report);
        assert!(
            page.contains(&format!("<header class=\"banner {class}\">")),
            "{verdict:?}"
        );
        assert!(page.contains(&format!("class=\"sign {class}\"")), "{verdict:?}");
        assert!(words(&page).contains(word), "{verdict:?}");
    }
    let mut healthy = small();
    (healthy.verdict, healthy.findings) = (Verdict::Healthy, vec![]);
    assert!(words(&page("nothing", &healthy)).contains("Nothing has to be done."));
}
