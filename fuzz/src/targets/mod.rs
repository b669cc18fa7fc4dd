//! The bodies of the fuzz targets: functions of bytes that panic where something is wrong.
//!
//! They are compiled twice: for libFuzzer, and by `crates/repair/tests/fuzz_replay.rs`, which runs them on stable over
//! every input that is kept. `common`, `cut_cases`, `journal_case` and `update`, which make disks for other tests, are
//! at the root of both crates.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

mod bases;
mod disks;
mod files;
mod input;
mod journal;
mod parsers;
mod records;
pub mod seeds;
mod structures;
mod sums;
mod tables;
mod volumes;

/// A target: its name, and what it does with an input.
pub type FuzzTarget = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[FuzzTarget] = &[
    ("bcd", files::bcd),
    ("bcd_device", parsers::bcd_device),
    ("diagnose", disks::diagnosed),
    ("disk", disks::disk_repaired),
    ("evtx", files::evtx),
    ("fat", tables::fat),
    ("gpt", tables::gpt),
    ("hive", files::hive),
    ("journal", journal::journal),
    ("kb", parsers::kb),
    ("logs", parsers::logs),
    ("mbr", tables::mbr),
    ("ntfs_boot", records::boot),
    ("ntfs_check", volumes::check_volume),
    ("ntfs_index", records::index),
    ("ntfs_list", records::list),
    ("ntfs_read", volumes::read),
    ("ntfs_record", records::record),
    ("ntfs_rename", volumes::rename_file),
    ("ntfs_resize", volumes::resize),
    ("ntfs_runs", records::runs),
    ("reagent", parsers::reagent),
    ("servicing", parsers::servicing),
    ("wim", files::wim),
];

/// Runs a target by its name.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(own, _)| *own == name);
    target.unwrap_or_else(|| panic!("there is no target {name}")).1(data);
}
