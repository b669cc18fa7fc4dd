//! A real BCD and a real, dirty SYSTEM hive against what libhivex says of them, and damaged copies of the BCD.

mod edit;
mod lookup;
mod replay;

use super::*;
use crate::testing::shared;
use proptest::prelude::*;
use std::cell::Cell;
use std::io::Write;
use std::process::Command;
use winrefit_disk::DiskError;

const LOADER: &str = "Objects\\{733b62e6-f608-11eb-825c-c112f60133ab}";

fn bcd() -> Option<Vec<u8>> {
    shared("fixtures/bcd/BCD-win10-uefi-winre.hive")
}

/// The unpacked SYSTEM hive.
fn system() -> Option<Vec<u8>> {
    crate::testing::shared_packed("fixtures/hive/SYSTEM-win10-1709.xz")
}

/// Numbers of keys and of values, and the bytes of all data.
fn walk(hive: &Hive<'_>) -> Result<(u64, u64, u64), HiveError> {
    let (mut keys, mut values, mut bytes) = (0, 0, 0);
    let mut open = vec![hive.root()?];
    while let Some(key) = open.pop() {
        keys += 1;
        for value in key.values()? {
            values += 1;
            bytes += value?.data()?.len() as u64;
        }
        for subkey in key.subkeys()? {
            open.push(subkey?);
        }
    }
    Ok((keys, values, bytes))
}

#[test]
fn a_real_bcd_is_read() {
    let Some(bytes) = bcd() else { return };
    let hive = Hive::open(&bytes).unwrap();
    assert!(!hive.is_dirty());
    assert_eq!(hive.sequence_numbers(), (34, 34));
    assert_eq!(walk(&hive).unwrap().0, 132);
    let names: Vec<String> = hive
        .root()
        .unwrap()
        .subkeys()
        .unwrap()
        .map(|k| k.unwrap().name().to_owned())
        .collect();
    assert_eq!(names, ["Description", "Objects"]);
    let value = |path: &str, name: &str| hive.value(&format!("{LOADER}\\{path}"), name).unwrap().unwrap();
    let text = value("elements\\12000004", "ELEMENT");
    assert_eq!(text.as_str(), Some("Windows Recovery Environment"));
    assert_eq!(value("Description", "Type"), RegistryValue::Dword(0x1020_0003));
    let RegistryValue::Binary(device) = value("Elements\\11000001", "Element") else {
        panic!()
    };
    assert_eq!(device.len(), 200);
    assert_eq!(device[..4], [0xe7, 0x62, 0x3b, 0x73]);
    let manager = "Objects\\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\\Elements\\24000001";
    let order = vec!["{733b62e5-f608-11eb-825c-c112f60133ab}".to_owned()];
    assert_eq!(
        hive.value(manager, "Element").unwrap(),
        Some(RegistryValue::MultiString(order))
    );
    assert!(hive.key("Objects\\nothing\\here").unwrap().is_none());
    assert_eq!(hive.value(LOADER, "nothing").unwrap(), None);
}

#[test]
fn a_large_dirty_hive_is_read_whole_and_right() {
    let Some(bytes) = system() else { return };
    let hive = Hive::open(&bytes).unwrap();
    assert!(hive.is_dirty());
    assert_eq!(hive.sequence_numbers(), (4317, 4316));
    assert_eq!(walk(&hive).unwrap().0, 43_211);
    assert_eq!(
        hive.value("Select", "current").unwrap(),
        Some(RegistryValue::Dword(1))
    );
    let setup = hive.value("Setup", "OsLoaderPath").unwrap().unwrap();
    assert_eq!(setup.as_str(), Some("\\"));
    let options = hive
        .key("controlset001\\control\\PRODUCTOPTIONS")
        .unwrap()
        .unwrap();
    assert_eq!(
        options
            .value("ProductType")
            .unwrap()
            .unwrap()
            .decode()
            .unwrap()
            .as_str(),
        Some("WinNT")
    );
    // In four segments.
    let policy = options.value("ProductPolicy").unwrap().unwrap().data().unwrap();
    assert_eq!(policy.len(), 59_044);
    let digest: String = sha1_hex(&policy);
    assert_eq!(digest, "d15f7206b5816b656d25179d5adf1f62aa27c9a5");
    let windows = hive.key("ControlSet001\\Control\\Windows").unwrap().unwrap();
    let system_directory = windows.value("SystemDirectory").unwrap().unwrap();
    assert_eq!(system_directory.kind(), 2);
    assert_eq!(
        system_directory.decode().unwrap().as_str(),
        Some("%SystemRoot%\\system32")
    );
}

fn sha1_hex(bytes: &[u8]) -> String {
    use sha1::{Digest, Sha1};
    Sha1::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Counts what is read.
struct Counting(Vec<u8>, Cell<u64>);

impl ReadAt for Counting {
    fn size(&self) -> u64 {
        self.0.size()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.1.set(self.1.get() + buf.len() as u64);
        self.0.read_at(offset, buf)
    }
}

#[test]
fn a_lookup_reads_little() {
    let Some(bytes) = system() else { return };
    let file = Counting(bytes, Cell::new(0));
    let hive = Hive::open(&file).unwrap();
    let path = "ControlSet001\\Services\\WinRM\\Parameters";
    assert!(hive.key(path).unwrap().is_some());
    assert!(file.1.get() < 64 << 10, "{} bytes read", file.1.get());
}

#[test]
fn hivex_reads_the_same_device_element() {
    let Some(bytes) = bcd() else { return };
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    let Ok(output) = Command::new("hivexget")
        .arg(file.path())
        .arg(format!("{LOADER}\\Elements\\11000001"))
        .output()
    else {
        eprintln!("SKIPPED: hivexget is not installed");
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let hive = Hive::open(&bytes).unwrap();
    let Some(RegistryValue::Binary(data)) = hive
        .value(&format!("{LOADER}\\Elements\\11000001"), "Element")
        .unwrap()
    else {
        panic!("no binary value")
    };
    let hex: Vec<String> = data.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = format!("\"Element\"=hex(3):{}\n", hex.join(","));
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn a_bad_base_block_is_named() {
    let Some(good) = bcd() else { return };
    let open = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        Hive::open(&bytes).unwrap_err()
    };
    let resum = |bytes: &mut Vec<u8>| {
        base_block::patch(bytes, &[]);
    };
    assert!(matches!(open(&|b| b.truncate(4095)), HiveError::Signature));
    assert!(matches!(open(&|b| b[0] = 0), HiveError::Signature));
    assert!(matches!(open(&|b| b[4] ^= 1), HiveError::Checksum { .. }));
    let version = open(&|b| {
        b[24] = 2;
        resum(b);
    });
    assert!(matches!(version, HiveError::Version { minor: 2, .. }));
    assert!(matches!(open(&|b| b.truncate(32767)), HiveError::BinsSize { .. }));
    let mut dirty = good.clone();
    dirty[4] ^= 1;
    resum(&mut dirty);
    assert!(Hive::open(&dirty).unwrap().is_dirty());
}

#[test]
fn a_list_without_hashes_is_read_and_an_unknown_one_refused() {
    let Some(mut bytes) = bcd() else { return };
    let root = Hive::open(&bytes).unwrap().base.root;
    let list = u32_at(&bytes, BASE_BLOCK_BYTES + root as usize + 4 + 28).unwrap();
    let at = BASE_BLOCK_BYTES + list as usize + 4;
    let second: [u8; 4] = array_at(&bytes, at + 12).unwrap();
    bytes[at + 8..at + 12].copy_from_slice(&second);
    bytes[at..at + 2].copy_from_slice(b"li");
    assert_eq!(walk(&Hive::open(&bytes).unwrap()).unwrap().0, 132);
    // One leaf, named often: the key's count is the limit.
    bytes[at..at + 2].copy_from_slice(b"ri");
    bytes[at + 4..at + 8].copy_from_slice(&list.to_le_bytes());
    let error = walk(&Hive::open(&bytes).unwrap()).unwrap_err();
    assert!(
        matches!(
            error,
            HiveError::CellSignature {
                actual: [b'r', b'i'],
                ..
            }
        ),
        "{error}"
    );
    bytes[at + 2..at + 4].copy_from_slice(&3u16.to_le_bytes());
    let error = walk(&Hive::open(&bytes).unwrap()).unwrap_err();
    assert!(
        matches!(error, HiveError::SubkeyCount { expected: 2, .. }),
        "{error}"
    );
}

/// The offset in the file of the list of subkeys of the key at `cell`.
fn list_of(bytes: &[u8], cell: u32) -> usize {
    BASE_BLOCK_BYTES + u32_at(bytes, BASE_BLOCK_BYTES + cell as usize + 4 + 28).unwrap() as usize
}

#[test]
fn a_free_cell_in_use_is_refused() {
    let Some(mut bytes) = bcd() else { return };
    let at = list_of(&bytes, Hive::open(&bytes).unwrap().base.root);
    let size = i32::from_le_bytes(array_at(&bytes, at).unwrap());
    bytes[at..at + 4].copy_from_slice(&(-size).to_le_bytes());
    let error = walk(&Hive::open(&bytes).unwrap()).unwrap_err();
    assert!(matches!(error, HiveError::CellFree { .. }), "{error}");
}

#[test]
fn an_empty_leaf_among_the_lists_is_refused() {
    let Some(mut bytes) = bcd() else { return };
    let at = list_of(&bytes, Hive::open(&bytes).unwrap().base.root);
    let (list, objects) = (bytes[at + 4..at + 24].to_vec(), u32_at(&bytes, at + 16).unwrap());
    // Two leaves in the place of another list: the root's own one, and an empty one before it.
    let place = list_of(&bytes, objects);
    bytes[place..place + 4].copy_from_slice(&(-16i32).to_le_bytes());
    bytes[place + 4..place + 8].copy_from_slice(b"lf\0\0");
    bytes[place + 16..place + 20].copy_from_slice(&(-24i32).to_le_bytes());
    bytes[place + 20..place + 40].copy_from_slice(&list);
    bytes[at + 4..at + 6].copy_from_slice(b"ri");
    for (entry, leaf) in [(at + 8, place), (at + 12, place + 16)] {
        let cell = (leaf - BASE_BLOCK_BYTES) as u32;
        bytes[entry..entry + 4].copy_from_slice(&cell.to_le_bytes());
    }
    let root = Hive::open(&bytes).unwrap().root().unwrap();
    let error = root.subkeys().err().unwrap();
    assert!(
        matches!(error, HiveError::SubkeyCount { expected: 2, .. }),
        "{error}"
    );
    let first = bytes[at + 12..at + 16].to_vec();
    bytes[at + 8..at + 12].copy_from_slice(&first);
    bytes[at + 6..at + 8].copy_from_slice(&1u16.to_le_bytes());
    let root = Hive::open(&bytes).unwrap().root().unwrap();
    assert_eq!(root.subkeys().unwrap().filter(Result::is_ok).count(), 2);
}

#[test]
fn a_segment_too_few_or_too_many_is_refused() {
    let Some(mut bytes) = system() else { return };
    let data = |bytes: &Vec<u8>| {
        let hive = Hive::open(bytes).unwrap();
        let key = hive
            .key("ControlSet001\\Control\\ProductOptions")
            .unwrap()
            .unwrap();
        let value = key.value("ProductPolicy").unwrap().unwrap();
        (u32::from_le_bytes(value.data) as usize, value.data().err())
    };
    let (cell, error) = data(&bytes);
    assert!(error.is_none());
    for count in [0u16, 3, 5] {
        bytes[BASE_BLOCK_BYTES + cell + 6..][..2].copy_from_slice(&count.to_le_bytes());
        let error = data(&bytes).1.unwrap();
        assert!(
            matches!(error, HiveError::DataSize { size: 59_044, .. }),
            "{error}"
        );
    }
}

#[test]
fn a_loop_of_keys_is_refused() {
    let Some(mut bytes) = bcd() else { return };
    let hive = Hive::open(&bytes).unwrap();
    let root = hive.base.root;
    let list = u32_at(&bytes, BASE_BLOCK_BYTES + root as usize + 4 + 28).unwrap();
    // The list's first entry leads back to the root.
    let at = BASE_BLOCK_BYTES + list as usize + 8;
    bytes[at..at + 4].copy_from_slice(&root.to_le_bytes());
    let error = walk(&Hive::open(&bytes).unwrap()).unwrap_err();
    assert!(
        matches!(error, HiveError::Parent { expected, .. } if expected == root),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn damage_ends_in_an_error_or_a_bounded_walk(hits in prop::collection::vec((0usize..28672, any::<u8>()), 1..20)) {
        let Some(mut bytes) = bcd() else { return Ok(()) };
        for (at, value) in hits {
            bytes[BASE_BLOCK_BYTES + at] = value;
        }
        if let Ok((keys, values, _)) = walk(&Hive::open(&bytes).unwrap()) {
            prop_assert!(keys <= 28672 / 80 && values <= 28672 / 24, "{} keys, {} values", keys, values);
        }
    }
}
