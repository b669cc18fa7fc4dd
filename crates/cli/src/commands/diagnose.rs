//! `diagnose`: what is wrong and what to do.

use super::{finish_with, now_unix_seconds};
use crate::args::{RecoveryArgs, TargetArgs};
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use winrefit_repair::commands;
use winrefit_repair::target::Target;

/// Diagnoses the disk.
pub fn run(target: &TargetArgs, recovery: RecoveryArgs, output: &Output) -> Result<ExitCode, Failure> {
    let target = Target::open_read(&target.path, now_unix_seconds())?;
    let report = commands::diagnose(&target, recovery.recovery_partition)?;
    finish_with(&report, &recovery.as_typed(), output)
}
