//! Where things lie on a new volume, and the allocation of what is still free.
//!
//! From the front: $Boot, $MFTMirr (both where the boot loader expects them), the small system files, $LogFile. The
//! $MFT follows, or lies at 3 GiB on volumes where Windows would put it there. Space behind the $MFT is kept free for
//! its growth as long as there is other space. Files are laid out from the front, so the end of the volume stays free.

use super::{FormatError, attrdef};
use crate::bitmap::ClusterBitmap;
use crate::runs::{Run, RunList};
use crate::types::{Geometry, Lcn};
use crate::upcase::UpCase;
use std::ops::Range;

/// Bytes of $Boot, whatever the sector size.
pub(super) const BOOT_BYTES: u64 = 8192;
/// Records of the $MFT that $MFTMirr repeats, if a cluster does not hold more.
const MIRRORED_RECORDS: u64 = 4;
/// Volumes up to here get a $LogFile of 2 MiB, larger ones of 4 MiB. Windows makes larger ones on large volumes; all
/// of it has to be written.
const SMALL_LOG_VOLUME: u64 = 1 << 30;
const LOG_BYTES: (u64, u64) = (2 << 20, 4 << 20);
/// From this size on Windows puts the $MFT at 3 GiB instead of one third.
const FAR_MFT_VOLUME: u64 = 9 << 30;
const FAR_MFT: u64 = 3 << 30;
/// What Windows reserves behind the $MFT since Vista, and how much of a small volume that may be.
const MFT_ZONE: u64 = 200 << 20;
const MFT_ZONE_SHARE: u64 = 8;

/// Clusters in a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) lcn: u64,
    pub(super) clusters: u64,
}

impl Extent {
    pub(super) fn runs(self) -> RunList {
        RunList(vec![Run {
            lcn: Some(Lcn(self.lcn)),
            clusters: self.clusters,
        }])
    }
}

/// Places of the system files.
pub(super) struct Layout {
    pub(super) boot: Extent,
    pub(super) mirror: Extent,
    /// Records in the mirror.
    pub(super) mirrored_records: u64,
    pub(super) upcase: Extent,
    pub(super) attrdef: Extent,
    pub(super) secure: Extent,
    pub(super) bitmap: Extent,
    pub(super) log: Extent,
    /// Data bytes of $LogFile.
    pub(super) log_bytes: u64,
    pub(super) mft_bitmap: Extent,
    pub(super) mft: Extent,
}

impl Layout {
    /// Places the system files of a volume with `records` file records, and gives the free space around them.
    pub(super) fn plan(
        geometry: &Geometry,
        records: u64,
        secure_bytes: u64,
    ) -> Result<(Self, Allocator), FormatError> {
        let clusters = geometry.clusters();
        let volume_bytes = geometry.volume_bytes();
        let record_size = u64::from(geometry.record_size);
        let log_bytes = if volume_bytes < SMALL_LOG_VOLUME {
            LOG_BYTES.0
        } else {
            LOG_BYTES.1
        };
        let mirrored_records = MIRRORED_RECORDS.max(u64::from(geometry.cluster_size) / record_size);
        let mut next = 0;
        let mut place = |bytes: u64| {
            let (lcn, clusters) = (next, geometry.clusters_for(bytes));
            next += clusters;
            Extent { lcn, clusters }
        };
        let boot = place(BOOT_BYTES);
        let mirror = place(mirrored_records * record_size);
        let upcase = place(UpCase::BYTES as u64);
        let attrdef = place(attrdef::BYTES as u64);
        let secure = place(secure_bytes);
        let bitmap = place(ClusterBitmap::bytes_for(clusters));
        let log = place(log_bytes);
        let mft_bitmap = place(records / 8);
        let mut mft = place(records * record_size);
        let mut system_end = next;
        if volume_bytes >= FAR_MFT_VOLUME {
            system_end = mft.lcn;
            mft.lcn = FAR_MFT / u64::from(geometry.cluster_size);
        }
        let mft_end = mft.lcn + mft.clusters;
        if mft_end > clusters || system_end > clusters {
            let (needed, available) = (mft_end.max(system_end), clusters);
            return Err(FormatError::NoSpace { needed, available });
        }
        let zone = geometry.clusters_for(MFT_ZONE).min(clusters / MFT_ZONE_SHARE);
        let zone_end = (mft_end + zone).min(clusters);
        let near = system_end..mft.lcn.max(system_end);
        let allocator = Allocator::new(clusters, [near, zone_end..clusters, mft_end..zone_end]);
        let layout = Self {
            boot,
            mirror,
            mirrored_records,
            upcase,
            attrdef,
            secure,
            bitmap,
            log,
            log_bytes,
            mft_bitmap,
            mft,
        };
        Ok((layout, allocator))
    }
}

/// Gives out free clusters from the front of a few ranges, in order of preference.
pub(super) struct Allocator {
    free: [Range<u64>; 3],
    bitmap: ClusterBitmap,
}

impl Allocator {
    fn new(clusters: u64, free: [Range<u64>; 3]) -> Self {
        let mut bitmap = ClusterBitmap::new_free(clusters);
        bitmap.set_range(Lcn(0), clusters, true);
        for range in &free {
            bitmap.set_range(Lcn(range.start), range.end - range.start, false);
        }
        Self { free, bitmap }
    }

    /// Clusters for a stream: in a row where any range has so many, else split over the ranges.
    pub(super) fn allocate(&mut self, clusters: u64) -> Result<RunList, FormatError> {
        let available: u64 = self.free.iter().map(|range| range.end - range.start).sum();
        if clusters > available {
            let needed = clusters;
            return Err(FormatError::NoSpace { needed, available });
        }
        let whole = self
            .free
            .iter()
            .position(|range| range.end - range.start >= clusters);
        let first = whole.unwrap_or(0);
        let (mut runs, mut rest) = (RunList::default(), clusters);
        for range in &mut self.free[first..] {
            let count = rest.min(range.end - range.start);
            if count > 0 {
                let lcn = Lcn(range.start);
                self.bitmap.set_range(lcn, count, true);
                runs.push(Run {
                    lcn: Some(lcn),
                    clusters: count,
                });
                range.start += count;
                rest -= count;
            }
        }
        Ok(runs)
    }

    /// What is used and free.
    pub(super) fn into_bitmap(self) -> ClusterBitmap {
        self.bitmap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_split_only_when_no_range_holds_them() {
        let mut allocator = Allocator::new(100, [10..20, 50..100, 30..50]);
        assert_eq!(allocator.allocate(4).unwrap().0, [run(10, 4)]);
        assert_eq!(allocator.allocate(40).unwrap().0, [run(50, 40)]);
        assert_eq!(allocator.allocate(6).unwrap().0, [run(14, 6)]);
        assert_eq!(allocator.allocate(20).unwrap().0, [run(30, 20)]);
        assert_eq!(allocator.allocate(10).unwrap().0, [run(90, 10)]);
        let full = allocator.allocate(1).unwrap_err();
        assert!(matches!(
            full,
            FormatError::NoSpace {
                needed: 1,
                available: 0
            }
        ));
        assert_eq!(allocator.into_bitmap().free_clusters(), 0);
    }

    #[test]
    fn a_split_stream_takes_the_ranges_in_order() {
        let mut allocator = Allocator::new(100, [10..20, 50..60, 30..35]);
        assert_eq!(
            allocator.allocate(24).unwrap().0,
            [run(10, 10), run(50, 10), run(30, 4)]
        );
        assert_eq!(allocator.into_bitmap().free_clusters(), 1);
    }

    fn run(lcn: u64, clusters: u64) -> Run {
        let lcn = Some(Lcn(lcn));
        Run { lcn, clusters }
    }
}
