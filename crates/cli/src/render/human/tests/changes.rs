//! Pages of plans that do more than move a border: another place, a new partition, one that goes, two commits, an MBR.

use super::fixtures::*;
use crate::output::Screen;
use crate::render::human::render;
use winrefit_repair::report::*;

fn change(partition: u32, before: RangeReport, after: RangeReport) -> ChangeReport {
    ChangeReport {
        partition,
        before,
        after,
    }
}

/// No sectors, at `mib`.
fn nothing(mib: u64) -> RangeReport {
    range(mib..mib)
}

/// The recovery partition goes from the start of the disk to its end, in two commits.
fn relocation() -> Report {
    let mut report = planned();
    let disk = report.disk.as_mut().unwrap();
    disk.partitions = vec![
        partition(1, 1..530, "recovery", Some(85 * MIB)),
        partition(2, 530..630, "efi-system", None),
        partition(3, 630..646, "reserved", None),
        partition(4, 646..65_535, "windows", Some(54_321 * MIB)),
    ];
    let plan = report.plan.as_mut().unwrap();
    plan.strategy = "relocate";
    plan.summary = "Recovery partition 1 cannot grow where it is, so it moves.".raw();
    plan.steps = ["Shrink 4.", "Set 4.", "Copy 1.", "Set 1."].map(Raw::raw).into();
    plan.commit_steps = vec![2, 2];
    (plan.move_bytes, plan.move_seconds) = (444 * MIB + 4096, 19);
    plan.recovery_free_bytes_before = Some(85 * MIB);
    plan.recovery_free_bytes_after = Some(555 * MIB);
    plan.changes = vec![
        change(4, range(646..65_535), range(646..64_535)),
        change(1, range(1..530), range(64_535..65_535)),
    ];
    report
}

fn relocated() -> Report {
    let plan = relocation().plan;
    let mut report = repaired();
    let disk = report.disk.as_mut().unwrap();
    disk.partitions = vec![
        partition(2, 530..630, "efi-system", None),
        partition(3, 630..646, "reserved", None),
        partition(4, 646..64_535, "windows", Some(53_321 * MIB)),
        partition(1, 64_535..65_535, "recovery", Some(555 * MIB)),
    ];
    report.recovery.as_mut().unwrap().free_bytes = Some(555 * MIB);
    report.plan = plan;
    report
}

/// A recovery partition where there is none, in space that Windows gives.
fn creation() -> Report {
    let mut report = planned();
    report.recovery = None;
    let disk = report.disk.as_mut().unwrap();
    disk.partitions.pop();
    disk.partitions[2] = partition(3, 117..65_535, "windows", Some(54_321 * MIB));
    let plan = report.plan.as_mut().unwrap();
    plan.strategy = "create";
    plan.commit_steps = vec![2, 2];
    plan.recovery_free_bytes_before = None;
    plan.afterwards = vec!["In Windows, as administrator: `reagentc /enable`.".raw()];
    plan.changes = vec![
        change(3, range(117..65_535), range(117..64_535)),
        change(4, nothing(64_535), range(64_535..65_535)),
    ];
    report
}

/// An old recovery partition goes, and the active one gets its place and a little of Windows'.
fn removal() -> Report {
    let mut report = planned();
    let disk = report.disk.as_mut().unwrap();
    disk.partitions[2] = partition(3, 117..64_560, "windows", Some(54_321 * MIB));
    disk.partitions[3] = partition(4, 64_560..65_010, "leftover", Some(20 * MIB));
    disk.partitions
        .push(partition(5, 65_010..65_535, "recovery", Some(21_087 * 4096)));
    report.plan.as_mut().unwrap().changes = vec![
        change(4, range(64_560..65_010), nothing(64_560)),
        change(3, range(117..64_560), range(117..64_535)),
        change(5, range(65_010..65_535), range(64_535..65_535)),
    ];
    report
}

/// System Reserved is active, D: and the recovery partition are logical.
fn mbr() -> Report {
    let mut report = diagnosis();
    let disk = report.disk.as_mut().unwrap();
    (disk.style, disk.disk_guid) = ("mbr", None);
    let mut reserved = partition(1, 1..501, "active", Some(490 * MIB));
    reserved.label = Some("System Reserved".into());
    let mut data = partition(5, 40_001..65_009, "data", Some(20_000 * MIB));
    data.label = Some("Data of a long name indeed".into());
    disk.partitions = vec![
        reserved,
        partition(2, 501..40_000, "windows", Some(30_000 * MIB)),
        data,
        partition(6, 65_010..65_535, "recovery", Some(21_087 * 4096)),
    ];
    report
}

fn flat(page: &str) -> String {
    page.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn relocation_at_80() {
    insta::assert_snapshot!(show(&relocation(), 80, false));
}

#[test]
fn relocation_at_80_in_ascii() {
    insta::assert_snapshot!(show(&relocation(), 80, true));
}

#[test]
fn relocated_at_80() {
    insta::assert_snapshot!(show(&relocated(), 80, false));
}

#[test]
fn creation_at_80() {
    insta::assert_snapshot!(show(&creation(), 80, false));
}

#[test]
fn removal_at_80() {
    insta::assert_snapshot!(show(&removal(), 80, false));
}

#[test]
fn mbr_at_80() {
    insta::assert_snapshot!(show(&mbr(), 80, false));
}

#[test]
fn a_partition_that_moves_has_an_old_and_a_new_place() {
    let page = flat(&show(&relocation(), 80, true));
    assert!(page.contains("After the repair"), "{page}");
    assert!(!page.contains("enlarged"), "{page}");
    assert!(
        page.contains(
            "moves: begins at 63.0 GiB instead of 1 MiB, behind partition 4; its old place (529 MiB) becomes unallocated"
        ),
        "{page}"
    );
    let page = flat(&show(&relocated(), 80, true));
    assert!(page.contains("Before the repair"), "{page}");
    assert!(
        page.contains("Repaired. Free space for updates: 85 MiB -> 555 MiB."),
        "{page}"
    );
}

#[test]
fn an_old_place_that_is_reclaimed_has_an_heir() {
    let mut report = relocation();
    let disk = report.disk.as_mut().unwrap();
    disk.partitions[3] = partition(4, 646..40_000, "windows", None);
    disk.partitions[0] = partition(1, 40_000..40_529, "recovery", Some(85 * MIB));
    disk.partitions
        .push(partition(5, 40_529..65_535, "donor", Some(20_000 * MIB)));
    report.plan.as_mut().unwrap().changes = vec![
        change(5, range(40_529..65_535), range(40_529..64_535)),
        change(1, range(40_000..40_529), range(64_535..65_535)),
        change(4, range(646..40_000), range(646..40_529)),
    ];
    let page = flat(&show(&report, 80, true));
    assert!(
        page.contains("behind partition 5; its old place (529 MiB) goes to partition 4"),
        "{page}"
    );
}

#[test]
fn what_comes_and_what_goes_is_no_change_of_size() {
    let page = flat(&show(&creation(), 80, true));
    assert!(page.contains("4 Recovery new, 1000 MiB"), "{page}");
    let page = flat(&show(&removal(), 80, true));
    assert!(page.contains("goes, its 450 MiB go to partition 5"), "{page}");
    assert!(!page.contains("0 MiB  ("), "{page}");
    let mut behind = removal();
    behind.plan.as_mut().unwrap().changes.truncate(1);
    let page = flat(&show(&behind, 80, true));
    assert!(page.contains("goes, 450 MiB become unallocated"), "{page}");
}

#[test]
fn a_partition_that_went_is_drawn_where_it_was() {
    let mut report = removal();
    report.verdict = Verdict::Repaired;
    let disk = report.disk.as_mut().unwrap();
    disk.partitions.remove(3);
    disk.partitions[2] = partition(3, 117..64_535, "windows", None);
    disk.partitions[3] = partition(5, 64_535..65_535, "recovery", Some(557 * MIB));
    let page = show(&report, 80, true);
    let before = page.lines().find(|line| line.contains("-4 Recovery-"));
    assert!(before.is_some(), "{page}");
    assert!(page.contains("goes, its 450 MiB go to partition 5"), "{page}");
}

#[test]
fn two_commits_are_told_apart() {
    let page = show(&relocation(), 80, true);
    let at = |needle: &str| {
        page.find(needle)
            .unwrap_or_else(|| panic!("no {needle}:\n{page}"))
    };
    let order = ["First commit", " 2. Set 4.", "Second commit", " 3. Copy 1."].map(at);
    assert!(order.is_sorted(), "{page}");
    assert!(!show(&planned(), 80, true).contains("First commit"));
}

#[test]
fn only_an_mbr_has_active_and_logical_partitions() {
    let page = show(&mbr(), 80, true);
    for needle in [
        "1 active",
        "System Reserved, active",
        "5 logical",
        "6 logical",
        ", logical",
        "MBR",
    ] {
        assert!(page.contains(needle), "{needle}:\n{page}");
    }
    let narrow = show(&mbr(), 60, true);
    assert!(
        narrow.contains("+1*~+") && narrow.contains("   * active"),
        "{narrow}"
    );
    let mut gpt = mbr();
    gpt.disk.as_mut().unwrap().style = "gpt";
    assert!(!show(&gpt, 80, true).contains("logical"));
}

#[test]
fn an_encrypted_volume_is_called_so() {
    let mut report = diagnosis();
    let encrypted = &mut report.disk.as_mut().unwrap().partitions[2];
    (encrypted.filesystem, encrypted.name) = ("bitlocker", "Basic data partition".into());
    encrypted.roles.clear();
    let page = show(&report, 80, true);
    assert!(
        page.contains("| BitLocker ") && !page.contains("Basic data"),
        "{page}"
    );
}

#[test]
fn damage_is_named_before_what_else_was_found() {
    let mut report = checked();
    report.command = "verify";
    report.findings = diagnosis().findings;
    let page = flat(&show(&report, 80, true));
    assert!(
        page.contains("Damaged. The NTFS volume on partition 3 is not consistent"),
        "{page}"
    );
}

#[test]
fn a_narrow_table_has_every_number() {
    for width in [60, 80] {
        let page = show(&mbr(), width, true);
        let row = page.lines().find(|line| line.contains("6  Recovery"));
        assert!(row.is_some_and(|row| row.contains("82.37 MiB")), "{page}");
    }
}

#[test]
fn what_is_wrong_after_an_undo_was_so_before() {
    let mut report = repaired();
    (report.command, report.verdict) = ("undo", Verdict::Undone);
    report.verification[0].ok = false;
    assert!(show(&report, 80, true).contains("! partition table"));
    report.verdict = Verdict::Damaged;
    assert!(show(&report, 80, true).contains("x partition table"));
}

#[test]
fn the_next_command_has_the_options_that_were_given() {
    let screen = Screen {
        width: 80,
        colour: false,
        ascii: true,
        language: crate::language::Language::of(crate::language::Tag::English, true),
    };
    let mut report = planned();
    let page = render(&report, "--reclaim --size 1550MiB", &screen);
    assert!(
        page.ends_with("Next  winrefit fix server2022.img --reclaim --size 1550MiB\n"),
        "{page}"
    );
    report.target = "C disk.img".into();
    assert!(render(&report, "", &screen).ends_with("Next  winrefit fix \"C disk.img\"\n"));
}

#[test]
fn no_width_breaks_a_page() {
    for report in [relocation(), relocated(), creation(), removal(), mbr()] {
        for width in [40, 60, 80, 110, 120] {
            for ascii in [false, true] {
                show(&report, width, ascii);
            }
        }
    }
}

#[test]
fn nothing_from_a_disk_reaches_the_terminal_by_a_change() {
    let hostile = "\x1b[2J\u{9b}A\u{202e}\r\nevil";
    for mut report in [relocation(), relocated(), creation(), removal(), mbr()] {
        for partition in &mut report.disk.as_mut().unwrap().partitions {
            (partition.label, partition.name, partition.roles) =
                (Some(hostile.into()), hostile.into(), vec![]);
        }
        for width in [40, 80, 110] {
            let page = show(&report, width, false);
            assert!(!page.chars().any(|c| c != '\n' && c.is_control()), "{page:?}");
            assert!(!page.contains('\u{202e}'), "{page:?}");
        }
    }
}
