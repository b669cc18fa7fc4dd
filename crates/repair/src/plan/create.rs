//! A recovery partition where there is none.
//!
//! It comes with the image that Windows has put aside, so that `reagentc /enable` finds all that it needs there. To
//! enable WinRE from outside would take new objects in the boot store; docs/adr/0011-create.md says why that is left to
//! Windows.

use super::at_rest::{check_volume, windows_at_rest};
use super::neighbourhood::ALIGNMENT_BYTES;
use super::relocate::{Room, place_for};
use super::{Plan, Request, Sectors, Step, Strategy};
use crate::observation::{Observation, Partition, WinRe, Windows};
use crate::observe::WINRE_IMAGE;
use crate::observe::images::STAGED_IMAGE;
use crate::refusal::{NoCreate, Refusal};
use crate::rules::{
    BESIDE_IMAGE_BYTES, SERVICING_FREE_BYTES, SIZE_BYTES_MAX, TARGET_FREE_BYTES, TARGET_SIZE_BYTES,
};
use crate::winre::is_on_own_volume;

/// What the file system itself takes of a volume of this size: $LogFile, $MFT, $UpCase, $Bitmap and the like.
const FILE_SYSTEM_BYTES: u64 = 16 << 20;
/// Slots that are looked at for a number: a GPT has 128 as a rule, an MBR four.
const SLOTS_MAX: u32 = 1024;

/// Makes a recovery partition for the only Windows of the disk, if it has none.
///
/// # Errors
/// `refusal` where that is not the case; what stands against it where it is.
pub(super) fn create(
    observation: &Observation,
    request: &Request,
    refusal: Refusal,
) -> Result<Plan, Refusal> {
    let Some((windows, partition, image)) = source(observation) else {
        return Err(because(refusal, reason(observation)));
    };
    if is_on_own_volume(observation, windows) && !request.create {
        let number = partition.number;
        return Err(Refusal::OnOwnVolume { number });
    }
    check_volume(partition)?;
    windows_at_rest(observation)?;
    let beside_bytes = request.free_bytes.unwrap_or(match request.size_bytes {
        Some(_) => SERVICING_FREE_BYTES,
        None => TARGET_FREE_BYTES,
    });
    let needed_bytes = image
        .size_bytes
        .saturating_add(beside_bytes)
        .saturating_add(FILE_SYSTEM_BYTES + BESIDE_IMAGE_BYTES);
    let default_bytes = if request.free_bytes.is_some() {
        0
    } else {
        TARGET_SIZE_BYTES
    };
    let wanted_bytes = needed_bytes.max(request.size_bytes.unwrap_or(default_bytes));
    if wanted_bytes > SIZE_BYTES_MAX {
        return Err(Refusal::TargetTooLarge { wanted_bytes });
    }
    let number = free_number(observation).ok_or(Refusal::NoSlot)?;
    let sector = observation.sector_size.bytes();
    let room = Room {
        partition: None,
        beside: partition.number,
        sectors: wanted_bytes.next_multiple_of(ALIGNMENT_BYTES) / sector,
    };
    let no_room = NoCreate::NoRoom {
        number: partition.number,
        needed_bytes: room.sectors * sector,
    };
    let place = place_for(observation, room, request);
    let (first, place) =
        place.map_err(|against| against.unwrap_or_else(|| because(refusal, Some(no_room))))?;
    let at = Sectors {
        start: place.start.0,
        end: place.end.0,
    };
    let step = Step::CreatePartition {
        partition: number,
        at,
        windows: windows.partition,
        image: image.path.clone(),
        image_bytes: image.size_bytes,
    };
    let plan = Plan {
        strategy: Strategy::Create,
        recovery_partition: Some(number),
        free_bytes: 0,
        target_free_bytes: beside_bytes,
        growth_bytes: at.count() * sector,
        steps: vec![step],
        then: None,
    };
    if first.is_empty() {
        return Ok(plan);
    }
    Ok(Plan {
        steps: first,
        then: Some(Box::new(plan.clone())),
        ..plan
    })
}

/// Whether a recovery partition is made without being asked for: there is none, and nothing on the disk works as one. What
/// stands against it where space or the state of a volume does, only a plan says.
pub(crate) fn can_create(observation: &Observation) -> bool {
    source(observation).is_some_and(|(windows, ..)| !is_on_own_volume(observation, windows))
}

/// The only Windows of the disk, its partition, and the image that it has put aside or uses on its own volume.
fn source(observation: &Observation) -> Option<(&Windows, &Partition, &WinRe)> {
    let [windows] = &observation.windows[..] else {
        return None;
    };
    let state = windows.readable_reagent()?.install_state;
    let partition = observation.partition(windows.partition)?;
    let uses_own = windows.recovery_partition == Some(windows.partition);
    let is_free = state == Some(0) || uses_own;
    let image = [STAGED_IMAGE, WINRE_IMAGE]
        .into_iter()
        .find_map(|path| partition.image(path))
        .filter(|image| image.version.is_ok() && is_free);
    let mut all = observation.partitions.iter();
    // One that is there is enlarged instead, or nobody knows whose it is.
    let none_there = !all.any(Partition::is_recovery_type);
    image
        .filter(|_| none_there)
        .map(|image| (windows, partition, image))
}

/// The refusal with the reason why no partition can be made; one that says more than that there is none stays.
fn because(refusal: Refusal, reason: Option<NoCreate>) -> Refusal {
    match (refusal, reason) {
        (Refusal::NoRecoveryPartition, Some(reason)) => Refusal::CannotCreate { reason },
        (refusal, _) => refusal,
    }
}

/// What [`source`] lacks.
fn reason(observation: &Observation) -> Option<NoCreate> {
    let windows = match &observation.windows[..] {
        [] => return Some(NoCreate::NoWindows),
        [windows] => windows,
        several => {
            let numbers = several.iter().map(|w| w.partition).collect();
            return Some(NoCreate::SeveralWindows { numbers });
        }
    };
    let number = windows.partition;
    let Some(reagent) = windows.readable_reagent() else {
        return Some(NoCreate::UnknownState { number });
    };
    if reagent.install_state != Some(0) && windows.recovery_partition != Some(number) {
        return Some(NoCreate::InUseElsewhere { number });
    }
    Some(NoCreate::NoImage { number })
}

/// The first number that no partition has and the table has a slot for.
fn free_number(observation: &Observation) -> Option<u32> {
    let slots = observation.table.slots().min(SLOTS_MAX);
    (1..=slots).find(|&number| !observation.table.is_slot_used(number))
}
