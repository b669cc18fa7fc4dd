//! The $Bitmap: one bit for each cluster, set where the cluster is in use.

use crate::error::NtfsError;
use crate::runs::Run;
use crate::types::{AttributeType, Lcn, RecordNumber};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// Bits of clusters, held in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterBitmap {
    bits: Vec<u8>,
    clusters: u64,
}

impl ClusterBitmap {
    /// Bytes that $Bitmap has for so many clusters: a multiple of 8.
    pub fn bytes_for(clusters: u64) -> u64 {
        clusters.div_ceil(64) * 8
    }

    /// All clusters free; the bits behind the last cluster are set, as NTFS keeps them.
    pub fn new_free(clusters: u64) -> Self {
        let mut bitmap = Self {
            bits: vec![0; Self::bytes_for(clusters) as usize],
            clusters,
        };
        bitmap.set_padding();
        bitmap
    }

    /// Reads the $Bitmap of a volume. Bytes behind what the volume needs are dropped.
    ///
    /// # Errors
    /// Damage of $Bitmap's record, or [`NtfsError::BadAttribute`] if it has too few bytes.
    pub fn read<R: ReadAt>(volume: &Volume<R>) -> Result<Self, NtfsError> {
        let stream = volume
            .file(RecordNumber::BITMAP)?
            .require(AttributeType::DATA, "")?;
        let clusters = volume.geometry().clusters();
        let (need, actual) = (clusters.div_ceil(8), stream.len());
        if actual < need {
            return Err(NtfsError::BadAttribute {
                record: RecordNumber::BITMAP,
                attribute: AttributeType::DATA,
                offset: 0,
                field: "size of $Bitmap",
                actual,
            });
        }
        let keep = Self::bytes_for(clusters).min(actual) as usize;
        let mut bits = volume.stream_reader(stream)?.read_vec(0, keep)?;
        bits.resize(Self::bytes_for(clusters) as usize, 0xFF);
        Ok(Self { bits, clusters })
    }

    fn set_padding(&mut self) {
        for bit in self.clusters..self.bits.len() as u64 * 8 {
            self.bits[(bit / 8) as usize] |= 1 << (bit % 8);
        }
    }

    /// The bytes as on disk.
    pub fn bytes(&self) -> &[u8] {
        &self.bits
    }

    /// The bytes, a multiple of 8, to be changed in place.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bits
    }

    /// Number of clusters.
    pub fn clusters(&self) -> u64 {
        self.clusters
    }

    /// Whether a cluster is in use. A cluster behind the end is.
    pub fn is_set(&self, lcn: Lcn) -> bool {
        self.bits
            .get((lcn.0 / 8) as usize)
            .is_none_or(|byte| byte >> (lcn.0 % 8) & 1 == 1)
    }

    /// Marks `count` clusters from `lcn` as used or free. What lies behind the end is ignored.
    pub fn set_range(&mut self, lcn: Lcn, count: u64, used: bool) {
        let end = lcn.0.saturating_add(count).min(self.clusters);
        let mut bit = lcn.0;
        while bit < end {
            let byte = (bit / 8) as usize;
            if bit.is_multiple_of(8) && end - bit >= 8 {
                self.bits[byte] = if used { 0xFF } else { 0 };
                bit += 8;
                continue;
            }
            if used {
                self.bits[byte] |= 1 << (bit % 8);
            } else {
                self.bits[byte] &= !(1 << (bit % 8));
            }
            bit += 1;
        }
    }

    /// Clusters not in use.
    pub fn free_clusters(&self) -> u64 {
        let unset: u64 = self.bits.iter().map(|byte| u64::from(byte.count_zeros())).sum();
        let padding = self.clusters..self.bits.len() as u64 * 8;
        unset - padding.filter(|&bit| !self.is_set(Lcn(bit))).count() as u64
    }

    /// The last cluster in use at or behind `from`, if there is one.
    pub fn last_used_from(&self, from: Lcn) -> Option<Lcn> {
        let mut bit = self.clusters;
        while bit > from.0 {
            if bit.is_multiple_of(8) && bit - from.0 >= 8 && self.bits[(bit / 8 - 1) as usize] == 0 {
                bit -= 8;
                continue;
            }
            bit -= 1;
            if self.is_set(Lcn(bit)) {
                return Some(Lcn(bit));
            }
        }
        None
    }

    /// The first `count` free clusters in a row within `from..to`.
    pub fn find_free(&self, from: Lcn, to: Lcn, count: u64) -> Option<Lcn> {
        let to = to.0.min(self.clusters);
        let (mut start, mut bit) = (from.0, from.0);
        while bit < to {
            if self.is_set(Lcn(bit)) {
                start = bit + 1;
            } else if bit + 1 - start >= count {
                return Some(Lcn(start));
            }
            bit += 1;
        }
        None
    }

    /// The runs of free clusters below `limit`, in order.
    pub fn free_runs(&self, limit: Lcn) -> impl Iterator<Item = Run> {
        let limit = limit.0.min(self.clusters);
        let mut bit = 0;
        std::iter::from_fn(move || {
            let start = self.next(bit, limit, false)?;
            bit = self.next(start, limit, true).unwrap_or(limit);
            Some(Run {
                lcn: Some(Lcn(start)),
                clusters: bit - start,
            })
        })
    }

    /// The first cluster in `from..limit` that is (not) in use.
    fn next(&self, from: u64, limit: u64, used: bool) -> Option<u64> {
        let skip = if used { 0 } else { 0xFF };
        let mut bit = from;
        while bit < limit {
            if bit.is_multiple_of(8) && self.bits[(bit / 8) as usize] == skip {
                bit += 8;
            } else if self.is_set(Lcn(bit)) == used {
                return Some(bit);
            } else {
                bit += 1;
            }
        }
        None
    }

    /// Marks as used what is so in `other`. Clusters that it does not have stay as they are.
    pub fn add_used(&mut self, other: &Self) {
        let other = other.resized(self.clusters);
        self.bits
            .iter_mut()
            .zip(&other.bits)
            .for_each(|(bits, more)| *bits |= more);
    }

    /// The longest run of free clusters, the first of several: where it starts, and how many they are.
    pub fn longest_free(&self) -> Option<(Lcn, u64)> {
        let runs = self.free_runs(Lcn(self.clusters));
        let longest = runs.reduce(|best, run| if run.clusters > best.clusters { run } else { best })?;
        Some((longest.lcn?, longest.clusters))
    }

    /// The same bits for a volume with `by` more clusters in front, those free.
    pub fn shifted(&self, by: u64) -> Self {
        let mut new = Self::new_free(self.clusters + by);
        for bit in 0..self.clusters {
            if self.is_set(Lcn(bit)) {
                let at = bit + by;
                new.bits[(at / 8) as usize] |= 1 << (at % 8);
            }
        }
        new
    }

    /// The same bits for a volume of another size: new clusters are free, dropped ones forgotten.
    pub fn resized(&self, clusters: u64) -> Self {
        let mut new = Self::new_free(clusters);
        let common = self.clusters.min(clusters);
        let whole = (common / 8) as usize;
        new.bits[..whole].copy_from_slice(&self.bits[..whole]);
        for bit in whole as u64 * 8..common {
            new.set_range(Lcn(bit), 1, self.is_set(Lcn(bit)));
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_set_and_never_counted() {
        let bitmap = ClusterBitmap::new_free(751);
        assert_eq!(bitmap.bytes().len(), 96);
        assert_eq!(bitmap.free_clusters(), 751);
        assert!(bitmap.is_set(Lcn(751)) && !bitmap.is_set(Lcn(750)) && bitmap.is_set(Lcn(1 << 40)));
    }

    #[test]
    fn ranges_shift_resize_and_search_agree_with_single_bits() {
        let mut bitmap = ClusterBitmap::new_free(200);
        bitmap.set_range(Lcn(5), 90, true);
        bitmap.set_range(Lcn(20), 3, false);
        bitmap.set_range(Lcn(190), 500, true);
        assert_eq!(bitmap.free_clusters(), 200 - 87 - 10);
        assert_eq!(bitmap.find_free(Lcn(6), Lcn(200), 4), Some(Lcn(95)));
        assert_eq!(bitmap.find_free(Lcn(6), Lcn(200), 3), Some(Lcn(20)));
        assert_eq!(bitmap.find_free(Lcn(0), Lcn(200), 96), None);
        assert_eq!(bitmap.last_used_from(Lcn(0)), Some(Lcn(199)));
        let runs: Vec<_> = bitmap
            .free_runs(Lcn(100))
            .map(|r| (r.lcn.unwrap().0, r.clusters))
            .collect();
        assert_eq!(runs, [(0, 5), (20, 3), (95, 5)]);
        let small = bitmap.resized(190);
        assert_eq!(small.last_used_from(Lcn(0)), Some(Lcn(94)));
        assert_eq!(small.last_used_from(Lcn(95)), None);
        assert!(small.is_set(Lcn(191)));
        let moved = bitmap.shifted(13);
        assert!((0..200).all(|bit| moved.is_set(Lcn(bit + 13)) == bitmap.is_set(Lcn(bit))));
        assert_eq!(moved.free_clusters(), bitmap.free_clusters() + 13);
    }

    #[test]
    fn the_longest_run_is_found_wherever_it_lies() {
        assert_eq!(ClusterBitmap::new_free(751).longest_free(), Some((Lcn(0), 751)));
        let mut full = ClusterBitmap::new_free(300);
        full.set_range(Lcn(0), 300, true);
        assert_eq!(full.longest_free(), None);
        for (start, count) in [
            (0, 1),
            (63, 2),
            (64, 64),
            (1, 200),
            (60, 140),
            (299, 1),
            (128, 172),
            (5, 59),
        ] {
            let mut bitmap = full.clone();
            bitmap.set_range(Lcn(start), count, false);
            assert_eq!(bitmap.longest_free(), Some((Lcn(start), count)));
            let mut other = ClusterBitmap::new_free(100);
            other.set_range(Lcn(start), count.div_ceil(2), true);
            let mut both = bitmap.clone();
            both.add_used(&other);
            let expected =
                (0..300).filter(|&c| !bitmap.is_set(Lcn(c)) && (c >= 100 || !other.is_set(Lcn(c))));
            assert_eq!(both.free_clusters(), expected.count() as u64);
        }
        let mut several = full.clone();
        for (start, count) in [(3, 20), (70, 21), (200, 21), (230, 5)] {
            several.set_range(Lcn(start), count, false);
        }
        assert_eq!(several.longest_free(), Some((Lcn(70), 21)));
    }
}
