//! What can be chosen about a volume.

use super::FormatError;
use crate::types::Geometry;

/// Bytes in an index block; Windows makes no others.
pub(super) const INDEX_BLOCK_SIZE: u32 = 4096;
/// Larger clusters exist since 2017, but what $MFTMirr is like on them is not documented.
const CLUSTER_SIZE_MAX: u32 = 64 << 10;
/// UTF-16 units of a label that Windows permits.
const LABEL_UNITS_MAX: usize = 32;
/// Windows does not use clusters beyond this count.
const CLUSTERS_MAX: u64 = u32::MAX as u64;
/// 2024-01-01 00:00 UTC.
const DEFAULT_TIME: u64 = 133_485_408_000_000_000;

/// Sizes and names of a volume to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatOptions {
    /// Bytes in a sector: 512 or 4096.
    pub sector_size: u32,
    /// Bytes in a cluster: a power of two from the sector size to 64 KiB.
    pub cluster_size: u32,
    /// Bytes in a file record: 1024 or 4096, at least a sector.
    pub record_size: u32,
    /// Sectors of the disk before the partition; the boot sector keeps the low 32 bits.
    pub hidden_sectors: u64,
    /// Sectors of the partition. The last one takes the backup boot sector and is no part of the volume.
    pub partition_sectors: u64,
    /// Volume serial number.
    pub serial: u64,
    /// Label; may be empty.
    pub label: String,
    /// All time stamps, in 100 ns since 1601 (FILETIME).
    pub time: u64,
}

impl FormatOptions {
    /// A volume as Windows makes it in a partition of so many 512-byte sectors: clusters of 4096 bytes, file records
    /// of 1024.
    pub fn new(partition_sectors: u64) -> Self {
        Self {
            sector_size: 512,
            cluster_size: 4096,
            record_size: 1024,
            hidden_sectors: 0,
            partition_sectors,
            serial: 0x5EED_0123_4567_89AB,
            label: String::new(),
            time: DEFAULT_TIME,
        }
    }

    /// The same for a disk with sectors of 4096 bytes, where file records have that size, too.
    pub fn new_4kn(partition_sectors: u64) -> Self {
        Self {
            sector_size: 4096,
            record_size: 4096,
            ..Self::new(partition_sectors)
        }
    }

    /// Checks the options and gives the sizes that follow from them.
    pub(super) fn geometry(&self) -> Result<Geometry, FormatError> {
        let bad = |field, actual: u64| FormatError::BadOption { field, actual };
        if ![512, 4096].contains(&self.sector_size) {
            return Err(bad("sector size", self.sector_size.into()));
        }
        let cluster = self.cluster_size;
        if !cluster.is_power_of_two() || !(self.sector_size..=CLUSTER_SIZE_MAX).contains(&cluster) {
            return Err(bad("cluster size", cluster.into()));
        }
        if ![1024, 4096].contains(&self.record_size) || self.record_size < self.sector_size {
            return Err(bad("file record size", self.record_size.into()));
        }
        let actual = self.label.encode_utf16().count();
        if actual > LABEL_UNITS_MAX {
            let limit = LABEL_UNITS_MAX;
            return Err(FormatError::LabelTooLong { actual, limit });
        }
        let geometry = Geometry {
            sector_size: self.sector_size,
            cluster_size: cluster,
            record_size: self.record_size,
            index_block_size: INDEX_BLOCK_SIZE,
            total_sectors: self.partition_sectors.saturating_sub(1),
        };
        if !(16..=CLUSTERS_MAX).contains(&geometry.clusters()) {
            return Err(bad("partition size in sectors", self.partition_sectors));
        }
        Ok(geometry)
    }
}
