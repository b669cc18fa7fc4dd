//! Registry hives: as large as they get, and ones whose lists name the same few bytes again and again.

use crate::disks::{Disk, NewFile, bytes};
use crate::hive_logs;
use crate::measure::{USUAL, all, alone};
use winrefit_lab::hive::{Data, Key, seal, write};
use winrefit_ntfs::format::FileData;

const SOFTWARE: &str = r"Windows\System32\config\SOFTWARE";
const SYSTEM: &str = r"Windows\System32\config\SYSTEM";
const NONE: u32 = u32::MAX;
/// Content of the largest cell that is read.
const CELL_MAX: usize = (2 << 20) - 8;

/// A hive written cell by cell, right or wrong.
pub struct Raw {
    bins: Vec<u8>,
    /// Length that the base block claims for the bins, if not theirs.
    claimed: Option<u32>,
}

impl Raw {
    pub fn new() -> Self {
        let mut bins = b"hbin".to_vec();
        bins.resize(32, 0);
        Self { bins, claimed: None }
    }

    fn cell(&mut self, content: &[u8]) -> u32 {
        let at = self.bins.len() as u32;
        let size = (content.len() + 4).next_multiple_of(8);
        self.bins.extend((-(size as i32)).to_le_bytes());
        self.bins.extend(content);
        self.bins.resize(at as usize + size, 0);
        at
    }

    fn put(&mut self, cell: u32, at: usize, number: u32) {
        let at = cell as usize + 4 + at;
        self.bins[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }

    /// A key with a name of one byte a character.
    fn key(
        &mut self,
        name: &[u8],
        parent: u32,
        (subkeys, list): (u32, u32),
        (values, value_list): (u32, u32),
    ) -> u32 {
        let mut content = b"nk".to_vec();
        content.extend(0x20u16.to_le_bytes());
        content.resize(76, 0);
        for (at, number) in [
            (16, parent),
            (20, subkeys),
            (28, list),
            (36, values),
            (40, value_list),
        ] {
            content[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        content[72..74].copy_from_slice(&(name.len() as u16).to_le_bytes());
        content.extend(name);
        self.cell(&content)
    }

    /// A list of subkeys without hashes.
    fn leaf(&mut self, cells: &[u32]) -> u32 {
        self.list(b"li", cells)
    }

    fn list(&mut self, signature: &[u8; 2], cells: &[u32]) -> u32 {
        let mut content = signature.to_vec();
        content.extend((cells.len() as u16).to_le_bytes());
        content.extend(cells.iter().flat_map(|cell| cell.to_le_bytes()));
        self.cell(&content)
    }

    fn offsets(&mut self, cells: &[u32]) -> u32 {
        let content: Vec<u8> = cells.iter().flat_map(|cell| cell.to_le_bytes()).collect();
        self.cell(&content)
    }

    /// A value of this type with data in another cell.
    fn value(&mut self, name: &str, kind: u32, (size, data): (u32, u32)) -> u32 {
        let mut content = b"vk".to_vec();
        content.extend((name.len() as u16).to_le_bytes());
        content.extend(size.to_le_bytes());
        content.extend(data.to_le_bytes());
        content.extend(kind.to_le_bytes());
        content.extend(1u16.to_le_bytes());
        content.resize(20, 0);
        content.extend(name.as_bytes());
        self.cell(&content)
    }

    /// The keys of `path` below a root, each with the next as its only subkey; gives the root and the last one.
    pub fn way(&mut self, path: &str) -> (u32, u32) {
        let root = self.key(b"ROOT", NONE, (0, NONE), (0, NONE));
        let mut last = root;
        for name in path.split('\\') {
            let key = self.key(name.as_bytes(), last, (0, NONE), (0, NONE));
            let list = self.leaf(&[key]);
            self.put(last, 20, 1);
            self.put(last, 28, list);
            last = key;
        }
        (root, last)
    }

    /// The file, and how long its sparse end makes it.
    pub fn finish(mut self, root: u32) -> Vec<u8> {
        let length = self.bins.len().next_multiple_of(4096);
        self.bins.resize(length, 0);
        let mut block = vec![0; 4096];
        block[..4].copy_from_slice(b"regf");
        let bins_bytes = self.claimed.unwrap_or(length as u32);
        for (at, number) in [
            (4, 1),
            (8, 1),
            (20, 1),
            (24, 5),
            (32, 1),
            (36, root),
            (40, bins_bytes),
            (44, 1),
        ] {
            block[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        seal(&mut block);
        block.extend(self.bins);
        block
    }
}

/// A hive of this size whose bytes behind what is written are a hole.
fn sparse(path: &str, size: u64, hive: Vec<u8>) -> NewFile {
    let pieces = vec![(0, hive)];
    (path.to_owned(), FileData::Zeroed { size, pieces })
}

const UNINSTALL: &str = r"Microsoft\Windows\CurrentVersion\Uninstall";
pub const PACKAGES: &str = r"Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages";

#[test]
fn values_that_have_no_end() {
    let _alone = alone();
    let mut raw = Raw::new();
    let (root, uninstall) = raw.way(UNINSTALL);
    // 16 MiB of text, made of one segment.
    let segment = raw.cell(&[b'a'; 16_344]);
    let segments = raw.offsets(&vec![segment; (16usize << 20).div_ceil(16_344)]);
    let mut big = b"db".to_vec();
    big.extend(((16usize << 20).div_ceil(16_344) as u16).to_le_bytes());
    big.extend(segments.to_le_bytes());
    let big = raw.cell(&big);
    let value = raw.value("DisplayName", 1, (16 << 20, big));
    let values = raw.offsets(&vec![value; CELL_MAX / 4]);
    let program = raw.key(b"program", uninstall, (0, NONE), ((CELL_MAX / 4) as u32, values));
    let list = raw.leaf(&vec![program; 20_000]);
    raw.put(uninstall, 20, 20_000);
    raw.put(uninstall, 28, list);
    // The count of values is bounded by the size of the hive.
    raw.claimed = Some(16 << 20);
    let hive = raw.finish(root);
    let disk = Disk::with(vec![sparse(SOFTWARE, (16 << 20) + 4096, hive)]);
    all("endless values", disk.build(), (USUAL, USUAL));
}

#[test]
fn names_of_64_kib() {
    let _alone = alone();
    let mut raw = Raw::new();
    let (root, packages) = raw.way(PACKAGES);
    let mut name = b"Package_for_KB5034441".to_vec();
    name.resize(65_535, 0xFF);
    let package = raw.key(&name, packages, (0, NONE), (0, NONE));
    let list = raw.leaf(&vec![package; 20_000]);
    raw.put(packages, 20, 20_000);
    raw.put(packages, 28, list);
    raw.claimed = Some(4 << 20);
    let hive = raw.finish(root);
    let disk = Disk::with(vec![sparse(SOFTWARE, (4 << 20) + 4096, hive)]);
    all("names of 64 KiB", disk.build(), (USUAL, USUAL));
}

/// As many subkeys as a hive of 4 GiB has room for, by a list of lists that names one of them again and again.
#[test]
fn fifty_million_subkeys() {
    let _alone = alone();
    let mut raw = Raw::new();
    let (root, packages) = raw.way(PACKAGES);
    let package = raw.key(b"x", packages, (0, NONE), (0, NONE));
    let leaf = raw.leaf(&vec![package; 65_535]);
    let lists = raw.list(b"ri", &vec![leaf; 800]);
    raw.put(packages, 20, 800 * 65_535);
    raw.put(packages, 28, lists);
    raw.claimed = Some(u32::MAX - 8191);
    let hive = raw.finish(root);
    let disk = Disk {
        mib: 8 << 10,
        border: (8 << 10) - 25,
        ..Disk::with(vec![sparse(SOFTWARE, 4 << 30, hive)])
    };
    all("fifty million subkeys", disk.build(), (USUAL, USUAL));
}

/// A key that lists itself, its parent, and a list that lists itself.
#[test]
fn keys_in_circles() {
    let _alone = alone();
    let mut raw = Raw::new();
    let root = raw.key(b"Microsoft", NONE, (1, NONE), (0, NONE));
    let itself = raw.leaf(&[root]);
    raw.put(root, 28, itself);
    raw.put(root, 16, root);
    let circle = raw.finish(root);
    let mut raw = Raw::new();
    let root = raw.key(b"ROOT", NONE, (1, NONE), (0, NONE));
    let lists = raw.list(b"ri", &[0]);
    raw.put(lists, 4, lists);
    raw.put(root, 28, lists);
    let disk = Disk::with(vec![bytes(SOFTWARE, circle), bytes(SYSTEM, raw.finish(root))]);
    all("keys in circles", disk.build(), (USUAL, USUAL));
}

/// Logs of a dirty hive that are as long as logs may be, all of whose entries count.
#[test]
fn logs_of_256_mib() {
    let _alone = alone();
    let (hive, logs) = hive_logs::dirty();
    let mut files = vec![bytes(SOFTWARE, hive)];
    for (log, number) in logs.into_iter().zip(1..) {
        files.push((format!("{SOFTWARE}.LOG{number}"), FileData::Reader(Box::new(log))));
    }
    let disk = Disk {
        mib: 900,
        border: 870,
        ..Disk::with(files)
    };
    all("hive logs of 256 MiB", disk.build(), (USUAL, USUAL));
}

/// 150 MiB of keys and values, 20,000 packages and 1,000 programs among them.
#[test]
fn a_hive_of_150_mib() {
    let _alone = alone();
    let program = |number| {
        let name = format!("Program {number}");
        let key = Key::new(format!("{{{number:08x}}}")).text("DisplayName", &name);
        (0..20).fold(key, |key, value| {
            key.text(&format!("Value {value}"), "C:\\Program Files\\some where")
        })
    };
    let blob = |number: u32| {
        let data = |at: u32| Data::Binary((0..16_000u32).map(|i| (i * 7 + at + number) as u8).collect());
        (0..10).fold(Key::new(format!("blob {number}")), |key, at| {
            key.value(format!("v{at}"), data(at))
        })
    };
    let group = |name: &str, keys: Vec<Key>| keys.into_iter().fold(Key::new(name), Key::key);
    let windows = group(
        "CurrentVersion",
        vec![group("Uninstall", (0..1000).map(program).collect())],
    );
    let root = group(
        "ROOT",
        vec![
            group("Microsoft", vec![group("Windows", vec![windows])]),
            group("Blobs", (0..1000).map(blob).collect()),
        ],
    );
    let hive = write(&root, "SOFTWARE", 1).unwrap();
    drop(root);
    assert!(hive.len() > 150 << 20);
    let disk = Disk {
        mib: 400,
        border: 370,
        ..Disk::with(vec![bytes(SOFTWARE, hive)])
    };
    let outcomes = all("hive of 150 MiB", disk.build(), (USUAL, USUAL));
    assert!(outcomes.plan.is_ok() && outcomes.diagnose.is_ok());
}
