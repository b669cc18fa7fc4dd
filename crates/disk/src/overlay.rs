//! A copy-on-write view: reads see the staged changes, the base is never written.

use crate::{Device, DiskError, ReadAt, SectorSize};
use std::collections::BTreeMap;

/// One run of changed sectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Byte offset of the first changed sector.
    pub offset: u64,
    /// What the base holds there. As long as `after`.
    pub before: Vec<u8>,
    /// What the overlay holds there.
    pub after: Vec<u8>,
}

/// Staged changes over a base that is only read. Memory use is proportional to what was written.
#[derive(Debug)]
pub struct Overlay<R> {
    base: R,
    sector_size: SectorSize,
    /// Written sectors by number.
    sectors: BTreeMap<u64, Box<[u8]>>,
}

impl<R: ReadAt> Overlay<R> {
    /// An overlay without changes over `base`.
    pub fn new(base: R, sector_size: SectorSize) -> Self {
        Self {
            base,
            sector_size,
            sectors: BTreeMap::new(),
        }
    }

    /// The base, as it is without the staged changes.
    pub fn base(&self) -> &R {
        &self.base
    }

    /// Drops all staged changes.
    pub fn clear(&mut self) {
        self.sectors.clear();
    }

    /// The sectors whose content differs from the base, adjacent ones joined, in ascending order. A sector that
    /// was written with the content it had is no change.
    ///
    /// # Errors
    /// Whatever reading the base returns.
    pub fn changes(&self) -> Result<Vec<Change>, DiskError> {
        let size = self.sector_size.bytes();
        let mut changes: Vec<Change> = Vec::new();
        for (&sector, after) in &self.sectors {
            let offset = sector * size;
            let before = self.base.read_vec(offset, after.len())?;
            if before[..] == after[..] {
                continue;
            }
            match changes.last_mut() {
                Some(last) if last.offset + last.after.len() as u64 == offset => {
                    last.before.extend_from_slice(&before);
                    last.after.extend_from_slice(after);
                }
                _ => changes.push(Change {
                    offset,
                    before,
                    after: after.to_vec(),
                }),
            }
        }
        Ok(changes)
    }

    /// The sector's bytes for writing, fetched from the base the first time.
    fn sector_mut(&mut self, sector: u64) -> Result<&mut [u8], DiskError> {
        let size = self.sector_size.bytes();
        let start = sector * size;
        // A base whose length is no multiple of the sector size ends in a short sector.
        let length = size.min(self.base.size() - start) as usize;
        match self.sectors.entry(sector) {
            std::collections::btree_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            std::collections::btree_map::Entry::Vacant(entry) => {
                Ok(entry.insert(self.base.read_vec(start, length)?.into_boxed_slice()))
            }
        }
    }
}

impl<R: ReadAt> ReadAt for Overlay<R> {
    fn size(&self) -> u64 {
        self.base.size()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.base.read_at(offset, buf)?;
        let size = self.sector_size.bytes();
        let end = offset + buf.len() as u64;
        for (&sector, data) in self.sectors.range(offset / size..end.div_ceil(size)) {
            let start = sector * size;
            let (from, to) = (start.max(offset), (start + data.len() as u64).min(end));
            buf[(from - offset) as usize..(to - offset) as usize]
                .copy_from_slice(&data[(from - start) as usize..(to - start) as usize]);
        }
        Ok(())
    }
}

impl<R: ReadAt> Device for Overlay<R> {
    fn sector_size(&self) -> SectorSize {
        self.sector_size
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        DiskError::check_bounds(offset, data.len(), self.size())?;
        let size = self.sector_size.bytes();
        let mut done = 0usize;
        while done < data.len() {
            let at = offset + done as u64;
            let within = (at % size) as usize;
            let count = (size as usize - within).min(data.len() - done);
            self.sector_mut(at / size)?[within..within + count].copy_from_slice(&data[done..done + count]);
            done += count;
        }
        Ok(())
    }

    /// Nothing to do: an overlay is never durable.
    fn flush(&mut self) -> Result<(), DiskError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_mix_base_and_changes_and_the_base_stays() {
        let base: Vec<u8> = (0..2048u32).map(|i| i as u8).collect();
        let mut overlay = Overlay::new(&base, SectorSize::B512);
        overlay.write_at(510, &[1, 2, 3, 4]).unwrap();
        let mut expected = base.clone();
        expected[510..514].copy_from_slice(&[1, 2, 3, 4]);
        assert_eq!(overlay.read_vec(0, 2048).unwrap(), expected);
        assert_eq!(overlay.read_vec(509, 6).unwrap(), expected[509..515]);
        let changes = overlay.changes().unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].offset, 0);
        assert_eq!(changes[0].before, base[..1024]);
        assert_eq!(changes[0].after, expected[..1024]);
    }

    #[test]
    fn a_write_of_what_was_there_is_no_change() {
        let base = vec![7u8; 1024];
        let mut overlay = Overlay::new(&base, SectorSize::B512);
        overlay.write_at(3, &[7; 600]).unwrap();
        assert!(overlay.changes().unwrap().is_empty());
        overlay.write_at(1023, &[8]).unwrap();
        assert_eq!(overlay.changes().unwrap()[0].offset, 512);
        assert!(overlay.write_at(1024, &[0]).is_err());
    }

    #[test]
    fn a_base_that_ends_inside_a_sector_can_be_overlaid() {
        let base = vec![0u8; 700];
        let mut overlay = Overlay::new(&base, SectorSize::B512);
        overlay.write_at(699, &[1]).unwrap();
        assert_eq!(overlay.changes().unwrap()[0].after.len(), 188);
    }
}
