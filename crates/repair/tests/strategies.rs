//! Each way of making room, from observation to undo, on disks in memory.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Layout, MIB, RECOVERY, WINDOWS, files, partition_range, target};
use winrefit_disk::{Device, MemoryDevice, ReadAt, SectorSize};
use winrefit_repair::commands::{diagnose, fix, plan, undo, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};

fn request(size: u64, free: u64) -> Request {
    Request {
        size_bytes: Some(size * MIB),
        free_bytes: Some(free * MIB),
        recovery_partition: None,
        drop_shadow_copies: false,
        reclaim: false,
        remove_stale: None,
        create: false,
    }
}

fn repair(layout: &Layout, request: &Request, strategy: &str) -> (MemoryDevice, MemoryDevice, Report) {
    let old = layout.build();
    let before = [files(&old, WINDOWS), files(&old, RECOVERY)];
    let mut subject = target(old.clone());
    let report = fix(&mut subject, request, &mut |_| true, &mut |_| ()).unwrap();
    let problems: Vec<_> = report.verification.iter().filter(|item| !item.ok).collect();
    assert_eq!(
        report.verdict,
        Verdict::Repaired,
        "{:?} {problems:?}",
        report.refusal
    );
    assert_eq!(report.plan.as_ref().unwrap().strategy, strategy);
    let new = subject.device;
    let moved = partition_range(&new, RECOVERY).start;
    for (old_files, number) in before.into_iter().zip([WINDOWS, RECOVERY]) {
        let new_files = files(&new, number);
        assert_eq!(
            old_files.keys().collect::<Vec<_>>(),
            new_files.keys().collect::<Vec<_>>()
        );
        for (path, content) in &old_files {
            let mut expected = content.clone();
            if path.ends_with("ReAgent.xml") {
                let (from, to) = ((layout.recovery.0 * MIB).to_string(), moved.to_string());
                expected = String::from_utf8(expected)
                    .unwrap()
                    .replace(&from, &to)
                    .into_bytes();
            }
            assert!(
                new_files[path] == expected,
                "{path} on partition {number} has changed"
            );
        }
    }
    (old, new, report)
}

fn assert_undone(old: &MemoryDevice, new: MemoryDevice) {
    let mut subject = target(new);
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone);
    let differ = subject
        .device
        .bytes()
        .iter()
        .zip(old.bytes())
        .position(|(a, b)| a != b);
    assert_eq!(differ, None, "the first byte that undo did not put back");
}

#[test]
fn the_volume_before_gives_space() {
    let layout = Layout::default();
    let (old, new, report) = repair(&layout, &request(40, 10), "shrink+grow-front");
    assert_eq!(partition_range(&new, RECOVERY).start, 39 * MIB);
    assert_eq!(partition_range(&new, WINDOWS).end, 39 * MIB);
    assert!(report.plan.unwrap().bytes_written < 1 << 20);
    assert_undone(&old, new);
}

#[test]
fn unallocated_space_before_is_taken_first_and_the_donor_gives_the_rest() {
    let layout = Layout {
        windows: (4, 30),
        ..Layout::default()
    };
    let (old, new, _) = repair(&layout, &request(40, 10), "grow-front");
    assert_eq!(partition_range(&new, WINDOWS).end, 30 * MIB);
    assert_undone(&old, new);
    let layout = Layout {
        windows: (4, 45),
        ..Layout::default()
    };
    let (old, new, _) = repair(&layout, &request(40, 10), "shrink+grow-front");
    assert_eq!(partition_range(&new, WINDOWS).end, 39 * MIB);
    assert_undone(&old, new);
}

#[test]
fn unallocated_space_behind_is_the_least_invasive() {
    let layout = Layout {
        disk: 100,
        ..Layout::default()
    };
    let (old, new, _) = repair(&layout, &request(40, 10), "grow-end");
    assert_eq!(partition_range(&new, RECOVERY).start, 55 * MIB);
    assert_eq!(partition_range(&new, RECOVERY).end, 95 * MIB);
    assert_undone(&old, new);
}

#[test]
fn sectors_of_4096_bytes() {
    let layout = Layout {
        sector_size: SectorSize::B4096,
        ..Layout::default()
    };
    let (old, new, _) = repair(&layout, &request(40, 10), "shrink+grow-front");
    assert_undone(&old, new);
}

#[test]
fn recovery_volumes_with_other_clusters() {
    for cluster in [512, 1024, 16384, 65536] {
        let layout = Layout {
            recovery_cluster: cluster,
            ..Layout::default()
        };
        let (old, new, _) = repair(&layout, &request(40, 10), "shrink+grow-front");
        assert_undone(&old, new);
    }
}

/// A $MFT whose images do not fit the gap of a mebibyte.
fn long_mft() -> Layout {
    Layout {
        recovery_files: 700,
        ..Layout::default()
    }
}

/// Neither damaged nor unfinished. The space that is missing on so small a disk is another matter.
fn assert_sound(disk: &MemoryDevice) {
    let subject = target(disk.clone());
    let diagnosis = diagnose(&subject, None).unwrap();
    assert_eq!(diagnosis.verdict, Verdict::NeedsRepair);
    assert_eq!(diagnosis.journal.unwrap().state, "applied");
    let verified = verify(&subject, None, &mut |_| ()).unwrap();
    assert_eq!(verified.verdict, Verdict::NeedsRepair);
    assert!(verified.checks.iter().all(|check| check.consistent));
}

#[test]
fn a_journal_too_long_for_the_gap_goes_to_free_clusters() {
    for (layout, holder) in [
        (long_mft(), RECOVERY),
        // So small a volume has no free clusters in a row; the image alone has 9 MiB.
        (
            Layout {
                disk: 71,
                recovery: (55, 70),
                recovery_fill: 10,
                ..long_mft()
            },
            WINDOWS,
        ),
    ] {
        let (old, new, report) = repair(&layout, &request(40, 10), "shrink+grow-front");
        let plan = report.plan.unwrap();
        assert!(plan.journal_bytes > MIB, "{}", plan.journal_bytes);
        let place = plan.journal_place.unwrap();
        assert!(
            place
                .to_string()
                .starts_with(&format!("free clusters of partition {holder} ")),
            "{place}"
        );
        assert_sound(&new);
        // The clusters were zeros, and undo leaves zeros.
        assert_undone(&old, new);
    }
}

#[test]
fn foreign_bytes_in_the_gap_leave_room_for_a_header() {
    let mut old = Layout::default().build();
    old.bytes_mut()[40 * 512] = 1;
    let mut subject = target(old.clone());
    let report = fix(&mut subject, &request(40, 10), &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    assert_undone(&old, subject.device);
}

#[test]
fn an_overwritten_journal_stops_the_undo_alone() {
    let (_, mut new, _) = repair(&long_mft(), &request(40, 10), "shrink+grow-front");
    let sector = new.read_vec(34 * 512, 512).unwrap();
    let body = u64::from_le_bytes(sector[72..80].try_into().unwrap());
    assert!(partition_range(&new, RECOVERY).start < body);
    // As a new file there would.
    new.write_at(body + 4096, &[0xF1; 8192]).unwrap();
    let mut subject = target(new.clone());
    let report = undo(&mut subject, &mut |_| panic!("no question is due"), &mut |_| ()).unwrap();
    assert_eq!(report.refusal.unwrap().code, "undo-overwritten");
    assert!(subject.device == new);
    assert_sound(&subject.device);
    let again = fix(&mut subject, &request(44, 10), &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(again.verdict, Verdict::Repaired, "{:?}", again.refusal);
    let undone = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(undone.verdict, Verdict::Undone);
}

#[test]
fn a_second_repair_on_top_and_only_that_is_undone() {
    let layout = Layout::default();
    let (_, first, _) = repair(&layout, &request(30, 10), "shrink+grow-front");
    let mut subject = target(first.clone());
    let report = fix(&mut subject, &request(40, 10), &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired);
    assert_eq!(partition_range(&subject.device, RECOVERY).len(), 40 * MIB);
    let undone = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(undone.verdict, Verdict::Undone);
    assert_eq!(partition_range(&subject.device, RECOVERY).len(), 30 * MIB);
    let again = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(again.refusal.unwrap().code, "nothing-to-undo");
}

#[test]
fn enough_room_is_left_alone_and_a_plan_after_success_is_empty() {
    let (_, new, _) = repair(&Layout::default(), &request(40, 10), "shrink+grow-front");
    let subject = target(new);
    let report = plan(&subject, &request(40, 10), &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Healthy);
    let plan = report.plan.unwrap();
    assert_eq!(
        (plan.strategy, plan.bytes_written, plan.steps.len()),
        ("keep", 0, 0)
    );
}

#[test]
fn planning_and_a_declined_question_write_nothing() {
    let old = Layout::default().build();
    let mut subject = target(old.clone());
    let report = plan(&subject, &request(40, 10), &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::NeedsRepair);
    assert!(report.plan.unwrap().bytes_written > 0);
    let mut asked = 0;
    let report = fix(
        &mut subject,
        &request(40, 10),
        &mut |report| {
            asked += 1;
            assert!(report.plan.is_some() && report.verification.iter().all(|item| item.ok));
            false
        },
        &mut |_| (),
    )
    .unwrap();
    assert_eq!((asked, report.verdict), (1, Verdict::NeedsRepair));
    assert!(subject.device == old);
}

#[test]
fn diagnosis_and_verification_tell_the_rule_and_the_reference() {
    let subject = target(Layout::default().build());
    let report = diagnose(&subject, None).unwrap();
    assert_eq!(report.verdict, Verdict::NeedsRepair);
    assert_eq!(report.findings[0].code, "re-too-small");
    let recovery = report.recovery.unwrap();
    assert_eq!((recovery.partition, recovery.enabled), (RECOVERY, Some(true)));
    assert_eq!(recovery.image.unwrap().version.as_deref(), Some("10.0.20348.587"));
    let report = verify(&subject, None, &mut |_| ()).unwrap();
    let free = report
        .verification
        .iter()
        .find(|item| item.what.to_string().contains("Free space"))
        .unwrap();
    assert!(!free.ok);
    assert!(
        report
            .verification
            .iter()
            .filter(|item| !item.what.to_string().contains("Free space"))
            .all(|item| item.ok)
    );
}
