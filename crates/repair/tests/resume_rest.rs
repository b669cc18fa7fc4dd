//! `resume` and `undo` beside volumes that are not at rest: those that the work does not concern are nobody's business, and
//! of those that it does the advice is one for a disk between two states.
#![allow(clippy::unwrap_used)]

mod common;

use common::lab::LabFile;
use common::{Layout, REQUEST, WINDOWS, change, target};
use winrefit_disk::{
    Crash, Device, DiskFile, Event, Fault, Faulty, MemoryDevice, Operation, Overlay, ReadWindow, Recording,
};
use winrefit_ntfs::{AttributeType, RecordNumber, Volume};
use winrefit_repair::commands::{Progress, diagnose, fix, reset_update, resume, undo};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::report::Verdict;
use winrefit_repair::reset::ResetRequest;

const VOLUME: (AttributeType, &str) = (AttributeType::VOLUME_INFORMATION, "");

/// Sets the dirty flag of the volume of a partition.
fn make_dirty(file: &mut DiskFile, number: u32) {
    let seen = observe(&*file, None, Depth::Quick).unwrap();
    let range = seen.partition(number).unwrap().range;
    let places = {
        let volume = Volume::open(ReadWindow::new(&*file, range).unwrap()).unwrap();
        let geometry = volume.geometry();
        let record = volume.read_record(RecordNumber(3)).unwrap();
        let found = record.find(AttributeType::VOLUME_INFORMATION, "").unwrap();
        let within = 3 * u64::from(geometry.record_size) + found.unwrap().offset() as u64 + 24 + 10;
        [volume.boot().mft_lcn(), volume.boot().mft_mirr_lcn()]
            .map(|lcn| range.start + geometry.offset_of(lcn) + within)
    };
    for at in places {
        file.write_at(at, &[1]).unwrap();
    }
    file.flush().unwrap();
}

/// One of two Windows is reset; the other one is dirty all the time.
#[test]
fn a_dirty_windows_that_the_work_does_not_touch_is_no_obstacle() {
    let lab = LabFile::of("two-windows");
    let numbers: Vec<u32> = {
        let mut file = DiskFile::open_write(&lab.path).unwrap();
        let seen = observe(&file, None, Depth::Quick).unwrap();
        let numbers: Vec<u32> = seen.windows.iter().map(|w| w.partition).collect();
        make_dirty(&mut file, numbers[1]);
        numbers
    };
    let file = lab.open();
    let size = file.sector_size();
    let subject = |fault| target(Faulty::new(Overlay::new(&file, size), fault));
    let request = ResetRequest {
        windows: Some(numbers[0]),
        only: None,
    };
    let mut whole = subject(Fault::None);
    let report = reset_update(&mut whole, &request, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    let writes = whole.device.count(Operation::Write);
    let mut steps = Vec::new();
    let report = undo(&mut whole, &mut |_| true, &mut |step| steps.push(step)).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.checks);
    let checking = Progress::Checking {
        partition: numbers[0],
    };
    assert!(steps.contains(&checking), "{steps:?}");

    let mut states = Vec::new();
    for number in [1, writes / 2, writes - 3, writes - 2, writes - 1] {
        let mut cut = subject(Fault::WritesFrom { number });
        reset_update(&mut cut, &request, &mut |_| true, &mut |_| ()).unwrap_err();
        let mut cut = target(cut.device.into_inner());
        let Some(journal) = diagnose(&cut, None).unwrap().journal else {
            continue;
        };
        let report = resume(&mut cut, &mut |_| ()).unwrap();
        let due = match journal.state {
            "preparing" => Verdict::Undone,
            _ => Verdict::Repaired,
        };
        assert_eq!(
            report.verdict, due,
            "write {number}, {}: {:?}",
            journal.state, report.refusal
        );
        states.push(journal.state);
    }
    assert!(
        states.contains(&"preparing") && states.contains(&"committed"),
        "{states:?}"
    );
}

/// The disk of a repair that was cut behind so many flushes, and its journal's state.
fn cut(flushes: usize) -> (MemoryDevice, &'static str) {
    let old = Layout::default().build();
    let mut subject = target(Recording::new(old.clone()));
    fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    let (_, events) = subject.device.into_parts();
    let mut at = (0..events.len()).filter(|&at| events[at] == Event::Flush);
    let count = at.nth(flushes - 1).unwrap() + 1;
    let mut disk = old;
    Crash::Prefix { count }.apply(&mut disk, &events).unwrap();
    let state = diagnose(&target(disk.clone()), None)
        .unwrap()
        .journal
        .unwrap()
        .state;
    (disk, state)
}

/// Windows was used between two phases, and wants chkdsk: on the disk as it is that would do harm.
#[test]
fn a_refused_resume_keeps_the_disk_unfinished_and_advises_no_chkdsk() {
    let (mut disk, state) = cut(4);
    assert_eq!(state, "committed");
    change(&mut disk, WINDOWS, 3, VOLUME, 0x18 + 10, &[1, 0]);
    let mut subject = target(disk.clone());
    let report = resume(&mut subject, &mut |_| ()).unwrap();
    assert!(subject.device == disk, "nothing is written");
    assert_eq!(report.verdict, Verdict::Unfinished);
    let refusal = report.refusal.unwrap();
    assert_eq!(refusal.code, "resume-not-at-rest");
    let words = refusal.explained;
    assert!(
        words.detail.to_string().contains("partition 3 is marked dirty"),
        "{}",
        words.detail
    );
    let next = words.next.to_string();
    assert!(
        next.contains("copy of the whole disk before anything else"),
        "{next}"
    );
    assert!(next.contains("Do not run `chkdsk` on this disk"), "{next}");
}

/// Nothing of the repair is in place yet: then it is given up, and the volume stays as it is.
#[test]
fn a_dirty_volume_before_the_first_change_ends_the_work() {
    let (mut disk, state) = cut(3);
    assert_eq!(state, "committed");
    change(&mut disk, WINDOWS, 3, VOLUME, 0x18 + 10, &[1, 0]);
    let mut subject = target(disk);
    let mut steps = Vec::new();
    let report = resume(&mut subject, &mut |step| steps.push(step)).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    let journal = report.journal.unwrap();
    assert_eq!(journal.state, "removed");
    assert!(
        journal.text.to_string().contains("used since"),
        "{}",
        journal.text
    );
    let mut old = Layout::default().build();
    change(&mut old, WINDOWS, 3, VOLUME, 0x18 + 10, &[1, 0]);
    assert!(subject.device == old);
}

/// Nothing has been taken back yet: then the repair stays, and the volume as it is.
#[test]
fn an_undo_of_a_dirty_volume_that_has_taken_nothing_back_is_given_up() {
    let mut repaired = target(Layout::default().build());
    fix(&mut repaired, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    let new = repaired.device;
    let mut subject = target(Recording::new(new.clone()));
    undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    let events = subject.device.into_parts().1;
    let first = events.iter().position(|event| *event == Event::Flush).unwrap();
    let mut disk = new.clone();
    Crash::Prefix { count: first + 1 }
        .apply(&mut disk, &events)
        .unwrap();
    let state = |disk: &MemoryDevice| {
        diagnose(&target(disk.clone()), None)
            .unwrap()
            .journal
            .unwrap()
            .state
    };
    assert_eq!(state(&disk), "undoing");
    change(&mut disk, WINDOWS, 3, VOLUME, 0x18 + 10, &[1, 0]);
    let mut subject = target(disk);
    let report = resume(&mut subject, &mut |_| ()).unwrap();
    assert!(report.refusal.is_none(), "{:?}", report.refusal);
    let text = report.journal.unwrap().text.to_string();
    assert!(
        text.contains("used since") && text.contains("the repair stays as it is"),
        "{text}"
    );
    assert_eq!(state(&subject.device), "applied");
    let mut due = new;
    change(&mut due, WINDOWS, 3, VOLUME, 0x18 + 10, &[1, 0]);
    assert!(subject.device == due);
}

/// What is long is seen.
#[test]
fn a_resume_tells_of_the_volumes_that_it_checks() {
    let (disk, _) = cut(4);
    let mut steps = Vec::new();
    let report = resume(&mut target(disk), &mut |step| steps.push(step)).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    assert_eq!(steps[0], Progress::Checking { partition: WINDOWS }, "{steps:?}");
}
