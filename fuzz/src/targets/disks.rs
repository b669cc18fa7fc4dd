//! Whole disks: valid ones, changed; diagnosed, repaired, undone.

use super::input::Input;
use super::structures::{Structure, mutate, of_volume};
use super::{bases, tables};
use crate::common::disks::{Kind as Part, Style, disk, part};
use crate::common::{Layout, MIB, target};
use crate::cut_cases::{self, Asked};
use crate::update;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use winrefit_disk::{ByteRange, Device, MemoryDevice, Metered, Overlay, ReadAt, ReadWindow};
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::check::{CheckLevel, CheckOptions, ProblemCode, Severity, check};
use winrefit_ntfs::{Lcn, Volume};
use winrefit_repair::commands::{self, diagnose, fix, plan, reset_update, resume, undo, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::table::{Changeable, read_table};
use winrefit_repair::target::Target;

struct Base {
    disk: MemoryDevice,
    request: Request,
    structures: Vec<Structure>,
    is_reset: bool,
}

impl Base {
    fn new(disk: MemoryDevice, request: Request) -> Self {
        let mut structures = tables::structures(&disk);
        let table = read_table(&disk, None).expect("a lab disk has a table");
        for entry in table.table.entries() {
            let range = entry.range.bytes(table.sector_size);
            if Volume::open(ReadWindow::new(&disk, range).expect("on the disk")).is_ok() {
                structures.extend(of_volume(&disk, range));
            }
        }
        Self {
            disk,
            request,
            structures,
            is_reset: false,
        }
    }
}

fn request(size: u64) -> Request {
    Request {
        size_bytes: Some(size * MIB),
        free_bytes: Some(2 * MIB),
        ..Request::default()
    }
}

fn bases_of_repairs() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| {
        let usual = [
            part(Part::System, (1, 2)),
            part(Part::Windows, (2, 24)),
            part(Part::Recovery, (24, 32)),
        ];
        let mut made = vec![Base::new(disk(Style::Gpt, 33, &usual).build(), request(12))];
        let shadowed = Layout {
            shadow_copies: [1, 0],
            ..Layout::default()
        };
        let larger = Request {
            size_bytes: Some(40 * MIB),
            free_bytes: Some(10 * MIB),
            drop_shadow_copies: true,
            ..Request::default()
        };
        made.push(Base::new(shadowed.build(), larger));
        // Those whose table is sound: the others are what changes make of them.
        let cases = [
            cut_cases::mbr_primary(),
            cut_cases::mbr_logical(),
            cut_cases::mbr_logical_4096(),
            cut_cases::remove_stale(),
            cut_cases::relocate(),
            cut_cases::relocate_twice(),
            cut_cases::reclaim(),
            cut_cases::relocate_twice_mbr(),
        ];
        for case in cases {
            if let Asked::Fix(request) = case.asked {
                made.push(Base::new(case.old, request));
            }
        }
        made.push(Base {
            is_reset: true,
            ..Base::new(update::broken(), Request::default())
        });
        made
    })
}

type Under<'a> = Overlay<&'a MemoryDevice>;
type Subject<'a> = Metered<Overlay<&'a Under<'a>>>;

/// Problems of each NTFS volume by partition number and code, where the disk has a table.
fn problems(disk: &dyn ReadAt) -> BTreeMap<u32, BTreeMap<ProblemCode, u64>> {
    let Ok(reading) = read_table(disk, None) else {
        return BTreeMap::new();
    };
    let mut found = BTreeMap::new();
    for entry in reading.table.entries() {
        let Ok(window) = ReadWindow::new(disk, entry.range.bytes(reading.sector_size)) else {
            continue;
        };
        if let Ok(report) = check(window, &CheckOptions::default()) {
            let counts = report.counts.into_iter();
            let grave = counts.filter(|(code, _)| code.severity() >= Severity::Warning);
            found.insert(entry.number, grave.collect());
        }
    }
    found
}

/// A disk, changed: reading commands write nothing, a refusal neither; what is repaired passes every check, and an undo
/// gives the old disk back.
pub fn disk_repaired(data: &[u8]) {
    let mut input = Input(data);
    let all = bases_of_repairs();
    let base = &all[input.below(all.len())];
    let size = Device::sector_size(&base.disk);
    let mut old = Overlay::new(&base.disk, size);
    mutate(&mut input, &mut old, &base.structures, 10);
    let mut subject = target(Metered::new(Overlay::new(&old, size)));
    look(&subject, &base.request);
    assert_eq!(subject.device.writes(), 0, "a reading command has written");
    let done = if base.is_reset {
        reset_update(&mut subject, &update::ALL, &mut |_| true, &mut |_| ())
    } else {
        fix(&mut subject, &base.request, &mut |_| true, &mut |_| ())
    };
    match done {
        Ok(report) if report.verdict == Verdict::Repaired => {
            assert!(
                report.verification.iter().all(|item| item.ok),
                "repaired, and not verified"
            );
            judge(&old, subject);
        }
        Ok(report) => assert_untouched(&subject, &report),
        Err(error) => assert_eq!(subject.device.writes(), 0, "failed after a write: {error}"),
    }
    if data.len() <= 1 {
        let made = problems(&old);
        assert!(
            made.values().all(BTreeMap::is_empty),
            "a base is damaged: {made:?}"
        );
    }
}

/// Nothing was written, unless it is the first half of two.
fn assert_untouched(subject: &Target<Subject<'_>>, report: &Report) {
    let code = report.refusal.as_ref().map_or("none", |refusal| refusal.code);
    let half = report.journal.is_some();
    assert!(
        subject.device.writes() == 0 || half,
        "{:?} ({code}) after {} writes",
        report.verdict,
        subject.device.writes()
    );
}

fn look(subject: &Target<Subject<'_>>, request: &Request) {
    for report in [
        diagnose(subject, None),
        verify(subject, None, &mut |_| ()),
        commands::check(subject, None, CheckLevel::Full, &mut |_| ()),
        plan(subject, request, &mut |_| ()),
    ] {
        match report {
            Ok(report) => assert!(serde_json::to_string(&report).is_ok()),
            Err(error) => assert!(!error.text().to_string().is_empty()),
        }
    }
}

fn judge(old: &Under<'_>, mut subject: Target<Subject<'_>>) {
    let before = problems(old);
    for (number, counts) in problems(&subject.device) {
        let earlier = before.get(&number).cloned().unwrap_or_default();
        for (code, count) in counts {
            let had = earlier.get(&code).copied().unwrap_or(0);
            assert!(count <= had, "partition {number}: {count} {code:?}, {had} before");
        }
    }
    let verified = verify(&subject, None, &mut |_| ()).expect("a repaired disk can be verified");
    let is_damaged = verified.verdict == Verdict::Damaged && before.values().all(BTreeMap::is_empty);
    assert!(
        !is_damaged,
        "damaged after the repair: {:?}",
        verified.verification
    );
    let resumed = resume(&mut subject, &mut |_| ()).expect("nothing to resume");
    assert!(resumed.verdict != Verdict::Unfinished);
    let undone = undo(&mut subject, &mut |_| true, &mut |_| ()).expect("an undo right behind the repair");
    // What was damaged before the repair is so again.
    let was_damaged = || {
        let verified = verify(
            &target(Overlay::new(old, Device::sector_size(old))),
            None,
            &mut |_| (),
        );
        verified.is_ok_and(|report| report.verdict == Verdict::Damaged)
    };
    let is_undone = undone.verdict == Verdict::Undone || undone.verdict == Verdict::Damaged && was_damaged();
    assert!(
        is_undone,
        "{:?}: {:?}, {:?}",
        undone.verdict, undone.refusal, undone.verification
    );
    // But for free clusters and unallocated space, the disk is what it was.
    let free = free_ranges(old);
    for change in subject.device.into_inner().changes().expect("memory can be read") {
        let range = ByteRange::new(change.offset, change.offset + change.after.len() as u64);
        assert!(is_covered(range, &free), "{range:?} is not what it was");
    }
}

/// Whether all of a range lies in the others, which are in order.
fn is_covered(range: ByteRange, others: &[ByteRange]) -> bool {
    let mut at = range.start;
    for other in others {
        if (other.start..other.end).contains(&at) {
            at = other.end;
        }
    }
    at >= range.end
}

/// Where nothing is: free clusters of the volumes, and what no partition has.
fn free_ranges(disk: &dyn ReadAt) -> Vec<ByteRange> {
    let reading = read_table(disk, None).expect("a repaired disk had a table");
    let mut found = Vec::new();
    for entry in reading.table.entries() {
        let range = entry.range.bytes(reading.sector_size);
        let Ok(window) = ReadWindow::new(disk, range) else {
            continue;
        };
        let Ok(volume) = Volume::open(window) else {
            continue;
        };
        let Ok(bits) = ClusterBitmap::read(&volume) else {
            continue;
        };
        let geometry = volume.geometry();
        for run in bits.free_runs(Lcn(geometry.clusters())) {
            let Some(lcn) = run.lcn else { continue };
            let start = range.start + geometry.offset_of(lcn);
            found.push(ByteRange::new(
                start,
                start + run.clusters * u64::from(geometry.cluster_size),
            ));
        }
    }
    let size = reading.sector_size.bytes();
    let gaps = match &reading.table.changeable {
        Ok(Changeable::Gpt(gpt)) => gpt.gpt.gaps(),
        Ok(Changeable::Mbr(mbr)) => [mbr.gaps(), mbr.logical_gaps()].concat(),
        Err(_) => Vec::new(),
    };
    found.extend(
        gaps.iter()
            .map(|gap| ByteRange::new(gap.start.0 * size, gap.end.0 * size)),
    );
    found.sort_by_key(|range| range.start);
    found
}

struct Evidence {
    disk: bases::Sparse,
    structures: Vec<Structure>,
}

/// Disks of the lab with all that Windows writes down: what a diagnosis reads.
pub fn diagnosed(data: &[u8]) {
    static BASES: OnceLock<Vec<Evidence>> = OnceLock::new();
    let all = BASES.get_or_init(|| {
        let profiles = winrefit_lab::profiles::cases().take(3);
        profiles
            .map(|profile| {
                let made = bases::LabDisk::new(profile, profile.disk_size_bytes >> 30);
                let ranges = made
                    .created
                    .partitions
                    .iter()
                    .filter(|partition| partition.free_bytes.is_some());
                let structures = ranges
                    .flat_map(|partition| of_volume(&made.disk, partition.range))
                    .collect();
                Evidence {
                    disk: made.disk,
                    structures,
                }
            })
            .collect()
    });
    let mut input = Input(data);
    let base = &all[input.below(all.len())];
    let mut device = Overlay::new(&base.disk, Device::sector_size(&base.disk));
    mutate(&mut input, &mut device, &base.structures, 10);
    let subject = target(device);
    match diagnose(&subject, None) {
        Ok(report) => assert!(serde_json::to_string(&report).is_ok()),
        Err(error) => assert!(!error.text().to_string().is_empty()),
    }
}
