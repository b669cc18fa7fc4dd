//! The report as a JSON document, for programs. Nothing else is on standard output.

use crate::render::human::typeset::is_harmful;
use serde::Serialize;

/// `document`, indented, with a line end. A terminal may show it as well: what could act on one is escaped as JSON has it,
/// so a program reads the string that it is.
pub fn render(document: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string_pretty(document)?;
    let mut safe = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        // Line ends are of the document: those in strings have been escaped.
        if c != '\n' && is_harmful(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe.push('\n');
    Ok(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_comes_back_and_none_acts_on_a_terminal() {
        let every: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        let text = render(&[&every]).unwrap();
        let harmful = text.chars().find(|&c| c != '\n' && is_harmful(c));
        assert_eq!(harmful, None);
        let [read]: [String; 1] = serde_json::from_str(&text).unwrap();
        assert!(read == every);
        assert_eq!(render(&"\u{e0001}\u{9b}").unwrap(), "\"\\udb40\\udc01\\u009b\"\n");
    }
}
