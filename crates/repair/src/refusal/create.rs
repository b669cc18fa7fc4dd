//! Words for a disk that has no recovery partition and cannot be given one.

use crate::explain::{Explained, size};

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
    const RUN_AGAIN: &str = "shut down, and run the command again";
    let (detail, next) = match reason {
        NoCreate::NoWindows => (
            "One is made for a Windows on the same disk, with a copy of its image, and no Windows that can be read was \
             found here."
                .to_owned(),
            "If Windows is on another disk, name that one. If its volume is encrypted, decrypt it first.".to_owned(),
        ),
        NoCreate::SeveralWindows { numbers } => (
            format!(
                "There are several Windows installations, on the partitions {}, and one is made only where it is clear \
                 which of them it is for.",
                super::listed(numbers, "and")
            ),
            "WinRE can stay on a Windows volume: run `reagentc /enable` in each Windows as administrator.".to_owned(),
        ),
        NoCreate::UnknownState { number } => (
            format!(
                "ReAgent.xml of the Windows on partition {number} is missing or cannot be read, so it is not known \
                 whether this Windows uses another recovery environment."
            ),
            format!("Run `reagentc /disable` in that Windows as administrator, {RUN_AGAIN}."),
        ),
        NoCreate::InUseElsewhere { number } => (
            format!(
                "The Windows on partition {number} has WinRE enabled, at a place that is not on its own volume: on \
                 another disk, or on a partition that is gone."
            ),
            format!(
                "Look at `reagentc /info` in that Windows. If the place is gone, run `reagentc /disable` as \
                 administrator, {RUN_AGAIN}."
            ),
        ),
        NoCreate::NoImage { number } => (
            format!(
                "It would need a WinRE image, and there is none that can be read in \\Windows\\System32\\Recovery nor in \
                 \\Recovery\\WindowsRE of partition {number}."
            ),
            format!(
                "Take Winre.wim from install media of the same Windows (in install.wim, \\Windows\\System32\\Recovery), \
                 put it into \\Windows\\System32\\Recovery of that Windows, {RUN_AGAIN}."
            ),
        ),
        NoCreate::NoRoom { number, needed_bytes } => (
            format!(
                "{} would be needed. There is no unallocated space of that size, and neither the Windows volume on \
                 partition {number} nor another volume can give it at its end.",
                size(*needed_bytes)
            ),
            "Free space on the Windows volume, or ask for less with --size and --free.".to_owned(),
        ),
    };
    Explained::new(
        "There is no recovery partition, and none can be made",
        detail,
        next,
    )
}
