//! Pages in languages that are made up: one of wide characters without spaces, one of long words.

use super::fixtures::*;
use crate::language::{Language, Tag};
use crate::output::Screen;
use crate::render::human::{failure, render, typeset};
use polib::message::{MessageMutView, MessageView};
use winrefit_repair::report::*;
use winrefit_repair::text;

const TEMPLATE: &str = include_str!("../../../../po/winrefit.pot");

/// A language that says `word` for every word that is no placeholder.
fn made_up(tag: Tag, word: &str, between: &str) -> &'static Language {
    let said = |english: &str| {
        let words = english
            .split_whitespace()
            .map(|part| if part.contains('{') { part } else { word });
        words.collect::<Vec<_>>().join(between)
    };
    let mut catalogue = polib::po_file::parse_from_reader(TEMPLATE.as_bytes()).unwrap();
    for mut message in catalogue.messages_mut() {
        let (one, many) = (said(message.msgid()), message.msgid_plural().map(&said));
        if let (Ok(forms), Ok(many)) = (message.msgstr_plural_mut(), many) {
            *forms = vec![one, many];
            forms.truncate(tag.plural_forms());
        } else {
            message.set_msgstr(one).unwrap();
        }
    }
    let mut text = std::io::BufWriter::new(Vec::new());
    polib::po_file::write(&catalogue, &mut text).unwrap();
    let text = String::from_utf8(text.into_inner().unwrap()).unwrap();
    Box::leak(Box::new(Language::read(tag, &text, false)))
}

fn languages() -> [&'static Language; 2] {
    [
        made_up(Tag::Chinese, "\u{5206}\u{533a}\u{8868}", ""),
        made_up(Tag::German, "Wiederherstellungs\u{f6}rtlichkeit", " "),
    ]
}

fn reports() -> Vec<Report> {
    let mut verified = repaired();
    (verified.command, verified.plan) = ("verify", None);
    let commands = ["diagnose", "plan", "fix", "verify"].map(attention);
    let pages = [
        diagnosis(),
        planned(),
        repaired(),
        refused(),
        checked(),
        unfinished(),
        verified,
    ];
    pages.into_iter().chain(commands).collect()
}

#[test]
fn no_language_breaks_a_page() {
    for language in languages() {
        for report in reports() {
            for width in [40, 60, 80, 110] {
                let screen = Screen {
                    width,
                    colour: false,
                    ascii: false,
                    language,
                };
                let page = render(&report, "", &screen);
                let widest = page.lines().map(typeset::width).max().unwrap_or(0);
                assert!(
                    widest <= width,
                    "{widest} columns on a screen of {width}:\n{page}"
                );
            }
        }
    }
}

#[test]
fn what_the_pages_say_themselves_is_all_said_in_the_language() {
    let screen = Screen {
        width: 110,
        colour: false,
        ascii: false,
        language: languages()[0],
    };
    let mut pages: String = reports()
        .iter()
        .map(|report| render(report, "", &screen))
        .collect();
    pages.push_str(&failure::render(
        &text!("not found"),
        &text!("not found"),
        &screen,
    ));
    for english in [
        "Findings",
        "Plan\n",
        "Next",
        "Verified",
        "Untouched",
        "Afterwards",
        "Undo",
        "Journal",
        "unallocated",
        "consistent (",
        "consistent,",
        "warning ",
        "enabled",
        "partition  ",
        "error:",
        "sectors of",
        "enlarged",
        "gained",
        ", start ",
        "met:",
        "\n  before ",
        "build ",
        "Why nothing",
    ] {
        assert!(!pages.contains(english), "{english}\n{pages}");
    }
    // Names of things are the same in every language.
    assert!(pages.contains("Windows") && pages.contains("WinRE") && pages.contains("bitlocker"));
}

#[test]
fn the_gutter_is_as_wide_as_the_longest_name() {
    let [_, long] = languages();
    let screen = Screen {
        width: 110,
        colour: false,
        ascii: false,
        language: long,
    };
    let page = render(&planned(), "", &screen);
    let undo = page
        .lines()
        .find(|line| line.contains("winrefit undo puts"))
        .unwrap();
    let (name, _) = undo.split_once("winrefit").unwrap();
    // "Will write" has two words, and a space is behind it.
    let longest = "  Wiederherstellungs\u{f6}rtlichkeit Wiederherstellungs\u{f6}rtlichkeit ";
    assert_eq!(typeset::width(name), typeset::width(longest), "{undo}");
}
