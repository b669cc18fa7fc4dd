//! What stands in the way of a repair: said first, and called what it is.

use crate::{Disk, codes, finding};
use winrefit_ntfs::check::CheckLevel;
use winrefit_repair::codes::lookup;
use winrefit_repair::commands::check;
use winrefit_repair::report::{Severity, Verdict};

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
