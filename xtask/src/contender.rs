//! Who takes part, and how each is run once.

use crate::error::Error;
use crate::image::Copy;
use crate::measure::{self, Usage};
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// How much the peer scripts shall grow the recovery partition of 525 MiB: as much as winrefit does unasked.
const GROWTH_MIB: &str = "475";

/// A way to make the recovery partition larger.
#[derive(Debug, Clone)]
pub enum Contender {
    /// `winrefit fix`.
    Winrefit(PathBuf),
    /// A peer's script.
    Script(PathBuf),
}

/// One run on an image file.
#[derive(Debug)]
pub struct Run {
    /// What was measured.
    pub usage: Usage,
    /// The report of winrefit; null for the others.
    pub report: Value,
}

impl Contender {
    /// The name in the table.
    pub fn name(&self) -> String {
        match self {
            Self::Winrefit(_) => "winrefit fix".to_owned(),
            Self::Script(path) => path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
        }
    }

    fn command(&self, image: &Path) -> Vec<OsString> {
        match self {
            Self::Winrefit(binary) => {
                let mut command = vec![binary.into()];
                command.extend(
                    ["fix", "--yes", "--recovery-partition", "4", "--format", "json"].map(Into::into),
                );
                command.push(image.into());
                command
            }
            Self::Script(script) => vec!["bash".into(), script.into(), image.into(), GROWTH_MIB.into()],
        }
    }

    /// Runs once and demands success: a failure that is quick would win.
    fn run(&self, image: &Path) -> Result<Run, Error> {
        let usage = measure::run(&self.command(image))?;
        let report: Value = serde_json::from_str(&usage.output).unwrap_or_default();
        let repaired = matches!(self, Self::Script(_)) || report["verdict"] == "repaired";
        if usage.exit_code == Some(0) && repaired {
            Ok(Run { usage, report })
        } else {
            Err(Error::Answer {
                what: "the outcome of a contender",
                found: format!(
                    "{}: {:?}\n{}{}",
                    self.name(),
                    usage.exit_code,
                    usage.output,
                    usage.errors
                ),
            })
        }
    }

    /// Runs on a fresh copy of `disk`, for time and memory.
    ///
    /// # Errors
    /// Copying, starting, or the outcome.
    pub fn time(&self, disk: &Path, folder: &Path) -> Result<Run, Error> {
        let copy = Copy::of(disk, folder.join("time.img"))?;
        self.run(copy.path())
    }

    /// Runs on a fresh copy behind a loop device, and returns what reached its block layer, in bytes.
    ///
    /// # Errors
    /// As [`Contender::time`], and what the loop device says.
    pub fn written_bytes(&self, disk: &Path, folder: &Path) -> Result<u64, Error> {
        let mut copy = Copy::of(disk, folder.join("written.img"))?;
        let device = copy.attach()?;
        let before = copy.written_bytes()?;
        self.run(&device)?;
        Ok(copy.written_bytes()?.saturating_sub(before))
    }
}
