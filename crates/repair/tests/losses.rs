//! What a moved border would lose: shadow copies, which are kept, refused, or given up on demand, and data in bad
//! sectors.
#![allow(clippy::unwrap_used)]

mod common;

use common::shadow::{HEADER, created, write_header};
use common::{Layout, MIB, RECOVERY, REQUEST, WINDOWS, files, partition_range, poke, record, store, target};
use winrefit_disk::{
    ByteRange, Crash, Device, Event, MemoryDevice, Overlay, ReadAt, ReadWindow, Recording, SectorSize, Window,
};
use winrefit_ntfs::runs::{Run, RunList};
use winrefit_ntfs::vss::ShadowCopies;
use winrefit_ntfs::{AttributeType, Lcn, Volume, bad_clusters};
use winrefit_repair::commands::{fix, plan, undo};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};

const DROP: Request = Request {
    drop_shadow_copies: true,
    ..REQUEST
};

fn layout(shadow_copies: [usize; 2], sector_size: SectorSize) -> Layout {
    Layout {
        shadow_copies,
        sector_size,
        ..Layout::default()
    }
}

fn shadow_copies(disk: &dyn ReadAt, number: u32) -> ShadowCopies {
    let part = ReadWindow::new(disk, partition_range(disk, number)).unwrap();
    ShadowCopies::read(&Volume::open(part).unwrap()).unwrap()
}

fn repair(old: &MemoryDevice, request: &Request) -> (MemoryDevice, Report) {
    let mut subject = target(old.clone());
    let report = fix(&mut subject, request, &mut |_| true, &mut |_| ()).unwrap();
    (subject.device, report)
}

fn assert_undone(old: &MemoryDevice, new: MemoryDevice) {
    let mut subject = target(new);
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone);
    assert!(subject.device.bytes() == old.bytes(), "undo did not put all back");
}

#[test]
fn shadow_copies_are_refused_with_their_number_and_nothing_is_written() {
    for (counts, partition, words) in [
        ([2, 0], WINDOWS, "partition 3 has 2 shadow copies"),
        ([0, 1], RECOVERY, "partition 4 has 1 shadow copy"),
    ] {
        let old = layout(counts, SectorSize::B512).build();
        assert_eq!(
            shadow_copies(&old, partition).stores().len(),
            counts[0] + counts[1]
        );
        let (new, report) = repair(&old, &REQUEST);
        let refusal = report.refusal.unwrap();
        assert_eq!(
            (report.verdict, refusal.code),
            (Verdict::Refused, "shadow-copies")
        );
        assert!(
            refusal.explained.title.to_string().contains(words),
            "{}",
            refusal.explained.title
        );
        assert!(new.bytes() == old.bytes());
    }
}

#[test]
fn given_up_on_demand_they_are_none_afterwards_and_undo_brings_them_back() {
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        for counts in [[3, 0], [0, 2], [1, 1]] {
            let old = layout(counts, sector_size).build();
            let kept = [files(&old, WINDOWS), files(&old, RECOVERY)];
            let (new, report) = repair(&old, &DROP);
            assert_eq!(
                report.verdict,
                Verdict::Repaired,
                "{:?} {:?}",
                report.refusal,
                report.verification
            );
            let dropped = report.plan.unwrap().dropped_shadow_copies;
            for ((count, number), files_before) in counts.into_iter().zip([WINDOWS, RECOVERY]).zip(kept) {
                let said = dropped.iter().find(|d| d.partition == number);
                assert_eq!(said.map_or(0, |d| d.count.unwrap()), count as u64);
                assert!(shadow_copies(&new, number).stores().is_empty());
                assert!(
                    files(&new, number).keys().eq(files_before.keys()),
                    "no file is gone"
                );
                if let Some(said) = said {
                    assert_eq!(shadow_copies(&new, number), ShadowCopies::NoCatalog);
                    assert_eq!(said.oldest.as_deref(), Some("2024-01-01T00:00:00Z"));
                    assert_eq!(said.storage_bytes, Some(4 * count as u64 * 0x4000));
                    let what = format!("Shadow copies of partition {number}");
                    assert!(
                        report
                            .verification
                            .iter()
                            .any(|item| item.what.to_string() == what && item.ok)
                    );
                }
            }
            assert_undone(&old, new);
        }
    }
}

#[test]
fn the_undone_disk_has_the_same_shadow_copies() {
    let old = layout([3, 0], SectorSize::B512).build();
    let before = shadow_copies(&old, WINDOWS);
    assert_eq!(before.stores()[2].created, Some(created(2)));
    let (new, _) = repair(&old, &DROP);
    let mut subject = target(new);
    undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(shadow_copies(&subject.device, WINDOWS), before);
}

#[test]
fn a_header_without_catalog_is_no_obstacle_and_stays() {
    let mut old = Layout::default().build();
    for number in [WINDOWS, RECOVERY] {
        let range = partition_range(&old, number);
        write_header(&mut Window::new(&mut old, range).unwrap(), 2, 0);
    }
    let (new, report) = repair(&old, &REQUEST);
    assert_eq!(report.verdict, Verdict::Repaired);
    assert!(report.plan.unwrap().dropped_shadow_copies.is_empty());
    for number in [WINDOWS, RECOVERY] {
        assert_eq!(shadow_copies(&new, number), ShadowCopies::NoCatalog);
        let header = |disk: &MemoryDevice| {
            let start = partition_range(disk, number).start;
            disk.read_vec(start + HEADER, 512).unwrap()
        };
        assert_eq!(header(&new), header(&old));
    }
    assert_undone(&old, new);
}

#[test]
fn a_catalog_that_cannot_be_read_counts_as_shadow_copies() {
    let mut disk = layout([2, 0], SectorSize::B512).build();
    let ShadowCopies::Catalog(catalog) = shadow_copies(&disk, WINDOWS) else {
        panic!("no catalog")
    };
    let start = partition_range(&disk, WINDOWS).start;
    poke(&mut disk, start + catalog.offset, &[0; 16]);
    let (_, report) = repair(&disk, &REQUEST);
    assert_eq!(report.refusal.unwrap().code, "shadow-copies");
    let (new, report) = repair(&disk, &DROP);
    assert_eq!(report.verdict, Verdict::Repaired);
    assert_eq!(report.plan.unwrap().dropped_shadow_copies[0].count, None);
    assert_eq!(shadow_copies(&new, WINDOWS), ShadowCopies::NoCatalog);

    // A header of a later form is nobody's to change.
    poke(&mut disk, start + HEADER + 16, &[9]);
    let (new, report) = repair(&disk, &DROP);
    assert_eq!(report.refusal.unwrap().code, "shadow-copies");
    assert!(new.bytes() == disk.bytes());
}

/// At no instant does a volume that is already shorter say that it has shadow copies.
fn assert_never_both(base: &MemoryDevice, events: &[Event], range: ByteRange, sectors: u64) {
    let mut seen = [0; 2];
    for crash in Crash::all(events, base.sector_size())
        .into_iter()
        .filter(|crash| matches!(crash, Crash::Prefix { .. }))
    {
        let mut cut = Overlay::new(base, base.sector_size());
        crash.apply(&mut cut, events).unwrap();
        let volume = Volume::open(ReadWindow::new(&cut, range).unwrap()).unwrap();
        let is_short = volume.geometry().total_sectors < sectors;
        let has = !ShadowCopies::read(&volume).unwrap().stores().is_empty();
        assert!(!(is_short && has), "{crash:?}");
        seen[usize::from(has)] += 1;
    }
    assert!(seen.iter().all(|&count| count > 0), "{seen:?}");
}

#[test]
fn a_shorter_volume_never_has_shadow_copies_wherever_the_power_is_cut() {
    let old = layout([2, 0], SectorSize::B512).build();
    let sectors = Volume::open(ReadWindow::new(&old, partition_range(&old, WINDOWS)).unwrap())
        .unwrap()
        .geometry()
        .total_sectors;
    let mut subject = target(Recording::new(old.clone()));
    let report = fix(&mut subject, &DROP, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Repaired);
    let (new, events) = subject.device.into_parts();
    // The Windows volume keeps its start, whichever copy of the table is good.
    let range = partition_range(&old, WINDOWS);
    assert_never_both(&old, &events, range, sectors);
    let mut subject = target(Recording::new(new.clone()));
    undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    let (_, events) = subject.device.into_parts();
    assert_never_both(&new, &events, range, sectors);
}

/// Puts clusters of C: on its list of bad ones.
fn mark_bad(disk: &mut MemoryDevice, lcn: u64, clusters: u64) {
    let (at, mut bad_clus, raw) = record(disk, WINDOWS, 8);
    let bad = bad_clus.find(AttributeType::DATA, "$Bad").unwrap().unwrap();
    let (offset, length, pairs) = (bad.offset(), bad.bytes().len(), bad.mapping_pairs_offset());
    let mut bytes = bad.bytes()[..pairs].to_vec();
    let whole = bad.runs().unwrap().clusters();
    let run = |lcn, clusters| Run { lcn, clusters };
    let runs = RunList(vec![
        run(None, lcn),
        run(Some(Lcn(lcn)), clusters),
        run(None, whole - lcn - clusters),
    ]);
    bytes.extend(runs.encode());
    bytes.resize(bytes.len().next_multiple_of(8).max(length), 0);
    let new_length = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&new_length.to_le_bytes());
    bad_clus.replace_attribute(offset, length, &bytes).unwrap();
    let clean = disk.clone();
    store(disk, &clean, WINDOWS, (at, bad_clus, raw));
    let part = ReadWindow::new(&*disk, partition_range(disk, WINDOWS)).unwrap();
    let listed = bad_clusters(&Volume::open(part).unwrap()).unwrap();
    assert_eq!(listed, [run(Some(Lcn(lcn)), clusters)]);
}

#[test]
fn bad_clusters_in_the_part_to_be_given_away_are_refused_with_their_place() {
    let mut disk = Layout::default().build();
    let range = partition_range(&disk, WINDOWS);
    let lcn = (range.len() - 2 * MIB) / 4096;
    mark_bad(&mut disk, lcn, 3);
    let report = plan(&target(disk), &REQUEST, &mut |_| ()).unwrap();
    let refusal = report.refusal.unwrap();
    assert_eq!(refusal.code, "bad-clusters");
    let said = refusal.explained.detail.to_string();
    let place = format!("the first at byte {} of the disk", range.start + lcn * 4096);
    assert!(said.contains("3 clusters") && said.contains(&place), "{said}");
}
