//! The worst that a disk may legally hold, and the worst that somebody may make it claim: every command ends with a report
//! or an error, in bounded time and memory. `cargo test -p winrefit-repair --test limits -- --nocapture` prints the figures
//! as a table; docs/limits.md has the bounds.
//!
//! `WINREFIT_LIMITS_RECORDS=1000000` makes a directory with a million files, `WINREFIT_LIMITS_TIB=15` disks of 15 TiB.
#![allow(clippy::unwrap_used)]

mod attributes;
#[path = "../common/mod.rs"]
mod common;
mod disks;
mod document;
mod files;
mod hive_logs;
mod hives;
mod large;
mod logs;
mod measure;
mod mft;
mod records;
mod stores;
mod tables;

use peak_alloc::PeakAlloc;

/// Counts what is allocated, freed memory taken off.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;
