//! `verify`: the proof that disk, volumes and WinRE fit together.

use super::{finish, now_unix_seconds};
use crate::args::{RecoveryArgs, TargetArgs};
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use winrefit_repair::commands;
use winrefit_repair::target::Target;

/// Verifies the disk.
pub fn run(target: &TargetArgs, recovery: RecoveryArgs, output: &Output) -> Result<ExitCode, Failure> {
    let target = Target::open_read(&target.path, now_unix_seconds())?;
    let mut progress = Progress::new(output);
    let report = commands::verify(&target, recovery.recovery_partition, &mut |step| {
        progress.show(step)
    });
    progress.end();
    finish(&report?, output)
}
