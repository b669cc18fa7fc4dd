//! What the journal refuses, and that a refusal writes nothing.

#![allow(clippy::unwrap_used)]

use sha2::{Digest, Sha256};
use std::io;
use uuid::Uuid;
use winrefit_disk::journal::{self, Extent, Found, JournalError, JournalPlace, Meta, State, Transaction};
use winrefit_disk::{ByteRange, Device, DiskError, MemoryDevice, Operation, ReadAt, SectorSize};

const GUID: [u8; 16] = [7; 16];
const GAP: ByteRange = ByteRange {
    start: 4096,
    end: 65536,
};

fn place(device: &impl Device) -> JournalPlace {
    JournalPlace::in_gap(GAP, device.sector_size())
}

fn meta() -> Meta {
    Meta {
        transaction_id: Uuid::from_u128(1),
        disk_guid: GUID,
        created_unix_seconds: 0,
        memo: [0; journal::MEMO_BYTES],
    }
}

fn device(sector_size: SectorSize) -> MemoryDevice {
    MemoryDevice::zeroed(256 << 10, sector_size)
}

fn transaction() -> Transaction {
    let extent = |offset, mark| Extent {
        offset,
        before: vec![0; 8192],
        after: vec![mark; 8192],
        phase: 0,
    };
    of(vec![extent(131_072, 1), extent(0x1_8000, 2)])
}

fn of(extents: Vec<Extent>) -> Transaction {
    let moves = Vec::new();
    Transaction { extents, moves }
}

fn commit(device: &mut impl Device) -> Result<journal::Header, JournalError> {
    journal::commit(device, place(device), &transaction(), &meta(), &mut |_| ())
}

fn commit_of(device: &mut MemoryDevice, extents: Vec<Extent>) -> Result<journal::Header, JournalError> {
    journal::commit(device, place(device), &of(extents), &meta(), &mut |_| ())
}

fn find_at(device: &MemoryDevice, headers: &[u64]) -> Result<Option<Found>, JournalError> {
    let within = ByteRange::new(4096, device.size());
    journal::find(device, device.sector_size(), headers, within)
}

fn find(device: &MemoryDevice) -> Found {
    find_at(device, &[GAP.start]).unwrap().unwrap()
}

/// Passes the first `writes` writes on and fails from then on.
struct Failing {
    memory: MemoryDevice,
    writes: usize,
    attempts: usize,
}

impl ReadAt for Failing {
    fn size(&self) -> u64 {
        self.memory.size()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.memory.read_at(offset, buf)
    }
}

impl Device for Failing {
    fn sector_size(&self) -> SectorSize {
        self.memory.sector_size()
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        self.attempts += 1;
        if self.attempts > self.writes {
            let source = io::Error::other("medium gone");
            return Err(DiskError::io(Operation::Write, offset, data.len(), source));
        }
        self.memory.write_at(offset, data)
    }
    fn flush(&mut self) -> Result<(), DiskError> {
        Ok(())
    }
}

#[test]
fn four_kib_sectors_work_as_well() {
    let mut device = device(SectorSize::B4096);
    let header = commit(&mut device).unwrap();
    assert_eq!(header.body_offset, 8192);
    assert_eq!(device.read_vec(131_072, 8192).unwrap(), vec![1; 8192]);
    let found = find(&device);
    assert_eq!(found.header, header);
    assert_eq!(journal::load(&device, &header).unwrap(), transaction());
    journal::undo(&mut device, &found, Some(GUID), &mut |_| ()).unwrap();
    assert!(device.bytes().iter().all(|byte| *byte == 0));
}

#[test]
fn a_place_with_foreign_bytes_or_too_small_is_refused() {
    let needed = journal::required_bytes(&transaction(), SectorSize::B512).unwrap();
    for offset in [4096, 4097, 4096 + needed - 1] {
        let mut device = device(SectorSize::B512);
        device.bytes_mut()[offset as usize] = 1;
        let untouched = device.clone();
        match commit(&mut device) {
            Err(JournalError::PlaceInUse { offset: found }) => assert_eq!(found, offset),
            other => panic!("{other:?}"),
        }
        assert_eq!(device, untouched);
    }
    let mut device = device(SectorSize::B512);
    device.bytes_mut()[(4096 + needed) as usize] = 1;
    commit(&mut device).expect("what lies behind the needed bytes is of no concern");
    for (end, fits) in [(4096 + needed - 512, false), (4096 + needed, true)] {
        let mut device = self::device(SectorSize::B512);
        let place = JournalPlace::in_gap(ByteRange::new(4096, end), SectorSize::B512);
        match journal::commit(&mut device, place, &transaction(), &meta(), &mut |_| ()) {
            Ok(_) => assert!(fits),
            Err(JournalError::PlaceTooSmall { needed: n, .. }) => assert!(!fits && n == needed),
            other => panic!("{other:?}"),
        }
    }
    for range in [
        ByteRange::new(4095, 65536),
        ByteRange::new(4096, (256 << 10) + 512),
    ] {
        let result = journal::commit(
            &mut device,
            JournalPlace::in_gap(range, SectorSize::B512),
            &transaction(),
            &meta(),
            &mut |_| (),
        );
        assert!(matches!(result, Err(JournalError::BadPlace { .. })), "{range}");
    }
}

#[test]
fn a_disk_that_changed_since_the_plan_is_refused() {
    let mut device = device(SectorSize::B512);
    device.bytes_mut()[131_072 + 700] = 9;
    let untouched = device.clone();
    assert!(matches!(
        commit(&mut device),
        Err(JournalError::BeforeMismatch { offset: 131_772 })
    ));
    assert_eq!(device, untouched);
}

#[test]
fn a_failing_medium_gets_no_further_write_and_can_be_resumed() {
    // Header, body, header, two extents, header.
    for writes in 0..6 {
        let mut failing = Failing {
            memory: device(SectorSize::B512),
            writes,
            attempts: 0,
        };
        assert!(matches!(
            commit(&mut failing),
            Err(JournalError::Disk(DiskError::Io { .. }))
        ));
        assert_eq!(failing.attempts, writes + 1, "a write was tried after a failure");
        let mut memory = failing.memory;
        let Some(found) = find_at(&memory, &[GAP.start]).unwrap() else {
            assert_eq!(writes, 0);
            continue;
        };
        let again = commit(&mut memory);
        assert!(matches!(again, Err(JournalError::Unfinished { .. })), "{again:?}");
        assert!(matches!(
            journal::undo(&mut memory, &found, None, &mut |_| ()),
            Err(JournalError::NotApplied { .. })
        ));
        journal::resume(&mut memory, &found, None, &mut |_| ()).unwrap();
        let new = memory.read_vec(0x1_8000, 8192).unwrap() == vec![2; 8192];
        assert_eq!(new, writes >= 3);
    }
}

/// Claims to write and does not, from `deaf_from` on.
struct Deaf {
    memory: MemoryDevice,
    deaf_from: u64,
}

impl ReadAt for Deaf {
    fn size(&self) -> u64 {
        self.memory.size()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.memory.read_at(offset, buf)
    }
}

impl Device for Deaf {
    fn sector_size(&self) -> SectorSize {
        self.memory.sector_size()
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        if offset >= self.deaf_from {
            return Ok(());
        }
        self.memory.write_at(offset, data)
    }
    fn flush(&mut self) -> Result<(), DiskError> {
        Ok(())
    }
}

#[test]
fn a_medium_that_does_not_keep_a_write_never_gets_the_applied_mark() {
    let mut deaf = Deaf {
        memory: device(SectorSize::B512),
        deaf_from: 131_072,
    };
    match commit(&mut deaf) {
        Err(JournalError::ReadBack { offset }) => assert_eq!(offset, 131_072),
        other => panic!("{other:?}"),
    }
    assert_eq!(find(&deaf.memory).header.state, State::Committed);
}

#[test]
fn an_extent_in_the_journal_is_refused() {
    let mut device = device(SectorSize::B512);
    let inside = Extent {
        offset: 4608,
        before: vec![0; 512],
        after: vec![1; 512],
        phase: 0,
    };
    let result = commit_of(&mut device, vec![inside]);
    assert!(
        matches!(result, Err(JournalError::ExtentInPlace { .. })),
        "{result:?}"
    );
    assert!(device.bytes().iter().all(|byte| *byte == 0));
}

/// Right checksums do not make an extent possible.
#[test]
fn a_forged_table_is_a_damaged_body() {
    for offset in [4608u64, (256 << 10) - 4096, u64::MAX - 511, 131_073, 0x1_8000] {
        let mut device = in_state(State::Committed);
        let header = find(&device).header;
        let body = header.body_offset as usize..(header.body_offset + header.body_len) as usize;
        let bytes = device.bytes_mut();
        // The first entry of the table starts with its offset.
        bytes[body.start..body.start + 8].copy_from_slice(&offset.to_le_bytes());
        let digest = Sha256::digest(&bytes[body]);
        bytes[4096 + 104..4096 + 136].copy_from_slice(&digest);
        reseal(bytes);
        let untouched = device.clone();
        let found = find(&device);
        let result = journal::resume(&mut device, &found, Some(GUID), &mut |_| ());
        assert!(
            matches!(result, Err(JournalError::DamagedBody { .. })),
            "{offset}: {result:?}"
        );
        assert_eq!(device, untouched);
    }
}

#[test]
fn undo_is_refused_when_a_touched_sector_has_changed_and_only_then() {
    let mut device = device(SectorSize::B512);
    commit(&mut device).unwrap();
    device.bytes_mut()[200_000] = 5;
    let found = find(&device);
    journal::check_undo(&device, &found, Some(GUID), &mut |_| ())
        .expect("another sector's change is no obstacle");
    device.bytes_mut()[0x1_8000 + 1025] ^= 1;
    let untouched = device.clone();
    match journal::undo(&mut device, &found, Some(GUID), &mut |_| ()) {
        Err(JournalError::ChangedSince { offset }) => assert_eq!(offset, 0x1_8000 + 1024),
        other => panic!("{other:?}"),
    }
    assert_eq!(device, untouched);
}

/// A device as a cut in state `state` leaves it, all extents new.
fn in_state(state: State) -> MemoryDevice {
    let mut device = device(SectorSize::B512);
    commit(&mut device).unwrap();
    let bytes = device.bytes_mut();
    bytes[4096 + 12] = state.number() as u8;
    reseal(bytes);
    device
}

fn reseal(bytes: &mut [u8]) {
    let crc = crc32fast::hash(&bytes[4096..4096 + 508]);
    bytes[4096 + 508..4096 + 512].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn unfinished_work_stops_at_foreign_writes_damage_and_other_disks() {
    for state in [State::Committed, State::Undoing] {
        let mut device = in_state(state);
        device.bytes_mut()[131_072] = 99;
        let untouched = device.clone();
        match journal::resume(&mut device, &find(&untouched), Some(GUID), &mut |_| ()) {
            Err(JournalError::ForeignWrites { offset }) => assert_eq!(offset, 131_072),
            other => panic!("{other:?}"),
        }
        assert_eq!(device, untouched);

        let mut device = in_state(state);
        device.bytes_mut()[4096 + 512 + 100] ^= 1;
        let untouched = device.clone();
        let result = journal::resume(&mut device, &find(&untouched), Some(GUID), &mut |_| ());
        assert!(
            matches!(result, Err(JournalError::DamagedBody { offset: 4608 })),
            "{result:?}"
        );
        assert_eq!(device, untouched);
    }
    for state in [State::Preparing, State::Committed, State::Undoing] {
        let mut device = in_state(state);
        let untouched = device.clone();
        let found = find(&device);
        let result = journal::resume(&mut device, &found, Some([8; 16]), &mut |_| ());
        assert!(
            matches!(result, Err(JournalError::OtherDisk { .. })),
            "{result:?}"
        );
        let mut bytes = device.bytes().to_vec();
        assert_eq!(device, untouched);
        bytes.resize(512 << 10, 0);
        let mut longer = MemoryDevice::from_bytes(bytes, SectorSize::B512);
        let result = journal::resume(&mut longer, &found, Some(GUID), &mut |_| ());
        assert!(
            matches!(result, Err(JournalError::OtherDisk { .. })),
            "{result:?}"
        );
    }
}

#[test]
fn an_unfinished_journal_is_found_before_a_newer_applied_one() {
    let other = ByteRange::new(65536, 0x1_8000);
    let mut device = in_state(State::Committed);
    let small = Extent {
        offset: 200_192,
        before: vec![0; 512],
        after: vec![3; 512],
        phase: 0,
    };
    let newer = Meta {
        created_unix_seconds: 5,
        ..meta()
    };
    let place = JournalPlace::in_gap(other, SectorSize::B512);
    journal::commit(&mut device, place, &of(vec![small]), &newer, &mut |_| ()).unwrap();
    let none = 512;
    for headers in [
        [none, GAP.start, other.start],
        [other.start, GAP.start, GAP.start],
    ] {
        let found = find_at(&device, &headers).unwrap().unwrap();
        assert_eq!(found.header.header_offset, GAP.start);
        assert!(found.is_unfinished());
    }
    let bytes = device.bytes_mut();
    bytes[4096 + 12] = State::Applied.number() as u8;
    reseal(bytes);
    let headers = [GAP.start, other.start];
    let found = find_at(&device, &headers).unwrap().unwrap();
    assert_eq!(
        found.header.header_offset, other.start,
        "the newer of two applied journals"
    );
    device.bytes_mut()[65536 + 300] ^= 1;
    let damaged = find_at(&device, &headers);
    assert!(matches!(
        damaged,
        Err(JournalError::DamagedHeader { offset: 65536 })
    ));
}
