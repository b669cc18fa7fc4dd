//! The disk that a command works on.

use crate::error::RepairError;
use crate::table::sector_size;
use std::path::Path;
use winrefit_disk::{Device, DiskFile, ReadAt, SectorSize};

/// A disk, with its name for people and the time for the journal.
#[derive(Debug)]
pub struct Target<D> {
    /// The disk.
    pub device: D,
    /// As the user named it.
    pub name: String,
    /// The sector size that the device itself reports; image files report none.
    pub reported: Option<SectorSize>,
    /// Now, in seconds since 1970.
    pub now_unix_seconds: u64,
}

impl Target<DiskFile> {
    /// Opens a disk image or block device for reading.
    ///
    /// # Errors
    /// Whatever opening returns.
    pub fn open_read(path: &Path, now_unix_seconds: u64) -> Result<Self, RepairError> {
        Ok(Self::of(DiskFile::open_read(path)?, path, now_unix_seconds))
    }

    /// Opens a disk image or block device for writing, for nobody else.
    ///
    /// # Errors
    /// Whatever opening returns.
    pub fn open_write(path: &Path, now_unix_seconds: u64) -> Result<Self, RepairError> {
        Ok(Self::of(DiskFile::open_write(path)?, path, now_unix_seconds))
    }

    fn of(mut device: DiskFile, path: &Path, now_unix_seconds: u64) -> Self {
        let reported = device.reported_sector_size();
        if let (None, Some(size)) = (reported, sector_size(&device)) {
            device.set_sector_size(size);
        }
        Self {
            device,
            name: path.display().to_string(),
            reported,
            now_unix_seconds,
        }
    }
}

impl<D: Device> Target<D> {
    pub(crate) fn disk(&self) -> &dyn ReadAt {
        // A trait object keeps one compiled copy of all that reads.
        &self.device
    }
}
