//! The plan's part of a report.

use crate::explain::{rfc3339, size};
use crate::observation::Observation;
use crate::plan::{Plan, Sectors, Step, Strategy};
use crate::report::{ChangeReport, DroppedReport, PlanReport, RangeReport};
use crate::table::DiskId;
use crate::winre::{awaits_image, is_on_own_volume};
use winrefit_disk::JournalPlace;
use winrefit_disk::journal::Transaction;

/// What a move leaves behind, unless something takes it.
const OLD_PLACE: &str = "Its old place becomes unallocated.";
/// For the estimate: what a hard disk does.
const MOVE_BYTES_PER_SECOND: u64 = 100_000_000;

/// The plan's part of the report, with what each of its commits writes.
pub(in crate::commands) fn plan(
    observation: &Observation,
    plan: &Plan,
    transactions: &[&Transaction],
    journal: Option<(JournalPlace, u64)>,
) -> PlanReport {
    let moves = transactions.iter().flat_map(|transaction| &transaction.moves);
    let move_bytes = moves.map(|m| m.length).sum();
    let extents = transactions.iter().flat_map(|transaction| &transaction.extents);
    let sector = observation.sector_size.bytes();
    let steps = || plan.commits().flat_map(|commit| &commit.steps);
    let range = |sectors: &Sectors| RangeReport {
        start_lba: sectors.start,
        sectors: sectors.count(),
    };
    let nothing = |sectors: &Sectors| RangeReport {
        start_lba: sectors.start,
        sectors: 0,
    };
    let changes = steps().filter_map(|step| match step {
        Step::SetPartition {
            partition,
            before,
            after,
        } => Some(ChangeReport {
            partition: *partition,
            before: range(before),
            after: range(after),
        }),
        Step::CreatePartition { partition, at, .. } => Some(ChangeReport {
            partition: *partition,
            before: nothing(at),
            after: range(at),
        }),
        Step::RemovePartition { partition, before } => Some(ChangeReport {
            partition: *partition,
            before: range(before),
            after: nothing(before),
        }),
        _ => None,
    });
    PlanReport {
        strategy: plan.strategy.name(),
        summary: summary(plan) + &loss(plan),
        steps: steps().map(|step| step.text(sector, move_bytes)).collect(),
        changes: changes.collect(),
        move_bytes,
        // Read, written, and both read again to compare them.
        move_seconds: (4 * move_bytes).div_ceil(MOVE_BYTES_PER_SECOND),
        bytes_written: extents.map(|extent| extent.after.len() as u64).sum(),
        journal_bytes: journal.map_or(0, |(_, bytes)| bytes),
        journal_place: journal.map(|(place, _)| place_text(observation, place)),
        dropped_shadow_copies: dropped(plan),
        untouched: untouched(observation, plan, move_bytes),
        afterwards: afterwards(observation, plan),
        undo: undo_text(
            plan,
            journal.is_some_and(|(place, _)| !place.is_in_gap(observation.sector_size)),
        ),
        recovery_free_bytes_after: None,
    }
}

fn untouched(observation: &Observation, plan: &Plan, move_bytes: u64) -> Vec<String> {
    if plan.is_empty() {
        return Vec::new();
    }
    let changed: Vec<u32> = plan.commits().flat_map(Plan::changed_partitions).collect();
    let others = observation
        .partitions
        .iter()
        .filter(|p| !changed.contains(&p.number))
        .map(|p| p.number.to_string());
    let others: Vec<String> = others.collect();
    let mut untouched = Vec::new();
    if !plan
        .commits()
        .any(|commit| commit.creates(plan.recovery_partition))
    {
        untouched.push(untouched_files(observation, plan, move_bytes).to_owned());
        untouched.push(untouched_identity(observation, plan.recovery_partition));
    }
    if !others.is_empty() {
        untouched.push(format!("Partitions {} as a whole", others.join(", ")));
    }
    untouched
}

fn untouched_files(observation: &Observation, plan: &Plan, move_bytes: u64) -> &'static str {
    let number = plan.recovery_partition;
    let has_image = observation.partition(number).is_some_and(|p| p.winre.is_some());
    if plan.commits().any(|commit| commit.moves_volume(number)) {
        "Winre.wim, boot.sdi and every other file of the recovery volume: never absent; the old volume stays whole until \
         the partition table names the copy"
    } else if !has_image {
        "Every file of the recovery volume: not copied, not moved, never absent"
    } else if move_bytes == 0 {
        "Winre.wim, boot.sdi and every other file: not copied, not moved, never absent"
    } else {
        "Winre.wim, boot.sdi and every other file of the recovery volume: not copied, not moved, never absent"
    }
}

fn untouched_identity(observation: &Observation, number: u32) -> String {
    match observation.table.id {
        DiskId::Gpt(_) => format!(
            "Partition {number}'s number, type, unique GUID, attributes and name; so the boot store (BCD) stays true"
        ),
        DiskId::Mbr(_) => {
            format!("Partition {number}'s number and type, the disk signature, the boot code in LBA 0")
        }
    }
}

/// A partition that is made large enough for an image that is not there yet is no use by itself.
fn afterwards(observation: &Observation, plan: &Plan) -> Vec<String> {
    let number = plan.recovery_partition;
    let mut windows = observation.windows.iter();
    let enable = if windows.any(|w| is_on_own_volume(observation, w)) {
        "`reagentc /disable`, then `reagentc /enable`"
    } else {
        "`reagentc /enable`"
    };
    if plan.commits().any(|commit| commit.creates(number)) {
        return vec![format!(
            "WinRE does not use partition {number} yet. In Windows, as administrator: {enable}. Then `reagentc /info` \
             names it."
        )];
    }
    let recovery = observation.partition(plan.recovery_partition);
    let is_awaited = recovery.is_some_and(|recovery| awaits_image(observation, recovery));
    let text = format!(
        "The WinRE image is not on partition {number} yet. In Windows, as administrator: {enable}; `winrefit diagnose` \
         has the steps."
    );
    is_awaited.then_some(text).into_iter().collect()
}

fn dropped(plan: &Plan) -> Vec<DroppedReport> {
    let steps = plan.commits().flat_map(|commit| &commit.steps);
    let dropped = steps.filter_map(|step| match step {
        Step::DropShadowCopies(dropped) => Some(dropped),
        _ => None,
    });
    dropped
        .map(|dropped| DroppedReport {
            partition: dropped.partition,
            count: dropped.count,
            oldest: dropped.oldest.map(rfc3339),
            newest: dropped.newest.map(rfc3339),
            storage_bytes: dropped.storage_bytes,
            text: format!("On partition {}: {}", dropped.partition, dropped.what()),
        })
        .collect()
}

/// What is lost, where something is: said where nobody can overlook it.
fn loss(plan: &Plan) -> String {
    let steps = plan.commits().flat_map(|commit| &commit.steps);
    let dropped = steps.filter_map(|step| match step {
        Step::DropShadowCopies(dropped) => Some(dropped),
        _ => None,
    });
    dropped
        .map(|d| {
            format!(
                " Partition {} loses its shadow copies: {}.",
                d.partition,
                d.what()
            )
        })
        .collect()
}

fn undo_text(plan: &Plan, is_in_clusters: bool) -> String {
    let text = match (plan.is_empty(), is_in_clusters) {
        (true, _) => "Nothing is done, so there is nothing to undo.",
        (_, false) => {
            "`winrefit undo` puts every changed sector back, as long as nothing else has changed one since."
        }
        (_, true) => {
            "`winrefit undo` puts every changed sector back, as long as nothing else has changed one since or has used \
             the free clusters that hold the journal."
        }
    };
    text.to_owned()
}

fn place_text(observation: &Observation, place: JournalPlace) -> String {
    let (header, body) = (
        place.header / observation.sector_size.bytes(),
        place.body.start / observation.sector_size.bytes(),
    );
    let holder = observation
        .partitions
        .iter()
        .find(|p| p.range.overlaps(&place.body));
    match holder {
        None => format!("unallocated sectors from LBA {header} on, used by no partition"),
        Some(p) => format!(
            "free clusters of partition {} from LBA {body} on, and the unallocated sector at LBA {header}",
            p.number
        ),
    }
}

fn summary(plan: &Plan) -> String {
    let number = plan.recovery_partition;
    let growth = size(plan.growth_bytes);
    let find = |wanted: &dyn Fn(&Step) -> Option<u32>| plan.steps.iter().find_map(wanted);
    let donor = find(&|step| match step {
        Step::ShrinkEnd { partition, .. } => Some(*partition),
        _ => None,
    });
    let removed = find(&|step| match step {
        Step::RemovePartition { partition, .. } => Some(*partition),
        _ => None,
    });
    match (plan.strategy, donor) {
        (Strategy::Keep, _) => {
            format!(
                "Recovery partition {number} has {} free: it needs no more room.",
                size(plan.free_bytes)
            )
        }
        (Strategy::GrowEnd, _) => {
            format!("Recovery partition {number} gets {growth} of the unallocated space right behind it.")
        }
        (Strategy::ShrinkGrowFront, Some(donor)) => format!(
            "The border between partition {donor} and recovery partition {number} moves: {growth} go from the end of \
             the former to the front of the latter."
        ),
        (Strategy::Relocate, Some(donor)) => format!(
            "Partition {donor} gives the space for a new place behind it, in a first commit; recovery partition {number} \
             moves there and gets {growth} more, in a second one. {OLD_PLACE}"
        ),
        (Strategy::Relocate, None) => format!(
            "Recovery partition {number} moves into unallocated space and gets {growth} more. {OLD_PLACE}"
        ),
        (Strategy::Create, Some(donor)) => format!(
            "Partition {donor} gives {growth} behind it in a first commit; partition {number}, a recovery partition with \
             a copy of Windows' own image, is made there in a second one."
        ),
        (Strategy::Create, None) => format!(
            "Partition {number}, a recovery partition of {growth} with a copy of Windows' own image, is made in \
             unallocated space."
        ),
        (Strategy::RemoveStale, _) => format!(
            "Partition {}, an old recovery partition that nothing uses, goes; its place becomes unallocated.",
            removed.unwrap_or_default()
        ),
        (Strategy::GrowFront | Strategy::ShrinkGrowFront, _) => {
            format!("Recovery partition {number} gets {growth} of the unallocated space right before it.")
        }
    }
}
