//! Choosing the least invasive way that leads to the target.

use super::at_rest::{check_volume, managed_disk, start_can_be_told, windows_at_rest};
use super::create::create;
use super::neighbourhood::{Neighbourhood, sectors_of};
use super::relocate::relocate;
use super::{Plan, Request, Sectors, Step, Strategy, boot, donor, shadow_copies, stale};
use crate::observation::{Observation, Partition, Space};
use crate::refusal::Refusal;
use crate::rules::{
    BESIDE_IMAGE_BYTES, PLACEMENT_MARGIN_BYTES, SERVICING_FREE_BYTES, SIZE_BYTES_MAX, TARGET_FREE_BYTES,
    TARGET_SIZE_BYTES,
};
use crate::select::recovery_partition;
use crate::text;
use crate::text::Text;
use crate::winre::image_to_come_bytes;
use winrefit_formats::gpt::GptMend;

/// What the larger $Bitmap and rounding may take of a growth.
const GROWTH_MARGIN_BYTES: u64 = 1 << 20;
/// Plans the repair. The observation has to include free space.
///
/// # Errors
/// The first [`Refusal`] met.
pub fn plan(observation: &Observation, request: &Request) -> Result<Plan, Refusal> {
    managed_disk(observation)?;
    let problem = observation.table.changeable.as_ref().err();
    problem.map_or(Ok(()), |problem| {
        let problem = Text::quoted(problem);
        Err(Refusal::Table { problem })
    })?;
    let recovery = match recovery_partition(observation, request.recovery_partition) {
        Ok(recovery) => recovery,
        Err(Refusal::SeveralRecoveryPartitions { numbers }) => {
            return all_enough(observation, request, numbers);
        }
        Err(refusal) if request.recovery_partition.is_none() => {
            return finished(observation, create(observation, request, refusal)?);
        }
        Err(refusal) => return Err(refusal),
    };
    let space = check_volume(recovery)?;
    let number = recovery.number;
    let size_bytes = recovery.range.len();
    if size_bytes > SIZE_BYTES_MAX {
        return Err(Refusal::RecoveryTooLarge { number, size_bytes });
    }
    let to_come = image_to_come_bytes(observation, recovery);
    let mut plan = Plan {
        strategy: Strategy::Keep,
        recovery_partition: Some(number),
        free_bytes: space.free_bytes,
        target_free_bytes: target_free(request, to_come),
        growth_bytes: 0,
        steps: stale::remove(observation, recovery, request)?,
        then: None,
    };
    if is_enough(request, size_bytes, space.free_bytes, to_come) {
        if !plan.is_empty() {
            windows_at_rest(observation)?;
            plan.strategy = Strategy::RemoveStale;
        }
        return finished(observation, plan);
    }
    windows_at_rest(observation)?;
    let wanted = growth(request, size_bytes, space, to_come)?;
    let grown = size_bytes + wanted;
    let place = Neighbourhood::of(observation, recovery, request);
    let place = place.ok_or(Refusal::NoSuchPartition { number })?;
    if let Some(end) = place.end_growth(wanted, size_bytes) {
        plan = grow_end(observation, recovery, plan, end);
    } else {
        let start = place.aligned_start(wanted, size_bytes)?;
        let front = grow_front(observation, recovery, (plan.clone(), start), &place, request);
        plan = front.or_else(|refusal| match refusal {
            Refusal::NoDonor { .. }
            | Refusal::DonorTooFull { .. }
            | Refusal::BadClusters { .. }
            // A volume in the way that nobody can look into need not change.
            | Refusal::BitLocker { .. }
            | Refusal::Refs { .. } => relocate(observation, recovery, (plan, grown), request, refusal),
            refusal => Err(refusal),
        })?;
    }
    finished(observation, plan)
}

/// Nothing is to be done where each of several Windows has room enough in its own recovery partition.
fn all_enough(observation: &Observation, request: &Request, numbers: Vec<u32>) -> Result<Plan, Refusal> {
    let mut least: Option<Plan> = None;
    for &number in numbers.iter().filter(|_| request.remove_stale.is_none()) {
        let named = Request {
            recovery_partition: Some(number),
            ..*request
        };
        match plan(observation, &named) {
            Ok(plan) if plan.strategy == Strategy::Keep => {
                let is_less = least
                    .as_ref()
                    .is_none_or(|least| plan.free_bytes < least.free_bytes);
                least = if is_less { Some(plan) } else { least };
            }
            _ => return Err(Refusal::SeveralRecoveryPartitions { numbers }),
        }
    }
    least.ok_or(Refusal::SeveralRecoveryPartitions { numbers })
}

/// What holds for every plan that changes something.
fn finished(observation: &Observation, mut plan: Plan) -> Result<Plan, Refusal> {
    known_to_a_hybrid_mbr(observation, &plan)?;
    if let Some(mend) = observation.table.mend()
        && !plan.is_empty()
    {
        let what = mend_text(mend);
        plan.steps.insert(0, Step::MendTable { what });
    }
    Ok(plan)
}

fn mend_text(mend: &GptMend) -> Text {
    match mend {
        GptMend::Primary(damage) => text!(
            "Make the first copy of the partition table anew from the second one, which is good: {damage}.",
            damage = damage.to_string()
        ),
        GptMend::Backup(damage) => text!(
            "Make the second copy of the partition table anew from the first one, which is good: {damage}.",
            damage = damage.to_string()
        ),
        GptMend::BackupPlace { from, to } => text!(
            "Put the second copy of the partition table at the end of the disk, which has grown: its header goes from \
             LBA {from} to {to}, and the space between becomes usable.",
            from = from.to_string(),
            to = to.to_string()
        ),
    }
}

/// The front of `recovery` begins at `start`, in unallocated space or in what the partition before it gives.
fn grow_front(
    observation: &Observation,
    recovery: &Partition,
    (mut plan, start): (Plan, u64),
    place: &Neighbourhood<'_>,
    request: &Request,
) -> Result<Plan, Refusal> {
    let number = recovery.number;
    start_can_be_told(observation, number)?;
    plan.growth_bytes = recovery.range.start - start;
    plan.strategy = Strategy::GrowFront;
    if !place.is_free_from(start) {
        plan.strategy = Strategy::ShrinkGrowFront;
        let no_donor = |reason| Refusal::NoDonor { number, reason };
        let donor = place.left.clone().map_err(no_donor)?;
        donor::check_kind(observation, donor).map_err(no_donor)?;
        let end = start.saturating_sub(place.head);
        plan.steps.extend(donor::shrink(
            observation,
            donor,
            end,
            request.drop_shadow_copies,
        )?);
    }
    let change = shadow_copies::Change::NewStart;
    let dropped = shadow_copies::step(recovery, change, request.drop_shadow_copies)?;
    plan.steps.splice(0..0, dropped);
    plan.steps.push(Step::GrowFront {
        partition: number,
        by_bytes: plan.growth_bytes,
    });
    let sector = observation.sector_size.bytes();
    let before = sectors_of(recovery);
    plan.steps.push(Step::SetPartition {
        partition: number,
        before,
        after: Sectors {
            start: start / sector,
            ..before
        },
    });
    plan.steps.extend(boot::patch(observation, recovery, start)?);
    plan.steps.extend(patch_reagent(observation, recovery, start)?);
    Ok(plan)
}

/// A hybrid MBR names partitions a second time, and nobody would tell it of a change.
fn known_to_a_hybrid_mbr(observation: &Observation, plan: &Plan) -> Result<(), Refusal> {
    let hybrid = observation.table.hybrid();
    let changed: Vec<u32> = plan.commits().flat_map(Plan::changed_partitions).collect();
    let known = observation.partitions.iter().find(|p| {
        let range = observation.table.entry(p.number).map(|entry| entry.range);
        changed.contains(&p.number)
            && hybrid
                .iter()
                .any(|named| range.is_some_and(|range| range.overlaps(named)))
    });
    known.map_or(Ok(()), |p| Err(Refusal::HybridMbr { number: p.number }))
}

/// Without wishes the servicing rule decides: a partition that passes is left alone even below the target. An image that
/// has yet to come needs its own space, and that of the boot files beside it.
fn is_enough(request: &Request, size_bytes: u64, free_bytes: u64, to_come: u64) -> bool {
    let beside = if to_come > 0 { BESIDE_IMAGE_BYTES } else { 0 };
    let default = SERVICING_FREE_BYTES.max(PLACEMENT_MARGIN_BYTES) + beside;
    let wanted = request.free_bytes.unwrap_or(default).saturating_add(to_come);
    size_bytes >= request.size_bytes.unwrap_or(0) && free_bytes >= wanted
}

/// Free bytes to reach, the space of an image to come included. A size that was asked for is taken at its word;
/// servicing's need stays the least.
fn target_free(request: &Request, to_come: u64) -> u64 {
    let default = match request.size_bytes {
        Some(_) if to_come > 0 => SERVICING_FREE_BYTES + BESIDE_IMAGE_BYTES,
        Some(_) => SERVICING_FREE_BYTES,
        None => TARGET_FREE_BYTES,
    };
    request.free_bytes.unwrap_or(default).saturating_add(to_come)
}

/// Bytes that are missing.
fn growth(request: &Request, size_bytes: u64, space: Space, to_come: u64) -> Result<u64, Refusal> {
    // Whoever asks for free space alone does not ask for a size.
    let default_size = if request.free_bytes.is_some() {
        0
    } else {
        TARGET_SIZE_BYTES
    };
    let target_size = request.size_bytes.unwrap_or(default_size);
    let target_free = target_free(request, to_come).saturating_add(GROWTH_MARGIN_BYTES);
    let wanted = target_size
        .saturating_sub(size_bytes)
        .max(target_free.saturating_sub(space.free_bytes))
        .max(space.front_growth_min.unwrap_or(0));
    let wanted_bytes = size_bytes.saturating_add(wanted);
    if wanted_bytes > SIZE_BYTES_MAX {
        Err(Refusal::TargetTooLarge { wanted_bytes })
    } else {
        Ok(wanted)
    }
}

fn grow_end(observation: &Observation, recovery: &Partition, mut plan: Plan, end: u64) -> Plan {
    let sector = observation.sector_size.bytes();
    let before = sectors_of(recovery);
    let after = Sectors {
        end: end / sector,
        ..before
    };
    let partition = recovery.number;
    plan.strategy = Strategy::GrowEnd;
    plan.growth_bytes = end - recovery.range.end;
    plan.steps.extend(end_growth(partition, before, after));
    plan
}

/// The steps that let a partition and its volume end later.
pub(super) fn end_growth(partition: u32, before: Sectors, after: Sectors) -> [Step; 2] {
    let border = Step::SetPartition {
        partition,
        before,
        after,
    };
    let grow = Step::GrowEnd {
        partition,
        sectors: after.count(),
    };
    [border, grow]
}

/// A patch for every Windows whose ReAgent.xml names the partition by its old offset.
pub(super) fn patch_reagent(
    observation: &Observation,
    recovery: &Partition,
    to_offset: u64,
) -> Result<Vec<Step>, Refusal> {
    let referring = observation
        .windows
        .iter()
        .filter(|w| w.recovery_partition == Some(recovery.number));
    let mut steps = Vec::new();
    for windows in referring {
        let partition = windows.partition;
        let volume = observation
            .partition(partition)
            .ok_or(Refusal::NoSuchPartition { number: partition })?;
        check_volume(volume)?;
        steps.push(Step::PatchReAgent {
            partition,
            from_offset: recovery.range.start,
            to_offset,
        });
    }
    Ok(steps)
}
