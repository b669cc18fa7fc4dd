//! What is known of each language besides its words.

use std::fmt;

/// A language that pages can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    /// English.
    English,
    /// German.
    German,
    /// Chinese in simplified characters.
    Chinese,
}

/// All languages.
pub const KNOWN: [Tag; 3] = [Tag::English, Tag::German, Tag::Chinese];

/// A language that is asked for and not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this language is not known; known are en, de and zh-CN")]
pub struct UnknownLanguage;

impl Tag {
    /// The language of a name as people and systems write it: `de`, `de-AT`, `zh_CN.UTF-8`.
    ///
    /// # Errors
    /// [`UnknownLanguage`].
    pub fn parse(name: &str) -> Result<Self, UnknownLanguage> {
        let name = name.split(['.', '@']).next().unwrap_or_default();
        let name = name.to_ascii_lowercase().replace('_', "-");
        let mut parts = name.split('-');
        match parts.next() {
            Some("en") => Ok(Self::English),
            Some("de") => Ok(Self::German),
            // What is written in traditional characters is another language to its readers.
            Some("zh") if parts.all(|part| matches!(part, "hans" | "cn" | "sg" | "my")) => Ok(Self::Chinese),
            _ => Err(UnknownLanguage),
        }
    }

    /// The language of this system; English where it has none that is known.
    pub fn of_system() -> Self {
        if is_c_locale() {
            return Self::English;
        }
        let locale = sys_locale::get_locale();
        let tag = locale.and_then(|name| Self::parse(&name).ok());
        tag.unwrap_or(Self::English)
    }

    /// Its name, as `--lang` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Chinese => "zh-CN",
        }
    }

    /// The text of its catalogue, a PO file. English has none: it is what the others are translated from.
    pub fn catalogue(self) -> &'static str {
        match self {
            Self::English => "",
            Self::German => include_str!("../../po/de.po"),
            Self::Chinese => include_str!("../../po/zh_CN.po"),
        }
    }

    /// The form for a number of things, as its catalogue counts them.
    pub(super) fn plural_form(self, count: u64) -> usize {
        match self {
            Self::English | Self::German => usize::from(count != 1),
            Self::Chinese => 0,
        }
    }

    /// How many such forms there are.
    pub fn plural_forms(self) -> usize {
        match self {
            Self::English | Self::German => 2,
            Self::Chinese => 1,
        }
    }

    pub(super) fn decimal_mark(self) -> char {
        match self {
            Self::English | Self::Chinese => '.',
            Self::German => ',',
        }
    }

    pub(super) fn between_sentences(self) -> &'static str {
        match self {
            Self::English | Self::German => " ",
            Self::Chinese => "",
        }
    }

    /// What people type for yes, beside `y` and `yes`.
    pub fn yes(self) -> &'static [&'static str] {
        match self {
            Self::English => &[],
            Self::German => &["j", "ja"],
            Self::Chinese => &["\u{662f}"],
        }
    }

    /// Whether it cannot be written in ASCII at all: then its letters stay, and only what is drawn is ASCII.
    pub fn keeps_letters(self) -> bool {
        self == Self::Chinese
    }

    /// Words in the letters that ASCII has.
    pub(super) fn in_ascii(self, text: &str) -> String {
        if self.keeps_letters() {
            return text.to_owned();
        }
        let mut ascii = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '\u{e4}' => ascii.push_str("ae"),
                '\u{f6}' => ascii.push_str("oe"),
                '\u{fc}' => ascii.push_str("ue"),
                '\u{c4}' => ascii.push_str("Ae"),
                '\u{d6}' => ascii.push_str("Oe"),
                '\u{dc}' => ascii.push_str("Ue"),
                '\u{df}' => ascii.push_str("ss"),
                '\u{201e}' | '\u{201c}' | '\u{201d}' => ascii.push('"'),
                '\u{201a}' | '\u{2018}' | '\u{2019}' => ascii.push('\''),
                '\u{2013}' | '\u{2014}' => ascii.push('-'),
                '\u{2026}' => ascii.push_str("..."),
                '\u{a0}' | '\u{202f}' => ascii.push(' '),
                other => ascii.push(other),
            }
        }
        ascii
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether the system is told to speak no language in particular; `LANGUAGE` does not count then.
#[cfg(unix)]
fn is_c_locale() -> bool {
    let variables = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let mut set = variables.into_iter().filter_map(|name| std::env::var(name).ok());
    let locale = set.find(|value| !value.is_empty());
    let name = locale.as_deref().and_then(|locale| locale.split('.').next());
    matches!(name, None | Some("C" | "POSIX"))
}

#[cfg(not(unix))]
fn is_c_locale() -> bool {
    false
}
