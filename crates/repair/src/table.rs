//! The partition table of a disk, GPT or MBR, as the one thing that planning and staging need.

mod editor;
mod kind;
mod read;

pub use editor::{TableEditError, TableEditor, TableWrite};
pub use kind::{DiskId, Manager, PartitionType};
pub use read::{TableReading, read_table, sector_size};

use winrefit_disk::{Lba, SectorSize};
use winrefit_formats::gpt::{ChangeableGpt, GptMend};
use winrefit_formats::{GptCopy, GptDisagreement, LbaRange, Mbr, MbrError, MbrSlot};

/// Nothing is placed before this byte: boot loaders live there, and no table mentions them.
const FIRST_BYTE: u64 = 1 << 20;

/// The table of a disk.
#[derive(Debug)]
pub struct Table {
    /// What Windows knows the disk by.
    pub id: DiskId,
    /// Where partitions may lie.
    pub usable: LbaRange,
    /// Whether the table is as it should be. One that is not may still be one that can be changed.
    pub sound: Result<(), TableProblem>,
    /// The table as one that may be written; or why it may not.
    pub changeable: Result<Changeable, TableProblem>,
    /// The partitions that it names, in no order.
    entries: Vec<Entry>,
    /// Ranges whose ends a journal may be found by.
    journal_ranges: Vec<LbaRange>,
    sector_size: SectorSize,
}

/// A table that may be written.
#[derive(Debug, Clone)]
pub enum Changeable {
    /// GUID partition table.
    Gpt(Box<ChangeableGpt>),
    /// MBR partition table.
    Mbr(Box<Mbr>),
}

/// Why a table is not as it should be.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TableProblem {
    /// Of a GPT.
    #[error(transparent)]
    Gpt(#[from] GptDisagreement),
    /// Of an MBR.
    #[error(transparent)]
    Mbr(#[from] MbrError),
}

/// What the table says of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Number in the table.
    pub number: u32,
    /// Where it lies.
    pub range: LbaRange,
    /// What it is for.
    pub kind: PartitionType,
    /// GPT: its identity.
    pub unique_guid: Option<winrefit_formats::Guid>,
    /// GPT: attribute bits.
    pub attributes: Option<u64>,
    /// GPT: its name; empty on an MBR disk.
    pub name: String,
    /// MBR: whether BIOS boot code starts from it.
    pub is_active: bool,
    /// MBR: where the EBR of a logical partition lies.
    pub ebr: Option<Lba>,
}

/// What lies around a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surroundings {
    /// The partition and all unallocated space at either side.
    pub free: LbaRange,
    /// Sectors before the partition's start that move with it: from its EBR on. 0 for all but logical partitions.
    pub head_sectors: u64,
}

impl Table {
    /// The partitions.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The partition of that number.
    pub fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.number == number)
    }

    /// What writing the table mends besides.
    pub fn mend(&self) -> Option<&GptMend> {
        match &self.changeable {
            Ok(Changeable::Gpt(gpt)) => gpt.mend.as_ref(),
            _ => None,
        }
    }

    /// Whether the table is good in all its copies; a hybrid MBR beside it is no damage.
    pub fn is_whole(&self) -> bool {
        self.sound.is_ok() || (self.changeable.is_ok() && self.mend().is_none())
    }

    /// What a hybrid MBR names besides the protective entry.
    pub fn hybrid(&self) -> &[LbaRange] {
        match &self.changeable {
            Ok(Changeable::Gpt(gpt)) => &gpt.hybrid,
            _ => &[],
        }
    }

    /// Ranges whose ends follow from fields that no repair changes, or changes to the other one of them.
    pub fn journal_ranges(&self) -> &[LbaRange] {
        &self.journal_ranges
    }

    /// What is neither a partition's nor free: what a hybrid MBR names on its own, and the old backup of a table that
    /// has yet to move to the end of the disk. A copy that is made before a commit must not go there.
    fn taken(&self) -> Vec<LbaRange> {
        let Ok(Changeable::Gpt(gpt)) = &self.changeable else {
            return Vec::new();
        };
        let mut taken = gpt.hybrid.clone();
        if let Some(GptMend::BackupPlace { from, .. }) = gpt.mend {
            let array = gpt.gpt.backup_entries().sectors();
            taken.push(LbaRange::new(
                Lba(from.0.saturating_sub(array)),
                Lba(from.0.saturating_add(1)),
            ));
        }
        taken
    }

    /// Where unallocated space that begins at `start` ends for what is copied there.
    pub fn end_for_copies(&self, start: Lba) -> Lba {
        let taken = self.taken().into_iter().filter(|taken| taken.end > start);
        let end = taken.map(|taken| taken.start.max(start)).min();
        end.map_or(self.end_for_new(), |end| end.min(self.end_for_new()))
    }

    /// What no partition and no journal may cover, besides partitions.
    pub fn own_ranges(&self) -> Vec<LbaRange> {
        match &self.changeable {
            // A long entry array can reach into the usable range; its unused slots are zeros as free space is.
            Ok(Changeable::Gpt(gpt)) => {
                let mut ranges = vec![gpt.gpt.primary_entries(), gpt.gpt.backup_entries()];
                // The old copy of a disk that has grown stays valid until the primary names the new one.
                ranges.extend(self.taken());
                ranges
            }
            Ok(Changeable::Mbr(mbr)) => mbr.table_sectors().map(one).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// What lies around a partition. `None` if there is no such partition, or the table may not be written.
    /// The place of the partition `without` counts as unallocated.
    pub fn surroundings(&self, number: u32, without: Option<u32>) -> Option<Surroundings> {
        let entry = self.entry(number)?;
        let (limits, mut obstacles) = self.obstacles(entry)?;
        let gone = without.and_then(|number| self.entry(number));
        obstacles.retain(|range| gone.is_none_or(|gone| gone.range != *range));
        let before = obstacles.iter().filter(|o| o.start < entry.range.start);
        let behind = obstacles.iter().filter(|o| o.start >= entry.range.end);
        let start = before.map(|o| o.end).max().unwrap_or(limits.start);
        let end = behind.map(|o| o.start).min().unwrap_or(limits.end);
        let head = entry
            .ebr
            .map_or(0, |ebr| entry.range.start.0.saturating_sub(ebr.0));
        Some(Surroundings {
            free: LbaRange::new(start.max(limits.start), end.min(limits.end)),
            head_sectors: if self.is_first_ebr(entry) { 0 } else { head },
        })
    }

    /// Unallocated ranges that a partition may have, logical ones apart: whole MiB, in ascending order.
    pub fn places(&self) -> Vec<LbaRange> {
        let gaps = match &self.changeable {
            Ok(Changeable::Gpt(gpt)) => gpt.gpt.gaps(),
            Ok(Changeable::Mbr(mbr)) => mbr.gaps(),
            Err(_) => Vec::new(),
        };
        let aligned = FIRST_BYTE / self.sector_size.bytes();
        // Each gap, and what lies in it behind something that is taken.
        let taken = self.taken();
        let free = gaps.into_iter().flat_map(|gap| {
            let inside = taken.iter().map(|taken| taken.end);
            let inside = inside.filter(move |end| gap.start < *end && *end < gap.end);
            let starts: Vec<Lba> = [gap.start].into_iter().chain(inside).collect();
            starts.into_iter().map(move |start| LbaRange::new(start, gap.end))
        });
        let whole = free.map(|gap| {
            let start = gap.start.0.next_multiple_of(aligned);
            let end = gap.end.min(self.end_for_copies(gap.start));
            LbaRange::new(Lba(start), Lba(end.0 / aligned * aligned))
        });
        whole.filter(|gap| !gap.is_empty()).collect()
    }

    /// Where a partition that gets a new place ends at the latest. On an MBR disk the last MiB stays unallocated, as
    /// Windows leaves it and as the end of a GPT does: a journal finds room there.
    pub fn end_for_new(&self) -> Lba {
        match self.id {
            DiskId::Gpt(_) => self.usable.end,
            DiskId::Mbr(_) => {
                let kept = FIRST_BYTE / self.sector_size.bytes();
                Lba(self.usable.end.0.saturating_sub(kept))
            }
        }
    }

    /// How many partitions the table has room for, logical ones apart.
    pub fn slots(&self) -> u32 {
        match &self.changeable {
            Ok(Changeable::Gpt(gpt)) => gpt.gpt.entry_count(),
            _ => 4,
        }
    }

    /// Whether a number is taken, be it by an extended partition.
    pub fn is_slot_used(&self, number: u32) -> bool {
        match &self.changeable {
            Ok(Changeable::Mbr(mbr)) => mbr.partition(number).is_some(),
            _ => self.entry(number).is_some(),
        }
    }

    /// Number and place of the extended partition.
    pub fn extended(&self) -> Option<(u32, LbaRange)> {
        match &self.changeable {
            Ok(Changeable::Mbr(mbr)) => mbr.extended().map(|p| (p.number, p.range)),
            _ => None,
        }
    }

    /// The range that an entry may lie in, and what it may not cover there.
    fn obstacles(&self, entry: &Entry) -> Option<(LbaRange, Vec<LbaRange>)> {
        let first = Lba(FIRST_BYTE / self.sector_size.bytes());
        let others = self.entries.iter().filter(|other| other.number != entry.number);
        Some(match self.changeable.as_ref().ok()? {
            Changeable::Gpt(gpt) => {
                let limits = LbaRange::new(gpt.gpt.usable().start.max(first), gpt.gpt.usable().end);
                let arrays = [gpt.gpt.primary_entries(), gpt.gpt.backup_entries()];
                let hybrid = gpt.hybrid.iter().copied();
                let others = others.map(|other| other.range);
                (limits, others.chain(arrays).chain(hybrid).collect())
            }
            Changeable::Mbr(mbr) if entry.ebr.is_none() => {
                let primary = mbr.partitions().iter().filter(|p| !p.is_logical());
                let used = primary.filter(|p| p.number != entry.number).map(|p| p.range);
                let end = self.end_for_new().max(entry.range.end);
                (LbaRange::new(first, end), used.collect())
            }
            Changeable::Mbr(mbr) => {
                let used = others
                    .filter(|other| other.ebr.is_some())
                    .map(|other| other.range);
                let own = entry.ebr.filter(|_| !self.is_first_ebr(entry));
                let ebrs = mbr.table_sectors().skip(1).filter(|&lba| Some(lba) != own);
                (mbr.extended()?.range, used.chain(ebrs.map(one)).collect())
            }
        })
    }

    /// Whether the EBR of an entry is the first of the chain, which has its place.
    fn is_first_ebr(&self, entry: &Entry) -> bool {
        let Ok(Changeable::Mbr(mbr)) = &self.changeable else {
            return false;
        };
        entry.ebr.is_some() && entry.ebr == mbr.extended().map(|extended| extended.range.start)
    }
}

fn one(lba: Lba) -> LbaRange {
    LbaRange::new(lba, Lba(lba.0 + 1))
}

/// The entries of a readable copy.
fn gpt_entries(copy: &GptCopy) -> Vec<Entry> {
    let entries = copy.partitions().iter().map(|p| Entry {
        number: p.number,
        range: p.range,
        kind: PartitionType::Gpt(p.type_guid),
        unique_guid: Some(p.unique_guid),
        attributes: Some(p.attributes),
        name: p.name.to_string(),
        is_active: false,
        ebr: None,
    });
    entries.collect()
}

/// The entries but for the extended partition, which holds no volume.
fn mbr_entries(partitions: &[winrefit_formats::MbrPartition]) -> Vec<Entry> {
    let volumes = partitions.iter().filter(|p| !p.is_extended());
    let entries = volumes.map(|p| Entry {
        number: p.number,
        range: p.range,
        kind: PartitionType::Mbr(p.type_code),
        unique_guid: None,
        attributes: None,
        name: String::new(),
        is_active: p.active,
        ebr: match p.slot {
            MbrSlot::Logical { ebr, .. } => Some(ebr),
            MbrSlot::Primary(_) => None,
        },
    });
    entries.collect()
}
