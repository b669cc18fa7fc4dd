//! Volumes that mkfs.fat formats and mtools fill: another's idea of the format, with files in pieces and long names.

use super::damage::{Random, exercise};
use super::*;
use crate::testing::run;
use std::path::Path;

/// What is formatted, how long it is, and how large the files are that it is filled with.
struct Case {
    args: &'static [&'static str],
    size_bytes: u64,
    kind: FatKind,
    fill_bytes: usize,
}

const CASES: &[Case] = &[
    Case {
        args: &["-F", "12"],
        size_bytes: 1440 << 10,
        kind: FatKind::Fat12,
        fill_bytes: 16 << 10,
    },
    Case {
        args: &["-F", "16", "-s", "1"],
        size_bytes: 4 << 20,
        kind: FatKind::Fat16,
        fill_bytes: 32 << 10,
    },
    Case {
        args: &["-F", "32", "-s", "1"],
        size_bytes: 36 << 20,
        kind: FatKind::Fat32,
        fill_bytes: 512 << 10,
    },
    Case {
        args: &["-F", "16", "-S", "4096", "-s", "1"],
        size_bytes: 20 << 20,
        kind: FatKind::Fat16,
        fill_bytes: 256 << 10,
    },
];

const STORE: &str = r"\EFI\Microsoft\Boot\BCD";
const LONG: &str = "A name of more than one part, with \u{e4}\u{f6}\u{fc} and \u{3b1}\u{3b2}.Config";

struct Volume {
    folder: tempfile::TempDir,
    bytes: Vec<u8>,
}

/// Pieces that no two offsets have in common.
fn content(length: usize, seed: u32) -> Vec<u8> {
    let words = (0..length.div_ceil(4) as u32).map(|i| (i ^ seed).wrapping_mul(0x9e37_79b1));
    let mut bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
    bytes.truncate(length);
    bytes
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs a tool that has to succeed; `None` where it is missing.
fn tool(name: &str, args: &[&str]) -> Option<String> {
    let output = run(name, args, "")?;
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{name} {args:?}: {printed}");
    Some(printed)
}

/// A volume whose free space is in pieces, and in them the store, of 150,000 bytes.
fn made(case: &Case) -> Option<Volume> {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("fat.img");
    std::fs::File::create(&image)
        .unwrap()
        .set_len(case.size_bytes)
        .unwrap();
    let image = text(&image).to_owned();
    tool("mkfs.fat", &[case.args, &["-n", "SYSTEM", &image]].concat())?;
    let file = |name: &str, bytes: Vec<u8>| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        text(&path).to_owned()
    };
    tool(
        "mmd",
        &[
            "-i",
            &image,
            "::/EFI",
            "::/EFI/Microsoft",
            "::/EFI/Microsoft/Boot",
            "::/fill",
        ],
    )?;
    let long = file(LONG, content(5000, 7));
    tool("mcopy", &["-i", &image, &long, "::/EFI/Microsoft/Boot"])?;
    let count = case.size_bytes as usize / case.fill_bytes;
    let fill: Vec<String> = (0..count)
        .map(|i| file(&format!("fill{i}.bin"), content(case.fill_bytes, i as u32)))
        .collect();
    let fill: Vec<&str> = fill.iter().map(String::as_str).collect();
    // The last ones find no room, which is meant.
    run("mcopy", &[&["-i", &image][..], &fill, &["::/fill"]].concat(), "")?;
    let gone: Vec<String> = (0..20).map(|i| format!("::/fill/fill{}.bin", 2 * i)).collect();
    let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
    tool("mdel", &[&["-i", &image][..], &gone].concat())?;
    let store = file("BCD", content(150_000, 0xbcd));
    tool("mcopy", &["-i", &image, &store, "::/EFI/Microsoft/Boot"])?;
    let bytes = std::fs::read(&image).unwrap();
    Some(Volume { folder, bytes })
}

#[test]
fn files_of_other_peoples_volumes_are_read_in_their_pieces() {
    for case in CASES {
        let Some(made) = made(case) else { return };
        let volume = FatVolume::open(&made.bytes).unwrap();
        assert_eq!(volume.kind(), case.kind);
        assert!(volume.state().unwrap().is_clean);
        let store = volume.lookup(STORE).unwrap().unwrap();
        assert!(volume.read(&store, 1 << 20).unwrap() == content(150_000, 0xbcd));
        let ranges = volume.ranges(&store, 1 << 20).unwrap();
        assert!(case.fill_bytes > 150_000 || ranges.len() > 4, "{ranges:?}");
        assert_eq!(ranges.iter().map(ByteRange::len).sum::<u64>(), 150_000);
        volume.require_unshared(&store, 1 << 20).unwrap();
        let long = volume
            .lookup(&format!(r"\efi\MICROSOFT\boot\{}", LONG.to_uppercase()))
            .unwrap()
            .unwrap();
        assert!(volume.read(&long, 1 << 20).unwrap() == content(5000, 7));
        let filled = volume.lookup("fill/fill1.bin").unwrap().unwrap();
        assert!(volume.read(&filled, 1 << 20).unwrap() == content(case.fill_bytes, 1));
        assert_eq!(volume.lookup("fill/fill2.bin").unwrap(), None);
        let image = made.folder.path().join("fat.img");
        if let Some(shown) = run("mshowfat", &["-i", text(&image), "::/EFI/Microsoft/Boot/BCD"], "") {
            // One pair of brackets for each piece.
            let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
            assert_eq!(shown.matches('<').count(), ranges.len(), "{shown}");
        }
    }
}

#[test]
fn free_space_is_what_mtools_find_free() {
    for case in CASES {
        let Some(made) = made(case) else { return };
        let image = made.folder.path().join("fat.img");
        let Some(listed) = tool("mdir", &["-i", text(&image), "::/"]) else {
            return;
        };
        // "      12 345 678 bytes free", the last line with numbers.
        let line = listed
            .lines()
            .rev()
            .find(|line| line.contains("bytes free"))
            .unwrap();
        let digits: String = line.chars().filter(char::is_ascii_digit).collect();
        let free = FatVolume::open(&made.bytes).unwrap().free_bytes().unwrap();
        assert_eq!(free, digits.parse::<u64>().unwrap(), "{listed}");
        assert!(free > 0);
    }
}

#[test]
fn the_marks_of_each_kind_are_seen() {
    for (case, bit) in CASES
        .iter()
        .zip([None, Some((2, 0x80)), Some((4, 0x08)), Some((2, 0x80))])
    {
        let Some(made) = made(case) else { return };
        let mut bytes = made.bytes;
        if let Some((width, mask)) = bit {
            let geometry = Geometry::read(&bytes).unwrap();
            let highest = geometry.table_offset as usize + 2 * width - 1;
            bytes[highest] &= !mask;
            assert!(!FatVolume::open(&bytes).unwrap().state().unwrap().is_clean);
            bytes[highest] |= mask;
        }
        let at = if case.kind == FatKind::Fat32 { 0x41 } else { 0x25 };
        bytes[at] |= 1;
        assert!(!FatVolume::open(&bytes).unwrap().state().unwrap().is_clean);
        bytes[at] &= !1;
        assert!(FatVolume::open(&bytes).unwrap().state().unwrap().is_clean);
    }
}

#[test]
fn random_damage_of_each_kind_is_an_answer_or_an_error() {
    let paths = [STORE, "fill/fill1.bin"];
    for case in CASES {
        let Some(made) = made(case) else { return };
        let mut bytes = made.bytes;
        assert_eq!(exercise(&bytes, &paths), 2);
        let geometry = Geometry::read(&bytes).unwrap();
        let structures = (geometry.data_offset + 8 * geometry.cluster_bytes) as usize;
        let mut random = Random(0x5eed_0002);
        for _ in 0..60 {
            let places: Vec<usize> = (0..20)
                .map(|at| random.below(if at < 4 { 96 } else { structures }))
                .collect();
            let kept: Vec<u8> = places.iter().map(|&at| bytes[at]).collect();
            places.iter().for_each(|&at| bytes[at] ^= 1 << random.below(8));
            exercise(&bytes, &paths);
            places
                .iter()
                .zip(kept)
                .rev()
                .for_each(|(&at, byte)| bytes[at] = byte);
        }
        for length in [random.below(bytes.len()), random.below(structures), 512, 10] {
            bytes.truncate(length);
            assert_eq!(exercise(&bytes, &paths), 0);
        }
    }
}
