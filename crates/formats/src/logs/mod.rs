//! Windows' text logs, read from their end: what Setup, the recovery agent, servicing and Windows Update wrote last.
//!
//! No log is documented. What is known of them was seen in logs that people posted; wordings differ between releases,
//! so that a parser takes the numbers by the words that stand before them, and every result has the line and its place
//! in the file, to be cited. Nothing here judges what a line means.
//!
//! Bounds: [`read_tail`] reads at most what it is told to, a line is looked at up to [`LINE_BYTES_MAX`], and results
//! keep the newest [`RESULTS_MAX`] of what may occur more often.

mod agent;
mod hresults;
mod lines;
mod reports;
mod requirements;
mod servicing;
mod tail;
#[cfg(test)]
mod tests;
mod time;

pub use agent::{AgentCommand, AgentLog};
pub use hresults::{HRESULTS_OF_UPDATES, HresultSeen, hresults};
pub use lines::{Level, LogLine};
pub use reports::{UpdateReport, update_reports};
pub use requirements::{PartitionRequirement, Shortage, partition_requirements};
pub use servicing::{ServicingError, ServicingOperation, ServicingState};
pub use tail::{Encoding, Line, Tail, read_tail};
pub use time::LogTime;

use std::collections::VecDeque;

/// Of a longer line only this much is looked at.
pub const LINE_BYTES_MAX: usize = 16 << 10;
/// Results of one kind that are kept, the newest.
pub const RESULTS_MAX: usize = 64;

/// How often something stands in a log, and where first and last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Occurrences {
    /// Number of lines.
    pub count: usize,
    /// The first of them, as far as the log was read.
    pub first: Option<Citation>,
    /// The last of them.
    pub last: Option<Citation>,
}

/// A line of a log, to be cited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// When it was written, in the local time of the computer.
    pub time: Option<LogTime>,
    /// Byte of the file at which the line begins.
    pub offset: u64,
    /// The whole line, up to [`LINE_BYTES_MAX`].
    pub line: String,
}

impl Occurrences {
    fn add(&mut self, line: &Line<'_>) {
        let citation = Citation {
            time: LogTime::parse(&line.text).map(|(time, _)| time),
            offset: line.offset,
            line: line.text.clone().into_owned(),
        };
        self.count += 1;
        self.first.get_or_insert_with(|| citation.clone());
        self.last = Some(citation);
    }
}

/// Adds to the newest results.
fn push_bounded<T>(results: &mut VecDeque<T>, result: T) {
    if results.len() >= RESULTS_MAX {
        results.pop_front();
    }
    results.push_back(result);
}
