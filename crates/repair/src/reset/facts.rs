//! What there is to reset in one Windows.

use super::FOLDERS;
use crate::records::services::{Known, Need};
use crate::records::{Records, SYSTEM_HIVE, State};
use crate::text;
use crate::text::Text;
use winrefit_disk::{ByteRange, ReadAt, ReadWindow};
use winrefit_ntfs::rename::{RenameError, name_in_place};
use winrefit_ntfs::{NtfsError, Volume};

/// A folder that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFact {
    /// Path of the directory that holds it.
    pub directory: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The name that it can get in one write (ADR 16), if one is free; or why it can get none.
    pub free_name: Result<Option<String>, Text>,
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
        let free_name = match name_in_place(&volume, directory, name) {
            Ok(free_name) => Ok(free_name),
            Err(RenameError::Ntfs(error)) => return Err(error),
            Err(error) => Err(Text::quoted(error)),
        };
        found.push(FolderFact {
            directory,
            name,
            free_name,
        });
    }
    Ok(found)
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
