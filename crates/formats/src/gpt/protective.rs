//! LBA 0 as far as a GPT disk cares: whether it is the protective MBR (UEFI specification 2.10, section 5.2.3).

use super::error::NotGpt;
use super::model::LbaRange;
use crate::bytes::{array_at, u32_at};
use winrefit_disk::Lba;

const TABLE_OFFSET: usize = 446;
const ENTRY_BYTES: usize = 16;
const SIGNATURE_OFFSET: usize = 510;
const TYPE_PROTECTIVE: u8 = 0xee;

/// What LBA 0 says about partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mbr {
    signed: bool,
    types: [u8; 4],
    ranges: [LbaRange; 4],
    flags_valid: bool,
}

impl Mbr {
    pub(super) fn parse(sector: &[u8]) -> Self {
        let mut types = [0; 4];
        let mut ranges = [LbaRange::new(Lba(0), Lba(0)); 4];
        let mut flags_valid = true;
        for (slot, (kind, range)) in types.iter_mut().zip(&mut ranges).enumerate() {
            let at = TABLE_OFFSET + slot * ENTRY_BYTES;
            let field = |at| u64::from(u32_at(sector, at).unwrap_or(0));
            *range = LbaRange::new(Lba(field(at + 8)), Lba(field(at + 8) + field(at + 12)));
            // A volume's boot sector has the same signature, and code or text where the table would be.
            flags_valid &= sector.get(at).is_some_and(|flag| flag & 0x7f == 0);
            *kind = sector.get(at + 4).copied().unwrap_or(0);
        }
        let signed = array_at(sector, SIGNATURE_OFFSET) == Some([0x55, 0xaa]);
        if !signed {
            types = [0; 4];
        }
        Self {
            signed,
            types,
            ranges,
            flags_valid,
        }
    }

    /// The types of the four entries, 0 where unused; all 0 without the boot signature 55 AA.
    pub fn types(&self) -> [u8; 4] {
        self.types
    }

    /// Whether one entry has the protective type 0xEE and the others are unused.
    pub fn is_protective(&self) -> bool {
        let used: Vec<u8> = self.types.into_iter().filter(|&t| t != 0).collect();
        used == [TYPE_PROTECTIVE]
    }

    /// Whether there is a protective entry, alone or (a hybrid MBR) beside others.
    pub fn has_protective(&self) -> bool {
        self.types.contains(&TYPE_PROTECTIVE)
    }

    /// What entries other than the protective one name: of a hybrid MBR.
    pub fn others(&self) -> Vec<LbaRange> {
        let entries = self.types.iter().zip(self.ranges);
        let others = entries.filter(|(kind, _)| ![0, TYPE_PROTECTIVE].contains(kind));
        others.map(|(_, range)| range).collect()
    }

    /// Whether the entries are those of a partition table of its own, without a GPT.
    pub fn is_table(&self) -> bool {
        self.signed && self.flags_valid && self.types != [0; 4] && !self.has_protective()
    }

    /// What the disk is if it has no GPT header.
    pub(super) fn without_gpt(&self) -> NotGpt {
        if self.has_protective() {
            NotGpt::HeadersGone
        } else if self.is_table() {
            NotGpt::Mbr { types: self.types }
        } else {
            NotGpt::NoPartitionTable
        }
    }
}

/// The protective MBR of a disk of that many sectors, as the first 512 bytes of LBA 0.
pub(super) fn protective_mbr(device_sectors: u64) -> [u8; 512] {
    let mut sector = [0; 512];
    let sectors = u32::try_from(device_sectors.saturating_sub(1)).unwrap_or(u32::MAX);
    let entry = &mut sector[TABLE_OFFSET..TABLE_OFFSET + ENTRY_BYTES];
    // From CHS 0/0/2 = LBA 1 to the largest CHS address.
    entry[1..8].copy_from_slice(&[0x00, 0x02, 0x00, TYPE_PROTECTIVE, 0xff, 0xff, 0xff]);
    entry[8..12].copy_from_slice(&1u32.to_le_bytes());
    entry[12..16].copy_from_slice(&sectors.to_le_bytes());
    sector[SIGNATURE_OFFSET..].copy_from_slice(&[0x55, 0xaa]);
    sector
}
