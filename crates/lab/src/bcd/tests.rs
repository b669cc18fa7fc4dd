use super::*;
use crate::oracle;
use std::collections::BTreeMap;
use std::path::PathBuf;

const DISK: Uuid = uuid!("d0000000-0000-4000-8000-0000000000d1");
const WINDOWS: Uuid = uuid!("c0000000-0000-4000-8000-0000000000c1");
const RECOVERY: Uuid = uuid!("b0000000-0000-4000-8000-0000000000b1");

const fn gpt(partition: Uuid) -> Partition {
    Partition::Gpt {
        disk: DISK,
        partition,
    }
}

const STORE: BootStore = BootStore {
    system: gpt(uuid!("e0000000-0000-4000-8000-0000000000e1")),
    windows: gpt(WINDOWS),
    loader: uuid!("a0000000-0000-4000-8000-0000000000a1"),
    resume: uuid!("a0000000-0000-4000-8000-0000000000a2"),
    description: "Windows Server",
    recovery: Some(RecoveryEntry {
        partition: gpt(RECOVERY),
        loader: uuid!("a0000000-0000-4000-8000-0000000000a3"),
        ramdisk: uuid!("a0000000-0000-4000-8000-0000000000a4"),
    }),
};

/// Values of a store by key and name, as another tool exports them: "hex(3):00,01", "dword:10200003".
type Values = BTreeMap<String, BTreeMap<String, String>>;

fn export(path: &str) -> Option<Values> {
    let text = oracle::run("hivexregedit", &["--export", path, r"\"])?;
    let mut values = Values::new();
    let mut key = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            key = name.to_owned();
            values.entry(key.clone()).or_default();
        } else if let Some((name, value)) = line.split_once('=') {
            let name = name.trim_matches('"').to_owned();
            values.get_mut(&key).unwrap().insert(name, value.to_owned());
        }
    }
    Some(values)
}

fn bytes(value: &str) -> Vec<u8> {
    let (_, list) = value.split_once(':').unwrap();
    list.split(',')
        .filter(|byte| !byte.is_empty())
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

fn element<'a>(values: &'a Values, object: &str, number: &str) -> &'a str {
    &values[&format!(r"\Objects\{object}\Elements\{number}")]["Element"]
}

/// The GUID text that is an element's first item.
fn guid(values: &Values, object: &str, number: &str) -> String {
    let units: Vec<u16> = bytes(element(values, object, number))
        .chunks(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .collect();
    String::from_utf16(&units[..38]).unwrap()
}

/// The objects a repair depends on: Windows Boot Manager, Windows, WinRE, options of its RAM disk.
fn chain(values: &Values) -> [String; 4] {
    let manager = braced(BOOT_MANAGER);
    let windows = guid(values, &manager, "23000003");
    let recovery = guid(values, &windows, "14000008");
    let device = bytes(element(values, &recovery, "11000001"));
    let options = braced(Uuid::from_bytes_le(device[..16].try_into().unwrap()));
    [manager, windows, recovery, options]
}

/// The element without its GUIDs.
fn skeleton(mut device: Vec<u8>) -> Vec<u8> {
    let nested = if device[16] == 6 { 16 } else { 68 };
    for start in [0, nested + 16, nested + 40] {
        device[start..start + 16].fill(0);
    }
    device
}

fn ours() -> Option<Values> {
    let file = oracle::TempFile::new("BCD", &STORE.to_hive(0).unwrap());
    export(file.path())
}

#[test]
fn the_chain_leads_to_the_recovery_environment() {
    let Some(values) = ours() else { return };
    let recovery = STORE.recovery.unwrap();
    let expected = [BOOT_MANAGER, STORE.loader, recovery.loader, recovery.ramdisk].map(braced);
    assert_eq!(chain(&values), expected);
    let sdi = bytes(element(&values, &expected[3], "31000003"));
    assert_eq!(sdi[32..48], RECOVERY.to_bytes_le());
    assert_eq!(sdi[56..72], DISK.to_bytes_le());
    let windows = bytes(element(&values, &expected[1], "21000001"));
    assert_eq!(windows[32..48], WINDOWS.to_bytes_le());
    assert_eq!(
        element(&values, &expected[2], "11000001"),
        element(&values, &expected[2], "21000001")
    );
}

#[test]
fn a_store_without_recovery_does_not_mention_it() {
    let store = BootStore {
        recovery: None,
        ..STORE
    };
    let file = oracle::TempFile::new("BCD", &store.to_hive(0).unwrap());
    let Some(values) = export(file.path()) else { return };
    assert!(
        !values
            .keys()
            .any(|key| key.ends_with("14000008") || key.ends_with("31000003"))
    );
    assert!(
        !values
            .keys()
            .any(|key| key.contains(&braced(STORE.recovery.unwrap().loader)))
    );
    assert_eq!(
        guid(&values, &braced(BOOT_MANAGER), "23000003"),
        braced(STORE.loader)
    );
}

#[test]
fn objects_and_elements_are_those_of_a_real_store() {
    let shared = std::env::var_os("WINREFIT_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let fixture = shared.join("fixtures/bcd/BCD-win10-uefi-winre.hive");
    if !fixture.exists() {
        eprintln!("SKIPPED: no {}", fixture.display());
        return;
    }
    let (Some(real), Some(ours)) = (export(fixture.to_str().unwrap()), ours()) else {
        return;
    };
    for (real_object, our_object) in chain(&real).iter().zip(&chain(&ours)) {
        let type_of = |values: &Values, object: &str| {
            values[&format!(r"\Objects\{object}\Description")]["Type"].clone()
        };
        assert_eq!(type_of(&real, real_object), type_of(&ours, our_object));
        let prefix = format!(r"\Objects\{real_object}\Elements\");
        let numbers: Vec<&str> = real.keys().filter_map(|key| key.strip_prefix(&prefix)).collect();
        assert!(numbers.len() >= 3);
        for number in numbers {
            // The tools menu of the boot manager leads to the memory tester, which a lab disk does without.
            if number == "24000010" {
                continue;
            }
            let (theirs, mine) = (
                element(&real, real_object, number),
                element(&ours, our_object, number),
            );
            match &number[1..2] {
                "1" => assert_eq!(
                    skeleton(bytes(theirs)),
                    skeleton(bytes(mine)),
                    "{real_object} {number}"
                ),
                "5" | "6" | "7" => assert_eq!(theirs, mine, "{real_object} {number}"),
                // Texts and objects: the same type.
                _ => assert_eq!(
                    theirs.split(':').next(),
                    mine.split(':').next(),
                    "{real_object} {number}"
                ),
            }
        }
    }
    for shared in shared_objects() {
        let of = |values: &Values| -> Vec<_> {
            let inside = |key: &&String| key.starts_with(&format!(r"\Objects\{shared}"));
            values
                .keys()
                .filter(inside)
                .map(|key| (key.clone(), values[key].clone()))
                .collect()
        };
        assert_eq!(of(&real), of(&ours), "{shared}");
    }
}

fn shared_objects() -> Vec<String> {
    [
        GLOBAL_SETTINGS,
        BOOT_LOADER_SETTINGS,
        RESUME_LOADER_SETTINGS,
        DEBUGGER_SETTINGS,
        EMERGENCY_SETTINGS,
        BAD_MEMORY,
        HYPERVISOR_SETTINGS,
    ]
    .map(braced)
    .to_vec()
}

#[test]
fn a_bios_store_names_partitions_by_signature_and_offset() {
    use winrefit_formats::bcd::{BcdDevice, BcdPartition, DeviceKind};
    const SIGNATURE: u32 = 0xb3eb_a8f1;
    let mbr = |offset| Partition::Mbr {
        signature: SIGNATURE,
        offset,
    };
    let store = BootStore {
        system: mbr(1 << 20),
        windows: mbr(501 << 20),
        recovery: STORE.recovery.map(|entry| RecoveryEntry {
            partition: mbr(5 << 40),
            ..entry
        }),
        ..STORE
    };
    let file = oracle::TempFile::new("BCD", &store.to_hive(0).unwrap());
    let Some(values) = export(file.path()) else { return };
    let names = chain(&values);
    let [manager, windows, recovery, options] = &names;
    let device = |object: &String, number| BcdDevice::parse(&bytes(element(&values, object, number)));
    let at = |offset| {
        let signature = SIGNATURE;
        DeviceKind::Partition(BcdPartition::Mbr { signature, offset })
    };
    assert_eq!(device(manager, "11000001").kind, at(1 << 20));
    assert_eq!(device(windows, "11000001").kind, at(501 << 20));
    assert_eq!(device(windows, "21000001").kind, at(501 << 20));
    assert_eq!(device(options, "31000003").kind, at(5 << 40));
    let image = DeviceKind::Ramdisk {
        source: Box::new(at(5 << 40)),
        path: r"\Recovery\WindowsRE\Winre.wim".to_owned(),
    };
    assert_eq!(device(recovery, "11000001").kind, image);
    assert_eq!(device(recovery, "21000001").kind, image);
    let text = |object: &String, number| {
        let units = bytes(element(&values, object, number));
        let units: Vec<u16> = units
            .chunks(2)
            .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
            .collect();
        String::from_utf16(&units)
            .unwrap()
            .trim_end_matches('\0')
            .to_owned()
    };
    assert_eq!(text(windows, "12000002"), r"\Windows\system32\winload.exe");
    assert_eq!(text(recovery, "12000002"), r"\windows\system32\winload.exe");
    assert!(!values.contains_key(&format!(r"\Objects\{manager}\Elements\12000002")));
    let isolated = values.keys().any(|key| key.ends_with("16000060"));
    assert!(!isolated, "a BIOS loader has no isolated context");
}
