//! A device in memory, for tests and for building small structures.

use crate::{Device, DiskError, ReadAt, SectorSize};

/// A device that is a vector of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryDevice {
    bytes: Vec<u8>,
    sector_size: SectorSize,
}

impl MemoryDevice {
    /// A device of `length` zero bytes.
    pub fn zeroed(length: usize, sector_size: SectorSize) -> Self {
        Self {
            bytes: vec![0; length],
            sector_size,
        }
    }

    /// A device with this content.
    pub fn from_bytes(bytes: Vec<u8>, sector_size: SectorSize) -> Self {
        Self { bytes, sector_size }
    }

    /// The whole content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole content, for planting damage in tests.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl ReadAt for MemoryDevice {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.bytes.read_at(offset, buf)
    }
}

impl Device for MemoryDevice {
    fn sector_size(&self) -> SectorSize {
        self.sector_size
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        DiskError::check_bounds(offset, data.len(), self.size())?;
        let start = offset as usize;
        self.bytes[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
    fn flush(&mut self) -> Result<(), DiskError> {
        Ok(())
    }
}
