//! Guidance, added once: what a code means and what to do next. Inner layers never speak to the user.

use serde::Serialize;

/// A code in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// One line.
    pub title: String,
    /// What was found, where, and what it means.
    pub detail: String,
    /// What to do next.
    pub next: String,
}

impl Explained {
    pub(crate) fn new(title: impl Into<String>, detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            detail: detail.into(),
            next: next.into(),
        }
    }
}

/// Bytes for people: MiB with two decimals below 10 GiB, GiB above.
pub fn size(bytes: u64) -> String {
    const MIB: f64 = 1_048_576.0;
    let mib = bytes as f64 / MIB;
    if bytes < 1 << 20 && bytes > 0 {
        format!("{:.1} KiB", bytes as f64 / 1024.0)
    } else if mib < 10_240.0 {
        // Whole numbers without decimals: most limits are.
        if bytes.is_multiple_of(1 << 20) {
            format!("{} MiB", bytes >> 20)
        } else {
            format!("{mib:.2} MiB")
        }
    } else {
        format!("{:.1} GiB", mib / 1024.0)
    }
}
