//! Boot stores: an MBR disk may have one on each partition.

use crate::common::disks::{Kind, Part, Style, disk, logical};
use crate::measure::alone;
use winrefit_disk::{ByteRange, MemoryDevice, SectorSize, Window};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_repair::boot::BootStore;
use winrefit_repair::observe::{Depth, observe};

/// What follows the last store that is read is told of if it is there, and is no store otherwise.
#[test]
fn as_many_boot_stores_as_are_read_are_not_one_too_many() {
    const READ: usize = 16;
    let _alone = alone();
    let parts: Vec<Part> = (0..READ as u64 + 2)
        .map(|at| logical(Kind::Data, (3 + 3 * at, 5 + 3 * at), 2048))
        .collect();
    let mut layout = disk(Style::Mbr, 64, &parts);
    (layout.extended, layout.extended_after) = (Some((2 * 2048, 62 * 2048)), 0);
    for (stores, is_one_more) in [(READ, false), (READ + 1, true)] {
        let mut device = MemoryDevice::zeroed(64 << 20, SectorSize::B512);
        layout.write_table(&mut device);
        for (at, part) in parts.iter().enumerate() {
            let options = FormatOptions {
                hidden_sectors: part.start,
                ..FormatOptions::new(part.end - part.start)
            };
            let mut volume = VolumeBuilder::new(options).unwrap();
            // The one without a store lies before the last one: whoever stops there does not see that.
            if at < READ || at == READ + 1 && stores > READ {
                volume
                    .add_file(r"Boot\BCD", 0, FileData::Bytes(vec![1; 900]))
                    .unwrap();
            }
            let range = ByteRange::new(part.start * 512, part.end * 512);
            volume
                .write_to(&mut Window::new(&mut device, range).unwrap())
                .unwrap();
        }
        let found = observe(&device, None, Depth::Quick).unwrap().boot_stores;
        let too_many = |store: &BootStore| {
            let problem = store.content.as_ref().err().map(|problem| problem.to_string());
            problem.is_some_and(|problem| problem.contains("more boot stores than 16"))
        };
        assert_eq!(found.len(), stores, "{found:?}");
        assert_eq!(found.iter().any(too_many), is_one_more, "{found:?}");
    }
}
