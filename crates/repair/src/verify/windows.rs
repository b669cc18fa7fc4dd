//! What verification says of the recovery environment of a Windows.

use super::item;
use crate::observation::{Observation, Windows};
use crate::report::VerificationItem;
use crate::winre::{State, state};

/// Whether its ReAgent.xml names a place on the disk, and whether the image is there.
pub(super) fn items(observation: &Observation, windows: &Windows) -> Vec<VerificationItem> {
    let what = format!("ReAgent.xml of Windows on partition {}", windows.partition);
    let named = match (&windows.reagent, windows.recovery_partition) {
        (Some(Ok(reagent)), _) if reagent.install_state == Some(0) => item(what, false, "WinRE is disabled"),
        (Some(Ok(_)), Some(number)) => item(what, true, format!("names partition {number}")),
        (Some(Ok(_)), None) => item(what, false, "names no partition of this disk"),
        (Some(Err(problem)), _) => item(what, false, problem.clone()),
        (None, _) => item(what, false, "there is none"),
    };
    let gone = matches!(state(observation, windows), State::Gone(_)).then(|| {
        let what = format!("WinRE image of Windows on partition {}", windows.partition);
        let path = windows.image_path().unwrap_or_default();
        item(what, false, format!("{path} is not where ReAgent.xml says"))
    });
    [named].into_iter().chain(gone).collect()
}
