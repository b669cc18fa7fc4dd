//! Why nothing gives space, in words.

use super::NoDonor;
use crate::explain::Explained;

/// Another place was tried before this is said.
const NO_OTHER_PLACE: &str = "It cannot get another place either: no unallocated space of the disk is large enough, and \
                              no NTFS volume can give so much at its end.";
const MAKE_SPACE: &str = "Free space on the Windows volume or on another NTFS volume, or leave as much of the disk \
                          unallocated as the recovery partition is to have; or ask for less with --size and --free.";

pub(super) fn no_donor(number: u32, reason: &NoDonor) -> Explained {
    match reason {
        NoDonor::FirstOnDisk => Explained::new(
            format!("Nothing lies before recovery partition {number} that could give space"),
            format!(
                "It is the first partition of the disk, without enough unallocated space next to it. {NO_OTHER_PLACE}"
            ),
            MAKE_SPACE,
        ),
        NoDonor::FirstLogical => Explained::new(
            format!("Nothing lies before recovery partition {number} that could give space"),
            "It is the first logical partition, without enough unallocated space next to it in the extended partition. A \
             logical partition keeps its place in the chain, so it cannot get another one.",
            "Leave unallocated space right behind it in the extended partition, or ask for less with --size and --free.",
        ),
        NoDonor::Extended { number: extended } => Explained::new(
            format!(
                "Extended partition {extended}, right before recovery partition {number}, cannot give space"
            ),
            format!("It holds logical partitions, and its borders are not moved. {NO_OTHER_PLACE}"),
            MAKE_SPACE,
        ),
        NoDonor::Foreign {
            number: neighbour,
            what,
        } => Explained::new(
            format!("Partition {neighbour}, right before recovery partition {number}, cannot give space"),
            format!("It is {what}, not an NTFS volume that can be shrunk. {NO_OTHER_PLACE}"),
            MAKE_SPACE,
        ),
    }
}
