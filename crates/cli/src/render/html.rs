//! The report as one HTML file, to act on, to attach to a ticket and to print. It needs no network, no script and no
//! other file. [`page::render`] is the table of contents.

mod base64;
mod disk;
mod escape;
mod facts;
mod findings;
mod map;
mod markup;
mod next;
mod outcome;
mod page;
mod parts;
mod plan;
mod recovery;
#[cfg(test)]
mod tests;
mod time;
mod timeline;
mod words;

use crate::language::Language;
use winrefit_repair::report::Report;

/// `report` as a file. `options` are those that the next command needs as well, as one types them.
pub fn render(report: &Report, options: &str, language: &'static Language) -> serde_json::Result<String> {
    let json = super::json::render(report)?;
    Ok(words::in_language(language, || {
        page::render(report, options, &json)
    }))
}
