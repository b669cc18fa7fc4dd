//! Checks an image of a volume and prints what is wrong with it: `check_volume IMAGE [--quick]`. On Linux it also tells
//! the greatest memory used.

use std::time::Instant;
use winrefit_disk::DiskFile;
use winrefit_ntfs::check::{CheckLevel, CheckOptions, check};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which image?")?;
    let level = match arguments.next().as_deref() {
        Some("--quick") => CheckLevel::Quick,
        _ => CheckLevel::Full,
    };
    let volume = DiskFile::open_read(std::path::Path::new(&path))?;
    let options = CheckOptions {
        level,
        ..CheckOptions::default()
    };
    let start = Instant::now();
    let report = check(&volume, &options)?;
    let elapsed = start.elapsed();
    for problem in &report.problems {
        println!("{}: {problem}", problem.severity);
    }
    println!(
        "{} check of {} records, {} in use: {} problems, {:.3} s",
        level.as_str(),
        report.records,
        report.records_in_use,
        report.problems_total,
        elapsed.as_secs_f64()
    );
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        println!("peak memory: {}", peak.unwrap_or("unknown").trim());
    }
    Ok(())
}
