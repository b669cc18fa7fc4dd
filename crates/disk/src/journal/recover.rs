//! Acting on a journal that was found: finishing its work, or undoing it.

use super::commit::write_header;
use super::find::load;
use super::images::{self, Image, Meter};
use super::recovery::{Content, Decision, Facts, decide};
use super::{Extent, Found, Header, JournalError, Progress, Stage, State};
use crate::{Device, FailStop, ReadAt};

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
    Ok(gather(device, found, disk_guid)?.0)
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
    let (decision, extents) = gather(&device, found, disk_guid)?;
    let mut header = found.header.clone();
    match decision {
        Decision::Done => Ok(Outcome::NothingToDo),
        Decision::Discard => {
            wipe(&mut device, &header, progress)?;
            Ok(Outcome::Discarded)
        }
        Decision::Resume => {
            images::apply(&mut device, &extents, Image::After, progress)?;
            write_header(&mut device, &mut header, State::Applied)?;
            Ok(Outcome::Completed)
        }
        Decision::FinishUndo => {
            restore(&mut device, &mut header, &extents, progress)?;
            Ok(Outcome::Undone)
        }
        Decision::StopOtherDisk => Err(other_disk(&device, &header)),
        Decision::StopForeignWrites { offset } => Err(JournalError::ForeignWrites { offset }),
        Decision::StopDamaged => Err(JournalError::DamagedBody {
            offset: header.body_offset,
        }),
    }
}

/// Whether [`undo`] would begin. Writes nothing; reads the body and all extents.
///
/// # Errors
/// [`JournalError::NotApplied`], [`JournalError::OtherDisk`], [`JournalError::DamagedBody`],
/// [`JournalError::ChangedSince`], [`JournalError::Disk`].
pub fn check_undo(
    device: &(impl ReadAt + ?Sized),
    found: &Found,
    disk_guid: Option<[u8; 16]>,
) -> Result<(), JournalError> {
    undoable(device, found, disk_guid).map(|_| ())
}

/// Puts the old content back and removes the journal, so that the device is bit for bit what it was.
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
    let extents = undoable(&device, found, disk_guid)?;
    let mut header = found.header.clone();
    write_header(&mut device, &mut header, State::Undoing)?;
    restore(&mut device, &mut header, &extents, progress)
}

/// The facts as far as the decision needs them, the decision, and the extents if they were read.
fn gather(
    device: &(impl ReadAt + ?Sized),
    found: &Found,
    disk_guid: Option<[u8; 16]>,
) -> Result<(Decision, Vec<Extent>), JournalError> {
    let header = &found.header;
    let same_disk = is_same_disk(device, header, disk_guid);
    let mut extents = Vec::new();
    let mut content = Content::Unknown;
    if same_disk && matches!(header.state, State::Committed | State::Undoing) {
        match load(device, header) {
            Ok(loaded) => {
                content = images::survey(device, &loaded, header.sector_size)?;
                extents = loaded;
            }
            Err(JournalError::DamagedBody { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let facts = Facts {
        state: header.state,
        same_disk,
        content,
    };
    Ok((decide(&facts).1, extents))
}

fn undoable(
    device: &(impl ReadAt + ?Sized),
    found: &Found,
    disk_guid: Option<[u8; 16]>,
) -> Result<Vec<Extent>, JournalError> {
    let header = &found.header;
    if header.state != State::Applied {
        return Err(JournalError::NotApplied { state: header.state });
    }
    if !is_same_disk(device, header, disk_guid) {
        return Err(other_disk(device, header));
    }
    let extents = load(device, header)?;
    let mut quiet = |_| ();
    let mut meter = Meter::new(&mut quiet, Stage::Verify, 0);
    match images::difference(device, &extents, Image::After, &mut meter)? {
        Some(offset) => Err(JournalError::ChangedSince {
            // Sectors are what undo writes, so a sector is what has changed.
            offset: offset - offset % header.sector_size.bytes(),
        }),
        None => Ok(extents),
    }
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

/// Writes the before-images, then removes the journal.
fn restore(
    device: &mut impl Device,
    header: &mut Header,
    extents: &[Extent],
    progress: &mut dyn FnMut(Progress),
) -> Result<(), JournalError> {
    images::apply(device, extents, Image::Before, progress)?;
    // From here on the body is not needed any more, and after a cut it may be half gone: "preparing" is the state
    // that says both.
    write_header(device, header, State::Preparing)?;
    wipe(device, header, progress)
}

/// Zeroes the body, then the header: as long as any of the body is left, the header says so.
fn wipe(
    device: &mut impl Device,
    header: &Header,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), JournalError> {
    let size = header.sector_size.bytes();
    let mut meter = Meter::new(progress, Stage::Wipe, header.wipe_len + size);
    images::write_zeros(device, header.body_offset, header.wipe_len, &mut meter)?;
    device.flush()?;
    images::write_zeros(device, header.header_offset, size, &mut meter)?;
    device.flush()?;
    Ok(())
}
