//! The file allocation table: for each cluster the next one of its chain.

use super::boot::{FatKind, Geometry};
use super::error::FatError;
use winrefit_disk::ReadAt;

/// A piece of the table that is read at once. A multiple of 3, so that no entry of 12 bits lies on a border.
const PIECE_BYTES: u64 = 3 << 12;
/// Clusters that a chain may have beyond what its file needs: space that was reserved and never used.
const EXCESS_CLUSTERS_MAX: u64 = 65_536;

/// What the volume says about how it was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FatState {
    /// Whether the volume was closed properly: neither the table nor the boot sector says that it was in use.
    pub is_clean: bool,
    /// Whether the medium failed while the volume was in use.
    pub had_io_errors: bool,
}

/// Reads the marks in the second entry of the table (FAT16, FAT32) and in the boot sector.
pub(super) fn state(medium: &dyn ReadAt, geometry: &Geometry) -> Result<FatState, FatError> {
    let mut dirty = [0];
    medium.read_at(geometry.dirty_byte, &mut dirty)?;
    let entry = Table::new(medium, geometry).entry(1)?;
    // The bits are set while all is well: "clean shutdown" and "no hard error".
    let (clean, no_error) = match geometry.kind {
        FatKind::Fat12 => (0, 0),
        FatKind::Fat16 => (0x8000, 0x4000),
        FatKind::Fat32 => (0x0800_0000, 0x0400_0000),
    };
    Ok(FatState {
        is_clean: entry & clean == clean && dirty[0] & 1 == 0,
        had_io_errors: entry & no_error != no_error || dirty[0] & 2 != 0,
    })
}

/// The table, of which one piece is held.
pub(super) struct Table<'v, 'd> {
    medium: &'d dyn ReadAt,
    geometry: &'v Geometry,
    piece_at: Option<u64>,
    piece: Vec<u8>,
}

/// What follows a cluster.
pub(super) enum Next {
    Cluster(u32),
    End,
}

impl<'v, 'd> Table<'v, 'd> {
    pub fn new(medium: &'d dyn ReadAt, geometry: &'v Geometry) -> Self {
        Self {
            medium,
            geometry,
            piece_at: None,
            piece: Vec::new(),
        }
    }

    /// What the table says at a number, reserved ones too, as far as it reaches; 0 behind that.
    fn entry(&mut self, number: u32) -> Result<u32, FatError> {
        let bits = u64::from(number) * self.geometry.kind.entry_bits();
        let at = bits / 8;
        let piece_at = at / PIECE_BYTES * PIECE_BYTES;
        if self.piece_at != Some(piece_at) {
            let length = self
                .geometry
                .table_bytes
                .saturating_sub(piece_at)
                .min(PIECE_BYTES);
            self.piece = self
                .medium
                .read_vec(self.geometry.table_offset + piece_at, length as usize)?;
            self.piece_at = Some(piece_at);
        }
        let within = (at - piece_at) as usize;
        let byte = |index: usize| u32::from(self.piece.get(within + index).copied().unwrap_or(0));
        let pair = byte(0) | byte(1) << 8;
        Ok(match self.geometry.kind {
            FatKind::Fat12 if bits.is_multiple_of(8) => pair & 0xfff,
            FatKind::Fat12 => pair >> 4,
            FatKind::Fat16 => pair,
            // The four highest bits are reserved.
            FatKind::Fat32 => (pair | byte(2) << 16 | byte(3) << 24) & 0x0fff_ffff,
        })
    }

    /// What follows a cluster.
    pub fn next(&mut self, cluster: u32) -> Result<Next, FatError> {
        let actual = self.entry(cluster)?;
        let end = match self.geometry.kind {
            FatKind::Fat12 => 0xff8,
            FatKind::Fat16 => 0xfff8,
            FatKind::Fat32 => 0x0fff_fff8,
        };
        if actual >= end {
            return Ok(Next::End);
        }
        if !self.geometry.is_cluster(actual) {
            return Err(FatError::NextCluster {
                cluster,
                actual,
                clusters: self.geometry.clusters,
            });
        }
        Ok(Next::Cluster(actual))
    }
}

/// The clusters that hold `size_bytes` from `first_cluster` on. That the chain ends is proof that it is no circle.
pub(super) fn chain(
    medium: &dyn ReadAt,
    geometry: &Geometry,
    first_cluster: u32,
    size_bytes: u64,
) -> Result<Vec<u32>, FatError> {
    let expected = size_bytes.div_ceil(geometry.cluster_bytes);
    if expected == 0 {
        return Ok(Vec::new());
    }
    let clusters = geometry.clusters;
    if !geometry.is_cluster(first_cluster) {
        let what = "the file";
        return Err(FatError::FirstCluster {
            what,
            cluster: first_cluster,
            clusters,
        });
    }
    let mut table = Table::new(medium, geometry);
    let (mut found, mut cluster, mut count) = (vec![first_cluster], first_cluster, 1);
    while let Next::Cluster(next) = table.next(cluster)? {
        if count >= expected.saturating_add(EXCESS_CLUSTERS_MAX).min(clusters.into()) {
            return Err(FatError::Endless {
                first_cluster,
                clusters: count,
            });
        }
        if count < expected {
            found.push(next);
        }
        (cluster, count) = (next, count + 1);
    }
    if count < expected {
        return Err(FatError::ChainTooShort {
            first_cluster,
            expected,
            actual: count,
        });
    }
    Ok(found)
}

/// Clusters that nothing uses.
pub(super) fn free_clusters(medium: &dyn ReadAt, geometry: &Geometry) -> Result<u64, FatError> {
    let mut table = Table::new(medium, geometry);
    let mut free = 0;
    for cluster in 2..geometry.clusters.saturating_add(2) {
        free += u64::from(table.entry(cluster)? == 0);
    }
    Ok(free)
}

/// Whether nothing but the chain itself leads into it.
pub(super) fn require_unshared(
    medium: &dyn ReadAt,
    geometry: &Geometry,
    chain: &[u32],
) -> Result<(), FatError> {
    let mut before = vec![None];
    before.extend(chain.iter().copied().map(Some));
    // Each cluster with the one that may lead to it.
    let mut allowed: Vec<(u32, Option<u32>)> = chain.iter().copied().zip(before).collect();
    allowed.sort_unstable();
    let mut table = Table::new(medium, geometry);
    for from in 2..geometry.clusters.saturating_add(2) {
        let cluster = table.entry(from)?;
        let Ok(at) = allowed.binary_search_by_key(&cluster, |&(cluster, _)| cluster) else {
            continue;
        };
        if allowed.get(at).is_some_and(|&(_, leading)| leading != Some(from)) {
            return Err(FatError::Shared { cluster, from });
        }
    }
    Ok(())
}
