//! Where contents come from, and where volumes go that are made to be measured.

use crate::content;
use winrefit_disk::{Device, DiskError, ReadAt, SectorSize};

fn check_bounds(offset: u64, length: usize, device_len: u64) -> Result<(), DiskError> {
    let length = length as u64;
    match offset.checked_add(length) {
        Some(end) if end <= device_len => Ok(()),
        _ => Err(DiskError::OutOfBounds {
            offset,
            length,
            device_len,
        }),
    }
}

/// The content of a generated file.
pub(crate) struct Generated {
    pub(crate) size_bytes: u64,
    pub(crate) seed: u64,
}

impl ReadAt for Generated {
    fn size(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        check_bounds(offset, buf.len(), self.size_bytes)?;
        content::fill(self.seed, offset, buf);
        Ok(())
    }
}

/// A device that takes everything and keeps nothing, to learn how large a volume becomes.
pub(crate) struct Nowhere {
    size_bytes: u64,
    sector_size: SectorSize,
}

impl Nowhere {
    pub(crate) fn like(device: &dyn Device) -> Self {
        Self {
            size_bytes: device.size(),
            sector_size: device.sector_size(),
        }
    }
}

impl ReadAt for Nowhere {
    fn size(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        check_bounds(offset, buf.len(), self.size_bytes)?;
        buf.fill(0);
        Ok(())
    }
}

impl Device for Nowhere {
    fn sector_size(&self) -> SectorSize {
        self.sector_size
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        check_bounds(offset, data.len(), self.size_bytes)
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        Ok(())
    }
}
