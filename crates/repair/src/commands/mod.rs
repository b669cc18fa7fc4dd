//! The commands: each takes a disk and gives a report. What is written is written by [`fix`], [`reset_update`], [`resume`]
//! and [`undo`] alone, and only through the journal.

mod build;
mod fix;
mod in_use;
mod originals;
mod parts;
mod prepare;
mod read_only;
mod recover;
mod reset;
mod result;
mod way_back;

pub use fix::{fix, plan};
pub use in_use::refused_in_use;
pub use read_only::{check, diagnose, verify};
pub use recover::{resume, undo};
pub use reset::{plan_reset, reset_update};

use winrefit_disk::journal;

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

/// Whether a journal on the disk tells of unfinished work; also if it cannot be read.
fn is_begun<D: winrefit_disk::Device>(target: &crate::target::Target<D>) -> bool {
    let observed = crate::observe::observe(target.disk(), target.reported, crate::observe::Depth::Quick);
    observed.map_or(true, |observation| match &observation.journal {
        Ok(found) => found.as_ref().is_some_and(journal::Found::is_unfinished),
        Err(_) => true,
    })
}
