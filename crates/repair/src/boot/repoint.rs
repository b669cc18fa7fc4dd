//! Making a store name a partition at its new place: bytes to write within the volume, which no file system notices.
//!
//! Only data that is overwritten by as many bytes is changed, so that no structure of the hive and none of the volume
//! changes. What cannot be changed like that is refused.

#[cfg(test)]
mod tests;

use super::read::{STORE_BYTES_MAX, logs};
use super::volume::Files;
use crate::refusal::{BootStoreRefusal, Refusal};
use winrefit_disk::{ByteRange, DiskError, ReadAt};
use winrefit_formats::bcd::{BcdError, BcdPartition, Reference};
use winrefit_formats::hive::HiveEdit;
use winrefit_formats::{Bcd, FatError, FatVolume, HiveEditError, HiveStep};
use winrefit_ntfs::attribute::{FLAG_COMPRESSED_MASK, FLAG_ENCRYPTED, FLAG_SPARSE};
use winrefit_ntfs::file::{Stream, StreamBody};
use winrefit_ntfs::state::VolumeState;
use winrefit_ntfs::{AttributeType, NtfsError, Volume};

/// Bytes for one place of the store's volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreWrite {
    /// When; flush between the steps.
    pub step: HiveStep,
    /// Byte offset within the partition.
    pub offset: u64,
    /// What belongs there.
    pub bytes: Vec<u8>,
}

/// Why a store was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepointError {
    /// There is no such file any more.
    #[error("there is no {path}")]
    NoStore {
        /// Its path.
        path: &'static str,
    },
    /// The medium failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The NTFS volume cannot be read.
    #[error(transparent)]
    Ntfs(#[from] NtfsError),
    /// The FAT volume cannot be read.
    #[error(transparent)]
    Fat(#[from] FatError),
    /// The volume was not closed properly, so that what it says of the file may be old.
    #[error("the volume was not closed properly")]
    VolumeInUse,
    /// The file's bytes are not plain bytes in clusters.
    #[error("the file is {how}")]
    NotInPlace {
        /// Resident, compressed, encrypted, sparse, or not written to its end.
        how: &'static str,
    },
    /// The hive is dirty, or a log is ahead of it.
    #[error(transparent)]
    Dirty(HiveEditError),
    /// The hive is no store, or damaged.
    #[error(transparent)]
    Store(#[from] BcdError),
    /// Device elements that may name the partition are not understood.
    #[error("{} device elements are not understood", elements.len())]
    Unknown {
        /// They.
        elements: Vec<Reference>,
    },
    /// A place of the hive is not within the file.
    #[error("{range} of the hive are not within the file's clusters")]
    OutOfFile {
        /// The bytes.
        range: ByteRange,
    },
}

/// The writes with which every element of a store that names `from` names `to`, in the order of their steps; none if no
/// element does. `volume` is the partition that the store is on.
///
/// # Errors
/// [`RepointError`]; its [`RepointError::refusal`] is for people.
pub fn repoint_edits(
    volume: &dyn ReadAt,
    path: &'static str,
    from: &BcdPartition,
    to: &BcdPartition,
) -> Result<Vec<StoreWrite>, RepointError> {
    let (files, ranges) = located(volume, path)?;
    let mut hive = Vec::new();
    for range in &ranges {
        // Together at most STORE_BYTES_MAX.
        hive.extend(volume.read_vec(range.start, range.len() as usize)?);
    }
    let logs = logs(&files, path);
    let logs: Vec<&dyn ReadAt> = logs.iter().map(|log| log as &dyn ReadAt).collect();
    let mut edit = HiveEdit::begin(&hive, &logs).map_err(dirty_or_damaged)?;
    let bcd = Bcd::read(edit.hive())?;
    let elements = bcd.unknown_devices();
    if !elements.is_empty() {
        return Err(RepointError::Unknown { elements });
    }
    for element in bcd.repoint(from, to)? {
        element.apply(&mut edit).map_err(BcdError::from)?;
    }
    let mut writes = Vec::new();
    for write in edit.writes().map_err(BcdError::from)? {
        let pieces = on_volume(&ranges, write.offset, &write.bytes)?;
        writes.extend(pieces.into_iter().map(|(offset, bytes)| StoreWrite {
            step: write.step,
            offset,
            bytes,
        }));
    }
    Ok(writes)
}

fn dirty_or_damaged(error: HiveEditError) -> RepointError {
    match error {
        HiveEditError::Dirty { .. } | HiveEditError::NewerLog { .. } => RepointError::Dirty(error),
        other => RepointError::Store(other.into()),
    }
}

/// The store's volume and its places there.
fn located<'p>(
    volume: &'p dyn ReadAt,
    path: &'static str,
) -> Result<(Files<'p>, Vec<ByteRange>), RepointError> {
    let no_store = RepointError::NoStore { path };
    match Volume::open(volume) {
        Ok(ntfs) => {
            let state = VolumeState::read(&ntfs)?;
            if state.hibernated || state.is_dirty() || !state.log.is_at_rest() {
                return Err(RepointError::VolumeInUse);
            }
            let file = ntfs.lookup(path)?.ok_or(no_store)?;
            let ranges = ntfs_ranges(&ntfs, file.require(AttributeType::DATA, "")?)?;
            Ok((Files::Ntfs(Box::new(ntfs)), ranges))
        }
        Err(NtfsError::NotNtfs { .. }) => {
            let fat = FatVolume::open(volume)?;
            if !fat.state()?.is_clean {
                return Err(RepointError::VolumeInUse);
            }
            let file = fat.lookup(path)?.ok_or(no_store)?;
            fat.require_unshared(&file, STORE_BYTES_MAX)?;
            let ranges = fat.ranges(&file, STORE_BYTES_MAX)?;
            Ok((Files::Fat(fat), ranges))
        }
        Err(error) => Err(error.into()),
    }
}

/// Where the bytes of a stream lie on the volume, in order; only if it is nothing but bytes in clusters.
fn ntfs_ranges(volume: &Volume<&dyn ReadAt>, stream: Stream) -> Result<Vec<ByteRange>, RepointError> {
    let not_in_place = |how| Err(RepointError::NotInPlace { how });
    for (flag, how) in [
        (FLAG_COMPRESSED_MASK, "compressed"),
        (FLAG_ENCRYPTED, "encrypted"),
        (FLAG_SPARSE, "sparse"),
    ] {
        if stream.flags & flag != 0 {
            return not_in_place(how);
        }
    }
    let StreamBody::NonResident { runs, sizes } = stream.body.clone() else {
        return not_in_place("stored in its file record");
    };
    if sizes.data > STORE_BYTES_MAX {
        return not_in_place("larger than any boot store");
    }
    if sizes.initialized < sizes.data {
        return not_in_place("not written to its end");
    }
    // Refuses clusters behind the volume's end.
    volume.stream_reader(stream)?;
    let geometry = volume.geometry();
    let (mut ranges, mut left) = (Vec::new(), sizes.data);
    for run in runs.0 {
        let Some(lcn) = run.lcn else {
            return not_in_place("sparse");
        };
        let start = geometry.offset_of(lcn);
        let length = run
            .clusters
            .saturating_mul(geometry.cluster_size.into())
            .min(left);
        left -= length;
        ranges.push(ByteRange::new(start, start + length));
    }
    ranges.retain(|range| !range.is_empty());
    let mut sorted = ranges.clone();
    sorted.sort_unstable();
    let is_twice = sorted
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a.overlaps(b)));
    match (left, is_twice) {
        (0, false) => Ok(ranges),
        (0, true) => not_in_place("in the same clusters twice"),
        _ => not_in_place("longer than its clusters"),
    }
}

/// Bytes at an offset of a file, as pieces on the volume.
fn on_volume(ranges: &[ByteRange], offset: u64, bytes: &[u8]) -> Result<Vec<(u64, Vec<u8>)>, RepointError> {
    let (mut skip, mut rest, mut pieces) = (offset, bytes, Vec::new());
    for range in ranges.iter().copied() {
        let inside = skip.min(range.len());
        skip -= inside;
        let length = (range.len() - inside).min(rest.len() as u64);
        if length > 0 {
            let (now, later) = rest.split_at(length as usize);
            pieces.push((range.start + inside, now.to_vec()));
            rest = later;
        }
    }
    if rest.is_empty() {
        return Ok(pieces);
    }
    let range = ByteRange::new(offset, offset.saturating_add(bytes.len() as u64));
    Err(RepointError::OutOfFile { range })
}

impl RepointError {
    /// The refusal that it is, for the store at `path` on partition `number`.
    pub fn refusal(&self, number: u32, path: &str) -> Refusal {
        let (path, problem) = (path.to_owned(), self.to_string());
        Refusal::BootStore(match self {
            Self::Dirty(_) => BootStoreRefusal::Dirty {
                number,
                path,
                problem,
            },
            Self::Unknown { elements } => BootStoreRefusal::Unknown {
                number,
                path,
                elements: elements.iter().map(element_text).collect(),
            },
            _ => BootStoreRefusal::InPlace {
                number,
                path,
                problem,
            },
        })
    }
}

/// An element by its name, for people.
pub(crate) fn element_text(element: &Reference) -> String {
    format!(
        "element {:08x} of object {}",
        element.element_type, element.object
    )
}
