//! Both directions, edits, and every single-bit damage of a header.

mod mend;
mod sgdisk;
mod unhealthy;

use super::types::*;
use super::*;
use crate::Guid;
use proptest::prelude::*;
use winrefit_disk::{Device, Lba, MemoryDevice, ReadAt, SectorSize};

const SECTORS: u64 = 8192;
const DISK: Guid = Guid::from_u128(0x11111111_2222_3333_4444_555555555555);

fn partition(number: u32, start: u64, end: u64) -> Partition {
    Partition {
        number,
        type_guid: PARTITION_MSFT_RECOVERY_GUID,
        unique_guid: Guid::from_u128(0xabcd_0000 + u128::from(number)),
        range: LbaRange::new(Lba(start), Lba(end)),
        attributes: GPT_ATTRIBUTE_PLATFORM_REQUIRED | GPT_BASIC_DATA_ATTRIBUTE_NO_DRIVE_LETTER,
        name: PartitionName::new("Recovery \u{e9}").unwrap(),
    }
}

fn table(sector_size: SectorSize) -> Gpt {
    let mut gpt = Gpt::new(DISK, SECTORS, sector_size).unwrap();
    gpt.add(partition(7, 4096, 5000)).unwrap();
    gpt.add(partition(2, 2048, 4096)).unwrap();
    gpt
}

fn disk_with(gpt: &Gpt) -> MemoryDevice {
    let size = gpt.device_sectors() * gpt.sector_size().bytes();
    let mut device = MemoryDevice::zeroed(size as usize, gpt.sector_size());
    gpt.write_protective_mbr(&mut device).unwrap();
    gpt.write(&mut device).unwrap();
    device
}

fn reread(device: &MemoryDevice) -> GptReading {
    read_gpt(device, device.sector_size()).unwrap()
}

#[test]
fn a_written_table_reads_back_in_both_sector_sizes() {
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        let gpt = table(sector_size);
        let device = disk_with(&gpt);
        assert_eq!(detect_sector_size(&device), Some(sector_size));
        let back = reread(&device).usable().unwrap();
        assert_eq!(back.partitions(), gpt.partitions());
        assert_eq!(
            back.partitions().iter().map(|p| p.number).collect::<Vec<_>>(),
            [2, 7]
        );
        assert_eq!(back.partition(7).unwrap().name.to_string(), "Recovery \u{e9}");
        assert_eq!((back.disk_guid(), back.usable()), (DISK, gpt.usable()));
        assert_eq!(back.encode(), gpt.encode());
    }
}

#[test]
fn the_sector_size_is_found_by_the_best_header_left() {
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        let mut device = disk_with(&table(sector_size));
        // Remains of a table for the other sector size.
        let other = if sector_size == SectorSize::B512 {
            4096
        } else {
            512
        };
        let overwritten = device.read_vec(other, 8).unwrap();
        device.write_at(other, b"EFI PART").unwrap();
        assert_eq!(detect_sector_size(&device), Some(sector_size));
        device.write_at(other, &overwritten).unwrap();
        let header = sector_size.bytes();
        device.write_at(header, &[0; 8]).unwrap();
        assert_eq!(detect_sector_size(&device), Some(sector_size));
        device.write_at(SECTORS * header - header, &[0; 8]).unwrap();
        assert_eq!(detect_sector_size(&device), None);
        device.write_at(header, b"EFI PARTx").unwrap();
        assert_eq!(detect_sector_size(&device), Some(sector_size));
    }
}

#[test]
fn writing_an_unchanged_table_changes_no_byte_even_in_reserved_places() {
    let mut device = disk_with(&table(SectorSize::B512));
    // Bytes behind the header and in an unused slot of both copies; the slot is under the arrays' checksum.
    let reading = reread(&device).usable().unwrap();
    for (lba, entries) in [
        (1, reading.primary_entries()),
        (SECTORS - 1, reading.backup_entries()),
    ] {
        device.write_at(lba * 512 + 300, b"maker").unwrap();
        device.write_at(entries.start.0 * 512 + 20, &[9; 3]).unwrap();
        let array = device.read_vec(entries.start.0 * 512, 128 * 128).unwrap();
        device
            .write_at(lba * 512 + 88, &crc32fast::hash(&array).to_le_bytes())
            .unwrap();
        let mut header = device.read_vec(lba * 512, 92).unwrap();
        header[16..20].fill(0);
        device
            .write_at(lba * 512 + 16, &crc32fast::hash(&header).to_le_bytes())
            .unwrap();
    }
    let before = device.clone();
    let gpt = reread(&device).usable().unwrap();
    gpt.write(&mut device).unwrap();
    assert!(device == before);
}

#[test]
fn every_flipped_bit_of_either_copy_is_detected() {
    let device = disk_with(&table(SectorSize::B512));
    for lba in [1, SECTORS - 1] {
        for bit in 0..92 * 8 {
            let mut bad = device.clone();
            bad.bytes_mut()[lba as usize * 512 + bit / 8] ^= 1 << (bit % 8);
            let reading = reread(&bad);
            let disagreement = reading.usable().unwrap_err();
            let expected = match lba {
                1 => matches!(disagreement, GptDisagreement::PrimaryDamaged(_)),
                _ => matches!(disagreement, GptDisagreement::BackupDamaged(_)),
            };
            assert!(expected, "bit {bit} of LBA {lba}: {disagreement}");
            let best = reading.best().unwrap();
            assert_eq!(best.partitions().len(), 2);
            assert_eq!(
                best.kind(),
                if lba == 1 {
                    CopyKind::Backup
                } else {
                    CopyKind::Primary
                }
            );
        }
    }
}

#[test]
fn a_damaged_entry_array_is_detected() {
    let mut device = disk_with(&table(SectorSize::B512));
    device.bytes_mut()[2 * 512 + 5000] ^= 1;
    let error = reread(&device).usable().unwrap_err();
    assert!(matches!(
        error,
        GptDisagreement::PrimaryDamaged(GptError::EntriesCrc { .. })
    ));
    device.bytes_mut()[(SECTORS as usize - 2) * 512] ^= 1;
    let error = reread(&device).usable().unwrap_err();
    assert!(matches!(error, GptDisagreement::BothDamaged { .. }), "{error}");
}

#[test]
fn copies_that_are_both_good_but_differ_are_not_usable() {
    let gpt = table(SectorSize::B512);
    let mut device = disk_with(&gpt);
    let mut changed = gpt.clone();
    changed.set_range(7, LbaRange::new(Lba(4096), Lba(5001))).unwrap();
    let parts = changed.encode();
    for part in [&parts.primary_entries, &parts.primary_header] {
        device.write_at(part.lba.0 * 512, &part.bytes).unwrap();
    }
    let error = reread(&device).usable().unwrap_err();
    let what = DifferingPart::Entries;
    assert!(
        matches!(error, GptDisagreement::Differ { what: w } if w == what),
        "{error}"
    );
}

#[test]
fn a_disk_that_grew_and_one_that_was_cut_are_told_apart() {
    let device = disk_with(&table(SectorSize::B512));
    let mut bytes = device.bytes().to_vec();
    bytes.resize(bytes.len() + 1024, 0);
    let grown = MemoryDevice::from_bytes(bytes, SectorSize::B512);
    let error = reread(&grown).usable().unwrap_err();
    let (old, new) = (Lba(SECTORS - 1), Lba(SECTORS + 1));
    assert!(
        matches!(error, GptDisagreement::BackupNotAtEnd { lba, last_lba } if (lba, last_lba) == (old, new))
    );
    let cut = MemoryDevice::from_bytes(device.bytes()[..5 << 19].to_vec(), SectorSize::B512);
    let error = reread(&cut).primary.unwrap_err();
    assert!(matches!(error, GptError::UsableRange { .. }), "{error}");
}

#[test]
fn disks_without_gpt_are_told_apart() {
    let mut device = MemoryDevice::zeroed(1 << 20, SectorSize::B512);
    let not = |device: &MemoryDevice| match read_gpt(device, SectorSize::B512) {
        Err(GptReadError::NotGpt(not)) => not,
        other => panic!("{other:?}"),
    };
    assert_eq!(not(&device), NotGpt::NoPartitionTable);
    assert_eq!(detect_sector_size(&device), None);
    device.write_at(510, &[0x55, 0xaa]).unwrap();
    assert_eq!(not(&device), NotGpt::NoPartitionTable);
    device.write_at(446 + 4, &[7]).unwrap();
    assert_eq!(not(&device), NotGpt::Mbr { types: [7, 0, 0, 0] });
    device.write_at(446, b"N").unwrap();
    assert_eq!(not(&device), NotGpt::NoPartitionTable);
    device.write_at(446 + 4, &[0xee]).unwrap();
    assert_eq!(not(&device), NotGpt::HeadersGone);
    let empty = MemoryDevice::zeroed(0, SectorSize::B512);
    assert!(matches!(
        read_gpt(&empty, SectorSize::B512),
        Err(GptReadError::Disk(_))
    ));
}

#[test]
fn a_hybrid_mbr_is_not_usable() {
    let mut device = disk_with(&table(SectorSize::B512));
    device.write_at(446 + 16 + 4, &[7]).unwrap();
    let error = reread(&device).usable().unwrap_err();
    assert!(
        matches!(
            error,
            GptDisagreement::MbrNotProtective {
                types: [0xee, 7, 0, 0]
            }
        ),
        "{error}"
    );
}

#[test]
fn edits_that_would_break_the_table_are_refused() {
    let mut gpt = table(SectorSize::B512);
    let before = gpt.clone();
    let range = |start, end| LbaRange::new(Lba(start), Lba(end));
    let refused = [
        gpt.set_range(7, range(4095, 5000)),
        gpt.set_range(7, range(5000, 5000)),
        gpt.set_range(7, range(5000, SECTORS)),
        gpt.set_range(2, range(33, 4096)),
        gpt.set_range(3, range(6000, 6001)),
        gpt.add(partition(2, 6000, 7000)),
        gpt.add(partition(0, 6000, 7000)),
        gpt.add(partition(129, 6000, 7000)),
        gpt.add(Partition {
            number: 3,
            ..partition(7, 6000, 7000)
        }),
        gpt.add(Partition {
            type_guid: Guid::ZERO,
            ..partition(3, 6000, 7000)
        }),
        gpt.add(partition(3, 4999, 7000)),
    ];
    assert!(refused.iter().all(Result::is_err), "{refused:?}");
    assert!(gpt == before);
    assert!(PartitionName::new(&"x".repeat(37)).is_err());
    gpt.set_range(7, range(4100, 8000)).unwrap();
    let gaps = gpt.gaps();
    assert_eq!(
        gaps,
        [range(34, 2048), range(4096, 4100), range(8000, SECTORS - 33)]
    );
}

#[test]
fn a_header_can_point_to_entries_elsewhere() {
    let gpt = table(SectorSize::B512);
    let mut device = disk_with(&gpt);
    let entries = gpt.encode().primary_entries.bytes;
    device.write_at(6000 * 512, &entries).unwrap();
    device.write_at(2 * 512, &vec![0xff; entries.len()]).unwrap();
    device
        .write_at(512, &gpt.primary_header_with_entries_at(Lba(6000)))
        .unwrap();
    let back = reread(&device).usable().unwrap();
    assert_eq!(back.primary_entries().start, Lba(6000));
    assert_eq!(back.partitions(), gpt.partitions());
    assert!(
        back.gaps()
            .iter()
            .all(|gap| !gap.overlaps(&back.primary_entries()))
    );
}

#[test]
fn a_header_cannot_make_us_read_without_bound() {
    let device = disk_with(&table(SectorSize::B512));
    for (at, value) in [
        (80, u32::MAX),
        (80, 0),
        (84, 0),
        (84, 129),
        (84, 1 << 31),
        (84, 64),
    ] {
        let mut bad = device.clone();
        bad.write_at(512 + at, &value.to_le_bytes()).unwrap();
        bad.write_at(512 + 16, &[0; 4]).unwrap();
        let crc = crc32fast::hash(&bad.read_vec(512, 92).unwrap());
        bad.write_at(512 + 16, &crc.to_le_bytes()).unwrap();
        let error = reread(&bad).primary.unwrap_err();
        assert!(
            matches!(error, GptError::EntryGeometry { .. }),
            "{at} {value}: {error}"
        );
    }
}

proptest! {
    #[test]
    fn any_table_survives_encoding(slots in prop::collection::btree_map(1u32..=128, (1u64..50, any::<u64>(),
        any::<u128>(), prop::array::uniform32(any::<u16>())), 0..40))
    {
        let mut gpt = Gpt::new(DISK, SECTORS, SectorSize::B512).unwrap();
        let mut at = 40;
        for (&number, &(sectors, attributes, id, name)) in &slots {
            let mut units = [0; NAME_UNITS];
            units[..32].copy_from_slice(&name);
            gpt.add(Partition {
                unique_guid: Guid::from_u128(id),
                attributes,
                name: PartitionName::from_units(units),
                ..partition(number, at, at + sectors)
            }).unwrap();
            at += sectors;
        }
        let device = disk_with(&gpt);
        let back = reread(&device).usable().unwrap();
        prop_assert_eq!(back.partitions(), gpt.partitions());
        prop_assert_eq!(back.encode(), gpt.encode());
    }

    #[test]
    fn garbage_is_never_taken_for_a_table(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let mut device = MemoryDevice::from_bytes(bytes, SectorSize::B512);
        if device.size() >= 520 {
            device.write_at(512, b"EFI PART").unwrap();
        }
        prop_assert!(!read_gpt(&device, SectorSize::B512).is_ok_and(|r| r.usable().is_ok()));
    }
}
