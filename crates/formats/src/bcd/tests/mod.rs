//! A real store, stores made by hivexregedit, published samples, and damage.

mod built;
mod samples;

use super::types::*;
use super::*;
use crate::Guid;
use crate::hive::{Hive, HiveEdit, HiveEditError, HiveWrite};
use crate::testing::shared;
use proptest::prelude::*;

const OS_LOADER: Guid = Guid::from_u128(0x733b62e5_f608_11eb_825c_c112f60133ab);
const WINRE_LOADER: Guid = Guid::from_u128(0x733b62e6_f608_11eb_825c_c112f60133ab);
const RAMDISK_OPTIONS: Guid = Guid::from_u128(0x733b62e7_f608_11eb_825c_c112f60133ab);
const DISK: Guid = Guid::from_u128(0x0b2394a9_095e_487d_8d48_719ecd4d78ca);
const RECOVERY: BcdPartition = BcdPartition::Gpt {
    disk: DISK,
    partition: Guid::from_u128(0x6cdfcd69_de75_4490_8f99_5a84bf264917),
};

fn real() -> Option<Vec<u8>> {
    shared("fixtures/bcd/BCD-win10-uefi-winre.hive")
}

fn store(bytes: &[u8]) -> Bcd {
    Bcd::read(&Hive::open(&bytes).unwrap()).unwrap()
}

fn apply(bytes: &[u8], writes: &[HiveWrite]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for write in writes {
        bytes[write.offset as usize..][..write.bytes.len()].copy_from_slice(&write.bytes);
    }
    bytes
}

/// The store's bytes with every mention of `from` changed.
fn repointed(bytes: &[u8], from: &BcdPartition, to: &BcdPartition) -> Vec<u8> {
    let mut edit = HiveEdit::begin(&bytes, &[]).unwrap();
    for element in store(bytes).repoint(from, to).unwrap() {
        element.apply(&mut edit).unwrap();
    }
    apply(bytes, &edit.writes().unwrap())
}

#[test]
fn a_real_store_is_understood_whole() {
    let Some(bytes) = real() else { return };
    let bcd = store(&bytes);
    assert_eq!(bcd.objects().len(), 17);
    assert_eq!(bcd.unknown_devices(), []);
    let elements = || bcd.objects().iter().flat_map(|object| &object.elements);
    assert_eq!(elements().count(), 78);
    let other = elements().filter(|element| matches!(element.value, ElementValue::Other(_)));
    assert_eq!(other.collect::<Vec<_>>(), Vec::<&BcdElement>::new());
    let manager = bcd.object(BOOT_MANAGER).unwrap();
    assert_eq!(manager.object_type, 0x1010_0002);
    assert_eq!(
        manager.text(APPLICATION_PATH),
        Some("\\EFI\\Microsoft\\Boot\\bootmgfw.efi")
    );
    assert_eq!(manager.element(0x2500_0004), Some(&ElementValue::Integer(30)));
    assert_eq!(
        manager.element(0x2400_0001),
        Some(&ElementValue::Objects(vec![OS_LOADER]))
    );
    let winre = bcd.object(WINRE_LOADER).unwrap();
    assert_eq!(
        (winre.object_type, winre.flag(WINPE_MODE)),
        (OBJECT_OS_LOADER, Some(true))
    );
    assert_eq!(winre.text(DESCRIPTION), Some("Windows Recovery Environment"));
    assert_eq!(bcd.object(RAMDISK_OPTIONS).unwrap().object_type, OBJECT_DEVICE);
}

#[test]
fn the_way_to_winre_is_followed_in_a_real_store() {
    let Some(bytes) = real() else { return };
    let bcd = store(&bytes);
    let chain = bcd.default_winre().unwrap();
    let expected = WinreChain {
        os_loader: OS_LOADER,
        auto_recovery: Some(true),
        winre_loader: WINRE_LOADER,
        image_device: DeviceKind::Partition(RECOVERY),
        image_path: "\\Recovery\\WindowsRE\\Winre.wim".to_owned(),
        options: RAMDISK_OPTIONS,
        sdi_device: DeviceKind::Partition(RECOVERY),
        sdi_path: "\\Recovery\\WindowsRE\\boot.sdi".to_owned(),
    };
    assert_eq!(chain, expected);
    assert_eq!(chain.confidence(), Confidence::Verified);
    let loaders: Vec<Guid> = bcd.loaders_with_recovery().map(|object| object.id).collect();
    assert_eq!(loaders, [OS_LOADER]);
}

#[test]
fn each_mention_of_the_recovery_partition_is_found_and_changed() {
    let Some(bytes) = real() else { return };
    let named = |bcd: &Bcd, partition: &BcdPartition| {
        let references = bcd.references(partition);
        assert!(references.iter().all(|r| r.confidence == Confidence::Verified));
        references
            .iter()
            .map(|r| (r.object, r.element_type))
            .collect::<Vec<_>>()
    };
    let expected = [
        (WINRE_LOADER, APPLICATION_DEVICE),
        (WINRE_LOADER, OS_DEVICE),
        (RAMDISK_OPTIONS, SDI_DEVICE),
    ];
    assert_eq!(named(&store(&bytes), &RECOVERY), expected);
    let new = BcdPartition::Gpt {
        disk: DISK,
        partition: Guid::from_u128(0x01020304_0506_0708_090a_0b0c0d0e0f10),
    };
    let after = repointed(&bytes, &RECOVERY, &new);
    assert_eq!(named(&store(&after), &RECOVERY), []);
    assert_eq!(named(&store(&after), &new), expected);
    // Three GUIDs, the sequence numbers; the checksum is the same where both numbers change alike.
    let changed: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] != after[at]).collect();
    assert_eq!(changed.iter().filter(|&&at| at >= 4096).count(), 3 * 16);
    assert!(
        changed.iter().all(|&at| at >= 4096 || (4..12).contains(&at)),
        "{changed:?}"
    );
    // And back: only the sequence numbers stay raised.
    let again = repointed(&after, &new, &RECOVERY);
    assert!(again[4096..] == bytes[4096..]);
    let mbr = BcdPartition::Mbr {
        signature: 1,
        offset: 1 << 20,
    };
    let error = store(&bytes).repoint(&RECOVERY, &mbr).unwrap_err();
    assert!(matches!(error, BcdError::OtherScheme { .. }), "{error}");
    assert_eq!(store(&bytes).repoint(&new, &RECOVERY).unwrap(), []);
}

#[test]
fn a_hive_that_is_no_store_is_named() {
    let Some(mut bytes) = real() else { return };
    let at = bytes.windows(7).position(|name| name == b"Objects").unwrap();
    bytes[at] = b'P';
    let error = Bcd::read(&Hive::open(&bytes).unwrap()).unwrap_err();
    // The name's hash in the list says "Objects" still.
    assert!(matches!(error, BcdError::NoObjects), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn a_damaged_store_ends_in_an_error_or_a_store(hits in prop::collection::vec((4096usize..32768, any::<u8>()), 1..20)) {
        let Some(mut bytes) = real() else { return Ok(()) };
        for (at, value) in hits {
            bytes[at] = value;
        }
        if let Ok(bcd) = Bcd::read(&Hive::open(&bytes).unwrap()) {
            let _ = (bcd.default_winre(), bcd.references(&RECOVERY), bcd.unknown_devices());
            let mut hive = HiveEdit::begin(&bytes, &[]).unwrap();
            for edit in bcd.repoint(&RECOVERY, &RECOVERY).unwrap() {
                // The damage may have made two values share bytes.
                if let Err(error) = edit.apply(&mut hive) {
                    prop_assert!(matches!(error, HiveEditError::Overlap { .. }), "{}", error);
                }
            }
            let after = apply(&bytes, &hive.writes().unwrap());
            prop_assert_eq!(store(&after).references(&RECOVERY), bcd.references(&RECOVERY));
        }
    }
}
