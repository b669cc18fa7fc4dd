//! A sparse file that is a device, and empty volumes in it.

use super::tools::{oracle, run};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use winrefit_disk::{Device, DiskError, Operation, ReadAt, SectorSize};

/// A sparse file that is a device and goes away with its owner.
pub struct Image {
    directory: tempfile::TempDir,
    path: std::path::PathBuf,
    file: File,
    size: u64,
    sector_size: SectorSize,
    whole_sectors: bool,
}

impl Image {
    /// A file of `size` zero bytes, in memory where there is such a place.
    pub fn new(size: u64, sector_size: u32) -> Self {
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        let path = directory.path().join("volume.img");
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .unwrap();
        file.set_len(size).unwrap();
        Self {
            directory,
            path,
            file,
            size,
            // mkntfs also makes sectors of sizes that no disk has.
            sector_size: SectorSize::from_bytes(sector_size.into()).unwrap_or_default(),
            whole_sectors: false,
        }
    }

    /// The same, refusing writes that are no whole sectors.
    pub fn strict(size: u64, sector_size: u32) -> Self {
        Self {
            whole_sectors: true,
            ..Self::new(size, sector_size)
        }
    }

    /// The file of a volume that begins at byte `front`; zeros are left out.
    pub fn of(bytes: &[u8], front: u64, sector_size: u32) -> Self {
        let image = Self::new(front + bytes.len() as u64, sector_size);
        for (index, part) in bytes.chunks(1 << 16).enumerate() {
            if part.iter().any(|&byte| byte != 0) {
                image
                    .file
                    .write_all_at(part, front + (index << 16) as u64)
                    .unwrap();
            }
        }
        image
    }

    /// Where the file is.
    pub fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// The directory the file is in.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// All of it.
    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.path).unwrap()
    }

    /// Cuts it off, or adds zeros.
    pub fn resize(&mut self, size: u64) {
        self.file.set_len(size).unwrap();
        self.size = size;
    }
}

impl ReadAt for Image {
    fn size(&self) -> u64 {
        self.size
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let length = buf.len();
        let failed = |error| DiskError::io(Operation::Read, offset, length, error);
        self.file.read_exact_at(buf, offset).map_err(failed)
    }
}

impl Device for Image {
    fn sector_size(&self) -> SectorSize {
        self.sector_size
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        assert!(offset + data.len() as u64 <= self.size, "write behind the end");
        let misplaced = (offset | data.len() as u64) % self.sector_size.bytes();
        assert!(!self.whole_sectors || misplaced == 0, "not whole sectors");
        let failed = |error| DiskError::io(Operation::Write, offset, data.len(), error);
        self.file.write_all_at(data, offset).map_err(failed)
    }
    fn flush(&mut self) -> Result<(), DiskError> {
        Ok(())
    }
}

/// An empty volume of mkntfs; `None`, with a notice, without that tool.
pub fn mkntfs(bytes: u64, sector_size: u32, cluster_size: u32) -> Option<Image> {
    let mut tool = oracle("mkntfs")?;
    let image = Image::new(bytes, sector_size);
    let (sector, cluster) = (sector_size.to_string(), cluster_size.to_string());
    run(tool
        .args(["-q", "-F", "-f", "-p", "2048", "-H", "255", "-S", "63"])
        .args(["-s", &sector, "-c", &cluster, image.path()]));
    Some(image)
}
