//! A medium that fails, for tests: at the N-th request of a kind, from there on, or at a place.

use crate::{ByteRange, Device, DiskError, Operation, ReadAt, SectorSize};
use std::cell::{Cell, RefCell};
use std::io;

/// How a device fails. Requests of each kind are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does not.
    None,
    /// That one read fails; the next ones do not.
    Read {
        /// Number of the read.
        number: u64,
    },
    /// Every read that touches these bytes fails, as of a bad sector that stays bad.
    BadSectors {
        /// The bytes.
        range: ByteRange,
    },
    /// That one write fails. Of its sectors, so many have arrived.
    Write {
        /// Number of the write.
        number: u64,
        /// Sectors that arrived: at most all of them.
        arrived: u64,
    },
    /// That write and every later write and flush fail. Nothing of them arrives.
    WritesFrom {
        /// Number of the write.
        number: u64,
    },
    /// Every write that begins in these bytes fails.
    UnwritableSectors {
        /// The bytes.
        range: ByteRange,
    },
    /// That one flush fails.
    Flush {
        /// Number of the flush.
        number: u64,
    },
}

/// What a device was asked to do, and whether it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Read, write or flush.
    pub operation: Operation,
    /// Byte offset; 0 of a flush.
    pub offset: u64,
    /// Length in bytes; 0 of a flush.
    pub length: u64,
    /// Whether it succeeded.
    pub done: bool,
}

/// A device with a [`Fault`], and a log of what it was asked.
#[derive(Debug)]
pub struct Faulty<D> {
    inner: D,
    fault: Fault,
    reads: Cell<u64>,
    writes: u64,
    flushes: u64,
    log: RefCell<Vec<Request>>,
}

impl<D: Device> Faulty<D> {
    /// A device that fails in this way.
    pub fn new(inner: D, fault: Fault) -> Self {
        Self {
            inner,
            fault,
            reads: Cell::new(0),
            writes: 0,
            flushes: 0,
            log: RefCell::new(Vec::new()),
        }
    }

    /// All requests so far, in order.
    pub fn log(&self) -> Vec<Request> {
        self.log.borrow().clone()
    }

    /// How many requests of a kind there were.
    pub fn count(&self, operation: Operation) -> u64 {
        let log = self.log.borrow();
        log.iter()
            .filter(|request| request.operation == operation)
            .count() as u64
    }

    /// The first write or flush that followed a failed one: there has to be none.
    pub fn written_after_failure(&self) -> Option<Request> {
        let log = self.log.borrow();
        let mut changes = log.iter().filter(|request| request.operation != Operation::Read);
        changes.find(|request| !request.done)?;
        changes.next().copied()
    }

    /// The medium, with whatever has arrived on it.
    pub fn into_inner(self) -> D {
        self.inner
    }

    fn note(&self, operation: Operation, offset: u64, length: usize, done: bool) {
        self.log.borrow_mut().push(Request {
            operation,
            offset,
            length: length as u64,
            done,
        });
    }
}

fn failure(operation: Operation, offset: u64, length: usize) -> DiskError {
    let source = match operation {
        Operation::Read => io::Error::other("bad sector"),
        Operation::Write => io::Error::other("no more writes"),
        _ => io::Error::other("cache lost"),
    };
    DiskError::io(operation, offset, length, source)
}

impl<D: Device> ReadAt for Faulty<D> {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let number = self.reads.replace(self.reads.get() + 1);
        let asked = ByteRange::new(offset, offset.saturating_add(buf.len() as u64));
        let fails = match self.fault {
            Fault::Read { number: bad } => number == bad,
            Fault::BadSectors { range } => asked.overlaps(&range),
            _ => false,
        };
        self.note(Operation::Read, offset, buf.len(), !fails);
        if fails {
            return Err(failure(Operation::Read, offset, buf.len()));
        }
        self.inner.read_at(offset, buf)
    }
}

impl<D: Device> Device for Faulty<D> {
    fn sector_size(&self) -> SectorSize {
        self.inner.sector_size()
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        let number = self.writes;
        self.writes += 1;
        let arrived = match self.fault {
            Fault::Write { number: bad, arrived } if number == bad => Some(arrived),
            Fault::WritesFrom { number: bad } if number >= bad => Some(0),
            Fault::UnwritableSectors { range } if range.start <= offset && offset < range.end => Some(0),
            _ => None,
        };
        self.note(Operation::Write, offset, data.len(), arrived.is_none());
        let Some(sectors) = arrived else {
            return self.inner.write_at(offset, data);
        };
        let kept = sectors
            .saturating_mul(self.sector_size().bytes())
            .min(data.len() as u64);
        self.inner.write_at(offset, &data[..kept as usize])?;
        Err(failure(Operation::Write, offset, data.len()))
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        let number = self.flushes;
        self.flushes += 1;
        let fails = match self.fault {
            Fault::Flush { number: bad } => number == bad,
            Fault::WritesFrom { number: bad } => self.writes > bad,
            _ => false,
        };
        self.note(Operation::Flush, 0, 0, !fails);
        if fails {
            return Err(failure(Operation::Flush, 0, 0));
        }
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryDevice;

    fn device(fault: Fault) -> Faulty<MemoryDevice> {
        Faulty::new(MemoryDevice::zeroed(4096, SectorSize::B512), fault)
    }

    #[test]
    fn each_fault_is_where_it_was_asked_for() {
        let read = device(Fault::Read { number: 1 });
        assert!(read.read_vec(0, 1).is_ok() && read.read_vec(0, 1).is_err() && read.read_vec(0, 1).is_ok());
        let range = ByteRange::new(512, 1024);
        let bad = device(Fault::BadSectors { range });
        assert!(
            bad.read_vec(0, 512).is_ok() && bad.read_vec(0, 513).is_err() && bad.read_vec(1023, 9).is_err()
        );
        assert!(bad.read_vec(1024, 1).is_ok());
        let mut short = device(Fault::Write {
            number: 1,
            arrived: 2,
        });
        assert!(short.write_at(0, &[1; 512]).is_ok() && short.write_at(0, &[2; 2048]).is_err());
        assert!(short.write_at(3584, &[3; 512]).is_ok());
        assert_eq!(short.written_after_failure().unwrap().offset, 3584);
        let marks: Vec<u8> = short.into_inner().bytes().iter().step_by(512).copied().collect();
        assert_eq!(marks, [2, 2, 0, 0, 0, 0, 0, 3]);
        let mut gone = device(Fault::WritesFrom { number: 1 });
        assert!(gone.write_at(0, &[1]).is_ok() && gone.flush().is_ok());
        assert!(gone.write_at(0, &[1]).is_err() && gone.flush().is_err() && gone.write_at(0, &[1]).is_err());
        let mut place = device(Fault::UnwritableSectors { range });
        assert!(place.write_at(511, &[1]).is_ok() && place.write_at(1023, &[1]).is_err());
        assert_eq!(place.written_after_failure(), None);
        let mut flush = device(Fault::Flush { number: 1 });
        assert!(flush.flush().is_ok() && flush.flush().is_err() && flush.flush().is_ok());
        assert_eq!(
            (flush.count(Operation::Flush), flush.count(Operation::Read)),
            (3, 0)
        );
        assert!(flush.log()[0].done && !flush.log()[1].done);
    }
}
