//! Command lines, and what help says of them.

use super::*;
use clap::CommandFactory;

#[test]
fn the_definition_is_sound() {
    Args::command().debug_assert();
}

#[test]
fn a_whole_command_line() {
    let args = Args::try_parse_from([
        "winrefit",
        "fix",
        "a.img",
        "--size",
        "1.5GiB",
        "--recovery-partition",
        "4",
        "--drop-shadow-copies",
        "--yes",
        "--format",
        "json",
    ])
    .unwrap();
    assert_eq!(args.output.format, Format::Json);
    let Command::Fix {
        target,
        goal,
        consent,
    } = args.command
    else {
        panic!("not fix")
    };
    assert_eq!(target.path, PathBuf::from("a.img"));
    assert_eq!((goal.size, goal.free), (Some(3 << 29), None));
    assert!(goal.drop_shadow_copies);
    assert_eq!(goal.recovery.recovery_partition, Some(4));
    assert!(consent.yes);
}

#[test]
fn a_wrong_size_says_what_is_wrong() {
    let error = Args::try_parse_from(["winrefit", "plan", "a.img", "--size", "10 apples"]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("unknown unit \"apples\""), "{error}");
}

#[test]
fn a_lab_makes_one_disk_or_all() {
    let parse = |rest: &[&str]| Args::try_parse_from([&["winrefit", "lab", "create"], rest].concat());
    assert!(parse(&["healthy", "a.img", "--size", "8GiB"]).is_ok());
    assert!(parse(&["--all", "there", "--files", "100"]).is_ok());
    for wrong in [
        &["healthy"][..],
        &[],
        &["--all", "there", "healthy"],
        &["--all", "there", "--size", "8GiB"],
    ] {
        assert_eq!(parse(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
    }
}

#[test]
fn partition_numbers_begin_at_one() {
    for (command, option) in [
        ("check", "--partition"),
        ("plan", "--remove-stale"),
        ("plan", "--recovery-partition"),
    ] {
        assert!(Args::try_parse_from(["winrefit", command, "a.img", option, "0"]).is_err());
        assert!(Args::try_parse_from(["winrefit", command, "a.img", option, "1"]).is_ok());
    }
}

#[test]
fn options_can_be_typed_again() {
    let goal = |rest: &[&str]| {
        let args = Args::try_parse_from([&["winrefit", "plan", "a.img"], rest].concat()).unwrap();
        let Command::Plan { goal, .. } = args.command else {
            panic!("not plan")
        };
        goal
    };
    assert_eq!(goal(&[]).as_typed(), "");
    let all = "--size 1550MiB --free 400000001 --drop-shadow-copies --reclaim --remove-stale 4 --recovery-partition 5";
    let typed = goal(&all.split(' ').collect::<Vec<_>>()).as_typed();
    assert_eq!(typed, all);
    assert_eq!(goal(&["--size", "1.5G"]).as_typed(), "--size 1536MiB");
}

#[test]
fn the_defaults_in_the_help_are_those_of_the_plan() {
    use winrefit_repair::explain::size;
    use winrefit_repair::rules::{TARGET_FREE_BYTES, TARGET_SIZE_BYTES};
    for bytes in [TARGET_FREE_BYTES, TARGET_SIZE_BYTES] {
        assert!(GOAL_HELP.contains(&size(bytes)), "{}", size(bytes));
    }
}

#[test]
fn help_lists_every_exit_code() {
    let help = Args::command().render_help().to_string();
    for code in 0..=7 {
        assert!(
            help.contains(&format!("\n  {code}  ")),
            "exit code {code} is missing:\n{help}"
        );
    }
}

#[test]
fn a_reset_is_for_both_parts_unless_one_is_named() {
    let parse = |rest: &[&str]| {
        let args = Args::try_parse_from([&["winrefit", "reset-update", "a.img"], rest].concat())?;
        let Command::ResetUpdate { reset, consent, .. } = args.command else {
            panic!("not reset-update")
        };
        Ok::<_, clap::Error>((reset.windows, reset.only, reset.dry_run, consent.yes))
    };
    assert_eq!(parse(&[]).unwrap(), (None, None, false, false));
    let named = parse(&["--windows", "5", "--only", "services", "--yes"]).unwrap();
    assert_eq!(named, (Some(5), Some(Part::Services), false, true));
    for wrong in [
        &["--windows", "0"][..],
        &["--only", "all"],
        &["--dry-run", "--yes"],
    ] {
        assert_eq!(parse(wrong).unwrap_err().exit_code(), 2, "{wrong:?}");
    }
}
