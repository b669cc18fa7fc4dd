//! Logical partitions and their EBRs.

use super::*;
use proptest::prelude::*;

fn places(mbr: &Mbr) -> Vec<u64> {
    mbr.writes().iter().map(|write| write.lba.0).collect()
}

fn ebr_of(mbr: &Mbr, number: u32) -> u64 {
    match mbr.partition(number).unwrap().slot {
        MbrSlot::Logical { ebr, .. } => ebr.0,
        MbrSlot::Primary(_) => panic!("{number} is no logical partition"),
    }
}

#[test]
fn an_ebr_before_the_new_start_stays() {
    let device = disk(SectorSize::B512);
    let mut mbr = table(&device);
    mbr.set_range(6, range(32001, 45000)).unwrap();
    assert_eq!((ebr_of(&mbr, 6), places(&mbr)), (32000, vec![20480, 32000]));
    let again = table(&written(&device, &mbr));
    assert_eq!(summary(&again), summary(&mbr));
    assert_eq!(again.partition(7), table(&device).partition(7));
    // The first logical partition has its EBR where the extended one begins.
    mbr.set_range(5, range(20481, 30000)).unwrap();
    let error = mbr.set_range(5, range(20480, 30000)).unwrap_err();
    let MbrEditError::OutsideWindow {
        number: 5, window, ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(window, range(20481, 32000));
}

#[test]
fn an_ebr_in_the_way_moves_and_the_chain_follows() {
    let device = disk(SectorSize::B512);
    let mut mbr = table(&device);
    mbr.set_range(6, range(32000, 40000)).unwrap();
    // The old distance of 2048 sectors would reach into partition 5; the window begins at 30000.
    assert_eq!(ebr_of(&mbr, 6), 30000);
    // The new place first, then the EBR that leads there.
    assert_eq!(places(&mbr), [30000, 20480]);
    let after = written(&device, &mbr);
    assert_eq!(summary(&table(&after)), summary(&mbr));
    assert_eq!(
        after.bytes()[32000 * 512..][..512],
        device.bytes()[32000 * 512..][..512]
    );
    // Each prefix of the writes is a table, with the old or the new partition.
    let mut half = device.clone();
    half.write_at(30000 * 512, &mbr.writes()[0].bytes).unwrap();
    assert_eq!(summary(&table(&half)), summary(&table(&device)));

    let error = mbr.set_range(6, range(30000, 40000)).unwrap_err();
    assert!(
        matches!(error, MbrEditError::NoRoomForEbr { number: 6, .. }),
        "{error}"
    );
    let error = mbr.set_range(6, range(29999, 40000)).unwrap_err();
    assert!(matches!(error, MbrEditError::OutsideWindow { .. }), "{error}");
    mbr.set_range(7, range(47000, 61440)).unwrap();
    assert_eq!(ebr_of(&mbr, 7), 46999);
    assert_eq!(
        table(&written(&device, &mbr)).partition(7).unwrap().range,
        range(47000, 61440)
    );
    assert_eq!(
        table(&written(&device, &mbr)).partition(6).unwrap().range,
        range(32000, 40000)
    );
}

#[test]
fn large_sectors_count_alike() {
    let device = disk(SectorSize::B4096);
    let mut mbr = table(&device);
    mbr.set_range(6, range(31000, 40000)).unwrap();
    let [new_place, predecessor] = mbr.writes().try_into().unwrap();
    assert_eq!((new_place.lba, predecessor.lba), (Lba(30000), Lba(20480)));
    assert_eq!((new_place.bytes.len(), predecessor.bytes.len()), (4096, 4096));
    assert_eq!(summary(&table(&written(&device, &mbr))), summary(&mbr));
}

#[test]
fn an_ebr_is_moved_out_of_the_way_alone() {
    let device = disk(SectorSize::B512);
    let mut mbr = table(&device);
    mbr.move_ebr(7, Lba(40000)).unwrap();
    assert_eq!(places(&mbr), [40000, 32000]);
    let between = written(&device, &mbr);
    let mut mbr = table(&between);
    assert_eq!(summary(&mbr), summary(&table(&device)));
    mbr.set_range(7, range(40001, 61440)).unwrap();
    // The span from the EBR to its partition's end is as it was, so the EBR before it is, too.
    assert_eq!(places(&mbr), [40000]);
    for lba in [39999, 50000] {
        assert!(matches!(
            mbr.move_ebr(7, Lba(lba)),
            Err(MbrEditError::EbrPlace { .. })
        ));
    }
    assert!(matches!(
        mbr.move_ebr(5, Lba(20481)),
        Err(MbrEditError::EbrPlace { .. })
    ));
    assert!(mbr.move_ebr(2, Lba(4000)).is_err());
}

#[test]
fn space_is_released_before_it_is_taken() {
    let device = disk(SectorSize::B512);
    let mut mbr = table(&device);
    // The last partition and with it the extended one give space to a new primary one.
    mbr.set_range(7, range(50000, 57344)).unwrap();
    mbr.set_range(3, range(20480, 57344)).unwrap();
    mbr.add_primary(4, PARTITION_MSFT_RECOVERY, range(57344, SECTORS))
        .unwrap();
    assert_eq!(places(&mbr), [49999, 32000, 0]);
    let mut mbr = table(&device);
    // The extended partition must have grown before the last logical one does.
    mbr.set_range(3, range(20480, SECTORS)).unwrap();
    mbr.set_range(7, range(50000, SECTORS)).unwrap();
    assert_eq!(places(&mbr), [0, 32000, 49999]);
    for count in 0..4 {
        let mut device = device.clone();
        for write in mbr.writes().iter().take(count) {
            device.write_at(write.lba.0 * 512, &write.bytes).unwrap();
        }
        table(&device);
    }
}

#[test]
fn an_empty_ebr_has_no_number_and_the_entries_may_stand_in_any_order() {
    let mut device = disk(SectorSize::B512);
    // The first EBR without a partition; in the second the successor stands first.
    let at = 20480 * 512 + 446;
    device.bytes_mut()[at..at + 16].fill(0);
    let at = 32000 * 512 + 446;
    let (first, second) = (
        device.read_vec(at, 16).unwrap(),
        device.read_vec(at + 16, 16).unwrap(),
    );
    device.write_at(at, &[second, first].concat()).unwrap();
    let mut mbr = table(&device);
    let numbers: Vec<u32> = mbr.partitions().iter().map(|p| p.number).collect();
    assert_eq!(numbers, [1, 2, 3, 5, 6]);
    mbr.set_range(5, range(25000, 40000)).unwrap();
    mbr.set_range(6, range(45000, 61440)).unwrap();
    let again = table(&written(&device, &mbr));
    assert_eq!(summary(&again), summary(&mbr));
    assert_eq!((ebr_of(&again, 5), ebr_of(&again, 6)), (25000 - 2048, 44999));
}

fn sparse_table(device: &Sparse) -> Mbr {
    read_mbr(device, SectorSize::B512).unwrap().usable().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    /// Whatever edits were accepted, no other partition has changed, and the disk says what the value says.
    #[test]
    fn accepted_edits_are_on_the_disk(
        edits in prop::collection::vec((1u32..9, 0u64..SECTORS + 10, 0u64..20000, any::<bool>()), 1..12),
    ) {
        let device = Sparse::new();
        let mut mbr = sparse_table(&device);
        for (number, start, length, is_ebr) in edits {
            let before = summary(&mbr);
            let result = match is_ebr {
                true => mbr.move_ebr(number, Lba(start)),
                false => mbr.set_range(number, range(start, start + length)),
            };
            match result {
                Err(_) => prop_assert_eq!(summary(&mbr), before),
                Ok(()) => {
                    let others = |all: &[(u32, u64, u64, u8)]| all.iter().filter(|p| p.0 != number).copied().collect::<Vec<_>>();
                    prop_assert_eq!(others(&summary(&mbr)), others(&before));
                }
            }
        }
        let mut after = device.clone();
        for write in mbr.writes() {
            after.0.insert(write.lba.0, write.bytes);
        }
        prop_assert_eq!(summary(&sparse_table(&after)), summary(&mbr));
    }
}
