//! A fault at each request of each kind, in each command that writes, and in a resume behind it.

use crate::made::{Case, Outcome, Work, cases, medium};
use crate::stride;
use winrefit_disk::{Device, Fault, MemoryDevice, Operation, ReadAt, Recording};
use winrefit_repair::RepairError;
use winrefit_repair::commands::diagnose;
use winrefit_repair::report::Verdict;

/// Requests of each kind that a command makes.
struct Counts {
    reads: u64,
    writes: u64,
    flushes: u64,
}

fn counts(base: &MemoryDevice, work: Work) -> Counts {
    let mut subject = medium(base, Fault::None);
    work.run(&mut subject).unwrap();
    let of = |operation| subject.device.count(operation);
    Counts {
        reads: of(Operation::Read),
        writes: of(Operation::Write),
        flushes: of(Operation::Flush),
    }
}

fn read_faults(counts: &Counts) -> Vec<Fault> {
    let numbers = (0..counts.reads).step_by(stride(counts.reads, 14));
    numbers.map(|number| Fault::Read { number }).collect()
}

fn write_faults(counts: &Counts) -> Vec<Fault> {
    let writes = (0..counts.writes).step_by(stride(counts.writes, 7));
    let of_write = |number| {
        let short = [0, 1, u64::MAX].map(|arrived| Fault::Write { number, arrived });
        short.into_iter().chain([Fault::WritesFrom { number }])
    };
    let flushes = (0..counts.flushes).map(|number| Fault::Flush { number });
    writes.flat_map(of_write).chain(flushes).collect()
}

/// What went wrong is named, with its place, and what to do about it.
fn assert_told(error: &RepairError, what: &str) {
    let told = error.to_string();
    let names = ["cannot read", "cannot write", "cannot flush"];
    assert!(names.iter().any(|name| told.contains(name)), "{what}: {told}");
    assert!(
        told.contains("byte") || told.contains("cannot flush"),
        "{what}: {told}"
    );
    let next = error.next().to_string();
    assert!(next.contains("ddrescue"), "{what}: {next}");
    if error.is_unfinished() {
        assert!(next.contains("winrefit resume"), "{what}: {next}");
    }
}

/// The disk behind a command that met a fault, which was told of, and behind which nothing was written.
fn after_fault(base: &MemoryDevice, work: Work, fault: Fault, what: &str) -> (MemoryDevice, Outcome) {
    let mut subject = medium(base, fault);
    let outcome = work.run(&mut subject);
    assert_eq!(subject.device.written_after_failure(), None, "{what}");
    if let Err(error) = &outcome {
        assert_told(error, what);
    }
    let failed_to_write = subject
        .device
        .log()
        .iter()
        .any(|request| !request.done && request.operation != Operation::Read);
    assert!(
        !failed_to_write || outcome.is_err(),
        "{what}: a failed write is not told of"
    );
    let disk = subject.device.into_inner();
    let bytes = disk.read_vec(0, base.size() as usize).unwrap();
    (MemoryDevice::from_bytes(bytes, base.sector_size()), outcome)
}

fn is_unfinished(disk: &MemoryDevice) -> bool {
    let report = diagnose(&medium(disk, Fault::None), None).unwrap();
    report.verdict == Verdict::Unfinished
}

/// A resume without a fault ends old or new.
fn settle(case: &Case, disk: &MemoryDevice, what: &str) -> &'static str {
    let mut subject = medium(disk, Fault::None);
    let report = Work::Resume
        .run(&mut subject)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(report.refusal.is_none(), "{what}: {:?}", report.refusal);
    let ended = case.is_old_or_new(&subject.device.into_inner());
    ended.unwrap_or_else(|problem| panic!("{what}: {problem}"))
}

/// The `turn`-th fault of a resume of that disk.
fn fault_of_resume(disk: &MemoryDevice, turn: usize) -> Fault {
    let counts = counts(disk, Work::Resume);
    let mut faults = write_faults(&counts);
    faults.extend(read_faults(&counts));
    faults[turn * 7 % faults.len()]
}

fn assert_survives(case: &Case, base: &MemoryDevice, work: Work, name: &str) {
    let counts = counts(base, work);
    let mut faults = read_faults(&counts);
    faults.extend(write_faults(&counts));
    let (mut ends, mut unfinished) = ([0, 0], 0);
    for (turn, &fault) in faults.iter().enumerate() {
        let what = format!("{name}, {fault:?}");
        let (disk, outcome) = after_fault(base, work, fault, &what);
        if is_unfinished(&disk) {
            unfinished += 1;
            let error = outcome.expect_err("unfinished work is an error");
            assert!(error.is_unfinished(), "{what}: {error:?}");
            let second = fault_of_resume(&disk, turn);
            let what = format!("{what}, then {second:?} in resume");
            let (disk, outcome) = after_fault(&disk, Work::Resume, second, &what);
            assert!(
                outcome.is_err() || !is_unfinished(&disk),
                "{what}: said to be finished"
            );
            settle(case, &disk, &what);
        }
        let end = settle(case, &disk, &what);
        ends[usize::from(end == "new")] += 1;
    }
    let Counts {
        reads,
        writes,
        flushes,
    } = counts;
    println!(
        "{name}: {reads} reads, {writes} writes, {flushes} flushes; {} faults, {unfinished} left work unfinished; \
         {} ended old, {} new",
        faults.len(),
        ends[0],
        ends[1]
    );
    assert!(unfinished > 0 && ends[0] > 0 && ends[1] > 0, "{name}: {ends:?}");
}

#[test]
fn a_repair_that_meets_a_fault_ends_old_or_new() {
    for case in cases() {
        assert_survives(&case, &case.old, case.fix, case.name);
    }
}

#[test]
fn an_undo_that_meets_a_fault_ends_new_or_old() {
    for case in cases() {
        assert_survives(&case, &case.new, Work::Undo, &format!("undo of {}", case.name));
    }
}

#[test]
fn a_resume_that_meets_a_fault_can_be_resumed() {
    let case = &cases()[0];
    let mut subject = crate::common::target(Recording::new(case.old.clone()));
    case.fix.run(&mut subject).unwrap();
    let (_, events) = subject.device.into_parts();
    // In the middle of the commit, and of what comes before and behind it.
    for part in [3, 2] {
        let mut cut = case.old.clone();
        winrefit_disk::recording::replay(&mut cut, &events[..events.len() * (part - 1) / part]).unwrap();
        assert!(is_unfinished(&cut));
        let counts = counts(&cut, Work::Resume);
        let mut faults = read_faults(&counts);
        faults.extend(write_faults(&counts));
        for fault in faults {
            let what = format!("resume, {fault:?}");
            let (disk, _) = after_fault(&cut, Work::Resume, fault, &what);
            settle(case, &disk, &what);
        }
    }
}

/// Commands that only look write nothing, whatever they meet.
#[test]
fn commands_that_read_tell_of_a_fault_and_write_nothing() {
    let case = &cases()[0];
    for work in [Work::Verify, Work::Check, Work::Diagnose] {
        let name = format!("{work:?}");
        let counts = counts(&case.new, work);
        assert_eq!((counts.writes, counts.flushes), (0, 0), "{name}");
        let mut errors = 0;
        for fault in read_faults(&counts) {
            let mut subject = medium(&case.new, fault);
            let outcome = work.run(&mut subject);
            let what = format!("{name}, {fault:?}");
            assert_eq!(subject.device.count(Operation::Write), 0, "{what}");
            if let Err(error) = outcome {
                errors += 1;
                assert_told(&error, &what);
            }
        }
        println!("{name}: {} reads, {errors} errors", counts.reads);
        // A diagnosis of a disk with a whole table goes on without what it cannot read; the others must have met some.
        let is_diagnosis = matches!(work, Work::Diagnose);
        assert_eq!(errors == 0, is_diagnosis, "{name}: {errors} errors");
    }
}

/// A bad sector that stays bad, at each place that a repair reads.
#[test]
fn a_bad_sector_anywhere_ends_old_or_new() {
    let case = &cases()[0];
    let mut sectors = std::collections::BTreeSet::new();
    let mut subject = medium(&case.old, Fault::None);
    case.fix.run(&mut subject).unwrap();
    for request in subject.device.log() {
        let end = request.offset + request.length;
        if request.operation == Operation::Read {
            sectors.extend(request.offset / 512..end.div_ceil(512));
        }
    }
    let step = stride(sectors.len() as u64, 40);
    let (mut stopped, mut repaired) = (0, 0);
    for &sector in sectors.iter().step_by(step) {
        let range = winrefit_disk::ByteRange::new(sector * 512, sector * 512 + 512);
        let what = format!("bad sector {sector}");
        let (disk, outcome) = after_fault(&case.old, case.fix, Fault::BadSectors { range }, &what);
        let end = settle(case, &disk, &what);
        match outcome {
            Ok(report) if report.verdict == Verdict::Repaired => {
                repaired += 1;
                assert_eq!(end, "new", "{what}");
            }
            Ok(report) => {
                stopped += 1;
                assert!(report.refusal.is_some(), "{what}: {:?}", report.verdict);
                assert_eq!(end, "old", "{what}");
            }
            Err(_) => stopped += 1,
        }
    }
    println!(
        "{} sectors are read; with one of them bad every {step}-th time: {stopped} stopped, {repaired} repaired",
        sectors.len()
    );
    // Whatever a repair reads, it needs: hardly any sector can be bad and the repair be made all the same.
    assert!(
        stopped > 0 && stopped > repaired,
        "{stopped} stopped, {repaired} repaired"
    );
}
