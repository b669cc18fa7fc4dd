//! Shadow copies on a volume made for a test, written after libvshadow's documentation of the format and without the
//! code that is tested.
#![allow(dead_code, clippy::unwrap_used)]

use winrefit_disk::{Device, ReadAt};
use winrefit_ntfs::format::{FileData, VolumeBuilder};
use winrefit_ntfs::{AttributeType, Volume};

const FOLDER: &str = r"System Volume Information";
const GUID_TEXT: &str = "{3808876b-c176-4e48-b7ae-04046e6cc752}";
const GUID: [u8; 16] = [
    0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e, 0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52,
];
pub const BLOCK: usize = 0x4000;
pub const HEADER: u64 = 0x1E00;
const ENTRIES_IN_BLOCK: usize = BLOCK / 128 - 1;
/// A store of ours: header, block list, range list, bitmap.
const STORE_BLOCKS: usize = 4;
/// 2024-01-01 00:00 UTC.
pub const NEW_YEAR_2024: u64 = 133_485_408_000_000_000;
const DAY: u64 = 864_000_000_000;

/// When the shadow copy of this number is made: every day one.
pub fn created(number: usize) -> u64 {
    NEW_YEAR_2024 + number as u64 * DAY
}

pub fn id(number: usize) -> [u8; 16] {
    let mut id = *b"0123-copy-of-day";
    id[..4].copy_from_slice(&(0x1000_0000 + number as u32).to_le_bytes());
    id
}

fn catalog_path() -> String {
    format!(r"{FOLDER}\{GUID_TEXT}")
}

fn store_path(id: [u8; 16]) -> String {
    let [a, b, c, d, e, f, g, h, rest @ ..] = id;
    let first = u32::from_le_bytes([a, b, c, d]);
    let (second, third) = (u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]));
    let tail: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    let (fourth, last) = tail.split_at(4);
    format!(r"{FOLDER}\{{{first:08x}-{second:04x}-{third:04x}-{fourth}-{last}}}{GUID_TEXT}")
}

fn catalog_blocks(stores: usize) -> usize {
    (2 * stores).div_ceil(ENTRIES_IN_BLOCK).max(1)
}

/// Adds the files of so many shadow copies to a volume that is to be made.
pub fn add_files(volume: &mut VolumeBuilder, stores: usize) {
    // Not zero, so that nothing of them is left out or sparse.
    let mut add = |path: String, blocks: usize| {
        let data = FileData::Bytes(vec![0xEE; blocks * BLOCK]);
        volume.add_file(&path, 6, data).unwrap();
    };
    add(catalog_path(), catalog_blocks(stores));
    (0..stores).for_each(|number| add(store_path(id(number)), STORE_BLOCKS));
}

/// Byte offset of a file in one run.
fn place<R: ReadAt>(volume: &Volume<R>, path: &str) -> u64 {
    let file = volume.lookup(path).unwrap().unwrap();
    let stream = file.require(AttributeType::DATA, "").unwrap();
    let runs = &stream.runs().unwrap().0;
    assert_eq!(runs.len(), 1);
    volume.geometry().offset_of(runs[0].lcn.unwrap())
}

/// Byte offset of the store of this number.
pub fn store_place<R: ReadAt>(volume: &Volume<R>, number: usize) -> u64 {
    place(volume, &store_path(id(number)))
}

/// What every block begins with.
fn block(version: u32, record_type: u32, relative: u64, current: u64, next: u64) -> Vec<u8> {
    let mut bytes = GUID.to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend(record_type.to_le_bytes());
    for offset in [relative, current, next] {
        bytes.extend(offset.to_le_bytes());
    }
    bytes.resize(BLOCK, 0);
    bytes
}

/// Makes the volume one with so many shadow copies; their files have been added. Gives the catalog's offset.
pub fn write(device: &mut dyn Device, stores: usize) -> u64 {
    let (catalog, places, volume_bytes) = {
        let volume = Volume::open(&*device).unwrap();
        let places: Vec<u64> = (0..stores).map(|n| place(&volume, &store_path(id(n)))).collect();
        let volume_bytes = volume.geometry().volume_bytes();
        (place(&volume, &catalog_path()), places, volume_bytes)
    };
    write_catalog(device, catalog, &entries(&places, volume_bytes));
    for (number, &at) in places.iter().enumerate() {
        write_store(device, at, number);
    }
    write_header(device, 2, catalog);
    catalog
}

/// Writes header and catalog only, the latter at a place that is free, as if there were so many stores.
pub fn write_catalog_at(device: &mut dyn Device, catalog: u64, stores: usize) {
    let volume_bytes = device.size();
    write_catalog(device, catalog, &entries(&vec![catalog; stores], volume_bytes));
    write_header(device, 2, catalog);
}

/// Newest first, so that nobody takes their order for that of their age; some unused and empty ones between.
fn entries(places: &[u64], volume_bytes: u64) -> Vec<[u8; 128]> {
    let mut entries = Vec::new();
    for (number, &at) in places.iter().enumerate().rev() {
        let mut described = [0u8; 128];
        described[0] = 2;
        described[8..16].copy_from_slice(&volume_bytes.to_le_bytes());
        described[16..32].copy_from_slice(&id(number));
        described[32..40].copy_from_slice(&(number as u64 + 1).to_le_bytes());
        described[40..48].copy_from_slice(&0x440u64.to_le_bytes());
        described[48..56].copy_from_slice(&created(number).to_le_bytes());
        let mut kept = [0u8; 128];
        kept[0] = 3;
        let block = |index: u64| (at + index * BLOCK as u64).to_le_bytes();
        kept[8..16].copy_from_slice(&block(1));
        kept[16..32].copy_from_slice(&id(number));
        kept[32..40].copy_from_slice(&block(0));
        kept[40..48].copy_from_slice(&block(2));
        kept[48..56].copy_from_slice(&block(3));
        kept[64..72].copy_from_slice(&((STORE_BLOCKS * BLOCK) as u64).to_le_bytes());
        entries.extend([described, kept]);
    }
    entries
}

fn write_catalog(device: &mut dyn Device, catalog: u64, entries: &[[u8; 128]]) {
    let blocks = catalog_blocks(entries.len() / 2);
    for index in 0..blocks {
        let relative = (index * BLOCK) as u64;
        let current = catalog + relative;
        let next = if index + 1 < blocks {
            current + BLOCK as u64
        } else {
            0
        };
        let mut bytes = block(1, 2, relative, current, next);
        for (slot, entry) in entries
            .iter()
            .skip(index * ENTRIES_IN_BLOCK)
            .take(ENTRIES_IN_BLOCK)
            .enumerate()
        {
            bytes[(slot + 1) * 128..(slot + 2) * 128].copy_from_slice(entry);
        }
        device.write_at(current, &bytes).unwrap();
    }
}

fn write_store(device: &mut dyn Device, at: u64, number: usize) {
    let part = |record_type, index: usize| {
        let relative = (index * BLOCK) as u64;
        block(1, record_type, relative, at + relative, 0)
    };
    let mut header = part(4, 0);
    let information = 16 * 3 + 4 * 4 + 2 + 2;
    header[48..56].copy_from_slice(&(information as u64).to_le_bytes());
    header[128..144].copy_from_slice(&id(number));
    header[144..160].copy_from_slice(&id(number + 5000));
    header[160..176].copy_from_slice(&id(number + 9000));
    header[184..188].copy_from_slice(&0x0042_0009u32.to_le_bytes());
    let mut ranges = part(5, 2);
    ranges[128..136].copy_from_slice(&at.to_le_bytes());
    ranges[144..152].copy_from_slice(&((STORE_BLOCKS * BLOCK) as u64).to_le_bytes());
    let bytes = [header, part(3, 1), ranges, part(6, 3)].concat();
    device.write_at(at, &bytes).unwrap();
}

/// The header within $Boot; 0 as `catalog` for one without.
pub fn write_header(device: &mut dyn Device, version: u32, catalog: u64) {
    let mut header = block(version, 1, HEADER, HEADER, 0);
    header[48..56].copy_from_slice(&catalog.to_le_bytes());
    header[56..64].copy_from_slice(&(1u64 << 30).to_le_bytes());
    header[64..80].copy_from_slice(&id(7));
    header[80..96].copy_from_slice(&id(7));
    header[32..40].copy_from_slice(&HEADER.to_le_bytes());
    header[40..48].fill(0);
    patch(device, HEADER, &header[..512]);
}

/// Writes some bytes, whatever the size of a sector.
pub fn patch(device: &mut dyn Device, offset: u64, bytes: &[u8]) {
    let sector = device.sector_size().bytes();
    let from = offset / sector * sector;
    let until = (offset + bytes.len() as u64).next_multiple_of(sector);
    let mut whole = device.read_vec(from, (until - from) as usize).unwrap();
    let within = (offset - from) as usize;
    whole[within..within + bytes.len()].copy_from_slice(bytes);
    device.write_at(from, &whole).unwrap();
}
