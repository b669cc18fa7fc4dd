//! The narrow interface to a medium, and what is assumed of one.
//!
//! # Assumptions about the medium
//!
//! * A [`Device::flush`] that returned made every earlier write durable.
//! * Between two flushes any subset of the written sectors may be on the medium, in any order.
//! * A sector is written whole or not at all. A torn *record* of several sectors is caught by its checksum.
//! * After the first failed write or flush nothing more may be written; the device wrapper that keeps this rule
//!   refuses with [`crate::DiskError::Stopped`].

use crate::{DiskError, SectorSize};

/// Bytes that can be read at any offset.
pub trait ReadAt {
    /// Length in bytes.
    fn size(&self) -> u64;

    /// Fills `buf` with the bytes at `offset`.
    ///
    /// # Errors
    /// [`DiskError::OutOfBounds`] if the request reaches behind the end, [`DiskError::Io`] if the medium fails.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError>;

    /// The `length` bytes at `offset` as a new vector. The bounds are checked before anything is allocated.
    ///
    /// # Errors
    /// As [`ReadAt::read_at`].
    fn read_vec(&self, offset: u64, length: usize) -> Result<Vec<u8>, DiskError> {
        DiskError::check_bounds(offset, length, self.size())?;
        let mut buf = vec![0; length];
        self.read_at(offset, &mut buf)?;
        Ok(buf)
    }
}

/// A medium that can be written. See the module's text for what is assumed of it.
pub trait Device: ReadAt {
    /// Size of a logical sector.
    fn sector_size(&self) -> SectorSize;

    /// Writes `data` at `offset`. Not durable before the next [`Device::flush`].
    ///
    /// # Errors
    /// [`DiskError::OutOfBounds`], [`DiskError::Io`], [`DiskError::Stopped`] or [`DiskError::ReadOnly`].
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError>;

    /// Returns when every earlier write is durable.
    ///
    /// # Errors
    /// [`DiskError::Io`] or [`DiskError::Stopped`].
    fn flush(&mut self) -> Result<(), DiskError>;

    /// A hint: much was written, and a flush will follow. The medium may begin with it while more is written.
    fn flush_soon(&mut self) {}
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn size(&self) -> u64 {
        (**self).size()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        (**self).read_at(offset, buf)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &mut T {
    fn size(&self) -> u64 {
        (**self).size()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        (**self).read_at(offset, buf)
    }
}

impl<T: Device + ?Sized> Device for &mut T {
    fn sector_size(&self) -> SectorSize {
        (**self).sector_size()
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        (**self).write_at(offset, data)
    }
    fn flush(&mut self) -> Result<(), DiskError> {
        (**self).flush()
    }
    fn flush_soon(&mut self) {
        (**self).flush_soon();
    }
}

impl<T: ReadAt + ?Sized> ReadAt for Box<T> {
    fn size(&self) -> u64 {
        (**self).size()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        (**self).read_at(offset, buf)
    }
}

impl<T: Device + ?Sized> Device for Box<T> {
    fn sector_size(&self) -> SectorSize {
        (**self).sector_size()
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        (**self).write_at(offset, data)
    }
    fn flush(&mut self) -> Result<(), DiskError> {
        (**self).flush()
    }
    fn flush_soon(&mut self) {
        (**self).flush_soon();
    }
}

impl ReadAt for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        DiskError::check_bounds(offset, buf.len(), self.size())?;
        // In bounds, so the offset fits a usize.
        let start = offset as usize;
        buf.copy_from_slice(&self[start..start + buf.len()]);
        Ok(())
    }
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.as_slice().read_at(offset, buf)
    }
}
