//! What can be wrong with an MBR partition table, by cause.

use crate::LbaRange;
use winrefit_disk::{DiskError, Lba};

/// Why there is no reading at all.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MbrReadError {
    /// The first sector could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The first sector does not end with the boot signature.
    #[error("the disk has no partition table")]
    NoPartitionTable,
    /// The first sector is a volume's boot sector: the disk is one volume, without partitions.
    #[error("the disk begins with a volume's boot sector and has no partition table")]
    BootSector,
}

/// A defect of a table. A table with one is shown, and not changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MbrError {
    /// The table protects or accompanies a GPT, which is the disk's table.
    #[error("the table has an entry of type 0xee, so the disk's table is a GPT")]
    Gpt,
    /// A sector of the chain could not be read.
    #[error("the EBR at LBA {lba} cannot be read: {source}")]
    Unreadable {
        /// Place of the EBR.
        lba: Lba,
        /// What the medium said.
        source: DiskError,
    },
    /// An entry's first byte is neither 0 nor 0x80.
    #[error("entry {number} has status {status:#04x}")]
    Status {
        /// Number of the entry, 1 to 4.
        number: u32,
        /// The byte.
        status: u8,
    },
    /// A partition has a type, but no sector.
    #[error("partition {number} has no sector")]
    Empty {
        /// Number of the partition.
        number: u32,
    },
    /// A partition begins in the MBR's own sector.
    #[error("partition {number} covers the partition table")]
    CoversTable {
        /// Number of the partition.
        number: u32,
    },
    /// A partition reaches behind the end of the disk, or behind what 32 bits can address.
    #[error("partition {number} at {range} reaches behind LBA {end}")]
    OutOfBounds {
        /// Number of the partition.
        number: u32,
        /// Where it lies.
        range: LbaRange,
        /// First LBA that no partition can have.
        end: u64,
    },
    /// Two partitions share a sector.
    #[error("partitions {first} and {second} overlap")]
    Overlap {
        /// Number of one.
        first: u32,
        /// Number of the other.
        second: u32,
    },
    /// There are two extended partitions.
    #[error("partitions {first} and {second} are both extended ones")]
    SecondExtended {
        /// Number of one.
        first: u32,
        /// Number of the other.
        second: u32,
    },
    /// An EBR would lie outside the extended partition.
    #[error("the EBR at LBA {lba} lies outside the extended partition at {extended}")]
    EbrOutside {
        /// Place of the EBR.
        lba: u64,
        /// The extended partition.
        extended: LbaRange,
    },
    /// The chain comes back to an EBR.
    #[error("the chain of EBRs leads to LBA {lba} twice")]
    EbrLoop {
        /// Place of the EBR.
        lba: Lba,
    },
    /// The chain has no end in sight.
    #[error("the chain has more than {limit} EBRs")]
    TooManyEbrs {
        /// How many are accepted.
        limit: usize,
    },
    /// An EBR does not end with the boot signature.
    #[error("the sector at LBA {lba} is no EBR")]
    EbrSignature {
        /// Place of the EBR.
        lba: Lba,
    },
    /// An EBR has more than one partition or more than one successor.
    #[error("the EBR at LBA {lba} describes more than one partition")]
    EbrEntries {
        /// Place of the EBR.
        lba: Lba,
    },
    /// A logical partition leaves the extended one.
    #[error("partition {number} at {range} lies outside the extended partition at {extended}")]
    LogicalOutside {
        /// Number of the partition.
        number: u32,
        /// Where it lies.
        range: LbaRange,
        /// The extended partition.
        extended: LbaRange,
    },
    /// A logical partition covers an EBR.
    #[error("partition {number} covers the EBR at LBA {lba}")]
    CoversEbr {
        /// Number of the partition.
        number: u32,
        /// Place of the EBR.
        lba: Lba,
    },
}

/// Why an edit of a table was refused. The table is as it was.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MbrEditError {
    /// No partition has that number.
    #[error("there is no partition {number}")]
    NoSuchPartition {
        /// The number.
        number: u32,
    },
    /// Not one of the four primary entries.
    #[error("entry {number} is not within 1..=4")]
    NoSuchEntry {
        /// The number.
        number: u32,
    },
    /// The primary entry is in use.
    #[error("entry {number} is in use")]
    EntryInUse {
        /// The number.
        number: u32,
    },
    /// A type that an edit cannot give or take: unused, extended or GPT.
    #[error("partition {number} cannot be changed to or from type {type_code:#04x}")]
    Type {
        /// The number.
        number: u32,
        /// The type.
        type_code: u8,
    },
    /// The table as it would be has a defect.
    #[error(transparent)]
    Layout(#[from] MbrError),
    /// The range does not fit the fields of 32 bits.
    #[error("{range} cannot be described with 32 bits")]
    TooLarge {
        /// The range asked for.
        range: LbaRange,
    },
    /// An extended partition's start is the place of its first EBR.
    #[error("the extended partition {number} cannot begin elsewhere")]
    ExtendedStart {
        /// The number.
        number: u32,
    },
    /// A logical partition would leave the free space around it, change the order of logical partitions, or cover the
    /// EBR of another.
    #[error("{range} leaves {window}, the free space around logical partition {number}")]
    OutsideWindow {
        /// The number.
        number: u32,
        /// The range asked for.
        range: LbaRange,
        /// Where the partition and its EBR may lie.
        window: LbaRange,
    },
    /// No sector is left for the EBR before the logical partition.
    #[error("partition {number} at {range} leaves no sector for its EBR in {window}")]
    NoRoomForEbr {
        /// The number.
        number: u32,
        /// The range asked for.
        range: LbaRange,
        /// Where the partition and its EBR may lie.
        window: LbaRange,
    },
    /// The EBR must lie before its partition and in the free space around it, and the first one cannot move at all.
    #[error("the EBR of partition {number} cannot lie at LBA {lba}")]
    EbrPlace {
        /// The number.
        number: u32,
        /// The place asked for.
        lba: Lba,
    },
}
