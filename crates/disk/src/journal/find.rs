//! Finding a journal, and reading its body.

use super::{Extent, Header, JournalError, JournalPlace, State, body};
use crate::{DiskError, ReadAt, SectorSize};
use sha2::{Digest, Sha256};

/// A journal whose header is right. Its body has not been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it was looked for.
    pub place: JournalPlace,
    /// Its header.
    pub header: Header,
}

impl Found {
    /// Whether there is work to finish before anything else may be written.
    pub fn is_unfinished(&self) -> bool {
        self.header.state != State::Applied
    }
}

/// The journal of this device: the unfinished one, else the newest applied one. Reads one sector for each place; a
/// place of less than a sector is passed over.
///
/// # Errors
/// [`JournalError::DamagedHeader`], [`JournalError::ImpossibleHeader`] or [`JournalError::NewerVersion`] for the first
/// place that holds such a header, [`JournalError::TwoUnfinished`], [`JournalError::BadPlace`], [`JournalError::Disk`].
pub fn find(
    device: &(impl ReadAt + ?Sized),
    sector_size: SectorSize,
    places: &[JournalPlace],
) -> Result<Option<Found>, JournalError> {
    let mut best: Option<Found> = None;
    for &place in places {
        let Some(header) = header_at(device, sector_size, place)? else {
            continue;
        };
        let found = Found { place, header };
        let better = match &best {
            None => true,
            Some(other) if other.place.range.start == place.range.start => false,
            Some(other) if other.is_unfinished() && found.is_unfinished() => {
                return Err(JournalError::TwoUnfinished {
                    first: other.place.range.start,
                    second: place.range.start,
                });
            }
            Some(other) if other.is_unfinished() != found.is_unfinished() => found.is_unfinished(),
            Some(other) => found.header.created_unix_seconds > other.header.created_unix_seconds,
        };
        if better {
            best = Some(found);
        }
    }
    Ok(best)
}

/// The header at the start of `place`, if there is one.
pub(super) fn header_at(
    device: &(impl ReadAt + ?Sized),
    sector_size: SectorSize,
    place: JournalPlace,
) -> Result<Option<Header>, JournalError> {
    if place.range.len() < sector_size.bytes() {
        return Ok(None);
    }
    check_range(place, device.size(), sector_size)?;
    let sector = device.read_vec(place.range.start, sector_size.bytes() as usize)?;
    Header::parse(&sector, place.range, sector_size)
}

pub(super) fn check_range(
    place: JournalPlace,
    device_len: u64,
    sector_size: SectorSize,
) -> Result<(), JournalError> {
    let (range, size) = (place.range, sector_size.bytes());
    if range.end > device_len || !range.start.is_multiple_of(size) || !range.end.is_multiple_of(size) {
        return Err(JournalError::BadPlace { range, device_len });
    }
    Ok(())
}

/// The extents of a journal.
///
/// # Errors
/// [`JournalError::DamagedBody`] if the body does not have its checksum, or its table is impossible on this device.
pub fn load(device: &(impl ReadAt + ?Sized), header: &Header) -> Result<Vec<Extent>, JournalError> {
    let damaged = JournalError::DamagedBody {
        offset: header.body_offset,
    };
    // A found header has a body inside its place; its limit bounds what is allocated here.
    if header.body_len > super::MAX_BODY_BYTES {
        return Err(damaged);
    }
    let bytes = match device.read_vec(header.body_offset, header.body_len as usize) {
        Err(DiskError::OutOfBounds { .. }) => return Err(damaged),
        other => other?,
    };
    if Sha256::digest(&bytes)[..] != header.body_sha256[..] {
        return Err(damaged);
    }
    let extents = body::decode(&bytes, header.extent_count, header.sector_size).ok_or(damaged.clone())?;
    body::check(&extents, header.area(), device.size(), header.sector_size).map_err(|_| damaged)?;
    Ok(extents)
}
