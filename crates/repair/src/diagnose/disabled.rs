//! The finding on a Windows whose recovery environment is disabled: where its image is, and whether there is room for it.

use super::finding;
use super::images::{searched, where_from};
use super::partitions::is_in_use;
use super::winre::{Before, check_place, in_command_prompt, lacks_room, pointer};
use crate::observation::{Observation, Partition, WinRe, Windows};
use crate::observe::images::STAGED_IMAGE;
use crate::report::{FindingReport, Severity};
use crate::rules::SIZE_BYTES_MAX;
use crate::select;
use crate::text;
use crate::text::{Bytes, Text};
use crate::winre::waiting_image;

pub(super) fn finding_on(observation: &Observation, windows: &Windows) -> FindingReport {
    let image = waiting_image(observation, windows);
    let staged = image.is_some_and(|image| image.path == STAGED_IMAGE);
    let free: Vec<&Partition> = observation
        .partitions
        .iter()
        .filter(|p| p.is_recovery_type() && p.ntfs().is_some() && !is_in_use(observation, p))
        .filter(|p| p.range.len() <= SIZE_BYTES_MAX)
        .collect();
    let waits = match image {
        Some(image) => text!(
            "Its image waits in {path} ({size}).",
            path = &image.path,
            size = Bytes(image.size_bytes)
        ),
        None => text!("Its image is nowhere on this Windows volume."),
    };
    let (place, before) = room(observation, &free, image);
    let kind = match (free.is_empty(), before.is_empty()) {
        (true, _) => Before::OtherWay,
        (false, false) => Before::Step,
        (false, true) => Before::Nothing,
    };
    let copy = match image {
        Some(_) if staged => None,
        Some(image) => Some(Text::raw(format!(
            r"`xcopy /h C:{} C:\Windows\System32\Recovery\`",
            image.path
        ))),
        None => Some(where_from(observation, windows)),
    };
    let enable = match copy {
        None => enable_at_once(kind),
        Some(copy) => in_command_prompt(kind, [copy, Text::raw("`reagentc /enable`")]),
    };
    let check = if free.is_empty() {
        text!("That puts the image on the Windows volume, unless BitLocker encrypts it.")
    } else {
        check_place()
    };
    let next = Text::sentences([before, enable, check]);
    let mut rests_on = vec![pointer(windows)];
    rests_on.extend(searched(observation, windows, None));
    finding(
        "winre-disabled",
        Severity::Warning,
        text!(
            "WinRE of the Windows on partition {number} is disabled",
            number = windows.partition
        ),
        Text::sentences([
            text!("This Windows has no recovery environment, and gets no updates for one."),
            waits,
            place,
        ]),
        next,
        rests_on,
    )
}

fn enable_at_once(before: Before) -> Text {
    match before {
        Before::Nothing => text!("Run `reagentc /enable` in that Windows as administrator."),
        Before::Step => text!("Then run `reagentc /enable` in that Windows as administrator."),
        Before::OtherWay => {
            text!("Without one, run `reagentc /enable` in that Windows as administrator.")
        }
    }
}

/// Whether a recovery partition has room for the image that is to come; and what has to be done before it comes.
fn room(observation: &Observation, free: &[&Partition], image: Option<&WinRe>) -> (Text, Text) {
    match free {
        [] => (
            text!("There is no recovery partition for it, so Windows would put it on its own volume."),
            text!("`winrefit plan` shows whether a recovery partition can be made."),
        ),
        [only] => {
            let number = only.number;
            let chosen = select::recovery_partition(observation, None).is_ok_and(|p| p.number == number);
            let enlarge = if chosen {
                text!("Enlarge the partition first: `winrefit plan`, then `winrefit fix`.")
            } else {
                text!(
                    "Enlarge the partition first: `winrefit plan`, then `winrefit fix`, both with \
                     --recovery-partition {number}.",
                    number
                )
            };
            match image {
                Some(_) if lacks_room(observation, only) => (
                    text!(
                        "Recovery partition {number} is too small for it and its updates.",
                        number
                    ),
                    enlarge,
                ),
                Some(_) => (
                    text!(
                        "Recovery partition {number} has room for it and its updates.",
                        number
                    ),
                    Text::empty(),
                ),
                None => (
                    text!(
                        "Recovery partition {number} is {size} large and holds none either.",
                        number,
                        size = Bytes(only.range.len())
                    ),
                    Text::empty(),
                ),
            }
        }
        several => {
            let numbers = Text::all_of(several.iter().map(|p| p.number.into()));
            (
                text!(
                    "Recovery partitions {numbers} are there; which one Windows takes depends on their room.",
                    numbers
                ),
                text!(
                    "Choose one and look whether it is large enough: `winrefit plan` with --recovery-partition N."
                ),
            )
        }
    }
}
