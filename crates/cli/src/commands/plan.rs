//! `plan`: what `fix` would do, rehearsed and proven, without a byte written.

use super::{finish_with, now_unix_seconds, request};
use crate::args::{GoalArgs, TargetArgs};
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use winrefit_repair::commands;
use winrefit_repair::target::Target;

/// Plans a repair.
pub fn run(target: &TargetArgs, goal: &GoalArgs, output: &Output) -> Result<ExitCode, Failure> {
    let target = Target::open_read(&target.path, now_unix_seconds())?;
    let mut progress = Progress::new(output);
    let report = commands::plan(&target, &request(goal), &mut |step| progress.show(step));
    progress.end();
    finish_with(&report?, &goal.as_typed(), output)
}
