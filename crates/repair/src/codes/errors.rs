//! Errors: why a command ended without a report.

use super::Kind::Error;
use super::{Known, Words, decided, on_disk};
use crate::text;
use crate::text::Text;

/// What helps where a volume resists.
fn check() -> Vec<Text> {
    vec![
        text!("`winrefit check` shows more of the volume. It writes nothing."),
        text!("If it finds no problem, please report it, with the output of --format json."),
    ]
}

/// What helps where nobody expected it.
fn report() -> Vec<Text> {
    vec![text!("Please report it, with the output of --format json.")]
}

/// Where these come from.
fn own() -> Vec<Text> {
    vec![decided("docs/adr/0005-answers-and-exit-codes.md")]
}

pub(super) const ALL: &[Known] = &[
    Known::new("cannot-open", &[Error], || Words {
        title: text!("The disk cannot be opened"),
        means: text!("It is not there, it is no disk, or you may not read or write it."),
        causes: Vec::new(),
        next: vec![text!("Check the path. Block devices belong to root.")],
        sources: own(),
    }),
    Known::new("io", &[Error], || Words {
        title: text!("Reading or writing the disk failed"),
        means: text!(
            "The system reported an error of the medium, of its connection, or of the file system that holds the image."
        ),
        causes: vec![
            text!("The disk or its cable fails."),
            text!("The file system with the image is full, or the device is read-only."),
        ],
        next: vec![text!(
            "Make a copy of the disk before anything else, unless the message names a cause that you can cure."
        )],
        sources: own(),
    }),
    Known::new("no-partition-table", &[Error], || Words {
        title: text!("There is no partition table to work with"),
        means: text!("The target begins with neither a GPT nor an MBR."),
        causes: vec![text!(
            "It is one partition and not the disk, or an image of another format."
        )],
        next: vec![text!("Name a whole disk, raw.")],
        sources: vec![on_disk()],
    }),
    Known::new("not-raw", &[Error], || Words {
        title: text!("The file is a disk image in a format of its own"),
        means: text!(
            "winrefit reads raw images and block devices. qcow2, VHDX and others keep the disk in pieces."
        ),
        causes: Vec::new(),
        next: vec![
            text!("Attach it: `qemu-nbd -c /dev/nbd0 IMAGE`, and name /dev/nbd0."),
            text!("Or make a raw copy: `qemu-img convert -O raw IMAGE COPY`."),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("journal", &[Error], || Words {
        title: text!("The journal on the disk stopped the work"),
        means: text!(
            "What is recorded there does not fit this disk: it was changed since, it is another disk or a copy of another size, or a \
             newer winrefit wrote it. Nothing was written."
        ),
        causes: Vec::new(),
        next: vec![
            text!("Do what the message says; it names the case."),
            text!("Keep a copy of the disk as it is before anything else."),
        ],
        sources: vec![decided("docs/adr/0006-journal-2.md")],
    }),
    Known::new("interrupted", &[Error], || Words {
        title: text!("Writing was interrupted; the rest is recorded on the disk"),
        means: text!(
            "Both volumes are whole, and what is left to do is known. `resume` completes or discards it."
        ),
        causes: vec![text!(
            "A cable, a full storage, a device that became read-only, a power cut."
        )],
        next: vec![
            text!("Cure the cause. Do not start Windows before."),
            text!("Run `winrefit resume`."),
        ],
        sources: vec![decided("docs/adr/0002-journal.md")],
    }),
    Known::new("half-undone", &[Error], || Words {
        title: text!("An undo stopped between the two parts of a repair"),
        means: text!(
            "The second part was put back: WinRE is where it was, and there is unallocated space. The first part, which \
             made that space, is still there."
        ),
        causes: vec![text!("The disk or its cable fails.")],
        next: vec![text!(
            "Cure the cause, then run `winrefit undo` again. It goes on with the first part."
        )],
        sources: own(),
    }),
    Known::new("unverified", &[Error], || Words {
        title: text!("The work is complete, but looking at it afterwards failed"),
        means: text!("All was written and recorded; the proof is missing."),
        causes: vec![text!("An error while reading.")],
        next: vec![text!("Cure the cause, then run `winrefit verify`.")],
        sources: own(),
    }),
    Known::new("ntfs", &[Error], || Words {
        title: text!("A volume that was fine before cannot be read"),
        means: text!(
            "Between two looks the volume became unreadable, or holds something that no rule covers. Nothing was written."
        ),
        causes: Vec::new(),
        next: check(),
        sources: own(),
    }),
    Known::new("resize", &[Error], || Words {
        title: text!("A volume cannot be resized as planned"),
        means: text!("The plan did not survive its rehearsal. Nothing was written."),
        causes: Vec::new(),
        next: check(),
        sources: own(),
    }),
    Known::new("edit", &[Error], || Words {
        title: text!("A file cannot be changed as planned"),
        means: text!(
            "A repair changes one number in ReAgent.xml, and on MBR disks in the boot store. The file does not take it; nothing was written."
        ),
        causes: Vec::new(),
        next: check(),
        sources: own(),
    }),
    Known::new("format", &[Error], || Words {
        title: text!("A new volume cannot be made as planned"),
        means: text!(
            "A new recovery partition gets an NTFS volume of its own. It did not come out as it should; nothing was written."
        ),
        causes: Vec::new(),
        next: report(),
        sources: vec![decided("docs/adr/0011-create.md")],
    }),
    Known::new("reagent", &[Error], || Words {
        title: text!("ReAgent.xml cannot be patched"),
        means: text!(
            "The new start of the recovery partition has to stand there, and the file has not the form that is known."
        ),
        causes: Vec::new(),
        next: vec![
            text!("In Windows: `reagentc /disable`, then `reagentc /enable`, which writes it anew."),
            text!("Shut down fully, and run the command again."),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("not-ntfs", &[Error], || Words {
        title: text!("The partition that was named holds no NTFS volume"),
        means: text!("`check --partition` checks NTFS volumes only."),
        causes: Vec::new(),
        next: vec![text!("`winrefit diagnose` shows what each partition holds.")],
        sources: vec![on_disk()],
    }),
    Known::new("sector-size", &[Error], || Words {
        title: text!("The sectors of the device are not those of the partition table"),
        means: text!(
            "A table for sectors of 512 bytes means other places on a device with sectors of 4096 bytes. Nothing was written."
        ),
        causes: vec![text!(
            "A disk was copied to one with other sectors, or sits in another USB enclosure."
        )],
        next: vec![text!(
            "Work on the original disk, or attach the image with the sector size that it was made for."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("lab", &[Error], || Words {
        title: text!("A disk of the lab could not be made"),
        means: text!("The file exists already, cannot be written, or is smaller than the profile needs."),
        causes: Vec::new(),
        next: vec![text!(
            "Name a file that does not exist, on a file system with room."
        )],
        sources: own(),
    }),
    Known::new("no-such-profile", &[Error], || Words {
        title: text!("There is no profile of that name"),
        means: text!("Profiles are the kinds of disk that the lab makes."),
        causes: Vec::new(),
        next: vec![text!("`winrefit lab list` shows all.")],
        sources: own(),
    }),
    Known::new("no-such-code", &[Error], || Words {
        title: text!("The code is not known to this version"),
        means: text!(
            "`explain` knows the codes of winrefit, and those of Windows that come up beside WinRE."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "`winrefit explain --list` shows all. Updates are explained by `winrefit kb`."
        )],
        sources: own(),
    }),
    Known::new("no-such-update", &[Error], || Words {
        title: text!("The update is not known to this version"),
        means: text!("`kb` knows updates that concern WinRE, and a few others that fail with the same code."),
        causes: Vec::new(),
        next: vec![text!(
            "`winrefit kb` shows all. Updates of WinRE say so in their title."
        )],
        sources: own(),
    }),
    Known::new("nobody-to-ask", &[Error], || Words {
        title: text!("A question is open, and nobody is there to answer it"),
        means: text!("Before it writes, winrefit asks at a terminal. There is none, so nothing was written."),
        causes: vec![text!("It runs in a script, a service, or behind a pipe.")],
        next: vec![
            text!("Look at the plan first: `winrefit plan`."),
            text!("Then run the command with --yes."),
        ],
        sources: own(),
    }),
    Known::new("result-file", &[Error], || Words {
        title: text!("The file for the report could not be made"),
        means: text!(
            "A report is written to a new file only. Before a command begins, it is tried whether that can be made."
        ),
        causes: vec![
            text!("A file of that name is there, be it only a link."),
            text!("The directory is not there, or may not be written to."),
        ],
        next: vec![text!("Name another file, or remove the one that is there.")],
        sources: own(),
    }),
    Known::new("file", &[Error], || Words {
        title: text!("A file or folder of winrefit's own could not be made"),
        means: text!("This is about a disk of the lab or of the demo, and not about a disk that was named."),
        causes: Vec::new(),
        next: vec![text!(
            "Check the path, that it does not exist yet, and that you may write there."
        )],
        sources: own(),
    }),
    Known::new("output", &[Error], || Words {
        title: text!("The result could not be shown"),
        means: text!("Standard output does not take it. What was done to the disk is not affected."),
        causes: vec![text!("The file system that the output goes to is full.")],
        next: vec![text!("Check where the output goes, then run `winrefit verify`.")],
        sources: own(),
    }),
    Known::new("json", &[Error], || Words {
        title: text!("The result could not be put into JSON"),
        means: text!("This is a defect of winrefit. What was done to the disk is not affected."),
        causes: Vec::new(),
        next: report(),
        sources: own(),
    }),
];
