//! The plan's part of a report.

use super::reset;
use super::summary::{cannot_be_judged, summary};
use crate::explain::rfc3339;
use crate::observation::{Observation, Windows};
use crate::plan::{Plan, Sectors, Step, Strategy};
use crate::report::{ChangeReport, DroppedReport, PlanReport, RangeReport};
use crate::table::DiskId;
use crate::text;
use crate::text::Text;
use crate::winre::{State, awaits_image, awaits_unknown_image, is_on_own_volume, state};
use winrefit_disk::JournalPlace;
use winrefit_disk::journal::Transaction;

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
    let recovery = plan.recovery_partition.and_then(|n| observation.partition(n));
    let summary = match recovery.filter(|recovery| awaits_unknown_image(observation, recovery)) {
        Some(recovery) if plan.strategy == Strategy::Keep => cannot_be_judged(recovery.number, plan),
        _ => summary(plan, sector),
    };
    PlanReport {
        strategy: plan.strategy.name(),
        summary: Text::sentences([summary].into_iter().chain(loss(plan))),
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
        recovery_free_bytes_before: plan
            .recovery_partition
            .filter(|_| !makes_new(plan))
            .map(|_| plan.free_bytes),
        recovery_free_bytes_after: None,
    }
}

fn untouched(observation: &Observation, plan: &Plan, move_bytes: u64) -> Vec<Text> {
    if plan.is_empty() {
        return Vec::new();
    }
    let changed: Vec<u32> = plan.commits().flat_map(Plan::needed_partitions).collect();
    let others = observation
        .partitions
        .iter()
        .filter(|p| !changed.contains(&p.number))
        .map(|p| p.number);
    let others: Vec<u32> = others.collect();
    let mut untouched = Vec::new();
    match plan.recovery_partition {
        None => untouched.extend(reset::untouched(plan)),
        Some(number) if !makes_new(plan) => {
            untouched.push(untouched_files(observation, (plan, number), move_bytes));
            untouched.push(untouched_identity(observation, number));
        }
        Some(_) => {}
    }
    match &others[..] {
        [] => {}
        [other] => untouched.push(text!("Partition {other} as a whole", other)),
        others => untouched.push(text!(
            "Partitions {numbers} as a whole",
            numbers = Text::listed(others.iter().map(|&number| number.into()))
        )),
    }
    untouched
}

/// Whether the recovery partition is one that is not there yet.
fn makes_new(plan: &Plan) -> bool {
    plan.recovery_partition
        .is_some_and(|number| plan.commits().any(|commit| commit.creates(number)))
}

fn untouched_files(observation: &Observation, (plan, number): (&Plan, u32), move_bytes: u64) -> Text {
    // The files of a partition that goes are touched, in a way.
    let removes = plan
        .steps
        .iter()
        .any(|step| matches!(step, Step::RemovePartition { .. }));
    let has_image = observation.partition(number).is_some_and(|p| p.winre.is_some());
    if plan.commits().any(|commit| commit.moves_volume(number)) {
        text!(
            "Winre.wim, boot.sdi and every other file of the recovery volume: never absent; the old volume stays \
             whole until the partition table names the copy"
        )
    } else if !has_image {
        text!("Every file of the recovery volume: not copied, not moved, never absent")
    } else if move_bytes == 0 && !removes {
        text!("Winre.wim, boot.sdi and every other file: not copied, not moved, never absent")
    } else {
        text!(
            "Winre.wim, boot.sdi and every other file of the recovery volume: not copied, not moved, never absent"
        )
    }
}

fn untouched_identity(observation: &Observation, number: u32) -> Text {
    match observation.table.id {
        DiskId::Gpt(_) => text!(
            "Partition {number}'s number, type, unique GUID, attributes and name; so the boot store (BCD) names what it named before",
            number
        ),
        DiskId::Mbr(_) => {
            text!(
                "Partition {number}'s number and type, the disk signature, the boot code in LBA 0",
                number
            )
        }
    }
}

/// A partition that is made large enough for an image that is not there yet is no use by itself.
fn afterwards(observation: &Observation, plan: &Plan) -> Vec<Text> {
    let Some(number) = plan.recovery_partition else {
        return reset::afterwards(plan);
    };
    let mut windows = observation.windows.iter();
    let is_gone = |w: &Windows| matches!(state(observation, w), State::Gone(_));
    let enable = if windows.clone().any(is_gone) {
        text!(r"`reagentc /disable`, then Winre.wim to C:\Windows\System32\Recovery, then `reagentc /enable`")
    } else if windows.any(|w| is_on_own_volume(observation, w)) {
        text!("`reagentc /disable`, then `reagentc /enable`")
    } else {
        Text::raw("`reagentc /enable`")
    };
    if makes_new(plan) {
        return vec![text!(
            "WinRE does not use partition {number} yet. In Windows, as administrator: {enable}. Then `reagentc /info` \
             names it.",
            number,
            enable
        )];
    }
    let recovery = observation.partition(number);
    let is_awaited = recovery.is_some_and(|recovery| awaits_image(observation, recovery));
    let text = text!(
        "The WinRE image is not on partition {number} yet. In Windows, as administrator: {enable}; `winrefit \
         diagnose` has the steps.",
        number,
        enable
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
            text: text!(
                "On partition {number}: {copies}",
                number = dropped.partition,
                copies = dropped.what()
            ),
        })
        .collect()
}

/// What is lost, where something is: said where nobody can overlook it.
fn loss(plan: &Plan) -> impl Iterator<Item = Text> {
    let steps = plan.commits().flat_map(|commit| &commit.steps);
    let dropped = steps.filter_map(|step| match step {
        Step::DropShadowCopies(dropped) => Some(dropped),
        _ => None,
    });
    dropped.map(|dropped| {
        text!(
            "Partition {number} loses its shadow copies: {copies}.",
            number = dropped.partition,
            copies = dropped.what()
        )
    })
}

fn undo_text(plan: &Plan, is_in_clusters: bool) -> Text {
    let text = match (plan.is_empty(), is_in_clusters) {
        (true, _) => text!("Nothing is done, so there is nothing to undo."),
        (_, false) => {
            text!(
                "`winrefit undo` puts every changed sector back, as long as nothing else has changed one since."
            )
        }
        (_, true) => {
            text!(
                "`winrefit undo` puts every changed sector back, as long as nothing else has changed one since or has \
                 used the free clusters that hold the journal."
            )
        }
    };
    if plan.recovery_partition.is_none() && !plan.is_empty() {
        return Text::sentences([text, reset::undo_in_time()]);
    }
    match plan.then {
        Some(_) => Text::sentences([text, text!("It takes both commits back, the second one first.")]),
        None => text,
    }
}

fn place_text(observation: &Observation, place: JournalPlace) -> Text {
    let (header, body) = (
        place.header / observation.sector_size.bytes(),
        place.body.start / observation.sector_size.bytes(),
    );
    let holder = observation
        .partitions
        .iter()
        .find(|p| p.range.overlaps(&place.body));
    match holder {
        None => text!(
            "unallocated sectors from LBA {header} on, used by no partition",
            header
        ),
        Some(p) => text!(
            "free clusters of partition {number} from LBA {body} on, and the unallocated sector at LBA {header}",
            number = p.number,
            body,
            header
        ),
    }
}
