//! What the second part of a repair overwrites of the first part's originals.
//!
//! The first part copies what lies in the donor's tail, and leaves the originals, which its undo goes back to. They are
//! in unallocated space then, where the second part puts the recovery volume. So after an undo of the second part they
//! are made anew from their copies, which are what the donor has used since: a digest in the first part's journal says
//! whether they are still what they were.

use super::parts::digest_in;
use super::result::{Way, staged};
use crate::error::RepairError;
use crate::observation::Observation;
use crate::plan::{Plan, Step};
use crate::table::{TableReading, read_table};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use winrefit_disk::journal::{self, Found, Transaction};
use winrefit_disk::{ByteRange, Device, DiskError, Move, Moved, Overlay, ReadAt, SectorSize, moves};

/// Length of a digest.
pub(super) const DIGEST_BYTES: usize = 32;
const CHUNK_BYTES: u64 = 1 << 20;

/// A disk as it will be before the first part is undone.
pub(super) type Restored<'d> = Overlay<Moved<&'d dyn ReadAt>>;

/// Originals that have to be made anew: from the copies, but for some sectors.
#[derive(Debug, Default)]
pub(super) struct Originals {
    moves: Vec<Move>,
    sectors: BTreeMap<u64, Vec<u8>>,
}

/// The digest of all that lies in the donors' tails before the first part: what it moves, and the backup boot sectors.
pub(super) fn digest(
    disk: &dyn ReadAt,
    (observation, plan): (&Observation, &Plan),
    transaction: &Transaction,
) -> Result<[u8; DIGEST_BYTES], DiskError> {
    let donors = plan.steps.iter().filter_map(|step| match step {
        Step::ShrinkEnd { partition, .. } => Some(observation.partition(*partition)?.range),
        _ => None,
    });
    let mut all = transaction.moves.clone();
    for donor in donors {
        all.extend(backup_boot(disk, donor)?);
    }
    hash(disk, all.iter().map(|m| (m.from, m.length)))
}

fn hash(
    disk: &dyn ReadAt,
    ranges: impl Iterator<Item = (u64, u64)>,
) -> Result<[u8; DIGEST_BYTES], DiskError> {
    let mut hasher = Sha256::new();
    for (offset, length) in ranges {
        let mut at = 0;
        while at < length {
            let count = CHUNK_BYTES.min(length - at);
            hasher.update(disk.read_vec(offset + at, count as usize)?);
            at += count;
        }
    }
    Ok(hasher.finalize().into())
}

/// The backup boot sector of an NTFS volume as a copy of its boot sector, which it is.
fn backup_boot(disk: &dyn ReadAt, partition: ByteRange) -> Result<Option<Move>, DiskError> {
    let boot = disk.read_vec(partition.start, 512)?;
    let sector = u64::from(u16::from_le_bytes([boot[0x0b], boot[0x0c]]));
    let mut total = [0; 8];
    total.copy_from_slice(&boot[0x28..0x30]);
    let from = u64::from_le_bytes(total)
        .checked_mul(sector)
        .and_then(|length| length.checked_add(partition.start));
    let is_inside = |from: &u64| from.checked_add(sector).is_some_and(|end| end <= partition.end);
    let is_ntfs = boot[3..11] == *b"NTFS    " && [512, 4096].contains(&sector);
    Ok(from.filter(is_inside).filter(|_| is_ntfs).map(|from| Move {
        to: partition.start,
        from,
        length: sector,
    }))
}

/// A disk as it was before the transaction of a journal. What the transaction moved is where it is now.
///
/// # Errors
/// Those of [`journal::load`].
fn before<'d>(disk: &'d dyn ReadAt, found: &Found) -> Result<Overlay<&'d dyn ReadAt>, RepairError> {
    Ok(staged(disk, &found.header, Way::Back)?.disk)
}

impl Originals {
    /// The originals of `first` that are not what it left, and lie in unallocated space of `disk`, where nobody else
    /// can miss what is there now. None, if their copies are not what they were either.
    pub(super) fn of(
        disk: &dyn ReadAt,
        observation: &Observation,
        first: &Found,
    ) -> Result<Self, RepairError> {
        let transaction = journal::load(disk, &first.header)?;
        let old = before(disk, first)?;
        let mut all = transaction.moves.clone();
        all.extend(backup_boots(&old, observation)?);
        let mut originals = Self::default();
        for m in all.iter().flat_map(|m| unallocated(*m, observation)) {
            let mut own = Self::default();
            own.add(m, (&old, &transaction), observation.sector_size)?;
            if !is_same(disk, &own.view(disk, observation.sector_size)?, m)? {
                originals.moves.append(&mut own.moves);
                originals.sectors.append(&mut own.sectors);
            }
        }
        if originals.moves.is_empty()
            || hash(&old, all.iter().map(|m| (m.to, m.length)))? != digest_in(&first.header)
        {
            return Ok(Self::default());
        }
        Ok(originals)
    }

    /// What is an image in the journal is taken from there: of a copy the one from before the first part, of an original
    /// the one that it left, whatever the second part has put there since.
    fn add(
        &mut self,
        m: Move,
        (old, transaction): (&dyn ReadAt, &Transaction),
        size: SectorSize,
    ) -> Result<(), DiskError> {
        let size = size.bytes();
        self.moves.push(Move {
            to: m.from,
            from: m.to,
            length: m.length,
        });
        let shared = |extent: &journal::Extent, start: u64| {
            let from = extent.offset.max(start);
            let end = (extent.offset + extent.after.len() as u64).min(start + m.length);
            (from..end).step_by(size as usize)
        };
        for extent in &transaction.extents {
            for at in shared(extent, m.to) {
                let sector = old.read_vec(at, size as usize)?;
                self.sectors.insert(at - m.to + m.from, sector);
            }
        }
        // In order of their phases: what the last one left is what an undo begins with.
        let mut extents: Vec<&journal::Extent> = transaction.extents.iter().collect();
        extents.sort_by_key(|extent| extent.phase);
        for extent in extents {
            for at in shared(extent, m.from) {
                let sector = extent.after.read_vec(at - extent.offset, size as usize)?;
                self.sectors.insert(at, sector);
            }
        }
        Ok(())
    }

    /// The disk as it will be once they are there.
    pub(super) fn view<'d>(&self, disk: &'d dyn ReadAt, size: SectorSize) -> Result<Restored<'d>, DiskError> {
        let mut view = Overlay::new(Moved::new(disk, &self.moves), size);
        self.sectors
            .iter()
            .try_for_each(|(offset, sector)| view.write_at(*offset, sector))?;
        Ok(view)
    }

    /// Makes them anew. Nothing that is in use is written, so a cut does no harm.
    pub(super) fn restore<D: Device>(
        &self,
        device: &mut D,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), DiskError> {
        if self.moves.is_empty() {
            return Ok(());
        }
        let total = self.moves.iter().map(|m| m.length).sum();
        moves::copy(device, &self.moves, &mut |done| {
            progress(done, total);
            true
        })?;
        for (offset, sector) in &self.sectors {
            device.write_at(*offset, sector)?;
        }
        device.flush()
    }
}

/// The backup boot sectors of the volumes that were longer on the old disk.
fn backup_boots(old: &dyn ReadAt, now: &Observation) -> Result<Vec<Move>, RepairError> {
    let TableReading { table, sector_size } = read_table(old, Some(now.sector_size))?;
    let mut all = Vec::new();
    for entry in table.entries() {
        let was = entry.range.bytes(sector_size);
        let is_shorter =
            |p: &crate::observation::Partition| p.range.start == was.start && p.range.end < was.end;
        if now.partition(entry.number).is_some_and(is_shorter) {
            all.extend(backup_boot(old, was)?);
        }
    }
    Ok(all)
}

/// The parts of a move of which the original lies in no partition.
fn unallocated(m: Move, observation: &Observation) -> Vec<Move> {
    let mut taken: Vec<ByteRange> = observation.partitions.iter().map(|p| p.range).collect();
    let end = m.from + m.length;
    taken.push(ByteRange::new(end, end));
    taken.sort_by_key(|range| range.start);
    let (mut parts, mut at) = (Vec::new(), m.from);
    for range in taken {
        let until = range.start.min(end);
        if at < until {
            parts.push(Move {
                to: m.to + (at - m.from),
                from: at,
                length: until - at,
            });
        }
        at = at.max(range.end);
    }
    parts
}

/// Whether two disks have the same original of a move.
fn is_same(disk: &dyn ReadAt, other: &dyn ReadAt, m: Move) -> Result<bool, DiskError> {
    let mut at = 0;
    while at < m.length {
        let count = CHUNK_BYTES.min(m.length - at) as usize;
        if disk.read_vec(m.from + at, count)? != other.read_vec(m.from + at, count)? {
            return Ok(false);
        }
        at += count as u64;
    }
    Ok(true)
}
