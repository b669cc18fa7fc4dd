//! Units as types: a sector address is not a byte offset, and a sector size is one of two.

use std::fmt;

/// Logical block address: the number of a sector, counted from the start of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lba(pub u64);

impl Lba {
    /// The byte offset of this sector, or `None` where it would not fit 64 bits.
    pub fn offset(self, sector_size: SectorSize) -> Option<u64> {
        self.0.checked_mul(sector_size.bytes())
    }
}

impl fmt::Display for Lba {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Size of a logical sector. Windows boots from disks with one of these two only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SectorSize {
    /// 512 bytes: nearly every disk, "512e" ones included.
    #[default]
    B512,
    /// 4096 bytes: "4Kn" disks.
    B4096,
}

impl SectorSize {
    /// The size in bytes.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::B512 => 512,
            Self::B4096 => 4096,
        }
    }

    /// The sector size of that many bytes, if it is a supported one.
    pub const fn from_bytes(bytes: u64) -> Option<Self> {
        match bytes {
            512 => Some(Self::B512),
            4096 => Some(Self::B4096),
            _ => None,
        }
    }
}

/// A half-open range of byte offsets on a device: `start` belongs to it, `end` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteRange {
    /// First byte of the range.
    pub start: u64,
    /// First byte behind the range.
    pub end: u64,
}

impl ByteRange {
    /// The range from `start` up to, not including, `end`. An `end` before `start` makes an empty range.
    pub fn new(start: u64, end: u64) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.end - self.start
    }

    /// Whether the range has no byte.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether both ranges share at least one byte.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether `other` lies wholly inside this range.
    pub fn contains(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes {}..{}", self.start, self.end)
    }
}
