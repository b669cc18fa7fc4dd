//! Which extents cover which sectors: each sector has a version before the first of them, and one behind each.
//!
//! The extents are cut into pieces, so that a piece lies wholly inside each extent that touches it. All work is linear
//! in the sectors of the images, but for the sorting.

use super::images::Meter;
use super::recovery::Content;
use super::{Extent, JournalError};
use crate::{ByteRange, DiskError, ReadAt, SectorSize};
use std::collections::BTreeMap;
use std::ops::Range;

/// Upper bound of a piece, and of what is read in one go, in bytes.
const CHUNK_BYTES: u64 = 1 << 20;

/// Which version of all sectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Image {
    /// The first: the old content.
    Before,
    /// The last: the new content.
    After,
}

/// Bytes that the same extents cover.
#[derive(Debug)]
struct Piece {
    range: ByteRange,
    /// Its part of [`Versions::cover`].
    cover: Range<usize>,
}

/// The versions of all sectors of a transaction.
#[derive(Debug)]
pub(super) struct Versions<'t> {
    extents: &'t [Extent],
    /// In ascending order, apart from each other.
    pieces: Vec<Piece>,
    /// The extents of each piece by ascending phase, as indices.
    cover: Vec<u32>,
}

/// What the device holds, compared with the versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Survey {
    pub(super) content: Content,
    /// The lowest phase that is not wholly written; `None` where all are.
    pub(super) first_to_write: Option<u8>,
    /// The highest phase that is not wholly taken back; `None` where all are.
    pub(super) last_to_undo: Option<u8>,
    /// Whether the lowest phase is wholly as before, and no sector holds a later version. Phases are written one after
    /// another, with a flush behind each: then none was begun, unless something else has put the bytes of before back.
    pub(super) none_written: bool,
    /// Whether the highest phase is wholly written, and no sector holds an earlier version than its last: all phases were
    /// written, and none was taken back.
    pub(super) all_written: bool,
}

impl<'t> Versions<'t> {
    /// The versions of extents that are whole sectors of the device, outside of `areas`, apart from each other within a
    /// phase, and that continue each other from phase to phase.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub(super) fn new(
        extents: &'t [Extent],
        areas: &[ByteRange],
        device_len: u64,
        sector_size: SectorSize,
    ) -> Result<Self, JournalError> {
        if extents.is_empty() {
            return Err(JournalError::NoExtents);
        }
        for extent in extents {
            check_extent(extent, areas, device_len, sector_size.bytes())?;
        }
        let versions = Self::cut(extents)?;
        for piece in &versions.pieces {
            let cover = &versions.cover[piece.cover.clone()];
            for pair in cover.windows(2) {
                let earlier = part(&extents[pair[0] as usize], piece.range, Image::After);
                let later = part(&extents[pair[1] as usize], piece.range, Image::Before);
                if let Some(at) = first_difference(earlier, later) {
                    let offset = piece.range.start + at;
                    return Err(JournalError::VersionsDisagree { offset });
                }
            }
        }
        Ok(versions)
    }

    /// Sweeps over the borders of all extents.
    fn cut(extents: &'t [Extent]) -> Result<Self, JournalError> {
        let mut borders: Vec<(u64, bool, u32)> = Vec::with_capacity(extents.len() * 2);
        for (index, extent) in (0u32..).zip(extents) {
            let range = extent.range();
            // An end sorts before a start at the same place.
            borders.extend([(range.start, true, index), (range.end, false, index)]);
        }
        borders.sort_unstable();
        let mut versions = Self {
            extents,
            pieces: Vec::new(),
            cover: Vec::new(),
        };
        let mut open: BTreeMap<u8, u32> = BTreeMap::new();
        let mut from = 0;
        for (offset, is_start, index) in borders {
            if offset > from && !open.is_empty() {
                versions.push(ByteRange::new(from, offset), &open);
            }
            from = offset;
            let phase = extents[index as usize].phase;
            if !is_start {
                open.remove(&phase);
            } else if open.insert(phase, index).is_some() {
                return Err(JournalError::ExtentsOverlap { offset });
            }
        }
        Ok(versions)
    }

    fn push(&mut self, range: ByteRange, open: &BTreeMap<u8, u32>) {
        let first = self.cover.len();
        self.cover.extend(open.values());
        let cover = first..self.cover.len();
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start + CHUNK_BYTES);
            self.pieces.push(Piece {
                range: ByteRange::new(start, end),
                cover: cover.clone(),
            });
            start = end;
        }
    }

    /// Bytes that change, each counted once.
    pub(super) fn total_bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.range.len()).sum()
    }

    fn cover(&self, piece: &Piece) -> impl DoubleEndedIterator<Item = &'t Extent> + ExactSizeIterator {
        let extents = self.extents;
        self.cover[piece.cover.clone()]
            .iter()
            .map(move |&index| &extents[index as usize])
    }

    fn image(&self, piece: &Piece, image: Image) -> &'t [u8] {
        let mut cover = self.cover(piece);
        let extent = match image {
            Image::Before => cover.next(),
            Image::After => cover.next_back(),
        };
        // Each piece has at least one extent.
        extent.map_or(&[], |extent| part(extent, piece.range, image))
    }

    /// Reads all pieces in order, neighbours together, and passes each with what the device holds to `see`, until
    /// that has seen enough.
    fn read(
        &self,
        device: &(impl ReadAt + ?Sized),
        see: &mut dyn FnMut(&Piece, &[u8]) -> bool,
    ) -> Result<(), DiskError> {
        let mut rest = &self.pieces[..];
        while let Some(first) = rest.first() {
            let start = first.range.start;
            let joined = rest.windows(2).take_while(|pair| {
                pair[0].range.end == pair[1].range.start && pair[1].range.end - start <= CHUNK_BYTES
            });
            let (group, behind) = rest.split_at(joined.count() + 1);
            let end = group.last().map_or(start, |piece| piece.range.end);
            let bytes = device.read_vec(start, (end - start) as usize)?;
            for piece in group {
                let (from, to) = (piece.range.start - start, piece.range.end - start);
                if !see(piece, &bytes[from as usize..to as usize]) {
                    return Ok(());
                }
            }
            rest = behind;
        }
        Ok(())
    }

    /// The lowest byte offset at which the device does not hold that image.
    pub(super) fn difference(
        &self,
        device: &(impl ReadAt + ?Sized),
        image: Image,
        meter: &mut Meter<'_>,
    ) -> Result<Option<u64>, DiskError> {
        let mut first = None;
        self.read(device, &mut |piece, present| {
            first = first_difference(present, self.image(piece, image)).map(|at| piece.range.start + at);
            meter.add(present.len());
            first.is_none()
        })?;
        Ok(first)
    }

    /// What the touched sectors hold, sector by sector.
    pub(super) fn survey(
        &self,
        device: &(impl ReadAt + ?Sized),
        sector_size: SectorSize,
    ) -> Result<Survey, DiskError> {
        let size = sector_size.bytes() as usize;
        let (mut first_to_write, mut last_to_undo) = (None::<u8>, None::<u8>);
        let mut foreign = None;
        let phases = || self.extents.iter().map(|extent| extent.phase);
        let (lowest, highest) = (phases().min(), phases().max());
        let (mut lowest_is_old, mut highest_is_new) = (true, true);
        self.read(device, &mut |piece, present| {
            for (number, sector) in present.chunks(size).enumerate() {
                let start = piece.range.start + (number * size) as u64;
                let at = ByteRange::new(start, start + sector.len() as u64);
                let old = self.image(piece, Image::Before);
                let is_old = old
                    .get(number * size..)
                    .is_some_and(|old| old.starts_with(sector));
                let is = |extent: &Extent| part(extent, at, Image::After) == sector;
                let is_new = self.cover(piece).next_back().is_some_and(is);
                lowest_is_old &= is_old || self.cover(piece).next().map(|extent| extent.phase) != lowest;
                highest_is_new &=
                    is_new || self.cover(piece).next_back().map(|extent| extent.phase) != highest;
                let mut cover = self.cover(piece);
                // How many extents have left their version behind, at least and at most.
                let least = if is_old {
                    Some(0)
                } else {
                    cover.position(is).map(|n| n + 1)
                };
                let most = self.cover(piece).rposition(is).map_or(0, |n| n + 1);
                let Some(least) = least else {
                    foreign = foreign.or(Some(start));
                    continue;
                };
                if let Some(next) = self.cover(piece).nth(most) {
                    first_to_write = Some(first_to_write.map_or(next.phase, |p| p.min(next.phase)));
                }
                if let Some(last) = self.cover(piece).take(least).next_back() {
                    last_to_undo = last_to_undo.max(Some(last.phase));
                }
            }
            true
        })?;
        let content = match (foreign, first_to_write, last_to_undo) {
            (Some(offset), _, _) => Content::Foreign { offset },
            (None, None, _) => Content::After,
            (None, Some(_), None) => Content::Before,
            (None, Some(_), Some(_)) => Content::Mixed,
        };
        Ok(Survey {
            content,
            first_to_write,
            last_to_undo,
            none_written: lowest_is_old && last_to_undo.is_none(),
            all_written: highest_is_new && first_to_write.is_none(),
        })
    }

    /// `device` with the old content of all sectors.
    pub(super) fn old_content<'v, R: ReadAt + ?Sized>(&'v self, device: &'v R) -> OldContent<'v, R> {
        OldContent {
            device,
            versions: self,
        }
    }
}

/// See [`Versions::old_content`].
pub(super) struct OldContent<'v, R: ?Sized> {
    device: &'v R,
    versions: &'v Versions<'v>,
}

impl<R: ReadAt + ?Sized> ReadAt for OldContent<'_, R> {
    fn size(&self) -> u64 {
        self.device.size()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.device.read_at(offset, buf)?;
        let end = offset + buf.len() as u64;
        let pieces = &self.versions.pieces;
        let first = pieces.partition_point(|piece| piece.range.end <= offset);
        for piece in pieces[first..].iter().take_while(|piece| piece.range.start < end) {
            let (from, to) = (piece.range.start.max(offset), piece.range.end.min(end));
            let old = self.versions.image(piece, Image::Before);
            let (skip, count) = ((from - piece.range.start) as usize, (to - from) as usize);
            let at = (from - offset) as usize;
            buf[at..at + count].copy_from_slice(&old[skip..skip + count]);
        }
        Ok(())
    }
}

/// The part of an extent's image that lies in `range`, which lies in the extent.
fn part(extent: &Extent, range: ByteRange, image: Image) -> &[u8] {
    let bytes = match image {
        Image::Before => &extent.before,
        Image::After => &extent.after,
    };
    let from = (range.start - extent.offset) as usize;
    &bytes[from..from + range.len() as usize]
}

fn first_difference(a: &[u8], b: &[u8]) -> Option<u64> {
    if a == b {
        return None;
    }
    a.iter().zip(b).position(|(a, b)| a != b).map(|at| at as u64)
}

fn check_extent(
    extent: &Extent,
    areas: &[ByteRange],
    device_len: u64,
    sector_size: u64,
) -> Result<(), JournalError> {
    let (before_bytes, after_bytes) = (extent.before.len() as u64, extent.after.len() as u64);
    let whole = extent.offset.is_multiple_of(sector_size) && after_bytes.is_multiple_of(sector_size);
    if !whole || after_bytes == 0 || before_bytes != after_bytes {
        return Err(JournalError::ExtentShape {
            offset: extent.offset,
            before_bytes,
            after_bytes,
            sector_size,
        });
    }
    let range = extent.range();
    if range.len() != after_bytes || range.end > device_len {
        return Err(JournalError::ExtentOutside { range, device_len });
    }
    match areas.iter().any(|area| range.overlaps(area)) {
        true => Err(JournalError::ExtentInPlace { range }),
        false => Ok(()),
    }
}

#[cfg(test)]
#[path = "versions_tests.rs"]
mod tests;
