//! `fix`: the plan, the question, the repair, the proof.

use super::{now_unix_seconds, request, with_consent};
use crate::args::{ConsentArgs, GoalArgs, TargetArgs};
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::interrupt::{self, Work};
use crate::output::Output;
use winrefit_repair::commands;
use winrefit_repair::target::Target;
use winrefit_repair::text;

/// Repairs the disk.
pub fn run(
    target: &TargetArgs,
    goal: &GoalArgs,
    consent: ConsentArgs,
    output: &Output,
) -> Result<ExitCode, Failure> {
    interrupt::writing(Work::Fix);
    let mut target = Target::open_write(&target.path, now_unix_seconds())?;
    let question = match goal.remove_stale {
        Some(number) => text!(
            "Repair this disk now? Partition {number} goes with all that is in it.",
            number
        ),
        None => text!("Repair this disk now?"),
    };
    with_consent(output, question, consent.yes, |ask, progress| {
        commands::fix(&mut target, &request(goal), ask, progress)
    })
}
