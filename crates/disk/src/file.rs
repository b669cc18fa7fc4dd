//! A raw disk image or a block device.

use crate::platform::{self, Access, Opened};
use crate::{Device, DiskError, Operation, ReadAt, SectorSize, vhd};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

/// What a [`DiskFile`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediumKind {
    /// A regular file that holds a disk byte by byte.
    ImageFile,
    /// A block device of the running system.
    BlockDevice,
}

/// An open raw disk image or block device, locked as long as it is open.
///
/// Opened for writing, no other winrefit, virtual machine or mount can use it (and none did: else it is refused).
/// Opened for reading, an image file can be read by others, too.
#[derive(Debug)]
pub struct DiskFile {
    opened: Opened,
    path: PathBuf,
    access: Access,
    sector_size: SectorSize,
    flushing: Flushing,
}

/// A flush beside the writes. Its failure is the failure of the next [`Device::flush`]: the system tells of lost writes
/// only once.
#[derive(Debug, Default)]
struct Flushing {
    thread: Option<JoinHandle<io::Result<()>>>,
    failure: Option<io::Error>,
}

impl Flushing {
    /// Begins one, if none is under way.
    fn begin(&mut self, file: &Arc<File>) {
        if self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        self.end();
        // Not a second handle: closing one would drop the locks of the process.
        let file = Arc::clone(file);
        self.thread = Some(std::thread::spawn(move || file.sync_data()));
    }

    fn end(&mut self) {
        let ended = self.thread.take().map(JoinHandle::join);
        let failed = || io::Error::other("a flush ended early");
        if let Some(Err(failure)) = ended.map(|ended| ended.unwrap_or_else(|_| Err(failed()))) {
            self.failure.get_or_insert(failure);
        }
    }

    /// Waits, and tells of the first failure.
    fn finish(&mut self) -> io::Result<()> {
        self.end();
        self.failure.take().map_or(Ok(()), Err)
    }
}

impl Drop for Flushing {
    fn drop(&mut self) {
        // The file is to be closed, and unlocked, when this is gone.
        self.end();
    }
}

impl DiskFile {
    /// Opens for reading. A write is refused with [`DiskError::ReadOnly`]. A block device may be in use; an image
    /// file may not be open for writing elsewhere.
    ///
    /// # Errors
    /// [`DiskError::Open`], [`DiskError::InUse`], [`DiskError::NotADisk`].
    pub fn open_read(path: &Path) -> Result<Self, DiskError> {
        Self::open(path, Access::Read)
    }

    /// Opens for reading and writing, for nobody else.
    ///
    /// # Errors
    /// [`DiskError::Open`], [`DiskError::NotADisk`], and [`DiskError::InUse`] if anything of it is mounted, attached,
    /// locked or claimed.
    pub fn open_write(path: &Path) -> Result<Self, DiskError> {
        Self::open(path, Access::Write)
    }

    /// Makes a new image file of `size_bytes` that reads as zero and that only its owner can read, and opens it for
    /// reading and writing. Whatever is there already, a link that leads nowhere included, is an error.
    ///
    /// # Errors
    /// [`DiskError::Create`]; should it be for the length, the file is removed.
    pub fn create(path: &Path, size_bytes: u64) -> Result<Self, DiskError> {
        let opened = platform::create(path, size_bytes)?;
        Ok(Self {
            sector_size: SectorSize::default(),
            opened,
            path: path.to_owned(),
            access: Access::Write,
            flushing: Flushing::default(),
        })
    }

    fn open(path: &Path, access: Access) -> Result<Self, DiskError> {
        let mut opened = platform::open(path, access)?;
        if opened.kind == MediumKind::ImageFile {
            opened.size_bytes = without_footer(&opened);
        }
        Ok(Self {
            sector_size: opened.sector_size.unwrap_or_default(),
            opened,
            path: path.to_owned(),
            access,
            flushing: Flushing::default(),
        })
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is.
    pub fn kind(&self) -> MediumKind {
        self.opened.kind
    }

    /// The logical sector size that the medium itself reports. `None` for an image file: where its partition table
    /// lies tells, see [`DiskFile::set_sector_size`].
    pub fn reported_sector_size(&self) -> Option<SectorSize> {
        self.opened.sector_size
    }

    /// Sets what [`Device::sector_size`] returns, which is 512 for an image file at first. The GPT header, with its
    /// signature `EFI PART`, lies in the second sector.
    pub fn set_sector_size(&mut self, sector_size: SectorSize) {
        self.sector_size = sector_size;
    }
}

/// Where the disk in an image file ends. A footer that cannot be read is found unreadable by who reads the end.
fn without_footer(opened: &Opened) -> u64 {
    let size = opened.size_bytes;
    let mut footer = [0; vhd::FOOTER_BYTES];
    let read = size
        .checked_sub(footer.len() as u64)
        .map(|at| platform::read_exact_at(&opened.file, at, &mut footer));
    match read {
        Some(Ok(())) => vhd::disk_bytes(size, &footer).unwrap_or(size),
        _ => size,
    }
}

impl ReadAt for DiskFile {
    fn size(&self) -> u64 {
        self.opened.size_bytes
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        DiskError::check_bounds(offset, buf.len(), self.size())?;
        platform::read_exact_at(&self.opened.file, offset, buf)
            .map_err(|source| DiskError::io(Operation::Read, offset, buf.len(), source))
    }
}

impl Device for DiskFile {
    fn sector_size(&self) -> SectorSize {
        self.sector_size
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        if self.access == Access::Read {
            return Err(DiskError::ReadOnly {
                offset,
                length: data.len() as u64,
            });
        }
        // Without this an image file would grow.
        DiskError::check_bounds(offset, data.len(), self.size())?;
        platform::write_all_at(&self.opened.file, offset, data)
            .map_err(|source| DiskError::io(Operation::Write, offset, data.len(), source))
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        if self.access == Access::Read {
            return Ok(());
        }
        let earlier = self.flushing.finish();
        let synced = earlier.and_then(|()| self.opened.file.sync_data());
        synced.map_err(|source| DiskError::io(Operation::Flush, 0, 0, source))
    }

    fn flush_soon(&mut self) {
        if self.access == Access::Write {
            self.flushing.begin(&self.opened.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InUseBy, NotADiskKind};
    use std::io::Write;

    /// A file that is not open: on Windows its being open is a lock.
    fn image(length: usize) -> tempfile::TempPath {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![7; length]).unwrap();
        file.into_temp_path()
    }

    #[test]
    fn an_image_is_read_written_and_never_grows() {
        let image = image(4096);
        let mut disk = DiskFile::open_write(&image).unwrap();
        assert_eq!((disk.size(), disk.kind()), (4096, MediumKind::ImageFile));
        assert_eq!(
            (disk.reported_sector_size(), disk.sector_size()),
            (None, SectorSize::B512)
        );
        disk.set_sector_size(SectorSize::B4096);
        assert_eq!(disk.sector_size(), SectorSize::B4096);
        disk.write_at(4094, b"ab").unwrap();
        disk.flush_soon();
        disk.write_at(0, b"\x07").unwrap();
        disk.flush_soon();
        disk.flush().unwrap();
        assert!(matches!(
            disk.write_at(4095, b"ab"),
            Err(DiskError::OutOfBounds { .. })
        ));
        assert!(matches!(
            disk.read_vec(4096, 1),
            Err(DiskError::OutOfBounds { .. })
        ));
        assert_eq!(disk.read_vec(4093, 3).unwrap(), b"\x07ab");
        drop(disk);
        assert_eq!(std::fs::read(&image).unwrap().len(), 4096);
    }

    #[test]
    fn reading_shares_and_writing_excludes() {
        let image = image(512);
        let locked = |result: Result<DiskFile, DiskError>| {
            matches!(
                result,
                Err(DiskError::InUse {
                    by: InUseBy::Lock,
                    ..
                })
            )
        };
        let writer = DiskFile::open_write(&image).unwrap();
        assert!(locked(DiskFile::open_write(&image)));
        assert!(locked(DiskFile::open_read(&image)));
        drop(writer);
        let mut reader = DiskFile::open_read(&image).unwrap();
        assert!(DiskFile::open_read(&image).is_ok());
        assert!(locked(DiskFile::open_write(&image)));
        assert!(matches!(
            reader.write_at(3, b"x"),
            Err(DiskError::ReadOnly { offset: 3, length: 1 })
        ));
        drop(reader);
        assert!(DiskFile::open_write(&image).is_ok());
    }

    #[test]
    fn a_new_image_is_written_over_nothing_and_read_by_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.img");
        let mut disk = DiskFile::create(&path, 4096).unwrap();
        assert_eq!((disk.size(), disk.kind()), (4096, MediumKind::ImageFile));
        disk.write_at(4095, b"x").unwrap();
        assert!(matches!(DiskFile::open_read(&path), Err(DiskError::InUse { .. })));
        drop(disk);
        let refused = DiskFile::create(&path, 512).unwrap_err();
        assert!(matches!(refused, DiskError::Create { .. }), "{refused}");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 4096, "it is as it was");
        // No file system takes this.
        let huge = folder.path().join("huge.img");
        assert!(DiskFile::create(&huge, u64::MAX).is_err());
        assert!(!huge.exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt, symlink};
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
            let (link, nowhere) = (folder.path().join("link"), folder.path().join("nowhere"));
            symlink(&nowhere, &link).unwrap();
            assert!(DiskFile::create(&link, 512).is_err());
            assert!(!nowhere.exists());
        }
    }

    #[test]
    fn what_is_no_disk_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = DiskFile::open_read(folder.path()).unwrap_err();
        assert!(matches!(
            error,
            DiskError::NotADisk {
                found: NotADiskKind::Directory,
                ..
            }
        ));
        assert!(error.to_string().contains("name a raw image file"), "{error}");
        let missing = folder.path().join("missing.img");
        let error = DiskFile::open_write(&missing).unwrap_err();
        assert!(matches!(error, DiskError::Open { .. }));
        assert!(error.to_string().contains("missing.img"), "{error}");
        assert!(!missing.exists(), "opening must not create");
    }
}
