//! Stores of BIOS machines, made by hivexregedit from text: their hives are as independent of this crate's reader as
//! there are on this side of Windows, their device elements follow the published samples.

use super::*;
use crate::testing::printed;
use std::fmt::Write;

const SIGNATURE: u32 = 0xb3eb_a8f1;
const OFFSET: u64 = 123_456 << 20;
const WINRE: BcdPartition = BcdPartition::Mbr {
    signature: SIGNATURE,
    offset: OFFSET,
};
const WINDOWS: BcdPartition = BcdPartition::Mbr {
    signature: SIGNATURE,
    offset: 351 << 20,
};

/// A hive with nothing but its root key.
fn empty_hive() -> Vec<u8> {
    let mut bins = vec![0; 4096];
    let mut put = |at: usize, bytes: &[u8]| bins[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"hbin");
    put(8, &4096u32.to_le_bytes());
    // The root key at 0x20: no parent, no lists, the security descriptor at 0x80.
    put(0x20, &(-0x60i32).to_le_bytes());
    put(0x24, b"nk\x2c\0");
    for (at, value) in [
        (28, u32::MAX),
        (32, u32::MAX),
        (40, u32::MAX),
        (44, 0x80),
        (48, u32::MAX),
        (72, 8),
    ] {
        put(0x24 + at, &value.to_le_bytes());
    }
    put(0x24 + 76, b"BCD-root");
    put(0x80, &(-0x30i32).to_le_bytes());
    put(0x84, b"sk\0\0");
    for (at, value) in [(4, 0x80u32), (8, 0x80), (12, 1), (16, 20), (20, 0x8004_0001)] {
        put(0x84 + at, &value.to_le_bytes());
    }
    put(0xb0, &(4096i32 - 0xb0).to_le_bytes());
    let mut hive = vec![0; 4096];
    hive[..4].copy_from_slice(b"regf");
    for (at, value) in [
        (4, 7u32),
        (8, 7),
        (20, 1),
        (24, 3),
        (32, 1),
        (36, 0x20),
        (40, 4096),
        (44, 1),
    ] {
        hive[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    let sum = hive[..508]
        .chunks(4)
        .fold(0, |sum, word| sum ^ u32::from_le_bytes(word.try_into().unwrap()));
    hive[508..512].copy_from_slice(&sum.to_le_bytes());
    [hive, bins].concat()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(",")
}

/// Text of a registry file, key by key.
#[derive(Default)]
struct Text(String);

impl Text {
    fn object(&mut self, id: Guid, object_type: u32) {
        let key = format!("\\Objects\\{{{id}}}");
        write!(self.0, "[{key}]\n\n[{key}\\Elements]\n\n[{key}\\Description]\n").unwrap();
        write!(self.0, "\"Type\"=dword:{object_type:08x}\n\n").unwrap();
    }

    fn element(&mut self, id: Guid, element_type: u32, kind: u32, bytes: &[u8]) {
        let bytes = hex(bytes);
        let key = format!("[\\Objects\\{{{id}}}\\Elements\\{element_type:08x}]");
        write!(self.0, "{key}\n\"Element\"=hex({kind}):{bytes}\n\n").unwrap();
    }

    fn string(&mut self, id: Guid, element_type: u32, text: &str) {
        self.element(
            id,
            element_type,
            1,
            &crate::bytes::utf16_bytes(&format!("{text}\0")),
        );
    }
}

/// The 88 bytes of a partition's device element.
fn partition(partition: BcdPartition) -> Vec<u8> {
    let BcdPartition::Mbr { signature, offset } = partition else {
        panic!()
    };
    let mut bytes = vec![0; 88];
    for (at, field) in [(0x10, 6), (0x18, 0x48), (0x34, 1), (0x38, signature)] {
        bytes[at..at + 4].copy_from_slice(&field.to_le_bytes());
    }
    bytes[0x20..0x28].copy_from_slice(&offset.to_le_bytes());
    bytes
}

fn ramdisk(options: Guid, source: BcdPartition, path: &str) -> Vec<u8> {
    let path = crate::bytes::utf16_bytes(&format!("{path}\0"));
    let length = 12 + 0x48 + path.len() as u32;
    let mut bytes = options.to_bytes_le().to_vec();
    for word in [0, 1, 16 + 24 + length, 0, 3, 0, 0, 0, 0, 0, 1, length, 5] {
        bytes.extend(u32::to_le_bytes(word));
    }
    bytes.extend(&partition(source)[16..]);
    bytes.extend(path);
    bytes
}

/// A store with Windows and its WinRE, as far as the way to WinRE needs it. `None` without hivexregedit.
fn made(change: impl Fn(&mut Text)) -> Option<Vec<u8>> {
    let mut text = Text("Windows Registry Editor Version 5.00\n\n[\\Objects]\n\n".to_owned());
    text.object(BOOT_MANAGER, 0x1010_0002);
    text.element(
        BOOT_MANAGER,
        APPLICATION_DEVICE,
        3,
        &partition(BcdPartition::Mbr {
            signature: SIGNATURE,
            offset: 1 << 20,
        }),
    );
    text.string(BOOT_MANAGER, DEFAULT_OBJECT, &format!("{{{OS_LOADER}}}"));
    text.object(OS_LOADER, OBJECT_OS_LOADER);
    text.element(OS_LOADER, APPLICATION_DEVICE, 3, &partition(WINDOWS));
    text.element(OS_LOADER, OS_DEVICE, 3, &partition(WINDOWS));
    let sequence = crate::bytes::utf16_bytes(&format!("{{{WINRE_LOADER}}}\0\0"));
    text.element(OS_LOADER, RECOVERY_SEQUENCE, 7, &sequence);
    text.object(WINRE_LOADER, OBJECT_OS_LOADER);
    let device = ramdisk(RAMDISK_OPTIONS, WINRE, "\\Recovery\\WindowsRE\\Winre.wim");
    text.element(WINRE_LOADER, APPLICATION_DEVICE, 3, &device);
    text.element(WINRE_LOADER, OS_DEVICE, 3, &device);
    text.object(RAMDISK_OPTIONS, OBJECT_DEVICE);
    text.element(RAMDISK_OPTIONS, SDI_DEVICE, 3, &partition(WINRE));
    text.string(RAMDISK_OPTIONS, SDI_PATH, "\\Recovery\\WindowsRE\\boot.sdi");
    change(&mut text);
    merged(&text.0)
}

fn merged(text: &str) -> Option<Vec<u8>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), empty_hive()).unwrap();
    printed("hivexregedit", &["--merge", file.path().to_str().unwrap()], text)?;
    Some(std::fs::read(file.path()).unwrap())
}

/// What hivexregedit says of all that is in a store.
fn exported(bytes: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    printed(
        "hivexregedit",
        &["--export", file.path().to_str().unwrap(), "\\"],
        "",
    )
    .unwrap()
}

#[test]
fn the_way_to_winre_is_followed_on_an_mbr_disk() {
    let Some(bytes) = made(|_| ()) else { return };
    let bcd = store(&bytes);
    let chain = bcd.default_winre().unwrap();
    assert_eq!(
        (chain.os_loader, chain.winre_loader, chain.options),
        (OS_LOADER, WINRE_LOADER, RAMDISK_OPTIONS)
    );
    assert_eq!(chain.image_device, DeviceKind::Partition(WINRE));
    assert_eq!(chain.image_path, "\\Recovery\\WindowsRE\\Winre.wim");
    assert_eq!(chain.sdi_path, "\\Recovery\\WindowsRE\\boot.sdi");
    assert_eq!(
        (chain.auto_recovery, chain.confidence()),
        (None, Confidence::Published)
    );
    assert_eq!(bcd.references(&WINRE).len(), 3);
    assert_eq!(bcd.references(&WINDOWS).len(), 2);
}

#[test]
fn a_moved_partition_is_named_anew_and_hivex_sees_nothing_else_change() {
    let Some(bytes) = made(|_| ()) else { return };
    let to = BcdPartition::Mbr {
        signature: SIGNATURE,
        offset: OFFSET - (250 << 20),
    };
    let after = repointed(&bytes, &WINRE, &to);
    let bcd = store(&after);
    assert_eq!(bcd.references(&WINRE), []);
    assert_eq!(bcd.references(&to).len(), 3);
    assert_eq!(
        bcd.default_winre().unwrap().image_device,
        DeviceKind::Partition(to)
    );
    let field = |offset: u64| hex(&offset.to_le_bytes());
    let expected = exported(&bytes).replace(&field(OFFSET), &field(OFFSET - (250 << 20)));
    assert!(exported(&after) == expected, "{}", exported(&after));
    // The same offset on another disk is another partition.
    let other = BcdPartition::Mbr {
        signature: 1,
        offset: OFFSET,
    };
    assert_eq!(store(&bytes).references(&other), []);
    assert_eq!(
        store(&repointed(&bytes, &WINRE, &other)).references(&other).len(),
        3
    );
}

#[test]
fn each_break_of_the_way_is_named() {
    let broken =
        |change: &dyn Fn(&mut Text)| made(change).map(|bytes| store(&bytes).default_winre().unwrap_err());
    let nobody = Guid::from_u128(1);
    let missing = |id, element_type| ChainBreak::NoElement { id, element_type };
    let remove = |text: &mut Text, id: Guid, element_type: u32| {
        write!(text.0, "[-\\Objects\\{{{id}}}\\Elements\\{element_type:08x}]\n\n").unwrap();
    };
    for (id, element_type) in [
        (BOOT_MANAGER, DEFAULT_OBJECT),
        (OS_LOADER, RECOVERY_SEQUENCE),
        (WINRE_LOADER, APPLICATION_DEVICE),
        (WINRE_LOADER, OS_DEVICE),
        (RAMDISK_OPTIONS, SDI_DEVICE),
        (RAMDISK_OPTIONS, SDI_PATH),
    ] {
        let Some(found) = broken(&|text| remove(text, id, element_type)) else {
            return;
        };
        assert_eq!(found, missing(id, element_type));
    }
    let found = broken(&|text| text.string(BOOT_MANAGER, DEFAULT_OBJECT, &format!("{{{nobody}}}")));
    assert_eq!(found, Some(ChainBreak::NoObject { id: nobody }));
    let found = broken(&|text| text.string(BOOT_MANAGER, DEFAULT_OBJECT, "default"));
    assert_eq!(found, Some(missing(BOOT_MANAGER, DEFAULT_OBJECT)));
    let found = broken(&|text| text.element(WINRE_LOADER, APPLICATION_DEVICE, 3, &partition(WINRE)));
    let element_type = APPLICATION_DEVICE;
    assert_eq!(
        found,
        Some(ChainBreak::NoRamdisk {
            id: WINRE_LOADER,
            element_type
        })
    );
    let found = broken(&|text| text.element(WINRE_LOADER, OS_DEVICE, 3, &partition(WINRE)));
    assert_eq!(found, Some(ChainBreak::DevicesDiffer { id: WINRE_LOADER }));
    let found = broken(&|text| {
        let device = ramdisk(Guid::ZERO, WINRE, "\\w");
        text.element(WINRE_LOADER, APPLICATION_DEVICE, 3, &device);
        text.element(WINRE_LOADER, OS_DEVICE, 3, &device);
    });
    assert_eq!(found, Some(ChainBreak::NoOptions { id: WINRE_LOADER }));
}

#[test]
fn odd_keys_and_values_do_not_stop_the_reader() {
    let bytes = made(|text| {
        text.0.push_str("[\\Objects\\no object]\n\n");
        text.0
            .push_str("[\\Objects\\{00000000-0000-0000-0000-000000000009}]\n\n");
        write!(text.0, "[\\Objects\\{{{OS_LOADER}}}\\Elements\\no number]\n\n").unwrap();
        text.element(OS_LOADER, 0x2500_0020, 3, &[1, 2, 3]);
        text.element(OS_LOADER, 0x1700_000a, 3, &[7; 16]);
        text.element(OS_LOADER, 0x1100_0043, 3, &[9; 30]);
        text.string(OS_LOADER, 0x1100_0044, "no device");
    });
    let Some(bytes) = bytes else { return };
    let bcd = store(&bytes);
    assert_eq!(bcd.objects().len(), 5);
    let loader = bcd.object(OS_LOADER).unwrap();
    let other = |element_type| matches!(loader.element(element_type), Some(ElementValue::Other(_)));
    assert!(other(0x2500_0020) && other(0x1100_0044));
    let number = 0x0707_0707_0707_0707;
    assert_eq!(
        loader.element(0x1700_000a),
        Some(&ElementValue::Integers(vec![number; 2]))
    );
    let unknown: Vec<u32> = bcd.unknown_devices().iter().map(|r| r.element_type).collect();
    assert_eq!(unknown, [0x1100_0043]);
    assert!(bcd.default_winre().is_ok());
}
