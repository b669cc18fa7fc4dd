//! The path of a file, found by following its names up to the root.

use super::problem::Problem;
use crate::attribute::FileName;
use crate::error::NtfsError;
use crate::file::File;
use crate::types::{AttributeType, FileReference, RecordNumber};
use crate::volume::Volume;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use winrefit_disk::ReadAt;

/// Directories that a path may go through.
const DEPTH_MAX: u64 = 256;
const DOS: u8 = 2;

/// The path of the file that `record` belongs to, such as `\Windows\System32\drivers`; `\` for the root. Win32 names
/// are preferred to POSIX and DOS names. A file with several links gets the path of its first one.
///
/// # Errors
/// [`NtfsError::StaleReference`] where a directory has been reused, [`NtfsError::MissingAttribute`] for a file without
/// a name, [`NtfsError::TooMuch`] for a loop, and the errors of [`Volume::file`].
pub fn path_of<R: ReadAt>(volume: &Volume<R>, record: RecordNumber) -> Result<String, NtfsError> {
    let mut file = volume.file(record)?;
    if let Some(base) = file.base().base() {
        file = volume.file_by_reference(base)?;
    }
    path_upwards(file, |reference| volume.file_by_reference(reference))
}

/// Follows the names from a file to the root.
fn path_upwards(
    mut file: File,
    parent: impl Fn(FileReference) -> Result<File, NtfsError>,
) -> Result<String, NtfsError> {
    let mut components = Vec::new();
    while file.number() != RecordNumber::ROOT {
        if components.len() as u64 >= DEPTH_MAX {
            return Err(NtfsError::TooMuch {
                what: "directories of a path",
                actual: DEPTH_MAX + 1,
                limit: DEPTH_MAX,
            });
        }
        let name = preferred_name(&file)?;
        components.push(name.display_name());
        file = parent(name.parent)?;
    }
    if components.is_empty() {
        return Ok("\\".to_owned());
    }
    let mut path = String::new();
    for component in components.iter().rev() {
        path.push('\\');
        path.push_str(component);
    }
    Ok(path)
}

/// Adds paths to problems of files, as far as base records tell them.
///
/// # Errors
/// An error of the medium.
pub(crate) fn add_paths<R: ReadAt>(volume: &Volume<R>, problems: &mut [Problem]) -> Result<(), NtfsError> {
    let mut known: HashMap<RecordNumber, Option<String>> = HashMap::new();
    for problem in problems {
        let Some(record) = problem.record else { continue };
        problem.path = match known.entry(record) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => match short_path(volume, record) {
                Err(error) if error.is_of_medium() => return Err(error),
                other => place.insert(other.ok()).clone(),
            },
        };
    }
    Ok(())
}

/// As [`path_of`], without looking into extension records: one read for each directory.
fn short_path<R: ReadAt>(volume: &Volume<R>, record: RecordNumber) -> Result<String, NtfsError> {
    let read = |number| volume.read_record(number).map(File::of_base);
    let mut file = read(record)?;
    if let Some(base) = file.base().base() {
        file = read(base.record)?;
    }
    path_upwards(file, |reference| {
        let file = read(reference.record)?;
        volume.require_current(&file, reference)?;
        Ok(file)
    })
}

fn preferred_name(file: &File) -> Result<FileName, NtfsError> {
    let rank = |name: &FileName| match name.namespace {
        1 | 3 => 0,
        DOS => 2,
        _ => 1,
    };
    let name = file.names()?.into_iter().min_by_key(rank);
    name.ok_or(NtfsError::MissingAttribute {
        record: file.number(),
        attribute: AttributeType::FILE_NAME,
    })
}
