//! resume and undo: acting on a journal that is on the disk.

use super::originals::Originals;
use super::parts::Part;
use super::result::{Onward, check_resume};
use super::way_back::{place_of, way_back};
use super::{Progress, ProgressSink, build, is_begun};
use crate::diagnose;
use crate::error::RepairError;
use crate::observation::Observation;
use crate::observe::{Depth, observe};
use crate::refusal::Refusal;
use crate::report::{Report, Verdict, VolumeCheck};
use crate::target::Target;
use crate::text;
use crate::text::Text;
use crate::verify;
use winrefit_disk::journal::{self, Found, JournalError, Outcome, State};
use winrefit_disk::{ByteRange, Device};

/// Completes or discards interrupted work.
///
/// # Errors
/// [`RepairError`]; a journal that cannot be used is one.
pub fn resume<D: Device>(target: &mut Target<D>, progress: ProgressSink<'_>) -> Result<Report, RepairError> {
    let observation = observe(target.disk(), target.reported, Depth::Quick)?;
    let Some(found) = observation.journal.clone()? else {
        return after("resume", target, Verdict::Healthy, None);
    };
    let onward = match check_resume(target.disk(), &observation, &found, progress)? {
        Ok(onward) => onward,
        Err(refusal) => {
            let text = text!("The record of the interrupted work.");
            let mut report = refused("resume", target, Some((&found, text)), &refusal)?;
            // Nothing was written, but the disk is no finished one.
            report.verdict = Verdict::Unfinished;
            return Ok(report);
        }
    };
    let outcome = carry_out(target, (&observation, &found), &onward, progress)?;
    let why = match onward {
        Onward::AsRecorded => None,
        Onward::Discard(why) => why,
        Onward::Keep(why) => Some(why),
    };
    progress(Progress::Verifying);
    let (verdict, text) = match (outcome, Part::of(&found.header)) {
        (Outcome::Completed, Part::First) => (
            Verdict::NeedsRepair,
            text!(
                "The first of the repair's two parts was completed: there is room for the recovery partition now. Run \
                 `winrefit fix` for the second one, or `winrefit undo` to put the first one back."
            ),
        ),
        (Outcome::Discarded, Part::Second) => (
            Verdict::NeedsRepair,
            text!(
                "The second of the repair's two parts had been interrupted before it changed anything; its journal \
                 was removed. Run `winrefit fix` to make it, or `winrefit undo` to put the first one back."
            ),
        ),
        (Outcome::NothingToDo, Part::First) => (
            Verdict::NeedsRepair,
            text!(
                "The undo of the first of the repair's two parts had been interrupted before it changed anything. Run `winrefit \
                 fix` for the second one, or `winrefit undo` to put the first one back."
            ),
        ),
        (Outcome::NothingToDo, _) if why.is_some() => (
            Verdict::Repaired,
            text!("The undo had been interrupted before it changed anything; the repair stays as it is."),
        ),
        (Outcome::Undone, Part::Second) => (
            Verdict::Undone,
            text!(
                "The interrupted undo was completed for the second of the repair's two parts. Run `winrefit undo` to \
                 put the first one back, too."
            ),
        ),
        (outcome, _) => of_one(outcome),
    };
    let text = match why {
        Some(why) => ended(outcome, why, text),
        None => text,
    };
    match verdict {
        Verdict::Healthy => after("resume", target, verdict, Some((&found, text))),
        _ => proven("resume", target, verdict, (&found, text)),
    }
}

/// Ends the work of a journal in that way.
fn carry_out<D: Device>(
    target: &mut Target<D>,
    (observation, found): (&Observation, &Found),
    onward: &Onward,
    progress: ProgressSink<'_>,
) -> Result<Outcome, RepairError> {
    let guid = Some(observation.table.id.to_bytes());
    let is_undo = found.header.state == State::Undoing;
    let (device, tell) = (&mut target.device, &mut |p| progress(Progress::Committing(p)));
    let done = match onward {
        Onward::AsRecorded => journal::resume(device, found, guid, tell),
        Onward::Discard(_) => {
            let taken: Vec<ByteRange> = observation.partitions.iter().map(|p| p.range).collect();
            let outcome = if is_undo {
                Outcome::Undone
            } else {
                Outcome::Discarded
            };
            journal::discard(device, found, guid, &taken, tell).map(|()| outcome)
        }
        Onward::Keep(_) => {
            // Of an undo nothing is done then.
            let outcome = if is_undo {
                Outcome::NothingToDo
            } else {
                Outcome::Completed
            };
            journal::keep(device, found, guid, tell).map(|()| outcome)
        }
    };
    done.map_err(|error| match error {
        JournalError::ForeignWrites { offset } => RepairError::UsedSince {
            offset,
            place: place_of(observation, offset),
        },
        error => RepairError::of_writing(error, || is_begun(target)),
    })
}

/// Why work was not gone on with, before what that means.
fn ended(outcome: Outcome, why: Text, text: Text) -> Text {
    let used = match outcome {
        Outcome::Completed | Outcome::Undone => text!(
            "The disk was used since the work was interrupted. All of it was in place by then, and what was written since is \
             kept."
        ),
        Outcome::Discarded | Outcome::NothingToDo => text!(
            "The disk was used since the work was interrupted, and going on with it could have done harm. What was written \
             since is kept."
        ),
    };
    Text::sentences([used, why, text])
}

/// What the end of interrupted work means where a repair had one part, or this was its last.
fn of_one(outcome: Outcome) -> (Verdict, Text) {
    match outcome {
        Outcome::NothingToDo => (Verdict::Healthy, text!("There was no unfinished work.")),
        Outcome::Completed => (Verdict::Repaired, text!("The interrupted repair was completed.")),
        Outcome::Discarded => (
            Verdict::Undone,
            text!("The repair had been interrupted before it changed anything; its journal was removed."),
        ),
        Outcome::Undone => (
            Verdict::Undone,
            text!("The interrupted undo was completed; the disk is as before the repair."),
        ),
    }
}

/// Puts the last repair back, if `ask` agrees, as long as nothing else has changed the sectors since.
///
/// # Errors
/// [`RepairError`].
pub fn undo<D: Device>(
    target: &mut Target<D>,
    ask: &mut dyn FnMut(&Report) -> bool,
    progress: ProgressSink<'_>,
) -> Result<Report, RepairError> {
    let observation = observe(target.disk(), target.reported, Depth::Quick)?;
    let Some(found) = observation.journal.clone()? else {
        return refused("undo", target, None, &Refusal::NothingToUndo);
    };
    if found.is_unfinished() {
        let text = text!("Work on this disk was interrupted. Run `winrefit resume` first.");
        return after("undo", target, Verdict::Unfinished, Some((&found, text)));
    }
    let way = match way_back(target.disk(), &observation, found.clone(), progress)? {
        Ok(way) => way,
        Err(refusal) => {
            let text = text!("The record of the last repair.");
            return refused("undo", target, Some((&found, text)), &refusal);
        }
    };
    let guid = observation.table.id.to_bytes();
    let text = text!("Every sector that the repair changed is as it left it, so it can be put back.");
    let question = after("undo", target, Verdict::Repaired, Some((&found, text)))?;
    if !ask(&question) {
        return Ok(question);
    }
    for (turn, step) in way.0.iter().enumerate() {
        if turn > 0 {
            // Between two parts nothing is half written.
            progress(Progress::Verifying);
        }
        put_back(target, step, guid, progress).map_err(|error| match turn {
            0 => error,
            // What is unfinished says enough.
            _ if error.is_unfinished() => error,
            _ => RepairError::HalfUndone(Box::new(error)),
        })?;
    }
    progress(Progress::Verifying);
    proven("undo", target, Verdict::Undone, (&found, way.text()))
}

/// Puts one part of a repair back.
fn put_back<D: Device>(
    target: &mut Target<D>,
    (originals, part): &(Originals, Found),
    guid: [u8; 16],
    progress: ProgressSink<'_>,
) -> Result<(), RepairError> {
    originals.restore(&mut target.device, &mut |done_bytes, total_bytes| {
        progress(Progress::Moving {
            done_bytes,
            total_bytes,
        });
    })?;
    journal::undo(&mut target.device, part, Some(guid), &mut |p| {
        progress(Progress::Committing(p))
    })
    .map_err(|error| RepairError::of_writing(error, || is_begun(target)))
}

/// The report on the disk after work on it: with proof, and `verdict` only if nothing is damaged.
fn proven<D: Device>(
    command: &'static str,
    target: &Target<D>,
    verdict: Verdict,
    journal: (&Found, Text),
) -> Result<Report, RepairError> {
    prove(command, target, verdict, journal).map_err(|error| RepairError::Unverified(Box::new(error)))
}

fn prove<D: Device>(
    command: &'static str,
    target: &Target<D>,
    verdict: Verdict,
    journal: (&Found, Text),
) -> Result<Report, RepairError> {
    let observation = observe(target.disk(), target.reported, Depth::Full)?;
    let mut report = report_on(&observation, command, &target.name, verdict, Some(journal));
    let diagnosis = diagnose::diagnose(&observation, None);
    // An undone repair leaves the lack of space that it was for.
    let recovery = diagnosis.recovery.filter(|_| verdict == Verdict::Repaired);
    let (items, checks) = verify::verify_disk(target.disk(), &observation, recovery)?;
    // An undo gives back a damaged copy of the table, too.
    let table_damaged = match verdict {
        Verdict::Undone => observation.table.changeable.is_err(),
        _ => !observation.table.is_whole(),
    };
    if table_damaged || checks.iter().any(VolumeCheck::is_damaged) {
        report.verdict = Verdict::Damaged;
    }
    (report.verification, report.checks) = (items, checks);
    Ok(report)
}

/// The report on the disk as it is now.
fn after<D: Device>(
    command: &'static str,
    target: &Target<D>,
    verdict: Verdict,
    journal: Option<(&Found, Text)>,
) -> Result<Report, RepairError> {
    let observation = observe(target.disk(), target.reported, Depth::Quick)?;
    Ok(report_on(&observation, command, &target.name, verdict, journal))
}

fn report_on(
    observation: &Observation,
    command: &'static str,
    target: &str,
    verdict: Verdict,
    journal: Option<(&Found, Text)>,
) -> Report {
    let diagnosis = diagnose::diagnose(observation, None);
    let mut report = build::of_diagnosis(command, target, observation, diagnosis);
    report.journal =
        journal.map(|(found, text)| build::journal(found, observation.sector_size.bytes(), text));
    // What is told is the journal that was acted on, in the state that it is in by now.
    if let (Some(journal), Ok(now)) = (&mut report.journal, &observation.journal) {
        journal.state = now
            .as_ref()
            .map_or("removed", |found| found.header.state.as_str());
    }
    report.verdict = verdict;
    report
}

fn refused<D: Device>(
    command: &'static str,
    target: &Target<D>,
    journal: Option<(&Found, Text)>,
    refusal: &Refusal,
) -> Result<Report, RepairError> {
    let mut report = after(command, target, Verdict::Refused, journal)?;
    report.refusal = Some(refusal.report());
    Ok(report)
}
