//! The help pages: what `args.rs` says in English, said in another language. clap's own words stay English.

use super::Language;
use clap::{Arg, Command};
use winrefit_repair::text::Wording;

/// A command with its help in a language.
pub fn localized(command: Command, language: &'static Language) -> Command {
    let say = |text: &clap::builder::StyledStr| language.phrase_of(&text.to_string());
    let [about, long_about, before, after] = [
        command.get_about(),
        command.get_long_about(),
        command.get_before_help(),
        command.get_after_help(),
    ]
    .map(|text| text.map(say));
    let mut command = command;
    if let Some(text) = about {
        command = command.about(text);
    }
    if let Some(text) = long_about {
        command = command.long_about(text);
    }
    if let Some(text) = before {
        command = command.before_help(text);
    }
    if let Some(text) = after {
        command = command.after_help(text);
    }
    command
        .mut_args(|arg| localized_arg(arg, language))
        .mut_subcommands(|command| localized(command, language))
}

fn localized_arg(arg: Arg, language: &'static Language) -> Arg {
    let help = arg.get_help().map(|text| language.phrase_of(&text.to_string()));
    let long = arg
        .get_long_help()
        .map(|text| language.phrase_of(&text.to_string()));
    let heading = arg
        .get_help_heading()
        .and_then(|heading| language.sentences.get(heading));
    let mut arg = arg;
    if let Some(text) = help {
        arg = arg.help(text);
    }
    if let Some(text) = long {
        arg = arg.long_help(text);
    }
    match heading {
        Some(heading) => arg.help_heading(heading.as_str()),
        None => arg,
    }
}

impl Language {
    fn phrase_of(&self, english: &str) -> String {
        self.phrase(english).to_owned()
    }
}

/// Every sentence of the help pages of a command and those below it, in the order of the pages.
pub fn help_texts(command: &Command) -> Vec<String> {
    let mut texts: Vec<String> = [
        command.get_about(),
        command.get_long_about(),
        command.get_before_help(),
        command.get_after_help(),
    ]
    .into_iter()
    .flatten()
    .map(ToString::to_string)
    .collect();
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        texts.extend(arg.get_help().map(ToString::to_string));
        texts.extend(arg.get_long_help().map(ToString::to_string));
        texts.extend(arg.get_help_heading().map(str::to_owned));
        let values = arg.get_possible_values();
        texts.extend(
            values
                .iter()
                .filter_map(|value| value.get_help().map(ToString::to_string)),
        );
    }
    texts.extend(command.get_subcommands().flat_map(help_texts));
    texts.retain(|text| !text.is_empty());
    texts
}
