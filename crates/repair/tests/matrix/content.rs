//! States of a disk as what they are made of: one shared image, and for each sector that a run ever touches the number of
//! what it holds. Equal numbers are equal bytes, so that states are compared and copied in no time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use winrefit_disk::{Device, DiskError, Event, MemoryDevice, ReadAt, SectorSize};

/// What each touched sector holds: the number of a content, by slot. Slots behind its end hold what the image has.
pub type State = Vec<u32>;

/// One thing a disk was told to do.
#[derive(Debug, Clone)]
pub enum Op {
    /// Slots and the contents they get, in the order of the disk.
    Write(Rc<[(u32, u32)]>),
    Flush,
}

const NO_SLOT: u32 = u32::MAX;

/// The image that all states share, and all contents that were ever met on it.
pub struct Ground {
    image: MemoryDevice,
    size: usize,
    known: RefCell<Known>,
}

struct Known {
    /// By sector.
    slots: Vec<u32>,
    /// By slot.
    sectors: Vec<u64>,
    /// What the image holds, by slot.
    image: Vec<u32>,
    contents: Vec<Rc<[u8]>>,
    numbers: HashMap<Rc<[u8]>, u32>,
}

impl Known {
    fn number(&mut self, content: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(content) {
            return *number;
        }
        let (content, number): (Rc<[u8]>, _) = (content.into(), self.contents.len() as u32);
        self.contents.push(content.clone());
        self.numbers.insert(content, number);
        number
    }

    fn slot(&mut self, sector: u64, image: &[u8]) -> u32 {
        if self.slots[sector as usize] == NO_SLOT {
            self.slots[sector as usize] = self.sectors.len() as u32;
            self.sectors.push(sector);
            let number = self.number(image);
            self.image.push(number);
        }
        self.slots[sector as usize]
    }
}

impl Ground {
    pub fn new(image: MemoryDevice) -> Self {
        let size = image.sector_size().bytes() as usize;
        let sectors = image.bytes().len() / size;
        let known = Known {
            slots: vec![NO_SLOT; sectors],
            sectors: Vec::new(),
            image: Vec::new(),
            contents: Vec::new(),
            numbers: HashMap::new(),
        };
        Self {
            image,
            size,
            known: RefCell::new(known),
        }
    }

    /// How many sectors have a slot.
    pub fn slots(&self) -> usize {
        self.known.borrow().sectors.len()
    }

    /// The image itself.
    pub fn image(&self) -> State {
        self.known.borrow().image.clone()
    }

    /// What a state holds in a slot.
    pub fn held(&self, state: &[u32], slot: usize) -> u32 {
        let image = || self.known.borrow().image[slot];
        state.get(slot).copied().unwrap_or_else(image)
    }

    /// Byte offset of a slot.
    pub fn offset(&self, slot: usize) -> u64 {
        self.known.borrow().sectors[slot] * self.size as u64
    }

    /// A state with a number for every slot.
    pub fn whole(&self, mut state: State) -> State {
        let known = self.known.borrow();
        state.extend_from_slice(&known.image[state.len().min(known.image.len())..]);
        state
    }

    fn write(&self, offset: u64, data: &[u8]) -> Rc<[(u32, u32)]> {
        let mut known = self.known.borrow_mut();
        let first = offset / self.size as u64;
        assert!(
            offset.is_multiple_of(self.size as u64) && data.len().is_multiple_of(self.size),
            "byte {offset}: not whole sectors"
        );
        let sectors = data.chunks(self.size).zip(first..);
        sectors
            .map(|(content, sector)| {
                let from = sector as usize * self.size;
                let slot = known.slot(sector, &self.image.bytes()[from..from + self.size]);
                (slot, known.number(content))
            })
            .collect()
    }

    pub fn ops(&self, events: &[Event]) -> Vec<Op> {
        let op = |event: &Event| match event {
            Event::Write { offset, data } => Op::Write(self.write(*offset, data)),
            Event::Flush => Op::Flush,
        };
        events.iter().map(op).collect()
    }

    /// A disk in that state, which can be written without changing the state.
    pub fn disk(&self, state: &[u32]) -> Probe<'_> {
        let slots = self.slots();
        Probe {
            ground: self,
            state: self.whole(state.to_vec()),
            read: RefCell::new(vec![false; slots]),
            written: vec![false; slots],
            ops: Vec::new(),
        }
    }
}

pub fn apply(state: &mut State, write: &[(u32, u32)]) {
    for &(slot, content) in write {
        state[slot as usize] = content;
    }
}

/// A disk that knows which of the touched sectors were read before they were written, and what was done to it.
pub struct Probe<'g> {
    ground: &'g Ground,
    state: State,
    read: RefCell<Vec<bool>>,
    written: Vec<bool>,
    ops: Vec<Op>,
}

impl Probe<'_> {
    /// The slots on which depends all that was read, and what was done.
    pub fn into_parts(self) -> (Vec<u32>, Vec<Op>) {
        let read = self.read.into_inner();
        let read = (0u32..).zip(read).filter(|(_, read)| *read);
        (read.map(|(slot, _)| slot).collect(), self.ops)
    }
}

impl ReadAt for Probe<'_> {
    fn size(&self) -> u64 {
        self.ground.image.size()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.ground.image.read_at(offset, buf)?;
        let (known, size) = (self.ground.known.borrow(), self.ground.size as u64);
        let mut read = self.read.borrow_mut();
        let end = offset + buf.len() as u64;
        for sector in offset / size..end.div_ceil(size) {
            let slot = known.slots[sector as usize];
            if slot == NO_SLOT {
                continue;
            }
            let slot = slot as usize;
            read[slot] |= !self.written[slot];
            if self.state[slot] == known.image[slot] {
                continue;
            }
            let content = &known.contents[self.state[slot] as usize];
            let start = sector * size;
            let (from, to) = (start.max(offset), (start + size).min(end));
            buf[(from - offset) as usize..(to - offset) as usize]
                .copy_from_slice(&content[(from - start) as usize..(to - start) as usize]);
        }
        Ok(())
    }
}

impl Device for Probe<'_> {
    fn sector_size(&self) -> SectorSize {
        self.ground.image.sector_size()
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        assert!(
            offset + data.len() as u64 <= self.size(),
            "byte {offset}: behind the end"
        );
        let write = self.ground.write(offset, data);
        let slots = self.ground.slots();
        self.state = self.ground.whole(std::mem::take(&mut self.state));
        self.written.resize(slots, false);
        self.read.borrow_mut().resize(slots, false);
        apply(&mut self.state, &write);
        for &(slot, _) in write.iter() {
            self.written[slot as usize] = true;
        }
        self.ops.push(Op::Write(write));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        self.ops.push(Op::Flush);
        Ok(())
    }
}
