//! Errors of the NTFS engine. Each names the place and, where there is one, the expected and the actual value.

use crate::types::{AttributeType, Lcn, RecordNumber, Vcn};
use winrefit_disk::DiskError;

/// What an NTFS structure can be wrong in, or an operation can fail for.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum NtfsError {
    /// The medium failed or ended.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The boot sector is not one of NTFS.
    #[error("the boot sector is not one of NTFS: the OEM id at byte 3 is {actual:02x?}")]
    NotNtfs {
        /// The OEM id found.
        actual: [u8; 8],
    },
    /// A field of the boot sector has a value that no NTFS volume has.
    #[error("boot sector: {field} at byte {offset:#x} is {actual}, which no NTFS volume has")]
    BadBootSector {
        /// Name of the field.
        field: &'static str,
        /// Its byte offset in the boot sector.
        offset: usize,
        /// Its value.
        actual: u64,
    },
    /// The volume is larger than what holds it.
    #[error("the volume has {volume_bytes} bytes but only {available_bytes} are there")]
    Truncated {
        /// Bytes the boot sector claims.
        volume_bytes: u64,
        /// Bytes available.
        available_bytes: u64,
    },
    /// A multi-sector structure does not begin with its signature.
    #[error("{structure} at byte {position:#x}: signature is {actual:02x?}")]
    BadSignature {
        /// "file record", "index block", "restart page".
        structure: &'static str,
        /// Byte offset on the volume or, for index blocks, in their stream.
        position: u64,
        /// The four bytes found.
        actual: [u8; 4],
    },
    /// The update sequence does not match: the structure was written in part only.
    #[error(
        "{structure} at byte {position:#x}: torn or damaged, sector {sector} does not end in the update sequence number"
    )]
    TornRecord {
        /// "file record", "index block", "restart page".
        structure: &'static str,
        /// Byte offset.
        position: u64,
        /// Which 512-byte stride is wrong.
        sector: usize,
    },
    /// A field of a file record's header is out of bounds.
    #[error("file record {record}: {field} is {actual}")]
    BadRecord {
        /// The record.
        record: RecordNumber,
        /// Name of the field.
        field: &'static str,
        /// Its value.
        actual: u64,
    },
    /// A field of an attribute is out of bounds.
    #[error("file record {record}, {attribute} at byte {offset:#x}: {field} is {actual}")]
    BadAttribute {
        /// The record that holds the attribute.
        record: RecordNumber,
        /// The attribute's type.
        attribute: AttributeType,
        /// Byte offset of the attribute in its record.
        offset: usize,
        /// Name of the field.
        field: &'static str,
        /// Its value.
        actual: u64,
    },
    /// Mapping pairs that cannot be decoded.
    #[error("file record {record}, {attribute}: mapping pairs are damaged at byte {offset} ({problem})")]
    BadRuns {
        /// The record that holds the attribute.
        record: RecordNumber,
        /// The attribute's type.
        attribute: AttributeType,
        /// Byte offset in the mapping pairs.
        offset: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// The pieces of a stream do not join.
    #[error("file record {record}, {attribute}: a piece begins at VCN {actual} where {expected} is due")]
    StreamGap {
        /// The file's base record.
        record: RecordNumber,
        /// The attribute's type.
        attribute: AttributeType,
        /// The VCN that the next piece has to begin with.
        expected: Vcn,
        /// The VCN that it begins with.
        actual: Vcn,
    },
    /// A file has no such attribute.
    #[error("file record {record} has no {attribute}")]
    MissingAttribute {
        /// The file's base record.
        record: RecordNumber,
        /// The attribute's type.
        attribute: AttributeType,
    },
    /// A record number lies behind the end of the $MFT.
    #[error("file record {record} lies behind the end of the $MFT with {records} records")]
    NoSuchRecord {
        /// The number asked for.
        record: RecordNumber,
        /// Records of the $MFT.
        records: u64,
    },
    /// A record in use was expected.
    #[error("file record {record} is not in use, or its sequence number is {actual} and not {expected}")]
    StaleReference {
        /// The record.
        record: RecordNumber,
        /// The sequence number of the reference.
        expected: u16,
        /// The sequence number of the record.
        actual: u16,
    },
    /// An index block or entry is malformed.
    #[error("directory record {record}, index block VCN {block:?}: {problem} at byte {offset:#x}")]
    BadIndex {
        /// The directory.
        record: RecordNumber,
        /// The block, or `None` for the root node.
        block: Option<Vcn>,
        /// Byte offset in the node.
        offset: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A stream is compressed or encrypted and can not be read as plain bytes.
    #[error("file record {record}, {attribute}: the stream is {how} and cannot be read as plain bytes")]
    NotPlain {
        /// The file's base record.
        record: RecordNumber,
        /// The attribute's type.
        attribute: AttributeType,
        /// "compressed" or "encrypted".
        how: &'static str,
    },
    /// More of something than the engine accepts from a sane volume.
    #[error("{what}: {actual} is more than the limit of {limit}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        actual: u64,
        /// How much is accepted.
        limit: u64,
    },
    /// A cluster lies behind the end of the volume.
    #[error(
        "file record {record}, {attribute}: cluster {lcn} lies behind the end of the volume at {clusters}"
    )]
    ClusterOutOfBounds {
        /// The record that holds the attribute.
        record: RecordNumber,
        /// The attribute's type.
        attribute: AttributeType,
        /// First cluster that is outside.
        lcn: Lcn,
        /// Clusters of the volume.
        clusters: u64,
    },
    /// A change does not fit the record that must hold it.
    #[error("file record {record} is full: {needed} more bytes are needed and {free} are free")]
    RecordFull {
        /// The record.
        record: RecordNumber,
        /// Missing bytes.
        needed: usize,
        /// Free bytes.
        free: usize,
    },
}

impl NtfsError {
    /// Whether the medium failed. A request out of bounds is the fault of what the volume says.
    pub fn is_of_medium(&self) -> bool {
        matches!(self, Self::Disk(disk) if !matches!(disk, DiskError::OutOfBounds { .. }))
    }
}
