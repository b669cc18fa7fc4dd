//! The binary killed at random moments: whatever it was doing, `diagnose` knows, and `resume` ends in the old disk or in the
//! new one.
//!
//! `WINREFIT_KILL_RUNS` sets the number of kills, half of them on a file and half on a loop device; `WINREFIT_KILL_SEED`
//! repeats the choices of a run whose seed was printed, but not its moments: the machine has a say in them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "killed/medium.rs"]
#[allow(dead_code)]
mod medium;
#[path = "killed/scenario.rs"]
mod scenario;
#[path = "peer_disk/support.rs"]
#[allow(dead_code)]
mod support;

use medium::{Kind, Medium, copy, difference};
use scenario::{Scenario, scenarios, state_in};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use support::report;
use winrefit_disk::journal::State;
use winrefit_lab::random::Random;

/// Kills in a usual run, on both media together.
const RUNS: u64 = 40;
/// From so many on each command has to have been hit while it wrote.
const LONG_RUNS: u64 = 100;
/// A resume may be killed so often before it is let finish.
const RESUMES_KILLED_MAX: u32 = 3;
/// How often the header is looked at while its state is waited for.
const GLANCE: Duration = Duration::from_micros(20);

fn duration(random: &mut Random, longest: Duration) -> Duration {
    Duration::from_nanos(random.below(longest.as_nanos() as u64))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// When a command is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after it was started.
    After(Duration),
    /// So long after the journal's header has come to say that work is under way.
    Writing(Duration),
}

/// What a command had done when it was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hit {
    Before,
    During,
    After,
    /// It had ended.
    Late,
}

/// What the journal's header says, if there is one.
fn state(target: &Path, header: u64) -> Option<State> {
    state_in(&File::open(target).unwrap(), header)
}

fn is_under_way(state: Option<State>) -> bool {
    !matches!(state, None | Some(State::Applied))
}

/// Runs a command and kills it. `true` if it was killed before it ended.
fn kill(arguments: &[&str], target: &Path, header: u64, moment: Moment) -> bool {
    let began = state(target, header);
    let mut child = Command::new(env!("CARGO_BIN_EXE_winrefit"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let delay = match moment {
        Moment::After(delay) => delay,
        Moment::Writing(delay) => {
            let changed = |now| now != began && is_under_way(now);
            while !changed(state(target, header)) && child.try_wait().unwrap().is_none() {
                sleep(GLANCE);
            }
            delay
        }
    };
    sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap().signal() == Some(9)
}

/// What every command has to say of the disk now.
fn assert_recognised(target: &str, state: Option<State>) {
    let output = support::winrefit(&["diagnose", target, "--format", "json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let unfinished = told["verdict"] == "unfinished";
    assert_eq!(unfinished, is_under_way(state), "{state:?}: {told:#}");
    assert_eq!(output.status.code() == Some(5), unfinished, "{told:#}");
    let named = told["journal"]["state"].as_str();
    assert_eq!(named, state.map(|state| state.as_str()), "{told:#}");
}

/// A count of kills by command and by what they hit.
type Counts = BTreeMap<(&'static str, Hit), u64>;

/// One command killed, and its resume as well, until one is let finish.
fn run(
    scenario: &mut Scenario,
    kind: Kind,
    folder: &Path,
    random: &mut Random,
    counts: &mut Counts,
) -> Option<()> {
    let medium = Medium::of(&scenario.before, folder, kind)?;
    let target = medium.target().to_str().unwrap().to_owned();
    let aimed = random.below(3) > 0;
    let moment = if aimed {
        Moment::Writing(duration(random, scenario.writing * 5 / 4))
    } else {
        Moment::After(duration(random, scenario.whole * 5 / 4))
    };
    let command = [scenario.command, &target, "--yes"];
    let killed = kill(&command, medium.target(), scenario.header, moment);
    let mut now = state(medium.target(), scenario.header);
    let hit = match now {
        _ if !killed => Hit::Late,
        now if is_under_way(now) => Hit::During,
        now if now == scenario.began => Hit::Before,
        _ => Hit::After,
    };
    *counts.entry((scenario.command, hit)).or_default() += 1;
    assert_recognised(&target, now);

    for _ in 0..random.below(u64::from(RESUMES_KILLED_MAX) + 1) {
        if !is_under_way(now) {
            break;
        }
        let earlier = folder.join("earlier.img");
        copy(medium.settled(), &earlier);
        let moment = Moment::After(duration(random, scenario.resume));
        let killed = kill(&["resume", &target], medium.target(), scenario.header, moment);
        let untouched = difference(medium.settled(), &earlier, &[]).is_none();
        std::fs::remove_file(&earlier).unwrap();
        now = state(medium.target(), scenario.header);
        let hit = match now {
            _ if !killed => Hit::Late,
            _ if untouched => Hit::Before,
            now if is_under_way(now) => Hit::During,
            _ => Hit::After,
        };
        *counts.entry(("resume", hit)).or_default() += 1;
        assert_recognised(&target, now);
    }
    let begin = Instant::now();
    let resumed = report(0, &["resume", &target]);
    if is_under_way(now) {
        // The machine is as busy now as it will be next time, rather than as it was at first.
        scenario.resume = begin.elapsed();
    }
    assert_resumed(scenario, &medium, now, &resumed);
    // And the disk is ready for whatever comes next.
    assert_recognised(&target, state(medium.target(), scenario.header));
    Some(())
}

/// The disk behind a resume is the one before or the one after, as the journal had decided.
fn assert_resumed(scenario: &Scenario, medium: &Medium, was: Option<State>, resumed: &Value) {
    let (end, except) = match was {
        None | Some(State::Preparing | State::Undoing) => (&scenario.old, scenario.free.clone()),
        Some(State::Committed | State::Applied) => (&scenario.new, scenario.apart_from_new()),
    };
    let differs = difference(medium.settled(), end, &except);
    assert_eq!(
        differs, None,
        "{scenario:?}, killed in {was:?}: this byte is not that of the disk\n{resumed:#}"
    );
    let now = state(medium.target(), scenario.header);
    let is_new = *end == scenario.new;
    assert_eq!(
        now,
        is_new.then_some(State::Applied),
        "{scenario:?}, killed in {was:?}"
    );
}

fn killed_on(kind: Kind) {
    let runs = number("WINREFIT_KILL_RUNS").unwrap_or(RUNS).div_ceil(2);
    let seed = number("WINREFIT_KILL_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_nanos() as u64
    });
    println!("WINREFIT_KILL_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let Some(mut scenarios) = scenarios(folder.path(), kind) else {
        return;
    };
    let (mut random, mut counts) = (Random::new(seed), Counts::new());
    let begin = Instant::now();
    for turn in 0..runs {
        let count = scenarios.len();
        let scenario = &mut scenarios[turn as usize % count];
        if run(scenario, kind, folder.path(), &mut random, &mut counts).is_none() {
            return;
        }
    }
    println!("{runs} runs, {kind:?}, in {:.1?}", begin.elapsed());
    for ((command, hit), count) in &counts {
        println!("  {command:<12} {hit:?}: {count}");
    }
    let commands = ["fix", "undo", "reset-update", "resume"];
    let hit = commands
        .iter()
        .filter(|command| counts.contains_key(&(**command, Hit::During)));
    let expected = if runs < LONG_RUNS { 1 } else { commands.len() };
    assert!(
        hit.count() >= expected,
        "hardly any kill has hit the writing: {counts:?}"
    );
}

#[test]
fn killed_on_a_file_it_leaves_the_old_disk_or_the_new_one() {
    killed_on(Kind::File);
}

#[test]
fn killed_on_a_loop_device_it_leaves_the_old_disk_or_the_new_one() {
    killed_on(Kind::Loop);
}
