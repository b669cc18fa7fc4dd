//! Writing images to their extents, and the writing of long stretches in general.

use super::versions::{Image, Versions};
use super::{Extent, JournalError, Progress, Stage};
use crate::{ByteRange, Device, DiskError};
use std::cmp::Reverse;

/// Bytes per write, so that progress is seen.
const CHUNK_BYTES: usize = 1 << 20;

impl Extent {
    /// The bytes of the device that change.
    pub(super) fn range(&self) -> ByteRange {
        ByteRange::new(self.offset, self.offset.saturating_add(self.after.len() as u64))
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

    pub(super) fn add(&mut self, bytes: usize) {
        self.state.done_bytes += bytes as u64;
        (self.tell)(self.state);
    }
}

/// Joins what is written to neighbouring places into large writes. What is not [`Gather::finish`]ed is lost.
pub(super) struct Gather<'a, 'm, D> {
    device: &'a mut D,
    meter: &'a mut Meter<'m>,
    offset: u64,
    bytes: Vec<u8>,
}

impl<'a, 'm, D: Device> Gather<'a, 'm, D> {
    pub(super) fn new(device: &'a mut D, meter: &'a mut Meter<'m>) -> Self {
        Self {
            device,
            meter,
            offset: 0,
            bytes: Vec::new(),
        }
    }

    /// Writes `bytes` at `offset`, now or later.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        if offset != self.offset + self.bytes.len() as u64 {
            self.finish()?;
            self.offset = offset;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(CHUNK_BYTES - self.bytes.len()));
            self.bytes.extend_from_slice(now);
            rest = later;
            if self.bytes.len() == CHUNK_BYTES {
                self.finish()?;
            }
        }
        Ok(())
    }

    /// Writes what is left. Not a flush.
    pub(super) fn finish(&mut self) -> Result<(), DiskError> {
        if !self.bytes.is_empty() {
            self.device.write_at(self.offset, &self.bytes)?;
            self.meter.add(self.bytes.len());
            self.offset += self.bytes.len() as u64;
            self.bytes.clear();
        }
        Ok(())
    }
}

/// Writes zeros in chunks.
pub(super) fn write_zeros(
    device: &mut impl Device,
    range: ByteRange,
    meter: &mut Meter<'_>,
) -> Result<(), DiskError> {
    let zeros = vec![0; range.len().min(CHUNK_BYTES as u64) as usize];
    let mut at = range.start;
    while at < range.end {
        let count = (range.end - at).min(CHUNK_BYTES as u64) as usize;
        device.write_at(at, &zeros[..count])?;
        at += count as u64;
        meter.add(count);
    }
    Ok(())
}

/// Writes that image of all extents from `phase` on (for [`Image::Before`]: from `phase` downwards), a flush after each
/// phase, and compares what the device gives back. Nothing is written if there is no `phase`.
///
/// # Errors
/// [`JournalError::ReadBack`] or [`JournalError::Disk`].
pub(super) fn apply(
    device: &mut impl Device,
    (extents, versions): (&[Extent], &Versions<'_>),
    (image, phase): (Image, Option<u8>),
    tell: &mut dyn FnMut(Progress),
) -> Result<(), JournalError> {
    let mut order: Vec<&Extent> = match (image, phase) {
        (_, None) => Vec::new(),
        (Image::After, Some(first)) => extents.iter().filter(|extent| extent.phase >= first).collect(),
        (Image::Before, Some(last)) => extents.iter().filter(|extent| extent.phase <= last).collect(),
    };
    match image {
        Image::After => order.sort_by_key(|extent| (extent.phase, extent.offset)),
        Image::Before => order.sort_by_key(|extent| (Reverse(extent.phase), extent.offset)),
    }
    let total = order.iter().map(|extent| extent.after.len() as u64).sum();
    let mut meter = Meter::new(tell, Stage::Apply, total);
    for epoch in order.chunk_by(|a, b| a.phase == b.phase) {
        let mut gather = Gather::new(device, &mut meter);
        for extent in epoch {
            let bytes = match image {
                Image::Before => &extent.before,
                Image::After => &extent.after,
            };
            gather.write(extent.offset, bytes)?;
        }
        gather.finish()?;
        device.flush()?;
    }
    let mut meter = Meter::new(tell, Stage::Verify, versions.total_bytes());
    match versions.difference(device, image, &mut meter)? {
        Some(offset) => Err(JournalError::ReadBack { offset }),
        None => Ok(()),
    }
}
