//! `lab`: Windows-like disks from profiles.

use crate::args::{Format, OneDiskArgs};
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::render::{human, json};
use crate::unfinished::Unfinished;
use serde::Serialize;
use std::path::Path;
use winrefit_lab::profiles::{self, CASES, GROUPS, Group};
use winrefit_lab::{CreateOptions, Profile, create, new_file};
use winrefit_repair::text;

/// Name and version of the lab's documents.
const SCHEMA: &str = "winrefit.lab/1";

#[derive(Debug, Serialize)]
struct ListDocument {
    schema: &'static str,
    profiles: Vec<ProfileFields>,
}

#[derive(Debug, Serialize)]
struct ProfileFields {
    name: &'static str,
    group: &'static str,
    summary: &'static str,
    /// What `plan` answers: a strategy, or the code of a refusal.
    plan: &'static str,
    disk_size_bytes: u64,
    file_count: u32,
}

#[derive(Debug, Serialize)]
struct CreatedDocument<'a> {
    schema: &'static str,
    #[serde(flatten)]
    disk: CreatedFields<'a>,
}

#[derive(Debug, Serialize)]
struct AllCreatedDocument<'a> {
    schema: &'static str,
    disks: Vec<CreatedFields<'a>>,
}

#[derive(Debug, Serialize)]
struct CreatedFields<'a> {
    profile: &'static str,
    path: &'a Path,
    disk_size_bytes: u64,
}

/// Lists the profiles.
pub fn list(output: &Output) -> Result<ExitCode, Failure> {
    let text = match output.format {
        Format::Human | Format::Html => human::lab::list(&[GROUPS, CASES].concat(), &output.stdout),
        Format::Json => {
            let grouped = GROUPS
                .iter()
                .chain(CASES)
                .flat_map(|group| group.profiles.iter().map(move |profile| (group, profile)));
            let fields = |(group, profile): (&Group, &Profile)| ProfileFields {
                name: profile.name,
                group: group.title,
                summary: profile.summary,
                plan: profile.expected,
                disk_size_bytes: profile.disk_size_bytes,
                file_count: profile.file_count,
            };
            json::render(&ListDocument {
                schema: SCHEMA,
                profiles: grouped.map(fields).collect(),
            })?
        }
    };
    output::print(&text).map_err(Failure::Output)?;
    Ok(ExitCode::Success)
}

/// Makes a disk.
pub fn create_one(one: &OneDiskArgs, files: Option<u32>, output: &Output) -> Result<ExitCode, Failure> {
    let profile = find(&one.profile)?;
    let mut progress = Progress::new(output);
    let options = CreateOptions {
        size: one.size,
        files,
        event_log: one.event_log,
    };
    let made = build(profile, &one.out, &options, &mut progress);
    progress.end();
    let disk_size_bytes = made?;
    let text = match output.format {
        Format::Human | Format::Html => {
            human::lab::created(&one.out, profile.name, disk_size_bytes, &output.stdout)
        }
        Format::Json => json::render(&CreatedDocument {
            schema: SCHEMA,
            disk: CreatedFields {
                profile: profile.name,
                path: &one.out,
                disk_size_bytes,
            },
        })?,
    };
    output::print(&text).map_err(Failure::Output)?;
    Ok(ExitCode::Success)
}

/// Makes a disk of every profile in `directory`, which is made if it is not there. Before the first is made, none may
/// be there.
pub fn create_all(directory: &Path, files: Option<u32>, output: &Output) -> Result<ExitCode, Failure> {
    let paths: Vec<_> = profiles::all()
        .map(|profile| (profile, directory.join(format!("{}.img", profile.name))))
        .collect();
    let file_failure = |path: &Path, source| Failure::File {
        path: path.to_owned(),
        source,
    };
    std::fs::create_dir_all(directory).map_err(|source| file_failure(directory, source))?;
    // Not `exists`: a link that leads nowhere is in the way, too.
    let mut there = paths.iter().filter(|(_, path)| path.symlink_metadata().is_ok());
    if let Some((_, path)) = there.next() {
        return Err(file_failure(path, std::io::ErrorKind::AlreadyExists.into()));
    }
    let mut progress = Progress::new(output);
    let built = paths.iter().map(|(profile, path)| {
        let options = CreateOptions {
            files,
            ..CreateOptions::default()
        };
        let disk_size_bytes = build(profile, path, &options, &mut progress)?;
        Ok(CreatedFields {
            profile: profile.name,
            path,
            disk_size_bytes,
        })
    });
    let built: Result<Vec<_>, Failure> = built.collect();
    progress.end();
    let disks = built?;
    let text = match output.format {
        Format::Human | Format::Html => human::lab::created_all(directory, disks.len(), &output.stdout),
        Format::Json => json::render(&AllCreatedDocument {
            schema: SCHEMA,
            disks,
        })?,
    };
    output::print(&text).map_err(Failure::Output)?;
    Ok(ExitCode::Success)
}

/// The profile of that name.
pub fn find(name: &str) -> Result<&'static Profile, Failure> {
    Profile::find(name).ok_or_else(|| Failure::NoSuchProfile {
        name: name.to_owned(),
    })
}

/// Builds the disk of `profile` in a new sparse file and returns its size in bytes.
pub fn build(
    profile: &'static Profile,
    path: &Path,
    options: &CreateOptions,
    progress: &mut Progress,
) -> Result<u64, Failure> {
    progress.text(
        &text!("Building the disk of profile {profile}", profile = profile.name),
        None,
    );
    let failure = |source| Failure::Lab {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let mut file = Unfinished::make(|| new_file(profile, options, path).map(|file| (path.to_owned(), file)))
        .map_err(failure)?;
    let disk = create(profile, options, file.made()).map_err(failure)?;
    file.keep();
    Ok(disk.size_bytes)
}
