//! BIOS machines with more than one store: the one of the active partition is what they start from.

use super::{boot_findings, boot_items, judged, seen, stores};
use crate::made::{Lab, View, make_dirty, replace, target};
use winrefit_disk::Device;
use winrefit_formats::bcd::ChainBreak;
use winrefit_repair::commands::fix;
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};

/// A computer maker's partition, which gets the other store.
const OEM: u32 = 2;
const WINDOWS: u32 = 3;

fn lab() -> Lab {
    Lab::of("mbr-four-primaries")
}

/// A store that starts the same Windows and leads to no recovery partition.
fn old(lab: &Lab) -> Vec<u8> {
    let (_, _, mut store) = lab.store();
    replace(&mut store, b"14000008", b"1400000e", usize::MAX);
    store
}

fn fixed(view: View) -> Report {
    fix(&mut target(view), &Request::default(), &mut |_| true, &mut |_| ()).unwrap()
}

#[test]
fn what_another_store_says_of_a_windows_was_taken_for_what_starts_it() {
    let lab = lab();
    let old = old(&lab);
    for files in [
        vec![(r"Boot\BCD", &old[..])],
        vec![(r"Boot\BCD", &old[..]), ("bootmgr", b"program")],
    ] {
        let view = lab.with_fat_on(OEM, &files);
        let [_, second] = &stores(&view)[..] else { panic!() };
        let way = &second.readable().unwrap().loaders[0].winre;
        assert!(matches!(way, Err(ChainBreak::NoElement { .. })), "{way:?}");
        let (diagnosis, proof) = judged(view);
        assert!(boot_findings(&diagnosis).is_empty(), "{:?}", diagnosis.findings);
        let items = boot_items(&proof);
        assert!(items.iter().all(|item| item.ok), "{items:?}");
        // Both stores, one way.
        assert_eq!(items.len(), 3, "{items:?}");
        let report = fixed(lab.with_fat_on(OEM, &files));
        assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    }
}

#[test]
fn a_leftover_that_cannot_be_read_stopped_every_repair() {
    let lab = lab();
    let mut dirty = old(&lab);
    make_dirty(&mut dirty);
    let mut damaged = old(&lab);
    damaged[20] ^= 1;
    for store in [dirty, damaged] {
        let leftover = || lab.with_fat_on(OEM, &[(r"Boot\BCD", &store)]);
        let (diagnosis, proof) = judged(leftover());
        assert!(boot_findings(&diagnosis).is_empty(), "{:?}", diagnosis.findings);
        let items = boot_items(&proof);
        assert!(items.iter().all(|item| item.ok), "{items:?}");
        let report = fixed(leftover());
        assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
        // With a boot manager beside it something else may start it.
        let files: [(&str, &[u8]); 2] = [(r"Boot\BCD", &store), ("bootmgr", b"program")];
        let report = fixed(lab.with_fat_on(OEM, &files));
        assert_eq!(report.refusal.expect("not refused").code, "boot-store");
    }
}

/// Of two recovery partitions the one that only the other store names is the leftover.
#[test]
fn a_partition_that_only_another_store_names_was_passed_over_in_silence() {
    let lab = lab();
    let (_, _, mut store) = lab.store();
    let place = |number| lab.range(number).start.to_le_bytes();
    replace(&mut store, &place(4), &place(OEM), usize::MAX);
    for files in [
        vec![(r"Boot\BCD", &store[..])],
        vec![(r"Boot\BCD", &store[..]), ("bootmgr", b"program")],
    ] {
        let mut view = lab.with_fat_on(OEM, &files);
        // The type in the second entry of LBA 0.
        view.write_at(446 + 16 + 4, &[0x27]).unwrap();
        let (diagnosis, _) = judged(view);
        let codes: Vec<_> = diagnosis.findings.iter().map(|f| f.code).collect();
        assert!(codes.contains(&"leftover-recovery-partition"), "{codes:?}");
        assert!(!codes.iter().any(|code| code.starts_with("boot-")), "{codes:?}");
    }
}

#[test]
fn a_windows_that_only_the_other_store_starts_is_judged_by_that() {
    let lab = lab();
    let (_, _, good) = lab.store();
    let mut other = good.clone();
    let windows = lab.range(WINDOWS).start;
    replace(
        &mut other,
        &windows.to_le_bytes(),
        &(windows + 4096).to_le_bytes(),
        usize::MAX,
    );
    let mut view = lab.with_fat(&[(r"Boot\BCD", &other), ("bootmgr", b"program")]);
    let broken = old(&lab);
    let second = lab.with_fat_on(OEM, &[(r"Boot\BCD", &broken), ("bootmgr", b"program")]);
    let range = lab.range(OEM);
    let bytes = winrefit_disk::ReadAt::read_vec(&second, range.start, range.len() as usize).unwrap();
    view.write_at(range.start, &bytes).unwrap();
    let (diagnosis, _) = judged(view);
    let [finding] = boot_findings(&diagnosis)[..] else {
        panic!("{:?}", diagnosis.findings)
    };
    assert_eq!(finding.code, "boot-chain-broken");
    assert!(seen(finding).contains("partition 2"), "{}", seen(finding));
}

#[test]
fn an_active_partition_that_cannot_be_read_hid_its_store() {
    let lab = lab();
    let (_, _, good) = lab.store();
    let mut view = lab.with_fat_on(OEM, &[(r"Boot\BCD", &good), ("bootmgr", b"program")]);
    // The first cluster of the system partition's $MFT.
    view.write_at(lab.range(1).start + 0x30, &[0xff; 8]).unwrap();
    let (diagnosis, _) = judged(view);
    let findings = boot_findings(&diagnosis);
    assert!(
        findings
            .iter()
            .any(|finding| finding.code == "boot-store-unreadable"),
        "{:?}",
        diagnosis.findings
    );
    let mut view = lab.with_fat_on(OEM, &[(r"Boot\BCD", &good), ("bootmgr", b"program")]);
    view.write_at(lab.range(1).start + 0x30, &[0xff; 8]).unwrap();
    let report = fixed(view);
    assert_eq!(report.refusal.expect("not refused").code, "boot-store");
}

/// The way begins at the boot manager: firmware of UEFI has another one to fall back to, a BIOS has none.
#[test]
fn an_active_partition_without_its_boot_manager_was_called_good() {
    let lab = lab();
    let (_, _, good) = lab.store();
    let store: (&str, &[u8]) = (r"Boot\BCD", &good);
    for (files, ok) in [(vec![store, ("bootmgr", b"program")], true), (vec![store], false)] {
        let (_, proof) = judged(lab.with_fat(&files));
        let item = boot_items(&proof)[0];
        assert_eq!(item.ok, ok, "{item:?}");
        assert!(item.detail.to_string().contains(r"\bootmgr is"), "{item:?}");
    }
}

/// Of what only `verify` finds there is nothing that `plan` and `fix` cure.
#[test]
fn a_boot_manager_that_is_gone_was_called_a_case_for_winrefit() {
    let lab = Lab::of("mbr-healthy");
    let (_, _, good) = lab.store();
    let store: (&str, &[u8]) = (r"Boot\BCD", &good);
    for (files, verdict) in [
        (vec![store, ("bootmgr", b"program")], Verdict::Healthy),
        (vec![store], Verdict::Attention),
    ] {
        let (_, proof) = judged(lab.with_fat(&files));
        assert_eq!(proof.verdict, verdict, "{:?}", proof.findings);
    }
}
