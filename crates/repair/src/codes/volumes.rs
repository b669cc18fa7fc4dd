//! What is in a volume, or in what state it is: found by `diagnose`, and refused by what would change it.

use super::Kind::{Finding, Refusal};
use super::{Known, Words, decided, microsoft, on_disk, reports};
use crate::advice::{by_hand, past_refs};
use crate::text;
use crate::text::Text;

/// What brings a volume to rest.
fn shut_down() -> Vec<Text> {
    vec![
        text!(
            "Start that Windows, let chkdsk finish if it wants to run, and shut it down fully: `shutdown /s /t 0`."
        ),
        text!("Run the command again before Windows is started once more."),
    ]
}

pub(super) const ALL: &[Known] = &[
    Known::new("bitlocker", &[Finding, Refusal], || Words {
        title: text!("A partition is encrypted by BitLocker"),
        means: text!(
            "Nothing inside it can be read or changed from outside: it cannot give space, and its ReAgent.xml cannot be told of a \
             new start of the recovery partition. BitLocker also remembers the WinRE image that it trusts."
        ),
        causes: vec![text!(
            "Device encryption is switched on by itself on many machines."
        )],
        next: vec![
            text!("Save the recovery key of the machine."),
            text!(
                "Decrypt the volume in Windows (`manage-bde -off C:`), wait for the end (`manage-bde -status`), shut down."
            ),
            text!("Repair, start Windows, and switch BitLocker on again."),
        ],
        sources: vec![on_disk(), microsoft("manage-bde")],
    }),
    Known::new("unreadable-sectors", &[Finding, Refusal], || Words {
        title: text!("The disk cannot read some of its sectors"),
        means: text!(
            "The evidence names the places. What is said of the rest is right; what lies there is missing from it."
        ),
        causes: vec![
            text!("The disk begins to fail."),
            text!("A copy of a failing disk is not complete."),
        ],
        next: vec![
            text!("Copy the whole disk first, with `ddrescue` to one of exactly the same size."),
            text!("Go on with the copy. Keep the old disk."),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("refs", &[Finding, Refusal], || Words {
        title: text!("A partition is a ReFS volume"),
        means: text!("ReFS volumes cannot be shrunk by anyone, and winrefit does not look into them."),
        causes: Vec::new(),
        next: vec![past_refs(), by_hand()],
        sources: vec![on_disk(), microsoft("Resilient File System overview")],
    }),
    Known::new("foreign-boot-sector", &[Finding, Refusal], || Words {
        title: text!("A partition for Windows' data begins with no file system that is known"),
        means: text!(
            "Its first sector is neither empty nor that of a file system. A Windows in it could not be told where its recovery \
             partition begins."
        ),
        causes: vec![
            text!("It is encrypted by something else than BitLocker, VeraCrypt for example."),
            text!("It is damaged, or holds a foreign file system."),
        ],
        next: vec![
            text!("If it is encrypted, decrypt it with the program that encrypted it, and shut down."),
            text!("If it is not, keep a copy of the disk before anything else."),
        ],
        sources: vec![on_disk(), reports()],
    }),
    Known::new("unknown-filesystem", &[Refusal], || Words {
        title: text!("A partition that would have to change holds no NTFS volume"),
        means: text!("winrefit changes NTFS volumes only."),
        causes: Vec::new(),
        next: vec![text!(
            "If it is encrypted, decrypt it first. Else make room in another way: on another volume, or unallocated."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("hibernated", &[Refusal], || Words {
        title: text!("Windows is hibernated"),
        means: text!(
            "hiberfil.sys holds a running Windows with its own idea of the volume. If the volume changed meanwhile, it would be \
             damaged when that Windows resumes."
        ),
        causes: vec![text!("Hibernation, or a laptop whose battery ran low.")],
        next: shut_down(),
        sources: vec![on_disk()],
    }),
    Known::new("fast-startup", &[Finding, Refusal], || Words {
        title: text!("A volume was left by Fast Startup"),
        means: text!(
            "Shutting down from the menu then hibernates a part of Windows, which may hold changes that are not on the volume yet. \
             The version of $LogFile tells of it."
        ),
        causes: vec![text!(
            "Fast Startup is on by default where Windows can hibernate."
        )],
        next: shut_down(),
        sources: vec![on_disk()],
    })
    .also(&["log-fast-startup"]),
    Known::new("unclean-log", &[Finding, Refusal], || Words {
        title: text!("A volume was not unmounted cleanly"),
        means: text!(
            "Its $LogFile holds changes that are only half on the volume, and only Windows may finish them."
        ),
        causes: vec![text!(
            "The power failed, or a virtual machine was stopped instead of shut down; or the image is of a running machine."
        )],
        next: shut_down(),
        sources: vec![on_disk()],
    })
    .also(&["log-in-use"]),
    Known::new("dirty", &[Refusal], || Words {
        title: text!("A volume has its dirty flag set"),
        means: text!(
            "Windows has noted that the volume may be damaged, and wants chkdsk to look at it first."
        ),
        causes: vec![text!("An error while Windows used it, or `fsutil dirty set`.")],
        next: shut_down(),
        sources: vec![on_disk()],
    })
    .also(&["volume-dirty"]),
    Known::new("volume-not-at-rest", &[Finding], || Words {
        title: text!("A volume is not at rest"),
        means: text!(
            "Windows was hibernated, was not shut down fully, or wants chkdsk to run. The volume is not changed like this."
        ),
        causes: Vec::new(),
        next: shut_down(),
        sources: vec![on_disk()],
    }),
    Known::new("ntfs-unreadable", &[Finding], || Words {
        title: text!("An NTFS volume cannot be read"),
        means: text!(
            "A structure that all others depend on is damaged, or lies in sectors that the disk cannot read: the boot sector, \
             $MFT, $Volume or $LogFile."
        ),
        causes: vec![text!(
            "A failing disk, a copy that is not complete, or a program that wrote past its bounds."
        )],
        next: vec![
            text!("Copy the whole disk first, with `ddrescue` to one of exactly the same size."),
            text!(
                "If the disk reads all of its sectors, run `chkdsk /f` in Windows. If it does not, go on with the copy."
            ),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("damaged-ntfs", &[Refusal], || Words {
        title: text!("An NTFS volume that would have to change did not pass its check"),
        means: text!(
            "Moving the border of a volume whose structures contradict each other could make the damage worse."
        ),
        causes: Vec::new(),
        next: vec![
            text!("`winrefit check` lists all problems. It writes nothing."),
            text!("Run `chkdsk /f` in Windows, shut down fully, and run the command again."),
        ],
        sources: vec![on_disk(), decided("docs/checker.md")],
    }),
    Known::new("ntfs-version", &[Refusal], || Words {
        title: text!("A volume has another NTFS version than 3.1"),
        means: text!("Version 3.1 is what every Windows since XP writes, and the only one that is changed."),
        causes: Vec::new(),
        next: vec![text!("Mount it once in a current Windows, which upgrades it.")],
        sources: vec![on_disk()],
    }),
    Known::new("shadow-copies", &[Finding, Refusal], || Words {
        title: text!("A volume has shadow copies: restore points, previous versions"),
        means: text!(
            "Windows finds them by places that count from the start of the volume, and by its length. Where a border of the volume \
             moves they would be lost, so that is refused unless they are given up on purpose."
        ),
        causes: Vec::new(),
        next: vec![
            text!(
                "Delete them in Windows: `vssadmin delete shadows /for=C: /all` with the letter of the volume, and shut down."
            ),
            text!("Or add --drop-shadow-copies to `plan` and `fix`. `undo` brings them back."),
        ],
        sources: vec![on_disk(), decided("docs/adr/0008-shadow-copies.md")],
    }),
    Known::new("bad-clusters", &[Finding, Refusal], || Words {
        title: text!("A volume has bad clusters"),
        means: text!(
            "Windows met sectors there that it could not read. What lies on such a disk may be lost any day."
        ),
        causes: vec![text!(
            "The disk fails; or the marks were copied from a disk that failed."
        )],
        next: vec![
            text!("Copy the disk to a new one."),
            text!("Let `chkdsk /b` clear the marks there, and run the command again."),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("unreadable-data", &[Refusal], || Words {
        title: text!("Data that have to move cannot be read"),
        means: text!(
            "The disk fails to read a sector of a file that lies where the recovery partition would grow. Nothing was changed."
        ),
        causes: vec![text!("The disk fails.")],
        next: vec![
            text!("Save the data of this disk now, and replace it."),
            text!("The repair can be made on the copy."),
        ],
        sources: vec![on_disk()],
    }),
];
