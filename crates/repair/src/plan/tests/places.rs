//! A new place, the old one given away, leftovers: the arithmetic of it.

use super::mbr::{entry, mib};
use super::*;
use crate::observation::Windows;
use crate::refusal::NoDonor;
use winrefit_disk::{DiskError, ReadAt};
use winrefit_formats::{ReAgentLocation, ReAgentTemplate};

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
    assert!(words.detail.to_string().contains("another place"), "{words:?}");
    assert!(!words.next.to_string().contains("not supported"), "{words:?}");
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
    // Where the image that is in use is gone, that of the leftover is what can be put in its place.
    let mut observation = disk(300);
    let image = |path: &str| crate::observation::WinRe {
        path: path.to_owned(),
        size_bytes: 1,
        version: Ok(None),
        architecture: None,
        modified: None,
    };
    observation.partitions[1].winre = Some(image("theirs"));
    assert_eq!(code(&observation, 6), Err("not-stale"));
    observation.partitions[0].other_images = vec![image("staged")];
    assert_eq!(code(&observation, 6).map(|plan| plan.removes(6)), Ok(true));
    // A Windows that nobody can read may use it.
    let border = end - 525;
    let data = Part {
        number: 7,
        ..windows((117, 1000), 500)
    };
    let mut observation = with_windows(observe(&[
        data,
        windows((1000, border - 300), 40_000),
        stale((border - 300, border)),
        recovery((border, end), 82),
    ]));
    assert_eq!(code(&observation, 6).map(|plan| plan.removes(6)), Ok(true));
    observation.partitions[0].content = Content::BitLocker;
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
