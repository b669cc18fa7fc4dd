//! The donor's part of staging: what shrinks it, computed on the disk as it is, before anything is staged.

use crate::error::RepairError;
use crate::observation::Observation;
use crate::plan::{Plan, Step};
use crate::refusal::Refusal;
use crate::stage::{StageError, resize_error};
use crate::text::Text;
use std::collections::BTreeMap;
use winrefit_disk::{Move, ReadAt, ReadWindow};
use winrefit_ntfs::check::{owner_of, owners_from, path_of};
use winrefit_ntfs::resize::{ResizeError, Shrink, shrink_end};
use winrefit_ntfs::{Lcn, RecordNumber, Volume};

/// Runs that are looked at for the name of a file.
const OWNERS_MAX: usize = 100_000;

/// How the volume of a partition shrinks.
#[derive(Debug)]
pub(crate) struct DonorShrink {
    pub(crate) partition: u32,
    pub(crate) shrink: Shrink,
}

/// The shrinks of a plan.
pub(crate) fn shrinks(
    disk: &dyn ReadAt,
    observation: &Observation,
    plan: &Plan,
) -> Result<Vec<DonorShrink>, StageError> {
    let mut shrinks = Vec::new();
    for step in &plan.steps {
        let Step::ShrinkEnd { partition, sectors } = *step else {
            continue;
        };
        let number = partition;
        let known = observation
            .partition(number)
            .ok_or(RepairError::NoSuchPartition { number })?;
        let window = ReadWindow::new(disk, known.range)?;
        let shrink = shrink_end(window, volume_sectors(observation, partition, sectors))
            .map_err(|source| shrink_error(disk, observation, partition, source))?;
        shrinks.push(DonorShrink { partition, shrink });
    }
    Ok(shrinks)
}

/// What has to be copied first, offsets counted from the start of the disk.
pub(crate) fn moves(observation: &Observation, shrinks: &[DonorShrink]) -> Vec<Move> {
    let on_disk = |donor: &DonorShrink| {
        let start = observation.partition(donor.partition).map(|p| p.range.start);
        let moves = donor.shrink.moves.clone();
        moves.into_iter().filter_map(move |m| Some(m.shifted(start?)))
    };
    shrinks.iter().flat_map(on_disk).collect()
}

/// A volume counts sectors of its own size, which need not be the disk's.
pub(crate) fn volume_sectors(observation: &Observation, partition: u32, disk_sectors: u64) -> u64 {
    let volume = observation.partition(partition).and_then(|p| p.ntfs());
    let size = volume.map_or(observation.sector_size.bytes(), |ntfs| {
        ntfs.geometry.sector_size.into()
    });
    disk_sectors * observation.sector_size.bytes() / size
}

/// What does not move is named.
fn shrink_error(
    disk: &dyn ReadAt,
    observation: &Observation,
    partition: u32,
    source: ResizeError,
) -> StageError {
    let record = match source {
        ResizeError::CannotRelocate { record, .. } | ResizeError::NoRoom { record, .. } => Some(record),
        ResizeError::Full { .. } => None,
        other => return resize_error(partition, other),
    };
    let path = |record: RecordNumber| {
        let range = observation.partition(partition)?.range;
        let volume = Volume::open(ReadWindow::new(disk, range).ok()?).ok()?;
        path_of(&volume, record).ok()
    };
    StageError::Refused(Refusal::CannotRelocate {
        number: partition,
        path: record.and_then(path),
        problem: Text::quoted(source),
    })
}

/// The partition that a byte of the disk belongs to, and its file, where it can be found.
pub(crate) fn file_at(
    disk: &dyn ReadAt,
    observation: &Observation,
    offset: u64,
) -> Option<(u32, Option<String>)> {
    let partition = observation
        .partitions
        .iter()
        .find(|p| p.range.start <= offset && offset < p.range.end)?;
    let path = || {
        let volume = Volume::open(ReadWindow::new(disk, partition.range).ok()?).ok()?;
        let lcn = (offset - partition.range.start) / u64::from(volume.geometry().cluster_size);
        let owner = owner_of(&volume, Lcn(lcn)).ok()??;
        path_of(&volume, owner.record).ok()
    };
    Some((partition.number, path()))
}

/// The file that has most of what lies behind a byte of a partition's volume.
pub(crate) fn largest_behind(
    disk: &dyn ReadAt,
    observation: &Observation,
    partition: u32,
    offset: u64,
) -> Option<String> {
    let range = observation.partition(partition)?.range;
    let volume = Volume::open(ReadWindow::new(disk, range).ok()?).ok()?;
    let lcn = Lcn(offset / u64::from(volume.geometry().cluster_size));
    let mut clusters: BTreeMap<RecordNumber, u64> = BTreeMap::new();
    for owner in owners_from(&volume, lcn, OWNERS_MAX).ok()? {
        *clusters.entry(owner.record).or_default() += owner.clusters;
    }
    let (&record, _) = clusters.iter().max_by_key(|(_, clusters)| **clusters)?;
    path_of(&volume, record).ok()
}
