//! `undo`: the last repair put back, bit for bit.

use super::{now_unix_seconds, with_consent};
use crate::args::{ConsentArgs, TargetArgs};
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::interrupt::{self, Work};
use crate::output::Output;
use winrefit_repair::commands;
use winrefit_repair::target::Target;
use winrefit_repair::text;

/// Puts the last repair back.
pub fn run(target: &TargetArgs, consent: ConsentArgs, output: &Output) -> Result<ExitCode, Failure> {
    interrupt::writing(Work::Undo);
    let mut target = Target::open_write(&target.path, now_unix_seconds())?;
    with_consent(
        output,
        text!("Put the last repair back now?"),
        consent.yes,
        |ask, progress| commands::undo(&mut target, ask, progress),
    )
}
