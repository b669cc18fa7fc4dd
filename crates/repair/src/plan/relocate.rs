//! A new place for a recovery partition that cannot grow where it is.
//!
//! Where there is unallocated space for it, that takes one commit: the volume is copied there and the entry switched.
//! Otherwise a donor has to give the space first, in a commit of its own, because what lies in its tail has to be out
//! of the way before a copy may be put there.

use super::at_rest::{check_volume, start_can_be_told};
use super::neighbourhood::{ALIGNMENT_BYTES, sectors_of};
use super::planner::{end_growth, patch_reagent};
use super::{Plan, Request, Sectors, Step, Strategy, boot, donor, shadow_copies};
use crate::observation::{Observation, Partition};
use crate::places::end_before_journal;
use crate::refusal::Refusal;
use std::cmp::Reverse;
use winrefit_disk::Lba;
use winrefit_formats::LbaRange;

/// Moves `recovery` to where it can have `size_bytes`. `plan` has all that is known before.
///
/// # Errors
/// `refusal`, which says why it cannot grow where it is, if there is no other place; or what stands against the best
/// one.
pub(super) fn relocate(
    observation: &Observation,
    recovery: &Partition,
    (plan, size_bytes): (Plan, u64),
    request: &Request,
    refusal: Refusal,
) -> Result<Plan, Refusal> {
    start_can_be_told(observation, recovery.number)?;
    let change = shadow_copies::Change::NewStart;
    if shadow_copies::step(recovery, change, false).is_err() {
        // They would be copied with all their positions, which nobody has tried.
        return Err(refusal);
    }
    let sector = observation.sector_size.bytes();
    let room = Room {
        partition: Some(recovery),
        beside: windows_of(observation, recovery),
        sectors: size_bytes.next_multiple_of(ALIGNMENT_BYTES) / sector,
    };
    let place = place_for(observation, room, request);
    let (first, place) = place.map_err(|against| match (refusal, against) {
        (Refusal::NoDonor { .. } | Refusal::Refs { .. }, Some(against)) => against,
        (refusal, _) => refusal,
    })?;
    if first.is_empty() {
        return moved(observation, recovery, plan, place, request);
    }
    let shell = Plan {
        steps: Vec::new(),
        ..plan.clone()
    };
    let second = moved(observation, recovery, shell, place, request)?;
    Ok(Plan {
        strategy: Strategy::Relocate,
        growth_bytes: second.growth_bytes,
        steps: [plan.steps, first].concat(),
        then: Some(Box::new(second)),
        ..plan
    })
}

/// The Windows that uses a recovery partition; 0 where none is known.
fn windows_of(observation: &Observation, recovery: &Partition) -> u32 {
    let mut all = observation.windows.iter();
    all.find(|w| w.recovery_partition == Some(recovery.number))
        .map_or(0, |w| w.partition)
}

/// What a place is wanted for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room<'o> {
    /// The partition that is to move there; none for a new one.
    pub partition: Option<&'o Partition>,
    /// The partition that it had best be right behind.
    pub beside: u32,
    /// How many sectors.
    pub sectors: u64,
}

/// A place, and the steps that make it: none where it is unallocated already.
///
/// # Errors
/// There is no place; where it is not for lack of space, what stands against the best donor.
pub(super) fn place_for(
    observation: &Observation,
    room: Room<'_>,
    request: &Request,
) -> Result<(Vec<Step>, LbaRange), Option<Refusal>> {
    if room.partition.is_some_and(|p| p.ebr.is_some()) {
        // A logical partition stays in its place in the chain.
        return Err(None);
    }
    match unallocated(observation, room) {
        Some(place) => Ok((Vec::new(), place)),
        None => given(observation, room, request),
    }
}

/// Unallocated space that is large enough: right behind Windows, where its updates expect a recovery partition, or else
/// the smallest.
fn unallocated(observation: &Observation, room: Room<'_>) -> Option<LbaRange> {
    let places = observation.table.places();
    let fitting = places.into_iter().filter(|place| place.sectors() >= room.sectors);
    let beside = observation.table.entry(room.beside).map(|entry| entry.range.end);
    let aligned = ALIGNMENT_BYTES / observation.sector_size.bytes();
    let is_beside =
        |place: &LbaRange| beside.is_some_and(|end| place.start.0.saturating_sub(end.0) < aligned);
    let place = fitting.min_by_key(|place| (!is_beside(place), place.sectors()))?;
    Some(LbaRange::new(place.start, Lba(place.start.0 + room.sectors)))
}

/// The donor's part, and the place that it leaves: of all volumes that can give so much, a Windows before others, then
/// the one with the most free space.
fn given(
    observation: &Observation,
    room: Room<'_>,
    request: &Request,
) -> Result<(Vec<Step>, LbaRange), Option<Refusal>> {
    let is_windows = |p: &Partition| observation.windows.iter().any(|w| w.partition == p.number);
    let mut donors: Vec<&Partition> = observation
        .partitions
        .iter()
        .filter(|p| room.partition.is_none_or(|moved| moved.number != p.number) && p.ebr.is_none())
        .filter(|p| donor::check_kind(observation, p).is_ok() && check_volume(p).is_ok())
        .collect();
    donors.sort_by_key(|p| Reverse((is_windows(p), p.free_bytes())));
    let (table, sector) = (&observation.table, observation.sector_size.bytes());
    let aligned = ALIGNMENT_BYTES / sector;
    let journal = end_before_journal(table, observation.sector_size);
    let mut against = None;
    let given = donors.into_iter().find_map(|donor| {
        // Unallocated space behind the donor is part of the place, but for what the second commit needs.
        let free = table.surroundings(donor.number, None)?.free;
        let copies_end = table.end_for_copies(table.entry(donor.number)?.range.end);
        let end = free.end.min(copies_end).min(journal).0 / aligned * aligned;
        let start = end.checked_sub(room.sectors)?;
        let byte = start.checked_mul(sector)?;
        match donor::shrink(observation, donor, byte, request.drop_shadow_copies) {
            Ok(steps) => Some((steps, LbaRange::new(Lba(start), Lba(end)))),
            Err(Refusal::DonorTooFull { .. }) => None,
            Err(refusal) => {
                against.get_or_insert(refusal);
                None
            }
        }
    });
    given.ok_or(against)
}

/// The plan with the steps that put `recovery` at `place`.
fn moved(
    observation: &Observation,
    recovery: &Partition,
    mut plan: Plan,
    place: LbaRange,
    request: &Request,
) -> Result<Plan, Refusal> {
    let (partition, before) = (recovery.number, sectors_of(recovery));
    let sector = observation.sector_size.bytes();
    let after = Sectors {
        start: place.start.0,
        end: place.end.0,
    };
    plan.strategy = Strategy::Relocate;
    plan.growth_bytes = (after.count() * sector).saturating_sub(recovery.range.len());
    plan.steps.push(Step::MoveVolume {
        partition,
        before,
        after,
    });
    plan.steps.push(Step::SetPartition {
        partition,
        before,
        after,
    });
    let to_offset = after.start * sector;
    plan.steps.extend(boot::patch(observation, recovery, to_offset)?);
    plan.steps
        .extend(patch_reagent(observation, recovery, to_offset)?);
    if request.reclaim {
        plan.steps.extend(reclaim(observation, recovery));
    }
    Ok(plan)
}

/// The steps that give the old place to the volume right before it, where that is an ordinary one at rest. Its end
/// grows; nothing of it moves.
fn reclaim(observation: &Observation, recovery: &Partition) -> Vec<Step> {
    let neighbour = observation
        .partitions
        .iter()
        .find(|p| p.range.end == recovery.range.start && p.ebr.is_none());
    let Some(neighbour) =
        neighbour.filter(|p| donor::check_kind(observation, p).is_ok() && check_volume(p).is_ok())
    else {
        return Vec::new();
    };
    let before = sectors_of(neighbour);
    let after = Sectors {
        end: sectors_of(recovery).end,
        ..before
    };
    let change = shadow_copies::Change::NewEnd(after.count() * observation.sector_size.bytes());
    if shadow_copies::step(neighbour, change, false).is_err() {
        // Nobody has tried what becomes of them.
        return Vec::new();
    }
    end_growth(neighbour.number, before, after).into()
}
