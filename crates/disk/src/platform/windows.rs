//! Windows: raw image files. The share mode is the lock: it lasts as long as the handle.

use super::{Access, Opened};
use crate::file::MediumKind;
use crate::{DiskError, InUseBy, NotADiskKind};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// `FILE_SHARE_READ`: others may read, and an open of theirs for writing fails, as does ours while they write.
const FILE_SHARE_READ: u32 = 1;
/// `ERROR_SHARING_VIOLATION`.
const ERROR_SHARING_VIOLATION: i32 = 32;

pub(crate) fn open(path: &Path, access: Access) -> Result<Opened, DiskError> {
    let metadata = std::fs::metadata(path).map_err(|source| DiskError::open(path, source))?;
    if metadata.is_dir() {
        return Err(DiskError::NotADisk {
            path: path.to_owned(),
            found: NotADiskKind::Directory,
        });
    }
    let file = OpenOptions::new()
        .read(true)
        .write(access == Access::Write)
        .share_mode(FILE_SHARE_READ)
        .open(path)
        .map_err(|source| match source.raw_os_error() {
            Some(ERROR_SHARING_VIOLATION) => DiskError::in_use(path, InUseBy::Lock),
            _ => DiskError::open(path, source),
        })?;
    let metadata = file.metadata().map_err(|source| DiskError::open(path, source))?;
    Ok(Opened {
        file: file.into(),
        kind: MediumKind::ImageFile,
        size_bytes: metadata.len(),
        sector_size: None,
    })
}

pub(crate) fn create(path: &Path, size_bytes: u64) -> Result<Opened, DiskError> {
    let failed = |source| DiskError::create(path, source);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .share_mode(FILE_SHARE_READ)
        .open(path)
        .map_err(failed)?;
    if let Err(source) = file.set_len(size_bytes) {
        drop(file);
        let _ = std::fs::remove_file(path);
        return Err(failed(source));
    }
    Ok(Opened {
        file: file.into(),
        kind: MediumKind::ImageFile,
        size_bytes,
        sector_size: None,
    })
}

pub(crate) fn read_exact_at(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while done < buf.len() {
        match file.seek_read(&mut buf[done..], offset + done as u64) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(crate) fn write_all_at(file: &File, offset: u64, data: &[u8]) -> io::Result<()> {
    let mut done = 0;
    while done < data.len() {
        match file.seek_write(&data[done..], offset + done as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
