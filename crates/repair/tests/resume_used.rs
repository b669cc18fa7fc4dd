//! `resume` on a disk that was used after the cut, against the advice: by ntfs-3g, which stands for Windows. Either nothing
//! of what was written since is lost and both volumes are sound, or nothing is written.
#![allow(clippy::unwrap_used)]

mod common;

use common::mount::while_mounted;
use common::used::{assert_sound, keep_slots_within, repaired, with_slots};
use common::{Layout, MIB, RECOVERY, REQUEST, WINDOWS, files, partition_range, target};
use std::fs;
use std::path::Path;
use winrefit_disk::journal::State;
use winrefit_disk::{Crash, Device, Event, Lba, MemoryDevice, SectorSize};
use winrefit_formats::{LbaRange, read_gpt};
use winrefit_repair::commands::{diagnose, resume};
use winrefit_repair::report::Verdict;

/// The disk after a cut behind `header_writes` writes of the journal's header and the flush after the last.
fn cut(old: &MemoryDevice, events: &[Event], header_writes: usize) -> MemoryDevice {
    let header = 34 * old.sector_size().bytes();
    let is_header = |event: &&Event| matches!(event, Event::Write { offset, .. } if *offset == header);
    let mut write = events.iter().enumerate().filter(|(_, event)| is_header(event));
    let (at, _) = write.nth(header_writes - 1).unwrap();
    let mut disk = old.clone();
    Crash::Prefix { count: at + 2 }.apply(&mut disk, events).unwrap();
    disk
}

fn state(disk: &MemoryDevice) -> &'static str {
    diagnose(&target(disk.clone()), None)
        .unwrap()
        .journal
        .unwrap()
        .state
}

/// A resume that was refused, and wrote nothing. The disk stays unfinished, which scripts learn from the verdict.
fn refused_resume(disk: &MemoryDevice) -> (&'static str, String) {
    let mut subject = target(disk.clone());
    let report = resume(&mut subject, &mut |_| ()).unwrap();
    assert!(subject.device == *disk, "nothing is written");
    assert_eq!(report.verdict, Verdict::Unfinished);
    let refusal = report.refusal.unwrap();
    let words = refusal.explained;
    (
        refusal.code,
        format!("{} {} {}", words.title, words.detail, words.next),
    )
}

/// A resume that gives the work up: the disk is as it was used, but for the journal's place.
fn assert_given_up(used: &MemoryDevice, old: &MemoryDevice, what: &str) {
    let mut subject = target(used.clone());
    let report = resume(&mut subject, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    assert!(report.refusal.is_none());
    let journal = report.journal.unwrap();
    assert_eq!(journal.state, "removed");
    let text = journal.text.to_string();
    assert!(text.contains("used since") && text.contains(what), "{text}");
    assert!(diagnose(&subject, None).unwrap().journal.is_none());
    let place = 34 * 512..MIB as usize;
    let mut due = used.clone();
    due.bytes_mut()[place.clone()].copy_from_slice(&old.bytes()[place]);
    assert!(subject.device == due, "nothing else is written");
    assert_sound(&subject.device);
}

/// The first phase behind the commit, on whatever the disk is by now.
fn apply_phase(disk: &mut MemoryDevice, events: &[Event]) {
    let is_header = |event: &Event| matches!(event, Event::Write { offset, .. } if *offset == 34 * 512);
    let committed = (0..events.len())
        .filter(|&at| is_header(&events[at]))
        .nth(1)
        .unwrap()
        + 2;
    let mut written = 0;
    for event in events[committed..].iter() {
        match event {
            Event::Write { offset, data } => disk.write_at(*offset, data).unwrap(),
            Event::Flush => break,
        }
        written += 1;
    }
    assert!(written > 0);
}

/// Windows was started after the cut, against the advice, and put files where the border is to move to. Nothing of the
/// repair was in place yet: it is given up.
#[test]
fn a_resume_ends_the_work_where_new_files_of_the_donor_lie_behind_its_new_end() {
    let Some(old) = with_slots(&Layout::default()) else {
        return;
    };
    let (_, events) = repaired(&old, &REQUEST);
    let mut used = cut(&old, &events, 2);
    assert_eq!(state(&used), State::Committed.as_str());
    // The last MiB of C:: clusters of which no touched sector of $Bitmap tells.
    keep_slots_within(&mut used, WINDOWS, (48 * MIB, 51 * MIB));
    assert_sound(&used);
    assert_given_up(&used, &old, "artition 3");
}

/// The same with some of it in place: neither way loses nothing, so a person has to decide.
#[test]
fn a_resume_is_refused_where_part_of_the_work_is_in_place() {
    let Some(old) = with_slots(&Layout::default()) else {
        return;
    };
    let (_, events) = repaired(&old, &REQUEST);
    let mut used = cut(&old, &events, 2);
    keep_slots_within(&mut used, WINDOWS, (48 * MIB, 51 * MIB));
    apply_phase(&mut used, &events);
    let (code, words) = refused_resume(&used);
    assert_eq!(code, "resume-would-damage", "{words}");
    assert!(words.contains("artition 3"), "{words}");
    for due in [
        "Keep a copy of the whole disk",
        "stays unfinished",
        "backup from before",
    ] {
        assert!(words.contains(due), "{words}");
    }
}

/// The new front of the recovery volume has its files as they were before the cut.
#[test]
fn a_resume_ends_the_work_where_the_recovery_volume_has_got_other_files_since() {
    let old = Layout::default().build();
    let (_, events) = repaired(&old, &REQUEST);
    let cut = cut(&old, &events, 2);
    type Work = fn(&Path);
    let works: [Work; 3] = [
        |at| fs::write(at.join("Recovery/WindowsRE/new.txt"), b"new").unwrap(),
        |at| fs::remove_file(at.join("Recovery/WindowsRE/boot.sdi")).unwrap(),
        |at| fs::write(at.join("Recovery/WindowsRE/boot.sdi"), vec![7; 90_000]).unwrap(),
    ];
    for work in works {
        let mut used = cut.clone();
        if while_mounted(&mut used, RECOVERY, work).is_none() {
            return;
        }
        assert_given_up(&used, &old, "artition 4");
    }
}

/// Files elsewhere on C: are in nobody's way.
#[test]
fn a_resume_keeps_what_was_written_to_untouched_sectors() {
    let Some(old) = with_slots(&Layout::default()) else {
        return;
    };
    let (new, events) = repaired(&old, &REQUEST);
    let mut used = cut(&old, &events, 2);
    let kept = keep_slots_within(&mut used, WINDOWS, (0, 32 * MIB));
    let mut subject = target(used);
    let report = resume(&mut subject, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    assert_sound(&subject.device);
    let found = files(&subject.device, WINDOWS);
    for path in &kept {
        let content = found
            .iter()
            .find(|(name, _)| name.trim_start_matches('\\') == path)
            .unwrap()
            .1;
        assert!(content.len() == MIB as usize && content.iter().all(|&byte| byte == content[0] && byte != 0));
    }
    assert_eq!(
        partition_range(&subject.device, RECOVERY),
        partition_range(&new, RECOVERY)
    );
}

/// A disk on which the journal is being prepared, and someone gave the first partition the sectors from here on.
fn prepared_and_taken(from: u64) -> MemoryDevice {
    let old = Layout::default().build();
    let (_, events) = repaired(&old, &REQUEST);
    let mut used = cut(&old, &events, 1);
    assert_eq!(state(&used), State::Preparing.as_str());
    let mut gpt = read_gpt(&used, SectorSize::B512).unwrap().usable().unwrap();
    gpt.set_range(1, LbaRange::new(Lba(from), Lba(4096))).unwrap();
    gpt.write(&mut used).unwrap();
    used
}

#[test]
fn a_journal_whose_header_lies_in_a_partition_by_now_is_not_removed() {
    let (code, words) = refused_resume(&prepared_and_taken(34));
    assert_eq!(code, "journal-place-taken");
    assert!(words.contains("artition 1"), "{words}");
}

/// The old state is whole, so that only the zeros must keep out of the partition.
#[test]
fn a_journal_in_a_place_that_a_partition_has_taken_in_part_is_removed_as_far_as_that() {
    let mut used = prepared_and_taken(40);
    used.bytes_mut()[35 * 512..48 * 512].fill(0xa5);
    let mut subject = target(used.clone());
    let report = resume(&mut subject, &mut |_| ()).unwrap();
    assert!(report.refusal.is_none(), "{:?}", report.refusal);
    assert_eq!(report.journal.unwrap().state, "removed");
    assert!(diagnose(&subject, None).unwrap().journal.is_none());
    used.bytes_mut()[34 * 512..40 * 512].fill(0);
    assert!(subject.device == used, "nothing else is written");
}
