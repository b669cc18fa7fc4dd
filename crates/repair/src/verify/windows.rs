//! What verification says of the recovery environment of a Windows.

use super::item;
use crate::observation::{Observation, Windows};
use crate::report::VerificationItem;
use crate::text;
use crate::text::Text;
use crate::winre::{State, state};

/// Whether its ReAgent.xml names a place on the disk, and whether the image is there.
pub(super) fn items(observation: &Observation, windows: &Windows) -> Vec<VerificationItem> {
    let what = text!(
        "ReAgent.xml of Windows on partition {number}",
        number = windows.partition
    );
    let named = match (&windows.reagent, windows.recovery_partition) {
        (Some(Ok(reagent)), _) if reagent.install_state == Some(0) => {
            item(what, false, text!("WinRE is disabled"))
        }
        (Some(Ok(_)), Some(number)) => item(what, true, text!("names partition {number}", number)),
        (Some(Ok(_)), None) => item(what, false, text!("names no partition of this disk")),
        (Some(Err(problem)), _) => item(what, false, Text::raw(problem)),
        (None, _) => item(what, false, text!("there is none")),
    };
    let gone = matches!(state(observation, windows), State::Gone(_)).then(|| {
        let what = text!(
            "WinRE image of Windows on partition {number}",
            number = windows.partition
        );
        let path = windows.image_path().unwrap_or_default();
        item(what, false, text!("{path} is not where ReAgent.xml says", path))
    });
    [named].into_iter().chain(gone).collect()
}
