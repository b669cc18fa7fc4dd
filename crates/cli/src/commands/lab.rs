//! `lab`: Windows-like disks from profiles.

use crate::args::Format;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::render::{human, json};
use serde::Serialize;
use std::path::Path;
use winrefit_lab::{CreateOptions, PROFILES, Profile, create_file};

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
    summary: &'static str,
    disk_size_bytes: u64,
    file_count: u32,
}

#[derive(Debug, Serialize)]
struct CreatedDocument<'a> {
    schema: &'static str,
    profile: &'static str,
    path: &'a Path,
    disk_size_bytes: u64,
}

/// Lists the profiles.
pub fn list(output: &Output) -> Result<ExitCode, Failure> {
    let text = match output.format {
        Format::Human => human::lab::list(PROFILES, &output.stdout),
        Format::Json => {
            let fields = |profile: &Profile| ProfileFields {
                name: profile.name,
                summary: profile.summary,
                disk_size_bytes: profile.disk_size_bytes,
                file_count: profile.file_count,
            };
            json::render(&ListDocument {
                schema: SCHEMA,
                profiles: PROFILES.iter().map(fields).collect(),
            })?
        }
    };
    output::print(&text).map_err(Failure::Output)?;
    Ok(ExitCode::Success)
}

/// Makes a disk.
pub fn create(
    name: &str,
    out: &Path,
    size_bytes: Option<u64>,
    files: Option<u32>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let profile = find(name)?;
    let mut progress = Progress::new(output);
    let made = build(profile, out, size_bytes, files, &mut progress);
    progress.end();
    let disk_size_bytes = made?;
    let text = match output.format {
        Format::Human => human::lab::created(out, profile.name, disk_size_bytes, &output.stdout),
        Format::Json => json::render(&CreatedDocument {
            schema: SCHEMA,
            profile: profile.name,
            path: out,
            disk_size_bytes,
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
    size_bytes: Option<u64>,
    files: Option<u32>,
    progress: &mut Progress,
) -> Result<u64, Failure> {
    progress.text(&format!("Building the disk of profile {}", profile.name), "");
    let options = CreateOptions {
        size: size_bytes,
        files,
    };
    let disk = create_file(profile, &options, path).map_err(|source| Failure::Lab {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    Ok(disk.size_bytes)
}
