//! Why nothing gives space, in words.

use super::NoDonor;
use crate::explain::Explained;
use crate::text;
use crate::text::Text;

/// Another place was tried before this is said.
fn no_other_place() -> Text {
    text!(
        "It cannot get another place either: no unallocated space of the disk is large enough, and no NTFS volume can \
         give so much at its end."
    )
}

fn make_space() -> Text {
    text!(
        "Free space on the Windows volume or on another NTFS volume, or leave as much of the disk unallocated as the \
         recovery partition is to have."
    )
}

pub(super) fn no_donor(number: u32, reason: &NoDonor) -> Explained {
    match reason {
        NoDonor::FirstOnDisk => Explained::new(
            text!(
                "Nothing lies before recovery partition {number} that could give space",
                number
            ),
            Text::sentences([
                text!("It is the first partition of the disk, without enough unallocated space next to it."),
                no_other_place(),
            ]),
            make_space(),
        ),
        NoDonor::FirstLogical { behind } => first_logical(number, *behind),
        NoDonor::Extended { number: extended } => Explained::new(
            text!(
                "Extended partition {extended}, right before recovery partition {number}, cannot give space",
                extended,
                number
            ),
            Text::sentences([
                text!("It holds logical partitions, and its borders are not moved."),
                no_other_place(),
            ]),
            make_space(),
        ),
        NoDonor::Foreign {
            number: neighbour,
            kind,
            found,
        } => Explained::new(
            text!(
                "Partition {neighbour}, right before recovery partition {number}, cannot give space",
                neighbour,
                number
            ),
            Text::sentences([
                match kind {
                    Some(kind) => text!(
                        "It is a partition of type {kind} holding: {found}, not an NTFS volume that can be shrunk.",
                        kind = *kind,
                        found
                    ),
                    None => text!(
                        "It is a partition of an unknown type holding: {found}, not an NTFS volume that can be \
                         shrunk.",
                        found
                    ),
                },
                no_other_place(),
            ]),
            make_space(),
        ),
    }
}

fn first_logical(number: u32, behind: Option<u32>) -> Explained {
    Explained::new(
        text!(
            "Nothing lies before recovery partition {number} that could give space",
            number
        ),
        text!(
            "It is the first logical partition, without enough unallocated space next to it in the extended \
                 partition. A logical partition keeps its place in the chain, so it cannot get another one."
        ),
        match behind {
            Some(behind) => text!(
                "Save what is on partition {behind}, which lies right behind it; in Windows, delete that volume in \
                     Disk Management, shut down, and run `winrefit fix`. Then make the volume anew in the space that \
                     is left, and put the files back.",
                behind
            ),
            None => text!(
                "Enlarge the extended partition at its end, where unallocated space lies behind it (GParted can), \
                     and run the command again."
            ),
        },
    )
}
