//! The report as a JSON document, for programs. Nothing else is on standard output.

use serde::Serialize;

/// `document`, indented, with a line end.
pub fn render(document: &impl Serialize) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}
