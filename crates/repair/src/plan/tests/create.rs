//! A disk without a recovery partition: one is made, or it is said why not.

use super::disabled::{image, windows_with};
use super::*;
use crate::observe::images::STAGED_IMAGE;
use crate::refusal::NoCreate;

/// Windows alone on a disk, WinRE disabled, its image put aside.
fn alone(free: u64) -> Observation {
    let mut observation = observe(&[windows((117, end_of_disk()), free)]);
    observation.partitions[0].other_images = vec![image(STAGED_IMAGE, 441)];
    observation.windows = vec![windows_with(None)];
    observation
}

fn refusal(observation: &Observation) -> Refusal {
    plan(observation, &Request::default()).unwrap_err()
}

#[test]
fn one_is_made_in_two_commits() {
    let plan = plan(&alone(40_000), &Request::default()).unwrap();
    assert_eq!(plan.strategy, Strategy::Create);
    let then = plan.then.unwrap();
    assert!(
        plan.steps
            .iter()
            .any(|step| matches!(step, Step::ShrinkEnd { .. }))
    );
    assert!(matches!(
        then.steps[..],
        [Step::CreatePartition { partition: 1, .. }]
    ));
}

#[test]
fn the_reason_why_none_can_be_made_is_named() {
    let because = |change: fn(&mut Observation)| {
        let mut observation = alone(40_000);
        change(&mut observation);
        refusal(&observation)
    };
    let reason = |reason| Refusal::CannotCreate { reason };
    assert_eq!(because(|o| o.windows.clear()), reason(NoCreate::NoWindows));
    let several = because(|o| o.windows.push(windows_with(None)));
    assert_eq!(several, reason(NoCreate::SeveralWindows { numbers: vec![3, 3] }));
    let unreadable = because(|o| o.windows[0].reagent = Some(Err("torn".into())));
    assert_eq!(unreadable, reason(NoCreate::UnknownState { number: 3 }));
    let enabled = because(|o| {
        let mut windows = windows_with(Some(MIB));
        windows.recovery_partition = None;
        o.windows = vec![windows];
    });
    assert_eq!(enabled, reason(NoCreate::InUseElsewhere { number: 3 }));
    let no_image = because(|o| o.partitions[0].other_images.clear());
    assert_eq!(no_image, reason(NoCreate::NoImage { number: 3 }));
    let torn = because(|o| o.partitions[0].other_images[0].version = Err("torn".into()));
    assert_eq!(torn, reason(NoCreate::NoImage { number: 3 }));
    assert_eq!(
        refusal(&alone(300)),
        reason(NoCreate::NoRoom {
            number: 3,
            needed_bytes: 1000 * MIB
        })
    );
}

#[test]
fn every_reason_keeps_the_code_and_has_a_way_out() {
    let all = [
        NoCreate::NoWindows,
        NoCreate::SeveralWindows {
            numbers: vec![3, 5, 7],
        },
        NoCreate::UnknownState { number: 3 },
        NoCreate::InUseElsewhere { number: 3 },
        NoCreate::NoImage { number: 3 },
        NoCreate::NoRoom {
            number: 3,
            needed_bytes: 1000 * MIB,
        },
    ];
    for reason in all {
        let report = Refusal::CannotCreate {
            reason: reason.clone(),
        }
        .report();
        assert_eq!(report.code, "no-recovery-partition");
        let words = report.explained;
        assert!(
            !words.next.is_empty() && words.detail.to_string().ends_with('.'),
            "{words:?}"
        );
        assert!(!words.detail.to_string().contains("not supported"), "{words:?}");
        match reason {
            NoCreate::NoWindows => {}
            NoCreate::SeveralWindows { .. } => {
                assert!(words.detail.to_string().contains("3, 5 and 7"), "{words:?}")
            }
            NoCreate::NoRoom { .. } => assert!(words.detail.to_string().contains("1000 MiB"), "{words:?}"),
            _ => assert!(words.detail.to_string().contains("partition 3"), "{words:?}"),
        }
    }
}
