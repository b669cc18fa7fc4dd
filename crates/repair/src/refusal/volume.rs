//! Refusals of a volume, in words.

use super::{Refusal, content, unreachable_explanation};
use crate::advice::{chkdsk, decrypt, past_refs, shut_down_fully};
use crate::diagnose::unreadable::copy_first;
use crate::explain::Explained;
use crate::text;

impl Refusal {
    pub(super) fn explain_volume(&self) -> Explained {
        match self {
            Self::UnknownFilesystem {
                number,
                found,
                is_recovery,
            } => content::no_ntfs(*number, found, *is_recovery),
            Self::ForeignBootSector { number } => content::foreign_boot_sector(*number),
            Self::BitLocker { number } => Explained::new(
                text!("Partition {number} is encrypted by BitLocker", number),
                text!(
                    "Nothing in it can be changed from outside: it cannot give space, and its ReAgent.xml cannot be \
                     told that the recovery partition begins elsewhere."
                ),
                decrypt(),
            ),
            Self::Refs { number } => Explained::new(
                text!("Partition {number} is a ReFS volume", number),
                text!(
                    "ReFS volumes cannot be shrunk by anyone. The recovery partition gets another place only if a Windows \
                     that can be read names it, and there is enough space: unallocated, or free on an NTFS volume."
                ),
                past_refs(),
            ),
            Self::Hibernated { number } => Explained::new(
                text!("Windows on partition {number} is hibernated", number),
                text!(
                    "hiberfil.sys holds a running Windows; a changed volume would be damaged when it resumes."
                ),
                shut_down_fully(),
            ),
            Self::Dirty { number } => Explained::new(
                text!("The volume on partition {number} is marked dirty", number),
                text!("Windows wants chkdsk to look at it before anything else does."),
                chkdsk(),
            ),
            Self::UncleanLog { number, fast_startup } => content::unclean_log(*number, *fast_startup),
            Self::UnreadableNtfs { number, problem } => Explained::new(
                text!(
                    "The disk cannot read sectors of the NTFS volume on partition {number}",
                    number
                ),
                text!("{problem}.", problem),
                copy_first(),
            ),
            Self::DamagedNtfs { number, problem } => Explained::new(
                text!("The NTFS volume on partition {number} is damaged", number),
                problem,
                text!(
                    "Run `winrefit check --partition {number}` for all problems, then `chkdsk C: /f` in Windows, with the \
                     letter of that volume.",
                    number
                ),
            ),
            Self::NtfsVersion { number, major, minor } => content::ntfs_version(*number, *major, *minor),
            Self::ReAgentUnreadable { number, problem } => content::reagent_unreadable(*number, problem),
            Self::ShadowCopies { number, found } => content::shadow_copies(*number, found),
            Self::BadClusters {
                number,
                count,
                first_byte,
            } => content::bad_clusters(*number, *count, *first_byte),
            _ => unreachable_explanation(),
        }
    }
}
