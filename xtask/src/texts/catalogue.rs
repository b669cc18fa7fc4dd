//! Catalogues as PO files: the template, and translations that follow it.

use super::collect::{Message, placeholders};
use polib::catalog::Catalog;
use polib::message::{Message as Entry, MessageView};
use polib::metadata::{CatalogMetadata, MetadataParseError};
use polib::po_file::{POParseError, parse_from_reader, write};
use std::io::BufWriter;

/// The head of the template. It has no date, so that it changes only with the texts.
const HEADER: &str = "Project-Id-Version: winrefit\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\
                      Content-Transfer-Encoding: 8bit\nPlural-Forms: nplurals=2; plural=(n != 1);\n";
/// Begins every line of what is no longer said.
const REMOVED: &str = "#~";

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It is no PO file.
    #[error("{0}")]
    Parse(POParseError),
    /// Its head says no plural forms.
    #[error("{0}")]
    Header(MetadataParseError),
    /// It could not be written.
    #[error("{0}")]
    Write(#[from] std::io::Error),
    /// What was written is no text.
    #[error("{0}")]
    Text(#[from] std::string::FromUtf8Error),
}

/// The template of all translations.
pub fn template(messages: &[Message]) -> Result<String, CatalogueError> {
    let metadata = CatalogMetadata::parse(HEADER).map_err(CatalogueError::Header)?;
    let mut catalogue = Catalog::new(metadata);
    for message in messages {
        catalogue.append_or_update(entry(message, None, 2));
    }
    in_text(&catalogue)
}

/// A translation that has every message of the sources, with what it said of them before. What is no longer said is kept
/// at the end, for the translator.
pub fn merged(old: &str, messages: &[Message]) -> Result<String, CatalogueError> {
    let before = parse_from_reader(old.as_bytes()).map_err(CatalogueError::Parse)?;
    let mut after = Catalog::new(before.metadata.clone());
    after.preheader = before.preheader.clone();
    let forms = before.metadata.plural_rules.nplurals;
    for message in messages {
        let known = before.find_message(None, &message.text, message.many.as_deref());
        after.append_or_update(entry(message, known, forms));
    }
    let mut text = in_text(&after)?;
    let gone = before.messages().filter(|old| {
        let many = old.msgid_plural().ok();
        old.is_translated() && after.find_message(None, old.msgid(), many).is_none()
    });
    let mut removed = Catalog::new(CatalogMetadata::new());
    for old in gone {
        let message = Message {
            text: old.msgid().to_owned(),
            many: old.msgid_plural().ok().map(str::to_owned),
            files: Default::default(),
        };
        removed.append_or_update(entry(&message, Some(old), forms));
    }
    for line in old.lines().filter(|line| line.starts_with(REMOVED)) {
        text.push_str(&format!("{line}\n"));
    }
    // The first paragraph is the header.
    for line in in_text(&removed)?.split("\n\n").skip(1).flat_map(str::lines) {
        text.push_str(&format!("{REMOVED} {line}\n"));
    }
    Ok(text)
}

/// A message with what a translation says.
fn entry(message: &Message, known: Option<&dyn MessageView>, forms: usize) -> Entry {
    let files: Vec<&str> = message.files.iter().map(String::as_str).collect();
    let comments = known.map_or("", |known| known.translator_comments()).to_owned();
    let flags = known.map(|known| known.flags().clone()).unwrap_or_default();
    match &message.many {
        None => {
            let said = known.and_then(|known| known.msgstr().ok()).unwrap_or_default();
            Entry::build_singular()
                .with_translator_comments(comments)
                .with_source(files.join("\n"))
                .with_flags(flags)
                .with_msgid(message.text.clone())
                .with_msgstr(said.to_owned())
                .done()
        }
        Some(many) => {
            let said = known.and_then(|known| known.msgstr_plural().ok());
            let mut said = said.cloned().unwrap_or_default();
            said.resize(forms, String::new());
            Entry::build_plural()
                .with_translator_comments(comments)
                .with_source(files.join("\n"))
                .with_flags(flags)
                .with_msgid(message.text.clone())
                .with_msgid_plural(many.clone())
                .with_msgstr_plural(said)
                .done()
        }
    }
}

fn in_text(catalogue: &Catalog) -> Result<String, CatalogueError> {
    let mut writer = BufWriter::new(Vec::new());
    write(catalogue, &mut writer)?;
    let bytes = writer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    Ok(String::from_utf8(bytes)?)
}

/// What a translation lacks or has too much of, a line each.
pub fn problems(po: &str, messages: &[Message]) -> Result<Vec<String>, CatalogueError> {
    let catalogue = parse_from_reader(po.as_bytes()).map_err(CatalogueError::Parse)?;
    let forms = catalogue.metadata.plural_rules.nplurals;
    let mut problems = Vec::new();
    for message in messages {
        let id = &message.text;
        let Some(found) = catalogue.find_message(None, id, message.many.as_deref()) else {
            problems.push(format!("missing: {id}"));
            continue;
        };
        if found.is_fuzzy() {
            problems.push(format!("marked as fuzzy: {id}"));
        }
        let said: Vec<&str> = match (found.msgstr(), found.msgstr_plural()) {
            (Ok(one), _) => vec![one],
            (_, Ok(all)) => all.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        let wanted = message.many.as_ref().map_or(1, |_| forms);
        if said.len() != wanted || said.iter().any(|said| said.is_empty()) {
            problems.push(format!("not translated: {id}"));
            continue;
        }
        let many = placeholders(message.many.as_ref().unwrap_or(id));
        for (index, said) in said.into_iter().enumerate() {
            let named = placeholders(said);
            let is_for_one = wanted > 1 && index == 0;
            if named != many && !(is_for_one && named == placeholders(id)) {
                problems.push(format!("other placeholders: {id} | {said}"));
            }
        }
    }
    for entry in catalogue.messages() {
        let many = entry.msgid_plural().ok();
        let is_said = |message: &Message| message.text == entry.msgid() && message.many.as_deref() == many;
        if !messages.iter().any(is_said) {
            problems.push(format!("not said any more: {}", entry.msgid()));
        }
    }
    Ok(problems)
}
