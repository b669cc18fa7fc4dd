//! Where the space of a recovery volume goes.

use crate::observation::{Observation, Partition};
use std::collections::BTreeMap;
use winrefit_disk::{ReadAt, ReadWindow};
use winrefit_ntfs::file::File;
use winrefit_ntfs::{NtfsError, RecordNumber, Volume};

/// Most records of a volume that are looked at. A recovery volume has some 60; one with more is no recovery volume.
const RECORDS_MAX: u64 = 4096;
/// Most files that are named; the smaller ones are summed up.
const FILES_MAX: usize = 12;
/// Folders deep that a path is followed upwards.
const DEPTH_MAX: usize = 16;
/// Records below this are the file system's own.
const FIRST_USER_RECORD: u64 = 24;

/// What takes space on a volume, in allocated bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Files, the largest first.
    pub files: Vec<FileUsage>,
    /// Bytes of the files that are not named.
    pub other_bytes: u64,
    /// Bytes of the file system itself.
    pub metadata_bytes: u64,
}

/// What a file takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileUsage {
    /// Its path on the volume.
    pub path: String,
    /// Bytes in clusters.
    pub bytes: u64,
    /// Whether WinRE needs it.
    pub is_winre: bool,
}

/// The use of a partition's volume; `None` if it is none that can be read, or too large to be a recovery volume.
pub fn usage(disk: &dyn ReadAt, observation: &Observation, number: u32) -> Option<Usage> {
    let partition = observation.partition(number)?;
    partition.ntfs()?;
    let volume = Volume::open(ReadWindow::new(disk, partition.range).ok()?).ok()?;
    if volume.records() > RECORDS_MAX {
        return None;
    }
    of_volume(&volume, partition).ok()
}

fn of_volume<R: ReadAt>(volume: &Volume<R>, partition: &Partition) -> Result<Usage, NtfsError> {
    let mut in_use = Vec::new();
    volume.scan(|number, raw| -> Result<(), NtfsError> {
        // Signature and the flag of a record in use; what is damaged is left to the checker.
        let is_base = raw
            .get(0x20..0x28)
            .is_some_and(|base| base.iter().all(|byte| *byte == 0));
        if raw.starts_with(b"FILE") && raw.get(0x16).is_some_and(|flags| flags & 1 != 0) && is_base {
            in_use.push(number);
        }
        Ok(())
    })?;
    let cluster = u64::from(volume.geometry().cluster_size);
    let mut usage = Usage::default();
    let mut names = BTreeMap::new();
    let mut files = Vec::new();
    for number in in_use {
        let Ok(file) = volume.file(number) else { continue };
        let bytes = allocated(&file, cluster);
        let name = file
            .names()
            .ok()
            .and_then(|names| names.into_iter().find(|name| name.namespace != 2));
        if let Some(name) = name {
            names.insert(number.0, (name.parent.record.0, name.display_name()));
        }
        if number.0 < FIRST_USER_RECORD {
            usage.metadata_bytes = usage.metadata_bytes.saturating_add(bytes);
        } else {
            files.push((number, bytes));
        }
    }
    files.sort_by_key(|(number, bytes)| (std::cmp::Reverse(*bytes), number.0));
    let needed = |path: &str| {
        partition
            .winre
            .as_ref()
            .is_some_and(|image| is_needed(path, &image.path))
    };
    for (index, (number, bytes)) in files.into_iter().enumerate() {
        match path_of(&names, number) {
            Some(path) if index < FILES_MAX && bytes > 0 => usage.files.push(FileUsage {
                is_winre: needed(&path),
                path,
                bytes,
            }),
            // A folder of the file system's own, $Extend.
            _ => usage.other_bytes = usage.other_bytes.saturating_add(bytes),
        }
    }
    Ok(usage)
}

/// The image, and what lies in its folder.
fn is_needed(path: &str, image: &str) -> bool {
    let folder = image.rsplit_once('\\').map_or("", |(folder, _)| folder);
    path.to_lowercase()
        .starts_with(&format!("{}\\", folder.to_lowercase()))
}

/// Bytes in clusters, of all streams. Holes and what lies in the record take none.
fn allocated(file: &File, cluster: u64) -> u64 {
    let attributes = file.attributes().map_while(Result::ok);
    let runs = attributes.filter_map(|attribute| attribute.runs().ok());
    let clusters = runs.flat_map(|runs| runs.0).filter(|run| run.lcn.is_some());
    clusters
        .map(|run| run.clusters)
        .fold(0_u64, u64::saturating_add)
        .saturating_mul(cluster)
}

fn path_of(names: &BTreeMap<u64, (u64, String)>, number: RecordNumber) -> Option<String> {
    let mut path = String::new();
    let mut number = number.0;
    for _ in 0..DEPTH_MAX {
        if number == RecordNumber::ROOT.0 {
            return (!path.is_empty()).then_some(path);
        }
        let (parent, name) = names.get(&number)?;
        path = format!(r"\{name}{path}");
        number = *parent;
    }
    None
}
