//! What `reagentc` says: `Operation failed: X`, where X is a Win32 code in hexadecimal digits without `0x`. Microsoft
//! explains none of them for reagentc; the causes are those that people met.

use super::Kind::WindowsCode;
use super::winre::enable_anew;
use super::{Known, Words, machines, microsoft, reports};
use crate::text;
use crate::text::Text;

/// The meaning of a code, with what reagentc writes down.
fn means(meaning: Text) -> Text {
    Text::sentences([
        meaning,
        text!("reagentc shows codes of Windows in hexadecimal digits. Logs\\ReAgent\\ReAgent.log has more."),
    ])
}

/// Where this is known from.
fn known_from() -> Vec<Text> {
    vec![microsoft("System error codes"), reports()]
}

pub(super) const ALL: &[Known] = &[
    Known::new("reagentc 2", &[WindowsCode], || Words {
        title: text!("reagentc: file not found"),
        means: means(text!("It found no place for the image, or not the image.")),
        causes: vec![
            text!(
                "There is no recovery partition, it has another type, or it is too small; and C: is encrypted, so that it cannot go there."
            ),
            text!("Winre.wim is not in C:\\Windows\\System32\\Recovery."),
        ],
        next: vec![
            text!("`winrefit diagnose` shows the partition, its room, and where images are."),
            text!("Cure what it names, and run `reagentc /enable` again."),
        ],
        sources: known_from(),
    }),
    Known::new("reagentc 3", &[WindowsCode], || Words {
        title: text!("reagentc: path not found"),
        means: means(text!(
            "A path that was given, or that is written in ReAgent.xml, is not there for it."
        )),
        causes: vec![text!(
            "A typing error; or VeraCrypt system encryption, which hides the volume from it."
        )],
        next: vec![text!("Check the path; with VeraCrypt, decrypt first.")],
        sources: known_from(),
    }),
    Known::new("reagentc 5", &[WindowsCode], || Words {
        title: text!("reagentc: access denied"),
        means: means(text!("It may not do that.")),
        causes: vec![text!("The Command Prompt is not one of an administrator.")],
        next: vec![text!(
            "Open Command Prompt with \"Run as administrator\", and run it again."
        )],
        sources: known_from(),
    }),
    Known::new("reagentc d", &[WindowsCode], || Words {
        title: text!("reagentc: invalid data"),
        means: means(text!("ReAgent.xml or the boot store is damaged or empty.")),
        causes: Vec::new(),
        next: vec![
            text!("Keep a copy of C:\\Windows\\System32\\Recovery\\ReAgent.xml, and rename it."),
            text!("`reagentc /enable` then writes a new one."),
            text!("If it fails the same way, look at the boot store: `bcdedit /enum all`."),
        ],
        sources: known_from(),
    }),
    Known::new("reagentc 57", &[WindowsCode], || Words {
        title: text!("reagentc: invalid parameter"),
        means: means(text!("This build of Windows does not know that option.")),
        causes: Vec::new(),
        next: vec![text!("`reagentc /?` shows what it knows.")],
        sources: known_from(),
    }),
    Known::new("reagentc 70", &[WindowsCode], || Words {
        title: text!("reagentc: the volume is full"),
        means: means(text!("The image does not fit where it shall go.")),
        causes: vec![
            text!("`/disable` moves it to C:, and C: is full."),
            text!(
                "`/enable` or a changed image: the recovery partition needs the size of the image and 52 MiB more."
            ),
        ],
        next: vec![
            text!("If it was `/disable`: free space on C:."),
            text!("Else make room in the recovery partition: `winrefit plan`, then `winrefit fix`."),
        ],
        sources: vec![microsoft("System error codes"), machines(), reports()],
    }),
    Known::new("reagentc b7", &[WindowsCode], || Words {
        title: text!("reagentc: it exists already"),
        means: means(text!(
            "An entry of the boot store that it wants to make is there."
        )),
        causes: vec![text!("Old entries were left when partitions were made anew.")],
        next: enable_anew(),
        sources: known_from(),
    }),
    Known::new("reagentc c1", &[WindowsCode], || Words {
        title: text!("reagentc: not a valid program"),
        means: means(text!(
            "A file that it loads is damaged or of another kind of processor."
        )),
        causes: Vec::new(),
        next: vec![text!(
            "`sfc /scannow` in Windows, as administrator; then try again."
        )],
        sources: vec![microsoft("System error codes")],
    }),
    Known::new("reagentc 4c7", &[WindowsCode], || Words {
        title: text!("reagentc: cancelled"),
        means: means(text!("It does not work while Windows is being set up.")),
        causes: vec![text!(
            "Windows is in audit mode, in its first start, or before or after sysprep."
        )],
        next: vec![text!("Finish Setup; WinRE is enabled at its end.")],
        sources: known_from(),
    }),
    Known::new("reagentc 3bc3", &[WindowsCode], || Words {
        title: text!("reagentc: seen in Windows PE"),
        means: means(text!(
            "The code is not explained anywhere for reagentc; it was met where it was run in Windows PE."
        )),
        causes: Vec::new(),
        next: vec![text!("Start the Windows that it is about, and run it there.")],
        sources: vec![reports()],
    }),
    Known::new("reagentc c142011c", &[WindowsCode], || Words {
        title: text!("reagentc: an error of the image tools"),
        means: means(text!(
            "It comes from the part of Windows that works on images, and was met with options that an old build does not know well."
        )),
        causes: Vec::new(),
        next: vec![
            text!("Look at ReAgent.log for what it did last."),
            text!("Update Windows, and try again."),
        ],
        sources: vec![reports()],
    }),
];
