//! How words come out.
#![allow(clippy::unwrap_used)]

use super::*;

/// A language of capitals, with commas in numbers, that says the last word first.
struct Loud;

impl Wording for Loud {
    fn phrase<'a>(&'a self, english: &'a str) -> &'a str {
        match english {
            "{size} on partition {number}" => "PARTITION {number}: {size}",
            "{list} and {last}" => "{list} UND {last}",
            other => other,
        }
    }

    fn counted<'a>(&'a self, _: &'a str, many: &'a str, _: u64) -> &'a str {
        many
    }

    fn decimal_mark(&self) -> char {
        ','
    }

    fn between_sentences(&self) -> &str {
        ""
    }
}

#[test]
fn values_are_put_in_by_name_in_any_order() {
    let number = 4_u32;
    let text = text!(
        "{size} on partition {number}",
        number,
        size = Bytes(1_621_000_000)
    );
    assert_eq!(text.to_string(), "1.51 GiB on partition 4");
    assert_eq!(text.in_words(&Loud), "PARTITION 4: 1,51 GiB");
}

#[test]
fn a_placeholder_in_a_name_from_the_disk_is_only_a_name() {
    let label = "{number} {label}";
    let text = text!("the volume {label} on {number}", label, number = 3_u32);
    assert_eq!(text.to_string(), "the volume {number} {label} on 3");
}

#[test]
fn things_are_counted_as_the_language_does() {
    let copies = |n: u64| counted!(n, "one copy of {name}", "{n} copies of {name}", name = "C:");
    assert_eq!(copies(1).to_string(), "one copy of C:");
    assert_eq!(copies(2).to_string(), "2 copies of C:");
    assert_eq!(copies(1).in_words(&Loud), "1 copies of C:");
}

#[test]
fn lists_and_sentences_are_joined_in_each_language() {
    let items = || [1_u32, 2, 3].map(Text::from);
    assert_eq!(Text::all_of(items()).to_string(), "1, 2 and 3");
    assert_eq!(Text::one_of(items()).to_string(), "1, 2 or 3");
    assert_eq!(Text::listed(items()).to_string(), "1, 2, 3");
    assert_eq!(Text::all_of(items()).in_words(&Loud), "1, 2 UND 3");
    assert_eq!(Text::all_of([Text::from(7)]).to_string(), "7");
    assert!(Text::all_of([]).is_empty());
    let both = Text::sentences([text!("One."), Text::empty(), text!("Two.")]);
    assert_eq!(both.to_string(), "One. Two.");
    assert_eq!(both.in_words(&Loud), "One.Two.");
}

#[test]
fn programs_read_english() {
    let text = text!("partition {number}", number = 4_u32);
    assert_eq!(serde_json::to_string(&text).unwrap(), r#""partition 4""#);
}
