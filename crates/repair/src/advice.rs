//! Next steps that a finding and a refusal share, with the commands as they are typed.

use crate::observation::{Observation, Partition};
use crate::rules::SIZE_BYTES_MAX;
use crate::text;
use crate::text::{Bytes, Text};

/// A shutdown that leaves nothing in memory or in hiberfil.sys.
pub(crate) fn shut_down_fully() -> Text {
    text!("Start that Windows and shut it down fully: shutdown /s /t 0")
}

/// A volume that has the dirty flag.
pub(crate) fn chkdsk() -> Text {
    text!(
        "In Windows, run `chkdsk C: /f` with the letter of that volume (diskpart gives one to a partition without), let \
         it finish, shut down fully (`shutdown /s /t 0`), and run the command again."
    )
}

/// A volume that BitLocker encrypts: to suspend that is not enough, because the sectors stay as they are.
pub(crate) fn decrypt() -> Text {
    Text::sentences([
        text!(
            "In Windows, as administrator: `manage-bde -off C:` with the letter of that volume; wait until `manage-bde \
             -status C:` says that it is fully decrypted (to suspend protection is not enough), shut down fully \
             (`shutdown /s /t 0`), and run the command again."
        ),
        text!(
            "Afterwards `manage-bde -on C: -RecoveryPassword` encrypts it again, with a new recovery key that has to be \
             kept."
        ),
    ])
}

/// A recovery partition made by hand, where winrefit makes none.
pub(crate) fn by_hand() -> Text {
    text!(
        "Make the room with Windows' own means, as Microsoft's KB5028997 says: `reagentc /disable`, shrink an NTFS volume \
         (C:, for example) by 1000 MiB, make a recovery partition there with diskpart, `reagentc /enable`."
    )
}

/// A ReFS volume in the way of a recovery partition that no other volume gives another place.
pub(crate) fn past_refs() -> Text {
    text!(
        "Free 2 GiB or more on the Windows volume; then `winrefit plan` can give the recovery partition another place, if \
         that Windows uses it."
    )
}

/// WinRE on a partition that is neither of the recovery type nor that of its Windows.
pub(crate) fn back_to_windows() -> Text {
    text!(
        "In that Windows, as administrator: `reagentc /disable`, which takes the image back to the Windows volume; then \
         shut down, and `winrefit plan` shows whether a recovery partition can be had for it."
    )
}

/// How the volume that WinRE is on gets room, said so that it can be done as it stands.
pub(crate) fn make_room(observation: &Observation, place: &Partition) -> Text {
    let number = place.number;
    if !place.is_recovery_type() {
        return text!("Free space on partition {number}.", number);
    }
    if place.range.len() > SIZE_BYTES_MAX {
        return inside(number);
    }
    if has_several(observation) {
        return text!(
            "Make room: `winrefit plan`, then `winrefit fix`, both with --recovery-partition {number}.",
            number
        );
    }
    text!("Make room: `winrefit plan`, then `winrefit fix`.")
}

/// A recovery partition of a size that is not made larger.
pub(crate) fn inside(number: u32) -> Text {
    text!(
        "Free space inside partition {number}, with the computer maker's tools: a partition of more than {limit} is not made \
         larger.",
        number,
        limit = Bytes(SIZE_BYTES_MAX)
    )
}

/// Whether Windows of this disk use different recovery partitions, so that one has to be named.
fn has_several(observation: &Observation) -> bool {
    let mut used = observation.windows.iter().filter_map(|w| w.recovery_partition);
    let first = used.next();
    used.any(|number| Some(number) != first)
}
