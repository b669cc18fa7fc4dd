//! What winrefit says of the evidence on a disk: `docs/cases.md` is the table of it, and this test keeps both the same.
//! With WINREFIT_BLESS=1 the table is written anew. What each case has to come to is said here once more, by hand.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "cases/due.rs"]
mod due;

use due::{CASES, Due, STORIES};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use winrefit_disk::DiskFile;
use winrefit_lab::{CreateOptions, Profile, create_file, profiles};
use winrefit_repair::RepairError;
use winrefit_repair::commands::{diagnose, plan};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Confidence, Report, Severity, Verdict};
use winrefit_repair::target::Target;

/// 2026-11-01 00:00 UTC; only journals would take notice.
const NOW: u64 = 1_793_491_200;

const HEAD: &str = "\
# Cases

Why an update failed, and what a machine is still open to: what `winrefit diagnose` says of the evidence on a disk.
Every row is a disk of the lab (`winrefit lab create NAME disk.img`). `cli/tests/cases.rs` builds each, runs the
command, and compares; with `WINREFIT_BLESS=1` it writes this file.

*Says* has the verdict and then the findings by their codes (`winrefit explain CODE` tells more of each): those in bold
are problems, plain ones want attention, those in brackets are for the record. Where a judgement is not certain, its
confidence stands behind it.
";

fn read(path: &Path) -> Result<Target<DiskFile>, RepairError> {
    Target::open_read(path, NOW)
}

fn made(profile: &Profile, folder: &Path) -> PathBuf {
    let path = folder.join(format!("{}.img", profile.name));
    let options = CreateOptions {
        size: None,
        files: Some(60),
        event_log: None,
    };
    create_file(profile, &options, &path).unwrap();
    path
}

fn verdict(verdict: Verdict) -> String {
    let value = serde_json::to_value(verdict).unwrap();
    value.as_str().unwrap().to_owned()
}

fn says(report: &Report) -> String {
    let finding = |f: &winrefit_repair::report::FindingReport| {
        let confidence = match f.confidence {
            Confidence::Certain => "",
            Confidence::Likely => " likely",
            Confidence::Possible => " possible",
        };
        match f.severity {
            Severity::Problem => format!("**`{}`**{confidence}", f.code),
            Severity::Warning => format!("`{}`{confidence}", f.code),
            Severity::Note => format!("[`{}`{confidence}]", f.code),
        }
    };
    let findings: Vec<String> = report.findings.iter().map(finding).collect();
    let findings = if findings.is_empty() {
        "nothing".to_owned()
    } else {
        findings.join(", ")
    };
    format!("{}: {findings}", verdict(report.verdict))
}

/// What is due, held against what was said.
fn judge(due: &Due, report: &Report) -> Result<(), String> {
    let said = verdict(report.verdict);
    if said != due.verdict {
        return Err(format!("{}: {said} instead of {}", due.profile, due.verdict));
    }
    let mut codes: Vec<&str> = report.findings.iter().map(|f| f.code).collect();
    let mut wanted = due.findings.to_vec();
    codes.sort_unstable();
    wanted.sort_unstable();
    if codes != wanted {
        return Err(format!("{}: {codes:?} instead of {wanted:?}", due.profile));
    }
    // Whoever is told of something is told why.
    let bare = report
        .findings
        .iter()
        .find(|f| f.evidence.is_empty() || f.explained.next.is_empty());
    bare.map_or(Ok(()), |f| {
        Err(format!("{}: {} without evidence or advice", due.profile, f.code))
    })
}

/// What is asked of every profile, on two threads, in the order of the profiles.
fn of_each<T: Send>(all: &[&'static Profile], ask: impl Fn(&Path) -> T + Sync) -> Vec<T> {
    let folder = tempfile::tempdir().unwrap();
    let (next, done) = (Mutex::new(all.iter().enumerate()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((index, profile)) = next.lock().unwrap().next() else {
                        break;
                    };
                    let path = made(profile, folder.path());
                    let answer = ask(&path);
                    std::fs::remove_file(&path).unwrap();
                    done.lock().unwrap().push((index, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, answer)| answer).collect()
}

fn kept_or_blessed(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    if std::env::var_os("WINREFIT_BLESS").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let new: Vec<&str> = made
        .lines()
        .filter(|line| !kept.lines().any(|old| old == *line))
        .collect();
    assert!(
        kept == made,
        "docs/{name} differs; WINREFIT_BLESS=1 writes it anew. New lines:\n{}",
        new.join("\n")
    );
}

fn story_plan(path: &Path) -> String {
    let report = plan(&read(path).unwrap(), &Request::default(), &mut |_| ()).unwrap();
    match (&report.refusal, &report.plan) {
        (Some(refusal), _) => format!("refused, `{}`", refusal.code),
        (None, Some(plan)) => plan.strategy.to_owned(),
        (None, None) => "none".to_owned(),
    }
}

#[test]
fn the_table_of_cases_is_true() {
    let cases: Vec<&'static Profile> = profiles::cases().collect();
    let reports = of_each(&cases, |path| diagnose(&read(path).unwrap(), None).unwrap());
    let mut text = HEAD.to_owned();
    text.push_str("\n## Evidence\n\n| disk | what it is | says |\n|---|---|---|\n");
    for (case, report) in cases.iter().zip(&reports) {
        let about = case.summary.replace('|', r"\|");
        writeln!(text, "| `{}` | {about} | {} |", case.name, says(report)).unwrap();
    }
    let stories: Vec<&'static Profile> = STORIES
        .iter()
        .map(|(_, name)| Profile::find(name).unwrap_or_else(|| panic!("no profile {name}")))
        .collect();
    let answers = of_each(&stories, |path| {
        let report = diagnose(&read(path).unwrap(), None).unwrap();
        (says(&report), story_plan(path))
    });
    text.push_str(
        "\n## Stories of failure\n\nWhat has gone wrong for others, where the layout of the disk is the reason.\n\n\
         | what went wrong | disk | says | plan |\n|---|---|---|---|\n",
    );
    for ((story, name), (says, plan)) in STORIES.iter().zip(&answers) {
        writeln!(text, "| {story} | `{name}` | {says} | {plan} |").unwrap();
    }
    let problems: Vec<String> = cases
        .iter()
        .zip(&reports)
        .filter_map(
            |(case, report)| match CASES.iter().find(|due| due.profile == case.name) {
                Some(due) => judge(due, report).err(),
                None => Some(format!("{}: nothing is said of what is due", case.name)),
            },
        )
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(cases.len() >= 30 && CASES.len() == cases.len());
    kept_or_blessed("cases.md", &text);
}
