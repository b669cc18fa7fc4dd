//! `check`: the consistency of NTFS volumes.

use super::{finish, now_unix_seconds};
use crate::args::TargetArgs;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use winrefit_ntfs::check::CheckLevel;
use winrefit_repair::commands;
use winrefit_repair::target::Target;

/// Checks one volume, or all of them.
pub fn run(
    target: &TargetArgs,
    partition: Option<u32>,
    quick: bool,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let target = Target::open_read(&target.path, now_unix_seconds())?;
    let mut progress = Progress::new(output);
    let level = if quick {
        CheckLevel::Quick
    } else {
        CheckLevel::Full
    };
    let report = commands::check(&target, partition, level, &mut |step| progress.show(step));
    progress.end();
    finish(&report?, output)
}
