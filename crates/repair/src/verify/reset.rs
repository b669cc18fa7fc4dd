//! Folders of Windows Update under their new names, services as planned, and nothing else changed.

use super::item;
use crate::error::RepairError;
use crate::observation::Observation;
use crate::plan::{Plan, Step};
use crate::records::SYSTEM_HIVE;
use crate::report::VerificationItem;
use crate::text;
use crate::text::Text;
use sha2::{Digest, Sha256};
use winrefit_disk::{ByteRange, ReadAt, ReadWindow};
use winrefit_formats::Hive;
use winrefit_formats::hive::HiveError;
use winrefit_ntfs::types::FileReference;
use winrefit_ntfs::{AttributeType, NtfsError, Volume};

const CHUNK_BYTES: u64 = 1 << 20;

/// A volume of a disk.
type DiskVolume<'d> = Volume<ReadWindow<&'d dyn ReadAt>>;

/// The result of a reset; against an older disk, also: nothing else is different in the directories and in the hive.
///
/// # Errors
/// A volume that cannot be read.
pub(super) fn items(
    disk: &dyn ReadAt,
    old_disk: Option<&dyn ReadAt>,
    after: &Observation,
    plan: &Plan,
) -> Result<Vec<VerificationItem>, RepairError> {
    let mut items = Vec::new();
    for number in plan.changed_partitions() {
        let range = after.partition(number).map(|partition| partition.range);
        let Some(range) = range.filter(|_| !plan.changes_table()) else {
            continue;
        };
        let look = || -> Result<Vec<VerificationItem>, NtfsError> {
            let volume = open(disk, range)?;
            let old = old_disk.map(|old| open(old, range)).transpose()?;
            let mut items = folder_items(&volume, old.as_ref(), plan, number)?;
            items.extend(service_item(&volume, old.as_ref(), plan, number)?);
            Ok(items)
        };
        let partition = number;
        items.extend(look().map_err(|source| RepairError::Ntfs { partition, source })?);
    }
    Ok(items)
}

fn open(disk: &dyn ReadAt, range: ByteRange) -> Result<DiskVolume<'_>, NtfsError> {
    Volume::open(ReadWindow::new(disk, range)?)
}

fn folder_items(
    volume: &DiskVolume<'_>,
    old: Option<&DiskVolume<'_>>,
    plan: &Plan,
    number: u32,
) -> Result<Vec<VerificationItem>, NtfsError> {
    let mut items = Vec::new();
    for step in &plan.steps {
        let Step::RenameFolder {
            partition,
            folder,
            from,
            to,
            ..
        } = step
        else {
            continue;
        };
        if *partition == number {
            let [from, to] = [*from, to.as_str()].map(|name| format!(r"{folder}\{name}"));
            let wrong = wrong_folder(volume, &from, &to)?;
            let wrong = match (wrong, old) {
                (None, Some(old)) => other_change((volume, old), folder, (&from, &to))?,
                (wrong, _) => wrong,
            };
            let what = text!("Folder {path}", path = to.as_str());
            items.push(match wrong {
                Some(problem) => item(what, false, problem),
                None if old.is_some() => item(
                    what,
                    true,
                    text!(
                        "the same folder as {path} before, and every other name as it was",
                        path = from
                    ),
                ),
                None => item(what, true, text!("there, and {path} is not", path = from)),
            });
        }
    }
    Ok(items)
}

fn wrong_folder(volume: &DiskVolume<'_>, from: &str, to: &str) -> Result<Option<Text>, NtfsError> {
    let there = volume.lookup(to)?;
    Ok(if there.is_none_or(|file| !file.is_directory()) {
        Some(text!("it is not there"))
    } else if volume.lookup(from)?.is_some() {
        Some(text!("{path} is still there", path = from))
    } else {
        None
    })
}

/// Stands for the names in a directory, which may be millions: a hash of each one's file, kind and name, in the order of
/// the index, which a new name for one of them leaves as it is.
type Names = [u8; 32];

/// The directory at a path, and its names but for those of `without`.
fn names(
    volume: &DiskVolume<'_>,
    path: &str,
    without: Option<FileReference>,
) -> Result<Option<(FileReference, Names)>, NtfsError> {
    let Some(directory) = volume.lookup(path)?.filter(|file| file.is_directory()) else {
        return Ok(None);
    };
    let mut hasher = Sha256::new();
    volume.directory(&directory)?.each(|file, name| {
        if without != Some(file) {
            hasher.update(file.record.0.to_le_bytes());
            hasher.update(file.sequence.to_le_bytes());
            hasher.update([name.namespace]);
            hasher.update((name.name.len() as u64).to_le_bytes());
            name.name
                .iter()
                .for_each(|unit| hasher.update(unit.to_le_bytes()));
        }
        true
    })?;
    Ok(Some((directory.base().reference(), hasher.finalize().into())))
}

/// What is different besides the name.
fn other_change(
    (new, old): (&DiskVolume<'_>, &DiskVolume<'_>),
    directory: &str,
    (from, to): (&str, &str),
) -> Result<Option<Text>, NtfsError> {
    let (before, after) = (names(old, from, None)?, names(new, to, None)?);
    let (Some((file, inside)), Some((new_file, new_inside))) = (before, after) else {
        return Ok(Some(text!("it is not there")));
    };
    if file != new_file {
        return Ok(Some(text!("it is another folder than before")));
    }
    if inside != new_inside {
        return Ok(Some(text!("its content is not what it was")));
    }
    let others = |volume| names(volume, directory, Some(file));
    let same = others(old)? == others(new)?;
    Ok((!same).then(|| text!("another name in {directory} has changed", directory)))
}

fn service_item(
    volume: &DiskVolume<'_>,
    old: Option<&DiskVolume<'_>>,
    plan: &Plan,
    number: u32,
) -> Result<Option<VerificationItem>, NtfsError> {
    let planned: Vec<(&str, u32)> = plan
        .steps
        .iter()
        .filter_map(|step| match *step {
            Step::SetServiceStart {
                partition,
                service,
                to,
                ..
            } if partition == number => Some((service, to)),
            _ => None,
        })
        .collect();
    if planned.is_empty() {
        return Ok(None);
    }
    let what = text!("Services of Windows on partition {number}", number);
    let wrong = wrong_hive(volume, old, &planned)?;
    let starts = planned
        .iter()
        .map(|(service, start)| text!("{service}: Start = {start}", service = *service, start));
    Ok(Some(match wrong {
        Some(problem) => item(what, false, problem),
        None => item(what, true, Text::listed(starts)),
    }))
}

fn hive<'v>(volume: &'v DiskVolume<'_>) -> Result<Option<Box<dyn ReadAt + 'v>>, NtfsError> {
    let Some(file) = volume.lookup(SYSTEM_HIVE)? else {
        return Ok(None);
    };
    let stream = file.require(AttributeType::DATA, "")?;
    Ok(Some(Box::new(volume.stream_reader(stream)?)))
}

/// What is wrong with the hive, or different in it besides what was planned.
fn wrong_hive(
    volume: &DiskVolume<'_>,
    old: Option<&DiskVolume<'_>>,
    planned: &[(&str, u32)],
) -> Result<Option<Text>, NtfsError> {
    let missing = || Some(text!("it is not there"));
    let Some(file) = hive(volume)? else {
        return Ok(missing());
    };
    match wrong_service(&*file, planned) {
        Ok(None) => match old {
            None => Ok(None),
            Some(old) => match hive(old)? {
                Some(old) => other_byte(&*old, &*file, planned),
                None => Ok(missing()),
            },
        },
        Ok(wrong) => Ok(wrong),
        Err(error) => Ok(Some(Text::quoted(error))),
    }
}

fn wrong_service(file: &dyn ReadAt, planned: &[(&str, u32)]) -> Result<Option<Text>, HiveError> {
    let hive = Hive::open(file)?;
    if hive.is_dirty() {
        return Ok(Some(text!("the hive is in the middle of a write")));
    }
    for &(service, start) in planned {
        let found = match start_path(&hive, service)? {
            Some(path) => hive.dword(&path, START)?,
            None => None,
        };
        if found != Some(start) {
            return Ok(Some(text!("Start of {service} is not {start}", service, start)));
        }
    }
    Ok(None)
}

const START: &str = "Start";

fn start_path(hive: &Hive<'_>, service: &str) -> Result<Option<String>, HiveError> {
    let set = hive.current_control_set()?;
    Ok(set.map(|set| format!(r"{set}\Services\{service}")))
}

/// The first byte of the hive that is different and is not part of a start type.
fn other_byte(
    old: &dyn ReadAt,
    new: &dyn ReadAt,
    planned: &[(&str, u32)],
) -> Result<Option<Text>, NtfsError> {
    let allowed = match allowed(old, planned) {
        Ok(allowed) => allowed,
        Err(error) => return Ok(Some(Text::quoted(error))),
    };
    if old.size() != new.size() {
        return Ok(Some(text!("the hive has another length than before")));
    }
    let mut at = 0;
    while at < old.size() {
        let length = CHUNK_BYTES.min(old.size() - at) as usize;
        let (before, after) = (old.read_vec(at, length)?, new.read_vec(at, length)?);
        let differ = (at..).zip(before.iter().zip(&after)).filter(|(_, (a, b))| a != b);
        let is_free = |at: &u64| allowed.iter().any(|range| range.start <= *at && *at < range.end);
        if let Some(offset) = differ.map(|(at, _)| at).find(|at| !is_free(at)) {
            return Ok(Some(text!(
                "byte {offset} of the hive has changed as well",
                offset
            )));
        }
        at += length as u64;
    }
    Ok(None)
}

fn allowed(old: &dyn ReadAt, planned: &[(&str, u32)]) -> Result<Vec<ByteRange>, HiveError> {
    let hive = Hive::open(old)?;
    let mut allowed = Vec::new();
    for (service, _) in planned {
        let path = start_path(&hive, service)?;
        let key = path.map(|path| hive.key(&path)).transpose()?.flatten();
        if let Some(value) = key.map(|key| key.value(START)).transpose()?.flatten() {
            allowed.extend(value.data_ranges()?);
        }
    }
    Ok(allowed)
}
