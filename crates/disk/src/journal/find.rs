//! Finding a journal, and reading its body.

use super::versions::Versions;
use super::{Header, JournalError, State, Transaction, body, copies};
use crate::{ByteRange, DiskError, ReadAt, SectorSize};

/// A journal whose header is right. Its body has not been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its header.
    pub header: Header,
}

impl Found {
    /// Whether there is work to finish before anything else may be written.
    pub fn is_unfinished(&self) -> bool {
        self.header.state != State::Applied
    }
}

/// The journal of this device: the unfinished one, else the newest applied one. Reads one sector for each of `headers`,
/// the offsets where one may lie. `within` is what a journal may occupy at all: it lies between the partition tables. An
/// offset that leaves no room for a header there is passed over.
///
/// # Errors
/// [`JournalError::DamagedHeader`], [`JournalError::ImpossibleHeader`] or [`JournalError::NewerVersion`] for the first
/// such header, [`JournalError::TwoUnfinished`], [`JournalError::BadPlace`], [`JournalError::Disk`].
pub fn find(
    device: &(impl ReadAt + ?Sized),
    sector_size: SectorSize,
    headers: &[u64],
    within: ByteRange,
) -> Result<Option<Found>, JournalError> {
    let mut best: Option<Found> = None;
    for &offset in headers {
        if !within.contains(&sector_at(offset, sector_size)) {
            continue;
        }
        let Some(header) = header_at(device, sector_size, offset, within)? else {
            continue;
        };
        let found = Found { header };
        let better = match &best {
            None => true,
            Some(other) if other.header.header_offset == offset => false,
            Some(other) if other.is_unfinished() && found.is_unfinished() => {
                return Err(JournalError::TwoUnfinished {
                    first: other.header.header_offset,
                    second: offset,
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

fn sector_at(offset: u64, sector_size: SectorSize) -> ByteRange {
    ByteRange::new(offset, offset.saturating_add(sector_size.bytes()))
}

/// The header at `offset`, if there is one. Its ranges lie in `within` and on the device.
pub(super) fn header_at(
    device: &(impl ReadAt + ?Sized),
    sector_size: SectorSize,
    offset: u64,
    within: ByteRange,
) -> Result<Option<Header>, JournalError> {
    check_range(sector_at(offset, sector_size), device.size(), sector_size)?;
    let sector = device.read_vec(offset, sector_size.bytes() as usize)?;
    let within = ByteRange::new(within.start, within.end.min(device.size()));
    Header::parse(&sector, offset, within, sector_size)
}

pub(super) fn check_range(
    range: ByteRange,
    device_len: u64,
    sector_size: SectorSize,
) -> Result<(), JournalError> {
    let size = sector_size.bytes();
    if range.end > device_len || !range.start.is_multiple_of(size) || !range.end.is_multiple_of(size) {
        return Err(JournalError::BadPlace { range, device_len });
    }
    Ok(())
}

/// The transaction of a journal.
///
/// # Errors
/// [`JournalError::DamagedBody`] if the body does not have its checksum, or its tables are impossible on this device.
pub fn load(device: &(impl ReadAt + ?Sized), header: &Header) -> Result<Transaction, JournalError> {
    let damaged = JournalError::DamagedBody {
        offset: header.body_offset,
    };
    let transaction = match body::read(device, header) {
        Err(DiskError::OutOfBounds { .. }) | Ok(None) => return Err(damaged),
        Err(error) => return Err(error.into()),
        Ok(Some(transaction)) => transaction,
    };
    match check(&transaction, header, device.size()) {
        Ok(_) => Ok(transaction),
        Err(_) => Err(damaged),
    }
}

/// Whether a transaction is possible on a device of that length, with a journal as its header says.
///
/// # Errors
/// The first rule that is broken.
pub(super) fn check<'t>(
    transaction: &'t Transaction,
    header: &Header,
    device_len: u64,
) -> Result<Versions<'t>, JournalError> {
    let areas = [header.gap(), header.body()];
    let versions = Versions::new(&transaction.extents, &areas, device_len, header.sector_size)?;
    copies::check(&transaction.moves, &areas, device_len, header.sector_size)?;
    Ok(versions)
}
