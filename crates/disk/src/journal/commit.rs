//! Writing a transaction.

use super::find::{check_range, header_at};
use super::images::{self, Image, Meter};
use super::{Extent, Header, JournalError, JournalPlace, Meta, Progress, Stage, State, body};
use crate::{ByteRange, Device, DiskError, FailStop, ReadAt};
use sha2::{Digest, Sha256};

/// Bytes that are looked at in one go when a place is checked.
const CHUNK_BYTES: u64 = 1 << 20;

/// Makes all of `extents` hold their after-image, or none: the whole transaction. The journal stays in `place`, in
/// state applied, and the header returned is its header.
///
/// A journal that lies there in state applied is replaced; its undo is no longer possible.
///
/// # Errors
/// Before anything is written: the extent and place errors, [`JournalError::BeforeMismatch`],
/// [`JournalError::PlaceInUse`], [`JournalError::Unfinished`], and what [`super::find()`] says of a header. Once writing
/// has begun: [`JournalError::Disk`] and [`JournalError::ReadBack`], after which the device is to be treated as after
/// a power cut.
pub fn commit(
    device: &mut impl Device,
    place: JournalPlace,
    extents: &[Extent],
    meta: &Meta,
    progress: &mut dyn FnMut(Progress),
) -> Result<Header, JournalError> {
    let mut device = FailStop::new(device);
    let mut header = prepare(&device, place, extents, meta)?;
    let bytes = body::encode(extents, header.body_len);
    header.body_sha256 = Sha256::digest(&bytes).into();

    write_header(&mut device, &mut header, State::Preparing)?;
    let mut meter = Meter::new(progress, Stage::Journal, header.wipe_len);
    images::write(&mut device, header.body_offset, &bytes, &mut meter)?;
    let leftover = header.wipe_len - header.body_len;
    images::write_zeros(
        &mut device,
        header.body_offset + header.body_len,
        leftover,
        &mut meter,
    )?;
    device.flush()?;

    // The flush made the zeros behind the body durable.
    header.wipe_len = header.body_len;
    write_header(&mut device, &mut header, State::Committed)?;
    images::apply(&mut device, extents, Image::After, progress)?;
    write_header(&mut device, &mut header, State::Applied)?;
    Ok(header)
}

/// Checks everything that can be checked before the first write.
fn prepare(
    device: &impl Device,
    place: JournalPlace,
    extents: &[Extent],
    meta: &Meta,
) -> Result<Header, JournalError> {
    let size = device.sector_size().bytes();
    let body_len = body::length(extents, device.sector_size())?;
    let body_offset = place.range.start.saturating_add(size);
    let used_end = check_place(device, place, size + body_len)?;
    let header = Header {
        state: State::Preparing,
        transaction_id: meta.transaction_id,
        disk_guid: meta.disk_guid,
        device_len: device.size(),
        header_offset: place.range.start,
        sector_size: device.sector_size(),
        // Each extent takes more than a byte of a body below 4 GiB.
        extent_count: extents.len() as u32,
        body_offset,
        body_len,
        wipe_len: body_len.max(used_end - body_offset),
        created_unix_seconds: meta.created_unix_seconds,
        body_sha256: [0; 32],
        memo: meta.memo,
    };
    body::check(extents, header.area(), device.size(), device.sector_size())?;
    let mut quiet = |_| ();
    let mut meter = Meter::new(&mut quiet, Stage::Verify, 0);
    match images::difference(device, extents, Image::Before, &mut meter)? {
        Some(offset) => Err(JournalError::BeforeMismatch { offset }),
        None => Ok(header),
    }
}

/// Whether a journal of `needed_bytes` (see [`super::required_bytes`]) can be written to `place`: zeros lie there, or a
/// journal in state applied and zeros behind it. The result is where that journal ends, or else the end of the
/// place's first sector.
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
    check_range(place, device.size(), size)?;
    let available = place.range.len();
    if needed_bytes > available || available < size.bytes() {
        return Err(JournalError::PlaceTooSmall {
            needed: needed_bytes,
            available,
        });
    }
    let needed_end = place.range.start + needed_bytes;
    match header_at(device, size, place)? {
        Some(header) if header.state == State::Applied => {
            let end = header.area().end;
            check_zero(device, ByteRange::new(end, needed_end))?;
            Ok(end)
        }
        Some(header) => Err(JournalError::Unfinished { state: header.state }),
        None => {
            check_zero(device, ByteRange::new(place.range.start, needed_end))?;
            Ok(place.range.start + size.bytes())
        }
    }
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
