//! Which volume gives space, and whether it can.

use super::Step;
use super::at_rest::{check_volume, no_bad_clusters_behind};
use super::neighbourhood::sectors_of;
use super::{Sectors, shadow_copies};
use crate::observation::{Content, Observation, Partition};
use crate::refusal::{NoDonor, Refusal};

/// A donor keeps this much free at least, or a twentieth of its size if that is less.
const DONOR_KEEP_BYTES: u64 = 2 << 30;

/// Whether a partition is of a kind that can give space: an ordinary Windows volume.
pub(super) fn check_kind(observation: &Observation, donor: &Partition) -> Result<(), NoDonor> {
    let is_windows = observation.windows.iter().any(|w| w.partition == donor.number);
    // An active partition without a Windows is the one that the machine starts from: too small to give anything.
    let is_system = donor.is_active && !is_windows;
    if donor.kind.is_basic_data()
        && !is_system
        && !matches!(
            donor.content,
            Content::Fat(_) | Content::ExFat | Content::Empty | Content::Unknown
        )
    {
        return Ok(());
    }
    let number = donor.number;
    let kind = donor.kind.name();
    let found = donor.content.text();
    Err(NoDonor::Foreign { number, kind, found })
}

/// The steps that make `end`, a byte of the disk, the end of a partition and its volume. The partition is one of
/// [`check_kind`].
pub(super) fn shrink(
    observation: &Observation,
    donor: &Partition,
    end: u64,
    drop_shadow_copies: bool,
) -> Result<Vec<Step>, Refusal> {
    let number = donor.number;
    let space = check_volume(donor)?;
    no_bad_clusters_behind(donor, end)?;
    let sector = observation.sector_size.bytes();
    let before = sectors_of(donor);
    let after = Sectors {
        end: end / sector,
        ..before
    };
    let move_border = Step::SetPartition {
        partition: number,
        before,
        after,
    };
    let new_length = end.saturating_sub(donor.range.start);
    let volume_bytes = donor.ntfs().map_or(u64::MAX, |ntfs| ntfs.geometry.volume_bytes());
    // What lies behind a volume that is smaller than its partition costs it nothing.
    let volume_end = donor.range.start.saturating_add(volume_bytes);
    let needed_bytes = volume_end.min(donor.range.end).saturating_sub(end);
    let keep_bytes = DONOR_KEEP_BYTES.min(donor.range.len() / 20);
    // A volume that ends before the new border gives nothing: only its backup boot sector may have to move.
    let gives_nothing = new_length > 0 && volume_bytes <= new_length;
    let enough = new_length > 0 && space.free_bytes >= needed_bytes.saturating_add(keep_bytes);
    if !gives_nothing && !enough {
        return Err(Refusal::DonorTooFull {
            number,
            needed_bytes,
            free_bytes: space.free_bytes,
            keep_bytes,
            path: None,
        });
    }
    let change = shadow_copies::Change::NewEnd(new_length);
    let dropped = shadow_copies::step(donor, change, drop_shadow_copies)?;
    let shrink = Step::ShrinkEnd {
        partition: number,
        sectors: after.count(),
    };
    Ok(dropped.into_iter().chain([shrink, move_border]).collect())
}
