//! `ReAgent.log`: the calls of the recovery agent and what it found.

use super::requirements::{Collector, contains};
use super::{LogLine, LogTime, Occurrences, PartitionRequirement, Tail, push_bounded};
use std::collections::VecDeque;

const EXECUTING: &str = "Executing command line:";
const EXITING: &str = "Exiting command line:";

/// One call of `reagentc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentCommand {
    /// The command line.
    pub command: String,
    /// When it began; `None` if the log as it was read begins within it.
    pub started: Option<LogTime>,
    /// When it ended; `None` if that is not noted.
    pub ended: Option<LogTime>,
    /// The error it ended with, as the log has it: `0` for none.
    pub error: Option<String>,
    /// Byte of the file at which its first line begins that was read.
    pub offset: u64,
}

/// What a `ReAgent.log` says, as far as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentLog {
    /// The newest calls, oldest first.
    pub commands: Vec<AgentCommand>,
    /// The newest examinations of partitions, oldest first.
    pub requirements: Vec<PartitionRequirement>,
    /// "No suitable partition could be found".
    pub no_suitable_partition: Occurrences,
    /// "Partition has bitlocker".
    pub bitlocker: Occurrences,
    /// The log begins before what was read.
    pub truncated: bool,
}

impl AgentLog {
    /// What the log says.
    pub fn parse(tail: &Tail) -> Self {
        let mut log = Self {
            truncated: tail.truncated,
            ..Self::default()
        };
        let mut commands = VecDeque::new();
        let mut requirements = Collector::default();
        for line in tail.lines() {
            // Said by a fast search first: most lines are about something else.
            let may_tell = line.text.contains("artition") || line.text.contains("command line:");
            let Some(parsed) = may_tell.then(|| LogLine::parse(&line)).flatten() else {
                requirements.skip();
                continue;
            };
            requirements.add(&parsed, &line.text);
            frame(&parsed, &mut commands);
            if contains(parsed.text, "no suitable partition could be found") {
                log.no_suitable_partition.add(&line);
            }
            if contains(parsed.text, "partition has bitlocker") {
                log.bitlocker.add(&line);
            }
        }
        log.commands = commands.into();
        log.requirements = requirements.finish();
        log
    }
}

/// Takes a line that frames a call: dashes, the words, the command line, for the end ", Error: N", dashes.
fn frame(line: &LogLine<'_>, commands: &mut VecDeque<AgentCommand>) {
    let offset = line.offset;
    if let Some((_, rest)) = line.text.split_once(EXECUTING) {
        let command = AgentCommand {
            command: bare(rest),
            started: Some(line.time),
            ended: None,
            error: None,
            offset,
        };
        push_bounded(commands, command);
    } else if let Some((_, rest)) = line.text.split_once(EXITING) {
        let (command, error) = match rest.rsplit_once(", Error:") {
            Some((command, error)) => (bare(command), Some(bare(error))),
            None => (bare(rest), None),
        };
        let is_open = |open: &&mut AgentCommand| open.ended.is_none() && open.command == command;
        let ended = Some(line.time);
        match commands.back_mut().filter(is_open) {
            Some(open) => (open.ended, open.error) = (ended, error),
            None => push_bounded(
                commands,
                AgentCommand {
                    command,
                    started: None,
                    ended,
                    error,
                    offset,
                },
            ),
        }
    }
}

/// Without the dashes behind it and the space around.
fn bare(text: &str) -> String {
    text.trim().trim_end_matches('-').trim_end().to_string()
}
