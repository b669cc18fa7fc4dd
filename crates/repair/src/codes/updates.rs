//! Findings on updates of the recovery environment, from what Windows has written down.

use super::Kind::Finding;
use super::winre::plan_and_fix;
use super::{Known, Words, machines, microsoft, on_disk, reports};
use crate::text;

pub(super) const ALL: &[Known] = &[
    Known::new("re-update-fails-for-space", &[Finding], || Words {
        title: text!("Updates of WinRE fail because the recovery environment has too little room"),
        means: text!(
            "Windows prepared the update and had no room for it. That is said where records agree with the room that is \
             measured: event 20 of an update of WinRE, event 4502 with phase 2, or 0x800F0828."
        ),
        causes: vec![text!("Less than 250 MiB are free where WinRE lies.")],
        next: plan_and_fix()
            .into_iter()
            .chain([text!(
                "Start Windows. Windows Update repeats the update by itself."
            )])
            .collect(),
        sources: vec![microsoft("KB5034441, KB5028997"), on_disk()],
    }),
    Known::new("re-update-not-offered", &[Finding], || Words {
        title: text!("No update of WinRE is offered, so no error shows"),
        means: text!(
            "Since August 2024 Windows Update does not offer an update of WinRE where it would not fit. From Windows 11 22H2 on it \
             is part of the cumulative update, and passed over in silence. That nothing fails is no sign of health."
        ),
        causes: vec![text!("There is too little room where WinRE lies.")],
        next: plan_and_fix()
            .into_iter()
            .chain([text!("Start Windows and look for updates.")])
            .collect(),
        sources: vec![microsoft("KB5042320 and its successors"), reports()],
    }),
    Known::new("re-update-error-until-restart", &[Finding], || Words {
        title: text!("An update of WinRE shows an error until Windows restarts"),
        means: text!(
            "There is room, and a restart is waiting. Windows Update then shows 0x80070643 although the update is applied once the \
             restart is done. The updates of April 2025 (KB5057589, KB5057588) are known for it."
        ),
        causes: vec![text!("Another update waits for a restart.")],
        next: vec![
            text!("Restart Windows."),
            text!("Look again with `winrefit diagnose`. Nothing has to be repaired on the disk."),
        ],
        sources: vec![microsoft("known issue of KB5057589"), on_disk()],
    }),
    Known::new("re-update-failed-unmeasured", &[Finding], || Words {
        title: text!("Updates of WinRE failed; whether for want of space cannot be told"),
        means: text!(
            "The records speak of failures, and there is nothing to hold them against: WinRE is off, its image is not in place, or \
             the free space of its volume was not measured."
        ),
        causes: vec![text!(
            "WinRE was switched off or lost after the failure, perhaps in an attempt to repair it."
        )],
        next: vec![
            text!("Bring WinRE in order first, as the other findings say."),
            text!("Then let Windows Update look for updates, and diagnose again."),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("re-update-failed-before-room", &[Finding], || Words {
        title: text!("Servicing of WinRE found too little room, although there is room now"),
        means: text!(
            "Windows recorded a want of space, and the free space is more than the 250 MiB that the rule wants. The disk does not say \
             which of the two came first."
        ),
        causes: vec![
            text!("Room was made since."),
            text!("The next image is larger than the present one by more than that."),
        ],
        next: vec![
            text!("Let Windows Update look for updates."),
            text!(
                "If servicing fails again, make more room: `winrefit fix` with --free and a size above what is free now."
            ),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("re-update-fails-otherwise", &[Finding], || Words {
        title: text!("An update of WinRE fails although there is room for it"),
        means: text!(
            "The room is measured and sufficient, so making more is no cure. The records do not say what the reason is."
        ),
        causes: vec![
            text!(
                "Server Core of Windows Server 2022: KB5034439 is known to fail there for a reason of its own."
            ),
            text!(
                "WinRE was disabled, or its image or boot entry did not fit together, at the time of the update."
            ),
        ],
        next: vec![
            text!("Restart Windows and look for updates once more."),
            text!(
                "If it fails again, look at Logs\\WinREAgent\\setupact.log in the Windows folder, and at `reagentc /info`."
            ),
        ],
        sources: vec![on_disk(), reports()],
    }),
    Known::new("re-update-made-good", &[Finding], || Words {
        title: text!("An update of WinRE failed, and one succeeded later"),
        means: text!("The error is history: a later success is recorded, of an update or of servicing."),
        causes: Vec::new(),
        next: vec![text!("Nothing.")],
        sources: vec![on_disk()],
    }),
    Known::new("winre-servicing-failed", &[Finding], || Words {
        title: text!("Servicing of WinRE failed for another reason than space"),
        means: text!(
            "Event 4502 gives a phase and a code. Microsoft explains phase 2 only, which means too little space; what the others \
             mean is not documented, and winrefit does not guess."
        ),
        causes: Vec::new(),
        next: vec![
            text!("Look at the log in the folder Logs\\WinREAgent of Windows, around the time of the event."),
            text!("`reagentc /disable` and `reagentc /enable` put the image in place anew."),
            text!("Look for updates again."),
        ],
        sources: vec![microsoft("KB5034441, on event 4502"), on_disk()],
    }),
    Known::new("winre-servicing-unfinished", &[Finding], || Words {
        title: text!("Servicing of WinRE began and has no good end"),
        means: text!(
            "The last event of servicing is its start (4500), that it was cancelled (4503), or that it was taken back (4504). The \
             image is replaced as a whole, so it is the old one or the new one, and not half of either."
        ),
        causes: vec![text!("Windows was shut down or switched off meanwhile.")],
        next: vec![
            text!("Restart Windows and look for updates."),
            text!("Look at the version of the image again: `winrefit diagnose`."),
        ],
        sources: vec![machines(), on_disk()],
    }),
    Known::new("winre-may-not-start", &[Finding], || Words {
        title: text!("The update installed last can leave a WinRE that does not start"),
        means: text!(
            "After KB5068164 of October 2025 WinRE does not start on some machines with Windows 10. Whether this one is concerned \
             cannot be told from the disk."
        ),
        causes: Vec::new(),
        next: vec![
            text!("Install KB5075039 or a later update of WinRE."),
            text!("Try once whether it starts: `reagentc /boottore`, then restart."),
        ],
        sources: vec![reports(), on_disk()],
    }),
    Known::new("winre-image-vulnerable", &[Finding], || Words {
        title: text!("The WinRE image is open to a known vulnerability"),
        means: text!(
            "The version of Winre.wim is below the first one that has it closed. Somebody who has the machine in hand can use such \
             an image to get around BitLocker. The version is read from the image, not from the registry."
        ),
        causes: vec![text!(
            "Updates of WinRE failed or were not offered, or an old image was put back."
        )],
        next: vec![
            text!("Make room if there is too little: `winrefit plan`."),
            text!("Let Windows Update install the newest update of WinRE. `winrefit kb` lists them."),
        ],
        sources: vec![microsoft("CVE-2024-20666"), on_disk()],
    }),
    Known::new("winre-version-forged", &[Finding], || Words {
        title: text!("Windows claims a newer WinRE than it has"),
        means: text!(
            "WinREVersion in the registry is newer than the image. Windows Update goes by that value, does not offer the update, \
             and what it closes stays open."
        ),
        causes: vec![
            text!("A script wrote the value to silence the failing update. Several of them are public."),
            text!("An older image was put back after an honest update."),
        ],
        next: vec![
            text!(
                "Delete the value WinREVersion in HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion with `reg delete`."
            ),
            text!("Make room if there is too little, and let Windows Update look again."),
        ],
        sources: vec![on_disk(), reports()],
    }),
    Known::new("patch-script-claims-success", &[Finding], || Words {
        title: text!("The script that patches WinRE says it is done, and the image is an old one"),
        means: text!(
            "Microsoft's PatchWinREScript leaves WinREPathScriptSucceed=1 in the registry, and does nothing where it finds that."
        ),
        causes: vec![text!(
            "The image was replaced afterwards, or the value was copied to the machine with a master image."
        )],
        next: vec![
            text!("Delete the value in HKLM\\SOFTWARE\\Microsoft\\PushButtonReset."),
            text!("Run the script again, or let Windows Update do it."),
        ],
        sources: vec![microsoft("KB5025175, KB5034957"), on_disk()],
    }),
    Known::new("records-contradict", &[Finding], || Words {
        title: text!("Windows recorded an update of WinRE, and the image is older than that"),
        means: text!(
            "Both cannot be true of one image. The image is what counts; the record says only what happened to some image."
        ),
        causes: vec![
            text!("An old image was put back afterwards."),
            text!("The update went to an image at another place."),
        ],
        next: vec![
            text!("`reagentc /info` in Windows names the image in use."),
            text!("Let Windows Update look again once that is settled."),
        ],
        sources: vec![on_disk()],
    }),
];
