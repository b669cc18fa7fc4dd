//! A log of every write and flush, and the images that a power cut could have left of it.
//!
//! This is the assumption of [`crate::device`] made executable: a flush makes what came before it durable, and of the
//! writes since the last flush any set of sectors may have arrived.

use crate::{Device, DiskError, ReadAt, SectorSize};

/// One thing a device was told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Bytes were written.
    Write {
        /// Byte offset on the device.
        offset: u64,
        /// The bytes.
        data: Vec<u8>,
    },
    /// Everything written so far was made durable.
    Flush,
}

/// A device that logs, in order, what succeeded on it. The log holds the written data.
#[derive(Debug)]
pub struct Recording<D> {
    inner: D,
    events: Vec<Event>,
}

impl<D: Device> Recording<D> {
    /// Wraps `inner` with an empty log.
    pub fn new(inner: D) -> Self {
        Self {
            inner,
            events: Vec::new(),
        }
    }

    /// The log so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Number of bytes written so far, repeated ones counted each time.
    pub fn bytes_written(&self) -> u64 {
        let length = |event: &Event| match event {
            Event::Write { data, .. } => data.len() as u64,
            Event::Flush => 0,
        };
        self.events.iter().map(length).sum()
    }

    /// The device and the log.
    pub fn into_parts(self) -> (D, Vec<Event>) {
        (self.inner, self.events)
    }
}

impl<D: Device> ReadAt for Recording<D> {
    fn size(&self) -> u64 {
        self.inner.size()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.inner.read_at(offset, buf)
    }
}

impl<D: Device> Device for Recording<D> {
    fn sector_size(&self) -> SectorSize {
        self.inner.sector_size()
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        self.inner.write_at(offset, data)?;
        self.events.push(Event::Write {
            offset,
            data: data.to_vec(),
        });
        Ok(())
    }
    fn flush(&mut self) -> Result<(), DiskError> {
        self.inner.flush()?;
        self.events.push(Event::Flush);
        Ok(())
    }
}

/// Repeats `events` on `device`: with the image from before the recording and a prefix of the log this is the state
/// at that point.
///
/// # Errors
/// Whatever writing to `device` returns.
pub fn replay(device: &mut impl Device, events: &[Event]) -> Result<(), DiskError> {
    events.iter().try_for_each(|event| match event {
        Event::Write { offset, data } => device.write_at(*offset, data),
        Event::Flush => device.flush(),
    })
}

/// One way in which a power cut can leave the medium. Positions are indices into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// The first `count` events happened, nothing else did.
    Prefix {
        /// Number of events.
        count: usize,
    },
    /// Everything before `end`, the next flush, arrived except this one write.
    Lost {
        /// The write that did not arrive.
        write: usize,
        /// The flush, or the end of the log, that did not happen any more.
        end: usize,
    },
    /// Everything before `write` arrived, and the first bytes of it.
    Torn {
        /// The write that was cut.
        write: usize,
        /// How many of its bytes arrived: whole sectors, neither none nor all.
        kept: usize,
    },
    /// Everything before `start` arrived, and of each sector written from there to `end` an arbitrary choice.
    Shuffled {
        /// First event behind the last flush that returned.
        start: usize,
        /// The flush, or the end of the log, that did not happen any more.
        end: usize,
        /// Chooses the sectors.
        seed: u64,
    },
}

/// How many arbitrary choices of sectors each stretch between two flushes is tried with.
const SHUFFLES: u64 = 4;

impl Crash {
    /// All cuts of a log: each prefix, each write lost, each write torn at each sector, and some arbitrary subsets.
    pub fn all(events: &[Event], sector_size: SectorSize) -> Vec<Self> {
        let mut crashes: Vec<Self> = (0..=events.len()).map(|count| Self::Prefix { count }).collect();
        let mut start = 0;
        for end in 0..=events.len() {
            if events.get(end).is_some_and(|event| *event != Event::Flush) {
                continue;
            }
            for (write, event) in events.iter().enumerate().take(end).skip(start) {
                crashes.push(Self::Lost { write, end });
                if let Event::Write { data, .. } = event {
                    let step = sector_size.bytes() as usize;
                    let cuts = (step..data.len()).step_by(step);
                    crashes.extend(cuts.map(|kept| Self::Torn { write, kept }));
                }
            }
            if end > start {
                crashes.extend((0..SHUFFLES).map(|seed| Self::Shuffled { start, end, seed }));
            }
            start = end + 1;
        }
        crashes
    }

    /// Brings `device`, which holds the image from before the recording, to the state after this cut.
    ///
    /// # Errors
    /// Whatever writing to `device` returns; an index that the log does not have counts as its end.
    pub fn apply(&self, device: &mut impl Device, events: &[Event]) -> Result<(), DiskError> {
        let before = |count: usize| &events[..count.min(events.len())];
        match *self {
            Self::Prefix { count } => replay(device, before(count)),
            Self::Lost { write, end } => {
                replay(device, before(write))?;
                replay(device, before(end).get(write + 1..).unwrap_or_default())
            }
            Self::Torn { write, kept } => {
                replay(device, before(write))?;
                match events.get(write) {
                    Some(Event::Write { offset, data }) => {
                        device.write_at(*offset, &data[..kept.min(data.len())])
                    }
                    _ => Ok(()),
                }
            }
            Self::Shuffled { start, end, seed } => {
                replay(device, before(start))?;
                let size = device.sector_size().bytes() as usize;
                for (index, event) in before(end).iter().enumerate().skip(start) {
                    let Event::Write { offset, data } = event else {
                        continue;
                    };
                    for (number, sector) in data.chunks(size).enumerate() {
                        if arrives(seed, index, number) {
                            device.write_at(offset + (number * size) as u64, sector)?;
                        }
                    }
                }
                Ok(())
            }
        }
    }
}

/// A fixed coin toss, so that a failing test fails again.
fn arrives(seed: u64, event: usize, sector: usize) -> bool {
    let mixed = (seed + 1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add((event as u64) << 20 | sector as u64)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed >> 40 & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryDevice;

    fn recorded() -> (MemoryDevice, Vec<Event>) {
        let mut device = Recording::new(MemoryDevice::zeroed(2048, SectorSize::B512));
        device.write_at(0, &[1; 512]).unwrap();
        device.flush().unwrap();
        device.write_at(512, &[2; 1024]).unwrap();
        device.write_at(1536, &[3; 512]).unwrap();
        assert!(device.write_at(2048, &[4]).is_err());
        assert_eq!(device.bytes_written(), 2048);
        device.into_parts()
    }

    /// The first byte of each sector.
    fn marks(crash: Crash, events: &[Event]) -> Vec<u8> {
        let mut device = MemoryDevice::zeroed(2048, SectorSize::B512);
        crash.apply(&mut device, events).unwrap();
        device.bytes().iter().step_by(512).copied().collect()
    }

    #[test]
    fn a_replay_of_the_whole_log_is_the_device() {
        let (device, events) = recorded();
        let mut again = MemoryDevice::zeroed(2048, SectorSize::B512);
        replay(&mut again, &events).unwrap();
        assert_eq!(again, device);
    }

    #[test]
    fn crashes_keep_what_was_flushed_and_vary_the_rest() {
        let (_, events) = recorded();
        assert_eq!(marks(Crash::Prefix { count: 3 }, &events), [1, 2, 2, 0]);
        assert_eq!(marks(Crash::Lost { write: 2, end: 4 }, &events), [1, 0, 0, 3]);
        assert_eq!(marks(Crash::Torn { write: 2, kept: 512 }, &events), [1, 2, 0, 0]);
        let all = Crash::all(&events, SectorSize::B512);
        let shuffled = |crash: &&Crash| matches!(crash, Crash::Shuffled { start: 2, .. });
        assert!(
            all.iter()
                .filter(shuffled)
                .all(|crash| marks(*crash, &events)[0] == 1)
        );
        // Prefixes 0..=4; writes 0, 2 and 3 lost; one tear; the shuffles of two stretches.
        assert_eq!(all.len(), 5 + 3 + 1 + 2 * SHUFFLES as usize);
    }
}
