//! What was staged, as the extents of a commit.
//!
//! A sector may be written in several phases: it then has a version for each, and what the disk holds between two
//! phases is what the steps up to there made of it.

use std::collections::BTreeMap;
use winrefit_disk::{DiskError, Extent, Overlay, ReadAt, SectorSize};

/// Bytes that are compared in one go.
const CHUNK_BYTES: u64 = 1 << 20;

/// One write to the staged disk.
#[derive(Debug)]
pub(crate) struct StagedWrite {
    pub(crate) phase: u8,
    /// Byte offset on the disk.
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// What the phases make of the touched sectors.
struct Versions<'o, R> {
    overlay: &'o Overlay<R>,
    size: u64,
    /// The latest version of each, by number.
    latest: BTreeMap<u64, Box<[u8]>>,
    extents: Vec<Extent>,
}

/// The extents of `writes`, which were made on `overlay` in that order. `Err` names the first byte that the phases, one
/// after the other, leave other than the overlay has it: a later step was put into an earlier phase.
///
/// # Errors
/// Whatever reading the disk returns.
pub(crate) fn extents<R: ReadAt>(
    overlay: &Overlay<R>,
    mut writes: Vec<StagedWrite>,
    sector_size: SectorSize,
) -> Result<Result<Vec<Extent>, u64>, DiskError> {
    writes.sort_by_key(|write| write.phase);
    let mut versions = Versions {
        overlay,
        size: sector_size.bytes(),
        latest: BTreeMap::new(),
        extents: Vec::new(),
    };
    for phase in writes.chunk_by(|a, b| a.phase == b.phase) {
        versions.add_phase(phase)?;
    }
    Ok(match versions.first_difference()? {
        Some(offset) => Err(offset),
        None => Ok(versions.extents),
    })
}

impl<R: ReadAt> Versions<'_, R> {
    fn add_phase(&mut self, writes: &[StagedWrite]) -> Result<(), DiskError> {
        let mut before: BTreeMap<u64, Box<[u8]>> = BTreeMap::new();
        for write in writes {
            let end = write.offset + write.bytes.len() as u64;
            let sectors = write.offset / self.size..end.div_ceil(self.size);
            self.fetch(sectors.clone())?;
            for (sector, latest) in self.latest.range_mut(sectors) {
                before.entry(*sector).or_insert_with(|| latest.clone());
                let start = sector * self.size;
                let (from, to) = (write.offset.max(start), end.min(start + self.size));
                latest[(from - start) as usize..(to - start) as usize].copy_from_slice(
                    &write.bytes[(from - write.offset) as usize..(to - write.offset) as usize],
                );
            }
        }
        let phase = writes.first().map_or(0, |write| write.phase);
        for (sector, before) in before {
            let Some(after) = self.latest.get(&sector) else {
                continue;
            };
            if before == *after {
                continue;
            }
            let offset = sector * self.size;
            match self.extents.last_mut() {
                Some(last) if last.phase == phase && last.offset + last.after.len() as u64 == offset => {
                    last.before.extend_from_slice(&before);
                    last.after.extend_from_slice(after);
                }
                _ => self.extents.push(Extent {
                    offset,
                    before: before.into_vec(),
                    after: after.to_vec(),
                    phase,
                }),
            }
        }
        Ok(())
    }

    /// Makes sure that the sectors have a version, the disk's if no other.
    fn fetch(&mut self, sectors: std::ops::Range<u64>) -> Result<(), DiskError> {
        if self.latest.range(sectors.clone()).count() as u64 == sectors.end - sectors.start {
            return Ok(());
        }
        let length = (sectors.end - sectors.start) * self.size;
        let base = self
            .overlay
            .base()
            .read_vec(sectors.start * self.size, length as usize)?;
        for (sector, content) in sectors.zip(base.chunks(self.size as usize)) {
            self.latest.entry(sector).or_insert_with(|| content.into());
        }
        Ok(())
    }

    /// The first byte whose last version is not what the overlay holds.
    fn first_difference(&self) -> Result<Option<u64>, DiskError> {
        let mut chunk = (0, Vec::new());
        for (&sector, latest) in &self.latest {
            let offset = sector * self.size;
            if offset + self.size > chunk.0 + chunk.1.len() as u64 {
                let length = CHUNK_BYTES.min(self.overlay.size() - offset);
                chunk = (offset, self.overlay.read_vec(offset, length as usize)?);
            }
            let staged = &chunk.1[(offset - chunk.0) as usize..][..latest.len()];
            if let Some(at) = staged.iter().zip(latest).position(|(a, b)| a != b) {
                return Ok(Some(offset + at as u64));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use winrefit_disk::Device;

    fn staged(writes: &[(u8, u64, &[u8])]) -> Result<Vec<Extent>, u64> {
        let base = vec![7; 8 * 512];
        let mut overlay = Overlay::new(&base, SectorSize::B512);
        let mut all = Vec::new();
        for &(phase, offset, bytes) in writes {
            overlay.write_at(offset, bytes).unwrap();
            let bytes = bytes.to_vec();
            all.push(StagedWrite { phase, offset, bytes });
        }
        extents(&overlay, all, SectorSize::B512).unwrap()
    }

    #[test]
    fn a_sector_has_a_version_for_each_phase_that_changes_it() {
        let made = staged(&[
            (1, 500, &[1; 24]),
            (4, 512, &[2; 2]),
            (4, 1030, &[3]),
            (1, 4000, &[7; 9]),
            (1, 511, &[5]),
        ]);
        let made = made.unwrap();
        let shape: Vec<_> = made.iter().map(|e| (e.phase, e.offset, e.after.len())).collect();
        assert_eq!(shape, [(1, 0, 1024), (4, 512, 1024)]);
        assert_eq!(made[0].before, [7; 1024]);
        assert_eq!(
            made[0].after[498..526],
            [[7; 2].as_slice(), &[1; 11], &[5], &[1; 12], &[7; 2]].concat()
        );
        assert_eq!(made[1].before[..512], made[0].after[512..]);
        assert_eq!(
            made[1].after[..14],
            [[2; 2].as_slice(), &[1; 10], &[7; 2]].concat()
        );
    }

    #[test]
    fn phases_that_contradict_the_order_of_staging_are_found() {
        assert_eq!(staged(&[(4, 600, &[1; 4]), (1, 602, &[2; 4])]), Err(602));
        assert!(staged(&[(4, 600, &[1; 4]), (1, 604, &[2; 4])]).is_ok());
    }
}
