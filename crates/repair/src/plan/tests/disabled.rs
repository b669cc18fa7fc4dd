//! Space for an image that is not on the recovery partition yet.

use super::*;
use crate::observation::{WinRe, Windows};
use crate::observe::images::{BACKUP_IMAGE, STAGED_IMAGE};
use crate::winre::{awaits_image, image_to_come_bytes};
use winrefit_formats::{ReAgent, ReAgentLocation, ReAgentTemplate};

pub fn image(path: &str, mib: u64) -> WinRe {
    WinRe {
        path: path.to_owned(),
        size_bytes: mib * MIB,
        version: Ok(None),
        architecture: None,
        modified: None,
    }
}

/// A Windows on partition 3; enabled on partition 4 if an offset is given.
pub fn windows_with(offset: Option<u64>) -> Windows {
    let winre_location = ReAgentLocation {
        path: if offset.is_some() {
            r"\Recovery\WindowsRE"
        } else {
            ""
        }
        .to_owned(),
        id: 0,
        offset: offset.unwrap_or(0),
        guid: Guid::from_u128(1),
    };
    let template = ReAgentTemplate {
        winre_location,
        install_state: offset.is_some().into(),
        ..ReAgentTemplate::default()
    };
    Windows {
        partition: 3,
        product: None,
        display_version: None,
        build: None,
        reagent: Some(Ok(ReAgent::parse(&template.to_bytes()).unwrap())),
        recovery_partition: offset.map(|_| 4),
    }
}

/// A disabled WinRE whose image waits on C:, and a recovery partition with so much free.
fn disabled(image_mib: u64, size: u64, free: u64) -> Observation {
    let end = end_of_disk();
    let mut observation = observe(&[
        windows((117, end - size), 40_000),
        recovery((end - size, end), free),
    ]);
    observation.partitions[0].other_images = vec![image(STAGED_IMAGE, image_mib)];
    observation.windows = vec![windows_with(None)];
    observation
}

#[test]
fn the_image_counts_as_space_that_is_wanted() {
    let strategy = |free| {
        let observation = disabled(441, 1200, free);
        plan(&observation, &Request::default()).unwrap().strategy
    };
    // 441 + 4 beside it + 250.
    assert_eq!(strategy(695), Strategy::Keep);
    assert_eq!(strategy(694), Strategy::ShrinkGrowFront);
    let planned = plan(&disabled(441, 1200, 694), &Request::default()).unwrap();
    assert_eq!(planned.target_free_bytes, (441 + 302) * MIB);
    // Up to 743 and the margin of 1.
    assert_eq!(planned.growth_bytes, (743 + 1 - 694) * MIB);
}

#[test]
fn wishes_are_for_the_space_beside_the_image() {
    let request = |size: Option<u64>, free: Option<u64>| Request {
        size_bytes: size.map(|mib| mib * MIB),
        free_bytes: free.map(|mib| mib * MIB),
        ..Request::default()
    };
    let observation = disabled(441, 525, 519);
    let target = |request| plan(&observation, &request).unwrap().target_free_bytes / MIB;
    assert_eq!(target(request(None, Some(400))), 841);
    assert_eq!(target(request(Some(1500), None)), 441 + 254);
    let wild = disabled(u64::MAX / MIB, 525, 519);
    assert_eq!(
        plan(&wild, &Request::default()).map_err(|refusal| refusal.code()),
        Err("target-too-large")
    );
}

#[test]
fn an_image_that_is_there_already_is_replaced_and_one_in_use_expects_no_other() {
    let mut observation = disabled(441, 525, 80);
    let to_come =
        |observation: &Observation| image_to_come_bytes(observation, &observation.partitions[1]) / MIB;
    assert_eq!(to_come(&observation), 441);
    observation.partitions[1].winre = Some(image(r"\Recovery\WindowsRE\Winre.wim", 430));
    assert_eq!(to_come(&observation), 11);
    let start = observation.partitions[1].range.start;
    observation.windows = vec![windows_with(Some(start))];
    assert_eq!(to_come(&observation), 0);
    assert!(!awaits_image(&observation, &observation.partitions[1]));
    observation.partitions[1].winre = None;
    observation.partitions[0].other_images = vec![image(BACKUP_IMAGE, 450)];
    assert_eq!(to_come(&observation), 450);
}

#[test]
fn a_partition_is_chosen_only_if_it_is_the_only_one_of_the_only_windows() {
    let code = |observation: &Observation| {
        plan(observation, &Request::default())
            .map(|plan| plan.recovery_partition.unwrap())
            .map_err(|r| r.code())
    };
    let usual = || disabled(441, 525, 519);
    assert_eq!(code(&usual()), Ok(4));
    let mut two = usual();
    two.windows.push(windows_with(None));
    assert_eq!(code(&two), Err("no-windows-reference"));
    let mut unreadable = usual();
    unreadable.windows[0].reagent = Some(Err("damaged".to_owned()));
    assert_eq!(code(&unreadable), Err("no-windows-reference"));
    let end = end_of_disk();
    let three = |mib, number, type_guid| {
        let mut observation = observe(&[
            Part {
                number,
                type_guid,
                mib,
                free: 90,
            },
            windows((6000, end - 525), 40_000),
            recovery((end - 525, end), 519),
        ]);
        observation.windows = vec![windows_with(None)];
        observation
    };
    let recovery_type = types::PARTITION_MSFT_RECOVERY_GUID;
    assert_eq!(
        code(&three((117, 567), 5, recovery_type)),
        Err("no-windows-reference")
    );
    // A factory image is no candidate.
    assert_eq!(code(&three((117, 5000), 5, recovery_type)), Ok(4));
    let mut hidden = three((117, 5000), 5, types::PARTITION_BASIC_DATA_GUID);
    assert_eq!(code(&hidden), Ok(4));
    hidden.partitions[0].content = Content::Unknown;
    assert_eq!(code(&hidden), Err("no-windows-reference"));
}
