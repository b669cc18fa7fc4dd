//! `--format html` and `--output` with the binary: where a report goes, and what it is never written over.
#![allow(clippy::unwrap_used)]

#[path = "peer_disk/support.rs"]
#[allow(dead_code)]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::winrefit;

/// A directory with a small disk.
fn disk() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let image = text(&directory.path().join("disk.img"));
    let made = winrefit(&[
        "lab",
        "create",
        "server2022",
        &image,
        "--size",
        "8GiB",
        "--files",
        "50",
    ]);
    assert!(made.status.success(), "{}", errors(&made));
    (directory, image)
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What lies in a directory beside the disk.
fn beside(directory: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    all.filter(|path| !path.ends_with("disk.img")).collect()
}

#[test]
fn a_report_becomes_a_file_that_only_its_owner_can_read() {
    let (directory, image) = disk();
    let page = directory.path().join("report.html");
    let shown = winrefit(&["diagnose", &image, "--format", "html", "-o", &text(&page)]);
    assert_eq!(shown.status.code(), Some(3), "{}", errors(&shown));
    assert!(shown.stdout.is_empty());
    assert_eq!(errors(&shown).lines().count(), 1, "{}", errors(&shown));
    assert!(errors(&shown).contains("report.html"));
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">") && html.ends_with("</html>\n"));
    assert!(html.contains("Needs repair") && html.contains("winrefit plan"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&page).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for stdout in [
        &["diagnose", &image, "--format", "html"][..],
        &["diagnose", &image, "--format", "html", "-o", "-"],
    ] {
        assert_eq!(
            winrefit(stdout).stdout,
            html.as_bytes(),
            "the same page each time"
        );
    }
}

#[test]
fn every_form_of_a_report_goes_to_a_file() {
    let (directory, image) = disk();
    for form in ["json", "human"] {
        let file = directory.path().join(form);
        let written = winrefit(&["diagnose", &image, "--format", form, "--output", &text(&file)]);
        assert_eq!(
            (written.status.code(), written.stdout.len()),
            (Some(3), 0),
            "{}",
            errors(&written)
        );
        let shown = winrefit(&["diagnose", &image, "--format", form]);
        assert_eq!(fs::read(&file).unwrap(), shown.stdout, "{form}");
    }
}

#[test]
fn nothing_is_written_over_and_a_disk_is_not_touched_for_a_report_that_cannot_be_kept() {
    let (directory, image) = disk();
    let there = directory.path().join("there");
    fs::write(&there, "mine").unwrap();
    let mut paths = vec![
        there.clone(),
        directory.path().join("no-directory/report.html"),
        PathBuf::from(&image),
    ];
    let leads_to = directory.path().join("target-of-link");
    #[cfg(unix)]
    {
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&leads_to, &link).unwrap();
        paths.push(link);
    }
    for path in paths {
        let fixed = winrefit(&["fix", &image, "--yes", "--format", "html", "-o", &text(&path)]);
        assert_eq!(fixed.status.code(), Some(1), "{}", errors(&fixed));
        assert!(
            errors(&fixed).contains(&text(&path)) && errors(&fixed).contains("next:"),
            "{}",
            errors(&fixed)
        );
        assert!(fixed.stdout.is_empty());
    }
    assert_eq!(fs::read(&there).unwrap(), b"mine");
    assert!(!leads_to.exists());
    let after = winrefit(&["diagnose", &image, "--format", "json"]);
    assert_eq!(after.status.code(), Some(3), "the disk still needs its repair");
}

#[test]
fn a_command_that_fails_leaves_no_page_but_tells_a_program() {
    let directory = tempfile::tempdir().unwrap();
    let file = text(&directory.path().join("report"));
    let failed = winrefit(&[
        "diagnose",
        "/nonexistent/disk.img",
        "--format",
        "html",
        "-o",
        &file,
    ]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(beside(directory.path()).is_empty());
    let failed = winrefit(&[
        "diagnose",
        "/nonexistent/disk.img",
        "--format",
        "json",
        "-o",
        &file,
    ]);
    assert_eq!((failed.status.code(), failed.stdout.len()), (Some(1), 0));
    let document: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(document["schema"], "winrefit.error/1");
}

#[test]
fn what_makes_no_report_makes_no_page() {
    for wrong in [
        &["demo", "--format", "html"][..],
        &["lab", "list", "--format", "html"],
        &["demo", "-o", "page.html"],
    ] {
        let refused = winrefit(wrong);
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
        assert!(
            errors(&refused).contains("reports on a TARGET"),
            "{}",
            errors(&refused)
        );
    }
}
