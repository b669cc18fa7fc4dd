//! Checks the volume in an image or block device: `check IMAGE`. Exit code 1 if it is damaged.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use winrefit_disk::DiskFile;
use winrefit_ntfs::check::{CheckOptions, check};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let image = std::env::args().nth(1).ok_or("usage: check IMAGE")?;
    let report = check(&DiskFile::open_read(Path::new(&image))?, &CheckOptions::default())?;
    for problem in &report.problems {
        println!("{problem}");
    }
    println!(
        "{} problems; {} of {} file records and {} of {} clusters in use",
        report.problems_total,
        report.records_in_use,
        report.records,
        report.clusters - report.free_clusters,
        report.clusters
    );
    Ok(if report.is_consistent() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
