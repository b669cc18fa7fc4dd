//! Text that is safe to show. Labels, names and values come from the disk, and a disk may come from anybody: a volume
//! label with an escape sequence must not move the cursor, change the title or hide a line.

use textwrap::core::Word;
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
pub fn is_harmful(c: char) -> bool {
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

/// `content`, cut or filled to `columns`.
pub fn pad(content: &str, columns: usize) -> String {
    let fitted = fit(&clean(content), columns);
    let missing = columns.saturating_sub(width(&fitted));
    fitted + &" ".repeat(missing)
}

/// As [`pad`], filled on the left.
pub fn pad_left(content: &str, columns: usize) -> String {
    let fitted = fit(&clean(content), columns);
    " ".repeat(columns.saturating_sub(width(&fitted))) + &fitted
}

/// `text` in lines of at most `columns`, broken at spaces and between the characters of languages without spaces; longer
/// words are broken where they must.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let options = textwrap::Options::new(columns.max(1))
        .word_separator(textwrap::WordSeparator::Custom(words))
        .break_words(true)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(&clean(text), options)
        .into_iter()
        .map(|line| line.into_owned())
        .collect()
}

/// Words as they may be put on lines. The rules of Unicode would also cut paths and options in two, which are typed as
/// they are read.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut rest = line;
    Box::new(std::iter::from_fn(move || {
        let pairs = rest.char_indices().zip(rest.char_indices().skip(1));
        let end = pairs
            .filter(|((_, before), (_, behind))| may_break(*before, *behind))
            .map(|(_, (at, _))| at)
            .next();
        let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
        rest = behind;
        (!word.is_empty()).then(|| Word::from(word))
    }))
}

/// Whether a line may end between two characters: behind spaces, and beside wide characters, but for punctuation that
/// belongs to one of them.
fn may_break(before: char, behind: char) -> bool {
    if before == ' ' || behind == ' ' {
        return behind != ' ';
    }
    let is_wide = |c: char| c.width() == Some(2);
    (is_wide(before) || is_wide(behind)) && !is_opening(before) && !is_closing(behind)
}

fn is_opening(c: char) -> bool {
    matches!(
        c,
        '(' | '['
            | '\u{2018}'
            | '\u{201c}'
            | '\u{3008}'
            | '\u{300a}'
            | '\u{300c}'
            | '\u{300e}'
            | '\u{3010}'
            | '\u{ff08}'
    )
}

fn is_closing(c: char) -> bool {
    matches!(
        c,
        ')' | ']'
            | ','
            | '.'
            | ':'
            | ';'
            | '!'
            | '?'
            | '%'
            | '\u{2019}'
            | '\u{201d}'
            | '\u{2026}'
            | '\u{3001}'
            | '\u{3002}'
            | '\u{3009}'
            | '\u{300b}'
            | '\u{300d}'
            | '\u{300f}'
            | '\u{3011}'
            | '\u{ff01}'
            | '\u{ff05}'
            | '\u{ff09}'
            | '\u{ff0c}'
            | '\u{ff1a}'
            | '\u{ff1b}'
            | '\u{ff1f}'
    )
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
    fn chinese_is_broken_between_characters_but_not_before_a_full_stop() {
        let text = "\u{5206}\u{533a} 4 \u{5df2}\u{6ee1}\u{3002}\u{8fd0}\u{884c} `winrefit plan`\u{3002}";
        assert_eq!(
            wrap(text, 12),
            [
                "\u{5206}\u{533a} 4 \u{5df2}",
                "\u{6ee1}\u{3002}\u{8fd0}\u{884c}",
                "`winrefit",
                "plan`\u{3002}"
            ]
        );
    }

    #[test]
    fn options_and_paths_are_not_cut_where_they_fit() {
        assert_eq!(
            wrap(r"give --drop-shadow-copies, see C:\Windows\System32", 22),
            ["give", "--drop-shadow-copies,", "see", r"C:\Windows\System32"]
        );
    }

    #[test]
    fn lines_are_never_longer_than_asked() {
        let text = format!("one two {} three", "x".repeat(50));
        assert!(wrap(&text, 20).iter().all(|line| width(line) <= 20));
    }
}
