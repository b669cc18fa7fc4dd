//! The finding on a Windows whose recovery environment is disabled: where its image is, and whether there is room for it.

use super::finding;
use super::images::{searched, where_from};
use super::partitions::is_in_use;
use super::winre::{CHECK, capital, lacks_room, pointer};
use crate::explain::size;
use crate::observation::{Observation, Partition, WinRe, Windows};
use crate::observe::images::STAGED_IMAGE;
use crate::report::{FindingReport, Severity};
use crate::rules::SIZE_BYTES_MAX;
use crate::select;
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
        Some(image) => format!("Its image waits in {} ({}).", image.path, size(image.size_bytes)),
        None => "Its image is nowhere on this Windows volume.".to_owned(),
    };
    let (place, before) = room(observation, &free, image);
    let copy = match image {
        Some(_) if staged => None,
        Some(image) => Some(format!(
            r"`xcopy /h C:{} C:\Windows\System32\Recovery\`",
            image.path
        )),
        None => Some(where_from(observation, windows)),
    };
    let enable = match copy {
        None => "run `reagentc /enable` in that Windows as administrator".to_owned(),
        Some(copy) => format!(
            "in that Windows, in a Command Prompt (not PowerShell) of an administrator: {copy}; `reagentc /enable`"
        ),
    };
    let check = if free.is_empty() {
        "That puts the image on the Windows volume, unless BitLocker encrypts it"
    } else {
        CHECK
    };
    let next = capital(&format!("{before}{enable}. {check}."));
    let mut rests_on = vec![pointer(windows)];
    rests_on.extend(searched(observation, windows, None));
    finding(
        "winre-disabled",
        Severity::Warning,
        format!(
            "WinRE of the Windows on partition {} is disabled",
            windows.partition
        ),
        format!("This Windows has no recovery environment, and gets no updates for one. {waits} {place}"),
        next,
        rests_on,
    )
}

/// Whether a recovery partition has room for the image that is to come; and what has to be done before it comes.
fn room(observation: &Observation, free: &[&Partition], image: Option<&WinRe>) -> (String, String) {
    match free {
        [] => (
            "There is no recovery partition for it, so Windows would put it on its own volume.".to_owned(),
            "`winrefit plan` shows whether a recovery partition can be made. Without one, ".to_owned(),
        ),
        [only] => {
            let number = only.number;
            let chosen = select::recovery_partition(observation, None).is_ok_and(|p| p.number == number);
            let option = if chosen {
                String::new()
            } else {
                format!(", both with --recovery-partition {number}")
            };
            match image {
                Some(_) if lacks_room(observation, only) => (
                    format!("Recovery partition {number} is too small for it and its updates."),
                    format!(
                        "Enlarge the partition first: `winrefit plan`, then `winrefit fix`{option}. Then "
                    ),
                ),
                Some(_) => (
                    format!("Recovery partition {number} has room for it and its updates."),
                    String::new(),
                ),
                None => (
                    format!(
                        "Recovery partition {number} is {} large and holds none either.",
                        size(only.range.len())
                    ),
                    String::new(),
                ),
            }
        }
        several => {
            let numbers: Vec<String> = several.iter().map(|p| p.number.to_string()).collect();
            (
                format!(
                    "Recovery partitions {} are there; which one Windows takes depends on their room.",
                    numbers.join(" and ")
                ),
                "Choose one and look whether it is large enough: `winrefit plan` with --recovery-partition N. Then "
                    .to_owned(),
            )
        }
    }
}
