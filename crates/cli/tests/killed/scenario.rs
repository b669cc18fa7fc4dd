//! What is killed: a command on a disk, with the disks between which it works and the time that it takes undisturbed.

use crate::medium::{Kind, Medium, copy, difference};
use crate::support::{report, winrefit};
use crate::{GLANCE, is_under_way, state};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use winrefit_disk::journal::{self, MAGIC, State};
use winrefit_disk::{ByteRange, DiskFile, ReadAt, SectorSize};

const SECTOR_BYTES: u64 = 512;

/// A command to be killed.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub command: &'static str,
    /// The disk that it is run on: `old`, or `new` if it goes back.
    pub before: PathBuf,
    /// What the journal's header says there.
    pub began: Option<State>,
    pub old: PathBuf,
    pub new: PathBuf,
    /// Where the journal's header goes.
    pub header: u64,
    /// Free clusters that hold copies, or the journal's body.
    pub free: Vec<Range<u64>>,
    /// Where the new disk holds the time at which it was made.
    pub times: Vec<Range<u64>>,
    /// From start to end.
    pub whole: Duration,
    /// From the first state of work under way to the end of that.
    pub writing: Duration,
    /// What a resume takes.
    pub resume: Duration,
}

impl Scenario {
    /// What may differ from the new disk: the header names the moment, and the transaction.
    pub fn apart_from_new(&self) -> Vec<Range<u64>> {
        let header = self.header..self.header + SECTOR_BYTES;
        [&self.free[..], &self.times, &[header]].concat()
    }
}

/// Profile of the lab, and the command that changes its disk. The first one has data where the border is to go.
const CASES: &[(&str, &str)] = &[
    ("full-tail", "fix"),
    ("case-kb5034441", "reset-update"),
    ("mbr", "fix"),
];

/// All that is killed, forth and back. `None`, with a visible note, where there is no such medium.
pub fn scenarios(folder: &Path, kind: Kind) -> Option<Vec<Scenario>> {
    let mut all = Vec::new();
    for (profile, command) in CASES {
        let forth = forth(folder, kind, profile, command)?;
        let undone = Scenario {
            command: "undo",
            before: forth.new.clone(),
            began: Some(State::Applied),
            ..forth.clone()
        };
        let back = timed(undone, folder, kind)?;
        all.extend([forth, back]);
    }
    for scenario in &all {
        println!(
            "{} {}: {:.1?}, writing {:.1?}, resume {:.1?}",
            scenario.command,
            scenario.before.file_name().unwrap().display(),
            scenario.whole,
            scenario.writing,
            scenario.resume
        );
    }
    Some(all)
}

/// The disk before and after, and all that is known of the way.
fn forth(folder: &Path, kind: Kind, profile: &str, command: &'static str) -> Option<Scenario> {
    let old = folder.join(format!("{profile}.old"));
    let new = folder.join(format!("{profile}.new"));
    let path = old.to_str().unwrap();
    let made = winrefit(&["lab", "create", profile, path, "--size", "8GiB", "--files", "20"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    copy(&old, &new);
    let done = report(0, &[command, new.to_str().unwrap(), "--yes"]);
    assert_eq!(done["verdict"], "repaired");
    let (header, free) = journal_of(&new);
    let mut scenario = Scenario {
        command,
        before: old.clone(),
        began: None,
        old,
        new,
        header,
        free,
        times: Vec::new(),
        whole: Duration::ZERO,
        writing: Duration::ZERO,
        resume: Duration::ZERO,
    };
    let again = folder.join("again.img");
    copy(&scenario.old, &again);
    // A reset writes when it was made, to the second.
    sleep(Duration::from_millis(1100));
    report(0, &[command, again.to_str().unwrap(), "--yes"]);
    while let Some(at) = difference(&again, &scenario.new, &scenario.apart_from_new()) {
        // A time is a number of eight bytes, wherever it is.
        scenario.times.push(at - at % 8..at - at % 8 + 8);
        assert!(
            command == "reset-update" && scenario.times.len() < 16,
            "{scenario:?}"
        );
    }
    std::fs::remove_file(&again).unwrap();
    timed(scenario, folder, kind)
}

/// Where the applied journal of a disk has its header, and the free clusters that belong to it.
fn journal_of(image: &Path) -> (u64, Vec<Range<u64>>) {
    let disk = DiskFile::open_read(image).unwrap();
    let first = disk.read_vec(0, 2 << 20).unwrap();
    let sectors = first.chunks(SECTOR_BYTES as usize);
    let header = sectors
        .clone()
        .position(|sector| sector.starts_with(&MAGIC))
        .unwrap();
    let header = header as u64 * SECTOR_BYTES;
    let within = ByteRange::new(0, disk.size());
    let found = journal::find(&disk, SectorSize::B512, &[header], within)
        .unwrap()
        .unwrap();
    assert_eq!(found.header.state, State::Applied);
    let moves = journal::load(&disk, &found.header).unwrap().moves;
    let mut free: Vec<_> = moves.iter().map(|m| m.to..m.to + m.length).collect();
    if !found.header.is_body_in_gap() {
        free.push(found.header.body().start..found.header.body().end);
    }
    (header, free)
}

/// The scenario with the times that it takes when nobody disturbs it, and with the proof that its two disks are what an
/// undisturbed run leaves: a comparison with them says something.
fn timed(scenario: Scenario, folder: &Path, kind: Kind) -> Option<Scenario> {
    let medium = Medium::of(&scenario.before, folder, kind)?;
    let target = medium.target().to_str().unwrap();
    let start = Instant::now();
    let mut child = start_command(&[scenario.command, target, "--yes"]);
    let (mut first, mut last) = (start, start);
    while child.try_wait().unwrap().is_none() {
        let now = state(medium.target(), scenario.header);
        if is_under_way(now) {
            last = Instant::now();
            first = if first == start { last } else { first };
        }
        sleep(GLANCE);
    }
    let whole = start.elapsed();
    assert!(child.wait().unwrap().success());
    assert!(last > first, "the writing was not seen");
    let (end, except) = match scenario.command {
        "undo" => (&scenario.old, scenario.free.clone()),
        _ => (&scenario.new, scenario.apart_from_new()),
    };
    assert_eq!(difference(medium.settled(), end, &except), None, "{scenario:?}");
    drop(medium);

    let resume = resume_time(&scenario, folder, kind)?;
    Some(Scenario {
        whole,
        writing: last - first,
        resume,
        ..scenario
    })
}

/// Kills the command as soon as it writes, and takes the time of a resume.
fn resume_time(scenario: &Scenario, folder: &Path, kind: Kind) -> Option<Duration> {
    let medium = Medium::of(&scenario.before, folder, kind)?;
    let target = medium.target().to_str().unwrap();
    let mut child = start_command(&[scenario.command, target, "--yes"]);
    while !is_under_way(state(medium.target(), scenario.header)) && child.try_wait().unwrap().is_none() {
        sleep(GLANCE);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let start = Instant::now();
    report(0, &["resume", target]);
    Some(start.elapsed())
}

fn start_command(arguments: &[&str]) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_winrefit"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What the journal's header says, if there is one. Read beside the command that writes it, so only what lies in one place
/// counts.
pub fn state_in(file: &std::fs::File, header: u64) -> Option<State> {
    let mut sector = [0; 16];
    file.read_exact_at(&mut sector, header).unwrap();
    if !sector.starts_with(&MAGIC) {
        return None;
    }
    let number = u32::from_le_bytes(sector[12..].try_into().unwrap());
    let state = State::ALL.into_iter().find(|state| state.number() == number);
    Some(state.expect("a state"))
}
