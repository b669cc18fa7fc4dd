//! What is advised can be done as it is printed: numbers that work, no option that is refused, nothing that the disk at
//! hand makes impossible.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "common/lab.rs"]
mod lab;

use lab::LabFile;
use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use winrefit_disk::DiskFile;
use winrefit_repair::commands::{diagnose, plan, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{RefusalReport, Report};
use winrefit_repair::target::Target;

/// 2024-01-01 00:00 UTC.
const NOW: u64 = 1_704_067_200;
const MIB: u64 = 1 << 20;

struct Disk(LabFile);

impl Disk {
    fn of(profile: &str) -> Self {
        Self(LabFile::of(profile))
    }

    fn open(&self) -> Target<DiskFile> {
        Target::open_read(&self.0.path, NOW).unwrap()
    }

    fn diagnose(&self) -> Report {
        diagnose(&self.open(), None).unwrap()
    }

    fn plan(&self, request: &Request) -> Report {
        plan(&self.open(), request, &mut |_| ()).unwrap()
    }

    fn refused(&self) -> RefusalReport {
        self.plan(&Request::default()).refusal.unwrap()
    }
}

/// The next step of a finding.
fn next(report: &Report, code: &str) -> String {
    let codes: Vec<_> = report.findings.iter().map(|f| f.code).collect();
    let mut all = report.findings.iter();
    let finding = all.find(|finding| finding.code == code);
    let finding = finding.unwrap_or_else(|| panic!("no {code} among {codes:?}"));
    finding.explained.next.to_string()
}

/// The bytes of `--free NMiB` in a text.
fn free_option(words: &str) -> Option<u64> {
    let (_, behind) = words.split_once("--free ")?;
    let (number, _) = behind.split_once("MiB")?;
    Some(number.parse::<u64>().unwrap() * MIB)
}

fn with_free(bytes: u64) -> Request {
    Request {
        free_bytes: Some(bytes),
        ..Request::default()
    }
}

#[test]
fn a_value_of_free_that_is_advised_makes_more_room() {
    for profile in ["case-room-now", "case-silent-failure"] {
        let disk = Disk::of(profile);
        let advice = next(&disk.diagnose(), "re-update-failed-before-room");
        let plan = disk.plan(&with_free(free_option(&advice).unwrap())).plan.unwrap();
        assert_ne!(plan.strategy, "keep", "{profile}: {advice}");
    }
}

#[test]
fn less_is_advised_only_where_it_can_be_had() {
    for profile in ["donor-full", "bad-clusters", "mbr-logical-first"] {
        let disk = Disk::of(profile);
        let advice = disk.refused().explained.next.to_string();
        assert!(!advice.contains("--size"), "{profile}: {advice}");
        match free_option(&advice) {
            Some(bytes) => assert!(disk.plan(&with_free(bytes)).refusal.is_none(), "{profile}"),
            None => {
                let least = disk.plan(&with_free(250 * MIB));
                assert!(least.refusal.is_some(), "{profile}: {advice}");
            }
        }
    }
    let full = Disk::of("donor-full").refused().explained.next.to_string();
    assert!(full.contains("Free at least 963 MiB more"), "{full}");
}

#[test]
fn a_logical_partition_gets_room_from_the_volume_behind_it() {
    let advice = Disk::of("mbr-logical-first").refused().explained.next.to_string();
    assert!(advice.contains("Save what is on partition 6"), "{advice}");
}

#[test]
fn a_partition_over_2_gib_is_not_sent_to_a_plan_that_refuses() {
    let disk = Disk::of("re-over-2gib");
    let report = disk.diagnose();
    let advice = next(&report, "re-too-small");
    assert!(!advice.contains("winrefit plan"), "{advice}");
    // It says that the finding of the size does.
    let lasting = next(&report, "recovery-volume-too-large");
    let refused = disk.refused().explained.next.to_string();
    for words in [lasting, refused] {
        assert!(words.contains("inside"), "{words}");
        assert!(!words.contains("does not lack space"), "{words}");
    }
}

#[test]
fn no_option_is_advised_that_is_refused() {
    let disk = Disk::of("winre-image-elsewhere");
    let advice = next(&disk.diagnose(), "no-windows-reference");
    assert!(!advice.contains("--recovery-partition"), "{advice}");
    let named = Request {
        recovery_partition: Some(5),
        ..Request::default()
    };
    assert_eq!(disk.plan(&named).refusal.unwrap().code, "not-in-use");
}

#[test]
fn an_image_of_another_build_is_not_advised() {
    let advice = next(&Disk::of("winre-image-elsewhere").diagnose(), "winre-image-gone");
    assert!(!advice.contains("if it belongs"), "{advice}");
    assert!(advice.contains(r"/ImageFile:D:\sources\install.wim"), "{advice}");
}

#[test]
fn winre_outside_of_a_recovery_partition_is_advised_what_works() {
    let system = Disk::of("mbr-winre-in-system-reserved");
    let advice = next(&system.diagnose(), "winre-on-data-volume");
    assert!(
        advice.starts_with("Free 200.00 MiB more") || advice.starts_with("Free 2"),
        "{advice}"
    );
    assert!(!advice.contains("It can stay"), "{advice}");
    let refused = system.refused().explained.next.to_string();
    for words in [advice, refused] {
        assert!(words.contains("`reagentc /disable`"), "{words}");
        assert!(!words.contains("--create"), "{words}");
    }
    let own = Disk::of("winre-on-c");
    let report = own.diagnose();
    let advice = next(&report, "winre-on-windows-volume");
    assert!(advice.contains("`winrefit plan --create`"), "{advice}");
    let create = Request {
        create: true,
        ..Request::default()
    };
    assert_eq!(own.plan(&create).plan.unwrap().strategy, "create");
    let vulnerable = report
        .findings
        .iter()
        .find(|f| f.code == "winre-image-vulnerable");
    if let Some(finding) = vulnerable {
        let words = finding.explained.next.to_string();
        assert!(!words.contains("Bring WinRE in order"), "{words}");
    }
}

#[test]
fn a_recovery_partition_without_a_boot_sector_is_not_called_encrypted() {
    let disk = Disk::of("server2022");
    let report = disk.diagnose();
    let recovery = report.recovery.unwrap().partition;
    let all = report.disk.unwrap();
    let partition = all.partitions.iter().find(|p| p.number == recovery).unwrap();
    let mut file = OpenOptions::new().write(true).open(&disk.0.path).unwrap();
    let start = partition.start_lba * all.sector_size_bytes;
    file.seek(SeekFrom::Start(start)).unwrap();
    file.write_all(&[0; 512]).unwrap();
    let refused = disk.refused();
    let words = refused.explained.next.to_string();
    assert_eq!(refused.code, "unknown-filesystem");
    assert!(
        !words.contains("decrypt") && words.contains("TestDisk"),
        "{words}"
    );
}

#[test]
fn what_windows_has_to_do_first_is_named_with_its_command() {
    for (profile, code, command) in [
        ("hibernated", "volume-not-at-rest", "shutdown /s /t 0"),
        ("dirty", "volume-not-at-rest", "`chkdsk C: /f`"),
        ("bitlocker", "bitlocker", "`manage-bde -off C:`"),
        ("bitlocker", "no-windows-reference", "`manage-bde -off C:`"),
    ] {
        let disk = Disk::of(profile);
        let advice = next(&disk.diagnose(), code);
        assert!(advice.contains(command), "{profile}: {advice}");
        let refused = disk.refused().explained.next.to_string();
        assert!(refused.contains(command), "{profile}: {refused}");
    }
    let refs = Disk::of("refs").refused().explained;
    // With space on C: it would get another place past that volume.
    let detail = refs.detail.to_string();
    assert!(detail.contains("another place only if"), "{refs:?}");
    assert!(refs.next.to_string().contains("Free 2 GiB"), "{refs:?}");
}

#[test]
fn reagentc_is_not_run_before_setup_is_over() {
    let advice = next(&Disk::of("case-audit-mode").diagnose(), "winre-disabled");
    assert!(advice.starts_with("When Setup is over"), "{advice}");
}

#[test]
fn bad_news_of_the_boot_store_is_marked() {
    let report = verify(&Disk::of("two-windows").open(), None, &mut |_| ()).unwrap();
    for item in &report.verification {
        let is_bad_news = ["none of its loaders", "is not beside it", "not followed"]
            .iter()
            .any(|words| item.detail.to_string().contains(words));
        assert_eq!(item.noted, item.ok && is_bad_news, "{item:?}");
    }
}

#[test]
fn a_boot_store_that_disagrees_is_not_called_true() {
    let plan = Disk::of("boot-store-disagrees")
        .plan(&Request::default())
        .plan
        .unwrap();
    let words = format!(
        "{:?}",
        plan.untouched.iter().map(ToString::to_string).collect::<Vec<_>>()
    );
    assert!(words.contains("names what it named before"), "{words}");
}
