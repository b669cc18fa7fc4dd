//! Damage in what Windows has written down: a diagnosis always ends in a report, soon, and never in a panic.

#![allow(clippy::unwrap_used)]

#[path = "common/lab.rs"]
mod lab;

use lab::LabFile;
use std::time::{Duration, Instant};
use winrefit_disk::{ByteRange, Device, DiskFile, Overlay, ReadAt, ReadWindow, SectorSize};
use winrefit_lab::random::Random;
use winrefit_ntfs::{AttributeType, Volume};
use winrefit_repair::commands::diagnose;
use winrefit_repair::report::{Report, Severity};
use winrefit_repair::target::Target;

/// Files of C: that a diagnosis reads.
const FILES: [&str; 9] = [
    r"\Windows\System32\winevt\Logs\System.evtx",
    r"\Windows\System32\winevt\Logs\Application.evtx",
    r"\Windows\System32\config\SOFTWARE",
    r"\Windows\System32\config\SYSTEM",
    r"\Windows\Logs\ReAgent\ReAgent.log",
    r"\Windows\Logs\CBS\CBS.log",
    r"\Windows\Panther\setupact.log",
    r"\Windows\SoftwareDistribution\ReportingEvents.log",
    r"\Windows\System32\Recovery\ReAgent.xml",
];
/// No diagnosis of a small disk takes longer, however it is damaged.
const TIME_MAX: Duration = Duration::from_secs(20);

struct Lab {
    target: Target<Overlay<DiskFile>>,
    /// Places of the files' bytes on the disk.
    places: Vec<(&'static str, Vec<ByteRange>)>,
    _lab: LabFile,
}

impl Lab {
    fn new(profile: &str) -> Self {
        let lab = LabFile::of(profile);
        let range = lab.made.windows().next().unwrap().range;
        let disk = lab.open();
        let volume = Volume::open(ReadWindow::new(&disk, range).unwrap()).unwrap();
        let places = FILES.iter().filter_map(|name| {
            let file = volume.lookup(name).unwrap()?;
            let stream = file.require(AttributeType::DATA, "").unwrap();
            let ranges = volume.plain_ranges(&stream).unwrap()?;
            let on_disk = |part: ByteRange| ByteRange::new(range.start + part.start, range.start + part.end);
            Some((*name, ranges.into_iter().map(on_disk).collect()))
        });
        let places: Vec<_> = places.collect();
        let device = Overlay::new(disk, SectorSize::B512);
        Self {
            target: Target {
                device,
                name: "disk".to_owned(),
                reported: None,
                now_unix_seconds: 0,
            },
            places,
            _lab: lab,
        }
    }

    fn diagnose(&self) -> Report {
        let begun = Instant::now();
        let report = diagnose(&self.target, None).unwrap();
        let took = begun.elapsed();
        assert!(took < TIME_MAX, "{took:?}");
        // Whatever the records say, the room is measured.
        assert!(
            report
                .findings
                .iter()
                .any(|f| f.code == "re-too-small" && f.severity == Severity::Problem)
        );
        assert!(report.findings.iter().all(|f| !f.explained.next.is_empty()));
        report
    }

    fn write(&mut self, at: u64, bytes: &[u8]) {
        self.target.device.write_at(at, bytes).unwrap();
    }

    fn state_of(report: &Report, name: &str) -> &'static str {
        report
            .sources
            .iter()
            .find(|source| source.path == name)
            .unwrap()
            .state
    }
}

#[test]
fn what_is_read_is_all_there() {
    let lab = Lab::new("case-two-diseases");
    // Files of some hundred bytes lie in their file records.
    let names: Vec<&str> = lab.places.iter().map(|(name, _)| *name).collect();
    assert!(
        names.len() >= 5
            && names.contains(&FILES[0])
            && names.contains(&FILES[2])
            && names.contains(&FILES[3])
    );
    let report = lab.diagnose();
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.code == "re-update-fails-for-space")
    );
    assert!(
        report
            .sources
            .iter()
            .all(|source| ["read", "missing"].contains(&source.state))
    );
}

#[test]
fn a_file_of_nonsense_is_a_source_that_cannot_be_used() {
    for pattern in [0x00, 0xff, 0x3c] {
        let mut lab = Lab::new("case-two-diseases");
        for (_, ranges) in lab.places.clone() {
            for range in ranges {
                lab.write(range.start, &vec![pattern; range.len() as usize]);
            }
        }
        let report = lab.diagnose();
        for name in &FILES[..4] {
            let state = Lab::state_of(&report, name);
            assert!(
                ["unreadable", "damaged"].contains(&state),
                "{name} of {pattern:#x}: {state}"
            );
        }
        assert!(report.findings.iter().any(|f| f.code == "records-incomplete"));
    }
}

#[test]
fn flipped_bits_end_in_a_report() {
    let mut random = Random::new(0x2024_0109);
    let mut lab = Lab::new("case-two-diseases");
    let places = lab.places.clone();
    let mut unhappy = 0;
    for round in 0..150 {
        lab.target.device.clear();
        for (_, ranges) in &places {
            for _ in 0..1 + random.below(6) {
                let range = ranges[random.below(ranges.len() as u64) as usize];
                // Structures stand at the beginning more often than elsewhere.
                let reach = if round % 2 == 0 {
                    range.len()
                } else {
                    range.len().min(8192)
                };
                let at = range.start + random.below(reach);
                let mut byte = [0];
                lab.target.device.read_at(at, &mut byte).unwrap();
                lab.write(at, &[byte[0] ^ 1 << random.below(8)]);
            }
        }
        let report = lab.diagnose();
        unhappy += usize::from(report.findings.iter().any(|f| f.code == "records-incomplete"));
    }
    assert!(unhappy > 20, "only {unhappy} of the damages were noticed");
}

/// Words of every kind of structure where others belong: lengths, offsets and counts at their limits.
#[test]
fn hostile_numbers_end_in_a_report() {
    let mut random = Random::new(0x4502);
    let mut lab = Lab::new("case-two-diseases");
    let places = lab.places.clone();
    let words = [0_u32, 1, 0x20, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff];
    for _ in 0..100 {
        lab.target.device.clear();
        for (_, ranges) in &places {
            for _ in 0..4 {
                let range = ranges[random.below(ranges.len() as u64) as usize];
                let at = range.start + random.below(range.len() / 4) * 4;
                let word = words[random.below(words.len() as u64) as usize];
                lab.write(at, &word.to_le_bytes());
            }
        }
        lab.diagnose();
    }
}
