//! The first sectors of what is not ours: enough to be told apart by, and nothing behind them.

use crate::LabError;
use crate::content;
use winrefit_disk::Device;

/// What is written of encrypted or unknown content.
const NOISE_BYTES: usize = 1 << 20;
const BOOT_SIGNATURE: [u8; 2] = [0x55, 0xAA];

/// Writes `bytes` and zeros up to a whole 4096.
fn write(device: &mut dyn Device, offset: u64, bytes: &[u8]) -> Result<(), LabError> {
    let mut whole = bytes.to_vec();
    whole.resize(bytes.len().next_multiple_of(4096), 0);
    Ok(device.write_at(offset, &whole)?)
}

fn put(sector: &mut [u8], at: usize, bytes: &[u8]) {
    sector[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Random bytes from the start.
pub(crate) fn noise(seed: u64, device: &mut dyn Device) -> Result<(), LabError> {
    let mut bytes = vec![0; NOISE_BYTES];
    content::fill(seed, 0, &mut bytes);
    write(device, 0, &bytes)
}

/// A BitLocker volume as Windows 7 and later leave it (libbde's documentation of the format): boot sector with the
/// places of three metadata blocks, the blocks' signatures, encrypted data between.
pub(crate) fn bitlocker(seed: u64, device: &mut dyn Device) -> Result<(), LabError> {
    const SIGNATURE: &[u8] = b"-FVE-FS-";
    /// 4967d63b-2e29-4ad8-8399-f6a339e3d001 as it lies on the disk.
    const IDENTIFIER: [u8; 16] = [
        0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a, 0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01,
    ];
    let third = device.size() / 4 / 65_536 * 65_536;
    let blocks = [third, 2 * third, 3 * third];
    noise(seed, device)?;
    let mut boot = vec![0; 512];
    put(&mut boot, 0, &[0xEB, 0x58, 0x90]);
    put(&mut boot, 3, SIGNATURE);
    put(
        &mut boot,
        11,
        &(device.sector_size().bytes() as u16).to_le_bytes(),
    );
    // Sectors per cluster, media type, sectors per track, heads.
    put(&mut boot, 13, &[8]);
    put(&mut boot, 21, &[0xF8]);
    put(&mut boot, 24, &[0x3F, 0, 0xFF, 0]);
    put(&mut boot, 67, &(seed as u32).to_le_bytes());
    // The label of a FAT32 volume, as Windows writes it.
    put(&mut boot, 71, b"NO NAME    FAT32   ");
    put(&mut boot, 160, &IDENTIFIER);
    for (place, offset) in (176..).step_by(8).zip(blocks) {
        put(&mut boot, place, &offset.to_le_bytes());
    }
    put(&mut boot, 510, &BOOT_SIGNATURE);
    write(device, 0, &boot)?;
    for offset in blocks {
        let mut block = vec![0; 112];
        put(&mut block, 0, SIGNATURE);
        // Size of the header, version 2.
        put(&mut block, 8, &[64, 0, 2, 0]);
        put(&mut block, 16, &device.size().to_le_bytes());
        for (place, other) in (32..).step_by(8).zip(blocks) {
            put(&mut block, place, &other.to_le_bytes());
        }
        write(device, offset, &block)?;
    }
    Ok(())
}

/// The superblock of an ext4 file system, 1024 bytes from the start (kernel documentation, "The Super Block").
pub(crate) fn ext4(seed: u64, device: &mut dyn Device) -> Result<(), LabError> {
    let blocks = device.size() / 4096;
    let mut head = vec![0; 2048];
    let superblock = &mut head[1024..];
    put(superblock, 0x00, &((blocks / 4) as u32).to_le_bytes());
    put(superblock, 0x04, &(blocks as u32).to_le_bytes());
    // Blocks of 4096 bytes, 32,768 in a group.
    put(superblock, 0x18, &2u32.to_le_bytes());
    put(superblock, 0x20, &32_768u32.to_le_bytes());
    put(superblock, 0x38, &0xEF53u16.to_le_bytes());
    put(superblock, 0x3A, &1u16.to_le_bytes());
    put(superblock, 0x4C, &1u32.to_le_bytes());
    // Features: file types, extents.
    put(superblock, 0x60, &0x42u32.to_le_bytes());
    put(superblock, 0x68, &seed.to_le_bytes());
    put(superblock, 0x78, b"linux");
    write(device, 0, &head)
}

/// The boot sector of a ReFS 3 volume (libfsrefs' documentation of the format).
pub(crate) fn refs(seed: u64, device: &mut dyn Device) -> Result<(), LabError> {
    let sector_bytes = device.sector_size().bytes();
    let mut boot = vec![0; 512];
    put(&mut boot, 3, b"ReFS");
    put(&mut boot, 16, b"FSRS");
    put(&mut boot, 20, &512u16.to_le_bytes());
    put(&mut boot, 24, &(device.size() / sector_bytes).to_le_bytes());
    put(&mut boot, 32, &(sector_bytes as u32).to_le_bytes());
    put(&mut boot, 36, &((4096 / sector_bytes) as u32).to_le_bytes());
    // Version 3.4.
    put(&mut boot, 40, &[3, 4]);
    put(&mut boot, 56, &seed.to_le_bytes());
    write(device, 0, &boot)
}

/// The private header in the last sector of a dynamic disk's metadata (Linux kernel, `block/partitions/ldm.h`).
pub(crate) fn ldm_metadata(device: &mut dyn Device) -> Result<(), LabError> {
    let mut header = vec![0; 4096];
    // Version 2.12, in the last 512 bytes.
    put(&mut header, 3584, b"PRIVHEAD");
    put(&mut header, 3592, &[0, 0, 0, 0, 0, 2, 0, 12]);
    let last = device.size() - 4096;
    write(device, last, &header)
}

/// The private headers of a dynamic disk with an MBR: at LBA 6, and in the database that has the disk's last MiB (Linux
/// kernel, `block/partitions/ldm.h`).
pub(crate) fn ldm_disk(device: &mut dyn Device) -> Result<(), LabError> {
    const DATABASE_BYTES: u64 = 1 << 20;
    let sector_bytes = device.sector_size().bytes();
    let database = device.size() / sector_bytes * sector_bytes - DATABASE_BYTES;
    for lba in [6, database / sector_bytes + 1856, database / sector_bytes + 2047] {
        let mut header = vec![0; sector_bytes as usize];
        put(&mut header, 0, b"PRIVHEAD");
        // Version 2.12.
        put(&mut header, 8, &[0, 0, 0, 0, 0, 2, 0, 12]);
        device.write_at(lba * sector_bytes, &header)?;
    }
    Ok(())
}

/// The signature of a storage pool's member.
pub(crate) fn storage_pool(device: &mut dyn Device) -> Result<(), LabError> {
    write(device, 0, b"SPACEDB ")
}
