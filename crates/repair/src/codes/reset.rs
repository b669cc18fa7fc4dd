//! What a reset of Windows Update answers.

use super::Kind::{Finding, Refusal};
use super::{Known, Words, decided, on_disk};
use crate::text;
use crate::text::Text;

fn one_part(part: &'static str) -> Text {
    text!("Or reset the other part alone: add --only {part}.", part)
}

fn sources() -> Vec<Text> {
    vec![on_disk(), decided("docs/adr/0013-reset-update.md")]
}

pub(super) const ALL: &[Known] = &[
    Known::new("reset-will-not-help", &[Finding], || Words {
        title: text!("Resetting Windows Update does not touch the cause that was found"),
        means: text!(
            "A reset gives SoftwareDistribution and catroot2 new names and sets disabled services back. The records of this \
             Windows, or the disk, name another cause."
        ),
        causes: Vec::new(),
        next: vec![text!("Take the next step of the finding that is named.")],
        sources: sources(),
    }),
    Known::new("reset-may-help", &[Finding], || Words {
        title: text!("Resetting Windows Update may help"),
        means: text!(
            "A service that updates need is disabled, or updates fail and nothing on the disk says why."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "`winrefit reset-update`; `winrefit undo` takes it back until Windows starts."
        )],
        sources: sources(),
    }),
    Known::new("no-windows", &[Refusal], || Words {
        title: text!("There is no Windows to reset"),
        means: text!("Neither a registry nor a ReAgent.xml of a Windows was found there."),
        causes: Vec::new(),
        next: vec![text!(
            "`winrefit diagnose` lists every Windows with its partition."
        )],
        sources: sources(),
    }),
    Known::new("windows-not-named", &[Refusal], || Words {
        title: text!("Several Windows are on the disk, and none was named"),
        means: text!("One is reset at a time, so that an undo takes all of it back."),
        causes: Vec::new(),
        next: vec![text!("Name its partition with --windows.")],
        sources: sources(),
    }),
    Known::new("repair-half-done", &[Refusal], || Words {
        title: text!("The first of a repair's two commits is on the disk"),
        means: text!("Another change would replace the record that takes it back."),
        causes: Vec::new(),
        next: vec![text!(
            "`winrefit fix` completes the repair, `winrefit undo` takes it back."
        )],
        sources: sources(),
    }),
    Known::new("no-free-name", &[Refusal], || Words {
        title: text!("No name is left for a folder of Windows Update"),
        means: text!(
            "It gets a name that differs in the last character and comes next to it in the order of names, since that takes a \
             single write. All of these are taken, or another name has come between."
        ),
        causes: Vec::new(),
        next: vec![text!("Remove old ones in Windows."), one_part("services")],
        sources: sources(),
    }),
    Known::new("cannot-rename", &[Refusal], || Words {
        title: text!("A folder of Windows Update cannot be renamed"),
        means: text!(
            "Its names are spread over several file records or disagree, or its directory is damaged."
        ),
        causes: Vec::new(),
        next: vec![
            text!("Rename it in Windows' recovery environment."),
            one_part("services"),
        ],
        sources: sources(),
    }),
    Known::new("hive", &[Refusal], || Words {
        title: text!("The registry of Windows cannot be changed"),
        means: text!(
            "The hive SYSTEM is missing, damaged or compressed, or does not say what was read of it before."
        ),
        causes: Vec::new(),
        next: vec![one_part("folders")],
        sources: sources(),
    }),
    Known::new("hive-dirty", &[Refusal], || Words {
        title: text!("Windows has not finished writing its registry"),
        means: text!("What the hive says by now is in its log files, which only Windows may write into it."),
        causes: Vec::new(),
        next: vec![
            text!(
                "Start that Windows once, shut it down fully (shutdown /s /t 0), and run the command again."
            ),
            one_part("folders"),
        ],
        sources: sources(),
    }),
];
