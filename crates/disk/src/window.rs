//! A part of a device, seen as a whole one: a partition, a volume inside an image.

use crate::{ByteRange, Device, DiskError, ReadAt, SectorSize};

fn inside(range: ByteRange, offset: u64, length: usize) -> Result<u64, DiskError> {
    DiskError::check_bounds(offset, length, range.len())?;
    Ok(range.start + offset)
}

fn check_range(range: ByteRange, device_len: u64) -> Result<(), DiskError> {
    if range.end > device_len {
        return Err(DiskError::OutOfBounds {
            offset: range.start,
            length: range.len(),
            device_len,
        });
    }
    Ok(())
}

/// A readable part of something readable. Offsets count from the start of the part.
#[derive(Debug, Clone, Copy)]
pub struct ReadWindow<R> {
    inner: R,
    range: ByteRange,
}

impl<R: ReadAt> ReadWindow<R> {
    /// The part `range` of `inner`.
    ///
    /// # Errors
    /// [`DiskError::OutOfBounds`] if the range reaches behind the end of `inner`.
    pub fn new(inner: R, range: ByteRange) -> Result<Self, DiskError> {
        check_range(range, inner.size())?;
        Ok(Self { inner, range })
    }

    /// Where the part lies.
    pub fn range(&self) -> ByteRange {
        self.range
    }
}

impl<R: ReadAt> ReadAt for ReadWindow<R> {
    fn size(&self) -> u64 {
        self.range.len()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.inner.read_at(inside(self.range, offset, buf.len())?, buf)
    }
}

/// A writable part of a device. Offsets count from the start of the part; nothing outside can be written.
#[derive(Debug)]
pub struct Window<D> {
    inner: D,
    range: ByteRange,
}

impl<D: Device> Window<D> {
    /// The part `range` of `inner`.
    ///
    /// # Errors
    /// [`DiskError::OutOfBounds`] if the range reaches behind the end of `inner`.
    pub fn new(inner: D, range: ByteRange) -> Result<Self, DiskError> {
        check_range(range, inner.size())?;
        Ok(Self { inner, range })
    }

    /// Where the part lies.
    pub fn range(&self) -> ByteRange {
        self.range
    }
}

impl<D: Device> ReadAt for Window<D> {
    fn size(&self) -> u64 {
        self.range.len()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.inner.read_at(inside(self.range, offset, buf.len())?, buf)
    }
}

impl<D: Device> Device for Window<D> {
    fn sector_size(&self) -> SectorSize {
        self.inner.sector_size()
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        let at = inside(self.range, offset, data.len())?;
        self.inner.write_at(at, data)
    }
    fn flush_soon(&mut self) {
        self.inner.flush_soon();
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryDevice;

    #[test]
    fn a_window_counts_from_its_start_and_ends_at_its_end() {
        let mut device = MemoryDevice::zeroed(4096, SectorSize::B512);
        let mut window = Window::new(&mut device, ByteRange::new(512, 1024)).unwrap();
        window.write_at(511, b"x").unwrap();
        assert!(matches!(
            window.write_at(511, b"xy"),
            Err(DiskError::OutOfBounds { .. })
        ));
        assert_eq!(device.read_vec(1022, 3).unwrap(), [0, b'x', 0]);
        assert!(Window::new(&mut device, ByteRange::new(0, 4097)).is_err());
    }
}
