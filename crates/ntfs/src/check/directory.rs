//! The index of one directory by itself, for those who are going to change it.

use super::ProblemCode;
use super::codes::Severity;
use super::facts::NameKey;
use super::indexes::{I30, parts};
use super::problem::Problem;
use super::report::Findings;
use super::tree::Walk;
use super::window::Cached;
use crate::error::NtfsError;
use crate::file::File;
use crate::types::{AttributeType, FileReference};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// Problems to keep: the first one is told.
const PROBLEMS_MAX: usize = 10;

/// What a sound directory has.
pub(crate) struct SoundDirectory {
    /// Entries of the index, DOS names included.
    pub(crate) entries: u64,
}

/// Walks the whole index of a directory: its parts, its tree, its bitmap, the order of its names. `Err` is the first
/// problem that forbids a change: whatever is an error, and leaves that are not equally deep.
///
/// # Errors
/// The outer one is of the medium, or an attribute list that cannot be read.
pub(crate) fn check_directory<R: ReadAt>(
    volume: &Volume<R>,
    file: &File,
) -> Result<Result<SoundDirectory, Box<Problem>>, NtfsError> {
    let mut findings = Findings::new(PROBLEMS_MAX);
    let mut entries = 0;
    match parts(volume, file, I30, &mut findings) {
        Err(error) if error.is_of_medium() => return Err(error),
        Err(_) => {
            let problem = Problem::of(ProblemCode::IndexUnreadable, file.number());
            findings.push(problem.attribute(AttributeType::INDEX_ROOT, I30));
        }
        Ok(None) => {}
        Ok(Some((index, blocks))) => {
            let upcase = volume.upcase()?;
            let (geometry, upcase) = (volume.geometry(), Some(&*upcase));
            let own = file.base().reference();
            let is_here = |parent: FileReference| {
                parent.record == own.record && [0, own.sequence].contains(&parent.sequence)
            };
            let mut visit = |key: Option<NameKey<'_>>| {
                entries += 1;
                match key.filter(|key| !key.name.is_empty() && key.namespace <= 3) {
                    None => Some(ProblemCode::IndexEntryMalformed),
                    Some(key) if !is_here(key.parent) => Some(ProblemCode::IndexEntryParent),
                    Some(_) => None,
                }
            };
            match blocks {
                Some(blocks) => {
                    let blocks = Cached::new(blocks);
                    Walk::new(&index, blocks, geometry, upcase, &mut findings).run(|walk, entry| {
                        if let Some(code) = visit(NameKey::parse(entry.key)) {
                            walk.tell_entry(entry, code);
                        }
                    })?
                }
                None => Walk::new(&index, &[][..], geometry, upcase, &mut findings).run(|walk, entry| {
                    if let Some(code) = visit(NameKey::parse(entry.key)) {
                        walk.tell_entry(entry, code);
                    }
                })?,
            };
        }
    }
    let forbids =
        |problem: &Problem| problem.severity == Severity::Error || problem.code == ProblemCode::IndexDepth;
    let problem = findings.report.problems.into_iter().find(forbids);
    Ok(problem.map_or(Ok(SoundDirectory { entries }), |problem| Err(Box::new(problem))))
}
