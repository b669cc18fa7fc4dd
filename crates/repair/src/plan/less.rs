//! Whether less would be granted where something was refused for want of space.

use super::{Request, plan};
use crate::observation::Observation;
use crate::refusal::{NoCreate, Refusal};
use crate::rules::{BESIDE_IMAGE_BYTES, SERVICING_FREE_BYTES};
use crate::select::recovery_partition;
use crate::winre::image_to_come_bytes;

/// The free bytes to ask for instead: the least that updates need, where that can be had and changes something.
pub fn less(observation: &Observation, request: &Request, refusal: &Refusal) -> Option<u64> {
    let of_space = matches!(
        refusal,
        Refusal::NoDonor { .. }
            | Refusal::DonorTooFull { .. }
            | Refusal::BadClusters { .. }
            | Refusal::TargetTooLarge { .. }
            | Refusal::CannotCreate {
                reason: NoCreate::NoRoom { .. }
            }
    );
    let recovery = recovery_partition(observation, request.recovery_partition).ok();
    let awaits = recovery.is_some_and(|recovery| image_to_come_bytes(observation, recovery) > 0);
    let least_bytes = SERVICING_FREE_BYTES + if awaits { BESIDE_IMAGE_BYTES } else { 0 };
    let least = Request {
        size_bytes: None,
        free_bytes: Some(least_bytes),
        ..*request
    };
    let helps = of_space && plan(observation, &least).is_ok_and(|plan| !plan.is_empty());
    helps.then_some(least_bytes)
}
