//! Device elements that others have published, and ones made after what programs do with them.

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn text(path: &str) -> Vec<u8> {
    crate::bytes::utf16_bytes(&format!("{path}\0"))
}

/// A Windows 8.1 loader's device on an MBR disk; its page shows the disk's table beside it
/// (mistyprojects.co.uk, BCDEdit, "Devices Partition - Data").
const WINDOWS_8_1: &str = "00000000000000000000000000000000 0600000000000000 4800000000000000
    0000f01500000000 0000000000000000 00000000 01000000 f1a8ebb3 000000000000000000000000
    00000000000000000000000000000000";

#[test]
fn a_published_mbr_partition_is_the_one_in_the_table_shown_with_it() {
    let bytes = hex(WINDOWS_8_1);
    assert_eq!(bytes.len(), 88);
    let device = BcdDevice::parse(&bytes);
    // The table has the partition at sector 718,848.
    let partition = BcdPartition::Mbr {
        signature: 0xb3eb_a8f1,
        offset: 718_848 * 512,
    };
    assert_eq!(device.kind, DeviceKind::Partition(partition));
    assert_eq!(
        (device.options, device.kind.confidence()),
        (None, Confidence::Published)
    );
    let to = BcdPartition::Mbr {
        signature: 0xb3eb_a8f1,
        offset: 718_336 * 512,
    };
    let moved = device.repointed(&partition, &to).unwrap();
    let differing: Vec<usize> = (0..88).filter(|&at| moved[at] != bytes[at]).collect();
    assert_eq!(differing, [0x22]);
    assert_eq!(BcdDevice::parse(&moved).kind, DeviceKind::Partition(to));
    assert_eq!(device.repointed(&to, &partition), None);
}

/// RAM disks of a GPT and of an MBR disk (a1ive/grub, issue 18), with another path of the same length.
fn ramdisk(partition: &str) -> Vec<u8> {
    let mut bytes = hex(
        "e03455ae24a96c46b836758539a3ee3a 00000000 01000000 90000000 00000000
        03000000 00000000 00000000 7c000000 00000000 05000000
        01000000 68000000 05000000 06000000 00000000 48000000 00000000",
    );
    bytes.extend(hex(partition));
    bytes.extend([0; 16]);
    bytes.extend(text("\\boot.wim"));
    bytes
}

#[test]
fn published_ramdisks_are_read_on_both_kinds_of_disks() {
    let gpt = ramdisk("14471fbbf24ac84796eb6f162b1b57ad 00000000 00000000 75fafa928acc6b45b08216c499fff0c1");
    let device = BcdDevice::parse(&gpt);
    let options: Guid = "ae5534e0-a924-466c-b836-758539a3ee3a".parse().unwrap();
    assert_eq!(device.options, Some(options));
    let DeviceKind::Ramdisk { source, path } = &device.kind else {
        panic!("{device:?}")
    };
    assert_eq!(path, "\\boot.wim");
    let Some(BcdPartition::Gpt { disk, partition }) = source.partition() else {
        panic!("{source:?}")
    };
    assert_eq!(partition.to_string(), "bb1f4714-4af2-47c8-96eb-6f162b1b57ad");
    assert_eq!(disk.to_string(), "92fafa75-cc8a-456b-b082-16c499fff0c1");

    let mbr = ramdisk("00001000080000000000000000000000 00000000 01000000 f4d47d1e000000000000000000000000");
    let DeviceKind::Ramdisk { source, .. } = BcdDevice::parse(&mbr).kind else {
        panic!()
    };
    let partition = BcdPartition::Mbr {
        signature: 0x1e7d_d4f4,
        offset: (32 << 30) + (1 << 20),
    };
    assert_eq!(source.partition(), Some(partition));
    assert_eq!(source.confidence(), Confidence::Published);
    let to = BcdPartition::Mbr {
        signature: 7,
        offset: 1 << 20,
    };
    let moved = BcdDevice::parse(&mbr).repointed(&partition, &to).unwrap();
    assert!(BcdDevice::parse(&moved).names(&to) && !BcdDevice::parse(&moved).names(&partition));
    assert_eq!(moved.len(), mbr.len());
}

/// A descriptor: type, flags, size, reserved, body.
fn descriptor(device_type: u32, flags: u32, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    let header = [device_type, flags, body.len() as u32 + 16, 0];
    [header.map(u32::to_le_bytes).concat(), body].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A file's descriptor as BCD-SYS and grub2's ntboot build it.
fn file(source: &[u8], path: &str) -> Vec<u8> {
    let path = text(path);
    let length = 12 + source.len() + path.len();
    descriptor(0, 0, &[&words(&[5, 1, length as u32, 5]), source, &path])
}

fn element(device: &[u8]) -> BcdDevice {
    BcdDevice::parse(&[&[0; 16], device].concat())
}

fn windows_8_1() -> (Vec<u8>, BcdPartition) {
    let bytes = hex(WINDOWS_8_1);
    let partition = BcdDevice::parse(&bytes).kind.partition().unwrap();
    (bytes[16..].to_vec(), partition)
}

#[test]
fn a_partition_in_a_virtual_disk_is_none_of_the_disk_but_the_file_s_is() {
    let (inner, partition) = windows_8_1();
    let in_file = hex("0000100000000000 0000000000000000 06000000 01000000 44332211000000000000000000000000");
    let bytes = descriptor(6, 0, &[&in_file, &file(&inner, "\\w.vhd")]);
    let device = element(&bytes);
    let DeviceKind::VirtualDisk {
        partition: Some(named),
        file,
    } = &device.kind
    else {
        panic!("{device:?}")
    };
    assert_eq!(
        *named,
        BcdPartition::Mbr {
            signature: 0x1122_3344,
            offset: 1 << 20
        }
    );
    assert!(!device.names(named) && device.names(&partition));
    let DeviceKind::File { path, .. } = file.as_ref() else {
        panic!("{file:?}")
    };
    assert_eq!(path, "\\w.vhd");
    assert_eq!(device.kind.confidence(), Confidence::Reported);
}

#[test]
fn boot_and_locate_are_told_apart() {
    assert_eq!(element(&descriptor(5, 0, &[&[0; 0x38]])).kind, DeviceKind::Boot);
    let (inner, partition) = windows_8_1();
    let locate = descriptor(8, 0, &[&words(&[0, 0x1200_0002, 0x1e]), &[0; 2], &inner]);
    let device = element(&locate);
    let DeviceKind::Locate {
        element: 0x1200_0002,
        path,
        parent,
    } = &device.kind
    else {
        panic!("{device:?}")
    };
    assert_eq!(
        (path.as_str(), parent.as_ref().unwrap().partition()),
        ("", Some(partition))
    );
    assert!(device.names(&partition));
    let by_path = descriptor(8, 0, &[&words(&[1, 0, 0]), &text("\\Windows")]);
    let DeviceKind::Locate {
        path, parent: None, ..
    } = element(&by_path).kind
    else {
        panic!()
    };
    assert_eq!(path, "\\Windows");
}

#[test]
fn what_is_not_understood_is_kept() {
    let (inner, partition) = windows_8_1();
    // An unknown type, another scheme, another kind of path, a size that does not fit.
    let mut scheme = inner.clone();
    scheme[0x24] = 2;
    let mut path = file(&inner, "\\f");
    path[16 + 12] = 3;
    let mut size = inner.clone();
    size[8] = 0x49;
    for bytes in [descriptor(9, 0, &[&inner]), scheme, path, size] {
        let device = element(&bytes);
        assert!(
            matches!(&device.kind, DeviceKind::Unknown { bytes: kept, .. } if *kept == bytes),
            "{device:?}"
        );
        assert_eq!(
            (device.names(&partition), device.kind.confidence()),
            (false, Confidence::Unknown)
        );
        assert_eq!(device.bytes()[16..], bytes);
    }
    let mut deep = inner;
    for _ in 0..12 {
        deep = file(&deep, "");
    }
    assert_eq!(element(&deep).kind.confidence(), Confidence::Unknown);
    assert!(!element(&deep).names(&partition));
    for length in 0..100 {
        BcdDevice::parse(&deep[..length]);
    }
}
