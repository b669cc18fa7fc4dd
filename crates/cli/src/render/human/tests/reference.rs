//! Pages of `explain` and `kb`, as they look.

use crate::commands::explain::Answer;
use crate::language::{Language, Tag};
use crate::output::Screen;
use crate::render::human::{explain, kb};
use winrefit_repair::codes;
use winrefit_repair::kb::table;

fn screen(width: usize, ascii: bool) -> Screen {
    Screen {
        width,
        colour: false,
        ascii,
        language: Language::of(Tag::English, ascii),
    }
}

fn explained(asked: &str, width: usize) -> String {
    let answer = Answer {
        asked: asked.to_owned(),
        known: codes::lookup(asked),
    };
    explain::entries(&[answer], &screen(width, false))
}

fn build(version: &str, width: usize) -> String {
    let version = version.parse::<winrefit_repair::kb::Version>().unwrap();
    kb::build(
        &table().about(version.build(), Some(version)),
        &screen(width, true),
    )
}

#[test]
fn explain_at_80() {
    insta::assert_snapshot!(explained("0x80070643", 80));
}

#[test]
fn explain_what_may_be_several_at_60() {
    insta::assert_snapshot!(explained("2", 60));
}

#[test]
fn kb_table_at_80() {
    insta::assert_snapshot!(kb::table(&screen(80, true)));
}

#[test]
fn kb_update_at_80() {
    insta::assert_snapshot!(kb::update(table().update(5_068_164).unwrap(), &screen(80, true)));
}

#[test]
fn kb_build_at_60() {
    insta::assert_snapshot!(build("10.0.20348.2113", 60));
}

#[test]
fn every_page_keeps_its_width_and_needs_no_special_character() {
    for width in [40, 60, 80, 110] {
        let mut pages = vec![
            explain::list(&screen(width, false)),
            kb::table(&screen(width, false)),
        ];
        pages.extend(codes::all().map(|known| explained(known.code, width)));
        pages.extend(
            table()
                .updates
                .iter()
                .map(|update| kb::update(update, &screen(width, false))),
        );
        pages.push(build("10.0.19045.1", width));
        for line in pages.iter().flat_map(|page| page.lines()) {
            assert!(line.is_ascii() && line.len() <= width, "{width}: {line}");
            // Cut words end in the sign of that.
            assert!(!line.contains('\u{2026}'), "{line}");
        }
    }
}
