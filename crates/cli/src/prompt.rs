//! The one question. It is put to a person at a terminal, or not at all: a pipe, a file or a script that happens to
//! send a "y" must never start a repair.

use std::io::{self, BufRead, IsTerminal, Write};

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
pub fn confirm(question: &str, yes: bool) -> Answer {
    if yes {
        return Answer::Yes;
    }
    if !can_ask() {
        return Answer::Nobody;
    }
    ask(question, &mut io::stdin().lock(), &mut io::stderr().lock())
}

fn ask(question: &str, input: &mut impl BufRead, output: &mut impl Write) -> Answer {
    let asked = write!(output, "\n{question} [y/N] ").and_then(|()| output.flush());
    let mut line = String::new();
    if asked.is_err() || input.read_line(&mut line).is_err() {
        return Answer::No;
    }
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Answer::Yes,
        _ => Answer::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(
                ask("Repair the disk?", &mut typed.as_bytes(), &mut shown),
                answer,
                "{typed:?}"
            );
            assert_eq!(shown, b"\nRepair the disk? [y/N] ");
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_no() {
        assert_eq!(
            ask("Go on?", &mut &b"\xff\xfe\n"[..], &mut Vec::new()),
            Answer::No
        );
    }
}
