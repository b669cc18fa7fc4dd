//! Why there is no undo, and no resume, in words.

use super::Refusal;
use crate::explain::Explained;
use crate::text;
use crate::text::Text;

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
                    "Nothing was written, and the work on this disk stays unfinished. Keep a copy of the whole disk before \
                     anything else, and save what was written since from that copy. Then delete those files from the disk, \
                     shut down fully (shutdown /s /t 0), and run `winrefit resume` again: it looks anew, and writes nothing \
                     where it would still do damage. If it is refused again, put back a backup from before the repair, and \
                     then the saved files: winrefit cannot join both states."
                ),
            ),
            Self::ResumeNotAtRest { problem, is_dirty } => not_at_rest(problem, *is_dirty),
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
                text!(
                    "A record is kept on the disk from a repair until it is undone, or until the next repair."
                ),
            ),
        }
    }
}

fn not_at_rest(problem: &Text, is_dirty: bool) -> Explained {
    let stays = text!(
        "Nothing was written, and the work on this disk stays unfinished. Keep a copy of the whole disk before anything else."
    );
    let then = match is_dirty {
        false => text!(
            "Then start that Windows once, do nothing else in it, shut it down fully (shutdown /s /t 0), and run `winrefit \
             resume` again. If it wants to check the disk as it starts, skip that: no `chkdsk` before the work is finished."
        ),
        true => text!(
            "Save your files from that copy. Do not run `chkdsk` on this disk, and do not start Windows from it, which \
             would: it may change what the work has to go by. A second copy of exactly the same size is the place to try \
             `chkdsk`, and then `winrefit resume`. If that is refused there, too, put back a backup from before the repair."
        ),
    };
    Explained::new(
        text!("The interrupted work cannot be completed: a volume is not at rest"),
        text!(
            "{problem}. What the work would lead to cannot be judged while that is so.",
            problem
        ),
        Text::sentences([stays, then]),
    )
}
