//! `demo`: the main job on a disk made for it, told as a story. Works on a file of its own only.

use super::lab;
use crate::args::Format;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::render::human::demo::{Story, render};
use crate::unfinished::Unfinished;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use winrefit_lab::CreateOptions;
use winrefit_repair::commands;
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::target::Target;

const PROFILE: &str = "server2022";

/// Runs the demo; with `keep` the disk stays there.
pub fn run(keep: Option<&Path>, output: &Output) -> Result<ExitCode, Failure> {
    let mut temporary = if keep.is_some() {
        None
    } else {
        Some(temporary_directory()?)
    };
    let directory = match (keep, &mut temporary) {
        (Some(directory), _) => {
            fs::create_dir_all(directory).map_err(|source| file_failure(directory, source))?;
            directory
        }
        (None, Some(temporary)) => temporary.made().path(),
        (None, None) => Path::new("."),
    };
    let path = directory.join(format!("{PROFILE}.img"));
    let mut progress = Progress::new(output);
    let told = tell(&path, keep.is_some(), output, &mut progress);
    progress.end();
    told
}

fn temporary_directory() -> Result<Unfinished<tempfile::TempDir>, Failure> {
    let make = || {
        let folder = tempfile::Builder::new().prefix("winrefit-demo-").tempdir()?;
        Ok((folder.path().to_owned(), folder))
    };
    Unfinished::make(make).map_err(|source| file_failure(&std::env::temp_dir(), source))
}

fn file_failure(path: &Path, source: std::io::Error) -> Failure {
    Failure::File {
        path: PathBuf::from(path),
        source,
    }
}

fn tell(path: &Path, keep: bool, output: &Output, progress: &mut Progress) -> Result<ExitCode, Failure> {
    let profile = lab::find(PROFILE)?;
    lab::build(profile, path, &CreateOptions::default(), progress)?;
    let diagnosis = diagnose(path)?;
    let plan = plan(path, progress)?;
    let (repair, repair_time) = repair(path, progress)?;
    let again = diagnose(path)?;
    progress.end();
    let kept = path.display().to_string();
    let text = match output.format {
        Format::Human | Format::Html => {
            let story = Story {
                profile: profile.summary,
                diagnosis: &diagnosis,
                plan: &plan,
                repair: &repair,
                repair_time,
                kept: keep.then_some(kept.as_str()),
            };
            render(&story, &output.stdout)
        }
        Format::Json => crate::render::json::render(&repair)?,
    };
    output::print(&text).map_err(Failure::Output)?;
    // The story has a happy end only if the second diagnosis says so too. That the image has yet to be updated by Windows
    // belongs to it.
    let rules = again
        .recovery
        .as_ref()
        .map_or(&[][..], |recovery| &recovery.rules);
    let has_room = !rules.is_empty() && rules.iter().all(|rule| rule.met);
    Ok(
        if has_room && matches!(again.verdict, Verdict::Healthy | Verdict::Attention) {
            repair.verdict.into()
        } else {
            again.verdict.into()
        },
    )
}

fn diagnose(path: &Path) -> Result<Report, Failure> {
    Ok(commands::diagnose(
        &Target::open_read(path, super::now_unix_seconds())?,
        None,
    )?)
}

fn plan(path: &Path, progress: &mut Progress) -> Result<Report, Failure> {
    let target = Target::open_read(path, super::now_unix_seconds())?;
    Ok(commands::plan(&target, &Request::default(), &mut |step| {
        progress.show(step)
    })?)
}

/// Repairs without a question: the disk is the demo's own.
fn repair(path: &Path, progress: &mut Progress) -> Result<(Report, Duration), Failure> {
    let mut target = Target::open_write(path, super::now_unix_seconds())?;
    let begin = Instant::now();
    let report = commands::fix(&mut target, &Request::default(), &mut |_| true, &mut |step| {
        progress.show(step)
    })?;
    Ok((report, begin.elapsed()))
}
