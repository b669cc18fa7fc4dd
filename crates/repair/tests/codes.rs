//! Every code that the sources can give is explained, and nothing is explained that they cannot give.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use winrefit_repair::codes::{self, Kind};

type Codes = BTreeSet<String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A source file without comments and without its tests.
fn source(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Literals that may be codes: small letters, digits and hyphens.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices('"').map(|(at, _)| at + 1);
    starts.filter_map(|at| {
        let literal = text[at..].split('"').next()?;
        let is_code = literal.starts_with(|c: char| c.is_ascii_lowercase())
            && !literal.ends_with('-')
            && literal
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        is_code.then_some(literal)
    })
}

/// What `finding(` is given first, and every other literal with a hyphen: codes are chosen before they are given.
fn finding_codes() -> Codes {
    let diagnose = root().join("repair/src/diagnose");
    let mut paths = files(&diagnose);
    paths.push(diagnose.with_extension("rs"));
    let mut codes = Codes::new();
    for path in paths {
        let text = source(&path);
        codes.extend(
            literals(&text)
                .filter(|code| code.contains('-'))
                .map(str::to_owned),
        );
        for (at, call) in text.match_indices("finding(") {
            let first = text[at + call.len()..].trim_start();
            if let Some(first) = first.strip_prefix('"') {
                codes.insert(first.split('"').next().unwrap().to_owned());
            }
        }
    }
    codes
}

/// The literals in the function `code` of a file.
fn code_function(path: &str) -> Codes {
    let text = source(&root().join(path));
    let (_, body) = text.split_once("fn code(&self)").unwrap();
    let body = body.split("\n    }").next().unwrap();
    literals(body).map(str::to_owned).collect()
}

fn exit_codes() -> Codes {
    let text = source(&root().join("cli/src/exit.rs"));
    let (_, body) = text.split_once("enum ExitCode {").unwrap();
    let body = body.split('}').next().unwrap();
    let numbers = body
        .lines()
        .filter_map(|line| Some(line.split_once("= ")?.1.trim_end_matches(',')));
    let mut codes: Codes = numbers.map(|number| format!("exit {number}")).collect();
    let interrupt = source(&root().join("cli/src/interrupt.rs"));
    let (_, number) = interrupt.split_once("INTERRUPTED: i32 = ").unwrap();
    codes.insert(format!("exit {}", number.split(';').next().unwrap()));
    codes
}

fn explained(kind: Kind) -> Codes {
    let of_kind = codes::all().filter(|known| known.kinds.contains(&kind));
    of_kind.map(|known| known.code.to_owned()).collect()
}

/// Both directions. `given` is what the sources can give; `at_least` keeps the search from finding nothing.
fn compare(kind: Kind, given: &Codes, to_come: &[&str], at_least: usize) {
    assert!(given.len() >= at_least, "only {given:?}");
    let explained = explained(kind);
    let missing: Vec<_> = given.difference(&explained).collect();
    assert!(
        missing.is_empty(),
        "{kind:?} without an entry in codes: {missing:?}"
    );
    let gone = explained.difference(given);
    let gone: Vec<_> = gone.filter(|code| !to_come.contains(&code.as_str())).collect();
    assert!(
        gone.is_empty(),
        "{kind:?} that no source gives any more: {gone:?}"
    );
}

#[test]
fn findings_are_explained() {
    let given = finding_codes();
    assert!(
        given.contains("refs") && given.contains("winre-on-data-volume"),
        "{given:?}"
    );
    compare(Kind::Finding, &given, &[], 60);
}

#[test]
fn refusals_are_explained() {
    compare(Kind::Refusal, &code_function("repair/src/refusal.rs"), &[], 40);
}

#[test]
fn errors_are_explained() {
    let mut given = code_function("repair/src/error.rs");
    given.extend(code_function("cli/src/failure.rs"));
    compare(Kind::Error, &given, &[], 20);
}

#[test]
fn exit_codes_are_explained() {
    compare(Kind::ExitCode, &exit_codes(), &[], 9);
}
