//! Boot stores: an MBR disk may have one on each partition.

use crate::common::disks::{Kind, Part, Style, disk, logical};
use crate::measure::alone;
use winrefit_disk::{ByteRange, MemoryDevice, SectorSize, Window};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_repair::boot::BootStore;
use winrefit_repair::observe::{Depth, observe};

/// Stores that are read.
const READ: usize = 16;
const DISK_MIB: u64 = 84;

/// Makes a volume of a part, with a file in the place of a boot store or without.
fn write(disk: &mut MemoryDevice, part: &Part, has_store: bool) {
    let options = FormatOptions {
        hidden_sectors: part.start,
        ..FormatOptions::new(part.end - part.start)
    };
    let mut volume = VolumeBuilder::new(options).unwrap();
    if has_store {
        let content = FileData::Bytes(vec![1; 900]);
        volume.add_file(r"Boot\BCD", 0, content).unwrap();
    }
    let range = ByteRange::new(part.start * 512, part.end * 512);
    volume.write_to(&mut Window::new(disk, range).unwrap()).unwrap();
}

fn is_one_too_many(store: &BootStore) -> bool {
    let problem = store.content.as_ref().unwrap_err().to_string();
    problem.contains("more boot stores than 16")
}

/// What follows the last store that is read is told of if it is there, and is no store otherwise.
#[test]
fn as_many_boot_stores_as_are_read_are_not_one_too_many() {
    let _alone = alone();
    // 2 MiB would be too few for a volume with its $LogFile.
    let parts: Vec<Part> = (0..READ as u64 + 2)
        .map(|at| logical(Kind::Data, (3 + 4 * at, 6 + 4 * at), 2048))
        .collect();
    let mut layout = disk(Style::Mbr, DISK_MIB, &parts);
    (layout.extended, layout.extended_after) = (Some((2 * 2048, 80 * 2048)), 0);
    let mut device = MemoryDevice::zeroed((DISK_MIB << 20) as usize, SectorSize::B512);
    layout.write_table(&mut device);
    for (at, part) in parts.iter().enumerate() {
        write(&mut device, part, at < READ);
    }
    let numbers = layout.numbers();
    let seen = |device: &MemoryDevice| {
        let stores = observe(device, None, Depth::Quick).unwrap().boot_stores;
        let partitions: Vec<u32> = stores.iter().map(|store| store.partition).collect();
        assert_eq!(partitions[..READ], numbers[..READ]);
        assert!(!stores[..READ].iter().any(is_one_too_many), "{stores:?}");
        stores
    };
    assert_eq!(seen(&device).len(), READ);

    // One without a store lies before it: whoever stops there does not see it.
    write(&mut device, &parts[READ + 1], true);
    let stores = seen(&device);
    assert_eq!(stores.len(), READ + 1);
    assert_eq!(stores[READ].partition, numbers[READ + 1]);
    assert!(is_one_too_many(&stores[READ]), "{stores:?}");
}
