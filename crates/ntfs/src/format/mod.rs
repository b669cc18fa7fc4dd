//! Making a volume: an empty one, or one with a whole tree of files laid out in one pass.
//!
//! The volume is NTFS 3.1 as Windows 10 formats it. The same options and files always give the same bytes. Directories
//! are B+trees loaded in bulk; each content is written once, in large chunks, and memory is proportional to the
//! number of files. The boot sector comes last: a volume that was not finished is none.

mod attrdef;
mod boot;
mod data;
mod error;
mod index;
mod layout;
pub(crate) mod names;
mod options;
mod record;
mod security;
mod system;
mod tree;
mod upcase;
mod write;

pub use data::FileData;
pub use error::FormatError;
pub use options::FormatOptions;

use crate::types::{Geometry, Lcn};
use tree::Tree;
use winrefit_disk::Device;

/// A volume that is to be made, with the files that it is to have.
pub struct VolumeBuilder {
    options: FormatOptions,
    geometry: Geometry,
    tree: Tree,
}

/// What a new volume has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Clusters of the volume.
    pub clusters: u64,
    /// Clusters that are free.
    pub free_clusters: u64,
    /// The cluster behind the last one in use.
    pub end_of_used: Lcn,
    /// File records of the $MFT, in use or free.
    pub records: u64,
}

impl std::fmt::Debug for VolumeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VolumeBuilder")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl VolumeBuilder {
    /// Begins a volume without files.
    ///
    /// # Errors
    /// [`FormatError::BadOption`] or [`FormatError::LabelTooLong`].
    pub fn new(options: FormatOptions) -> Result<Self, FormatError> {
        let geometry = options.geometry()?;
        let tree = Tree::new(upcase::table());
        Ok(Self {
            options,
            geometry,
            tree,
        })
    }

    /// Sizes of the volume.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Adds a directory. Components of `path` are separated by `\` or `/`; missing directories on the way are made
    /// with attributes 0, and may be added themselves later. `attributes` are FILE_ATTRIBUTE_ values; those that
    /// only the file system sets are ignored.
    ///
    /// # Errors
    /// [`FormatError::BadName`], [`FormatError::Exists`] or [`FormatError::NotADirectory`].
    pub fn add_directory(&mut self, path: &str, attributes: u32) -> Result<(), FormatError> {
        self.tree.add_directory(path, attributes)
    }

    /// Adds a file; paths and attributes as for [`VolumeBuilder::add_directory`].
    ///
    /// # Errors
    /// As [`VolumeBuilder::add_directory`], and [`FormatError::BadPiece`], [`FormatError::NoSpace`].
    pub fn add_file(&mut self, path: &str, attributes: u32, data: FileData) -> Result<(), FormatError> {
        self.tree.add_file(path, attributes, data, &self.geometry)
    }

    /// Writes the volume from byte 0 of `device`, which is the partition or begins with it. What the volume does not
    /// use is not written.
    ///
    /// # Errors
    /// [`FormatError::NoSpace`] if the files do not fit, [`FormatError::DeviceTooSmall`],
    /// [`FormatError::SectorSizeMismatch`], [`FormatError::RecordOverflow`], or an error of the device. The device
    /// has no NTFS volume then.
    pub fn write_to(self, device: &mut dyn Device) -> Result<Written, FormatError> {
        let expected = u64::from(self.geometry.sector_size);
        let actual = device.sector_size().bytes();
        if expected != actual {
            return Err(FormatError::SectorSizeMismatch { expected, actual });
        }
        let (needed_bytes, available_bytes) = (self.geometry.volume_bytes(), device.size());
        if needed_bytes > available_bytes {
            return Err(FormatError::DeviceTooSmall {
                needed_bytes,
                available_bytes,
            });
        }
        write::write(&self.options, self.geometry, self.tree, device)
    }
}
