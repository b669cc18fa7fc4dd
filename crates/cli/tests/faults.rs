//! Places that do not take what is written: a full file system, a disk that is read-only, one that somebody else uses.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "killed/medium.rs"]
#[allow(dead_code)]
mod medium;
#[path = "faults/mounted.rs"]
mod mounted;
#[path = "peer_disk/support.rs"]
#[allow(dead_code)]
mod support;

use medium::{copy, difference, of_journal};
use mounted::{Mounted, PAGE_BYTES};
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::{attach, detach, report, required, winrefit};

fn made(folder: &Path, profile: &str) -> PathBuf {
    let disk = folder.join(format!("{profile}.img"));
    let path = disk.to_str().unwrap();
    let made = winrefit(&["lab", "create", profile, path, "--size", "8GiB", "--files", "20"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    disk
}

/// Exit code and error document of a command that has to fail.
fn error(arguments: &[&str]) -> (Option<i32>, Value) {
    let output = winrefit(&[arguments, &["--format", "json"]].concat());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{arguments:?}: {error}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    });
    assert_eq!(document["schema"], "winrefit.error/1", "{document:#}");
    (output.status.code(), document["error"].clone())
}

fn says(error: &Value, field: &str, words: &str) {
    assert!(
        error[field].as_str().unwrap().contains(words),
        "{words:?} is not in {error:#}"
    );
}

/// State in the journal's header on a disk with a GPT; 0 if there is none.
fn state(image: &Path) -> u8 {
    let mut sector = [0; 16];
    File::open(image)
        .unwrap()
        .read_exact_at(&mut sector, 34 * 512)
        .unwrap();
    if sector.starts_with(b"WRFTJRNL") {
        sector[12]
    } else {
        0
    }
}

#[test]
fn a_full_file_system_anywhere_in_a_repair_leaves_a_disk_that_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let old = made(folder.path(), "full-tail");
    let new = folder.path().join("new.img");
    copy(&old, &new);
    report(0, &["fix", new.to_str().unwrap(), "--yes"]);
    let (free, header) = of_journal(&new);
    let grown = (new.metadata().unwrap().blocks() - old.metadata().unwrap().blocks()) * 512;
    let Some(mounted) = Mounted::small(old.metadata().unwrap().blocks() * 512 + grown + (16 << 20)) else {
        return;
    };
    let image = mounted.path().join("disk.img");
    let path = image.to_str().unwrap();
    // Copies first, then the journal, then in place.
    let mut met = std::collections::BTreeMap::<(&str, u8), u32>::new();
    let last = 512 << 10;
    let steps = (0..grown.saturating_sub(last)).step_by((grown / 5) as usize);
    for left in steps.chain(
        (0..last)
            .step_by(10 * PAGE_BYTES as usize)
            .map(|near| grown.saturating_sub(near)),
    ) {
        let _ = fs::remove_file(&image);
        copy(&old, &image);
        mounted.fill(left);
        let output = winrefit(&["fix", path, "--yes", "--format", "json"]);
        let now = state(&image);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let told = &document["error"];
        match output.status.code() {
            Some(0) => *met.entry(("done", now)).or_default() += 1,
            Some(1) => {
                assert_eq!((now, &told["code"]), (0, &Value::from("io")), "{document:#}");
                says(told, "message", "No space left");
                says(told, "message", "at byte");
                says(told, "next", "make room there, then run the command again");
                *met.entry(("copying", now)).or_default() += 1;
            }
            Some(5) => {
                assert_eq!(told["code"], "interrupted", "{document:#}");
                says(told, "message", "No space left");
                says(told, "message", "at byte");
                says(told, "next", "full storage");
                says(told, "next", "run `winrefit resume`");
                *met.entry(("writing", now)).or_default() += 1;
            }
            code => panic!("{code:?} {document:#}"),
        }
        // A look needs no room.
        let looked = winrefit(&["diagnose", path]).status.code();
        assert_eq!(
            looked == Some(5),
            matches!(now, 1 | 2),
            "{looked:?} in state {now}"
        );
        mounted.empty();
        report(0, &["resume", path]);
        let is_new = matches!(now, 2 | 3);
        let differs = if is_new {
            difference(&image, &new, &[&free[..], std::slice::from_ref(&header)].concat())
        } else {
            difference(&image, &old, &free)
        };
        assert_eq!(differs, None, "{left} bytes left, state {now}");
    }
    println!("{met:?}");
    for what in ["copying", "writing", "done"] {
        assert!(met.keys().any(|(seen, _)| *seen == what), "never {what}: {met:?}");
    }
    assert!(met.contains_key(&("writing", 2)), "never full in place: {met:?}");
}

#[test]
fn a_report_that_finds_no_room_leaves_no_file_and_a_disk_that_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let image = made(folder.path(), "server2022");
    let Some(mounted) = Mounted::small(1 << 20) else {
        return;
    };
    mounted.fill(0);
    let page = mounted.path().join("report.html");
    let line = [
        "fix",
        image.to_str().unwrap(),
        "--yes",
        "--format",
        "html",
        "-o",
        page.to_str().unwrap(),
    ];
    let output = winrefit(&line);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("No space left") && said.contains("report.html"),
        "{said}"
    );
    assert!(
        said.contains("came to its end") && said.contains("winrefit verify"),
        "{said}"
    );
    assert!(!page.exists(), "half a page");
    assert_eq!(
        report(0, &["verify", image.to_str().unwrap()])["verdict"],
        "healthy"
    );

    let disk = mounted.path().join("lab.img");
    let (code, told) = error(&["lab", "create", "server2022", disk.to_str().unwrap()]);
    assert_eq!((code, &told["code"]), (Some(1), &Value::from("lab")));
    says(&told, "message", "No space left");
    assert!(!disk.exists(), "half a disk");
}

const READING: &[&[&str]] = &[
    &["diagnose"],
    &["plan"],
    &["verify"],
    &["check"],
    &["reset-update", "--dry-run"],
];
const WRITING: &[&[&str]] = &[
    &["fix", "--yes"],
    &["undo", "--yes"],
    &["reset-update", "--yes"],
    &["resume"],
];

fn on<'a>(command: &[&'a str], target: &'a str) -> Vec<&'a str> {
    let (name, options) = command.split_first().unwrap();
    [&[*name, target], options].concat()
}

/// What a command says of a disk, without its name.
fn told(command: &[&str], target: &str) -> (Option<i32>, Value) {
    let output = winrefit(&[&on(command, target)[..], &["--format", "json"]].concat());
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["target"] = Value::Null;
    (output.status.code(), report)
}

/// Every command that writes says that the target is not to be had for that, in a message with all of `words`.
fn assert_writing_refused(target: &str, words: &[&str]) {
    for command in WRITING {
        let (code, told) = error(&on(command, target));
        assert_eq!(
            (code, &told["code"]),
            (Some(1), &Value::from("cannot-open")),
            "{told:#}"
        );
        for words in words {
            says(&told, "message", words);
        }
        says(&told, "next", "attach it for writing");
    }
}

/// Reading needs no more than reading, changes nothing, and says the same; writing is refused with the reason.
fn assert_read_only(target: &Path, image: &Path, reason: &str) {
    let target = target.to_str().unwrap();
    let before = image.metadata().unwrap();
    for command in READING {
        assert_eq!(
            told(command, target),
            told(command, image.to_str().unwrap()),
            "{command:?}"
        );
    }
    assert_writing_refused(target, &[target, reason]);
    let after = image.metadata().unwrap();
    let times = |of: &fs::Metadata| (of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec());
    assert_eq!(times(&after), times(&before), "something was written");
}

#[test]
fn a_disk_that_is_read_only_is_read_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let image = made(folder.path(), "case-kb5034441");
    // A bind mount takes two steps to be read-only.
    let Some(mounted) = Mounted::of(&["--bind", folder.path().to_str().unwrap()]) else {
        return;
    };
    let remounted = Command::new("mount")
        .args(["-o", "remount,ro,bind"])
        .arg(mounted.path())
        .status();
    assert!(remounted.unwrap().success());
    let seen = mounted.path().join(image.file_name().unwrap());
    assert_read_only(&seen, &image, "Read-only file system");
    drop(mounted);

    let Some(device) = attach(&image, &["--read-only"]) else {
        return;
    };
    let target = device.to_str().unwrap();
    for command in READING {
        let code = winrefit(&on(command, target)).status.code();
        assert!(matches!(code, Some(0 | 3 | 4 | 7)), "{command:?}: {code:?}");
    }
    assert_writing_refused(target, &[target]);
    detach(&device);
}

/// A process that holds a lock on a file until it is dropped.
struct Holder(std::process::Child);

impl Holder {
    fn of(image: &Path, how: &str) -> Option<Self> {
        let mut command = Command::new("flock");
        let image = image.to_str().unwrap();
        command.args([how, "--no-fork", image, "sh", "-c", "echo held; exec sleep 60"]);
        let child = command.stdout(Stdio::piped()).spawn();
        let Ok(mut child) = child else {
            assert!(!required(), "flock is required here");
            eprintln!("SKIPPED: flock is not installed");
            return None;
        };
        let mut line = [0; 5];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
        Some(Self(child))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn assert_in_use(command: &[&str], target: &str, who: &str) {
    let (code, told) = told(command, target);
    assert_eq!(
        (code, &told["verdict"], &told["refusal"]["code"]),
        (Some(4), &Value::from("refused"), &Value::from("target-in-use")),
        "{command:?}: {told:#}"
    );
    let refusal = told["refusal"].to_string();
    assert!(refusal.contains(who) && refusal.contains(target), "{refusal}");
}

#[test]
fn a_disk_that_somebody_else_uses_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let image = made(folder.path(), "server2022");
    let target = image.to_str().unwrap();
    let old = folder.path().join("copy.img");
    copy(&image, &old);
    if let Some(writer) = Holder::of(&image, "--exclusive") {
        for command in [READING, WRITING].concat() {
            assert_in_use(command, target, "another program has locked it");
        }
        drop(writer);
        let reader = Holder::of(&image, "--shared");
        for command in WRITING {
            assert_in_use(command, target, "another program has locked it");
        }
        assert_eq!(
            winrefit(&["diagnose", target]).status.code(),
            Some(3),
            "readers share"
        );
        drop(reader);
    }
    if let Some(device) = attach(&image, &[]) {
        for command in WRITING {
            assert_in_use(command, target, "losetup -d");
        }
        detach(&device);
    }
    assert_eq!(difference(&image, &old, &[]), None);
}
