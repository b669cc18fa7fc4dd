//! A plan in a few sentences.

use super::reset;
use crate::plan::{Plan, Request, Step, Strategy};
use crate::text;
use crate::text::{Bytes, Text};

/// What is done, and what goes before it.
pub(super) fn summary(plan: &Plan, sector: u64) -> Text {
    let removed = plan.steps.iter().find_map(|step| match step {
        Step::RemovePartition { partition, .. } => Some(*partition),
        _ => None,
    });
    let removed = removed.map(|removed| {
        text!(
            "Partition {removed}, an old recovery partition that nothing uses, goes, and its place becomes \
             unallocated.",
            removed
        )
    });
    let donor = donor(plan, sector);
    let text = match (plan.strategy, plan.recovery_partition) {
        (_, None) => reset::summary(plan),
        (Strategy::Relocate, Some(number)) => relocated(plan, number, donor),
        (Strategy::Create, Some(number)) => created(plan, number, donor),
        (_, Some(number)) => stays(plan, number, donor),
    };
    Text::sentences(removed.into_iter().chain([text]))
}

/// Nothing is done, and whether that is right depends on an image that is not there.
pub(super) fn cannot_be_judged(number: u32, plan: &Plan) -> Text {
    text!(
        "Recovery partition {number} has {free} free. Whether the image that has yet to come needs more cannot be \
         judged without an image; --free or --size make room beforehand.",
        number,
        free = Bytes(plan.free_bytes)
    )
}

/// The recovery partition keeps its place.
fn stays(plan: &Plan, number: u32, donor: Option<(u32, u64)>) -> Text {
    let growth = Bytes(plan.growth_bytes);
    match (plan.strategy, donor) {
        (Strategy::Keep, _) => text!(
            "Recovery partition {number} has {free} free: it needs no more room.",
            number,
            free = Bytes(plan.free_bytes)
        ),
        (Strategy::GrowEnd, _) => text!(
            "Recovery partition {number} gets {growth} of the unallocated space right behind it.",
            number,
            growth
        ),
        (Strategy::ShrinkGrowFront, Some((donor, given))) if given < plan.growth_bytes => text!(
            "Recovery partition {number} gets {growth} at its front: {given} from the end of partition {donor}, and \
             the unallocated space between them.",
            number,
            growth,
            given = Bytes(given),
            donor
        ),
        (Strategy::ShrinkGrowFront, Some((donor, _))) => text!(
            "The border between partition {donor} and recovery partition {number} moves: {growth} go from the end of \
             the former to the front of the latter.",
            donor,
            number,
            growth
        ),
        (Strategy::RemoveStale, _) => text!(
            "Recovery partition {number} needs no more room and stays as it is.",
            number
        ),
        _ => text!(
            "Recovery partition {number} gets {growth} of the unallocated space right before it.",
            number,
            growth
        ),
    }
}

fn relocated(plan: &Plan, number: u32, donor: Option<(u32, u64)>) -> Text {
    let growth = Bytes(plan.growth_bytes);
    match donor {
        Some((donor, given)) => Text::sentences([
            text!(
                "Recovery partition {number} cannot grow where it is, so it moves: partition {donor} gives {given} at \
                 its end, and the recovery partition gets its new place right behind it, with {growth} more.",
                number,
                donor,
                given = Bytes(given),
                growth
            ),
            old_place(plan),
            two_commits(),
        ]),
        None => Text::sentences([
            text!(
                "Recovery partition {number} cannot grow where it is, so it moves into unallocated space and gets \
                 {growth} more.",
                number,
                growth
            ),
            old_place(plan),
        ]),
    }
}

fn created(plan: &Plan, number: u32, donor: Option<(u32, u64)>) -> Text {
    let growth = Bytes(plan.growth_bytes);
    match donor {
        Some((donor, given)) => Text::sentences([
            text!(
                "Partition {donor} gives {given} at its end; partition {number}, a recovery partition of {growth} \
                 with a copy of Windows' own image, is made right behind it.",
                donor,
                given = Bytes(given),
                number,
                growth
            ),
            two_commits(),
        ]),
        None => text!(
            "Partition {number}, a recovery partition of {growth} with a copy of Windows' own image, is made in \
             unallocated space.",
            number,
            growth
        ),
    }
}

/// Said of every plan of two commits.
fn two_commits() -> Text {
    text!(
        "That takes two commits: after the first one Windows and WinRE are as they were, but for the space that was \
         given; one `winrefit undo` puts both back."
    )
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
        Step::GrowEnd { partition, .. } if plan.recovery_partition != Some(*partition) => Some(*partition),
        _ => None,
    })
}

fn old_place(plan: &Plan) -> Text {
    match heir(plan) {
        Some(heir) => text!(
            "Its old place goes to partition {heir}, whose volume grows into it.",
            heir
        ),
        None => text!("Its old place becomes unallocated."),
    }
}

/// An option that was given and changes nothing is not passed over.
pub(in crate::commands) fn idle_reclaim(plan: &Plan, request: &Request) -> Text {
    match (plan.strategy, heir(plan)) {
        _ if !request.reclaim => Text::empty(),
        (Strategy::Relocate, None) => text!(
            "--reclaim changes nothing: right before the old place there is no NTFS volume that could grow into it."
        ),
        (Strategy::Relocate, Some(_)) => Text::empty(),
        _ => text!("--reclaim changes nothing: no recovery partition leaves its place."),
    }
}
