//! The crash matrix: the power is cut in every way at every point of every kind of repair, of its undo, and of the resume
//! behind either. Each state is recognised, is one that Windows can start from (or one of the few that are named here), and
//! becomes exactly the old disk or exactly the new one.
//!
//! `WINREFIT_CRASH_STATES` is the number of states (20,000 if it is not set), `WINREFIT_CRASH_SEED` chooses the random ones.
//! `cargo test -p winrefit-repair --test matrix -- --nocapture` prints the table of docs/safety.md.
#![allow(clippy::unwrap_used)]

#[path = "../common/cut_cases.rs"]
mod cases;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/update.rs"]
mod update;

mod content;
mod cuts;
mod declared;
mod judge;
mod matrix;
mod memo;
mod mutations;
mod oracles;
mod runs;
mod tally;
