//! Work on the project itself that Cargo has no command for. `cargo xtask bench` compares winrefit with what people do
//! today, on copies of one disk; `cargo xtask bench-ntfs` the NTFS engine with ntfsresize and dd; `cargo xtask texts`
//! collects what has to be translated; `cargo xtask schema` writes the JSON Schema of the report.

#[cfg(target_os = "linux")]
mod bench;
#[cfg(target_os = "linux")]
mod bench_ntfs;
#[cfg(target_os = "linux")]
mod contender;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod measure;
#[cfg(target_os = "linux")]
mod ntfs_volume;
mod schema;
#[cfg(target_os = "linux")]
mod table;
mod texts;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(about = "Work on the project itself")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

// The benchmarks need Linux: loop devices, ntfs-3g and the block layer's counters.
#[derive(Debug, Subcommand)]
enum Command {
    /// Compare winrefit with the scripts that people use today. Needs root, ntfs-3g, gdisk, and some 15 GB of disk.
    #[cfg(target_os = "linux")]
    Bench(bench::BenchArguments),
    /// Compare the NTFS engine with ntfsresize and dd. Needs root and ntfs-3g.
    #[cfg(target_os = "linux")]
    BenchNtfs(bench_ntfs::BenchNtfsArguments),
    /// Measure one program (used by bench).
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Measure {
        #[arg(last = true, required = true)]
        command: Vec<std::ffi::OsString>,
    },
    /// Collect every sentence that people read for the translators, and bring their catalogues up to date.
    Texts,
    /// Write the JSON Schema of the report from its types.
    Schema,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        #[cfg(target_os = "linux")]
        Command::Bench(arguments) => ended(bench::bench(&arguments)),
        #[cfg(target_os = "linux")]
        Command::BenchNtfs(arguments) => ended(bench_ntfs::bench(&arguments)),
        #[cfg(target_os = "linux")]
        Command::Measure { command } => ended(measure::run_here(&command)),
        Command::Texts => texts::main(),
        Command::Schema => schema::main(),
    }
}

#[cfg(target_os = "linux")]
fn ended(outcome: Result<(), error::Error>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
