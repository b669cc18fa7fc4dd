//! Recovery partitions that nothing uses any more: upgrades leave them behind. None goes unless the user names it.

use super::neighbourhood::sectors_of;
use super::{Request, Step};
use crate::observation::{Observation, Partition};
use crate::refusal::Refusal;
use crate::rules::SIZE_BYTES_MAX;
use crate::text;
use crate::text::Text;
use crate::winre::hidden_windows;

/// The step that removes the partition that the request names, if it names one and nothing uses that.
pub(super) fn remove(
    observation: &Observation,
    recovery: &Partition,
    request: &Request,
) -> Result<Vec<Step>, Refusal> {
    let Some(number) = request.remove_stale else {
        return Ok(Vec::new());
    };
    let stale = observation
        .partition(number)
        .ok_or(Refusal::NoSuchPartition { number })?;
    if let Some(problem) = use_of(observation, recovery, stale) {
        return Err(Refusal::NotStale { number, problem });
    }
    Ok(vec![Step::RemovePartition {
        partition: number,
        before: sectors_of(stale),
    }])
}

/// What speaks against removing a partition.
fn use_of(observation: &Observation, recovery: &Partition, stale: &Partition) -> Option<Text> {
    let windows = &observation.windows;
    if !stale.is_recovery_type() {
        Some(text!("it is not of the recovery type"))
    } else if stale.number == recovery.number {
        Some(text!("it is the recovery partition that is worked on"))
    } else if windows.iter().any(|w| w.recovery_partition == Some(stale.number)) {
        Some(text!("a Windows on this disk uses it"))
    } else if observation.boot_store_of(stale.number).is_some() {
        Some(text!("the boot store starts WinRE from it"))
    } else if observation.boot_stores.iter().any(|store| store.content.is_err()) {
        Some(text!(
            "a boot store on this disk cannot be read, and may start WinRE from it"
        ))
    } else if hidden_windows(observation).is_some() {
        Some(text!(
            "a partition of this disk that cannot be read may hold a Windows that uses it"
        ))
    } else if windows.iter().any(|w| matches!(w.reagent, Some(Err(_)) | None)) || windows.is_empty() {
        Some(text!("what Windows uses cannot be read on this disk"))
    } else if stale.is_active {
        Some(text!("it is the active partition, which the machine starts from"))
    } else if stale.range.len() > SIZE_BYTES_MAX {
        Some(text!(
            "it is larger than 2 GiB, so it may be a computer maker's factory image"
        ))
    } else if stale.ebr.is_some() {
        Some(text!(
            "it is a logical partition, and those behind it would get other numbers"
        ))
    } else if stale.ntfs().is_none() {
        Some(text!("it holds no NTFS volume that could be looked at"))
    } else if has_the_only_image(observation, stale) {
        Some(text!(
            "it holds the only WinRE image on this disk, which may be needed to bring WinRE in order: do that first"
        ))
    } else {
        None
    }
}

fn has_the_only_image(observation: &Observation, stale: &Partition) -> bool {
    let mut having = observation
        .partitions
        .iter()
        .filter(|p| p.images().next().is_some());
    having.next().map(|p| p.number) == Some(stale.number) && having.next().is_none()
}
