//! Ending the work of a journal where one of its two states is wholly in place, on a disk that was used since.

use super::commit::write_header;
use super::images::{self, Meter};
use super::recover::{Whole, gather, stopped};
use super::{Decision, Found, JournalError, Progress, Stage, State};
use crate::{ByteRange, Device, FailStop};

/// Removes an unfinished journal while nothing of the new state is in place: no touched sector of the first phase has
/// changed, or an undo has taken all back. The old state is there, with all that was written to it since.
/// [`super::resume()`] would go on; that it must not is known to the caller alone.
///
/// Nothing but the header's sector and the gap behind it is written, and of the gap only what is outside of `taken`, which
/// are whole sectors that belong to partitions by now. A body in free clusters stays where it is.
///
/// # Errors
/// [`JournalError::NotDiscardable`], [`JournalError::HeaderTaken`] and those of [`super::resume()`] before anything is
/// written; [`JournalError::Disk`] later, after which the journal says that it is to be removed.
pub fn discard(
    device: &mut impl Device,
    found: &Found,
    disk_guid: Option<[u8; 16]>,
    taken: &[ByteRange],
    progress: &mut dyn FnMut(Progress),
) -> Result<(), JournalError> {
    let mut device = FailStop::new(device);
    let mut header = found.header.clone();
    let known = gather(&device, found, disk_guid, progress)?;
    if known.decision != Decision::Discard && known.whole() != Some(Whole::Old) {
        return Err(stopped(&device, &header, known.decision));
    }
    let gap = header.gap();
    let behind = gap.start + header.sector_size.bytes();
    let sector = ByteRange::new(gap.start, behind);
    if taken.iter().any(|taken| taken.overlaps(&sector)) {
        return Err(JournalError::HeaderTaken { offset: gap.start });
    }
    let free = outside(ByteRange::new(behind, gap.end), taken);
    let total = sector.len() + free.iter().map(ByteRange::len).sum::<u64>();
    let mut meter = Meter::new(progress, Stage::Wipe, total);
    if header.state != State::Preparing {
        // What was seen may be what a killed process has written and never flushed.
        device.flush()?;
        write_header(&mut device, &mut header, State::Preparing)?;
    }
    for part in free {
        images::write_zeros(&mut device, part, &mut meter)?;
    }
    device.flush()?;
    images::write_zeros(&mut device, sector, &mut meter)?;
    device.flush()?;
    Ok(())
}

/// Calls the work of a journal done while nothing of the new state is missing: all of it has been written, or an undo has
/// taken nothing back. The new state is there, with all that was written to it since.
///
/// Nothing but the header's sector is written, which has to be free still.
///
/// # Errors
/// [`JournalError::NotDiscardable`] and those of [`super::resume()`] before anything is written; [`JournalError::Disk`]
/// later, after which the journal says the one or the other.
pub fn keep(
    device: &mut impl Device,
    found: &Found,
    disk_guid: Option<[u8; 16]>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), JournalError> {
    let mut device = FailStop::new(device);
    let mut header = found.header.clone();
    let known = gather(&device, found, disk_guid, progress)?;
    if known.whole() != Some(Whole::New) {
        return Err(stopped(&device, &header, known.decision));
    }
    Meter::new(progress, Stage::Apply, 0);
    device.flush()?;
    Ok(write_header(&mut device, &mut header, State::Applied)?)
}

/// The parts of `range` that are in none of `taken`.
fn outside(range: ByteRange, taken: &[ByteRange]) -> Vec<ByteRange> {
    let mut taken: Vec<ByteRange> = taken.iter().copied().filter(|t| t.overlaps(&range)).collect();
    taken.sort_unstable();
    let (mut parts, mut at) = (Vec::new(), range.start);
    for next in taken {
        if at < next.start {
            parts.push(ByteRange::new(at, next.start));
        }
        at = at.max(next.end);
    }
    if at < range.end {
        parts.push(ByteRange::new(at, range.end));
    }
    parts
}
