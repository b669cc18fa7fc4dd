//! Progress on standard error. At a terminal one line changes in place; elsewhere there is a line for each step, so
//! that a log stays readable. Nothing at all with JSON.

use crate::args::Format;
use crate::interrupt;
use crate::language::Language;
use crate::output::{self, Output};
use winrefit_disk::journal::Stage;
use winrefit_repair::commands::Progress as Step;
use winrefit_repair::text;
use winrefit_repair::text::{Bytes, Text};

/// Erases from the cursor to the end of the line.
const ERASE: &str = "\r\x1b[K";

/// Shows steps as they come.
pub struct Progress {
    quiet: bool,
    live: bool,
    language: &'static Language,
    shown: String,
}

impl Progress {
    /// Progress for the command's output.
    pub fn new(output: &Output) -> Self {
        Self {
            quiet: output.format == Format::Json,
            live: output.live_progress,
            language: output.stderr.language,
            shown: String::new(),
        }
    }

    /// Shows a step of a command.
    pub fn show(&mut self, step: Step) {
        interrupt::note(step);
        let (name, amount) = words(step);
        self.text(&name, amount.as_ref());
    }

    /// Shows a step by its name, with an amount that is worth showing only where it can change in place.
    pub fn text(&mut self, name: &Text, amount: Option<&Text>) {
        if self.quiet {
            return;
        }
        let said = self.language.say(name);
        if self.live {
            let line = amount.map(|amount| text!("{step}: {amount}", step = name, amount));
            let line = line.map_or_else(|| said.clone(), |line| self.language.say(line));
            output::tell(&format!("{ERASE}  {line}"));
        } else if self.shown != said {
            output::tell(&format!("{said}\n"));
        }
        self.shown = said;
    }

    /// Clears the line for what comes next.
    pub fn end(&mut self) {
        if self.live && !self.quiet && !self.shown.is_empty() {
            output::tell(ERASE);
        }
        self.shown.clear();
    }
}

/// A step, and how far it is.
fn words(step: Step) -> (Text, Option<Text>) {
    match step {
        Step::Checking { partition } => (
            text!("Checking the NTFS volume of partition {partition}", partition),
            None,
        ),
        Step::Staging => (
            text!("Preparing the result on a view of the disk; nothing is written"),
            None,
        ),
        Step::VerifyingStaged => (text!("Proving the prepared result"), None),
        Step::Verifying => (text!("Verifying the disk"), None),
        Step::Moving {
            done_bytes,
            total_bytes,
        } => (
            text!("Copying data to space that nothing uses"),
            Some(amount(done_bytes, total_bytes)),
        ),
        Step::Committing(progress) => (
            stage_words(progress.stage),
            Some(amount(progress.done_bytes, progress.total_bytes)),
        ),
    }
}

fn amount(done_bytes: u64, total_bytes: u64) -> Text {
    text!(
        "{done} of {total}",
        done = Bytes(done_bytes),
        total = Bytes(total_bytes)
    )
}

fn stage_words(stage: Stage) -> Text {
    match stage {
        Stage::Compare => text!("Comparing what was moved with where it was"),
        Stage::Journal => text!("Writing the journal"),
        Stage::Apply => text!("Writing the changes"),
        Stage::Verify => text!("Reading the changes back"),
        Stage::Wipe => text!("Retiring the journal"),
    }
}
