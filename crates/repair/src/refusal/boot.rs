//! What stands against telling a boot store of a new start, in words.

use super::Refusal;
use crate::explain::Explained;
use crate::text;

impl Refusal {
    pub(super) fn explain_boot(&self) -> Explained {
        match self {
            Self::BootStore {
                number,
                path,
                problem,
            } => Explained::new(
                text!("The boot store cannot be told where the recovery partition will begin"),
                text!(
                    "Partition {number}, {path}: {problem}. On an MBR disk WinRE would not start any more.",
                    number,
                    path = *path,
                    problem
                ),
                text!(
                    "Look at the store in Windows (`bcdedit /enum all`). If it is damaged, `bootrec /rebuildbcd` from \
                     an installation medium makes it anew."
                ),
            ),
            Self::BootStoreDirty { number, path } => Explained::new(
                text!("Windows has not finished writing its boot store"),
                text!(
                    "Partition {number}, {path}: part of it is still in its logs, and writing to it now would lose \
                     that.",
                    number,
                    path = *path
                ),
                text!("Start that Windows, and shut it down fully: shutdown /s /t 0"),
            ),
            Self::NoBootStore { number } => Explained::new(
                text!("No boot store on this disk starts WinRE from the recovery partition"),
                text!(
                    "On an MBR disk the store names recovery partition {number} by the byte where it begins. The \
                     store of the Windows that uses it was not found, so it could not be told of a new start.",
                    number
                ),
                text!(
                    "If the machine starts from another disk, enlarge the partition in Windows; or free space right \
                     behind it, which needs no new start."
                ),
            ),
            Self::ActiveRecovery { number } => Explained::new(
                text!("The machine starts from recovery partition {number}", number),
                text!(
                    "It is the active partition, with Windows' boot manager in it, and would have to begin elsewhere. \
                     winrefit never changes what starts Windows itself."
                ),
                text!(
                    "Let Windows start from another partition: `bcdboot C:\\Windows /s C: /f BIOS` in Windows, then make \
                     C: active in `diskpart`. Unallocated space right behind the partition would be used as it is."
                ),
            ),
            _ => super::unreachable_explanation(),
        }
    }
}
