//! Where the journal may lie: docs/adr/0002-journal.md. The gaps follow from fields of the partition table that no repair
//! changes, so every later command finds a header again, whichever copy of the table it can read.

use crate::observation::Observation;
use crate::plan::{Plan, Step};
use crate::refusal::Refusal;
use crate::table::Table;
use crate::text;
use crate::text::Text;
use winrefit_disk::journal::{self, Found, JournalError, Transaction};
use winrefit_disk::{ByteRange, Device, JournalPlace, Lba, ReadAt, ReadWindow, SectorSize};
use winrefit_formats::LbaRange;
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::{Lcn, Volume};

/// The gap at the end begins this far before the end of the usable range. A disk whose last partition ends on a
/// 1 MiB boundary leaves more than this free there.
const END_GAP_BYTES: u64 = 960 << 10;
/// The second journal of a repair in two commits may begin so far before the end, behind a short first one: where a boot
/// loader takes the gap at the start, there is no other place.
const LAST_GAP_BYTES: u64 = 448 << 10;
/// Longest gap at the start. Windows leaves 1 MiB before its first partition.
const START_GAP_BYTES_MAX: u64 = 64 << 20;

/// The gaps that a journal's header may begin, whatever partitions there are now.
fn gaps(usable: LbaRange, sector_size: SectorSize) -> [ByteRange; 3] {
    let range = usable.bytes(sector_size);
    let start = ByteRange::new(
        range.start,
        range.start.saturating_add(START_GAP_BYTES_MAX).min(range.end),
    );
    let end = |bytes| ByteRange::new(range.end.saturating_sub(bytes).max(range.start), range.end);
    [start, end(END_GAP_BYTES), end(LAST_GAP_BYTES)]
}

/// Where a place ends at the latest that a second commit fills: behind it is the gap at the end, which that one has its
/// journal in, while the first one's lies at the start.
pub(crate) fn end_before_journal(table: &Table, sector_size: SectorSize) -> Lba {
    let kept = END_GAP_BYTES / sector_size.bytes();
    Lba(table.usable.end.0.saturating_sub(kept))
}

/// The journal of a disk.
///
/// # Errors
/// Those of [`journal::find()`].
pub fn find_journal(
    disk: &dyn ReadAt,
    table: &Table,
    sector_size: SectorSize,
) -> Result<Option<Found>, JournalError> {
    let (headers, within) = headers(table, sector_size);
    journal::find(disk, sector_size, &headers, within)
}

/// The journal at another place than `header`, if there is one there.
///
/// # Errors
/// Those of [`journal::find()`].
pub(crate) fn journal_at_other_place(
    disk: &dyn ReadAt,
    table: &Table,
    sector_size: SectorSize,
    header: u64,
) -> Result<Option<Found>, JournalError> {
    let (mut headers, within) = headers(table, sector_size);
    headers.retain(|&other| other != header);
    journal::find(disk, sector_size, &headers, within)
}

/// Where headers may be, and what a journal may occupy.
fn headers(table: &Table, sector_size: SectorSize) -> (Vec<u64>, ByteRange) {
    let ranges = table.journal_ranges().iter();
    let headers = ranges.clone().flat_map(|&range| gaps(range, sector_size));
    let headers = headers.map(|gap| gap.start).collect();
    let start = ranges.clone().map(|range| range.start).min();
    let end = ranges.map(|range| range.end).max();
    let within = LbaRange::new(start.unwrap_or_default(), end.unwrap_or_default());
    (headers, within.bytes(sector_size))
}

/// The gaps cut down to what none of `used` covers. A gap whose first sector is used is gone, and so is one that overlaps
/// an earlier one.
fn free_gaps(usable: LbaRange, sector_size: SectorSize, used: &[ByteRange]) -> Vec<ByteRange> {
    let mut free: Vec<ByteRange> = Vec::new();
    for gap in gaps(usable, sector_size) {
        let end = used
            .iter()
            .filter(|u| u.end > gap.start)
            .map(|u| u.start)
            .min()
            .unwrap_or(u64::MAX);
        let range = ByteRange::new(gap.start, gap.end.min(end));
        if range.len() >= sector_size.bytes() && free.iter().all(|other| !other.overlaps(&range)) {
            free.push(range);
        }
    }
    free
}

/// Where the journal of a plan goes: into a gap that is unallocated before and after the repair, and zero. If none is
/// long enough, only its header goes there, and the body into clusters that are free before and after: those of the
/// recovery volume first, since Windows rarely writes there, then those of other volumes that change. `staged` is the
/// disk as it would be; `avoid` the place of a journal that is still wanted, so that there is a way back behind it.
///
/// # Errors
/// [`Refusal::NoJournalSpace`].
pub(crate) fn journal_place<D: Device>(
    device: &D,
    staged: &dyn ReadAt,
    (observation, plan): (&Observation, &Plan),
    (transaction, needed_bytes): (&Transaction, u64),
    avoid: Option<JournalPlace>,
) -> Result<JournalPlace, Refusal> {
    let sector = observation.sector_size;
    let mut used = used(observation, plan);
    used.extend(avoid.map(|place| place.in_gap_range(sector)));
    let gaps = free_gaps(observation.table.usable, sector, &used);
    let mut problem = match avoid {
        None => text!("neither exists"),
        Some(_) => text!("the repair takes two steps, and there is only one such place"),
    };
    let mut fits = |place: &JournalPlace| match journal::check_place(device, *place, needed_bytes) {
        Ok(_) => true,
        Err(error) => {
            problem = Text::quoted(error);
            false
        }
    };
    let in_gap = gaps.iter().map(|gap| {
        let mut place = JournalPlace::in_gap(*gap, sector);
        place.body.end = gap.end.min(gap.start.saturating_add(needed_bytes));
        place
    });
    if let Some(place) = in_gap.into_iter().find(&mut fits) {
        return Ok(place);
    }
    let others = plan.steps.iter().filter_map(|step| match step {
        Step::ShrinkEnd { partition, .. }
        | Step::PatchReAgent { partition, .. }
        | Step::RenameFolder { partition, .. }
        | Step::SetServiceStart { partition, .. } => Some(*partition),
        Step::CreatePartition { windows, .. } => Some(*windows),
        _ => None,
    });
    for number in plan.recovery_partition.into_iter().chain(others) {
        let kept = avoid.map(|avoid| avoid.body);
        let Some(mut body) = free_run(device, staged, (observation, plan), number, (transaction, kept))
        else {
            continue;
        };
        let length = needed_bytes.saturating_sub(sector.bytes());
        body.end = body.end.min(body.start.saturating_add(length));
        let split = gaps.iter().map(|gap| JournalPlace {
            header: gap.start,
            body,
            free_end: gap.end,
        });
        if let Some(place) = split.into_iter().find(&mut fits) {
            return Ok(place);
        }
    }
    Err(Refusal::NoJournalSpace {
        needed_bytes,
        problem,
    })
}

/// What partitions and tables occupy before or after, and after the second commit, which has to keep the record of the
/// first.
fn used(observation: &Observation, plan: &Plan) -> Vec<ByteRange> {
    let sector = observation.sector_size;
    let mut used: Vec<ByteRange> = observation.partitions.iter().map(|p| p.range).collect();
    let own = observation.table.own_ranges();
    used.extend(own.into_iter().map(|range| range.bytes(sector)));
    for plan in std::iter::once(plan).chain(plan.then.as_deref()) {
        let numbers = observation.partitions.iter().map(|p| p.number);
        let numbers = numbers.chain(plan.recovery_partition);
        used.extend(numbers.filter_map(|number| range_after(observation, plan, number)));
    }
    used
}

/// Where a partition that the plan moves will be.
fn range_after(observation: &Observation, plan: &Plan, number: u32) -> Option<ByteRange> {
    let size = observation.sector_size.bytes();
    let after = plan.place_of(number)?;
    Some(ByteRange::new(after.start * size, after.end * size))
}

/// The longest run of clusters of a volume that are free both before and after. A volume that cannot be read has none.
fn free_run(
    disk: &dyn ReadAt,
    staged: &dyn ReadAt,
    (observation, plan): (&Observation, &Plan),
    number: u32,
    (transaction, kept): (&Transaction, Option<ByteRange>),
) -> Option<ByteRange> {
    if plan.moves_volume(number) {
        return None;
    }
    let before = observation.partition(number)?.range;
    let after = range_after(observation, plan, number).unwrap_or(before);
    let old = Volume::open(ReadWindow::new(disk, before).ok()?).ok()?;
    let new = Volume::open(ReadWindow::new(staged, after).ok()?).ok()?;
    let cluster = u64::from(new.geometry().cluster_size);
    // Cluster 0 of the old volume is this cluster of the new one.
    let shift = before.start.checked_sub(after.start)?;
    if u64::from(old.geometry().cluster_size) != cluster || !shift.is_multiple_of(cluster) {
        return None;
    }
    let (shift, clusters) = (shift / cluster, old.geometry().clusters());
    let mut used = ClusterBitmap::read(&old).ok()?;
    if shift > 0 {
        used = used.shifted(shift);
    }
    used = used.resized(new.geometry().clusters());
    // What is new to the volume is free in none before.
    used.set_range(Lcn(0), shift, true);
    used.set_range(Lcn(shift + clusters), u64::MAX, true);
    used.add_used(&ClusterBitmap::read(&new).ok()?);
    for written in written(transaction).chain(kept) {
        let from = written.start.saturating_sub(after.start) / cluster;
        let end = written.end.saturating_sub(after.start).div_ceil(cluster);
        used.set_range(Lcn(from), end.saturating_sub(from), true);
    }
    let (lcn, count) = used.longest_free()?;
    let start = after.start + lcn.0 * cluster;
    Some(ByteRange::new(start, start + count * cluster))
}

/// What a transaction writes or relies on, in free clusters too.
fn written(transaction: &Transaction) -> impl Iterator<Item = ByteRange> {
    let range = |offset: u64, length: u64| ByteRange::new(offset, offset + length);
    let extents = transaction.extents.iter();
    let moves = transaction.moves.iter();
    extents
        .map(move |extent| range(extent.offset, extent.after.len() as u64))
        .chain(moves.flat_map(move |m| [range(m.to, m.length), range(m.from, m.length)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usable() -> LbaRange {
        LbaRange::new(Lba(34), Lba((64 << 21) - 33))
    }

    #[test]
    fn a_disk_as_windows_lays_it_out_has_both_gaps() {
        let used = [
            ByteRange::new(1 << 20, 1000 << 20),
            ByteRange::new(1000 << 20, (64 << 30) - (1 << 20)),
        ];
        let free = free_gaps(usable(), SectorSize::B512, &used);
        assert_eq!(free[0], ByteRange::new(34 * 512, 1 << 20));
        assert_eq!(free[1].end, usable().end.0 * 512);
        assert_eq!(free[1].len(), END_GAP_BYTES);
        for (gap, free) in gaps(usable(), SectorSize::B512).iter().zip(&free) {
            assert_eq!(gap.start, free.start);
        }
    }

    #[test]
    fn a_gap_that_a_partition_begins_in_is_gone() {
        let used = [ByteRange::new(34 * 512, 64 << 30)];
        assert!(free_gaps(usable(), SectorSize::B512, &used).is_empty());
        let used = [ByteRange::new(40 * 512, 63 << 30)];
        let free = free_gaps(usable(), SectorSize::B512, &used);
        assert_eq!(free[0], ByteRange::new(34 * 512, 40 * 512));
        assert_eq!(free.len(), 2);
    }
}
