//! What can be wrong with a hive. Cell offsets count from the first hive bin, as all offsets in a hive do.

use winrefit_disk::DiskError;

/// An error of a hive or of the medium under it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum HiveError {
    /// The file could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Not a hive.
    #[error("the file does not begin with \"regf\"")]
    Signature,
    /// The base block's checksum is wrong.
    #[error("base block: checksum {actual:#010x}, the block says {expected:#010x}")]
    Checksum {
        /// The checksum in the block.
        expected: u32,
        /// The checksum of its bytes.
        actual: u32,
    },
    /// A version other than 1.3 to 1.6, or a file that is no primary one.
    #[error("hive of version {major}.{minor}, type {file_type}, format {format}")]
    Version {
        /// Major version, 1.
        major: u32,
        /// Minor version, 3 to 6.
        minor: u32,
        /// 0 for a primary file.
        file_type: u32,
        /// 1 for the only known format.
        format: u32,
    },
    /// The hive bins reach behind the end of the file, or there are none.
    #[error("{bins_bytes} bytes of hive bins in a file of {file_bytes} bytes")]
    BinsSize {
        /// Size of all hive bins in bytes.
        bins_bytes: u32,
        /// Size of the file in bytes.
        file_bytes: u64,
    },
    /// A reference to a cell leads out of the hive, or the cell's size is impossible.
    #[error("cell {cell:#x} of {size} bytes does not lie within {bins_bytes} bytes of hive bins")]
    CellBounds {
        /// Offset of the cell.
        cell: u32,
        /// Its size field; 0 if the field itself is out of bounds.
        size: u32,
        /// Size of all hive bins in bytes.
        bins_bytes: u32,
    },
    /// A reference to a cell that is free.
    #[error("cell {cell:#x} is in use by a key or value, but free")]
    CellFree {
        /// Offset of the cell.
        cell: u32,
    },
    /// A cell is of another kind than its reference says.
    #[error("cell {cell:#x} begins with {actual:02x?}, expected {expected}")]
    CellSignature {
        /// Offset of the cell.
        cell: u32,
        /// The kinds that would be right.
        expected: &'static str,
        /// Its first two bytes.
        actual: [u8; 2],
    },
    /// A cell is too short for what it should hold.
    #[error("cell {cell:#x} is shorter than its content, {needed} bytes")]
    CellTooShort {
        /// Offset of the cell.
        cell: u32,
        /// Bytes that the content needs.
        needed: usize,
    },
    /// A name is longer than Windows allows.
    #[error("the name in cell {cell:#x} has {length} bytes, more than {limit}")]
    NameLength {
        /// Offset of the cell.
        cell: u32,
        /// Length of the name in bytes.
        length: usize,
        /// The most that is accepted.
        limit: usize,
    },
    /// A key counts more subkeys or values than the hive can hold, or than are accepted.
    #[error("key at cell {cell:#x} counts {count} {what}")]
    Count {
        /// Offset of the key's cell.
        cell: u32,
        /// Subkeys or values.
        what: &'static str,
        /// The count.
        count: u32,
    },
    /// A key's lists do not have as many subkeys as the key says.
    #[error("key at cell {cell:#x} counts {expected} subkeys, its lists have another number")]
    SubkeyCount {
        /// Offset of the key's cell.
        cell: u32,
        /// The key's count.
        expected: u32,
    },
    /// A subkey names another key as its parent. Such a hive could be endless.
    #[error("key at cell {cell:#x} names {actual:#x} as its parent, expected {expected:#x}")]
    Parent {
        /// Offset of the subkey's cell.
        cell: u32,
        /// Offset of the key that lists it.
        expected: u32,
        /// The parent it names.
        actual: u32,
    },
    /// A value's data is larger than accepted, or larger than its cells.
    #[error("value at cell {cell:#x} has {size} bytes of data, which cannot be right")]
    DataSize {
        /// Offset of the value's cell.
        cell: u32,
        /// Size of the data in bytes.
        size: u32,
    },
    /// A value's data has not the size of its type.
    #[error("value at cell {cell:#x} of type {kind} has {size} bytes")]
    TypeSize {
        /// Offset of the value's cell.
        cell: u32,
        /// The type's number.
        kind: u32,
        /// Size of the data in bytes.
        size: usize,
    },
}
