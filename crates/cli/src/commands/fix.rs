//! `fix`: the plan, the question, the repair, the proof.

use super::{Consent, now_unix_seconds, request};
use crate::args::{ConsentArgs, GoalArgs, TargetArgs};
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use std::cell::RefCell;
use winrefit_repair::commands;
use winrefit_repair::target::Target;

/// Repairs the disk.
pub fn run(
    target: &TargetArgs,
    goal: &GoalArgs,
    consent: ConsentArgs,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let mut target = Target::open_write(&target.path, now_unix_seconds())?;
    // Both callbacks speak to the terminal, in turns.
    let progress = RefCell::new(Progress::new(output));
    let mut consent = Consent::new(output, "Repair this disk now?", consent.yes);
    let report = commands::fix(
        &mut target,
        &request(goal),
        &mut |report| {
            progress.borrow_mut().end();
            consent.ask(report)
        },
        &mut |step| progress.borrow_mut().show(step),
    );
    progress.borrow_mut().end();
    consent.finish(&report?)
}
