//! What is collected, what becomes of translations, and whether the files here are up to date.
#![allow(clippy::unwrap_used)]

use super::collect::placeholders;
use super::*;

fn found(source: &str) -> Result<Vec<Message>, CollectError> {
    let mut all = Vec::new();
    collect("a.rs", source, &mut all)?;
    Ok(all)
}

fn message(text: &str, many: Option<&str>) -> Message {
    Message {
        text: text.to_owned(),
        many: many.map(str::to_owned),
        files: ["a.rs".to_owned()].into(),
    }
}

#[test]
fn sentences_are_found_wherever_they_stand() {
    let source = r#"
        /// text!("a comment")
        fn a() {
            let a = text!("one {a} \
                           line", a);
            vec![b(text!("in a {macro_}", macro_ = text!("inner")))];
            counted!(f(1, 2), "one thing", "{n} things of {c}", c = 3);
            text!("inner");
        }
        #[cfg(test)]
        mod tests { fn b() { text!("for a test"); } }
        #[cfg(test)]
        mod other;
        const C: Text = text!(r"C:\Windows");
    "#;
    let all = found(source).unwrap();
    let expected = [
        message("one {a} line", None),
        message("in a {macro_}", None),
        message("inner", None),
        message("one thing", Some("{n} things of {c}")),
        message(r"C:\Windows", None),
    ];
    assert_eq!(all, expected);
}

#[test]
fn what_cannot_be_collected_is_an_error() {
    assert!(matches!(
        found("fn a() { text!(NAME); }"),
        Err(CollectError::NoLiteral { .. })
    ));
    for wrong in [
        r#"fn a() { text!("{a}"); }"#,
        r#"fn a() { text!("a", b = 1); }"#,
        r#"fn a() { counted!(1, "{a}", "{n}"); }"#,
    ] {
        assert!(
            matches!(found(wrong), Err(CollectError::Values { .. })),
            "{wrong}"
        );
    }
    assert!(matches!(
        found(r#"fn a() { text!("one"); counted!(1, "one", "{n}"); }"#),
        Err(CollectError::TwoForms { .. })
    ));
    assert!(matches!(found("fn {"), Err(CollectError::Syntax { .. })));
}

const GERMAN: &str = r#"# By hand.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Language: de\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

msgid "gone"
msgstr "weg"

# A note.
#: old.rs
msgid "one {a}"
msgstr "ein {a}"

#~ msgid "older"
#~ msgstr "alt"
"#;

#[test]
fn translations_are_kept_and_what_is_not_said_any_more_is_marked() {
    let messages = [message("one {a}", None), message("1 thing", Some("{n} things"))];
    let once = merged(GERMAN, &messages).unwrap();
    for words in [
        "# By hand.\n",
        "# A note.\n#: a.rs\nmsgid \"one {a}\"\nmsgstr \"ein {a}\"\n",
        "msgid_plural \"{n} things\"\nmsgstr[0] \"\"\nmsgstr[1] \"\"\n",
        "#~ msgid \"gone\"\n#~ msgstr \"weg\"\n",
        "#~ msgid \"older\"\n#~ msgstr \"alt\"\n",
    ] {
        assert!(once.contains(words), "{words}\n{once}");
    }
    assert_eq!(merged(&once, &messages).unwrap(), once, "twice is as once");
}

#[test]
fn a_translation_is_held_against_the_sources() {
    let messages = [
        message("one {a}", None),
        message("new", None),
        message("1 thing of {a}", Some("{n} things of {a}")),
    ];
    assert_eq!(
        problems(GERMAN, &messages).unwrap(),
        [
            "missing: new",
            "missing: 1 thing of {a}",
            "not said any more: gone"
        ]
    );
    let with = |one: &str, thing: &str, things: &str| {
        let said = GERMAN.replace("ein {a}", one).replace("gone", "new");
        let counted = "\nmsgid \"1 thing of {a}\"\nmsgid_plural \"{n} things of {a}\"";
        let po = format!("{said}{counted}\nmsgstr[0] \"{thing}\"\nmsgstr[1] \"{things}\"\n");
        problems(&po, &messages).unwrap()
    };
    assert!(with("ein {a}", "eins von {a}", "{n} von {a}").is_empty());
    for wrong in [
        with("ein {b}", "eins von {a}", "{n} von {a}"),
        with("ein {a}", "eins von", "{n} von {a}"),
        with("ein {a}", "eins von {a}", "viele von {a}"),
        with("", "eins von {a}", "{n} von {a}"),
        with("ein {a}", "", "{n} von {a}"),
    ] {
        assert_eq!(wrong.len(), 1, "{wrong:?}");
    }
}

#[test]
fn no_help_text_looks_like_a_template() {
    for text in help_texts(&Args::command()) {
        assert!(placeholders(&text).is_empty(), "{text}");
    }
}

#[test]
fn the_template_is_up_to_date() {
    let messages = messages(&root()).unwrap();
    let there = read(&root().join(TEMPLATE)).unwrap();
    assert!(
        template(&messages).unwrap() == there,
        "run `cargo xtask texts`, and translate what is new"
    );
}

#[test]
fn every_language_says_everything() {
    let messages = messages(&root()).unwrap();
    for name in TRANSLATIONS {
        let found = problems(&read(&root().join(name)).unwrap(), &messages).unwrap();
        assert!(
            found.is_empty(),
            "{name}: {} problems\n{}",
            found.len(),
            found.join("\n")
        );
    }
}
