//! What there is to reset in one Windows.

use super::FOLDERS;
use crate::records::services::{Known, Need};
use crate::records::{Records, SYSTEM_HIVE, State};
use crate::text;
use crate::text::Text;
use winrefit_disk::{ByteRange, ReadAt, ReadWindow};
use winrefit_ntfs::{NtfsError, Volume};

/// `.old`, and then `.old2` to this.
const LAST_NUMBER: u32 = 9;

/// A folder that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFact {
    /// Path of the directory that holds it.
    pub directory: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The first of the names that it may get which nothing has.
    pub free_name: Option<String>,
}

/// How a service that updates need starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// What is known of it.
    pub known: &'static Known,
    /// `Start`.
    pub start: u32,
}

/// Those of the folders that are on the volume at `range` of a disk.
///
/// # Errors
/// [`NtfsError`].
pub fn folders(disk: &dyn ReadAt, range: ByteRange) -> Result<Vec<FolderFact>, NtfsError> {
    let volume = Volume::open(ReadWindow::new(disk, range)?)?;
    let mut found = Vec::new();
    for (directory, name) in FOLDERS {
        let there = volume.lookup(&format!(r"{directory}\{name}"))?;
        if there.is_none_or(|file| !file.is_directory()) {
            continue;
        }
        let mut free_name = None;
        for candidate in names(name) {
            if volume.lookup(&format!(r"{directory}\{candidate}"))?.is_none() {
                free_name = Some(candidate);
                break;
            }
        }
        found.push(FolderFact {
            directory,
            name,
            free_name,
        });
    }
    Ok(found)
}

fn names(name: &str) -> impl Iterator<Item = String> + '_ {
    let numbered = (2..=LAST_NUMBER).map(move |number| format!("{name}.old{number}"));
    std::iter::once(format!("{name}.old")).chain(numbered)
}

/// The services that updates need and that have a start type; or why nothing is known of them.
///
/// # Errors
/// Words for what is wrong with the hive.
pub fn services(records: &Records) -> Result<Vec<Start>, Text> {
    let Some(system) = &records.system else {
        let mut sources = records.sources.iter();
        let source = sources.find(|source| source.path == SYSTEM_HIVE);
        return Err(match source.map(|source| &source.state) {
            Some(State::Unreadable(problem)) => Text::raw(problem),
            _ => text!("it is not there"),
        });
    };
    let starts = system.services.iter().filter_map(|service| {
        let known = service.known().filter(|known| known.need == Need::Updates)?;
        let start = service.start?;
        Some(Start { known, start })
    });
    Ok(starts.collect())
}

impl Start {
    /// Whether it is one that Windows sets itself.
    pub fn is_usual(&self) -> bool {
        self.known.defaults.contains(&self.start)
    }
}
