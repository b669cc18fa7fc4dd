//! Building the result on an overlay, and turning it into the extents of a commit.
//!
//! Every write has a phase; a lower one is durable before a higher one begins. The order is such that the disk is one
//! that Windows can start from after each phase, and, but for the moments in which a single structure is being
//! written, within them:
//!
//! | phases | what | the disk then |
//! |---|---|---|
//! | donor | its structures in space that is free before and after; the steps that shrink it; "no shadow copies" | as before, perhaps with a volume smaller than its partition |
//! | clearing | EBRs of logical partitions out of the way of what will be there | the same |
//! | shadow | the recovery volume's new structures, in what the donor gave up or was unallocated | the same |
//! | table | one copy of the partition table after the other | the new layout: all volumes are ready for it |
//! | boot store | on an MBR disk, where the recovery partition begins | the same, and WinRE can be started again |
//! | ReAgent.xml | where the recovery partition begins, for Windows | the new layout, known to Windows |
//! | recovery | backup boot sector and copies of sizes of the recovery volume; growth of ends | the same |
//! | copy of ReAgent.xml | the same beside the image, for people | the same |
//! | update folders | each folder of Windows Update under its new name | the same; Windows makes what it misses |
//! | update services | the hive SYSTEM | the same, and the services start again |

mod boot_store;
mod creating;
mod moving;
mod reagent;
mod reset;

use boot_store::Repoint;
use creating::Created;

use crate::error::RepairError;
use crate::observation::Observation;
use crate::phases::{self, StagedWrite};
use crate::plan::{Dropped, Plan, Step};
use crate::refusal::Refusal;
use crate::shrink::{DonorShrink, moves, shrinks, volume_sectors};
use crate::table::{TableEditor, TableWrite};
use crate::text;
use crate::text::Text;
use winrefit_disk::journal::Transaction;
use winrefit_disk::{ByteRange, Device, DiskError, Lba, Move, Moved, Overlay, ReadAt, ReadWindow, Window};
use winrefit_formats::LbaRange;
use winrefit_ntfs::edit::Edits;
use winrefit_ntfs::resize::{FrontGrowth, ResizeError, grow_end, grow_front};
use winrefit_ntfs::vss::{ShadowCopies, VssError, disable};
use winrefit_ntfs::{NtfsError, Volume};

/// The first phase of each group; a group has as many as its steps need.
mod phase {
    pub const DONOR: u8 = 0;
    pub const CLEARING: u8 = 16;
    pub const SHADOW: u8 = 32;
    pub const TABLE: u8 = 64;
    // Right behind the table: until then WinRE is not found, or not known to Windows.
    pub const BOOT_STORE: u8 = 120;
    pub const REAGENT: u8 = 124;
    pub const RECOVERY: u8 = 128;
    pub const REAGENT_COPY: u8 = 224;
    pub const UPDATE_FOLDERS: u8 = 240;
    pub const UPDATE_SERVICES: u8 = 248;
}

/// A disk behind copying, with changes over it.
pub type StagedDisk<'d> = Overlay<Moved<&'d dyn ReadAt>>;

/// A staged result.
pub struct Staged<'d> {
    /// The disk as it would be.
    pub overlay: StagedDisk<'d>,
    /// What a commit makes of it.
    pub transaction: Transaction,
}

/// Why staging ended.
#[derive(Debug)]
pub enum StageError {
    /// The disk does not allow it.
    Refused(Refusal),
    /// It cannot be done at all.
    Failed(RepairError),
}

impl<E: Into<RepairError>> From<E> for StageError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A volume on the overlay.
type StagedVolume<'s> = Volume<ReadWindow<&'s StagedDisk<'s>>>;

struct Stager<'d, 'o> {
    overlay: StagedDisk<'d>,
    observation: &'o Observation,
    table: TableEditor,
    shrinks: Vec<DonorShrink>,
    created: Vec<Created>,
    moves: Vec<Move>,
    /// What was written, in this order.
    writes: Vec<StagedWrite>,
}

/// Stages a plan. The disk is only read.
///
/// # Errors
/// [`StageError`].
pub fn stage<'d>(
    disk: &'d dyn ReadAt,
    observation: &Observation,
    plan: &Plan,
) -> Result<Staged<'d>, StageError> {
    let changeable = observation.table.changeable.as_ref().map_err(|e| {
        StageError::Refused(Refusal::Table {
            problem: Text::quoted(e),
        })
    })?;
    let shrinks = shrinks(disk, observation, plan)?;
    let mut moves = moves(observation, &shrinks);
    moves.extend(moving::moves(disk, observation, plan)?);
    let created = creating::created(disk, observation, plan)?;
    moves.extend(created.iter().flat_map(|volume| volume.moves.clone()));
    let overlay = Overlay::new(Moved::new(disk, &moves), observation.sector_size);
    let mut stager = Stager {
        overlay,
        observation,
        table: TableEditor::new(changeable),
        shrinks,
        created,
        moves,
        writes: Vec::new(),
    };
    stager.edit_table(plan)?;
    let clearing = stager.table.clearing(changeable).map_err(RepairError::from)?;
    stager.write_table(clearing, phase::CLEARING)?;
    for step in &plan.steps {
        stager.step(step)?;
    }
    if plan.changes_table() {
        stager.write_table(stager.table.writes(), phase::TABLE)?;
    }
    // What knows of the layout comes last: the volumes that hold it are in their new shape by now.
    if let Some(recovery) = plan.recovery_partition {
        for step in &plan.steps {
            stager.tell(step, recovery)?;
        }
    }
    stager.reset_update(plan)?;
    stager.finish()
}

impl<'d> Stager<'d, '_> {
    fn old_range(&self, number: u32) -> Result<ByteRange, StageError> {
        let partition = self
            .observation
            .partition(number)
            .ok_or(RepairError::NoSuchPartition { number })?;
        Ok(partition.range)
    }

    fn step(&mut self, step: &Step) -> Result<(), StageError> {
        match *step {
            Step::DropShadowCopies(Dropped { partition, .. }) => self.drop_shadow_copies(partition),
            Step::ShrinkEnd { partition, .. } => {
                let old = self.old_range(partition)?;
                let shrinks = std::mem::take(&mut self.shrinks);
                let done = shrinks
                    .iter()
                    .filter(|donor| donor.partition == partition)
                    .try_for_each(|donor| self.apply(old, &donor.shrink.edits, phase::DONOR));
                self.shrinks = shrinks;
                done
            }
            Step::GrowFront { partition, by_bytes } => self.grow_front(partition, by_bytes),
            Step::GrowEnd { partition, sectors } => {
                let old = self.old_range(partition)?;
                let new = ByteRange::new(
                    old.start,
                    old.start + sectors * self.observation.sector_size.bytes(),
                );
                let edits = grow_end(
                    ReadWindow::new(&self.overlay, new)?,
                    volume_sectors(self.observation, partition, sectors),
                )
                .map_err(|source| resize_error(partition, source))?;
                self.apply(new, &edits, phase::RECOVERY)
            }
            Step::MoveVolume { partition, after, .. } => self.move_volume(partition, after),
            Step::CreatePartition { partition, .. } => self.create_volume(partition),
            Step::SetPartition { .. }
            | Step::RemovePartition { .. }
            | Step::MendTable { .. }
            | Step::PatchBootStore { .. }
            | Step::RenameFolder { .. }
            | Step::SetServiceStart { .. }
            | Step::PatchReAgent { .. } => Ok(()),
        }
    }

    /// The table as it is to be. What goes, moves away or gets smaller comes first, since it gives the others room.
    fn edit_table(&mut self, plan: &Plan) -> Result<(), StageError> {
        for step in &plan.steps {
            if let Step::RemovePartition { partition, .. } = *step {
                self.table.remove(partition).map_err(RepairError::from)?;
            }
        }
        let mut changes: Vec<_> = plan
            .steps
            .iter()
            .filter_map(|step| match *step {
                Step::SetPartition {
                    partition,
                    before,
                    after,
                } => {
                    let takes_room = before.count() < after.count() && !plan.moves_volume(partition);
                    Some((takes_room, partition, after))
                }
                _ => None,
            })
            .collect();
        changes.sort_by_key(|&(takes_room, ..)| takes_room);
        for (_, partition, after) in changes {
            let range = LbaRange::new(Lba(after.start), Lba(after.end));
            self.table
                .set_range(partition, range)
                .map_err(RepairError::from)?;
        }
        for step in &plan.steps {
            if let Step::CreatePartition { partition, at, .. } = *step {
                self.add_partition(partition, at)?;
            }
        }
        Ok(())
    }

    /// Writes down where the recovery partition begins, if the step is to do that.
    fn tell(&mut self, step: &Step, recovery: u32) -> Result<(), StageError> {
        match *step {
            Step::PatchBootStore {
                partition,
                path,
                from_offset,
                to_offset,
                ..
            } => self.patch_boot_store(
                recovery,
                &Repoint {
                    partition,
                    path,
                    from_offset,
                    to_offset,
                },
            ),
            Step::PatchReAgent {
                partition,
                from_offset,
                to_offset,
            } => self.patch_reagents([partition, recovery], from_offset, to_offset),
            _ => Ok(()),
        }
    }

    fn drop_shadow_copies(&mut self, number: u32) -> Result<(), StageError> {
        let range = self.old_range(number)?;
        let volume = Volume::open(ReadWindow::new(&self.overlay, range)?)
            .map_err(|source| ntfs_error(number, source))?;
        let edits = disable(&volume).map_err(|error| match error {
            VssError::Damaged(damage) => {
                let found = ShadowCopies::Damaged(damage);
                StageError::Refused(Refusal::ShadowCopies { number, found })
            }
            VssError::Disk(error) => ntfs_error(number, error.into()),
        })?;
        drop(volume);
        self.apply(range, &edits, 0)
    }

    fn grow_front(&mut self, partition: u32, by_bytes: u64) -> Result<(), StageError> {
        let old = self.old_range(partition)?;
        let cluster = self
            .observation
            .partition(partition)
            .and_then(|p| p.ntfs())
            .map(|n| n.geometry.cluster_size);
        let cluster = u64::from(cluster.unwrap_or(4096));
        let start = old.start - by_bytes.min(old.start);
        if !by_bytes.is_multiple_of(cluster) {
            let cluster_size = cluster as u32;
            let source = ResizeError::NotWholeClusters {
                bytes: by_bytes,
                cluster_size,
            };
            return Err(resize_error(partition, source));
        }
        let hidden_sectors = self.hidden_sectors(partition, start)?;
        let growth = FrontGrowth {
            clusters: by_bytes / cluster,
            hidden_sectors,
        };
        let edits = grow_front(ReadWindow::new(&self.overlay, old)?, growth)
            .map_err(|source| resize_error(partition, source))?;
        let new = ByteRange::new(start, old.end);
        for edit in &edits.0 {
            let phase = if edit.step == 0 {
                phase::SHADOW
            } else {
                phase::RECOVERY
            };
            self.write(new, edit.offset, &edit.bytes, phase)?;
        }
        Ok(())
    }

    fn apply(&mut self, volume: ByteRange, edits: &Edits, first_phase: u8) -> Result<(), StageError> {
        edits
            .0
            .iter()
            .try_for_each(|edit| self.write(volume, edit.offset, &edit.bytes, first_phase + edit.step))
    }

    fn write(&mut self, volume: ByteRange, offset: u64, bytes: &[u8], phase: u8) -> Result<(), StageError> {
        Window::new(&mut self.overlay, volume)?.write_at(offset, bytes)?;
        self.writes.push(StagedWrite {
            phase,
            offset: volume.start + offset,
            bytes: bytes.to_vec(),
        });
        Ok(())
    }

    fn write_table(&mut self, groups: Vec<Vec<TableWrite>>, first_phase: u8) -> Result<(), StageError> {
        let whole = ByteRange::new(0, self.overlay.size());
        let size = self.observation.sector_size.bytes();
        for (phase, writes) in (first_phase..).zip(groups) {
            for TableWrite { lba, bytes } in writes {
                self.write(whole, lba.0 * size, &bytes, phase)?;
            }
        }
        Ok(())
    }

    /// The volume of a partition as staged so far.
    fn volume(&self, partition: u32) -> Result<(StagedVolume<'_>, ByteRange), StageError> {
        let range = self
            .table
            .range_of(partition)
            .ok_or(RepairError::NoSuchPartition { number: partition })?;
        let range = range.bytes(self.observation.sector_size);
        let volume = Volume::open(ReadWindow::new(&self.overlay, range)?);
        Ok((volume.map_err(|source| ntfs_error(partition, source))?, range))
    }

    /// The staged disk, and the way to it.
    fn finish(self) -> Result<Staged<'d>, StageError> {
        let extents = phases::extents(&self.overlay, self.writes, self.observation.sector_size)?;
        let extents = extents.map_err(|offset| {
            StageError::Refused(Refusal::StagedCheckFailed {
                what: text!("the phases lead to the result"),
                detail: text!("byte {offset} of the disk comes out differently", offset),
            })
        })?;
        Ok(Staged {
            overlay: self.overlay,
            transaction: Transaction {
                extents,
                moves: self.moves,
            },
        })
    }
}

/// Damage that only staging meets is a reason not to begin, like any other damage.
fn ntfs_error(partition: u32, source: NtfsError) -> StageError {
    let (number, problem) = (partition, Text::quoted(&source));
    match source {
        NtfsError::Disk(DiskError::Io { .. }) => StageError::Failed(RepairError::Ntfs { partition, source }),
        NtfsError::RecordFull { .. } => StageError::Refused(Refusal::CannotRebase { number, problem }),
        _ => StageError::Refused(Refusal::DamagedNtfs { number, problem }),
    }
}

pub(crate) fn resize_error(partition: u32, source: ResizeError) -> StageError {
    match source {
        ResizeError::Ntfs(source) => ntfs_error(partition, source),
        ResizeError::SystemFileInPieces { .. } | ResizeError::NoRoom { .. } => {
            StageError::Refused(Refusal::CannotRebase {
                number: partition,
                problem: Text::quoted(source),
            })
        }
        source => StageError::Failed(RepairError::Resize { partition, source }),
    }
}
