//! A tree of files for volumes, and ways to compare what others read with it.

use std::collections::BTreeMap;
use std::path::Path;
use winrefit_disk::ReadAt;
use winrefit_ntfs::attribute::FileName;
use winrefit_ntfs::format::{FileData, VolumeBuilder};
use winrefit_ntfs::{AttributeType, FileReference, RecordNumber, Volume};

/// Paths with `/`; `None` for directories.
pub type Tree = BTreeMap<String, Option<Vec<u8>>>;

/// Bytes that look random, the same for the same seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(next).collect()
}

/// Files of all sizes around every boundary, names of many kinds, directories of many sizes.
pub fn mixed() -> Tree {
    let mut tree = Tree::new();
    let mut add = |path: &str, length: usize| {
        tree.insert(path.to_owned(), Some(noise(path.len() as u64, length)));
    };
    for length in (0..10)
        .chain(640..740)
        .chain([511, 512, 4095, 4096, 4097, 65536, 65537, 3_000_001])
    {
        add(&format!("sizes/{length}"), length);
    }
    add(&"n".repeat(255), 10);
    add(&format!("sizes/{}", "N".repeat(254)), 5000);
    for (index, name) in [
        "a.b",
        "A b",
        "\u{e4}\u{f6}\u{fc}",
        "\u{df}",
        "\u{1f600}",
        "z{",
        "\u{ff}",
        "_",
        "Stra\u{df}e",
    ]
    .iter()
    .enumerate()
    {
        add(&format!("names/{name}"), index * 300);
    }
    for count in (0..14).chain([40, 41, 1000]) {
        for index in 0..count {
            add(&format!("counts/{count}/entry number {index}"), index % 3);
        }
    }
    tree.insert("counts/0".to_owned(), None);
    for path in ["sizes", "names", "counts"] {
        tree.insert(path.to_owned(), None);
    }
    (1..14).chain([40, 41, 1000]).for_each(|count| {
        tree.insert(format!("counts/{count}"), None);
    });
    tree
}

/// Adds all of a tree.
pub fn add(builder: &mut VolumeBuilder, tree: &Tree) {
    for (path, content) in tree {
        match content {
            Some(bytes) => builder
                .add_file(path, 0x20, FileData::Bytes(bytes.clone()))
                .unwrap(),
            None => builder.add_directory(path, 0).unwrap(),
        }
    }
}

/// What our own reader finds on a volume of ours: the directory's copy of a name is that in the record.
pub fn read<R: ReadAt>(volume: &Volume<R>) -> Tree {
    walk(volume, |reference, name| {
        let file = volume.file_by_reference(reference).unwrap();
        assert_eq!(file.names().unwrap(), std::slice::from_ref(name));
        assert_eq!(file.base().link_count(), 1);
    })
}

/// The same after ntfs-3g has written: it leaves old sizes in the record's copy.
pub fn read_after_others<R: ReadAt>(volume: &Volume<R>) -> Tree {
    walk(volume, |_, _| {})
}

fn walk<R: ReadAt>(volume: &Volume<R>, check: impl Fn(FileReference, &FileName)) -> Tree {
    let mut tree = Tree::new();
    let mut rest = vec![(RecordNumber::ROOT, String::new())];
    while let Some((number, prefix)) = rest.pop() {
        let file = volume.file(number).unwrap();
        let list = volume.directory(&file).unwrap().list().unwrap();
        assert_in_order(
            volume,
            &list.iter().map(|(_, name)| name.name.clone()).collect::<Vec<_>>(),
        );
        for (reference, name) in list {
            if reference.record.0 < 27 {
                continue;
            }
            check(reference, &name);
            let path = format!("{prefix}{}", name.display_name());
            let file = volume.file_by_reference(reference).unwrap();
            if file.is_directory() {
                rest.push((reference.record, format!("{path}/")));
                tree.insert(path, None);
            } else {
                let stream = file.require(AttributeType::DATA, "").unwrap();
                assert_eq!(stream.len(), name.data_size, "{path}");
                tree.insert(path, Some(volume.read_stream(stream, 1 << 30).unwrap()));
            }
        }
    }
    tree
}

fn assert_in_order<R: ReadAt>(volume: &Volume<R>, names: &[Vec<u16>]) {
    let upcase = volume.upcase().unwrap();
    for pair in names.windows(2) {
        assert!(
            upcase.compare(&pair[0], &pair[1]).is_lt(),
            "{pair:x?} out of order"
        );
    }
}

/// What is in a directory of the machine, as a tree.
pub fn read_host(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut rest = vec![root.to_owned()];
    while let Some(directory) = rest.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                rest.push(path);
                tree.insert(name, None);
            } else {
                tree.insert(name, Some(std::fs::read(&path).unwrap()));
            }
        }
    }
    tree
}

/// Panics with the first difference only: the trees are large.
pub fn assert_same(actual: &Tree, expected: &Tree, who: &str) {
    for path in actual.keys().chain(expected.keys()) {
        match (actual.get(path), expected.get(path)) {
            (Some(a), Some(b)) => assert!(a == b, "{who}: {path:?} differs"),
            (None, _) => panic!("{who}: {path:?} is missing"),
            (_, None) => panic!("{who}: {path:?} was not written"),
        }
    }
}
