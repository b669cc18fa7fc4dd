//! Disks that fail while winrefit works on them: at every request, and at every sector that is looked at.
//!
//! Demanded is: nothing is written after the first write or flush that failed; an error that names what failed, where, and
//! what to do; and with the fault gone `resume` ends in the old state or the new one, exactly. A bounded choice of
//! requests runs by default; `WINREFIT_BAD_DISK_CASES=all` takes every one, a number about as many of each kind.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod diagnosis;
mod faults;
mod made;
#[path = "../common/update.rs"]
mod update;

/// Every how many-th of `count` requests is tried, so that a test is quick.
fn stride(count: u64, usual: u64) -> usize {
    let wanted = match std::env::var("WINREFIT_BAD_DISK_CASES") {
        Ok(all) if all == "all" => return 1,
        Ok(number) => number.parse().expect("a number, or all"),
        Err(_) => usual,
    };
    count.div_ceil(wanted.max(1)).max(1) as usize
}
