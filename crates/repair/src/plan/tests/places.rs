//! A new place, the old one given away, leftovers, logical partitions: the arithmetic of it.

use super::*;
use crate::observation::Windows;
use crate::refusal::NoDonor;
use std::collections::BTreeMap;
use winrefit_disk::{DiskError, ReadAt};
use winrefit_formats::mbr::types as mbr_types;
use winrefit_formats::{ReAgentLocation, ReAgentTemplate, read_mbr};

fn data(number: u32, mib: (u64, u64), free: u64) -> Part {
    Part {
        number,
        ..windows(mib, free)
    }
}

fn foreign(number: u32, mib: (u64, u64)) -> Part {
    Part {
        number,
        type_guid: types::LINUX_FILESYSTEM_GUID,
        mib,
        free: 0,
    }
}

/// A Windows on partition 3 that names partition 4.
fn with_windows(mut observation: Observation) -> Observation {
    let reagent = ReAgentTemplate {
        winre_location: ReAgentLocation::default(),
        install_state: 1,
        ..Default::default()
    };
    observation.windows.push(Windows {
        partition: 3,
        product: None,
        display_version: None,
        build: None,
        reagent: Some(Ok(winrefit_formats::ReAgent::parse(&reagent.to_bytes()).unwrap())),
        recovery_partition: Some(4),
    });
    observation
}

fn mib(sectors: Sectors) -> (u64, u64) {
    assert_eq!((sectors.start % SECTORS, sectors.end % SECTORS), (0, 0));
    (sectors.start / SECTORS, sectors.end / SECTORS)
}

#[test]
fn the_smallest_gap_that_is_large_enough_is_the_place() {
    let parts = [
        recovery((1, 526), 82),
        foreign(1, (526, 600)),
        windows((2600, 20_000), 10_000),
        foreign(2, (21_100, 22_000)),
        foreign(5, (22_999, 30_000)),
    ];
    let observation = with_windows(observe(&parts));
    let plan = plan(&observation, &named()).unwrap();
    assert_eq!((plan.strategy, &plan.then), (Strategy::Relocate, &None));
    // 999 MiB from 22,000 on are one too few.
    assert_eq!(mib(moved(&plan, 4)), (20_000, 21_000));
    assert_eq!(plan.growth_bytes, 475 * MIB);
    assert!(plan.moves_volume(4));
    let told = plan.steps.iter().any(|step| {
        matches!(step, Step::PatchReAgent { partition: 3, from_offset, to_offset }
            if (*from_offset, *to_offset) == (MIB, 20_000 * MIB))
    });
    assert!(told, "{:?}", plan.steps);
}

#[test]
fn windows_gives_before_a_volume_with_more_free_space_and_the_next_one_if_it_cannot() {
    let end = end_of_disk();
    let with = |free| {
        let parts = [
            recovery((1, 526), 82),
            windows((526, 30_000), free),
            data(5, (30_000, end), 30_000),
        ];
        plan(&with_windows(observe(&parts)), &named()).unwrap()
    };
    // Windows keeps 1473.7 MiB, a twentieth of it.
    let (rich, poor) = (with(1000 + 1474), with(1000 + 1473));
    for (plan, donor, place) in [(rich, 3, (29_000, 30_000)), (poor, 5, (end - 1000, end))] {
        assert_eq!(plan.strategy, Strategy::Relocate);
        assert_eq!(mib(moved(&plan, donor)).1, place.0);
        assert!(!plan.moves_volume(4), "the first part moves nothing");
        let second = plan.then.unwrap();
        assert_eq!(mib(moved(&second, 4)), place);
        assert_eq!(second.growth_bytes, plan.growth_bytes);
    }
}

#[test]
fn unallocated_space_behind_the_donor_is_a_part_of_the_place() {
    let parts = [
        recovery((1, 526), 82),
        windows((526, 30_000), 9000),
        foreign(5, (30_700, 40_000)),
        foreign(6, (40_000, end_of_disk())),
    ];
    let plan = plan(&with_windows(observe(&parts)), &named()).unwrap();
    assert_eq!(mib(moved(&plan, 3)).1, 29_700);
    assert_eq!(mib(moved(&plan.then.unwrap(), 4)), (29_700, 30_700));
}

#[test]
fn what_cannot_grow_and_cannot_move_says_why_it_cannot_grow() {
    let end = end_of_disk();
    let parts = [recovery((1, 526), 82), windows((526, end), 1000)];
    let refused = plan(&with_windows(observe(&parts)), &named()).unwrap_err();
    let reason = NoDonor::FirstOnDisk;
    assert_eq!(refused, Refusal::NoDonor { number: 4, reason });
    let words = refused.report().explained;
    assert!(words.detail.contains("another place"), "{words:?}");
    assert!(!words.next.contains("not supported"), "{words:?}");
}

#[test]
fn the_old_place_goes_to_what_ends_where_it_begins() {
    let reclaim = Request {
        reclaim: true,
        ..named()
    };
    let disk = |neighbour_end| {
        let parts = [
            data(5, (1, neighbour_end), 10),
            recovery((2000, 2525), 82),
            windows((2525, 30_000), 9000),
        ];
        with_windows(observe(&parts))
    };
    let grown = |observation: &Observation| {
        let plan = plan(observation, &reclaim).unwrap();
        let steps = plan.commits().flat_map(|plan| plan.steps.clone());
        let mut ends = steps.filter_map(|step| match step {
            Step::GrowEnd {
                partition: 5,
                sectors,
            } => Some(sectors),
            _ => None,
        });
        ends.next()
    };
    let mut observation = disk(2000);
    assert_eq!(grown(&observation), Some(2524 * SECTORS));
    assert_eq!(grown(&disk(1999)), None, "a gap between");
    if let Content::Ntfs(ntfs) = &mut observation.partitions[0].content {
        let catalog = winrefit_ntfs::vss::Catalog {
            offset: MIB,
            end: 2 * MIB,
            stores: vec![winrefit_ntfs::vss::Store {
                id: [1; 16],
                created: None,
            }],
        };
        ntfs.state.as_mut().unwrap().shadow_copies = ShadowCopies::Catalog(catalog);
    }
    assert_eq!(
        grown(&observation),
        None,
        "shadow copies that know where the volume ends"
    );
}

#[test]
fn a_leftover_goes_only_if_nothing_uses_it() {
    let end = end_of_disk();
    let stale = |mib| Part {
        number: 6,
        ..recovery(mib, 10)
    };
    let disk = |size: u64| {
        let border = end - 525;
        let parts = [
            windows((117, border - size), 40_000),
            stale((border - size, border)),
            recovery((border, end), 82),
        ];
        with_windows(observe(&parts))
    };
    let remove = |observation: &Observation, number| {
        let request = Request {
            remove_stale: Some(number),
            ..named()
        };
        plan(observation, &request)
    };
    // Its place is part of what the other one gets, and Windows gives the rest.
    let made = remove(&disk(300), 6).unwrap();
    assert_eq!(made.strategy, Strategy::ShrinkGrowFront);
    assert!(made.removes(6));
    assert_eq!(mib(moved(&made, 3)).1, end - 1000);
    assert_eq!(remove(&disk(800), 6).unwrap().strategy, Strategy::GrowFront);
    let code = |observation: &Observation, number| remove(observation, number).map_err(|r| r.code());
    assert_eq!(code(&disk(2049), 6), Err("not-stale"));
    assert_eq!(code(&disk(300), 4), Err("not-stale"));
    assert_eq!(code(&disk(300), 3), Err("not-stale"));
    assert_eq!(code(&disk(300), 9), Err("no-such-partition"));
    let mut observation = disk(300);
    observation.windows[0].reagent = Some(Err("damaged".into()));
    assert_eq!(code(&observation, 6), Err("not-stale"));
    observation.windows.clear();
    assert_eq!(code(&observation, 6), Err("not-stale"));
    let mut observation = disk(300);
    let mut other = disk(300).windows.remove(0);
    other.recovery_partition = Some(6);
    observation.windows.push(other);
    let named_too = Request {
        remove_stale: Some(6),
        ..named()
    };
    assert!(matches!(
        plan(&observation, &named_too),
        Err(Refusal::NotStale { number: 6, .. })
    ));
    let mut observation = disk(300);
    observation.partitions[1].is_active = true;
    assert_eq!(code(&observation, 6), Err("not-stale"));
}

/// A hybrid MBR beside the table of [`observe`].
struct Hybrid(Sparse, (u64, u64));

impl ReadAt for Hybrid {
    fn size(&self) -> u64 {
        self.0.size()
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.0.read_at(offset, buf)?;
        let entry = entry(0x07, self.1, 0);
        for (at, byte) in (462..).zip(entry) {
            if (offset..offset + buf.len() as u64).contains(&at) {
                buf[(at - offset) as usize] = byte;
            }
        }
        Ok(())
    }
}

fn entry(type_code: u8, mib: (u64, u64), base_mib: u64) -> [u8; 16] {
    let mut entry = [0; 16];
    entry[4] = type_code;
    entry[8..12].copy_from_slice(&(((mib.0 - base_mib) * SECTORS) as u32).to_le_bytes());
    entry[12..].copy_from_slice(&(((mib.1 - mib.0) * SECTORS) as u32).to_le_bytes());
    entry
}

#[test]
fn a_hybrid_mbr_is_asked_about_both_parts() {
    let end = end_of_disk();
    let parts = [
        recovery((1, 526), 82),
        foreign(7, (526, 600)),
        windows((600, end), 9000),
    ];
    for (named_there, expected) in [
        ((1, 526), Err("hybrid-mbr")),
        ((600, end), Err("hybrid-mbr")),
        ((526, 600), Ok(())),
    ] {
        let mut observation = with_windows(observe(&parts));
        let Ok(crate::table::Changeable::Gpt(gpt)) = &observation.table.changeable else {
            panic!("no GPT")
        };
        let device = Hybrid(Sparse(observation.size_bytes, gpt.gpt.clone()), named_there);
        observation.table = Table::of_gpt(&read_gpt(&device, SectorSize::B512).unwrap()).unwrap();
        let answer = plan(&observation, &named());
        assert_eq!(
            answer.map(|_| ()).map_err(|r| r.code()),
            expected,
            "{named_there:?}"
        );
    }
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
    let reason = NoDonor::FirstLogical;
    assert_eq!(refused, Refusal::NoDonor { number: 5, reason });
    let words = refused.report().explained;
    assert!(words.detail.contains("first logical partition"), "{words:?}");
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
        disk.table
            .places_for(disk.table.entry(1).unwrap())
            .last()
            .unwrap()
            .end,
        Lba((64 * 1024 - 1) * SECTORS)
    );
}
