//! Whatever the bytes: a check ends soon, without a panic, and notices damage of the records in use.
#![allow(clippy::unwrap_used, dead_code)]

mod common;

use common::lab::{self, CLUSTER, Lab};
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

fn survive(lab: &Lab, what: &str) -> bool {
    let start = Instant::now();
    let report = check(&lab.bytes, &CheckOptions::default());
    if let Ok(volume) = Volume::open(&lab.bytes) {
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
        noticed += u64::from(survive(&damaged, &format!("round {round}")));
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
        survive(&damaged, &format!("round {round}, record {record}"));
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
        survive(&damaged, &format!("round {round}"));
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
    assert!(survive(&lab, "wild claims"));
    assert!(lab.check().shared_clusters > u64::from(clusters) * 1000);
}
