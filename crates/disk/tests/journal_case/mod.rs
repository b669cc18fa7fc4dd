//! Small devices with something to change on them, for the tests of the journal.
#![allow(dead_code, clippy::unwrap_used)]

use uuid::Uuid;
use winrefit_disk::journal::{self, Extent, Found, JournalPlace, Meta, State, Transaction};
use winrefit_disk::{ByteRange, Event, MemoryDevice, Move, ReadAt, Recording, SectorSize};

pub const GUID: [u8; 16] = *b"the disk's guid.";
pub const SECTOR: u64 = 512;

/// A device, where its journal goes, and what is to change on it. Copies have been made.
#[derive(Clone)]
pub struct Case {
    pub base: MemoryDevice,
    pub gap: ByteRange,
    pub place: JournalPlace,
    pub transaction: Transaction,
}

pub fn sectors(start: u64, end: u64) -> ByteRange {
    ByteRange::new(start * SECTOR, end * SECTOR)
}

pub fn meta() -> Meta {
    Meta {
        transaction_id: Uuid::from_u128(7),
        disk_guid: GUID,
        created_unix_seconds: 1_700_000_000,
        memo: [1; journal::MEMO_BYTES],
    }
}

/// Extents that continue each other, if they are made in order of their phases.
pub struct Changes {
    content: Vec<u8>,
    pub extents: Vec<Extent>,
}

impl Changes {
    pub fn new(base: &MemoryDevice) -> Self {
        Self {
            content: base.bytes().to_vec(),
            extents: Vec::new(),
        }
    }

    pub fn add(&mut self, sector: u64, sectors: u64, phase: u8, mark: u8) {
        let range = (sector * SECTOR) as usize..((sector + sectors) * SECTOR) as usize;
        let before = self.content[range.clone()].to_vec();
        let mut after: Vec<u8> = before.iter().map(|byte| byte ^ mark).collect();
        if sectors > 2 {
            // A sector that is the same in both images must not confuse the recovery.
            after[512..1024].copy_from_slice(&before[512..1024]);
        }
        self.content[range].copy_from_slice(&after);
        self.extents.push(Extent {
            offset: sector * SECTOR,
            before,
            after,
            phase,
        });
    }
}

fn bytes(sectors: u64) -> Vec<u8> {
    (0..sectors * SECTOR)
        .map(|i| (i / SECTOR) as u8 ^ (i % 251) as u8)
        .collect()
}

/// Everything in the gap, one version of each sector, no moves.
pub fn plain() -> Case {
    let mut bytes = bytes(64);
    let gap = sectors(8, 40);
    bytes[8 * 512..40 * 512].fill(0);
    let base = MemoryDevice::from_bytes(bytes, SectorSize::B512);
    let mut changes = Changes::new(&base);
    for (sector, sectors, phase, mark) in [
        (63, 1, 2, 0x55),
        (1, 1, 2, 0xff),
        (42, 4, 0, 0x0f),
        (50, 3, 1, 0xf0),
        (2, 2, 1, 0x33),
    ] {
        changes.add(sector, sectors, phase, mark);
    }
    let moves = Vec::new();
    Case {
        base,
        gap,
        place: JournalPlace::in_gap(gap, SectorSize::B512),
        transaction: Transaction {
            extents: changes.extents,
            moves,
        },
    }
}

/// The body in free clusters, sectors of up to four versions, and moves of which both ends are partly changed.
pub fn moving() -> Case {
    let mut bytes = bytes(104);
    let gap = sectors(8, 10);
    bytes[8 * 512..10 * 512].fill(0);
    let moves = vec![
        Move {
            to: 16 * SECTOR,
            from: 40 * SECTOR,
            length: SECTOR,
        },
        Move {
            to: 12 * SECTOR,
            from: 30 * SECTOR,
            length: 3 * SECTOR,
        },
    ];
    for m in &moves {
        bytes.copy_within(m.from as usize..(m.from + m.length) as usize, m.to as usize);
    }
    let base = MemoryDevice::from_bytes(bytes, SectorSize::B512);
    let mut changes = Changes::new(&base);
    for (sector, sectors, phase, mark) in [
        (46, 4, 0, 0x0f),
        (2, 1, 0, 0x33),
        (13, 1, 1, 0x11),
        (47, 2, 1, 0xf0),
        (45, 3, 2, 0x3c),
        (3, 1, 2, 0x77),
        (30, 2, 3, 0xee),
        (47, 1, 9, 0x81),
        (63, 1, 9, 0x55),
    ] {
        changes.add(sector, sectors, phase, mark);
    }
    // The order of the list is of no meaning.
    changes.extents.reverse();
    Case {
        base,
        gap,
        place: JournalPlace {
            header: gap.start,
            body: sectors(64, 104),
            free_end: gap.end,
        },
        transaction: Transaction {
            extents: changes.extents,
            moves,
        },
    }
}

impl Case {
    pub fn committed(&self, base: &MemoryDevice) -> (MemoryDevice, Vec<Event>) {
        let mut device = Recording::new(base.clone());
        journal::commit(&mut device, self.place, &self.transaction, &meta(), &mut |_| ()).unwrap();
        device.into_parts()
    }

    pub fn find(&self, device: &MemoryDevice) -> Option<Found> {
        let whole = ByteRange::new(SECTOR, device.size());
        journal::find(device, SectorSize::B512, &[self.gap.start], whole).unwrap()
    }

    /// The image with the gap and the body's place blanked.
    pub fn outside(&self, device: &MemoryDevice) -> Vec<u8> {
        let mut bytes = device.bytes().to_vec();
        for range in [self.gap, self.place.body] {
            bytes[range.start as usize..range.end as usize].fill(0);
        }
        bytes
    }

    pub fn old_content(&self) -> Vec<u8> {
        self.outside(&self.base)
    }

    pub fn new_content(&self) -> Vec<u8> {
        let mut bytes = self.old_content();
        let mut extents: Vec<&Extent> = self.transaction.extents.iter().collect();
        extents.sort_by_key(|extent| extent.phase);
        for extent in extents {
            let start = extent.offset as usize;
            bytes[start..start + extent.after.len()].copy_from_slice(&extent.after);
        }
        bytes
    }

    pub fn gap_is_zero(&self, device: &MemoryDevice) -> bool {
        device.bytes()[self.gap.start as usize..self.gap.end as usize]
            .iter()
            .all(|byte| *byte == 0)
    }

    /// How many versions each touched sector has behind it.
    pub fn versions(&self, device: &MemoryDevice) -> Vec<usize> {
        let mut extents: Vec<&Extent> = self.transaction.extents.iter().collect();
        extents.sort_by_key(|extent| extent.phase);
        let mut found = Vec::new();
        for sector in 0..device.size() / SECTOR {
            let offset = sector * SECTOR;
            let present = device.read_vec(offset, SECTOR as usize).unwrap();
            let afters: Vec<&[u8]> = extents
                .iter()
                .filter(|extent| (extent.offset..extent.offset + extent.after.len() as u64).contains(&offset))
                .map(|extent| &extent.after[(offset - extent.offset) as usize..][..SECTOR as usize])
                .collect();
            if !afters.is_empty() {
                found.push(
                    afters
                        .iter()
                        .rposition(|after| *after == present)
                        .map_or(0, |n| n + 1),
                );
            }
        }
        found
    }

    /// Resumes, checks that the result is old or new exactly, and says which.
    pub fn settle(&self, device: &mut MemoryDevice, what: &str) -> State {
        if let Some(found) = self.find(device) {
            journal::resume(device, &found, Some(GUID), &mut |_| ())
                .unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        self.judge(device, what)
    }

    pub fn judge(&self, device: &MemoryDevice, what: &str) -> State {
        let outside = self.outside(device);
        match self.find(device) {
            None => {
                assert!(outside == self.old_content(), "{what}: not the old content");
                assert!(self.gap_is_zero(device), "{what}: a trace of the journal is left");
                State::Preparing
            }
            Some(found) => {
                assert_eq!(found.header.state, State::Applied, "{what}");
                assert!(outside == self.new_content(), "{what}: not the new content");
                State::Applied
            }
        }
    }
}
