//! Words for people that can be said in several languages.
//!
//! The English sentence stands where it is meant, as the template of a [`Text`]; it is also the key by which a catalogue
//! finds the translation. What is put in keeps its kind - a number, bytes, a name from the disk - because languages
//! write these in their own way. `text!` and `counted!` are the only makers of sentences, so that a tool can collect all
//! of them from the sources.

use crate::explain::size;
use serde::{Serialize, Serializer};
use std::fmt;

/// Words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// As it is, in every language: names from the disk, commands, what another program said.
    Raw(String),
    Phrase(Box<Phrase>),
    /// Whole sentences, one after another.
    Sentences(Vec<Text>),
    /// Things of one kind.
    List(Vec<Text>, Joint),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Phrase {
    /// The template for exactly one, and how many there are.
    counted: Option<(&'static str, u64)>,
    template: &'static str,
    values: Vec<(&'static str, Value)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    And,
    Or,
    Comma,
    Semicolon,
}

/// What is put into a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number that is no size.
    Number(u64),
    /// A number of bytes, shown in the unit that suits it.
    Bytes(u64),
    /// Other words.
    Text(Text),
}

/// A language: what it says for an English template, and how it writes what is put in.
pub trait Wording {
    /// The template in this language.
    fn phrase<'a>(&'a self, english: &'a str) -> &'a str;

    /// The template in this language for `count` things; `one` and `many` are the English ones.
    fn counted<'a>(&'a self, one: &'a str, many: &'a str, count: u64) -> &'a str;

    /// What divides whole numbers from fractions.
    fn decimal_mark(&self) -> char {
        '.'
    }

    /// What stands between two sentences.
    fn between_sentences(&self) -> &str {
        " "
    }
}

/// The language of the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct English;

impl Wording for English {
    fn phrase<'a>(&'a self, english: &'a str) -> &'a str {
        english
    }

    fn counted<'a>(&'a self, one: &'a str, many: &'a str, count: u64) -> &'a str {
        if count == 1 { one } else { many }
    }
}

/// A sentence: `text!("partition {number} is full", number)`. Every placeholder is given by name, as a variable or with
/// `name = value`.
#[macro_export]
macro_rules! text {
    ($template:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {
        $crate::text::Text::phrase($template, None, vec![
            $((stringify!($name), $crate::text::Value::from($crate::value_of!($name $(= $value)?)))),*
        ])
    };
}

/// A sentence with a number of things: `counted!(n, "one copy", "{n} copies")`.
#[macro_export]
macro_rules! counted {
    ($count:expr, $one:literal, $many:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {{
        let count = $count as u64;
        $crate::text::Text::phrase($many, Some(($one, count)), vec![
            ("n", $crate::text::Value::from(count)),
            $((stringify!($name), $crate::text::Value::from($crate::value_of!($name $(= $value)?)))),*
        ])
    }};
}

/// What `text!` puts in for a name.
#[doc(hidden)]
#[macro_export]
macro_rules! value_of {
    ($name:ident) => {
        $name
    };
    ($name:ident = $value:expr) => {
        $value
    };
}

impl Text {
    /// What [`text!`](crate::text!) and [`counted!`](crate::counted!) make.
    #[doc(hidden)]
    pub fn phrase(
        template: &'static str,
        counted: Option<(&'static str, u64)>,
        values: Vec<(&'static str, Value)>,
    ) -> Self {
        Self(Kind::Phrase(Box::new(Phrase {
            counted,
            template,
            values,
        })))
    }

    /// No words.
    pub const fn empty() -> Self {
        Self(Kind::Raw(String::new()))
    }

    /// What is the same in every language: a name from the disk, a command, what another program said.
    pub fn raw(text: impl Into<String>) -> Self {
        Self(Kind::Raw(text.into()))
    }

    /// What a lower layer or another program said: as it is.
    pub fn quoted(said: impl fmt::Display) -> Self {
        Self::raw(said.to_string())
    }

    /// Whole sentences, one after another; empty ones are left out.
    pub fn sentences(sentences: impl IntoIterator<Item = Self>) -> Self {
        let sentences = sentences.into_iter().filter(|text| !text.is_empty());
        Self(Kind::Sentences(sentences.collect()))
    }

    /// `a, b and c`.
    pub fn all_of(items: impl IntoIterator<Item = Self>) -> Self {
        Self(Kind::List(items.into_iter().collect(), Joint::And))
    }

    /// `a, b or c`.
    pub fn one_of(items: impl IntoIterator<Item = Self>) -> Self {
        Self(Kind::List(items.into_iter().collect(), Joint::Or))
    }

    /// `a, b, c`.
    pub fn listed(items: impl IntoIterator<Item = Self>) -> Self {
        Self(Kind::List(items.into_iter().collect(), Joint::Comma))
    }

    /// `a; b; c`: facts of one thing, each of which can stand alone.
    pub fn facts(items: impl IntoIterator<Item = Self>) -> Self {
        Self(Kind::List(items.into_iter().collect(), Joint::Semicolon))
    }

    /// Whether there is nothing to be said.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Kind::Raw(text) => text.is_empty(),
            Kind::Phrase(phrase) => phrase.template.is_empty(),
            Kind::Sentences(all) | Kind::List(all, _) => all.iter().all(Self::is_empty),
        }
    }

    /// The words in a language.
    pub fn in_words(&self, wording: &dyn Wording) -> String {
        match &self.0 {
            Kind::Raw(text) => text.clone(),
            Kind::Phrase(phrase) => phrase.in_words(wording),
            Kind::Sentences(all) => {
                let all: Vec<_> = all.iter().map(|text| text.in_words(wording)).collect();
                all.join(wording.between_sentences())
            }
            Kind::List(items, joint) => list(items, *joint, wording),
        }
    }
}

/// Items as one says them. What joins them is translated like any other sentence.
fn list(items: &[Text], joint: Joint, wording: &dyn Wording) -> String {
    let Some((last, rest)) = items.split_last() else {
        return String::new();
    };
    let last = last.in_words(wording);
    let Some((first, rest)) = rest.split_first() else {
        return last;
    };
    let first = first.in_words(wording);
    let rest = rest.iter().fold(first, |list, item| {
        let item = item.in_words(wording);
        let joint = if joint == Joint::Semicolon {
            joint
        } else {
            Joint::Comma
        };
        joined(list, item, joint).in_words(wording)
    });
    joined(rest, last, joint).in_words(wording)
}

fn joined(list: String, item: String, joint: Joint) -> Text {
    match joint {
        Joint::And => text!("{list} and {last}", list, last = item),
        Joint::Or => text!("{list} or {last}", list, last = item),
        Joint::Comma => text!("{list}, {item}", list, item),
        Joint::Semicolon => text!("{list}; {item}", list, item),
    }
}

impl Phrase {
    fn in_words(&self, wording: &dyn Wording) -> String {
        let template = match self.counted {
            Some((one, count)) => wording.counted(one, self.template, count),
            None => wording.phrase(self.template),
        };
        let mut words = String::with_capacity(template.len() + 32);
        let mut rest = template;
        // One pass: what is put in is never looked at for placeholders.
        while let Some((before, after)) = rest.split_once('{') {
            words.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                rest = after;
                break;
            };
            match self.values.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => words.push_str(&value.in_words(wording)),
                None => debug_assert!(false, "no value {name} for {template:?}"),
            }
            rest = behind;
        }
        words.push_str(rest);
        words
    }
}

impl Value {
    fn in_words(&self, wording: &dyn Wording) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Bytes(bytes) => match wording.decimal_mark() {
                '.' => size(*bytes),
                mark => size(*bytes).replace('.', &mark.to_string()),
            },
            Self::Text(text) => text.in_words(wording),
        }
    }
}

/// Bytes, as a value of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes.0)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<&u64> for Value {
    fn from(number: &u64) -> Self {
        Self::Number(*number)
    }
}

impl From<&u32> for Value {
    fn from(number: &u32) -> Self {
        Self::Number((*number).into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<&Text> for Value {
    fn from(text: &Text) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Text::raw(text))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(Text::raw(text))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Text::raw(text))
    }
}

/// Bytes alone are words, too.
impl From<Bytes> for Text {
    fn from(bytes: Bytes) -> Self {
        Self::phrase("{bytes}", None, vec![("bytes", bytes.into())])
    }
}

/// A number alone is the same in every language.
impl From<u32> for Text {
    fn from(number: u32) -> Self {
        Self::raw(number.to_string())
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words(&English))
    }
}

/// Programs read English.
impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
