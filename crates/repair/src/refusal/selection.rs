//! Refusals of the partition that is meant, in words.

use super::{Refusal, create, unreachable_explanation};
use crate::advice::back_to_windows;
use crate::explain::Explained;
use crate::text;
use crate::text::{Bytes, Text};

impl Refusal {
    pub(super) fn explain_selection(&self) -> Explained {
        match self {
            Self::NoSuchPartition { number } => Explained::new(
                text!("There is no partition {number}", number),
                text!("The partition table has no entry of that number."),
                text!("Run `winrefit diagnose` to see the partitions."),
            ),
            Self::NotRecoveryType {
                number,
                is_named: false,
            } => Explained::new(
                text!(
                    "WinRE lies on partition {number}, which is not a recovery partition",
                    number
                ),
                text!(
                    "Its type is not the recovery type (on GPT de94bba4-06d1-4d40-a16a-bfd50179d6ac, on MBR 0x27), \
                     and only a partition of that type is ever enlarged."
                ),
                back_to_windows(),
            ),
            Self::NotRecoveryType { number, .. } => Explained::new(
                text!("Partition {number} is not a recovery partition", number),
                text!(
                    "Its type is not the recovery type (on GPT de94bba4-06d1-4d40-a16a-bfd50179d6ac, on MBR 0x27), \
                     and only a partition of that type is ever enlarged."
                ),
                text!(
                    "`winrefit diagnose` shows the partitions. If one of them is a recovery partition, name that one; \
                     otherwise run the command without --recovery-partition."
                ),
            ),
            Self::NotInUse { number, used } => Explained::new(
                text!("Recovery partition {number} is not the one in use", number),
                text!(
                    "Every Windows on this disk has its WinRE on another one, the first of them on partition {used}. \
                     More space in partition {number} would help no update.",
                    used,
                    number
                ),
                text!(
                    "Run the command without --recovery-partition, or with {used}.",
                    used
                ),
            ),
            Self::OnOwnVolume { number } => Explained::new(
                text!("WinRE works, on the Windows volume itself"),
                text!(
                    "Partition {number} holds Windows and its WinRE, and the disk has no recovery partition. Nothing \
                     has to be done while 250 MiB are free there and BitLocker is off.",
                    number
                ),
                text!("To have a recovery partition made, add --create."),
            ),
            Self::NoRecoveryPartition => Explained::new(
                text!("There is no recovery partition"),
                text!(
                    "No partition of this disk has the recovery type. WinRE may be switched off or live on the \
                     Windows volume itself."
                ),
                text!(
                    "Look at `reagentc /info` in Windows. `winrefit plan` shows whether a recovery partition can be \
                     made."
                ),
            ),
            Self::CannotCreate { reason } => create::explain(reason),
            _ => self.explain_choice(),
        }
    }

    fn explain_choice(&self) -> Explained {
        match self {
            Self::NoWindowsReference { number } => Explained::new(
                text!(
                    "No Windows on this disk refers to recovery partition {number}",
                    number
                ),
                text!(
                    "It may belong to a Windows on another disk, or be a leftover of an upgrade or a factory image."
                ),
                text!(
                    "If you know that it is the right one, add --recovery-partition {number}.",
                    number
                ),
            ),
            Self::SeveralRecoveryPartitions { numbers } => Explained::new(
                text!("Several Windows installations use different recovery partitions"),
                text!(
                    "Their ReAgent.xml files name the partitions {numbers}.",
                    numbers = Text::all_of(numbers.iter().map(|&number| number.into()))
                ),
                text!(
                    "Say which one to enlarge: add --recovery-partition with {numbers}. Each is enlarged by a run of \
                     its own.",
                    numbers = Text::one_of(numbers.iter().map(|&number| number.into()))
                ),
            ),
            Self::RecoveryTooLarge { number, size_bytes } => Explained::new(
                text!("Partition {number} is too large to be a WinRE partition", number),
                text!(
                    "It has {size}. Volumes of this type over 2 GiB are makers' factory images.",
                    size = Bytes(*size_bytes)
                ),
                text!(
                    "Leave its borders as they are. If WinRE lies there and lacks space, free some inside the volume, with \
                     the computer maker's tools."
                ),
            ),
            _ => unreachable_explanation(),
        }
    }
}
