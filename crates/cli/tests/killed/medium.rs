//! Disks that a command is let loose on: image files and loop devices, made anew from a model for each run, and compared
//! byte by byte with one.

use crate::support::{attach, detach};
use rustix::fs::{SeekFrom, seek};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const CHUNK_BYTES: u64 = 1 << 20;

/// What kind of disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    Loop,
}

/// A disk that is a copy of a model. Detached and removed when dropped.
#[derive(Debug)]
pub struct Medium {
    image: PathBuf,
    device: Option<PathBuf>,
}

impl Medium {
    /// `None`, with a visible note, where no loop device can be had.
    pub fn of(model: &Path, folder: &Path, kind: Kind) -> Option<Self> {
        let image = folder.join("medium.img");
        let _ = std::fs::remove_file(&image);
        copy(model, &image);
        let mut medium = Self { image, device: None };
        if kind == Kind::Loop {
            medium.device = Some(attach(&medium.image, &[])?);
        }
        Some(medium)
    }

    /// What a command is to name.
    pub fn target(&self) -> &Path {
        self.device.as_deref().unwrap_or(&self.image)
    }

    /// The image file with all that was written, once no command uses the disk any more.
    pub fn settled(&self) -> &Path {
        if let Some(device) = &self.device {
            // Closing the device for the last time has written everything to the file; this is for a kernel that would not.
            File::open(device).and_then(|device| device.sync_all()).unwrap();
        }
        &self.image
    }
}

impl Drop for Medium {
    fn drop(&mut self) {
        if let Some(device) = &self.device {
            detach(device);
        }
        let _ = std::fs::remove_file(&self.image);
    }
}

/// The stretches of a file that are no holes.
fn data_ranges(file: &File) -> Vec<Range<u64>> {
    let size = file.metadata().unwrap().len();
    let (mut ranges, mut at) = (Vec::new(), 0);
    while at < size {
        // ENXIO: no data behind `at`.
        let Ok(start) = seek(file, SeekFrom::Data(at)) else {
            break;
        };
        at = seek(file, SeekFrom::Hole(start)).unwrap();
        ranges.push(start..at);
    }
    ranges
}

/// A sparse copy.
pub fn copy(from: &Path, to: &Path) {
    let from = File::open(from).unwrap();
    let to = File::create_new(to).unwrap();
    to.set_len(from.metadata().unwrap().len()).unwrap();
    let mut buffer = vec![0; CHUNK_BYTES as usize];
    for range in data_ranges(&from) {
        for start in range.clone().step_by(CHUNK_BYTES as usize) {
            let chunk = &mut buffer[..(range.end - start).min(CHUNK_BYTES) as usize];
            from.read_exact_at(chunk, start).unwrap();
            to.write_all_at(chunk, start).unwrap();
        }
    }
}

/// The first byte in which two images differ, those of `except` not counted.
pub fn difference(one: &Path, other: &Path, except: &[Range<u64>]) -> Option<u64> {
    let (one, other) = (File::open(one).unwrap(), File::open(other).unwrap());
    let size = one.metadata().unwrap().len();
    if size != other.metadata().unwrap().len() {
        return Some(size);
    }
    let mut ranges = [data_ranges(&one), data_ranges(&other)].concat();
    ranges.sort_by_key(|range| range.start);
    let mut done = 0;
    let (mut left, mut right) = (vec![0; CHUNK_BYTES as usize], vec![0; CHUNK_BYTES as usize]);
    for range in ranges {
        let from = range.start.max(done);
        for start in (from..range.end).step_by(CHUNK_BYTES as usize) {
            let length = (range.end - start).min(CHUNK_BYTES) as usize;
            one.read_exact_at(&mut left[..length], start).unwrap();
            other.read_exact_at(&mut right[..length], start).unwrap();
            if let Some(at) = first_difference(&left[..length], &right[..length], start, except) {
                return Some(at);
            }
        }
        done = done.max(range.end);
    }
    None
}

fn first_difference(left: &[u8], right: &[u8], start: u64, except: &[Range<u64>]) -> Option<u64> {
    if left == right {
        return None;
    }
    let bytes = left.iter().zip(right).zip(start..);
    let mut differing = bytes.filter(|((a, b), _)| a != b).map(|(_, at)| at);
    differing.find(|at| !except.iter().any(|range| range.contains(at)))
}

/// Where copies (and the journal's body, if it has no room in the gap) and the header of the applied journal lie: what may
/// differ.
pub fn of_journal(image: &Path) -> (Vec<Range<u64>>, Range<u64>) {
    use winrefit_disk::journal::{find, load};
    use winrefit_disk::{ByteRange, DiskFile, ReadAt, SectorSize};
    let disk = DiskFile::open_read(image).unwrap();
    let within = ByteRange::new(0, disk.size());
    let found = find(&disk, SectorSize::B512, &[34 * 512], within)
        .unwrap()
        .unwrap();
    let moves = load(&disk, &found.header).unwrap().moves;
    let mut free: Vec<_> = moves.iter().map(|m| m.to..m.to + m.length).collect();
    if !found.header.is_body_in_gap() {
        free.push(found.header.body().start..found.header.body().end);
    }
    (free, 34 * 512..35 * 512)
}
