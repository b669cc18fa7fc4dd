//! What `reset-update` takes.

use clap::{Args as ClapArgs, ValueEnum};

/// What is reset.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct ResetArgs {
    /// Take the Windows on partition N, for a disk with several.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub windows: Option<u32>,
    /// Reset only the folders, or only the services.
    #[arg(long, value_enum)]
    pub only: Option<Part>,
    /// Show what would be done, rehearsed and proven. Writes nothing.
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
}

// The values explain themselves, as those of --format do.
/// A part of the reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Part {
    Folders,
    Services,
}
