//! Partition tables and FAT volumes: valid ones, changed, checksums set right.

use super::bases;
use super::input::Input;
use super::structures::{Kind, Structure, mutate, raw};
use crate::common;
use crate::common::disks::{Disk, Kind as Part, Style, disk, logical, part};
use std::sync::OnceLock;
use winrefit_disk::{ByteRange, Device, Lba, MemoryDevice, Overlay, ReadAt, ReadWindow, SectorSize};
use winrefit_formats::gpt::Gpt;
use winrefit_formats::{FatVolume, LbaRange, MbrReading, detect_sector_size, read_gpt, read_mbr};

/// The ends of a disk with a table, and what of it may change.
struct Base {
    disk: MemoryDevice,
    structures: Vec<Structure>,
}

/// Where a table may be changed.
pub fn structures(disk: &MemoryDevice) -> Vec<Structure> {
    let sector_size = Device::sector_size(disk);
    let size = sector_size.bytes();
    let mbr = Structure {
        kind: Kind::TableSector,
        ..raw(0, 512)
    };
    let mut found = vec![mbr];
    if read_gpt(disk, sector_size).is_ok() {
        let last = disk.size() - size;
        let header = |at: u64, entries: u64| Structure {
            kind: Kind::GptHeader { entries },
            ..raw(at, size)
        };
        let backup = last - 16_384;
        let array = |at: u64| Structure {
            kind: Kind::GptEntries,
            ..raw(at, 1024)
        };
        // What is changed in the first array is changed in the second one, too.
        let both = Structure {
            copy: Some(backup),
            ..array(2 * size)
        };
        found.extend([both, array(backup), header(size, 2 * size), header(last, backup)]);
    } else if let Ok(reading) = read_mbr(disk, sector_size) {
        for lba in reading.usable().expect("a sound table").table_sectors() {
            found.push(Structure {
                kind: Kind::TableSector,
                ..raw(lba.0 * size, 512)
            });
        }
    }
    found
}

fn empty(kind: Part, mib: (u64, u64)) -> common::disks::Part {
    common::disks::Part {
        fill: 16,
        ..part(kind, mib)
    }
}

fn gpt_disk() -> Disk {
    let parts = [
        part(Part::System, (1, 2)),
        part(Part::Reserved, (2, 3)),
        empty(Part::Windows, (3, 8)),
        empty(Part::Recovery, (8, 13)),
    ];
    disk(Style::Gpt, 14, &parts)
}

fn mbr_disk() -> Disk {
    let logical = |kind, mib| common::disks::Part {
        fill: 16,
        ..logical(kind, mib, 2048)
    };
    let parts = [
        empty(Part::System, (1, 5)),
        logical(Part::Windows, (6, 11)),
        logical(Part::Recovery, (12, 17)),
        logical(Part::Data, (18, 22)),
    ];
    Disk {
        extended: Some((5 * 2048, 23 * 2048)),
        extended_after: 1,
        ..disk(Style::Mbr, 24, &parts)
    }
}

fn base(disk: &Disk) -> Base {
    let disk = disk.build();
    let structures = structures(&disk);
    Base { disk, structures }
}

fn gpts() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| {
        vec![
            base(&gpt_disk()),
            base(&gpt_disk().with_sectors(SectorSize::B4096)),
        ]
    })
}

fn mbrs() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| {
        vec![
            base(&mbr_disk()),
            base(&mbr_disk().with_sectors(SectorSize::B4096)),
        ]
    })
}

type Changed = Overlay<&'static MemoryDevice>;

fn changed(input: &mut Input<'_>, bases: &'static [Base]) -> Changed {
    let base = &bases[input.below(bases.len())];
    let mut device = Overlay::new(&base.disk, Device::sector_size(&base.disk));
    mutate(input, &mut device, &base.structures, 12);
    device
}

/// No two partitions overlap, and none is outside.
fn assert_apart(ranges: impl Iterator<Item = LbaRange>, end: u64) {
    let mut ranges: Vec<LbaRange> = ranges.collect();
    ranges.sort_by_key(|range| range.start);
    assert!(
        ranges.windows(2).all(|two| two[0].end <= two[1].start),
        "{ranges:?}"
    );
    assert!(ranges.last().is_none_or(|last| last.end.0 <= end), "{ranges:?}");
}

/// A GPT: what may be changed is sound, says the same after it was written, and can be changed.
pub fn gpt(data: &[u8]) {
    let mut device = changed(&mut Input(data), gpts());
    let _ = detect_sector_size(&device);
    let size = Device::sector_size(&device);
    let Ok(reading) = read_gpt(&device, size) else {
        return;
    };
    let _ = (
        reading.best().map(|copy| copy.partitions().len()),
        reading.usable().is_ok(),
    );
    let Ok(changeable) = reading.changeable() else {
        return;
    };
    let mut gpt = changeable.gpt;
    assert_apart(
        gpt.partitions().iter().map(|partition| partition.range),
        gpt.device_sectors(),
    );
    let gaps = gpt.gaps();
    let partitions = gpt.partitions().to_vec();
    written(&mut device, &gpt);
    for partition in &partitions {
        let shorter = LbaRange::new(
            partition.range.start,
            Lba(partition.range.end.0.saturating_sub(1)),
        );
        if gpt.set_range(partition.number, shorter).is_ok() {
            written(&mut device, &gpt);
            gpt.set_range(partition.number, partition.range)
                .expect("where it was");
        }
        if let Some(gap) = gaps.first() {
            let _ = gpt.set_range(partition.number, *gap);
        }
    }
    for partition in partitions {
        gpt.remove(partition.number).expect("it is there");
    }
    written(&mut device, &gpt);
}

/// Writes a table, and reads the same.
fn written(device: &mut Changed, gpt: &Gpt) {
    gpt.write(device).expect("it belongs to this disk");
    let reading = read_gpt(device, gpt.sector_size()).expect("a table that was written");
    let again = reading.changeable().expect("a table that was written");
    assert!(again.mend.is_none());
    assert_eq!(again.gpt.partitions(), gpt.partitions());
    assert_eq!(again.gpt.usable(), gpt.usable());
}

/// An MBR with logical partitions: the same.
pub fn mbr(data: &[u8]) {
    let mut device = changed(&mut Input(data), mbrs());
    let size = Device::sector_size(&device);
    let Ok(reading) = read_mbr(&device, size) else {
        return;
    };
    let _ = (
        reading.disk_signature(),
        reading.is_protective(),
        reading.is_hybrid(),
        reading.is_dynamic(),
    );
    for defect in &reading.defects {
        let _ = defect.to_string();
    }
    let Ok(mut mbr) = reading.usable() else { return };
    let _ = mbr.logical_gaps();
    let top = mbr
        .partitions()
        .iter()
        .filter(|partition| !partition.is_logical());
    assert_apart(top.map(|partition| partition.range), mbr.device_sectors());
    let inner = mbr.partitions().iter().filter(|partition| partition.is_logical());
    assert_apart(inner.map(|partition| partition.range), mbr.device_sectors());
    let gaps = [mbr.gaps(), mbr.logical_gaps()].concat();
    for partition in mbr.partitions().to_vec() {
        let shorter = LbaRange::new(
            partition.range.start,
            Lba(partition.range.end.0.saturating_sub(1)),
        );
        let later = LbaRange::new(Lba(partition.range.start.0 + 8), partition.range.end);
        let _ = mbr.move_ebr(partition.number, Lba(partition.range.start.0.saturating_sub(4)));
        for range in [shorter, later, partition.range]
            .into_iter()
            .chain(gaps.first().copied())
        {
            let _ = mbr.set_range(partition.number, range);
        }
        let _ = mbr.set_type(partition.number, 0x27);
    }
    for write in mbr.writes() {
        device
            .write_at(write.lba.0 * size.bytes(), &write.bytes)
            .expect("on the disk");
    }
    let again: MbrReading = read_mbr(&device, size).expect("a table that was written");
    assert_eq!(
        again.usable().expect("a table that was written").partitions(),
        mbr.partitions()
    );
}

/// The EFI system partition, and its pages that are in use: boot sectors, table, directories and files all lie in front.
fn esp() -> &'static (Vec<u8>, Vec<Structure>) {
    static BASE: OnceLock<(Vec<u8>, Vec<Structure>)> = OnceLock::new();
    BASE.get_or_init(|| {
        let volume = bases::esp();
        let pages = (0..).step_by(4096).zip(volume.chunks_exact(4096));
        let used = pages.filter(|(_, page)| page.iter().any(|byte| *byte != 0));
        let structures = used
            .take(120)
            .map(|(at, _)| raw(at, 4096))
            .chain([raw(0, 512), raw(0, 90)]);
        let structures = structures.collect();
        (volume, structures)
    })
}

/// A FAT volume.
pub fn fat(data: &[u8]) {
    let (base, structures) = esp();
    let mut input = Input(data);
    let mut device = Overlay::new(base, SectorSize::B512);
    mutate(&mut input, &mut device, structures, 12);
    let volume = ReadWindow::new(&device, ByteRange::new(0, device.size())).expect("all of it");
    let Ok(volume) = FatVolume::open(&volume) else {
        return;
    };
    let _ = (
        volume.kind(),
        volume.cluster_bytes(),
        volume.free_bytes(),
        volume.state(),
    );
    for path in [
        r"EFI\Microsoft\Boot\BCD",
        r"EFI\Boot\bootx64.efi",
        "EFI/MICROS~1/boot",
        "none",
    ] {
        let Ok(Some(file)) = volume.lookup(path) else {
            continue;
        };
        let _ = volume.require_unshared(&file, 4 << 20);
        if let Ok(content) = volume.read(&file, 4 << 20) {
            assert_eq!(content.len() as u64, u64::from(file.size_bytes));
        }
    }
}
