//! FAT12, FAT16 and FAT32 volumes, for reading: the EFI system partition and the system partition of a BIOS machine.
//!
//! Source: Microsoft's FAT specification (`fatgen103`, and "FAT: General Overview of On-Disk Format"). Sectors of 512 to
//! 4096 bytes. Nothing is cached but one piece of the table, and nothing is written: who wants to replace bytes of a
//! file asks for its places on the volume.
//!
//! Bounds: a chain is followed for no more clusters than the caller's size limit asks for, a directory has at most
//! 65,536 slots as the specification says, a path at most 64 components. A chain that runs in a circle ends as an error.

mod boot;
mod directory;
mod error;
mod table;
#[cfg(test)]
mod tests;

pub use boot::FatKind;
pub use directory::FatEntry;
pub use error::FatError;
pub use table::FatState;

use boot::Geometry;
use directory::{Directory, Place};
use winrefit_disk::{ByteRange, ReadAt};

const PATH_DEPTH_MAX: usize = 64;

/// A FAT volume.
#[derive(Clone, Copy)]
pub struct FatVolume<'d> {
    medium: &'d dyn ReadAt,
    geometry: Geometry,
}

impl<'d> FatVolume<'d> {
    /// Opens the volume that begins at byte 0 of `medium`.
    ///
    /// # Errors
    /// [`FatError`] if the boot sector is not that of a FAT volume, or the volume is longer than the medium.
    pub fn open(medium: &'d dyn ReadAt) -> Result<Self, FatError> {
        let geometry = Geometry::read(medium)?;
        Ok(Self { medium, geometry })
    }

    /// Which of the three it is.
    pub fn kind(&self) -> FatKind {
        self.geometry.kind
    }

    /// Bytes of a cluster.
    pub fn cluster_bytes(&self) -> u64 {
        self.geometry.cluster_bytes
    }

    /// Bytes in clusters that nothing uses, counted in the table: what the volume itself says of them may be out of date.
    ///
    /// # Errors
    /// An error of the medium.
    pub fn free_bytes(&self) -> Result<u64, FatError> {
        let clusters = table::free_clusters(self.medium, &self.geometry)?;
        Ok(clusters.saturating_mul(self.geometry.cluster_bytes))
    }

    /// Whether the volume was left in order.
    ///
    /// # Errors
    /// An error of the medium.
    pub fn state(&self) -> Result<FatState, FatError> {
        table::state(self.medium, &self.geometry)
    }

    /// The file or directory at `path` from the root, components separated by `\` or `/`, by its long or short name in
    /// any case. `None` if there is none.
    ///
    /// # Errors
    /// [`FatError`] if a directory on the way is damaged.
    pub fn lookup(&self, path: &str) -> Result<Option<FatEntry>, FatError> {
        let mut components = path.split(['\\', '/']).filter(|name| !name.is_empty());
        let Some(mut name) = components.next() else {
            return Ok(None);
        };
        let mut place = Place::Root;
        for _ in 0..PATH_DEPTH_MAX {
            let Some(entry) = Directory::open(self.medium, &self.geometry, place)?.find(name)? else {
                return Ok(None);
            };
            match components.next() {
                None => return Ok(Some(entry)),
                Some(_) if !entry.is_directory => return Ok(None),
                Some(next) => name = next,
            }
            place = Place::Chain(entry.first_cluster);
        }
        Ok(None)
    }

    /// Where the bytes of a file lie on the volume, in order, together as long as the file. Neighbours are one range.
    ///
    /// # Errors
    /// [`FatError::TooLarge`] for a file of more than `size_max_bytes`, a directory too; [`FatError`] if its chain is
    /// shorter than the file, leaves the volume or runs in a circle.
    pub fn ranges(&self, file: &FatEntry, size_max_bytes: u64) -> Result<Vec<ByteRange>, FatError> {
        let size_bytes = u64::from(file.size_bytes);
        if file.is_directory || size_bytes > size_max_bytes {
            return Err(FatError::TooLarge {
                size_bytes,
                limit_bytes: size_max_bytes,
                is_directory: file.is_directory,
            });
        }
        let (mut ranges, mut left): (Vec<ByteRange>, _) = (Vec::new(), size_bytes);
        for cluster in table::chain(self.medium, &self.geometry, file.first_cluster, size_bytes)? {
            let start = self.geometry.offset_of(cluster);
            let end = start + left.min(self.geometry.cluster_bytes);
            left -= end - start;
            match ranges.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => ranges.push(ByteRange::new(start, end)),
            }
        }
        Ok(ranges)
    }

    /// The content of a file.
    ///
    /// # Errors
    /// As [`FatVolume::ranges`], or an error of the medium.
    pub fn read(&self, file: &FatEntry, size_max_bytes: u64) -> Result<Vec<u8>, FatError> {
        let mut content = Vec::new();
        for range in self.ranges(file, size_max_bytes)? {
            // Ranges lie within the volume, and their sum within the caller's limit.
            content.extend(self.medium.read_vec(range.start, range.len() as usize)?);
        }
        Ok(content)
    }

    /// Whether the chain of a file is its own: no other chain of the table leads into it. Needed before bytes of the
    /// file are replaced. Reads the whole table.
    ///
    /// # Errors
    /// [`FatError::Shared`], or as [`FatVolume::ranges`].
    pub fn require_unshared(&self, file: &FatEntry, size_max_bytes: u64) -> Result<(), FatError> {
        self.ranges(file, size_max_bytes)?;
        let size_bytes = u64::from(file.size_bytes);
        let clusters = table::chain(self.medium, &self.geometry, file.first_cluster, size_bytes)?;
        table::require_unshared(self.medium, &self.geometry, &clusters)
    }
}
