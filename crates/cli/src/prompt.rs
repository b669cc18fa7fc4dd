//! The one question. It is put to a person at a terminal, or not at all: a pipe, a file or a script that happens to
//! send a "y" must never start a repair.

use crate::language::Language;
use std::io::{self, BufRead, IsTerminal, Write};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Yes,
    /// Stop.
    No,
    /// There is nobody to ask.
    Nobody,
}

/// Whether somebody is there to be asked.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Answers yes without asking if `yes`, else asks `question` on standard error. Anything but a clear yes is no.
pub fn confirm(question: &Text, yes: bool, language: &Language) -> Answer {
    if yes {
        return Answer::Yes;
    }
    if !can_ask() {
        return Answer::Nobody;
    }
    // Standard error is not locked: a request to stop is answered there while the question is open.
    ask(question, language, &mut io::stdin().lock(), &mut io::stderr())
}

fn ask(question: &Text, language: &Language, input: &mut impl BufRead, output: &mut impl Write) -> Answer {
    let question = language.say(text!("{question} [y/N]", question));
    let asked = write!(output, "\n{question} ").and_then(|()| output.flush());
    let mut line = String::new();
    if asked.is_err() || input.read_line(&mut line).is_err() {
        return Answer::No;
    }
    let typed = line.trim().to_lowercase();
    let typed = typed.as_str();
    if matches!(typed, "y" | "yes") || language.tag().yes().contains(&typed) {
        Answer::Yes
    } else {
        Answer::No
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Tag;

    fn english() -> &'static Language {
        Language::of(Tag::English, false)
    }

    #[test]
    fn each_language_has_its_own_yes_beside_y() {
        for (tag, typed, answer) in [
            (Tag::German, "Ja\n", Answer::Yes),
            (Tag::German, "y\n", Answer::Yes),
            (Tag::English, "ja\n", Answer::No),
            (Tag::Chinese, "\u{662f}\n", Answer::Yes),
            (Tag::Chinese, "\u{5426}\n", Answer::No),
        ] {
            let language = Language::of(tag, false);
            let said = ask(&text!("Go on?"), language, &mut typed.as_bytes(), &mut Vec::new());
            assert_eq!(said, answer, "{tag} {typed:?}");
        }
    }

    #[test]
    fn only_a_clear_yes_is_yes() {
        for (typed, answer) in [
            ("y\n", Answer::Yes),
            ("Yes\r\n", Answer::Yes),
            ("\n", Answer::No),
            ("", Answer::No),
            ("yy\n", Answer::No),
            ("no\n", Answer::No),
        ] {
            let mut shown = Vec::new();
            let question = text!("Repair the disk?");
            assert_eq!(
                ask(&question, english(), &mut typed.as_bytes(), &mut shown),
                answer,
                "{typed:?}"
            );
            assert_eq!(shown, b"\nRepair the disk? [y/N] ");
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_no() {
        assert_eq!(
            ask(
                &text!("Go on?"),
                english(),
                &mut &b"\xff\xfe\n"[..],
                &mut Vec::new()
            ),
            Answer::No
        );
    }
}
