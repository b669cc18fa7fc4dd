//! Volumes made by hand, field by field; volumes of other people's tools are in [`mkfs`].

use super::*;

mod damage;
mod mkfs;

const SECTOR: usize = 512;
/// Of the hand-made volume: one reserved sector, one table, one sector of root directory, 60 clusters of one sector.
const TABLE: usize = SECTOR;
const ROOT: usize = 2 * SECTOR;
const DATA: usize = 3 * SECTOR;
const CLUSTERS: u32 = 60;

/// A FAT12 volume with `\BOOT\BCD` in clusters 5, 4, 9 (1100 bytes), and `\long file name.txt` in cluster 7.
struct Sample(Vec<u8>);

impl Sample {
    fn new() -> Self {
        let mut sample = Self(vec![0; DATA + CLUSTERS as usize * SECTOR]);
        for (at, bytes) in [
            (0, &b"\xeb\x3c\x90winrefit"[..]),
            (11, &512u16.to_le_bytes()),
            (13, &[1]),
            (14, &1u16.to_le_bytes()),
            (16, &[1]),
            (17, &16u16.to_le_bytes()),
            (19, &63u16.to_le_bytes()),
            (21, &[0xf8]),
            (22, &1u16.to_le_bytes()),
            (54, b"FAT12   "),
            (510, &[0x55, 0xaa]),
        ] {
            sample.put(at, bytes);
        }
        for (cluster, next) in [
            (0, 0xff8),
            (1, 0xfff),
            (2, 0xfff),
            (5, 4),
            (4, 9),
            (9, 0xfff),
            (7, 0xff8),
        ] {
            sample.link(cluster, next);
        }
        let volume = slot(b"A VOLUME   ", 0x08, 0, 0);
        let boot = slot(b"BOOT       ", 0x10, 2, 0);
        let text = slot(b"LONGFI~1TXT", 0x20, 7, 11);
        let long = long_slots("long file name.txt", &text);
        sample.put(ROOT, &[volume, boot, long, text].concat());
        let dot = slot(b".          ", 0x10, 2, 0);
        let gone = slot(b"\xe5CD        ", 0x20, 7, 3);
        let bcd = slot(b"BCD        ", 0x20, 5, 1100);
        let log = slot(b"BCD     LOG", 0x20, 0, 0);
        sample.put(DATA, &[dot, gone, bcd, log].concat());
        for (cluster, byte) in [(5, b'a'), (4, b'b'), (9, b'c')] {
            sample.put(offset(cluster), &[byte; SECTOR]);
        }
        sample.put(offset(7), b"hello world");
        sample
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn link(&mut self, cluster: u32, next: u16) {
        let at = TABLE + cluster as usize * 3 / 2;
        let pair = u16::from_le_bytes([self.0[at], self.0[at + 1]]);
        let pair = match cluster % 2 {
            0 => pair & 0xf000 | next,
            _ => pair & 0x000f | next << 4,
        };
        self.put(at, &pair.to_le_bytes());
    }

    fn volume(&self) -> FatVolume<'_> {
        FatVolume::open(&self.0).unwrap()
    }

    fn bcd(&self) -> FatEntry {
        self.volume().lookup(r"\Boot\BCD").unwrap().unwrap()
    }
}

fn offset(cluster: usize) -> usize {
    DATA + (cluster - 2) * SECTOR
}

fn slot(name: &[u8; 11], attributes: u8, cluster: u16, size: u32) -> Vec<u8> {
    let mut slot = vec![0; 32];
    slot[..11].copy_from_slice(name);
    slot[11] = attributes;
    slot[26..28].copy_from_slice(&cluster.to_le_bytes());
    slot[28..].copy_from_slice(&size.to_le_bytes());
    slot
}

/// The slots of a long name, last part first, tied to a short one.
fn long_slots(name: &str, short: &[u8]) -> Vec<u8> {
    let mut sum = 0u8;
    for &byte in &short[..11] {
        sum = ((sum & 1) << 7).wrapping_add(sum >> 1).wrapping_add(byte);
    }
    let mut units: Vec<u16> = name.encode_utf16().chain([0]).collect();
    units.resize(units.len().next_multiple_of(13), 0xffff);
    let count = units.len() / 13;
    let parts = units.chunks(13).zip(1u8..).map(|(part, number)| {
        let mut slot = vec![0; 32];
        slot[0] = number | if usize::from(number) == count { 0x40 } else { 0 };
        (slot[11], slot[13]) = (0x0f, sum);
        let places = (1..11).step_by(2).chain((14..26).step_by(2)).chain([28, 30]);
        for (at, unit) in places.zip(part) {
            slot[at..at + 2].copy_from_slice(&unit.to_le_bytes());
        }
        slot
    });
    let mut slots: Vec<_> = parts.collect();
    slots.reverse();
    slots.concat()
}

fn range(cluster: usize, length: usize) -> ByteRange {
    ByteRange::new(offset(cluster) as u64, (offset(cluster) + length) as u64)
}

#[test]
fn a_file_is_found_with_its_places_and_content() {
    let sample = Sample::new();
    let volume = sample.volume();
    assert_eq!((volume.kind(), volume.cluster_bytes()), (FatKind::Fat12, 512));
    let bcd = sample.bcd();
    assert_eq!((bcd.size_bytes, bcd.is_directory), (1100, false));
    let ranges = [range(5, 512), range(4, 512), range(9, 76)];
    assert_eq!(volume.ranges(&bcd, 4096).unwrap(), ranges);
    let content = [vec![b'a'; 512], vec![b'b'; 512], vec![b'c'; 76]].concat();
    assert_eq!(volume.read(&bcd, 1100).unwrap(), content);
    volume.require_unshared(&bcd, 4096).unwrap();
    assert!(matches!(
        volume.read(&bcd, 1099),
        Err(FatError::TooLarge {
            size_bytes: 1100,
            limit_bytes: 1099,
            is_directory: false
        })
    ));
}

#[test]
fn names_are_compared_without_case_long_and_short() {
    let sample = Sample::new();
    let volume = sample.volume();
    for path in [r"\LONG file NAME.txt", "longfi~1.TXT", "/Long File Name.TXT"] {
        let file = volume.lookup(path).unwrap().unwrap();
        assert_eq!(volume.read(&file, 100).unwrap(), b"hello world", "{path}");
    }
    let log = volume.lookup("boot/bcd.log").unwrap().unwrap();
    assert_eq!((log.size_bytes, volume.read(&log, 0).unwrap()), (0, Vec::new()));
    let boot = volume.lookup("boot").unwrap().unwrap();
    assert!(matches!(
        volume.read(&boot, 1 << 20),
        Err(FatError::TooLarge {
            is_directory: true,
            ..
        })
    ));
    for path in [
        "",
        "none",
        r"\boot\none",
        r"\boot\bcd\more",
        "A VOLUME",
        r"\boot\_CD",
        "long file name.tx",
    ] {
        assert_eq!(volume.lookup(path).unwrap(), None, "{path}");
    }
}

#[test]
fn a_long_name_that_belongs_to_another_short_one_is_passed_over() {
    let mut sample = Sample::new();
    // The short name changes, its long one is not told.
    let at = (ROOT..DATA)
        .find(|&at| sample.0[at..].starts_with(b"LONGFI~1"))
        .unwrap();
    sample.put(at, b"SHORT   ");
    let volume = sample.volume();
    assert_eq!(volume.lookup("long file name.txt").unwrap(), None);
    assert!(volume.lookup("short.txt").unwrap().is_some());
}

#[test]
fn the_marks_of_a_volume_in_use_are_seen() {
    let good = FatState {
        is_clean: true,
        had_io_errors: false,
    };
    let mut sample = Sample::new();
    assert_eq!(sample.volume().state().unwrap(), good);
    sample.0[0x25] = 1;
    let state = sample.volume().state().unwrap();
    assert!(!state.is_clean && !state.had_io_errors);
    sample.0[0x25] = 2;
    assert!(sample.volume().state().unwrap().had_io_errors);
}
