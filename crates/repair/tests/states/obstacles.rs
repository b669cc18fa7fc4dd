//! What stands in the way of a repair: said first, and called what it is.

use crate::{Disk, codes, finding};
use winrefit_disk::{Device, DiskFile, ReadWindow};
use winrefit_ntfs::check::CheckLevel;
use winrefit_ntfs::{AttributeType, RecordNumber, Volume};
use winrefit_repair::codes::lookup;
use winrefit_repair::commands::check;
use winrefit_repair::report::{CheckProblem, Severity, Verdict, VolumeCheck};

#[test]
fn a_volume_that_is_only_not_at_rest_is_not_called_damaged() {
    for (profile, code) in [
        ("hibernated", "volume-not-at-rest"),
        ("fast-startup", "fast-startup"),
        ("dirty", "volume-not-at-rest"),
        ("unclean-log", "unclean-log"),
    ] {
        let report = check(&Disk::of(profile).open(), None, CheckLevel::Full, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Attention, "{profile}");
        assert_eq!(codes(&report), [code], "{profile}");
        let next = report.findings[0].explained.next.to_string();
        assert!(next.contains("shutdown /s /t 0"), "{profile}: {next}");
        assert!(report.checks.iter().all(|check| !check.is_damaged()), "{profile}");
        // What the volume is in is explained, by the code that the problem has.
        let problems = report.checks.iter().flat_map(|check| &check.problems);
        for problem in problems.filter(|problem| problem.severity == "error") {
            assert_eq!(lookup(problem.code).len(), 1, "{profile}: {}", problem.code);
        }
    }
}

#[test]
fn what_blocks_a_repair_comes_before_the_advice_to_plan_one() {
    for (profile, code) in [
        ("hibernated", "volume-not-at-rest"),
        ("dirty", "volume-not-at-rest"),
        ("fast-startup", "fast-startup"),
        ("unclean-log", "unclean-log"),
        ("bitlocker", "bitlocker"),
        ("foreign-boot-sector", "foreign-boot-sector"),
        ("hybrid-mbr", "hybrid-mbr"),
        ("dynamic-disk", "managed-disk"),
        ("refs", "refs"),
        ("shadow-copies", "shadow-copies"),
        ("bad-clusters", "bad-clusters"),
        ("re-over-2gib", "recovery-volume-too-large"),
    ] {
        let disk = Disk::of(profile);
        for report in [disk.diagnose(), disk.plan(None)] {
            let command = report.command;
            assert_eq!(codes(&report)[0], code, "{profile}: {command}");
            let first = &report.findings[0];
            assert_eq!(first.severity, Severity::Warning, "{profile}: {command}");
            let advice = finding(&report, "re-too-small").explained.next.to_string();
            let title = first.explained.title.to_string();
            assert!(advice.contains(&title), "{profile}: {command}: {advice}");
        }
    }
    // Of what is of no account for the repair nothing is said.
    let report = Disk::of("server2022").diagnose();
    let advice = finding(&report, "re-too-small").explained.next.to_string();
    assert!(advice.starts_with("Run `winrefit plan`"), "{advice}");
}

/// A list has its end; an error that is not on it is one all the same.
#[test]
fn an_error_that_is_not_listed_is_damage() {
    let listed = |code, severity| CheckProblem {
        code,
        severity,
        ..CheckProblem::default()
    };
    let mut check = VolumeCheck {
        partition: 3,
        level: "full",
        consistent: false,
        records: 64,
        records_in_use: 33,
        problems: vec![listed("volume-dirty", "error")],
        problems_total: 1,
    };
    assert!(!check.is_damaged());
    check
        .problems
        .extend((0..49).map(|_| listed("warned-of", "warning")));
    check.problems_total = 60;
    assert!(check.is_damaged());
}

/// A disk whose volumes of these partitions are marked dirty.
fn dirty(profile: &str, numbers: &[u32]) -> Disk {
    let disk = Disk::of(profile);
    let mut file = DiskFile::open_write(&disk.0.path).unwrap();
    for &number in numbers {
        let mut all = disk.0.made.partitions.iter();
        let range = all.find(|partition| partition.number == number).unwrap().range;
        let volume = Volume::open(ReadWindow::new(&file, range).unwrap()).unwrap();
        let geometry = volume.geometry();
        let mft = geometry.offset_of(volume.mft_runs().0[0].lcn.unwrap());
        let record = volume.read_record(RecordNumber(3)).unwrap();
        let found = record
            .find(AttributeType::VOLUME_INFORMATION, "")
            .unwrap()
            .unwrap();
        let within = found.offset() + 24 + 10;
        let at = range.start + mft + 3 * u64::from(geometry.record_size) + within as u64;
        file.write_at(at, &[1]).unwrap();
    }
    drop(file);
    disk
}

/// The advice was to cure the first one, which has nothing to do with the repair.
#[test]
fn of_several_volumes_with_an_obstacle_the_one_that_a_repair_is_refused_for_comes_first() {
    let disk = dirty("leftover-first", &[1, 4]);
    for report in [disk.diagnose(), disk.plan(None)] {
        let command = report.command;
        let title = report.findings[0].explained.title.to_string();
        assert_eq!(title, "The volume on partition 4 is marked dirty", "{command}");
        let advice = finding(&report, "re-too-small").explained.next.to_string();
        assert!(advice.contains(&title), "{command}: {advice}");
    }
    let refusal = disk.plan(None).refusal.unwrap();
    assert!(refusal.explained.title.to_string().contains("partition 4"));
}

/// What one of them is refused for was said of every repair.
#[test]
fn of_several_windows_one_that_is_not_at_rest_blocks_only_what_is_refused() {
    let disk = dirty("two-windows", &[4]);
    let refused = |number| disk.plan(Some(number)).refusal.map(|refusal| refusal.code);
    assert_eq!((refused(4), refused(6)), (Some("dirty"), None));
    let report = disk.diagnose();
    for (number, finding) in [4, 6].into_iter().zip(&report.findings) {
        let advice = finding.explained.next.to_string();
        let command = format!("Run `winrefit plan` with --recovery-partition {number}");
        assert!(advice.starts_with(&command), "{advice}");
    }
    // Where each is refused, that comes first.
    let report = dirty("two-windows", &[3]).diagnose();
    assert_eq!(report.findings[0].code, "volume-not-at-rest");
}
