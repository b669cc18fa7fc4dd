//! Words for what is in a volume and stands in the way.

use crate::explain::Explained;
use crate::plan::{can_be_dropped, counted};
use winrefit_ntfs::vss::ShadowCopies;

pub(super) fn shadow_copies(number: u32, found: &ShadowCopies) -> Explained {
    const WHY: &str = "Windows finds them by their places on the volume and by its length; with a new end or a new \
                       start they would be lost without a word.";
    const IN_WINDOWS: &str = "In Windows, run `vssadmin delete shadows /for=C: /all` with the letter of that volume, shut \
                              down, and run the command again";
    let (title, detail) = match found {
        ShadowCopies::Damaged(damage) => (
            format!("The volume on partition {number} may have shadow copies"),
            format!("How many is not known: {damage}. {WHY}"),
        ),
        ShadowCopies::NoHeader | ShadowCopies::NoCatalog => (
            format!("The volume on partition {number} keeps files of shadow copies"),
            format!(
                "It has none itself: they are those of another volume, or left over, and they would have to move. {WHY}"
            ),
        ),
        found => {
            let count = counted(Some(found.stores().len() as u64));
            (
                format!("The volume on partition {number} has {count}"),
                WHY.to_owned(),
            )
        }
    };
    let next = if can_be_dropped(found) {
        format!(
            "{IN_WINDOWS}. Or add --drop-shadow-copies to give them up in the repair; undo brings them back."
        )
    } else {
        format!("{IN_WINDOWS}. The form of the volume's header is not known, so only Windows can do it.")
    };
    Explained::new(title, detail, next)
}

pub(super) fn reagent_unreadable(number: u32, problem: &str) -> Explained {
    Explained::new(
        format!("ReAgent.xml of the Windows on partition {number} cannot be read"),
        format!("It may name the recovery partition, and could not be told of its new start: {problem}."),
        "Run `reagentc /disable` and `reagentc /enable` in that Windows, shut down, and run the command again.",
    )
}

pub(super) fn bad_clusters(number: u32, count: u64, first_byte: u64) -> Explained {
    let clusters = match count {
        1 => "1 cluster".to_owned(),
        count => format!("{count} clusters"),
    };
    Explained::new(
        format!("The end of partition {number} has bad clusters"),
        format!(
            "Windows has marked {clusters} as bad in the part that would become the front of the recovery volume, the \
             first at byte {first_byte} of the disk. What is put there may be lost."
        ),
        "A disk with bad sectors is failing: copy it to a new one, let `chkdsk /b` clear the marks there, and run the \
         command again. If a smaller growth would do, ask for less with --size and --free.",
    )
}

pub(super) fn foreign_boot_sector(number: u32) -> Explained {
    Explained::new(
        format!("Partition {number} begins with no file system that is known"),
        "It is a partition for Windows' data, and its first sector is neither empty nor that of a file system: it is \
         encrypted by something else than BitLocker (VeraCrypt, for example), or damaged. A Windows in it could not \
         be told where its recovery partition begins.",
        "If it is encrypted, decrypt it with the program that encrypted it, shut down, and run the command again. If it is \
         not, keep a copy of the disk before anything else.",
    )
}

pub(super) fn unclean_log(number: u32, fast_startup: bool) -> Explained {
    if fast_startup {
        Explained::new(
            format!("The volume on partition {number} was left by Fast Startup or hibernation"),
            "Its $LogFile has version 2.0: Windows may hold changes of the volume that are not on it yet.",
            "Start that Windows and shut it down fully: shutdown /s /t 0",
        )
    } else {
        Explained::new(
            format!("The volume on partition {number} was not unmounted cleanly"),
            "Its $LogFile holds changes that only Windows may finish.",
            "Start Windows with this disk, shut it down fully (shutdown /s /t 0), and run the command again.",
        )
    }
}

pub(super) fn ntfs_version(number: u32, major: u8, minor: u8) -> Explained {
    Explained::new(
        format!("The volume on partition {number} has NTFS version {major}.{minor}"),
        "Only version 3.1, which every Windows since XP writes, is changed.",
        "Mount it once in a current Windows, which upgrades it.",
    )
}
