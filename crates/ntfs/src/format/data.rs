//! Contents of files, and their way to the device.

use super::FormatError;
use crate::runs::RunList;
use crate::types::Geometry;
use std::ops::Range;
use winrefit_disk::{Device, ReadAt};

/// Bytes that are gathered before they are written, and copied at once.
const CHUNK_BYTES: usize = 1 << 20;

/// Content of a file.
pub enum FileData {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Whatever this reads; copied in large chunks.
    Reader(Box<dyn ReadAt>),
    /// Zeros but for some pieces. Only clusters that a piece touches are written: the device must read as zero
    /// everywhere else, as a new sparse file does.
    Zeroed {
        /// Bytes of the file.
        size: u64,
        /// Offset in the file and bytes of each piece, in any order.
        pieces: Vec<(u64, Vec<u8>)>,
    },
}

impl std::fmt::Debug for FileData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self {
            Self::Bytes(_) => "Bytes",
            Self::Reader(_) => "Reader",
            Self::Zeroed { .. } => "Zeroed",
        };
        f.debug_struct(name)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

impl FileData {
    /// Length in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Reader(reader) => reader.size(),
            Self::Zeroed { size, .. } => *size,
        }
    }

    /// Sorts the pieces, and gives the place of one that overlaps the piece before or the end of the file.
    pub(super) fn bad_piece(&mut self) -> Option<(u64, u64)> {
        let Self::Zeroed { size, pieces } = self else {
            return None;
        };
        pieces.sort_by_key(|(offset, _)| *offset);
        let mut free_from = 0;
        for (offset, bytes) in pieces {
            let length = bytes.len() as u64;
            let end = offset.checked_add(length).filter(|end| end <= size);
            match end {
                Some(end) if *offset >= free_from => free_from = end,
                _ => return Some((*offset, length)),
            }
        }
        None
    }

    /// Fills `buf` with the bytes at `offset`, which are inside the file.
    pub(super) fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), FormatError> {
        match self {
            Self::Bytes(bytes) => bytes.read_at(offset, buf)?,
            Self::Reader(reader) => reader.read_at(offset, buf)?,
            Self::Zeroed { pieces, .. } => {
                buf.fill(0);
                let wanted = offset..offset + buf.len() as u64;
                let first = pieces.partition_point(|(at, bytes)| at + bytes.len() as u64 <= wanted.start);
                for (at, bytes) in pieces[first..].iter().take_while(|(at, _)| *at < wanted.end) {
                    let (from, to) = (wanted.start.max(*at), wanted.end.min(at + bytes.len() as u64));
                    let source = &bytes[(from - at) as usize..(to - at) as usize];
                    buf[(from - wanted.start) as usize..(to - wanted.start) as usize].copy_from_slice(source);
                }
            }
        }
        Ok(())
    }

    /// Ranges of clusters of the file that have to be written.
    fn clusters_to_write(&self, geometry: &Geometry) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        let Self::Zeroed { pieces, .. } = self else {
            ranges.push(0..geometry.clusters_for(self.size()));
            return ranges;
        };
        for (offset, bytes) in pieces.iter().filter(|(_, bytes)| !bytes.is_empty()) {
            let first = offset / u64::from(geometry.cluster_size);
            let end = geometry.clusters_for(offset + bytes.len() as u64);
            match ranges.last_mut() {
                Some(last) if last.end >= first => last.end = last.end.max(end),
                _ => ranges.push(first..end),
            }
        }
        ranges
    }
}

/// Writes to the device, gathering writes that continue each other.
pub(super) struct Writer<'d> {
    device: &'d mut dyn Device,
    geometry: Geometry,
    at: u64,
    gathered: Vec<u8>,
}

impl<'d> Writer<'d> {
    pub(super) fn new(device: &'d mut dyn Device, geometry: Geometry) -> Self {
        let gathered = Vec::with_capacity(CHUNK_BYTES * 2);
        Self {
            device,
            geometry,
            at: 0,
            gathered,
        }
    }

    /// Writes `bytes`, whole sectors, at a byte offset of the volume.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), FormatError> {
        if self.at + self.gathered.len() as u64 != offset || self.gathered.len() >= CHUNK_BYTES {
            self.drain()?;
            self.at = offset;
        }
        self.gathered.extend_from_slice(bytes);
        Ok(())
    }

    fn drain(&mut self) -> Result<(), FormatError> {
        if !self.gathered.is_empty() {
            self.device.write_at(self.at, &self.gathered)?;
            self.gathered.clear();
        }
        Ok(())
    }

    /// Writes what was gathered and waits until it is durable.
    pub(super) fn flush(&mut self) -> Result<(), FormatError> {
        self.drain()?;
        Ok(self.device.flush()?)
    }

    /// Writes a stream into its clusters; the rest of its last cluster becomes zero.
    pub(super) fn write_stream(&mut self, runs: &RunList, data: &FileData) -> Result<(), FormatError> {
        for range in data.clusters_to_write(&self.geometry) {
            let mut first_vcn = 0;
            for run in &runs.0 {
                let end_vcn = first_vcn + run.clusters;
                let (from, to) = (range.start.max(first_vcn), range.end.min(end_vcn));
                if let Some(lcn) = run.lcn
                    && from < to
                {
                    self.write_clusters(lcn.0 + (from - first_vcn), from..to, data)?;
                }
                first_vcn = end_vcn;
            }
        }
        Ok(())
    }

    /// Writes the clusters `vcns` of a stream at `lcn` and behind.
    fn write_clusters(&mut self, lcn: u64, vcns: Range<u64>, data: &FileData) -> Result<(), FormatError> {
        let cluster = u64::from(self.geometry.cluster_size);
        let base = vcns.start * cluster;
        let (mut done, end) = (base, vcns.end * cluster);
        let mut chunk = Vec::new();
        while done < end {
            let length = (end - done).min(CHUNK_BYTES.max(cluster as usize) as u64);
            let filled = data.size().saturating_sub(done).min(length) as usize;
            chunk.clear();
            chunk.resize(length as usize, 0);
            data.read_at(done, &mut chunk[..filled])?;
            self.write(lcn * cluster + (done - base), &chunk)?;
            done += length;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_sorted_read_and_checked() {
        let mut data = FileData::Zeroed {
            size: 20_000,
            pieces: vec![(9_000, vec![2; 10]), (100, vec![1; 3]), (4_090, vec![3; 10])],
        };
        assert_eq!(data.bad_piece(), None);
        let mut buf = vec![9; 20_000];
        data.read_at(0, &mut buf).unwrap();
        let set: Vec<usize> = (0..20_000).filter(|&i| buf[i] != 0).collect();
        assert_eq!(
            set,
            (100..103)
                .chain(4_090..4_100)
                .chain(9_000..9_010)
                .collect::<Vec<_>>()
        );
        let mut part = [0; 4];
        data.read_at(4_098, &mut part).unwrap();
        assert_eq!(part, [3, 3, 0, 0]);
        let geometry = super::super::FormatOptions::new(1 << 20).geometry().unwrap();
        let ranges = data.clusters_to_write(&geometry);
        assert_eq!((ranges.len(), &ranges[0]), (1, &(0..3)));
    }

    #[test]
    fn pieces_out_of_place_are_found() {
        for (pieces, bad) in [
            (vec![(0, vec![0; 11])], Some((0, 11))),
            (vec![(5, vec![0; 5]), (0, vec![0; 6])], Some((5, 5))),
            (vec![(u64::MAX, vec![0; 2])], Some((u64::MAX, 2))),
            (vec![(5, vec![0; 5]), (0, vec![0; 5])], None),
        ] {
            assert_eq!(FileData::Zeroed { size: 10, pieces }.bad_piece(), bad);
        }
    }
}
