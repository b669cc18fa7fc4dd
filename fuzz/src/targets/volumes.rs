//! NTFS volumes: valid ones, changed; read, checked, renamed in, resized.

use super::input::Input;
use super::structures::{self, Structure, mutate};
use crate::common::scatter::Scatter;
use crate::common::shadow;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use winrefit_disk::{ByteRange, MemoryDevice, Overlay, ReadAt, ReadWindow, SectorSize};
use winrefit_ntfs::check::{
    CheckOptions, CheckReport, ProblemCode, Severity, check, owner_of, owners_from, path_of,
};
use winrefit_ntfs::edit::Edits;
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_ntfs::rename::{name_in_place, rename, rename_in_place};
use winrefit_ntfs::resize::{
    FrontGrowth, ResizeError, front_growth_clusters_min, grow_end, grow_front, shrink_end,
};
use winrefit_ntfs::{AttributeType, Lcn, RecordNumber, Volume, bad_clusters, bitmap, logfile, state, vss};

/// A volume with zeros behind it, into which it can grow.
struct Base {
    bytes: MemoryDevice,
    volume: ByteRange,
    structures: Vec<Structure>,
}

impl Base {
    fn new(bytes: Vec<u8>, sector_size: SectorSize) -> Self {
        let volume = ByteRange::new(0, bytes.len() as u64);
        let mut bytes = bytes;
        bytes.resize(bytes.len() + (2 << 20), 0);
        let bytes = MemoryDevice::from_bytes(bytes, sector_size);
        let structures = structures::of_volume(&bytes, volume);
        Self {
            bytes,
            volume,
            structures,
        }
    }
}

const TIME: u64 = 133_500_000_000_000_000;

fn noise(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 977) as u8 ^ seed).collect()
}

/// A volume with files and directories of several forms.
fn made(bytes: u64, sector_size: SectorSize, cluster: u32, shadow_copies: usize) -> Vec<u8> {
    let options = match sector_size {
        SectorSize::B512 => FormatOptions::new(bytes / 512),
        SectorSize::B4096 => FormatOptions::new_4kn(bytes / 4096),
    };
    let options = FormatOptions {
        cluster_size: cluster,
        ..options
    };
    let mut builder = VolumeBuilder::new(options).unwrap();
    let mut add = |path: &str, data: Vec<u8>| builder.add_file(path, 0x20, FileData::Bytes(data)).unwrap();
    add(r"Windows\System32\Recovery\ReAgent.xml", vec![b'x'; 700]);
    add("whole", noise(100 * cluster as usize, 1));
    add("half.bin", noise(7 * cluster as usize + 3, 2));
    for index in 0..70u8 {
        let name = format!("large/a name of some length, number {index:05}");
        add(&name, vec![index; usize::from(index) * 20]);
    }
    for index in 0..4u8 {
        add(&format!("small/f{index}"), vec![index; 3000]);
    }
    if shadow_copies > 0 {
        shadow::add_files(&mut builder, shadow_copies);
    }
    let mut device = MemoryDevice::zeroed(bytes as usize, sector_size);
    builder.write_to(&mut device).unwrap();
    if shadow_copies > 0 {
        shadow::write(&mut device, shadow_copies);
    }
    device.bytes().to_vec()
}

/// A file of so many pieces that its run list takes several records; made by a shrink into holes of one cluster.
fn in_pieces() -> Vec<u8> {
    let mut volume = Scatter::of_bytes(made(8 << 20, SectorSize::B512, 4096, 0), 512);
    let whole = volume.record_of("half.bin");
    volume.move_to_tail(whole, AttributeType::DATA, "");
    volume.move_to_tail(volume.record_of("whole"), AttributeType::DATA, "");
    let bits = volume.bitmap();
    let end = 1500;
    let first = (0..end).rev().find(|&lcn| bits.is_set(Lcn(lcn))).unwrap_or(0) + 1;
    let hidden: Vec<_> = (first..end).step_by(2).map(|lcn| (lcn, 1)).collect();
    volume.leak(&hidden);
    let bytes = volume.bytes.clone();
    let mut device = MemoryDevice::from_bytes(bytes, SectorSize::B512);
    let length = end * 4096 + 512;
    shrink_end(&device, length / 512)
        .unwrap()
        .apply(&mut device)
        .unwrap();
    let mut bytes = device.bytes().to_vec();
    bytes.truncate(length as usize);
    bytes
}

fn bases() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| {
        vec![
            Base::new(made(6 << 20, SectorSize::B512, 4096, 0), SectorSize::B512),
            Base::new(made(8 << 20, SectorSize::B512, 4096, 2), SectorSize::B512),
            Base::new(made(4 << 20, SectorSize::B512, 512, 0), SectorSize::B512),
            Base::new(in_pieces(), SectorSize::B512),
            Base::new(made(8 << 20, SectorSize::B4096, 4096, 0), SectorSize::B4096),
        ]
    })
}

type Changed = Overlay<&'static MemoryDevice>;

/// A base with the changes that the input says.
fn changed(input: &mut Input<'_>) -> (&'static Base, Changed) {
    let all = bases();
    let base = &all[input.number(1) as usize % all.len()];
    let sector_size = winrefit_disk::Device::sector_size(&base.bytes);
    let mut device = Overlay::new(&base.bytes, sector_size);
    mutate(input, &mut device, &base.structures, 12);
    (base, device)
}

fn check_whole(device: &dyn ReadAt, range: ByteRange) -> Option<CheckReport> {
    let window = ReadWindow::new(device, range).expect("on the device");
    let report = check(window, &CheckOptions::default()).ok()?;
    let listed = report.problems.len() as u64;
    assert!(report.problems_total >= listed);
    assert_eq!(report.counts.values().sum::<u64>(), report.problems_total);
    for problem in report.problems.iter().take(20) {
        assert!(problem.to_string().ends_with('.'), "{problem}");
    }
    Some(report)
}

/// The checker.
pub fn check_volume(data: &[u8]) {
    let (base, device) = changed(&mut Input(data));
    let report = check_whole(&device, base.volume);
    if data.len() <= 1 {
        let consistent = report.is_some_and(|report| report.is_consistent());
        assert!(consistent, "a base is damaged");
    }
}

/// All that is read from a volume beside the checker.
pub fn read(data: &[u8]) {
    let (base, device) = changed(&mut Input(data));
    let window = ReadWindow::new(&device, base.volume).expect("on the device");
    let Ok(volume) = Volume::open(window) else { return };
    let _ = (logfile::read_state(&volume), state::VolumeState::read(&volume));
    let _ = (
        bad_clusters(&volume),
        bitmap::ClusterBitmap::read(&volume),
        volume.upcase(),
    );
    let _ = (vss::storage(&volume), vss::disable(&volume));
    if let Ok(copies) = vss::ShadowCopies::read(&volume) {
        let _ = copies.stores().len();
    }
    for path in [
        r"Windows\System32\Recovery\ReAgent.xml",
        "large/a name of some length, number 00042",
        "small/F3",
        "whole",
    ] {
        let Ok(Some(file)) = volume.lookup(path) else {
            continue;
        };
        let Ok(Some(stream)) = file.stream(AttributeType::DATA, "") else {
            continue;
        };
        let _ = volume.plain_ranges(&stream);
        if let Ok(content) = volume.read_stream(stream.clone(), 1 << 20) {
            assert_eq!(content.len() as u64, stream.len());
        }
    }
    let last = Lcn(volume.geometry().clusters().saturating_sub(10));
    let _ = (owners_from(&volume, last, 50), owner_of(&volume, Lcn(1)));
    for record in (0..volume.records()).take(120) {
        let Ok(file) = volume.file(RecordNumber(record)) else {
            continue;
        };
        let _ = (file.names(), path_of(&volume, RecordNumber(record)));
        if file.is_directory()
            && let Ok(directory) = volume.directory(&file)
        {
            let _ = directory.list();
        }
    }
}

/// How many problems there are of each kind that a change may not add to.
fn problems(report: &CheckReport) -> BTreeMap<ProblemCode, u64> {
    let grave = report
        .counts
        .iter()
        .filter(|(code, _)| code.severity() >= Severity::Warning);
    grave.map(|(code, count)| (*code, *count)).collect()
}

/// A volume that was clean is so after the change.
fn assert_clean(before: &CheckReport, device: &dyn ReadAt, range: ByteRange, what: &str) {
    let after = check_whole(device, range).unwrap_or_else(|| panic!("{what}: no volume any more"));
    if problems(before).is_empty() {
        assert!(problems(&after).is_empty(), "{what}: {:?}", after.problems);
    }
}

/// One sector of the index and one of the file's record, which may have a copy in $MFTMirr.
fn assert_two_sectors(device: &dyn ReadAt, range: ByteRange, edits: &Edits) {
    let mut sectors = 0;
    for edit in &edits.0 {
        let before = device.read_vec(range.start + edit.offset, edit.bytes.len());
        let before = before.expect("edits lie on the volume");
        let pairs = before.chunks(512).zip(edit.bytes.chunks(512));
        let changed = pairs.filter(|(a, b)| a != b).count();
        assert!(changed <= 1, "an edit is torn by a cut");
        sectors += changed;
    }
    assert!((2..=3).contains(&sectors), "{sectors} sectors");
}

/// Renaming: where it is not refused, a clean volume stays clean and has the new name.
pub fn rename_file(data: &[u8]) {
    let mut input = Input(data);
    let which = input.number(1);
    let name_length = input.number(1) as usize % 40;
    let mut name = String::from_utf8_lossy(input.take(name_length)).into_owned();
    let (base, mut device) = changed(&mut input);
    let (directory, old) = match which & 3 {
        0 => ("large", "a name of some length, number 00042"),
        1 => ("small", "f2"),
        2 => (r"Windows\System32", "Recovery"),
        _ => ("", "whole"),
    };
    let before = check_whole(&device, base.volume);
    let renamed = {
        let window = ReadWindow::new(&device, base.volume).expect("on the device");
        let Ok(volume) = Volume::open(window) else { return };
        let in_place = (which & 4 != 0).then(|| name_in_place(&volume, directory, old));
        match in_place {
            None => rename(&volume, directory, old, &name, TIME),
            Some(Ok(Some(free))) => {
                name = free;
                rename_in_place(&volume, directory, old, &name, TIME)
            }
            Some(_) => return,
        }
    };
    let (Ok(renamed), Some(before)) = (renamed, before) else {
        return;
    };
    if which & 4 != 0 && problems(&before).is_empty() {
        assert_two_sectors(&device, base.volume, &renamed.edits);
    }
    renamed.edits.apply(&mut device).expect("edits lie on the volume");
    assert_clean(&before, &device, base.volume, "renamed");
    let window = ReadWindow::new(&device, base.volume).expect("on the device");
    let volume = Volume::open(window).expect("a volume that was renamed in opens");
    let path = format!("{directory}\\{name}");
    let found = volume.lookup(&path).expect("the path can be followed");
    assert!(
        found.is_some_and(|file| file.number() == renamed.file.record),
        "{path} is not there"
    );
}

/// Resizing at either end: where it is not refused, a clean volume stays clean.
pub fn resize(data: &[u8]) {
    let mut input = Input(data);
    let (which, by) = (input.number(1), input.number(2));
    let (base, mut device) = changed(&mut input);
    let Some(before) = check_whole(&device, base.volume) else {
        return;
    };
    let sector = winrefit_disk::Device::sector_size(&device).bytes();
    let length = base.volume.len();
    match which % 3 {
        0 => {
            let new = (length * by / 0x1_0000 / sector * sector).max(sector);
            let window = ReadWindow::new(&device, base.volume).expect("on the device");
            let Ok(shrink) = shrink_end(window, new / sector) else {
                return;
            };
            shrink.apply(&mut device).expect("edits lie on the volume");
            assert_clean(&before, &device, ByteRange::new(0, new), "shrunk");
        }
        1 => {
            let new = length + (1 + by % (2 << 20) / sector) * sector;
            let range = ByteRange::new(0, new.min(device.size()));
            let window = ReadWindow::new(&device, range).expect("on the device");
            let Ok(edits) = grow_end(window, range.len() / sector) else {
                return;
            };
            edits.apply(&mut device).expect("edits lie on the volume");
            assert_clean(&before, &device, range, "grown at the end");
        }
        _ => front(&before, (base, &device), by),
    }
}

fn front(before: &CheckReport, (base, device): (&Base, &Changed), by: u64) {
    let window = ReadWindow::new(device, base.volume).expect("on the device");
    let Ok(volume) = Volume::open(&window) else { return };
    let cluster = u64::from(volume.geometry().cluster_size);
    let Ok(least) = front_growth_clusters_min(&volume) else {
        return;
    };
    let clusters = (least + by % 64).min((64 << 20) / cluster);
    let growth = FrontGrowth {
        clusters,
        hidden_sectors: 2048,
    };
    let edits = match grow_front(window, growth) {
        Ok(edits) => edits,
        Err(error) => {
            let too_small = matches!(error, ResizeError::GrowthTooSmall { .. });
            assert!(
                !too_small || clusters < least,
                "{least} clusters were said to be enough: {error}"
            );
            return;
        }
    };
    let old = device.read_vec(0, base.volume.len() as usize).expect("in memory");
    let sector_size = winrefit_disk::Device::sector_size(device);
    let bytes = [vec![0; (clusters * cluster) as usize], old].concat();
    let length = bytes.len() as u64;
    let mut larger = MemoryDevice::from_bytes(bytes, sector_size);
    edits.apply(&mut larger).expect("edits lie on the volume");
    assert_clean(before, &larger, ByteRange::new(0, length), "grown in front");
}
