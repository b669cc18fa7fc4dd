//! Why there is no undo, in words.

use super::Refusal;
use crate::explain::Explained;

impl Refusal {
    pub(super) fn explain_undo(&self) -> Explained {
        match self {
            Self::ChangedSince { offset, place } => Explained::new(
                "The last repair cannot be undone any more",
                format!(
                    "Byte {offset} of the disk ({place}) is not what the repair left there: Windows or another tool \
                     has written to it since, and putting the old sectors back would damage that."
                ),
                "Nothing was written. Run `winrefit verify` to see whether the disk is sound as it is.",
            ),
            Self::HalfUndone { offset, place } => Explained::new(
                "Only the second half of the last repair could be undone",
                format!(
                    "The recovery partition is in its old place again. The space for its new place stays unallocated, \
                     because byte {offset} of the disk ({place}) has been written to since the repair."
                ),
                "The disk is sound; run `winrefit verify` to see. Windows can give the space back to its volume (Disk \
                 Management, Extend Volume).",
            ),
            Self::UndoOverwritten => Explained::new(
                "The last repair cannot be undone any more",
                "Its record lay in clusters that were free, and Windows or another tool has used them since.",
                "Nothing was written, and the repair itself is whole: run `winrefit verify` to see.",
            ),
            _ => Explained::new(
                "There is nothing to undo",
                "The disk holds no record of a finished repair.",
                "A record is kept on the disk from a repair until the next one.",
            ),
        }
    }
}
