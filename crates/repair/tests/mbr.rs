//! MBR disks: every strategy, on primary and logical partitions, judged by sfdisk and by ntfs-3g's tools.
#![allow(clippy::unwrap_used)]

mod common;

use common::compare::first_lost;
use common::disks::{CODE, Disk, Kind, Part, SIGNATURE, Style, chs, disk, logical, part};
use common::tools::{oracle, run, try_run};
use common::{MIB, files, partition_range, target};
use std::io::Write;
use winrefit_disk::{MemoryDevice, ReadAt, SectorSize};
use winrefit_repair::commands::{fix, plan, undo, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::Verdict;

fn request(size: u64) -> Request {
    Request {
        size_bytes: Some(size * MIB),
        free_bytes: Some(2 * MIB),
        ..Request::default()
    }
}

fn extended(mut disk: Disk, mib: (u64, u64), after: usize) -> Disk {
    disk.extended = Some((mib.0 * 2048, mib.1 * 2048));
    disk.extended_after = after;
    disk
}

/// Disks and what is to be done on them.
fn disks() -> Vec<(&'static str, Disk, &'static str)> {
    let mbr = |mib: u64, parts: &[Part]| disk(Style::Mbr, mib, parts);
    let system = part(Kind::System, (1, 5));
    let windows = part(Kind::Windows, (5, 25));
    let recovery = part(Kind::Recovery, (25, 33));
    let mut tail = windows.clone();
    (tail.tail, tail.fill) = (true, 2 << 10);
    // EBRs right before their partitions by the old geometry's track.
    let track = |kind, start: u64, end: u64| Part {
        start,
        end,
        ebr: Some(63),
        ..part(kind, (0, 0))
    };
    vec![
        (
            "primary",
            mbr(34, &[system.clone(), tail.clone(), recovery.clone()]),
            "shrink+grow-front",
        ),
        (
            "four primaries, a gap before",
            mbr(
                60,
                &[
                    system.clone(),
                    windows.clone(),
                    part(Kind::Recovery, (40, 48)),
                    part(Kind::Foreign, (48, 50)),
                ],
            ),
            "grow-front",
        ),
        (
            "a gap behind",
            mbr(60, &[system.clone(), windows.clone(), recovery.clone()]),
            "grow-end",
        ),
        (
            "recovery first, four primaries",
            mbr(
                60,
                &[
                    part(Kind::Recovery, (1, 9)),
                    part(Kind::System, (9, 13)),
                    part(Kind::Windows, (13, 33)),
                    part(Kind::Foreign, (33, 34)),
                ],
            ),
            "relocate",
        ),
        (
            "recovery first, no space",
            mbr(
                41,
                &[part(Kind::Recovery, (1, 9)), part(Kind::System, (9, 13)), {
                    let mut windows = part(Kind::Windows, (13, 40));
                    windows.tail = true;
                    windows
                }],
            ),
            "relocate",
        ),
        (
            "logical",
            extended(
                mbr(
                    45,
                    &[
                        system.clone(),
                        logical(Kind::Windows, (6, 26), 2048),
                        logical(Kind::Recovery, (27, 35), 2048),
                        logical(Kind::Data, (36, 43), 2048),
                    ],
                ),
                (5, 44),
                1,
            ),
            "shrink+grow-front",
        ),
        (
            "logical, 63 sectors",
            extended(
                mbr(
                    40,
                    &[
                        system.clone(),
                        track(Kind::Windows, 5 * 2048 + 63, 26 * 2048),
                        track(Kind::Recovery, 26 * 2048 + 63, 34 * 2048),
                        track(Kind::Data, 34 * 2048 + 63, 40 * 2048 - 63),
                    ],
                ),
                (5, 40),
                1,
            ),
            "shrink+grow-front",
        ),
        (
            "logical, a gap before",
            extended(
                mbr(
                    45,
                    &[
                        system.clone(),
                        logical(Kind::Data, (6, 14), 2048),
                        logical(Kind::Recovery, (27, 35), 2048),
                        part(Kind::Windows, (36, 44)),
                    ],
                ),
                (5, 35),
                1,
            ),
            "grow-front",
        ),
        (
            "logical, first, a gap behind",
            extended(
                mbr(
                    45,
                    &[
                        system,
                        part(Kind::Windows, (5, 20)),
                        logical(Kind::Recovery, (21, 29), 2048),
                    ],
                ),
                (20, 44),
                2,
            ),
            "grow-end",
        ),
    ]
}

/// What sfdisk says of a disk, and that it has nothing against it.
fn sfdisk(device: &MemoryDevice) -> Option<serde_json::Value> {
    let mut command = oracle("sfdisk")?;
    let mut image = tempfile::NamedTempFile::new().unwrap();
    image.write_all(device.bytes()).unwrap();
    let mut judge = oracle("sfdisk")?;
    let judged = run(judge.arg("--verify").arg(image.path()));
    assert!(judged.contains("No errors detected"), "{judged}");
    assert!(!judged.to_lowercase().contains("overlap"), "{judged}");
    let json = run(command.arg("-J").arg(image.path()));
    let json = &json[json.find('{').unwrap()..];
    Some(serde_json::from_str(json).unwrap())
}

fn check_sfdisk(disk: &Disk, old: &MemoryDevice, new: &MemoryDevice) {
    // An image file has no sector size, and not every sfdisk can be told one.
    if disk.sector_size != SectorSize::B512 {
        return;
    }
    let (Some(was), Some(is)) = (sfdisk(old), sfdisk(new)) else {
        return;
    };
    let (was, is) = (&was["partitiontable"], &is["partitiontable"]);
    for field in ["label", "id", "sectorsize"] {
        assert_eq!(was[field], is[field], "{field}");
    }
    assert_eq!(is["id"], format!("{SIGNATURE:#x}"));
    let (was, is) = (
        was["partitions"].as_array().unwrap(),
        is["partitions"].as_array().unwrap(),
    );
    assert_eq!(was.len(), is.len());
    let size = disk.sector_size.bytes();
    for (was, is) in was.iter().zip(is) {
        assert_eq!((&was["type"], &was["bootable"]), (&is["type"], &is["bootable"]));
        if is["type"] == "f" {
            assert_eq!((&was["start"], &was["size"]), (&is["start"], &is["size"]));
        }
    }
    for number in disk.numbers() {
        let range = partition_range(new, number);
        let found = is.iter().any(|entry| {
            (entry["start"].as_u64(), entry["size"].as_u64())
                == (Some(range.start / size), Some(range.len() / size))
        });
        assert!(found, "partition {number}");
    }
}

/// Boot code and signature stay; each used entry of LBA 0 has the addresses that belong to its sectors.
fn check_first_sector(old: &MemoryDevice, new: &MemoryDevice) {
    let [old, new] = [old, new].map(|device| device.read_vec(0, 512).unwrap());
    assert!(old[..CODE + 6] == new[..CODE + 6] && new[510..] == [0x55, 0xaa]);
    for entry in new[446..510].chunks(16).filter(|entry| entry[4] != 0) {
        let field = |at: usize| u64::from(u32::from_le_bytes(entry[at..at + 4].try_into().unwrap()));
        let (start, sectors) = (field(8), field(12));
        assert_eq!(entry[1..4], chs(start));
        assert_eq!(entry[5..8], chs(start + sectors - 1));
    }
}

fn check_volumes(disk: &Disk, new: &MemoryDevice) {
    for number in [Kind::Windows, Kind::Recovery].map(|kind| disk.number_of(kind).unwrap()) {
        let range = partition_range(new, number);
        let mut volume = tempfile::NamedTempFile::new().unwrap();
        volume
            .write_all(&new.bytes()[range.start as usize..range.end as usize])
            .unwrap();
        // ntfs-3g knows no records of 4096 bytes on sectors of 512, and these have both alike.
        if let Some(mut ntfsfix) = oracle("ntfsfix") {
            let (good, said) = try_run(ntfsfix.arg("-n").arg(volume.path()));
            assert!(good && !said.contains("failed"), "partition {number}: {said}");
        }
        if let Some(mut ntfsresize) = oracle("ntfsresize") {
            run(ntfsresize.args(["-i", "-f", "-P"]).arg(volume.path()));
        }
    }
}

#[test]
fn every_strategy_on_every_kind_of_table() {
    for (name, disk, strategy) in disks() {
        let aligned = disk.parts.iter().all(|p| p.start % 8 == 0 && p.end % 8 == 0);
        let sizes = if aligned {
            vec![SectorSize::B512, SectorSize::B4096]
        } else {
            vec![SectorSize::B512]
        };
        for size in sizes {
            let disk = disk.clone().with_sectors(size);
            let old = disk.build();
            let mut subject = target(old.clone());
            let report = fix(&mut subject, &request(13), &mut |_| true, &mut |_| ()).unwrap();
            assert_eq!(report.verdict, Verdict::Repaired, "{name}: {:?}", report.refusal);
            assert_eq!(report.plan.unwrap().strategy, strategy, "{name}");
            let new = subject.device.clone();
            for number in disk
                .numbers()
                .into_iter()
                .zip(&disk.parts)
                .filter(|(_, p)| p.kind != Kind::Foreign)
            {
                let [mut a, mut b] = [&old, &new].map(|device| files(device, number.0));
                for all in [&mut a, &mut b] {
                    all.retain(|path, _| !path.ends_with("ReAgent.xml") && !path.ends_with("BCD"));
                }
                assert!(a == b, "{name}: files of partition {}", number.0);
            }
            check_first_sector(&old, &new);
            check_sfdisk(&disk, &old, &new);
            check_volumes(&disk, &new);
            let verified = verify(&target(new.clone()), None, &mut |_| ()).unwrap();
            assert!(
                verified
                    .checks
                    .iter()
                    .all(|check| check.consistent && check.problems.is_empty()),
                "{name}"
            );
            let again = plan(&subject, &request(13), &mut |_| ()).unwrap();
            assert_eq!(again.verdict, Verdict::Healthy, "{name}");
            let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
            assert_eq!(report.verdict, Verdict::Undone, "{name}: {:?}", report.refusal);
            assert_eq!(first_lost(&old, &subject.device), None, "{name}");
            if strategy != "relocate" && !disk.parts.iter().any(|part| part.tail) {
                assert!(
                    subject.device.bytes() == old.bytes(),
                    "{name}: undone bit for bit"
                );
            }
        }
    }
}

/// The field of a logical volume's boot sector counts from where it did before.
#[test]
fn hidden_sectors_of_a_logical_volume_keep_their_base() {
    let (_, disk, _) = disks().into_iter().find(|(name, ..)| *name == "logical").unwrap();
    for relative in [false, true] {
        let mut old = disk.build();
        let field = partition_range(&old, disk.recovery()).start + 0x1c;
        if relative {
            common::poke(&mut old, field, &2048u32.to_le_bytes());
            let backup = partition_range(&old, disk.recovery()).end - 512 + 0x1c;
            common::poke(&mut old, backup, &2048u32.to_le_bytes());
        }
        let mut subject = target(old);
        let report = fix(&mut subject, &request(13), &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
        let range = partition_range(&subject.device, disk.recovery());
        let expected = if relative {
            2048
        } else {
            (range.start / 512) as u32
        };
        for boot in [range.start, range.end - 512] {
            let field = subject.device.read_vec(boot + 0x1c, 4).unwrap();
            assert_eq!(field, expected.to_le_bytes(), "relative: {relative}");
        }
    }
}

#[test]
fn what_lies_before_a_partition_without_a_donor_is_named() {
    let system = part(Kind::System, (1, 5));
    let behind = extended(
        disk(
            Style::Mbr,
            45,
            &[
                part(Kind::Windows, (5, 20)),
                logical(Kind::Data, (21, 33), 2048),
                part(Kind::Recovery, (33, 41)),
                part(Kind::Foreign, (41, 44)),
            ],
        ),
        (20, 33),
        1,
    );
    let mut behind_full = behind;
    behind_full.parts[0].fill = 11 << 10;
    let first = extended(
        disk(
            Style::Mbr,
            45,
            &[
                system,
                part(Kind::Windows, (5, 20)),
                logical(Kind::Recovery, (21, 29), 2048),
                part(Kind::Foreign, (29, 44)),
            ],
        ),
        (20, 29),
        2,
    );
    for (disk, words) in [
        (behind_full, "Extended partition"),
        (first, "first logical partition"),
    ] {
        let report = plan(&target(disk.build()), &request(13), &mut |_| ()).unwrap();
        let refusal = report.refusal.unwrap();
        assert_eq!(refusal.code, "no-donor");
        let said = format!("{} {}", refusal.explained.title, refusal.explained.detail);
        assert!(said.contains(words), "{said}");
    }
}
