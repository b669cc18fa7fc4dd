//! Pages of hand-made reports, as they look.

mod changes;
mod fixtures;
mod languages;
mod reference;
mod reset;

use crate::output::Screen;
use fixtures::*;
use winrefit_repair::report::*;

#[test]
fn what_wants_a_person_is_told_by_every_command_and_leads_to_no_other() {
    for command in ["diagnose", "plan", "fix", "verify"] {
        let page = show(&attention(command), 80, false);
        assert!(
            page.contains("! Needs attention. WinRE of the Windows on partition 3 is disabled"),
            "{page}"
        );
        assert!(page.contains("Run `reagentc /enable`"), "{page}");
        assert!(!page.contains("Next  winrefit"), "{page}");
    }
}

#[test]
fn what_comes_after_a_repair_is_told_with_the_plan() {
    let mut report = planned();
    if let Some(plan) = &mut report.plan {
        plan.afterwards = vec!["In Windows, `reagentc /enable` puts the image there.".raw()];
    }
    let page = show(&report, 80, true);
    assert!(
        page.contains("Afterwards In Windows, `reagentc /enable`"),
        "{page}"
    );
}

#[test]
fn diagnose_at_80() {
    insta::assert_snapshot!(show(&diagnosis(), 80, false));
}

#[test]
fn diagnose_at_80_in_ascii() {
    insta::assert_snapshot!(show(&diagnosis(), 80, true));
}

#[test]
fn diagnose_at_110() {
    insta::assert_snapshot!(show(&diagnosis(), 110, false));
}

#[test]
fn plan_at_80() {
    insta::assert_snapshot!(show(&planned(), 80, false));
}

#[test]
fn plan_at_80_in_ascii() {
    insta::assert_snapshot!(show(&planned(), 80, true));
}

#[test]
fn plan_at_110() {
    insta::assert_snapshot!(show(&planned(), 110, false));
}

#[test]
fn fix_at_80() {
    insta::assert_snapshot!(show(&repaired(), 80, false));
}

#[test]
fn refusal_at_80() {
    insta::assert_snapshot!(show(&refused(), 80, false));
}

#[test]
fn check_at_80() {
    insta::assert_snapshot!(show(&checked(), 80, false));
}

#[test]
fn unfinished_at_80() {
    insta::assert_snapshot!(show(&unfinished(), 80, false));
}

#[test]
fn demo_at_80() {
    let (diagnosis, plan, repair) = (diagnosis(), planned(), repaired());
    let story = super::demo::Story {
        profile: "a fresh Windows Server 2022 whose 525 MB recovery partition is too small for its updates",
        diagnosis: &diagnosis,
        plan: &plan,
        repair: &repair,
        repair_time: std::time::Duration::from_millis(412),
        kept: None,
    };
    let screen = Screen {
        width: 80,
        colour: false,
        ascii: false,
        language: crate::language::Language::of(crate::language::Tag::English, false),
    };
    insta::assert_snapshot!(super::demo::render(&story, &screen));
}

#[test]
fn growth_to_the_end_at_80() {
    let mut report = planned();
    let disk = report.disk.as_mut().unwrap();
    disk.size_bytes = 66 << 30;
    let plan = report.plan.as_mut().unwrap();
    plan.strategy = "grow-end";
    plan.changes = vec![ChangeReport {
        partition: 4,
        before: range(65_010..65_535),
        after: range(65_010..66_010),
    }];
    insta::assert_snapshot!(show(&report, 80, false));
}

#[test]
fn a_plan_says_which_shadow_copies_it_gives_up() {
    let mut report = planned();
    report.plan.as_mut().unwrap().dropped_shadow_copies = vec![DroppedReport {
        partition: 3,
        count: Some(2),
        oldest: Some("2024-01-01T00:00:00Z".into()),
        newest: Some("2024-01-02T00:00:00Z".into()),
        storage_bytes: Some(5 << 30),
        text: "On partition 3: 2 shadow copies".raw(),
    }];
    let page = show(&report, 80, true);
    let line = page.lines().find(|line| line.contains("Given up"));
    assert!(
        line.is_some_and(|line| line.ends_with("On partition 3: 2 shadow copies")),
        "{page}"
    );
}

#[test]
fn a_hostile_disk_cannot_reach_the_terminal() {
    let hostile = "\x1b[2J\x1b]0;x\x07\u{9b}A\u{202e}\r\n\u{2066}evil";
    let mut report = diagnosis();
    report.target = hostile.into();
    let disk = report.disk.as_mut().unwrap();
    for partition in &mut disk.partitions {
        (partition.label, partition.name, partition.roles) = (Some(hostile.into()), hostile.into(), vec![]);
    }
    report.windows[0].product = Some(hostile.into());
    report.findings[0].evidence[0].value = hostile.raw();
    for width in [40, 80, 110] {
        let page = show(&report, width, false);
        assert!(!page.chars().any(|c| c != '\n' && c.is_control()), "{page:?}");
        assert!(!page.contains(['\u{202e}', '\u{2066}']), "{page:?}");
    }
}

#[test]
fn strange_disks_are_drawn_or_left_out_but_never_break_a_page() {
    let mut many = diagnosis();
    let partitions = &mut many.disk.as_mut().unwrap().partitions;
    *partitions = (0..128)
        .map(|n| partition(n + 1, u64::from(n) * 400 + 1..u64::from(n) * 400 + 200, "x", None))
        .collect();
    let mut huge = planned();
    let disk = huge.disk.as_mut().unwrap();
    (disk.size_bytes, disk.sector_size_bytes) = (u64::MAX, 4096);
    disk.partitions[3].start_lba = u64::MAX;
    disk.partitions[3].sectors = u64::MAX;
    disk.partitions[2].free_bytes = Some(u64::MAX);
    huge.plan.as_mut().unwrap().changes[1].after = RangeReport {
        start_lba: u64::MAX,
        sectors: u64::MAX,
    };
    let mut empty = planned();
    let disk = empty.disk.as_mut().unwrap();
    (disk.size_bytes, disk.sector_size_bytes) = (0, 0);
    let mut wide = diagnosis();
    wide.disk.as_mut().unwrap().partitions[2].roles = vec![];
    wide.disk.as_mut().unwrap().partitions[2].label = Some("\u{65e5}\u{672c}\u{8a9e}".repeat(40));
    for report in [many, huge, empty, wide] {
        for width in [40, 80, 110] {
            for ascii in [false, true] {
                assert!(show(&report, width, ascii).contains("server2022.img"));
            }
        }
    }
}
