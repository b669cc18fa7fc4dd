//! Ctrl-C: ends the program at once, except while a commit is being written, which takes seconds and is finished first.

use crate::language::Language;
use crate::output;
use std::sync::atomic::{AtomicBool, Ordering};
use winrefit_disk::journal::Stage;
use winrefit_repair::commands::Progress;
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// What shells report for a program that was interrupted.
const INTERRUPTED: i32 = 130;

static MOVING: AtomicBool = AtomicBool::new(false);
static COMMITTING: AtomicBool = AtomicBool::new(false);
/// Whether a commit was begun; once it is not [`COMMITTING`] any more, it is done.
static COMMITTED: AtomicBool = AtomicBool::new(false);

/// Takes note of what is being done.
pub fn note(step: Progress) {
    let copies = |stage| stage == Stage::Compare;
    let moves = matches!(step, Progress::Moving { .. })
        || matches!(step, Progress::Committing(progress) if copies(progress.stage));
    MOVING.store(moves, Ordering::Relaxed);
    // Comparing the copies writes nothing.
    let writes = matches!(step, Progress::Committing(progress) if progress.stage != Stage::Compare);
    COMMITTING.store(writes, Ordering::Relaxed);
    COMMITTED.fetch_or(writes, Ordering::Relaxed);
}

/// From here on Ctrl-C is answered. Where that cannot be arranged it ends the program, as before; a commit that it
/// cuts is finished by `resume`.
pub fn arm(language: &'static Language) {
    let tell = |said: Text| output::tell(&format!("\n{}\n", language.say(said)));
    let _ = ctrlc::set_handler(move || {
        if COMMITTING.load(Ordering::Relaxed) {
            tell(text!(
                "The changes are being written; this is finished first, in a moment."
            ));
            return;
        }
        if COMMITTED.load(Ordering::Relaxed) {
            tell(text!(
                "Stopped after a commit. What was written is whole, and Windows and WinRE work: `winrefit diagnose` \
                 says how far the repair is, `winrefit fix` goes on with it, `winrefit undo` puts it back."
            ));
        } else if MOVING.load(Ordering::Relaxed) {
            tell(text!(
                "Stopped. Data was copied to free space only: the disk is as it was."
            ));
        }
        std::process::exit(INTERRUPTED);
    });
}
