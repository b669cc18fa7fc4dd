//! Every partition is one that was there before, or that the plan makes.

use super::item;
use crate::observation::{Observation, Partition};
use crate::plan::{Plan, Step};
use crate::report::VerificationItem;
use crate::table::DiskId;
use crate::{counted, text};

/// Every partition is where the plan says (or where it was), with all else unchanged.
pub(super) fn partitions_item(before: &Observation, after: &Observation, plan: &Plan) -> VerificationItem {
    let what = match before.table.id {
        DiskId::Gpt(_) => text!("Number, type, unique GUID, attributes and name of every partition"),
        DiskId::Mbr(_) => text!("Number, type and active flag of every partition"),
    };
    let planned = |number: u32, old: (u64, u64)| {
        let place = plan.place_of(number);
        place.map_or(old, |place| (place.start, place.count()))
    };
    let stay = || before.partitions.iter().filter(|old| !plan.removes(old.number));
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
            ) && (new.start_lba, new.sectors) == planned(old.number, (old.start_lba, old.sectors))
        });
        if !same {
            return item(
                what,
                false,
                text!("partition {number} is not as planned", number = old.number),
            );
        }
    }
    let new: Vec<&Partition> = after
        .partitions
        .iter()
        .filter(|p| plan.creates(p.number))
        .collect();
    if let Some(wrong) = new
        .iter()
        .find(|p| !p.is_recovery_type() || (p.start_lba, p.sectors) != planned(p.number, (0, 0)))
    {
        return item(
            what,
            false,
            text!("new partition {number} is not as planned", number = wrong.number),
        );
    }
    let same_count = stay().count() + new.len() == after.partitions.len();
    let count = after.partitions.len();
    let detail = if !plan.changes_table() {
        counted!(count, "1 partition, as before", "{n} partitions, as before")
    } else if changes_entries(plan) {
        counted!(count, "1 partition, as planned", "{n} partitions, as planned")
    } else {
        counted!(
            count,
            "1 partition, unchanged but for the borders that move",
            "{n} partitions, unchanged but for the borders that move"
        )
    };
    item(what, same_count, detail)
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
