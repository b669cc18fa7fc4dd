//! Writing: a [`Gpt`] to bytes. An unchanged table gives exactly the bytes that were read.
//!
//! The order of the writes is the caller's business (a staging overlay makes it irrelevant), so the pieces are public
//! as well: [`Gpt::encode`] and [`Gpt::primary_header_with_entries_at`].

use super::error::{GptEditError, GptWriteError};
use super::model::{CopyBytes, Gpt, LbaRange, Partition};
use super::protective::protective_mbr;
use super::read::{ENTRY_SIZE_MIN, HEADER_SIZE_MIN, REVISION, SIGNATURE, header_crc};
use crate::Guid;
use crate::bytes::u32_at;
use winrefit_disk::{Device, DiskError, Lba, SectorSize};

const NEW_ENTRY_COUNT: u32 = 128;

/// Whole sectors and where they belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedPart {
    /// First sector.
    pub lba: Lba,
    /// Content, a multiple of the sector size.
    pub bytes: Vec<u8>,
}

/// A partition table as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedGpt {
    /// One sector.
    pub primary_header: EncodedPart,
    /// The primary copy's entry array.
    pub primary_entries: EncodedPart,
    /// The backup copy's entry array.
    pub backup_entries: EncodedPart,
    /// One sector.
    pub backup_header: EncodedPart,
}

impl Gpt {
    /// An empty table of 128 entries of 128 bytes, laid out as Windows does.
    ///
    /// # Errors
    /// [`GptEditError::DeviceTooSmall`] if no usable sector would be left.
    pub fn new(disk_guid: Guid, device_sectors: u64, sector_size: SectorSize) -> Result<Self, GptEditError> {
        let array_bytes = u64::from(NEW_ENTRY_COUNT * ENTRY_SIZE_MIN);
        let array_sectors = array_bytes / sector_size.bytes();
        let first_usable = 2 + array_sectors;
        // Both arrays, both headers, the MBR, and at least one sector to use.
        if device_sectors < 2 * array_sectors + 4 {
            return Err(GptEditError::DeviceTooSmall { device_sectors });
        }
        let (last, end_usable) = (device_sectors - 1, device_sectors - 1 - array_sectors);
        let copy = |header_lba: u64, entries_lba: u64| {
            let mut header = vec![0; sector_size.bytes() as usize];
            header[..8].copy_from_slice(SIGNATURE);
            header[8..12].copy_from_slice(&REVISION.to_le_bytes());
            header[12..16].copy_from_slice(&HEADER_SIZE_MIN.to_le_bytes());
            CopyBytes {
                header,
                header_lba: Lba(header_lba),
                entries: vec![0; array_bytes as usize],
                entries_lba: Lba(entries_lba),
            }
        };
        Ok(Self {
            sector_size,
            device_sectors,
            disk_guid,
            usable: LbaRange::new(Lba(first_usable), Lba(end_usable)),
            entry_size: ENTRY_SIZE_MIN,
            entry_count: NEW_ENTRY_COUNT,
            partitions: Vec::new(),
            primary: copy(1, 2),
            backup: copy(last, end_usable),
        })
    }

    /// Both copies as bytes with their places.
    pub fn encode(&self) -> EncodedGpt {
        let part = |lba: Lba, bytes: Vec<u8>| EncodedPart { lba, bytes };
        let entries = self.encode_entries(&self.primary);
        let backup_entries = self.encode_entries(&self.backup);
        let header =
            |copy: &CopyBytes, other: Lba| self.encode_header(copy, other, copy.entries_lba, &entries);
        EncodedGpt {
            primary_header: part(
                self.primary.header_lba,
                header(&self.primary, self.backup.header_lba),
            ),
            backup_header: part(
                self.backup.header_lba,
                header(&self.backup, self.primary.header_lba),
            ),
            primary_entries: part(self.primary.entries_lba, entries),
            backup_entries: part(self.backup.entries_lba, backup_entries),
        }
    }

    /// The primary header's sector, but with the primary entries expected at another place: with it, writing one
    /// sector switches from an old array to a new one.
    pub fn primary_header_with_entries_at(&self, entries_lba: Lba) -> Vec<u8> {
        let entries = self.encode_entries(&self.primary);
        self.encode_header(&self.primary, self.backup.header_lba, entries_lba, &entries)
    }

    /// Writes both copies. Does not flush, and leaves LBA 0 alone.
    ///
    /// # Errors
    /// [`GptWriteError`]: another device than the table's (nothing is written), or the medium failed.
    pub fn write(&self, device: &mut dyn Device) -> Result<(), GptWriteError> {
        self.check_device(device)?;
        let encoded = self.encode();
        let parts = [
            &encoded.backup_entries,
            &encoded.backup_header,
            &encoded.primary_entries,
            &encoded.primary_header,
        ];
        for part in parts {
            device.write_at(self.offset(part.lba)?, &part.bytes)?;
        }
        Ok(())
    }

    /// Writes LBA 0 anew as a protective MBR. Only for a new disk: boot code there is lost.
    ///
    /// # Errors
    /// As [`Gpt::write`].
    pub fn write_protective_mbr(&self, device: &mut dyn Device) -> Result<(), GptWriteError> {
        self.check_device(device)?;
        let mut sector = vec![0; self.sector_size.bytes() as usize];
        sector[..512].copy_from_slice(&protective_mbr(self.device_sectors));
        Ok(device.write_at(0, &sector)?)
    }

    fn check_device(&self, device: &dyn Device) -> Result<(), GptWriteError> {
        let sectors = device.size() / self.sector_size.bytes();
        if device.sector_size() == self.sector_size && sectors == self.device_sectors {
            return Ok(());
        }
        Err(GptWriteError::OtherDevice {
            expected_sectors: self.device_sectors,
            expected_sector_bytes: self.sector_size.bytes(),
            actual_bytes: device.size(),
            actual_sector_bytes: device.sector_size().bytes(),
        })
    }

    fn offset(&self, lba: Lba) -> Result<u64, DiskError> {
        lba.offset(self.sector_size).ok_or(DiskError::OutOfBounds {
            offset: u64::MAX,
            length: self.sector_size.bytes(),
            device_len: self.device_sectors.saturating_mul(self.sector_size.bytes()),
        })
    }

    /// The copy's array with the used slots written over it.
    fn encode_entries(&self, copy: &CopyBytes) -> Vec<u8> {
        let mut entries = copy.entries.clone();
        for partition in &self.partitions {
            // Slots are 1..=entry_count, so the place is inside the array.
            let at = (partition.number as usize - 1) * self.entry_size as usize;
            if let Some(slot) = entries.get_mut(at..at + ENTRY_SIZE_MIN as usize) {
                encode_entry(partition, slot);
            }
        }
        entries
    }

    fn encode_header(&self, copy: &CopyBytes, other: Lba, entries_lba: Lba, entries: &[u8]) -> Vec<u8> {
        let mut sector = copy.header.clone();
        let array = entries
            .get(..self.entry_count as usize * self.entry_size as usize)
            .unwrap_or(entries);
        let mut put = |at: usize, bytes: &[u8]| {
            if let Some(field) = sector.get_mut(at..at + bytes.len()) {
                field.copy_from_slice(bytes);
            }
        };
        put(24, &copy.header_lba.0.to_le_bytes());
        put(32, &other.0.to_le_bytes());
        put(40, &self.usable.start.0.to_le_bytes());
        put(48, &(self.usable.end.0 - 1).to_le_bytes());
        put(56, &self.disk_guid.to_bytes_le());
        put(72, &entries_lba.0.to_le_bytes());
        put(80, &self.entry_count.to_le_bytes());
        put(84, &self.entry_size.to_le_bytes());
        put(88, &crc32fast::hash(array).to_le_bytes());
        let size = u32_at(&sector, 12).unwrap_or(HEADER_SIZE_MIN) as usize;
        let crc = header_crc(sector.get(..size).unwrap_or_default());
        if let Some(field) = sector.get_mut(16..20) {
            field.copy_from_slice(&crc.to_le_bytes());
        }
        sector
    }
}

fn encode_entry(partition: &Partition, slot: &mut [u8]) {
    let (first, last) = (partition.range.start.0, partition.range.end.0 - 1);
    let name = partition.name.units().iter().flat_map(|unit| unit.to_le_bytes());
    let fields = partition
        .type_guid
        .to_bytes_le()
        .into_iter()
        .chain(partition.unique_guid.to_bytes_le());
    let fields = fields.chain(first.to_le_bytes()).chain(last.to_le_bytes());
    let fields = fields.chain(partition.attributes.to_le_bytes()).chain(name);
    for (byte, value) in slot.iter_mut().zip(fields) {
        *byte = value;
    }
}
