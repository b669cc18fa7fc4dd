//! The boot store of a BIOS machine, told by a repair where the recovery partition begins now; judged by another's
//! reader of hives.

use crate::made::{LIMIT, Lab, View, make_dirty, ntfs_file, replace, target};
use crate::tools::{oracle, run};
use std::sync::OnceLock;
use winrefit_disk::{Device, ReadWindow};
use winrefit_formats::bcd::{BcdPartition, types};
use winrefit_formats::{Bcd, FatVolume, Guid, Hive};
use winrefit_repair::boot::BIOS_STORE;
use winrefit_repair::commands::{fix, undo};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};

const SYSTEM: u32 = 1;
const RECOVERY: u32 = 3;

fn mbr() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| Lab::of("mbr"))
}

fn named(offset: u64) -> BcdPartition {
    let signature = mbr().made().disk_signature.unwrap();
    BcdPartition::Mbr { signature, offset }
}

/// The names of all elements that a store has for a partition.
fn references(store: &[u8], partition: &BcdPartition) -> Vec<(Guid, u32)> {
    let bcd = Bcd::read(&Hive::open(&store).unwrap()).unwrap();
    let references = bcd.references(partition);
    references
        .into_iter()
        .map(|r| (r.object, r.element_type))
        .collect()
}

fn fixed(view: View) -> (View, Report) {
    let mut target = target(view);
    let report = fix(&mut target, &Request::default(), &mut |_| true, &mut |_| ()).unwrap();
    (target.device, report)
}

/// Where the recovery partition begins after a repair.
fn start_after(report: &Report) -> u64 {
    let disk = report.disk.as_ref().unwrap();
    let recovery = disk.partitions.iter().find(|p| p.number == RECOVERY).unwrap();
    recovery.start_lba * disk.sector_size_bytes
}

fn store_on_ntfs(view: &View) -> Vec<u8> {
    ntfs_file(&ReadWindow::new(view, mbr().range(SYSTEM)).unwrap(), BIOS_STORE)
}

/// Both stores as hivex reads them: the old one with the new place in place of the old is the new one, in every element
/// that named the partition and nowhere else.
fn judge(old: &[u8], new: &[u8], to: u64) {
    let from = mbr().range(RECOVERY).start;
    assert_ne!(from, to);
    let elements = references(old, &named(from));
    assert_eq!(elements.len(), 3);
    assert_eq!(references(new, &named(to)), elements);
    assert_eq!(references(new, &named(from)), []);
    // Sequence numbers and all: a base block that changes is for a moment that of a dirty hive.
    assert!(old[..4096] == new[..4096], "the base block");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let (old_path, new_path) = (file("old", old), file("new", new));
    let exported = |path| Some(run(oracle("hivexregedit")?.arg("--export").arg(path).arg(r"\")));
    if let (Some(before), Some(after)) = (exported(&old_path), exported(&new_path)) {
        let hex = |offset: u64| offset.to_le_bytes().map(|byte| format!("{byte:02x}")).join(",");
        assert_eq!(before.matches(&hex(from)).count(), 3, "{before}");
        assert_eq!(before.replace(&hex(from), &hex(to)), after);
    }
    for (object, element) in elements {
        let key = format!(r"Objects\{{{object}}}\Elements\{element:08x}");
        let value = |path| {
            let output = oracle("hivexget")?.arg(path).args([&key, "Element"]).output();
            Some(output.unwrap().stdout)
        };
        let (Some(mut before), Some(after)) = (value(&old_path), value(&new_path)) else {
            return;
        };
        replace(&mut before, &from.to_le_bytes(), &to.to_le_bytes(), usize::MAX);
        assert!(before == after, "{key}");
    }
}

#[test]
fn every_element_names_the_new_place_and_nothing_else_changes() {
    let (_, _, old) = mbr().store();
    let (view, report) = fixed(mbr().view());
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    judge(&old, &store_on_ntfs(&view), start_after(&report));
    let chain = report
        .verification
        .iter()
        .find(|item| item.what.to_string().starts_with("Boot chain"));
    let chain = chain.unwrap();
    assert!(
        chain.ok && chain.detail.to_string().ends_with("on partition 3"),
        "{chain:?}"
    );
    let mut target = target(view);
    undo(&mut target, &mut |_| true, &mut |_| ()).unwrap();
    assert!(store_on_ntfs(&target.device) == old);
}

#[test]
fn a_store_on_fat_is_changed_through_its_places() {
    let (_, _, old) = mbr().store();
    let (view, report) = fixed(mbr().with_fat(&[(r"Boot\BCD", &old), ("bootmgr", b"program")]));
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    let part = ReadWindow::new(&view, mbr().range(SYSTEM)).unwrap();
    let fat = FatVolume::open(&part).unwrap();
    let new = fat
        .read(&fat.lookup(BIOS_STORE).unwrap().unwrap(), LIMIT)
        .unwrap();
    judge(&old, &new, start_after(&report));
}

/// Every FAT, made by mkfs.fat and mtools, which read the new store back.
#[test]
fn a_store_is_changed_on_fat_volumes_of_other_makers() {
    let (_, _, old) = mbr().store();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("BCD"), &old).unwrap();
    std::fs::write(path("bootmgr"), b"program").unwrap();
    for (kind, mib) in [("12", 4), ("16", 32), ("32", 64)] {
        let (image, read) = (path(kind), path("read"));
        std::fs::write(&image, vec![0; mib << 20]).unwrap();
        let (Some(mut mkfs), Some(mut mmd)) = (oracle("mkfs.fat"), oracle("mmd")) else {
            return;
        };
        run(mkfs.args(["-F", kind]).arg(&image));
        run(mmd.arg("-i").arg(&image).arg("::Boot"));
        let copy = |from: &[&std::ffi::OsStr]| run(oracle("mcopy").unwrap().arg("-i").args(from));
        copy(&[image.as_os_str(), path("BCD").as_os_str(), "::Boot/BCD".as_ref()]);
        copy(&[image.as_os_str(), path("bootmgr").as_os_str(), "::".as_ref()]);
        let start = mbr().range(SYSTEM).start;
        let mut view = mbr().view();
        view.write_at(start, &std::fs::read(&image).unwrap()).unwrap();
        let (view, report) = fixed(view);
        assert_eq!(
            report.verdict,
            Verdict::Repaired,
            "FAT{kind}: {:?}",
            report.refusal
        );
        let now = winrefit_disk::ReadAt::read_vec(&view, start, mib << 20).unwrap();
        std::fs::write(&image, now).unwrap();
        copy(&[image.as_os_str(), "::Boot/BCD".as_ref(), read.as_os_str()]);
        let new = std::fs::read(&read).unwrap();
        std::fs::remove_file(&read).unwrap();
        judge(&old, &new, start_after(&report));
        if let Some(mut fsck) = oracle("fsck.fat") {
            run(fsck.arg("-n").arg(&image));
        }
    }
}

/// The code of the refusal and its words.
fn refused(view: View) -> (&'static str, String) {
    let (_, report) = fixed(view);
    let refusal = report.refusal.expect("not refused");
    let explained = refusal.explained;
    (refusal.code, format!("{}\n{}", explained.detail, explained.next))
}

#[test]
fn a_fat_volume_in_use_or_with_crossing_chains_is_refused() {
    let (_, _, old) = mbr().store();
    let start = mbr().range(SYSTEM).start;
    let made = || mbr().with_fat(&[(r"Boot\BCD", &old)]);
    let good = made();
    let part = ReadWindow::new(&good, mbr().range(SYSTEM)).unwrap();
    let boot = winrefit_disk::ReadAt::read_vec(&part, 0, 512).unwrap();
    let table = u64::from(u16::from_le_bytes([boot[14], boot[15]])) * 512;
    // The "clean shutdown" bit of the second entry.
    let mut in_use = made();
    in_use.write_at(start + table + 7, &[0x07]).unwrap();
    let (code, words) = refused(in_use);
    assert_eq!(code, "boot-store");
    assert!(words.contains("was not closed properly"), "{words}");
    // A free cluster leads into the second one of the store.
    let fat = FatVolume::open(&part).unwrap();
    let first = fat
        .ranges(&fat.lookup(BIOS_STORE).unwrap().unwrap(), LIMIT)
        .unwrap()[0]
        .start;
    let table_sectors = u64::from(u32::from_le_bytes(boot[36..40].try_into().unwrap()));
    let data = table + u64::from(boot[16]) * table_sectors * 512;
    let second = ((first - data) / fat.cluster_bytes() + 3) as u32;
    let mut crossing = made();
    crossing
        .write_at(start + table + 4 * 60_000, &second.to_le_bytes())
        .unwrap();
    let (code, words) = refused(crossing);
    assert_eq!(code, "boot-store");
    assert!(
        words.contains("belongs to a second chain, through cluster 60000"),
        "{words}"
    );
}

#[test]
fn a_store_that_is_dirty_damaged_or_not_there_is_refused() {
    let (_, _, old) = mbr().store();
    let with = |store: &[u8]| refused(mbr().with_fat(&[(r"Boot\BCD", store), ("bootmgr", b"program")]));
    // Dirty, and completed by its log.
    let mut other = old.clone();
    replace(&mut other, b"12000004", b"1200000e", 1);
    let mut dirty = old.clone();
    make_dirty(&mut dirty);
    let log = crate::made::old_log(&dirty, &other);
    let files: [(&str, &[u8]); 2] = [(r"Boot\BCD", &dirty), (r"Boot\BCD.LOG", &log)];
    let (code, words) = refused(mbr().with_fat(&files));
    assert_eq!(code, "boot-store-dirty");
    assert!(words.contains("shutdown /s /t 0"), "{words}");
    // Dirty, and without one.
    assert_eq!(with(&dirty).0, "boot-store");
    let mut damaged = old.clone();
    damaged[20] ^= 1;
    assert_eq!(with(&damaged).0, "boot-store");
    assert_eq!(
        refused(mbr().with_fat(&[("bootmgr", b"program")])).0,
        "no-boot-store"
    );
}

#[test]
fn a_device_that_is_not_understood_and_has_the_partitions_place_is_refused() {
    let (_, _, old) = mbr().store();
    // boot.sdi's device, by a type that is not read.
    let place = mbr().range(RECOVERY).start;
    let device = |kind: u32| {
        let header = [kind, 0, 0x48, 0].map(u32::to_le_bytes).concat();
        [header, place.to_le_bytes().to_vec()].concat()
    };
    let options = references(&old, &named(place))
        .into_iter()
        .find(|(_, element)| *element == types::SDI_DEVICE)
        .unwrap()
        .0;
    let mut unknown = old.clone();
    let places: Vec<usize> = (0..old.len() - 24)
        .filter(|&at| old[at..].starts_with(&device(6)))
        .collect();
    assert_eq!(places.len(), 3);
    // The one that is not within a RAM disk's descriptor: 16 zero bytes of options stand before it.
    let at = places
        .into_iter()
        .find(|&at| old[at - 16..at] == [0; 16])
        .unwrap();
    unknown[at..at + 24].copy_from_slice(&device(77));
    let (code, words) = refused(mbr().with_fat(&[(r"Boot\BCD", &unknown)]));
    assert_eq!(code, "boot-store");
    assert!(
        words.contains(&format!("element 31000003 of object {options}")),
        "{words}"
    );
}

/// As `bootrec /rebuildbcd` leaves a store: Windows starts from it, and WinRE does not. Then no element names the
/// recovery partition, so none would be wrong once that begins elsewhere.
#[test]
fn a_store_that_starts_windows_and_no_winre_was_taken_for_one_that_is_not_there() {
    let (_, _, old) = mbr().store();
    let place = mbr().range(RECOVERY).start;
    let mut rebuilt = old.clone();
    replace(&mut rebuilt, b"14000008", b"1400000e", usize::MAX);
    let elsewhere = place - (64 << 20);
    replace(
        &mut rebuilt,
        &place.to_le_bytes(),
        &elsewhere.to_le_bytes(),
        usize::MAX,
    );
    assert_eq!(references(&rebuilt, &named(place)), []);
    let with = |store: &[u8]| mbr().with_fat(&[(r"Boot\BCD", store), ("bootmgr", b"program")]);
    let (view, report) = fixed(with(&rebuilt));
    assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
    assert_ne!(start_after(&report), place);
    let part = ReadWindow::new(&view, mbr().range(SYSTEM)).unwrap();
    let fat = FatVolume::open(&part).unwrap();
    let now = fat
        .read(&fat.lookup(BIOS_STORE).unwrap().unwrap(), LIMIT)
        .unwrap();
    assert!(now == rebuilt);
    // No BIOS starts from it where its partition is not active: another disk's store does.
    let mut inactive = with(&rebuilt);
    inactive.write_at(446, &[0]).unwrap();
    assert_eq!(refused(inactive).0, "no-boot-store");
    // Without its boot manager it is nobody's, and with another Windows in it not this one's.
    assert_eq!(
        refused(mbr().with_fat(&[(r"Boot\BCD", &rebuilt)])).0,
        "no-boot-store"
    );
    let windows = mbr().range(2).start;
    replace(
        &mut rebuilt,
        &windows.to_le_bytes(),
        &(windows + 4096).to_le_bytes(),
        usize::MAX,
    );
    assert_eq!(refused(with(&rebuilt)).0, "no-boot-store");
}
