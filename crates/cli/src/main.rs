//! winrefit: finds out why Windows updates end in 0x80070643 and makes the recovery partition large enough.
//!
//! Arguments in two stages ([`args`], [`output`]), commands ([`run`], [`commands`]), renderings of the one report
//! ([`render`]). Whatever is decided about a disk is decided in `winrefit-repair`.

mod commands;
mod exit;
mod failure;
mod interrupt;
mod output;
mod progress;
mod prompt;
mod render;
mod result_file;
mod run;
mod unfinished;

use args::Args;
use clap::{CommandFactory, FromArgMatches};
use exit::ExitCode;
use language::{Language, Tag};
use output::Output;
use render::human::typeset;
use std::ffi::OsString;
// What tools need of the command line, too, is a library.
use winrefit_cli::{args, language};

fn main() -> std::process::ExitCode {
    let command = language::localized(Args::command(), help_language(std::env::args_os()));
    let parsed = command.try_get_matches();
    let args = match parsed
        .and_then(|matches| Args::from_arg_matches(&matches))
        .and_then(Args::checked)
    {
        Ok(args) => args,
        Err(error) => {
            tell(&error);
            let code = if error.use_stderr() {
                ExitCode::Usage
            } else {
                ExitCode::Success
            };
            return code.into();
        }
    };
    let output = Output::resolve(&args.output);
    interrupt::arm(output.stderr.language);
    result_file::reserve(&output)
        .and_then(|()| run::run(&args, &output))
        .unwrap_or_else(|failure| failure.report(&output))
        .into()
}

/// Shows help, version, or what is wrong with the command line. A reader that has gone away is no reason to fail.
///
/// What was typed may be the name of a file that somebody else has given it, so it is not shown as it is.
fn tell(error: &clap::Error) {
    let is_harmful = |arg: OsString| arg.to_string_lossy().contains(typeset::is_harmful);
    if std::env::args_os().any(is_harmful) {
        let text = error.render().to_string();
        let lines = text.lines().map(|line| typeset::clean(line) + "\n");
        output::tell(&lines.collect::<String>());
    } else {
        let _ = error.print();
    }
}

/// The language of help, which is shown while the command line is being read: looked for beforehand.
fn help_language(args: impl Iterator<Item = OsString>) -> &'static Language {
    let args: Vec<String> = args
        .map(|arg| arg.to_string_lossy().into_owned())
        .take_while(|arg| arg != "--")
        .collect();
    let behind = args
        .iter()
        .position(|arg| arg == "--lang")
        .and_then(|at| args.get(at + 1));
    let named = behind
        .map(String::as_str)
        .or_else(|| args.iter().find_map(|arg| arg.strip_prefix("--lang=")));
    let tag = named.and_then(|name| Tag::parse(name).ok());
    let ascii = args.iter().any(|arg| arg == "--ascii");
    Language::of(tag.unwrap_or_else(Tag::of_system), ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_in_the_language_that_is_asked_for() {
        let tag = |line: &str| help_language(line.split(' ').map(OsString::from)).tag();
        assert_eq!(tag("winrefit --lang de --help"), Tag::German);
        assert_eq!(tag("winrefit plan --help --lang=zh"), Tag::Chinese);
        assert_eq!(tag("winrefit --lang en --ascii"), Tag::English);
    }
}
