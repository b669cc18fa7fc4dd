//! Why there is no undo, and no resume, in words.

use super::Refusal;
use crate::explain::Explained;
use crate::text;

impl Refusal {
    pub(super) fn explain_undo(&self) -> Explained {
        match self {
            Self::ChangedSince { offset, place } => Explained::new(
                text!("The last repair cannot be undone any more"),
                text!(
                    "Byte {offset} of the disk ({place}) is not what the repair left there: Windows or another tool \
                     has written to it since, and putting the old sectors back would damage that.",
                    offset,
                    place
                ),
                text!(
                    "Nothing was written. Run `winrefit verify` to see whether the disk is sound as it is."
                ),
            ),
            Self::UndoOverwritten => Explained::new(
                text!("The last repair cannot be undone any more"),
                text!(
                    "Its record, or that of one of its two parts, is not there any more: it lay in clusters that were \
                     free, which Windows or another tool has used since, or a later repair has replaced it."
                ),
                text!("Nothing was written, and the repair itself is whole: run `winrefit verify` to see."),
            ),
            Self::UndoWouldDamage { number, problem } => Explained::new(
                text!("The last repair cannot be undone any more"),
                text!(
                    "Partition {number} would not be whole on the disk as it was before: {problem}. Windows or \
                     another tool has used the disk since the repair, and has written to, or trimmed, what the undo \
                     needs.",
                    number,
                    problem
                ),
                text!("Nothing was written, and the repair itself is whole: run `winrefit verify` to see."),
            ),
            Self::ResumeWouldDamage { number, problem } => Explained::new(
                text!("The interrupted work cannot be completed: the disk was used since"),
                text!(
                    "Partition {number} would not be whole afterwards: {problem}. Windows or another tool has \
                     written to the disk since the work was interrupted.",
                    number,
                    problem
                ),
                text!(
                    "Nothing was written. Keep a copy of the whole disk as it is, and save what was written since, \
                     before anything else."
                ),
            ),
            Self::JournalPlaceTaken { number, offset } => Explained::new(
                text!("Partition {number} lies where winrefit keeps its record", number),
                text!(
                    "The record at byte {offset} lay in unallocated space when it was written. Removing it would \
                     write zeros into the partition.",
                    offset
                ),
                text!(
                    "Nothing was written. Keep a copy of the disk. If the partition was made by mistake, remove it \
                     or make it shorter, then run the command again."
                ),
            ),
            _ => Explained::new(
                text!("There is nothing to undo"),
                text!("The disk holds no record of a finished repair."),
                text!("A record is kept on the disk from a repair until the next one."),
            ),
        }
    }
}
