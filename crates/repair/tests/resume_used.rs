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

/// A resume that was refused, and wrote nothing.
fn refused_resume(disk: &MemoryDevice) -> (&'static str, String) {
    let mut subject = target(disk.clone());
    let report = resume(&mut subject, &mut |_| ()).unwrap();
    assert!(subject.device == *disk, "nothing is written");
    assert_eq!(report.verdict, Verdict::Refused);
    let refusal = report.refusal.unwrap();
    let words = refusal.explained;
    (
        refusal.code,
        format!("{} {} {}", words.title, words.detail, words.next),
    )
}

/// Windows was started after the cut, against the advice, and put files where the border is to move to.
#[test]
fn a_resume_is_refused_where_new_files_of_the_donor_lie_behind_its_new_end() {
    let Some(old) = with_slots(&Layout::default()) else {
        return;
    };
    let (_, events) = repaired(&old, &REQUEST);
    let mut used = cut(&old, &events, 2);
    assert_eq!(state(&used), State::Committed.as_str());
    // The last MiB of C:: clusters of which no touched sector of $Bitmap tells.
    keep_slots_within(&mut used, WINDOWS, (48 * MIB, 51 * MIB));
    assert_sound(&used);
    let (code, words) = refused_resume(&used);
    assert_eq!(code, "resume-would-damage", "{words}");
    assert!(words.contains("artition 3"), "{words}");
}

/// The new front of the recovery volume has its files as they were before the cut.
#[test]
fn a_resume_is_refused_where_the_recovery_volume_has_got_other_files_since() {
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
        let (code, words) = refused_resume(&used);
        assert_eq!(code, "resume-would-damage", "{words}");
        assert!(words.contains("artition 4"), "{words}");
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

/// Someone gave the first partition the unallocated sectors before it, while the journal was there.
#[test]
fn a_journal_in_a_place_that_a_partition_has_taken_is_not_removed() {
    let old = Layout::default().build();
    let (_, events) = repaired(&old, &REQUEST);
    let mut used = cut(&old, &events, 1);
    assert_eq!(state(&used), State::Preparing.as_str());
    let mut gpt = read_gpt(&used, SectorSize::B512).unwrap().usable().unwrap();
    gpt.set_range(1, LbaRange::new(Lba(34), Lba(4096))).unwrap();
    gpt.write(&mut used).unwrap();
    let (code, words) = refused_resume(&used);
    assert_eq!(code, "journal-place-taken");
    assert!(words.contains("artition 1"), "{words}");
}
