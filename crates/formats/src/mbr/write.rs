//! Writing: the sectors that an edited table has changed, in an order in which each write leaves a table that names
//! no sector twice, as far as one sector at a time allows.

use super::entry::{ENTRY_COUNT, Entry};
use super::model::Mbr;
use super::read::Record;
use winrefit_disk::Lba;

/// One sector for one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MbrWrite {
    /// Where it belongs.
    pub lba: Lba,
    /// Its content, one sector.
    pub bytes: Vec<u8>,
}

/// The order of the writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// An EBR in a place where none was: nothing leads there yet.
    NewPlace,
    /// A sector that only gives up space: from the end of the chain to the MBR, so that nothing lies outside the
    /// extended partition.
    Release,
    /// All others, from the MBR to the end of the chain, for the same reason.
    Change,
}

impl Mbr {
    /// The sectors that differ from what was read, in the order in which they are to be written. Flush between them
    /// unless something else makes them one. An EBR's old place keeps its bytes.
    pub fn writes(&self) -> Vec<MbrWrite> {
        let mut writes = Vec::new();
        for (at, record) in (0i64..).zip(&self.records) {
            let (turn, order) = match self.read.get(&record.lba) {
                Some(read) if *read == record.sector => continue,
                Some(read) if releases(read, record) => (Turn::Release, -at),
                Some(_) => (Turn::Change, at),
                None => (Turn::NewPlace, -at),
            };
            let write = MbrWrite {
                lba: record.lba,
                bytes: record.sector.clone(),
            };
            writes.push((turn, order, write));
        }
        writes.sort_by_key(|(turn, order, _)| (*turn, *order));
        writes.into_iter().map(|(_, _, write)| write).collect()
    }
}

/// Whether each entry of the sector is the old one, a smaller part of it, or gone.
fn releases(read: &[u8], record: &Record) -> bool {
    (0..ENTRY_COUNT).all(|slot| {
        let (old, new) = (Entry::read(read, slot), Entry::read(&record.sector, slot));
        let end = |entry: &Entry| u64::from(entry.start) + u64::from(entry.sectors);
        let is_part = old.start <= new.start && end(&new) <= end(&old);
        new.type_code == 0 || (new.type_code == old.type_code && is_part)
    })
}
