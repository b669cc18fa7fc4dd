//! The targets for libFuzzer. What they do is in [`targets`].
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

#[path = "../../crates/repair/tests/common/mod.rs"]
mod common;
#[path = "../../crates/repair/tests/common/cut_cases.rs"]
mod cut_cases;
#[path = "../../crates/disk/tests/journal_case/mod.rs"]
mod journal_case;
#[path = "../../crates/repair/tests/common/update.rs"]
mod update;

pub mod targets;

pub use targets::run;
