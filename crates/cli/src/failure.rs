//! Errors as a user sees them: what happened and where, and what to do next. Never more than that, never less.

use crate::args::Format;
use crate::exit::ExitCode;
use crate::output::{self, Output};
use crate::render::{human, json};
use serde::Serialize;
use std::io;
use std::path::PathBuf;
use thiserror::Error;
use winrefit_lab::LabError;
use winrefit_repair::RepairError;
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// Name and version of the error document's form.
const SCHEMA: &str = "winrefit.error/1";

/// Why a command ended without a report.
#[derive(Debug, Error)]
#[error("{}", self.text())]
pub enum Failure {
    /// The domain could not carry it out.
    Repair(#[from] RepairError),
    /// The lab could not make a disk.
    Lab {
        /// The disk.
        path: PathBuf,
        /// Why not.
        source: Box<LabError>,
    },
    /// There is no such profile.
    NoSuchProfile {
        /// As typed.
        name: String,
    },
    /// A question is open and nobody is there to answer it.
    NobodyToAsk,
    /// A file or directory of our own making failed.
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The result could not be shown.
    Output(io::Error),
    /// The result could not be put into JSON.
    Json(#[from] serde_json::Error),
}

impl Failure {
    /// What happened, and where.
    fn text(&self) -> Text {
        match self {
            Self::Repair(error) => error.text(),
            Self::Lab { path, source } => Text::raw(format!("{}: {source}", path.display())),
            Self::NoSuchProfile { name } => text!("there is no profile \"{name}\"", name),
            Self::NobodyToAsk => {
                text!("the question was not answered: standard input or standard error is no terminal")
            }
            Self::File { path, source } => Text::raw(format!("{}: {source}", path.display())),
            Self::Output(source) => text!("standard output: {problem}", problem = source.to_string()),
            Self::Json(source) => text!(
                "the report cannot be written as JSON: {problem}",
                problem = source.to_string()
            ),
        }
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::NobodyToAsk | Self::NoSuchProfile { .. } => ExitCode::Usage,
            Self::Repair(error) if error.is_usage() => ExitCode::Usage,
            Self::Repair(error) if error.is_unfinished() => ExitCode::Unfinished,
            Self::Repair(error) if error.is_damage() => ExitCode::Damaged,
            Self::Repair(_) | Self::Lab { .. } | Self::File { .. } | Self::Output(_) | Self::Json(_) => {
                ExitCode::Error
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Repair(error) => error.code(),
            Self::Lab { .. } => "lab",
            Self::NoSuchProfile { .. } => "no-such-profile",
            Self::NobodyToAsk => "nobody-to-ask",
            Self::File { .. } => "file",
            Self::Output(_) => "output",
            Self::Json(_) => "json",
        }
    }

    fn next(&self) -> Text {
        match self {
            Self::Repair(error) => error.next(),
            Self::Lab { .. } => {
                text!("Check that the directory can be written to and the file does not exist yet.")
            }
            Self::NoSuchProfile { .. } => text!("Run `winrefit lab list` to see the profiles."),
            Self::NobodyToAsk => text!(
                "Nothing was written. `winrefit plan` and `winrefit diagnose` show what there is to do; then run the \
                 command again with --yes."
            ),
            Self::File { .. } => text!("Check the path, and that you may write there."),
            Self::Output(_) => {
                text!("Check where the output goes. What was done to the disk is not affected.")
            }
            Self::Json(_) => text!("This is a defect of winrefit; please report it."),
        }
    }

    /// Tells the user, and with `--format json` the program.
    pub fn report(&self, output: &Output) -> ExitCode {
        let page = human::failure::render(&self.text(), &self.next(), &output.stderr);
        output::tell(&page);
        if output.format == Format::Json {
            let error = ErrorFields {
                code: self.code(),
                message: self.text(),
                next: self.next(),
            };
            let document = json::render(&ErrorDocument {
                schema: SCHEMA,
                error,
            });
            // Should this fail too, standard error has said it all.
            let _ = document.map(|text| output::print(&text));
        }
        self.exit_code()
    }
}

#[derive(Debug, Serialize)]
struct ErrorDocument {
    schema: &'static str,
    error: ErrorFields,
}

#[derive(Debug, Serialize)]
struct ErrorFields {
    code: &'static str,
    message: Text,
    next: Text,
}
