//! What can be wrong in an event log without ending its reading.

use super::chunk::CHUNK_BYTES;
use super::header::FILE_HEADER_BYTES;
use winrefit_disk::DiskError;

/// Something in a log that could not be read, or does not agree.
#[derive(Debug, Clone)]
pub struct Damage {
    /// Byte of the file at which it is.
    pub offset: u64,
    /// What it is.
    pub kind: DamageKind,
}

impl Damage {
    /// Number of the chunk by place, from 0; `None` for the file header.
    pub fn chunk(&self) -> Option<u64> {
        let offset = self.offset.checked_sub(FILE_HEADER_BYTES as u64)?;
        Some(offset / CHUNK_BYTES as u64)
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "byte {}: {}", self.offset, self.kind)
    }
}

/// Kinds of damage.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DamageKind {
    /// The file does not begin with `ElfFile`.
    #[error("the file header has no signature")]
    FileSignature,
    /// Checksum of the file header.
    #[error("the file header says checksum {expected:#010x}, and its bytes have {actual:#010x}")]
    FileChecksum {
        /// The checksum in the header.
        expected: u32,
        /// The checksum of its bytes.
        actual: u32,
    },
    /// A log that was closed has another number of chunks than its file header says.
    #[error("the file header counts {expected} chunks, and there are {actual}")]
    ChunkCount {
        /// The header's count.
        expected: u32,
        /// Chunks that are not empty.
        actual: usize,
    },
    /// The medium returned an error for the chunk.
    #[error("the chunk cannot be read: {0}")]
    Unreadable(DiskError),
    /// The file ends within the chunk.
    #[error("the file ends after {bytes} bytes of a chunk")]
    ChunkCut {
        /// Bytes of the chunk that are there.
        bytes: usize,
    },
    /// The chunk does not begin with `ElfChnk`.
    #[error("no chunk begins here, but {actual:02x?}")]
    ChunkSignature {
        /// Its first bytes.
        actual: [u8; 8],
    },
    /// Checksum of the chunk's header. The newest chunk of a log that was not closed may have an old one.
    #[error("the chunk's header says checksum {expected:#010x}, and its bytes have {actual:#010x}")]
    ChunkHeaderChecksum {
        /// The checksum in the header.
        expected: u32,
        /// The checksum of its bytes.
        actual: u32,
    },
    /// Checksum of the chunk's records; as above.
    #[error("the chunk says checksum {expected:#010x} for its records, and they have {actual:#010x}")]
    ChunkDataChecksum {
        /// The checksum in the header.
        expected: u32,
        /// The checksum of its bytes.
        actual: u32,
    },
    /// The chunk's free space begins at an impossible place.
    #[error("the chunk's free space is said to begin at {offset:#x}, where it cannot")]
    FreeSpace {
        /// Offset within the chunk that its header names.
        offset: u32,
    },
    /// No record where one should begin. The reading went on with the next one found.
    #[error("no record begins here where one should")]
    Record,
    /// A record that mentions a wanted provider could not be decoded.
    #[error("record {record_id} cannot be decoded")]
    Undecodable {
        /// Identifier of the record.
        record_id: u64,
    },
    /// A record's text is larger than [`super::EVENT_TEXT_BYTES_MAX`].
    #[error("record {record_id} has {bytes} bytes of text, more than is read")]
    TooLarge {
        /// Identifier of the record.
        record_id: u64,
        /// Size of its text in bytes.
        bytes: usize,
    },
    /// [`super::FAILURES_MAX`] records could not be decoded; records from here on were only counted.
    #[error("too many records cannot be decoded; those from here on were only counted")]
    GaveUp,
}
