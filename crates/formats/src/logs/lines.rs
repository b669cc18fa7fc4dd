//! Lines as Setup, the recovery agent and servicing write them: `YYYY-MM-DD HH:MM:SS, Level   [tag] text`.

use super::{Line, LogTime};

/// What a line is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `Info`.
    Info,
    /// `Warning`.
    Warning,
    /// `Error`.
    Error,
    /// Another word, such as `Perf`.
    Other,
}

/// A line in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine<'l> {
    /// When it was written.
    pub time: LogTime,
    /// What it is said to be.
    pub level: Level,
    /// What stands in brackets, the program for most, or the component's short name in servicing logs; may be empty.
    pub tag: &'l str,
    /// The rest, without space around it.
    pub text: &'l str,
    /// Byte of the file at which the line begins.
    pub offset: u64,
}

impl<'l> LogLine<'l> {
    /// The parts of `line`; `None` if it has another form, as the further lines of one entry have.
    pub fn parse(line: &'l Line<'_>) -> Option<Self> {
        let (time, rest) = LogTime::parse(&line.text)?;
        let rest = rest.strip_prefix(", ")?;
        let word_end = rest.find(' ').unwrap_or(rest.len());
        let (word, rest) = rest.split_at_checked(word_end)?;
        let level = match word {
            "Info" => Level::Info,
            "Warning" => Level::Warning,
            "Error" => Level::Error,
            _ => Level::Other,
        };
        let (tag, text) = tag(rest.trim());
        let offset = line.offset;
        Some(Self {
            time,
            level,
            tag,
            text,
            offset,
        })
    }
}

fn tag(rest: &str) -> (&str, &str) {
    if let Some((tag, text)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (tag, text.trim_start());
    }
    match rest.split_once("  ") {
        // Components have names of a few letters, padded to a column.
        Some((tag, text)) if !tag.contains(' ') && tag.len() <= 8 => (tag, text.trim_start()),
        _ => ("", rest),
    }
}
