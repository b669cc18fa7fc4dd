//! What the text logs of Windows hold, as far as updates are concerned.

use std::fmt::Display;
use winrefit_formats::logs::{
    AgentCommand as RawCommand, Citation, HRESULTS_OF_UPDATES, PartitionRequirement, Tail, hresults,
    partition_requirements, update_reports,
};

/// Longest line that is kept, in characters.
const LINE_CHARS_MAX: usize = 300;

/// Where a line stands, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePlace {
    /// Path of the log.
    pub log: &'static str,
    /// Byte of the file at which the line begins.
    pub offset: u64,
    /// Its time as written, local to that Windows.
    pub time: Option<String>,
    /// The line, shortened.
    pub line: String,
}

/// What the logs hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logs {
    /// Commands of reagentc, oldest first.
    pub commands: Vec<AgentCommand>,
    /// Tests of the room for an image, oldest first.
    pub space_checks: Vec<SpaceCheck>,
    /// Error codes of servicing.
    pub servicing_codes: Vec<CodeSeen>,
    /// Failures in the history of Windows Update, oldest first.
    pub history: Vec<HistoryFailure>,
}

/// A command of reagentc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentCommand {
    /// As it was typed.
    pub command: String,
    /// The Win32 error that it ended with.
    pub error: Option<u32>,
    /// Where it stands.
    pub place: LinePlace,
}

/// A test of the room for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceCheck {
    /// Bytes that were there.
    pub available: Option<u64>,
    /// Bytes that were wanted.
    pub required: Option<u64>,
    /// Where it stands.
    pub place: LinePlace,
}

/// An error code and how often it stands in the part of a log that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSeen {
    /// The code.
    pub code: u32,
    /// How often.
    pub count: u64,
    /// Its newest line.
    pub last: LinePlace,
}

/// A failure in the history of Windows Update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryFailure {
    /// The error.
    pub code: u32,
    /// Title of the update.
    pub title: String,
    /// Numbers of updates in it.
    pub kbs: Vec<u32>,
    /// Where it stands.
    pub place: LinePlace,
}

/// A folder that servicing of WinRE works in and removes when it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkFolder {
    /// When its content was changed last (FILETIME).
    pub modified: Option<u64>,
    /// Names in it.
    pub names: Vec<String>,
    /// Whether its state file says that an update is staged.
    pub staged: Option<String>,
}

impl Logs {
    /// Takes in the calls of reagentc, and the tests of the room that it made.
    pub(super) fn add_agent(&mut self, log: &'static str, read: &winrefit_formats::logs::AgentLog) {
        self.commands
            .extend(read.commands.iter().map(|command| AgentCommand::of(log, command)));
        self.space_checks
            .extend(read.requirements.iter().map(|test| SpaceCheck::of(log, test)));
    }

    /// Takes in the tests of the room that Setup made.
    pub(super) fn add_setup(&mut self, log: &'static str, tail: &Tail) {
        let tests = partition_requirements(tail);
        self.space_checks
            .extend(tests.iter().map(|test| SpaceCheck::of(log, test)));
    }

    /// Takes in the codes of servicing.
    pub(super) fn add_servicing(&mut self, log: &'static str, tail: &Tail) {
        let seen = hresults(tail, &HRESULTS_OF_UPDATES).into_iter();
        self.servicing_codes.extend(seen.filter_map(|seen| {
            let last = LinePlace::of(log, &seen.lines.last?);
            Some(CodeSeen {
                code: seen.code,
                count: seen.lines.count as u64,
                last,
            })
        }));
    }

    /// Takes in the failures of updates.
    pub(super) fn add_history(&mut self, log: &'static str, tail: &Tail) {
        let reports = update_reports(tail, |report| {
            report.hresult.is_some_and(|result| result >> 31 == 1)
        });
        self.history.extend(reports.into_iter().filter_map(|report| {
            let code = report.hresult?;
            let line = format!("{} {code:#010x} {}", report.event_name, report.title);
            Some(HistoryFailure {
                code,
                kbs: report.kb_numbers,
                place: LinePlace {
                    log,
                    offset: report.offset,
                    time: Some(report.time.to_string()),
                    line: short(line),
                },
                title: report.title,
            })
        }));
    }
}

impl LinePlace {
    fn of(log: &'static str, citation: &Citation) -> Self {
        Self {
            log,
            offset: citation.offset,
            time: citation.time.map(|time| time.to_string()),
            line: short(&citation.line),
        }
    }
}

impl AgentCommand {
    fn of(log: &'static str, command: &RawCommand) -> Self {
        // reagentc writes Win32 errors in hexadecimal, without a mark.
        let error = command.error.as_deref();
        let error = error.and_then(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok());
        let ending = command.error.as_deref().map(|error| format!(", Error: {error}"));
        Self {
            command: command.command.clone(),
            error,
            place: LinePlace {
                log,
                offset: command.offset,
                time: command.started.or(command.ended).map(|time| time.to_string()),
                line: short(format!("{}{}", command.command, ending.unwrap_or_default())),
            },
        }
    }
}

impl SpaceCheck {
    fn of(log: &'static str, test: &PartitionRequirement) -> Self {
        Self {
            available: test.available.or(test.free),
            required: test.required,
            place: LinePlace::of(log, &test.last_line),
        }
    }
}

fn short(line: impl Display) -> String {
    line.to_string().trim().chars().take(LINE_CHARS_MAX).collect()
}
