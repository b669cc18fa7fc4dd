//! The names on the left of entries. The gutter is as wide as the longest of them is in the page's language.

use super::typeset;
use crate::language::Language;
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// A Windows.
    Windows,
    /// Its recovery environment.
    WinRe,
    /// The space rules.
    Space,
    /// What takes it.
    TakenBy,
    /// Where it was looked.
    Looked,
    /// Earlier work.
    Journal,
    /// Data that will be copied.
    WillCopy,
    /// Data that were copied.
    Copied,
    /// What will be written.
    WillWrite,
    /// What was written.
    Written,
    /// What is lost.
    GivenUp,
    /// What stays.
    Untouched,
    /// What is left to be done in Windows.
    Afterwards,
    /// The way back.
    Undo,
}

const ALL: [Name; 14] = [
    Name::Windows,
    Name::WinRe,
    Name::Space,
    Name::TakenBy,
    Name::Looked,
    Name::Journal,
    Name::WillCopy,
    Name::Copied,
    Name::WillWrite,
    Name::Written,
    Name::GivenUp,
    Name::Untouched,
    Name::Afterwards,
    Name::Undo,
];

impl Name {
    /// The name in words.
    pub fn text(self) -> Text {
        match self {
            Self::Windows => Text::raw("Windows"),
            Self::WinRe => Text::raw("WinRE"),
            Self::Space => text!("Space"),
            Self::TakenBy => text!("Taken by"),
            Self::Looked => text!("Looked at"),
            Self::Journal => text!("Journal"),
            Self::WillCopy => text!("Will copy"),
            Self::Copied => text!("Copied"),
            Self::WillWrite => text!("Will write"),
            Self::Written => text!("Written"),
            Self::GivenUp => text!("Given up"),
            Self::Untouched => text!("Untouched"),
            Self::Afterwards => text!("Afterwards"),
            Self::Undo => text!("Undo"),
        }
    }
}

/// Columns of the gutter.
pub fn gutter(language: &Language) -> usize {
    let widths = ALL.map(|name| typeset::width(&language.say(name.text())));
    widths.into_iter().max().unwrap_or(0) + 1
}
