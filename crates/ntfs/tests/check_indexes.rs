//! Damage of indexes and of what they name, one kind at a time: each is found by its own code.
#![allow(clippy::unwrap_used, dead_code)]

#[path = "common/indexed.rs"]
mod indexed;
#[path = "common/indexed_cases.rs"]
mod indexed_cases;
#[path = "common/matrix.rs"]
mod matrix;

use indexed::Indexed;
use indexed_cases::{Case, DIRECTORIES, NAMES, SECURITY, TABLES, TREES, VIEWS};
use winrefit_ntfs::check::{CheckLevel, ProblemCode as Code};

fn run_cases(cases: &[Case]) {
    let sound = Indexed::new();
    assert_eq!(sound.codes(), [], "{:?}", sound.check(CheckLevel::Full));
    let matrix = matrix::Matrix::new(&sound.bytes);
    let mut missed = Vec::new();
    for (what, damage, expected) in cases {
        let mut damaged = sound.clone();
        damage(&mut damaged);
        assert!(damaged.bytes != sound.bytes, "{what}: nothing was damaged");
        let found = damaged.codes();
        matrix.row(what, &damaged.bytes, &found, expected);
        if found != *expected {
            missed.push(format!("{what}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn damaged_directories_are_found() {
    run_cases(DIRECTORIES);
}

#[test]
fn damaged_trees_are_found() {
    run_cases(TREES);
}

#[test]
fn names_and_entries_that_disagree_are_found() {
    run_cases(NAMES);
}

#[test]
fn damaged_security_is_found() {
    run_cases(SECURITY);
}

#[test]
fn views_that_disagree_with_their_files_are_found() {
    run_cases(VIEWS);
}

#[test]
fn damaged_tables_are_found() {
    run_cases(TABLES);
}

/// A quick check reads no index, and says that it is quick.
#[test]
fn a_quick_check_leaves_indexes_out() {
    let mut lab = Indexed::new();
    let directory = lab.file("large");
    lab.edit_block(directory, 0, |plain| plain[0x1D] = 0xFF);
    let full = lab.check(CheckLevel::Full);
    assert_eq!(full.level, CheckLevel::Full);
    assert_eq!(full.count(Code::IndexNodeHeader), 1);
    let quick = lab.check(CheckLevel::Quick);
    assert_eq!((quick.level, quick.problems_total), (CheckLevel::Quick, 0));
}

/// A problem names the directory by path, the entry, and the byte.
#[test]
fn a_problem_of_an_entry_says_where_it_is() {
    let mut lab = Indexed::new();
    let directory = lab.file("large");
    let name = "a name of some length, number 01234";
    lab.edit_entry(directory, name, |node, offset| node[offset + 6] ^= 2);
    let report = lab.check(CheckLevel::Full);
    let problem = report
        .problems
        .iter()
        .find(|problem| problem.code == Code::IndexEntryDangling)
        .unwrap();
    assert_eq!(problem.path.as_deref(), Some("\\large"));
    assert_eq!(problem.name.as_deref(), Some(name));
    let byte = problem.volume_byte.unwrap() as usize;
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(lab.bytes[byte + 0x52..byte + 0x52 + 20], units[..20]);
    let missing = report
        .problems
        .iter()
        .find(|problem| problem.code == Code::NameMissingInIndex);
    let path = missing.unwrap().path.clone();
    assert_eq!(path, Some(format!("\\large\\{name}")));
}
