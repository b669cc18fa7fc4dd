//! The components of Windows Update: folders under new names, services that start again.

use super::boot_store::places;
use super::{StageError, Stager, ntfs_error, phase};
use crate::boot::LOGS;
use crate::plan::{Plan, Step};
use crate::records::SYSTEM_HIVE;
use crate::refusal::Refusal;
use crate::text;
use crate::text::Text;
use winrefit_disk::{ByteRange, ReadAt};
use winrefit_formats::hive::HiveEditError;
use winrefit_formats::{Hive, HiveEdit, HiveWrite};
use winrefit_ntfs::file::StreamReader;
use winrefit_ntfs::rename::{RenameError, rename_in_place};
use winrefit_ntfs::{AttributeType, NtfsError, Volume};

/// A service and its new start type.
#[derive(Debug, Clone, Copy)]
struct Change {
    service: &'static str,
    from: u32,
    to: u32,
}

impl Stager<'_, '_> {
    /// Takes the steps of a reset, each folder in a phase of its own.
    pub(super) fn reset_update(&mut self, plan: &Plan) -> Result<(), StageError> {
        let renames = plan.steps.iter().filter_map(|step| match step {
            Step::RenameFolder {
                partition,
                folder,
                from,
                to,
                filetime,
            } => Some((*partition, *folder, *from, to, *filetime)),
            _ => None,
        });
        for (phase, (number, folder, from, to, filetime)) in (phase::UPDATE_FOLDERS..).zip(renames) {
            let (volume, range) = self.volume(number)?;
            let renamed = rename_in_place(&volume, folder, from, to, filetime)
                .map_err(|error| rename_error(number, format!(r"{folder}\{from}"), error))?;
            drop(volume);
            self.apply(range, &renamed.edits, phase)?;
        }
        for number in plan.changed_partitions() {
            let changes: Vec<Change> = changes(plan, number).collect();
            if !changes.is_empty() {
                self.set_services(number, &changes)?;
            }
        }
        Ok(())
    }

    /// Each value is written by itself, within one sector: every choice of them that a power cut may leave is a hive
    /// without a fault.
    fn set_services(&mut self, number: u32, changes: &[Change]) -> Result<(), StageError> {
        let (volume, range) = self.volume(number)?;
        let (ranges, writes) = hive_writes(&volume, number, changes)?;
        drop(volume);
        for write in writes {
            let places = places(&ranges, &write)
                .ok_or_else(|| hive_problem(number, text!("it is shorter than its hive")))?;
            for (offset, bytes) in places {
                self.write(range, offset, &bytes, phase::UPDATE_SERVICES)?;
            }
        }
        Ok(())
    }
}

fn changes(plan: &Plan, number: u32) -> impl Iterator<Item = Change> + '_ {
    plan.steps.iter().filter_map(move |step| match *step {
        Step::SetServiceStart {
            partition,
            service,
            from,
            to,
        } if partition == number => Some(Change { service, from, to }),
        _ => None,
    })
}

/// Where the hive's bytes lie on its volume, and what is written to it.
fn hive_writes<R: ReadAt>(
    volume: &Volume<R>,
    number: u32,
    changes: &[Change],
) -> Result<(Vec<ByteRange>, Vec<HiveWrite>), StageError> {
    let in_ntfs = |source| ntfs_error(number, source);
    let problem = |problem| hive_problem(number, problem);
    let file = volume.lookup(SYSTEM_HIVE).map_err(in_ntfs)?;
    let file = file.ok_or_else(|| problem(text!("it is not there")))?;
    let stream = file.require(AttributeType::DATA, "").map_err(in_ntfs)?;
    let ranges = volume.plain_ranges(&stream).map_err(in_ntfs)?;
    let ranges = ranges.ok_or_else(|| problem(text!("its bytes do not lie on the volume as they are")))?;
    let hive = volume.stream_reader(stream).map_err(in_ntfs)?;
    let logs = logs(volume).map_err(in_ntfs)?;
    let logs: Vec<&dyn ReadAt> = logs.iter().map(|log| log as &dyn ReadAt).collect();
    let mut edit = HiveEdit::begin(&hive, &logs).map_err(|error| hive_error(number, error))?;
    for change in changes {
        let path = path_of(edit.hive(), change).map_err(problem)?;
        edit.overwrite(&path, START, &change.to.to_le_bytes())
            .map_err(|error| hive_error(number, error))?;
    }
    let writes = edit.writes().map_err(|error| problem(Text::quoted(error)))?;
    match writes.iter().find(|write| !is_in_one_sector(write)) {
        Some(write) => Err(problem(text!(
            "the value at byte {offset} of it lies across two sectors",
            offset = write.offset
        ))),
        None => Ok((ranges, writes)),
    }
}

/// Clusters begin with a sector, and so do pieces of a file.
fn is_in_one_sector(write: &HiveWrite) -> bool {
    write.offset % SECTOR_BYTES_MIN + write.bytes.len() as u64 <= SECTOR_BYTES_MIN
}

/// The shortest sector that there is.
const SECTOR_BYTES_MIN: u64 = 512;
/// How a service starts.
const START: &str = "Start";

/// The key of a service that starts as was planned for.
fn path_of(hive: &Hive<'_>, change: &Change) -> Result<String, Text> {
    let set = hive.current_control_set().map_err(Text::quoted)?;
    let set = set.ok_or_else(|| text!("it does not say which control set Windows starts with"))?;
    let path = format!(r"{set}\Services\{service}", service = change.service);
    let start = hive.dword(&path, START).map_err(Text::quoted)?;
    if start == Some(change.from) {
        Ok(path)
    } else {
        Err(text!(
            "{path}: Start is not {from} any more",
            path,
            from = change.from
        ))
    }
}

fn logs<R: ReadAt>(volume: &Volume<R>) -> Result<Vec<StreamReader<&R>>, NtfsError> {
    let mut logs = Vec::new();
    for name in LOGS {
        if let Some(file) = volume.lookup(&format!("{SYSTEM_HIVE}{name}"))? {
            let stream = file.require(AttributeType::DATA, "")?;
            logs.push(volume.stream_reader(stream)?);
        }
    }
    Ok(logs)
}

fn hive_problem(number: u32, problem: Text) -> StageError {
    let path = SYSTEM_HIVE;
    StageError::Refused(Refusal::Hive {
        number,
        path,
        problem,
    })
}

fn hive_error(number: u32, error: HiveEditError) -> StageError {
    match error {
        HiveEditError::Dirty { .. } | HiveEditError::NewerLog { .. } => {
            let path = SYSTEM_HIVE;
            StageError::Refused(Refusal::HiveDirty { number, path })
        }
        error => hive_problem(number, Text::quoted(error)),
    }
}

fn rename_error(number: u32, path: String, error: RenameError) -> StageError {
    match error {
        RenameError::Ntfs(source) => ntfs_error(number, source),
        error => StageError::Refused(Refusal::CannotRename {
            number,
            path,
            problem: Text::quoted(error),
        }),
    }
}
