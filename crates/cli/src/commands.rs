//! The commands, a file each: open, call the domain, show. No judgement is made here.

pub mod check;
pub mod demo;
pub mod diagnose;
pub mod explain;
pub mod fix;
pub mod kb;
pub mod lab;
pub mod plan;
pub mod reset;
pub mod resume;
pub mod undo;
pub mod verify;

use crate::args::{Format, GoalArgs};
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::prompt::{self, Answer};
use crate::render::{html, human, json};
use crate::result_file;
use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};
use winrefit_repair::plan::Request;
use winrefit_repair::report::Report;
use winrefit_repair::text;
use winrefit_repair::text::Text;
use winrefit_repair::{RepairError, commands};

/// Shows `report` and says how the command ends.
pub fn finish(report: &Report, output: &Output) -> Result<ExitCode, Failure> {
    finish_with(report, "", output)
}

/// As [`finish`]; `options` are those that the command named as the next one needs as well.
fn finish_with(report: &Report, options: &str, output: &Output) -> Result<ExitCode, Failure> {
    let text = match output.format {
        Format::Human => human::render(report, options, &output.stdout),
        Format::Json => json::render(report)?,
        Format::Html => html::render(report, options, output.stdout.language)?,
    };
    result_file::deliver(&text, output)?;
    Ok(report.verdict.into())
}

/// The question of a command that writes, and what came of it.
struct Consent<'a> {
    output: &'a Output,
    question: Text,
    yes: bool,
    answer: Option<Answer>,
}

impl<'a> Consent<'a> {
    fn new(output: &'a Output, question: Text, yes: bool) -> Self {
        Self {
            output,
            question,
            yes,
            answer: None,
        }
    }

    /// Shows what would be done and asks.
    fn ask(&mut self, report: &Report) -> bool {
        if !self.yes && prompt::can_ask() {
            output::tell(&human::render(report, "", &self.output.stderr));
        }
        let answer = prompt::confirm(&self.question, self.yes, self.output.stderr.language);
        self.answer = Some(answer);
        answer == Answer::Yes
    }

    /// Shows the end: the report, unless it has been read and declined just now.
    fn finish(self, report: &Report) -> Result<ExitCode, Failure> {
        match (self.answer, self.output.format) {
            (Some(Answer::Nobody), _) => Err(Failure::NobodyToAsk),
            (Some(Answer::No), Format::Human) if self.output.file.is_none() => {
                let said = self.output.stderr.language.say(text!("Nothing was written."));
                output::tell(&format!("{said}\n"));
                Ok(report.verdict.into())
            }
            _ => finish(report, self.output),
        }
    }
}

/// Carries out a command that writes only if somebody agrees to its report.
fn with_consent(
    output: &Output,
    question: Text,
    yes: bool,
    work: impl FnOnce(
        &mut dyn FnMut(&Report) -> bool,
        &mut dyn FnMut(commands::Progress),
    ) -> Result<Report, RepairError>,
) -> Result<ExitCode, Failure> {
    // Both callbacks speak to the terminal, in turns.
    let progress = RefCell::new(Progress::new(output));
    let mut consent = Consent::new(output, question, yes);
    let report = work(
        &mut |report| {
            progress.borrow_mut().end();
            consent.ask(report)
        },
        &mut |step| progress.borrow_mut().show(step),
    );
    progress.borrow_mut().end();
    consent.finish(&report?)
}

fn request(goal: &GoalArgs) -> Request {
    Request {
        size_bytes: goal.size,
        free_bytes: goal.free,
        recovery_partition: goal.recovery.recovery_partition,
        drop_shadow_copies: goal.drop_shadow_copies,
        reclaim: goal.reclaim,
        remove_stale: goal.remove_stale,
        create: goal.create,
    }
}

/// Now, for the journal; a clock before 1970 counts as 1970.
fn now_unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
