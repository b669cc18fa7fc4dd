//! One of the four entries of 16 bytes, in the MBR or in an EBR.

use super::chs::ChsStyle;
use crate::bytes::{array_at, u32_at};

pub(super) const TABLE_OFFSET: usize = 446;
const ENTRY_BYTES: usize = 16;
pub(super) const ENTRY_COUNT: usize = 4;
const SIGNATURE_OFFSET: usize = 510;
pub(super) const ACTIVE: u8 = 0x80;

/// The fields of an entry, without the CHS addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// 0x80 for the active partition.
    pub status: u8,
    pub type_code: u8,
    /// First sector, counted from whatever the entry counts from.
    pub start: u32,
    pub sectors: u32,
}

impl Entry {
    /// Entry `slot`, from 0. Zeros where `sector` is too short.
    pub fn read(sector: &[u8], slot: usize) -> Self {
        let at = TABLE_OFFSET + slot * ENTRY_BYTES;
        let byte = |offset: usize| sector.get(at + offset).copied().unwrap_or(0);
        Self {
            status: byte(0),
            type_code: byte(4),
            start: u32_at(sector, at + 8).unwrap_or(0),
            sectors: u32_at(sector, at + 12).unwrap_or(0),
        }
    }

    /// The CHS addresses of the first and the last sector.
    pub fn chs(sector: &[u8], slot: usize) -> [[u8; 3]; 2] {
        let at = TABLE_OFFSET + slot * ENTRY_BYTES;
        [at + 1, at + 5].map(|at| array_at(sector, at).unwrap_or_default())
    }

    /// Writes the fields, and a CHS address where its sector has changed. The start counts from `base`, before from
    /// `old_base`.
    pub fn write(&self, sector: &mut [u8], slot: usize, (old_base, base): (u64, u64), style: ChsStyle) {
        let old = Self::read(sector, slot);
        let at = TABLE_OFFSET + slot * ENTRY_BYTES;
        let ends = |entry: &Self, base: u64| {
            let first = base + u64::from(entry.start);
            (first, (first + u64::from(entry.sectors)).saturating_sub(1))
        };
        let ((old_first, old_last), (first, last)) = (ends(&old, old_base), ends(self, base));
        let mut put = |offset: usize, bytes: &[u8]| {
            if let Some(field) = sector.get_mut(at + offset..at + offset + bytes.len()) {
                field.copy_from_slice(bytes);
            }
        };
        let is_new = old.type_code == 0;
        if is_new || old_first != first {
            put(1, &style.field(first));
        }
        if is_new || old_last != last {
            put(5, &style.field(last));
        }
        put(0, &[self.status]);
        put(4, &[self.type_code]);
        put(8, &self.start.to_le_bytes());
        put(12, &self.sectors.to_le_bytes());
    }

    /// Fills an entry with zeros.
    pub fn clear(sector: &mut [u8], slot: usize) {
        let at = TABLE_OFFSET + slot * ENTRY_BYTES;
        if let Some(entry) = sector.get_mut(at..at + ENTRY_BYTES) {
            entry.fill(0);
        }
    }
}

/// Whether a sector ends its first 512 bytes with the boot signature.
pub(super) fn is_signed(sector: &[u8]) -> bool {
    array_at(sector, SIGNATURE_OFFSET) == Some([0x55, 0xaa])
}
