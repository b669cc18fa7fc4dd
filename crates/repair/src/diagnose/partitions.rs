//! Findings on recovery partitions: room, and who uses them.

use super::images::{describe, not_there};
use super::winre::at_reagent;
use super::{evidence, finding};
use crate::explain::size;
use crate::observation::{Observation, Partition, Windows};
use crate::report::{Evidence, FindingReport, Severity};
use crate::rules::SIZE_BYTES_MAX;
use crate::select;
use crate::winre::{
    State, hidden_windows, image_in_use, image_to_come_bytes, partition_to_be_used, space_rules, state,
};

/// A recovery partition that is judged, and has not the room that the rules want.
pub(super) fn space(
    observation: &Observation,
    partition: &Partition,
    several: bool,
) -> Option<FindingReport> {
    let rules = space_rules(observation, partition);
    let broken: Vec<_> = rules.iter().filter(|rule| !rule.met).collect();
    let missing = broken
        .iter()
        .map(|rule| rule.required_bytes.saturating_sub(rule.available_bytes))
        .max()?;
    let number = partition.number;
    let which = if several {
        format!("Recovery partition {number}")
    } else {
        "The recovery partition".to_owned()
    };
    let (title, consequence) = if image_to_come_bytes(observation, partition) > 0 {
        (
            format!("{which} is too small for the image that is to come"),
            if broken.iter().any(|rule| rule.code == "placement") {
                "As it is, the image does not fit, and Windows would put it on its own volume."
            } else {
                "As it is, the image fits, and its updates do not."
            },
        )
    } else {
        (
            format!("{which} is too small for its next update"),
            "Until then Windows Update cannot service WinRE: the update fails with 0x80070643, or is silently not \
             offered.",
        )
    };
    let next = if several {
        format!("Run `winrefit plan` with --recovery-partition {number} to see how room can be made.")
    } else {
        "Run `winrefit plan` to see how room can be made, then `winrefit fix`.".to_owned()
    };
    let source = format!("partition {number}, $Bitmap");
    Some(finding(
        "re-too-small",
        Severity::Problem,
        title,
        format!(
            "{} more have to be free on partition {number}. {consequence}",
            size(missing)
        ),
        next,
        broken
            .iter()
            .map(|rule| evidence(source.clone(), format!("{}: {}", rule.code, rule.arithmetic)))
            .collect(),
    ))
}

/// Several Windows with a recovery partition each.
pub(super) fn several(observation: &Observation, used: &[&Partition]) -> Option<FindingReport> {
    if used.len() < 2 {
        return None;
    }
    let of = |windows: &Windows| {
        let recovery = windows.recovery_partition?;
        Some(evidence(
            at_reagent(windows),
            format!("uses recovery partition {recovery}"),
        ))
    };
    let numbers: Vec<String> = used.iter().map(|p| p.number.to_string()).collect();
    Some(finding(
        "several-windows",
        Severity::Note,
        "Several Windows use recovery partitions of their own",
        format!(
            "Each is judged by itself: {}. A repair enlarges one at a time.",
            numbers.join(", ")
        ),
        "Say which one with --recovery-partition N, for plan and for fix.",
        observation.windows.iter().filter_map(of).collect(),
    ))
}

/// Whether ReAgent.xml of any Windows on the disk names the partition.
pub(super) fn is_named(observation: &Observation, partition: &Partition) -> bool {
    observation
        .windows
        .iter()
        .any(|w| w.recovery_partition == Some(partition.number))
}

/// Whether an enabled WinRE is on the partition.
pub(super) fn is_in_use(observation: &Observation, partition: &Partition) -> bool {
    image_in_use(observation, partition).is_some()
}

/// A recovery partition that no Windows names.
pub(super) fn unnamed(
    observation: &Observation,
    partition: &Partition,
    named: Option<u32>,
) -> Option<FindingReport> {
    if !partition.is_recovery_type() || is_named(observation, partition) {
        return None;
    }
    let number = partition.number;
    let in_use = observation
        .windows
        .iter()
        .any(|w| matches!(state(observation, w), State::Present(..)));
    // What the boot store starts has a finding of its own, and what Windows may be told to use is none.
    let is_wanted = observation.boot_store_of(number).is_some()
        || partition_to_be_used(observation)
            .is_some_and(|wanted| wanted.number == number && wanted.winre.is_some());
    if in_use && is_wanted {
        return None;
    }
    if in_use && hidden_windows(observation).is_none() {
        return Some(leftover(partition));
    }
    if partition.ntfs().is_some() && partition.images().next().is_none() && !observation.windows.is_empty() {
        return Some(finding(
            "re-empty",
            Severity::Note,
            format!("Recovery partition {number} holds no WinRE image"),
            "It is formatted, and no Windows on this disk uses it.",
            "Nothing has to be done about the partition; `reagentc /enable` puts an image there if it has room.",
            vec![evidence(format!("partition {number}"), not_there())],
        ));
    }
    if select::recovery_partition(observation, named).is_ok_and(|p| p.number == number) {
        return None;
    }
    let (detail, next) = match hidden_windows(observation) {
        Some(hidden) => (
            format!(
                "The Windows that uses it may be the one on partition {}, which cannot be read.",
                hidden.number
            ),
            format!("Look at what is found on partition {}.", hidden.number),
        ),
        None => (
            "It may belong to another disk, or be a leftover. It is not changed unless it is named."
                .to_owned(),
            format!("If you know that it is the right one, add --recovery-partition {number}."),
        ),
    };
    Some(finding(
        "no-windows-reference",
        Severity::Warning,
        format!("No Windows on this disk refers to recovery partition {number}"),
        detail,
        next,
        vec![evidence(
            "ReAgent.xml of every Windows found",
            "none names this partition",
        )],
    ))
}

/// Another recovery partition is the active one.
fn leftover(partition: &Partition) -> FindingReport {
    let number = partition.number;
    let source = format!("partition {number}");
    let mut rests_on: Vec<Evidence> = partition
        .images()
        .map(|image| evidence(format!("{source}, {}", image.path), describe(image)))
        .collect();
    if rests_on.is_empty() {
        let found = match partition.ntfs() {
            Some(_) => not_there(),
            None => format!("holds no NTFS volume; found: {}", partition.content.name()),
        };
        rests_on.push(evidence(source, found));
    }
    let kind = if partition.range.len() > SIZE_BYTES_MAX {
        "Of this size it is probably a computer maker's factory image."
    } else {
        "Upgrades of Windows leave such partitions behind."
    };
    finding(
        "leftover-recovery-partition",
        Severity::Note,
        format!(
            "Recovery partition {number} of {} is not the active one",
            size(partition.range.len())
        ),
        format!("No Windows on this disk names it in its ReAgent.xml, and another place is in use. {kind}"),
        if partition.range.len() > SIZE_BYTES_MAX {
            "It is never touched.".to_owned()
        } else {
            format!(
                "It is not touched unless you name it: `winrefit plan --remove-stale {number}` shows whether it can go, and \
                 what that gives."
            )
        },
        rests_on,
    )
}
