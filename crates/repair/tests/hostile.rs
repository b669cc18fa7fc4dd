//! Disks with damage in the structures that are read: every command ends with a report or an error, in bounded time.
//! A repair that is done in spite of damage is a complete one.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Layout, MIB, RECOVERY, WINDOWS, partition_range, record, store, target};
use std::time::{Duration, Instant};
use winrefit_disk::{Device, MemoryDevice, Overlay, ReadAt, ReadWindow};
use winrefit_ntfs::check::CheckLevel;
use winrefit_ntfs::{RecordNumber, Volume};
use winrefit_repair::commands::{check, diagnose, fix, resume, undo, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::Verdict;

/// xorshift64*: the seed of every case is printed when it fails.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Where the structures are: partition tables, boot sectors, file records.
fn places(disk: &MemoryDevice) -> Vec<(u64, u64)> {
    let mut places = vec![
        (0, 34 * 512),
        (disk.size() - 33 * 512, 33 * 512),
        (34 * 512, 2048),
    ];
    for number in [WINDOWS, RECOVERY] {
        let range = partition_range(disk, number);
        places.push((range.start, 512));
        let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap();
        let geometry = volume.geometry();
        for run in &volume.mft_runs().0 {
            let bytes = run.clusters * u64::from(geometry.cluster_size);
            places.push((
                range.start + geometry.offset_of(run.lcn.unwrap()),
                bytes.min(64 << 10),
            ));
        }
        for record in [RecordNumber::BITMAP, RecordNumber::LOG_FILE] {
            let file = volume.file(record).unwrap();
            let stream = file
                .stream(winrefit_ntfs::AttributeType::DATA, "")
                .unwrap()
                .unwrap();
            let lcn = stream.runs().unwrap().0[0].lcn.unwrap();
            places.push((range.start + geometry.offset_of(lcn), 4096));
        }
    }
    places
}

fn damage(device: &mut impl Device, places: &[(u64, u64)], random: &mut Random) {
    for _ in 0..=random.below(3) {
        let (start, length) = places[random.below(places.len() as u64) as usize];
        let at = start + random.below(length);
        let count = [1, 1, 1, 2, 4, 8][random.below(6) as usize].min(start + length - at);
        let bytes: Vec<u8> = match random.below(4) {
            0 => vec![0xFF; count as usize],
            1 => vec![0; count as usize],
            _ => (0..count).map(|_| random.next() as u8).collect(),
        };
        device.write_at(at, &bytes).unwrap();
    }
}

#[test]
fn damaged_disks_never_panic_hang_or_end_between() {
    let disk = Layout::default().build();
    let places = places(&disk);
    let request = Request {
        size_bytes: Some(40 * MIB),
        free_bytes: Some(10 * MIB),
        ..Request::default()
    };
    let (mut repaired, mut refused, mut errors) = (0, 0, 0);
    for seed in 1..=600u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut damaged = Overlay::new(&disk, disk.sector_size());
        damage(&mut damaged, &places, &mut random);
        let begun = Instant::now();
        let mut subject = target(damaged);
        let _ = diagnose(&subject, None);
        let _ = verify(&subject, None, &mut |_| ());
        let _ = check(&subject, None, CheckLevel::Full, &mut |_| ());
        match fix(&mut subject, &request, &mut |_| true, &mut |_| ()) {
            Ok(report) if report.verdict == Verdict::Repaired => {
                repaired += 1;
                assert!(report.verification.iter().all(|item| item.ok), "seed {seed}");
                let undone = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
                assert_eq!(undone.verdict, Verdict::Undone, "seed {seed}");
            }
            Ok(report) => {
                let fine = [
                    Verdict::Refused,
                    Verdict::Damaged,
                    Verdict::Unfinished,
                    Verdict::Healthy,
                ];
                assert!(
                    fine.contains(&report.verdict),
                    "seed {seed}: {:?}",
                    report.verdict
                );
                refused += 1;
            }
            Err(_) => errors += 1,
        }
        let _ = resume(&mut subject, &mut |_| ());
        let taken = begun.elapsed();
        assert!(taken < Duration::from_secs(5), "seed {seed} took {taken:?}");
    }
    println!("{repaired} repaired, {refused} refused, {errors} errors");
    assert!(repaired > 20 && refused > 100);
}

/// A field of an attribute gets a wild value, under right fixups: what a damaged but whole record looks like.
fn damage_attribute(device: &mut impl Device, clean: &MemoryDevice, random: &mut Random) {
    let part = if random.below(2) == 0 { WINDOWS } else { RECOVERY };
    let (at, mut file, raw) = record(clean, part, random.below(29));
    let attributes: Vec<(usize, usize)> = file
        .attributes()
        .map_while(Result::ok)
        .map(|a| (a.offset(), a.bytes().len()))
        .collect();
    if attributes.is_empty() {
        return;
    }
    for _ in 0..=random.below(2) {
        let (offset, length) = attributes[random.below(attributes.len() as u64) as usize];
        let field = random.below(length as u64) as usize;
        let width = [1, 1, 2, 4, 8][random.below(5) as usize].min(length - field);
        let value = match random.below(5) {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << random.below(64),
            3 => u64::MAX >> random.below(64),
            _ => random.next(),
        };
        let place = offset + field;
        file.bytes_mut()[place..place + width].copy_from_slice(&value.to_le_bytes()[..width]);
    }
    store(device, clean, part, (at, file, raw));
}

#[test]
fn wild_attributes_under_right_fixups_never_panic_hang_or_end_between() {
    let disk = Layout::default().build();
    let request = Request {
        size_bytes: Some(40 * MIB),
        free_bytes: Some(10 * MIB),
        ..Request::default()
    };
    let (mut repaired, mut other) = (0, 0);
    for seed in 1..=1500u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut damaged = Overlay::new(&disk, disk.sector_size());
        damage_attribute(&mut damaged, &disk, &mut random);
        let begun = Instant::now();
        let mut subject = target(damaged);
        let _ = diagnose(&subject, None);
        let _ = verify(&subject, None, &mut |_| ());
        match fix(&mut subject, &request, &mut |_| true, &mut |_| ()) {
            Ok(report) if report.verdict == Verdict::Repaired => {
                repaired += 1;
                let undone = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
                assert_eq!(undone.verdict, Verdict::Undone, "seed {seed}");
            }
            Ok(report) => {
                // Refused before anything was written, or nothing to do.
                assert!(
                    report.refusal.is_some() || report.verdict != Verdict::Damaged,
                    "seed {seed}"
                );
                other += 1;
            }
            Err(error) => assert!(!error.is_unfinished(), "seed {seed}: {error}"),
        }
        let taken = begun.elapsed();
        assert!(taken < Duration::from_secs(5), "seed {seed} took {taken:?}");
    }
    println!("{repaired} repaired, {other} refused or left alone");
    assert!(repaired > 100 && other > 100);
}
