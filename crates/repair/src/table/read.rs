//! Which table a disk has, and in which sectors it counts.

use super::{Changeable, DiskId, Table, TableProblem, gpt_entries, mbr_entries};
use crate::error::RepairError;
use winrefit_disk::{ByteRange, Lba, ReadAt, SectorSize};
use winrefit_formats::gpt::{GptReadError, GptReading};
use winrefit_formats::mbr::MbrReading;
use winrefit_formats::{GptDisagreement, LbaRange, NotGpt, detect_sector_size, read_gpt, read_mbr};

/// The table of a disk and the size of the sectors that it counts in.
#[derive(Debug)]
pub struct TableReading {
    /// The table.
    pub table: Table,
    /// Logical sector size.
    pub sector_size: SectorSize,
}

/// Reads the table. `device` is the sector size that the device itself reports.
///
/// # Errors
/// [`RepairError::Gpt`], [`RepairError::Mbr`], [`RepairError::BothTables`], [`RepairError::SectorSize`].
pub fn read_table(disk: &dyn ReadAt, device: Option<SectorSize>) -> Result<TableReading, RepairError> {
    let detected = detect_sector_size(disk);
    let size = detected.or(device).unwrap_or_default();
    let mbr = || {
        let size = device.or_else(|| mbr_sector_size(disk)).unwrap_or_default();
        Ok::<_, RepairError>((Table::of_mbr(disk, size)?, size))
    };
    let (table, sector_size) = match read_gpt(disk, size) {
        // Remains of a GPT behind a table that is none: the disk was partitioned anew.
        Ok(reading) if reading.primary.is_err() && reading.mbr.is_table() => mbr()?,
        Ok(reading) => (Table::of_gpt(&reading)?, size),
        Err(GptReadError::NotGpt(NotGpt::Mbr { .. })) => mbr()?,
        Err(error) => return Err(error.into()),
    };
    match device {
        Some(device) if device != sector_size => Err(RepairError::SectorSize {
            table: sector_size,
            device,
        }),
        _ => Ok(TableReading { table, sector_size }),
    }
}

/// The size of the sectors that the table of a disk counts in, as far as the disk tells.
pub fn sector_size(disk: &dyn ReadAt) -> Option<SectorSize> {
    read_table(disk, None).ok().map(|reading| reading.sector_size)
}

/// An MBR does not say how large its sectors are; the volumes do, which begin where it says in sectors of one size.
fn mbr_sector_size(disk: &dyn ReadAt) -> Option<SectorSize> {
    let volumes = |size: SectorSize| {
        let reading = read_mbr(disk, size).ok()?;
        let boot_sectors = reading.partitions.iter().filter(|p| {
            let sector = p
                .range
                .start
                .offset(size)
                .and_then(|at| disk.read_vec(at, 512).ok());
            sector.is_some_and(|sector| {
                let claimed = u64::from(u16::from_le_bytes([sector[11], sector[12]]));
                sector[510..] == [0x55, 0xaa] && claimed == size.bytes()
            })
        });
        Some(boot_sectors.count())
    };
    let sizes = [SectorSize::B512, SectorSize::B4096];
    // Of equal ones the last: the first is the usual one.
    sizes
        .into_iter()
        .rev()
        .max_by_key(|&size| volumes(size).unwrap_or(0))
}

impl Table {
    /// What a GPT says.
    ///
    /// # Errors
    /// [`RepairError::BothTables`] if neither copy can be read.
    pub fn of_gpt(reading: &GptReading) -> Result<Self, RepairError> {
        let Some(copy) = reading.best() else {
            let (Err(primary), Err(backup)) = (&reading.primary, &reading.backup) else {
                return Err(RepairError::NoSuchPartition { number: 0 });
            };
            let (primary, backup) = (primary.clone(), backup.clone());
            return Err(RepairError::BothTables(GptDisagreement::BothDamaged {
                primary,
                backup,
            }));
        };
        let changeable = reading.changeable();
        let usable = changeable.as_ref().map_or(copy.usable(), |c| c.gpt.usable());
        let mut journal_ranges = vec![copy.usable()];
        // Once the backup has moved, the range ends elsewhere.
        if usable != copy.usable() {
            journal_ranges.push(usable);
        }
        Ok(Self {
            id: DiskId::Gpt(copy.disk_guid()),
            usable,
            sound: reading.usable().map(|_| ()).map_err(TableProblem::Gpt),
            changeable: changeable
                .map(|c| Changeable::Gpt(Box::new(c)))
                .map_err(TableProblem::Gpt),
            entries: gpt_entries(copy),
            journal_ranges,
            sector_size: reading.sector_size,
        })
    }

    fn of_mbr(disk: &dyn ReadAt, sector_size: SectorSize) -> Result<Self, RepairError> {
        Ok(Self::of_mbr_reading(&read_mbr(disk, sector_size)?))
    }

    /// What an MBR says.
    pub fn of_mbr_reading(reading: &MbrReading) -> Self {
        let usable = LbaRange::new(Lba(1), Lba(reading.device_sectors.min(1 << 32)));
        let changeable = reading.usable();
        Self {
            id: DiskId::Mbr(reading.disk_signature()),
            usable,
            sound: changeable.as_ref().map(|_| ()).map_err(|e| e.clone().into()),
            changeable: changeable
                .map(|mbr| Changeable::Mbr(Box::new(mbr)))
                .map_err(TableProblem::Mbr),
            entries: mbr_entries(&reading.partitions),
            journal_ranges: vec![usable],
            sector_size: reading.sector_size,
        }
    }

    /// A range of sectors in bytes.
    pub fn bytes(&self, range: LbaRange) -> ByteRange {
        range.bytes(self.sector_size)
    }
}
