//! Writing a transaction.

use super::find::{check, check_range, header_at};
use super::images::{self, Meter};
use super::versions::Image;
use super::{Header, JournalError, JournalPlace, Meta, Progress, Stage, State, Transaction, body, copies};
use crate::{ByteRange, Device, DiskError, FailStop, ReadAt};

/// Bytes that are looked at in one go when a place is checked.
const CHUNK_BYTES: u64 = 1 << 20;

/// Makes all extents hold their after-image, or none: the whole transaction. The copies that its moves name have been
/// made. The journal stays in `place`, in state applied, and the header returned is its header.
///
/// A journal that lies there in state applied is replaced; its undo is no longer possible. A body of it in free clusters
/// stays there, since nobody knows whose they are by now, and so does what of it lies behind the place's free end.
///
/// # Errors
/// Before anything is written: the extent, move and place errors, [`JournalError::BeforeMismatch`],
/// [`JournalError::CopyDiffers`], [`JournalError::PlaceInUse`], [`JournalError::Unfinished`], and what [`super::find()`]
/// says of a header. Once writing has begun: [`JournalError::Disk`] and [`JournalError::ReadBack`], after which the
/// device is to be treated as after a power cut.
pub fn commit(
    device: &mut impl Device,
    place: JournalPlace,
    transaction: &Transaction,
    meta: &Meta,
    progress: &mut dyn FnMut(Progress),
) -> Result<Header, JournalError> {
    let mut device = FailStop::new(device);
    let mut header = lay_out(&device, place, transaction, meta)?;
    let versions = check(transaction, &header, device.size())?;
    let mut quiet = |_| ();
    let mut meter = Meter::new(&mut quiet, Stage::Verify, 0);
    if let Some(offset) = versions.difference(&device, Image::Before, &mut meter)? {
        return Err(JournalError::BeforeMismatch { offset });
    }
    if let Some(torn) = copies::first_torn(&device, &versions, &transaction.moves, progress)? {
        return Err(JournalError::CopyDiffers {
            to: torn.to,
            from: torn.from,
        });
    }

    // Whoever may stop the program has to know before the first write.
    Meter::new(progress, Stage::Journal, header.body_len);
    write_header(&mut device, &mut header, State::Preparing)?;
    write_journal(&mut device, &mut header, transaction, progress)?;
    write_header(&mut device, &mut header, State::Committed)?;
    let all = (Image::After, Some(0));
    images::apply(&mut device, (&transaction.extents, &versions), all, progress)?;
    write_header(&mut device, &mut header, State::Applied)?;
    Ok(header)
}

/// The header of a journal for `transaction` in `place`, if it goes there.
fn lay_out(
    device: &impl Device,
    place: JournalPlace,
    transaction: &Transaction,
    meta: &Meta,
) -> Result<Header, JournalError> {
    let sector_size = device.sector_size();
    let behind = place.header.saturating_add(sector_size.bytes());
    let body_len = body::length(transaction, sector_size)?;
    let used_end = check_place(device, place, sector_size.bytes() + body_len)?;
    let own = if place.is_in_gap(sector_size) { body_len } else { 0 };
    Ok(Header {
        state: State::Preparing,
        transaction_id: meta.transaction_id,
        disk_guid: meta.disk_guid,
        device_len: device.size(),
        header_offset: place.header,
        sector_size,
        // Each entry takes more than a byte of a body below 4 GiB.
        extent_count: transaction.extents.len() as u32,
        move_count: transaction.moves.len() as u32,
        body_offset: place.body.start,
        body_len,
        wipe_len: own.max(used_end - behind),
        created_unix_seconds: meta.created_unix_seconds,
        body_sha256: [0; 32],
        memo: meta.memo,
    })
}

/// Makes the body durable, and zeros behind it where an earlier one was longer, up to the end of what is free.
fn write_journal(
    device: &mut impl Device,
    header: &mut Header,
    transaction: &Transaction,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), JournalError> {
    let own = if header.is_body_in_gap() {
        header.body_len
    } else {
        0
    };
    let gap = header.gap();
    let leftover = ByteRange::new(gap.end - (header.wipe_len - own), gap.end);
    let mut meter = Meter::new(progress, Stage::Journal, header.body_len + leftover.len());
    header.body_sha256 = body::write(device, header, transaction, &mut meter)?;
    images::write_zeros(device, leftover, &mut meter)?;
    device.flush()?;
    // The flush made the zeros durable.
    header.wipe_len = own;
    Ok(())
}

/// Whether a journal of `needed_bytes` (see [`super::required_bytes`]) can be written to `place`: zeros lie in the gap
/// there, or a journal in state applied and zeros behind it. The result is where that journal ends in the free space
/// behind the header, at the latest where that space does; or else the end of the header's sector.
///
/// # Errors
/// [`JournalError::BadPlace`], [`JournalError::PlaceTooSmall`], [`JournalError::PlaceInUse`],
/// [`JournalError::Unfinished`], and what [`super::find()`] says of a header.
pub fn check_place(
    device: &impl Device,
    place: JournalPlace,
    needed_bytes: u64,
) -> Result<u64, JournalError> {
    let size = device.sector_size();
    check_range(place.body, device.size(), size)?;
    let (in_gap, free) = (
        place.in_gap_range(size),
        ByteRange::new(place.header, place.free_end),
    );
    check_range(free, device.size(), size)?;
    if !free.contains(&in_gap) {
        return Err(JournalError::BadPlace {
            range: in_gap,
            device_len: device.size(),
        });
    }
    let available = place.body.len().saturating_add(size.bytes());
    if needed_bytes > available {
        return Err(JournalError::PlaceTooSmall {
            needed: needed_bytes,
            available,
        });
    }
    let (used_end, zero_from) = match header_at(device, size, place.header, ByteRange::new(0, device.size()))?
    {
        Some(header) if header.state == State::Applied => {
            let end = header.gap().end.min(free.end);
            (end, end)
        }
        Some(header) => return Err(JournalError::Unfinished { state: header.state }),
        None => (place.header + size.bytes(), place.header),
    };
    if place.is_in_gap(size) {
        check_zero(device, ByteRange::new(zero_from, place.header + needed_bytes))?;
        return Ok(used_end);
    }
    check_zero(device, ByteRange::new(zero_from, place.header + size.bytes()))?;
    if place.body.overlaps(&ByteRange::new(place.header, used_end)) {
        return Err(JournalError::BadPlace {
            range: place.body,
            device_len: device.size(),
        });
    }
    Ok(used_end)
}

fn check_zero(device: &impl ReadAt, range: ByteRange) -> Result<(), JournalError> {
    let mut at = range.start;
    while at < range.end {
        let chunk = device.read_vec(at, (range.end - at).min(CHUNK_BYTES) as usize)?;
        if let Some(position) = chunk.iter().position(|byte| *byte != 0) {
            return Err(JournalError::PlaceInUse {
                offset: at + position as u64,
            });
        }
        at += chunk.len() as u64;
    }
    Ok(())
}

/// Makes `state` durable: one sector, then a flush.
pub(super) fn write_header(
    device: &mut impl Device,
    header: &mut Header,
    state: State,
) -> Result<(), DiskError> {
    header.state = state;
    device.write_at(header.header_offset, &header.to_sector())?;
    device.flush()
}
