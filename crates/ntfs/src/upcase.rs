//! The upper-case table of a volume. Directories are ordered by names mapped through it, unit by unit.

use crate::bytes::utf16;
use crate::error::NtfsError;
use crate::types::{AttributeType, RecordNumber};
use std::cmp::Ordering;

/// Upper-case mapping of every UTF-16 code unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpCase {
    table: Vec<u16>,
}

impl UpCase {
    /// Bytes of the table on disk: one unit for each of the 65,536.
    pub const BYTES: usize = 128 << 10;

    /// Takes the content of $UpCase.
    ///
    /// # Errors
    /// [`NtfsError::BadAttribute`] if it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NtfsError> {
        if bytes.len() != Self::BYTES {
            return Err(NtfsError::BadAttribute {
                record: RecordNumber::UP_CASE,
                attribute: AttributeType::DATA,
                offset: 0,
                field: "size of the upper-case table",
                actual: bytes.len() as u64,
            });
        }
        Ok(Self { table: utf16(bytes) })
    }

    /// A table of 65,536 units.
    pub(crate) fn from_table(table: Vec<u16>) -> Self {
        debug_assert_eq!(table.len(), Self::BYTES / 2);
        Self { table }
    }

    /// The on-disk form.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.table.iter().flat_map(|unit| unit.to_le_bytes()).collect()
    }

    /// The mapping of one unit.
    pub fn map(&self, unit: u16) -> u16 {
        self.table.get(usize::from(unit)).copied().unwrap_or(unit)
    }

    /// Order of two names as in a directory: mapped to upper case, then by units, the shorter first.
    pub fn compare(&self, a: &[u16], b: &[u16]) -> Ordering {
        a.iter().map(|&u| self.map(u)).cmp(b.iter().map(|&u| self.map(u)))
    }
}
