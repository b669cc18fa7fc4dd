//! `reset-update`: Windows Update's folders put aside and its services set back, after a question.

use super::{finish, now_unix_seconds, with_consent};
use crate::args::{ConsentArgs, Part, ResetArgs, TargetArgs};
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::interrupt::{self, Work};
use crate::output::Output;
use crate::progress::Progress;
use winrefit_repair::commands;
use winrefit_repair::reset::{ResetPart, ResetRequest};
use winrefit_repair::target::Target;
use winrefit_repair::text;

/// Resets Windows Update, or shows what that would do.
pub fn run(
    target: &TargetArgs,
    reset: ResetArgs,
    consent: ConsentArgs,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let request = request(reset);
    if reset.dry_run {
        let target = Target::open_read(&target.path, now_unix_seconds())?;
        let mut progress = Progress::new(output);
        let report = commands::plan_reset(&target, &request, &mut |step| progress.show(step));
        progress.end();
        return finish(&report?, output);
    }
    interrupt::writing(Work::Reset);
    let mut target = Target::open_write(&target.path, now_unix_seconds())?;
    let question = text!("Reset Windows Update on this disk now?");
    with_consent(output, question, consent.yes, |ask, progress| {
        commands::reset_update(&mut target, &request, ask, progress)
    })
}

fn request(reset: ResetArgs) -> ResetRequest {
    ResetRequest {
        windows: reset.windows,
        only: reset.only.map(|part| match part {
            Part::Folders => ResetPart::Folders,
            Part::Services => ResetPart::Services,
        }),
    }
}
