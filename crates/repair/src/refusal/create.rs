//! Words for a disk that has no recovery partition and cannot be given one.

use crate::explain::Explained;
use crate::text;
use crate::text::{Bytes, Text};

/// Why no recovery partition can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum NoCreate {
    /// No Windows that can be read.
    NoWindows,
    /// More than one Windows: nobody knows which of them it would be for.
    SeveralWindows { numbers: Vec<u32> },
    /// What Windows says of WinRE cannot be read.
    UnknownState { number: u32 },
    /// WinRE is enabled, and its image lies somewhere else.
    InUseElsewhere { number: u32 },
    /// There is no image to be copied.
    NoImage { number: u32 },
    /// Neither unallocated space nor a volume that could give it.
    NoRoom { number: u32, needed_bytes: u64 },
}

pub(super) fn explain(reason: &NoCreate) -> Explained {
    let (detail, next) = match reason {
        NoCreate::NoWindows => (
            text!(
                "One is made for a Windows on the same disk, with a copy of its image, and no Windows that can be \
                 read was found here."
            ),
            text!(
                "If Windows is on another disk, name that one. If its volume is encrypted, decrypt it first (BitLocker: \
                 `manage-bde -off C:` in that Windows)."
            ),
        ),
        NoCreate::SeveralWindows { numbers } => (
            text!(
                "There are several Windows installations, on the partitions {numbers}, and one is made only where it \
                 is clear which of them it is for.",
                numbers = Text::all_of(numbers.iter().map(|&number| number.into()))
            ),
            text!(
                "WinRE can stay on a Windows volume: run `reagentc /enable` in each Windows as administrator."
            ),
        ),
        NoCreate::UnknownState { number } => (
            text!(
                "ReAgent.xml of the Windows on partition {number} is missing or cannot be read, so it is not known \
                 whether this Windows uses another recovery environment.",
                number
            ),
            text!(
                "Run `reagentc /disable` in that Windows as administrator, shut down, and run the command again."
            ),
        ),
        NoCreate::InUseElsewhere { number } => (
            text!(
                "The Windows on partition {number} has WinRE enabled, at a place that is not on its own volume: on \
                 another disk, or on a partition that is gone.",
                number
            ),
            text!(
                "Look at `reagentc /info` in that Windows. If the place is gone, run `reagentc /disable` as \
                 administrator, shut down, and run the command again."
            ),
        ),
        NoCreate::NoImage { number } => (
            text!(
                "It would need a WinRE image, and there is none that can be read in \\Windows\\System32\\Recovery nor \
                 in \\Recovery\\WindowsRE of partition {number}.",
                number
            ),
            text!(
                "Take Winre.wim from install media of the same Windows (in install.wim, \
                 \\Windows\\System32\\Recovery), put it into \\Windows\\System32\\Recovery of that Windows, shut \
                 down, and run the command again."
            ),
        ),
        NoCreate::NoRoom { number, needed_bytes } => (
            text!(
                "{size} would be needed. There is no unallocated space of that size, and neither the Windows volume \
                 on partition {number} nor another volume can give it at its end.",
                size = Bytes(*needed_bytes),
                number
            ),
            text!("Free space on the Windows volume, or leave as much of the disk unallocated."),
        ),
    };
    Explained::new(
        text!("There is no recovery partition, and none can be made"),
        detail,
        next,
    )
}
