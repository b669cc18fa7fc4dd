//! What stands in the way on the disk as a whole: its table, its boot stores, what manages it.

use super::Kind::{Error, Finding, Refusal};
use super::{Known, Words, decided, on_disk};
use crate::text;

pub(super) const ALL: &[Known] = &[
    Known::new("partition-table", &[Finding, Refusal, Error], || Words {
        title: text!("The partition table is not as it should be, or does not take the change"),
        means: text!(
            "Nothing is written to a table that is not understood whole. Diagnosis uses what can be read of it."
        ),
        causes: vec![text!(
            "Another tool has written it, or entries overlap or lie outside the disk."
        )],
        next: vec![
            text!("Keep a copy of the disk."),
            text!(
                "Repair the table with a tool made for that (gdisk), look at the result, and run the command again."
            ),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("partition-table-damaged", &[Finding, Error], || Words {
        title: text!("The partition table is damaged"),
        means: text!(
            "An MBR that contradicts itself, two copies of a GPT that do not agree, or two that are both damaged. The better copy is \
             used to read; nothing is written."
        ),
        causes: vec![text!(
            "The target is one partition and not the whole disk, or an image that is not complete or not raw."
        )],
        next: vec![
            text!("Make sure that the target is a whole disk, and raw."),
            text!("Keep a copy, and rebuild the table with a tool made for that (gdisk, fdisk, sfdisk)."),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("partition-table-copy-damaged", &[Finding], || Words {
        title: text!("One of the two copies of the partition table is damaged"),
        means: text!("The other one is good, and what is said of the disk comes from it."),
        causes: vec![text!(
            "A tool that wrote to the first or last sectors of the disk, or a power cut."
        )],
        next: vec![
            text!("A repair by `winrefit fix` writes both copies anew."),
            text!("Without one, gdisk does: `w` in its main menu."),
        ],
        sources: vec![on_disk()],
    }),
    Known::new("hybrid-mbr", &[Finding, Refusal], || Words {
        title: text!("The disk has a hybrid MBR"),
        means: text!(
            "LBA 0 names partitions a second time, besides the GPT. Nothing would tell it of a change, so partitions that it names are \
             not changed."
        ),
        causes: vec![text!(
            "It was made for a machine that starts two systems in different ways."
        )],
        next: vec![text!(
            "If nothing needs it any more, make the MBR protective (gdisk: x, n, w), and run the command again."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("disk-has-grown", &[Finding], || Words {
        title: text!("The disk has become larger since it was partitioned"),
        means: text!(
            "The second copy of the partition table is not at the end, so the new space cannot be used yet."
        ),
        causes: vec![text!(
            "A virtual disk was enlarged, or a disk was copied to a larger one."
        )],
        next: vec![text!(
            "Nothing: a repair moves the copy to the end, and uses the space where it lies behind the recovery partition."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("managed-disk", &[Finding, Refusal], || Words {
        title: text!("The disk is managed by dynamic disks or Storage Spaces"),
        means: text!(
            "Partitions of such a disk are not what they seem: only the Windows that manages it knows what lies where."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "Make room with Windows' own tools: Disk Management, diskpart."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("recovery-volume-too-large", &[Finding, Refusal], || Words {
        title: text!("The partition is too large to be a WinRE partition alone"),
        means: text!(
            "Computer makers put factory images of many GiB into partitions of the same type. Above 2 GiB none is made larger."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "Leave it alone. If WinRE lies there and lacks room, free some with the maker's tools."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("target-too-large", &[Refusal], || Words {
        title: text!("The recovery partition would become larger than 2 GiB"),
        means: text!("Larger ones are taken for factory images, by winrefit and by others."),
        causes: vec![text!(
            "--size or --free asks for much, or the image is very large."
        )],
        next: vec![text!("Ask for less with --size and --free.")],
        sources: vec![decided("docs/layouts.md")],
    }),
    Known::new("no-boot-store", &[Refusal], || Words {
        title: text!("No boot store on this disk starts WinRE from the recovery partition"),
        means: text!(
            "On an MBR disk the store names the partition by the byte where it begins. A store that is not found cannot be told of a \
             new start, and WinRE would not start any more."
        ),
        causes: vec![text!("The machine starts from another disk.")],
        next: vec![
            text!("Free space right behind the recovery partition, which needs no new start."),
            text!("Or enlarge the partition in Windows."),
        ],
        sources: vec![on_disk(), decided("docs/adr/0010-mbr-and-boot-store.md")],
    }),
    Known::new("boot-store", &[Refusal], || Words {
        title: text!("The boot store cannot be told where the recovery partition will begin"),
        means: text!(
            "On an MBR disk it has to be, and what is found in the store is damaged or not of the form that is known."
        ),
        causes: Vec::new(),
        next: vec![
            text!("Look at the store in Windows: `bcdedit /enum all`."),
            text!("If it is damaged, `bootrec /rebuildbcd` from installation media makes it anew."),
        ],
        sources: vec![on_disk(), decided("docs/adr/0010-mbr-and-boot-store.md")],
    }),
    Known::new("boot-store-dirty", &[Refusal], || Words {
        title: text!("Windows has not finished writing its boot store"),
        means: text!("A part of it is still in its logs. Writing to it now would lose that."),
        causes: vec![text!("Windows was not shut down fully.")],
        next: vec![text!(
            "Start that Windows, shut it down fully (`shutdown /s /t 0`), and run the command again."
        )],
        sources: vec![on_disk()],
    }),
    Known::new("active-recovery-partition", &[Refusal], || Words {
        title: text!("The machine starts from the recovery partition"),
        means: text!(
            "On an MBR disk the BIOS starts the active partition. Here that is the recovery partition, with Windows' boot manager in \
             it, and it would have to begin elsewhere. winrefit never changes what starts Windows itself."
        ),
        causes: vec![text!("Some computer makers put both into one partition.")],
        next: vec![
            text!(
                "Let Windows start from another partition: `bcdboot C:\\Windows /s C: /f BIOS` in Windows, then make C: active in \
                 `diskpart`."
            ),
            text!(
                "Unallocated space right behind the partition would be used as it is: that needs no new start."
            ),
        ],
        sources: vec![on_disk(), decided("docs/adr/0010-mbr-and-boot-store.md")],
    }),
    Known::new("no-slot", &[Refusal], || Words {
        title: text!("The partition table has no entry left"),
        means: text!("A recovery partition needs an entry of its own. An MBR has four, and all are in use."),
        causes: Vec::new(),
        next: vec![text!(
            "Remove a partition that nothing needs, or let WinRE stay on the Windows volume."
        )],
        sources: vec![on_disk()],
    }),
];
