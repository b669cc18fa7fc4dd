//! Disks on which a repair would lose something, each refused (or proven) by name. Every one was repaired, or ended
//! badly, before it had a test.
#![allow(clippy::unwrap_used)]

mod common;

use common::{
    Layout, MIB, RECOVERY, REQUEST, WINDOWS, change, partition_range, poke, record, record_of, store, target,
};
use std::collections::BTreeMap;
use winrefit_disk::{
    Device, DiskError, Event, Lba, MemoryDevice, Operation, ReadAt, ReadWindow, Recording, SectorSize,
    Window, recording,
};
use winrefit_formats::{LbaRange, read_gpt};
use winrefit_ntfs::check::CheckLevel;
use winrefit_ntfs::edit::replace_content;
use winrefit_ntfs::runs::Run;
use winrefit_ntfs::{AttributeType, Lcn, RecordNumber, Volume};
use winrefit_repair::RepairError;
use winrefit_repair::commands::{check, diagnose, fix, plan, resume, verify};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::verify::{Before, verify_plan};

const VOLUME: (AttributeType, &str) = (AttributeType::VOLUME_INFORMATION, "");
const DATA: (AttributeType, &str) = (AttributeType::DATA, "");

fn planned(disk: MemoryDevice) -> Report {
    plan(&target(disk), &REQUEST, &mut |_| ()).unwrap()
}

fn refusal(disk: MemoryDevice, request: &Request) -> Option<&'static str> {
    let report = plan(&target(disk), request, &mut |_| ()).unwrap();
    assert_eq!(report.verdict == Verdict::Refused, report.refusal.is_some());
    report.refusal.map(|refusal| refusal.code)
}

#[test]
fn a_windows_that_is_not_at_rest_stops_growth_at_either_end() {
    for layout in [
        Layout::default(),
        Layout {
            disk: 100,
            ..Layout::default()
        },
    ] {
        // Dirty, being checked, and changed by chkdsk since the last mount.
        for flags in [0x0001u16, 0x4000, 0x8000] {
            let mut disk = layout.build();
            change(&mut disk, WINDOWS, 3, VOLUME, 0x18 + 10, &flags.to_le_bytes());
            assert_eq!(refusal(disk, &REQUEST), Some("dirty"), "flags {flags:#x}");
        }
    }
}

#[test]
fn the_journal_keeps_out_of_a_long_entry_array() {
    let mut disk = Layout::default().build();
    let last = disk.size() / 512 - 1;
    let mut array = disk.read_vec((last - 32) * 512, 32 * 512).unwrap();
    poke(&mut disk, (last - 32) * 512, &vec![0; 32 * 512]);
    array.resize(64 * 512, 0);
    poke(&mut disk, (last - 64) * 512, &array);
    poke(&mut disk, 2 * 512, &array);
    for (lba, entries) in [(1u64, 2u64), (last, last - 64)] {
        let mut header = disk.read_vec(lba * 512, 512).unwrap();
        header[72..80].copy_from_slice(&entries.to_le_bytes());
        header[80..84].copy_from_slice(&256u32.to_le_bytes());
        header[88..92].copy_from_slice(&crc32fast::hash(&array[..256 * 128]).to_le_bytes());
        header[16..20].fill(0);
        let crc = crc32fast::hash(&header[..92]);
        header[16..20].copy_from_slice(&crc.to_le_bytes());
        poke(&mut disk, lba * 512, &header);
    }
    let mut subject = target(disk);
    let report = fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    let done = report.verdict == Verdict::Repaired;
    assert!(done || report.refusal.is_some(), "{:?}", report.verdict);
    read_gpt(&subject.device, SectorSize::B512)
        .unwrap()
        .usable()
        .unwrap();
}

#[test]
fn a_windows_that_cannot_be_read_stops_a_new_start_even_if_the_partition_is_named() {
    let named = Request {
        recovery_partition: Some(RECOVERY),
        ..REQUEST
    };
    let gap = Layout {
        windows: (4, 30),
        ..Layout::default()
    };
    let mut encrypted = gap.build();
    let at = partition_range(&encrypted, WINDOWS).start + 3;
    poke(&mut encrypted, at, b"-FVE-FS-");
    assert_eq!(refusal(encrypted.clone(), &REQUEST), Some("bitlocker"));
    assert_eq!(refusal(encrypted, &named), Some("bitlocker"));

    let mut unreadable = gap.build();
    let number = record_of(&unreadable, WINDOWS, r"\Windows\System32\Recovery\ReAgent.xml");
    change(&mut unreadable, WINDOWS, number, DATA, 0x0D, &[0x40]);
    assert_eq!(refusal(unreadable, &named), Some("reagent-unreadable"));

    let mut damaged = gap.build();
    let at = partition_range(&damaged, WINDOWS).start + 0x30;
    poke(&mut damaged, at, &[0xFF; 8]);
    assert_eq!(refusal(damaged, &named), Some("damaged-ntfs"));
}

#[test]
fn a_lost_image_does_not_pass() {
    let disk = Layout::default().build();
    let before = observe(&disk, None, Depth::Full).unwrap();
    let made = winrefit_repair::plan::plan(&before, &REQUEST).unwrap();
    let staged =
        winrefit_repair::stage::stage(&disk, &before, &made).unwrap_or_else(|_| panic!("not staged"));
    let mut overlay = staged.overlay;
    let range = partition_range(&overlay, RECOVERY);
    let at = {
        let volume = Volume::open(ReadWindow::new(&overlay, range).unwrap()).unwrap();
        let directory = volume.lookup(r"\Recovery\WindowsRE").unwrap().unwrap().number();
        let name: Vec<u8> = "Winre.wim".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let raw = volume.read_raw_record(directory).unwrap();
        let within = raw.windows(name.len()).position(|window| window == name).unwrap() as u64;
        let mft = volume.geometry().offset_of(volume.mft_runs().0[0].lcn.unwrap());
        range.start + mft + directory.0 * 1024 + within
    };
    let pass = |overlay: &dyn ReadAt| {
        let checks = BTreeMap::new();
        let before = Before {
            observation: &before,
            checks: &checks,
        };
        let items = verify_plan(overlay, Some(&disk), &before, &made).unwrap();
        items.iter().all(|item| item.ok)
    };
    assert!(pass(&overlay));
    overlay.write_at(at, b"X").unwrap();
    assert!(!pass(&overlay));
}

#[test]
fn a_donor_that_ends_before_its_partition_gives_the_space_it_does_not_use() {
    let mut disk = Layout {
        windows: (4, 30),
        ..Layout::default()
    }
    .build();
    let mut gpt = read_gpt(&disk, SectorSize::B512).unwrap().usable().unwrap();
    gpt.set_range(WINDOWS, LbaRange::new(Lba(4 * 2048), Lba(55 * 2048)))
        .unwrap();
    gpt.write(&mut disk).unwrap();
    // The backup boot sector right behind the volume, then in the partition's last sector, which it loses.
    let mut elsewhere = disk.clone();
    let backup = disk.read_vec(30 * MIB - 512, 512).unwrap();
    elsewhere.write_at(30 * MIB - 512, &[0; 512]).unwrap();
    elsewhere.write_at(55 * MIB - 512, &backup).unwrap();
    for disk in [disk, elsewhere] {
        let mut subject = target(disk);
        let report = fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Repaired, "{:?}", report.refusal);
        assert_eq!(partition_range(&subject.device, WINDOWS).end, 39 * MIB);
    }
}

#[test]
fn a_resume_that_ends_on_a_damaged_volume_says_so() {
    let old = Layout::default().build();
    let mut subject = target(Recording::new(old.clone()));
    fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    let (_, events) = subject.device.into_parts();
    let flushes: Vec<usize> = (0..events.len()).filter(|&i| events[i] == Event::Flush).collect();
    let mut disk = old.clone();
    recording::replay(&mut disk, &events[..=flushes[3]]).unwrap();
    let (at, mut file, raw) = record(&old, WINDOWS, record_of(&old, WINDOWS, r"\Users\f7.txt"));
    file.bytes_mut()[0x18] = 8;
    store(&mut disk, &old, WINDOWS, (at, file, raw));
    let mut subject = target(disk);
    assert_eq!(diagnose(&subject, None).unwrap().verdict, Verdict::Unfinished);
    let report = resume(&mut subject, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Damaged);
    assert!(
        report
            .checks
            .iter()
            .any(|check| !check.consistent && check.partition == WINDOWS)
    );
}

#[test]
fn replaced_content_covers_what_was_never_initialised() {
    let mut disk = Layout::default().build();
    let path = r"\Users\someone\noise.bin";
    let number = record_of(&disk, WINDOWS, path);
    change(&mut disk, WINDOWS, number, DATA, 0x38, &4096u64.to_le_bytes());
    let range = partition_range(&disk, WINDOWS);
    let read = |disk: &MemoryDevice| {
        let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap();
        let stream = volume
            .lookup(path)
            .unwrap()
            .unwrap()
            .require(AttributeType::DATA, "")
            .unwrap();
        volume.read_stream(stream, 1 << 30).unwrap()
    };
    let content = read(&disk);
    assert!(content[4096..].iter().all(|&byte| byte == 0));
    let edits = {
        let volume = Volume::open(ReadWindow::new(&disk, range).unwrap()).unwrap();
        replace_content(&volume, path, &content).unwrap()
    };
    edits.apply(&mut Window::new(&mut disk, range).unwrap()).unwrap();
    assert!(read(&disk) == content);
}

#[test]
fn a_hole_of_a_quintillion_bytes_in_a_directory_is_not_read() {
    let mut disk = Layout::default().build();
    let (at, mut root, raw) = record(&disk, RECOVERY, 5);
    let index = root.find(AttributeType::INDEX_ALLOCATION, "$I30").unwrap();
    let Some(index) = index else {
        panic!("the root directory has no index blocks")
    };
    let (offset, length, pairs) = (index.offset(), index.bytes().len(), index.mapping_pairs_offset());
    let mut runs = index.runs().unwrap();
    runs.0.push(Run {
        lcn: None,
        clusters: 1 << 40,
    });
    let mut bytes = index.bytes()[..pairs].to_vec();
    bytes.extend(runs.encode());
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let new_length = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&new_length.to_le_bytes());
    bytes[0x18..0x20].copy_from_slice(&(runs.clusters() - 1).to_le_bytes());
    for size in [0x28, 0x30, 0x38] {
        bytes[size..size + 8].copy_from_slice(&(runs.clusters() * 4096).to_le_bytes());
    }
    root.replace_attribute(offset, length, &bytes).unwrap();
    let clean = disk.clone();
    store(&mut disk, &clean, RECOVERY, (at, root, raw));
    let begun = std::time::Instant::now();
    assert_eq!(planned(disk).refusal.unwrap().code, "damaged-ntfs");
    assert!(begun.elapsed().as_secs() < 10);
}

#[test]
fn a_torn_free_record_is_no_obstacle() {
    let mut disk = Layout::default().build();
    let range = partition_range(&disk, RECOVERY);
    let (at, mut raw) = {
        let volume = Volume::open(ReadWindow::new(&disk, range).unwrap()).unwrap();
        let in_use = |n| {
            volume
                .read_record(RecordNumber(n))
                .is_ok_and(|record| record.is_in_use())
        };
        let free = (24..volume.records()).find(|&n| !in_use(n)).unwrap();
        let mft = volume
            .geometry()
            .offset_of(volume.mft_runs().0[0].lcn.unwrap_or(Lcn(0)));
        (
            range.start + mft + free * 1024,
            volume.read_raw_record(RecordNumber(0)).unwrap(),
        )
    };
    raw[0x16] = 0;
    raw[1022] ^= 0x55;
    poke(&mut disk, at, &raw);
    let report = check(
        &target(disk.clone()),
        Some(RECOVERY),
        CheckLevel::Full,
        &mut |_| (),
    )
    .unwrap();
    assert!(report.checks[0].consistent && report.checks[0].problems_total > 0);
    assert_eq!(planned(disk).verdict, Verdict::NeedsRepair);
}

#[test]
fn wild_sizes_do_not_overflow_the_arithmetic() {
    let mut disk = Layout::default().build();
    let number = record_of(&disk, RECOVERY, r"\Recovery\WindowsRE\Winre.wim");
    change(&mut disk, RECOVERY, number, DATA, 0x30, &u64::MAX.to_le_bytes());
    let report = diagnose(&target(disk), None).unwrap();
    assert!(report.recovery.unwrap().rules.iter().any(|rule| !rule.met));
}

#[test]
fn a_recovery_volume_that_is_gone_is_never_healthy() {
    let mut disk = Layout::default().build();
    let at = partition_range(&disk, RECOVERY).start + 3;
    poke(&mut disk, at, b"U");
    let subject = target(disk);
    let report = diagnose(&subject, None).unwrap();
    assert_eq!(
        (report.verdict, report.findings[0].code),
        (Verdict::Damaged, "re-unreadable")
    );
    assert_eq!(
        verify(&subject, None, &mut |_| ()).unwrap().verdict,
        Verdict::Damaged
    );
    assert_eq!(
        check(&subject, None, CheckLevel::Full, &mut |_| ())
            .unwrap()
            .verdict,
        Verdict::Damaged
    );
}

#[test]
fn images_in_formats_of_their_own_are_named() {
    for (magic, name) in [
        (&b"QFI\xfb"[..], "QCOW2"),
        (b"vhdxfile", "VHDX"),
        (b"KDMV", "VMDK"),
        (b"conectix", "VHD"),
    ] {
        let mut disk = Layout::default().build();
        poke(&mut disk, 0, magic);
        let error = diagnose(&target(disk), None).unwrap_err();
        assert!(
            matches!(error, RepairError::NotRaw { format } if format == name),
            "{error}"
        );
    }
}

#[test]
fn a_write_that_fails_in_the_middle_leaves_work_to_resume_and_says_so() {
    let old = Layout::default().build();
    let mut subject = target(Recording::new(old.clone()));
    fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap();
    let writes = subject
        .device
        .events()
        .iter()
        .filter(|event| matches!(event, Event::Write { .. }))
        .count();
    for failing in 1..=writes {
        let mut subject = target(Failing {
            disk: old.clone(),
            writes_left: failing - 1,
        });
        let error = fix(&mut subject, &REQUEST, &mut |_| true, &mut |_| ()).unwrap_err();
        assert!(error.is_unfinished(), "write {failing}: {error}");
        assert!(error.next().to_string().contains("winrefit resume"));
        let mut cured = target(subject.device.disk);
        resume(&mut cured, &mut |_| ()).unwrap();
        let report = diagnose(&cured, None).unwrap();
        assert_ne!(report.verdict, Verdict::Unfinished, "write {failing}");
    }
}

/// A disk whose writes fail from one on.
struct Failing {
    disk: MemoryDevice,
    writes_left: usize,
}

impl ReadAt for Failing {
    fn size(&self) -> u64 {
        self.disk.size()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.disk.read_at(offset, buf)
    }
}

impl Device for Failing {
    fn sector_size(&self) -> SectorSize {
        self.disk.sector_size()
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        if self.writes_left == 0 {
            let source = std::io::Error::other("the cable is loose");
            return Err(DiskError::io(Operation::Write, offset, data.len(), source));
        }
        self.writes_left -= 1;
        self.disk.write_at(offset, data)
    }
    fn flush(&mut self) -> Result<(), DiskError> {
        self.disk.flush()
    }
}
