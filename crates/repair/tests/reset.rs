//! Windows Update reset on small disks: what changes, what does not, the way back, and what is refused.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/update.rs"]
mod update;

use common::compare::{difference, first_lost};
use common::{Layout, MIB, RECOVERY, REQUEST, WINDOWS, change, files, partition_range, poke, target};
use update::{ALL, ASIDE, FOLDERS, SYSTEM, broken, content, has, layout, put_aside, start};
use winrefit_disk::{ByteRange, Device, Event, MemoryDevice, ReadAt, Recording, SectorSize};
use winrefit_lab::hive::seal;
use winrefit_ntfs::AttributeType;
use winrefit_ntfs::rename::rename;
use winrefit_repair::commands::{diagnose, fix, plan_reset, reset_update, undo, verify};
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::reset::{ResetPart, ResetRequest};

const VOLUME: (AttributeType, &str) = (AttributeType::VOLUME_INFORMATION, "");

fn reset(disk: MemoryDevice, request: &ResetRequest) -> (Report, MemoryDevice) {
    let mut subject = target(disk);
    let report = reset_update(&mut subject, request, &mut |_| true, &mut |_| ()).unwrap();
    (report, subject.device)
}

fn planned(disk: &MemoryDevice, request: &ResetRequest) -> Report {
    plan_reset(&target(disk.clone()), request, &mut |_| ()).unwrap()
}

fn refusal(disk: &MemoryDevice, request: &ResetRequest) -> Option<&'static str> {
    let report = planned(disk, request);
    assert_eq!(report.verdict == Verdict::Refused, report.refusal.is_some());
    let refusal = report.refusal?;
    assert!(!refusal.explained.next.is_empty(), "{}", refusal.code);
    Some(refusal.code)
}

fn only(part: ResetPart) -> ResetRequest {
    ResetRequest {
        only: Some(part),
        ..ALL
    }
}

/// A folder of C: gets another name.
fn rename_on(disk: &mut MemoryDevice, directory: &str, from: &str, to: &str) {
    let range = partition_range(disk, WINDOWS);
    let edits = {
        let window = winrefit_disk::ReadWindow::new(&*disk, range).unwrap();
        let volume = winrefit_ntfs::Volume::open(window).unwrap();
        rename(&volume, directory, from, to, 1).unwrap().edits
    };
    for edit in edits.0 {
        disk.write_at(range.start + edit.offset, &edit.bytes).unwrap();
    }
}

#[test]
fn a_dry_run_and_a_no_write_nothing() {
    let disk = broken();
    let mut subject = target(Recording::new(disk.clone()));
    let dry = plan_reset(&subject, &ALL, &mut |_| ()).unwrap();
    let asked = reset_update(&mut subject, &ALL, &mut |_| false, &mut |_| ()).unwrap();
    for report in [dry, asked] {
        assert_eq!(report.verdict, Verdict::NeedsRepair, "{:?}", report.refusal);
        let plan = report.plan.unwrap();
        assert_eq!((plan.strategy, plan.steps.len()), ("reset-update", 4));
        assert!(plan.bytes_written > 0 && plan.changes.is_empty() && plan.move_bytes == 0);
        assert!(report.verification.iter().all(|item| item.ok));
    }
    let (after, events) = subject.device.into_parts();
    assert!(!events.iter().any(|event| matches!(event, Event::Write { .. })));
    assert_eq!(difference(&disk, &after, ByteRange::new(0, disk.size())), None);
}

#[test]
fn folders_get_new_names_and_services_start_again() {
    let old = broken();
    let (report, new) = reset(old.clone(), &ALL);
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    for (from, to) in FOLDERS.into_iter().zip(ASIDE) {
        assert!(has(&new, to) && !has(&new, from), "{from}");
    }
    assert_eq!((start(&new, "wuauserv"), start(&new, "BITS")), (3, 2));
    // All files are as they were, but for four bytes of the hive for each service.
    let mut expected = put_aside(&files(&old, WINDOWS));
    let hive = expected.get_mut(SYSTEM).unwrap();
    let now = content(&new, SYSTEM);
    assert_eq!(hive.iter().zip(&now).filter(|(a, b)| a != b).count(), 2);
    *hive = now;
    assert_eq!(files(&new, WINDOWS), expected);
    // Nothing but C: and the journal before the first partition was written.
    let range = partition_range(&old, WINDOWS);
    let behind = ByteRange::new(range.end, old.size());
    assert_eq!(difference(&old, &new, behind), None);
    assert_eq!(difference(&old, &new, ByteRange::new(MIB, range.start)), None);

    let verified = verify(&target(new.clone()), None, &mut |_| ()).unwrap();
    assert!(verified.checks.iter().all(|check| check.problems_total == 0));
    let told = diagnose(&target(new), None).unwrap().journal.unwrap();
    assert_eq!(told.state, "applied");
    let memo = told.memo.to_string();
    assert!(memo.contains("reset-update, Windows on partition 3"), "{memo}");
}

#[test]
fn each_part_can_be_reset_alone() {
    let (report, new) = reset(broken(), &only(ResetPart::Folders));
    assert_eq!(report.verdict, Verdict::Repaired);
    assert!(!has(&new, FOLDERS[0]) && start(&new, "wuauserv") == 4);
    let (report, new) = reset(broken(), &only(ResetPart::Services));
    assert_eq!(report.verdict, Verdict::Repaired);
    assert!(has(&new, FOLDERS[0]) && has(&new, FOLDERS[1]) && start(&new, "wuauserv") == 3);
}

#[test]
fn what_is_set_otherwise_but_not_disabled_stays_and_is_told() {
    let disk = layout(&[("UsoSvc", 3), ("DoSvc", 4), ("VSS", 4)]).build();
    let (report, new) = reset(disk, &only(ResetPart::Services));
    assert_eq!(report.verdict, Verdict::Repaired);
    let starts = ["UsoSvc", "DoSvc", "VSS"].map(|service| start(&new, service));
    assert_eq!(starts, [3, 2, 4]);
    let told = report.plan.unwrap().untouched;
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert!(
        told.iter().any(|line| line.contains("UsoSvc (manual)")),
        "{told:?}"
    );
}

#[test]
fn an_undo_gives_the_old_disk_back() {
    for layout in [
        layout(&[("wuauserv", 4)]),
        Layout {
            sector_size: SectorSize::B4096,
            ..layout(&[("wuauserv", 4)])
        },
    ] {
        let old = layout.build();
        let (report, new) = reset(old.clone(), &ALL);
        assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
        let mut subject = target(new);
        let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
        assert_eq!(first_lost(&old, &subject.device), None);
        let all = ByteRange::new(0, old.size());
        assert_eq!(difference(&old, &subject.device, all), None);
    }
}

#[test]
fn an_undo_is_refused_once_windows_has_made_the_folder_anew() {
    let (_, mut new) = reset(broken(), &ALL);
    rename_on(&mut new, r"\Windows\System32", "library000.dll", "catroot2");
    let before = new.clone();
    let mut subject = target(new);
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.refusal.unwrap().code, "changed-since");
    let all = ByteRange::new(0, before.size());
    assert_eq!(difference(&before, &subject.device, all), None);
}

#[test]
fn names_that_are_taken_are_passed_over() {
    let folder = r"\Windows\SoftwareDistribution";
    let mut disk = broken();
    for (index, last) in "~_-0123456789".chars().enumerate() {
        let (report, new) = reset(disk, &only(ResetPart::Folders));
        assert_eq!(report.verdict, Verdict::Repaired, "{last}: {:?}", report.refusal);
        let aside = format!("{}{last}", &folder[..folder.len() - 1]);
        assert!(has(&new, &aside) && !has(&new, folder), "{last}");
        disk = new;
        // Windows makes it anew.
        let other = format!("spare{index}");
        rename_on(&mut disk, r"\Windows", &other, "SoftwareDistribution");
    }
    assert_eq!(refusal(&disk, &ALL), Some("no-free-name"));
    assert_eq!(refusal(&disk, &only(ResetPart::Services)), None);
}

#[test]
fn a_folder_that_is_not_there_is_passed_over() {
    let mut disk = broken();
    rename_on(&mut disk, r"\Windows\System32", "catroot2", "elsewhere");
    let (report, new) = reset(disk, &only(ResetPart::Folders));
    assert_eq!(report.plan.unwrap().steps.len(), 1);
    assert!(has(&new, ASIDE[0]) && has(&new, r"\Windows\System32\elsewhere"));
}

#[test]
fn where_nothing_is_to_be_done_nothing_is_written() {
    let room = Layout {
        disk: 900,
        recovery: (55, 899),
        update: Some(update::hive(&[])),
        ..Layout::default()
    };
    let mut disk = room.build();
    rename_on(&mut disk, r"\Windows\System32", "catroot2", "elsewhere");
    rename_on(&mut disk, r"\Windows", "SoftwareDistribution", "elsewhere");
    let mut subject = target(Recording::new(disk));
    let report = reset_update(&mut subject, &ALL, &mut |_| panic!("asked"), &mut |_| ()).unwrap();
    // Its image is an old one, which is a person's business.
    assert_eq!(report.verdict, Verdict::Attention);
    let said = |code| report.findings.iter().any(|finding| finding.code == code);
    assert!(said("winre-image-vulnerable") && !said("reset-may-help"));
    assert!(report.plan.unwrap().steps.is_empty());
    let (_, events) = subject.device.into_parts();
    assert!(!events.iter().any(|event| matches!(event, Event::Write { .. })));
}

#[test]
fn the_cause_that_a_reset_does_not_touch_is_said_first() {
    let first = |report: &Report| {
        let finding = report.findings.first().unwrap();
        (finding.code, finding.explained.title.to_string())
    };
    // 24 MiB of recovery partition are too few.
    let (code, title) = first(&planned(&broken(), &ALL));
    assert_eq!(code, "reset-will-not-help");
    assert!(title.contains("too small") || title.contains("lacks"), "{title}");
    let (report, _) = reset(broken(), &ALL);
    assert_eq!(first(&report).0, "reset-will-not-help");
    assert_eq!(report.findings[1].code, "reset-may-help");
    // What was cured is no finding any more.
    let gone = |finding: &winrefit_repair::report::FindingReport| finding.code != "update-service-disabled";
    assert!(report.findings.iter().all(gone));
}

#[test]
fn a_volume_that_may_not_be_changed_is_refused() {
    let sound = broken();
    let c = partition_range(&sound, WINDOWS).start;
    let with = |edit: &dyn Fn(&mut MemoryDevice)| {
        let mut disk = sound.clone();
        edit(&mut disk);
        refusal(&disk, &ALL)
    };
    let volume = |at: usize, bytes: &'static [u8]| {
        with(&move |disk| change(disk, WINDOWS, 3, VOLUME, 0x18 + at, bytes))
    };
    assert_eq!(volume(10, &[1, 0]), Some("dirty"));
    assert_eq!(volume(8, &[3, 0]), Some("ntfs-version"));
    assert_eq!(with(&|disk| poke(disk, c + 3, b"-FVE-FS-")), Some("bitlocker"));
    assert_eq!(with(&|disk| poke(disk, c, &[0; 512])), Some("no-windows"));
    // A header of the table whose checksum is wrong.
    assert_eq!(with(&|disk| poke(disk, 512 + 24, &[7])), Some("partition-table"));
    let named = |number| ResetRequest {
        windows: Some(number),
        ..ALL
    };
    assert_eq!(refusal(&sound, &named(RECOVERY)), Some("no-windows"));
    assert_eq!(refusal(&sound, &named(WINDOWS)), None);
    assert!(plan_reset(&target(sound), &named(9), &mut |_| ()).is_err());
}

#[test]
fn damage_anywhere_on_the_volume_is_refused() {
    let mut disk = broken();
    let number = common::record_of(&disk, WINDOWS, r"\Users\f3.txt");
    let what = (AttributeType::FILE_NAME, "");
    // A name that its directory does not have.
    change(&mut disk, WINDOWS, number, what, 0x18 + 0x42, b"x");
    assert_eq!(refusal(&disk, &ALL), Some("damaged-ntfs"));
}

#[test]
fn a_hive_that_is_not_at_rest_stops_only_what_would_change_it() {
    let dirty = |starts| {
        let mut hive = update::hive(starts);
        hive[4] = hive[4].wrapping_add(1);
        seal(&mut hive);
        Layout {
            update: Some(hive),
            ..Layout::default()
        }
        .build()
    };
    let disk = dirty(&[("wuauserv", 4)]);
    assert_eq!(refusal(&disk, &ALL), Some("hive-dirty"));
    assert_eq!(refusal(&disk, &only(ResetPart::Services)), Some("hive-dirty"));
    assert_eq!(refusal(&disk, &only(ResetPart::Folders)), None);
    assert_eq!(refusal(&dirty(&[]), &ALL), None);
    let mut broken = Layout {
        update: Some(vec![0x55; 8192]),
        ..Layout::default()
    };
    assert_eq!(refusal(&broken.build(), &ALL), Some("hive"));
    assert_eq!(refusal(&broken.build(), &only(ResetPart::Folders)), None);
    broken.update = None;
    assert_eq!(refusal(&broken.build(), &ALL), Some("hive"));
}

#[test]
fn an_unfinished_repair_comes_first() {
    let mut subject = target(Recording::new(broken()));
    fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    let (_, events) = subject.device.into_parts();
    let mut cut = broken();
    winrefit_disk::recording::replay(&mut cut, &events[..events.len() - 2]).unwrap();
    let report = planned(&cut, &ALL);
    assert_eq!(report.verdict, Verdict::Unfinished);
    assert!(report.plan.is_none() && report.findings.is_empty());
}

#[test]
fn a_disk_without_room_for_the_journal_is_refused() {
    let mut disk = broken();
    // Somebody's data before the first partition and behind the last one.
    poke(&mut disk, 34 * 512, b"boot manager");
    let end = disk.size() - MIB;
    for at in (end..disk.size() - 33 * 512).step_by(512) {
        poke(&mut disk, at, b"data");
    }
    assert_eq!(refusal(&disk, &ALL), Some("no-journal-space"));
}
