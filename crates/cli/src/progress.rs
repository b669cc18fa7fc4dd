//! Progress on standard error. At a terminal one line changes in place; elsewhere there is a line for each step, so
//! that a log stays readable. Nothing at all with JSON.

use crate::args::Format;
use crate::interrupt;
use crate::output::{self, Output};
use winrefit_disk::journal::Stage;
use winrefit_repair::commands::Progress as Step;
use winrefit_repair::explain::size;

/// Erases from the cursor to the end of the line.
const ERASE: &str = "\r\x1b[K";

/// Shows steps as they come.
pub struct Progress {
    quiet: bool,
    live: bool,
    shown: String,
}

impl Progress {
    /// Progress for the command's output.
    pub fn new(output: &Output) -> Self {
        Self {
            quiet: output.format == Format::Json,
            live: output.live_progress,
            shown: String::new(),
        }
    }

    /// Shows a step of a command.
    pub fn show(&mut self, step: Step) {
        interrupt::note(step);
        let (name, amount) = words(step);
        self.text(&name, &amount);
    }

    /// Shows a step by its name, with an amount that is worth showing only where it can change in place.
    pub fn text(&mut self, name: &str, amount: &str) {
        if self.quiet {
            return;
        }
        if self.live {
            self.shown = name.to_owned();
            output::tell(&format!("{ERASE}  {name}{amount}"));
        } else if self.shown != name {
            self.shown = name.to_owned();
            output::tell(&format!("{name}\n"));
        }
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
fn words(step: Step) -> (String, String) {
    let plain = |name: &str| (name.to_owned(), String::new());
    match step {
        Step::Checking { partition } => (
            format!("Checking the NTFS volume of partition {partition}"),
            String::new(),
        ),
        Step::Staging => plain("Preparing the result on a view of the disk; nothing is written"),
        Step::VerifyingStaged => plain("Proving the prepared result"),
        Step::Verifying => plain("Verifying the disk"),
        Step::Moving {
            done_bytes,
            total_bytes,
        } => (
            "Copying data to space that nothing uses".to_owned(),
            amount(done_bytes, total_bytes),
        ),
        Step::Committing(progress) => {
            let amount = amount(progress.done_bytes, progress.total_bytes);
            (stage_words(progress.stage).to_owned(), amount)
        }
    }
}

fn amount(done_bytes: u64, total_bytes: u64) -> String {
    format!(": {} of {}", size(done_bytes), size(total_bytes))
}

fn stage_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Compare => "Comparing what was moved with where it was",
        Stage::Journal => "Writing the journal",
        Stage::Apply => "Writing the changes",
        Stage::Verify => "Reading the changes back",
        Stage::Wipe => "Retiring the journal",
    }
}
