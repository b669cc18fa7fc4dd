//! Lab disks whose boot store is changed: in its bytes, or by a new volume around it.

use crate::lab::LabFile;
use winrefit_disk::{ByteRange, Device, DiskFile, Overlay, ReadAt, ReadWindow, Window};
use winrefit_formats::FatVolume;
use winrefit_lab::CreatedDisk;
use winrefit_lab::fat::{EspFile, EspOptions, make_esp};
use winrefit_lab::hive::seal;
use winrefit_ntfs::{AttributeType, Volume};
use winrefit_repair::boot::{BIOS_STORE, UEFI_STORE};
use winrefit_repair::target::Target;

pub const LIMIT: u64 = 1 << 20;

/// A disk of the lab. Tests work on views of it.
pub struct Lab(LabFile);

/// What is changed on a lab disk, none of which reaches the file.
pub type View = Overlay<DiskFile>;

impl Lab {
    pub fn of(profile: &str) -> Self {
        Self(LabFile::of(profile))
    }

    pub fn made(&self) -> &CreatedDisk {
        &self.0.made
    }

    pub fn view(&self) -> View {
        let file = self.0.open();
        let sector_size = file.sector_size();
        Overlay::new(file, sector_size)
    }

    pub fn range(&self, number: u32) -> ByteRange {
        let mut all = self.made().partitions.iter();
        all.find(|p| p.number == number).unwrap().range
    }

    /// The partition of the store, its path, and its bytes.
    pub fn store(&self) -> (u32, &'static str, Vec<u8>) {
        let system = self.made().system().unwrap().number;
        let view = self.view();
        let part = ReadWindow::new(&view, self.range(system)).unwrap();
        if self.made().disk_signature.is_some() {
            return (system, BIOS_STORE, ntfs_file(&part, BIOS_STORE));
        }
        let fat = FatVolume::open(&part).unwrap();
        let entry = fat.lookup(UEFI_STORE).unwrap().unwrap();
        (system, UEFI_STORE, fat.read(&entry, LIMIT).unwrap())
    }

    /// A view whose UEFI store is what `change` makes of it, of the same length.
    pub fn with_store(&self, change: impl FnOnce(&mut Vec<u8>)) -> View {
        let (system, path, mut store) = self.store();
        let length = store.len();
        change(&mut store);
        assert_eq!(store.len(), length);
        let mut view = self.view();
        let ranges = {
            let part = ReadWindow::new(&view, self.range(system)).unwrap();
            let fat = FatVolume::open(&part).unwrap();
            fat.ranges(&fat.lookup(path).unwrap().unwrap(), LIMIT).unwrap()
        };
        let mut rest = &store[..];
        for range in ranges {
            let (now, later) = rest.split_at(range.len() as usize);
            view.write_at(self.range(system).start + range.start, now)
                .unwrap();
            rest = later;
        }
        view
    }

    /// A view whose system partition is a new FAT volume with these files.
    pub fn with_fat(&self, files: &[(&str, &[u8])]) -> View {
        self.with_fat_on(self.made().system().unwrap().number, files)
    }

    /// The same of any partition.
    pub fn with_fat_on(&self, number: u32, files: &[(&str, &[u8])]) -> View {
        let mut view = self.view();
        let range = self.range(number);
        // What stays of the old volume is free space of the new one.
        view.write_at(range.start, &vec![0; 4 << 20]).unwrap();
        let files: Vec<_> = files
            .iter()
            .map(|(path, bytes)| EspFile { path, bytes })
            .collect();
        let options = EspOptions {
            label: "SYSTEM",
            serial: 1,
            hidden_sectors: 2048,
        };
        make_esp(&mut Window::new(&mut view, range).unwrap(), options, &files).unwrap();
        view
    }
}

/// The content of a file of an NTFS volume.
pub fn ntfs_file(part: &dyn ReadAt, path: &str) -> Vec<u8> {
    let volume = Volume::open(part).unwrap();
    let file = volume.lookup(path).unwrap().unwrap();
    let stream = file.require(AttributeType::DATA, "").unwrap();
    volume.read_stream(stream, LIMIT).unwrap()
}

pub fn target(view: View) -> Target<View> {
    Target {
        device: view,
        name: "test disk".to_owned(),
        reported: None,
        now_unix_seconds: 1_700_000_000,
    }
}

/// Replaces the first `most` places of `from`; there has to be one.
pub fn replace(bytes: &mut [u8], from: &[u8], to: &[u8], most: usize) {
    assert_eq!(from.len(), to.len());
    let mut done = 0;
    for at in 0..=bytes.len() - from.len() {
        if done < most && bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
            done += 1;
        }
    }
    assert!(done > 0, "{from:02x?} is not there");
}

pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Makes a hive dirty: its last write begun and not finished.
pub fn make_dirty(hive: &mut [u8]) {
    let primary = u32::from_le_bytes(hive[4..8].try_into().unwrap());
    hive[4..8].copy_from_slice(&(primary + 1).to_le_bytes());
    seal(hive);
}

/// A log in the old format that completes `dirty` to `wanted`: base block, one bit for each page, the pages.
pub fn old_log(dirty: &[u8], wanted: &[u8]) -> Vec<u8> {
    let mut block = dirty[..512].to_vec();
    let sequence = block[4..8].to_vec();
    block[8..12].copy_from_slice(&sequence);
    block[28..32].copy_from_slice(&1u32.to_le_bytes());
    seal(&mut block);
    let pages: Vec<(&[u8], &[u8])> = dirty[4096..]
        .chunks(512)
        .zip(wanted[4096..].chunks(512))
        .collect();
    let mut bits = vec![0u8; pages.len().div_ceil(8)];
    let mut changed = Vec::new();
    for (page, (old, new)) in pages.into_iter().enumerate() {
        if old != new {
            bits[page / 8] |= 1 << (page % 8);
            changed.extend_from_slice(new);
        }
    }
    assert!(!changed.is_empty());
    let mut log = [block, b"DIRT".to_vec(), bits].concat();
    log.resize(log.len().next_multiple_of(512), 0);
    [log, changed].concat()
}
