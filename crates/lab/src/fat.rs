//! The EFI system partition: a FAT32 volume with a few files, as `format` and `bcdboot` leave it.
//!
//! The volume is composed on an [`Overlay`] and then written in whole sectors, so the library's many small writes
//! never reach the target, and sectors that stay zero on a zero-filled target are not written at all.

use crate::LabError;
use fatfs::{Date, DateTime, FatType, FileSystem, FormatVolumeOptions, FsOptions, Time, TimeProvider};
use std::io::{self, Read, Seek, SeekFrom, Write};
use winrefit_disk::{Device, Overlay, ReadAt, SectorSize};

/// Size of the EFI system partition that Windows Setup makes on disks with 512-byte sectors.
pub const DEFAULT_SIZE_BYTES: u64 = 100 << 20;

/// Byte of the name of the formatting system in a boot sector (BS_OEMName).
const OEM_NAME: u64 = 3;
/// Byte of the hidden sector count in a FAT boot sector (Microsoft FAT specification, BPB_HiddSec).
const HIDDEN_SECTORS: u64 = 0x1C;
/// Byte of the sectors per track; the head count follows.
const SECTORS_PER_TRACK: u16 = 63;
const HEADS: u16 = 255;
/// Sector of the boot sector's copy (BPB_BkBootSec), which the library always sets to this.
const BACKUP_BOOT_SECTOR: u64 = 6;
/// Size of a directory entry, and places in it.
const SLOT: usize = 32;
const ATTRIBUTES: usize = 11;
const FIRST_CLUSTER_LOW: usize = 26;
/// First byte of a deleted directory entry.
const DELETED: u8 = 0xE5;
/// Where the library puts the root directory. All our clusters have small numbers, so the low half tells.
const ROOT_CLUSTER: u16 = 2;

/// What distinguishes one EFI system partition from another.
#[derive(Debug, Clone, Copy)]
pub struct EspOptions<'a> {
    /// Volume label, at most 11 ASCII characters, upper case.
    pub label: &'a str,
    /// Volume serial number.
    pub serial: u32,
    /// Number of sectors before the partition on its disk.
    pub hidden_sectors: u32,
}

/// One file on the volume. Directories on the way are created.
#[derive(Debug, Clone, Copy)]
pub struct EspFile<'a> {
    /// Path with backslashes, without a leading one.
    pub path: &'a str,
    /// The content.
    pub bytes: &'a [u8],
}

/// Formats `device`, the whole partition, as FAT32 and writes `files`.
///
/// # Errors
/// [`LabError::TooSmallForFat32`], [`LabError::Fat`] or [`LabError::Disk`].
pub fn make_esp(device: &mut dyn Device, options: EspOptions, files: &[EspFile]) -> Result<(), LabError> {
    let sector_size = device.sector_size();
    let changes = {
        let mut overlay = Overlay::new(&*device, sector_size);
        format(&mut overlay, options)?;
        let mut stream = Stream::new(&mut overlay);
        let volume = FileSystem::new(&mut stream, fs_options()).map_err(fat("open", ""))?;
        // Fixes the free cluster count in FSInfo, which formatting leaves unknown.
        volume.stats().map_err(fat("count free clusters of", ""))?;
        for file in files {
            write_file(&volume, *file)?;
        }
        volume.unmount().map_err(fat("close", ""))?;
        overlay.changes()?
    };
    for mut change in changes {
        change
            .after
            .chunks_exact_mut(sector_size.bytes() as usize)
            .for_each(mend_dot_entries);
        device.write_at(change.offset, &change.after)?;
    }
    Ok(())
}

/// The content of one file of a FAT volume; `path` with backslashes, names compared without case.
///
/// # Errors
/// [`LabError::Fat`] if the volume cannot be read or has no such file.
pub fn read_file(volume: &dyn ReadAt, path: &str) -> Result<Vec<u8>, LabError> {
    let mut overlay = Overlay::new(volume, SectorSize::B512);
    let mut stream = Stream::new(&mut overlay);
    let volume = FileSystem::new(&mut stream, fs_options()).map_err(fat("open", ""))?;
    let mut file = volume
        .root_dir()
        .open_file(&path.replace('\\', "/"))
        .map_err(fat("open", path))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(fat("read", path))?;
    Ok(bytes)
}

fn format(overlay: &mut Overlay<&dyn Device>, options: EspOptions) -> Result<(), LabError> {
    let (size_bytes, sector_bytes) = (overlay.size(), overlay.sector_size().bytes());
    let too_small = LabError::TooSmallForFat32 {
        size_bytes,
        sector_bytes,
    };
    // Windows formats a small FAT32 volume with clusters of 1 KiB; FAT32 needs at least 65,525 of them.
    let cluster_bytes = if size_bytes / 1024 > 66_000 { 1024 } else { 512 }.max(sector_bytes);
    if size_bytes / cluster_bytes < 65_536 || size_bytes / sector_bytes > u64::from(u32::MAX) {
        return Err(too_small);
    }
    let mut label = [b' '; 11];
    for (place, byte) in label.iter_mut().zip(options.label.bytes()) {
        *place = byte;
    }
    let format_options = FormatVolumeOptions::new()
        .fat_type(FatType::Fat32)
        .bytes_per_sector(sector_bytes as u16)
        .bytes_per_cluster(cluster_bytes as u32)
        .sectors_per_track(SECTORS_PER_TRACK)
        .heads(HEADS)
        .volume_id(options.serial)
        .volume_label(label);
    fatfs::format_volume(Stream::new(&mut *overlay), format_options).map_err(fat("format", ""))?;
    // The library knows no hidden sectors, and signs as a system that no Windows of today formats with.
    for sector in [0, BACKUP_BOOT_SECTOR] {
        let start = sector * sector_bytes;
        overlay.write_at(start + OEM_NAME, b"MSDOS5.0")?;
        overlay.write_at(start + HIDDEN_SECTORS, &options.hidden_sectors.to_le_bytes())?;
    }
    let mut stream = Stream::new(overlay);
    let volume = FileSystem::new(&mut stream, fs_options()).map_err(fat("open", ""))?;
    if volume.fat_type() == FatType::Fat32 {
        Ok(())
    } else {
        Err(too_small)
    }
}

fn write_file<T: Read + Write + Seek>(volume: &FileSystem<T>, file: EspFile) -> Result<(), LabError> {
    let mut directory = volume.root_dir();
    let mut names = file.path.split('\\').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_some() {
            directory = directory.create_dir(name).map_err(fat("create", file.path))?;
        } else {
            let mut target = directory.create_file(name).map_err(fat("create", file.path))?;
            target.write_all(file.bytes).map_err(fat("write", file.path))?;
            target.flush().map_err(fat("write", file.path))?;
        }
    }
    Ok(())
}

/// Puts "." and ".." into the first two slots of a directory, if `sector` is the beginning of one.
///
/// The library gives both a long name entry, and ".." the number of the root's cluster where the FAT specification
/// wants 0; checkers reject both. The two long name entries become deleted ones behind them.
fn mend_dot_entries(sector: &mut [u8]) {
    let (Some(slots), true) = (sector.get(..4 * SLOT), is_dot_with_long_name(sector)) else {
        return;
    };
    let (dot, dot_dot) = (slots[SLOT..2 * SLOT].to_vec(), slots[3 * SLOT..].to_vec());
    sector[..SLOT].copy_from_slice(&dot);
    sector[SLOT..2 * SLOT].copy_from_slice(&dot_dot);
    sector[2 * SLOT..4 * SLOT].fill(0);
    (sector[2 * SLOT], sector[3 * SLOT]) = (DELETED, DELETED);
    let parent = SLOT + FIRST_CLUSTER_LOW;
    if sector[parent..parent + 2] == ROOT_CLUSTER.to_le_bytes() {
        sector[parent..parent + 2].fill(0);
    }
}

fn is_dot_with_long_name(sector: &[u8]) -> bool {
    const LONG_NAME: u8 = 0x0F;
    let is_last_long_entry = sector.first() == Some(&0x41) && sector.get(ATTRIBUTES) == Some(&LONG_NAME);
    is_last_long_entry && sector.get(SLOT..SLOT + 11) == Some(b".          ")
}

fn fs_options() -> FsOptions {
    FsOptions::new().time_provider(&FixedTime)
}

fn fat(action: &'static str, path: &str) -> impl FnOnce(io::Error) -> LabError {
    let path = path.to_owned();
    move |source| LabError::Fat { action, path, source }
}

/// The day Windows Server 2022 became available, so that two builds of a disk are equal.
#[derive(Debug)]
struct FixedTime;

impl TimeProvider for FixedTime {
    fn get_current_date(&self) -> Date {
        Date {
            year: 2021,
            month: 8,
            day: 18,
        }
    }

    fn get_current_date_time(&self) -> DateTime {
        let time = Time {
            hour: 12,
            min: 0,
            sec: 0,
            millis: 0,
        };
        DateTime {
            date: self.get_current_date(),
            time,
        }
    }
}

/// A device as the stream that the FAT library wants.
struct Stream<D> {
    device: D,
    position: u64,
}

impl<D: Device> Stream<D> {
    fn new(device: D) -> Self {
        Self { device, position: 0 }
    }

    /// How much of a request of `length` bytes lies before the end.
    fn within(&self, length: usize) -> usize {
        let left = self.device.size().saturating_sub(self.position);
        length.min(usize::try_from(left).unwrap_or(usize::MAX))
    }
}

impl<D: Device> Read for Stream<D> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.within(buf.len());
        self.device
            .read_at(self.position, &mut buf[..count])
            .map_err(io::Error::other)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl<D: Device> Write for Stream<D> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.within(data.len());
        self.device
            .write_at(self.position, &data[..count])
            .map_err(io::Error::other)?;
        self.position += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<D: Device> Seek for Stream<D> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(delta) => self.device.size().checked_add_signed(delta),
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle;
    use winrefit_disk::MemoryDevice;

    const OPTIONS: EspOptions = EspOptions {
        label: "SYSTEM",
        serial: 0x5EED_0001,
        hidden_sectors: 2048,
    };

    fn sample(sector_size: SectorSize, size_bytes: u64) -> MemoryDevice {
        let mut device = MemoryDevice::zeroed(size_bytes as usize, sector_size);
        let files = [
            EspFile {
                path: r"EFI\Microsoft\Boot\BCD",
                bytes: &[0xA5; 40_000],
            },
            EspFile {
                path: r"EFI\Microsoft\Boot\bootmgfw.efi",
                bytes: b"placeholder",
            },
            EspFile {
                path: r"EFI\Boot\bootx64.efi",
                bytes: b"placeholder",
            },
        ];
        make_esp(&mut device, OPTIONS, &files).unwrap();
        device
    }

    #[test]
    fn files_come_back_and_the_boot_sectors_agree() {
        let device = sample(SectorSize::B512, DEFAULT_SIZE_BYTES);
        assert_eq!(
            read_file(&device, r"efi\microsoft\BOOT\bcd").unwrap(),
            [0xA5; 40_000]
        );
        assert_eq!(
            read_file(&device, r"EFI\Boot\bootx64.efi").unwrap(),
            b"placeholder"
        );
        assert!(matches!(
            read_file(&device, r"EFI\none"),
            Err(LabError::Fat { action: "open", .. })
        ));
        let boot = &device.bytes()[..512];
        assert_eq!(boot, &device.bytes()[6 * 512..7 * 512]);
        assert_eq!(boot[0x1C..0x20], 2048u32.to_le_bytes());
        assert_eq!(&boot[0x52..0x5A], b"FAT32   ");
        assert_eq!(&boot[0x47..0x52], b"SYSTEM     ");
        let directories = device
            .bytes()
            .chunks(512)
            .filter(|sector| sector.starts_with(b".          "));
        assert_eq!(
            directories
                .filter(|sector| sector[32..].starts_with(b"..         "))
                .count(),
            4
        );
    }

    #[test]
    fn the_same_volume_twice_has_the_same_bytes() {
        assert!(sample(SectorSize::B512, DEFAULT_SIZE_BYTES) == sample(SectorSize::B512, DEFAULT_SIZE_BYTES));
    }

    #[test]
    fn a_volume_too_small_for_fat32_is_refused() {
        let mut device = MemoryDevice::zeroed(30 << 20, SectorSize::B512);
        let result = make_esp(&mut device, OPTIONS, &[]);
        assert!(matches!(
            result,
            Err(LabError::TooSmallForFat32 {
                size_bytes: 31_457_280,
                ..
            })
        ));
        let mut device = MemoryDevice::zeroed(DEFAULT_SIZE_BYTES as usize, SectorSize::B4096);
        assert!(matches!(
            make_esp(&mut device, OPTIONS, &[]),
            Err(LabError::TooSmallForFat32 { .. })
        ));
    }

    #[test]
    fn other_tools_accept_the_volume() {
        for (sector_size, size_bytes) in [(SectorSize::B512, 100 << 20), (SectorSize::B4096, 300 << 20)] {
            let image = oracle::TempFile::new("esp.img", sample(sector_size, size_bytes).bytes());
            if let Some(report) = oracle::run("fsck.fat", &["-n", "-v", image.path()]) {
                assert!(
                    report.contains("8 files") && !report.contains("Free cluster summary"),
                    "{report}"
                );
            }
            // mtools reads volumes with 512-byte sectors only.
            if sector_size == SectorSize::B4096 {
                continue;
            }
            if let Some(listing) = oracle::run("mdir", &["-b", "-s", "-i", image.path(), "::"]) {
                assert!(
                    listing.contains("::/EFI/Microsoft/Boot/bootmgfw.efi"),
                    "{listing}"
                );
            }
            if let Some(bytes) = oracle::run("mtype", &["-i", image.path(), "::/EFI/Boot/bootx64.efi"]) {
                assert_eq!(bytes, "placeholder");
            }
        }
    }
}
