//! The commands: each takes a disk and gives a report. What is written is written by [`fix`], [`resume`] and [`undo`]
//! alone, and only through the journal.

mod build;
mod fix;
mod originals;
mod parts;
mod prepare;
mod read_only;
mod recover;
mod way_back;

pub use fix::{fix, plan};
pub use read_only::{check, diagnose, verify};
pub use recover::{resume, undo};

use crate::error::RepairError;
use crate::refusal::Refusal;
use crate::report::{Report, Verdict};
use winrefit_disk::{DiskError, journal};

/// The report of a command whose disk is used by someone else: a refusal, not an error. `None` for other errors.
pub fn refused_in_use(command: &'static str, target: &str, error: &RepairError) -> Option<Report> {
    let RepairError::Disk(problem @ DiskError::InUse { by, .. }) = error else {
        return None;
    };
    let refusal = Refusal::TargetInUse {
        problem: problem.to_string(),
        next: format!("To go on, {}.", by.next_action()),
    };
    let mut report = build::empty(command, target);
    report.verdict = Verdict::Refused;
    report.refusal = Some(refusal.report());
    Some(report)
}

/// What a long command is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Checking the volume of a partition.
    Checking {
        /// The partition.
        partition: u32,
    },
    /// Preparing the result on a copy-on-write view.
    Staging,
    /// Proving the prepared result.
    VerifyingStaged,
    /// Copying data out of the way, to free space.
    Moving {
        /// Bytes copied.
        done_bytes: u64,
        /// Bytes to copy.
        total_bytes: u64,
    },
    /// Writing through the journal.
    Committing(journal::Progress),
    /// Proving the disk.
    Verifying,
}

/// Where progress goes.
pub type ProgressSink<'a> = &'a mut dyn FnMut(Progress);
