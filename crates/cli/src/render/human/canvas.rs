//! A grid of characters, for the pictures. Everything outside of it is ignored, so no drawing can go wrong.

use super::page::{Span, Tone};
use super::typeset;
use unicode_width::UnicodeWidthChar;

/// A cell; `None` is the right half of a wide character.
type Cell = (Option<char>, Tone);

/// A grid of characters.
pub struct Canvas {
    rows: Vec<Vec<Cell>>,
}

impl Canvas {
    /// An empty grid.
    pub fn new(columns: usize, rows: usize) -> Self {
        Self {
            rows: vec![vec![(Some(' '), Tone::Plain); columns]; rows],
        }
    }

    /// One character.
    pub fn put(&mut self, x: usize, y: usize, glyph: char, tone: Tone) {
        if let Some(cell) = self.rows.get_mut(y).and_then(|row| row.get_mut(x)) {
            *cell = (Some(glyph), tone);
        }
    }

    /// The same character over the columns `from..to`.
    pub fn fill(&mut self, from: usize, to: usize, y: usize, glyph: char, tone: Tone) {
        for x in from..to {
            self.put(x, y, glyph, tone);
        }
    }

    /// Text, cut to `columns`.
    pub fn text(&mut self, x: usize, y: usize, columns: usize, content: &str, tone: Tone) {
        let mut x = x;
        for c in typeset::fit(&typeset::clean(content), columns).chars() {
            let wide = c.width().unwrap_or(0);
            if wide == 0 {
                continue;
            }
            self.put(x, y, c, tone);
            if wide == 2
                && let Some(cell) = self.rows.get_mut(y).and_then(|row| row.get_mut(x + 1))
            {
                cell.0 = None;
            }
            x += wide;
        }
    }

    /// The rows as spans.
    pub fn into_lines(self) -> impl Iterator<Item = Vec<Span>> {
        self.rows.into_iter().map(|row| {
            row.chunk_by(|a, b| a.1 == b.1)
                .map(|run| {
                    let text: String = run.iter().filter_map(|cell| cell.0).collect();
                    Span::new(text, run.first().map_or(Tone::Plain, |cell| cell.1))
                })
                .collect()
        })
    }
}
