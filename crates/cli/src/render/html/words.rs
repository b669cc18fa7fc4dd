//! From words of the report to words in the page's language. This is the only place that knows which one that is: a page
//! is made by one thread, from its first word to its last, in one language.

use crate::language::{Language, Tag};
use std::cell::Cell;
use winrefit_repair::text::{Bytes, Text};

thread_local! {
    static LANGUAGE: Cell<Option<&'static Language>> = const { Cell::new(None) };
}

/// What `make` makes, with its words in this language.
pub fn in_language<T>(language: &'static Language, make: impl FnOnce() -> T) -> T {
    let before = LANGUAGE.replace(Some(language));
    let made = make();
    LANGUAGE.set(before);
    made
}

fn language() -> &'static Language {
    LANGUAGE
        .get()
        .unwrap_or_else(|| Language::of(Tag::English, false))
}

/// The language, as HTML names it.
pub fn language_name() -> &'static str {
    language().tag().name()
}

/// What can be said on a page.
pub trait Say {
    /// The words. They are not escaped.
    fn say(&self) -> String;
}

impl Say for Text {
    fn say(&self) -> String {
        language().say(self.clone())
    }
}

impl Say for str {
    fn say(&self) -> String {
        self.to_owned()
    }
}

impl Say for String {
    fn say(&self) -> String {
        self.clone()
    }
}

impl<T: Say + ?Sized> Say for &T {
    fn say(&self) -> String {
        (**self).say()
    }
}

/// Bytes in the unit that suits them.
pub fn size(bytes: u64) -> Text {
    Bytes(bytes).into()
}

/// A number that is the same in every language.
pub fn number(number: impl ToString) -> Text {
    Text::raw(number.to_string())
}
