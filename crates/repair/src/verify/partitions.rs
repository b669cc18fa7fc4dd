//! Every partition is one that was there before, or that the plan makes.

use super::item;
use crate::observation::{Observation, Partition};
use crate::plan::{Plan, Step};
use crate::report::VerificationItem;
use crate::table::DiskId;

/// Every partition is where the plan says (or where it was), with all else unchanged.
pub(super) fn partitions_item(before: &Observation, after: &Observation, plan: &Plan) -> VerificationItem {
    let what = match before.table.id {
        DiskId::Gpt(_) => "Number, type, unique GUID, attributes and name of every partition",
        DiskId::Mbr(_) => "Number, type and active flag of every partition",
    };
    let planned = |number: u32, old: &Partition| {
        let moved = plan.steps.iter().find_map(|step| match step {
            Step::SetPartition { partition, after, .. } if *partition == number => {
                Some((after.start, after.count()))
            }
            _ => None,
        });
        moved.unwrap_or((old.start_lba, old.sectors))
    };
    let stay = || before.partitions.iter().filter(|old| !plan.removes(old.number));
    let created = |number: u32| {
        let mut places = plan.steps.iter().filter_map(|step| match step {
            Step::CreatePartition { partition, at, .. } if *partition == number => {
                Some((at.start, at.count()))
            }
            _ => None,
        });
        places.next_back().unwrap_or_default()
    };
    for old in stay() {
        let same = after.partition(old.number).is_some_and(|new| {
            (
                new.kind,
                new.unique_guid,
                new.attributes,
                &new.name,
                new.is_active,
            ) == (
                old.kind,
                old.unique_guid,
                old.attributes,
                &old.name,
                old.is_active,
            ) && (new.start_lba, new.sectors) == planned(old.number, old)
        });
        if !same {
            return item(what, false, format!("partition {} is not as planned", old.number));
        }
    }
    let new: Vec<&Partition> = after
        .partitions
        .iter()
        .filter(|p| plan.creates(p.number))
        .collect();
    if let Some(wrong) = new
        .iter()
        .find(|p| !p.is_recovery_type() || (p.start_lba, p.sectors) != created(p.number))
    {
        return item(
            what,
            false,
            format!("new partition {} is not as planned", wrong.number),
        );
    }
    let same_count = stay().count() + new.len() == after.partitions.len();
    item(
        what,
        same_count,
        format!(
            "{} partitions, {}",
            after.partitions.len(),
            if changes_entries(plan) {
                "as planned"
            } else {
                "unchanged but for the borders that move"
            }
        ),
    )
}

/// Whether a partition comes, goes or gets another place.
fn changes_entries(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| {
        matches!(
            step,
            Step::CreatePartition { .. } | Step::RemovePartition { .. } | Step::MoveVolume { .. }
        )
    })
}
