//! What lies on the Windows volume of a lab disk: directories and files, generated from a seed.
//!
//! The tree is meant to be hard on a file system engine, not to be a Windows: empty files, contents that fit an MFT
//! record, contents of many clusters, a directory of more than a thousand entries, names of 255 characters and in
//! several scripts, deep paths. The contents together stay below [`TOTAL_BYTES_LIMIT`] whatever the number of files.

use crate::random::{Random, mix};

/// The most that the contents of one tree have together.
pub const TOTAL_BYTES_LIMIT: u64 = 60 << 20;

/// File attribute: read-only (MS-FSCC 2.6).
pub const READ_ONLY: u32 = 0x01;
/// File attribute: hidden.
pub const HIDDEN: u32 = 0x02;
/// File attribute: system.
pub const SYSTEM: u32 = 0x04;
/// File attribute: to be archived.
pub const ARCHIVE: u32 = 0x20;

/// A directory or file of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path from the root of the volume with backslashes, without a leading one.
    pub path: String,
    /// File attributes; the directory bit is not among them.
    pub attributes: u32,
    /// Which of both it is.
    pub kind: EntryKind,
}

/// A directory, or a file with its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A file whose content is [`fill`] of the seed.
    File {
        /// Length of the content.
        size_bytes: u64,
        /// What the content is generated from.
        seed: u64,
    },
}

/// Directories of every tree, parents first.
const FRAME: &[(&str, u32)] = &[
    ("Windows", 0),
    (r"Windows\System32", 0),
    (r"Windows\System32\config", 0),
    (r"Windows\System32\Recovery", HIDDEN | SYSTEM),
    (r"Windows\System32\winevt", 0),
    (r"Windows\System32\winevt\Logs", 0),
    (r"Windows\Boot", 0),
    (r"Windows\Boot\DVD", 0),
    (r"Windows\Boot\DVD\EFI", 0),
    (r"Windows\Boot\DVD\PCAT", 0),
    (r"Windows\Logs", 0),
    (r"Windows\Logs\ReAgent", 0),
    (r"Windows\WinSxS", 0),
    ("Program Files", READ_ONLY),
    ("ProgramData", HIDDEN),
    ("Users", READ_ONLY),
    (r"Users\Public", READ_ONLY),
    (r"Users\Administrator", 0),
    ("PerfLogs", 0),
    ("System Volume Information", HIDDEN | SYSTEM),
];

/// The directory with more than a thousand entries, in a tree of 4000 files or more.
pub const CROWDED: &str = r"Windows\WinSxS\Manifests";

/// Directories that the generated files are spread over.
const PLACES: &[&str] = &[
    CROWDED,
    r"Windows\System32\drivers",
    r"Windows\System32\de-DE",
    r"Windows\Fonts",
    r"Windows\WinSxS\amd64_microsoft-windows-recovery_31bf3856ad364e35_10.0.20348.1_none_5f9c0e8d2b7a4c61",
    r"Program Files\Common Files",
    "Program Files\\B\u{fc}roprogramme \u{dc}bersicht",
    r"ProgramData\Package Cache",
    r"Users\Administrator\Documents",
    "Users\\Administrator\\Pictures \u{2013} \u{4e2d}\u{6587}\u{6587}\u{4ef6}\u{5939}",
    r"Users\Administrator\AppData\Local\Temp\a\b\c\d\e\f\g\h\i\j\k\l\m\n\o\p",
];

/// The directories and the `file_count` generated files of a Windows volume, each parent before its children. Equal
/// arguments give equal trees.
pub fn tree(seed: u64, file_count: u32) -> Vec<Entry> {
    let directory = |path: &str, attributes| Entry {
        path: path.to_owned(),
        attributes,
        kind: EntryKind::Directory,
    };
    let mut entries: Vec<Entry> = FRAME
        .iter()
        .map(|(path, attributes)| directory(path, *attributes))
        .collect();
    let mut random = Random::new(seed);
    // Trees have always begun with the second number, and stay what they are.
    random.next_u64();
    let mut left_bytes = TOTAL_BYTES_LIMIT;
    let mut made_directories =
        std::collections::BTreeSet::from_iter(FRAME.iter().map(|(path, _)| (*path).to_owned()));
    for number in 0..file_count {
        // A third goes to the crowded directory; of the rest every 64 files share a directory, so that there are many.
        let parent = if number % 3 == 0 {
            CROWDED.to_owned()
        } else {
            let place = PLACES[1 + number as usize % (PLACES.len() - 1)];
            format!(r"{place}\{:03}", number / (64 * PLACES.len() as u32))
        };
        for missing in missing_directories(&parent, &mut made_directories) {
            entries.push(directory(&missing, 0));
        }
        let fair_share = left_bytes / u64::from(file_count - number);
        let size_bytes = file_size(&mut random, fair_share).min(left_bytes);
        left_bytes -= size_bytes;
        entries.push(Entry {
            path: format!(r"{parent}\{}", file_name(number)),
            attributes: if number % 50 == 7 {
                ARCHIVE | READ_ONLY | HIDDEN
            } else {
                ARCHIVE
            },
            kind: EntryKind::File {
                size_bytes,
                seed: random.next_u64(),
            },
        });
    }
    entries
}

/// `path` and its parents, topmost first, as far as they are not in `made`; they are in it afterwards.
fn missing_directories(path: &str, made: &mut std::collections::BTreeSet<String>) -> Vec<String> {
    let ends = path.match_indices('\\').map(|(end, _)| end).chain([path.len()]);
    ends.map(|end| path[..end].to_owned())
        .filter(|parent| made.insert(parent.clone()))
        .collect()
}

/// The name of a generated file; the number makes it unique.
fn file_name(number: u32) -> String {
    match number % 20 {
        3 => format!("Gr\u{f6}\u{df}en\u{fc}bersicht {number}.docx"),
        6 => format!("\u{7cfb}\u{7edf}\u{6062}\u{590d}_{number}.log"),
        9 => format!("{number:0>8}.TMP"),
        12 => format!("{number}-{}.manifest", "component-store-".repeat(14)),
        15 => format!("{number}{}", "x".repeat(255 - number.to_string().len())),
        17 => format!(".{number}.config.backup copy"),
        _ => format!("module{number}.dll"),
    }
}

/// Fills `buf` with the content that a file of this `seed` has from byte `offset` on.
pub fn fill(seed: u64, offset: u64, buf: &mut [u8]) {
    let mut done = 0;
    while done < buf.len() {
        let at = offset.wrapping_add(done as u64);
        let block = mix(seed ^ mix(at / 8)).to_le_bytes();
        let within = (at % 8) as usize;
        let count = (8 - within).min(buf.len() - done);
        buf[done..done + count].copy_from_slice(&block[within..within + count]);
        done += count;
    }
}

/// Most files are small, some empty, a few large; on average at most `fair_share`.
fn file_size(random: &mut Random, fair_share: u64) -> u64 {
    match random.below(100) {
        0..10 => 0,
        10..50 => random.below(700.min(fair_share)),
        50..95 => random.below(fair_share.min(64 << 10)),
        _ => random.below((8 * fair_share).min(2 << 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn every_parent_comes_first_and_no_name_twice() {
        let mut seen = BTreeSet::new();
        for entry in tree(1, 4000) {
            if let Some((parent, name)) = entry.path.rsplit_once('\\') {
                assert!(
                    seen.contains(&parent.to_uppercase()),
                    "{} comes before its parent",
                    entry.path
                );
                assert!(name.encode_utf16().count() <= 255, "{name}");
            }
            assert!(
                seen.insert(entry.path.to_uppercase()),
                "{} comes twice",
                entry.path
            );
        }
    }

    #[test]
    fn the_tree_has_every_kind_of_file_within_its_limit() {
        for file_count in [100, 101, 4000, 100_000] {
            let entries = tree(2, file_count);
            let sizes: Vec<u64> = entries
                .iter()
                .filter_map(|entry| match entry.kind {
                    EntryKind::File { size_bytes, .. } => Some(size_bytes),
                    EntryKind::Directory => None,
                })
                .collect();
            assert_eq!(sizes.len(), file_count as usize);
            assert!(sizes.iter().sum::<u64>() <= TOTAL_BYTES_LIMIT);
            assert!(sizes.contains(&0) && sizes.iter().any(|size| (1..700).contains(size)));
            assert!(sizes.iter().any(|size| *size > 4096));
            assert!(entries.iter().any(|entry| !entry.path.is_ascii()));
            assert!(
                entries
                    .iter()
                    .any(|entry| entry.path.rsplit('\\').next().unwrap().chars().count() == 255)
            );
            assert!(entries.iter().any(|entry| entry.path.matches('\\').count() > 15));
        }
    }

    #[test]
    fn one_directory_is_crowded_and_many_are_not() {
        let mut children = BTreeMap::<String, u32>::new();
        for entry in tree(3, 4000) {
            let parent = entry.path.rsplit_once('\\').map_or("", |(parent, _)| parent);
            *children.entry(parent.to_owned()).or_default() += 1;
        }
        assert!(children[CROWDED] > 1000);
        assert!(children.len() > 80, "{}", children.len());
    }

    #[test]
    fn the_same_seed_gives_the_same_tree() {
        assert_eq!(tree(5, 500), tree(5, 500));
        assert_ne!(tree(5, 500), tree(6, 500));
    }

    #[test]
    fn content_does_not_depend_on_how_it_is_read() {
        let mut whole = [0; 100];
        fill(9, 0, &mut whole);
        for (start, end) in [(0, 100), (3, 4), (7, 9), (13, 64), (64, 64)] {
            let mut part = vec![0; end - start];
            fill(9, start as u64, &mut part);
            assert_eq!(part, whole[start..end]);
        }
        let mut other = [0; 100];
        fill(10, 0, &mut other);
        assert_ne!(whole, other);
    }
}
