//! Copying a volume to another place on the disk.

use super::{StageError, Stager, ntfs_error, phase, resize_error};
use crate::error::RepairError;
use crate::observation::{Observation, Partition};
use crate::plan::{Plan, Sectors, Step};
use crate::shrink::volume_sectors;
use winrefit_disk::{ByteRange, Move, ReadAt, ReadWindow};
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::resize::grow_end;
use winrefit_ntfs::{Lcn, NtfsError, Volume};

/// Place of the field "hidden sectors" in a boot sector.
const HIDDEN_SECTORS_OFFSET: u64 = 0x1c;

/// What the volumes that move have in use, as copies to make, offsets counted from the start of the disk.
pub(super) fn moves(
    disk: &dyn ReadAt,
    observation: &Observation,
    plan: &Plan,
) -> Result<Vec<Move>, StageError> {
    let mut moves = Vec::new();
    for step in &plan.steps {
        let Step::MoveVolume { partition, after, .. } = *step else {
            continue;
        };
        let known = observation
            .partition(partition)
            .ok_or(RepairError::NoSuchPartition { number: partition })?;
        let to = after.start * observation.sector_size.bytes();
        moves.extend(used(disk, known, to).map_err(|source| ntfs_error(partition, source))?);
    }
    Ok(moves)
}

/// Where the clusters in use of a volume go if it begins at `to`. Bad ones hold nothing that could be copied.
fn used(disk: &dyn ReadAt, partition: &Partition, to: u64) -> Result<Vec<Move>, NtfsError> {
    let from = partition.range.start;
    let volume = Volume::open(ReadWindow::new(disk, partition.range)?)?;
    let geometry = volume.geometry();
    let mut bitmap = ClusterBitmap::read(&volume)?;
    for run in winrefit_ntfs::bad_clusters(&volume)? {
        if let Some(lcn) = run.lcn {
            bitmap.set_range(lcn, run.clusters, false);
        }
    }
    let end = Lcn(geometry.clusters());
    let used = |start: Lcn, end: Lcn| {
        let offset = geometry.offset_of(start);
        (start < end).then(|| Move {
            from: from + offset,
            to: to + offset,
            length: geometry.offset_of(end) - offset,
        })
    };
    let mut moves = Vec::new();
    let mut at = Lcn(0);
    for free in bitmap.free_runs(end) {
        let Some(lcn) = free.lcn else { continue };
        moves.extend(used(at, lcn));
        at = Lcn(lcn.0 + free.clusters);
    }
    moves.extend(used(at, end));
    Ok(moves)
}

impl Stager<'_, '_> {
    /// Makes a volume that was copied to its new place one of that place and of its length. Nothing refers to it yet,
    /// so all of that is one phase.
    pub(super) fn move_volume(&mut self, number: u32, after: Sectors) -> Result<(), StageError> {
        let sector = self.observation.sector_size.bytes();
        let new = ByteRange::new(after.start * sector, after.end * sector);
        let hidden = self.hidden_sectors(number, new.start)?;
        // The field has 32 bits; what Windows uses is the partition table.
        let field = (hidden as u32).to_le_bytes();
        self.write(new, HIDDEN_SECTORS_OFFSET, &field, phase::SHADOW)?;
        let edits = grow_end(
            ReadWindow::new(&self.overlay, new)?,
            volume_sectors(self.observation, number, after.count()),
        )
        .map_err(|source| resize_error(number, source))?;
        for edit in &edits.0 {
            self.write(new, edit.offset, &edit.bytes, phase::SHADOW)?;
        }
        Ok(())
    }

    /// What the boot sector of a volume says of the sectors before it once it begins at byte `start`: they count from
    /// the start of the disk, or of a logical partition's EBR, whichever it did before.
    pub(super) fn hidden_sectors(&self, number: u32, start: u64) -> Result<u64, StageError> {
        let start = start / self.observation.sector_size.bytes();
        let Some(partition) = self.observation.partition(number) else {
            return Ok(start);
        };
        let Some((old, new)) = partition.ebr.zip(self.table.ebr_of(number)) else {
            return Ok(start);
        };
        let mut field = [0; 4];
        self.overlay
            .read_at(partition.range.start + HIDDEN_SECTORS_OFFSET, &mut field)?;
        let is_relative = u64::from(u32::from_le_bytes(field)) == partition.start_lba.saturating_sub(old.0);
        Ok(if is_relative {
            start.saturating_sub(new.0)
        } else {
            start
        })
    }
}
