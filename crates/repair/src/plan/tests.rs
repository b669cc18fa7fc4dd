//! The planner on observations made by hand: arithmetic and choice, without a disk.

mod create;
mod disabled;
mod losses;
mod mbr;
mod places;

use super::{Plan, Request, Sectors, Step, Strategy, plan};
use crate::observation::{Content, Ntfs, Observation, Partition, Space};
use crate::refusal::Refusal;
use crate::table::{PartitionType, Table};
use winrefit_disk::{ByteRange, Lba, SectorSize};
use winrefit_formats::gpt::types;
use winrefit_formats::{Gpt, Guid, LbaRange, PartitionName, read_gpt};
use winrefit_ntfs::Geometry;
use winrefit_ntfs::logfile::LogState;
use winrefit_ntfs::state::VolumeState;
use winrefit_ntfs::vss::ShadowCopies;

const MIB: u64 = 1 << 20;
const SECTORS: u64 = 2048;

/// A partition in MiB, with free bytes and the end of its used space.
struct Part {
    number: u32,
    type_guid: Guid,
    mib: (u64, u64),
    free: u64,
}

fn windows(mib: (u64, u64), free: u64) -> Part {
    Part {
        number: 3,
        type_guid: types::PARTITION_BASIC_DATA_GUID,
        mib,
        free,
    }
}

fn recovery(mib: (u64, u64), free: u64) -> Part {
    Part {
        number: 4,
        type_guid: types::PARTITION_MSFT_RECOVERY_GUID,
        mib,
        free,
    }
}

fn volume(sectors: u64) -> Ntfs {
    let geometry = Geometry {
        sector_size: 512,
        cluster_size: 4096,
        record_size: 1024,
        index_block_size: 4096,
        total_sectors: sectors - 1,
    };
    let state = VolumeState {
        label: String::new(),
        version: (3, 1),
        flags: 0,
        log: LogState::Clean,
        hibernated: false,
        shadow_copies: ShadowCopies::NoHeader,
    };
    Ntfs {
        geometry,
        state: Ok(state),
        space: None,
        bad_clusters: Ok(Vec::new()),
        shadow_storage: None,
    }
}

/// A 64 GiB disk with these partitions. The table is a real one, so that what the planner reads of it is real.
fn observe(parts: &[Part]) -> Observation {
    let disk_sectors = 64 * 1024 * SECTORS;
    let mut gpt = Gpt::new(Guid::from_u128(1), disk_sectors, SectorSize::B512).unwrap();
    let mut partitions = Vec::new();
    for part in parts {
        let range = LbaRange::new(Lba(part.mib.0 * SECTORS), Lba(part.mib.1 * SECTORS));
        let unique_guid = Guid::from_u128(0x100 + u128::from(part.number));
        gpt.add(winrefit_formats::Partition {
            number: part.number,
            type_guid: part.type_guid,
            unique_guid,
            range,
            attributes: 0,
            name: PartitionName::new("").unwrap(),
        })
        .unwrap();
        let mut ntfs = volume(range.sectors());
        ntfs.space = Some(Space {
            free_bytes: part.free * MIB,
            front_growth_min: Some(300 << 10),
        });
        partitions.push(Partition {
            number: part.number,
            range: range.bytes(SectorSize::B512),
            start_lba: range.start.0,
            sectors: range.sectors(),
            kind: PartitionType::Gpt(part.type_guid),
            unique_guid: Some(unique_guid),
            attributes: Some(0),
            name: String::new(),
            is_active: false,
            ebr: None,
            content: Content::Ntfs(Box::new(ntfs)),
            winre: None,
            other_images: Vec::new(),
        });
    }
    // Only both ends of the disk are ever read.
    let device = Sparse(disk_sectors * 512, gpt);
    let table = Table::of_gpt(&read_gpt(&device, SectorSize::B512).unwrap()).unwrap();
    Observation {
        size_bytes: disk_sectors * 512,
        sector_size: SectorSize::B512,
        table,
        partitions,
        windows: Vec::new(),
        boot_stores: Vec::new(),
        journal: Ok(None),
    }
}

/// A large disk of zeros with a partition table.
struct Sparse(u64, Gpt);

impl winrefit_disk::ReadAt for Sparse {
    fn size(&self) -> u64 {
        self.0
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), winrefit_disk::DiskError> {
        buf.fill(0);
        let encoded = self.1.encode();
        let parts = [
            encoded.primary_header,
            encoded.primary_entries,
            encoded.backup_entries,
            encoded.backup_header,
        ];
        let parts = parts.into_iter().map(|part| (part.lba.0 * 512, part.bytes));
        // Type and signature of a protective MBR.
        for (at, bytes) in parts.chain([(450, vec![0xee]), (510, vec![0x55, 0xaa])]) {
            let range = ByteRange::new(offset, offset + buf.len() as u64);
            for (i, byte) in bytes.iter().enumerate() {
                let place = at + i as u64;
                if place >= range.start && place < range.end {
                    buf[(place - offset) as usize] = *byte;
                }
            }
        }
        Ok(())
    }
}

fn named() -> Request {
    Request {
        recovery_partition: Some(4),
        ..Request::default()
    }
}

fn end_of_disk() -> u64 {
    64 * 1024 - 1
}

fn moved(plan: &Plan, number: u32) -> Sectors {
    let steps = plan.steps.iter();
    let mut found = steps.filter_map(|step| match step {
        Step::SetPartition { partition, after, .. } if *partition == number => Some(*after),
        _ => None,
    });
    found.next().unwrap()
}

#[test]
fn the_usual_disk_gets_1000_mib_from_windows() {
    let end = end_of_disk();
    let observation = observe(&[windows((117, end - 525), 40_000), recovery((end - 525, end), 82)]);
    let plan = plan(&observation, &named()).unwrap();
    assert_eq!(plan.strategy, Strategy::ShrinkGrowFront);
    assert_eq!(
        moved(&plan, 4),
        Sectors {
            start: (end - 1000) * SECTORS,
            end: end * SECTORS
        }
    );
    assert_eq!(moved(&plan, 3).end, (end - 1000) * SECTORS);
    assert_eq!(plan.growth_bytes, 475 * MIB);
}

#[test]
fn a_large_image_gets_what_its_free_space_needs_and_edges_stay_aligned() {
    let end = end_of_disk();
    let observation = observe(&[windows((117, end - 990), 40_000), recovery((end - 990, end), 100)]);
    let plan = plan(&observation, &named()).unwrap();
    // 302 MiB free and a margin of 1 MiB: 203 MiB more than the 100 that are free.
    assert_eq!(plan.growth_bytes, 203 * MIB);
    assert_eq!(moved(&plan, 4).start % SECTORS, 0);
}

#[test]
fn mib_250_free_are_enough_and_a_byte_less_is_not() {
    let end = end_of_disk();
    let parts = |free| {
        [
            windows((117, end - 600), 40_000),
            recovery((end - 600, end), free),
        ]
    };
    assert_eq!(
        plan(&observe(&parts(250)), &named()).unwrap().strategy,
        Strategy::Keep
    );
    let mut observation = observe(&parts(250));
    if let Content::Ntfs(ntfs) = &mut observation.partitions[1].content {
        ntfs.space.as_mut().unwrap().free_bytes -= 1;
    }
    assert_eq!(
        plan(&observation, &named()).unwrap().strategy,
        Strategy::ShrinkGrowFront
    );
}

#[test]
fn wishes_override_and_the_cap_holds() {
    let end = end_of_disk();
    let observation = observe(&[windows((117, end - 525), 40_000), recovery((end - 525, end), 82)]);
    let with = |size: Option<u64>, free: Option<u64>| {
        let request = Request {
            size_bytes: size.map(|s| s * MIB),
            free_bytes: free.map(|f| f * MIB),
            ..named()
        };
        plan(&observation, &request)
    };
    assert_eq!(with(Some(1550), None).unwrap().growth_bytes, 1025 * MIB);
    assert_eq!(with(None, Some(1000)).unwrap().growth_bytes, 919 * MIB);
    assert_eq!(
        with(None, Some(100)).unwrap().growth_bytes,
        19 * MIB,
        "the default size is not asked for"
    );
    assert_eq!(with(Some(2048), None).unwrap().growth_bytes, (2048 - 525) * MIB);
    assert!(matches!(
        with(Some(2049), None),
        Err(Refusal::TargetTooLarge { .. })
    ));
    assert!(matches!(
        with(Some(u64::MAX / MIB), None),
        Err(Refusal::TargetTooLarge { .. })
    ));
    assert_eq!(with(Some(500), Some(80)).unwrap().strategy, Strategy::Keep);
}

#[test]
fn a_donor_keeps_its_share_and_its_tail_has_to_be_free() {
    let end = end_of_disk();
    let case = |free| {
        let donor = windows((117, end - 525), free);
        plan(&observe(&[donor, recovery((end - 525, end), 82)]), &named())
    };
    assert!(case(2048 + 475).is_ok());
    let refused = case(2048 + 474);
    assert!(
        matches!(refused, Err(Refusal::DonorTooFull { number: 3, .. })),
        "{refused:?}"
    );
}

#[test]
fn a_donor_volume_that_ends_before_its_partition_gives_less() {
    let end = end_of_disk();
    let case = |volume_mib| {
        let donor = windows((117, end - 525), 2048);
        let mut observation = observe(&[donor, recovery((end - 525, end), 82)]);
        let Content::Ntfs(ntfs) = &mut observation.partitions[0].content else {
            panic!("not NTFS")
        };
        ntfs.geometry.total_sectors = volume_mib * SECTORS - 1;
        plan(&observation, &named())
    };
    let size = end - 525 - 117;
    assert!(case(size - 475).is_ok());
    let refused = case(size - 474);
    assert!(
        matches!(refused, Err(Refusal::DonorTooFull { number: 3, needed_bytes, .. }) if needed_bytes == MIB),
        "{refused:?}"
    );
}

#[test]
fn unsafe_volumes_are_refused_by_their_own_codes() {
    let end = end_of_disk();
    let refusal = |index: usize, change: &dyn Fn(&mut VolumeState)| {
        let mut observation = observe(&[windows((117, end - 525), 40_000), recovery((end - 525, end), 82)]);
        if let Content::Ntfs(ntfs) = &mut observation.partitions[index].content {
            change(ntfs.state.as_mut().unwrap());
        }
        plan(&observation, &named()).map_err(|refusal| refusal.code())
    };
    for index in [0, 1] {
        assert_eq!(refusal(index, &|s| s.hibernated = true), Err("hibernated"));
        assert_eq!(refusal(index, &|s| s.flags = 1), Err("dirty"));
        assert_eq!(refusal(index, &|s| s.log = LogState::InUse), Err("unclean-log"));
        assert_eq!(
            refusal(index, &|s| s.log = LogState::FastStartup { minor: 0 }),
            Err("fast-startup")
        );
        assert_eq!(
            refusal(index, &|s| s.log = LogState::Damaged),
            Err("damaged-ntfs")
        );
        assert_eq!(refusal(index, &|s| s.version = (3, 0)), Err("ntfs-version"));
        assert!(refusal(index, &|s| s.log = LogState::Uninitialized).is_ok());
        assert!(
            refusal(index, &|s| s.flags = 0x80).is_ok(),
            "a flag that every Windows 10 volume has"
        );
    }
}

#[test]
fn foreign_neighbours_and_foreign_volumes_are_refused() {
    let end = end_of_disk();
    let with = |index: usize, content: Content, type_guid: Option<Guid>| {
        let mut observation = observe(&[windows((117, end - 525), 40_000), recovery((end - 525, end), 82)]);
        observation.partitions[index].content = content;
        if let Some(type_guid) = type_guid {
            observation.partitions[index].kind = PartitionType::Gpt(type_guid);
        }
        plan(&observation, &named()).map_err(|refusal| refusal.code())
    };
    assert_eq!(with(0, Content::BitLocker, None), Err("bitlocker"));
    assert_eq!(with(1, Content::BitLocker, None), Err("bitlocker"));
    assert_eq!(with(0, Content::Refs, None), Err("refs"));
    assert_eq!(with(0, Content::Unknown, None), Err("foreign-boot-sector"));
    assert_eq!(
        with(0, Content::Unknown, Some(types::LINUX_FILESYSTEM_GUID)),
        Err("no-donor")
    );
    assert_eq!(with(1, Content::Fat("fat32"), None), Err("unknown-filesystem"));
    assert_eq!(
        with(0, Content::Empty, Some(types::PARTITION_LDM_DATA_GUID)),
        Err("managed-disk")
    );
    assert_eq!(
        with(0, Content::Empty, Some(types::PARTITION_SPACES_GUID)),
        Err("managed-disk")
    );
}

#[test]
fn an_encrypted_windows_that_cannot_be_told_of_a_new_start_stops_a_front_growth_only() {
    let end = end_of_disk();
    let gap_before = observe(&[windows((117, end - 1100), 40_000), recovery((end - 525, end), 82)]);
    assert_eq!(plan(&gap_before, &named()).unwrap().strategy, Strategy::GrowFront);
    let mut encrypted = gap_before;
    encrypted.partitions[0].content = Content::BitLocker;
    assert_eq!(plan(&encrypted, &named()), Err(Refusal::BitLocker { number: 3 }));
    encrypted.partitions[0].content = Content::Unknown;
    let refused = plan(&encrypted, &named()).unwrap_err();
    assert_eq!(refused.code(), "foreign-boot-sector");
    let mut gap_behind = observe(&[
        windows((117, end - 1525), 40_000),
        recovery((end - 1525, end - 1000), 82),
    ]);
    gap_behind.partitions[0].content = Content::BitLocker;
    assert_eq!(plan(&gap_behind, &named()).unwrap().strategy, Strategy::GrowEnd);
}

#[test]
fn which_partition_is_the_recovery_partition() {
    let end = end_of_disk();
    let observation = observe(&[windows((117, end - 525), 40_000), recovery((end - 525, end), 82)]);
    let code = |number| {
        let request = Request {
            recovery_partition: number,
            ..Request::default()
        };
        plan(&observation, &request).map_err(|refusal| refusal.code())
    };
    assert_eq!(code(None), Err("no-windows-reference"));
    assert_eq!(code(Some(3)), Err("not-recovery-type"));
    assert_eq!(code(Some(9)), Err("no-such-partition"));
    let large = observe(&[
        windows((117, end - 3000), 40_000),
        recovery((end - 3000, end), 82),
    ]);
    assert!(matches!(
        plan(&large, &named()),
        Err(Refusal::RecoveryTooLarge { number: 4, .. })
    ));
    let first = observe(&[recovery((1, 526), 82), windows((526, end), 40_000)]);
    assert_eq!(plan(&first, &named()).unwrap().strategy, Strategy::Relocate);
}

#[test]
fn a_plan_is_a_value_that_can_be_kept() {
    let end = end_of_disk();
    let observation = observe(&[windows((117, end - 525), 40_000), recovery((end - 525, end), 82)]);
    let first = plan(&observation, &named()).unwrap();
    assert_eq!(plan(&observation, &named()).unwrap(), first);
    insta::assert_snapshot!(serde_json::to_string_pretty(&first).unwrap());
}
