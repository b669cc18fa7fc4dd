//! The plan's part of a report.

use crate::explain::{rfc3339, size};
use crate::observation::Observation;
use crate::plan::{Plan, Request, Sectors, Step, Strategy};
use crate::report::{ChangeReport, DroppedReport, PlanReport, RangeReport};
use crate::table::DiskId;
use crate::winre::{awaits_image, is_on_own_volume};
use winrefit_disk::JournalPlace;
use winrefit_disk::journal::Transaction;

/// Said of every plan of two commits.
const TWO_COMMITS: &str = "That takes two commits: after the first one Windows and WinRE are as they were, but for the \
                           space that was given; one `winrefit undo` puts both back.";
/// For the estimate: what a hard disk does.
const MOVE_BYTES_PER_SECOND: u64 = 100_000_000;

/// The plan's part of the report, with what each of its commits writes.
pub(in crate::commands) fn plan(
    observation: &Observation,
    plan: &Plan,
    transactions: &[&Transaction],
    journal: Option<(JournalPlace, u64)>,
) -> PlanReport {
    let sector = observation.sector_size.bytes();
    let moved = |transaction: &&Transaction| transaction.moves.iter().map(|m| m.length).sum::<u64>();
    let move_bytes = transactions.iter().map(moved).sum();
    let texts = plan.commits().enumerate().flat_map(|(index, commit)| {
        let moved = transactions.get(index).map_or(0, moved);
        commit.steps.iter().map(move |step| step.text(sector, moved))
    });
    let extents = transactions.iter().flat_map(|transaction| &transaction.extents);
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
        summary: summary(plan, sector) + &loss(plan),
        steps: texts.collect(),
        commit_steps: plan.commits().map(|commit| commit.steps.len() as u64).collect(),
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
        recovery_free_bytes_before: (!makes_new(plan)).then_some(plan.free_bytes),
        recovery_free_bytes_after: None,
    }
}

fn untouched(observation: &Observation, plan: &Plan, move_bytes: u64) -> Vec<String> {
    if plan.is_empty() {
        return Vec::new();
    }
    let changed: Vec<u32> = plan.commits().flat_map(Plan::needed_partitions).collect();
    let others = observation
        .partitions
        .iter()
        .filter(|p| !changed.contains(&p.number))
        .map(|p| p.number.to_string());
    let others: Vec<String> = others.collect();
    let mut untouched = Vec::new();
    if !makes_new(plan) {
        untouched.push(untouched_files(observation, plan, move_bytes).to_owned());
        untouched.push(untouched_identity(observation, plan.recovery_partition));
    }
    match &others[..] {
        [] => {}
        [other] => untouched.push(format!("Partition {other} as a whole")),
        others => untouched.push(format!("Partitions {} as a whole", others.join(", "))),
    }
    untouched
}

/// Whether the recovery partition is one that is not there yet.
fn makes_new(plan: &Plan) -> bool {
    plan.commits()
        .any(|commit| commit.creates(plan.recovery_partition))
}

fn untouched_files(observation: &Observation, plan: &Plan, move_bytes: u64) -> &'static str {
    let number = plan.recovery_partition;
    // The files of a partition that goes are touched, in a way.
    let removes = plan
        .steps
        .iter()
        .any(|step| matches!(step, Step::RemovePartition { .. }));
    let has_image = observation.partition(number).is_some_and(|p| p.winre.is_some());
    if plan.commits().any(|commit| commit.moves_volume(number)) {
        "Winre.wim, boot.sdi and every other file of the recovery volume: never absent; the old volume stays whole until \
         the partition table names the copy"
    } else if !has_image {
        "Every file of the recovery volume: not copied, not moved, never absent"
    } else if move_bytes == 0 && !removes {
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
    if makes_new(plan) {
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
    match plan.then {
        Some(_) => format!("{text} It takes both commits back, the second one first."),
        None => text.to_owned(),
    }
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

fn summary(plan: &Plan, sector: u64) -> String {
    let number = plan.recovery_partition;
    let growth = size(plan.growth_bytes);
    let removed = plan.steps.iter().find_map(|step| match step {
        Step::RemovePartition { partition, .. } => Some(*partition),
        _ => None,
    });
    let text = match (plan.strategy, donor(plan, sector)) {
        (Strategy::Keep, _) => {
            format!(
                "Recovery partition {number} has {} free: it needs no more room.",
                size(plan.free_bytes)
            )
        }
        (Strategy::GrowEnd, _) => {
            format!("Recovery partition {number} gets {growth} of the unallocated space right behind it.")
        }
        (Strategy::ShrinkGrowFront, Some((donor, given))) if given < plan.growth_bytes => format!(
            "Recovery partition {number} gets {growth} at its front: {} from the end of partition {donor}, and the \
             unallocated space between them.",
            size(given)
        ),
        (Strategy::ShrinkGrowFront, Some((donor, _))) => format!(
            "The border between partition {donor} and recovery partition {number} moves: {growth} go from the end of \
             the former to the front of the latter."
        ),
        (Strategy::Relocate, Some((donor, given))) => format!(
            "Recovery partition {number} cannot grow where it is, so it moves: partition {donor} gives {} at its end, \
             and the recovery partition gets its new place right behind it, with {growth} more. {} {TWO_COMMITS}",
            size(given),
            old_place(plan)
        ),
        (Strategy::Relocate, None) => format!(
            "Recovery partition {number} cannot grow where it is, so it moves into unallocated space and gets {growth} \
             more. {}",
            old_place(plan)
        ),
        (Strategy::Create, Some((donor, given))) => format!(
            "Partition {donor} gives {} at its end; partition {number}, a recovery partition of {growth} with a copy \
             of Windows' own image, is made right behind it. {TWO_COMMITS}",
            size(given)
        ),
        (Strategy::Create, None) => format!(
            "Partition {number}, a recovery partition of {growth} with a copy of Windows' own image, is made in \
             unallocated space."
        ),
        (Strategy::RemoveStale, _) => {
            format!("Recovery partition {number} needs no more room and stays as it is.")
        }
        (Strategy::GrowFront | Strategy::ShrinkGrowFront, _) => {
            format!("Recovery partition {number} gets {growth} of the unallocated space right before it.")
        }
    };
    match removed {
        Some(removed) => format!(
            "Partition {removed}, an old recovery partition that nothing uses, goes, and its place becomes unallocated. \
             {text}"
        ),
        None => text,
    }
}

/// The partition that gives space at its end, and how many bytes.
fn donor(plan: &Plan, sector: u64) -> Option<(u32, u64)> {
    let donor = plan.steps.iter().find_map(|step| match step {
        Step::ShrinkEnd { partition, .. } => Some(*partition),
        _ => None,
    })?;
    plan.steps.iter().find_map(|step| match step {
        Step::SetPartition {
            partition,
            before,
            after,
        } if *partition == donor => Some((donor, before.end.saturating_sub(after.end) * sector)),
        _ => None,
    })
}

/// The partition that gets the old place of the one that moves.
fn heir(plan: &Plan) -> Option<u32> {
    let mut steps = plan.commits().flat_map(|commit| &commit.steps);
    steps.find_map(|step| match step {
        Step::GrowEnd { partition, .. } if *partition != plan.recovery_partition => Some(*partition),
        _ => None,
    })
}

fn old_place(plan: &Plan) -> String {
    match heir(plan) {
        Some(heir) => format!("Its old place goes to partition {heir}, whose volume grows into it."),
        None => "Its old place becomes unallocated.".to_owned(),
    }
}

/// An option that was given and changes nothing is not passed over.
pub(in crate::commands) fn idle_reclaim(plan: &Plan, request: &Request) -> &'static str {
    match (plan.strategy, heir(plan)) {
        _ if !request.reclaim => "",
        (Strategy::Relocate, None) => {
            " --reclaim changes nothing: right before the old place there is no NTFS volume that could grow into it."
        }
        (Strategy::Relocate, Some(_)) => "",
        _ => " --reclaim changes nothing: no recovery partition leaves its place.",
    }
}
