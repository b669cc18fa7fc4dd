#![allow(clippy::unwrap_used)]

use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_schema_is_up_to_date() {
    let kept = std::fs::read_to_string(root().join(SCHEMA)).unwrap_or_default();
    assert!(
        kept == document(&root()).unwrap(),
        "run `cargo xtask schema` and look at the difference"
    );
}
