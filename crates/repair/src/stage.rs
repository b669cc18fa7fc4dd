//! Building the result on an overlay, and turning it into the extents of a commit.
//!
//! Every write has a phase; a lower one is durable before a higher one begins. The order is such that the disk is one
//! that Windows can start from after each phase, and, but for the moments in which a single structure is being
//! written, within them:
//!
//! | phase | what | the disk then |
//! |---|---|---|
//! | 0 | the donor's structures in space that is free before and after; "no shadow copies" | as before, perhaps without shadow copies |
//! | 0..5 | the steps that shrink the donor: its tail is emptied, its end cut | a donor smaller than its partition |
//! | 6 | the recovery volume's new structures, in what the donor gave up or was unallocated | the same |
//! | 7, 8 | backup, then primary partition table | the new layout: both volumes are ready for it |
//! | 9.. | backup boot sector and copies of sizes of the recovery volume; growth of its end | the same |
//! | 14 | ReAgent.xml | the new layout, known to Windows |

use crate::error::RepairError;
use crate::observation::Observation;
use crate::observe::REAGENT_XML;
use crate::phases::{self, StagedWrite};
use crate::plan::{Dropped, Plan, Step};
use crate::refusal::Refusal;
use crate::shrink::{DonorShrink, moves, shrinks, volume_sectors};
use winrefit_disk::journal::Transaction;
use winrefit_disk::{ByteRange, Device, DiskError, Lba, Move, Moved, Overlay, ReadAt, ReadWindow, Window};
use winrefit_formats::{Gpt, LbaRange, ReAgent, set_winre_offset};
use winrefit_ntfs::edit::{Edits, replace_content};
use winrefit_ntfs::resize::{FrontGrowth, ResizeError, grow_end, grow_front};
use winrefit_ntfs::vss::{ShadowCopies, VssError, disable};
use winrefit_ntfs::{AttributeType, NtfsError, Volume};

const PHASE_DONOR: u8 = 0;
const PHASE_SHADOW: u8 = 6;
const PHASE_TABLE_BACKUP: u8 = 7;
const PHASE_TABLE_PRIMARY: u8 = 8;
const PHASE_RECOVERY: u8 = 9;
const PHASE_REAGENT: u8 = 14;

/// Copy of ReAgent.xml beside the image.
const REAGENT_COPY: &str = r"\Recovery\WindowsRE\ReAgent.xml";
const REAGENT_BYTES_MAX: u64 = 1 << 20;

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
    gpt: Gpt,
    shrinks: Vec<DonorShrink>,
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
    let gpt = observation.gpt.clone().map_err(|e| {
        StageError::Refused(Refusal::Table {
            problem: e.to_string(),
        })
    })?;
    let shrinks = shrinks(disk, observation, plan)?;
    let moves = moves(observation, &shrinks);
    let overlay = Overlay::new(Moved::new(disk, &moves), observation.sector_size);
    let mut stager = Stager {
        overlay,
        observation,
        gpt,
        shrinks,
        moves,
        writes: Vec::new(),
    };
    for step in &plan.steps {
        stager.step(step)?;
    }
    stager.write_table()?;
    // ReAgent.xml last: the volumes that hold it are in their new shape by now.
    for step in &plan.steps {
        if let Step::PatchReAgent {
            partition,
            from_offset,
            to_offset,
        } = *step
        {
            stager.patch_reagent(Patch {
                partition,
                path: REAGENT_XML,
                from_offset,
                to_offset,
            })?;
            let partition = plan.recovery_partition;
            stager.patch_copy(Patch {
                partition,
                path: REAGENT_COPY,
                from_offset,
                to_offset,
            })?;
        }
    }
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
                    .try_for_each(|donor| self.apply(old, &donor.shrink.edits, PHASE_DONOR));
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
                self.apply(new, &edits, PHASE_RECOVERY)
            }
            Step::SetPartition { partition, after, .. } => {
                self.gpt
                    .set_range(partition, LbaRange::new(Lba(after.start), Lba(after.end)))?;
                Ok(())
            }
            Step::PatchReAgent { .. } => Ok(()),
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
        let hidden_sectors = start / self.observation.sector_size.bytes();
        let growth = FrontGrowth {
            clusters: by_bytes / cluster,
            hidden_sectors,
        };
        let edits = grow_front(ReadWindow::new(&self.overlay, old)?, growth)
            .map_err(|source| resize_error(partition, source))?;
        let new = ByteRange::new(start, old.end);
        for edit in &edits.0 {
            let phase = if edit.step == 0 {
                PHASE_SHADOW
            } else {
                PHASE_RECOVERY
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

    fn write_table(&mut self) -> Result<(), StageError> {
        let encoded = self.gpt.encode();
        let whole = ByteRange::new(0, self.overlay.size());
        let size = self.observation.sector_size.bytes();
        for (part, phase) in [
            (&encoded.backup_entries, PHASE_TABLE_BACKUP),
            (&encoded.backup_header, PHASE_TABLE_BACKUP),
            (&encoded.primary_entries, PHASE_TABLE_PRIMARY),
            (&encoded.primary_header, PHASE_TABLE_PRIMARY),
        ] {
            self.write(whole, part.lba.0 * size, &part.bytes, phase)?;
        }
        Ok(())
    }

    /// Changes the offset in Windows' own ReAgent.xml.
    fn patch_reagent(&mut self, step: Patch) -> Result<(), StageError> {
        let Patch { partition, path, .. } = step;
        let (volume, range) = self.volume(partition)?;
        let bytes = read_small(&volume, path).map_err(|source| ntfs_error(partition, source))?;
        let Some(bytes) = bytes else { return Ok(()) };
        let mut new = set_winre_offset(&bytes, step.to_offset)
            .map_err(|source| RepairError::ReAgent { partition, source })?;
        // A number with fewer digits; spaces at the end keep the length, which the directory knows, too.
        new.resize(new.len().max(bytes.len()), b' ');
        let edits =
            replace_content(&volume, path, &new).map_err(|source| RepairError::Edit { partition, source })?;
        drop(volume);
        self.apply(range, &edits, PHASE_REAGENT)
    }

    /// The same for the copy beside the image, where it is readable and names the old place. It serves people only.
    fn patch_copy(&mut self, step: Patch) -> Result<(), StageError> {
        let (volume, _) = self.volume(step.partition)?;
        let bytes = read_small(&volume, step.path).ok().flatten().unwrap_or_default();
        drop(volume);
        let location = ReAgent::parse(&bytes)
            .ok()
            .and_then(|reagent| reagent.winre_location);
        let disk = self.gpt.disk_guid();
        if location.is_some_and(|l| l.offset == step.from_offset && l.guid == disk) {
            self.patch_reagent(step)?;
        }
        Ok(())
    }

    /// The volume of a partition as staged so far.
    fn volume(&self, partition: u32) -> Result<(StagedVolume<'_>, ByteRange), StageError> {
        let entry = self
            .gpt
            .partition(partition)
            .ok_or(RepairError::NoSuchPartition { number: partition })?;
        let range = entry.range.bytes(self.observation.sector_size);
        let volume = Volume::open(ReadWindow::new(&self.overlay, range)?);
        Ok((volume.map_err(|source| ntfs_error(partition, source))?, range))
    }

    /// The staged disk, and the way to it.
    fn finish(self) -> Result<Staged<'d>, StageError> {
        let extents = phases::extents(&self.overlay, self.writes, self.observation.sector_size)?;
        let extents = extents.map_err(|offset| {
            StageError::Refused(Refusal::StagedCheckFailed {
                what: "the phases lead to the result".to_owned(),
                detail: format!("byte {offset} of the disk comes out differently"),
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

/// A change of the offset in one ReAgent.xml.
#[derive(Debug, Clone, Copy)]
struct Patch {
    partition: u32,
    path: &'static str,
    from_offset: u64,
    to_offset: u64,
}

fn read_small<R: ReadAt>(volume: &Volume<R>, path: &str) -> Result<Option<Vec<u8>>, NtfsError> {
    let Some(file) = volume.lookup(path)? else {
        return Ok(None);
    };
    let stream = file.require(AttributeType::DATA, "")?;
    volume.read_stream(stream, REAGENT_BYTES_MAX).map(Some)
}

/// Damage that only staging meets is a reason not to begin, like any other damage.
fn ntfs_error(partition: u32, source: NtfsError) -> StageError {
    let (number, problem) = (partition, source.to_string());
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
                problem: source.to_string(),
            })
        }
        source => StageError::Failed(RepairError::Resize { partition, source }),
    }
}
