//! What winrefit says of every disk of the lab, and what it does: `docs/layouts.md` is the table of it, and this test
//! keeps both the same. With WINREFIT_BLESS=1 the table is written anew, and `layouts/plans.txt`, which has the plan for
//! every disk.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "layouts/agree.rs"]
mod agree;
#[path = "layouts/judge.rs"]
mod judge;
#[path = "peer_disk/support.rs"]
#[allow(dead_code)]
mod support;

use std::fmt::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use support::{hash_of, hash_of_ranges, winrefit};
use winrefit_disk::{ByteRange, DiskFile, ReadAt, ReadWindow};
use winrefit_lab::profile::Role;
use winrefit_lab::profiles::{self, GROUPS};
use winrefit_lab::{CreateOptions, CreatedDisk, Profile, create_file};
use winrefit_ntfs::bitmap::ClusterBitmap;
use winrefit_ntfs::runs::Run;
use winrefit_ntfs::{Lcn, Volume};
use winrefit_repair::RepairError;
use winrefit_repair::commands::{diagnose, fix, plan, undo, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{PlanReport, Report, Verdict};
use winrefit_repair::target::Target;

/// Files on each C:; more would tell nothing that the table shows.
const FILES: u32 = 100;
/// What a disk may take of the medium.
const REAL_BYTES_MAX: u64 = 100 << 20;
/// How long building one may take.
const BUILD_TIME_MAX: Duration = Duration::from_secs(20);
/// 2024-01-01 00:00 UTC.
const NOW: u64 = 1_704_067_200;

const HEAD: &str = "\
# Layouts

What winrefit does today on every disk of the lab: `winrefit lab create NAME disk.img` makes one,
`winrefit lab create --all DIR` all of them. `cli/tests/layouts.rs` builds each, runs the commands, and compares;
with `WINREFIT_BLESS=1` it writes this file.

*Findings* are those of `diagnose`, after its verdict. *Plan* is the strategy, or the refusal with its code; where that
advises to name the recovery partition, also the plan with the first one named. *Result* is what `fix` ended in and
what `verify`, `diagnose`, `plan` and `undo` said afterwards; `undo` counts only if the disk has every byte back that
was in use. Where the plan is refused, `fix` was run as well, and the disk has not changed.
";

fn table_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/layouts.md")
}

fn read(path: &Path) -> Result<Target<DiskFile>, RepairError> {
    Target::open_read(path, NOW)
}

fn repair(path: &Path) -> Report {
    let mut target = open_write(path).unwrap();
    fix(&mut target, &Request::default(), &mut |_| true, &mut |_| ()).unwrap()
}

fn word(verdict: Verdict) -> String {
    let value = serde_json::to_value(verdict).unwrap();
    value.as_str().unwrap().to_owned()
}

/// The findings of `diagnose`.
fn diagnosed(path: &Path) -> String {
    let report = diagnose(&read(path).unwrap(), None).unwrap();
    let codes: Vec<_> = report.findings.iter().map(|f| format!("`{}`", f.code)).collect();
    let codes = if codes.is_empty() {
        "none".to_owned()
    } else {
        codes.join(", ")
    };
    format!("{}: {codes}", word(report.verdict))
}

/// Hashes of all that counts on a disk: what is in use of each NTFS volume, the whole of each other partition, and the
/// MiB at either end, where the tables are. What is unallocated or free may keep copies of what was there for a while.
fn hashes_in_use(path: &Path, made: &CreatedDisk) -> Vec<String> {
    let disk = DiskFile::open_read(path).unwrap();
    let ends = [0..1 << 20, disk.size() - (1 << 20)..disk.size()];
    let mut hashes: Vec<String> = ends.map(|end| hash_of_ranges(path, [end])).into();
    for partition in &made.partitions {
        let range = partition.range;
        hashes.push(match used(&disk, range) {
            Some(used) => hash_of_ranges(path, used),
            None => hash_of_ranges(path, std::iter::once(range.start..range.end)),
        });
    }
    hashes
}

/// Where the clusters in use of an NTFS volume lie on the disk.
fn used(disk: &DiskFile, range: ByteRange) -> Option<Vec<Range<u64>>> {
    let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).ok()?;
    let geometry = volume.geometry();
    let bits = ClusterBitmap::read(&volume).unwrap();
    let at = |lcn| range.start + geometry.offset_of(Lcn(lcn));
    let (mut used, mut used_from, end) = (Vec::new(), 0, Lcn(bits.clusters()));
    let last = Run {
        lcn: Some(end),
        clusters: 0,
    };
    for free in bits.free_runs(end).chain([last]) {
        let free_from = free.lcn.unwrap().0;
        used.push(at(used_from)..at(free_from));
        used_from = free_from + free.clusters;
    }
    Some(used)
}

/// Opens a disk for writing. A child of another thread that has not come to its own program yet may still hold the lock
/// of a file that is closed.
fn open_write(path: &Path) -> Result<Target<DiskFile>, RepairError> {
    for _ in 0..200 {
        match Target::open_write(path, NOW) {
            Err(RepairError::Disk(winrefit_disk::DiskError::InUse { .. })) => {
                std::thread::sleep(Duration::from_millis(10));
            }
            opened => return opened,
        }
    }
    Target::open_write(path, NOW)
}

/// What `fix` does on a disk whose plan is not refused, and what the others say afterwards.
fn result(path: &Path, made: &CreatedDisk, old: &str) -> String {
    let old_in_use = hashes_in_use(path, made);
    let fixed = repair(path);
    if fixed.verdict != Verdict::Repaired {
        assert_eq!(hash_of(path), old, "{}", path.display());
        return word(fixed.verdict);
    }
    let proof = verify(&read(path).unwrap(), None, &mut |_| ()).unwrap();
    judge::judge(path);
    let again = plan(&read(path).unwrap(), &Request::default(), &mut |_| ()).unwrap();
    let strategy = again.plan.map_or("none", |plan| plan.strategy);
    let after = diagnosed(path);
    let undone = undo(&mut open_write(path).unwrap(), &mut |_| true, &mut |_| ()).unwrap();
    // What moved leaves its copy in space that is free again.
    if fixed.plan.is_none_or(|plan| plan.move_bytes == 0) {
        assert_eq!(hash_of(path), old, "{} after undo", path.display());
    }
    let now = hashes_in_use(path, made);
    assert_eq!(now, old_in_use, "{} after undo", path.display());
    format!(
        "repaired; verify {}; then {after}, plan {strategy}; {}",
        word(proof.verdict),
        word(undone.verdict)
    )
}

/// What the plan is where the refusal advises to name the recovery partition, and the first one is named.
fn named(path: &Path, made: &CreatedDisk, code: &str) -> Option<String> {
    if !["no-windows-reference", "several-recovery-partitions"].contains(&code) {
        return None;
    }
    let roles = [Role::Recovery, Role::EmptyRecovery];
    let number = roles.iter().find_map(|role| made.partition(*role))?.number;
    let request = Request {
        recovery_partition: Some(number),
        ..Request::default()
    };
    let report = plan(&read(path).unwrap(), &request, &mut |_| ()).unwrap();
    let answer = match (report.refusal, report.plan) {
        (Some(refusal), _) => format!("refused, `{}`", refusal.code),
        (None, plan) => {
            let plan = plan.unwrap();
            let reagent = plan
                .steps
                .iter()
                .any(|step| step.to_string().contains("ReAgent.xml"));
            let silent = plan.strategy == "grow-front" && !reagent;
            let told = if silent { ", and no Windows is told" } else { "" };
            format!("**{}**{told}", plan.strategy)
        }
    };
    Some(format!(". With `--recovery-partition {number}`: {answer}"))
}

/// A plan as it is told: what it comes to, and step by step.
fn told(plan: &PlanReport) -> String {
    let mut text = format!("{}: {}\n", plan.strategy, plan.summary);
    for step in &plan.steps {
        writeln!(text, "- {step}").unwrap();
    }
    text
}

struct Row {
    /// The plan in words, step by step.
    told: String,
    findings: String,
    plan: String,
    result: String,
    answer: String,
}

fn row(profile: &Profile, folder: &Path) -> Row {
    let begun = Instant::now();
    let path = folder.join(format!("{}.img", profile.name));
    let options = CreateOptions {
        size: None,
        files: Some(FILES),
        event_log: None,
    };
    let made = create_file(profile, &options, &path).unwrap();
    let built = begun.elapsed();
    assert!(built < BUILD_TIME_MAX, "{}: {built:?}", profile.name);
    let real_bytes = {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(&path).unwrap().blocks() * 512
    };
    assert!(
        real_bytes <= REAL_BYTES_MAX,
        "{}: {real_bytes} bytes",
        profile.name
    );
    let old = hash_of(&path);
    let twin = path.with_extension("twin");
    assert_eq!(create_file(profile, &options, &twin).unwrap(), made);
    assert_eq!(hash_of(&twin), old, "{} twice", profile.name);
    std::fs::remove_file(&twin).unwrap();
    let findings = diagnosed(&path);
    let planned = plan(&read(&path).unwrap(), &Request::default(), &mut |_| ()).unwrap();
    agree::agree(&path, &planned);
    let (answer, plan, result) = match (&planned.refusal, &planned.plan) {
        (Some(refusal), _) => {
            let report = repair(&path);
            assert_eq!(report.refusal.map(|refusal| refusal.code), Some(refusal.code));
            assert_eq!(hash_of(&path), old, "{} after a refusal", profile.name);
            let title = &refusal.explained.title;
            let named = named(&path, &made, refusal.code).unwrap_or_default();
            (
                refusal.code,
                format!("refused, `{}`: {title}{named}", refusal.code),
                "unchanged".to_owned(),
            )
        }
        (None, Some(plan)) => {
            let result = result(&path, &made, &old);
            (plan.strategy, format!("**{}**", plan.strategy), result)
        }
        (None, None) => panic!("{}: neither plan nor refusal", profile.name),
    };
    std::fs::remove_file(&path).unwrap();
    let elapsed = begun.elapsed();
    eprintln!(
        "{}: built in {built:.1?}, {} MiB; {elapsed:.1?}",
        profile.name,
        real_bytes >> 20
    );
    Row {
        told: planned.plan.as_ref().map_or_else(String::new, told),
        findings,
        plan,
        result,
        answer: answer.to_owned(),
    }
}

fn rows(folder: &Path) -> Vec<(&'static Profile, Row)> {
    let all: Vec<_> = profiles::all().collect();
    let (next, done) = (Mutex::new(all.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(profile) = next.lock().unwrap().next() else {
                        break;
                    };
                    let row = row(profile, folder);
                    done.lock().unwrap().push((*profile, row));
                }
            });
        }
    });
    done.into_inner().unwrap()
}

fn table(rows: &[(&Profile, Row)]) -> String {
    let mut text = HEAD.to_owned();
    for group in GROUPS {
        writeln!(text, "\n## {}\n", group.title).unwrap();
        text.push_str("| profile | what it is | findings | plan | result |\n|---|---|---|---|---|\n");
        for profile in group.profiles {
            let (_, row) = rows.iter().find(|(other, _)| other == &profile).unwrap();
            let (name, summary) = (profile.name, profile.summary.replace('|', r"\|"));
            writeln!(
                text,
                "| `{name}` | {summary} | {} | {} | {} |",
                row.findings, row.plan, row.result
            )
            .unwrap();
        }
    }
    text
}

/// The plan for every disk, in the order of the profiles.
fn plans(rows: &[(&Profile, Row)]) -> String {
    let mut text = String::new();
    for profile in profiles::all() {
        let (_, row) = rows.iter().find(|(other, _)| *other == profile).unwrap();
        if !row.told.is_empty() {
            writeln!(text, "## {}\n{}", profile.name, row.told).unwrap();
        }
    }
    text
}

fn plans_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layouts/plans.txt")
}

#[test]
fn the_table_of_layouts_is_true() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows(folder.path());
    let made = table(&rows);
    if std::env::var_os("WINREFIT_BLESS").is_some() {
        std::fs::write(table_path(), &made).unwrap();
        std::fs::write(plans_path(), plans(&rows)).unwrap();
    }
    let plans_kept = std::fs::read_to_string(plans_path()).unwrap_or_default();
    assert!(
        plans_kept == plans(&rows),
        "tests/layouts/plans.txt differs; WINREFIT_BLESS=1 writes it anew, and git diff shows how"
    );
    let kept = std::fs::read_to_string(table_path()).unwrap_or_default();
    let differing: Vec<_> = made
        .lines()
        .filter(|line| !kept.lines().any(|old| old == *line))
        .collect();
    assert!(
        kept == made,
        "docs/layouts.md differs; WINREFIT_BLESS=1 writes it anew. New lines:\n{}",
        differing.join("\n")
    );
    for (profile, row) in &rows {
        assert_eq!(row.answer, profile.expected, "{}", profile.name);
    }
}

#[test]
fn a_disk_of_every_profile_is_made_where_none_is() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("new").join("lab");
    let argument = directory.to_str().unwrap();
    let create = [
        "lab", "create", "--all", argument, "--files", "10", "--format", "json",
    ];
    let made = winrefit(&create);
    let complaints = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{complaints}");
    let document: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let disks = document["disks"].as_array().unwrap();
    assert_eq!(disks.len(), profiles::all().count());
    for (disk, profile) in disks.iter().zip(profiles::all()) {
        assert_eq!(disk["profile"], profile.name);
        let path = directory.join(format!("{}.img", profile.name));
        assert_eq!(disk["path"], path.to_str().unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().len(), profile.disk_size_bytes);
    }

    // One that is there stops all, before the first is made.
    let there = directory.join("refs.img");
    for profile in profiles::all().filter(|profile| profile.name != "refs") {
        std::fs::remove_file(directory.join(format!("{}.img", profile.name))).unwrap();
    }
    let old = hash_of(&there);
    let refused = winrefit(&create);
    assert_eq!(refused.status.code(), Some(1));
    let complaints = String::from_utf8_lossy(&refused.stderr);
    assert!(
        complaints.contains("refs.img") && complaints.contains("exists"),
        "{complaints}"
    );
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
    assert_eq!(hash_of(&there), old);
}
