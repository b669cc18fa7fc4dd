//! Headers that cannot be believed, and two journals on one disk.

use crate::made::{Disks, HEADER, SECTOR, Torn, flip, reseal, unrepaired};
use crate::{assert_stopped, subject};
use winrefit_disk::MemoryDevice;
use winrefit_disk::journal::State;
use winrefit_disk::journal::recovery::Content;
use winrefit_repair::commands::{diagnose, fix, resume, undo};
use winrefit_repair::report::Verdict;

/// Every command stops, and says why; looking says that whether work is unfinished is not known.
fn assert_all_stop(disk: &MemoryDevice, words: &[&str]) {
    let mut subject = subject(disk);
    let outcome = resume(&mut subject, &mut |_| ());
    assert_stopped(outcome, &subject, words);
    let outcome = undo(&mut subject, &mut |_| panic!("no question"), &mut |_| ());
    assert_stopped(outcome, &subject, words);
    let report = fix(
        &mut subject,
        &crate::made::request(),
        &mut |_| panic!("no question"),
        &mut |_| (),
    )
    .unwrap();
    let seen = diagnose(&subject, None).unwrap();
    for report in [report, seen] {
        assert_eq!(report.verdict, Verdict::Unfinished);
        let told = report.journal.unwrap();
        assert_eq!(told.state, "damaged");
        assert!(told.text.to_string().contains(words[0]), "{}", told.text);
    }
    assert_eq!(subject.device.events(), []);
}

fn in_state(disks: &Disks, state: State) -> MemoryDevice {
    disks.make(state, true, Content::After, Torn::No)
}

#[test]
fn a_header_that_cannot_be_believed_stops_everything() {
    let disks = Disks::new();
    for state in State::ALL {
        let made = in_state(&disks, state);
        let mut damaged = made.clone();
        flip(&mut damaged, HEADER + 200);
        assert_all_stop(&damaged, &["header at byte 17408 is damaged", "Keep a copy"]);
        let mut newer = made.clone();
        newer.bytes_mut()[HEADER + 8] = 3;
        reseal(newer.bytes_mut(), HEADER);
        assert_all_stop(&newer, &["version 3", "newer winrefit"]);
        let mut impossible = made.clone();
        impossible.bytes_mut()[HEADER + 12] = 9;
        reseal(impossible.bytes_mut(), HEADER);
        assert_all_stop(&impossible, &["impossible state 9", "Keep a copy"]);
        let copied = with_second(&made, |_| ());
        assert_all_stop(&copied, &["impossible header offset 17408", "Keep a copy"]);
    }
}

/// The other place where a header may lie: 960 KiB before the end of the usable sectors.
fn second_place(disk: &MemoryDevice) -> usize {
    disk.bytes().len() - 33 * 512 - (960 << 10)
}

/// The disk with a copy of its header at the other place, changed.
fn with_second(disk: &MemoryDevice, change: impl FnOnce(&mut [u8])) -> MemoryDevice {
    let (mut both, at) = (disk.clone(), second_place(disk));
    let bytes = both.bytes_mut();
    bytes.copy_within(HEADER..HEADER + 512, at);
    change(&mut bytes[at..at + 512]);
    reseal(bytes, at);
    both
}

/// A header that is right at the other place, and whose body is the first one's.
fn right_at(place: usize, state: State) -> impl FnOnce(&mut [u8]) {
    move |header| {
        header[12] = state.number() as u8;
        header[56..64].copy_from_slice(&(place as u64).to_le_bytes());
        // Nothing behind it is to be wiped.
        header[88..96].fill(0);
    }
}

#[test]
fn of_two_journals_the_unfinished_one_counts_and_two_of_these_stop() {
    let disks = Disks::new();
    let place = second_place(&disks.new);
    for first in [State::Preparing, State::Committed, State::Undoing] {
        for second in [State::Preparing, State::Committed, State::Undoing] {
            let both = with_second(&in_state(&disks, first), right_at(place, second));
            assert_all_stop(
                &both,
                &["unfinished journals at byte 17408 and at byte", "Keep a copy"],
            );
        }
        // The one that is done is neither looked at nor wiped.
        let both = with_second(&in_state(&disks, first), right_at(place, State::Applied));
        let mut subject = subject(&both);
        assert_eq!(
            diagnose(&subject, None).unwrap().journal.unwrap().state,
            first.as_str()
        );
        let report = resume(&mut subject, &mut |_| ()).unwrap();
        let wanted = if first == State::Committed {
            Verdict::Repaired
        } else {
            Verdict::Undone
        };
        assert_eq!(report.verdict, wanted);
        let left = winrefit_disk::ReadAt::read_vec(&subject.device, place as u64, 512).unwrap();
        assert!(left == both.bytes()[place..place + 512]);
    }
}

/// A disk of other length: a copy onto a larger one.
#[test]
fn a_copy_of_another_length_stops_and_says_which() {
    let disks = Disks::new();
    for state in [State::Preparing, State::Committed, State::Undoing] {
        let made = in_state(&disks, state);
        let mut bytes = made.bytes().to_vec();
        bytes.resize(bytes.len() + (4 << 20), 0);
        let longer = MemoryDevice::from_bytes(bytes, SECTOR);
        let mut subject = subject(&longer);
        let outcome = resume(&mut subject, &mut |_| ());
        let (was, is) = (made.bytes().len().to_string(), longer.bytes().len().to_string());
        assert_stopped(outcome, &subject, &[&was, &is, "a copy of exactly the same size"]);
    }
}

/// Version 1 knew no copies, and is the same otherwise.
#[test]
fn a_journal_of_the_first_version_is_finished_and_undone() {
    let disks = Disks::of(unrepaired(false));
    assert!(disks.transaction.moves.is_empty());
    for state in State::ALL {
        let mut made = in_state(&disks, state);
        made.bytes_mut()[HEADER + 8] = 1;
        reseal(made.bytes_mut(), HEADER);
        let mut subject = subject(&made);
        let report = match state {
            State::Applied => undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap(),
            _ => resume(&mut subject, &mut |_| ()).unwrap(),
        };
        let bytes = winrefit_disk::ReadAt::read_vec(&subject.device, 0, made.bytes().len()).unwrap();
        let ended = MemoryDevice::from_bytes(bytes, SECTOR);
        match state {
            State::Committed => {
                assert_eq!(report.verdict, Verdict::Repaired);
                disks.assert_new(&ended);
            }
            State::Preparing => disks.assert_same_but_journal(&ended, &made),
            _ => {
                assert_eq!(report.verdict, Verdict::Undone);
                disks.assert_old(&ended);
            }
        }
    }
}
