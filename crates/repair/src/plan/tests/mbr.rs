//! MBR disks: logical partitions and their EBRs, and the end of the disk.

use super::*;
use crate::refusal::NoDonor;
use std::collections::BTreeMap;
use winrefit_disk::{DiskError, ReadAt};
use winrefit_formats::mbr::types as mbr_types;
use winrefit_formats::read_mbr;

/// Whole MiB.
pub(super) fn mib(sectors: Sectors) -> (u64, u64) {
    assert_eq!((sectors.start % SECTORS, sectors.end % SECTORS), (0, 0));
    (sectors.start / SECTORS, sectors.end / SECTORS)
}

/// An entry of a table, whose start counts from `base_mib`.
pub(super) fn entry(type_code: u8, mib: (u64, u64), base_mib: u64) -> [u8; 16] {
    let mut entry = [0; 16];
    entry[4] = type_code;
    entry[8..12].copy_from_slice(&(((mib.0 - base_mib) * SECTORS) as u32).to_le_bytes());
    entry[12..].copy_from_slice(&(((mib.1 - mib.0) * SECTORS) as u32).to_le_bytes());
    entry
}

/// Sectors of a table on a disk of zeros.
struct Table64(BTreeMap<u64, Vec<u8>>);

impl ReadAt for Table64 {
    fn size(&self) -> u64 {
        64 << 30
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        buf.fill(0);
        if let Some(sector) = self.0.get(&offset) {
            buf.copy_from_slice(sector);
        }
        Ok(())
    }
}

fn table_sector(entries: &[[u8; 16]]) -> Vec<u8> {
    let mut sector = vec![0; 512];
    for (at, entry) in entries.iter().enumerate() {
        sector[446 + 16 * at..][..16].copy_from_slice(entry);
    }
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

/// An MBR disk: primary Windows to `border`, and behind it an extended partition to `end` with these logical ones, whose
/// EBRs lie a MiB before them.
fn logical_disk(border: u64, end: u64, logical: &[(u8, (u64, u64), u64)]) -> Observation {
    let mut sectors = BTreeMap::new();
    let main = [
        entry(0x07, (1, border), 0),
        entry(mbr_types::PARTITION_XINT13_EXTENDED, (border, end), 0),
    ];
    sectors.insert(0, table_sector(&main));
    for (at, (code, place, _)) in logical.iter().enumerate() {
        let ebr = place.0 - 1;
        let mut entries = vec![entry(*code, *place, ebr)];
        if let Some((_, next, _)) = logical.get(at + 1) {
            entries.push(entry(0x05, (next.0 - 1, next.1), border));
        }
        sectors.insert(ebr * MIB, table_sector(&entries));
    }
    let reading = read_mbr(&Table64(sectors), SectorSize::B512).unwrap();
    let mut observation = observe(&[]);
    observation.table = Table::of_mbr_reading(&reading);
    for found in observation.table.entries() {
        let free = logical
            .iter()
            .find(|l| l.1.0 * SECTORS == found.range.start.0)
            .map_or(500, |l| l.2);
        let mut ntfs = volume(found.range.sectors());
        ntfs.space = Some(Space {
            free_bytes: free * MIB,
            front_growth_min: Some(300 << 10),
        });
        observation.partitions.push(Partition {
            number: found.number,
            range: found.range.bytes(SectorSize::B512),
            start_lba: found.range.start.0,
            sectors: found.range.sectors(),
            kind: found.kind,
            unique_guid: None,
            attributes: None,
            name: String::new(),
            is_active: false,
            ebr: found.ebr,
            content: Content::Ntfs(Box::new(ntfs)),
            winre: None,
            other_images: Vec::new(),
        });
    }
    observation.partitions.sort_by_key(|p| p.start_lba);
    observation
}

fn asked(number: u32) -> Request {
    Request {
        recovery_partition: Some(number),
        ..Request::default()
    }
}

#[test]
fn the_ebr_of_a_logical_partition_moves_with_it() {
    let disk = logical_disk(
        1000,
        60_000,
        &[
            (0x07, (1001, 30_000), 9000),
            (0x27, (30_001, 30_526), 82),
            (0x07, (30_527, 60_000), 9),
        ],
    );
    let plan = plan(&disk, &asked(6)).unwrap();
    assert_eq!(plan.strategy, Strategy::ShrinkGrowFront);
    assert_eq!(mib(moved(&plan, 6)), (29_526, 30_526));
    assert_eq!(mib(moved(&plan, 5)).1, 29_525, "a MiB for the EBR");
}

#[test]
fn the_first_logical_partition_has_its_own_reason_and_stays_in_its_chain() {
    let disk = logical_disk(
        1000,
        50_000,
        &[(0x27, (1001, 1526), 82), (0x07, (1527, 50_000), 40_000)],
    );
    let refused = plan(&disk, &asked(5)).unwrap_err();
    let reason = NoDonor::FirstLogical { behind: Some(6) };
    assert_eq!(refused, Refusal::NoDonor { number: 5, reason });
    let words = refused.report().explained;
    assert!(
        words.detail.to_string().contains("first logical partition"),
        "{words:?}"
    );
    // Space behind it is as good as anywhere.
    let disk = logical_disk(
        1000,
        50_000,
        &[(0x27, (1001, 1526), 82), (0x07, (2101, 50_000), 40_000)],
    );
    let plan = plan(&disk, &asked(5)).unwrap();
    assert_eq!(
        (plan.strategy, mib(moved(&plan, 5))),
        (Strategy::GrowEnd, (1001, 2001))
    );
}

#[test]
fn what_gets_a_new_place_on_an_mbr_disk_leaves_the_last_mib() {
    let mut disk = logical_disk(1000, 2000, &[(0x07, (1001, 2000), 9)]);
    disk.partitions[0].kind = PartitionType::Mbr(mbr_types::PARTITION_MSFT_RECOVERY);
    let plan = plan(
        &disk,
        &Request {
            size_bytes: Some(1500 * MIB),
            ..asked(1)
        },
    )
    .unwrap();
    assert_eq!(
        (plan.strategy, mib(moved(&plan, 1))),
        (Strategy::Relocate, (2000, 3500))
    );
    assert_eq!(
        disk.table.places().last().unwrap().end,
        Lba((64 * 1024 - 1) * SECTORS)
    );
}

#[test]
fn what_the_machine_starts_from_keeps_its_start() {
    let disk = |end| {
        let mut disk = logical_disk(
            1000,
            60_000,
            &[
                (0x07, (1001, 30_000), 9000),
                (0x27, (30_001, 30_526), 82),
                (0x07, (end, 60_000), 9),
            ],
        );
        disk.partitions
            .iter_mut()
            .find(|p| p.number == 6)
            .unwrap()
            .is_active = true;
        disk
    };
    assert_eq!(
        plan(&disk(30_527), &asked(6)),
        Err(Refusal::ActiveRecovery { number: 6 })
    );
    assert_eq!(
        plan(&disk(32_000), &asked(6)).unwrap().strategy,
        Strategy::GrowEnd
    );
}
