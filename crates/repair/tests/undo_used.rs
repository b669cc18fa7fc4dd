//! `undo` on a disk that was used after the repair: by ntfs-3g, which stands for Windows. Either nothing of what was written
//! since is lost and both volumes are sound, or nothing is written.
#![allow(clippy::unwrap_used)]

mod common;

use common::mount::while_mounted;
use common::used::{assert_sound, fill_slots_within, keep_slots_within, place, repaired, slot, with_slots};
use common::{Layout, MIB, RECOVERY, REQUEST, WINDOWS, files, partition_range, target};
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use winrefit_disk::{Device, MemoryDevice, ReadWindow};
use winrefit_ntfs::{AttributeType, Volume};
use winrefit_repair::commands::undo;
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};

fn undone(disk: &MemoryDevice) -> (MemoryDevice, Report) {
    let mut subject = target(disk.clone());
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    (subject.device, report)
}

/// The refusal of an undo that wrote nothing.
fn refusal(disk: &MemoryDevice) -> (&'static str, String) {
    let (after, report) = undone(disk);
    let refusal = report.refusal.expect("the undo is refused");
    assert_eq!(report.verdict, Verdict::Refused);
    assert!(after == *disk, "nothing is written");
    let words = refusal.explained;
    (
        refusal.code,
        format!("{} {} {}", words.title, words.detail, words.next),
    )
}

/// Short files, which lie in their records, changed content, and one file less: no cluster is taken or given back.
fn write_files(at: &Path) {
    for index in 0..20 {
        fs::write(at.join(slot(WINDOWS, index)), vec![index as u8; 300]).unwrap();
    }
    fs::remove_file(at.join(slot(WINDOWS, 30))).unwrap();
    let noise = fs::File::options()
        .write(true)
        .open(at.join("Users/someone/noise.bin"));
    noise.unwrap().write_all_at(&[0xEE; 5000], 4000).unwrap();
}

/// Windows has written to C:, and by chance to no sector that the repair had changed.
#[test]
fn an_undo_keeps_what_was_written_to_untouched_sectors() {
    let Some(old) = with_slots(&Layout::default()) else {
        return;
    };
    let (new, _) = repaired(&old, &REQUEST);
    let mut used = new.clone();
    while_mounted(&mut used, WINDOWS, write_files);
    let mut wanted = files(&used, WINDOWS);
    assert!(wanted != files(&new, WINDOWS));
    let (disk, report) = undone(&used);
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    assert_sound(&disk);
    let mut found = files(&disk, WINDOWS);
    for all in [&mut wanted, &mut found] {
        all.retain(|path, _| !path.ends_with("ReAgent.xml"));
    }
    assert!(found == wanted, "the files of C: are those of now");
    assert!(files(&disk, RECOVERY) == files(&old, RECOVERY));
    assert_eq!(partition_range(&disk, RECOVERY), partition_range(&old, RECOVERY));
}

/// A driver that writes the last bits of the shorter $Bitmap fills the rest of its cluster with zeros: bits of the
/// clusters that the volume gave away.
#[test]
fn an_undo_is_refused_once_a_driver_has_cut_the_old_bitmap() {
    let Some(old) = with_slots(&Layout::default()) else {
        return;
    };
    let (mut used, _) = repaired(&old, &REQUEST);
    keep_slots_within(&mut used, WINDOWS, (0, 32 * MIB));
    let (code, words) = refusal(&used);
    assert_eq!(code, "undo-would-damage");
    assert!(words.contains("$Bitmap"), "{words}");
}

#[test]
fn an_undo_is_refused_once_a_file_was_put_into_a_volume_whose_front_grew() {
    let old = Layout::default().build();
    let (mut used, _) = repaired(&old, &REQUEST);
    let worked = while_mounted(&mut used, RECOVERY, |at| {
        fs::write(at.join("Recovery/WindowsRE/new.txt"), b"new").unwrap()
    });
    if worked.is_none() {
        return;
    }
    let (code, words) = refusal(&used);
    assert_eq!(code, "changed-since");
    assert!(words.contains("partition 4"), "{words}");
}

/// A volume whose end grew, with room for more clusters than a sector of $Bitmap tells of.
fn end_grown() -> Option<(MemoryDevice, MemoryDevice)> {
    let layout = Layout {
        disk: 140,
        ..Layout::default()
    };
    let request = Request {
        size_bytes: Some(72 * MIB),
        ..REQUEST
    };
    let old = with_slots(&layout)?;
    let (new, _) = repaired(&old, &request);
    assert_eq!(
        partition_range(&new, RECOVERY).start,
        partition_range(&old, RECOVERY).start
    );
    assert_eq!(partition_range(&new, RECOVERY).len(), 72 * MIB);
    Some((old, new))
}

/// The bits of the clusters from 32 to 48 MiB are zeros before the repair and after it, so no image holds them.
#[test]
fn an_undo_is_refused_where_files_lie_behind_the_old_end() {
    let Some((old, mut used)) = end_grown() else {
        return;
    };
    let old_length = partition_range(&old, RECOVERY).len();
    let kept = keep_slots_within(&mut used, RECOVERY, (32 * MIB, 64 * MIB));
    assert!(place(&used, RECOVERY, &kept[0])[0].0 > old_length);
    assert_sound(&used);
    let (code, words) = refusal(&used);
    assert_eq!(code, "undo-would-damage", "{words}");
    assert!(words.contains("artition 4"), "{words}");
}

#[test]
fn an_undo_keeps_files_before_the_old_end_of_a_volume_whose_end_grew() {
    let Some((_, mut used)) = end_grown() else {
        return;
    };
    let mut other = used.clone();
    keep_slots_within(&mut used, RECOVERY, (0, 16 * MIB));
    let wanted = files(&used, RECOVERY);
    let (disk, report) = undone(&used);
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    assert_sound(&disk);
    assert!(files(&disk, RECOVERY) == wanted);

    // Files that are gone again were where the old volume has its backup boot sector.
    fill_slots_within(&mut other, RECOVERY, (0, 16 * MIB));
    let (code, words) = refusal(&other);
    assert_eq!(code, "undo-would-damage");
    assert!(words.contains("backup boot sector"), "{words}");
}

/// What an undo goes back to is free in the volumes of now: a trim may have taken it.
#[test]
fn an_undo_is_refused_once_the_old_volume_behind_the_new_front_is_gone() {
    let old = Layout::default().build();
    let (mut used, _) = repaired(&old, &REQUEST);
    let volume = Volume::open(ReadWindow::new(&old, partition_range(&old, RECOVERY)).unwrap()).unwrap();
    let mft = volume.geometry().offset_of(volume.boot().mft_lcn());
    let at = partition_range(&old, RECOVERY).start + mft;
    drop(volume);
    used.write_at(at, &[0; 64 << 10]).unwrap();
    assert_sound(&used);
    let (code, words) = refusal(&used);
    assert_eq!(code, "undo-would-damage");
    assert!(words.contains("artition 4"), "{words}");
}

/// A hibernated Windows remembers volumes and borders as they are now.
#[test]
fn an_undo_is_refused_while_windows_is_not_at_rest() {
    let mut old = Layout::default().build();
    let hibernate = |at: &Path, mark: [u8; 4]| {
        let mut content = vec![0; 64 << 10];
        content[..4].copy_from_slice(&mark);
        fs::write(at.join("hiberfil.sys"), content).unwrap();
    };
    if while_mounted(&mut old, WINDOWS, |at| hibernate(at, [0; 4])).is_none() {
        return;
    }
    let (mut used, _) = repaired(&old, &REQUEST);
    let at = partition_range(&used, WINDOWS).start + place(&used, WINDOWS, "hiberfil.sys")[0].0;
    used.write_at(at, b"hibr").unwrap();
    let (code, words) = refusal(&used);
    assert_eq!(code, "hibernated");
    assert!(words.contains("artition 3"), "{words}");
}

#[test]
fn an_undo_is_refused_on_a_dirty_volume() {
    let old = Layout::default().build();
    let (new, _) = repaired(&old, &REQUEST);
    for number in [WINDOWS, RECOVERY] {
        let mut used = new.clone();
        common::change(
            &mut used,
            number,
            3,
            (AttributeType::VOLUME_INFORMATION, ""),
            24 + 10,
            &[1],
        );
        // The recovery volume's record was written by the repair, C:'s was not.
        let code = refusal(&used).0;
        assert_eq!(
            code,
            if number == WINDOWS {
                "dirty"
            } else {
                "changed-since"
            }
        );
    }
}
