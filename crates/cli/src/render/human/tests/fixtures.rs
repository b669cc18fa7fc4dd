//! Hand-made reports.

use crate::language::{Language, Tag};
use crate::output::Screen;
use crate::render::human::{render, typeset};
pub use crate::render::testing::Raw;
use winrefit_repair::explain::Explained;
use winrefit_repair::report::*;

pub const MIB: u64 = 1 << 20;
pub const SECTORS_PER_MIB: u64 = 2048;

pub fn partition(
    number: u32,
    mib: std::ops::Range<u64>,
    role: &'static str,
    free_bytes: Option<u64>,
) -> PartitionReport {
    let (type_name, filesystem, attributes) = match role {
        "efi-system" => ("EFI system", "fat32", "0x8000000000000000"),
        "reserved" => ("Microsoft reserved", "unknown", "0x8000000000000000"),
        "windows" => ("Basic data", "ntfs", "0x0000000000000000"),
        _ => ("Windows RE tools", "ntfs", "0x8000000000000001"),
    };
    PartitionReport {
        number,
        start_lba: mib.start * SECTORS_PER_MIB,
        sectors: (mib.end - mib.start) * SECTORS_PER_MIB,
        size_bytes: (mib.end - mib.start) * MIB,
        type_guid: "de94bba4-06d1-4d40-a16a-bfd50179d6ac".into(),
        type_name: Some(type_name),
        unique_guid: Some(format!("00000000-0000-4000-8000-{number:012}")),
        attributes: Some(attributes.into()),
        name: String::new(),
        filesystem,
        label: None,
        free_bytes,
        roles: vec![role],
        images: vec![],
    }
}

pub fn disk() -> DiskReport {
    DiskReport {
        size_bytes: 64 << 30,
        sector_size_bytes: 512,
        style: "gpt",
        disk_guid: Some("7a1bb4f8-54d8-4c53-9bb1-3f0a3c21d1c2".into()),
        disk_signature: None,
        partitions: vec![
            partition(1, 1..101, "efi-system", Some(70 * MIB)),
            partition(2, 101..117, "reserved", None),
            partition(3, 117..65_010, "windows", Some(54_321 * MIB + 123_456)),
            partition(4, 65_010..65_535, "recovery", Some(21_087 * 4096)),
        ],
        unallocated: vec![],
    }
}

pub fn report(command: &'static str, verdict: Verdict) -> Report {
    Report {
        sources: Vec::new(),
        timeline: Vec::new(),
        schema: SCHEMA,
        winrefit_version: "0.1.0",
        command,
        target: "server2022.img".into(),
        verdict,
        disk: Some(disk()),
        windows: vec![WindowsReport {
            registry: None,
            partition: 3,
            product: Some("Windows Server 2022 Standard".into()),
            display_version: Some("21H2".into()),
            build: Some("20348.587".into()),
            recovery_enabled: Some(true),
            recovery_partition: Some(4),
        }],
        recovery: Some(recovery()),
        findings: vec![],
        refusal: None,
        plan: None,
        verification: vec![],
        checks: vec![],
        journal: None,
    }
}

pub fn recovery() -> RecoveryReport {
    RecoveryReport {
        usage: None,
        partition: 4,
        size_bytes: 525 * MIB,
        free_bytes: Some(21_087 * 4096),
        enabled: Some(true),
        image: Some(ImageReport {
            path: r"\Recovery\WindowsRE\Winre.wim".into(),
            version: Some("10.0.20348.587".into()),
            size_bytes: 418 * MIB + 400_000,
            architecture: Some("x64".into()),
            modified: None,
        }),
        rules: vec![
            RuleReport {
                code: "servicing",
                rule: "Windows Update needs 250 MiB free next to the present image to service it".raw(),
                required_bytes: 250 * MIB,
                available_bytes: 21_087 * 4096,
                arithmetic: "82.37 MiB free < 250 MiB".raw(),
                met: false,
            },
            RuleReport {
                code: "placement",
                rule: "reagentc and Setup place an image only where it fits with 52 MiB to spare".raw(),
                required_bytes: 471 * MIB,
                available_bytes: 501 * MIB,
                arithmetic:
                    "82.37 MiB free + 418.38 MiB image = 500.75 MiB >= 418.38 MiB image + 52 MiB = 470.38 MiB"
                        .raw(),
                met: true,
            },
        ],
    }
}

pub fn explained(title: &str, detail: &str, next: &str) -> Explained {
    Explained {
        title: title.raw(),
        detail: detail.raw(),
        next: next.raw(),
    }
}

pub fn diagnosis() -> Report {
    let mut report = report("diagnose", Verdict::NeedsRepair);
    report.findings = vec![FindingReport {
        confidence: Confidence::Certain,
        code: "re-too-small",
        severity: Severity::Problem,
        explained: explained(
            "The recovery partition is too small for its next update",
            "167.63 MiB more have to be free on partition 4. Until then Windows Update cannot service WinRE: the update \
             fails with 0x80070643, or is silently not offered.",
            "Run `winrefit plan` to see how room can be made, then `winrefit fix`.",
        ),
        evidence: vec![Evidence {
            time: None,
            source: "partition 4, $Bitmap".raw(),
            value: "servicing: 82.37 MiB free < 250 MiB".raw(),
        }],
    }];
    report
}

pub fn range(mib: std::ops::Range<u64>) -> RangeReport {
    RangeReport {
        start_lba: mib.start * SECTORS_PER_MIB,
        sectors: (mib.end - mib.start) * SECTORS_PER_MIB,
    }
}

pub fn plan_report() -> PlanReport {
    PlanReport {
        strategy: "shrink+grow-front",
        summary: "Partition 3 gives 475 MiB at its end, and the recovery partition grows to its front into them.".raw(),
        steps: vec![
            "End the NTFS volume of partition 3 475 MiB earlier; nothing lies in that tail.".raw(),
            "Begin the NTFS volume of partition 4 475 MiB earlier: its cluster numbers are rewritten, no file is copied."
                .raw(),
            "Set both partitions in both copies of the partition table; number, type, GUID, attributes and name stay."
                .raw(),
            r"Set the offset of WinRE in \Windows\System32\Recovery\ReAgent.xml.".raw(),
        ],
        changes: vec![
            ChangeReport { partition: 3, before: range(117..65_010), after: range(117..64_535) },
            ChangeReport { partition: 4, before: range(65_010..65_535), after: range(64_535..65_535) },
        ],
        move_bytes: 0,
        move_seconds: 0,
        bytes_written: 151_552,
        journal_bytes: 163_840,
        journal_place: Some("in the gap before the first partition".raw()),
        commit_steps: vec![4],
        dropped_shadow_copies: vec![],
        untouched: vec![
            "Winre.wim and every other file's content, the boot store (BCD), the EFI system partition".raw(),
            "unique GUIDs, types, attributes and names of all partitions".raw(),
        ],
        afterwards: vec![],
        undo: "winrefit undo puts it back as long as nothing else changes the same sectors".raw(),
        recovery_free_bytes_before: Some(21_087 * 4096),
        recovery_free_bytes_after: Some(21_087 * 4096 + 475 * MIB - 16_384),
    }
}

pub fn planned() -> Report {
    let mut report = report("plan", Verdict::NeedsRepair);
    report.plan = Some(plan_report());
    report
}

pub fn repaired() -> Report {
    let mut report = report("fix", Verdict::Repaired);
    let free = 21_087 * 4096 + 475 * MIB - 16_384;
    let mut disk = disk();
    disk.partitions[2] = partition(3, 117..64_535, "windows", Some((54_321 - 475) * MIB + 123_456));
    disk.partitions[3] = partition(4, 64_535..65_535, "recovery", Some(free));
    report.disk = Some(disk);
    let mut recovery = recovery();
    (recovery.size_bytes, recovery.free_bytes) = (1000 * MIB, Some(free));
    recovery.rules[0].arithmetic = "557.35 MiB free >= 250 MiB".raw();
    recovery.rules[0].met = true;
    report.recovery = Some(recovery);
    report.plan = Some(plan_report());
    report.verification = [
        ("partition table", "both copies agree"),
        ("partition 3, NTFS", "consistent"),
        ("partition 4, NTFS", "consistent"),
        ("ReAgent.xml", "names partition 4 at 67669852160"),
        ("space", "557.35 MiB free >= 250 MiB"),
    ]
    .map(|(what, detail)| VerificationItem {
        noted: false,
        what: what.raw(),
        ok: true,
        detail: detail.raw(),
    })
    .into();
    report
}

pub fn refused() -> Report {
    let mut report = report("plan", Verdict::Refused);
    report.refusal = Some(RefusalReport {
        code: "bitlocker",
        explained: explained(
            "Partition 3 is encrypted by BitLocker",
            "It would have to give space, and nothing inside it can be read or changed from outside.",
            "Decrypt it in Windows first, or use another partition.",
        ),
    });
    report
}

/// Nothing for winrefit to do, and something for a person.
pub fn attention(command: &'static str) -> Report {
    let mut report = report(command, Verdict::Attention);
    report.findings = vec![FindingReport {
        confidence: Confidence::Certain,
        code: "winre-disabled",
        severity: Severity::Warning,
        explained: explained(
            "WinRE of the Windows on partition 3 is disabled",
            "This Windows has no recovery environment, and gets no updates for one.",
            "Run `reagentc /enable` in that Windows as administrator.",
        ),
        evidence: vec![],
    }];
    report.plan = Some(PlanReport {
        strategy: "keep",
        steps: vec![],
        changes: vec![],
        untouched: vec![],
        ..plan_report()
    });
    report
}

pub fn checked() -> Report {
    let mut report = report("check", Verdict::Damaged);
    let check = |partition, problems: Vec<CheckProblem>, problems_total| VolumeCheck {
        partition,
        level: "full",
        consistent: problems.is_empty(),
        records: 4352,
        records_in_use: 4127,
        problems,
        problems_total,
    };
    let problem = |severity, code, text: &str| CheckProblem {
        code,
        severity,
        text: text.raw(),
        ..CheckProblem::default()
    };
    report.checks = vec![
        check(
            3,
            vec![
                problem(
                    "error",
                    "cluster-owned-twice",
                    "cluster 81920 belongs to record 41 and to record 77",
                ),
                problem(
                    "warning",
                    "leaked-clusters",
                    "12 clusters are marked used and belong to nothing",
                ),
            ],
            5,
        ),
        check(4, vec![], 0),
    ];
    report
}

pub fn unfinished() -> Report {
    let mut report = report("diagnose", Verdict::Unfinished);
    report.journal = Some(JournalReport {
        state: "committed",
        memo: "grow partition 4 by 475 MiB".raw(),
        place: "in the gap before the first partition".raw(),
        text: "A repair was cut short after its commit. Nothing is lost: resume completes it.".raw(),
    });
    report
}

pub fn show(report: &Report, width: usize, ascii: bool) -> String {
    let screen = Screen {
        width,
        colour: false,
        ascii,
        language: Language::of(Tag::English, ascii),
    };
    let page = render(report, "", &screen);
    let widest = page.lines().map(typeset::width).max().unwrap_or(0);
    assert!(
        widest <= width,
        "{widest} columns on a screen of {width}:\n{page}"
    );
    assert!(!ascii || page.is_ascii(), "not ASCII:\n{page}");
    page
}
