//! The boot store of lab disks: what is observed of it, and what a damaged one comes to in diagnosis and verification.
#![allow(clippy::unwrap_used)]

mod breaks;
#[path = "../common/lab.rs"]
mod lab;
mod leftover;
mod made;
mod repoint;
#[allow(dead_code)]
#[path = "../../../ntfs/tests/common/tools.rs"]
mod tools;

use breaks::BREAKS;
use made::{Lab, View, make_dirty, old_log, replace, target};
use std::sync::OnceLock;
use winrefit_disk::{Device, ReadAt};
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
    let items: Vec<_> = all
        .filter(|item| item.what.to_string().starts_with("Boot "))
        .collect();
    // To be noticed is what is no failure.
    assert!(items.iter().all(|item| item.ok || !item.noted), "{items:#?}");
    items
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
    assert!(!content.is_dirty && content.bcd.unknown_devices().is_empty());
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
    assert_eq!(items[0].what.to_string(), "Boot store on partition 1");
    assert_eq!(
        items[1].what.to_string(),
        "Boot chain to WinRE of Windows on partition 3"
    );
    assert!(
        items[1]
            .detail
            .to_string()
            .ends_with(r"leads to \Recovery\WindowsRE\Winre.wim on partition 4")
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
        assert!(!item.ok && item.detail.to_string().contains(words), "{item:?}");
    }
}

#[test]
fn a_volume_that_cannot_be_read_is_a_finding_too() {
    let mut view = server().view();
    // Sectors per cluster.
    view.write_at(server().range(1).start + 13, &[3]).unwrap();
    let store = only(&view);
    assert!(store.content.unwrap_err().to_string().contains("BPB_SecPerClus"));
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
        item.ok && item.detail.to_string().starts_with("there is none on this disk"),
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
        assert!(boot_items(&proof)[0].detail.to_string().contains(note));
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
        finding
            .explained
            .detail
            .to_string()
            .contains("the image on partition 5"),
        "{finding:?}"
    );
    assert!(
        finding
            .explained
            .detail
            .to_string()
            .contains("the one on partition 4"),
        "{finding:?}"
    );
    assert!(finding.explained.next.to_string().contains("reagentc /disable"));
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
            .to_string()
            .ends_with(r"names \Recovery\WindowsRE\Winre.wim on partition 4"),
        "{failed:?}"
    );
    // The repair neither makes that worse nor is stopped by it.
    let report = repaired(lab.view());
    let chain = boot_items(&report)[0];
    assert!(
        chain.ok && chain.detail.to_string().contains("on partition 5"),
        "{chain:?}"
    );
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
    assert!(
        chain.ok && chain.detail.to_string().ends_with("on partition 4"),
        "{chain:?}"
    );
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
        chain.ok
            && chain
                .detail
                .to_string()
                .contains("as before the repair, ends early"),
        "{chain:?}"
    );
    assert!(chain.detail.to_string().contains(words));
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
        let second = items.iter().any(|item| {
            item.detail
                .to_string()
                .contains("none of its loaders starts this Windows")
        });
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

/// A second loader, as one with other options has, that nobody told of WinRE.
#[test]
fn of_two_loaders_of_a_windows_the_last_one_was_taken() {
    let lab = Lab::of("mbr-healthy");
    let (_, _, old) = lab.store();
    let content = only(&lab.view()).content.unwrap();
    let (loader, winre) = (content.loaders[0].id, content.loaders[0].winre.as_ref().unwrap());
    let sequences: Vec<usize> = (0..old.len() - 8)
        .filter(|&at| old[at..].starts_with(b"14000008"))
        .collect();
    assert_eq!(sequences.len(), 2);
    for at in sequences {
        let mut store = old.clone();
        // What wakes Windows becomes a loader, and neither of them is the default one.
        let resume = 0x1020_0004u32.to_le_bytes();
        replace(&mut store, &resume, &0x1020_0003u32.to_le_bytes(), 1);
        let braced = |id: winrefit_formats::Guid| made::utf16(&format!("{{{id}}}"));
        let other = braced(winre.chain.winre_loader);
        replace(&mut store, &braced(loader), &other, usize::MAX);
        store[at + 7] = b'e';
        let view = lab.with_fat(&[(r"Boot\BCD", &store), ("bootmgr", b"program")]);
        let content = only(&view).content.unwrap();
        let whole: Vec<bool> = content.loaders.iter().map(|l| l.winre.is_ok()).collect();
        assert!(whole == [true, false] || whole == [false, true], "{whole:?}");
        let (diagnosis, proof) = judged(view);
        assert!(boot_findings(&diagnosis).is_empty(), "{:?}", diagnosis.findings);
        assert!(boot_items(&proof).iter().all(|item| item.ok));
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
