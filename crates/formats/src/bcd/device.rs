//! The value of a device element. The layout is in `docs/formats/bcd.md`.
//!
//! Bounds: descriptors nest at most eight deep, and each lies within the one around it.

use crate::Guid;
use crate::bytes::{array_at, u32_at, u64_at, utf16_units};
use std::fmt;

const OPTIONS_BYTES: usize = 16;
const HEADER_BYTES: usize = 16;
const DEPTH_MAX: usize = 8;

/// Types of a descriptor.
const TYPE_BLOCK_IO: u32 = 0;
const TYPE_BOOT: u32 = 5;
const TYPE_PARTITION: u32 = 6;
const TYPE_LOCATE: u32 = 8;

/// Types of a block device.
const BLOCK_HARD_DISK: u32 = 0;
const BLOCK_RAM_DISK: u32 = 3;
const BLOCK_FILE: u32 = 5;
const BLOCK_VIRTUAL_DISK: u32 = 6;

/// In a partition's descriptor, counted from its type field.
const PARTITION_ID: usize = 0x10;
const PARTITION_BLOCK_TYPE: usize = 0x20;
const PARTITION_SCHEME: usize = 0x24;
const PARTITION_DISK_ID: usize = 0x28;
const PARTITION_BYTES: usize = 0x38;
const SCHEME_GPT: u32 = 0;
const SCHEME_MBR: u32 = 1;

/// A partition as the store names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BcdPartition {
    /// On a GPT disk.
    Gpt {
        /// The disk's GUID.
        disk: Guid,
        /// The partition's unique GUID.
        partition: Guid,
    },
    /// On an MBR disk.
    Mbr {
        /// The disk's signature.
        signature: u32,
        /// Where the partition begins, in bytes from the start of the disk.
        offset: u64,
    },
}

impl BcdPartition {
    /// Whether both name the same partition. A unique GUID is enough for that.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Gpt { partition: a, .. }, Self::Gpt { partition: b, .. }) => a == b,
            _ => self == other,
        }
    }

    /// Partition id and disk id as they stand in a descriptor, without what an MBR disk leaves unused.
    fn ids(&self) -> (Vec<u8>, Vec<u8>) {
        match self {
            Self::Gpt { disk, partition } => (partition.to_bytes_le().into(), disk.to_bytes_le().into()),
            Self::Mbr { signature, offset } => (offset.to_le_bytes().into(), signature.to_le_bytes().into()),
        }
    }
}

impl fmt::Display for BcdPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gpt { disk, partition } => write!(f, "partition {partition} of disk {disk}"),
            Self::Mbr { signature, offset } => {
                write!(f, "the partition at byte {offset} of disk {signature:08x}")
            }
        }
    }
}

/// How well the layout behind a value is known, from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Not understood.
    Unknown,
    /// From other programs that read or write it, without a sample from a real machine.
    Reported,
    /// From published samples of real machines, which independent programs read alike.
    Published,
    /// From a real machine's store that is among this crate's tests.
    Verified,
}

/// What a device element or a part of it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceKind {
    /// The device from which the boot manager was loaded.
    Boot,
    /// A partition of a hard disk.
    Partition(BcdPartition),
    /// A RAM disk, filled from a file: WinRE.
    Ramdisk {
        /// Where the file lies.
        source: Box<DeviceKind>,
        /// Path of the file.
        path: String,
    },
    /// A file as a device.
    File {
        /// Where the file lies.
        source: Box<DeviceKind>,
        /// Path of the file.
        path: String,
    },
    /// A virtual disk, or a partition of it.
    VirtualDisk {
        /// The partition, as named inside the virtual disk.
        partition: Option<BcdPartition>,
        /// The file that is the virtual disk.
        file: Box<DeviceKind>,
    },
    /// The device on which the boot manager finds a path.
    Locate {
        /// The element that has the path; 0 if the path is given here.
        element: u32,
        /// The path, or empty.
        path: String,
        /// Where to look, if not everywhere.
        parent: Option<Box<DeviceKind>>,
    },
    /// Anything else.
    Unknown {
        /// The descriptor's type.
        device_type: u32,
        /// The whole descriptor.
        bytes: Vec<u8>,
    },
}

impl DeviceKind {
    /// How well the layout of this value and all in it is known.
    pub fn confidence(&self) -> Confidence {
        match self {
            Self::Partition(BcdPartition::Gpt { .. }) => Confidence::Verified,
            Self::Partition(BcdPartition::Mbr { .. }) | Self::Boot => Confidence::Published,
            Self::Ramdisk { source, .. } => source.confidence(),
            Self::File { source: inner, .. } | Self::VirtualDisk { file: inner, .. } => {
                inner.confidence().min(Confidence::Reported)
            }
            Self::Locate { parent, .. } => {
                let parent = parent.as_ref().map(|parent| parent.confidence());
                parent.unwrap_or(Confidence::Reported).min(Confidence::Reported)
            }
            Self::Unknown { .. } => Confidence::Unknown,
        }
    }

    /// The partition, if this is one.
    pub fn partition(&self) -> Option<BcdPartition> {
        match self {
            Self::Partition(partition) => Some(*partition),
            _ => None,
        }
    }
}

/// A device element's value.
///
/// # Examples
/// ```
/// use winrefit_formats::bcd::{BcdDevice, BcdPartition, DeviceKind};
///
/// // A partition at 359,424 KiB of an MBR disk.
/// let mut bytes = [0; 88];
/// bytes[0x10] = 6;
/// bytes[0x18] = 0x48;
/// bytes[0x20..0x28].copy_from_slice(&0x15f0_0000u64.to_le_bytes());
/// bytes[0x34] = 1;
/// bytes[0x38..0x3c].copy_from_slice(&0xb3eb_a8f1u32.to_le_bytes());
/// let partition = BcdPartition::Mbr { signature: 0xb3eb_a8f1, offset: 0x15f0_0000 };
/// assert_eq!(BcdDevice::parse(&bytes).kind, DeviceKind::Partition(partition));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BcdDevice {
    /// The object with further options: for a RAM disk, where `boot.sdi` is.
    pub options: Option<Guid>,
    /// What it names.
    pub kind: DeviceKind,
    bytes: Vec<u8>,
    /// Descriptors of partitions of hard disks, by their places in `bytes`.
    partitions: Vec<(usize, BcdPartition)>,
}

impl BcdDevice {
    /// Parses an element's value. What is not understood becomes [`DeviceKind::Unknown`].
    pub fn parse(bytes: &[u8]) -> Self {
        let mut parser = Parser {
            bytes,
            partitions: Vec::new(),
        };
        let options = array_at(bytes, 0).map(Guid::from_bytes_le);
        let kind = parser.device(OPTIONS_BYTES, bytes.len(), 0).map(|(kind, _)| kind);
        let kind = kind.unwrap_or_else(|| parser.unknown(OPTIONS_BYTES, bytes.len()));
        Self {
            options: options.filter(|options| !options.is_zero()),
            kind,
            partitions: parser.partitions,
            bytes: bytes.to_vec(),
        }
    }

    /// The value as it is in the store.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether any part of the value names that partition of a hard disk.
    pub fn names(&self, partition: &BcdPartition) -> bool {
        self.partitions.iter().any(|(_, named)| named.is_same(partition))
    }

    /// The value with `to` in place of `from`, of the same length; `None` if it does not name `from`.
    pub fn repointed(&self, from: &BcdPartition, to: &BcdPartition) -> Option<Vec<u8>> {
        if !self.names(from) {
            return None;
        }
        let mut bytes = self.bytes.clone();
        let (partition_id, disk_id) = to.ids();
        for (at, _) in self.partitions.iter().filter(|(_, named)| named.is_same(from)) {
            for (field, id) in [(PARTITION_ID, &partition_id), (PARTITION_DISK_ID, &disk_id)] {
                bytes
                    .get_mut(at + field..at + field + id.len())?
                    .copy_from_slice(id);
            }
        }
        Some(bytes)
    }
}

struct Parser<'b> {
    bytes: &'b [u8],
    partitions: Vec<(usize, BcdPartition)>,
}

impl Parser<'_> {
    fn word(&self, at: usize) -> Option<u32> {
        u32_at(self.bytes, at)
    }

    /// The descriptor at `at`, which ends before `end`, and its own end. `None` if its header does not fit.
    fn device(&mut self, at: usize, end: usize, depth: usize) -> Option<(DeviceKind, usize)> {
        let size = self.word(at + 8)? as usize;
        let own_end = at.checked_add(size)?;
        if size < HEADER_BYTES || own_end > end || depth > DEPTH_MAX {
            return None;
        }
        let kind = match self.word(at)? {
            TYPE_BOOT => Some(DeviceKind::Boot),
            TYPE_PARTITION => self.partition(at, own_end, depth),
            TYPE_BLOCK_IO => self.block_io(at, own_end, depth),
            TYPE_LOCATE => self.locate(at, own_end, depth),
            _ => None,
        };
        let kind = kind.unwrap_or_else(|| self.unknown(at, own_end));
        Some((kind, own_end))
    }

    fn unknown(&self, at: usize, end: usize) -> DeviceKind {
        DeviceKind::Unknown {
            device_type: self.word(at).unwrap_or(u32::MAX),
            bytes: self.bytes.get(at..end).unwrap_or_default().to_vec(),
        }
    }

    fn partition(&mut self, at: usize, end: usize, depth: usize) -> Option<DeviceKind> {
        if at + PARTITION_BYTES > end {
            return None;
        }
        let partition = match self.word(at + PARTITION_SCHEME)? {
            SCHEME_GPT => BcdPartition::Gpt {
                disk: Guid::from_bytes_le(array_at(self.bytes, at + PARTITION_DISK_ID)?),
                partition: Guid::from_bytes_le(array_at(self.bytes, at + PARTITION_ID)?),
            },
            SCHEME_MBR => BcdPartition::Mbr {
                signature: self.word(at + PARTITION_DISK_ID)?,
                offset: u64_at(self.bytes, at + PARTITION_ID)?,
            },
            _ => return None,
        };
        match self.word(at + PARTITION_BLOCK_TYPE)? {
            BLOCK_HARD_DISK => {
                self.partitions.push((at, partition));
                Some(DeviceKind::Partition(partition))
            }
            BLOCK_VIRTUAL_DISK => {
                let (file, _) = self.device(at + PARTITION_BYTES, end, depth + 1)?;
                Some(DeviceKind::VirtualDisk {
                    partition: Some(partition),
                    file: Box::new(file),
                })
            }
            _ => None,
        }
    }

    fn block_io(&mut self, at: usize, end: usize, depth: usize) -> Option<DeviceKind> {
        match self.word(at + HEADER_BYTES)? {
            // Behind the type: base, size and offset of the image in memory.
            BLOCK_RAM_DISK => {
                let (source, path) = self.file_path(at + HEADER_BYTES + 24, end, depth)?;
                Some(DeviceKind::Ramdisk { source, path })
            }
            BLOCK_FILE => {
                let (source, path) = self.file_path(at + HEADER_BYTES + 4, end, depth)?;
                Some(DeviceKind::File { source, path })
            }
            // Behind the type: what identifies a hard disk.
            BLOCK_VIRTUAL_DISK => {
                let (file, _) = self.device(at + HEADER_BYTES + 24, end, depth + 1)?;
                Some(DeviceKind::VirtualDisk {
                    partition: None,
                    file: Box::new(file),
                })
            }
            _ => None,
        }
    }

    /// A file: version 1, length, kind of path 5, a descriptor, and behind it the path.
    fn file_path(&mut self, at: usize, end: usize, depth: usize) -> Option<(Box<DeviceKind>, String)> {
        let (version, length, kind) = (self.word(at)?, self.word(at + 4)? as usize, self.word(at + 8)?);
        let own_end = at.checked_add(length).filter(|&own_end| own_end <= end)?;
        if (version, kind) != (1, 5) {
            return None;
        }
        let (source, path_at) = self.device(at + 12, own_end, depth + 1)?;
        Some((Box::new(source), self.text(path_at, own_end)?))
    }

    fn locate(&mut self, at: usize, end: usize, depth: usize) -> Option<DeviceKind> {
        let element = self.word(at + HEADER_BYTES + 4)?;
        let parent_offset = self.word(at + HEADER_BYTES + 8)? as usize;
        let parent_at = at
            .checked_add(parent_offset)
            .filter(|&parent_at| parent_at <= end)?;
        let has_parent = parent_offset != 0;
        let path_end = if has_parent { parent_at } else { end };
        let path = self.text(at + HEADER_BYTES + 12, path_end)?;
        let parent = match has_parent {
            true => Some(Box::new(self.device(parent_at, end, depth + 1)?.0)),
            false => None,
        };
        Some(DeviceKind::Locate {
            element,
            path,
            parent,
        })
    }

    /// UTF-16 up to its terminator or to `end`.
    fn text(&self, at: usize, end: usize) -> Option<String> {
        let units = utf16_units(self.bytes.get(at..end)?);
        let text = units.split(|&unit| unit == 0).next().unwrap_or_default();
        Some(String::from_utf16_lossy(text))
    }
}
