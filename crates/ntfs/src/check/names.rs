//! The names of files: their directories, whether each is in an index, and whether a path leads to every directory.

use super::ProblemCode;
use super::entries::Seen;
use super::facts::{MftFacts, Name};
use super::mft::record_place;
use super::problem::Problem;
use super::report::Findings;
use crate::types::RecordNumber;
use crate::volume::Volume;
use winrefit_disk::ReadAt;

const WIN32: u8 = 1;
const DOS: u8 = 2;
/// Records below this number may be in use without a name.
const FIRST_NAMED: u64 = 24;

/// Tells of a problem of a record, with its place.
fn tell<R: ReadAt>(volume: &Volume<R>, findings: &mut Findings, number: RecordNumber, mut problem: Problem) {
    if findings.has_room(problem.code) {
        problem.volume_byte = record_place(volume.geometry(), volume.mft_runs(), number);
    }
    findings.push(problem);
}

/// Every name is in a directory that exists.
pub(crate) fn check_parents<R: ReadAt>(volume: &Volume<R>, facts: &MftFacts, findings: &mut Findings) {
    for name in &facts.names {
        if !facts.is_directory(name.parent) {
            let problem = Problem::of(ProblemCode::ParentMissing, name.file());
            let problem = problem.actual(name.parent.record.0);
            tell(volume, findings, name.file(), problem);
        }
    }
}

/// What the indexes tell of the names, and the names of the directories.
pub(crate) fn check<R: ReadAt>(volume: &Volume<R>, facts: &MftFacts, seen: &Seen, findings: &mut Findings) {
    let missing = facts
        .names
        .iter()
        .enumerate()
        .filter(|(index, _)| !seen.has(*index));
    for (_, name) in missing {
        // Where the directory or a part of its index is missing, that has been told.
        let is_told = !facts.is_directory(name.parent)
            || facts
                .brief(name.parent.record)
                .is_some_and(|brief| brief.is_index_damaged());
        let is_file = facts.brief(name.file()).is_some_and(|brief| brief.is_file());
        if is_file && !is_told {
            let problem = Problem::of(ProblemCode::NameMissingInIndex, name.file());
            let problem = problem.actual(name.parent.record.0);
            tell(volume, findings, name.file(), problem);
        }
    }
    for names in facts.names.chunk_by(|a, b| a.file() == b.file()) {
        check_file(volume, facts, names, findings);
    }
    for (number, brief) in (0..).map(RecordNumber).zip(&facts.briefs) {
        let is_nameless = brief.is_file() && facts.names_of(number).1.is_empty();
        if is_nameless && number.0 >= FIRST_NAMED {
            let problem = Problem::of(ProblemCode::NamelessFile, number);
            tell(volume, findings, number, problem);
        }
    }
    check_reachable(volume, facts, findings);
}

/// The names of one file among each other.
fn check_file<R: ReadAt>(volume: &Volume<R>, facts: &MftFacts, names: &[Name], findings: &mut Findings) {
    let Some(first) = names.first() else { return };
    let number = first.file();
    let parents = |namespace: u8| {
        let names = names.iter().filter(move |name| name.namespace() == namespace);
        names.map(|name| name.parent)
    };
    let is_paired = match parents(DOS).next() {
        None => true,
        Some(_) => {
            let mut beside: Vec<_> = parents(WIN32).collect();
            beside.sort_unstable();
            parents(DOS).all(|parent| beside.binary_search(&parent).is_ok())
        }
    };
    if !is_paired {
        let problem = Problem::of(ProblemCode::DosNameUnpaired, number);
        tell(volume, findings, number, problem);
    }
    let is_directory = facts.brief(number).is_some_and(|brief| brief.is_directory());
    if is_directory && names.iter().any(|name| name.parent.record != first.parent.record) {
        let problem = Problem::of(ProblemCode::DirectoryTwice, number);
        tell(volume, findings, number, problem);
    }
}

/// How far a directory's way to the root is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Unknown,
    Climbed,
    Known,
}

/// Follows every directory upwards until it meets one whose way is known. A way that comes back to itself is a cycle.
/// Directories whose own directory is missing have been told, and their way counts as known.
fn check_reachable<R: ReadAt>(volume: &Volume<R>, facts: &MftFacts, findings: &mut Findings) {
    let mut ways = vec![Way::Unknown; facts.briefs.len()];
    let mut path: Vec<usize> = Vec::new();
    for start in 0..facts.briefs.len() {
        let mut at = start;
        path.clear();
        let is_cycle = loop {
            let number = RecordNumber(at as u64);
            let is_directory = facts
                .brief(number)
                .is_some_and(|brief| brief.is_file() && brief.is_directory());
            match ways.get(at) {
                Some(Way::Unknown) if is_directory && number != RecordNumber::ROOT => {}
                Some(Way::Climbed) => break true,
                _ => break false,
            }
            ways[at] = Way::Climbed;
            path.push(at);
            let parent = facts.names_of(number).1.first().map(|name| name.parent);
            match parent.filter(|parent| facts.is_directory(*parent)) {
                Some(parent) => at = usize::try_from(parent.record.0).unwrap_or(usize::MAX),
                None => break false,
            }
        };
        for &at in &path {
            ways[at] = Way::Known;
        }
        if is_cycle {
            let number = RecordNumber(at as u64);
            let problem = Problem::of(ProblemCode::Unreachable, number);
            tell(volume, findings, number, problem);
        }
    }
}
