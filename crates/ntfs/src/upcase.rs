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

/// The checksum of a table in $UpCase:$Info: CRC-64 with the reflected polynomial 9A6C9329AC4BC9B5, beginning and ending
/// inverted ("CRC-64/NVME"). Worked out from a volume of Windows 10.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    const POLYNOMIAL: u64 = 0x9A6C_9329_AC4B_C9B5;
    let remainders: [u64; 256] = std::array::from_fn(|byte| {
        (0..8).fold(byte as u64, |value, _| {
            (value >> 1) ^ if value & 1 == 1 { POLYNOMIAL } else { 0 }
        })
    });
    let step = |crc: u64, &byte: &u8| (crc >> 8) ^ remainders[usize::from(crc as u8 ^ byte)];
    !bytes.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(checksum(b"123456789"), 0xAE8B_1486_0A79_9888);
    }
}
