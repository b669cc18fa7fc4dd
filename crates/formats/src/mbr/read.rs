//! Reading: the MBR, the chain of EBRs, and every rule that a table must keep.
//!
//! Bounds: the chain has at most 256 EBRs, each within the extended partition and each visited once.

use super::entry::{ACTIVE, ENTRY_COUNT, Entry, is_signed};
use super::error::{MbrError, MbrReadError};
use super::model::{DISK_SIGNATURE_OFFSET, Mbr, MbrPartition, MbrSlot};
use super::types;
use crate::LbaRange;
use crate::bytes::u32_at;
use winrefit_disk::{DiskError, Lba, ReadAt, SectorSize};

const EBR_COUNT_MAX: usize = 256;
/// First LBA that fields of 32 bits do not reach.
pub(super) const LBA_LIMIT: u64 = 1 << 32;
const FIRST_LOGICAL_NUMBER: u32 = 5;

/// What is on the disk, good or bad.
#[derive(Debug, Clone)]
pub struct MbrReading {
    /// The partitions that the table names, as far as it can be followed.
    pub partitions: Vec<MbrPartition>,
    /// What is wrong with the table; nothing, if it may be changed.
    pub defects: Vec<MbrError>,
    /// Size of a logical sector.
    pub sector_size: SectorSize,
    /// Length of the device in whole sectors.
    pub device_sectors: u64,
    records: Vec<Record>,
}

/// A sector of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub lba: Lba,
    pub sector: Vec<u8>,
    /// In an EBR: the entries, from 0, that describe the logical partition and the next EBR.
    pub data: Option<usize>,
    pub link: Option<usize>,
}

impl Record {
    pub fn place(&self) -> LbaRange {
        LbaRange::new(self.lba, Lba(self.lba.0.saturating_add(1)))
    }
}

/// What the sectors of a table say.
pub(super) struct Layout {
    pub records: Vec<Record>,
    pub partitions: Vec<MbrPartition>,
    pub defects: Vec<MbrError>,
}

/// Reads the partition table. Its defects are part of the value, not an error.
///
/// # Errors
/// [`MbrReadError`] if LBA 0 cannot be read or holds no table.
///
/// # Examples
/// ```
/// use winrefit_disk::{MemoryDevice, SectorSize};
/// use winrefit_formats::mbr::{MbrReadError, read_mbr};
///
/// let blank = MemoryDevice::zeroed(1 << 20, SectorSize::B512);
/// assert!(matches!(read_mbr(&blank, SectorSize::B512), Err(MbrReadError::NoPartitionTable)));
/// ```
pub fn read_mbr(disk: &dyn ReadAt, sector_size: SectorSize) -> Result<MbrReading, MbrReadError> {
    let device_sectors = disk.size() / sector_size.bytes();
    let sector = |lba: Lba| -> Result<Vec<u8>, DiskError> {
        let offset = lba.offset(sector_size).unwrap_or(u64::MAX);
        disk.read_vec(offset, sector_size.bytes() as usize)
    };
    if device_sectors == 0 {
        return Err(MbrReadError::NoPartitionTable);
    }
    let first = sector(Lba(0))?;
    if !is_signed(&first) {
        return Err(MbrReadError::NoPartitionTable);
    }
    if is_boot_sector(&first) {
        return Err(MbrReadError::BootSector);
    }
    let layout = Layout::of(first, device_sectors, &mut |lba| sector(lba));
    Ok(MbrReading {
        partitions: layout.partitions,
        defects: layout.defects,
        sector_size,
        device_sectors,
        records: layout.records,
    })
}

impl MbrReading {
    /// The table, if it may be changed.
    ///
    /// # Errors
    /// The first of its defects.
    pub fn usable(&self) -> Result<Mbr, MbrError> {
        if let Some(defect) = self.defects.first() {
            return Err(defect.clone());
        }
        let layout = Layout {
            records: self.records.clone(),
            partitions: self.partitions.clone(),
            defects: Vec::new(),
        };
        Ok(Mbr::new(self.sector_size, self.device_sectors, layout))
    }

    /// What Windows knows the disk by; 0 for none.
    pub fn disk_signature(&self) -> u32 {
        let sector = self.records.first().map(|record| record.sector.as_slice());
        u32_at(sector.unwrap_or_default(), DISK_SIGNATURE_OFFSET).unwrap_or(0)
    }

    /// Whether the table only says that the disk has a GPT: one entry, of type 0xEE.
    pub fn is_protective(&self) -> bool {
        self.partitions.len() == 1 && self.has_type(types::PARTITION_GPT)
    }

    /// Whether the table stands beside a GPT and names partitions of its own.
    pub fn is_hybrid(&self) -> bool {
        self.partitions.len() > 1 && self.has_type(types::PARTITION_GPT)
    }

    /// Whether the disk is a dynamic one, whose volumes this table does not tell.
    pub fn is_dynamic(&self) -> bool {
        self.has_type(types::PARTITION_LDM)
    }

    fn has_type(&self, type_code: u8) -> bool {
        self.partitions.iter().any(|p| p.type_code == type_code)
    }
}

/// Whether a signed first sector is that of a volume. Code or text then stands where a table has status bytes; where it
/// is all zeros, the name of the file system decides.
fn is_boot_sector(sector: &[u8]) -> bool {
    let entries = (0..ENTRY_COUNT).map(|slot| Entry::read(sector, slot));
    if entries
        .clone()
        .any(|entry| entry.status & !ACTIVE != 0 && entry.type_code == 0)
    {
        return true;
    }
    if entries
        .clone()
        .filter(|entry| entry.status & !ACTIVE != 0)
        .count()
        > 1
    {
        return true;
    }
    let is_at = |at: usize, name: &[u8]| sector.get(at..at + name.len()) == Some(name);
    let named = [
        (3, &b"NTFS    "[..]),
        (3, b"EXFAT   "),
        (3, b"-FVE-FS-"),
        (3, b"ReFS"),
        (54, b"FAT"),
        (82, b"FAT32"),
    ];
    let is_empty = entries.into_iter().all(|entry| entry.type_code == 0);
    is_empty && named.iter().any(|(at, name)| is_at(*at, name))
}

impl Layout {
    /// Follows the table whose MBR is `first`; `sector` gives the others.
    pub fn of(
        first: Vec<u8>,
        device_sectors: u64,
        sector: &mut dyn FnMut(Lba) -> Result<Vec<u8>, DiskError>,
    ) -> Self {
        let mut layout = Self {
            records: Vec::new(),
            partitions: Vec::new(),
            defects: Vec::new(),
        };
        layout.primary(&first);
        layout.records.push(Record {
            lba: Lba(0),
            sector: first,
            data: None,
            link: None,
        });
        let mut extended = layout.partitions.iter().filter(|p| p.is_extended());
        let container = extended.next().map(|p| (p.number, p.range));
        let second = extended.next().map(|p| p.number);
        if let Some((first, range)) = container {
            if let Some(second) = second {
                layout.defects.push(MbrError::SecondExtended { first, second });
            }
            if let Err(defect) = layout.chain(range, device_sectors, sector) {
                layout.defects.push(defect);
            }
            layout.check_logical(range);
        }
        layout.check(device_sectors.min(LBA_LIMIT));
        layout
    }

    fn primary(&mut self, sector: &[u8]) {
        for slot in 0..ENTRY_COUNT {
            let entry = Entry::read(sector, slot);
            let number = slot as u32 + 1;
            if entry.type_code == 0 {
                continue;
            }
            if entry.status & !ACTIVE != 0 {
                let status = entry.status;
                self.defects.push(MbrError::Status { number, status });
            }
            if entry.type_code == types::PARTITION_GPT {
                self.defects.push(MbrError::Gpt);
            }
            self.partitions.push(MbrPartition {
                number,
                slot: MbrSlot::Primary(slot as u8 + 1),
                type_code: entry.type_code,
                active: entry.status == ACTIVE,
                range: range(0, &entry),
            });
        }
    }

    /// Follows the EBRs of the extended partition at `extended`.
    fn chain(
        &mut self,
        extended: LbaRange,
        device_sectors: u64,
        sector: &mut dyn FnMut(Lba) -> Result<Vec<u8>, DiskError>,
    ) -> Result<(), MbrError> {
        let mut next = (!extended.is_empty()).then_some(extended.start);
        while let Some(lba) = next {
            if self.records.len() > EBR_COUNT_MAX {
                let limit = EBR_COUNT_MAX;
                return Err(MbrError::TooManyEbrs { limit });
            }
            if lba < extended.start || lba >= extended.end || lba.0 >= device_sectors {
                return Err(MbrError::EbrOutside { lba: lba.0, extended });
            }
            if self.records.iter().any(|record| record.lba == lba) {
                return Err(MbrError::EbrLoop { lba });
            }
            let sector = sector(lba).map_err(|source| MbrError::Unreadable { lba, source })?;
            if !is_signed(&sector) {
                return Err(MbrError::EbrSignature { lba });
            }
            next = self.ebr(lba, sector, extended)?;
        }
        Ok(())
    }

    /// Takes one EBR in; gives the place of the next.
    fn ebr(&mut self, lba: Lba, sector: Vec<u8>, extended: LbaRange) -> Result<Option<Lba>, MbrError> {
        let entry = |slot| Entry::read(&sector, slot);
        let used = |slot: &usize| entry(*slot).type_code != 0 && entry(*slot).sectors != 0;
        let is_link = |slot: &usize| types::is_extended(entry(*slot).type_code);
        let (links, data): (Vec<usize>, Vec<usize>) = (0..ENTRY_COUNT).filter(used).partition(is_link);
        if links.len() > 1 || data.len() > 1 {
            return Err(MbrError::EbrEntries { lba });
        }
        let (data, link) = (data.first().copied(), links.first().copied());
        if let Some(slot) = data {
            let entry = entry(slot);
            let index = self.partitions.iter().filter(|p| p.is_logical()).count() as u32 + 1;
            self.partitions.push(MbrPartition {
                number: FIRST_LOGICAL_NUMBER - 1 + index,
                slot: MbrSlot::Logical { index, ebr: lba },
                type_code: entry.type_code,
                active: entry.status == ACTIVE,
                range: range(lba.0, &entry),
            });
        }
        let next = link.map(|slot| Lba(extended.start.0 + u64::from(entry(slot).start)));
        self.records.push(Record {
            lba,
            sector,
            data,
            link,
        });
        Ok(next)
    }

    /// The rules for logical partitions.
    fn check_logical(&mut self, extended: LbaRange) {
        for partition in self.partitions.iter().filter(|p| p.is_logical()) {
            let (number, range) = (partition.number, partition.range);
            if !extended.contains(&range) {
                self.defects.push(MbrError::LogicalOutside {
                    number,
                    range,
                    extended,
                });
            }
            let covered = self
                .records
                .iter()
                .skip(1)
                .find(|record| record.place().overlaps(&range));
            if let Some(record) = covered {
                let lba = record.lba;
                self.defects.push(MbrError::CoversEbr { number, lba });
            }
        }
    }

    /// The rules for all partitions.
    fn check(&mut self, end: u64) {
        for (at, partition) in self.partitions.iter().enumerate() {
            let (number, range) = (partition.number, partition.range);
            if range.is_empty() {
                self.defects.push(MbrError::Empty { number });
            }
            if range.start == Lba(0) {
                self.defects.push(MbrError::CoversTable { number });
            }
            if range.end.0 > end {
                self.defects.push(MbrError::OutOfBounds { number, range, end });
            }
            let rest = self.partitions.iter().skip(at + 1);
            // A logical partition shares its sectors with the extended one.
            let mut rivals = rest.filter(|other| other.is_logical() == partition.is_logical());
            if let Some(other) = rivals.find(|other| other.range.overlaps(&range)) {
                let (first, second) = (number, other.number);
                self.defects.push(MbrError::Overlap { first, second });
            }
        }
    }
}

/// The range of an entry whose start counts from `base`.
fn range(base: u64, entry: &Entry) -> LbaRange {
    // Three values of 33 bits at most.
    let start = base + u64::from(entry.start);
    LbaRange::new(Lba(start), Lba(start + u64::from(entry.sectors)))
}
