//! A healthy table as a value.
//!
//! Invariant: the sectors in `records` are the table. What they say is derived from them anew after each edit, by the
//! code that reads a disk, so that an edit cannot leave what a reading would refuse.

use super::read::{Layout, Record};
use super::types;
use crate::LbaRange;
use crate::bytes::u32_at;
use std::collections::BTreeMap;
use winrefit_disk::{Lba, SectorSize};

pub(super) const DISK_SIGNATURE_OFFSET: usize = 0x1b8;

/// Where a partition is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MbrSlot {
    /// In one of the four entries of the MBR, counted from 1.
    Primary(u8),
    /// In an EBR; logical partitions are counted from 1 in the order of the chain.
    Logical {
        /// Its place among the logical partitions, from 1.
        index: u32,
        /// Where its EBR lies.
        ebr: Lba,
    },
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MbrPartition {
    /// 1 to 4 for a primary entry, 5 and up for logical partitions.
    pub number: u32,
    /// Where it is described.
    pub slot: MbrSlot,
    /// What it is for; see [`super::types`].
    pub type_code: u8,
    /// Whether BIOS boot code starts from it.
    pub active: bool,
    /// Where it lies.
    pub range: LbaRange,
}

impl MbrPartition {
    /// Whether it holds logical partitions rather than a volume.
    pub fn is_extended(&self) -> bool {
        matches!(self.slot, MbrSlot::Primary(_)) && types::is_extended(self.type_code)
    }

    /// Whether it is a logical one.
    pub fn is_logical(&self) -> bool {
        matches!(self.slot, MbrSlot::Logical { .. })
    }
}

/// A healthy table.
#[derive(Debug, Clone)]
pub struct Mbr {
    pub(super) sector_size: SectorSize,
    pub(super) device_sectors: u64,
    /// The MBR, and the EBRs in the order of the chain.
    pub(super) records: Vec<Record>,
    pub(super) partitions: Vec<MbrPartition>,
    /// What was read, by place.
    pub(super) read: BTreeMap<Lba, Vec<u8>>,
}

impl Mbr {
    pub(super) fn new(sector_size: SectorSize, device_sectors: u64, layout: Layout) -> Self {
        let read = layout
            .records
            .iter()
            .map(|record| (record.lba, record.sector.clone()));
        Self {
            sector_size,
            device_sectors,
            read: read.collect(),
            records: layout.records,
            partitions: layout.partitions,
        }
    }

    /// Size of a logical sector.
    pub fn sector_size(&self) -> SectorSize {
        self.sector_size
    }

    /// Length of the device in sectors.
    pub fn device_sectors(&self) -> u64 {
        self.device_sectors
    }

    /// What Windows knows the disk by; 0 for none. Boot stores refer to it.
    pub fn disk_signature(&self) -> u32 {
        let sector = self.records.first().map(|record| record.sector.as_slice());
        u32_at(sector.unwrap_or_default(), DISK_SIGNATURE_OFFSET).unwrap_or(0)
    }

    /// All partitions in the order of their numbers, the extended one among them.
    pub fn partitions(&self) -> &[MbrPartition] {
        &self.partitions
    }

    /// The partition of that number.
    pub fn partition(&self, number: u32) -> Option<&MbrPartition> {
        self.partitions.iter().find(|p| p.number == number)
    }

    /// The extended partition.
    pub fn extended(&self) -> Option<&MbrPartition> {
        self.partitions.iter().find(|p| p.is_extended())
    }

    /// The sectors of the table: LBA 0 and each EBR. Nothing else may be written there before the table has changed;
    /// an EBR in the way of a volume that grows can be moved first ([`Mbr::move_ebr`]).
    pub fn table_sectors(&self) -> impl Iterator<Item = Lba> + '_ {
        self.records.iter().map(|record| record.lba)
    }

    /// First LBA behind what a partition may have: the end of the disk, or of what 32 bits address.
    pub fn end(&self) -> Lba {
        Lba(self.device_sectors.min(super::read::LBA_LIMIT))
    }

    /// The space that no primary partition has, in ascending order. Before the first partition it may hold a boot
    /// loader, which no table mentions.
    pub fn gaps(&self) -> Vec<LbaRange> {
        let primary = self.partitions.iter().filter(|p| !p.is_logical());
        free(
            LbaRange::new(Lba(1), self.end()),
            primary.map(|p| p.range).collect(),
        )
    }

    /// The space in the extended partition that neither a logical partition nor an EBR has, in ascending order.
    pub fn logical_gaps(&self) -> Vec<LbaRange> {
        let Some(extended) = self.extended() else {
            return Vec::new();
        };
        let logical = self.partitions.iter().filter(|p| p.is_logical()).map(|p| p.range);
        free(extended.range, logical.chain(self.ebrs()).collect())
    }

    /// The places of the EBRs.
    pub(super) fn ebrs(&self) -> impl Iterator<Item = LbaRange> + '_ {
        self.records.iter().skip(1).map(|record| record.place())
    }
}

/// What is left of `whole` without `used`.
pub(super) fn free(whole: LbaRange, mut used: Vec<LbaRange>) -> Vec<LbaRange> {
    used.sort_by_key(|range| range.start);
    used.push(LbaRange::new(whole.end, whole.end));
    let mut gaps = Vec::new();
    let mut at = whole.start;
    for range in used {
        let gap = LbaRange::new(at, range.start.min(whole.end));
        if !gap.is_empty() {
            gaps.push(gap);
        }
        at = at.max(range.end);
    }
    gaps
}
