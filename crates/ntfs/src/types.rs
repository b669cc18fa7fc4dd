//! Units and numbers of NTFS as types.

use std::fmt;

/// Logical cluster number: a cluster counted from the start of the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lcn(pub u64);

/// Virtual cluster number: a cluster counted from the start of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Vcn(pub u64);

impl fmt::Display for Lcn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Vcn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a file record in the $MFT (Microsoft: segment number).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RecordNumber(pub u64);

impl RecordNumber {
    /// The master file table itself.
    pub const MFT: Self = Self(0);
    /// Copy of the first records of the $MFT.
    pub const MFT_MIRR: Self = Self(1);
    /// The journal of NTFS.
    pub const LOG_FILE: Self = Self(2);
    /// Label, version and flags of the volume.
    pub const VOLUME: Self = Self(3);
    /// Attribute definitions.
    pub const ATTR_DEF: Self = Self(4);
    /// The root directory.
    pub const ROOT: Self = Self(5);
    /// One bit for each cluster.
    pub const BITMAP: Self = Self(6);
    /// The boot sector and boot loader.
    pub const BOOT: Self = Self(7);
    /// Clusters that cannot be used.
    pub const BAD_CLUS: Self = Self(8);
    /// Security descriptors.
    pub const SECURE: Self = Self(9);
    /// Table of upper-case characters.
    pub const UP_CASE: Self = Self(10);
    /// Directory of further system files.
    pub const EXTEND: Self = Self(11);
}

impl fmt::Display for RecordNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A record number (48 bits) with the sequence number (16 bits) that the record must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileReference {
    /// The record.
    pub record: RecordNumber,
    /// How often the record has been reused, as of when the reference was made. 0 means "any".
    pub sequence: u16,
}

impl FileReference {
    /// Takes apart the 64-bit on-disk form.
    pub fn from_raw(raw: u64) -> Self {
        Self {
            record: RecordNumber(raw & 0xFFFF_FFFF_FFFF),
            sequence: (raw >> 48) as u16,
        }
    }

    /// The 64-bit on-disk form.
    pub fn to_raw(self) -> u64 {
        (self.record.0 & 0xFFFF_FFFF_FFFF) | (u64::from(self.sequence) << 48)
    }
}

/// Type code of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeType(pub u32);

impl AttributeType {
    /// Times, DOS flags, security id.
    pub const STANDARD_INFORMATION: Self = Self(0x10);
    /// Where the attributes of a file with several records are.
    pub const ATTRIBUTE_LIST: Self = Self(0x20);
    /// A name in a directory.
    pub const FILE_NAME: Self = Self(0x30);
    /// Object id (link tracking).
    pub const OBJECT_ID: Self = Self(0x40);
    /// A security descriptor of the file's own.
    pub const SECURITY_DESCRIPTOR: Self = Self(0x50);
    /// Label of the volume.
    pub const VOLUME_NAME: Self = Self(0x60);
    /// Version and flags of the volume.
    pub const VOLUME_INFORMATION: Self = Self(0x70);
    /// Content.
    pub const DATA: Self = Self(0x80);
    /// Root node of an index.
    pub const INDEX_ROOT: Self = Self(0x90);
    /// Further nodes of an index.
    pub const INDEX_ALLOCATION: Self = Self(0xA0);
    /// Which index blocks or file records are in use.
    pub const BITMAP: Self = Self(0xB0);
    /// Reparse point.
    pub const REPARSE_POINT: Self = Self(0xC0);
    /// Extended attributes: sizes.
    pub const EA_INFORMATION: Self = Self(0xD0);
    /// Extended attributes.
    pub const EA: Self = Self(0xE0);
    /// EFS and transactions.
    pub const LOGGED_UTILITY_STREAM: Self = Self(0x100);
    /// End marker of a record.
    pub const END: Self = Self(0xFFFF_FFFF);

    /// The documented name, or `None` for an unknown code.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::STANDARD_INFORMATION => "$STANDARD_INFORMATION",
            Self::ATTRIBUTE_LIST => "$ATTRIBUTE_LIST",
            Self::FILE_NAME => "$FILE_NAME",
            Self::OBJECT_ID => "$OBJECT_ID",
            Self::SECURITY_DESCRIPTOR => "$SECURITY_DESCRIPTOR",
            Self::VOLUME_NAME => "$VOLUME_NAME",
            Self::VOLUME_INFORMATION => "$VOLUME_INFORMATION",
            Self::DATA => "$DATA",
            Self::INDEX_ROOT => "$INDEX_ROOT",
            Self::INDEX_ALLOCATION => "$INDEX_ALLOCATION",
            Self::BITMAP => "$BITMAP",
            Self::REPARSE_POINT => "$REPARSE_POINT",
            Self::EA_INFORMATION => "$EA_INFORMATION",
            Self::EA => "$EA",
            Self::LOGGED_UTILITY_STREAM => "$LOGGED_UTILITY_STREAM",
            _ => return None,
        })
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "attribute type {:#x}", self.0),
        }
    }
}

/// Sizes that everything else on a volume is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes in a sector, as the boot sector has it.
    pub sector_size: u32,
    /// Bytes in a cluster.
    pub cluster_size: u32,
    /// Bytes in a file record of the $MFT.
    pub record_size: u32,
    /// Bytes in an index block, where an index does not say otherwise.
    pub index_block_size: u32,
    /// Sectors of the volume, the backup boot sector behind them not counted.
    pub total_sectors: u64,
}

impl Geometry {
    /// Whole clusters of the volume.
    pub fn clusters(&self) -> u64 {
        self.total_sectors / u64::from(self.cluster_size / self.sector_size)
    }

    /// Byte offset of a cluster on the volume. Saturates, so that a wild number is simply out of bounds.
    pub fn offset_of(&self, lcn: Lcn) -> u64 {
        lcn.0.saturating_mul(u64::from(self.cluster_size))
    }

    /// Bytes of the volume, the backup boot sector included.
    pub fn volume_bytes(&self) -> u64 {
        (self.total_sectors + 1).saturating_mul(u64::from(self.sector_size))
    }

    /// How many clusters `bytes` bytes need.
    pub fn clusters_for(&self, bytes: u64) -> u64 {
        bytes.div_ceil(u64::from(self.cluster_size))
    }
}
