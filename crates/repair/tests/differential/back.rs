//! What an undo has to give back.

use crate::common::compare::{in_use, table};
use winrefit_disk::{Device, MemoryDevice, ReadAt};
use winrefit_repair::plan::{Plan, Step};

/// The first sector that an undo has left otherwise though nothing excuses it: clusters that were free may hold a journal's
/// body or copies (docs/formats/journal.md), and unallocated space may hold the copy of a volume.
pub fn first_excess(old: &MemoryDevice, new: &MemoryDevice, plan: &Plan) -> Option<u64> {
    assert_eq!(old.size(), new.size());
    let sector = old.sector_size().bytes();
    let used = in_use(old);
    let partitions: Vec<_> = table(old)
        .table
        .entries()
        .iter()
        .map(|entry| entry.range.bytes(old.sector_size()))
        .collect();
    let copies: Vec<_> = plan
        .commits()
        .flat_map(|commit| &commit.steps)
        .filter_map(|step| match *step {
            Step::MoveVolume { after, .. } => Some(after),
            Step::CreatePartition { at, .. } => Some(at),
            _ => None,
        })
        .collect();
    let is_excused = |at: u64| {
        let is_free = partitions
            .iter()
            .any(|range| (range.start..range.end).contains(&at))
            && !used.iter().any(|range| (range.start..range.end).contains(&at));
        let is_copy = copies
            .iter()
            .any(|copy| (copy.start..copy.end).contains(&(at / sector)));
        is_free || is_copy
    };
    let sectors = old.bytes().chunks(sector as usize);
    sectors
        .zip(new.bytes().chunks(sector as usize))
        .enumerate()
        .filter(|(_, (old, new))| old != new)
        .map(|(index, _)| index as u64 * sector)
        .find(|&at| !is_excused(at))
}
