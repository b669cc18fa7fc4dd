//! A reset of Windows Update before other people's tools, and on the disks of the lab.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "common/cut_cases.rs"]
mod cases;
mod common;
#[path = "common/update.rs"]
mod update;

use common::image::Image;
use common::lab::LabFile;
use common::tools::{oracle, run, try_run};
use common::{Layout, WINDOWS, partition_range, target};
use std::collections::BTreeSet;
use std::path::Path;
use update::{ALL, SYSTEM, layout};
use winrefit_disk::{
    Device, DiskFile, Event, MemoryDevice, Overlay, ReadAt, Recording, SectorSize, recording,
};
use winrefit_repair::commands::{diagnose, fix, plan_reset, reset_update, undo, verify};
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::reset::ResetRequest;
use winrefit_repair::target::Target;

const STARTS: [(&str, u32); 3] = [("wuauserv", 4), ("BITS", 4), ("UsoSvc", 3)];
/// 2024-01-01 00:00 UTC.
const NOW: u64 = 1_704_067_200;

fn reset(disk: MemoryDevice) -> MemoryDevice {
    let mut subject = target(disk);
    let report = reset_update(&mut subject, &ALL, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    subject.device
}

/// C: as a file of its own.
fn volume(disk: &MemoryDevice) -> Image {
    let range = partition_range(disk, WINDOWS);
    let bytes = disk.read_vec(range.start, range.len() as usize).unwrap();
    Image::of(&bytes, 0, disk.sector_size().bytes() as u32)
}

/// What ntfsls lists of a folder; `None` if there is no ntfsls.
fn listed(image: &Image, folder: &str) -> Option<BTreeSet<String>> {
    let printed = run(oracle("ntfsls")?.args(["-f", "-p", folder, image.path()]));
    let names = printed.lines().map(str::trim).filter(|name| !name.is_empty());
    Some(names.map(str::to_owned).collect())
}

/// What ntfscat reads.
fn read(image: &Image, path: &str) -> Option<Vec<u8>> {
    let output = oracle("ntfscat")?
        .args(["-f", image.path(), path])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{path}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(output.stdout)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn ntfs_3g_finds_the_folders_under_their_new_names_with_the_same_content() {
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        let old = Layout {
            sector_size,
            ..layout(&STARTS)
        }
        .build();
        let (before, after) = (volume(&old), volume(&reset(old.clone())));
        if let Some(mut ntfsfix) = oracle("ntfsfix") {
            let (success, printed) = try_run(ntfsfix.args(["-n", after.path()]));
            assert!(success, "{printed}");
        }
        for (folder, name, aside) in [
            ("/Windows", "SoftwareDistribution", "SoftwareDistributio~"),
            ("/Windows/System32", "catroot2", "catroot~"),
        ] {
            let (Some(mut names), Some(now)) = (listed(&before, folder), listed(&after, folder)) else {
                return;
            };
            assert!(names.remove(name) && names.insert(aside.to_owned()));
            assert_eq!(now, names, "{folder}");
            let inside = listed(&before, &format!("{folder}/{name}"));
            assert_eq!(listed(&after, &format!("{folder}/{aside}")), inside);
        }
        let inside = listed(&after, "/Windows/SoftwareDistributio~").unwrap();
        assert_eq!(
            inside,
            set(&[".", "..", "DataStore", "Download", "ReportingEvents.log"])
        );
        for (from, to) in [
            (
                "SoftwareDistribution/DataStore/DataStore.edb",
                "SoftwareDistributio~/DataStore/DataStore.edb",
            ),
            ("System32/catroot2/edb.log", "System32/catroot~/edb.log"),
        ] {
            let [from, to] = [from, to].map(|path| format!("/Windows/{path}"));
            let Some(bytes) = read(&before, &from) else { return };
            assert!(bytes.len() > 4000 && read(&after, &to).unwrap() == bytes, "{to}");
        }
    }
}

/// All of a hive as hivexregedit exports it.
fn exported(hive: &Path) -> Option<String> {
    Some(run(oracle("hivexregedit")?.args([
        "--export",
        "--prefix",
        "HKLM",
        hive.to_str()?,
        r"\",
    ])))
}

#[test]
fn hivex_reads_the_start_types_and_all_else_as_before() {
    let old = layout(&STARTS).build();
    let (before, after) = (volume(&old), volume(&reset(old.clone())));
    let path = SYSTEM.replace('\\', "/");
    let (Some(old_hive), Some(new_hive)) = (read(&before, &path), read(&after, &path)) else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let [old_path, new_path] = [("old", &old_hive), ("new", &new_hive)].map(|(name, bytes)| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    });
    for (service, from, to) in [
        ("wuauserv", "4", "3"),
        ("BITS", "4", "2"),
        ("UsoSvc", "3", "3"),
        ("VSS", "3", "3"),
    ] {
        for (path, due) in [(&old_path, from), (&new_path, to)] {
            let Some(mut hivexget) = oracle("hivexget") else {
                return;
            };
            let key = format!(r"\ControlSet001\Services\{service}");
            let found = run(hivexget.args([path.to_str().unwrap(), &key, "Start"]));
            assert_eq!(found.trim(), due, "{service}");
        }
    }
    let (Some(old_text), Some(new_text)) = (exported(&old_path), exported(&new_path)) else {
        return;
    };
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (old_lines, new_lines) = (lines(&old_text), lines(&new_text));
    assert!(old_lines.len() == new_lines.len() && old_lines.len() > 200);
    let changed: Vec<_> = old_lines.iter().zip(&new_lines).filter(|(a, b)| a != b).collect();
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert!(
        changed.iter().all(|(a, _)| *a == "\"Start\"=dword:00000004"),
        "{changed:?}"
    );
}

/// A disk of the lab.
struct Lab {
    _disk: LabFile,
    target: Target<DiskFile>,
}

fn lab(profile: &str) -> Lab {
    let disk = LabFile::with_files(profile, 40);
    Lab {
        target: Target::open_write(&disk.path, NOW).unwrap(),
        _disk: disk,
    }
}

fn first(report: &Report) -> &'static str {
    report.findings.first().map_or("", |finding| finding.code)
}

#[test]
fn the_evidence_on_each_disk_decides_what_is_said_first() {
    for (profile, said, services) in [
        ("case-update-service-disabled", "reset-may-help", 1),
        ("case-optimiser", "reset-may-help", 3),
        ("case-shrink-services-disabled", "reset-may-help", 0),
        ("case-kb5034441", "reset-will-not-help", 0),
        ("case-false-error-pending", "reset-will-not-help", 0),
        ("case-small-esp", "reset-will-not-help", 0),
        ("case-component-store", "reset-will-not-help", 0),
        ("case-dotnet", "reset-will-not-help", 0),
        ("case-defender-platform", "reset-will-not-help", 0),
        ("case-office", "reset-will-not-help", 0),
    ] {
        let mut lab = lab(profile);
        let planned = plan_reset(&lab.target, &ALL, &mut |_| ()).unwrap();
        assert_eq!(first(&planned), said, "{profile}");
        let plan = planned.plan.unwrap();
        assert_eq!(plan.steps.len(), 2 + services, "{profile}: {:?}", plan.steps);
        let report = reset_update(&mut lab.target, &ALL, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(
            (report.verdict, first(&report)),
            (Verdict::Repaired, said),
            "{profile}"
        );
        let disabled = report
            .findings
            .iter()
            .any(|f| f.code == "update-service-disabled");
        assert!(!disabled, "{profile}");
        let verified = verify(&lab.target, None, &mut |_| ()).unwrap();
        assert!(verified.checks.iter().all(|check| check.consistent), "{profile}");
        let report = undo(&mut lab.target, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Undone, "{profile}: {:?}", report.refusal);
    }
}

#[test]
fn disks_that_nobody_may_change_are_refused_by_name() {
    for (profile, code) in [
        ("bitlocker", "bitlocker"),
        ("hibernated", "hibernated"),
        ("fast-startup", "fast-startup"),
        ("dirty", "dirty"),
        ("unclean-log", "unclean-log"),
        ("dynamic-disk", "managed-disk"),
        ("case-dirty-system", "hive-dirty"),
        ("case-no-system-hive", "hive"),
    ] {
        let lab = lab(profile);
        let report = plan_reset(&lab.target, &ALL, &mut |_| ()).unwrap();
        assert_eq!(
            report.refusal.map(|refusal| refusal.code),
            Some(code),
            "{profile}"
        );
        assert_eq!(report.verdict, Verdict::Refused, "{profile}");
        let fits = report
            .findings
            .iter()
            .any(|finding| finding.code == "reset-may-help");
        assert_eq!(fits, code.starts_with("hive-"), "{profile}");
    }
}

/// A disk with two Windows: one has to be named, and the other one keeps everything.
#[test]
fn of_two_windows_one_is_named() {
    let mut lab = lab("two-windows");
    let report = plan_reset(&lab.target, &ALL, &mut |_| ()).unwrap();
    assert_eq!(report.refusal.unwrap().code, "windows-not-named");
    let numbers: Vec<u32> = report.windows.iter().map(|windows| windows.partition).collect();
    assert_eq!(numbers.len(), 2);
    let named = ResetRequest {
        windows: Some(numbers[1]),
        ..ALL
    };
    let report = reset_update(&mut lab.target, &named, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    let steps = |number| {
        let request = ResetRequest {
            windows: Some(number),
            ..ALL
        };
        let report = plan_reset(&lab.target, &request, &mut |_| ()).unwrap();
        report.plan.unwrap().steps.len()
    };
    assert_eq!(
        numbers.iter().map(|&number| steps(number)).collect::<Vec<_>>(),
        [2, 0]
    );
}

/// Between the two commits of a repair a reset would take the way back of the first.
#[test]
fn between_two_commits_a_reset_is_refused() {
    let case = cases::relocate_twice();
    let cases::Asked::Fix(request) = &case.asked else {
        panic!("a repair")
    };
    let mut subject = target(Recording::new(case.old.clone()));
    fix(&mut subject, request, &mut |_| true, &mut |_| ()).unwrap();
    let (_, events) = subject.device.into_parts();
    let mut refused = 0;
    for index in (0..events.len()).filter(|&index| events[index] == Event::Flush) {
        let mut disk = Overlay::new(&case.old, case.old.sector_size());
        recording::replay(&mut disk, &events[..=index]).unwrap();
        let middle = target(disk);
        let journal = diagnose(&middle, None).unwrap().journal;
        let is_half =
            journal.is_some_and(|journal| journal.text.to_string().starts_with("The first of the two"));
        let report = plan_reset(&middle, &ALL, &mut |_| ()).unwrap();
        let code = report.refusal.map(|refusal| refusal.code);
        assert_eq!(
            code == Some("repair-half-done"),
            is_half,
            "event {index}: {code:?}"
        );
        refused += u32::from(is_half);
    }
    assert!(refused > 0);
}
