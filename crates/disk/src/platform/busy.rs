//! Who uses a target, from what Linux tells in /proc and /sys. The parsers are pure.
//!
//! The locks and `O_EXCL` are what keeps others out; this is for saying who, and for what they do not cover: an image
//! file that is attached as a loop device, and an image that a virtual machine has open while we only read.

use crate::file::MediumKind;
use crate::{DiskError, InUseBy};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Refuses a block device that is attached for reading only: Linux may open it for writing all the same, and fail the first
/// write.
pub(super) fn check_writable(path: &Path, device: &fs::Metadata) -> Result<(), DiskError> {
    let (major, minor) = (rustix::fs::major(device.rdev()), rustix::fs::minor(device.rdev()));
    let is_read_only =
        fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/ro")).is_ok_and(|text| text.trim() == "1");
    if is_read_only {
        let source = std::io::ErrorKind::ReadOnlyFilesystem.into();
        return Err(DiskError::open(path, source));
    }
    Ok(())
}

/// Major and minor number of a block device.
type Number = (u32, u32);

/// Refuses a target for writing that is mounted, has a holder or is attached as a loop device. What cannot be read
/// in /proc or /sys is passed over: a container may have neither.
pub(super) fn check(path: &Path, kind: MediumKind) -> Result<(), DiskError> {
    let metadata = fs::metadata(path).map_err(|source| DiskError::open(path, source))?;
    let by = match kind {
        MediumKind::ImageFile => loop_device_of(&metadata),
        MediumKind::BlockDevice => {
            let number = (
                rustix::fs::major(metadata.rdev()),
                rustix::fs::minor(metadata.rdev()),
            );
            mount_or_holder_of(number)
        }
    };
    by.map_or(Ok(()), |by| Err(DiskError::in_use(path, by)))
}

/// The loop device that has this file as its backing file.
fn loop_device_of(image: &fs::Metadata) -> Option<InUseBy> {
    let blocks = fs::read_dir("/sys/block").ok()?;
    for block in blocks.flatten() {
        let Ok(backing) = fs::read_to_string(block.path().join("loop/backing_file")) else {
            continue;
        };
        let Ok(backing) = fs::metadata(backing.trim_end_matches('\n')) else {
            continue;
        };
        if (backing.dev(), backing.ino()) == (image.dev(), image.ino()) {
            return Some(InUseBy::LoopDevice {
                device: Path::new("/dev").join(block.file_name()),
            });
        }
    }
    None
}

/// A mount or a holder of the device or of one of its partitions.
fn mount_or_holder_of(number: Number) -> Option<InUseBy> {
    let device = PathBuf::from(format!("/sys/dev/block/{}:{}", number.0, number.1));
    let mut parts = vec![(number, device.clone())];
    for entry in fs::read_dir(&device).into_iter().flatten().flatten() {
        let part = entry.path();
        let number = fs::read_to_string(part.join("dev"))
            .ok()
            .and_then(|text| parse_number(&text));
        if let (Some(number), true) = (number, part.join("partition").exists()) {
            parts.push((number, part));
        }
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    for (number, part) in parts {
        if let Some(mount_point) = mount_point_of(&mounts, number) {
            return Some(InUseBy::Mount { mount_point });
        }
        if let Some(holder) = fs::read_dir(part.join("holders"))
            .into_iter()
            .flatten()
            .flatten()
            .next()
        {
            return Some(InUseBy::Holder {
                device: holder.file_name().to_string_lossy().into_owned(),
            });
        }
    }
    None
}

/// `major:minor`, with white space around it.
fn parse_number(text: &str) -> Option<Number> {
    let (major, minor) = text.trim().split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Where the device is mounted, from the text of /proc/self/mountinfo: the third field is `major:minor`, the fifth
/// is the mount point (proc_pid_mountinfo(5)).
fn mount_point_of(mountinfo: &str, number: Number) -> Option<String> {
    mountinfo.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(2);
        let device = fields.next().and_then(parse_number)?;
        let mount_point = fields.nth(1)?;
        (device == number).then(|| unescape(mount_point))
    })
}

/// Blanks, tabs, line ends and backslashes stand in mountinfo as a backslash and three octal digits.
fn unescape(field: &str) -> String {
    let mut parts = field.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part
            .get(..3)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match digits {
            Some(byte) if byte.is_ascii() => {
                text.push(char::from(byte));
                text.push_str(&part[3..]);
            }
            _ => {
                text.push('\\');
                text.push_str(part);
            }
        }
    }
    text
}

/// The byte with which QEMU says that it may write to an image: its lock bytes start at 100, one for each permission,
/// and writing is number 1 (block/file-posix.c of QEMU).
const QEMU_WRITE_BYTE: u64 = 101;

/// Refuses to read an image that a virtual machine may be writing: what is read would not fit together.
pub(super) fn check_image_writer(file: &File, path: &Path) -> Result<(), DiskError> {
    let metadata = file.metadata().map_err(|source| DiskError::open(path, source))?;
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    if has_writer(&locks, &metadata) {
        return Err(DiskError::in_use(path, InUseBy::ImageLock));
    }
    Ok(())
}

fn has_writer(locks: &str, file: &fs::Metadata) -> bool {
    let device = (rustix::fs::major(file.dev()), rustix::fs::minor(file.dev()));
    locks.lines().any(|line| {
        parse_lock(line).is_some_and(|lock| {
            lock.device == device
                && lock.inode == file.ino()
                && (lock.exclusive || lock.first == QEMU_WRITE_BYTE || lock.last == QEMU_WRITE_BYTE)
        })
    })
}

/// An `fcntl` lock.
#[derive(Debug, PartialEq, Eq)]
struct RangeLock {
    exclusive: bool,
    device: Number,
    inode: u64,
    first: u64,
    last: u64,
}

/// One line of /proc/locks (proc_locks(5)), if it is an `fcntl` lock that is held:
/// `1: OFDLCK ADVISORY READ -1 fe:00:1234 100 103`. The device's numbers are hexadecimal.
fn parse_lock(line: &str) -> Option<RangeLock> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    // A waiting lock has "->" here.
    if !matches!(fields.next()?, "POSIX" | "OFDLCK") {
        return None;
    }
    let exclusive = fields.nth(1)? == "WRITE";
    let mut place = fields.nth(1)?.split(':');
    let major = u32::from_str_radix(place.next()?, 16).ok()?;
    let minor = u32::from_str_radix(place.next()?, 16).ok()?;
    let inode = place.next()?.parse().ok()?;
    let first = fields.next()?.parse().ok()?;
    let last = match fields.next()? {
        "EOF" => u64::MAX,
        number => number.parse().ok()?,
    };
    Some(RangeLock {
        exclusive,
        device: (major, minor),
        inode,
        first,
        last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
90 27 259:3 /sub /mnt/my\\040disk\\134x rw - ext4 /dev/nvme0n1p3 rw
91 27 8:17 / /second rw - vfat /dev/sdb1 rw
broken
";

    #[test]
    fn mounts_are_found_by_number() {
        assert_eq!(mount_point_of(MOUNTINFO, (254, 0)).unwrap(), "/");
        assert_eq!(mount_point_of(MOUNTINFO, (259, 3)).unwrap(), "/mnt/my disk\\x");
        assert_eq!(mount_point_of(MOUNTINFO, (8, 17)).unwrap(), "/second");
        assert_eq!(mount_point_of(MOUNTINFO, (8, 1)), None);
        assert_eq!(mount_point_of("", (8, 1)), None);
    }

    #[test]
    fn escapes_that_are_none_stay() {
        assert_eq!(unescape("a\\04"), "a\\04");
        assert_eq!(unescape("\\011\\zzz\\"), "\t\\zzz\\");
    }

    #[test]
    fn lock_lines() {
        assert_eq!(
            parse_lock("3: OFDLCK ADVISORY  READ -1 fe:0a:1234 101 101"),
            Some(RangeLock {
                exclusive: false,
                device: (0xfe, 0x0a),
                inode: 1234,
                first: 101,
                last: 101
            })
        );
        let whole = parse_lock("1: POSIX  ADVISORY  WRITE 4711 08:02:7 0 EOF").unwrap();
        assert!(whole.exclusive && whole.last == u64::MAX);
        for other in [
            "1: FLOCK  ADVISORY  WRITE 4711 08:02:7 0 EOF",
            "1: -> POSIX  ADVISORY  WRITE 4711 08:02:7 0 EOF",
            "1: POSIX  ADVISORY  WRITE 4711 08:02 0 EOF",
            "",
        ] {
            assert_eq!(parse_lock(other), None, "{other}");
        }
    }
}
