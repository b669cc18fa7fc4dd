//! Edits of a healthy table. Each works on a copy of the table's sectors; what they then say is read and checked like
//! a table from a disk, and only a table without a defect takes the old one's place.

use super::chs::ChsStyle;
use super::entry::{ENTRY_COUNT, Entry};
use super::error::{MbrEditError, MbrError};
use super::model::{Mbr, MbrPartition, MbrSlot, free};
use super::read::{Layout, Record};
use super::types;
use crate::LbaRange;
use winrefit_disk::{DiskError, Lba};

impl Mbr {
    /// Moves or resizes a partition. Number, type and active flag stay, and so do all other partitions.
    ///
    /// The extended partition keeps its start, and grows or shrinks by this call only. A logical partition stays in the
    /// free space around it. Its EBR stays in its place if that is before the new start; otherwise it moves, at the
    /// old distance from its partition if there is room, and the EBR before it in the chain names the new place.
    ///
    /// # Errors
    /// [`MbrEditError`]; then nothing has changed.
    pub fn set_range(&mut self, number: u32, range: LbaRange) -> Result<(), MbrEditError> {
        let partition = self.require(number)?.clone();
        match partition.slot {
            MbrSlot::Primary(slot) => {
                if partition.is_extended() && partition.range.start != range.start {
                    return Err(MbrEditError::ExtendedStart { number });
                }
                let mut records = self.records.clone();
                self.write_entry(&mut records, (0, usize::from(slot) - 1), (0, 0), range)?;
                self.adopt(records)
            }
            MbrSlot::Logical { ebr, .. } => {
                let window = self.window(&partition)?;
                if range.is_empty() {
                    return Err(MbrError::Empty { number }.into());
                }
                if !window.contains(&range) {
                    return Err(MbrEditError::OutsideWindow {
                        number,
                        range,
                        window,
                    });
                }
                let place = if ebr < range.start {
                    ebr
                } else {
                    let distance = partition.range.start.0 - ebr.0;
                    let place = Lba(range.start.0.saturating_sub(distance)).max(window.start);
                    if place >= range.start {
                        return Err(MbrEditError::NoRoomForEbr {
                            number,
                            range,
                            window,
                        });
                    }
                    place
                };
                self.set_logical(&partition, place, range)
            }
        }
    }

    /// Moves the EBR of a logical partition to another free sector before that partition, which stays as it is. So
    /// the way of a volume that is to grow can be cleared before anything is written there.
    ///
    /// # Errors
    /// [`MbrEditError`]; then nothing has changed.
    pub fn move_ebr(&mut self, number: u32, lba: Lba) -> Result<(), MbrEditError> {
        let partition = self.require(number)?.clone();
        let window = self.window(&partition)?;
        if lba < window.start || lba >= partition.range.start {
            return Err(MbrEditError::EbrPlace { number, lba });
        }
        self.set_logical(&partition, lba, partition.range)
    }

    /// Gives a partition another type. An extended partition keeps its own, and none becomes one.
    ///
    /// # Errors
    /// [`MbrEditError`]; then nothing has changed.
    pub fn set_type(&mut self, number: u32, type_code: u8) -> Result<(), MbrEditError> {
        let partition = self.require(number)?;
        for type_code in [type_code, partition.type_code] {
            if is_special(type_code) {
                return Err(MbrEditError::Type { number, type_code });
            }
        }
        let mut records = self.records.clone();
        let (at, slot) = self.place_of(partition)?;
        if let Some(record) = records.get_mut(at) {
            let entry = Entry::read(&record.sector, slot);
            Entry { type_code, ..entry }.write(&mut record.sector, slot, (0, 0), ChsStyle::Geometry);
        }
        self.adopt(records)
    }

    /// Adds a primary partition in an entry of choice. It is not active.
    ///
    /// # Errors
    /// [`MbrEditError`]; then nothing has changed.
    pub fn add_primary(&mut self, number: u32, type_code: u8, range: LbaRange) -> Result<(), MbrEditError> {
        let slot = self.primary_slot(number)?;
        if is_special(type_code) {
            return Err(MbrEditError::Type { number, type_code });
        }
        if self.partition(number).is_some() {
            return Err(MbrEditError::EntryInUse { number });
        }
        let mut records = self.records.clone();
        let style = self.chs_style();
        let (start, sectors) = fields(0, range)?;
        if let Some(mbr) = records.first_mut() {
            Entry::clear(&mut mbr.sector, slot);
            let entry = Entry {
                status: 0,
                type_code,
                start,
                sectors,
            };
            entry.write(&mut mbr.sector, slot, (0, 0), style);
        }
        self.adopt(records)
    }

    /// Removes a primary partition. The numbers of the others stay. An extended partition is not removed.
    ///
    /// # Errors
    /// [`MbrEditError`]; then nothing has changed.
    pub fn remove_primary(&mut self, number: u32) -> Result<(), MbrEditError> {
        let slot = self.primary_slot(number)?;
        let type_code = self.require(number)?.type_code;
        if is_special(type_code) {
            return Err(MbrEditError::Type { number, type_code });
        }
        let mut records = self.records.clone();
        if let Some(mbr) = records.first_mut() {
            Entry::clear(&mut mbr.sector, slot);
        }
        self.adopt(records)
    }

    fn require(&self, number: u32) -> Result<&MbrPartition, MbrEditError> {
        self.partition(number)
            .ok_or(MbrEditError::NoSuchPartition { number })
    }

    fn primary_slot(&self, number: u32) -> Result<usize, MbrEditError> {
        (1..=ENTRY_COUNT)
            .find(|&slot| slot == number as usize)
            .map(|slot| slot - 1)
            .ok_or(MbrEditError::NoSuchEntry { number })
    }

    /// The record and the entry in it that describe a partition.
    fn place_of(&self, partition: &MbrPartition) -> Result<(usize, usize), MbrEditError> {
        let number = partition.number;
        match partition.slot {
            MbrSlot::Primary(slot) => Ok((0, usize::from(slot) - 1)),
            MbrSlot::Logical { ebr, .. } => {
                let at = self.records.iter().position(|record| record.lba == ebr);
                let place = at.and_then(|at| Some((at, self.records.get(at)?.data?)));
                place.ok_or(MbrEditError::NoSuchPartition { number })
            }
        }
    }

    /// Where a logical partition and its EBR may lie: the free space around it once both were gone. The first EBR has
    /// its place and is not in it.
    fn window(&self, partition: &MbrPartition) -> Result<LbaRange, MbrEditError> {
        let number = partition.number;
        let missing = MbrEditError::NoSuchPartition { number };
        let (Some(extended), MbrSlot::Logical { ebr, .. }) = (self.extended(), partition.slot) else {
            return Err(missing);
        };
        let others = self
            .partitions
            .iter()
            .filter(|p| p.is_logical() && p.number != number);
        let own = |place: &LbaRange| place.start == ebr && ebr != extended.range.start;
        let used = others
            .map(|p| p.range)
            .chain(self.ebrs().filter(|place| !own(place)));
        let windows = free(extended.range, used.collect());
        windows
            .into_iter()
            .find(|window| window.contains(&partition.range))
            .ok_or(missing)
    }

    /// Puts a logical partition at `range` and its EBR at `ebr`. The chain's order stays.
    fn set_logical(
        &mut self,
        partition: &MbrPartition,
        ebr: Lba,
        range: LbaRange,
    ) -> Result<(), MbrEditError> {
        let number = partition.number;
        let (at, slot) = self.place_of(partition)?;
        let mut records = self.records.clone();
        let mut old_ebr = ebr;
        if let Some(record) = records.get_mut(at) {
            let is_first = at == 1;
            if is_first && record.lba != ebr {
                return Err(MbrEditError::EbrPlace { number, lba: ebr });
            }
            old_ebr = std::mem::replace(&mut record.lba, ebr);
        }
        self.write_entry(&mut records, (at, slot), (old_ebr.0, ebr.0), range)?;
        let link = records.get(at - 1).and_then(|record| record.link);
        if let (Some(link), Some(extended)) = (link, self.extended()) {
            // The next EBR's entry spans it and its partition.
            let span = LbaRange::new(ebr, range.end);
            let base = extended.range.start.0;
            self.write_entry(&mut records, (at - 1, link), (base, base), span)?;
        }
        self.adopt(records)
    }

    /// Gives an entry, named by its record and its place there, another range. What its start counts from may have
    /// changed.
    fn write_entry(
        &self,
        records: &mut [Record],
        (at, slot): (usize, usize),
        (old_base, base): (u64, u64),
        range: LbaRange,
    ) -> Result<(), MbrEditError> {
        let style = self.chs_style();
        let (start, sectors) = fields(base, range)?;
        if let Some(record) = records.get_mut(at) {
            let old = Entry::read(&record.sector, slot);
            let entry = Entry {
                start,
                sectors,
                ..old
            };
            entry.write(&mut record.sector, slot, (old_base, base), style);
        }
        Ok(())
    }

    /// How the table fills its CHS fields.
    fn chs_style(&self) -> ChsStyle {
        let mut fields = Vec::new();
        for partition in &self.partitions {
            let Ok((at, slot)) = self.place_of(partition) else {
                continue;
            };
            let Some(record) = self.records.get(at) else {
                continue;
            };
            let [first, last] = Entry::chs(&record.sector, slot);
            let range = partition.range;
            fields.extend([(first, range.start.0), (last, range.end.0.saturating_sub(1))]);
        }
        ChsStyle::of(&fields)
    }

    /// Takes new sectors for the table if what they say has no defect.
    fn adopt(&mut self, records: Vec<Record>) -> Result<(), MbrEditError> {
        let Some(first) = records.first() else {
            return Err(MbrEditError::NoSuchEntry { number: 0 });
        };
        let mut sector = |lba: Lba| {
            let record = records.iter().find(|record| record.lba == lba);
            record
                .map(|record| record.sector.clone())
                .ok_or(DiskError::OutOfBounds {
                    offset: lba.offset(self.sector_size).unwrap_or(u64::MAX),
                    length: self.sector_size.bytes(),
                    device_len: 0,
                })
        };
        let layout = Layout::of(first.sector.clone(), self.device_sectors, &mut sector);
        if let Some(defect) = layout.defects.into_iter().next() {
            return Err(defect.into());
        }
        self.records = layout.records;
        self.partitions = layout.partitions;
        Ok(())
    }
}

/// Types that are no plain partition's.
fn is_special(type_code: u8) -> bool {
    type_code == types::PARTITION_ENTRY_UNUSED
        || type_code == types::PARTITION_GPT
        || types::is_extended(type_code)
}

/// The fields of an entry for `range`.
fn fields(base: u64, range: LbaRange) -> Result<(u32, u32), MbrEditError> {
    let start = range
        .start
        .0
        .checked_sub(base)
        .and_then(|start| u32::try_from(start).ok());
    start
        .zip(u32::try_from(range.sectors()).ok())
        .ok_or(MbrEditError::TooLarge { range })
}
