//! The recovery table on whole disks: each combination of what the header says, whose disk it is, what the touched sectors
//! hold and what the copies are; and headers that cannot be believed. What each command answers, and what it writes.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod headers;
mod made;

use common::target;
use made::{Disks, FOREIGN_ON_OLD, HEADER, SECTOR, Torn};
use std::collections::BTreeSet;
use winrefit_disk::journal::recovery::{Content, Copies, Facts, decide};
use winrefit_disk::journal::{Decision, State, Whole};
use winrefit_disk::{MemoryDevice, Overlay, ReadAt, Recording};
use winrefit_repair::commands::{diagnose, fix, resume, undo};
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::{RepairError, target::Target};

type Subject<'d> = Target<Recording<Overlay<&'d MemoryDevice>>>;

/// The disk, with a log of what is written to it.
pub fn subject(disk: &MemoryDevice) -> Subject<'_> {
    target(Recording::new(Overlay::new(disk, SECTOR)))
}

fn contents() -> [Content; 6] {
    [
        Content::Before,
        Content::After,
        Content::Mixed,
        Content::Foreign { offset: 0 },
        FOREIGN_ON_OLD,
        Content::Unknown,
    ]
}

/// A command that stopped: an error of the journal, in words, and not a byte written.
pub fn assert_stopped(outcome: Result<Report, RepairError>, subject: &Subject<'_>, words: &[&str]) {
    let error = outcome.expect_err("a stop is an error");
    assert_eq!(error.code(), "journal", "{error}");
    let told = format!("{error}. {}", error.next());
    for word in words {
        assert!(told.contains(word), "{word} is not in: {told}");
    }
    assert_eq!(subject.device.events(), [], "{told}");
}

#[test]
fn every_row_on_a_whole_disk() {
    let disks = Disks::new();
    let (mut labels, mut count) = (BTreeSet::new(), 0);
    for state in State::ALL {
        for same_disk in [true, false] {
            for content in contents() {
                for torn in [Torn::No, Torn::Yes] {
                    let disk = disks.make(state, same_disk, content, torn);
                    let copies = match torn {
                        Torn::No => Copies::Intact,
                        Torn::Yes => Copies::Torn { offset: 0 },
                    };
                    let (label, decision) = decide(&Facts {
                        state,
                        same_disk,
                        content,
                        copies,
                    });
                    println!("{state}, same {same_disk}, {content:?}, {torn:?}: {label}");
                    check_resume(&disks, &disk, decision);
                    check_undo(&disks, &disk, (state, same_disk, content, torn));
                    check_others(&disk, state, content);
                    labels.insert(label);
                    count += 1;
                }
            }
        }
    }
    assert_eq!((count, labels.len()), (96, 13), "{labels:?}");
}

fn check_resume(disks: &Disks, disk: &MemoryDevice, decision: Decision) {
    let mut subject = subject(disk);
    let seen = disks.inspect(disk);
    let outcome = resume(&mut subject, &mut |_| ());
    let whole = |subject: &Subject<'_>| {
        let bytes = subject.device.read_vec(0, disk.bytes().len()).unwrap();
        MemoryDevice::from_bytes(bytes, SECTOR)
    };
    match decision {
        Decision::Done => {
            assert_eq!(outcome.unwrap().verdict, Verdict::Healthy);
            assert_eq!(subject.device.events(), []);
        }
        Decision::Discard => {
            assert_eq!(outcome.unwrap().verdict, Verdict::Undone);
            disks.assert_same_but_journal(&whole(&subject), disk);
        }
        Decision::Resume => {
            assert_eq!(outcome.unwrap().verdict, Verdict::Repaired);
            disks.assert_new(&whole(&subject));
        }
        Decision::FinishUndo => {
            assert_eq!(outcome.unwrap().verdict, Verdict::Undone);
            disks.assert_old(&whole(&subject));
        }
        Decision::StopOtherDisk => assert_stopped(
            outcome,
            &subject,
            &["another identity", "the disk that the work was begun on"],
        ),
        // Above the table: where one of the states is whole, the work ends there.
        Decision::StopForeignWrites { .. } if seen.whole.is_some() => {
            let told = outcome.unwrap().journal.unwrap().text.to_string();
            assert!(told.contains("used since"), "{told}");
            let after = whole(&subject);
            if seen.whole == Some(Whole::Old) {
                disks.assert_same_but_journal(&after, disk);
            } else {
                assert_eq!(disks.state(&after), State::Applied);
                disks.assert_same_but_header(&after, disk);
            }
        }
        Decision::StopForeignWrites { .. } => {
            assert!(outcome.as_ref().is_err_and(RepairError::is_unfinished));
            let words = ["byte ", "partition ", "changed by something else", "Keep a copy"];
            assert_stopped(outcome, &subject, &words);
        }
        Decision::StopDamaged => assert_stopped(
            outcome,
            &subject,
            &["the journal's body at byte 17920 is damaged", "Keep a copy"],
        ),
    }
}

fn check_undo(disks: &Disks, disk: &MemoryDevice, what: (State, bool, Content, Torn)) {
    let mut subject = subject(disk);
    let outcome = undo(&mut subject, &mut |_| true, &mut |_| ());
    let nothing_written = |subject: &Subject<'_>| assert_eq!(subject.device.events(), []);
    match what {
        (State::Applied, false, ..) => {
            assert_stopped(
                outcome,
                &subject,
                &["another identity", "the disk that the work was begun on"],
            );
        }
        (State::Applied, true, Content::After, Torn::No) => {
            assert_eq!(outcome.unwrap().verdict, Verdict::Undone);
            let bytes = subject.device.read_vec(0, disk.bytes().len()).unwrap();
            disks.assert_old(&MemoryDevice::from_bytes(bytes, SECTOR));
        }
        (State::Applied, true, content, _) => {
            nothing_written(&subject);
            let code = outcome.unwrap().refusal.unwrap().code;
            let unknown = matches!(content, Content::Unknown);
            assert_eq!(
                code,
                if unknown {
                    "undo-overwritten"
                } else {
                    "changed-since"
                }
            );
        }
        _ => {
            nothing_written(&subject);
            let report = outcome.unwrap();
            assert_eq!(report.verdict, Verdict::Unfinished);
            assert!(
                report
                    .journal
                    .unwrap()
                    .text
                    .to_string()
                    .contains("winrefit resume")
            );
        }
    }
}

/// What looks at the disk, and what would begin new work.
fn check_others(disk: &MemoryDevice, state: State, content: Content) {
    let mut subject = subject(disk);
    let seen = diagnose(&subject, None).unwrap();
    assert_eq!(seen.journal.as_ref().unwrap().state, state.as_str());
    if state == State::Applied {
        if matches!(content, Content::After) {
            let report = fix(&mut subject, &made::request(), &mut |_| true, &mut |_| ()).unwrap();
            assert_eq!(report.plan.unwrap().strategy, "keep");
            assert_eq!(subject.device.events(), []);
        }
        return;
    }
    assert_eq!(seen.verdict, Verdict::Unfinished);
    assert!(seen.journal.unwrap().text.to_string().contains("winrefit resume"));
    let report = fix(
        &mut subject,
        &made::request(),
        &mut |_| panic!("no question"),
        &mut |_| (),
    )
    .unwrap();
    assert_eq!(report.verdict, Verdict::Unfinished);
    assert_eq!(subject.device.events(), []);
    assert_eq!(disk.read_vec(HEADER as u64, 8).unwrap(), b"WRFTJRNL");
}
