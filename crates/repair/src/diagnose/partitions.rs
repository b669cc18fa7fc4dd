//! Findings on recovery partitions: room, and who uses them.

use super::images::{describe, not_there, on_partition};
use super::winre::at_reagent;
use super::{evidence, finding};
use crate::advice::{decrypt, inside};
use crate::observation::{Content, Observation, Partition, Windows};
use crate::report::{Evidence, FindingReport, Severity};
use crate::rules::SIZE_BYTES_MAX;
use crate::select;
use crate::text;
use crate::text::{Bytes, Text};
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
    let awaits_image = image_to_come_bytes(observation, partition) > 0;
    let consequence = if !awaits_image {
        text!(
            "Until then Windows Update cannot service WinRE: the update fails with 0x80070643, or is silently not offered."
        )
    } else if broken.iter().any(|rule| rule.code == "placement") {
        text!("As it is, the image does not fit, and Windows would put it on its own volume.")
    } else {
        text!("As it is, the image fits, and its updates do not.")
    };
    let next = if partition.range.len() > SIZE_BYTES_MAX {
        inside(number)
    } else if several {
        text!(
            "Run `winrefit plan` with --recovery-partition {number} to see how room can be made, then `winrefit fix` with \
             the same.",
            number
        )
    } else {
        text!("Run `winrefit plan` to see how room can be made, then `winrefit fix`.")
    };
    let source = text!("partition {number}, $Bitmap", number);
    Some(finding(
        "re-too-small",
        Severity::Problem,
        too_small(several.then_some(number), awaits_image),
        Text::sentences([
            text!(
                "{missing} more have to be free on partition {number}.",
                missing = Bytes(missing),
                number
            ),
            consequence,
        ]),
        next,
        broken
            .iter()
            .map(|rule| evidence(&source, rule.named_arithmetic()))
            .collect(),
    ))
}

/// That a partition is too small; its number, where it is not the only one.
fn too_small(number: Option<u32>, awaits_image: bool) -> Text {
    match (number, awaits_image) {
        (Some(number), true) => text!(
            "Recovery partition {number} is too small for the image that is to come",
            number
        ),
        (None, true) => text!("The recovery partition is too small for the image that is to come"),
        (Some(number), false) => text!(
            "Recovery partition {number} is too small for its next update",
            number
        ),
        (None, false) => text!("The recovery partition is too small for its next update"),
    }
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
            text!("uses recovery partition {recovery}", recovery),
        ))
    };
    let numbers = Text::listed(used.iter().map(|p| p.number.into()));
    Some(finding(
        "several-windows",
        Severity::Note,
        text!("Several Windows use recovery partitions of their own"),
        text!(
            "Each is judged by itself: {numbers}. A repair enlarges one at a time.",
            numbers
        ),
        text!("Say which one with --recovery-partition N, for plan and for fix."),
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
            text!("Recovery partition {number} holds no WinRE image", number),
            text!("It is formatted, and no Windows on this disk uses it."),
            text!(
                "Nothing has to be done about the partition; `reagentc /enable` puts an image there if it has room."
            ),
            vec![evidence(text!("partition {number}", number), not_there())],
        ));
    }
    if select::recovery_partition(observation, named).is_ok_and(|p| p.number == number) {
        return None;
    }
    Some(unreferenced(observation, number))
}

/// No Windows that can be read uses the partition.
fn unreferenced(observation: &Observation, number: u32) -> FindingReport {
    let (detail, next) = match hidden_windows(observation) {
        Some(hidden) => (
            text!(
                "The Windows that uses it may be the one on partition {number}, which cannot be read.",
                number = hidden.number
            ),
            match hidden.content {
                Content::BitLocker => decrypt(),
                _ => text!(
                    "Cure first what is found on partition {number}, or name this one with --recovery-partition.",
                    number = hidden.number
                ),
            },
        ),
        // The commands refuse a partition that no Windows here can have any use for.
        None if select::recovery_partition(observation, Some(number)).is_err() => (
            text!("It may belong to another disk, or be a leftover. Every Windows here uses another one."),
            text!("Nothing has to be done about it, and it is not changed."),
        ),
        None => (
            text!("It may belong to another disk, or be a leftover. It is not changed unless it is named."),
            text!(
                "If you know that it is the right one, add --recovery-partition {number}.",
                number
            ),
        ),
    };
    finding(
        "no-windows-reference",
        Severity::Warning,
        text!(
            "No Windows on this disk refers to recovery partition {number}",
            number
        ),
        detail,
        next,
        vec![evidence(
            text!("ReAgent.xml of every Windows found"),
            text!("none names this partition"),
        )],
    )
}

/// Another recovery partition is the active one.
fn leftover(partition: &Partition) -> FindingReport {
    let number = partition.number;
    let mut rests_on: Vec<Evidence> = partition
        .images()
        .map(|image| evidence(on_partition(number, &image.path), describe(image)))
        .collect();
    if rests_on.is_empty() {
        let found = match partition.ntfs() {
            Some(_) => not_there(),
            None => text!(
                "holds no NTFS volume; found: {found}",
                found = partition.content.text()
            ),
        };
        rests_on.push(evidence(text!("partition {number}", number), found));
    }
    let kind = if partition.range.len() > SIZE_BYTES_MAX {
        text!("Of this size it is probably a computer maker's factory image.")
    } else {
        text!("Upgrades of Windows leave such partitions behind.")
    };
    finding(
        "leftover-recovery-partition",
        Severity::Note,
        text!(
            "Recovery partition {number} of {size} is not the active one",
            number,
            size = Bytes(partition.range.len())
        ),
        Text::sentences([
            text!("No Windows on this disk names it in its ReAgent.xml, and another place is in use."),
            kind,
        ]),
        if partition.range.len() > SIZE_BYTES_MAX {
            text!("It is never touched.")
        } else {
            text!(
                "It is not touched unless you name it: `winrefit plan --remove-stale {number}` shows whether it can \
                 go, and what that gives.",
                number
            )
        },
        rests_on,
    )
}
