//! Data that is copied to another place before a commit, and the view of a device as it will be behind the copying.

use crate::{Device, DiskError, ReadAt};

/// Bytes per request, so that the device is kept busy and progress is seen.
const CHUNK_BYTES: u64 = 4 << 20;
/// After so many bytes the medium is told to begin with them.
const FLUSH_BYTES: u64 = 32 << 20;
/// Sources at most this far apart are read together with what lies between them.
const GAP_BYTES_MAX: u64 = 64 << 10;

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
    let parts = parts(moves);
    let mut buffer = vec![0; CHUNK_BYTES as usize];
    let (mut rest, mut done) = (&parts[..], 0);
    let mut flushed = 0;
    while let Some(first) = rest.first() {
        if !go_on(done) {
            return Err(DiskError::Cancelled);
        }
        let count = batch(rest);
        let (parts, behind) = rest.split_at(count);
        rest = behind;
        let start = first.from;
        let end = parts.last().map_or(start, |part| part.from + part.length);
        let bytes = &mut buffer[..(end - start) as usize];
        if let Err(error) = device.read_at(start, bytes) {
            read_closely(device, parts, start, bytes, error)?;
        }
        for part in parts {
            let at = (part.from - start) as usize;
            device.write_at(part.to, &bytes[at..at + part.length as usize])?;
            done += part.length;
        }
        if done - flushed >= FLUSH_BYTES {
            flushed = done;
            device.flush_soon();
        }
    }
    device.flush()?;
    go_on(done);
    Ok(())
}

/// The moves in order of their sources, none longer than a request.
fn parts(moves: &[Move]) -> Vec<Move> {
    let mut parts: Vec<Move> = Vec::with_capacity(moves.len());
    for &Move { to, from, length } in moves {
        let mut at = 0;
        while at < length {
            let part = (length - at).min(CHUNK_BYTES);
            parts.push(Move {
                to: to + at,
                from: from + at,
                length: part,
            });
            at += part;
        }
    }
    parts.sort_unstable_by_key(|part| part.from);
    parts
}

/// How many of the first parts one request reads.
fn batch(parts: &[Move]) -> usize {
    let Some(first) = parts.first() else { return 0 };
    let mut end = first.from + first.length;
    let joins = |part: &&Move| {
        let next = part.from + part.length;
        let near = part.from <= end + GAP_BYTES_MAX && next.max(end) - first.from <= CHUNK_BYTES;
        end = end.max(next);
        near
    };
    1 + parts[1..].iter().take_while(joins).count()
}

/// Reads a batch again, only what is needed of it; if that fails, the error names the sector.
fn read_closely<D: Device + ?Sized>(
    device: &D,
    parts: &[Move],
    start: u64,
    bytes: &mut [u8],
    error: DiskError,
) -> Result<(), DiskError> {
    if !matches!(error, DiskError::Io { .. }) {
        return Err(error);
    }
    let sector = device.sector_size().bytes() as usize;
    for part in parts {
        let at = (part.from - start) as usize;
        let wanted = &mut bytes[at..at + part.length as usize];
        for (index, piece) in wanted.chunks_mut(sector).enumerate() {
            device.read_at(part.from + (index * sector) as u64, piece)?;
        }
    }
    Ok(())
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
        assert_eq!(seen, [0, 4096]);
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
    fn long_and_far_moves_are_copied_in_requests() {
        let (mib, length) = (1 << 20, 9 << 20);
        let bytes: Vec<u8> = (0..40 * mib).map(|i| (i / 4096 + i % 251) as u8).collect();
        let mut copied = MemoryDevice::from_bytes(bytes.clone(), SectorSize::B512);
        let of = |to: u64, from: u64, length: u64| Move { to, from, length };
        let near = of(14 * mib as u64, 30 * mib as u64, 512);
        let far = of(15 * mib as u64, 31 * mib as u64, 1024);
        let moves = [of(4096, 20 * mib as u64, length), near, far];
        let mut seen = Vec::new();
        copy(&mut copied, &moves, &mut |done| {
            seen.push(done);
            true
        })
        .unwrap();
        assert_eq!(seen, [0, 4 << 20, 8 << 20, length, length + 512, length + 1536]);
        let base = MemoryDevice::from_bytes(bytes, SectorSize::B512);
        let view = Moved::new(&base, &moves);
        assert!(view.read_vec(0, 40 * mib).unwrap() == copied.bytes());
    }

    #[test]
    fn copying_ends_when_told_to() {
        let mut device = device();
        let stopped = copy(&mut device, &moves(), &mut |_| false);
        assert!(matches!(stopped, Err(DiskError::Cancelled)));
        assert_eq!(device.bytes(), self::device().bytes());
    }
}
