//! The languages that pages are written in. A sentence is English where it is made; here it is said in another one.

mod help;
mod known;

pub use help::{help_texts, localized};
pub use known::{KNOWN, Tag, UnknownLanguage};

use std::collections::HashMap;
use std::sync::OnceLock;
use winrefit_repair::text::{Bytes, Text, Wording};

/// A language with its catalogue.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    tag: Tag,
    /// Sentences by their English templates.
    sentences: HashMap<String, String>,
    /// The forms for numbers of things, by the English template for one.
    counted: HashMap<String, Vec<String>>,
}

impl Language {
    /// The language of a tag. With `ascii` its words have no letters beyond ASCII, if they can be written without.
    pub fn of(tag: Tag, ascii: bool) -> &'static Self {
        static ALL: OnceLock<Vec<(Tag, bool, Language)>> = OnceLock::new();
        let load = || {
            let forms = KNOWN.iter().flat_map(|&tag| [(tag, false), (tag, true)]);
            let load = |(tag, ascii): (Tag, bool)| (tag, ascii, Self::read(tag, tag.catalogue(), ascii));
            forms.map(load).collect()
        };
        static FALLBACK: OnceLock<Language> = OnceLock::new();
        let mut all = ALL.get_or_init(load).iter();
        all.find(|(known, form, _)| (*known, *form) == (tag, ascii))
            .map_or_else(
                || FALLBACK.get_or_init(Self::english),
                |(_, _, language)| language,
            )
    }

    fn english() -> Self {
        Self {
            tag: Tag::English,
            sentences: HashMap::new(),
            counted: HashMap::new(),
        }
    }

    /// The language of a tag with the words of a catalogue, a PO file. What cannot be read is not translated.
    pub fn read(tag: Tag, catalogue: &str, ascii: bool) -> Self {
        let mut language = Self {
            tag,
            ..Self::english()
        };
        // The catalogues of the program are read by a test.
        let Ok(catalogue) = polib::po_file::parse_from_reader(catalogue.as_bytes()) else {
            return language;
        };
        let written = |text: &str| {
            if ascii {
                tag.in_ascii(text)
            } else {
                text.to_owned()
            }
        };
        for message in catalogue.messages().filter(|message| message.is_translated()) {
            let id = message.msgid().to_owned();
            if let Ok(text) = message.msgstr() {
                language.sentences.insert(id, written(text));
            } else if let Ok(forms) = message.msgstr_plural() {
                let forms = forms.iter().map(|form| written(form)).collect();
                language.counted.insert(id, forms);
            }
        }
        language
    }

    /// What is known of the language.
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// The words in this language.
    pub fn say(&self, text: impl Into<Text>) -> String {
        text.into().in_words(self)
    }

    /// Bytes as people of this language write them.
    pub fn size(&self, bytes: u64) -> String {
        self.say(Bytes(bytes))
    }

    /// A number with a fraction, written with a point, as people of this language write it.
    pub fn decimal(&self, number: &str) -> String {
        number.replace('.', &self.decimal_mark().to_string())
    }
}

impl Wording for Language {
    fn phrase<'a>(&'a self, english: &'a str) -> &'a str {
        self.sentences.get(english).map_or(english, String::as_str)
    }

    fn counted<'a>(&'a self, one: &'a str, many: &'a str, count: u64) -> &'a str {
        let form = self.tag.plural_form(count);
        match self.counted.get(one).and_then(|forms| forms.get(form)) {
            Some(text) if !text.is_empty() => text,
            _ if count == 1 => one,
            _ => many,
        }
    }

    fn decimal_mark(&self) -> char {
        self.tag.decimal_mark()
    }

    fn between_sentences(&self) -> &str {
        self.tag.between_sentences()
    }
}

#[cfg(test)]
mod tests;
