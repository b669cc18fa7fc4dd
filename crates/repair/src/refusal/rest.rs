//! Refusals of the disk as a whole, of its table and of the journal, in words.

use super::{Refusal, unreachable_explanation};
use crate::explain::{Explained, size};

impl Refusal {
    pub(super) fn explain_rest(&self) -> Explained {
        match self {
            Self::TargetTooLarge { wanted_bytes } => Explained::new(
                "The recovery partition would become larger than 2 GiB",
                format!(
                    "{} would be needed. Larger ones are taken for factory images.",
                    size(*wanted_bytes)
                ),
                "Ask for less with --size and --free, or make the image smaller.",
            ),
            Self::CannotRebase { number, problem } => Explained::new(
                format!("The volume on partition {number} cannot be moved to a new start"),
                problem.clone(),
                "Nothing was written. Please report this with the output of --format json.",
            ),
            Self::Table { problem } => Explained::new(
                "The partition table must not be written as it is",
                format!("{problem}."),
                "Repair it with a tool made for that (gdisk), look at the result, and run the command again.",
            ),
            Self::NoSlot => Explained::new(
                "The partition table has no entry left for a recovery partition",
                "All of its entries are in use; an MBR has four.",
                "Remove a partition that nothing needs, or let WinRE stay on the Windows volume.",
            ),
            Self::CannotCopyImage {
                number,
                path,
                problem,
            } => Explained::new(
                "The WinRE image cannot be copied",
                format!("Partition {number}, {path}: {problem}."),
                "In Windows, `compact /u` on the file makes it an ordinary one; then run the command again.",
            ),
            Self::HybridMbr { number } => Explained::new(
                "The disk has a hybrid MBR",
                format!(
                    "LBA 0 names partition {number} a second time, or space beside it, and would be wrong once its borders \
                     move."
                ),
                "If nothing needs it any more, make the MBR protective (gdisk: x, n, w), and run the command again.",
            ),
            Self::NotStale { number, problem } => Explained::new(
                format!("Partition {number} is not a leftover that can go"),
                format!("{problem}."),
                "Run the command without --remove-stale, or with the number of another partition.",
            ),
            Self::ManagedDisk { number, what } => Explained::new(
                format!("The disk is managed by {what}"),
                format!(
                    "Partition {number} belongs to it; partitions of such a disk are not what they seem."
                ),
                "winrefit does not change such disks: only the Windows that manages one knows what lies where. Make room \
                 there, with Disk Management or diskpart.",
            ),
            Self::NoJournalSpace {
                needed_bytes,
                problem,
            } => Explained::new(
                "There is no place on the disk for the journal",
                format!(
                    "{} are needed so that a power cut loses nothing, in unallocated, zeroed space before the first or \
                     behind the last partition; of free clusters a sector there would do: {problem}.",
                    size(*needed_bytes)
                ),
                "Work on a copy of the disk, or free the space before the first partition.",
            ),
            Self::StagedCheckFailed { what, detail } => Explained::new(
                "The prepared result did not pass its check, so nothing was written",
                format!("{what}: {detail}"),
                "Please report this with the output of --format json.",
            ),
            _ => unreachable_explanation(),
        }
    }
}
