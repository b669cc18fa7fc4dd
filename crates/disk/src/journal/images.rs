//! Comparing extents with the device, and writing them.

use super::recovery::Content;
use super::{Extent, JournalError, Progress, Stage};
use crate::{Device, DiskError, ReadAt, SectorSize};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Bytes per write, so that progress is seen.
const CHUNK_BYTES: usize = 1 << 20;

/// Which of an extent's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Image {
    Before,
    After,
}

impl Image {
    fn of(self, extent: &Extent) -> &[u8] {
        match self {
            Self::Before => &extent.before,
            Self::After => &extent.after,
        }
    }
}

/// Tells the caller about one stage.
pub(super) struct Meter<'a> {
    tell: &'a mut dyn FnMut(Progress),
    state: Progress,
}

impl<'a> Meter<'a> {
    pub(super) fn new(tell: &'a mut dyn FnMut(Progress), stage: Stage, total_bytes: u64) -> Self {
        let state = Progress {
            stage,
            done_bytes: 0,
            total_bytes,
        };
        tell(state);
        Self { tell, state }
    }

    fn add(&mut self, bytes: usize) {
        self.state.done_bytes += bytes as u64;
        (self.tell)(self.state);
    }
}

/// Writes `bytes` in chunks.
pub(super) fn write(
    device: &mut impl Device,
    offset: u64,
    bytes: &[u8],
    meter: &mut Meter<'_>,
) -> Result<(), DiskError> {
    let mut at = offset;
    for chunk in bytes.chunks(CHUNK_BYTES) {
        device.write_at(at, chunk)?;
        at += chunk.len() as u64;
        meter.add(chunk.len());
    }
    Ok(())
}

/// Writes `length` zeros in chunks.
pub(super) fn write_zeros(
    device: &mut impl Device,
    offset: u64,
    length: u64,
    meter: &mut Meter<'_>,
) -> Result<(), DiskError> {
    let zeros = vec![0; CHUNK_BYTES.min(length as usize)];
    let mut done = 0;
    while done < length {
        let count = (length - done).min(CHUNK_BYTES as u64) as usize;
        device.write_at(offset + done, &zeros[..count])?;
        done += count as u64;
        meter.add(count);
    }
    Ok(())
}

/// Writes one image of all extents, a flush after each phase, and compares what the device gives back.
///
/// # Errors
/// [`JournalError::ReadBack`] or [`JournalError::Disk`].
pub(super) fn apply(
    device: &mut impl Device,
    extents: &[Extent],
    image: Image,
    tell: &mut dyn FnMut(Progress),
) -> Result<(), JournalError> {
    let total = extents.iter().map(|extent| extent.after.len() as u64).sum();
    let mut phases: Vec<u8> = extents
        .iter()
        .map(|extent| extent.phase)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    if image == Image::Before {
        phases.sort_unstable_by_key(|phase| Reverse(*phase));
    }
    let mut meter = Meter::new(tell, Stage::Apply, total);
    for phase in phases {
        for extent in extents.iter().filter(|extent| extent.phase == phase) {
            write(device, extent.offset, image.of(extent), &mut meter)?;
        }
        device.flush()?;
    }
    let mut meter = Meter::new(tell, Stage::Verify, total);
    match difference(device, extents, image, &mut meter)? {
        Some(offset) => Err(JournalError::ReadBack { offset }),
        None => Ok(()),
    }
}

/// The lowest byte offset at which the device does not hold that image.
pub(super) fn difference(
    device: &(impl ReadAt + ?Sized),
    extents: &[Extent],
    image: Image,
    meter: &mut Meter<'_>,
) -> Result<Option<u64>, DiskError> {
    let mut first: Option<u64> = None;
    for extent in extents {
        let expected = image.of(extent);
        let present = device.read_vec(extent.offset, expected.len())?;
        if let Some(at) = present.iter().zip(expected).position(|(a, b)| a != b) {
            let offset = extent.offset + at as u64;
            first = Some(first.map_or(offset, |known| known.min(offset)));
        }
        meter.add(expected.len());
    }
    Ok(first)
}

/// What the touched sectors hold, sector by sector.
pub(super) fn survey(
    device: &(impl ReadAt + ?Sized),
    extents: &[Extent],
    sector_size: SectorSize,
) -> Result<Content, DiskError> {
    let size = sector_size.bytes() as usize;
    let (mut all_before, mut all_after) = (true, true);
    let mut foreign: Option<u64> = None;
    for extent in extents {
        let present = device.read_vec(extent.offset, extent.after.len())?;
        let images = extent.before.chunks(size).zip(extent.after.chunks(size));
        for (number, (sector, (before, after))) in present.chunks(size).zip(images).enumerate() {
            all_before &= sector == before;
            all_after &= sector == after;
            if sector != before && sector != after {
                let offset = extent.offset + (number * size) as u64;
                foreign = Some(foreign.map_or(offset, |known| known.min(offset)));
            }
        }
    }
    Ok(match (foreign, all_before, all_after) {
        (Some(offset), _, _) => Content::Foreign { offset },
        (None, _, true) => Content::After,
        (None, true, false) => Content::Before,
        (None, false, false) => Content::Mixed,
    })
}
