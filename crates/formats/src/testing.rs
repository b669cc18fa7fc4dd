//! What several modules' tests need.

use std::path::PathBuf;

/// The content of a file of the shared fixtures, or `None` with a visible note where they are absent.
pub(crate) fn shared(path: &str) -> Option<Vec<u8>> {
    let base = std::env::var_os("WINREFIT_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let content = std::fs::read(base.join(path)).ok();
    if content.is_none() {
        eprintln!("SKIPPED: the fixture {path} is not here");
    }
    content
}
