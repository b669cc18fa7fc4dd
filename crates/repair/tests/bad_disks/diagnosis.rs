//! A diagnosis on a disk that cannot read one of its sectors.

use crate::common::disks::{Kind, Style, disk, part};
use crate::common::lab::LabFile;
use crate::common::target;
use crate::made::{Outcome, Work, medium};
use crate::stride;
use std::collections::{BTreeMap, BTreeSet};
use winrefit_disk::faulty::Request;
use winrefit_disk::{ByteRange, Device, Fault, Faulty, Operation, Overlay, ReadWindow};
use winrefit_ntfs::{AttributeType, RecordNumber, Volume};
use winrefit_repair::commands::diagnose;
use winrefit_repair::report::{Report, Verdict};

/// A disk that can be had again and again, each time with another fault.
struct Source {
    name: &'static str,
    bytes: u64,
    open: Box<dyn Fn(Fault) -> (Outcome, Vec<Request>)>,
}

fn looked_at<D: Device>(device: D, fault: Fault) -> (Outcome, Vec<Request>) {
    let subject = target(Faulty::new(device, fault));
    let outcome = diagnose(&subject, None);
    (outcome, subject.device.log())
}

impl Source {
    /// The sectors that a diagnosis reads on the good disk.
    fn sectors_read(&self) -> BTreeSet<u64> {
        let (outcome, log) = (self.open)(Fault::None);
        outcome.unwrap();
        let mut sectors = BTreeSet::new();
        for request in log {
            assert_eq!(request.operation, Operation::Read);
            let end = request.offset + request.length;
            sectors.extend(request.offset / 512..end.div_ceil(512));
        }
        sectors
    }

    fn with_bad(&self, sector: u64) -> Outcome {
        let range = ByteRange::new(sector * 512, sector * 512 + 512);
        (self.open)(Fault::BadSectors { range }).0
    }
}

/// A small disk in memory.
fn small(style: Style) -> Source {
    let parts = [part(Kind::Windows, (1, 16)), part(Kind::Recovery, (16, 24))];
    let disk = disk(style, 25, &parts).build();
    Source {
        name: if style == Style::Gpt {
            "small, GPT"
        } else {
            "small, MBR"
        },
        bytes: disk.bytes().len() as u64,
        open: Box::new(move |fault| looked_at(Overlay::new(&disk, disk.sector_size()), fault)),
    }
}

/// A whole Windows with its records of updates, in few files.
fn lab() -> Source {
    let lab = LabFile::of("winre-missing");
    Source {
        name: "of the lab",
        bytes: std::fs::metadata(&lab.path).unwrap().len(),
        open: Box::new(move |fault| looked_at(lab.open(), fault)),
    }
}

/// The place of the sector is told of.
fn assert_named(report: &Report, sector: u64) {
    let found = report.findings.iter().find(|f| f.code == "unreadable-sectors");
    let found = found.unwrap_or_else(|| panic!("sector {sector} is not told of: {:?}", report.verdict));
    assert!(found.explained.next.to_string().contains("ddrescue"));
    let covers = |text: &str| {
        let mut numbers = text
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|n| n.parse::<u64>().ok());
        // "cannot read LENGTH bytes at byte OFFSET: ..."
        let (Some(length), Some(offset)) = (numbers.next(), numbers.next()) else {
            return false;
        };
        offset < sector * 512 + 512 && sector * 512 < offset + length
    };
    let values: Vec<_> = found
        .evidence
        .iter()
        .map(|evidence| evidence.value.to_string())
        .collect();
    assert!(
        values.iter().any(|value| covers(value)),
        "sector {sector}: {values:?}"
    );
    assert_ne!(report.verdict, Verdict::Healthy, "sector {sector}");
}

/// Which sectors stop it, of those that it reads.
fn stopping(source: &Source, usual: u64) -> BTreeMap<u64, String> {
    let sectors = source.sectors_read();
    let step = stride(sectors.len() as u64, usual);
    // The first and last ones, where the table lies, are all tried.
    let edge = |sector: &&u64| **sector < 40 || **sector * 512 + 34 * 512 > source.bytes;
    let some = sectors.iter().step_by(step).chain(sectors.iter().filter(edge));
    let some: BTreeSet<u64> = some.copied().collect();
    let mut stopped = BTreeMap::new();
    for &sector in &some {
        match source.with_bad(sector) {
            Ok(report) => assert_named(&report, sector),
            Err(error) => {
                stopped.insert(sector, error.to_string());
            }
        }
    }
    println!(
        "{}: {} of the {} sectors that are read were bad in turn; {} stop a diagnosis: {stopped:?}",
        source.name,
        some.len(),
        sectors.len(),
        stopped.len()
    );
    stopped
}

/// The table is there twice, and all else is told of as far as it goes.
#[test]
fn no_bad_sector_stops_the_diagnosis_of_a_gpt_disk() {
    assert_eq!(stopping(&small(Style::Gpt), 120), BTreeMap::new());
    assert_eq!(stopping(&lab(), 60), BTreeMap::new());
}

/// An MBR is there once.
#[test]
fn only_the_table_itself_stops_the_diagnosis_of_an_mbr_disk() {
    let stopped = stopping(&small(Style::Mbr), 60);
    assert_eq!(stopped.keys().copied().collect::<Vec<_>>(), [0]);
    assert!(
        stopped[&0].contains("cannot read 512 bytes at byte 0"),
        "{stopped:?}"
    );
}

/// Sectors of the Windows volume that everything else depends on: the boot sector, $MFT, $Volume, $LogFile.
fn vital(disk: &winrefit_disk::MemoryDevice) -> Vec<ByteRange> {
    let start = 1 << 20;
    let volume = Volume::open(ReadWindow::new(disk, ByteRange::new(start, 16 << 20)).unwrap()).unwrap();
    let geometry = volume.geometry();
    let mft = geometry.offset_of(volume.boot().mft_lcn());
    let record = |number: u64| mft + number * u64::from(geometry.record_size);
    let log = volume.file(RecordNumber::LOG_FILE).unwrap();
    let log = log.require(AttributeType::DATA, "").unwrap();
    let log = geometry.offset_of(log.runs().unwrap().0[0].lcn.unwrap());
    let places = [0, record(0), record(RecordNumber::VOLUME.0), log];
    places
        .iter()
        .map(|at| ByteRange::new(start + at, start + at + 512))
        .collect()
}

/// chkdsk writes, and reads all over a disk that fails: the copy comes first. It is advised where the bytes are wrong.
#[test]
fn what_the_disk_cannot_read_is_not_called_damage_for_chkdsk() {
    let parts = [part(Kind::Windows, (1, 16)), part(Kind::Recovery, (16, 24))];
    let disk = disk(Style::Gpt, 25, &parts).build();
    for range in vital(&disk) {
        for work in [Work::Diagnose, Work::Verify, Work::Check, Work::Fix, Work::Reset] {
            let what = format!("{work:?}, bad sector at byte {}", range.start);
            let mut subject = medium(&disk, Fault::BadSectors { range });
            let said = match work.run(&mut subject) {
                Err(error) => vec![error.next().to_string()],
                Ok(report) => {
                    assert!(
                        matches!(report.verdict, Verdict::Damaged | Verdict::Refused),
                        "{what}: {:?}",
                        report.verdict
                    );
                    let findings = report.findings.iter().map(|f| (f.code, &f.explained));
                    let refusal = report.refusal.iter().map(|r| (r.code, &r.explained));
                    let codes = ["ntfs-unreadable", "unreadable-sectors", "damaged-ntfs"];
                    let of_volume = findings.chain(refusal).filter(|(code, _)| codes.contains(code));
                    of_volume.map(|(_, said)| said.next.to_string()).collect()
                }
            };
            assert!(!said.is_empty(), "{what}: nothing is said");
            for next in said {
                assert!(
                    next.contains("ddrescue") && !next.contains("chkdsk"),
                    "{what}: {next}"
                );
            }
        }
        // The same bytes overwritten.
        let mut damaged = disk.clone();
        damaged.write_at(range.start, &[0xD1; 512]).unwrap();
        let target = target(damaged);
        let report = diagnose(&target, None).unwrap();
        let next: String = report
            .findings
            .iter()
            .map(|f| f.explained.next.to_string())
            .collect();
        assert!(!next.contains("ddrescue"), "byte {}: {next}", range.start);
    }
}
