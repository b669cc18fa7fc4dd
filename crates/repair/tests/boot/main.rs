//! The boot store of lab disks: what is observed of it, and what a damaged one comes to in diagnosis and verification.
#![allow(clippy::unwrap_used)]

mod made;
mod repoint;
#[allow(dead_code)]
#[path = "../../../ntfs/tests/common/tools.rs"]
mod tools;

use made::{Lab, View, make_dirty, old_log, replace, target, utf16};
use std::sync::OnceLock;
use winrefit_disk::{Device, ReadAt};
use winrefit_formats::bcd::ChainBreak;
use winrefit_repair::boot::{BootStore, FileFact, Target};
use winrefit_repair::commands::{diagnose, fix, verify};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{FindingReport, Report, Severity, Verdict, VerificationItem};

/// The usual disk, which the tests share.
fn server() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| Lab::of("server2022"))
}

fn stores(disk: &dyn ReadAt) -> Vec<BootStore> {
    observe(disk, None, Depth::Quick).unwrap().boot_stores
}

fn only(disk: &dyn ReadAt) -> BootStore {
    let mut stores = stores(disk);
    assert_eq!(stores.len(), 1);
    stores.remove(0)
}

fn boot_findings(report: &Report) -> Vec<&FindingReport> {
    let all = report.findings.iter();
    all.filter(|f| f.code.starts_with("boot-")).collect()
}

fn boot_items(report: &Report) -> Vec<&VerificationItem> {
    let all = report.verification.iter();
    all.filter(|item| item.what.starts_with("Boot ")).collect()
}

/// Diagnosis and verification of a disk.
fn judged(view: View) -> (Report, Report) {
    let target = target(view);
    let diagnosis = diagnose(&target, None).unwrap();
    (diagnosis, verify(&target, None, &mut |_| ()).unwrap())
}

fn seen(finding: &FindingReport) -> String {
    let evidence = finding.evidence.iter();
    evidence.map(|e| format!("{}: {}\n", e.source, e.value)).collect()
}

#[test]
fn a_whole_chain_is_followed_to_both_files() {
    let store = only(&server().view());
    assert_eq!((store.partition, store.path), (1, r"\EFI\Microsoft\Boot\BCD"));
    let content = store.content.unwrap();
    assert!(!content.is_dirty && content.unknown_devices.is_empty());
    let [loader] = &content.loaders[..] else {
        panic!("{content:?}")
    };
    assert_eq!(content.default_loader, Ok(loader.id));
    assert_eq!(loader.os, Some(Target::Here(3)));
    let way = loader.winre.as_ref().unwrap();
    assert_eq!((way.image, way.sdi), (Target::Here(4), Target::Here(4)));
    assert!(matches!(way.image_file, FileFact::Present(size) if size > 100 << 20));
    assert_eq!(way.sdi_file, FileFact::Present(3_170_304));
    let (diagnosis, proof) = judged(server().view());
    assert!(boot_findings(&diagnosis).is_empty());
    let items = boot_items(&proof);
    assert_eq!(items.len(), 2, "{items:#?}");
    assert!(items.iter().all(|item| item.ok), "{items:#?}");
    assert_eq!(items[0].what, "Boot store on partition 1");
    assert_eq!(items[1].what, "Boot chain to WinRE of Windows on partition 3");
    assert!(
        items[1]
            .detail
            .ends_with(r"leads to \Recovery\WindowsRE\Winre.wim on partition 4")
    );
}

/// A way to damage the store, and words that the break is told with.
type Damage = (fn(&mut Vec<u8>), &'static str);

/// Name of the object with that element, as its key stands in the hive.
fn winre() -> winrefit_formats::bcd::WinreChain {
    let content = only(&server().view()).content.unwrap();
    content.loaders[0].winre.as_ref().unwrap().chain.clone()
}

fn recovery_guid() -> Vec<u8> {
    server().made.partitions[3].unique_guid.to_bytes_le().to_vec()
}

const BREAKS: &[Damage] = &[
    (
        |store| replace(store, b"23000003", b"2300000e", usize::MAX),
        "the boot manager 9dea862c-5cdd-4e70-acc1-f32b344d4795 has no valid element 23000003 (the default loader)",
    ),
    (
        |store| replace(store, b"14000008", b"1400000e", usize::MAX),
        "has no valid element 14000008 (the recovery sequence)",
    ),
    (
        |store| {
            let loader = format!("{{{}}}", winre().winre_loader);
            let other = format!("{{00000000{}", &loader[9..]);
            replace(store, loader.as_bytes(), other.as_bytes(), usize::MAX);
        },
        "is named and not in the store",
    ),
    (
        |store| {
            let loader = format!("{{{}}}", winre().options);
            let other = format!("{{00000000{}", &loader[9..]);
            replace(store, loader.as_bytes(), other.as_bytes(), usize::MAX);
        },
        "is named and not in the store",
    ),
    (
        |store| replace(store, &winre().options.to_bytes_le(), &[0; 16], usize::MAX),
        "has no options, so its frame (boot.sdi) is not known",
    ),
    (
        |store| replace(store, &utf16("Winre.wim"), &utf16("Winrx.wim"), 1),
        "names two different RAM disks in elements 11000001 and 21000001",
    ),
    (
        |store| replace(store, b"31000003", b"3100000e", usize::MAX),
        "has no valid element 31000003 (where boot.sdi is)",
    ),
    (
        |store| replace(store, b"32000004", b"3200000e", usize::MAX),
        "has no valid element 32000004 (the path of boot.sdi)",
    ),
    (
        |store| replace(store, &recovery_guid(), &[7; 16], usize::MAX),
        "takes the WinRE image from partition 07070707-0707-0707-0707-070707070707",
    ),
    (
        |store| replace(store, &utf16("boot.sdi"), &utf16("boot.sdx"), usize::MAX),
        r"takes the RAM disk's frame (boot.sdi) from \Recovery\WindowsRE\boot.sdx on partition 4, which is not there",
    ),
    (
        |store| replace(store, &utf16("Winre.wim"), &utf16("Winrx.wim"), usize::MAX),
        r"takes the WinRE image from \Recovery\WindowsRE\Winrx.wim on partition 4, which is not there",
    ),
];

#[test]
fn every_broken_link_is_found_and_named() {
    for (damage, words) in BREAKS {
        let target = target(server().with_store(damage));
        let diagnosis = diagnose(&target, None).unwrap();
        let [finding] = boot_findings(&diagnosis)[..] else {
            panic!("{words}: {:?}", diagnosis.findings)
        };
        assert_eq!(
            (finding.code, finding.severity),
            ("boot-chain-broken", Severity::Warning)
        );
        let seen = seen(finding);
        assert!(seen.contains(words), "{words}\n{seen}");
        assert!(
            seen.contains(r"partition 1, \EFI\Microsoft\Boot\BCD") && seen.contains("ReAgent.xml"),
            "{seen}"
        );
        // What is wrong with the partition's room is as it was.
        assert_eq!(diagnosis.verdict, Verdict::NeedsRepair);
    }
    let (damage, words) = BREAKS[1];
    let proof = judged(server().with_store(damage)).1;
    let failed: Vec<_> = boot_items(&proof).into_iter().filter(|item| !item.ok).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(
        failed[0].detail.contains("ends early") && failed[0].detail.contains(words),
        "{failed:?}"
    );
}

#[test]
fn what_is_not_followed_is_named_and_no_failure() {
    // The frame on a device of a type that is not read.
    let device = [
        &6u32.to_le_bytes()[..],
        &[0; 4],
        &0x48u32.to_le_bytes(),
        &[0; 4],
        &recovery_guid(),
    ]
    .concat();
    let other = [&77u32.to_le_bytes()[..], &device[4..]].concat();
    let view = server().with_store(|store| {
        // The last one in the hive is the frame's; the RAM disks have theirs inside.
        let places: Vec<usize> = (0..store.len() - device.len())
            .filter(|&at| store[at..].starts_with(&device))
            .collect();
        let at = *places.last().unwrap();
        store[at..at + other.len()].copy_from_slice(&other);
    });
    let content = only(&view).content.unwrap();
    let [unknown] = content.unknown_devices[..] else {
        panic!("{content:?}")
    };
    assert_eq!(unknown.element_type, 0x3100_0003);
    assert_eq!(
        content.loaders[0].winre.as_ref().unwrap().sdi,
        Target::NotFollowed
    );
    let (diagnosis, proof) = judged(view);
    assert!(boot_findings(&diagnosis).is_empty(), "{:?}", diagnosis.findings);
    let items = boot_items(&proof);
    assert!(items.iter().all(|item| item.ok), "{items:?}");
    assert!(
        items[0].detail.contains("1 not understood: element 31000003"),
        "{items:?}"
    );
    assert!(
        items[1].detail.contains("not followed behind element 31000003"),
        "{items:?}"
    );
}

#[test]
fn a_store_that_cannot_be_read_is_a_finding_and_no_error() {
    for (damage, words) in [
        ((|store| store[20] ^= 1) as fn(&mut Vec<u8>), "checksum"),
        (|store| make_dirty(store), "none of its logs applies"),
        (
            |store| replace(store, b"Objects", b"Subject", 1),
            "no boot configuration objects",
        ),
        (|store| store.fill(0), "regf"),
    ] {
        let view = server().with_store(damage);
        let (diagnosis, proof) = judged(view);
        let [finding] = boot_findings(&diagnosis)[..] else {
            panic!("{:?}", diagnosis.findings)
        };
        assert_eq!(finding.code, "boot-store-unreadable");
        assert!(seen(finding).contains(words), "{}", seen(finding));
        let [item] = boot_items(&proof)[..] else {
            panic!("{:?}", proof.verification)
        };
        assert!(!item.ok && item.detail.contains(words), "{item:?}");
    }
}

#[test]
fn a_volume_that_cannot_be_read_is_a_finding_too() {
    let mut view = server().view();
    // Sectors per cluster.
    view.write_at(server().range(1).start + 13, &[3]).unwrap();
    let store = only(&view);
    assert!(store.content.unwrap_err().contains("BPB_SecPerClus"));
    let (diagnosis, _) = judged(view);
    assert_eq!(boot_findings(&diagnosis)[0].code, "boot-store-unreadable");
}

#[test]
fn without_a_store_on_the_disk_nothing_is_wrong() {
    let view = server().with_fat(&[(r"EFI\Boot\bootx64.efi", b"another system's")]);
    assert!(stores(&view).is_empty());
    let (diagnosis, proof) = judged(view);
    assert!(boot_findings(&diagnosis).is_empty());
    let [item] = boot_items(&proof)[..] else { panic!() };
    assert!(
        item.ok && item.detail.starts_with("there is none on this disk"),
        "{item:?}"
    );
}

#[test]
fn a_dirty_store_is_read_with_its_logs_which_the_evidence_says() {
    // Clean it leads nowhere; what its log holds leads to WinRE. And the other way round.
    let (_, _, good) = server().store();
    let mut bad = good.clone();
    replace(&mut bad, b"14000008", b"1400000e", usize::MAX);
    for (file, wanted, breaks) in [(&bad, &good, 0), (&good, &bad, 1)] {
        let mut dirty = file.clone();
        make_dirty(&mut dirty);
        let log = old_log(&dirty, wanted);
        let view = server().with_fat(&[
            (r"EFI\Microsoft\Boot\BCD", &dirty),
            (r"EFI\Microsoft\Boot\BCD.LOG", &log),
            (r"EFI\Microsoft\Boot\bootmgfw.efi", b"program"),
        ]);
        let store = only(&view);
        assert_eq!(store.boot_manager, FileFact::Present(7));
        assert!(store.content.unwrap().is_dirty);
        let (diagnosis, proof) = judged(view);
        let findings = boot_findings(&diagnosis);
        assert_eq!(findings.len(), breaks, "{findings:?}");
        let note = "it was read with its logs";
        assert!(findings.iter().all(|finding| seen(finding).contains(note)));
        assert!(boot_items(&proof)[0].detail.contains(note));
    }
}

#[test]
fn a_store_that_names_another_partition_disagrees() {
    let lab = Lab::of("boot-store-disagrees");
    let (diagnosis, proof) = judged(lab.view());
    let [finding] = boot_findings(&diagnosis)[..] else {
        panic!("{:?}", diagnosis.findings)
    };
    assert_eq!(
        (finding.code, finding.severity),
        ("boot-store-disagrees", Severity::Warning)
    );
    assert!(
        finding.explained.detail.contains("the image on partition 5"),
        "{finding:?}"
    );
    assert!(
        finding.explained.detail.contains("the one on partition 4"),
        "{finding:?}"
    );
    assert!(finding.explained.next.contains("reagentc /disable"));
    let seen = seen(finding);
    assert!(
        seen.contains("ReAgent.xml")
            && seen.contains(r"WinRE is \Recovery\WindowsRE\Winre.wim on partition 5")
    );
    let failed: Vec<_> = boot_items(&proof).into_iter().filter(|item| !item.ok).collect();
    assert_eq!(failed.len(), 1);
    assert!(
        failed[0]
            .detail
            .ends_with(r"names \Recovery\WindowsRE\Winre.wim on partition 4"),
        "{failed:?}"
    );
    // The repair neither makes that worse nor is stopped by it.
    let report = repaired(lab.view());
    let chain = boot_items(&report)[0];
    assert!(chain.ok && chain.detail.contains("on partition 5"), "{chain:?}");
}

fn repaired(view: View) -> Report {
    let mut target = target(view);
    let report = fix(&mut target, &Request::default(), &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    report
}

#[test]
fn a_repair_keeps_the_chain_as_it_was_whole_or_broken() {
    let report = repaired(server().view());
    let [chain] = boot_items(&report)[..] else {
        panic!("{:?}", report.verification)
    };
    assert!(chain.ok && chain.detail.ends_with("on partition 4"), "{chain:?}");
    let (damage, words) = BREAKS[1];
    let report = fix(
        &mut target(server().with_store(damage)),
        &Request::default(),
        &mut |_| true,
        &mut |_| (),
    )
    .unwrap();
    assert!(report.refusal.is_none(), "{:?}", report.refusal);
    let [chain] = boot_items(&report)[..] else {
        panic!("{:?}", report.verification)
    };
    assert!(
        chain.ok && chain.detail.contains("as before the repair, ends early"),
        "{chain:?}"
    );
    assert!(chain.detail.contains(words));
}

#[test]
fn a_windows_without_an_enabled_winre_expects_no_chain() {
    for profile in ["winre-disabled", "two-windows"] {
        let lab = Lab::of(profile);
        let (diagnosis, proof) = judged(lab.view());
        assert!(
            boot_findings(&diagnosis).is_empty(),
            "{profile}: {:?}",
            diagnosis.findings
        );
        let items = boot_items(&proof);
        assert!(items.iter().all(|item| item.ok), "{profile}: {items:?}");
        let second = items
            .iter()
            .any(|item| item.detail.contains("none of its loaders starts this Windows"));
        assert_eq!(
            (items.len(), second),
            if profile == "two-windows" {
                (3, true)
            } else {
                (1, false)
            }
        );
    }
}

#[test]
fn the_store_of_a_bios_machine_is_followed_by_signature_and_offset() {
    let lab = Lab::of("mbr-healthy");
    let store = only(&lab.view());
    assert_eq!((store.partition, store.path), (1, r"\Boot\BCD"));
    assert_eq!(store.boot_manager, FileFact::Present(413_738));
    let content = store.content.unwrap();
    assert_eq!(content.loaders[0].os, Some(Target::Here(2)));
    assert_eq!(content.loaders[0].winre.as_ref().unwrap().image, Target::Here(3));
    let (diagnosis, proof) = judged(lab.view());
    assert!(boot_findings(&diagnosis).is_empty(), "{:?}", diagnosis.findings);
    assert!(boot_items(&proof).iter().all(|item| item.ok));
    // On a FAT volume it is found as well, and a store of a UEFI machine beside it.
    let (_, _, bytes) = lab.store();
    let view = lab.with_fat(&[
        (r"Boot\BCD", &bytes),
        ("bootmgr", b"program"),
        (r"EFI\Microsoft\Boot\BCD", &bytes),
    ]);
    let stores = stores(&view);
    let places: Vec<_> = stores.iter().map(|store| (store.partition, store.path)).collect();
    assert_eq!(places, [(1, r"\EFI\Microsoft\Boot\BCD"), (1, r"\Boot\BCD")]);
    assert_eq!(stores[1].boot_manager, FileFact::Present(7));
    assert_eq!(stores[0].boot_manager, FileFact::Missing);
    for store in stores {
        let content = store.content.unwrap();
        assert_eq!(content.loaders[0].winre.as_ref().unwrap().image, Target::Here(3));
    }
}

#[test]
fn random_damage_of_the_store_is_a_fact() {
    let mut random = 0x5eed_0003u64;
    let mut below = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % limit as u64) as usize
    };
    let mut kinds = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let view = server().with_store(|store| {
            for _ in 0..2 {
                let at = 4096 + below(store.len() - 4096);
                store[at] ^= 1 << below(8);
            }
        });
        let store = only(&view);
        kinds.insert(match store.content {
            Err(_) => "unreadable",
            Ok(content)
                if content
                    .loaders
                    .iter()
                    .any(|l| matches!(l.winre, Err(ChainBreak::NoElement { .. }))) =>
            {
                "broken"
            }
            Ok(_) => "read",
        });
    }
    assert!(kinds.len() > 1, "{kinds:?}");
}
