//! What each command line leads to.

use crate::args::{Args, Command, LabCommand};
use crate::commands;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use winrefit_repair::commands::refused_in_use;

/// Carries out the command. A disk that someone else uses is a refusal, with a report.
pub fn run(args: &Args, output: &Output) -> Result<ExitCode, Failure> {
    let result = dispatch(args, output);
    if let (Err(Failure::Repair(error)), Some((name, target))) = (&result, args.command.target())
        && let Some(report) = refused_in_use(name, &target.path.display().to_string(), error)
    {
        return commands::finish(&report, output);
    }
    result
}

fn dispatch(args: &Args, output: &Output) -> Result<ExitCode, Failure> {
    match &args.command {
        Command::Demo { keep } => commands::demo::run(keep.as_deref(), output),
        Command::Lab(LabCommand::List) => commands::lab::list(output),
        Command::Lab(LabCommand::Create { one, all, files }) => match (one, all) {
            (Some(one), _) => commands::lab::create_one(one, *files, output),
            (None, Some(directory)) => commands::lab::create_all(directory, *files, output),
            // The parser lets no such line pass.
            (None, None) => Err(Failure::NoSuchProfile { name: String::new() }),
        },
        Command::Diagnose { target, recovery } => commands::diagnose::run(target, *recovery, output),
        Command::Plan { target, goal } => commands::plan::run(target, goal, output),
        Command::Fix {
            target,
            goal,
            consent,
        } => commands::fix::run(target, goal, *consent, output),
        Command::ResetUpdate {
            target,
            reset,
            consent,
        } => commands::reset::run(target, *reset, *consent, output),
        Command::Resume { target } => commands::resume::run(target, output),
        Command::Verify { target, recovery } => commands::verify::run(target, *recovery, output),
        Command::Check {
            target,
            partition,
            quick,
        } => commands::check::run(target, *partition, *quick, output),
        Command::Undo { target, consent } => commands::undo::run(target, *consent, output),
        Command::Explain { list: true, .. } => commands::explain::list(output),
        Command::Explain { codes, .. } => commands::explain::run(codes, output),
        Command::Kb { what } => commands::kb::run(what.as_deref(), output),
    }
}
