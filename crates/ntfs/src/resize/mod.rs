//! Moving either end of a volume.
//!
//! Each function reads the volume and returns the [`Edits`] that resize it; nothing is written here. The edits are
//! arranged in steps so that the volume can be mounted after each of them, and every step's changes of live
//! structures lie in single sectors wherever the format allows it.
//!
//! * [`shrink_end`]: what lies in the tail gets another place first.
//! * [`grow_end`]: takes over what lies behind the volume.
//! * [`grow_front`]: takes over what lies before the volume: no file is copied, every cluster number grows by the
//!   same amount. All rewritten structures go to the new clusters in front; what the volume was stays intact behind
//!   them until the partition's entry is switched.

mod end;
mod front;

mod relocate;

pub use crate::edit::{Edit, Edits};
pub use end::{grow_end, shrink_end};
pub use front::{FrontGrowth, front_growth_clusters_min, grow_front};

use crate::boot::{BOOT_SECTOR_BYTES, BootSector};
use crate::error::NtfsError;
use crate::file::File;
use crate::runs::{Run, RunList};
use crate::types::{AttributeType, RecordNumber};
use crate::volume::Volume;
use std::borrow::Cow;
use winrefit_disk::{Device, DiskError, Move, ReadAt, moves};

/// A smaller volume: data to copy first, then structures to change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shrink {
    /// What lies behind the new end and is in use, with its new places; offsets count from the start of the volume.
    /// All destinations are free in the old volume, so copying changes nothing of it.
    pub moves: Vec<Move>,
    /// What to write once the copies are durable.
    pub edits: Edits,
}

impl Shrink {
    /// Bytes to copy.
    pub fn bytes_to_move(&self) -> u64 {
        self.moves.iter().map(|m| m.length).sum()
    }

    /// Does it all on `device`, which begins where the volume does: copies, then writes the edits, a flush after each
    /// step. Not atomic: that needs a journal around the edits.
    ///
    /// # Errors
    /// Whatever the device returns.
    pub fn apply<D: Device + ?Sized>(&self, device: &mut D) -> Result<(), DiskError> {
        moves::copy(device, &self.moves, &mut |_| true)?;
        for step in self.edits.0.chunk_by(|a, b| a.step == b.step) {
            for (offset, bytes) in joined(step) {
                device.write_at(offset, &bytes)?;
            }
            device.flush()?;
        }
        Ok(())
    }
}

/// The edits of a step, those that continue each other as one. Where some overlap, they stay in their order.
fn joined(step: &[Edit]) -> Vec<(u64, Cow<'_, [u8]>)> {
    let mut order: Vec<&Edit> = step.iter().collect();
    order.sort_by_key(|edit| edit.offset);
    let end = |edit: &Edit| edit.offset + edit.bytes.len() as u64;
    if order.windows(2).any(|pair| end(pair[0]) > pair[1].offset) {
        return step
            .iter()
            .map(|edit| (edit.offset, Cow::from(&edit.bytes)))
            .collect();
    }
    let mut joined: Vec<(u64, Cow<'_, [u8]>)> = Vec::new();
    for edit in order {
        match joined.last_mut() {
            Some((offset, bytes)) if *offset + bytes.len() as u64 == edit.offset => {
                bytes.to_mut().extend_from_slice(&edit.bytes);
            }
            _ => joined.push((edit.offset, Cow::from(&edit.bytes))),
        }
    }
    joined
}

impl From<Edits> for Shrink {
    fn from(edits: Edits) -> Self {
        Self {
            moves: Vec::new(),
            edits,
        }
    }
}

/// Why a volume cannot be resized so.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ResizeError {
    /// The volume is damaged, or the medium failed.
    #[error(transparent)]
    Ntfs(#[from] NtfsError),
    /// More has to move than is free.
    #[error("{needed} clusters have to move, and {free} are free before the new end")]
    Full {
        /// Clusters to move.
        needed: u64,
        /// Free clusters below the new end.
        free: u64,
    },
    /// The new size is not smaller (for a shrink) or not larger (for a growth) than the old one.
    #[error("the volume has {old_sectors} sectors and would have {new_sectors}")]
    WrongDirection {
        /// Sectors of the partition now.
        old_sectors: u64,
        /// Sectors asked for.
        new_sectors: u64,
    },
    /// The start would move by something that is no whole number of clusters.
    #[error("the start of the volume cannot move by {bytes} bytes: clusters have {cluster_size} bytes")]
    NotWholeClusters {
        /// Bytes asked for.
        bytes: u64,
        /// Bytes in a cluster.
        cluster_size: u32,
    },
    /// The new clusters in front do not hold the structures that have to be rewritten.
    #[error("the front would grow by {clusters} clusters; at least {clusters_min} are needed")]
    GrowthTooSmall {
        /// Clusters asked for.
        clusters: u64,
        /// The fewest clusters that will do.
        clusters_min: u64,
    },
    /// A system file is split over several records in a way that is not supported.
    #[error("the runs of system file record {record} are spread over several records")]
    SystemFileInPieces {
        /// The system file.
        record: RecordNumber,
    },
    /// The runs of something that has to move fit nowhere.
    #[error("file record {record}, {attribute}: its clusters cannot get another place ({problem})")]
    CannotRelocate {
        /// The file's base record.
        record: RecordNumber,
        /// The attribute's type.
        attribute: AttributeType,
        /// What is missing.
        problem: &'static str,
    },
    /// No free space in a row for a copy of a system file.
    #[error("no {clusters} free clusters in a row for system file record {record}")]
    NoRoom {
        /// The system file.
        record: RecordNumber,
        /// Clusters needed.
        clusters: u64,
    },
}

impl From<winrefit_disk::DiskError> for ResizeError {
    fn from(error: winrefit_disk::DiskError) -> Self {
        Self::Ntfs(error.into())
    }
}

/// Where the copy of the boot sector is: in the last sector of the partition, or right behind a volume that is
/// smaller than its partition. Windows keeps it in the former place; where neither holds a copy, the latter is taken.
pub(crate) fn backup_boot_offset<R: ReadAt>(reader: &R, boot: &BootSector, partition_bytes: u64) -> u64 {
    let geometry = boot.geometry();
    let sector = u64::from(geometry.sector_size);
    let behind = geometry.total_sectors * sector;
    let last = partition_bytes.saturating_sub(sector);
    let mut bytes = [0; BOOT_SECTOR_BYTES];
    let is_copy = last > behind && reader.read_at(last, &mut bytes).is_ok() && &bytes == boot.bytes();
    if is_copy || last <= behind { last } else { behind }
}

/// The boot sector as a whole sector of the volume's sector size, the bytes behind the first 512 as they are.
pub(crate) fn boot_sector_bytes<R: ReadAt>(
    volume: &Volume<R>,
    boot: &BootSector,
) -> Result<Vec<u8>, NtfsError> {
    let mut sector = volume
        .reader()
        .read_vec(0, volume.geometry().sector_size as usize)?;
    sector[..BOOT_SECTOR_BYTES].copy_from_slice(boot.bytes());
    Ok(sector)
}

/// The runs of $BadClus:$Bad for a volume of `clusters` clusters: holes wherever no bad cluster is recorded. Those
/// behind the end are forgotten.
pub(crate) fn bad_cluster_runs(old: &RunList, clusters: u64) -> RunList {
    let mut runs = RunList::default();
    let mut left = clusters;
    for run in &old.0 {
        let take = run.clusters.min(left);
        runs.push(Run {
            clusters: take,
            ..*run
        });
        left -= take;
    }
    runs.push(Run {
        lcn: None,
        clusters: left,
    });
    runs
}

/// Refuses a system file whose attribute has extension pieces: its edits assume a single run list.
pub(crate) fn require_single_piece(
    file: &File,
    attribute: AttributeType,
    name: &str,
) -> Result<(), ResizeError> {
    let pieces = file
        .attributes()
        .flatten()
        .filter(|a| a.type_code() == attribute && a.is_named(name))
        .count();
    if pieces == 1 {
        Ok(())
    } else {
        Err(ResizeError::SystemFileInPieces {
            record: file.number(),
        })
    }
}
