//! `resume`: interrupted work completed or discarded. It needs no question: both ends are states of a working disk.

use super::{finish, now_unix_seconds};
use crate::args::TargetArgs;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::interrupt::{self, Work};
use crate::output::Output;
use crate::progress::Progress;
use winrefit_repair::commands;
use winrefit_repair::target::Target;

/// Completes or discards interrupted work.
pub fn run(target: &TargetArgs, output: &Output) -> Result<ExitCode, Failure> {
    interrupt::writing(Work::Resume);
    let mut target = Target::open_write(&target.path, now_unix_seconds())?;
    let mut progress = Progress::new(output);
    let report = commands::resume(&mut target, &mut |step| progress.show(step));
    progress.end();
    finish(&report?, output)
}
