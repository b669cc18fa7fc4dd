//! Reading ahead: records that are looked at in the order of their numbers, and blocks of a stream in any order.

use crate::error::NtfsError;
use crate::file::StreamReader;
use crate::types::RecordNumber;
use crate::volume::Volume;
use std::cell::RefCell;
use winrefit_disk::{DiskError, ReadAt};

/// Bytes of one request for records.
const WINDOW_BYTES: u64 = 1 << 20;
/// Records that are read although nobody wants them, rather than to begin another request.
const GAP_RECORDS: u64 = 16;
/// Bytes of one request for blocks, and how many pieces of that size are kept.
const PIECE_BYTES: u64 = 64 << 10;
const PIECES: usize = 512;

/// Records of the $MFT, read some at once.
pub(crate) struct RecordWindow<'v, R> {
    reader: StreamReader<&'v R>,
    record_size: u64,
    first: u64,
    bytes: Vec<u8>,
}

impl<'v, R: ReadAt> RecordWindow<'v, R> {
    pub(crate) fn new(volume: &'v Volume<R>) -> Result<Self, NtfsError> {
        Ok(Self {
            reader: volume.stream_reader(volume.mft().clone())?,
            record_size: volume.geometry().record_size.into(),
            first: 0,
            bytes: Vec::new(),
        })
    }

    /// The first of the records, as it is on the disk. Those of the others that are near are read with it.
    pub(crate) fn record(&mut self, wanted: &[RecordNumber]) -> Result<Vec<u8>, NtfsError> {
        let number = wanted.first().map_or(0, |number| number.0);
        let (size, held) = (self.record_size, self.bytes.len() as u64 / self.record_size);
        if number < self.first || number >= self.first + held {
            let mut last = number;
            for next in wanted.iter().skip(1) {
                let is_near = next.0 > last && next.0 - last <= GAP_RECORDS;
                if !is_near || (next.0 - number + 1) * size > WINDOW_BYTES {
                    break;
                }
                last = next.0;
            }
            self.bytes.resize(((last - number + 1) * size) as usize, 0);
            self.first = number;
            self.reader.read_at(number * size, &mut self.bytes)?;
        }
        let start = ((number - self.first) * size) as usize;
        Ok(self.bytes[start..start + size as usize].to_vec())
    }
}

type Piece = (u64, Vec<u8>);

/// A stream whose bytes are read in large pieces, of which some are kept.
pub(crate) struct Cached<R> {
    reader: R,
    /// Each with its number.
    pieces: RefCell<Vec<Option<Piece>>>,
}

impl<R: ReadAt> Cached<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            pieces: RefCell::new((0..PIECES).map(|_| None).collect()),
        }
    }
}

impl<R: ReadAt> ReadAt for Cached<R> {
    fn size(&self) -> u64 {
        self.reader.size()
    }

    /// As every other one; requests across two pieces go to the stream itself.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let (piece, start) = (offset / PIECE_BYTES, offset % PIECE_BYTES);
        if start + buf.len() as u64 > PIECE_BYTES || offset >= self.size() {
            return self.reader.read_at(offset, buf);
        }
        let mut pieces = self.pieces.borrow_mut();
        let slot = &mut pieces[piece as usize % PIECES];
        if slot.as_ref().is_none_or(|(held, _)| *held != piece) {
            let at = piece * PIECE_BYTES;
            let length = (self.size() - at).min(PIECE_BYTES) as usize;
            let mut bytes = slot.take().map_or_else(Vec::new, |(_, bytes)| bytes);
            bytes.resize(length, 0);
            self.reader.read_at(at, &mut bytes)?;
            *slot = Some((piece, bytes));
        }
        let range = start as usize..start as usize + buf.len();
        match slot.as_ref().and_then(|(_, bytes)| bytes.get(range)) {
            Some(bytes) => buf.copy_from_slice(bytes),
            None => return self.reader.read_at(offset, buf),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cached_is_what_is_there() {
        let bytes: Vec<u8> = (0..PIECE_BYTES as usize * (PIECES + 3) + 1000)
            .map(|index| (index / 977) as u8)
            .collect();
        let cached = Cached::new(&bytes);
        let mut buf = vec![0; 4096];
        for step in 0..5000u64 {
            let offset = step.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (bytes.len() as u64 - 4096);
            cached.read_at(offset, &mut buf).unwrap();
            assert!(buf == bytes[offset as usize..offset as usize + 4096], "{offset}");
        }
        assert!(cached.read_at(bytes.len() as u64 - 4095, &mut buf).is_err());
    }
}
