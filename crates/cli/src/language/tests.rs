//! Languages by their names, and what they say.

use super::*;
use crate::args::Args;
use clap::CommandFactory;
use winrefit_repair::{counted, text};

/// A language whose catalogue says what a test needs.
fn made(tag: Tag, sentences: &[(&str, &str)], forms: &[(&str, &[&str])]) -> Language {
    let owned = |text: &&str| (*text).to_owned();
    Language {
        tag,
        sentences: sentences
            .iter()
            .map(|(english, said)| (owned(english), owned(said)))
            .collect(),
        counted: forms
            .iter()
            .map(|(one, forms)| (owned(one), forms.iter().map(owned).collect()))
            .collect(),
    }
}

#[test]
fn a_language_is_known_by_all_its_usual_names() {
    for (names, tag) in [
        (&["en", "en_US.UTF-8", "EN-gb"][..], Tag::English),
        (&["de", "de-AT", "de_DE@euro", "de_CH.UTF-8"], Tag::German),
        (
            &["zh", "zh-CN", "zh_CN.GB18030", "zh-Hans", "zh-Hans-CN", "zh_SG"],
            Tag::Chinese,
        ),
    ] {
        for name in names {
            assert_eq!(Tag::parse(name), Ok(tag), "{name}");
        }
    }
    for name in ["", "fr", "german", "zh-TW", "zh-Hant-CN", "C"] {
        assert_eq!(Tag::parse(name), Err(UnknownLanguage), "{name}");
    }
    for tag in KNOWN {
        assert_eq!(Tag::parse(tag.name()), Ok(tag));
        assert!(UnknownLanguage.to_string().contains(tag.name()), "{tag}");
    }
}

#[test]
fn the_catalogues_can_be_read_and_count_as_the_program_does() {
    for tag in KNOWN.into_iter().filter(|tag| *tag != Tag::English) {
        let catalogue = polib::po_file::parse_from_reader(tag.catalogue().as_bytes()).unwrap();
        assert_eq!(
            catalogue.metadata.plural_rules.nplurals,
            tag.plural_forms(),
            "{tag}"
        );
        assert!((0..200).all(|count| tag.plural_form(count) < tag.plural_forms()));
    }
}

#[test]
fn words_numbers_and_sentences_are_each_languages_own() {
    let german = made(
        Tag::German,
        &[("{size} are free", "{size} sind frei")],
        &[("one copy", &["eine Kopie", "{n} Kopien"])],
    );
    let size = Bytes(1_621_000_000);
    let free = text!("{size} are free", size);
    assert_eq!(german.say(&free), "1,51 GiB sind frei");
    let copies = |n: u64| counted!(n, "one copy", "{n} copies");
    assert_eq!(german.say(copies(1)), "eine Kopie");
    assert_eq!(german.say(copies(2)), "2 Kopien");
    let chinese = made(
        Tag::Chinese,
        &[("No.", "\u{5426}\u{3002}")],
        &[("one copy", &["{n} \u{4efd}"])],
    );
    let twice = Text::sentences([text!("No."), text!("No.")]);
    assert_eq!(chinese.say(twice), "\u{5426}\u{3002}\u{5426}\u{3002}");
    assert_eq!(chinese.say(copies(1)), "1 \u{4efd}");
}

#[test]
fn what_has_no_translation_is_said_in_english() {
    let german = made(Tag::German, &[], &[]);
    assert_eq!(german.say(text!("not found")), "not found");
    let copies = |n: u64| counted!(n, "one copy", "{n} copies");
    assert_eq!(german.say(copies(1)), "one copy");
    assert_eq!(german.say(copies(3)), "3 copies");
}

#[test]
fn ascii_has_no_umlauts_and_leaves_chinese_alone() {
    assert_eq!(
        Tag::German.in_ascii("Gr\u{f6}\u{df}e \u{dc}ber \u{201e}C:\u{201c}"),
        "Groesse Ueber \"C:\""
    );
    assert_eq!(Tag::Chinese.in_ascii("\u{5426}"), "\u{5426}");
}

#[test]
fn help_is_said_in_the_language_of_the_catalogue() {
    let about = Args::command()
        .get_subcommands()
        .next()
        .unwrap()
        .get_about()
        .unwrap()
        .to_string();
    let heading = "Output";
    let sentences = [(about.as_str(), "Baut eine Platte."), (heading, "Ausgabe")];
    let german: &'static Language = Box::leak(Box::new(made(Tag::German, &sentences, &[])));
    let mut command = localized(Args::command(), german);
    let help = command.render_help().to_string();
    assert!(
        help.contains("Baut eine Platte.") && !help.contains(&about),
        "{help}"
    );
    assert!(help.contains("Ausgabe:"), "{help}");
    command.debug_assert();
}

#[test]
fn all_of_the_help_is_collected() {
    let texts = help_texts(&Args::command());
    for words in ["Exit codes:", "Do not ask", "Output", "Name of the profile"] {
        assert!(texts.iter().any(|text| text.starts_with(words)), "{words}");
    }
    assert!(!texts.iter().any(String::is_empty));
}
