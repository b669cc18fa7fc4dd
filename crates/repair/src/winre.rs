//! What the recovery environment of each Windows comes to, as far as the disk tells. Pure functions of an observation,
//! which selection, planning and diagnosis share.

use crate::observation::{Content, Observation, Partition, WinRe, Windows};
use crate::observe::images::{BACKUP_IMAGE, STAGED_IMAGE};
use crate::report::RuleReport;
use crate::rules::{SIZE_BYTES_MAX, placement, servicing, with_image_to_come};

/// The recovery environment of a Windows.
#[derive(Debug, Clone, Copy)]
pub enum State<'o> {
    /// There is no ReAgent.xml, or it cannot be read.
    Unknown,
    /// Switched off.
    Disabled,
    /// On, and the image is where ReAgent.xml says.
    Present(&'o Partition, &'o WinRe),
    /// On, and the image is not there. The partition, if one begins there.
    Gone(Option<&'o Partition>),
    /// On, and the partition has no volume that can be read.
    Unreadable(&'o Partition),
    /// On, on a disk of another identity.
    Elsewhere,
}

/// The state of a Windows' recovery environment.
pub fn state<'o>(observation: &'o Observation, windows: &Windows) -> State<'o> {
    let Some(reagent) = windows.readable_reagent() else {
        return State::Unknown;
    };
    let (Some(path), Some(location)) = (windows.image_path(), &reagent.winre_location) else {
        return State::Disabled;
    };
    if reagent.install_state == Some(0) {
        return State::Disabled;
    }
    if !observation.table.id.is_of(location) {
        return State::Elsewhere;
    }
    let partition = windows
        .recovery_partition
        .and_then(|number| observation.partition(number));
    let Some(partition) = partition else {
        return State::Gone(None);
    };
    if partition.ntfs().is_none() {
        return State::Unreadable(partition);
    }
    match partition.image(&path) {
        Some(image) => State::Present(partition, image),
        None => State::Gone(Some(partition)),
    }
}

/// The image that waits for a Windows on its own volume: where `reagentc /enable` takes it from, else the one that
/// servicing has kept.
pub fn waiting_image<'o>(observation: &'o Observation, windows: &Windows) -> Option<&'o WinRe> {
    let partition = observation.partition(windows.partition)?;
    partition
        .image(STAGED_IMAGE)
        .or_else(|| {
            partition
                .winre
                .as_ref()
                .filter(|_| is_on_own_volume(observation, windows))
        })
        .or_else(|| partition.image(BACKUP_IMAGE))
}

/// Whether a Windows has its WinRE on its own volume.
pub fn is_on_own_volume(observation: &Observation, windows: &Windows) -> bool {
    matches!(state(observation, windows), State::Present(place, _) if place.number == windows.partition)
}

/// The Windows whose image has yet to come to a recovery partition: WinRE is disabled, lost on this very partition, or
/// on the volume of Windows itself. Where a working WinRE is on a partition of its own, no other one is expected.
fn waiting_for<'o>(observation: &'o Observation, recovery: &Partition) -> Vec<&'o Windows> {
    let number = recovery.number;
    if image_in_use(observation, recovery).is_some() {
        return Vec::new();
    }
    let is_waiting = |windows: &&Windows| match state(observation, windows) {
        State::Gone(place) => place.is_some_and(|place| place.number == number),
        State::Disabled => windows.recovery_partition.is_none_or(|own| own == number),
        State::Present(place, _) => place.number == windows.partition,
        _ => false,
    };
    observation.windows.iter().filter(is_waiting).collect()
}

/// Whether an image has yet to come to a recovery partition.
pub fn awaits_image(observation: &Observation, recovery: &Partition) -> bool {
    !waiting_for(observation, recovery).is_empty()
}

/// Whether an image has yet to come to a recovery partition, and none that tells its size is on the disk.
pub fn awaits_unknown_image(observation: &Observation, recovery: &Partition) -> bool {
    let mut waiting = waiting_for(observation, recovery).into_iter();
    recovery.winre.is_none() && waiting.any(|windows| image_to_come(observation, windows).is_none())
}

/// The image that comes to a recovery partition for a Windows: the one that waits for it; where the one in use is gone,
/// else the largest that is left on the disk.
fn image_to_come<'o>(observation: &'o Observation, windows: &Windows) -> Option<&'o WinRe> {
    let is_gone = matches!(state(observation, windows), State::Gone(_));
    let elsewhere = || Some(image_elsewhere(observation).filter(|_| is_gone)?.1);
    waiting_image(observation, windows).or_else(elsewhere)
}

/// The largest readable image on the disk, and the partition that holds it.
pub fn image_elsewhere(observation: &Observation) -> Option<(u32, &WinRe)> {
    let all = observation.partitions.iter();
    all.flat_map(|p| p.images().map(|image| (p.number, image)))
        .filter(|(_, image)| image.version.is_ok())
        .max_by_key(|(_, image)| image.size_bytes)
}

/// Bytes by which the image that has yet to come to a recovery partition is larger than the one there, which it
/// replaces. 0 if none is known to come.
pub fn image_to_come_bytes(observation: &Observation, recovery: &Partition) -> u64 {
    let images = waiting_for(observation, recovery)
        .into_iter()
        .filter_map(|windows| image_to_come(observation, windows));
    let largest = images.map(|image| image.size_bytes).max().unwrap_or(0);
    largest.saturating_sub(recovery.winre.as_ref().map_or(0, |image| image.size_bytes))
}

/// The space rules applied to a recovery partition; none if its free space is not known.
pub fn space_rules(observation: &Observation, recovery: &Partition) -> Vec<RuleReport> {
    let Some(free_bytes) = recovery.free_bytes() else {
        return Vec::new();
    };
    let to_come = image_to_come_bytes(observation, recovery);
    if to_come > 0 {
        return with_image_to_come(free_bytes, to_come);
    }
    // Without an image there is nothing to service.
    let image = image_in_use(observation, recovery).or(recovery.winre.as_ref());
    image.map_or_else(Vec::new, |image| {
        vec![servicing(free_bytes), placement(free_bytes, image.size_bytes)]
    })
}

/// The image on a partition that a Windows uses.
pub fn image_in_use<'o>(observation: &'o Observation, partition: &Partition) -> Option<&'o WinRe> {
    observation
        .windows
        .iter()
        .find_map(|w| match state(observation, w) {
            State::Present(place, image) if place.number == partition.number => Some(image),
            _ => None,
        })
}

/// The recovery partition of a disk whose only Windows has its WinRE disabled or on its own volume: the only one that is
/// no factory image. `None` where another Windows may be on a volume that cannot be read.
pub fn partition_to_be_used(observation: &Observation) -> Option<&Partition> {
    let [windows] = &observation.windows[..] else {
        return None;
    };
    let is_free =
        matches!(state(observation, windows), State::Disabled) || is_on_own_volume(observation, windows);
    if !is_free || hidden_windows(observation).is_some() {
        return None;
    }
    let mut all = observation.partitions.iter();
    let mut small = all
        .by_ref()
        .filter(|p| p.is_recovery_type() && p.range.len() <= SIZE_BYTES_MAX);
    match (small.next(), small.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// A partition that may hold a Windows, and cannot be read.
pub fn hidden_windows(observation: &Observation) -> Option<&Partition> {
    observation.partitions.iter().find(|p| match p.content {
        Content::BitLocker | Content::DamagedNtfs(_) => !p.is_recovery_type(),
        Content::Refs => p.kind.is_basic_data(),
        Content::Unknown => is_foreign(p),
        _ => false,
    })
}

/// Whether a partition for Windows' data begins with what no file system known here begins with: an encryption other
/// than BitLocker, a foreign file system, or damage.
pub fn is_foreign(partition: &Partition) -> bool {
    partition.kind.is_basic_data() && matches!(partition.content, Content::Unknown)
}
