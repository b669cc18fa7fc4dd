//! What can be wrong with a partition table, by cause.

use super::LbaRange;
use crate::Guid;
use std::fmt;
use winrefit_disk::{DiskError, Lba};

/// Which of the two copies of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyKind {
    /// Header in LBA 1.
    Primary,
    /// Header in the last sector of the disk.
    Backup,
}

impl fmt::Display for CopyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Backup => "backup",
        })
    }
}

/// Why one copy of the table cannot be trusted.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum GptError {
    /// A sector of the copy could not be read.
    #[error("the copy cannot be read: {0}")]
    Unreadable(#[from] DiskError),
    /// The header's place is not on the device.
    #[error("the header would lie at LBA {lba}, but the device has {device_sectors} sectors")]
    HeaderOutOfBounds {
        /// Where the other copy says that the header is.
        lba: Lba,
        /// Sectors of the device.
        device_sectors: u64,
    },
    /// No `EFI PART` at the header's place.
    #[error("LBA {lba} does not begin with \"EFI PART\"")]
    NoSignature {
        /// The sector that was read.
        lba: Lba,
    },
    /// A revision other than 1.0.
    #[error("header at LBA {lba}: revision {actual:#010x}, expected 0x00010000")]
    Revision {
        /// The header's sector.
        lba: Lba,
        /// The revision field.
        actual: u32,
    },
    /// The header size is not between 92 bytes and a sector.
    #[error("header at LBA {lba}: size {actual} bytes is not within 92..={sector_bytes}")]
    HeaderSize {
        /// The header's sector.
        lba: Lba,
        /// The size field, in bytes.
        actual: u32,
        /// Size of a sector in bytes.
        sector_bytes: u64,
    },
    /// The header's checksum is wrong.
    #[error("header at LBA {lba}: CRC {actual:#010x}, header says {expected:#010x}")]
    HeaderCrc {
        /// The header's sector.
        lba: Lba,
        /// The checksum in the header.
        expected: u32,
        /// The checksum of its bytes.
        actual: u32,
    },
    /// The header names another sector as its own.
    #[error("header at LBA {lba} says that it lies at LBA {actual}")]
    MyLba {
        /// The header's sector.
        lba: Lba,
        /// The `MyLBA` field.
        actual: Lba,
    },
    /// Entry size or count out of the accepted bounds.
    #[error("header at LBA {lba}: {entry_count} entries of {entry_size} bytes")]
    EntryGeometry {
        /// The header's sector.
        lba: Lba,
        /// Size of an entry in bytes.
        entry_size: u32,
        /// Number of entries.
        entry_count: u32,
    },
    /// The usable range is empty, not on the device, or covers a header.
    #[error("header at LBA {lba}: usable range {first}..={last} on a device of {device_sectors} sectors")]
    UsableRange {
        /// The header's sector.
        lba: Lba,
        /// First usable LBA.
        first: Lba,
        /// Last usable LBA.
        last: Lba,
        /// Sectors of the device.
        device_sectors: u64,
    },
    /// The entry array covers a header, a partition or the MBR, or is not wholly on the device.
    #[error("header at LBA {lba}: the entry array at {array} lies in a forbidden place")]
    EntriesPlace {
        /// The header's sector.
        lba: Lba,
        /// Where the array would lie.
        array: LbaRange,
    },
    /// The entry array's checksum is wrong.
    #[error("entry array at LBA {lba}: CRC {actual:#010x}, header says {expected:#010x}")]
    EntriesCrc {
        /// First sector of the array.
        lba: Lba,
        /// The checksum in the header.
        expected: u32,
        /// The checksum of the array's bytes.
        actual: u32,
    },
    /// A partition ends before it starts or leaves the usable range.
    #[error("partition {number}: {first}..={last} is not within the usable range {usable}")]
    PartitionRange {
        /// Slot number, from 1.
        number: u32,
        /// First LBA.
        first: Lba,
        /// Last LBA, inclusive.
        last: Lba,
        /// The usable range.
        usable: LbaRange,
    },
    /// Two partitions share a sector.
    #[error("partitions {first} and {second} overlap")]
    Overlap {
        /// Slot number of the one that starts first.
        first: u32,
        /// Slot number of the other.
        second: u32,
    },
    /// Two partitions have one unique GUID.
    #[error("partitions {first} and {second} have the same unique GUID {guid}")]
    DuplicateGuid {
        /// Slot number of one.
        first: u32,
        /// Slot number of the other.
        second: u32,
        /// The GUID.
        guid: Guid,
    },
}

/// A disk without a GPT.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotGpt {
    /// A classic MBR partition table.
    #[error("the disk has an MBR partition table (partition types {types:02x?})")]
    Mbr {
        /// The types of the four primary entries; 0 is an unused one.
        types: [u8; 4],
    },
    /// A protective MBR, but neither header of the GPT that it protects.
    #[error("the disk has a protective MBR, but both GPT headers are gone")]
    HeadersGone,
    /// Neither a GPT nor an MBR.
    #[error("the disk has no partition table")]
    NoPartitionTable,
}

/// Why there is no reading at all.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GptReadError {
    /// The first sector could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is no GPT to read.
    #[error(transparent)]
    NotGpt(#[from] NotGpt),
}

/// Which part of the two copies is not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferingPart {
    /// `AlternateLBA` of one is not the place of the other.
    AlternateLba,
    /// The disk GUID.
    DiskGuid,
    /// First or last usable LBA.
    UsableRange,
    /// Size or number of entries.
    EntryGeometry,
    /// The entries themselves.
    Entries,
}

impl fmt::Display for DifferingPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlternateLba => "place of the other copy",
            Self::DiskGuid => "disk GUID",
            Self::UsableRange => "usable range",
            Self::EntryGeometry => "entry size or count",
            Self::Entries => "partition entries",
        })
    }
}

/// Why a table that was read must not be changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum GptDisagreement {
    /// Only the backup copy is good.
    #[error("the primary partition table is damaged: {0}")]
    PrimaryDamaged(GptError),
    /// Only the primary copy is good.
    #[error("the backup partition table is damaged: {0}")]
    BackupDamaged(GptError),
    /// Neither copy is good.
    #[error("both partition tables are damaged: primary: {primary}; backup: {backup}")]
    BothDamaged {
        /// What is wrong with the primary copy.
        primary: GptError,
        /// What is wrong with the backup copy.
        backup: GptError,
    },
    /// Both copies are good, but they do not say the same.
    #[error("the two partition tables differ in the {what}")]
    Differ {
        /// The first part found to differ.
        what: DifferingPart,
    },
    /// The backup header is not in the last sector: the disk has grown or was copied to a larger one.
    #[error("the backup partition table is at LBA {lba}, the disk ends with LBA {last_lba}")]
    BackupNotAtEnd {
        /// Where the backup header is.
        lba: Lba,
        /// The last sector of the device.
        last_lba: Lba,
    },
    /// LBA 0 holds no protective MBR, or one with further partitions (a "hybrid" one, which Windows takes for the table).
    #[error("LBA 0 is not a plain protective MBR (partition types {types:02x?})")]
    MbrNotProtective {
        /// The types of its four entries; all 0 where the boot signature is missing.
        types: [u8; 4],
    },
}

/// Why an edit of a table was refused. The table is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GptEditError {
    /// No partition has that number.
    #[error("there is no partition {number}")]
    NoSuchPartition {
        /// Slot number, from 1.
        number: u32,
    },
    /// The slot is in use.
    #[error("slot {number} is in use")]
    SlotInUse {
        /// Slot number, from 1.
        number: u32,
    },
    /// The table has no such slot.
    #[error("slot {number} is not within 1..={slots}")]
    NoSuchSlot {
        /// Slot number asked for.
        number: u32,
        /// Number of slots.
        slots: u32,
    },
    /// The range is empty or leaves the usable range.
    #[error("{range} is empty or not within the usable range {usable}")]
    OutsideUsable {
        /// The range asked for.
        range: LbaRange,
        /// The usable range.
        usable: LbaRange,
    },
    /// The range is in use.
    #[error("{range} overlaps partition {other}")]
    Overlap {
        /// The range asked for.
        range: LbaRange,
        /// Slot number of the partition in the way.
        other: u32,
    },
    /// The range covers an entry array that lies among the usable sectors.
    #[error("{range} overlaps the partition table's entries at {array}")]
    CoversEntries {
        /// The range asked for.
        range: LbaRange,
        /// The entry array.
        array: LbaRange,
    },
    /// Another partition has that unique GUID, or the type is the GUID of an unused entry.
    #[error("GUID {guid} cannot be used for partition {number}")]
    UnusableGuid {
        /// Slot number, from 1.
        number: u32,
        /// The GUID.
        guid: Guid,
    },
    /// The name does not fit.
    #[error("the name has {units} UTF-16 units, 36 fit")]
    NameTooLong {
        /// Length in UTF-16 units.
        units: usize,
    },
    /// The device has no room for a table.
    #[error("a device of {device_sectors} sectors is too small for a GPT")]
    DeviceTooSmall {
        /// Sectors of the device.
        device_sectors: u64,
    },
}

/// Why a table was not written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GptWriteError {
    /// The medium failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The table belongs to a device of another size or sector size; nothing was written.
    #[error(
        "the table is for {expected_sectors} sectors of {expected_sector_bytes} bytes, the device has \
         {actual_bytes} bytes in sectors of {actual_sector_bytes}"
    )]
    OtherDevice {
        /// Sectors that the table is for.
        expected_sectors: u64,
        /// Sector size that the table is for, in bytes.
        expected_sector_bytes: u64,
        /// Size of the device in bytes.
        actual_bytes: u64,
        /// Sector size of the device in bytes.
        actual_sector_bytes: u64,
    },
}
