//! System files of a new volume beside those of a volume that Windows 10 formatted.

#![allow(clippy::unwrap_used)]

mod common;

use common::tools::fixture;
use winrefit_disk::{MemoryDevice, SectorSize};
use winrefit_ntfs::attribute::{Attribute, StreamSizes};
use winrefit_ntfs::format::{FormatOptions, VolumeBuilder};
use winrefit_ntfs::{AttributeType, RecordNumber, Volume};

/// Offset of the volume on the disk of the fixture.
const WINDOWS_VOLUME: usize = 128 * 512;
/// What follows the time stamps in $STANDARD_INFORMATION, and the sizes in $FILE_NAME.
const BEHIND_TIMES: usize = 0x20;
const BEHIND_SIZES: usize = 0x38;

fn ours() -> Vec<u8> {
    let mut device = MemoryDevice::zeroed(8 << 20, SectorSize::B512);
    let options = FormatOptions {
        label: "TestVolume".to_owned(),
        ..FormatOptions::new(16384)
    };
    VolumeBuilder::new(options)
        .unwrap()
        .write_to(&mut device)
        .unwrap();
    device.bytes().to_vec()
}

fn windows() -> Option<Vec<u8>> {
    Some(fixture("ntfs/win10-ntfs-fixed-4MiB-mbr.vhd.xz")?.split_off(WINDOWS_VOLUME))
}

fn stream(volume: &Volume<&[u8]>, number: RecordNumber, name: &str) -> Vec<u8> {
    let stream = volume
        .file(number)
        .unwrap()
        .require(AttributeType::DATA, name)
        .unwrap();
    volume.read_stream(stream, 1 << 20).unwrap()
}

/// What of an attribute does not depend on time and size.
fn describe(attribute: &Attribute) -> String {
    let value = attribute.value().unwrap_or_default();
    let fixed = match attribute.type_code() {
        AttributeType::STANDARD_INFORMATION => &value[BEHIND_TIMES..],
        AttributeType::FILE_NAME => &value[BEHIND_SIZES..],
        AttributeType::SECURITY_DESCRIPTOR | AttributeType::VOLUME_NAME => value,
        AttributeType::INDEX_ROOT => &value[..12],
        _ => &[],
    };
    format!(
        "{} {:?} flags {} indexed {} non-resident {} {fixed:02x?}",
        attribute.type_code(),
        String::from_utf16(&attribute.name()).unwrap(),
        attribute.flags(),
        attribute.is_indexed(),
        attribute.is_non_resident(),
    )
}

fn describe_record(volume: &Volume<&[u8]>, number: u64) -> Vec<String> {
    let record = volume.read_record(RecordNumber(number)).unwrap();
    let mut lines = vec![format!(
        "flags {} sequence {} links {}",
        record.flags(),
        record.sequence(),
        record.link_count()
    )];
    for attribute in record.attributes() {
        let attribute = attribute.unwrap();
        // With more descriptors in use the index by hash has got a block.
        let spilled =
            [AttributeType::INDEX_ALLOCATION, AttributeType::BITMAP].contains(&attribute.type_code());
        if !(spilled && attribute.is_named("$SDH")) {
            lines.push(describe(&attribute));
        }
    }
    lines
}

#[test]
fn system_records_have_the_attributes_of_windows_10() {
    let Some(windows) = windows() else {
        return;
    };
    let ours = ours();
    let (ours, windows) = (
        Volume::open(ours.as_slice()).unwrap(),
        Volume::open(windows.as_slice()).unwrap(),
    );
    for number in (0..16).chain(24..27) {
        assert_eq!(
            describe_record(&ours, number),
            describe_record(&windows, number),
            "record {number}"
        );
    }
}

#[test]
fn tables_are_those_of_windows_10() {
    let Some(windows) = windows() else {
        return;
    };
    let ours = ours();
    let (ours, windows) = (
        Volume::open(ours.as_slice()).unwrap(),
        Volume::open(windows.as_slice()).unwrap(),
    );
    for (number, name) in [
        (RecordNumber::UP_CASE, ""),
        (RecordNumber::UP_CASE, "$Info"),
        (RecordNumber::ATTR_DEF, ""),
    ] {
        assert!(
            stream(&ours, number, name) == stream(&windows, number, name),
            "{number} {name:?}"
        );
    }
    // The first two descriptors are the same, too, in both copies.
    let (ours, windows) = (
        stream(&ours, RecordNumber::SECURE, "$SDS"),
        stream(&windows, RecordNumber::SECURE, "$SDS"),
    );
    for copy in [0, 0x40000] {
        assert_eq!(ours[copy..copy + 0x100], windows[copy..copy + 0x100]);
    }
}

/// $Bad is a hole as large as the volume, on both.
#[test]
fn no_cluster_is_bad() {
    for volume in [Some(ours()), windows()].into_iter().flatten() {
        let volume = Volume::open(volume.as_slice()).unwrap();
        let record = volume.read_record(RecordNumber::BAD_CLUS).unwrap();
        let bad = record.find(AttributeType::DATA, "$Bad").unwrap().unwrap();
        let bytes = volume.geometry().clusters() * 4096;
        let expected = StreamSizes {
            allocated: bytes,
            data: bytes,
            initialized: 0,
        };
        assert_eq!(bad.sizes(), Some(expected));
        assert_eq!(bad.runs().unwrap().allocated_clusters(), 0);
    }
}
