//! A boot store that is told of the recovery partition's new place, judged by other people's reader of hives.

use crate::made::{LIMIT, Lab, View, make_dirty, ntfs_file, replace};
use crate::tools::{oracle, run};
use std::sync::OnceLock;
use winrefit_disk::{ByteRange, Device, MemoryDevice, ReadAt, ReadWindow, SectorSize, Window};
use winrefit_formats::bcd::{BcdPartition, types};
use winrefit_formats::{Bcd, FatVolume, Hive, HiveStep};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_repair::boot::{BIOS_STORE, RepointError, StoreWrite, repoint_edits};

fn mbr() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| Lab::of("mbr"))
}

/// The recovery partition of the lab disk, and another place for it.
fn places() -> (BcdPartition, BcdPartition) {
    let signature = mbr().made.disk_signature.unwrap();
    let offset = mbr().range(3).start;
    let at = |offset| BcdPartition::Mbr { signature, offset };
    (at(offset), at(offset - (475 << 20)))
}

fn edits(volume: &dyn ReadAt) -> Result<Vec<StoreWrite>, RepointError> {
    let (from, to) = places();
    repoint_edits(volume, BIOS_STORE, &from, &to)
}

/// The names of all elements that a store has for a partition.
fn references(store: &[u8], partition: &BcdPartition) -> Vec<(winrefit_formats::Guid, u32)> {
    let bcd = Bcd::read(&Hive::open(&store).unwrap()).unwrap();
    let references = bcd.references(partition);
    references
        .into_iter()
        .map(|r| (r.object, r.element_type))
        .collect()
}

/// What is on the volume before the first step, and after each.
fn applied(volume: &mut dyn Device, edits: &[StoreWrite]) {
    for edit in edits {
        volume.write_at(edit.offset, &edit.bytes).unwrap();
    }
}

/// Both stores as hivex reads them: the old one with the new place in place of the old is the new one, in every element
/// that named the partition and nowhere else.
fn judge(old: &[u8], new: &[u8]) {
    let (BcdPartition::Mbr { offset: from, .. }, BcdPartition::Mbr { offset: to, .. }) = places() else {
        panic!()
    };
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
    for (object, element) in references(old, &places().0) {
        let key = format!(r"Objects\{{{object}}}\Elements\{element:08x}");
        let value = |path| {
            Some(
                oracle("hivexget")?
                    .arg(path)
                    .args([&key, "Element"])
                    .output()
                    .unwrap()
                    .stdout,
            )
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
    let (from, to) = places();
    let (system, path, old) = mbr().store();
    let mut view = mbr().view();
    let range = mbr().range(system);
    let edits = edits(&ReadWindow::new(&view, range).unwrap()).unwrap();
    let steps: Vec<HiveStep> = edits.iter().map(|edit| edit.step).collect();
    assert_eq!(
        (steps.first(), steps.last()),
        (Some(&HiveStep::Begin), Some(&HiveStep::End))
    );
    assert!(steps.is_sorted() && steps.contains(&HiveStep::Data));
    let named = references(&old, &from);
    assert_eq!(named.len(), 3);
    applied(&mut Window::new(&mut view, range).unwrap(), &edits);
    let new = ntfs_file(&ReadWindow::new(&view, range).unwrap(), path);
    assert_eq!(references(&new, &to), named);
    assert!(references(&new, &from).is_empty());
    judge(&old, &new);
    // Nothing is left to be done, and the way back gives the old bytes but for the sequence numbers.
    let part = ReadWindow::new(&view, range).unwrap();
    assert_eq!(repoint_edits(&part, BIOS_STORE, &from, &to).unwrap(), []);
    let back = repoint_edits(&part, BIOS_STORE, &to, &from).unwrap();
    applied(&mut Window::new(&mut view, range).unwrap(), &back);
    let restored = ntfs_file(&ReadWindow::new(&view, range).unwrap(), path);
    assert!(restored[4096..] == old[4096..]);
    judge_outside(&view, &edits, range);
}

/// Each write lies within the store's own clusters.
fn judge_outside(view: &View, edits: &[StoreWrite], range: ByteRange) {
    let volume = winrefit_ntfs::Volume::open(ReadWindow::new(view, range).unwrap()).unwrap();
    let file = volume.lookup(BIOS_STORE).unwrap().unwrap();
    let stream = file.require(winrefit_ntfs::AttributeType::DATA, "").unwrap();
    let geometry = volume.geometry();
    let own: Vec<ByteRange> = stream
        .runs()
        .unwrap()
        .0
        .iter()
        .map(|run| {
            let start = geometry.offset_of(run.lcn.unwrap());
            ByteRange::new(start, start + run.clusters * u64::from(geometry.cluster_size))
        })
        .collect();
    for edit in edits {
        let range = ByteRange::new(edit.offset, edit.offset + edit.bytes.len() as u64);
        assert!(own.iter().any(|own| own.contains(&range)), "{range}");
    }
}

#[test]
fn a_store_on_fat_is_changed_through_its_places() {
    let (system, path, old) = mbr().store();
    let mut view = mbr().with_fat(&[(r"Boot\BCD", &old), ("bootmgr", b"program")]);
    let range = mbr().range(system);
    let edits = edits(&ReadWindow::new(&view, range).unwrap()).unwrap();
    applied(&mut Window::new(&mut view, range).unwrap(), &edits);
    let part = ReadWindow::new(&view, range).unwrap();
    let fat = FatVolume::open(&part).unwrap();
    let new = fat.read(&fat.lookup(path).unwrap().unwrap(), LIMIT).unwrap();
    assert!(references(&new, &places().0).is_empty());
    judge(&old, &new);
}

#[test]
fn a_fat_volume_in_use_or_with_crossing_chains_is_refused() {
    let (system, _, old) = mbr().store();
    let range = mbr().range(system);
    let good = mbr().with_fat(&[(r"Boot\BCD", &old)]);
    let part = ReadWindow::new(&good, range).unwrap();
    let boot = part.read_vec(0, 512).unwrap();
    let reserved = u64::from(u16::from_le_bytes([boot[14], boot[15]])) * 512;
    let mut in_use = mbr().with_fat(&[(r"Boot\BCD", &old)]);
    in_use.write_at(range.start + reserved + 7, &[0x07]).unwrap();
    let error = edits(&ReadWindow::new(&in_use, range).unwrap()).unwrap_err();
    assert!(matches!(error, RepointError::VolumeInUse), "{error}");
    // The last cluster of the volume, which is free, leads into the store.
    let fat = FatVolume::open(&part).unwrap();
    let cluster_bytes = fat.cluster_bytes();
    let ranges = fat
        .ranges(&fat.lookup(BIOS_STORE).unwrap().unwrap(), LIMIT)
        .unwrap();
    let table_sectors = u64::from(u32::from_le_bytes(boot[36..40].try_into().unwrap()));
    let data = reserved + u64::from(boot[16]) * table_sectors * 512;
    let second = (ranges[0].start - data) / cluster_bytes + 3;
    let mut crossing = mbr().with_fat(&[(r"Boot\BCD", &old)]);
    crossing
        .write_at(
            range.start + reserved + 4 * 60_000,
            &(second as u32).to_le_bytes(),
        )
        .unwrap();
    let error = edits(&ReadWindow::new(&crossing, range).unwrap()).unwrap_err();
    assert!(
        matches!(
            error,
            RepointError::Fat(winrefit_formats::FatError::Shared { from: 60_000, .. })
        ),
        "{error}"
    );
    assert_eq!(error.refusal(1, BIOS_STORE).code(), "boot-store-in-place");
}

/// An NTFS volume with these files.
fn volume(files: &[(&str, &[u8])]) -> MemoryDevice {
    let mut device = MemoryDevice::zeroed(16 << 20, SectorSize::B512);
    let mut builder = VolumeBuilder::new(FormatOptions::new((16 << 20) / 512)).unwrap();
    for (path, bytes) in files {
        builder
            .add_file(path, 0, FileData::Bytes(bytes.to_vec()))
            .unwrap();
    }
    builder.write_to(&mut device).unwrap();
    device
}

#[test]
fn a_dirty_store_and_one_not_understood_are_refused() {
    let (_, _, old) = mbr().store();
    assert_eq!(edits(&volume(&[(r"Boot\BCD", &old)])).unwrap().len(), 5);
    let mut dirty = old.clone();
    make_dirty(&mut dirty);
    let error = edits(&volume(&[(r"Boot\BCD", &dirty)])).unwrap_err();
    assert!(matches!(error, RepointError::Dirty(_)), "{error}");
    let report = error.refusal(1, BIOS_STORE).report();
    assert_eq!(report.code, "boot-store-dirty");
    assert!(report.explained.next.contains("shutdown /s /t 0"));
    let mut unknown = old.clone();
    // The boot manager's own device, by a type that is not read.
    let system = BcdPartition::Mbr {
        signature: mbr().made.disk_signature.unwrap(),
        offset: mbr().range(1).start,
    };
    assert_eq!(
        references(&old, &system),
        [(types::BOOT_MANAGER, types::APPLICATION_DEVICE)]
    );
    let device = |kind: u32| {
        let header = [kind, 0, 0x48, 0].map(u32::to_le_bytes).concat();
        [header, mbr().range(1).start.to_le_bytes().to_vec()].concat()
    };
    replace(&mut unknown, &device(6), &device(2), usize::MAX);
    let error = edits(&volume(&[(r"Boot\BCD", &unknown)])).unwrap_err();
    assert!(
        matches!(&error, RepointError::Unknown { elements } if elements.len() == 1),
        "{error}"
    );
    let report = error.refusal(1, BIOS_STORE).report();
    assert_eq!(report.code, "boot-store-unknown");
    assert!(
        report
            .explained
            .detail
            .contains("element 11000001 of object 9dea862c"),
        "{report:?}"
    );
}

#[test]
fn a_store_that_is_no_plain_file_is_refused() {
    let small = [0x5d; 100];
    let error = edits(&volume(&[(r"Boot\BCD", &small)])).unwrap_err();
    assert!(
        matches!(
            error,
            RepointError::NotInPlace {
                how: "stored in its file record"
            }
        ),
        "{error}"
    );
    assert_eq!(error.refusal(1, BIOS_STORE).code(), "boot-store-in-place");
    let error = edits(&volume(&[("bootmgr", &small)])).unwrap_err();
    assert!(
        matches!(error, RepointError::NoStore { path: BIOS_STORE }),
        "{error}"
    );
    let noise = vec![0x5d; 40_000];
    let error = edits(&volume(&[(r"Boot\BCD", &noise)])).unwrap_err();
    assert!(matches!(error, RepointError::Store(_)), "{error}");
}
