//! `fix`: the plan, the question, the repair, the proof.

use super::{now_unix_seconds, request, with_consent};
use crate::args::{ConsentArgs, GoalArgs, TargetArgs};
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::interrupt;
use crate::output::Output;
use winrefit_repair::commands;
use winrefit_repair::target::Target;

/// Repairs the disk.
pub fn run(
    target: &TargetArgs,
    goal: &GoalArgs,
    consent: ConsentArgs,
    output: &Output,
) -> Result<ExitCode, Failure> {
    interrupt::arm();
    let mut target = Target::open_write(&target.path, now_unix_seconds())?;
    with_consent(output, "Repair this disk now?", consent.yes, |ask, progress| {
        commands::fix(&mut target, &request(goal), ask, progress)
    })
}
