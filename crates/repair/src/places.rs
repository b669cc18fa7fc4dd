//! Where the journal may lie: docs/adr/0002-journal.md. Both places follow from fields of the partition table that no
//! repair changes, so every later command finds them again, whichever copy of the table it can read.

use winrefit_disk::journal::JournalPlace;
use winrefit_disk::{ByteRange, SectorSize};
use winrefit_formats::LbaRange;

/// The place at the end begins this far before the end of the usable range. A disk whose last partition ends on a
/// 1 MiB boundary leaves more than this free there.
const END_PLACE_BYTES: u64 = 960 << 10;
/// Longest place at the start. Windows leaves 1 MiB before its first partition.
const START_PLACE_BYTES_MAX: u64 = 64 << 20;

/// The places to look for a journal in, whatever partitions there are now.
pub fn places(usable: LbaRange, sector_size: SectorSize) -> [JournalPlace; 2] {
    let range = usable.bytes(sector_size);
    let start = ByteRange::new(
        range.start,
        range.start.saturating_add(START_PLACE_BYTES_MAX).min(range.end),
    );
    let end = ByteRange::new(
        range.end.saturating_sub(END_PLACE_BYTES).max(range.start),
        range.end,
    );
    [JournalPlace { range: start }, JournalPlace { range: end }]
}

/// The places of [`places`] cut down to what none of `used` covers. A place whose first sector is used is gone.
pub fn free_places(usable: LbaRange, sector_size: SectorSize, used: &[ByteRange]) -> Vec<JournalPlace> {
    let mut free: Vec<JournalPlace> = Vec::new();
    for place in places(usable, sector_size) {
        let start = place.range.start;
        let end = used
            .iter()
            .filter(|u| u.end > start)
            .map(|u| u.start)
            .min()
            .unwrap_or(u64::MAX);
        let range = ByteRange::new(start, place.range.end.min(end));
        if range.len() > sector_size.bytes() && free.iter().all(|other| !other.range.overlaps(&range)) {
            free.push(JournalPlace { range });
        }
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;
    use winrefit_disk::Lba;

    fn usable() -> LbaRange {
        LbaRange::new(Lba(34), Lba((64 << 21) - 33))
    }

    #[test]
    fn a_disk_as_windows_lays_it_out_has_both_places() {
        let used = [
            ByteRange::new(1 << 20, 1000 << 20),
            ByteRange::new(1000 << 20, (64 << 30) - (1 << 20)),
        ];
        let free = free_places(usable(), SectorSize::B512, &used);
        assert_eq!(free[0].range, ByteRange::new(34 * 512, 1 << 20));
        assert_eq!(free[1].range.end, usable().end.0 * 512);
        assert_eq!(free[1].range.len(), END_PLACE_BYTES);
        for (place, free) in places(usable(), SectorSize::B512).iter().zip(&free) {
            assert_eq!(place.range.start, free.range.start);
        }
    }

    #[test]
    fn a_place_that_a_partition_begins_in_is_gone() {
        let used = [ByteRange::new(34 * 512, 64 << 30)];
        assert!(free_places(usable(), SectorSize::B512, &used).is_empty());
        let used = [ByteRange::new(40 * 512, 63 << 30)];
        let free = free_places(usable(), SectorSize::B512, &used);
        assert_eq!(free[0].range, ByteRange::new(34 * 512, 40 * 512));
        assert_eq!(free.len(), 2);
    }
}
