//! What a plan says of itself in words and numbers, on disks of the lab.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "common/lab.rs"]
mod lab;

use lab::LabFile;
use winrefit_disk::DiskFile;
use winrefit_repair::commands::plan;
use winrefit_repair::plan::Request;
use winrefit_repair::report::Report;
use winrefit_repair::target::Target;

/// 2024-01-01 00:00 UTC.
const NOW: u64 = 1_704_067_200;

/// The plan for a disk of the lab.
fn planned(profile: &str, request: &Request) -> Report {
    let lab = LabFile::of(profile);
    let target: Target<DiskFile> = Target::open_read(&lab.path, NOW).unwrap();
    plan(&target, request, &mut |_| ()).unwrap()
}

fn reclaim() -> Request {
    Request {
        reclaim: true,
        ..Request::default()
    }
}

#[test]
fn two_commits_are_counted_and_told() {
    let plan = planned("win10-old-order", &Request::default()).plan.unwrap();
    assert_eq!(plan.strategy, "relocate");
    assert_eq!(plan.commit_steps, [2, 3]);
    assert_eq!(plan.steps.len(), 5);
    for words in [
        "partition 4 gives 1000 MiB at its end",
        "two commits",
        "becomes unallocated",
    ] {
        assert!(
            plan.summary.to_string().contains(words),
            "{words}: {}",
            plan.summary
        );
    }
    assert!(plan.undo.to_string().contains("both commits"), "{}", plan.undo);
    // The volume that moves is copied, and nothing that lies behind the donor's new end.
    assert!(plan.move_bytes > 400 << 20);
    assert!(
        plan.steps[0].to_string().contains("no data moves"),
        "{}",
        plan.steps[0]
    );
    assert_eq!(plan.recovery_free_bytes_before, Some(85 << 20));
}

#[test]
fn what_becomes_of_the_old_place_is_told() {
    let heir = planned("data-donor", &reclaim()).plan.unwrap();
    assert!(
        heir.summary
            .to_string()
            .contains("Its old place goes to partition 3"),
        "{}",
        heir.summary
    );
    assert!(
        !heir.summary.to_string().contains("changes nothing"),
        "{}",
        heir.summary
    );
    // Nothing lies before it.
    let none = planned("win10-old-order", &reclaim()).plan.unwrap();
    assert!(
        none.summary.to_string().contains("--reclaim changes nothing"),
        "{}",
        none.summary
    );
    let stays = planned("server2022", &reclaim()).plan.unwrap();
    assert!(
        stays
            .summary
            .to_string()
            .contains("no recovery partition leaves its place"),
        "{}",
        stays.summary
    );
    let plain = planned("server2022", &Request::default()).plan.unwrap();
    assert!(
        !plain.summary.to_string().contains("reclaim"),
        "{}",
        plain.summary
    );
    assert_eq!(plain.commit_steps, [plain.steps.len() as u64]);
}

#[test]
fn a_partition_that_goes_is_told_before_all_else() {
    let request = Request {
        remove_stale: Some(4),
        ..Request::default()
    };
    let plan = planned("leftover-between", &request).plan.unwrap();
    assert!(
        plan.summary
            .to_string()
            .starts_with("Partition 4, an old recovery partition"),
        "{}",
        plan.summary
    );
    assert!(
        plan.untouched[0].to_string().contains("of the recovery volume"),
        "{}",
        plan.untouched[0]
    );
    // Most of the growth is its place.
    assert!(
        plan.summary
            .to_string()
            .contains("25 MiB from the end of partition 3"),
        "{}",
        plan.summary
    );
}

#[test]
fn a_new_partition_has_no_free_space_before() {
    let report = planned("create-gap", &Request::default());
    let plan = report.plan.unwrap();
    assert_eq!((plan.strategy, plan.commit_steps), ("create", vec![1]));
    assert_eq!(plan.recovery_free_bytes_before, None);
    assert_eq!(plan.changes[0].before.sectors, 0);
    assert!(
        plan.untouched
            .iter()
            .any(|line| line.to_string() == "Partitions 1, 2 as a whole")
    );
}

#[test]
fn verification_names_only_what_a_table_has() {
    let what = |profile| {
        let items = planned(profile, &Request::default()).verification;
        let mut all = items.into_iter().map(|item| item.what.to_string());
        all.find(|what| what.starts_with("Number")).unwrap()
    };
    assert_eq!(what("mbr"), "Number, type and active flag of every partition");
    assert!(what("server2022").contains("unique GUID"));
    let plan = planned("mbr", &Request::default()).plan.unwrap();
    // The boot store on partition 1 is told of the new start.
    assert!(
        !plan
            .untouched
            .iter()
            .any(|line| line.to_string().contains("as a whole")),
        "{:?}",
        plan.untouched
    );
}
