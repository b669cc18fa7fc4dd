//! What several sections are made of: signs, tables, lists of facts, bars.

use super::markup::Html;
use super::words::Say;
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// What something means; a sign, a word and a colour follow from it, so that it is never told by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// As it has to be.
    Good,
    /// Not as it has to be.
    Bad,
    /// Worth knowing.
    Caution,
    /// For the record.
    Note,
}

impl Sign {
    /// Class for the colour.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Caution => "caution",
            Self::Note => "note",
        }
    }

    /// For something that is met or not.
    pub fn of(ok: bool) -> Self {
        if ok { Self::Good } else { Self::Bad }
    }

    /// The drawing, in a square of 16. Words say the same beside it.
    pub fn draw(self, html: &mut Html) {
        let (shape, stroke) = match self {
            Self::Good => ("M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z", "M4.6 8.4l2.4 2.4 4.4-5"),
            Self::Bad => (
                "M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z",
                "M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2",
            ),
            Self::Caution => ("M8 1.2L15.6 14.8H.4z", "M8 5.8v4.2M8 12.2v.6"),
            Self::Note => ("M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z", "M8 4v.6M8 7v5"),
        };
        let class = format!("sign {}", self.class());
        html.element(
            "svg",
            &[
                ("class", &class),
                ("viewBox", "0 0 16 16"),
                ("width", "16"),
                ("height", "16"),
                ("aria-hidden", "true"),
            ],
            |html| {
                html.empty("path", &[("class", "shape"), ("d", shape)]);
                html.empty("path", &[("class", "stroke"), ("d", stroke)]);
            },
        );
    }
}

/// A word with its sign.
pub fn chip(html: &mut Html, sign: Sign, word: impl Say) {
    let class = format!("chip {}", sign.class());
    html.element("span", &[("class", &class)], |html| {
        sign.draw(html);
        html.text(word);
    });
}

/// A heading within a section.
pub fn subheading(html: &mut Html, words: impl Say) {
    html.leaf("h3", "", words);
}

/// A table with the heads of its columns; `n` at the beginning of a class sets a column of numbers to the right.
pub fn table(
    html: &mut Html,
    caption: impl Say,
    columns: &[(&'static str, Text)],
    rows: impl FnOnce(&mut Html),
) {
    // A focus, so that a table wider than the screen can be moved with the keyboard.
    html.element("div", &[("class", "wide"), ("tabindex", "0")], |html| {
        html.element("table", &[], |html| {
            html.leaf("caption", "", caption);
            html.element("thead", &[], |html| {
                html.element("tr", &[], |html| {
                    for (class, words) in columns {
                        html.element("th", &[("scope", "col"), ("class", class)], |html| {
                            html.text(words)
                        });
                    }
                });
            });
            html.element("tbody", &[], rows);
        });
    });
}

/// A row of a table.
pub fn row(html: &mut Html, cells: &[(&'static str, Cell<'_>)]) {
    html.element("tr", &[], |html| {
        for (class, cell) in cells {
            html.element("td", &[("class", class)], |html| cell.write(html));
        }
    });
}

/// What stands in a cell.
pub enum Cell<'a> {
    /// Words of ours.
    Words(Text),
    /// From the disk.
    Value(&'a dyn Say),
    /// A sign with its word.
    Chip(Sign, Text),
}

impl Cell<'_> {
    fn write(&self, html: &mut Html) {
        match self {
            Self::Words(words) => html.text(words),
            Self::Value(value) => html.value(value),
            Self::Chip(sign, word) => chip(html, *sign, word),
        }
    }
}

/// A list of names and what belongs to them.
pub fn facts(html: &mut Html, content: impl FnOnce(&mut Html)) {
    html.element("dl", &[("class", "facts")], content);
}

/// An entry of such a list.
pub fn fact(html: &mut Html, name: impl Say, content: impl FnOnce(&mut Html)) {
    html.element("div", &[], |html| {
        html.leaf("dt", "", name);
        html.element("dd", &[], content);
    });
}

/// An entry with a value from the disk, where there is one.
pub fn value_fact(html: &mut Html, name: impl Say, value: Option<impl Say>) {
    if let Some(value) = value.map(|value| value.say()).filter(|value| !value.is_empty()) {
        fact(html, name, |html| html.value(value));
    }
}

/// Part of a whole, in per cent, as an attribute has it; never outside of 0 to 100.
pub fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole * 100.0).clamp(0.0, 100.0)
    } else {
        0.0
    }
}

/// Such a number as text.
pub fn written(percent: f64) -> String {
    format!("{percent:.3}%")
}

/// `yes`, `no`, or nothing known.
pub fn yes_or_no(value: Option<bool>) -> Text {
    match value {
        Some(true) => text!("yes"),
        Some(false) => text!("no"),
        None => text!("unknown"),
    }
}
