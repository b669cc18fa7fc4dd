//! The journal's body: a table of extents, their after-images, their before-images.
//!
//! Layout: docs/formats/journal.md, little endian. The images follow in the table's order without gaps; zeros fill the
//! last sector.

use super::header::{u32_at, u64_at};
use super::{Extent, JournalError, MAX_BODY_BYTES};
use crate::{ByteRange, SectorSize};

/// Length of an entry of the extent table in bytes.
pub(crate) const ENTRY_BYTES: usize = 16;

/// Field offsets within an entry of the extent table, in bytes.
pub(crate) mod at {
    pub const OFFSET: usize = 0;
    pub const LENGTH: usize = 8;
    pub const PHASE: usize = 12;
}

/// Length of the body for `extents`, whole sectors, or [`JournalError::TooLarge`].
pub(super) fn length(extents: &[Extent], sector_size: SectorSize) -> Result<u64, JournalError> {
    let entry = |extent: &Extent| (ENTRY_BYTES + extent.before.len() + extent.after.len()) as u64;
    // Memory holds the images, so the sum fits.
    let needed = extents
        .iter()
        .map(entry)
        .sum::<u64>()
        .next_multiple_of(sector_size.bytes());
    if needed > MAX_BODY_BYTES {
        return Err(JournalError::TooLarge {
            needed,
            limit: MAX_BODY_BYTES,
        });
    }
    Ok(needed)
}

/// The body of checked extents.
pub(super) fn encode(extents: &[Extent], body_len: u64) -> Vec<u8> {
    let mut body = Vec::with_capacity(body_len as usize);
    for extent in extents {
        body.extend_from_slice(&extent.offset.to_le_bytes());
        // At most MAX_BODY_BYTES, so it fits.
        body.extend_from_slice(&(extent.after.len() as u32).to_le_bytes());
        body.extend_from_slice(&[extent.phase, 0, 0, 0]);
    }
    for extent in extents {
        body.extend_from_slice(&extent.after);
    }
    for extent in extents {
        body.extend_from_slice(&extent.before);
    }
    body.resize(body_len as usize, 0);
    body
}

/// The extents of a body, or `None` where the table does not fit the body's length exactly. The caller checks their
/// ranges with [`check`].
pub(super) fn decode(body: &[u8], extent_count: u32, sector_size: SectorSize) -> Option<Vec<Extent>> {
    let table_len = (extent_count as usize).checked_mul(ENTRY_BYTES)?;
    let (table, images) = body.split_at_checked(table_len)?;
    let lengths = table
        .chunks_exact(ENTRY_BYTES)
        .map(|entry| u32_at(entry, at::LENGTH) as usize);
    // Before anything is allocated per entry: an entry without an image is impossible, so images bound the count.
    if lengths
        .clone()
        .any(|length| (length as u64) < sector_size.bytes())
    {
        return None;
    }
    let half = lengths
        .clone()
        .try_fold(0usize, |sum, length| sum.checked_add(length))?;
    let (after, rest) = images.split_at_checked(half)?;
    let (before, padding) = rest.split_at_checked(half)?;
    if padding.len() as u64 >= sector_size.bytes() || padding.iter().any(|byte| *byte != 0) {
        return None;
    }
    let mut extents = Vec::with_capacity(extent_count as usize);
    let mut done = 0;
    for (entry, length) in table.chunks_exact(ENTRY_BYTES).zip(lengths) {
        let image = done..done + length;
        extents.push(Extent {
            offset: u64_at(entry, at::OFFSET),
            before: before[image.clone()].to_vec(),
            after: after[image].to_vec(),
            phase: entry[at::PHASE],
        });
        done += length;
    }
    Some(extents)
}

/// Whether `extents` are whole sectors inside the device, apart from each other and from the journal's `area`.
///
/// # Errors
/// The first rule that is broken.
pub(super) fn check(
    extents: &[Extent],
    area: ByteRange,
    device_len: u64,
    sector_size: SectorSize,
) -> Result<(), JournalError> {
    if extents.is_empty() {
        return Err(JournalError::NoExtents);
    }
    let size = sector_size.bytes();
    let mut ranges = Vec::with_capacity(extents.len());
    for extent in extents {
        let (before_bytes, after_bytes) = (extent.before.len() as u64, extent.after.len() as u64);
        let whole = extent.offset.is_multiple_of(size) && after_bytes.is_multiple_of(size);
        if !whole || after_bytes == 0 || before_bytes != after_bytes {
            return Err(JournalError::ExtentShape {
                offset: extent.offset,
                before_bytes,
                after_bytes,
                sector_size: size,
            });
        }
        let range = ByteRange::new(extent.offset, extent.offset.saturating_add(after_bytes));
        if range.end > device_len {
            return Err(JournalError::ExtentOutside { range, device_len });
        }
        if range.overlaps(&area) {
            return Err(JournalError::ExtentInPlace { range });
        }
        ranges.push(range);
    }
    ranges.sort_unstable();
    match ranges.windows(2).find(|pair| pair[0].overlaps(&pair[1])) {
        Some(pair) => Err(JournalError::ExtentsOverlap {
            offset: pair[1].start,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: ByteRange = ByteRange { start: 0, end: 4096 };

    fn extent(offset: u64, sectors: usize, phase: u8) -> Extent {
        Extent {
            offset,
            before: vec![phase; sectors * 512],
            after: vec![phase + 100; sectors * 512],
            phase,
        }
    }

    fn checked(extents: &[Extent]) -> Result<(), JournalError> {
        check(extents, AREA, 1 << 20, SectorSize::B512)
    }

    #[test]
    fn a_body_comes_back_as_it_was() {
        let extents = [extent(8192, 2, 3), extent(4096, 1, 1), extent(1 << 19, 5, 2)];
        let body_len = length(&extents, SectorSize::B512).unwrap();
        assert_eq!(body_len, (48 + 2 * 8 * 512u64).next_multiple_of(512));
        let body = encode(&extents, body_len);
        assert_eq!(body.len() as u64, body_len);
        assert_eq!(decode(&body, 3, SectorSize::B512).unwrap(), extents);
        checked(&extents).unwrap();
    }

    #[test]
    fn a_table_that_does_not_fit_the_body_is_refused() {
        let extents = [extent(8192, 2, 3)];
        let body = encode(&extents, length(&extents, SectorSize::B512).unwrap());
        for count in [0, 2, 100_000, u32::MAX] {
            assert!(decode(&body, count, SectorSize::B512).is_none(), "{count}");
        }
        for length in [0u32, 512, 1536, u32::MAX] {
            let mut bad = body.clone();
            bad[at::LENGTH..at::LENGTH + 4].copy_from_slice(&length.to_le_bytes());
            assert!(decode(&bad, 1, SectorSize::B512).is_none(), "{length}");
        }
    }

    #[test]
    fn extents_that_cannot_be_are_refused() {
        assert!(matches!(checked(&[]), Err(JournalError::NoExtents)));
        let mut odd = extent(8192, 1, 0);
        odd.after.push(0);
        assert!(matches!(
            checked(&[odd]),
            Err(JournalError::ExtentShape { offset: 8192, .. })
        ));
        for bad in [extent(8193, 1, 0), extent(8192, 0, 0)] {
            assert!(matches!(checked(&[bad]), Err(JournalError::ExtentShape { .. })));
        }
        for outside in [(1 << 20) - 512, u64::MAX - 511] {
            assert!(matches!(
                checked(&[extent(outside, 2, 0)]),
                Err(JournalError::ExtentOutside { .. })
            ));
        }
        assert!(matches!(
            checked(&[extent(3584, 2, 0)]),
            Err(JournalError::ExtentInPlace { .. })
        ));
        let overlap = checked(&[extent(9216, 1, 0), extent(8192, 3, 1)]);
        assert!(matches!(
            overlap,
            Err(JournalError::ExtentsOverlap { offset: 9216 })
        ));
        let neighbours = checked(&[extent(9216, 1, 0), extent(8192, 2, 1)]);
        assert!(neighbours.is_ok());
    }

    #[test]
    fn a_transaction_over_the_limit_is_refused() {
        let big = Extent {
            offset: 4096,
            before: vec![0; 32 << 20],
            after: vec![0; 32 << 20],
            phase: 0,
        };
        assert!(matches!(
            length(&[big], SectorSize::B512),
            Err(JournalError::TooLarge { .. })
        ));
    }
}
