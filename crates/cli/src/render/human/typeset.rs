//! Text that is safe to show. Labels, names and values come from the disk, and a disk may come from anybody: a volume
//! label with an escape sequence must not move the cursor, change the title or hide a line.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// `text` with every character escaped that could act on the terminal or change the order of what is read. All
/// human-readable output goes through here: [`super::page::Span::new`] is the only way to put text on a page.
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            clean.extend(c.escape_unicode());
        } else {
            clean.push(c);
        }
    }
    clean
}

/// C0 and C1 controls with DEL, marks and overrides of writing direction, line and paragraph separators, and
/// characters that cannot be seen.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Columns that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` cut to `columns`, with an ellipsis where something is missing.
pub fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut fitted = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        fitted.push(c);
    }
    if columns > 0 {
        fitted.push(super::glyphs::ELLIPSIS);
    }
    fitted
}

/// `text` in lines of at most `columns`, broken at spaces; longer words are broken where they must.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let options = textwrap::Options::new(columns.max(1))
        .break_words(true)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(&clean(text), options)
        .into_iter()
        .map(|line| line.into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_disk_acts_on_the_terminal() {
        assert_eq!(
            clean("a\x1b[2Jb\u{9b}31m\x07\r\n\x7f"),
            "a\\u{1b}[2Jb\\u{9b}31m\\u{7}\\u{d}\\u{a}\\u{7f}"
        );
        assert_eq!(
            clean("x\u{202e}gmi.\u{2066}\u{200b}"),
            "x\\u{202e}gmi.\\u{2066}\\u{200b}"
        );
        assert_eq!(
            clean("Z\u{fc}rich \u{65e5}\u{672c}"),
            "Z\u{fc}rich \u{65e5}\u{672c}"
        );
    }

    #[test]
    fn no_control_is_left_whatever_comes() {
        let every: String = (0..=0x2fff).filter_map(char::from_u32).collect();
        let cleaned = clean(&every);
        assert!(!cleaned.chars().any(is_harmful));
        assert_eq!(clean(&cleaned), cleaned, "cleaning is done once and for all");
    }

    #[test]
    fn text_is_cut_by_columns_not_by_bytes() {
        assert_eq!(fit("Recovery", 8), "Recovery");
        assert_eq!(fit("Recovery", 5), "Reco\u{2026}");
        assert_eq!(fit("\u{65e5}\u{672c}\u{8a9e}", 4), "\u{65e5}\u{2026}");
        assert_eq!(fit("Recovery", 0), "");
    }

    #[test]
    fn lines_are_never_longer_than_asked() {
        let text = format!("one two {} three", "x".repeat(50));
        assert!(wrap(&text, 20).iter().all(|line| width(line) <= 20));
    }
}
