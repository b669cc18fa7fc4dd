//! Findings on the recovery environment of each Windows, its partition and the way to it.

use super::Kind::{Finding, Refusal};
use super::{Known, Words, decided, machines, microsoft, on_disk, reports};
use crate::text;
use crate::text::Text;

/// What makes room.
pub(super) fn plan_and_fix() -> Vec<Text> {
    vec![
        text!("`winrefit plan` shows how room can be made. It writes nothing."),
        text!("`winrefit fix` makes it, after a question."),
    ]
}

/// What lets Windows choose a place and write its records anew.
pub(super) fn enable_anew() -> Vec<Text> {
    vec![
        text!("In Windows, as administrator: `reagentc /disable`, then `reagentc /enable`."),
        text!("`reagentc /info` shows the place that was taken. It has to be the recovery partition."),
    ]
}

pub(super) const ALL: &[Known] = &[
    Known::new("re-too-small", &[Finding], || Words {
        title: text!("The recovery partition is too small for its next update"),
        means: text!(
            "To update WinRE, Windows needs 250 MiB free in the recovery partition while the present image is there; to put \
             an image there at all, 52 MiB more than the image. Size alone says nothing: what counts is what is free."
        ),
        causes: vec![
            text!(
                "Windows Setup made partitions of 450 to 570 MiB for many years, and images have grown since."
            ),
            text!("A large cumulative update was put into the image by hand."),
        ],
        next: plan_and_fix(),
        sources: vec![microsoft("KB5028997, KB5034441"), on_disk()],
    }),
    Known::new("no-recovery-partition", &[Finding, Refusal], || Words {
        title: text!("There is no recovery partition on the disk"),
        means: text!(
            "No partition has the recovery type. WinRE is then switched off, on the Windows volume itself, or on another disk. \
             The refusal says why none can be made: no Windows that can be read, several of them, no image to copy, or no room."
        ),
        causes: vec![
            text!("Somebody removed it, often to make C: larger."),
            text!("Windows was installed from media without it, or by a tool that makes none."),
        ],
        next: vec![
            text!("Look at `reagentc /info` in Windows."),
            text!(
                "`winrefit plan` shows whether one can be made; where WinRE works on C:, only with --create."
            ),
        ],
        sources: vec![on_disk(), decided("docs/adr/0011-create.md")],
    }),
    Known::new("re-empty", &[Finding], || Words {
        title: text!("A recovery partition holds no WinRE image"),
        means: text!(
            "The partition is formatted, and no Windows on the disk uses it. `reagentc /disable` empties it, too."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "Nothing, or `reagentc /enable` in Windows, which puts the image there if it has room."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("re-encrypted", &[Finding], || Words {
        title: text!("The recovery partition is encrypted by BitLocker"),
        means: text!(
            "WinRE has to start before anything is unlocked, so it does not start from an encrypted partition."
        ),
        causes: vec![text!(
            "Device encryption takes a new partition at once if it is not of the recovery type when it is made."
        )],
        next: vec![
            text!(
                "Decrypt that partition in Windows: `manage-bde -off` with its letter, and wait for the end."
            ),
            text!("Then `reagentc /disable` and `reagentc /enable` as administrator."),
        ],
        sources: vec![on_disk(), reports()],
    }),
    Known::new("re-unreadable", &[Finding], || Words {
        title: text!("The recovery partition holds no readable volume"),
        means: text!(
            "A Windows relies on it, and there is no NTFS volume in it, so this Windows has no working WinRE."
        ),
        causes: Vec::new(),
        next: [text!("Keep a copy of the disk.")]
            .into_iter()
            .chain(enable_anew())
            .collect(),
        sources: vec![on_disk()],
    }),
    Known::new("winre-disabled", &[Finding], || Words {
        title: text!("WinRE is disabled"),
        means: text!(
            "Windows has no recovery environment, and gets no updates for one. Disabling moves the image from its partition to \
             C:\\Windows\\System32\\Recovery, where it waits."
        ),
        causes: vec![
            text!("`reagentc /disable` was run and not followed by `reagentc /enable`."),
            text!("Enabling failed: no room, an encrypted partition, or setup that is not finished."),
        ],
        next: vec![
            text!(
                "If the recovery partition is too small, make room first: `winrefit plan`, then `winrefit fix`."
            ),
            text!("Then `reagentc /enable` in Windows, as administrator."),
            text!(
                "Check with `reagentc /info`: where there is no room, Windows may take its own volume without a word."
            ),
        ],
        sources: vec![on_disk(), microsoft("REAgentC command-line options")],
    }),
    Known::new("winre-image-gone", &[Finding], || Words {
        title: text!("WinRE is enabled, but its image is gone"),
        means: text!(
            "ReAgent.xml names a place, and there is no Winre.wim. Windows believes in a recovery environment that it does not \
             have, and cannot update it."
        ),
        causes: vec![
            text!("The recovery partition was deleted or formatted while WinRE was enabled."),
            text!("WinRE was bound to a temporary folder, which is empty by now."),
        ],
        next: vec![
            text!(
                "Look for another Winre.wim; C:\\$WinREAgent\\Backup may have the last one. `winrefit diagnose` says where it looked."
            ),
            text!("Else take it from install.wim of the same Windows: \\Windows\\System32\\Recovery."),
            text!(
                "Put it into C:\\Windows\\System32\\Recovery, then `reagentc /disable` and `reagentc /enable`."
            ),
        ],
        sources: vec![on_disk(), reports()],
    }),
    Known::new("winre-image-unreadable", &[Finding], || Words {
        title: text!("The WinRE image cannot be read"),
        means: text!(
            "The header of Winre.wim or its description is damaged. Its version is unknown, and it may not start."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "Replace it with a Winre.wim of the same Windows build, and enable WinRE anew."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("winre-on-windows-volume", &[Finding, Refusal], || Words {
        title: text!("WinRE lies on the Windows volume itself"),
        means: text!(
            "It works, and its updates need 250 MiB free on C:. But it does not start when C: is damaged, and Windows does not \
             enable it there once BitLocker encrypts C:. Nothing has to be done, so `plan` does nothing unless it is told to."
        ),
        causes: vec![text!(
            "When no partition has room for the image, Windows takes its own volume, and reports success all the same."
        )],
        next: vec![text!(
            "To give it a partition of its own: `winrefit plan --create`."
        )],
        sources: vec![
            on_disk(),
            microsoft("UEFI/GPT-based hard drive partitions"),
            reports(),
        ],
    }),
    Known::new("winre-on-data-volume", &[Finding], || {
        Words {
        title: text!("WinRE lies on a volume for data"),
        means: text!("It works as long as that volume is whole, not encrypted, and has 250 MiB free for updates."),
        causes: vec![text!("`reagentc /setreimage` was pointed there, or it was the only place with room.")],
        next: [text!("Make sure that the recovery partition is large enough: `winrefit plan` with --recovery-partition.")]
            .into_iter()
            .chain(enable_anew())
            .collect(),
        sources: vec![on_disk()],
    }
    }),
    Known::new("winre-on-another-disk", &[Finding], || Words {
        title: text!("WinRE is enabled, on a disk that is not this one"),
        means: text!(
            "ReAgent.xml names a disk of another identity. Whether WinRE works cannot be told from this disk."
        ),
        causes: vec![
            text!("The disk was cloned, and its identity changed with that."),
            text!("A second disk has the recovery partition."),
        ],
        next: enable_anew(),
        sources: vec![on_disk(), reports()],
    }),
    Known::new("winre-out-of-sight", &[Finding], || Words {
        title: text!("WinRE lies on a volume that is not NTFS"),
        means: text!("winrefit looks into NTFS volumes only, so it cannot tell whether this WinRE works."),
        causes: Vec::new(),
        next: vec![text!("Look at `reagentc /info` in Windows.")],
        sources: vec![on_disk()],
    }),
    Known::new("winre-in-temporary-folder", &[Finding], || Words {
        title: text!("WinRE was bound to a folder that Windows clears"),
        means: text!(
            "$WinREAgent is where servicing works. Once it is cleared, a WinRE that is bound to its Backup folder has no image."
        ),
        causes: vec![text!(
            "Advice in forums: `reagentc /setreimage` with that folder, to silence the failing update."
        )],
        next: vec![
            text!("Copy Winre.wim from there to C:\\Windows\\System32\\Recovery (`xcopy /h`)."),
            text!(
                "Then `reagentc /disable`, `reagentc /setreimage /path C:\\Windows\\System32\\Recovery`, `reagentc /enable`."
            ),
        ],
        sources: vec![on_disk(), reports()],
    }),
    Known::new("reagent-missing", &[Finding], || Words {
        title: text!("Windows has no ReAgent.xml"),
        means: text!("This file says where WinRE is. Without it Windows neither finds nor updates one."),
        causes: Vec::new(),
        next: enable_anew(),
        sources: vec![on_disk()],
    }),
    Known::new("reagent-unreadable", &[Finding, Refusal], || Words {
        title: text!("ReAgent.xml cannot be read"),
        means: text!(
            "Which recovery partition this Windows uses is unknown. A repair is refused where it would have to write the new start \
             of the partition there."
        ),
        causes: Vec::new(),
        next: enable_anew(),
        sources: vec![on_disk()],
    }),
    Known::new("boot-chain-broken", &[Finding], || Words {
        title: text!("WinRE is enabled, but the boot store does not lead to it"),
        means: text!(
            "From the boot manager the way goes over the loader of Windows to WinRE: a partition, a path, a boot.sdi. One of \
             these does not lead on, so WinRE does not start by itself when Windows fails."
        ),
        causes: vec![
            text!("The recovery partition was made anew and has another identity."),
            text!("The boot files were written anew, by `bcdboot` for example."),
        ],
        next: enable_anew(),
        sources: vec![on_disk(), decided("docs/adr/0010-mbr-and-boot-store.md")],
    }),
    Known::new("no-boot-manager", &[Finding], || Words {
        title: text!("The active partition has no boot manager"),
        means: text!(
            "On an MBR disk the BIOS starts `bootmgr` from it. Without that neither Windows nor WinRE starts from the disk."
        ),
        causes: vec![
            text!("Another partition was made active."),
            text!("The file was removed or lost."),
        ],
        next: vec![text!(
            r"From installation media: give the partition a letter with diskpart (S:, for example), then `bcdboot C:\Windows /s S: /f BIOS`."
        )],
        sources: vec![on_disk(), decided("docs/adr/0010-mbr-and-boot-store.md")],
    }),
    Known::new("boot-store-disagrees", &[Finding], || Words {
        title: text!("ReAgent.xml and the boot store name different recovery environments"),
        means: text!(
            "The boot store decides what starts, ReAgent.xml what updates service. So the WinRE that starts gets no updates."
        ),
        causes: vec![text!("A leftover of an upgrade or of a clone.")],
        next: enable_anew(),
        sources: vec![on_disk()],
    }),
    Known::new("boot-store-unreadable", &[Finding], || Words {
        title: text!("A boot store cannot be read"),
        means: text!(
            "Windows starts from it and finds WinRE through it. Whether both work cannot be told from the disk."
        ),
        causes: Vec::new(),
        next: vec![
            text!("If Windows starts, leave it, and look at `bcdedit /enum all` there."),
            text!(
                "If not: from installation media, `bootrec /rebuildbcd` or `bcdboot`; then `reagentc /enable`."
            ),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("leftover-recovery-partition", &[Finding], || Words {
        title: text!("A recovery partition is there that nothing uses"),
        means: text!(
            "Another place is in use, and no Windows on the disk names this one. Over 2 GiB it is a maker's factory image."
        ),
        causes: vec![text!(
            "An upgrade of Windows found the old partition too small, made another one, and left the old one."
        )],
        next: vec![
            text!("It can stay: it does no harm."),
            text!(
                "`winrefit plan --remove-stale N` shows whether it can go. A factory image is never touched."
            ),
        ],
        sources: vec![on_disk(), machines()],
    }),
    Known::new("no-windows-reference", &[Finding, Refusal], || Words {
        title: text!("No Windows on the disk refers to this recovery partition"),
        means: text!(
            "It may belong to a Windows that cannot be read, to one on another disk, or be a leftover. So it is not changed."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "If you know that it is the right one, add --recovery-partition with its number."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("several-windows", &[Finding], || Words {
        title: text!("Several Windows use recovery partitions of their own"),
        means: text!("Each is judged by itself, and each is enlarged by a run of its own."),
        causes: Vec::new(),
        next: vec![text!("Say which one is meant with --recovery-partition.")],
        sources: vec![on_disk()],
    }),
];
