//! Refusals: what was asked for does not fit the disk, there is no room, or an earlier repair is not as it was left.

use super::Kind::{Error, Refusal};
use super::{Known, Words, decided, on_disk};
use crate::text;
use crate::text::Text;

/// What makes room for a repair.
fn make_space() -> Vec<Text> {
    vec![
        text!("Free space on the Windows volume, or on another NTFS volume of the disk."),
        text!("Or leave as much of the disk unallocated as the recovery partition is to have."),
        text!("The refusal names smaller wishes, where one would be granted."),
    ]
}

/// What tells what is there.
fn look() -> Vec<Text> {
    vec![text!(
        "`winrefit diagnose` shows the partitions with their numbers."
    )]
}

pub(super) const ALL: &[Known] = &[
    Known::new("no-such-partition", &[Refusal, Error], || Words {
        title: text!("There is no partition of that number"),
        means: text!(
            "The partition table has no such entry. Numbers are those of the table, as Linux counts them."
        ),
        causes: Vec::new(),
        next: look(),
        sources: vec![on_disk()],
    }),
    Known::new("not-recovery-type", &[Refusal, Error], || Words {
        title: text!("The partition is not a recovery partition"),
        means: text!(
            "Only partitions of the recovery type are enlarged: on GPT de94bba4-06d1-4d40-a16a-bfd50179d6ac, on MBR 0x27. The label \
             says nothing: it may be any."
        ),
        causes: Vec::new(),
        next: look(),
        sources: vec![on_disk(), decided("docs/layouts.md")],
    }),
    Known::new("not-in-use", &[Refusal], || Words {
        title: text!("The recovery partition that was named is not the one in use"),
        means: text!(
            "Every Windows on the disk has its WinRE on another one. More space here would help no update."
        ),
        causes: Vec::new(),
        next: vec![text!("Run the command without --recovery-partition.")],
        sources: vec![on_disk()],
    }),
    Known::new("several-recovery-partitions", &[Refusal], || Words {
        title: text!("Several Windows use different recovery partitions"),
        means: text!("Which one is meant cannot be told. Each is enlarged by a run of its own."),
        causes: Vec::new(),
        next: vec![text!("Name one with --recovery-partition.")],
        sources: vec![on_disk()],
    }),
    Known::new("not-stale", &[Refusal], || Words {
        title: text!("The partition that --remove-stale names is not a leftover that can go"),
        means: text!(
            "It is in use, may be in use, is no recovery partition, or is too large to be one of WinRE."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "Run the command without --remove-stale. `winrefit diagnose` names leftovers."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("no-donor", &[Refusal], || Words {
        title: text!(
            "Nothing next to the recovery partition can give space, and it cannot get another place"
        ),
        means: text!(
            "What lies before it is no NTFS volume that can be shrunk, or there is nothing; no unallocated space is large enough; and no \
             other NTFS volume can give so much at its end."
        ),
        causes: vec![text!(
            "An EFI or extended partition, a foreign file system, or an encrypted volume lies before it."
        )],
        next: make_space(),
        sources: vec![on_disk(), decided("docs/adr/0009-another-place.md")],
    }),
    Known::new("donor-too-full", &[Refusal], || Words {
        title: text!("The volume that would give space has too little free"),
        means: text!(
            "Some of its free space has to stay free, so that Windows goes on working and what lies in the way finds room."
        ),
        causes: Vec::new(),
        next: make_space(),
        sources: vec![on_disk(), decided("docs/adr/0007-relocation.md")],
    }),
    Known::new("cannot-relocate", &[Refusal], || Words {
        title: text!("Not all that lies at the end of the volume can be moved"),
        means: text!(
            "The refusal names the file. Its data find no place further ahead, or have a form that is not moved."
        ),
        causes: vec![text!(
            "The volume is nearly full, or its free space is in very many pieces."
        )],
        next: vec![
            text!(
                "Defragment the volume or shrink it in Windows (Disk Management), which leaves space that is used then."
            ),
            text!("Or ask for less with --size and --free."),
        ],
        sources: vec![on_disk(), decided("docs/adr/0007-relocation.md")],
    }),
    Known::new("cannot-rebase", &[Refusal], || Words {
        title: text!("The recovery volume cannot be moved to a new start"),
        means: text!("A file record in it has no room for what the move adds. Nothing was written."),
        causes: Vec::new(),
        next: vec![text!("Please report it, with the output of --format json.")],
        sources: vec![decided("docs/adr/0003-front-growth.md")],
    }),
    Known::new("cannot-copy-image", &[Refusal], || Words {
        title: text!("The WinRE image cannot be copied as it lies"),
        means: text!(
            "A new recovery partition gets a copy of Winre.wim. This one is compressed, encrypted or sparse as a file."
        ),
        causes: vec![text!("The folder was compressed, with `compact` or in Explorer.")],
        next: vec![text!(
            "In Windows, `compact /u` on the file makes it an ordinary one; then run the command again."
        )],
        sources: vec![on_disk(), decided("docs/adr/0011-create.md")],
    }),
    Known::new("no-journal-space", &[Refusal], || Words {
        title: text!("There is no place on the disk for the journal"),
        means: text!(
            "Every change is noted on the disk before it is made, so that a power cut loses nothing. The notes need unallocated, zeroed \
             space before the first or behind the last partition, or one such sector and free clusters."
        ),
        causes: vec![text!(
            "A boot manager, or the rest of another tool, fills the space before the first partition."
        )],
        next: vec![text!(
            "Work on a copy of the disk, or free the space before the first partition."
        )],
        sources: vec![on_disk(), decided("docs/adr/0006-journal-2.md")],
    }),
    Known::new("staged-check-failed", &[Refusal], || Words {
        title: text!("The prepared result did not pass its check, so nothing was written"),
        means: text!(
            "A repair is built beside the disk first and looked at like a disk. This one was not what it should be."
        ),
        causes: Vec::new(),
        next: vec![
            text!("`winrefit check` shows whether the volumes had problems before."),
            text!("If not, please report it, with the output of --format json."),
        ],
        sources: vec![decided("docs/ARCHITECTURE.md")],
    }),
    Known::new("target-in-use", &[Refusal, Error], || Words {
        title: text!("The disk is in use"),
        means: text!(
            "A virtual machine, a mount or another program has it open. Two that write to one disk destroy it."
        ),
        causes: vec![
            text!("The machine that the image belongs to is running."),
            text!("A desktop has mounted a partition by itself."),
        ],
        next: vec![text!(
            "Shut down the virtual machine or unmount what uses the disk, then run the command again."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("nothing-to-undo", &[Refusal], || Words {
        title: text!("There is nothing to undo"),
        means: text!(
            "The disk holds no record of a finished repair. One is kept from a repair until the next one."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "Nothing. Name the disk that was repaired, if this is another one."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("undo-overwritten", &[Refusal], || Words {
        title: text!("The record of the last repair is not there any more"),
        means: text!(
            "It lay in free clusters, which Windows or another tool has used since. The repair itself is whole."
        ),
        causes: Vec::new(),
        next: vec![text!("`winrefit verify` shows that the disk is sound.")],
        sources: vec![on_disk(), decided("docs/adr/0006-journal-2.md")],
    }),
    Known::new("changed-since", &[Refusal], || Words {
        title: text!("The disk has changed since the repair, so it is not put back"),
        means: text!(
            "Windows or another tool has written where the repair wrote. The old sectors would damage what is there now."
        ),
        causes: vec![text!(
            "Windows was started on the repaired disk, which is what a repair is for."
        )],
        next: vec![text!(
            "Nothing was written. `winrefit verify` shows whether the disk is sound as it is."
        )],
        sources: vec![on_disk(), decided("docs/adr/0002-journal.md")],
    }),
    Known::new("undo-would-damage", &[Refusal], || Words {
        title: text!("The disk was used since the repair, so it is not put back"),
        means: text!(
            "No sector that the repair wrote has changed, but others have that the old disk needs: it is made as a rehearsal first, and \
             would not be whole."
        ),
        causes: vec![
            text!("Files were written where a volume would end again."),
            text!("Free space was trimmed, which still held what the undo needs."),
        ],
        next: vec![text!(
            "Nothing was written. `winrefit verify` shows whether the disk is sound as it is."
        )],
        sources: vec![on_disk(), decided("docs/adr/0006-journal-2.md")],
    }),
    Known::new("resume-would-damage", &[Refusal], || Words {
        title: text!("The disk was used since the work was interrupted, so it is not gone on with"),
        means: text!(
            "What is left to do is made as a rehearsal first: files that were written since would be lost, or a volume would not be whole."
        ),
        causes: vec![text!("Windows was started before `winrefit resume`.")],
        next: vec![
            text!(
                "Nothing was written. Keep a copy of the whole disk as it is, and save what was written since."
            ),
            text!(
                "Delete those files from the disk and run `winrefit resume` again, or put back a backup from before the repair."
            ),
        ],
        sources: vec![on_disk(), decided("docs/adr/0015-judged-way.md")],
    }),
    Known::new("resume-not-at-rest", &[Refusal], || Words {
        title: text!("A volume that interrupted work concerns is not at rest"),
        means: text!(
            "It is dirty, hibernated or was not shut down, so what is left to do cannot be judged. The disk stays between two states."
        ),
        causes: vec![text!("Windows was started before `winrefit resume`.")],
        next: vec![
            text!("Nothing was written. Keep a copy of the whole disk before anything else."),
            text!("Do what the message says. Do not run `chkdsk` on the disk before the work is finished."),
        ],
        sources: vec![on_disk(), decided("docs/adr/0015-judged-way.md")],
    }),
    Known::new("journal-place-taken", &[Refusal], || Words {
        title: text!("A partition lies where winrefit keeps its record"),
        means: text!(
            "The record was written to unallocated space, which belongs to a partition by now. To remove it would write zeros there."
        ),
        causes: vec![text!("A partition was made or made longer since.")],
        next: vec![
            text!("Nothing was written. Keep a copy of the disk."),
            text!("If that partition is a mistake, remove it or make it shorter."),
        ],
        sources: vec![on_disk(), decided("docs/adr/0002-journal.md")],
    }),
];
