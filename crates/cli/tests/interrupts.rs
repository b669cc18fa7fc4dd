//! Requests to stop, at random moments: Ctrl-C (SIGINT), the end of the session (SIGHUP) and `kill` (SIGTERM). The program
//! ends at once and leaves nothing half made; while changes are being written it finishes them first.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "killed/medium.rs"]
#[allow(dead_code)]
mod medium;
#[path = "peer_disk/support.rs"]
#[allow(dead_code)]
mod support;

use medium::{copy, difference, of_journal};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use support::{report, winrefit};

/// Moments of each command and signal.
const MOMENTS: u32 = 6;
const INTERRUPTED: i32 = 130;

/// A test that runs in the background inherits signals that are ignored, and the program leaves those so.
fn start(arguments: &[&str]) -> Child {
    Command::new("env")
        .arg("--default-signal=INT,TERM,HUP")
        .arg(env!("CARGO_BIN_EXE_winrefit"))
        .env("LC_ALL", "C")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn send(signal: Signal, child: &Child) {
    // It may have ended, and nobody else can have its number before it is waited for.
    let _ = kill_process(Pid::from_child(child), signal);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A small disk that needs a repair and has data where the border is to go.
fn disk(folder: &Path) -> std::path::PathBuf {
    let disk = folder.join("old.img");
    let path = disk.to_str().unwrap();
    let made = winrefit(&[
        "lab",
        "create",
        "full-tail",
        path,
        "--size",
        "8GiB",
        "--files",
        "20",
    ]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    disk
}

/// Moments are hard to meet beside other tests: they run one after another.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The state that the journal's header names, 0 if there is none.
fn state(image: &Path) -> u8 {
    use std::os::unix::fs::FileExt;
    let mut sector = [0; 16];
    let file = fs::File::open(image).unwrap();
    file.read_exact_at(&mut sector, 34 * 512).unwrap();
    if sector.starts_with(b"WRFTJRNL") {
        sector[12]
    } else {
        0
    }
}

/// Runs the command, sends the signal after `delay`, and returns what came of it.
fn interrupted(arguments: &[&str], signal: Signal, delay: Duration) -> Output {
    let child = start(arguments);
    sleep(delay);
    send(signal, &child);
    child.wait_with_output().unwrap()
}

#[test]
fn a_repair_that_is_asked_to_stop_ends_between_two_whole_states() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let old = disk(folder.path());
    let image = folder.path().join("disk.img");
    let page = folder.path().join("report.html");
    let (path, page_path) = (image.to_str().unwrap(), page.to_str().unwrap());
    copy(&old, &image);
    let begin = Instant::now();
    report(0, &["fix", path, "--yes"]);
    let whole = begin.elapsed();
    let new = folder.path().join("new.img");
    fs::rename(&image, &new).unwrap();
    let (free, header) = of_journal(&new);
    let mut stopped = 0;
    for (index, signal) in [Signal::INT, Signal::TERM, Signal::HUP].into_iter().enumerate() {
        for turn in 0..MOMENTS {
            for (before, command) in [(&old, "fix"), (&new, "undo")] {
                copy(before, &image);
                let line = [command, path, "--yes", "--format", "html", "-o", page_path];
                // Each signal at other moments.
                let delay = whole * (3 * turn + index as u32) / (3 * MOMENTS);
                let output = interrupted(&line, signal, delay);
                let said = text(&output.stderr);
                let (code, state) = (output.status.code(), state(&image));
                let place = format!("{command}, {signal:?} after {delay:?}: {code:?}, state {state}\n{said}");
                assert!(state == 0 || state == 3, "half done: {place}");
                let is_before = (state == 0) == (command == "fix");
                match code {
                    Some(0) => assert!(page.exists() && !is_before, "{place}"),
                    // Before it could listen: then it had done nothing at all.
                    None => assert!(is_before && said.is_empty(), "{place}"),
                    Some(INTERRUPTED) => {
                        stopped += 1;
                        assert!(!page.exists(), "half a page: {place}");
                        // Before the disk is opened there is nothing to say.
                        let is_silent = is_before && said.is_empty();
                        let words = if is_before {
                            ["Nothing was written", "the disk is as it was"]
                        } else {
                            ["Stopped after a commit"; 2]
                        };
                        assert!(
                            is_silent || words.iter().any(|words| said.contains(words)),
                            "{place}"
                        );
                    }
                    _ => panic!("{place}"),
                }
                // Copies may lie in clusters that are free on the old disk; the header names the transaction.
                let (end, except) = match state {
                    0 => (&old, free.clone()),
                    _ => (&new, vec![header.clone()]),
                };
                assert_eq!(difference(&image, end, &except), None, "{place}");
                let _ = fs::remove_file(&page);
                let diagnosed = winrefit(&["diagnose", path]).status.code();
                assert_ne!(diagnosed, Some(5), "{place}");
                fs::remove_file(&image).unwrap();
            }
        }
    }
    assert!(
        stopped > 2,
        "hardly any signal has met a command at work: {stopped}"
    );
}

#[test]
fn a_stop_while_changes_are_written_is_answered_after_them() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let old = disk(folder.path());
    let image = folder.path().join("disk.img");
    let path = image.to_str().unwrap();
    // It is let run for moments only, so that the one in which it writes is met; on a busy machine not every time. Whether
    // the answer comes while it writes or right behind that is up to the machine.
    let mut answered = 0;
    for _ in 0..40 {
        let _ = fs::remove_file(&image);
        copy(&old, &image);
        let mut child = start(&["fix", path, "--yes"]);
        while !matches!(state(&image), 1 | 2) && child.try_wait().unwrap().is_none() {
            send(Signal::CONT, &child);
            sleep(Duration::from_micros(200));
            send(Signal::STOP, &child);
        }
        send(Signal::INT, &child);
        send(Signal::CONT, &child);
        let output = child.wait_with_output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(state(&image), 3, "finished first\n{said}");
        let is_finished_first = said.contains("this is finished first");
        if is_finished_first || output.status.code() != Some(0) {
            assert_eq!(output.status.code(), Some(INTERRUPTED), "{said}");
            assert!(said.contains("Stopped after a commit"), "{said}");
            answered += 1;
        }
        if answered == 3 {
            break;
        }
    }
    assert!(answered > 0, "never asked while it wrote");
    assert_eq!(report(0, &["verify", path])["verdict"], "healthy");
}

#[test]
fn what_is_not_finished_goes_away() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("new.img");
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let (mut stopped, mut made) = (0, 0);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        for turn in 0..MOMENTS {
            let delay = Duration::from_millis(10 + u64::from(turn) * 25);
            let create = ["lab", "create", "server2022", image.to_str().unwrap()];
            let output = interrupted(&create, signal, delay);
            match output.status.code() {
                Some(0) => {
                    made += 1;
                    assert!(image.exists());
                    fs::remove_file(&image).unwrap();
                }
                code => {
                    assert!(
                        matches!(code, None | Some(INTERRUPTED)),
                        "{code:?} {}",
                        text(&output.stderr)
                    );
                    assert!(!image.exists(), "{signal:?} after {delay:?}: half a disk is left");
                    stopped += 1;
                }
            }
            let child = Command::new(env!("CARGO_BIN_EXE_winrefit"))
                .env("TMPDIR", &temporary)
                .arg("demo")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            sleep(delay * 4);
            send(signal, &child);
            child.wait_with_output().unwrap();
            let left = fs::read_dir(&temporary).unwrap().count();
            assert_eq!(
                left,
                0,
                "{signal:?} after {:?}: the demo has left its folder",
                delay * 4
            );
        }
    }
    println!("{stopped} stopped, {made} made");
    assert!(stopped > 0, "no signal has met the lab at work");
}

#[test]
fn an_ignored_hangup_stays_ignored() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let image = disk(folder.path());
    let script = "trap '' HUP; exec \"$0\" fix \"$1\" --yes";
    let mut command = Command::new("sh");
    command.args([
        "-c",
        script,
        env!("CARGO_BIN_EXE_winrefit"),
        image.to_str().unwrap(),
    ]);
    let child = command
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..20 {
        sleep(Duration::from_millis(10));
        send(Signal::HUP, &child);
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}
