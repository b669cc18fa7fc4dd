//! Shadow copies: the header within $Boot, the catalog and the stores' headers, after libvshadow's documentation of
//! the format. The stores keep nothing.

use crate::LabError;
use crate::content::{HIDDEN, SYSTEM};
use crate::identity::TIME;
use winrefit_disk::{Device, ReadAt};
use winrefit_formats::Guid;
use winrefit_ntfs::format::{FileData, FormatError, VolumeBuilder};
use winrefit_ntfs::{AttributeType, Volume};

const FOLDER: &str = "System Volume Information";
/// {3808876b-c176-4e48-b7ae-04046e6cc752}, as text in names and as it lies on the disk.
const GUID_TEXT: &str = "{3808876b-c176-4e48-b7ae-04046e6cc752}";
const GUID: [u8; 16] = [
    0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e, 0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52,
];
const BLOCK_BYTES: u64 = 0x4000;
/// Byte of the volume where the header lies.
const HEADER: u64 = 0x1E00;
/// Header, block list, range list, bitmap.
const STORE_BLOCKS: u64 = 4;
const DAY: u64 = 24 * 60 * 60 * 10_000_000;
/// Types of blocks.
const VOLUME_HEADER: u32 = 1;
const CATALOG: u32 = 2;
const BLOCK_LIST: u32 = 3;
const STORE_HEADER: u32 = 4;
const RANGE_LIST: u32 = 5;
const BITMAP: u32 = 6;

fn id(number: u8) -> [u8; 16] {
    let mut id = *b"\x10\x00\x00\x00lab-shadow-c";
    id[0] = number;
    id
}

fn catalog_path() -> String {
    format!(r"{FOLDER}\{GUID_TEXT}")
}

fn store_path(number: u8) -> String {
    let id = Guid::from_bytes_le(id(number));
    format!(r"{FOLDER}\{{{id}}}{GUID_TEXT}")
}

/// Adds their files to a volume that is to be made.
pub(crate) fn add_files(volume: &mut VolumeBuilder, count: u8) -> Result<(), FormatError> {
    let mut add = |path: &str, blocks: u64| {
        let data = FileData::Bytes(vec![0; (blocks * BLOCK_BYTES) as usize]);
        volume.add_file(path, HIDDEN | SYSTEM, data)
    };
    add(&catalog_path(), 1)?;
    (0..count).try_for_each(|number| add(&store_path(number), STORE_BLOCKS))
}

/// Makes the volume one with so many shadow copies, one a day; their files are there.
pub(crate) fn write(device: &mut dyn Device, count: u8) -> Result<(), LabError> {
    let (catalog_at, stores, volume_bytes) = {
        let volume = Volume::open(&*device)?;
        let stores: Result<Vec<u64>, LabError> = (0..count)
            .map(|number| place(&volume, &store_path(number)))
            .collect();
        (
            place(&volume, &catalog_path())?,
            stores?,
            volume.geometry().volume_bytes(),
        )
    };
    let mut catalog = block(CATALOG, 0, catalog_at);
    // Entries of 128 bytes behind the block's header: what a store is, and where it lies.
    for ((number, at), slot) in (0..).zip(&stores).zip((1..).step_by(2)) {
        let mut put = |field: usize, bytes: &[u8]| {
            let at = slot * 128 + field;
            catalog[at..at + bytes.len()].copy_from_slice(bytes);
        };
        put(0, &2u64.to_le_bytes());
        put(8, &volume_bytes.to_le_bytes());
        put(16, &id(number));
        put(32, &(u64::from(number) + 1).to_le_bytes());
        put(40, &0x440u64.to_le_bytes());
        put(48, &(TIME + u64::from(number) * DAY).to_le_bytes());
        put(128, &3u64.to_le_bytes());
        put(128 + 8, &(at + BLOCK_BYTES).to_le_bytes());
        put(128 + 16, &id(number));
        put(128 + 32, &at.to_le_bytes());
        put(128 + 40, &(at + 2 * BLOCK_BYTES).to_le_bytes());
        put(128 + 48, &(at + 3 * BLOCK_BYTES).to_le_bytes());
        put(128 + 64, &(STORE_BLOCKS * BLOCK_BYTES).to_le_bytes());
    }
    device.write_at(catalog_at, &catalog)?;
    for at in stores {
        for (record_type, index) in [STORE_HEADER, BLOCK_LIST, RANGE_LIST, BITMAP]
            .into_iter()
            .zip(0..)
        {
            let relative = index * BLOCK_BYTES;
            device.write_at(at + relative, &block(record_type, relative, at + relative))?;
        }
    }
    write_header(device, catalog_at)
}

/// Byte of the volume where a file in one run begins.
fn place<R: ReadAt>(volume: &Volume<R>, path: &str) -> Result<u64, LabError> {
    let what = "shadow copies";
    let file = volume.lookup(path)?.ok_or(LabError::NoPlace { what })?;
    let stream = file.require(AttributeType::DATA, "")?;
    let first = stream.runs().and_then(|runs| runs.0.first()?.lcn);
    first
        .map(|lcn| volume.geometry().offset_of(lcn))
        .ok_or(LabError::NoPlace { what })
}

/// A block: identifier, version, type, place in its file, place on the volume.
fn block(record_type: u32, relative: u64, current: u64) -> Vec<u8> {
    let mut bytes = GUID.to_vec();
    bytes.extend(1u32.to_le_bytes());
    bytes.extend(record_type.to_le_bytes());
    bytes.extend(relative.to_le_bytes());
    bytes.extend(current.to_le_bytes());
    bytes.resize(BLOCK_BYTES as usize, 0);
    bytes
}

fn write_header(device: &mut dyn Device, catalog_at: u64) -> Result<(), LabError> {
    let mut header = block(VOLUME_HEADER, HEADER, 0);
    // Version 2 since Windows 8.
    header[16..20].copy_from_slice(&2u32.to_le_bytes());
    header[48..56].copy_from_slice(&catalog_at.to_le_bytes());
    header[56..64].copy_from_slice(&(1u64 << 30).to_le_bytes());
    let sector = device.sector_size().bytes();
    let from = HEADER / sector * sector;
    let mut whole = device.read_vec(from, sector as usize)?;
    let within = (HEADER - from) as usize;
    whole[within..within + 512].copy_from_slice(&header[..512]);
    Ok(device.write_at(from, &whole)?)
}
