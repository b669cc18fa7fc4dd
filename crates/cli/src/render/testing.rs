//! What tests of several renderings share.

use winrefit_repair::text::Text;

/// Sentences that no catalogue has.
pub trait Raw {
    fn raw(self) -> Text;
}

impl Raw for &str {
    fn raw(self) -> Text {
        Text::raw(self)
    }
}

impl Raw for String {
    fn raw(self) -> Text {
        Text::raw(self)
    }
}
