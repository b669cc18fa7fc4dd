//! Languages, with the binary: which one is spoken, and that programs never have to understand it.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

/// Runs winrefit on a system of a locale.
fn winrefit(locale: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_winrefit"))
        .env("LC_ALL", locale)
        .env_remove("LANGUAGE")
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn an_unknown_language_is_told_the_known_ones() {
    let output = winrefit("C", &["lab", "list", "--lang", "fr"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        ["fr", "en", "de", "zh-CN"].iter().all(|name| told.contains(name)),
        "{told}"
    );
}

#[test]
fn every_language_has_all_pages_and_json_is_english() {
    let document = |locale: &str, rest: &[&str]| {
        let diagnose = ["diagnose", "/nowhere/disk.img", "--format", "json"];
        let output = winrefit(locale, &[&diagnose, rest].concat());
        assert_eq!(output.status.code(), Some(1));
        output.stdout
    };
    let english = document("C", &[]);
    assert!(english.starts_with(b"{"));
    for (locale, name) in [
        ("en_US.UTF-8", "en"),
        ("de_DE.UTF-8", "de"),
        ("zh_CN.UTF-8", "zh-Hans"),
    ] {
        assert_eq!(document(locale, &[]), english, "{locale}");
        assert_eq!(document("C", &["--lang", name]), english, "{name}");
        for ascii in [&["--ascii"][..], &[]] {
            for page in [&["--help"][..], &["lab", "list"], &["plan", "--help"]] {
                let asked = winrefit("C", &[page, &["--lang", name], ascii].concat());
                assert!(asked.status.success(), "{name} {page:?}");
                let spoken = winrefit(locale, &[page, ascii].concat());
                assert_eq!(asked.stdout, spoken.stdout, "{locale} {page:?}");
            }
        }
    }
}

#[test]
fn a_language_that_nobody_has_translated_is_english() {
    let spoken = |locale| winrefit(locale, &["lab", "list"]).stdout;
    assert_eq!(spoken("fr_FR.UTF-8"), spoken("C"));
    assert_eq!(spoken("POSIX"), spoken("C"));
}
