//! States that no disk of the lab is in: ReAgent.xml names unusual places, or a Windows may be hidden.

use super::common::{Layout, MIB, RECOVERY, WINDOWS, disk_guid, partition_range, poke, target};
use super::{codes, evidence, finding};
use winrefit_disk::{MemoryDevice, SectorSize, Window};
use winrefit_formats::{ReAgentLocation, ReAgentTemplate};
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_repair::commands::{diagnose, plan, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::Verdict;

/// A volume with these files instead of the one in a partition.
fn replace_volume(disk: &mut MemoryDevice, number: u32, files: &[(&str, Vec<u8>)]) {
    let range = partition_range(disk, number);
    let mut volume = VolumeBuilder::new(FormatOptions {
        hidden_sectors: range.start / SectorSize::B512.bytes(),
        ..FormatOptions::new(range.len() / SectorSize::B512.bytes())
    })
    .unwrap();
    for (path, bytes) in files {
        volume.add_file(path, 0, FileData::Bytes(bytes.clone())).unwrap();
    }
    volume.write_to(&mut Window::new(disk, range).unwrap()).unwrap();
}

/// A ReAgent.xml that names a place; an offset of zero names none.
fn reagent(path: &str, offset: u64, install_state: u32) -> Vec<u8> {
    let winre_location = ReAgentLocation {
        path: path.to_owned(),
        id: 0,
        offset,
        guid: disk_guid(),
    };
    ReAgentTemplate {
        winre_location,
        install_state,
        ..ReAgentTemplate::default()
    }
    .to_bytes()
}

const REAGENT: &str = r"Windows\System32\Recovery\ReAgent.xml";

#[test]
fn an_image_in_a_folder_of_the_maker_is_found_where_reagent_xml_says() {
    let layout = Layout::default();
    for (folder, path) in [
        (
            r"Recovery\{6A9C3B1E-0000-4000-8000-000000000001}",
            r"\Recovery\{6a9c3b1e-0000-4000-8000-000000000001}",
        ),
        (r"Tools\WinRE", r"\Tools\WinRE\"),
    ] {
        let mut disk = layout.build();
        let image = format!(r"{folder}\Winre.wim");
        replace_volume(&mut disk, RECOVERY, &[(&image, vec![0; 3000])]);
        let start = partition_range(&disk, RECOVERY).start;
        replace_volume(&mut disk, WINDOWS, &[(REAGENT, reagent(path, start, 1))]);
        let report = diagnose(&target(disk), None).unwrap();
        let found = codes(&report);
        assert!(!found.contains(&"winre-image-gone"), "{found:?}");
        // Its bytes are no image, which is told of this one, too.
        assert!(found.contains(&"winre-image-unreadable"), "{found:?}");
        let partition = report
            .disk
            .unwrap()
            .partitions
            .into_iter()
            .find(|p| p.number == RECOVERY);
        let images = partition.unwrap().images;
        assert_eq!(images.len(), 1, "{images:?}");
        assert_eq!(images[0].size_bytes, 3000);
    }
}

#[test]
fn a_place_where_no_partition_begins_or_on_another_disk_is_not_healthy() {
    for (other_disk, offset, code) in [
        (false, 7 * MIB, "winre-image-gone"),
        (true, 55 * MIB, "winre-on-another-disk"),
        // The EFI system partition, with a FAT in it.
        (false, MIB, "winre-out-of-sight"),
    ] {
        let mut disk = Layout::default().build();
        let mut xml = reagent(r"\Recovery\WindowsRE", offset, 1);
        if other_disk {
            let text = String::from_utf8(xml).unwrap();
            let own = disk_guid().to_string();
            assert!(text.contains(&own), "{text}");
            xml = text
                .replace(&own, "01234567-89ab-4def-8123-456789abcdef")
                .into_bytes();
        }
        replace_volume(&mut disk, WINDOWS, &[(REAGENT, xml)]);
        let at = partition_range(&disk, 1).start;
        poke(&mut disk, at + 0x36, b"FAT16   ");
        poke(&mut disk, at + 510, &[0x55, 0xAA]);
        let subject = target(disk);
        let report = diagnose(&subject, None).unwrap();
        let found = finding(&report, code);
        assert!(
            evidence(found).contains(&offset.to_string()),
            "{}",
            evidence(found)
        );
        assert!(
            [Verdict::Attention, Verdict::NeedsRepair].contains(&report.verdict),
            "{code}"
        );
        let verified = verify(&subject, None, &mut |_| ()).unwrap();
        assert_eq!(verified.verdict, report.verdict, "{code}");
        // The partition that nobody names may be the right one: its image is told, and it is no leftover.
        assert!(
            codes(&report).contains(&"no-windows-reference"),
            "{:?}",
            codes(&report)
        );
        if code == "winre-image-gone" {
            let next = found.explained.next.to_string();
            assert!(
                next.contains(r"copy \Recovery\WindowsRE\Winre.wim of partition 4"),
                "{next}"
            );
        }
    }
}

#[test]
fn a_disabled_winre_chooses_no_partition_while_another_windows_may_be_hidden() {
    let disabled = || {
        let mut disk = Layout::default().build();
        replace_volume(&mut disk, WINDOWS, &[(REAGENT, reagent("", 0, 0))]);
        disk
    };
    let request = Request {
        size_bytes: Some(40 * MIB),
        free_bytes: Some(10 * MIB),
        ..Request::default()
    };
    let answer = |disk: MemoryDevice| {
        let report = plan(&target(disk), &request, &mut |_| ()).unwrap();
        report
            .refusal
            .map_or_else(|| report.plan.unwrap().strategy, |refusal| refusal.code)
    };
    assert_eq!(answer(disabled()), "shrink+grow-front");
    // The reserved partition turned into one for data, with what cannot be read in it.
    for (sector, code) in [
        (&b"\xEB\x58\x90-FVE-FS-"[..], "bitlocker"),
        (b"\x12\x34\x56\x78 noise", "no-windows-reference"),
    ] {
        let mut disk = disabled();
        set_basic_data(&mut disk, 2);
        let at = partition_range(&disk, 2).start;
        poke(&mut disk, at, sector);
        assert_eq!(answer(disk), code);
    }
}

fn set_basic_data(disk: &mut MemoryDevice, number: u32) {
    use winrefit_formats::gpt::types::PARTITION_BASIC_DATA_GUID;
    let old = winrefit_formats::read_gpt(disk, SectorSize::B512)
        .unwrap()
        .usable()
        .unwrap();
    let sectors = disk.bytes().len() as u64 / 512;
    let mut new = winrefit_formats::Gpt::new(disk_guid(), sectors, SectorSize::B512).unwrap();
    for entry in (1..=4).filter_map(|n| old.partition(n)) {
        let mut entry = entry.clone();
        if entry.number == number {
            entry.type_guid = PARTITION_BASIC_DATA_GUID;
        }
        new.add(entry).unwrap();
    }
    new.write(disk).unwrap();
}
