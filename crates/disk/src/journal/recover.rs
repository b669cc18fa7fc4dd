//! Acting on a journal that was found: finishing its work, or undoing it.

use super::commit::write_header;
use super::find::{check, load};
use super::images::{self, Meter};
use super::recovery::{Content, Copies, Decision, Facts, decide};
use super::versions::{Image, Survey};
use super::{Found, Header, JournalError, Progress, Stage, State, Transaction, copies};
use crate::{ByteRange, Device, FailStop, ReadAt};

/// What [`resume`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: the work was finished.
    NothingToDo,
    /// The old state was in place; the journal was removed.
    Discarded,
    /// The new state is in place.
    Completed,
    /// The old state is in place again; the journal was removed.
    Undone,
}

/// What [`resume`] would do. Writes nothing. `disk_guid` is the GPT disk GUID in on-disk byte order, `None` where it
/// cannot be read: then it is not compared.
///
/// # Errors
/// [`JournalError::Disk`].
pub fn assess(
    device: &(impl ReadAt + ?Sized),
    found: &Found,
    disk_guid: Option<[u8; 16]>,
) -> Result<Decision, JournalError> {
    Ok(inspect(device, found, disk_guid, &mut |_| ())?.decision)
}

/// What is to be seen of a journal's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// What [`resume`] would do.
    pub decision: Decision,
    /// What the touched sectors hold, as far as that was looked at.
    pub content: Content,
    /// Which of the two states is there, although something else may have written to touched sectors.
    pub whole: Option<Whole>,
}

/// A state that is wholly in place, with what was written to it since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// Nothing of the new state is: [`super::discard()`] can remove the journal.
    Old,
    /// Nothing of the new state is missing: [`super::keep()`] can call the work done.
    New,
}

/// What [`resume`] would do, and what the touched sectors hold. Writes nothing.
///
/// # Errors
/// [`JournalError::Disk`].
pub fn inspect(
    device: &(impl ReadAt + ?Sized),
    found: &Found,
    disk_guid: Option<[u8; 16]>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Seen, JournalError> {
    let known = gather(device, found, disk_guid, progress)?;
    Ok(Seen {
        decision: known.decision,
        content: known.content(),
        whole: known.whole(),
    })
}

/// Finishes what a cut left: completes or discards a commit, completes an undo.
///
/// # Errors
/// [`JournalError::OtherDisk`], [`JournalError::ForeignWrites`] and [`JournalError::DamagedBody`] before anything is
/// written; [`JournalError::Disk`] and [`JournalError::ReadBack`] as in [`super::commit()`], after which resuming again is right.
pub fn resume(
    device: &mut impl Device,
    found: &Found,
    disk_guid: Option<[u8; 16]>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Outcome, JournalError> {
    let mut device = FailStop::new(device);
    let known = gather(&device, found, disk_guid, progress)?;
    let mut header = found.header.clone();
    if matches!(known.decision, Decision::Resume | Decision::FinishUndo) {
        // What was seen may be what a killed process has written and never flushed; what follows relies on it.
        device.flush()?;
    }
    match known.decision {
        Decision::Done => Ok(Outcome::NothingToDo),
        Decision::Discard => {
            let is_body_ours = known.survey.is_some();
            Meter::new(progress, Stage::Wipe, header.gap().len());
            if is_body_ours {
                write_header(&mut device, &mut header, State::Preparing)?;
            }
            wipe(&mut device, &header, is_body_ours, progress)?;
            Ok(Outcome::Discarded)
        }
        Decision::Resume => {
            let rest = (
                Image::After,
                known.survey.and_then(|survey| survey.first_to_write),
            );
            let versions = check(&known.transaction, &header, device.size())?;
            images::apply(
                &mut device,
                (&known.transaction.extents, &versions),
                rest,
                progress,
            )?;
            write_header(&mut device, &mut header, State::Applied)?;
            Ok(Outcome::Completed)
        }
        Decision::FinishUndo => {
            let last = known.survey.and_then(|survey| survey.last_to_undo);
            restore(&mut device, &mut header, &known.transaction, last, progress)?;
            Ok(Outcome::Undone)
        }
        stop => Err(stopped(&device, &header, stop)),
    }
}

/// Why nothing is written.
pub(super) fn stopped(device: &(impl ReadAt + ?Sized), header: &Header, decision: Decision) -> JournalError {
    match decision {
        Decision::StopOtherDisk => other_disk(device, header),
        Decision::StopForeignWrites { offset } => JournalError::ForeignWrites { offset },
        Decision::StopDamaged => JournalError::DamagedBody {
            offset: header.body_offset,
        },
        _ => JournalError::NotDiscardable { state: header.state },
    }
}

/// Whether [`undo`] would begin. Writes nothing; reads the body, all extents, and both ends of all moves.
///
/// # Errors
/// [`JournalError::NotApplied`], [`JournalError::OtherDisk`], [`JournalError::UndoOverwritten`],
/// [`JournalError::ChangedSince`], [`JournalError::Disk`].
pub fn check_undo(
    device: &(impl ReadAt + ?Sized),
    found: &Found,
    disk_guid: Option<[u8; 16]>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), JournalError> {
    undoable(device, found, disk_guid, progress).map(|_| ())
}

/// Puts the old content back and removes the journal, so that the device is bit for bit what it was. Only where the
/// body lay in free clusters, those are zeros then; and copies that were made before the commit stay where they are.
///
/// # Errors
/// Those of [`check_undo`] before anything is written; [`JournalError::Disk`] and [`JournalError::ReadBack`] later,
/// after which [`resume`] is right.
pub fn undo(
    device: &mut impl Device,
    found: &Found,
    disk_guid: Option<[u8; 16]>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), JournalError> {
    let mut device = FailStop::new(device);
    let transaction = undoable(&device, found, disk_guid, progress)?;
    let mut header = found.header.clone();
    // Whoever may stop the program has to know before the first write.
    Meter::new(progress, Stage::Apply, 0);
    write_header(&mut device, &mut header, State::Undoing)?;
    restore(&mut device, &mut header, &transaction, Some(u8::MAX), progress)
}

/// What is known of a journal.
pub(super) struct Known {
    pub(super) decision: Decision,
    /// Empty if it was not needed or is damaged.
    transaction: Transaction,
    /// What the touched sectors hold, if the transaction was read: then the body is ours.
    survey: Option<Survey>,
}

impl Known {
    pub(super) fn content(&self) -> Content {
        self.survey.map_or(Content::Unknown, |survey| survey.content)
    }

    /// See [`Seen::whole`].
    pub(super) fn whole(&self) -> Option<Whole> {
        let survey = self.survey?;
        match (survey.none_written, survey.all_written) {
            (true, false) => Some(Whole::Old),
            (false, true) => Some(Whole::New),
            _ => None,
        }
    }
}

/// The facts as far as the decision needs them, and the decision.
pub(super) fn gather(
    device: &(impl ReadAt + ?Sized),
    found: &Found,
    disk_guid: Option<[u8; 16]>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Known, JournalError> {
    let header = &found.header;
    let same_disk = is_same_disk(device, header, disk_guid);
    let mut transaction = Transaction::default();
    let (mut survey, mut copies) = (None::<Survey>, Copies::Intact);
    if same_disk && matches!(header.state, State::Committed | State::Undoing) {
        match load(device, header) {
            Ok(loaded) => {
                let versions = check(&loaded, header, device.size())?;
                let seen = versions.survey(device, header.sector_size)?;
                if !matches!(seen.content, Content::Foreign { .. }) {
                    let torn = copies::first_torn(device, &versions, &loaded.moves, progress)?;
                    copies = torn.map_or(Copies::Intact, |torn| Copies::Torn {
                        offset: sector_of(torn.to, header),
                    });
                }
                survey = Some(seen);
                transaction = loaded;
            }
            Err(JournalError::DamagedBody { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let facts = Facts {
        state: header.state,
        same_disk,
        content: survey.map_or(Content::Unknown, |survey| survey.content),
        copies,
    };
    Ok(Known {
        decision: decide(&facts).1,
        transaction,
        survey,
    })
}

fn undoable(
    device: &(impl ReadAt + ?Sized),
    found: &Found,
    disk_guid: Option<[u8; 16]>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Transaction, JournalError> {
    let header = &found.header;
    if header.state != State::Applied {
        return Err(JournalError::NotApplied { state: header.state });
    }
    if !is_same_disk(device, header, disk_guid) {
        return Err(other_disk(device, header));
    }
    let transaction = load(device, header).map_err(|error| match error {
        JournalError::DamagedBody { offset } => JournalError::UndoOverwritten { offset },
        error => error,
    })?;
    let versions = check(&transaction, header, device.size())?;
    let mut quiet = |_| ();
    let mut meter = Meter::new(&mut quiet, Stage::Verify, 0);
    let mut changed = versions.difference(device, Image::After, &mut meter)?;
    if changed.is_none() {
        let torn = copies::first_torn(device, &versions, &transaction.moves, progress)?;
        changed = torn.map(|torn| torn.to);
    }
    match changed {
        Some(offset) => Err(JournalError::ChangedSince {
            offset: sector_of(offset, header),
        }),
        None => Ok(transaction),
    }
}

/// Sectors are what is written, so a sector is what has changed.
fn sector_of(offset: u64, header: &Header) -> u64 {
    offset - offset % header.sector_size.bytes()
}

fn is_same_disk(device: &(impl ReadAt + ?Sized), header: &Header, disk_guid: Option<[u8; 16]>) -> bool {
    header.device_len == device.size() && disk_guid.is_none_or(|guid| guid == header.disk_guid)
}

fn other_disk(device: &(impl ReadAt + ?Sized), header: &Header) -> JournalError {
    JournalError::OtherDisk {
        journal_len: header.device_len,
        device_len: device.size(),
    }
}

/// Writes the before-images from phase `last` downwards, then removes the journal, whose body has been read.
fn restore(
    device: &mut impl Device,
    header: &mut Header,
    transaction: &Transaction,
    last: Option<u8>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), JournalError> {
    let versions = check(transaction, header, device.size())?;
    let rest = (Image::Before, last);
    images::apply(device, (&transaction.extents, &versions), rest, progress)?;
    // From here on the body is not needed any more, and after a cut it may be half gone: "preparing" is the state
    // that says both.
    write_header(device, header, State::Preparing)?;
    wipe(device, header, true, progress)
}

/// Zeroes the body, then the header: as long as any of it is left in the gap, the header says so. In free clusters it
/// is left alone unless it was just found to be ours: the old state is in place, and may have been used since a cut.
fn wipe(
    device: &mut impl Device,
    header: &Header,
    is_body_ours: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), JournalError> {
    let gap = header.gap();
    let behind = gap.start + header.sector_size.bytes();
    let body = match header.is_body_in_gap() || !is_body_ours {
        true => ByteRange::new(behind, behind),
        false => header.body(),
    };
    let mut meter = Meter::new(progress, Stage::Wipe, gap.len() + body.len());
    images::write_zeros(device, ByteRange::new(behind, gap.end), &mut meter)?;
    images::write_zeros(device, body, &mut meter)?;
    device.flush()?;
    images::write_zeros(device, ByteRange::new(gap.start, behind), &mut meter)?;
    device.flush()?;
    Ok(())
}
