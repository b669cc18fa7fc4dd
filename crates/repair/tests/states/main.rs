//! Every state that WinRE can be in, each on a disk of its own: what is found, what is advised, and that no command calls
//! a disk healthy whose Windows has no recovery environment.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod made;
mod obstacles;

use common::lab::LabFile;
use common::{MIB, target};
use winrefit_disk::{DiskFile, Metered};
use winrefit_repair::commands::{diagnose, fix, plan, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{FindingReport, Report, Severity, Verdict};
use winrefit_repair::target::Target;

struct Disk(LabFile);

impl Disk {
    fn of(profile: &str) -> Self {
        Self(LabFile::of(profile))
    }

    fn open(&self) -> Target<DiskFile> {
        Target::open_read(&self.0.path, 0).unwrap()
    }

    fn diagnose(&self) -> Report {
        diagnose(&self.open(), None).unwrap()
    }

    fn plan(&self, recovery_partition: Option<u32>) -> Report {
        let request = Request {
            recovery_partition,
            ..Request::default()
        };
        plan(&self.open(), &request, &mut |_| ()).unwrap()
    }

    fn fix(&self, agree: bool) -> Report {
        let mut target = Target::open_write(&self.0.path, 1_700_000_000).unwrap();
        fix(&mut target, &Request::default(), &mut |_| agree, &mut |_| ()).unwrap()
    }
}

/// The codes of the findings, without those on what Windows has written down and on the image's version, which have cases
/// of their own.
fn codes(report: &Report) -> Vec<&'static str> {
    let others = ["winre-image-vulnerable", "winreagent-left-over"];
    let codes = report.findings.iter().map(|finding| finding.code);
    codes.filter(|code| !others.contains(code)).collect()
}

fn finding<'r>(report: &'r Report, code: &str) -> &'r FindingReport {
    finding_in(&report.findings, code)
}

fn finding_in<'r>(findings: &'r [FindingReport], code: &str) -> &'r FindingReport {
    let mut all = findings.iter();
    all.find(|finding| finding.code == code)
        .unwrap_or_else(|| panic!("no {code} among {findings:?}"))
}

/// All that a finding rests on, a line each.
fn evidence(finding: &FindingReport) -> String {
    let lines = finding
        .evidence
        .iter()
        .map(|e| format!("{}: {}\n", e.source, e.value));
    lines.collect()
}

#[test]
fn each_state_has_its_finding_and_its_verdict() {
    use Verdict::{Attention, Healthy, NeedsRepair};
    for (profile, verdict, expected) in [
        ("healthy", Healthy, &[][..]),
        ("winre-on-c", Attention, &["winre-on-windows-volume"]),
        (
            "winre-disabled",
            NeedsRepair,
            &["re-too-small", "winre-disabled", "re-empty"],
        ),
        (
            "re-empty",
            NeedsRepair,
            &["re-too-small", "winre-disabled", "re-empty"],
        ),
        ("no-re", NeedsRepair, &["no-recovery-partition", "winre-disabled"]),
        ("winre-missing", Attention, &["winre-image-gone"]),
        (
            "winre-in-backup",
            NeedsRepair,
            &["re-too-small", "winre-image-gone"],
        ),
        (
            "leftover-first",
            NeedsRepair,
            &["re-too-small", "leftover-recovery-partition"],
        ),
        (
            "leftover-between",
            NeedsRepair,
            &["re-too-small", "leftover-recovery-partition"],
        ),
        (
            "two-windows",
            NeedsRepair,
            &["re-too-small", "re-too-small", "several-windows"],
        ),
        ("fast-startup", NeedsRepair, &["fast-startup", "re-too-small"]),
        ("unclean-log", NeedsRepair, &["unclean-log", "re-too-small"]),
        ("dirty", NeedsRepair, &["volume-not-at-rest", "re-too-small"]),
        ("dynamic-disk", NeedsRepair, &["managed-disk", "re-too-small"]),
        ("storage-spaces", NeedsRepair, &["managed-disk", "re-too-small"]),
        ("refs", NeedsRepair, &["refs", "re-too-small"]),
        ("shadow-copies", NeedsRepair, &["shadow-copies", "re-too-small"]),
        ("bad-clusters", NeedsRepair, &["bad-clusters", "re-too-small"]),
        (
            "re-over-2gib",
            NeedsRepair,
            &["recovery-volume-too-large", "re-too-small"],
        ),
        (
            "foreign-boot-sector",
            NeedsRepair,
            &["foreign-boot-sector", "re-too-small", "no-windows-reference"],
        ),
    ] {
        let disk = Disk::of(profile);
        let report = disk.diagnose();
        assert_eq!(
            (report.verdict, &codes(&report)[..]),
            (verdict, expected),
            "{profile}"
        );
        for finding in &report.findings {
            assert!(!finding.explained.next.is_empty(), "{profile}: {}", finding.code);
        }
        // verify may find damage besides (a log in use), but never less.
        let verified = verify(&disk.open(), None, &mut |_| ()).unwrap();
        assert_eq!(verified.verdict, verdict, "verify {profile}");
        assert_eq!(codes(&verified), expected, "verify {profile}");
    }
}

#[test]
fn an_image_that_is_gone_is_searched_for_and_the_way_back_is_told() {
    let report = Disk::of("winre-in-backup").diagnose();
    let gone = finding(&report, "winre-image-gone");
    assert_eq!(gone.severity, Severity::Problem);
    let (rests_on, next) = (evidence(gone), gone.explained.next.to_string());
    for line in [
        "InstallState = 1",
        "partition 4, \\Recovery\\WindowsRE\\Winre.wim: not found",
        "partition 3, \\$WinREAgent\\Backup\\Winre.wim: version 10.0.20348.587, 441.00 MiB, of 2022-",
    ] {
        assert!(rests_on.contains(line), "{line}\n{rests_on}");
    }
    let steps = [
        "`winrefit plan`",
        "`reagentc /disable`",
        r"`xcopy /h C:\$WinREAgent\Backup\Winre.wim C:\Windows\System32\Recovery\`",
        "`reagentc /enable`",
        "`reagentc /info`",
        "Do not let `reagentc /setreimage`",
    ];
    let places: Vec<_> = steps.iter().map(|step| next.find(step)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{next}");

    let report = Disk::of("winre-missing").diagnose();
    let gone = finding(&report, "winre-image-gone");
    assert!(
        evidence(gone).contains("partitions 3, 4: no Winre.wim in"),
        "{}",
        evidence(gone)
    );
    for words in [
        "install.wim",
        "Windows Server 2022 Standard 21H2",
        "`reagentc /enable`",
    ] {
        assert!(
            gone.explained.next.to_string().contains(words),
            "{}",
            gone.explained.next
        );
    }
}

#[test]
fn nothing_to_do_for_winrefit_is_not_nothing_to_do() {
    let disk = Disk::of("winre-missing");
    for report in [disk.plan(None), disk.fix(true)] {
        assert_eq!(report.plan.as_ref().unwrap().strategy, "keep");
        assert_eq!(report.verdict, Verdict::Attention);
        assert_eq!(codes(&report), ["winre-image-gone"]);
        // Nobody knows how large the image will be.
        let summary = report.plan.as_ref().unwrap().summary.to_string();
        assert!(
            summary.contains("cannot be judged without an image; --free")
                && !summary.contains("needs no more"),
            "{summary}"
        );
        let detail = finding_in(&report.findings, "winre-image-gone")
            .explained
            .detail
            .to_string();
        assert!(detail.contains("cannot be judged without an image"), "{detail}");
    }
}

#[test]
fn an_image_that_is_left_elsewhere_tells_the_room_that_one_needs() {
    let disk = Disk::of("winre-image-elsewhere");
    let before = disk.diagnose();
    let small = finding(&before, "re-too-small");
    assert!(evidence(small).contains("image to come"), "{}", evidence(small));
    assert_eq!(before.verdict, Verdict::NeedsRepair);
    let report = disk.fix(true);
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    let after = disk.diagnose();
    assert_eq!(after.verdict, Verdict::Attention);
    assert!(!codes(&after).contains(&"re-too-small"));
    let rules = after.recovery.unwrap().rules;
    assert!(rules.len() == 2 && rules.iter().all(|rule| rule.met), "{rules:?}");
}

#[test]
fn the_only_partition_of_a_disabled_winre_is_made_large_enough_for_its_image() {
    for profile in ["winre-disabled", "re-empty", "winre-in-backup"] {
        let disk = Disk::of(profile);
        let report = disk.fix(true);
        assert_eq!(
            report.verdict,
            Verdict::Repaired,
            "{profile}: {:?}",
            report.refusal
        );
        let told = report.plan.unwrap().afterwards;
        assert!(
            told.iter()
                .any(|line| line.to_string().contains("`reagentc /enable`")),
            "{profile}: {told:?}"
        );
        // Where it is enabled and the image gone, enabling alone does nothing.
        let told = told[0].to_string();
        let disables = told.contains("`reagentc /disable`, then Winre.wim to");
        assert_eq!(disables, profile == "winre-in-backup", "{profile}: {told}");

        let after = disk.diagnose();
        let recovery = after.recovery.as_ref().unwrap();
        assert_eq!(
            (recovery.partition, recovery.size_bytes),
            (4, 1000 * MIB),
            "{profile}"
        );
        assert!(recovery.free_bytes.unwrap() >= (441 + 302) * MIB, "{profile}");
        assert!(
            recovery.rules.len() == 2 && recovery.rules.iter().all(|rule| rule.met),
            "{profile}"
        );
        assert!(!codes(&after).contains(&"re-too-small"), "{profile}");
        let again = disk.plan(None);
        assert_eq!(
            (again.verdict, again.plan.unwrap().strategy),
            (Verdict::Attention, "keep"),
            "{profile}"
        );
        assert_eq!(after.verdict, Verdict::Attention, "{profile}");
        if profile != "winre-in-backup" {
            assert_eq!(recovery.enabled, Some(false), "{profile}");
            let disabled = finding(&after, "winre-disabled");
            assert!(
                disabled.explained.detail.to_string().contains("has room for it"),
                "{profile}"
            );
            assert!(
                disabled
                    .explained
                    .next
                    .to_string()
                    .starts_with("Run `reagentc /enable`"),
                "{profile}"
            );
        }
    }
}

#[test]
fn a_leftover_is_described_and_left_alone() {
    let disk = Disk::of("leftover-behind");
    let report = disk.diagnose();
    let leftover = finding(&report, "leftover-recovery-partition");
    assert_eq!(leftover.severity, Severity::Note);
    assert!(
        leftover
            .explained
            .title
            .to_string()
            .contains("partition 5 of 450 MiB")
    );
    assert!(
        evidence(leftover).contains("version 10.0.18362.1"),
        "{}",
        evidence(leftover)
    );
    let planned = disk.plan(None).plan.unwrap();
    assert!(planned.changes.iter().all(|change| change.partition != 5));
    // Named, it is judged by itself and not by the one in use.
    let named = diagnose(&disk.open(), Some(5)).unwrap();
    assert_eq!(named.recovery.as_ref().unwrap().partition, 5);
    assert!(evidence(finding(&named, "re-too-small")).contains("partition 5"));
}

#[test]
fn each_of_several_windows_is_judged_and_named() {
    let disk = Disk::of("two-windows");
    let report = disk.diagnose();
    let small = report.findings.iter().filter(|f| f.code == "re-too-small");
    let titles: Vec<_> = small.map(|f| f.explained.title.to_string()).collect();
    assert!(
        titles[0].contains("partition 4") && titles[1].contains("partition 6"),
        "{titles:?}"
    );
    assert!(
        finding(&report, "several-windows")
            .explained
            .next
            .to_string()
            .contains("--recovery-partition")
    );
    assert_eq!(
        disk.plan(None).refusal.unwrap().code,
        "several-recovery-partitions"
    );
    assert_eq!(codes(&diagnose(&disk.open(), Some(6)).unwrap()), ["re-too-small"]);

    // The one that lacks room is spoken of; where none does, there is nothing to plan.
    for (number, then) in [(4, 6), (6, 4)] {
        assert_eq!(disk.diagnose().recovery.unwrap().partition, number);
        let request = Request {
            recovery_partition: Some(number),
            ..Request::default()
        };
        let mut target = Target::open_write(&disk.0.path, 1_700_000_000).unwrap();
        let report = fix(&mut target, &request, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(
            report.verdict,
            Verdict::Repaired,
            "{number}: {:?}",
            report.refusal
        );
        drop(target);
        assert_eq!(disk.diagnose().recovery.unwrap().partition, then);
    }
    let planned = disk.plan(None);
    assert_eq!(
        planned.plan.map(|plan| plan.strategy),
        Some("keep"),
        "{:?}",
        planned.refusal
    );
    assert_eq!(planned.verdict, Verdict::Healthy);
}

#[test]
fn refusals_of_a_running_log_and_of_a_foreign_boot_sector_have_codes_of_their_own() {
    for (profile, named, code) in [
        ("fast-startup", None, "fast-startup"),
        ("unclean-log", None, "unclean-log"),
        ("foreign-boot-sector", None, "foreign-boot-sector"),
        ("foreign-boot-sector", Some(4), "foreign-boot-sector"),
        ("foreign-boot-sector-gap", Some(4), "foreign-boot-sector"),
    ] {
        let refusal = Disk::of(profile).plan(named).refusal.unwrap();
        assert_eq!(refusal.code, code, "{profile} {named:?}");
        assert!(!refusal.explained.detail.is_empty() && !refusal.explained.next.is_empty());
    }
}

#[test]
fn a_diagnosis_reads_little_of_a_large_disk() {
    // Each Windows has two volumes to be opened.
    for (profile, windows) in [("server2022", 1), ("winre-in-backup", 1), ("two-windows", 2)] {
        let disk = Disk::of(profile);
        let device = Metered::new(disk.0.open());
        let mut target = target(device);
        diagnose(&target, None).unwrap();
        let bytes = target.device.bytes_read();
        // 2 MiB for its volumes, and its logs and hives as far as they are read.
        assert!(bytes < windows * (4 << 20), "{profile}: {bytes} bytes read");
        target.name.clear();
    }
}
