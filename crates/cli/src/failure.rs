//! Errors as a user sees them: what happened and where, and what to do next. Never more than that, never less.

use crate::args::Format;
use crate::exit::ExitCode;
use crate::output::{self, Output};
use crate::render::{human, json};
use crate::result_file;
use serde::Serialize;
use std::io;
use std::path::PathBuf;
use thiserror::Error;
use winrefit_lab::LabError;
use winrefit_repair::RepairError;
use winrefit_repair::kb::about::Asked;
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
    /// There is no such code.
    NoSuchCode {
        /// As typed.
        asked: String,
        /// Codes that look like it.
        nearest: Vec<&'static str>,
    },
    /// There is no such update, or what was typed is none.
    NoSuchUpdate {
        /// As typed.
        asked: String,
        /// Its number.
        number: Option<u32>,
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
    /// The file for the result could not be made.
    ResultFile {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The command came to its end, and its result could not be written to its file.
    ResultLost {
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
            Self::NoSuchCode { asked, .. } => {
                text!(
                    "\"{asked}\" is no code that this version of winrefit knows",
                    asked
                )
            }
            Self::NoSuchUpdate { asked, number } => no_such_update(asked, *number),
            Self::NobodyToAsk => {
                text!("the question was not answered: standard input or standard error is no terminal")
            }
            Self::File { path, source } => Text::raw(format!("{}: {source}", path.display())),
            Self::ResultFile { path, source } | Self::ResultLost { path, source } => {
                Text::raw(format!("--output {}: {source}", path.display()))
            }
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
            Self::NobodyToAsk
            | Self::NoSuchProfile { .. }
            | Self::NoSuchCode { .. }
            | Self::NoSuchUpdate { .. } => ExitCode::Usage,
            Self::Repair(error) if error.is_usage() => ExitCode::Usage,
            Self::Repair(error) if error.is_unfinished() => ExitCode::Unfinished,
            Self::Repair(error) if error.is_damage() => ExitCode::Damaged,
            Self::Repair(_)
            | Self::Lab { .. }
            | Self::File { .. }
            | Self::ResultFile { .. }
            | Self::ResultLost { .. }
            | Self::Output(_)
            | Self::Json(_) => ExitCode::Error,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Repair(error) => error.code(),
            Self::Lab { .. } => "lab",
            Self::NoSuchProfile { .. } => "no-such-profile",
            Self::NoSuchCode { .. } => "no-such-code",
            Self::NoSuchUpdate { .. } => "no-such-update",
            Self::NobodyToAsk => "nobody-to-ask",
            Self::File { .. } => "file",
            Self::ResultFile { .. } | Self::ResultLost { .. } => "result-file",
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
            Self::NoSuchCode { asked, nearest } => another_code(asked, nearest),
            Self::NoSuchUpdate { .. } => how_to_recognise(),
            Self::NobodyToAsk => text!(
                "Nothing was written. `winrefit plan` shows what `fix` will do, `winrefit reset-update --dry-run` what a reset \
                 will; then run the command again with --yes."
            ),
            Self::File { .. } => text!("Check the path, and that you may write there."),
            Self::ResultFile { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                text!(
                    "A report is never written over a file that is there. Name another one, or remove it first."
                )
            }
            Self::ResultFile { .. } => text!("Check that the directory is there and can be written to."),
            Self::ResultLost { .. } => text!(
                "The command itself came to its end. Make room for the report, and name another file; `winrefit diagnose` \
                 or `winrefit verify` shows how the disk is now."
            ),
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
            let _ = document.map(|text| result_file::deliver_error(&text, output));
        }
        self.exit_code()
    }
}

/// What to try instead of a code that is not known.
fn another_code(asked: &str, nearest: &[&'static str]) -> Text {
    let list = text!("`winrefit explain --list` shows all codes.");
    if let Some(Asked::Update(number)) = Asked::parse(asked)
        && asked.to_ascii_lowercase().starts_with("kb")
    {
        return text!("Updates are explained by `winrefit kb {number}`.", number);
    }
    match nearest {
        [] => list,
        nearest => {
            let codes = Text::one_of(nearest.iter().copied().map(Text::raw));
            Text::sentences([text!("Did you mean {codes}?", codes), list])
        }
    }
}

fn no_such_update(asked: &str, number: Option<u32>) -> Text {
    match number {
        Some(number) => text!("KB{number} is not known to this version of winrefit", number),
        None => text!(
            "\"{asked}\" is neither the number of an update (KB5034441) nor a build of Windows (19045)",
            asked
        ),
    }
}

/// How to tell an update of WinRE that is not in the table.
fn how_to_recognise() -> Text {
    text!(
        "`winrefit kb` shows all updates that are known. One of WinRE is recognised by its title, which has \"Windows Recovery \
         Environment Update\" in it; those of January 2024 were called \"Security Update\" and are in the table by their number."
    )
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
