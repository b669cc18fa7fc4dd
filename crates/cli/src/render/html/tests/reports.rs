//! Hand-made reports.

mod hostile;

use crate::render::testing::Raw;
pub use hostile::hostile;
use std::ops::Range;
use winrefit_repair::explain::Explained;
use winrefit_repair::report::*;

const MIB: u64 = 1 << 20;
const SECTORS_PER_MIB: u64 = 2048;

fn range(mib: Range<u64>) -> RangeReport {
    RangeReport {
        start_lba: mib.start * SECTORS_PER_MIB,
        sectors: (mib.end - mib.start) * SECTORS_PER_MIB,
    }
}

fn partition(number: u32, mib: Range<u64>, role: &'static str, free_bytes: Option<u64>) -> PartitionReport {
    let RangeReport { start_lba, sectors } = range(mib);
    PartitionReport {
        number,
        start_lba,
        sectors,
        size_bytes: sectors * 512,
        type_guid: "de94bba4-06d1-4d40-a16a-bfd50179d6ac".into(),
        type_name: Some("Windows RE tools"),
        unique_guid: Some(format!("00000000-0000-4000-8000-{number:012}")),
        attributes: Some("0x8000000000000001".into()),
        name: String::new(),
        filesystem: if free_bytes.is_some() { "ntfs" } else { "unknown" },
        label: None,
        free_bytes,
        roles: vec![role],
        images: vec![],
    }
}

fn disk() -> DiskReport {
    DiskReport {
        size_bytes: 64 << 30,
        sector_size_bytes: 512,
        style: "gpt",
        disk_guid: Some("7a1bb4f8-54d8-4c53-9bb1-3f0a3c21d1c2".into()),
        disk_signature: None,
        partitions: vec![
            partition(1, 1..101, "efi-system", Some(70 * MIB)),
            partition(2, 101..117, "reserved", None),
            partition(3, 117..65_010, "windows", Some(34_321 * MIB)),
            partition(4, 65_010..65_535, "recovery", Some(21_087 * 4096)),
        ],
        unallocated: vec![],
    }
}

fn explained(title: &str, detail: &str, next: &str) -> Explained {
    Explained {
        title: title.raw(),
        detail: detail.raw(),
        next: next.raw(),
    }
}

fn image() -> ImageReport {
    ImageReport {
        path: r"\Recovery\WindowsRE\Winre.wim".into(),
        version: Some("10.0.20348.587".into()),
        size_bytes: 438_704_768,
        architecture: Some("x64".into()),
        modified: Some("2022-03-01T12:00:00Z".into()),
    }
}

fn recovery() -> RecoveryReport {
    RecoveryReport {
        partition: 4,
        size_bytes: 525 * MIB,
        free_bytes: Some(21_087 * 4096),
        enabled: Some(true),
        image: Some(image()),
        rules: vec![RuleReport {
            code: "servicing",
            rule: "Windows Update needs 250 MiB free next to the present image to service it".raw(),
            required_bytes: 250 * MIB,
            available_bytes: 21_087 * 4096,
            arithmetic: "82.37 MiB free < 250 MiB".raw(),
            met: false,
        }],
        usage: None,
    }
}

fn finding() -> FindingReport {
    FindingReport {
        code: "re-too-small",
        severity: Severity::Problem,
        confidence: Confidence::Certain,
        explained: explained(
            "The recovery partition is too small for its next update",
            "167.63 MiB more have to be free on partition 4.",
            "Run `winrefit plan` to see how room can be made, then `winrefit fix`.",
        ),
        evidence: vec![Evidence {
            source: "partition 4, $Bitmap".raw(),
            value: "servicing: 82.37 MiB free < 250 MiB".raw(),
            time: None,
        }],
    }
}

/// A diagnosis as it is of most disks.
pub fn small() -> Report {
    Report {
        schema: SCHEMA,
        winrefit_version: "0.1.0",
        command: "diagnose",
        target: "server2022.img".into(),
        verdict: Verdict::NeedsRepair,
        disk: Some(disk()),
        windows: vec![WindowsReport {
            partition: 3,
            product: Some("Windows Server 2022 Standard".into()),
            display_version: Some("21H2".into()),
            build: Some("20348.587".into()),
            recovery_enabled: Some(true),
            recovery_partition: Some(4),
            registry: None,
        }],
        recovery: Some(recovery()),
        findings: vec![finding()],
        timeline: vec![],
        sources: vec![],
        refusal: None,
        plan: None,
        verification: vec![],
        checks: vec![],
        journal: None,
    }
}

/// A report with something in every field, as no command makes it.
pub fn everything() -> Report {
    let mut report = small();
    report.command = "plan";
    report.windows[0].registry = Some(registry());
    if let Some(recovery) = &mut report.recovery {
        recovery.rules.push(RuleReport {
            code: "placement",
            rule: "reagentc and Setup place an image only where it fits with 52 MiB to spare".raw(),
            required_bytes: 471 * MIB,
            available_bytes: 501 * MIB,
            arithmetic: "82.37 MiB free + 418.38 MiB image = 500.75 MiB >= 418.38 MiB image + 52 MiB".raw(),
            met: true,
        });
        recovery.usage = Some(usage());
    }
    if let Some(disk) = &mut report.disk {
        disk.partitions[3].images = vec![image()];
        disk.partitions[3].label = Some("\u{6062}\u{590d} \u{5e7}\u{5dc}".into());
        disk.unallocated = vec![range(65_535..65_536)];
    }
    report.findings.push(FindingReport {
        severity: Severity::Warning,
        confidence: Confidence::Likely,
        explained: explained(
            "Updates of WinRE failed",
            "Four times since January.",
            "Make room first.",
        ),
        evidence: (1..=12)
            .map(|day| Evidence {
                source: format!(r"partition 3, \Windows\Logs\CBS\CBS.log, line {}", day * 1000).raw(),
                value: "0x80070643".raw(),
                time: Some(format!("2024-01-{day:02}T03:00:00Z")),
            })
            .collect(),
        ..finding()
    });
    report.findings.push(FindingReport {
        severity: Severity::Note,
        confidence: Confidence::Possible,
        ..finding()
    });
    report.timeline = timeline();
    report.sources = sources();
    report.refusal = Some(RefusalReport {
        code: "bitlocker",
        explained: explained(
            "Partition 3 is encrypted",
            "Nothing inside it can be read.",
            "Decrypt it in Windows.",
        ),
    });
    report.plan = Some(plan());
    report.verification = [("partition table", true), ("partition 4, NTFS", false)]
        .map(|(what, ok)| VerificationItem {
            noted: false,
            what: what.raw(),
            ok,
            detail: "both copies agree".raw(),
        })
        .into();
    report.checks = vec![check()];
    report.journal = Some(JournalReport {
        state: "committed",
        memo: "grow partition 4 by 475 MiB".raw(),
        place: "in the gap before the first partition".raw(),
        text: "A repair was cut short after its commit. Nothing is lost: resume completes it.".raw(),
    });
    report
}

fn registry() -> RegistryReport {
    let service = |name, title, start: &str, is_disabled| ServiceReport {
        name,
        title,
        start: start.into(),
        default: "manual",
        is_disabled,
    };
    RegistryReport {
        computer_name: Some("FILESERVER-01".into()),
        edition: Some("ServerStandard".into()),
        installation_type: Some("Server".into()),
        winre_version: Some("10.0.20348.2201".into()),
        restart_pending: true,
        setup_state: Some("IMAGE_STATE_COMPLETE".into()),
        winre_packages: vec!["Package_for_KB5034441".into()],
        services: vec![
            service("wuauserv", "Windows Update", "disabled", true),
            service("bits", "Background Intelligent Transfer", "manual", false),
        ],
        programs: vec!["Endpoint Guard".into()],
        firewall: vec![Some(true), None, Some(false)],
    }
}

fn usage() -> UsageReport {
    let file = |path: &str, bytes, is_winre| FileUsageReport {
        path: path.into(),
        bytes,
        is_winre,
    };
    UsageReport {
        files: vec![
            file(r"\Recovery\WindowsRE\Winre.wim", 438_704_768, true),
            file(r"\Recovery\old\install.log", 9 * MIB, false),
        ],
        other_bytes: 2 * MIB,
        metadata_bytes: 3 * MIB,
    }
}

/// 200 entries over two years.
fn timeline() -> Vec<TimelineReport> {
    (0..200_u64)
        .map(|index| {
            let (year, month, day) = (2022 + index / 100, index % 100 * 12 / 100 + 1, index % 8 * 3 + 1);
            let (kind, what) = match index % 9 {
                0 | 4 | 5 => ("failure", "The update KB5034441 failed with 0x80070643"),
                1 => ("success", "The update KB5034129 was installed"),
                _ => ("other", "The computer was started"),
            };
            TimelineReport {
                time: format!("{year}-{month:02}-{day:02}T{:02}:15:00Z", index % 24),
                partition: 3,
                source: format!("System.evtx, record {}", 4000 + index).raw(),
                what: what.raw(),
                kind,
            }
        })
        .collect()
}

fn sources() -> Vec<SourceReport> {
    ["read", "newest-part", "damaged", "missing", "unreadable"]
        .map(|state| SourceReport {
            partition: 3,
            path: format!(r"\Windows\System32\winevt\Logs\{state}.evtx"),
            state,
            detail: "3 of 20 chunks have a wrong checksum".raw(),
        })
        .into()
}

fn plan() -> PlanReport {
    PlanReport {
        strategy: "shrink+grow-front",
        summary:
            "Partition 3 gives 475 MiB at its end, and the recovery partition grows to its front into them."
                .raw(),
        steps: vec![
            "End the volume of partition 3 earlier.".raw(),
            "Begin partition 4 earlier.".raw(),
        ],
        commit_steps: vec![1, 1],
        changes: vec![
            ChangeReport {
                partition: 3,
                before: range(117..65_010),
                after: range(117..64_535),
            },
            ChangeReport {
                partition: 4,
                before: range(65_010..65_535),
                after: range(64_535..65_535),
            },
        ],
        move_bytes: 30 * MIB,
        move_seconds: 2,
        bytes_written: 151_552,
        journal_bytes: 163_840,
        journal_place: Some("in the gap before the first partition".raw()),
        dropped_shadow_copies: vec![DroppedReport {
            partition: 3,
            count: Some(2),
            oldest: Some("2024-01-01T00:00:00Z".into()),
            newest: Some("2024-01-02T00:00:00Z".into()),
            storage_bytes: Some(5 << 30),
            text: "2 shadow copies of 2024 are given up".raw(),
        }],
        untouched: vec!["Winre.wim and every other file's content".raw()],
        afterwards: vec!["In Windows, `reagentc /info` shows the new place.".raw()],
        undo: "`winrefit undo` puts it back as long as nothing else changes the same sectors.".raw(),
        recovery_free_bytes_before: Some(21_087 * 4096),
        recovery_free_bytes_after: Some(21_087 * 4096 + 475 * MIB),
    }
}

fn check() -> VolumeCheck {
    VolumeCheck {
        partition: 3,
        level: "full",
        consistent: false,
        records: 4352,
        records_in_use: 4127,
        problems: vec![CheckProblem {
            code: "cluster-owned-twice",
            severity: "error",
            text: "cluster 81920 belongs to record 41 and to record 77".raw(),
            record: Some(41),
            path: Some(r"\Windows\notepad.exe".into()),
            attribute: Some("$DATA:stream".into()),
            volume_byte: Some(335_544_320),
            expected: Some(1),
            actual: Some(2),
        }],
        problems_total: 4,
    }
}

/// A disk cut into `count` pieces of different lengths.
pub fn many_partitions(count: u32) -> Report {
    let mut report = small();
    if let Some(disk) = &mut report.disk {
        let step = 65_000 / u64::from(count);
        disk.partitions = (0..count)
            .map(|n| {
                let start = u64::from(n) * step + 1;
                let role = ["windows", "recovery", "efi-system", "data"][n as usize % 4];
                let length = if n % 3 == 0 { step } else { step / 5 };
                partition(
                    n + 1,
                    start..start + length.max(1),
                    role,
                    (n % 2 == 0).then_some(MIB),
                )
            })
            .collect();
    }
    report
}
