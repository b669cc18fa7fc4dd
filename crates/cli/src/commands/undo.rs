//! `undo`: the last repair put back, bit for bit.

use super::{Consent, now_unix_seconds};
use crate::args::{ConsentArgs, TargetArgs};
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use std::cell::RefCell;
use winrefit_repair::commands;
use winrefit_repair::target::Target;

/// Puts the last repair back.
pub fn run(target: &TargetArgs, consent: ConsentArgs, output: &Output) -> Result<ExitCode, Failure> {
    let mut target = Target::open_write(&target.path, now_unix_seconds())?;
    // Both callbacks speak to the terminal, in turns.
    let progress = RefCell::new(Progress::new(output));
    let mut consent = Consent::new(output, "Put the last repair back now?", consent.yes);
    let report = commands::undo(
        &mut target,
        &mut |report| {
            progress.borrow_mut().end();
            consent.ask(report)
        },
        &mut |step| progress.borrow_mut().show(step),
    );
    progress.borrow_mut().end();
    consent.finish(&report?)
}
