//! What lies around a recovery partition, and where its borders can go.

use super::{Request, Sectors};
use crate::observation::{Observation, Partition};
use crate::refusal::{NoDonor, Refusal};
use crate::rules::SIZE_BYTES_MAX;

/// Partition edges are multiples of this, as Windows' own tools keep them.
pub(super) const ALIGNMENT_BYTES: u64 = 1 << 20;

/// The sectors of a partition.
pub(super) fn sectors_of(partition: &Partition) -> Sectors {
    Sectors {
        start: partition.start_lba,
        end: partition.start_lba + partition.sectors,
    }
}

/// What lies around the recovery partition, in bytes of the disk.
pub(super) struct Neighbourhood<'o> {
    /// The partition right before it or before the gap there; or why there is none.
    pub left: Result<&'o Partition, NoDonor>,
    /// First byte of the unallocated space before it (its own start, if there is none).
    pub gap_start: u64,
    /// First byte that is not unallocated behind it.
    gap_end: u64,
    /// Bytes before its start that move with it: those of a logical partition's EBR.
    pub head: u64,
    start: u64,
    end: u64,
    cluster: u64,
}

impl<'o> Neighbourhood<'o> {
    /// `request` may give up other partitions, whose place is then free.
    pub fn of(observation: &'o Observation, recovery: &Partition, request: &Request) -> Option<Self> {
        let sector = observation.sector_size.bytes();
        let around = observation
            .table
            .surroundings(recovery.number, request.remove_stale)?;
        let (start, end) = (recovery.range.start, recovery.range.end);
        let stays = |p: &&Partition| Some(p.number) != request.remove_stale;
        let before = observation.partitions.iter().filter(stays);
        let gap_start = around.free.start.0.saturating_mul(sector);
        let left = before
            .filter(|p| p.range.end <= start && p.ebr.is_some() == recovery.ebr.is_some())
            .max_by_key(|p| p.range.end);
        Some(Self {
            // Between one that ends earlier and the gap lies something else.
            left: left
                .filter(|left| left.range.end >= gap_start)
                .ok_or_else(|| nothing_before(observation, recovery, gap_start)),
            gap_start,
            gap_end: around.free.end.0.saturating_mul(sector),
            head: around.head_sectors.saturating_mul(sector),
            start,
            end,
            cluster: recovery
                .ntfs()
                .map_or(4096, |ntfs| ntfs.geometry.cluster_size.into()),
        })
    }

    /// The new end, if the space behind suffices.
    pub fn end_growth(&self, wanted: u64, size_bytes: u64) -> Option<u64> {
        let end = (self.end + wanted)
            .next_multiple_of(ALIGNMENT_BYTES)
            .min(self.start + SIZE_BYTES_MAX);
        (end <= self.gap_end && end - self.start >= size_bytes + wanted).then_some(end)
    }

    /// The new start: at least `wanted` bytes earlier, on a 1 MiB boundary where the volume's clusters allow it.
    pub fn aligned_start(&self, wanted: u64, size_bytes: u64) -> Result<u64, Refusal> {
        let wanted_bytes = size_bytes + wanted;
        let too_large = Refusal::TargetTooLarge { wanted_bytes };
        // Where so much does not lie before it, whoever gives space refuses.
        let latest = self.start.saturating_sub(wanted);
        let aligned = latest / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
        let start = if (self.start - aligned).is_multiple_of(self.cluster) {
            aligned
        } else {
            self.start
                .saturating_sub((self.start - latest).next_multiple_of(self.cluster))
        };
        // Alignment may add less than 1 MiB; the cap is for what was asked.
        if self.end - start > SIZE_BYTES_MAX + ALIGNMENT_BYTES {
            Err(too_large)
        } else {
            Ok(start)
        }
    }

    /// Whether a volume that begins at `start` lies in unallocated space, with what moves along.
    pub fn is_free_from(&self, start: u64) -> bool {
        start.saturating_sub(self.head) >= self.gap_start
    }
}

/// Why no volume lies right before the gap.
fn nothing_before(observation: &Observation, recovery: &Partition, gap_start: u64) -> NoDonor {
    if recovery.ebr.is_some() {
        let behind = observation
            .partitions
            .iter()
            .filter(|p| p.ebr.is_some() && p.range.start >= recovery.range.end)
            .min_by_key(|p| p.range.start);
        let behind = behind.map(|p| p.number);
        return NoDonor::FirstLogical { behind };
    }
    match observation.table.extended() {
        Some((number, range)) if observation.table.bytes(range).end == gap_start => {
            NoDonor::Extended { number }
        }
        _ => NoDonor::FirstOnDisk,
    }
}
