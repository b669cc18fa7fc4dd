//! Partition tables that are not as usual, made of one that is.

use crate::LabError;
use crate::create::CreatedDisk;
use crate::profile::{Profile, Quirk, Role};
use winrefit_disk::Device;

/// Entries of 128 bytes in a long table, and in one of the usual length.
const MANY_ENTRIES: usize = 256;
const ENTRY_BYTES: usize = 128;
const USUAL_ARRAY_BYTES: usize = 128 * ENTRY_BYTES;
/// Fields of a GPT header (UEFI specification 2.10, table 5-5).
const HEADER_CRC: usize = 16;
const HEADER_BYTES: usize = 92;
const FIRST_USABLE: usize = 40;
const LAST_USABLE: usize = 48;
const ENTRIES_LBA: usize = 72;
const ENTRY_COUNT: usize = 80;
const ENTRIES_CRC: usize = 88;
/// The second entry of an MBR.
const SECOND_MBR_ENTRY: usize = 446 + 16;
const MBR_TYPE_NTFS: u8 = 0x07;

/// Does to the table on `device` what the profile says.
pub(crate) fn alter(profile: &Profile, disk: &CreatedDisk, device: &mut dyn Device) -> Result<(), LabError> {
    let sector_bytes = device.sector_size().bytes();
    let empty = vec![0; sector_bytes as usize];
    match profile.quirk {
        Some(Quirk::PrimaryTableDamaged) => Ok(device.write_at(sector_bytes, &empty)?),
        Some(Quirk::BackupTableDamaged) => Ok(device.write_at(device.size() - sector_bytes, &empty)?),
        Some(Quirk::HybridMbr) => hybrid(disk, device),
        Some(Quirk::ManyEntries) => many_entries(device),
        _ => Ok(()),
    }
}

/// An entry for C: beside the protective one, as gdisk's recipe for hybrid MBRs makes it.
fn hybrid(disk: &CreatedDisk, device: &mut dyn Device) -> Result<(), LabError> {
    let Some(windows) = disk.partition(Role::Windows) else {
        return Ok(());
    };
    let sector_bytes = device.sector_size().bytes();
    let mut sector = device.read_vec(0, sector_bytes as usize)?;
    let entry = &mut sector[SECOND_MBR_ENTRY..SECOND_MBR_ENTRY + 16];
    entry[1..8].copy_from_slice(&[0xFE, 0xFF, 0xFF, MBR_TYPE_NTFS, 0xFE, 0xFF, 0xFF]);
    let (start, count) = (
        windows.range.start / sector_bytes,
        windows.range.len() / sector_bytes,
    );
    entry[8..12].copy_from_slice(&(start as u32).to_le_bytes());
    entry[12..16].copy_from_slice(&(count as u32).to_le_bytes());
    Ok(device.write_at(0, &sector)?)
}

/// Lengthens both arrays. The first grows towards the partitions, the second moves down.
fn many_entries(device: &mut dyn Device) -> Result<(), LabError> {
    let sector_bytes = device.sector_size().bytes();
    let last = device.size() / sector_bytes - 1;
    let array_sectors = (MANY_ENTRIES * ENTRY_BYTES) as u64 / sector_bytes;
    let mut array = device.read_vec(2 * sector_bytes, USUAL_ARRAY_BYTES)?;
    array.resize(MANY_ENTRIES * ENTRY_BYTES, 0);
    for (header_lba, entries_lba) in [(1, 2), (last, last - array_sectors)] {
        device.write_at(entries_lba * sector_bytes, &array)?;
        let mut header = device.read_vec(header_lba * sector_bytes, sector_bytes as usize)?;
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(FIRST_USABLE, &(2 + array_sectors).to_le_bytes());
        put(LAST_USABLE, &(last - array_sectors - 1).to_le_bytes());
        put(ENTRIES_LBA, &entries_lba.to_le_bytes());
        put(ENTRY_COUNT, &(MANY_ENTRIES as u32).to_le_bytes());
        put(ENTRIES_CRC, &crc32fast::hash(&array).to_le_bytes());
        put(HEADER_CRC, &[0; 4]);
        let crc = crc32fast::hash(&header[..HEADER_BYTES]);
        header[HEADER_CRC..HEADER_CRC + 4].copy_from_slice(&crc.to_le_bytes());
        device.write_at(header_lba * sector_bytes, &header)?;
    }
    Ok(())
}
