//! What a repair would lose: shadow copies and sectors that are known to be bad.

use super::*;
use crate::plan::Dropped;
use winrefit_ntfs::Lcn;
use winrefit_ntfs::runs::Run;
use winrefit_ntfs::vss::{Catalog, Storage, Store, Structure, VssDamage};

const DAY: u64 = 864_000_000_000;
const NEW_YEAR_2024: u64 = 133_485_408_000_000_000;
/// Where the usual plan ends the Windows volume, in MiB from its start.
const NEW_END: u64 = 64 * 1024 - 1 - 1000 - 117;

fn usual() -> Observation {
    let end = end_of_disk();
    observe(&[windows((117, end - 525), 40_000), recovery((end - 525, end), 82)])
}

fn catalog(stores: u64, end: u64) -> ShadowCopies {
    let stores = (0..stores).map(|n| Store {
        id: [n as u8; 16],
        created: Some(NEW_YEAR_2024 + n * DAY),
    });
    ShadowCopies::Catalog(Catalog {
        offset: end - 0x4000,
        end,
        stores: stores.collect(),
    })
}

fn damaged(structure: Structure) -> ShadowCopies {
    ShadowCopies::Damaged(VssDamage {
        structure,
        position: 0x1E00,
        field: "version",
        actual: 9,
    })
}

fn set(observation: &mut Observation, index: usize, shadow_copies: ShadowCopies) {
    let Content::Ntfs(ntfs) = &mut observation.partitions[index].content else {
        panic!("not NTFS")
    };
    let files = !shadow_copies.stores().is_empty();
    ntfs.shadow_storage = files.then_some(Storage {
        files: 2,
        bytes: 3 * MIB,
        end: 9 * MIB,
    });
    ntfs.state.as_mut().unwrap().shadow_copies = shadow_copies;
}

/// The plan for the usual disk if the partition of this index has these shadow copies.
fn with(index: usize, shadow_copies: ShadowCopies, drop_shadow_copies: bool) -> Result<Plan, Refusal> {
    let mut observation = usual();
    set(&mut observation, index, shadow_copies);
    let request = Request {
        drop_shadow_copies,
        ..named()
    };
    plan(&observation, &request)
}

fn dropped(plan: &Plan) -> Vec<Dropped> {
    let steps = plan.steps.iter().filter_map(|step| match step {
        Step::DropShadowCopies(dropped) => Some(*dropped),
        _ => None,
    });
    steps.collect()
}

#[test]
fn shadow_copies_of_either_volume_are_given_up_only_if_asked_for() {
    for index in [0, 1] {
        let found = catalog(3, MIB);
        let number = 3 + index as u32;
        assert_eq!(
            with(index, found.clone(), false),
            Err(Refusal::ShadowCopies {
                number,
                found: found.clone()
            })
        );
        let plan = with(index, found, true).unwrap();
        let expected = Dropped {
            partition: number,
            count: Some(3),
            oldest: Some(NEW_YEAR_2024),
            newest: Some(NEW_YEAR_2024 + 2 * DAY),
            storage_bytes: Some(3 * MIB),
        };
        assert_eq!(dropped(&plan), [expected]);
        assert_eq!(plan.steps[0], Step::DropShadowCopies(expected), "before all else");
        assert!(plan.changed_partitions().contains(&number));
    }
}

#[test]
fn what_is_no_shadow_copy_is_no_obstacle() {
    for allowed in [false, true] {
        for index in [0, 1] {
            for none in [ShadowCopies::NoHeader, ShadowCopies::NoCatalog] {
                assert!(dropped(&with(index, none, allowed).unwrap()).is_empty());
            }
        }
        let empty = catalog(0, NEW_END * MIB);
        assert!(dropped(&with(0, empty, allowed).unwrap()).is_empty());
    }
}

#[test]
fn an_empty_catalog_has_to_go_where_its_place_is_lost() {
    for (index, end) in [(0, NEW_END * MIB + 1), (1, MIB)] {
        let refused = with(index, catalog(0, end), false).map_err(|refusal| refusal.code());
        assert_eq!(refused, Err("shadow-copies"));
        let plan = with(index, catalog(0, end), true).unwrap();
        assert_eq!(dropped(&plan)[0].count, Some(0));
    }
}

#[test]
fn storage_of_another_volume_is_not_moved_without_a_word() {
    let with = |index: usize, end: u64, drop_shadow_copies: bool| {
        let mut observation = usual();
        set(&mut observation, index, ShadowCopies::NoCatalog);
        let Content::Ntfs(ntfs) = &mut observation.partitions[index].content else {
            panic!("not NTFS")
        };
        ntfs.shadow_storage = Some(Storage {
            files: 1,
            bytes: MIB,
            end,
        });
        let request = Request {
            drop_shadow_copies,
            ..named()
        };
        plan(&observation, &request)
    };
    assert!(dropped(&with(0, NEW_END * MIB, false).unwrap()).is_empty());
    for (index, end) in [(0, NEW_END * MIB + 1), (1, MIB)] {
        let refusal = with(index, end, false).unwrap_err();
        assert_eq!(refusal.code(), "shadow-copies");
        let said = refusal.report().explained.detail;
        assert!(said.to_string().contains("another volume"), "{said}");
        let plan = with(index, end, true).unwrap();
        assert_eq!((dropped(&plan).len(), dropped(&plan)[0].count), (1, None));
    }
}

#[test]
fn a_damaged_catalog_can_be_given_up_and_a_header_of_unknown_form_cannot() {
    for structure in [Structure::CatalogBlock, Structure::CatalogEntry, Structure::Chain] {
        assert!(with(0, damaged(structure), false).is_err());
        assert_eq!(
            dropped(&with(0, damaged(structure), true).unwrap())[0].count,
            None
        );
    }
    for allowed in [false, true] {
        let refusal = with(0, damaged(Structure::Header), allowed).unwrap_err();
        let words = refusal.report().explained;
        assert_eq!(refusal.code(), "shadow-copies");
        assert!(
            !words.next.to_string().contains("--drop-shadow-copies"),
            "{}",
            words.next
        );
    }
}

#[test]
fn growth_at_the_end_leaves_shadow_copies_alone() {
    let end = end_of_disk();
    let mut observation = observe(&[
        windows((117, end - 1525), 40_000),
        recovery((end - 1525, end - 1000), 82),
    ]);
    for index in [0, 1] {
        set(&mut observation, index, catalog(2, MIB));
    }
    let plan = plan(&observation, &named()).unwrap();
    assert_eq!((plan.strategy, dropped(&plan).len()), (Strategy::GrowEnd, 0));
}

#[test]
fn the_refusal_says_how_many_and_names_both_ways_out() {
    for (count, words) in [
        (0, "no shadow copy"),
        (1, "1 shadow copy"),
        (12, "12 shadow copies"),
    ] {
        let refusal = with(0, catalog(count, NEW_END * MIB + 1), false).unwrap_err();
        let said = refusal.report().explained;
        assert!(said.title.to_string().contains(words), "{}", said.title);
        for way in ["vssadmin delete shadows /for=C: /all", "--drop-shadow-copies"] {
            assert!(said.next.to_string().contains(way), "{}", said.next);
        }
    }
    let plan = with(0, catalog(3, MIB), true).unwrap();
    insta::assert_snapshot!(plan.steps[0].text(512, 0), @"Give up the shadow copies of partition 3: 3 shadow copies, made between 2024-01-01 00:00 UTC and 2024-01-03 00:00 UTC. The header of the volume says that there are none; their files in System Volume Information (3 MiB) stay.");
}

#[test]
fn bad_clusters_stop_a_border_that_would_move_before_them() {
    let with = |runs: &[(u64, u64)]| {
        let mut observation = usual();
        let Content::Ntfs(ntfs) = &mut observation.partitions[0].content else {
            panic!("not NTFS")
        };
        let run = |&(lcn, clusters): &(u64, u64)| Run {
            lcn: Some(Lcn(lcn)),
            clusters,
        };
        ntfs.bad_clusters = Ok(runs.iter().map(run).collect());
        plan(&observation, &named()).map(|plan| plan.strategy)
    };
    let border = NEW_END * MIB / 4096;
    let refused = |count, lcn| {
        Err(Refusal::BadClusters {
            number: 3,
            count,
            first_byte: 117 * MIB + lcn * 4096,
        })
    };
    assert_eq!(with(&[]), Ok(Strategy::ShrinkGrowFront));
    assert_eq!(with(&[(0, 5), (border - 3, 3)]), Ok(Strategy::ShrinkGrowFront));
    assert_eq!(with(&[(border - 3, 4)]), refused(1, border));
    assert_eq!(
        with(&[(7, 1), (border + 10, 2), (border + 90, 5)]),
        refused(7, border + 10)
    );
}

#[test]
fn a_list_of_bad_clusters_that_cannot_be_read_is_damage() {
    let mut observation = usual();
    let Content::Ntfs(ntfs) = &mut observation.partitions[0].content else {
        panic!("not NTFS")
    };
    ntfs.bad_clusters = Err(winrefit_ntfs::NtfsError::TooMuch {
        what: "runs of bad clusters",
        actual: 2,
        limit: 1,
    });
    let refused = plan(&observation, &named()).map_err(|refusal| refusal.code());
    assert_eq!(refused, Err("damaged-ntfs"));
}
