//! Choosing the least invasive way that leads to the target.

use super::at_rest::{
    check_volume, managed_disk, no_bad_clusters_behind, start_can_be_told, windows_at_rest,
};
use super::shadow_copies::{self, Change};
use super::{Plan, Request, Sectors, Step, Strategy};
use crate::observation::{Content, Observation, Partition, Space};
use crate::refusal::{NoDonor, Refusal};
use crate::rules::{
    BESIDE_IMAGE_BYTES, PLACEMENT_MARGIN_BYTES, SERVICING_FREE_BYTES, SIZE_BYTES_MAX, TARGET_FREE_BYTES,
    TARGET_SIZE_BYTES,
};
use crate::select::recovery_partition;
use crate::winre::image_to_come_bytes;
use winrefit_formats::gpt::types;

/// Partition edges are multiples of this, as Windows' own tools keep them.
const ALIGNMENT_BYTES: u64 = 1 << 20;
/// What the larger $Bitmap and rounding may take of a growth.
const GROWTH_MARGIN_BYTES: u64 = 1 << 20;
/// A donor keeps this much free at least, or a twentieth of its size if that is less.
const DONOR_KEEP_BYTES: u64 = 2 << 30;

/// Plans the repair. The observation has to include free space.
///
/// # Errors
/// The first [`Refusal`] met.
pub fn plan(observation: &Observation, request: &Request) -> Result<Plan, Refusal> {
    observation.gpt.as_ref().map_err(|error| Refusal::Table {
        problem: error.to_string(),
    })?;
    managed_disk(observation)?;
    let recovery = recovery_partition(observation, request.recovery_partition)?;
    let space = check_volume(recovery)?;
    let number = recovery.number;
    let size_bytes = recovery.range.len();
    if size_bytes > SIZE_BYTES_MAX {
        return Err(Refusal::RecoveryTooLarge { number, size_bytes });
    }
    let to_come = image_to_come_bytes(observation, recovery);
    let mut plan = Plan {
        strategy: Strategy::Keep,
        recovery_partition: number,
        free_bytes: space.free_bytes,
        target_free_bytes: target_free(request, to_come),
        growth_bytes: 0,
        steps: Vec::new(),
    };
    if is_enough(request, size_bytes, space.free_bytes, to_come) {
        return Ok(plan);
    }
    windows_at_rest(observation)?;
    let wanted = growth(request, size_bytes, space, to_come)?;
    let place = Neighbourhood::of(observation, recovery);
    if let Some(end) = place.end_growth(wanted, size_bytes) {
        return Ok(grow_end(observation, recovery, plan, end));
    }
    start_can_be_told(observation, number)?;
    let start = place.aligned_start(wanted, size_bytes)?;
    plan.growth_bytes = recovery.range.start - start;
    plan.strategy = if start >= place.gap_start {
        Strategy::GrowFront
    } else {
        Strategy::ShrinkGrowFront
    };
    let mut changed = vec![(recovery, Change::NewStart)];
    if plan.strategy == Strategy::ShrinkGrowFront {
        plan.steps
            .extend(shrink_donor(observation, recovery, &place, start)?);
        changed.extend(
            place
                .left
                .map(|donor| (donor, Change::NewEnd(start - donor.range.start))),
        );
    }
    for (partition, change) in changed {
        let dropped = shadow_copies::step(partition, change, request.drop_shadow_copies)?;
        plan.steps.splice(0..0, dropped);
    }
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
    plan.steps.extend(patch_reagent(observation, recovery, start)?);
    Ok(plan)
}

fn sectors_of(partition: &Partition) -> Sectors {
    Sectors {
        start: partition.start_lba,
        end: partition.start_lba + partition.sectors,
    }
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

/// What lies around the recovery partition.
struct Neighbourhood<'o> {
    left: Option<&'o Partition>,
    /// First byte of the unallocated space before it (its own start, if there is none).
    gap_start: u64,
    /// First byte that is not unallocated behind it.
    gap_end: u64,
    start: u64,
    end: u64,
    cluster: u64,
}

impl<'o> Neighbourhood<'o> {
    fn of(observation: &'o Observation, recovery: &Partition) -> Self {
        let usable = observation.table.usable().bytes(observation.sector_size);
        let (start, end) = (recovery.range.start, recovery.range.end);
        let left = observation
            .partitions
            .iter()
            .filter(|p| p.range.end <= start)
            .max_by_key(|p| p.range.end);
        let right = observation
            .partitions
            .iter()
            .filter(|p| p.range.start >= end)
            .map(|p| p.range.start)
            .min();
        Self {
            left,
            gap_start: left.map_or(usable.start.next_multiple_of(ALIGNMENT_BYTES), |p| p.range.end),
            gap_end: right.unwrap_or(usable.end),
            start,
            end,
            cluster: recovery
                .ntfs()
                .map_or(4096, |ntfs| ntfs.geometry.cluster_size.into()),
        }
    }

    /// The new end, if the space behind suffices.
    fn end_growth(&self, wanted: u64, size_bytes: u64) -> Option<u64> {
        let end = (self.end + wanted)
            .next_multiple_of(ALIGNMENT_BYTES)
            .min(self.start + SIZE_BYTES_MAX);
        (end <= self.gap_end && end - self.start >= size_bytes + wanted).then_some(end)
    }

    /// The new start: at least `wanted` bytes earlier, on a 1 MiB boundary where the volume's clusters allow it.
    fn aligned_start(&self, wanted: u64, size_bytes: u64) -> Result<u64, Refusal> {
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
    plan.steps.push(Step::SetPartition {
        partition,
        before,
        after,
    });
    plan.steps.push(Step::GrowEnd {
        partition,
        sectors: after.count(),
    });
    plan
}

/// The steps that make `start` the end of the partition before, if that is a volume that can give so much.
fn shrink_donor(
    observation: &Observation,
    recovery: &Partition,
    place: &Neighbourhood<'_>,
    start: u64,
) -> Result<Vec<Step>, Refusal> {
    let no_donor = |reason| Refusal::NoDonor {
        number: recovery.number,
        reason,
    };
    let donor = place.left.ok_or(no_donor(NoDonor::FirstOnDisk))?;
    let number = donor.number;
    let is_data = donor.type_guid == types::PARTITION_BASIC_DATA_GUID;
    if !is_data
        || matches!(
            donor.content,
            Content::Fat(_) | Content::ExFat | Content::Empty | Content::Unknown
        )
    {
        let kind = types::type_name(donor.type_guid).unwrap_or("an unknown type");
        let what = format!("a partition of type {kind} holding: {}", donor.content.name());
        return Err(no_donor(NoDonor::Foreign { number, what }));
    }
    let space = check_volume(donor)?;
    no_bad_clusters_behind(donor, start)?;
    let sector = observation.sector_size.bytes();
    let before = sectors_of(donor);
    let after = Sectors {
        end: start / sector,
        ..before
    };
    let move_border = Step::SetPartition {
        partition: number,
        before,
        after,
    };
    let shrink = Step::ShrinkEnd {
        partition: number,
        sectors: after.count(),
    };
    let volume_bytes = donor.ntfs().map_or(u64::MAX, |ntfs| ntfs.geometry.volume_bytes());
    if start > donor.range.start && volume_bytes <= start - donor.range.start {
        // The volume ends before its partition does, and before the new border: only its backup boot sector may have
        // to move.
        return Ok(vec![shrink, move_border]);
    }
    // What lies behind a volume that is smaller than its partition costs it nothing.
    let volume_end = donor
        .range
        .start
        .saturating_add(volume_bytes)
        .min(donor.range.end);
    let needed_bytes = volume_end.saturating_sub(start);
    let keep_bytes = DONOR_KEEP_BYTES.min(donor.range.len() / 20);
    if start <= donor.range.start || space.free_bytes < needed_bytes.saturating_add(keep_bytes) {
        let free_bytes = space.free_bytes;
        return Err(Refusal::DonorTooFull {
            number,
            needed_bytes,
            free_bytes,
            keep_bytes,
            path: None,
        });
    }
    Ok(vec![shrink, move_border])
}

/// A patch for every Windows whose ReAgent.xml names the partition by its old offset.
fn patch_reagent(
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
