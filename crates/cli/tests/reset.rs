//! `reset-update` with the binary on whole lab disks: shown, asked for, done, undone; exit codes, pages and reports.
#![allow(clippy::unwrap_used)]

#[path = "peer_disk/support.rs"]
#[allow(dead_code)]
mod support;

use support::{hash_of, report, winrefit};

fn made(profile: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path().join("disk.img").to_str().unwrap().to_owned();
    let made = winrefit(&["lab", "create", profile, &disk, "--files", "40"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (directory, disk)
}

#[test]
fn shown_asked_for_done_and_undone() {
    let (_directory, disk) = made("case-update-service-disabled");
    let old = hash_of(disk.as_ref());
    let shown = report(3, &["reset-update", &disk, "--dry-run"]);
    assert_eq!(shown["command"], "reset-update");
    assert_eq!(shown["findings"][0]["code"], "reset-may-help");
    assert_eq!(shown["plan"]["strategy"], "reset-update");
    assert_eq!(shown["plan"]["steps"].as_array().unwrap().len(), 3);
    // Nobody is there to be asked.
    let output = winrefit(&["reset-update", &disk]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(hash_of(disk.as_ref()), old, "nothing was written");

    let done = report(0, &["reset-update", &disk, "--yes"]);
    assert_eq!(done["verdict"], "repaired");
    let items = done["verification"].as_array().unwrap();
    assert!(
        items.len() > 5 && items.iter().all(|item| item["ok"] == true),
        "{items:?}"
    );
    let told = report(0, &["verify", &disk]);
    let memo = told["journal"]["memo"].as_str().unwrap();
    assert!(memo.ends_with("reset-update, Windows on partition 3"), "{memo}");
    let again = report(0, &["reset-update", &disk, "--yes"]);
    assert_eq!(
        (&again["verdict"], &again["plan"]["steps"]),
        (&"healthy".into(), &serde_json::json!([]))
    );
    assert_eq!(report(0, &["undo", &disk, "--yes"])["verdict"], "undone");
    assert_eq!(hash_of(disk.as_ref()), old);
}

#[test]
fn a_dry_run_where_nothing_speaks_for_a_reset_calls_for_nothing() {
    let (_directory, disk) = made("healthy");
    let shown = report(0, &["reset-update", &disk, "--dry-run"]);
    assert_eq!(shown["verdict"], "healthy");
    assert_eq!(shown["plan"]["steps"].as_array().unwrap().len(), 2);
    let output = winrefit(&["reset-update", &disk, "--dry-run", "--width", "100"]);
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains("Nothing speaks for a reset"), "{page}");
    assert!(
        !page.contains("Needs repair") && page.contains("Will write"),
        "{page}"
    );
}

#[test]
fn one_part_alone_is_reset_on_demand() {
    let (_directory, disk) = made("case-optimiser");
    let steps = |only: &str| {
        let shown = report(3, &["reset-update", &disk, "--dry-run", "--only", only]);
        shown["plan"]["steps"].as_array().unwrap().len()
    };
    assert_eq!((steps("folders"), steps("services")), (2, 3));
}

#[test]
fn a_reset_that_does_not_help_says_so_at_the_top() {
    let (_directory, disk) = made("case-kb5034441");
    let output = winrefit(&["reset-update", &disk, "--dry-run", "--width", "100"]);
    assert_eq!(output.status.code(), Some(3));
    let page = String::from_utf8(output.stdout).unwrap();
    let place = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}:\n{page}"));
    assert!(
        place("Resetting Windows Update will not cure what was found") < place("re-update-fails-for-space")
    );
    assert!(place("reset-will-not-help") < place("Disk  "));
    assert!(place("winrefit fix") < place("Plan\n"));
}

#[test]
fn what_cannot_be_reset_is_refused() {
    let (_directory, disk) = made("case-dirty-system");
    let old = hash_of(disk.as_ref());
    let refused = report(4, &["reset-update", &disk, "--yes"]);
    assert_eq!(refused["refusal"]["code"], "hive-dirty");
    assert_eq!(refused["findings"][0]["code"], "reset-will-not-help");
    assert_eq!(hash_of(disk.as_ref()), old, "nothing was written");
    let absent = winrefit(&["reset-update", &disk, "--dry-run", "--windows", "9"]);
    assert_eq!(absent.status.code(), Some(2));
    let other = report(4, &["reset-update", &disk, "--dry-run", "--windows", "4"]);
    assert_eq!(other["refusal"]["code"], "no-windows");
    let both = winrefit(&["reset-update", &disk, "--dry-run", "--yes"]);
    assert_eq!(both.status.code(), Some(2));
}
