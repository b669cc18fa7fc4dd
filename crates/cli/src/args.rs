//! The command line as typed. Parsing touches nothing: no file, no terminal, no environment.

mod checked;
#[cfg(test)]
mod tests;

mod reset;

pub use reset::{Part, ResetArgs};

use crate::language::Tag;
use crate::size;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Exit codes:
  0  healthy, or done
  1  input/output error, or an internal error
  2  the command line was not understood, or --yes is needed
  3  needs repair
  4  refused; nothing was written
  5  unfinished work on the disk; run resume
  6  damage found
  7  needs attention: something has to be done in Windows that winrefit cannot do
  130  interrupted by Ctrl-C

Examples:
  winrefit demo                           the whole story on a disk made for it
  winrefit diagnose disk.img              why the update fails
  winrefit plan disk.img --size 1550MiB   what a repair would do; writes nothing
  winrefit fix disk.img                   the repair, after a question
  winrefit verify disk.img --format json  the proof, for a script
  winrefit diagnose disk.img --format html -o report.html
                                          the same as a page to keep, send and print
  winrefit undo disk.img                  the disk as it was before
  winrefit explain 0x80070643             what a code means

A TARGET is a raw disk image or a block device that nothing else uses. Sizes are numbers with
MiB, GiB, TiB (or M, G, T: powers of 1024), MB, GB, TB (powers of 1000), or plain bytes.";

const GOAL_HELP: &str = "\
Without --size and --free a recovery partition is left alone if it has room for its next update;
else it gets at least 1000 MiB, with at least 302 MiB of them free.
A disk that has none gets one, if its only Windows has a WinRE image at hand.

Sizes are numbers with MiB, GiB (or M, G: powers of 1024), MB, GB (powers of 1000), or plain bytes.

Examples:
  winrefit plan disk.img                    what a repair would do; writes nothing
  winrefit plan disk.img --size 1550MiB     the same for a certain size
  winrefit plan disk.img --remove-stale 4   also remove partition 4, a leftover of an upgrade
  winrefit fix disk.img --size 1550MiB      the repair, with the options of its plan";

/// Finds out why a Windows update ends in 0x80070643 and, where the recovery partition (WinRE) is too small, makes
/// room for it. At every instant the disk holds the old working state or the new one.
#[derive(Debug, Parser)]
#[command(name = "winrefit", version, after_help = AFTER_HELP, arg_required_else_help = true)]
#[command(max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How it is shown.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How results are shown.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// A page for people, the report for programs, or a page to keep, send and print.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Write the result to this file, which must not exist yet; - is standard output.
    #[arg(long, short, global = true, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Colour; auto means on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Draw with ASCII characters only. Umlauts become two letters; Chinese characters stay.
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Language of the page: en, de or zh-CN; without this the system's. JSON is always in English.
    #[arg(long, global = true, value_parser = Tag::parse)]
    pub lang: Option<Tag>,
    /// Width in columns, instead of the terminal's.
    #[arg(long, global = true, hide = true, value_name = "COLUMNS")]
    pub width: Option<u16>,
}

// The values explain themselves; a comment on each would blow up every help page.
/// Form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Format {
    Human,
    Json,
    Html,
}

/// When colour is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build a failing Windows disk, diagnose it, repair it, verify it.
    Demo {
        /// Keep the disk in this directory instead of removing it.
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
    },
    /// Make Windows-like disks for tests and demonstrations.
    #[command(subcommand)]
    Lab(LabCommand),
    /// Find out why the update fails. Writes nothing.
    Diagnose {
        /// The disk.
        #[command(flatten)]
        target: TargetArgs,
        /// Which recovery partition.
        #[command(flatten)]
        recovery: RecoveryArgs,
    },
    /// Show what a repair would do, rehearsed and proven. Writes nothing.
    #[command(after_help = GOAL_HELP)]
    Plan {
        /// The disk.
        #[command(flatten)]
        target: TargetArgs,
        /// What is wished for.
        #[command(flatten)]
        goal: GoalArgs,
    },
    /// Repair the disk: rehearse it, show the plan, ask, write, verify. undo takes it back.
    #[command(after_help = GOAL_HELP)]
    Fix {
        /// The disk.
        #[command(flatten)]
        target: TargetArgs,
        /// What is wished for.
        #[command(flatten)]
        goal: GoalArgs,
        /// The answer.
        #[command(flatten)]
        consent: ConsentArgs,
    },
    /// Reset Windows Update offline: put aside what it has stored, set disabled services back. undo takes it back.
    ///
    /// The folders SoftwareDistribution and catroot2 get other names, such as SoftwareDistributio~ and catroot~, and Windows
    /// makes new ones; services that updates need and that are disabled start again as Windows sets them. If something
    /// else is the cause, that is said first. Shows what it does and asks.
    ResetUpdate {
        /// The disk.
        #[command(flatten)]
        target: TargetArgs,
        /// What is reset.
        #[command(flatten)]
        reset: ResetArgs,
        /// The answer.
        #[command(flatten)]
        consent: ConsentArgs,
    },
    /// Complete or discard work that was interrupted.
    Resume {
        /// The disk.
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Prove that disk, volumes and WinRE fit together. Writes nothing.
    Verify {
        /// The disk.
        #[command(flatten)]
        target: TargetArgs,
        /// Which recovery partition.
        #[command(flatten)]
        recovery: RecoveryArgs,
    },
    /// Check the NTFS volumes for consistency. Writes nothing.
    Check {
        /// The disk.
        #[command(flatten)]
        target: TargetArgs,
        /// Check this partition only.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        partition: Option<u32>,
        /// Leave out directories, security descriptors, and whether a path leads to every file.
        #[arg(long)]
        quick: bool,
    },
    /// Put the last repair back, as long as nothing else has changed what it touched.
    Undo {
        /// The disk.
        #[command(flatten)]
        target: TargetArgs,
        /// The answer.
        #[command(flatten)]
        consent: ConsentArgs,
    },
    /// Say what a code means: of winrefit, or of Windows beside WinRE. Needs no disk.
    Explain {
        /// Codes such as re-too-small, 0x80070643, "reagentc 70", "event 4502", "exit 7".
        #[arg(
            value_name = "CODE",
            required_unless_present = "list",
            allow_negative_numbers = true
        )]
        codes: Vec<String>,
        /// List all codes.
        #[arg(long, conflicts_with = "codes")]
        list: bool,
    },
    /// Show what is known of updates of WinRE. Needs no disk.
    Kb {
        /// The number of an update (KB5034441), or a build or version of Windows (19045, 10.0.20348.2113).
        #[arg(value_name = "KB|BUILD")]
        what: Option<String>,
    },
}

impl Command {
    /// The name of a command that works on a disk, and that disk.
    pub fn target(&self) -> Option<(&'static str, &TargetArgs)> {
        Some(match self {
            Self::Demo { .. } | Self::Lab(_) | Self::Explain { .. } | Self::Kb { .. } => return None,
            Self::Diagnose { target, .. } => ("diagnose", target),
            Self::Plan { target, .. } => ("plan", target),
            Self::Fix { target, .. } => ("fix", target),
            Self::ResetUpdate { target, .. } => ("reset-update", target),
            Self::Resume { target } => ("resume", target),
            Self::Verify { target, .. } => ("verify", target),
            Self::Check { target, .. } => ("check", target),
            Self::Undo { target, .. } => ("undo", target),
        })
    }
}

/// Commands of the lab.
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// List the profiles.
    List,
    /// Make a disk from a profile, or one from each.
    #[command(override_usage = "winrefit lab create [OPTIONS] <PROFILE> <OUT.img>\n       \
                                winrefit lab create [OPTIONS] --all <DIR>")]
    Create {
        /// The one.
        #[command(flatten)]
        one: Option<OneDiskArgs>,
        /// Make a disk from every profile in this directory.
        #[arg(long, value_name = "DIR", conflicts_with_all = ["profile", "out", "size", "event_log"])]
        all: Option<PathBuf>,
        /// Number of files on the Windows volume instead of the profile's.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
        files: Option<u32>,
    },
}

/// One disk of the lab.
#[derive(Debug, Clone, ClapArgs)]
pub struct OneDiskArgs {
    /// Name of the profile; see lab list.
    #[arg(required = false, required_unless_present = "all", requires = "out")]
    pub profile: String,
    /// The file to make; an existing one is not overwritten.
    #[arg(value_name = "OUT.img", required = false, required_unless_present = "all")]
    pub out: PathBuf,
    /// Size of the disk instead of the profile's.
    #[arg(long, value_parser = size::parse)]
    pub size: Option<u64>,
    /// Fill the System event log of Windows up to this size, e.g. 20MiB; at most 1 GiB.
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub event_log: Option<u64>,
}

/// The disk.
#[derive(Debug, Clone, ClapArgs)]
pub struct TargetArgs {
    /// A raw disk image or block device.
    #[arg(value_name = "TARGET")]
    pub path: PathBuf,
}

/// Which recovery partition is meant.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct RecoveryArgs {
    /// Take partition N as the recovery partition, for a disk where several could be meant or Windows names none.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub recovery_partition: Option<u32>,
}

impl RecoveryArgs {
    /// The option as one types it; nothing if it was not given.
    pub fn as_typed(self) -> String {
        self.recovery_partition
            .map_or_else(String::new, |number| format!("--recovery-partition {number}"))
    }
}

/// What a repair shall reach.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct GoalArgs {
    /// Make the recovery partition at least this large, e.g. 1550MiB.
    #[arg(long, value_parser = size::parse_space)]
    pub size: Option<u64>,
    /// Leave at least this much of it free, the WinRE image not counted, e.g. 400MiB.
    #[arg(long, value_name = "SIZE", value_parser = size::parse_free)]
    pub free: Option<u64>,
    /// Give up the shadow copies ("previous versions", restore points) of a volume whose borders move. Without this they
    /// stop the repair.
    #[arg(long)]
    pub drop_shadow_copies: bool,
    /// If the recovery partition has to move elsewhere, give its old place to the Windows or data volume right before
    /// it. Without this the old place becomes unallocated.
    #[arg(long)]
    pub reclaim: bool,
    /// Remove partition N, an old recovery partition that nothing uses any more; diagnose calls it a leftover. No other
    /// partition is ever removed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub remove_stale: Option<u32>,
    /// Make a recovery partition although WinRE works on the Windows volume.
    #[arg(long)]
    pub create: bool,
    /// Which recovery partition.
    #[command(flatten)]
    pub recovery: RecoveryArgs,
}

impl GoalArgs {
    /// The options as one types them; nothing if none was given.
    pub fn as_typed(self) -> String {
        let options = [
            self.size.map(|bytes| format!("--size {}", size::as_typed(bytes))),
            self.free.map(|bytes| format!("--free {}", size::as_typed(bytes))),
            self.drop_shadow_copies.then(|| "--drop-shadow-copies".to_owned()),
            self.reclaim.then(|| "--reclaim".to_owned()),
            self.remove_stale.map(|number| format!("--remove-stale {number}")),
            self.create.then(|| "--create".to_owned()),
            Some(self.recovery.as_typed()).filter(|typed| !typed.is_empty()),
        ];
        options.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// The answer given beforehand.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct ConsentArgs {
    /// Do not ask; needed where nobody sits at a terminal.
    #[arg(long)]
    pub yes: bool,
}
