//! Every code that a person can meet, in words: what it means, what causes it, what to do, and where that is known
//! from. Those of winrefit itself, and those of Windows that come up beside a recovery environment that is too small.

mod errors;
mod exits;
mod obstacles;
mod others;
mod reagentc;
mod refusals;
mod reset;
#[cfg(test)]
mod tests;
mod updates;
mod volumes;
mod windows;
mod winre;

use crate::text;
use crate::text::Text;
use serde::Serialize;

/// What a code is a code of. Some are of several: what stands in the way is found, and refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Of `diagnose`.
    Finding,
    /// Of `plan`, `fix` and `undo`.
    Refusal,
    /// Why a command ended without a report.
    Error,
    /// Of winrefit's process.
    ExitCode,
    /// What Windows, its tools and logs say.
    WindowsCode,
}

impl Kind {
    /// All kinds, in the order in which people meet them.
    pub const ALL: [Self; 5] = [
        Self::Finding,
        Self::Refusal,
        Self::Error,
        Self::ExitCode,
        Self::WindowsCode,
    ];

    /// The name for people.
    pub fn name(self) -> Text {
        match self {
            Self::Finding => text!("finding"),
            Self::Refusal => text!("refusal"),
            Self::Error => text!("error"),
            Self::ExitCode => text!("exit code"),
            Self::WindowsCode => text!("code of Windows"),
        }
    }

    /// What stands above the list of such codes.
    pub fn heading(self) -> Text {
        match self {
            Self::Finding => text!("Findings of diagnose"),
            Self::Refusal => text!("Refusals of plan, fix and undo, beside findings of the same name"),
            Self::Error => text!("Errors"),
            Self::ExitCode => text!("Exit codes"),
            Self::WindowsCode => text!("Codes of Windows and its tools"),
        }
    }
}

/// A code that is known. Its words are made when they are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// As it is written.
    pub code: &'static str,
    /// What it is a code of.
    pub kinds: &'static [Kind],
    /// Other ways to write it, in the form of [`key`].
    also: &'static [&'static str],
    words: fn() -> Words,
}

/// What is said of a code.
struct Words {
    title: Text,
    means: Text,
    causes: Vec<Text>,
    next: Vec<Text>,
    sources: Vec<Text>,
}

/// A code, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// As it is written.
    pub code: &'static str,
    /// What it is a code of.
    pub kinds: &'static [Kind],
    /// One line.
    pub title: Text,
    /// What it means.
    pub means: Text,
    /// What leads to it; empty where the meaning says so.
    pub causes: Vec<Text>,
    /// What to do, in this order.
    pub next: Vec<Text>,
    /// Where this is known from.
    pub sources: Vec<Text>,
}

impl Known {
    const fn new(code: &'static str, kinds: &'static [Kind], words: fn() -> Words) -> Self {
        Self {
            code,
            kinds,
            also: &[],
            words,
        }
    }

    const fn also(mut self, names: &'static [&'static str]) -> Self {
        self.also = names;
        self
    }

    /// One line on it.
    pub fn title(&self) -> Text {
        (self.words)().title
    }

    /// All that is said of it.
    pub fn entry(&self) -> Entry {
        let Words {
            title,
            means,
            causes,
            next,
            sources,
        } = (self.words)();
        Entry {
            code: self.code,
            kinds: self.kinds,
            title,
            means,
            causes,
            next,
            sources,
        }
    }

    /// Whether somebody who writes `asked` may mean it.
    fn is(&self, asked: &str) -> bool {
        let (own, key) = (key(self.code), key(asked));
        let is_negative = asked.trim_start().starts_with('-');
        let is_same = own == key || self.also.contains(&key.as_str()) || bare(&own) == Some(key.as_str());
        (is_same && !is_negative) || number(asked).is_some_and(|number| self.number() == Some(number))
    }

    /// Its number, if it is one that is also written in other ways.
    fn number(&self) -> Option<u32> {
        let hex = |digits: &str| u32::from_str_radix(digits, 16).ok();
        match self.code.split_once(' ') {
            Some(("reagentc", digits)) => hex(digits),
            Some(("Win32", digits)) => digits.parse().ok(),
            Some(_) => None,
            None => hex(self.code.strip_prefix("0x")?),
        }
    }
}

/// All codes, in groups that belong together.
pub fn all() -> impl Iterator<Item = &'static Known> {
    [
        winre::ALL,
        updates::ALL,
        others::ALL,
        volumes::ALL,
        obstacles::ALL,
        refusals::ALL,
        reset::ALL,
        errors::ALL,
        exits::ALL,
        windows::ALL,
        reagentc::ALL,
    ]
    .into_iter()
    .flatten()
}

/// The codes that `asked` may mean: one, none, or several (`2` is an exit code, a code of reagentc and a phase).
pub fn lookup(asked: &str) -> Vec<&'static Known> {
    let whole: Vec<_> = all().filter(|known| key(known.code) == key(asked)).collect();
    if !whole.is_empty() {
        return whole;
    }
    all().filter(|known| known.is(asked)).collect()
}

/// Up to three codes that look like `asked`, the most alike first.
pub fn nearest(asked: &str) -> Vec<&'static Known> {
    /// More differences than this are another word.
    const DISTANCE_MAX: usize = 4;
    /// Shorter parts are in too many codes.
    const PART_MIN: usize = 3;
    let asked = key(asked);
    let distance_of = |known: &'static Known| {
        let code = key(known.code);
        let is_part = asked.len() >= PART_MIN && (code.contains(&asked) || asked.contains(&code));
        let distance = strsim::damerau_levenshtein(&code, &asked);
        let is_near = distance <= DISTANCE_MAX.min(asked.len() / 2);
        // A code that contains what was asked for is nearer than one that only looks like it.
        (is_part || is_near).then_some((!is_part, distance, known))
    };
    let mut near: Vec<_> = all().filter_map(distance_of).collect();
    near.sort_by_key(|(is_other, distance, _)| (*is_other, *distance));
    near.into_iter().take(3).map(|(_, _, known)| known).collect()
}

/// The form in which codes are compared: small letters, words with one hyphen between, one name for each kind of number.
fn key(text: &str) -> String {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let joined = words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    let names = [
        ("reagentc-operation-failed-", "reagentc-"),
        ("operation-failed-", "reagentc-"),
        ("exit-code-", "exit-"),
        ("event-id-", "event-"),
        ("error-phase-", "errorphase-"),
        ("phase-", "errorphase-"),
    ];
    let renamed = names
        .iter()
        .find_map(|(long, short)| Some(format!("{short}{}", joined.strip_prefix(long)?)));
    renamed.unwrap_or(joined)
}

/// The number in a code that consists of a word and a number.
fn bare(key: &str) -> Option<&str> {
    let (word, number) = key.split_once('-')?;
    ["reagentc", "exit", "event", "errorphase", "win32"]
        .contains(&word)
        .then_some(number)
}

/// A number in the forms in which Windows and its tools show one code: `0x80070643`, `80070643`, `2147944003`,
/// `-2147023293`. Small numbers without `0x` are words of their own.
fn number(text: &str) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    if let Some(digits) = text.strip_prefix("0x") {
        return u32::from_str_radix(digits, 16).ok();
    }
    if text.starts_with('-') {
        return text.parse::<i32>().ok().map(i32::cast_unsigned);
    }
    if text.len() == 8 && text.starts_with('8') {
        return u32::from_str_radix(&text, 16).ok();
    }
    // Negative as a signed number: an HRESULT that failed.
    text.parse()
        .ok()
        .filter(|number| *number > i32::MAX.cast_unsigned())
}

/// A page of Microsoft, by its name or number.
fn microsoft(page: &'static str) -> Text {
    text!("Microsoft: {page}", page)
}

/// What winrefit looks at itself.
fn on_disk() -> Text {
    text!("winrefit reads it from the disk")
}

/// What machines have written down.
fn machines() -> Text {
    text!("logs of real machines")
}

/// What is not confirmed by Microsoft.
fn reports() -> Text {
    text!("reports of administrators, not confirmed by Microsoft")
}

/// A decision of winrefit, with the document that gives its reasons.
fn decided(document: &'static str) -> Text {
    text!("winrefit's own rule: {document}", document)
}
