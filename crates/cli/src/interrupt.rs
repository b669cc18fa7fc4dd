//! Requests to stop: Ctrl-C, the end of the session, `kill`. The program ends at once, except while changes are being
//! written through the journal: that takes seconds and is finished first.

use crate::language::Language;
use crate::output;
use crate::unfinished;
use std::sync::{Mutex, MutexGuard, PoisonError};
use winrefit_disk::journal::Stage;
use winrefit_repair::commands::Progress;
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// What shells report for a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// How far a command is with a disk that is not its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No disk is open for writing.
    Reading,
    /// One is; nothing has been written.
    Preparing,
    /// Data is being copied to free space.
    Copying,
    /// Changes are being written through the journal.
    Committing,
    /// They are; what follows reads, or prepares the next ones.
    Committed,
    /// The report is written: what is left is to end.
    Finished,
}

/// A command that writes to a disk that is not its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// `fix`.
    Fix,
    /// `reset-update`.
    Reset,
    /// `undo`.
    Undo,
    /// `resume`.
    Resume,
}

struct State {
    phase: Phase,
    work: Option<Work>,
    is_asked_to_stop: bool,
    language: Option<&'static Language>,
}

/// Held while the program ends, too: nothing more is begun then.
static STATE: Mutex<State> = Mutex::new(State {
    phase: Phase::Reading,
    work: None,
    is_asked_to_stop: false,
    language: None,
});

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on requests to stop are answered. Where that cannot be arranged they end the program, as before; a commit
/// that they cut is finished by `resume`.
pub fn arm(language: &'static Language) {
    state().language = Some(language);
    listen(|| asked(&mut state()));
}

/// A disk is about to be opened for writing, by this command.
pub fn writing(work: Work) {
    let mut state = state();
    (state.phase, state.work) = (Phase::Preparing, Some(work));
}

/// The report is whole and stays: the command ends as one that was not stopped.
pub fn finished() {
    state().phase = Phase::Finished;
}

/// Takes note of what is being done. Ends the program if it was asked to stop and may by now.
pub fn note(step: Progress) {
    let mut state = state();
    state.phase = match (state.phase, step) {
        (before @ (Phase::Reading | Phase::Finished), _) => before,
        // Comparing the copies writes nothing, and neither does reading the extents before them.
        (before, Progress::Committing(progress)) if progress.stage == Stage::Compare => before,
        (_, Progress::Committing(_)) => Phase::Committing,
        (Phase::Committing | Phase::Committed, _) => Phase::Committed,
        (_, Progress::Moving { .. }) => Phase::Copying,
        (before, _) => before,
    };
    if state.is_asked_to_stop && state.phase == Phase::Committed {
        stop(&state);
    }
}

fn asked(state: &mut State) {
    match state.phase {
        Phase::Committing => {
            state.is_asked_to_stop = true;
            let finished_first = text!("The changes are being written; this is finished first, in a moment.");
            tell(state, finished_first);
        }
        Phase::Finished => {}
        _ => stop(state),
    }
}

fn stop(state: &State) -> ! {
    if let Some(work) = state.work {
        let said = words(state.phase, work);
        said.into_iter().for_each(|said| tell(state, said));
    }
    unfinished::remove_all();
    std::process::exit(INTERRUPTED);
}

/// How a stopped command has left the disk, and what goes on from there.
fn words(phase: Phase, work: Work) -> Option<Text> {
    Some(match (phase, work) {
        (Phase::Reading | Phase::Committing | Phase::Finished, _) => return None,
        (Phase::Preparing | Phase::Copying, Work::Resume) => text!(
            "Stopped. Nothing that is in use was written. Work that was unfinished still is: run `winrefit resume` \
             before anything else."
        ),
        (Phase::Preparing, _) => text!("Stopped. Nothing was written."),
        (Phase::Copying, _) => {
            text!("Stopped. Data was copied to free space only: the disk is as it was.")
        }
        (Phase::Committed, Work::Fix) => text!(
            "Stopped after a commit. What was written is whole, and Windows and WinRE work: `winrefit verify` shows what the disk \
             is now, `winrefit fix` goes on if the repair takes another commit, `winrefit undo` puts it back."
        ),
        (Phase::Committed, Work::Reset) => text!(
            "Stopped after a commit. What was written is whole: the reset is made, and `winrefit undo` puts it back."
        ),
        (Phase::Committed, Work::Undo) => text!(
            "Stopped after a commit. What was put back is whole, and Windows and WinRE work: `winrefit diagnose` says \
             whether a part of the repair is left, and then `winrefit undo` puts that back, too."
        ),
        (Phase::Committed, Work::Resume) => text!(
            "Stopped after a commit. The interrupted work is at its end, and Windows and WinRE work: `winrefit \
             diagnose` says what the disk is now, and what to do next."
        ),
    })
}

fn tell(state: &State, said: Text) {
    if let Some(language) = state.language {
        output::tell(&format!("\n{}\n", language.say(said)));
    }
}

/// Calls `asked` for each request, on a thread of its own.
#[cfg(unix)]
fn listen(mut asked: impl FnMut() + Send + 'static) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    // What whoever started the program wants to be ignored stays so: `nohup` does that.
    let ignored = ignored_signals();
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter();
    let wanted = wanted.filter(move |signal| ignored & (1 << (signal - 1)) == 0);
    // Taking a signal over without anyone to answer it would swallow it, so the thread is there first and does it.
    let (ready, is_ready) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().name("signals".to_owned());
    let spawned = thread.spawn(move || {
        let Ok(mut signals) = Signals::new(wanted) else {
            return;
        };
        let _ = ready.send(());
        signals.forever().for_each(|_| asked());
    });
    if spawned.is_ok() {
        // An error is a thread that has given up: nothing was taken over.
        let _ = is_ready.recv();
    }
}

/// A bit for each signal that is ignored, the lowest for signal 1 (proc_pid_status(5), `SigIgn`). None where it cannot be
/// read.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(not(unix))]
fn listen(asked: impl FnMut() + Send + 'static) {
    let _ = ctrlc::set_handler(asked);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Work; 4] = [Work::Fix, Work::Reset, Work::Undo, Work::Resume];

    fn said(phase: Phase, work: Work) -> String {
        words(phase, work).map_or(String::new(), |said| said.to_string())
    }

    #[test]
    fn what_was_put_back_is_not_offered_to_be_undone() {
        for work in ALL {
            let said = said(Phase::Committed, work);
            assert!(said.starts_with("Stopped after a commit."), "{said}");
            let can_be_undone = matches!(work, Work::Fix | Work::Reset);
            assert_eq!(
                said.contains("`winrefit undo` puts it back"),
                can_be_undone,
                "{said}"
            );
            assert_eq!(said.contains("`winrefit fix`"), work == Work::Fix, "{said}");
        }
    }

    #[test]
    fn a_stopped_resume_says_that_work_is_unfinished() {
        for work in ALL {
            for phase in [Phase::Preparing, Phase::Copying] {
                let said = said(phase, work);
                assert!(said.starts_with("Stopped."), "{said}");
                assert_eq!(
                    said.contains("run `winrefit resume`"),
                    work == Work::Resume,
                    "{said}"
                );
            }
        }
    }
}
