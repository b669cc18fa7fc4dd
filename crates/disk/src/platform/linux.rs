//! Linux: raw image files and block devices.
//!
//! A target is locked three ways, since programs do not agree on one: `flock` (other winrefits, udev, loop tools), for
//! writing an `fcntl` lock on the whole file (QEMU and libvirt lock single bytes with it), and `O_EXCL` on a block device,
//! with which the kernel refuses what is mounted or claimed. The `fcntl` lock belongs to the process: closing any
//! other handle of the same file in this process drops it, while `flock` stays.

use super::{Access, Opened, busy};
use crate::file::MediumKind;
use crate::{DiskError, InUseBy, NotADiskKind, SectorSize};
use rustix::fs::{FlockOperation, OFlags, fcntl_lock, flock, ioctl_blksszget};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// udev locks a block device for moments after it has appeared, and a program that has just closed an image still has it
/// in a child that is being started. So long is worth waiting.
const LOCK_ATTEMPTS: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

pub(crate) fn open(path: &Path, access: Access) -> Result<Opened, DiskError> {
    let failed = |source| DiskError::open(path, source);
    // Asked before opening: opening a pipe would wait, and O_EXCL has a meaning for block devices only.
    let seen = std::fs::metadata(path).map_err(failed)?;
    let kind = kind_of(path, &seen)?;
    if access == Access::Write {
        busy::check(path, kind)?;
        if kind == MediumKind::BlockDevice {
            busy::check_writable(path, &seen)?;
        }
    }
    let exclusive = access == Access::Write && kind == MediumKind::BlockDevice;
    // Should it be a pipe by now, opening does not wait for its other end.
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    flags.set(OFlags::EXCL, exclusive);
    let mut file = OpenOptions::new()
        .read(true)
        .write(access == Access::Write)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(|source| match source.kind() {
            io::ErrorKind::ResourceBusy => DiskError::in_use(path, InUseBy::System),
            _ => failed(source),
        })?;
    // The path may have come to mean something else in between.
    if !is_same(&seen, &file.metadata().map_err(failed)?) {
        return Err(DiskError::in_use(path, InUseBy::System));
    }
    lock(&file, path, kind, access)?;
    let size_bytes = file.seek(SeekFrom::End(0)).map_err(failed)?;
    let sector_size = match kind {
        MediumKind::ImageFile => None,
        MediumKind::BlockDevice => Some(logical_sector_size(&file, path)?),
    };
    Ok(Opened {
        file: file.into(),
        kind,
        size_bytes,
        sector_size,
    })
}

pub(crate) fn create(path: &Path, size_bytes: u64) -> Result<Opened, DiskError> {
    let failed = |source| DiskError::create(path, source);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    let locked = lock(&file, path, MediumKind::ImageFile, Access::Write);
    if let Err(error) = locked.and_then(|()| file.set_len(size_bytes).map_err(failed)) {
        // The error that led here says more than one of removing.
        let _ = std::fs::remove_file(path);
        return Err(error);
    }
    Ok(Opened {
        file: file.into(),
        kind: MediumKind::ImageFile,
        size_bytes,
        sector_size: None,
    })
}

/// Whether two looks saw the same file or device.
fn is_same(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    let identity = |metadata: &std::fs::Metadata| (metadata.dev(), metadata.ino(), metadata.rdev());
    identity(one) == identity(other)
}

fn kind_of(path: &Path, metadata: &std::fs::Metadata) -> Result<MediumKind, DiskError> {
    let file_type = metadata.file_type();
    if file_type.is_file() {
        return Ok(MediumKind::ImageFile);
    }
    if file_type.is_block_device() {
        return Ok(MediumKind::BlockDevice);
    }
    Err(DiskError::NotADisk {
        path: path.to_owned(),
        found: if file_type.is_dir() {
            NotADiskKind::Directory
        } else {
            NotADiskKind::Special
        },
    })
}

fn logical_sector_size(file: &File, path: &Path) -> Result<SectorSize, DiskError> {
    let bytes = ioctl_blksszget(file).map_err(|errno| DiskError::open(path, errno.into()))?;
    SectorSize::from_bytes(u64::from(bytes)).ok_or_else(|| DiskError::NotADisk {
        path: path.to_owned(),
        found: NotADiskKind::SectorSize { bytes },
    })
}

fn lock(file: &File, path: &Path, kind: MediumKind, access: Access) -> Result<(), DiskError> {
    match (kind, access) {
        // A block device is shared with the running system, which does not care about our lock.
        (MediumKind::BlockDevice, Access::Read) => Ok(()),
        (MediumKind::ImageFile, Access::Read) => {
            flock_patiently(file, path, FlockOperation::NonBlockingLockShared)?;
            busy::check_image_writer(file, path)
        }
        (_, Access::Write) => {
            flock_patiently(file, path, FlockOperation::NonBlockingLockExclusive)?;
            lock_as_image(file, path)
        }
    }
}

fn lock_as_image(file: &File, path: &Path) -> Result<(), DiskError> {
    let lock = || fcntl_lock(file, FlockOperation::NonBlockingLockExclusive);
    let mut result = lock();
    if matches!(result, Err(Errno::ACCESS | Errno::AGAIN)) {
        // NFS makes a flock an fcntl lock of another owner (flock(2)), so it may be ours that is in the way. Where it is
        // not, we fail all the same.
        let _ = flock(file, FlockOperation::Unlock);
        result = lock();
    }
    match result {
        // POSIX allows both for a lock that someone else has.
        Err(Errno::ACCESS | Errno::AGAIN) => Err(DiskError::in_use(path, InUseBy::ImageLock)),
        Err(errno) if !cannot_lock(errno) => Err(DiskError::open(path, errno.into())),
        _ => Ok(()),
    }
}

fn flock_patiently(file: &File, path: &Path, operation: FlockOperation) -> Result<(), DiskError> {
    for attempt in 1..=LOCK_ATTEMPTS {
        match flock(file, operation) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) if attempt < LOCK_ATTEMPTS => sleep(LOCK_PAUSE),
            Err(Errno::WOULDBLOCK) => break,
            Err(errno) if cannot_lock(errno) => return Ok(()),
            Err(errno) => return Err(DiskError::open(path, errno.into())),
        }
    }
    Err(DiskError::in_use(path, InUseBy::Lock))
}

/// Some network file systems have no locks. Nobody can have locked a file there, either.
fn cannot_lock(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL
    )
}

pub(crate) fn read_exact_at(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<()> {
    file.read_exact_at(buf, offset)
}

pub(crate) fn write_all_at(file: &File, offset: u64, data: &[u8]) -> io::Result<()> {
    file.write_all_at(data, offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn what_is_opened_for_reading_cannot_be_written() {
        let image = tempfile::NamedTempFile::new().unwrap();
        image.as_file().set_len(4096).unwrap();
        for (access, mode) in [(Access::Read, OFlags::RDONLY), (Access::Write, OFlags::RDWR)] {
            let opened = open(image.path(), access).unwrap();
            let flags = rustix::fs::fcntl_getfl(&*opened.file).unwrap();
            assert_eq!(flags & OFlags::RWMODE, mode, "{access:?}");
            assert_eq!(
                write_all_at(&opened.file, 0, b"x").is_ok(),
                access == Access::Write
            );
        }
    }

    /// A link is swapped from a file to a pipe and back while it is opened: opening neither waits nor takes the pipe.
    #[test]
    fn a_name_that_changes_its_meaning_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), [0; 4096]).unwrap();
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status();
        assert!(made.unwrap().success());
        let stop = std::sync::atomic::AtomicBool::new(false);
        let begin = Instant::now();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    for target in ["pipe", "file"] {
                        std::os::unix::fs::symlink(at(target), at("next")).unwrap();
                        std::fs::rename(at("next"), at("link")).unwrap();
                    }
                }
            });
            while begin.elapsed() < Duration::from_millis(300) {
                if let Ok(opened) = open(&at("link"), Access::Read) {
                    assert_eq!(opened.kind, MediumKind::ImageFile);
                    assert!(opened.file.metadata().unwrap().is_file());
                }
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
