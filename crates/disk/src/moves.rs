//! Data that is copied to another place before a commit, and the view of a device as it will be behind the copying.

use crate::{Device, DiskError, ReadAt};

/// Bytes per request, so that the device is kept busy and progress is seen.
const CHUNK_BYTES: u64 = 4 << 20;

/// Bytes that get a second place. The place they had keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Move {
    /// Byte offset that they are copied to.
    pub to: u64,
    /// Byte offset that they are at.
    pub from: u64,
    /// How many.
    pub length: u64,
}

impl Move {
    /// The same move on a device on which what was at 0 is at `by`.
    pub fn shifted(self, by: u64) -> Self {
        Self {
            to: self.to + by,
            from: self.from + by,
            length: self.length,
        }
    }
}

/// Copies everything in large requests, in order of the source, and flushes. `go_on` is told how many bytes are done
/// and answers whether to continue.
///
/// No destination may overlap a source: then whatever was copied when this ends early changed nothing that counts.
///
/// # Errors
/// Whatever the device returns, [`DiskError::Cancelled`] after `go_on` said no.
pub fn copy<D: Device + ?Sized>(
    device: &mut D,
    moves: &[Move],
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<(), DiskError> {
    let mut order: Vec<Move> = moves.to_vec();
    order.sort_unstable_by_key(|m| m.from);
    let mut done = 0;
    for Move { to, from, length } in order {
        let mut at = 0;
        while at < length {
            if !go_on(done) {
                return Err(DiskError::Cancelled);
            }
            let part = (length - at).min(CHUNK_BYTES);
            let bytes = read(device, from + at, part)?;
            device.write_at(to + at, &bytes)?;
            at += part;
            done += part;
        }
    }
    device.flush()?;
    go_on(done);
    Ok(())
}

/// Reads a part; if that fails, the error names the place more closely.
fn read<D: Device + ?Sized>(device: &D, offset: u64, length: u64) -> Result<Vec<u8>, DiskError> {
    let error = match device.read_vec(offset, length as usize) {
        Err(error @ DiskError::Io { .. }) => error,
        other => return other,
    };
    let sector = device.sector_size().bytes();
    for at in (0..length).step_by(sector as usize) {
        device.read_vec(offset + at, sector.min(length - at) as usize)?;
    }
    // It can be read in small parts only, or again: a medium like that is not to be trusted with a move.
    Err(error)
}

/// A device as it is behind [`copy`]: each destination shows what its source holds.
#[derive(Debug)]
pub struct Moved<R> {
    base: R,
    /// In order of destinations, which do not overlap.
    moves: Vec<Move>,
}

impl<R: ReadAt> Moved<R> {
    /// The view of `base` behind the moves.
    pub fn new(base: R, moves: &[Move]) -> Self {
        let mut moves = moves.to_vec();
        moves.sort_unstable();
        debug_assert!(
            moves
                .windows(2)
                .all(|pair| pair[0].to + pair[0].length <= pair[1].to)
        );
        Self { base, moves }
    }

    /// The device without the moves.
    pub fn base(&self) -> &R {
        &self.base
    }
}

impl<R: ReadAt> ReadAt for Moved<R> {
    fn size(&self) -> u64 {
        self.base.size()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        DiskError::check_bounds(offset, buf.len(), self.size())?;
        let end = offset + buf.len() as u64;
        let mut next = self.moves.partition_point(|m| m.to + m.length <= offset);
        let mut at = offset;
        while at < end {
            let (source, until) = match self.moves.get(next) {
                Some(m) if m.to <= at => (m.from + (at - m.to), m.to + m.length),
                Some(m) => (at, m.to),
                None => (at, end),
            };
            let until = until.min(end);
            let part = &mut buf[(at - offset) as usize..(until - offset) as usize];
            self.base.read_at(source, part)?;
            next += usize::from(self.moves.get(next).is_some_and(|m| m.to + m.length <= until));
            at = until;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryDevice, SectorSize};

    fn device() -> MemoryDevice {
        let bytes = (0..64u8).flat_map(|n| [n; 512]).collect();
        MemoryDevice::from_bytes(bytes, SectorSize::B512)
    }

    fn moves() -> [Move; 3] {
        let sectors = |to: u64, from: u64, length: u64| Move {
            to: to * 512,
            from: from * 512,
            length: length * 512,
        };
        [sectors(20, 40, 5), sectors(1, 50, 2), sectors(25, 60, 1)]
    }

    #[test]
    fn the_view_shows_what_copying_leaves() {
        let mut copied = device();
        let mut seen = Vec::new();
        copy(&mut copied, &moves(), &mut |done| {
            seen.push(done);
            true
        })
        .unwrap();
        assert_eq!(seen, [0, 2560, 3584, 4096]);
        let base = device();
        let view = Moved::new(&base, &moves());
        for (offset, length) in [(0, 64 * 512), (700, 3000), (20 * 512 + 1, 2), (24 * 512, 1200)] {
            let (a, b) = (view.read_vec(offset, length), copied.read_vec(offset, length));
            assert_eq!(a.unwrap(), b.unwrap(), "{length} bytes at {offset}");
        }
        assert_ne!(view.read_vec(512, 512).unwrap(), base.read_vec(512, 512).unwrap());
        assert!(view.read_vec(64 * 512 - 1, 2).is_err());
    }

    #[test]
    fn copying_ends_when_told_to() {
        let mut device = device();
        let stopped = copy(&mut device, &moves(), &mut |done| done < 2560);
        assert!(matches!(stopped, Err(DiskError::Cancelled)));
        assert_eq!(device.read_vec(25 * 512, 1).unwrap(), [25]);
    }
}
