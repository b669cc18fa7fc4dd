//! Exit codes of winrefit.

use super::Kind::ExitCode;
use super::{Known, Words, decided};
use crate::text;
use crate::text::Text;

fn own() -> Vec<Text> {
    vec![decided("docs/adr/0005-answers-and-exit-codes.md")]
}

pub(super) const ALL: &[Known] = &[
    Known::new("exit 0", &[ExitCode], || Words {
        title: text!("Healthy, or done"),
        means: text!("The verdict is healthy, repaired or undone; nothing is left to do."),
        causes: Vec::new(),
        next: vec![text!("Nothing.")],
        sources: own(),
    }),
    Known::new("exit 1", &[ExitCode], || Words {
        title: text!("An error of input or output, or an internal one"),
        means: text!(
            "The command could not be carried out. With --format json, error.code says which error it was."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "Do what the message says, or `winrefit explain` that code."
        )],
        sources: own(),
    }),
    Known::new("exit 2", &[ExitCode], || Words {
        title: text!("The command line was not understood, or an answer is needed"),
        means: text!(
            "An option or name is wrong, a partition is not there or not one that the command is for, or a question was open and nobody \
             was there. Nothing was written."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "`winrefit help` and the command with --help show what it takes; --yes answers the question."
        )],
        sources: own(),
    }),
    Known::new("exit 3", &[ExitCode], || Words {
        title: text!("Something has to be repaired"),
        means: text!("The verdict is needs-repair: a finding is one that a command of winrefit cures."),
        causes: Vec::new(),
        next: vec![text!("`winrefit plan` says what winrefit can do.")],
        sources: own(),
    }),
    Known::new("exit 4", &[ExitCode], || Words {
        title: text!("Refused; nothing was written"),
        means: text!(
            "A repair would be needed, or was asked for, and is not safe or not possible. refusal.code says why."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "Do what the refusal says, or `winrefit explain` its code; then run the command again."
        )],
        sources: own(),
    }),
    Known::new("exit 5", &[ExitCode], || Words {
        title: text!("Earlier work on the disk is unfinished"),
        means: text!(
            "The journal on the disk tells of work that was begun. Until it is completed or discarded nothing else is done."
        ),
        causes: Vec::new(),
        next: vec![text!("Run `winrefit resume`. Do not start Windows before.")],
        sources: own(),
    }),
    Known::new("exit 6", &[ExitCode], || Words {
        title: text!("A structure on the disk is damaged"),
        means: text!("A volume, the recovery volume that is gone, or a copy of the partition table."),
        causes: Vec::new(),
        next: vec![text!("Keep a copy of the disk, and do what the finding says.")],
        sources: own(),
    }),
    Known::new("exit 7", &[ExitCode], || Words {
        title: text!("Needs attention: winrefit has nothing to do, and a person has"),
        means: text!("WinRE is disabled, its image is gone, or something else that only Windows can cure."),
        causes: Vec::new(),
        next: vec![text!(
            "Do what the finding says in Windows; then run `winrefit diagnose` again."
        )],
        sources: own(),
    }),
    Known::new("exit 130", &[ExitCode], || Words {
        title: text!("Stopped by Ctrl-C, or by another request to end"),
        means: text!(
            "The end of a session (SIGHUP) and `kill` (SIGTERM) are such requests. The disk is the old one, or a repair in two commits \
             is half done and whole as it is, or the work is done and was not looked at afterwards. Changes that are being written \
             are finished first."
        ),
        causes: Vec::new(),
        next: vec![text!(
            "`winrefit diagnose` says how far it is; `fix` goes on, `undo` puts it back, `resume` is asked for if it is due."
        )],
        sources: own(),
    }),
];
