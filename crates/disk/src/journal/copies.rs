//! The copies that a transaction relies on: whether they are possible, and whether they are whole.

use super::images::Meter;
use super::versions::Versions;
use super::{JournalError, Progress, Stage};
use crate::{ByteRange, DiskError, Move, ReadAt, SectorSize};

/// Bytes that are compared in one go.
const CHUNK_BYTES: u64 = 4 << 20;

/// Whether all moves are whole sectors of the device, outside of `areas`, and each destination is apart from every
/// other one and from every source.
///
/// # Errors
/// The first rule that is broken.
pub(super) fn check(
    moves: &[Move],
    areas: &[ByteRange],
    device_len: u64,
    sector_size: SectorSize,
) -> Result<(), JournalError> {
    let size = sector_size.bytes();
    let mut ranges: Vec<(ByteRange, bool)> = Vec::with_capacity(moves.len() * 2);
    for &Move { to, from, length } in moves {
        if length == 0 || [to, from, length].iter().any(|n| !n.is_multiple_of(size)) {
            return Err(JournalError::MoveShape {
                to,
                from,
                length,
                sector_size: size,
            });
        }
        for (start, is_destination) in [(to, true), (from, false)] {
            let range = ByteRange::new(start, start.saturating_add(length));
            if range.len() != length || range.end > device_len {
                return Err(JournalError::MoveOutside { range, device_len });
            }
            if areas.iter().any(|area| range.overlaps(area)) {
                return Err(JournalError::MoveInPlace { range });
            }
            ranges.push((range, is_destination));
        }
    }
    ranges.sort_unstable();
    let (mut sources_end, mut destinations_end) = (0, 0);
    for (range, is_destination) in ranges {
        let taken = match is_destination {
            true => destinations_end.max(sources_end),
            false => destinations_end,
        };
        if range.start < taken {
            return Err(JournalError::MovesOverlap { offset: range.start });
        }
        let end = if is_destination {
            &mut destinations_end
        } else {
            &mut sources_end
        };
        *end = range.end.max(*end);
    }
    Ok(())
}

/// A sector of which the copy is not the original: where it should be, and where the original is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Torn {
    pub(super) to: u64,
    pub(super) from: u64,
}

/// Whether the old content of each destination is the old content of its source: the copies were made right, and
/// nobody has written to either since.
pub(super) fn first_torn(
    device: &(impl ReadAt + ?Sized),
    versions: &Versions<'_>,
    moves: &[Move],
    tell: &mut dyn FnMut(Progress),
) -> Result<Option<Torn>, DiskError> {
    if moves.is_empty() {
        return Ok(None);
    }
    let old = versions.old_content(device);
    let mut order = moves.to_vec();
    order.sort_unstable_by_key(|m| m.from);
    let longest = order.iter().map(|m| m.length.min(CHUNK_BYTES)).max().unwrap_or(0) as usize;
    let (mut copy, mut original) = (vec![0; longest], vec![0; longest]);
    let mut meter = Meter::new(tell, Stage::Compare, order.iter().map(|m| m.length).sum());
    for Move { to, from, length } in order {
        let mut at = 0;
        while at < length {
            let count = (length - at).min(CHUNK_BYTES) as usize;
            let (copy, original) = (&mut copy[..count], &mut original[..count]);
            old.read_at(from + at, original)?;
            old.read_at(to + at, copy)?;
            if copy != original {
                let byte = copy.iter().zip(original).position(|(a, b)| a != b).unwrap_or(0) as u64;
                return Ok(Some(Torn {
                    to: to + at + byte,
                    from: from + at + byte,
                }));
            }
            meter.add(count);
            at += count as u64;
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: ByteRange = ByteRange { start: 0, end: 2048 };

    fn sectors(to: u64, from: u64, length: u64) -> Move {
        Move {
            to: to.wrapping_mul(512),
            from: from * 512,
            length: length * 512,
        }
    }

    fn checked(moves: &[Move]) -> Result<(), JournalError> {
        check(moves, &[AREA], 64 << 10, SectorSize::B512)
    }

    #[test]
    fn moves_that_cannot_be_are_refused() {
        let bytes = |to, from, length| [Move { to, from, length }];
        for bad in [
            bytes(4096, 8192, 0),
            bytes(4096, 8193, 512),
            bytes(4097, 8192, 512),
            bytes(4096, 8192, 511),
        ] {
            assert!(
                matches!(checked(&bad), Err(JournalError::MoveShape { .. })),
                "{bad:?}"
            );
        }
        for bad in [sectors(127, 8, 2), sectors(8, 127, 2), sectors(u64::MAX, 8, 2)] {
            assert!(
                matches!(checked(&[bad]), Err(JournalError::MoveOutside { .. })),
                "{bad:?}"
            );
        }
        for bad in [sectors(3, 8, 2), sectors(8, 3, 2)] {
            assert!(
                matches!(checked(&[bad]), Err(JournalError::MoveInPlace { .. })),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_destination_shares_nothing_with_anything() {
        let overlapping = [
            [sectors(10, 12, 3), sectors(50, 60, 1)],
            [sectors(10, 20, 4), sectors(13, 30, 4)],
            [sectors(10, 20, 4), sectors(30, 13, 4)],
            [sectors(20, 40, 4), sectors(50, 10, 11)],
            [sectors(10, 40, 20), sectors(12, 70, 2)],
        ];
        for moves in overlapping {
            assert!(
                matches!(checked(&moves), Err(JournalError::MovesOverlap { .. })),
                "{moves:?}"
            );
        }
        // Two copies of one original are of no use, and do no harm.
        for moves in [
            [sectors(10, 40, 4), sectors(14, 41, 4)],
            [sectors(44, 40, 4), sectors(36, 50, 4)],
        ] {
            checked(&moves).unwrap();
        }
    }
}
