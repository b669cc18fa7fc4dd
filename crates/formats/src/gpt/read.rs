//! Reading one copy of the table: every field checked before it is used.
//!
//! Rules: UEFI specification 2.10, chapter 5.3. Bounds of our own: an entry has at most 4096 bytes and an array at
//! most 4 MiB (Windows, Linux and firmware write 128 entries of 128 bytes), so no header makes us read more.

use super::error::{CopyKind, GptError};
use super::model::{CopyBytes, LbaRange, NAME_UNITS, Partition, PartitionName};
use crate::Guid;
use crate::bytes::{array_at, u32_at, u64_at, utf16_units};
use winrefit_disk::{DiskError, Lba, ReadAt, SectorSize};

pub(super) const SIGNATURE: &[u8; 8] = b"EFI PART";
pub(super) const REVISION: u32 = 0x0001_0000;
pub(super) const HEADER_SIZE_MIN: u32 = 92;
pub(super) const ENTRY_SIZE_MIN: u32 = 128;
const ENTRY_SIZE_MAX: u32 = 4096;
const ARRAY_BYTES_MAX: u64 = 4 << 20;

/// Finds the sector size by looking for GPT headers: a sound one in LBA 1, a sound one in the last sector, or at least
/// a signature in LBA 1, in this order, so that an old header left behind under a new table does not count. `None` if
/// there is none of these, also if the sectors cannot be read.
pub fn detect_sector_size(disk: &dyn ReadAt) -> Option<SectorSize> {
    let sizes = [SectorSize::B512, SectorSize::B4096];
    let sector = |size: SectorSize, lba: Lba| disk.read_vec(lba.offset(size)?, size.bytes() as usize).ok();
    let sound = |size, lba| sector(size, lba).is_some_and(|s| Fields::parse(&s, lba).is_ok());
    let last = |size: SectorSize| Lba((disk.size() / size.bytes()).saturating_sub(1));
    let primary = sizes.into_iter().find(|&size| sound(size, Lba(1)));
    primary
        .or_else(|| sizes.into_iter().find(|&size| sound(size, last(size))))
        .or_else(|| {
            let signed = |size| sector(size, Lba(1)).is_some_and(|s| s.starts_with(SIGNATURE));
            sizes.into_iter().find(|&size| signed(size))
        })
}

/// The fields of a header whose signature, revision, size, checksum and own place are right.
struct Fields {
    alternate_lba: Lba,
    first_usable: Lba,
    last_usable: Lba,
    disk_guid: Guid,
    entries_lba: Lba,
    entry_count: u32,
    entry_size: u32,
    entries_crc: u32,
}

impl Fields {
    fn parse(sector: &[u8], lba: Lba) -> Result<Self, GptError> {
        let short = || GptError::NoSignature { lba };
        if !sector.starts_with(SIGNATURE) {
            return Err(short());
        }
        let revision = u32_at(sector, 8).ok_or_else(short)?;
        if revision != REVISION {
            let actual = revision;
            return Err(GptError::Revision { lba, actual });
        }
        let size = u32_at(sector, 12).ok_or_else(short)?;
        let header = sector.get(..size as usize).filter(|_| size >= HEADER_SIZE_MIN);
        let header = header.ok_or(GptError::HeaderSize {
            lba,
            actual: size,
            sector_bytes: sector.len() as u64,
        })?;
        let expected = u32_at(sector, 16).ok_or_else(short)?;
        let actual = header_crc(header);
        if actual != expected {
            return Err(GptError::HeaderCrc {
                lba,
                expected,
                actual,
            });
        }
        let my_lba = Lba(u64_at(header, 24).ok_or_else(short)?);
        if my_lba != lba {
            let actual = my_lba;
            return Err(GptError::MyLba { lba, actual });
        }
        Self::rest(header).ok_or_else(short)
    }

    fn rest(header: &[u8]) -> Option<Self> {
        Some(Self {
            alternate_lba: Lba(u64_at(header, 32)?),
            first_usable: Lba(u64_at(header, 40)?),
            last_usable: Lba(u64_at(header, 48)?),
            disk_guid: Guid::from_bytes_le(array_at(header, 56)?),
            entries_lba: Lba(u64_at(header, 72)?),
            entry_count: u32_at(header, 80)?,
            entry_size: u32_at(header, 84)?,
            entries_crc: u32_at(header, 88)?,
        })
    }
}

/// The checksum of a header, for which its own field counts as zero.
pub(super) fn header_crc(header: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header.get(..16).unwrap_or_default());
    hasher.update(&[0; 4]);
    hasher.update(header.get(20..).unwrap_or_default());
    hasher.finalize()
}

/// One good copy of the table. Good for looking at; only [`super::GptReading::usable`] gives one that may be changed.
#[derive(Debug, Clone)]
pub struct GptCopy {
    pub(super) kind: CopyKind,
    pub(super) alternate_lba: Lba,
    pub(super) disk_guid: Guid,
    pub(super) usable: LbaRange,
    pub(super) entry_size: u32,
    pub(super) entry_count: u32,
    pub(super) partitions: Vec<Partition>,
    pub(super) bytes: CopyBytes,
}

impl GptCopy {
    /// Which copy this is.
    pub fn kind(&self) -> CopyKind {
        self.kind
    }

    /// Where its header lies.
    pub fn header_lba(&self) -> Lba {
        self.bytes.header_lba
    }

    /// Where its entries begin.
    pub fn entries_lba(&self) -> Lba {
        self.bytes.entries_lba
    }

    /// Where it says that the other copy's header lies.
    pub fn alternate_lba(&self) -> Lba {
        self.alternate_lba
    }

    /// Identity of the disk.
    pub fn disk_guid(&self) -> Guid {
        self.disk_guid
    }

    /// Where partitions may lie.
    pub fn usable(&self) -> LbaRange {
        self.usable
    }

    /// The used slots in the order of their numbers.
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    pub(super) fn read(disk: &Disk<'_>, kind: CopyKind, lba: Lba) -> Result<Self, GptError> {
        if lba.0 >= disk.sectors {
            let device_sectors = disk.sectors;
            return Err(GptError::HeaderOutOfBounds { lba, device_sectors });
        }
        let header = disk.sectors_at(lba, 1)?;
        let fields = Fields::parse(&header, lba)?;
        let (usable, array) = disk.check_geometry(&fields, lba)?;
        let entries = disk.sectors_at(array.start, array.sectors())?;
        let length = fields.entry_count as usize * fields.entry_size as usize;
        let actual = crc32fast::hash(entries.get(..length).unwrap_or_default());
        if actual != fields.entries_crc {
            return Err(GptError::EntriesCrc {
                lba: array.start,
                expected: fields.entries_crc,
                actual,
            });
        }
        let used = entries
            .chunks_exact(fields.entry_size as usize)
            .take(fields.entry_count as usize);
        let mut partitions = Vec::new();
        for (number, raw) in (1u32..).zip(used) {
            partitions.extend(parse_entry(number, raw, usable)?);
        }
        check_partitions(&partitions)?;
        if partitions.iter().any(|p| p.range.overlaps(&array)) {
            return Err(GptError::EntriesPlace { lba, array });
        }
        Ok(Self {
            kind,
            alternate_lba: fields.alternate_lba,
            disk_guid: fields.disk_guid,
            usable,
            entry_size: fields.entry_size,
            entry_count: fields.entry_count,
            partitions,
            bytes: CopyBytes {
                header,
                header_lba: lba,
                entries,
                entries_lba: array.start,
            },
        })
    }

    /// The entry array without the filling of its last sector.
    pub(super) fn entry_bytes(&self) -> Option<&[u8]> {
        self.bytes
            .entries
            .get(..self.entry_count as usize * self.entry_size as usize)
    }
}

/// A disk as sectors.
pub(super) struct Disk<'a> {
    pub disk: &'a dyn ReadAt,
    pub sector_size: SectorSize,
    pub sectors: u64,
}

impl Disk<'_> {
    /// Callers have bounded `count`: 1 or the array's.
    pub(super) fn sectors_at(&self, lba: Lba, count: u64) -> Result<Vec<u8>, DiskError> {
        let offset = lba.offset(self.sector_size).unwrap_or(u64::MAX);
        self.disk
            .read_vec(offset, (count * self.sector_size.bytes()) as usize)
    }

    /// The usable range and the place of the entry array, both on the device and clear of the headers.
    fn check_geometry(&self, fields: &Fields, lba: Lba) -> Result<(LbaRange, LbaRange), GptError> {
        let (entry_size, entry_count) = (fields.entry_size, fields.entry_count);
        let array_bytes = u64::from(entry_size) * u64::from(entry_count);
        let size_ok = (ENTRY_SIZE_MIN..=ENTRY_SIZE_MAX).contains(&entry_size) && entry_size.is_power_of_two();
        if !size_ok || entry_count == 0 || array_bytes > ARRAY_BYTES_MAX {
            return Err(GptError::EntryGeometry {
                lba,
                entry_size,
                entry_count,
            });
        }
        let (first, last) = (fields.first_usable, fields.last_usable);
        let headers = [Lba(0), Lba(1), lba];
        if first > last || last.0 >= self.sectors || headers.iter().any(|h| (first..=last).contains(h)) {
            return Err(GptError::UsableRange {
                lba,
                first,
                last,
                device_sectors: self.sectors,
            });
        }
        let array_sectors = array_bytes.div_ceil(self.sector_size.bytes());
        let start = fields.entries_lba;
        let array = LbaRange::new(start, Lba(start.0.saturating_add(array_sectors)));
        let covers_header = headers.iter().any(|h| (array.start..array.end).contains(h));
        if covers_header || array.end.0 > self.sectors {
            return Err(GptError::EntriesPlace { lba, array });
        }
        Ok((LbaRange::new(first, Lba(last.0 + 1)), array))
    }
}

/// The entry as a partition, or `None` if the slot is unused.
fn parse_entry(number: u32, raw: &[u8], usable: LbaRange) -> Result<Option<Partition>, GptError> {
    let Some((type_guid, unique_guid, first, last, attributes)) = entry_fields(raw) else {
        return Ok(None);
    };
    if type_guid.is_zero() {
        return Ok(None);
    }
    if first > last || first < usable.start || last >= usable.end {
        return Err(GptError::PartitionRange {
            number,
            first,
            last,
            usable,
        });
    }
    let mut units = [0; NAME_UNITS];
    for (unit, value) in units
        .iter_mut()
        .zip(utf16_units(raw.get(56..).unwrap_or_default()))
    {
        *unit = value;
    }
    Ok(Some(Partition {
        number,
        type_guid,
        unique_guid,
        range: LbaRange::new(first, Lba(last.0 + 1)),
        attributes,
        name: PartitionName::from_units(units),
    }))
}

fn entry_fields(raw: &[u8]) -> Option<(Guid, Guid, Lba, Lba, u64)> {
    Some((
        Guid::from_bytes_le(array_at(raw, 0)?),
        Guid::from_bytes_le(array_at(raw, 16)?),
        Lba(u64_at(raw, 32)?),
        Lba(u64_at(raw, 40)?),
        u64_at(raw, 48)?,
    ))
}

fn check_partitions(partitions: &[Partition]) -> Result<(), GptError> {
    let mut by_start: Vec<&Partition> = partitions.iter().collect();
    by_start.sort_by_key(|p| p.range.start);
    let mut by_guid: Vec<&Partition> = partitions.iter().collect();
    by_guid.sort_by_key(|p| p.unique_guid);
    for (a, b) in by_start.iter().zip(by_start.iter().skip(1)) {
        if a.range.overlaps(&b.range) {
            let (first, second) = (a.number, b.number);
            return Err(GptError::Overlap { first, second });
        }
    }
    for (a, b) in by_guid.iter().zip(by_guid.iter().skip(1)) {
        if a.unique_guid == b.unique_guid {
            return Err(GptError::DuplicateGuid {
                first: a.number,
                second: b.number,
                guid: a.unique_guid,
            });
        }
    }
    Ok(())
}
