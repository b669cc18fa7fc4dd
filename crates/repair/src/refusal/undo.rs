//! Why there is no undo, in words.

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
            _ => Explained::new(
                text!("There is nothing to undo"),
                text!("The disk holds no record of a finished repair."),
                text!("A record is kept on the disk from a repair until the next one."),
            ),
        }
    }
}
