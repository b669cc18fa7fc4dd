//! Refusals of the disk as a whole, of its table and of the journal, in words.

use super::{Refusal, unreachable_explanation};
use crate::explain::Explained;
use crate::text;
use crate::text::Bytes;

impl Refusal {
    pub(super) fn explain_rest(&self) -> Explained {
        match self {
            Self::TargetTooLarge { wanted_bytes } => Explained::new(
                text!("The recovery partition would become larger than 2 GiB"),
                text!(
                    "{size} would be needed. Larger ones are taken for factory images.",
                    size = Bytes(*wanted_bytes)
                ),
                text!("Ask for 2 GiB at most with --size, and for less free space with --free."),
            ),
            Self::CannotRebase { number, problem } => Explained::new(
                text!(
                    "The volume on partition {number} cannot be moved to a new start",
                    number
                ),
                problem,
                text!("Nothing was written. Please report this with the output of --format json."),
            ),
            Self::Table { problem } => Explained::new(
                text!("The partition table must not be written as it is"),
                text!("{problem}.", problem),
                text!(
                    "Repair it with a tool made for that (gdisk), look at the result, and run the command again."
                ),
            ),
            Self::NoSlot => Explained::new(
                text!("The partition table has no entry left for a recovery partition"),
                text!("All of its entries are in use; an MBR has four."),
                text!("Remove a partition that nothing needs, or let WinRE stay on the Windows volume."),
            ),
            Self::CannotCopyImage {
                number,
                path,
                problem,
            } => Explained::new(
                text!("The WinRE image cannot be copied"),
                text!("Partition {number}, {path}: {problem}.", number, path, problem),
                text!(
                    "In Windows, `compact /u` on the file makes it an ordinary one; then run the command again."
                ),
            ),
            Self::HybridMbr { number } => Explained::new(
                text!("The disk has a hybrid MBR"),
                text!(
                    "LBA 0 names partition {number} a second time, or space beside it, and would be wrong once its \
                     borders move.",
                    number
                ),
                text!(
                    "If nothing needs it any more, make the MBR protective (gdisk: x, n, w), and run the command \
                     again."
                ),
            ),
            Self::NotStale { number, problem } => Explained::new(
                text!("Partition {number} is not a leftover that can go", number),
                text!("{problem}.", problem),
                text!("Run the command without --remove-stale, or with the number of another partition."),
            ),
            _ => self.explain_disk(),
        }
    }

    fn explain_disk(&self) -> Explained {
        match self {
            Self::ManagedDisk { number, manager } => Explained::new(
                manager.text(),
                text!(
                    "Partition {number} belongs to it; partitions of such a disk are not what they seem.",
                    number
                ),
                text!(
                    "winrefit does not change such disks: only the Windows that manages one knows what lies where. \
                     Make room there, with Disk Management or diskpart."
                ),
            ),
            Self::NoJournalSpace {
                needed_bytes,
                problem,
            } => Explained::new(
                text!("There is no place on the disk for the journal"),
                text!(
                    "{size} are needed so that a power cut loses nothing, in unallocated, zeroed space before the \
                     first or behind the last partition; of free clusters a sector there would do: {problem}.",
                    size = Bytes(*needed_bytes),
                    problem
                ),
                text!("Work on a copy of the disk, or free the space before the first partition."),
            ),
            Self::StagedCheckFailed { what, detail } => Explained::new(
                text!("The prepared result did not pass its check, so nothing was written"),
                text!("{what}: {detail}", what, detail),
                text!("Please report this with the output of --format json."),
            ),
            _ => unreachable_explanation(),
        }
    }
}
