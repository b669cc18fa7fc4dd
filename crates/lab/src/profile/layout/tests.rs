//! Layouts of whole disks, by the byte.

use super::*;
use crate::profile::{BootCode, MbrSpec, PartitionSpec};
use crate::profiles;

const GIB: u64 = 1 << 30;

#[test]
fn server2022_lies_as_setup_leaves_it() {
    let profile = Profile::find("server2022").unwrap();
    let places = profile.layout(profile.disk_size_bytes).unwrap();
    let ranges: Vec<_> = places.iter().map(|place| place.range).collect();
    assert_eq!(ranges[0], ByteRange::new(MIB, 101 * MIB));
    assert_eq!(ranges[1], ByteRange::new(101 * MIB, 117 * MIB));
    assert_eq!(ranges[2], ByteRange::new(117 * MIB, 65_010 * MIB));
    assert_eq!(ranges[3], ByteRange::new(65_010 * MIB, 65_535 * MIB));
    assert_eq!(
        format!("{:.2}", profile.recovery.free_bytes as f64 / MIB as f64),
        "82.37"
    );
    assert_eq!(profile.partitions[3].role.attributes(), 0x8000_0000_0000_0001);
}

#[test]
fn every_profile_can_be_found_and_laid_out() {
    for profile in profiles::all() {
        assert_eq!(Profile::find(profile.name), Some(profile));
        // A disk that does not end at a multiple of 1 MiB as well.
        let sector = profile.sector_size.bytes();
        for size in [profile.disk_size_bytes, profile.disk_size_bytes - sector] {
            let places = profile.layout(size).unwrap();
            for pair in places.windows(2) {
                let next = pair[1].ebr.unwrap_or(pair[1].range.start);
                assert_eq!(pair[0].range.end, next, "{}", profile.name);
            }
            let reserve = match profile.quirk {
                Some(Quirk::EndsAtLastUsable) => 33 * 512,
                _ => MIB,
            };
            assert!(
                places.last().unwrap().range.end <= size - reserve,
                "{}",
                profile.name
            );
        }
        assert_eq!(profile.recovery.free_bytes % 4096, 0);
    }
    assert_eq!(Profile::find("none"), None);
}

#[test]
fn a_disk_too_small_is_refused_with_the_size_it_needs() {
    let profile = Profile::find("server2022").unwrap();
    let Err(LayoutError::DiskTooSmall {
        needed_bytes,
        actual_bytes,
    }) = profile.layout(GIB / 2)
    else {
        panic!("laid out on half a GiB");
    };
    assert_eq!(
        (needed_bytes, actual_bytes),
        ((1 + 100 + 16 + 256 + 525 + 1) * MIB, GIB / 2)
    );
    assert!(profile.layout(needed_bytes).is_ok());
    assert!(profile.layout(needed_bytes - 1).is_err());
}

#[test]
fn a_wrong_profile_is_refused() {
    let profile = *Profile::find("healthy").unwrap();
    let rest = PartitionSpec {
        role: Role::Windows,
        size: Size::Rest,
        name: "",
        logical: false,
    };
    let odd = PartitionSpec {
        role: Role::Windows,
        size: Size::Bytes(MIB + 512),
        name: "",
        logical: false,
    };
    let layout = |partitions| {
        Profile {
            partitions,
            ..profile
        }
        .layout(64 * GIB)
    };
    assert_eq!(
        layout(Box::leak(Box::new([rest, rest]))),
        Err(LayoutError::Size { number: 2 })
    );
    assert_eq!(
        layout(Box::leak(Box::new([odd]))),
        Err(LayoutError::Size { number: 1 })
    );
}

fn spec(role: Role, size_mib: u64, logical: bool) -> PartitionSpec {
    PartitionSpec {
        role,
        size: if size_mib == 0 {
            Size::Rest
        } else {
            Size::Bytes(size_mib * MIB)
        },
        name: "",
        logical,
    }
}

fn mbr(alignment: Alignment, partitions: Vec<PartitionSpec>) -> Profile {
    Profile {
        style: PartitionStyle::Mbr(MbrSpec {
            alignment,
            boot_code: BootCode::Windows,
        }),
        partitions: Box::leak(partitions.into_boxed_slice()),
        quirk: None,
        ..*Profile::find("healthy").unwrap()
    }
}

fn with_logical() -> Vec<PartitionSpec> {
    vec![
        spec(Role::SystemReserved, 500, false),
        spec(Role::Windows, 0, false),
        spec(Role::Data, 1000, true),
        spec(Role::Unallocated, 100, true),
        spec(Role::Recovery, 525, true),
        spec(Role::Unallocated, 50, false),
        spec(Role::Linux, 300, false),
    ]
}

/// First MiB, end in MiB, number, MiB of the EBR.
fn shown(places: &[Place]) -> Vec<(u64, u64, Option<u32>, Option<u64>)> {
    let shown = |place: &Place| {
        let ebr = place.ebr.map(|ebr| ebr / MIB);
        (place.range.start / MIB, place.range.end / MIB, place.number, ebr)
    };
    places.iter().map(shown).collect()
}

#[test]
fn logical_partitions_lie_behind_their_records() {
    let profile = mbr(Alignment::Mebibyte, with_logical());
    let places = profile.layout(16 * GIB).unwrap();
    assert_eq!(
        shown(&places),
        [
            (1, 501, Some(1), None),
            (501, 14_406, Some(2), None),
            (14_407, 15_407, Some(5), Some(14_406)),
            (15_407, 15_507, None, None),
            (15_508, 16_033, Some(6), Some(15_507)),
            (16_033, 16_083, None, None),
            (16_083, 16_383, Some(4), None),
        ]
    );
    let extended = ByteRange::new(14_406 * MIB, 16_033 * MIB);
    assert_eq!(profile.extended(&places), Some((3, extended)));
    assert_eq!(mbr(Alignment::Mebibyte, vec![]).extended(&[]), None);
}

#[test]
fn older_alignments_begin_at_tracks_and_cylinders() {
    let cylinder = 255 * 63 * 512;
    let profile = mbr(Alignment::Cylinder, with_logical());
    let places = profile.layout(16 * GIB).unwrap();
    assert_eq!(places[0].range.start, 63 * 512);
    for place in &places {
        assert_eq!(place.range.end % cylinder, 0);
        let record = place.ebr.unwrap_or(0);
        let is_first = place.number == Some(1);
        let distance = if place.ebr.is_some() || is_first {
            63 * 512
        } else {
            0
        };
        assert_eq!((place.range.start - record) % cylinder, distance, "{place:?}");
    }
    for pair in places.windows(2) {
        assert_eq!(pair[0].range.end, pair[1].ebr.unwrap_or(pair[1].range.start));
    }
    let first = mbr(Alignment::FirstAtTrack, with_logical())
        .layout(16 * GIB)
        .unwrap();
    let usual = mbr(Alignment::Mebibyte, with_logical()).layout(16 * GIB).unwrap();
    assert_eq!(first[0].range, ByteRange::new(63 * 512, 501 * MIB));
    assert_eq!(first[1..], usual[1..]);
}

#[test]
fn an_mbr_ends_where_its_numbers_do() {
    let profile = mbr(Alignment::Mebibyte, vec![spec(Role::Windows, 0, false)]);
    let places = profile.layout(3 << 40).unwrap();
    assert_eq!(places[0].range.end, (2 << 40) - MIB);
}

#[test]
fn what_has_no_entry_is_refused() {
    let four = |logical: usize| {
        let entries = (0..5).map(|at| spec(Role::Data, 100, at == logical));
        mbr(Alignment::Mebibyte, entries.collect()).layout(16 * GIB)
    };
    // Five primary ones; an extended one as the fifth, and with four beside it.
    for (logical, number) in [(9, 5), (4, 5), (1, 5)] {
        assert_eq!(four(logical), Err(LayoutError::Entry { number }));
    }
    let apart = [true, false, true].map(|logical| spec(Role::Data, 100, logical));
    let layout = mbr(Alignment::Mebibyte, apart.to_vec()).layout(16 * GIB);
    assert_eq!(layout, Err(LayoutError::Entry { number: 3 }));
    let gap = vec![spec(Role::Unallocated, 100, true)];
    let layout = mbr(Alignment::Mebibyte, gap).layout(16 * GIB);
    assert_eq!(layout, Err(LayoutError::Entry { number: 1 }));
    let gpt = Profile {
        style: PartitionStyle::Gpt,
        ..mbr(Alignment::Mebibyte, vec![spec(Role::Data, 100, true)])
    };
    assert_eq!(gpt.layout(16 * GIB), Err(LayoutError::Entry { number: 1 }));
}
