//! Whatever the bytes: a check ends soon, without a panic, and notices damage of the records in use.
#![allow(clippy::unwrap_used, dead_code)]

mod common;
#[path = "common/indexed.rs"]
mod indexed;

use common::lab::{self, CLUSTER, Lab};
use indexed::Indexed;
use std::time::{Duration, Instant};
use winrefit_ntfs::check::{CheckOptions, check, owners_from, path_of};
use winrefit_ntfs::{AttributeType, Lcn, RecordNumber, Volume};

/// Rounds of each kind.
const ROUNDS: u64 = 1000;
/// For one check of the small volume, on a slow and busy machine.
const TIME_MAX: Duration = Duration::from_secs(5);

/// xorshift64*: a fixed seed gives the same damage everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    }
}

/// Where metadata is: damage in free space shows nothing.
fn metadata(lab: &Lab) -> Vec<usize> {
    let mft = lab.record_place(0);
    let mut places = vec![0];
    places.extend((0..27).map(|record| mft + record * 1024));
    places.push(lab.place(0, AttributeType::BITMAP, ""));
    places.push(lab.place(6, AttributeType::DATA, ""));
    places.push(lab.place(2, AttributeType::DATA, ""));
    places.push(lab.place(1, AttributeType::DATA, ""));
    places
}

fn survive(volume: &Vec<u8>, what: &str) -> bool {
    let start = Instant::now();
    let report = check(volume, &CheckOptions::default());
    if let Ok(volume) = Volume::open(volume) {
        let _ = owners_from(&volume, Lcn(100), 50);
        for record in 0..30 {
            let _ = path_of(&volume, RecordNumber(record));
        }
    }
    assert!(start.elapsed() < TIME_MAX, "{what} took {:?}", start.elapsed());
    match report {
        Ok(report) => {
            assert!(
                report
                    .problems
                    .iter()
                    .all(|problem| problem.to_string().ends_with('.'))
            );
            assert!(report.problems_total >= report.problems.len() as u64);
            report.problems_total > 0
        }
        Err(_) => true,
    }
}

#[test]
fn single_bit_flips_never_panic() {
    let Some(lab) = Lab::new() else { return };
    let places = metadata(&lab);
    let mut random = Random(0x5EED_0001);
    let mut noticed = 0;
    for round in 0..ROUNDS {
        let mut damaged = lab.clone();
        for _ in 0..=round % 4 {
            let at = places[random.below(places.len())] + random.below(512);
            damaged.bytes[at] ^= 1 << random.below(8);
        }
        noticed += u64::from(survive(&damaged.bytes, &format!("round {round}")));
    }
    assert!(noticed > ROUNDS / 4, "only {noticed} of {ROUNDS} noticed");
}

/// Bits flipped behind the fixups, so that more of the parsers is reached.
#[test]
fn garbage_in_sound_records_never_panics() {
    let Some(lab) = Lab::new() else { return };
    let mut random = Random(0x5EED_0002);
    for round in 0..ROUNDS {
        let mut damaged = lab.clone();
        let record = [0, 3, 5, 6, 8, 10, lab::SPLIT, lab::EXTENSION][random.below(8)];
        damaged.edit(record, |plain| {
            for _ in 0..=random.below(6) {
                let at = 0x10 + random.below(480);
                plain[at] = [0, 1, 0x7F, 0x80, 0xFF, round as u8][random.below(6)];
            }
        });
        survive(&damaged.bytes, &format!("round {round}, record {record}"));
    }
}

#[test]
fn random_sectors_never_panic() {
    let Some(lab) = Lab::new() else { return };
    let places = metadata(&lab);
    let mut random = Random(0x5EED_0003);
    for round in 0..ROUNDS {
        let mut damaged = lab.clone();
        for _ in 0..=random.below(3) {
            let at = places[1 + random.below(places.len() - 1)] + 512 * random.below(2);
            for byte in &mut damaged.bytes[at..at + 512] {
                *byte = random.below(256) as u8;
            }
        }
        survive(&damaged.bytes, &format!("round {round}"));
    }
}

/// Every record claims the whole volume hundreds of times over: the time must not grow with the claims.
#[test]
fn wild_claims_end_soon() {
    let Some(mut lab) = Lab::new() else { return };
    let clusters = (lab.bytes.len() / CLUSTER - 1) as u16;
    let mut pairs = Vec::new();
    for _ in 0..200 {
        let [low, high] = clusters.to_le_bytes();
        pairs.extend_from_slice(&[0x12, low, high, 0]);
    }
    for record in 16..24u64 {
        let mut attribute = vec![0; 0x40];
        (attribute[0], attribute[8], attribute[0x20]) = (0x80, 1, 0x40);
        attribute[0x18..0x20].copy_from_slice(&(u64::from(clusters) * 200 - 1).to_le_bytes());
        attribute.extend_from_slice(&pairs);
        attribute.resize(0x40 + 808, 0);
        let length = attribute.len() as u32;
        attribute[4..8].copy_from_slice(&length.to_le_bytes());
        lab.write_record(lab::record(record, 0, 0, 1, &attribute));
    }
    assert!(survive(&lab.bytes, "wild claims"));
    assert!(lab.check().shared_clusters > u64::from(clusters) * 1000);
}

/// Index blocks, roots, bitmaps and descriptors with wild bytes under right fixups.
#[test]
fn garbage_in_sound_indexes_never_panics() {
    let lab = Indexed::new();
    let (large, small) = (lab.file("large"), lab.file("small"));
    let mut random = Random(0x5EED_0004);
    let mut noticed = 0;
    for round in 0..ROUNDS {
        let mut damaged = lab.clone();
        let wild = [0, 1, 2, 0x10, 0x7F, 0x80, 0xFF, round as u8];
        let mut change = |bytes: &mut [u8], from: usize| {
            for _ in 0..=random.below(4) {
                let at = from + random.below(bytes.len() - from);
                bytes[at] = wild[random.below(wild.len())];
            }
        };
        match round % 6 {
            0 => {
                let place = damaged.place(9, AttributeType::DATA, "$SDS", 0);
                change(&mut damaged.bytes[place..place + 0x200], 0);
            }
            1 => damaged.edit_root(small, "$I30", |root| change(root, 0)),
            2 => damaged.edit_root(9, ["$SII", "$SDH"][round as usize / 6 % 2], |root| {
                change(root, 0)
            }),
            3 => damaged.edit_attribute(large, AttributeType::INDEX_ALLOCATION, "$I30", |bytes| {
                change(bytes, 0x10)
            }),
            4 => damaged.edit_block(large, round as usize / 6 % damaged.blocks(large), |block| {
                change(&mut block[..0x100], 0x10)
            }),
            _ => {
                let inner = damaged.find_block(large, true);
                damaged.edit_block(large, inner, |block| change(block, 0x18));
            }
        }
        noticed += u64::from(survive(&damaged.bytes, &format!("index round {round}")));
    }
    assert!(noticed > ROUNDS / 2, "only {noticed} of {ROUNDS} noticed");
}

/// Every directory claims the index blocks of one: the time must not grow with the claims.
#[test]
fn shared_index_blocks_end_soon() {
    let mut lab = Indexed::new();
    let large = lab.file("large");
    let read = lab.volume().read_record(RecordNumber(large)).unwrap();
    let plain = read.bytes().to_vec();
    for record in large + 1..large + 500 {
        lab.edit(record, |bytes| {
            let (sequence, number) = (bytes[0x10..0x12].to_vec(), bytes[0x2C..0x30].to_vec());
            bytes.copy_from_slice(&plain);
            bytes[0x10..0x12].copy_from_slice(&sequence);
            bytes[0x2C..0x30].copy_from_slice(&number);
        });
    }
    assert!(survive(&lab.bytes, "shared index blocks"));
}

/// Inner blocks that name each other and themselves in every way.
#[test]
fn cycles_of_index_blocks_end_soon() {
    let lab = Indexed::new();
    let large = lab.file("large");
    let blocks = lab.blocks(large);
    let mut random = Random(0x5EED_0005);
    for round in 0..50 {
        let mut damaged = lab.clone();
        for block in 0..blocks {
            if damaged.block(large, block)[0x24] != 1 {
                continue;
            }
            damaged.edit_block(large, block, |plain| {
                let mut at = 0x18 + usize::from(plain[0x18]);
                while plain[at + 12] & 2 == 0 {
                    at += indexed::entry_length(plain, at);
                    plain[at - 8] = random.below(blocks + 1) as u8;
                }
            });
        }
        assert!(survive(&damaged.bytes, &format!("cycles, round {round}")));
    }
}
