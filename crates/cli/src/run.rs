//! What each command line leads to.

use crate::args::{Args, Command, LabCommand};
use crate::commands;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::Output;

/// Carries out the command.
pub fn run(args: &Args, output: &Output) -> Result<ExitCode, Failure> {
    match &args.command {
        Command::Demo { keep } => commands::demo::run(keep.as_deref(), output),
        Command::Lab(LabCommand::List) => commands::lab::list(output),
        Command::Lab(LabCommand::Create {
            profile,
            out,
            size,
            files,
        }) => commands::lab::create(profile, out, *size, *files, output),
        Command::Diagnose { target, recovery } => commands::diagnose::run(target, *recovery, output),
        Command::Plan { target, goal } => commands::plan::run(target, goal, output),
        Command::Fix {
            target,
            goal,
            consent,
        } => commands::fix::run(target, goal, *consent, output),
        Command::Resume { target } => commands::resume::run(target, output),
        Command::Verify { target, recovery } => commands::verify::run(target, *recovery, output),
        Command::Check { target, partition } => commands::check::run(target, *partition, output),
        Command::Undo { target, consent } => commands::undo::run(target, *consent, output),
    }
}
