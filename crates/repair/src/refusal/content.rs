//! Words for what is in a volume and stands in the way.

use crate::advice::shut_down_fully;
use crate::explain::Explained;
use crate::plan::{can_be_dropped, has_shadow_copies};
use crate::text::Text;
use crate::{counted, text};
use winrefit_ntfs::vss::ShadowCopies;

pub(super) fn shadow_copies(number: u32, found: &ShadowCopies) -> Explained {
    let why = text!(
        "Windows finds them by their places on the volume and by its length; with a new end or a new start they would \
         be lost without a word."
    );
    let (title, detail) = match found {
        ShadowCopies::Damaged(damage) => (
            text!("The volume on partition {number} may have shadow copies", number),
            text!("How many is not known: {damage}.", damage = damage.to_string()),
        ),
        ShadowCopies::NoHeader | ShadowCopies::NoCatalog => (
            text!(
                "The volume on partition {number} keeps files of shadow copies",
                number
            ),
            text!(
                "It has none itself: they are those of another volume, or left over, and they would have to move."
            ),
        ),
        found => (
            has_shadow_copies(number, Some(found.stores().len() as u64)),
            Text::empty(),
        ),
    };
    let in_windows = text!(
        "In Windows, run `vssadmin delete shadows /for=C: /all` with the letter of that volume, shut down, and run \
         the command again."
    );
    let other = if can_be_dropped(found) {
        text!("Or add --drop-shadow-copies to give them up in the repair; undo brings them back.")
    } else {
        text!("The form of the volume's header is not known, so only Windows can do it.")
    };
    Explained::new(
        title,
        Text::sentences([detail, why]),
        Text::sentences([in_windows, other]),
    )
}

pub(super) fn reagent_unreadable(number: u32, problem: &Text) -> Explained {
    Explained::new(
        text!(
            "ReAgent.xml of the Windows on partition {number} cannot be read",
            number
        ),
        text!(
            "It may name the recovery partition, and could not be told of its new start: {problem}.",
            problem
        ),
        text!(
            "Run `reagentc /disable` and `reagentc /enable` in that Windows, shut down, and run the command again."
        ),
    )
}

pub(super) fn bad_clusters(number: u32, count: u64, first_byte: u64) -> Explained {
    let marked = counted!(
        count,
        "Windows has marked 1 cluster as bad in the part that would become the front of the recovery volume, the \
         first at byte {byte} of the disk.",
        "Windows has marked {n} clusters as bad in the part that would become the front of the recovery volume, the first \
         at byte {byte} of the disk.",
        byte = first_byte
    );
    Explained::new(
        text!("The end of partition {number} has bad clusters", number),
        Text::sentences([marked, text!("What is put there may be lost.")]),
        text!(
            "A disk with bad sectors is failing: copy it to a new one, let `chkdsk C: /b` clear the marks there, with \
             the letter of that volume, and run the command again."
        ),
    )
}

pub(super) fn foreign_boot_sector(number: u32) -> Explained {
    Explained::new(
        text!(
            "Partition {number} begins with no file system that is known",
            number
        ),
        text!(
            "It is a partition for Windows' data, and its first sector is neither empty nor that of a file system: it \
             is encrypted by something else than BitLocker (VeraCrypt, for example), or damaged. A Windows in it \
             could not be told where its recovery partition begins."
        ),
        text!(
            "If it is encrypted, decrypt it with the program that encrypted it, shut down, and run the command again. \
             If it is not, keep a copy of the disk before anything else."
        ),
    )
}

pub(super) fn unclean_log(number: u32, fast_startup: bool) -> Explained {
    if fast_startup {
        Explained::new(
            text!(
                "The volume on partition {number} was left by Fast Startup or hibernation",
                number
            ),
            text!(
                "Its $LogFile has version 2.0: Windows may hold changes of the volume that are not on it yet."
            ),
            shut_down_fully(),
        )
    } else {
        Explained::new(
            text!(
                "The volume on partition {number} was not unmounted cleanly",
                number
            ),
            text!("Its $LogFile holds changes that only Windows may finish."),
            text!(
                "Start Windows with this disk, shut it down fully (shutdown /s /t 0), and run the command again."
            ),
        )
    }
}

pub(super) fn ntfs_version(number: u32, major: u8, minor: u8) -> Explained {
    Explained::new(
        text!(
            "The volume on partition {number} has NTFS version {version}",
            number,
            version = format!("{major}.{minor}")
        ),
        text!("Only version 3.1, which every Windows since XP writes, is changed."),
        text!("Mount it once in a current Windows, which upgrades it."),
    )
}

pub(super) fn no_ntfs(number: u32, found: &Text, is_recovery: bool) -> Explained {
    let first = text!("Its first sector is that of: {found}.", found);
    if is_recovery {
        return Explained::new(
            text!("Recovery partition {number} holds no NTFS volume", number),
            first,
            text!(
                "Keep a copy of the disk. If only the first sector is lost, TestDisk (Advanced, Boot) brings it back \
                 from its copy at the end of the volume. Otherwise, in Windows, `reagentc /disable` and `reagentc \
                 /enable` choose a place anew, if the image still exists."
            ),
        );
    }
    Explained::new(
        text!("Partition {number} does not hold an NTFS volume", number),
        first,
        text!(
            "winrefit changes NTFS volumes only. If this one is encrypted, decrypt it first: a Windows in it has to be \
             told where its recovery partition begins."
        ),
    )
}
