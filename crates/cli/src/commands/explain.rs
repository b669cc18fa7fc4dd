//! `explain`: what a code means. No disk is looked at.

use crate::args::Format;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::render::{human, json};
use serde::Serialize;
use winrefit_repair::codes::{self, Entry, Kind, Known};
use winrefit_repair::text::Text;

/// Name and version of the documents' form.
const SCHEMA: &str = "winrefit.explain/1";

#[derive(Debug, Serialize)]
struct ExplainDocument {
    schema: &'static str,
    /// In the order in which they were asked for; one that may mean several codes has several.
    entries: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct ListDocument {
    schema: &'static str,
    codes: Vec<CodeFields>,
}

#[derive(Debug, Serialize)]
struct CodeFields {
    code: &'static str,
    kinds: &'static [Kind],
    title: Text,
}

/// What somebody asked for, with the codes that may be meant.
#[derive(Debug)]
pub struct Answer {
    /// As typed.
    pub asked: String,
    /// At least one.
    pub known: Vec<&'static Known>,
}

/// Explains codes.
pub fn run(words: &[String], output: &Output) -> Result<ExitCode, Failure> {
    let answers: Result<Vec<_>, _> = grouped(words).into_iter().map(answer).collect();
    let answers = answers?;
    let text = match output.format {
        Format::Human | Format::Html => human::explain::entries(&answers, &output.stdout),
        Format::Json => {
            let known = answers.iter().flat_map(|answer| &answer.known);
            json::render(&ExplainDocument {
                schema: SCHEMA,
                entries: known.map(|known| known.entry()).collect(),
            })?
        }
    };
    output::print(&text).map_err(Failure::Output)?;
    Ok(ExitCode::Success)
}

/// Lists all codes.
pub fn list(output: &Output) -> Result<ExitCode, Failure> {
    let text = match output.format {
        Format::Human | Format::Html => human::explain::list(&output.stdout),
        Format::Json => {
            let fields = |known: &Known| CodeFields {
                code: known.code,
                kinds: known.kinds,
                title: known.title(),
            };
            json::render(&ListDocument {
                schema: SCHEMA,
                codes: codes::all().map(fields).collect(),
            })?
        }
    };
    output::print(&text).map_err(Failure::Output)?;
    Ok(ExitCode::Success)
}

fn answer(asked: String) -> Result<Answer, Failure> {
    let known = codes::lookup(&asked);
    if known.is_empty() {
        let nearest = codes::nearest(&asked).iter().map(|known| known.code).collect();
        return Err(Failure::NoSuchCode { asked, nearest });
    }
    Ok(Answer { asked, known })
}

/// The words of the command line as codes: `exit 7 event 4502` are two, `Operation failed: 70` is one.
fn grouped(words: &[String]) -> Vec<String> {
    /// What stands before a number, and is no code alone.
    const BEFORE: [&str; 11] = [
        "code",
        "error",
        "errorphase",
        "event",
        "exit",
        "failed",
        "id",
        "operation",
        "phase",
        "reagentc",
        "win32",
    ];
    let mut groups: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in words {
        match groups.last_mut() {
            Some(group) if is_open => *group = format!("{group} {word}"),
            _ => groups.push(word.clone()),
        }
        let plain = word.trim_end_matches([':', '=']).to_lowercase();
        is_open = BEFORE.contains(&plain.as_str());
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_belong_together_are_one_code() {
        let grouped = |line: &str| grouped(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(grouped("re-too-small bitlocker"), ["re-too-small", "bitlocker"]);
        assert_eq!(grouped("exit 7 event 4502"), ["exit 7", "event 4502"]);
        assert_eq!(grouped("Operation failed: 70 2"), ["Operation failed: 70", "2"]);
        assert_eq!(grouped("event"), ["event"]);
        assert_eq!(grouped("error phase 2"), ["error phase 2"]);
    }

    #[test]
    fn every_code_can_be_typed_without_quotes() {
        for known in codes::all() {
            let words: Vec<String> = known.code.split(' ').map(str::to_owned).collect();
            assert_eq!(grouped(&words), [known.code]);
        }
    }
}
