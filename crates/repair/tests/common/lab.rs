//! Disks of the lab in files.

use std::path::PathBuf;
use tempfile::TempDir;
use winrefit_disk::DiskFile;
use winrefit_lab::{CreateOptions, CreatedDisk, Profile, create_file};

/// A disk of the lab, in a folder that goes with it.
pub struct LabFile {
    pub path: PathBuf,
    pub made: CreatedDisk,
    _folder: TempDir,
}

impl LabFile {
    /// The disk of the profile of this name.
    pub fn of(profile: &str) -> Self {
        Self::with_files(profile, 20)
    }

    /// The same with so many files on C:.
    pub fn with_files(profile: &str, count: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.img");
        let options = CreateOptions {
            files: Some(count),
            ..CreateOptions::default()
        };
        let made = create_file(Profile::find(profile).unwrap(), &options, &path).unwrap();
        Self {
            path,
            made,
            _folder: folder,
        }
    }

    /// The disk for reading.
    pub fn open(&self) -> DiskFile {
        DiskFile::open_read(&self.path).unwrap()
    }
}
