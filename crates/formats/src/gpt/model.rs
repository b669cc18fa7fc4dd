//! A healthy partition table as a value, and the edits that keep it healthy.
//!
//! Invariants: partitions are sorted by slot number, lie inside the usable range, do not overlap, and no two have one
//! unique GUID. Slots are never compacted: Windows' device paths count them. Every byte that was read and is not
//! understood (reserved parts of headers and entries, unused slots) is kept and written back.

use super::error::GptEditError;
use crate::Guid;
use std::fmt;
use winrefit_disk::{ByteRange, Lba, SectorSize};

/// Length of a partition's name field in UTF-16 units.
pub const NAME_UNITS: usize = 36;

/// A half-open range of sectors: `start` belongs to it, `end` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LbaRange {
    /// First sector.
    pub start: Lba,
    /// First sector behind the range.
    pub end: Lba,
}

impl LbaRange {
    /// The range from `start` up to, not including, `end`. An `end` before `start` makes an empty range.
    pub fn new(start: Lba, end: Lba) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }

    /// Number of sectors.
    pub fn sectors(&self) -> u64 {
        self.end.0 - self.start.0
    }

    /// Whether the range has no sector.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether both ranges share at least one sector.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether `other` lies wholly inside this range.
    pub fn contains(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The same range in bytes. Ends saturate at 2^64; a range on a device never gets there.
    pub fn bytes(&self, sector_size: SectorSize) -> ByteRange {
        let offset = |lba: Lba| lba.offset(sector_size).unwrap_or(u64::MAX);
        ByteRange::new(offset(self.start), offset(self.end))
    }
}

impl fmt::Display for LbaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LBA {}..{}", self.start, self.end)
    }
}

/// A partition's name field: all of its 36 UTF-16 units, whatever they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartitionName([u16; NAME_UNITS]);

impl PartitionName {
    /// The field with these units.
    pub const fn from_units(units: [u16; NAME_UNITS]) -> Self {
        Self(units)
    }

    /// The field that holds `name`, zero padded.
    ///
    /// # Errors
    /// [`GptEditError::NameTooLong`] for more than 36 UTF-16 units.
    pub fn new(name: &str) -> Result<Self, GptEditError> {
        let mut units = [0; NAME_UNITS];
        let mut length = 0;
        for unit in name.encode_utf16() {
            if let Some(slot) = units.get_mut(length) {
                *slot = unit;
            }
            length += 1;
        }
        if length > NAME_UNITS {
            return Err(GptEditError::NameTooLong { units: length });
        }
        Ok(Self(units))
    }

    /// All units of the field.
    pub fn units(&self) -> &[u16; NAME_UNITS] {
        &self.0
    }
}

/// The name up to its first zero unit; a lone surrogate shows as U+FFFD.
impl fmt::Display for PartitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.0.iter().copied().take_while(|&unit| unit != 0);
        char::decode_utf16(units)
            .try_for_each(|c| fmt::Write::write_char(f, c.unwrap_or(char::REPLACEMENT_CHARACTER)))
    }
}

impl fmt::Debug for PartitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// One used entry of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Slot in the entry array plus one; what Windows and `sgdisk` call the partition's number.
    pub number: u32,
    /// What the partition is for; see [`super::types`].
    pub type_guid: Guid,
    /// Identity of this very partition. Boot stores refer to it.
    pub unique_guid: Guid,
    /// Where it lies.
    pub range: LbaRange,
    /// Attribute bits; see [`super::types`].
    pub attributes: u64,
    /// The name field.
    pub name: PartitionName,
}

impl Partition {
    /// First sector.
    pub fn start(&self) -> Lba {
        self.range.start
    }

    /// Number of sectors, at least 1.
    pub fn sectors(&self) -> u64 {
        self.range.sectors()
    }
}

/// The bytes of one copy as they were read (or will be written anew): what is not understood is taken from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CopyBytes {
    /// The header's whole sector.
    pub header: Vec<u8>,
    /// Place of the header.
    pub header_lba: Lba,
    /// The entry array, filled up to whole sectors.
    pub entries: Vec<u8>,
    /// Place of the entry array.
    pub entries_lba: Lba,
}

/// A healthy partition table: both copies good and equal when read, or made by [`Gpt::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpt {
    pub(super) sector_size: SectorSize,
    pub(super) device_sectors: u64,
    pub(super) disk_guid: Guid,
    pub(super) usable: LbaRange,
    pub(super) entry_size: u32,
    pub(super) entry_count: u32,
    pub(super) partitions: Vec<Partition>,
    pub(super) primary: CopyBytes,
    pub(super) backup: CopyBytes,
}

impl Gpt {
    /// Size of a logical sector.
    pub fn sector_size(&self) -> SectorSize {
        self.sector_size
    }

    /// Length of the device in sectors.
    pub fn device_sectors(&self) -> u64 {
        self.device_sectors
    }

    /// Identity of the disk.
    pub fn disk_guid(&self) -> Guid {
        self.disk_guid
    }

    /// Where partitions may lie.
    pub fn usable(&self) -> LbaRange {
        self.usable
    }

    /// Number of slots.
    pub fn entry_count(&self) -> u32 {
        self.entry_count
    }

    /// Size of an entry in bytes.
    pub fn entry_size(&self) -> u32 {
        self.entry_size
    }

    /// Where the primary copy's entries lie, in whole sectors.
    pub fn primary_entries(&self) -> LbaRange {
        self.array(&self.primary)
    }

    /// Where the backup copy's entries lie, in whole sectors.
    pub fn backup_entries(&self) -> LbaRange {
        self.array(&self.backup)
    }

    /// The used slots in the order of their numbers.
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// The partition of that number.
    pub fn partition(&self, number: u32) -> Option<&Partition> {
        self.partitions.iter().find(|p| p.number == number)
    }

    /// The unallocated parts of the usable range, in ascending order.
    pub fn gaps(&self) -> Vec<LbaRange> {
        let mut used: Vec<LbaRange> = self.partitions.iter().map(|p| p.range).collect();
        used.extend([self.primary_entries(), self.backup_entries()]);
        used.sort_by_key(|range| range.start);
        let mut gaps = Vec::new();
        let mut at = self.usable.start;
        for range in used {
            let gap = LbaRange::new(at, range.start.min(self.usable.end));
            if !gap.is_empty() {
                gaps.push(gap);
            }
            at = at.max(range.end);
        }
        let last = LbaRange::new(at, self.usable.end);
        if !last.is_empty() {
            gaps.push(last);
        }
        gaps
    }

    /// Moves or resizes a partition. Number, type, GUID, attributes and name stay.
    ///
    /// # Errors
    /// [`GptEditError`] if there is no such partition or the range is not free for it; then nothing has changed.
    pub fn set_range(&mut self, number: u32, range: LbaRange) -> Result<(), GptEditError> {
        self.check_free(range, Some(number))?;
        let partition = self.partitions.iter_mut().find(|p| p.number == number);
        partition.ok_or(GptEditError::NoSuchPartition { number })?.range = range;
        Ok(())
    }

    /// Adds a partition in a slot of choice.
    ///
    /// # Errors
    /// [`GptEditError`] if the slot, the GUIDs or the range cannot be used; then nothing has changed.
    pub fn add(&mut self, partition: Partition) -> Result<(), GptEditError> {
        let number = partition.number;
        if number == 0 || number > self.entry_count {
            let slots = self.entry_count;
            return Err(GptEditError::NoSuchSlot { number, slots });
        }
        if self.partition(number).is_some() {
            return Err(GptEditError::SlotInUse { number });
        }
        if partition.type_guid.is_zero() {
            let guid = partition.type_guid;
            return Err(GptEditError::UnusableGuid { number, guid });
        }
        let guid = partition.unique_guid;
        if self.partitions.iter().any(|p| p.unique_guid == guid) {
            return Err(GptEditError::UnusableGuid { number, guid });
        }
        self.check_free(partition.range, None)?;
        let at = self.partitions.partition_point(|p| p.number < number);
        self.partitions.insert(at, partition);
        Ok(())
    }

    /// Removes a partition. Its slot becomes unused; the others keep theirs.
    ///
    /// # Errors
    /// [`GptEditError::NoSuchPartition`].
    pub fn remove(&mut self, number: u32) -> Result<(), GptEditError> {
        let missing = GptEditError::NoSuchPartition { number };
        let at = self.partitions.iter().position(|p| p.number == number);
        self.partitions.remove(at.ok_or(missing)?);
        // What a table does not understand is taken from these bytes: an unused slot is zeros.
        let size = self.entry_size as usize;
        let start = (number as usize - 1) * size;
        for copy in [&mut self.primary, &mut self.backup] {
            if let Some(slot) = copy.entries.get_mut(start..start + size) {
                slot.fill(0);
            }
        }
        Ok(())
    }

    /// Whether `range` may belong to the partition `number`, or to a new one.
    fn check_free(&self, range: LbaRange, number: Option<u32>) -> Result<(), GptEditError> {
        if range.is_empty() || !self.usable.contains(&range) {
            let usable = self.usable;
            return Err(GptEditError::OutsideUsable { range, usable });
        }
        let mut others = self.partitions.iter().filter(|p| Some(p.number) != number);
        if let Some(other) = others.find(|p| p.range.overlaps(&range)) {
            let other = other.number;
            return Err(GptEditError::Overlap { range, other });
        }
        for array in [self.primary_entries(), self.backup_entries()] {
            if array.overlaps(&range) {
                return Err(GptEditError::CoversEntries { range, array });
            }
        }
        Ok(())
    }

    fn array(&self, copy: &CopyBytes) -> LbaRange {
        let sectors = (copy.entries.len() as u64).div_ceil(self.sector_size.bytes());
        LbaRange::new(copy.entries_lba, Lba(copy.entries_lba.0.saturating_add(sectors)))
    }
}
