//! The one way from a string to the page.

use crate::render::human::typeset::clean;

/// `text` for element content and for attribute values alike: what could act on the reader is shown as its code, as on
/// the terminal, and what HTML and XML read as markup is escaped.
pub fn escape(text: &str) -> String {
    let clean = clean(text);
    let mut escaped = String::with_capacity(clean.len() + clean.len() / 8);
    for c in clean.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // XML has no way to write these, and they are nobody's letters.
            c if is_noncharacter(c) => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    escaped
}

fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(
            escape("<script>alert(1)</script>\"'&\u{202e}\0"),
            "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\\u{202e}\\u{0}"
        );
    }

    #[test]
    fn every_character_can_stand_in_well_formed_markup() {
        let every: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        let escaped = escape(&every);
        let page = format!("<p title=\"{escaped}\">{escaped}</p>");
        let document = roxmltree::Document::parse(&page).unwrap();
        let paragraph = document.root_element();
        assert_eq!(paragraph.text(), paragraph.attribute("title"));
        assert_eq!(paragraph.children().count(), 1, "nothing of it became an element");
    }
}
