//! Tables that must not be changed, and bytes that are no table.

use super::*;
use proptest::prelude::*;

/// What is found after `change` was done to the bytes of the disk.
fn defects(change: impl Fn(&mut [u8])) -> Vec<MbrError> {
    let mut device = disk(SectorSize::B512);
    change(device.bytes_mut());
    let reading = read_mbr(&device, SectorSize::B512).unwrap();
    assert_eq!(reading.usable().is_err(), !reading.defects.is_empty());
    reading.defects
}

fn entry(bytes: &mut [u8], lba: usize, slot: usize, type_code: u8, start: u32, sectors: u32) {
    put(
        &mut bytes[lba * 512..lba * 512 + 512],
        slot,
        type_code,
        start,
        sectors,
    );
}

/// Asserts that the defects are one, of this form.
macro_rules! one {
    ($defects:expr, $form:pat) => {{
        let defects = $defects;
        assert!(matches!(defects.as_slice(), [$form]), "{defects:?}");
    }};
}

#[test]
fn each_defect_is_named() {
    one!(
        defects(|b| b[462] = 0x81),
        MbrError::Status {
            number: 2,
            status: 0x81
        }
    );
    one!(
        defects(|b| entry(b, 0, 3, 7, 4095, 1)),
        MbrError::Overlap { first: 1, second: 4 }
    );
    one!(
        defects(|b| entry(b, 0, 3, 7, 61440, 4097)),
        MbrError::OutOfBounds {
            number: 4,
            end: SECTORS,
            ..
        }
    );
    one!(
        defects(|b| entry(b, 0, 3, 7, 61440, 0)),
        MbrError::Empty { number: 4 }
    );
    one!(
        defects(|b| entry(b, 0, 3, 7, 0, 1)),
        MbrError::CoversTable { number: 4 }
    );
    one!(
        defects(|b| entry(b, 0, 3, 5, 61440, 10)),
        MbrError::SecondExtended { first: 3, second: 4 }
    );
    one!(
        defects(|b| b[49999 * 512 + 510] = 0),
        MbrError::EbrSignature { lba: Lba(49999) }
    );
    one!(
        defects(|b| entry(b, 49999, 1, 5, 0, 10)),
        MbrError::EbrLoop { lba: Lba(20480) }
    );
    one!(
        defects(|b| entry(b, 49999, 1, 5, 40960, 10)),
        MbrError::EbrOutside { lba: 61440, .. }
    );
    one!(
        defects(|b| entry(b, 49999, 1, 0x83, 40960, 10)),
        MbrError::EbrEntries { lba: Lba(49999) }
    );
    one!(
        defects(|b| entry(b, 49999, 0, 7, 1, 11441)),
        MbrError::LogicalOutside { number: 7, .. }
    );
    one!(
        defects(|b| entry(b, 20480, 0, 7, 2048, 9473)),
        MbrError::CoversEbr {
            number: 5,
            lba: Lba(32000)
        }
    );
    one!(
        defects(|b| entry(b, 32000, 0, 7, 0, 5952)),
        MbrError::CoversEbr {
            number: 6,
            lba: Lba(32000)
        }
    );
    let overlap = defects(|b| entry(b, 49999, 0, 7, 1, u32::MAX));
    assert!(
        overlap
            .iter()
            .any(|d| matches!(d, MbrError::OutOfBounds { number: 7, .. })),
        "{overlap:?}"
    );
}

#[test]
fn an_endless_chain_is_cut() {
    let mut device = disk(SectorSize::B512);
    for at in 0..300usize {
        let next = (at + 1) as u32;
        entry(device.bytes_mut(), 20480 + at, 0, 0, 0, 0);
        entry(device.bytes_mut(), 20480 + at, 1, 5, next, 1);
    }
    let reading = read_mbr(&device, SectorSize::B512).unwrap();
    one!(reading.defects, MbrError::TooManyEbrs { limit: 256 });
}

#[test]
fn gpt_and_dynamic_disks_are_recognised() {
    let mut protective = vec![0; 1 << 20];
    put(&mut protective[..512], 0, PARTITION_GPT, 1, 2047);
    let reading = read_mbr(&protective, SectorSize::B512).unwrap();
    assert!(reading.is_protective() && !reading.is_hybrid());
    one!(reading.defects.clone(), MbrError::Gpt);
    put(&mut protective[..512], 0, PARTITION_GPT, 1, 100);
    put(&mut protective[..512], 1, PARTITION_IFS, 128, 128);
    let reading = read_mbr(&protective, SectorSize::B512).unwrap();
    assert!(!reading.is_protective() && reading.is_hybrid());
    assert!(matches!(reading.usable(), Err(MbrError::Gpt)));
    let mut dynamic = vec![0; 1 << 20];
    put(&mut dynamic[..512], 0, PARTITION_LDM, 63, 1000);
    assert!(read_mbr(&dynamic, SectorSize::B512).unwrap().is_dynamic());
}

#[test]
fn a_volume_s_boot_sector_is_no_table() {
    let mut volume = vec![0; 4096];
    volume[510..512].copy_from_slice(&[0x55, 0xaa]);
    // An initialised disk without a partition.
    assert_eq!(read_mbr(&volume, SectorSize::B512).unwrap().partitions, []);
    volume[3..11].copy_from_slice(b"NTFS    ");
    assert!(matches!(
        read_mbr(&volume, SectorSize::B512),
        Err(MbrReadError::BootSector)
    ));
    volume[3] = 0;
    volume[440..510].copy_from_slice(&[b'm'; 70]);
    assert!(matches!(
        read_mbr(&volume, SectorSize::B512),
        Err(MbrReadError::BootSector)
    ));
    volume[510] = 0;
    assert!(matches!(
        read_mbr(&volume, SectorSize::B512),
        Err(MbrReadError::NoPartitionTable)
    ));
    assert!(matches!(
        read_mbr(&[0u8; 100].to_vec(), SectorSize::B512),
        Err(MbrReadError::NoPartitionTable)
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn damage_is_a_defect_or_a_table(hits in prop::collection::vec((0usize..4, 0usize..66, any::<u8>()), 1..10)) {
        let mut device = Sparse::new();
        for (record, at, value) in hits {
            let sector = device.0.values_mut().nth(record).unwrap();
            sector[446 + at] = value;
        }
        if let Ok(reading) = read_mbr(&device, SectorSize::B512) {
            prop_assert!(reading.partitions.len() <= 4 + 256);
            if let Ok(mbr) = reading.usable() {
                prop_assert_eq!(mbr.writes(), []);
                let _ = (mbr.gaps(), mbr.logical_gaps());
            }
        }
    }
}
