//! Nothing from a disk, or from the name of one, acts on the reader: not on the terminal, not on the order of what is read,
//! not on the browser. A disk is made with hostile bytes in every field, and every byte that is shown is looked at.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "hostile_text/disk.rs"]
mod disk;

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn winrefit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_winrefit"))
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .args(arguments)
        .output()
        .unwrap()
}

/// The first character that is more than a letter.
fn harmful(text: &str) -> Option<char> {
    text.chars().find(|&c| {
        (c.is_control() && c != '\n')
            || matches!(
                c,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
            )
    })
}

/// Both streams, all of it harmless.
fn shown(arguments: &[&str]) -> String {
    let output = winrefit(arguments);
    let code = output.status.code();
    assert!(code.is_some_and(|code| code < 8), "{arguments:?}: {code:?}");
    let mut all = String::new();
    for bytes in [output.stdout, output.stderr] {
        let text = String::from_utf8(bytes).unwrap();
        if let Some(c) = harmful(&text) {
            let line = text.lines().find(|line| line.contains(c));
            panic!("{arguments:?}: {c:?} in {line:?}");
        }
        all += &text;
    }
    assert!(!all.is_empty(), "{arguments:?}");
    all
}

const COMMANDS: &[&[&str]] = &[
    &["diagnose"],
    &["plan"],
    &["verify"],
    &["check"],
    &["check", "--partition", "1"],
    &["reset-update", "--dry-run"],
    &["plan", "--recovery-partition", "5"],
    &["resume"],
    &["undo"],
];

const FORMS: &[&[&str]] = &[
    &["--format", "human"],
    &["--format", "human", "--ascii", "--width", "40"],
    &["--format", "human", "--lang", "de", "--width", "110"],
    &["--format", "human", "--lang", "zh-CN"],
    &["--format", "html"],
    &["--format", "html", "--lang", "de"],
    &["--format", "json"],
];

/// Everything that is shown of a disk.
fn all_of(image: &Path) -> String {
    let mut all = String::new();
    for command in COMMANDS {
        for form in FORMS {
            let (name, options) = command.split_first().unwrap();
            let text = shown(&[&[*name, image.to_str().unwrap()], options, *form].concat());
            if form.contains(&"html") && text.contains("<!DOCTYPE") {
                let end = text.find("</html>").unwrap();
                let page = &text[text.find("<html").unwrap()..end + 7];
                let page = roxmltree::Document::parse(page).unwrap();
                let foreign = page.descendants().find(|node| {
                    // The pages have neither.
                    matches!(node.tag_name().name(), "b" | "i" | "script")
                });
                assert_eq!(foreign, None);
            }
            all += &text;
        }
    }
    all
}

/// What has to have been shown somewhere: else the test looks at nothing.
fn assert_seen(all: &str, tags: &[&str]) {
    let unseen: Vec<_> = tags.iter().filter(|tag| !all.contains(**tag)).collect();
    assert!(unseen.is_empty(), "never shown: {unseen:?}");
}

#[test]
fn nothing_on_a_disk_acts_on_the_reader() {
    let folder = tempfile::tempdir().unwrap();
    // The name of the file comes from somebody else, too.
    let image = folder.path().join("disk\u{1b}[2J\u{9b}\u{202e}<b>.img");
    disk::make(&image, false);
    let all = all_of(&image);
    assert_seen(
        &all,
        &[
            "EFI\\u{1b}",
            "WIN\\u001b",
            "TITLE-B",
            "NAME \\u{1b}",
            "DISPLAY",
            "disk\\u{1b}",
        ],
    );
    let json = winrefit(&["diagnose", image.to_str().unwrap(), "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        report["target"],
        image.to_str().unwrap(),
        "a program reads the true name"
    );
    let name = report["disk"]["partitions"][2]["name"].as_str().unwrap();
    assert!(name.starts_with("WIN\u{1b}[2J\u{7}\r\n\u{9b}m"), "{name:?}");

    for form in FORMS {
        let line = [&["fix", image.to_str().unwrap(), "--yes"], *form].concat();
        shown(&line);
    }
    let fixed = winrefit(&["verify", image.to_str().unwrap()]);
    assert_eq!(fixed.status.code(), Some(0), "it was repaired all the same");
}

#[test]
fn names_in_damaged_volumes_and_settings_act_on_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("torn.img");
    disk::make(&image, true);
    let all = all_of(&image);
    assert_seen(&all, &["\\u{1b}[2J\\u{202e}\\u{9b}\\u{7}"]);
}

/// Colour is ours; what comes from a disk is escaped within it as well.
#[test]
fn coloured_pages_have_no_sequence_but_colours() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("disk.img");
    disk::make(&image, false);
    for command in ["diagnose", "plan"] {
        let output = winrefit(&[command, image.to_str().unwrap(), "--color", "always"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let mut parts = text.split("\u{1b}[");
        let mut plain = parts.next().unwrap().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap();
            assert!(part[end..].starts_with('m'), "{part:?}");
            plain += &part[end + 1..];
        }
        assert_eq!(harmful(&plain), None, "{command}");
        assert!(plain.contains("\\u{1b}"), "{plain}");
    }
}

#[test]
fn errors_quote_what_was_typed_harmlessly() {
    let evil = "x\u{1b}]0;t\u{7}\u{1b}[2J\u{9b}\u{202e}\u{2066}\r\u{7f}";
    for line in [
        &["diagnose", evil][..],
        &["diagnose", "a", evil],
        &["fix", evil, "--yes"],
        &[evil],
        &["explain", evil],
        &["kb", evil],
        &["lab", "create", evil, "/nonexistent/x.img"],
        &["lab", "create", "healthy", &format!("/nonexistent/{evil}")],
        &["lab", "create", "--all", &format!("/dev/null/{evil}")],
        &["demo", "--keep", &format!("/dev/null/{evil}")],
        &["diagnose", "a", "--lang", evil],
        &["diagnose", "a", "--format", evil],
        &["plan", "a", "--size", evil],
        &[
            "diagnose",
            "/nonexistent",
            "--output",
            &format!("/nonexistent/{evil}"),
        ],
    ] {
        shown(line);
        let in_json: Vec<_> = line.iter().copied().chain(["--format", "json"]).collect();
        shown(&in_json);
    }
}
