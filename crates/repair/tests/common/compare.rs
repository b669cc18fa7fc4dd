//! What has to be the same on two disks.

use winrefit_disk::{ByteRange, ReadAt, ReadWindow, SectorSize};
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::{Lcn, Volume};
use winrefit_repair::table::{Changeable, TableReading, read_table};

/// The table of a disk.
pub fn table(disk: &dyn ReadAt) -> TableReading {
    read_table(disk, None).unwrap()
}

/// What is in use on a disk: the table, all of what is no NTFS volume, and of a volume what its bitmap says and the
/// sector behind it.
pub fn in_use(disk: &dyn ReadAt) -> Vec<ByteRange> {
    let TableReading { table, sector_size } = table(disk);
    let size = sector_size.bytes();
    let mut used = table_ranges(disk, &table.changeable.as_ref().ok().cloned(), sector_size);
    for entry in table.entries() {
        let range = entry.range.bytes(sector_size);
        let volume = Volume::open(ReadWindow::new(disk, range).unwrap());
        let Ok(volume) = volume else {
            used.push(range);
            continue;
        };
        let geometry = volume.geometry();
        let end = Lcn(geometry.clusters());
        let mut at = 0;
        for free in ClusterBitmap::read(&volume).unwrap().free_runs(end) {
            let lcn = free.lcn.unwrap().0;
            used.push(ByteRange::new(
                range.start + geometry.offset_of(Lcn(at)),
                range.start + geometry.offset_of(Lcn(lcn)),
            ));
            at = lcn + free.clusters;
        }
        used.push(ByteRange::new(
            range.start + geometry.offset_of(Lcn(at)),
            range.start + geometry.offset_of(end),
        ));
        used.push(ByteRange::new(range.end - size, range.end));
    }
    used.retain(|range| range.start < range.end);
    used
}

fn table_ranges(disk: &dyn ReadAt, table: &Option<Changeable>, size: SectorSize) -> Vec<ByteRange> {
    let sector = |lba: u64| ByteRange::new(lba * size.bytes(), (lba + 1) * size.bytes());
    match table {
        Some(Changeable::Mbr(mbr)) => mbr.table_sectors().map(|lba| sector(lba.0)).collect(),
        // The entries have 16 KiB at either end.
        _ => {
            let length = 16_384 + size.bytes();
            vec![
                ByteRange::new(0, length + size.bytes()),
                ByteRange::new(disk.size() - length, disk.size()),
            ]
        }
    }
}

/// The first byte of what is in use on `old` that `new` has otherwise.
pub fn first_lost(old: &dyn ReadAt, new: &dyn ReadAt) -> Option<u64> {
    in_use(old)
        .into_iter()
        .find_map(|range| difference(old, new, range))
}

/// The first byte of a range in which two disks differ.
pub fn difference(old: &dyn ReadAt, new: &dyn ReadAt, range: ByteRange) -> Option<u64> {
    let mut at = range.start;
    while at < range.end {
        let length = (1 << 20).min(range.end - at) as usize;
        let (a, b) = (
            old.read_vec(at, length).unwrap(),
            new.read_vec(at, length).unwrap(),
        );
        if a != b {
            let position = a.iter().zip(&b).position(|(a, b)| a != b);
            return Some(at + position.unwrap() as u64);
        }
        at += length as u64;
    }
    None
}
