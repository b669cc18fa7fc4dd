//! The master boot record and the extended boot records, made from nothing: `winrefit_formats::mbr` only changes tables
//! that are there, and reads these in the tests.
//!
//! An entry has 16 bytes: status, CHS address of the first sector, type, CHS address of the last, first sector and count
//! of sectors with 32 bits each. Four of them lie at byte 446.

use crate::create::{CreatedDisk, CreatedPartition};
use crate::identity::type_code;
use crate::profile::{BootCode, MbrSpec, Profile, Quirk, Role};
use crate::{LabError, content, foreign};
use winrefit_disk::{ByteRange, Device};
use winrefit_formats::mbr::types;

const CODE_BYTES: usize = 440;
const SIGNATURE: usize = 440;
const ENTRIES: usize = 446;
const ENTRY_BYTES: usize = 16;
const BOOT_SIGNATURE: usize = 510;
const ACTIVE: u8 = 0x80;
/// Sectors behind LBA 0 where GRUB keeps its core image: the rest of the first track.
const GRUB_SECTORS: u64 = 62;
/// Stops the processor: whoever starts a lab disk sees nothing worse.
const HALT: [u8; 4] = [0xFA, 0xF4, 0xEB, 0xFC];
/// Where a GRUB boot sector has its name.
const GRUB_NAME: usize = 0x180;
/// Geometry of CHS addresses, and what stands for all behind their last cylinder, the 1024th.
const HEADS: u64 = 255;
const TRACK_SECTORS: u64 = 63;
const CYLINDERS: u64 = 1024;
const BEYOND: [u8; 3] = [0xFE, 0xFF, 0xFF];

/// An entry to be.
struct Entry {
    active: bool,
    type_code: u8,
    range: ByteRange,
    /// What the start counts from, in bytes.
    base: u64,
}

impl Entry {
    fn bytes(&self, sector_bytes: u64) -> [u8; ENTRY_BYTES] {
        let lba = |offset: u64| offset / sector_bytes;
        // A layout keeps to sectors that 32 bits can count.
        let start = (lba(self.range.start) - lba(self.base)) as u32;
        let sectors = lba(self.range.len()) as u32;
        let mut bytes = [0; ENTRY_BYTES];
        bytes[0] = if self.active { ACTIVE } else { 0 };
        bytes[1..4].copy_from_slice(&chs(lba(self.range.start)));
        bytes[4] = self.type_code;
        bytes[5..8].copy_from_slice(&chs(lba(self.range.end) - 1));
        bytes[8..12].copy_from_slice(&start.to_le_bytes());
        bytes[12..16].copy_from_slice(&sectors.to_le_bytes());
        bytes
    }
}

/// Writes the table and what lies beside it.
pub(crate) fn write(
    profile: &Profile,
    spec: MbrSpec,
    disk: &CreatedDisk,
    device: &mut dyn Device,
) -> Result<(), LabError> {
    let is_dynamic = profile.is_dynamic();
    if is_dynamic {
        foreign::ldm_disk(device)?;
    }
    if spec.boot_code == BootCode::Grub {
        write_core_image(disk.seed, device)?;
    }
    // The chain first: the MBR makes all of it a table.
    write_chain(disk, is_dynamic, device)?;
    let sector_bytes = device.sector_size().bytes();
    let mut sector = vec![0; sector_bytes as usize];
    sector[..CODE_BYTES].copy_from_slice(&boot_code(spec.boot_code, disk.seed));
    if let Some(signature) = disk.disk_signature {
        sector[SIGNATURE..SIGNATURE + 4].copy_from_slice(&signature.to_le_bytes());
    }
    let active = disk.system().map(|system| system.number);
    let primary = disk.partitions.iter().filter(|p| p.ebr.is_none()).map(|p| {
        let entry = Entry {
            active: active == Some(p.number),
            type_code: if profile.quirk == Some(Quirk::SystemIsRecovery) && p.role == Role::SystemReserved {
                types::PARTITION_MSFT_RECOVERY
            } else {
                type_code(p.role, is_dynamic)
            },
            range: p.range,
            base: 0,
        };
        (p.number, entry)
    });
    let extended = disk.extended.map(|(number, range)| {
        let entry = Entry {
            active: false,
            type_code: types::PARTITION_XINT13_EXTENDED,
            range,
            base: 0,
        };
        (number, entry)
    });
    for (number, entry) in primary.chain(extended) {
        put_entry(&mut sector, number as usize - 1, &entry, sector_bytes);
    }
    sign(&mut sector);
    Ok(device.write_at(0, &sector)?)
}

/// Writes an EBR for each logical partition: in its first entry the partition, which counts from the EBR; in its second
/// the next EBR with its partition, which counts from the first EBR.
fn write_chain(disk: &CreatedDisk, is_dynamic: bool, device: &mut dyn Device) -> Result<(), LabError> {
    let Some((_, extended)) = disk.extended else {
        return Ok(());
    };
    let sector_bytes = device.sector_size().bytes();
    let logical: Vec<(u64, &CreatedPartition)> =
        disk.partitions.iter().filter_map(|p| Some((p.ebr?, p))).collect();
    for (at, (ebr, partition)) in logical.iter().enumerate() {
        let mut sector = vec![0; sector_bytes as usize];
        let entry = Entry {
            active: false,
            type_code: type_code(partition.role, is_dynamic),
            range: partition.range,
            base: *ebr,
        };
        put_entry(&mut sector, 0, &entry, sector_bytes);
        if let Some((next, partition)) = logical.get(at + 1) {
            let link = Entry {
                active: false,
                // Links have this type whatever that of the extended partition.
                type_code: types::PARTITION_EXTENDED,
                range: ByteRange::new(*next, partition.range.end),
                base: extended.start,
            };
            put_entry(&mut sector, 1, &link, sector_bytes);
        }
        sign(&mut sector);
        device.write_at(*ebr, &sector)?;
    }
    Ok(())
}

fn put_entry(sector: &mut [u8], slot: usize, entry: &Entry, sector_bytes: u64) {
    let at = ENTRIES + slot * ENTRY_BYTES;
    sector[at..at + ENTRY_BYTES].copy_from_slice(&entry.bytes(sector_bytes));
}

fn sign(sector: &mut [u8]) {
    sector[BOOT_SIGNATURE..BOOT_SIGNATURE + 2].copy_from_slice(&[0x55, 0xAA]);
}

/// Bytes that no zeros are among, so that a change shows.
fn boot_code(kind: BootCode, seed: u64) -> [u8; CODE_BYTES] {
    let mut code = [0; CODE_BYTES];
    content::fill(seed, 0, &mut code);
    for byte in &mut code {
        *byte |= 1;
    }
    code[..HALT.len()].copy_from_slice(&HALT);
    if kind == BootCode::Grub {
        code[GRUB_NAME..GRUB_NAME + 5].copy_from_slice(b"GRUB ");
    }
    code
}

fn write_core_image(seed: u64, device: &mut dyn Device) -> Result<(), LabError> {
    let sector_bytes = device.sector_size().bytes();
    let mut image = vec![0; (GRUB_SECTORS * sector_bytes) as usize];
    content::fill(seed, sector_bytes, &mut image);
    Ok(device.write_at(sector_bytes, &image)?)
}

/// The address of a sector by cylinder, head and sector.
fn chs(lba: u64) -> [u8; 3] {
    let (cylinder, in_cylinder) = (lba / (HEADS * TRACK_SECTORS), lba % (HEADS * TRACK_SECTORS));
    if cylinder >= CYLINDERS {
        return BEYOND;
    }
    let (head, sector) = (in_cylinder / TRACK_SECTORS, in_cylinder % TRACK_SECTORS + 1);
    // The upper two bits of the cylinder share a byte with the sector.
    [
        head as u8,
        sector as u8 | ((cylinder >> 8) as u8) << 6,
        cylinder as u8,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_255_heads_and_63_sectors() {
        assert_eq!(chs(63), [1, 1, 0]);
        // What Windows has for a partition at 1 MiB.
        assert_eq!(chs(2048), [0x20, 0x21, 0]);
        assert_eq!(chs(300 * 255 * 63), [0, 0x41, 44]);
        assert_eq!(chs(1024 * 255 * 63 - 1), [254, 0xFF, 0xFF]);
        assert_eq!(chs(1024 * 255 * 63), BEYOND);
    }

    #[test]
    fn boot_code_has_no_zeros() {
        for kind in [BootCode::Windows, BootCode::Grub] {
            let code = boot_code(kind, 7);
            assert!(code.iter().all(|byte| *byte != 0));
            let named = code.windows(4).any(|word| word == b"GRUB");
            assert_eq!(named, kind == BootCode::Grub);
        }
    }
}
