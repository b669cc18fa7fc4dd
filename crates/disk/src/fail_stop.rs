//! After the first failed write or flush, nothing more is written.
//!
//! A medium that failed once may have kept any part of what it was given. Going on would put later writes behind a
//! hole, which is the one thing no recovery can reason about.

use crate::{Device, DiskError, ReadAt, SectorSize};

/// A device that refuses every write and flush after the first one that failed. Reads still work.
#[derive(Debug)]
pub struct FailStop<D> {
    inner: D,
    first: Option<String>,
}

impl<D: Device> FailStop<D> {
    /// Wraps `inner`, which has not failed yet.
    pub fn new(inner: D) -> Self {
        Self { inner, first: None }
    }

    /// Whether a write or flush has failed.
    pub fn is_stopped(&self) -> bool {
        self.first.is_some()
    }

    /// The device beneath.
    pub fn into_inner(self) -> D {
        self.inner
    }

    fn guarded(&mut self, act: impl FnOnce(&mut D) -> Result<(), DiskError>) -> Result<(), DiskError> {
        if let Some(first) = &self.first {
            return Err(DiskError::Stopped { first: first.clone() });
        }
        act(&mut self.inner).inspect_err(|error| self.first = Some(error.to_string()))
    }
}

impl<D: Device> ReadAt for FailStop<D> {
    fn size(&self) -> u64 {
        self.inner.size()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.inner.read_at(offset, buf)
    }
}

impl<D: Device> Device for FailStop<D> {
    fn sector_size(&self) -> SectorSize {
        self.inner.sector_size()
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        self.guarded(|inner| inner.write_at(offset, data))
    }
    fn flush(&mut self) -> Result<(), DiskError> {
        self.guarded(Device::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryDevice, Operation};
    use std::io;

    /// Fails its second write and its second flush, and counts what reaches it.
    struct Flaky {
        memory: MemoryDevice,
        writes: u32,
        flushes: u32,
    }

    impl ReadAt for Flaky {
        fn size(&self) -> u64 {
            self.memory.size()
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
            self.memory.read_at(offset, buf)
        }
    }

    impl Device for Flaky {
        fn sector_size(&self) -> SectorSize {
            SectorSize::B512
        }
        fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
            self.writes += 1;
            if self.writes == 2 {
                let source = io::Error::other("bad block");
                return Err(DiskError::io(Operation::Write, offset, data.len(), source));
            }
            self.memory.write_at(offset, data)
        }
        fn flush(&mut self) -> Result<(), DiskError> {
            self.flushes += 1;
            if self.flushes == 2 {
                let source = io::Error::other("cache lost");
                return Err(DiskError::io(Operation::Flush, 0, 0, source));
            }
            Ok(())
        }
    }

    fn flaky() -> FailStop<Flaky> {
        FailStop::new(Flaky {
            memory: MemoryDevice::zeroed(1024, SectorSize::B512),
            writes: 0,
            flushes: 0,
        })
    }

    #[test]
    fn a_failed_write_stops_writes_and_flushes_but_not_reads() {
        let mut device = flaky();
        device.write_at(0, b"one").unwrap();
        assert!(matches!(device.write_at(0, b"two"), Err(DiskError::Io { .. })));
        assert!(device.is_stopped());
        assert!(matches!(device.flush(), Err(DiskError::Stopped { .. })));
        let Err(DiskError::Stopped { first }) = device.write_at(0, b"three") else {
            panic!("the third write was not refused");
        };
        assert!(first.contains("bad block"), "{first}");
        assert_eq!(device.read_vec(0, 3).unwrap(), b"one");
        let inner = device.into_inner();
        assert_eq!((inner.writes, inner.flushes), (2, 0));
    }

    #[test]
    fn a_failed_flush_stops_writes() {
        let mut device = flaky();
        device.flush().unwrap();
        assert!(device.flush().is_err());
        assert!(matches!(device.write_at(0, b"x"), Err(DiskError::Stopped { .. })));
        assert_eq!(device.into_inner().writes, 0);
    }
}
