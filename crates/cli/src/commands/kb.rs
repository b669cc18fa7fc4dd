//! `kb`: what is known of the updates of WinRE. No disk is looked at.

use crate::args::Format;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::render::{human, json};
use serde::Serialize;
use winrefit_repair::kb::about::{About, Asked};
use winrefit_repair::kb::{self, Floor, Update};
use winrefit_repair::text::Text;

/// Name and version of the document's form.
const SCHEMA: &str = "winrefit.kb/1";

#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    /// The build that was asked for, with what concerns it.
    build: Option<BuildFields<'a>>,
    /// The update that was asked for, those of a build, or all.
    updates: Vec<UpdateFields<'a>>,
    /// Lowest versions that have a vulnerability closed; of a build they are in `build`.
    #[serde(skip_serializing_if = "Option::is_none")]
    floors: Option<&'a [Floor]>,
}

#[derive(Debug, Serialize)]
struct BuildFields<'a> {
    title: Text,
    #[serde(flatten)]
    about: &'a About<'a>,
    servicing_text: Text,
}

#[derive(Debug, Serialize)]
struct UpdateFields<'a> {
    #[serde(flatten)]
    update: &'a Update,
    windows_names: Text,
    state: Text,
    /// What it is, how a machine gets it, what goes wrong, and how certain that is.
    text: Text,
}

impl<'a> UpdateFields<'a> {
    fn new(update: &'a Update) -> Self {
        Self {
            update,
            windows_names: update.windows_names(),
            state: update.state(kb::table()),
            text: Text::sentences([
                update.meaning(),
                update.image_words(),
                update.channel(),
                update.issue_and_cure(),
                update.confidence.meaning(),
            ]),
        }
    }
}

/// Shows the table, an update, or what concerns a build.
pub fn run(asked: Option<&str>, output: &Output) -> Result<ExitCode, Failure> {
    let text = match asked {
        None => table(output)?,
        Some(asked) => match Asked::parse(asked) {
            Some(Asked::Update(number)) => update(number, output)?,
            Some(Asked::Build(build, version)) => build_of(&kb::table().about(build, version), output)?,
            None => {
                return Err(Failure::NoSuchUpdate {
                    asked: asked.to_owned(),
                    number: None,
                });
            }
        },
    };
    output::print(&text).map_err(Failure::Output)?;
    Ok(ExitCode::Success)
}

fn table(output: &Output) -> Result<String, Failure> {
    let table = kb::table();
    Ok(match output.format {
        Format::Human | Format::Html => human::kb::table(&output.stdout),
        Format::Json => json::render(&Document {
            schema: SCHEMA,
            build: None,
            updates: table.updates.iter().map(UpdateFields::new).collect(),
            floors: Some(&table.floors),
        })?,
    })
}

fn update(number: u32, output: &Output) -> Result<String, Failure> {
    let update = kb::table().update(number).ok_or_else(|| Failure::NoSuchUpdate {
        asked: number.to_string(),
        number: Some(number),
    })?;
    Ok(match output.format {
        Format::Human | Format::Html => human::kb::update(update, &output.stdout),
        Format::Json => json::render(&Document {
            schema: SCHEMA,
            build: None,
            updates: vec![UpdateFields::new(update)],
            floors: None,
        })?,
    })
}

fn build_of(about: &About<'_>, output: &Output) -> Result<String, Failure> {
    Ok(match output.format {
        Format::Human | Format::Html => human::kb::build(about, &output.stdout),
        Format::Json => json::render(&Document {
            schema: SCHEMA,
            build: Some(BuildFields {
                title: about.title(),
                about,
                servicing_text: about.servicing.meaning(),
            }),
            updates: about.updates.iter().copied().map(UpdateFields::new).collect(),
            floors: None,
        })?,
    })
}
