//! Targets as strangers name them: links, pipes, folders, devices, files of absurd lengths. Each is worked on or refused with
//! its name; none blocks, takes memory out of proportion, or is changed.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// More than any of them takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Address space, in KiB. An ordinary run takes some hundred MiB of it, most of that for the stacks of threads.
const MEMORY_KIB: &str = "1500000";

const COMMANDS: &[&[&str]] = &[
    &["diagnose"],
    &["plan"],
    &["verify"],
    &["check"],
    &["reset-update", "--dry-run"],
    &["fix", "--yes"],
    &["resume"],
    &["undo", "--yes"],
    &["reset-update", "--yes"],
];

/// Exit code and document of a command with little memory and little time.
fn run(command: &[&str], target: &Path) -> (i32, Value) {
    let (name, options) = command.split_first().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -v \"$0\"; exec \"$@\"", MEMORY_KIB])
        .args([env!("CARGO_BIN_EXE_winrefit"), name])
        .arg(target)
        .args(options)
        .args(["--format", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        stdout.read_to_end(&mut text).unwrap();
        text
    });
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begin.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{command:?} hangs on {}", target.display());
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let text = reader.join().unwrap();
    let place = format!("{command:?} {}: {status}", target.display());
    let document = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{place}: {error}"));
    (status.code().unwrap_or_else(|| panic!("{place}")), document)
}

/// Every command ends with this error, and its words name the target.
fn assert_error(target: &Path, code: &str, words: &str) {
    for command in COMMANDS {
        let (exit, document) = run(command, target);
        let place = format!("{command:?} {}: {document:#}", target.display());
        assert_eq!(
            (exit, &document["error"]["code"]),
            (1, &Value::from(code)),
            "{place}"
        );
        let message = document["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{place}");
        if code == "cannot-open" {
            assert!(message.contains(target.to_str().unwrap()), "{place}");
        }
        assert!(!document["error"]["next"].as_str().unwrap().is_empty(), "{place}");
    }
}

/// Every command ends, in whatever way.
fn assert_ends(target: &Path) {
    for command in COMMANDS {
        let (exit, document) = run(command, target);
        assert!(exit < 8, "{command:?}: {exit} {document:#}");
    }
}

fn state_of(file: &Path) -> (u64, u64, i64, i64) {
    let metadata = file.metadata().unwrap();
    (
        metadata.len(),
        metadata.blocks(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    )
}

fn lab(folder: &Path) -> PathBuf {
    let image = folder.join("lab.img");
    let made = Command::new(env!("CARGO_BIN_EXE_winrefit"))
        .args(["lab", "create", "server2022"])
        .arg(&image)
        .args(["--size", "8GiB", "--files", "20"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    image
}

#[test]
fn what_is_no_disk_is_refused_by_its_kind() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let special = "it is a character device, a pipe or a socket";
    let pipe = at("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_error(&pipe, "cannot-open", special);
    symlink(&pipe, at("link-to-pipe")).unwrap();
    assert_error(&at("link-to-pipe"), "cannot-open", special);
    let _listener = UnixListener::bind(at("socket")).unwrap();
    assert_error(&at("socket"), "cannot-open", special);
    for device in ["/dev/zero", "/dev/null", "/dev/urandom"] {
        assert_error(Path::new(device), "cannot-open", special);
    }
    assert_error(folder.path(), "cannot-open", "it is a directory");
    symlink(at("loop"), at("loop")).unwrap();
    assert_error(&at("loop"), "cannot-open", "symbolic links");
    symlink(at("nothing"), at("dangling")).unwrap();
    assert_error(&at("dangling"), "cannot-open", "No such file");
    assert!(!at("nothing").exists(), "opening must not create");
    assert_error(Path::new("/proc/self/mem/x"), "cannot-open", "Not a directory");
}

#[test]
fn files_of_any_length_without_a_table_are_told_so_and_stay() {
    let folder = tempfile::tempdir().unwrap();
    for length in [0usize, 1, 511, 512, 513, 4096, 40_000, 1 << 20] {
        for byte in [0u8, b'x', 0xff] {
            let file = folder.path().join(format!("{length}-{byte}"));
            fs::write(&file, vec![byte; length]).unwrap();
            let before = state_of(&file);
            assert_error(&file, "no-partition-table", "no partition table");
            assert_eq!(state_of(&file), before);
        }
    }
}

/// A file as long as a file can be. Not every file system takes one; `None` with a visible note where none does.
fn longest(prepare: impl Fn(&Path)) -> Option<tempfile::TempDir> {
    for place in [std::env::temp_dir(), "/dev/shm".into()] {
        let Ok(folder) = tempfile::tempdir_in(place) else {
            continue;
        };
        let path = folder.path().join("longest.img");
        prepare(&path);
        let file = File::options().append(true).create(true).open(&path).unwrap();
        if file.set_len(i64::MAX as u64).is_ok() {
            return Some(folder);
        }
    }
    eprintln!("SKIPPED: no file system here takes a file of 2^63-1 bytes");
    None
}

#[test]
fn the_longest_file_there_can_be_takes_neither_time_nor_memory() {
    if let Some(folder) = longest(|_| ()) {
        let file = folder.path().join("longest.img");
        let before = state_of(&file);
        assert_error(&file, "no-partition-table", "no partition table");
        assert_eq!(state_of(&file), before);
    }
    // A disk in its first bytes, grown beyond everything.
    let source = tempfile::tempdir().unwrap();
    let image = lab(source.path());
    let sparse = |to: &Path| {
        let copied = Command::new("cp")
            .arg("--sparse=always")
            .args([&image, to])
            .status();
        assert!(copied.unwrap().success());
    };
    if let Some(folder) = longest(sparse) {
        assert_ends(&folder.path().join("longest.img"));
    }
}

#[test]
fn a_disk_that_was_cut_off_ends_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let image = lab(folder.path());
    for length in [7_000_000_000, 1 << 30, 120 << 20, 3 << 20, 34 * 512, 1024, 700] {
        let file = File::options().write(true).open(&image).unwrap();
        file.set_len(length).unwrap();
        drop(file);
        let before = state_of(&image);
        assert_ends(&image);
        assert_eq!(state_of(&image), before, "cut at {length}");
    }
}

#[test]
fn a_link_to_a_disk_is_that_disk() {
    let folder = tempfile::tempdir().unwrap();
    let image = lab(folder.path());
    assert_eq!(
        image.metadata().unwrap().permissions().mode() & 0o777,
        0o600,
        "a disk of the lab"
    );
    let link = folder.path().join("link");
    symlink(&image, &link).unwrap();
    assert_eq!(run(&["diagnose"], &link).0, 3);
    assert_eq!(run(&["fix", "--yes"], &link).0, 0);
    assert_eq!(run(&["verify"], &image).0, 0);
    assert!(link.symlink_metadata().unwrap().is_symlink());
}

/// What is made is made anew: not over a file, not through a link, and for its owner only.
#[test]
fn nothing_is_made_over_anything_or_through_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    fs::write(&precious, "mine").unwrap();
    let nowhere = folder.path().join("nowhere");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_winrefit"))
            .args(arguments)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    for target in [&precious, &nowhere] {
        let kept = folder.path().join("kept");
        fs::create_dir(&kept).unwrap();
        let link = kept.join("server2022.img");
        symlink(target, &link).unwrap();
        let (link_path, kept_path) = (link.to_str().unwrap(), kept.to_str().unwrap());
        for line in [
            &["lab", "create", "server2022", link_path][..],
            &["lab", "create", "--all", kept_path],
            &["demo", "--keep", kept_path],
        ] {
            let (code, said) = run(line);
            assert_eq!(code, Some(1), "{line:?}: {said}");
            assert!(
                said.contains(link_path) && said.contains("next:"),
                "{line:?}: {said}"
            );
            assert_eq!(fs::read_link(&link).unwrap(), **target, "{line:?}");
            assert_eq!(fs::read_dir(&kept).unwrap().count(), 1, "{line:?}");
        }
        fs::remove_dir_all(&kept).unwrap();
    }
    assert_eq!(fs::read(&precious).unwrap(), b"mine");
    assert!(!nowhere.exists());

    let kept = folder.path().join("kept");
    assert_eq!(run(&["demo", "--keep", kept.to_str().unwrap()]).0, Some(0));
    let disk = kept.join("server2022.img");
    assert_eq!(disk.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let before = state_of(&disk);
    assert_eq!(run(&["demo", "--keep", kept.to_str().unwrap()]).0, Some(1));
    assert_eq!(state_of(&disk), before, "the disk of an earlier demo");
}
