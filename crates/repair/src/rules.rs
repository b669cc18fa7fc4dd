//! The two space rules of WinRE, with their sources.

use crate::report::RuleReport;
use crate::text;
use crate::text::{Bytes, Text};

/// Free bytes that servicing wants in the recovery volume with the present image in place (Microsoft KB5028997 and
/// the update texts that refer to it).
pub const SERVICING_FREE_BYTES: u64 = 250 << 20;
/// Free bytes beyond the image that `reagentc /enable` and Setup want where they place it: exactly 54,525,952, as
/// their log lines `MeetPartitionRequirements` show.
pub const PLACEMENT_MARGIN_BYTES: u64 = 52 << 20;
/// Size that a recovery partition gets at least.
pub const TARGET_SIZE_BYTES: u64 = 1000 << 20;
/// Size that a recovery partition gets at most: above it Windows and people take it for a factory image.
pub const SIZE_BYTES_MAX: u64 = 2 << 30;
/// Free bytes that a repair leaves: servicing's, and the placement margin on top for an image that grows.
pub const TARGET_FREE_BYTES: u64 = SERVICING_FREE_BYTES + PLACEMENT_MARGIN_BYTES;

/// What `reagentc /enable` puts beside an image: boot.sdi of 3,170,304 bytes and ReAgent.xml, in whole MiB.
pub const BESIDE_IMAGE_BYTES: u64 = 4 << 20;

/// Both rules applied to a volume that an image of `image_bytes` more than it holds has yet to come to.
pub fn with_image_to_come(free_bytes: u64, image_bytes: u64) -> Vec<RuleReport> {
    let rule = |code, rule: Text, margin_bytes: u64, sum: fn(Sum) -> Text| {
        let required_bytes = image_bytes.saturating_add(margin_bytes);
        let met = free_bytes >= required_bytes;
        RuleReport {
            code,
            rule,
            required_bytes,
            available_bytes: free_bytes,
            arithmetic: sum(Sum {
                free: Bytes(free_bytes),
                relation: relation(met),
                image: Bytes(image_bytes),
                needed: Bytes(required_bytes),
            }),
            met,
        }
    };
    vec![
        rule(
            "servicing",
            text!("Windows Update needs 250 MiB free next to the image once it is there"),
            SERVICING_FREE_BYTES + BESIDE_IMAGE_BYTES,
            |sum| {
                text!(
                    "{free} free {relation} {image} image to come + 4 MiB boot files + 250 MiB = {needed}",
                    free = sum.free,
                    relation = sum.relation,
                    image = sum.image,
                    needed = sum.needed
                )
            },
        ),
        rule(
            "placement",
            text!("reagentc places an image only where it fits with 52 MiB to spare"),
            PLACEMENT_MARGIN_BYTES,
            |sum| {
                text!(
                    "{free} free {relation} {image} image to come + 52 MiB = {needed}",
                    free = sum.free,
                    relation = sum.relation,
                    image = sum.image,
                    needed = sum.needed
                )
            },
        ),
    ]
}

/// What the sum of an image to come is made of.
struct Sum {
    free: Bytes,
    relation: &'static str,
    image: Bytes,
    needed: Bytes,
}

fn relation(met: bool) -> &'static str {
    if met { ">=" } else { "<" }
}

/// The servicing rule applied.
pub fn servicing(free_bytes: u64) -> RuleReport {
    let met = free_bytes >= SERVICING_FREE_BYTES;
    RuleReport {
        code: "servicing",
        rule: text!("Windows Update needs 250 MiB free next to the present image to service it"),
        required_bytes: SERVICING_FREE_BYTES,
        available_bytes: free_bytes,
        arithmetic: text!(
            "{free} free {relation} {needed}",
            free = Bytes(free_bytes),
            relation = relation(met),
            needed = Bytes(SERVICING_FREE_BYTES)
        ),
        met,
    }
}

/// The placement rule applied: the present image counts as space, because it is replaced.
pub fn placement(free_bytes: u64, image_bytes: u64) -> RuleReport {
    // Both come from the disk, where a damaged size can be anything.
    let available_bytes = free_bytes.saturating_add(image_bytes);
    let required_bytes = image_bytes.saturating_add(PLACEMENT_MARGIN_BYTES);
    let met = available_bytes >= required_bytes;
    RuleReport {
        code: "placement",
        rule: text!("reagentc and Setup place an image only where it fits with 52 MiB to spare"),
        required_bytes,
        available_bytes,
        arithmetic: text!(
            "{free} free + {image} image = {available} {relation} {image} image + 52 MiB = {needed}",
            free = Bytes(free_bytes),
            image = Bytes(image_bytes),
            available = Bytes(available_bytes),
            relation = relation(met),
            needed = Bytes(required_bytes)
        ),
        met,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margins_are_those_of_microsofts_log_lines() {
        // Two machines' logs: image and required bytes.
        assert_eq!(placement(0, 695_151_930).required_bytes, 749_677_882);
        assert_eq!(placement(0, 822_021_945).required_bytes, 876_547_897);
    }

    #[test]
    fn an_image_to_come_is_asked_for_on_top() {
        let met = |free_bytes| {
            with_image_to_come(free_bytes, 441 << 20)
                .into_iter()
                .map(|rule| rule.met)
        };
        assert!(met(695 << 20).eq([true, true]));
        assert!(met((695 << 20) - 1).eq([false, true]));
        assert!(met((493 << 20) - 1).eq([false, false]));
        // A size from a damaged record.
        assert!(with_image_to_come(1, u64::MAX).iter().all(|rule| !rule.met));
    }

    #[test]
    fn both_rules_hold_exactly_at_their_limit() {
        assert!(servicing(250 << 20).met && !servicing((250 << 20) - 1).met);
        assert!(placement(52 << 20, 7).met && !placement((52 << 20) - 1, 7).met);
    }
}
