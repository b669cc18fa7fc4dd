//! The recovery table is complete, each of its rows is needed, and docs/safety.md shows it as it is.

use super::*;

const CONTENTS: [Content; 5] = [
    Content::Before,
    Content::After,
    Content::Mixed,
    Content::Foreign { offset: 512 },
    Content::Unknown,
];

const TORN: Copies = Copies::Torn { offset: 1024 };

fn all_facts() -> impl Iterator<Item = Facts> {
    State::ALL.into_iter().flat_map(|state| {
        [true, false].into_iter().flat_map(move |same_disk| {
            CONTENTS.into_iter().flat_map(move |content| {
                [Copies::Intact, TORN].map(|copies| Facts {
                    state,
                    same_disk,
                    content,
                    copies,
                })
            })
        })
    })
}

#[test]
fn each_combination_matches_exactly_one_row() {
    for facts in all_facts() {
        let labels: Vec<_> = TABLE
            .iter()
            .filter(|row| row.matches(&facts))
            .map(|row| row.label)
            .collect();
        assert_eq!(labels.len(), 1, "{facts:?}: {labels:?}");
        assert_eq!(decide(&facts).0, labels[0]);
    }
}

#[test]
fn each_row_is_needed() {
    for row in TABLE {
        assert!(all_facts().any(|facts| row.matches(&facts)), "{}", row.label);
    }
}

fn decision(state: State, same_disk: bool, content: Content, copies: Copies) -> Decision {
    decide(&Facts {
        state,
        same_disk,
        content,
        copies,
    })
    .1
}

#[test]
fn what_depends_on_the_header_alone() {
    for (content, copies) in CONTENTS
        .into_iter()
        .flat_map(|c| [(c, Copies::Intact), (c, TORN)])
    {
        assert_eq!(
            decision(State::Preparing, true, content, copies),
            Decision::Discard
        );
        for same_disk in [true, false] {
            assert_eq!(
                decision(State::Applied, same_disk, content, copies),
                Decision::Done
            );
        }
        for state in [State::Preparing, State::Committed, State::Undoing] {
            assert_eq!(decision(state, false, content, copies), Decision::StopOtherDisk);
        }
    }
}

#[test]
fn what_depends_on_the_disk() {
    let foreign = Content::Foreign { offset: 512 };
    let stopped = |offset| Decision::StopForeignWrites { offset };
    for (state, finish, if_old) in [
        (State::Committed, Decision::Resume, Decision::Discard),
        (State::Undoing, Decision::FinishUndo, Decision::FinishUndo),
    ] {
        for content in [Content::Before, Content::After, Content::Mixed] {
            assert_eq!(decision(state, true, content, Copies::Intact), finish);
        }
        assert_eq!(decision(state, true, Content::Before, TORN), if_old);
        for content in [Content::After, Content::Mixed] {
            assert_eq!(decision(state, true, content, TORN), stopped(1024));
        }
        for copies in [Copies::Intact, TORN] {
            assert_eq!(decision(state, true, foreign, copies), stopped(512));
            assert_eq!(
                decision(state, true, Content::Unknown, copies),
                Decision::StopDamaged
            );
        }
    }
}

fn words<T: PartialEq>(chosen: &[T], all: &[(T, &'static str)]) -> String {
    let named: Vec<_> = all
        .iter()
        .filter(|(value, _)| chosen.contains(value))
        .map(|(_, name)| *name)
        .collect();
    assert_eq!(named.len(), chosen.len(), "a value without a name");
    if named.len() == all.len() {
        "any".to_owned()
    } else {
        named.join(", ")
    }
}

/// A row as docs/safety.md has it.
fn cells(row: &Row) -> [String; 6] {
    let states = State::ALL.map(|state| (state, state.as_str()));
    let content = [
        (Kind::Before, "all before"),
        (Kind::After, "all after"),
        (Kind::Mixed, "both"),
        (Kind::Foreign, "some neither"),
        (Kind::Unknown, "not known"),
    ];
    let action = match row.action {
        Action::Done => "nothing to do",
        Action::Discard => "remove the journal: old state",
        Action::Resume => "write the after-images: new state",
        Action::FinishUndo => "write the before-images, remove the journal: old state",
        Action::StopOtherDisk => "stop: another disk",
        Action::StopForeignWrites => "stop: written to by something else",
        Action::StopDamaged => "stop: damaged",
    };
    [
        row.label.to_owned(),
        words(row.states, &states),
        words(row.same_disk, &[(true, "yes"), (false, "no")]),
        words(row.content, &content),
        words(row.intact, &[(true, "whole"), (false, "torn")]),
        action.to_owned(),
    ]
}

#[test]
fn the_documented_table_is_the_one_in_the_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/safety.md");
    let text = std::fs::read_to_string(path).expect("docs/safety.md is part of the repository");
    let (_, section) = text
        .split_once("\n## The recovery table\n")
        .expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    let table = section
        .split("\n\n")
        .find(|part| part.starts_with("| case | journal says |"))
        .expect("the table is there");
    let found: Vec<Vec<&str>> = table
        .lines()
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let wanted: Vec<[String; 6]> = TABLE.iter().map(cells).collect();
    let as_lines: Vec<String> = wanted
        .iter()
        .map(|cells| format!("| {} |", cells.join(" | ")))
        .collect();
    assert!(
        found == wanted,
        "docs/safety.md wants these rows:\n{}",
        as_lines.join("\n")
    );
}
