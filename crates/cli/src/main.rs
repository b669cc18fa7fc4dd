//! winrefit: finds out why Windows updates end in 0x80070643 and makes the recovery partition large enough.
//!
//! Arguments in two stages ([`args`], [`output`]), commands ([`run`], [`commands`]), renderings of the one report
//! ([`render`]). Whatever is decided about a disk is decided in `winrefit-repair`.

mod args;
mod commands;
mod exit;
mod failure;
mod interrupt;
mod output;
mod progress;
mod prompt;
mod render;
mod run;
mod size;

use args::Args;
use clap::Parser;
use exit::ExitCode;
use output::Output;

fn main() -> std::process::ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version end here as well. A reader that has gone away is no reason to fail.
            let _ = error.print();
            let code = if error.use_stderr() {
                ExitCode::Usage
            } else {
                ExitCode::Success
            };
            return code.into();
        }
    };
    let output = Output::resolve(&args.output);
    run::run(&args, &output)
        .unwrap_or_else(|failure| failure.report(&output))
        .into()
}
