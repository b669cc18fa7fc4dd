//! The base block: the first 4096 bytes of a hive, and (in part) of its log files.

use super::HiveError;
use crate::bytes::{u32_at, u64_at};

/// Size of the base block; the hive bins begin behind it.
pub(super) const BASE_BLOCK_BYTES: usize = 4096;
/// What the checksum covers, the checksum and no more. Log files keep at least this much of the block.
pub(super) const CHECKED_BYTES: usize = 512;
pub(super) const PRIMARY_SEQUENCE: usize = 4;
pub(super) const SECONDARY_SEQUENCE: usize = 8;
pub(super) const FILE_TYPE: usize = 28;
pub(super) const BINS_SIZE: usize = 40;
pub(super) const FLAGS: usize = 144;
pub(super) const CHECKSUM: usize = 508;
/// File type of a hive itself; logs have others.
pub(super) const TYPE_PRIMARY: u32 = 0;

/// The fields of a base block whose signature, checksum and version are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseBlock {
    /// Raised by 1 when a write to the hive begins.
    pub primary_sequence: u32,
    /// Set to the primary one when the write is complete.
    pub secondary_sequence: u32,
    /// Time of the last write: 100 ns units since 1601; 0 if not known.
    pub last_written: u64,
    /// Minor version, 3 to 6.
    pub minor_version: u32,
    /// 0 for a hive; 1, 2 or 6 for a log file.
    pub file_type: u32,
    /// Offset of the root key's cell from the first hive bin.
    pub root: u32,
    /// Size of all hive bins in bytes.
    pub bins_bytes: u32,
    /// Sector size of the disk for which the hive was written, in units of 512 bytes.
    pub clustering_factor: u32,
    /// The checksum.
    pub checksum: u32,
}

impl BaseBlock {
    /// Parses the block of a hive or of a log file. `block` has at least 512 bytes of it.
    pub(super) fn parse(block: &[u8]) -> Result<Self, HiveError> {
        if !block.starts_with(b"regf") || block.len() < CHECKED_BYTES {
            return Err(HiveError::Signature);
        }
        let field = |at| u32_at(block, at).unwrap_or(0);
        let (expected, actual) = (field(CHECKSUM), checksum(block));
        if actual != expected {
            return Err(HiveError::Checksum { expected, actual });
        }
        let (major, minor, file_type, format) = (field(20), field(24), field(FILE_TYPE), field(32));
        if major != 1 || !(3..=6).contains(&minor) || format != 1 {
            return Err(HiveError::Version {
                major,
                minor,
                file_type,
                format,
            });
        }
        Ok(Self {
            primary_sequence: field(PRIMARY_SEQUENCE),
            secondary_sequence: field(SECONDARY_SEQUENCE),
            last_written: u64_at(block, 12).unwrap_or(0),
            minor_version: minor,
            file_type,
            root: field(36),
            bins_bytes: field(BINS_SIZE),
            clustering_factor: field(44),
            checksum: expected,
        })
    }

    /// Parses the block of a hive in a file of `file_bytes`.
    pub(super) fn parse_primary(block: &[u8], file_bytes: u64) -> Result<Self, HiveError> {
        let base = Self::parse(block)?;
        if base.file_type != TYPE_PRIMARY {
            return Err(HiveError::Version {
                major: 1,
                minor: base.minor_version,
                file_type: base.file_type,
                format: 1,
            });
        }
        let room = file_bytes.saturating_sub(BASE_BLOCK_BYTES as u64);
        if base.bins_bytes == 0 || u64::from(base.bins_bytes) > room {
            return Err(HiveError::BinsSize {
                bins_bytes: base.bins_bytes,
                file_bytes,
            });
        }
        Ok(base)
    }

    /// Whether a write was begun and not finished: the two sequence numbers differ.
    pub fn is_dirty(&self) -> bool {
        self.primary_sequence != self.secondary_sequence
    }
}

/// Sets fields of a block and its checksum. Fields that do not lie within `block` are left out.
pub(super) fn patch(block: &mut [u8], fields: &[(usize, u32)]) {
    let mut put = |at: usize, value: u32| {
        if let Some(field) = block.get_mut(at..at + 4) {
            field.copy_from_slice(&value.to_le_bytes());
        }
    };
    fields.iter().for_each(|&(at, value)| put(at, value));
    let sum = checksum(block);
    if let Some(field) = block.get_mut(CHECKSUM..CHECKSUM + 4) {
        field.copy_from_slice(&sum.to_le_bytes());
    }
}

/// Exclusive or of the 127 words before the checksum's own place; 0 and all ones are never written.
pub(super) fn checksum(block: &[u8]) -> u32 {
    let words = block.get(..CHECKSUM).unwrap_or_default().chunks_exact(4);
    match words
        .filter_map(|word| u32_at(word, 0))
        .fold(0, |sum, word| sum ^ word)
    {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}
