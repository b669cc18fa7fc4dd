//! Counts what is read and written, for budgets and benchmarks.

use crate::{Device, DiskError, ReadAt, SectorSize};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A device, or something readable, that counts requests and bytes. Failed requests do not count.
#[derive(Debug, Default)]
pub struct Metered<R> {
    inner: R,
    // Atomics rather than cells, so that counting does not cost the wrapped type its `Sync`.
    bytes_read: AtomicU64,
    reads: AtomicU64,
    bytes_written: u64,
    writes: u64,
    flushes: u64,
}

impl<R> Metered<R> {
    /// Wraps `inner` with all counters at zero.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            bytes_read: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            bytes_written: 0,
            writes: 0,
            flushes: 0,
        }
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Relaxed)
    }

    /// Read requests so far.
    pub fn reads(&self) -> u64 {
        self.reads.load(Relaxed)
    }

    /// Bytes written so far.
    pub fn bytes_written(&self) -> u64 {
        self.bytes_written
    }

    /// Write requests so far.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// Flushes so far.
    pub fn flushes(&self) -> u64 {
        self.flushes
    }

    /// What is beneath.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: ReadAt> ReadAt for Metered<R> {
    fn size(&self) -> u64 {
        self.inner.size()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.inner.read_at(offset, buf)?;
        self.bytes_read.fetch_add(buf.len() as u64, Relaxed);
        self.reads.fetch_add(1, Relaxed);
        Ok(())
    }
}

impl<D: Device> Device for Metered<D> {
    fn sector_size(&self) -> SectorSize {
        self.inner.sector_size()
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        self.inner.write_at(offset, data)?;
        self.bytes_written += data.len() as u64;
        self.writes += 1;
        Ok(())
    }
    fn flush_soon(&mut self) {
        self.inner.flush_soon();
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        self.inner.flush()?;
        self.flushes += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryDevice;

    #[test]
    fn requests_and_bytes_are_counted_and_failures_are_not() {
        let mut device = Metered::new(MemoryDevice::zeroed(1024, SectorSize::B512));
        device.read_vec(0, 100).unwrap();
        device.read_vec(1000, 24).unwrap();
        assert!(device.read_at(1000, &mut [0; 25]).is_err());
        device.write_at(0, &[1; 7]).unwrap();
        assert!(device.write_at(1024, &[1]).is_err());
        device.flush().unwrap();
        assert_eq!((device.bytes_read(), device.reads()), (124, 2));
        assert_eq!(
            (device.bytes_written(), device.writes(), device.flushes()),
            (7, 1, 1)
        );
    }
}
