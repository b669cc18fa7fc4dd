//! A repaired disk, and what a cut, Windows, or a failing medium could have made of it.

use crate::common::disks::{Kind, Part, Style, disk, part};
use crate::common::{MIB, target};
use std::cmp::Reverse;
use winrefit_disk::journal::recovery::Content;
use winrefit_disk::journal::{self, Found, Seen, State, Transaction};
use winrefit_disk::{ByteRange, Device, MemoryDevice, Move, SectorSize};
use winrefit_repair::commands::fix;
use winrefit_repair::plan::Request;
use winrefit_repair::report::Verdict;

pub const SECTOR: SectorSize = SectorSize::B512;
/// Byte of the journal's header: the first sector behind the table.
pub const HEADER: usize = 34 * 512;
/// A foreign write to a disk on which nothing of the work is in place; others are to one where all is.
pub const FOREIGN_ON_OLD: Content = Content::Foreign { offset: u64::MAX };
const STATE: usize = 12;
const DISK_GUID: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Torn {
    No,
    Yes,
}

pub fn request() -> Request {
    Request {
        size_bytes: Some(12 * MIB),
        free_bytes: Some(2 * MIB),
        ..Request::default()
    }
}

/// The disk before a repair that moves data, and after it.
pub struct Disks {
    pub old: MemoryDevice,
    pub new: MemoryDevice,
    pub found: Found,
    pub transaction: Transaction,
}

/// The disk before, with or without data at the end of C:.
pub fn unrepaired(tail: bool) -> MemoryDevice {
    let windows = Part {
        tail,
        ..part(Kind::Windows, (1, 16))
    };
    disk(Style::Gpt, 26, &[windows, part(Kind::Recovery, (16, 24))]).build()
}

pub fn find(disk: &MemoryDevice) -> Found {
    let within = ByteRange::new(HEADER as u64, disk.bytes().len() as u64);
    journal::find(disk, SECTOR, &[HEADER as u64], within)
        .unwrap()
        .unwrap()
}

impl Disks {
    pub fn new() -> Self {
        Self::of(unrepaired(true))
    }

    pub fn of(old: MemoryDevice) -> Self {
        let mut subject = target(old.clone());
        let report = fix(&mut subject, &request(), &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
        let new = subject.device;
        let found = find(&new);
        let transaction = journal::load(&new, &found.header).unwrap();
        Self {
            old,
            new,
            found,
            transaction,
        }
    }

    /// A disk in that state.
    pub fn make(&self, state: State, same_disk: bool, content: Content, torn: Torn) -> MemoryDevice {
        let mut disk = self.new.clone();
        let mut extents = self.transaction.extents.clone();
        match content {
            Content::After => {}
            Content::Before | Content::Mixed | FOREIGN_ON_OLD => {
                extents.sort_by_key(|extent| Reverse(extent.phase));
                let first = extents.last().unwrap().phase;
                for extent in &extents {
                    disk.write_at(extent.offset, &extent.before).unwrap();
                }
                for extent in extents.iter().filter(|extent| extent.phase == first) {
                    if matches!(content, Content::Mixed) {
                        disk.write_at(extent.offset, &extent.after).unwrap();
                    }
                }
            }
            Content::Foreign { .. } => {}
            Content::Unknown => flip(&mut disk, self.found.header.body_offset as usize + 700),
        }
        if matches!(content, Content::Foreign { .. }) {
            let longest = extents.iter().max_by_key(|extent| extent.after.len()).unwrap();
            flip(&mut disk, longest.offset as usize + longest.after.len() - 300);
        }
        if torn == Torn::Yes {
            flip(&mut disk, self.copy_alone() as usize + 77);
        }
        let bytes = disk.bytes_mut();
        bytes[HEADER + STATE] = state.number() as u8;
        bytes[HEADER + DISK_GUID] ^= u8::from(!same_disk);
        reseal(bytes, HEADER);
        disk
    }

    /// A sector of a copy that no phase writes.
    fn copy_alone(&self) -> u64 {
        let is_written = |sector: u64| {
            let extents = self.transaction.extents.iter();
            let mut ranges = extents.map(|extent| extent.offset..extent.offset + extent.after.len() as u64);
            ranges.any(|range| range.contains(&sector))
        };
        let sectors = |m: &Move| (m.to..m.to + m.length).step_by(512);
        let mut all = self.transaction.moves.iter().flat_map(sectors);
        all.find(|&sector| !is_written(sector)).expect("a copy")
    }

    pub fn assert_new(&self, disk: &MemoryDevice) {
        assert_eq!(difference(disk, &self.new, &[]), None, "the new disk");
    }

    /// The old disk, but for the copies in free space.
    pub fn assert_old(&self, disk: &MemoryDevice) {
        let copies: Vec<_> = self
            .transaction
            .moves
            .iter()
            .map(|m| ByteRange::new(m.to, m.to + m.length))
            .collect();
        assert_eq!(difference(disk, &self.old, &copies), None, "the old disk");
    }

    pub fn state(&self, disk: &MemoryDevice) -> State {
        find(disk).header.state
    }

    pub fn inspect(&self, disk: &MemoryDevice) -> Seen {
        let guid = self.found.header.disk_guid;
        journal::inspect(disk, &find(disk), Some(guid), &mut |_| ()).unwrap()
    }

    /// Nothing but the header has changed.
    pub fn assert_same_but_header(&self, disk: &MemoryDevice, before: &MemoryDevice) {
        let header = ByteRange::new(HEADER as u64, HEADER as u64 + 512);
        assert_eq!(difference(disk, before, &[header]), None);
    }

    /// The journal is gone, and nothing else has changed.
    pub fn assert_same_but_journal(&self, disk: &MemoryDevice, before: &MemoryDevice) {
        let gap = self.found.header.gap();
        assert_eq!(difference(disk, before, &[gap]), None);
        let gap = &disk.bytes()[gap.start as usize..gap.end as usize];
        assert!(gap.iter().all(|&byte| byte == 0), "a trace of the journal");
    }
}

fn difference(a: &MemoryDevice, b: &MemoryDevice, except: &[ByteRange]) -> Option<u64> {
    let pairs = (0u64..).zip(a.bytes().iter().zip(b.bytes()));
    let mut differs = pairs.filter(|(_, (a, b))| a != b).map(|(at, _)| at);
    differs.find(|at| !except.iter().any(|range| (range.start..range.end).contains(at)))
}

pub fn flip(disk: &mut MemoryDevice, at: usize) {
    disk.bytes_mut()[at] ^= 0xff;
}

/// Gives a header its checksum.
pub fn reseal(bytes: &mut [u8], header: usize) {
    let crc = crc32fast::hash(&bytes[header..header + 508]);
    bytes[header + 508..header + 512].copy_from_slice(&crc.to_le_bytes());
}
