//! What an undo has to do, known as a whole before any of it is done.

use super::originals::Originals;
use super::parts::{Part, first_of};
use super::result::{Way, check_undo, if_read, staged};
use super::{Progress, ProgressSink};
use crate::error::RepairError;
use crate::observation::Observation;
use crate::observe::unreadable::Attentive;
use crate::observe::{Depth, observe};
use crate::refusal::Refusal;
use crate::text;
use crate::text::Text;
use winrefit_disk::ReadAt;
use winrefit_disk::journal::{self, Found, JournalError};

/// The journals to undo, the newest first, each with what has to be made anew before.
pub(super) struct WayBack(pub(super) Vec<(Originals, Found)>);

/// The way back from the repair that `newest` is the journal of, if the disk at its end was found to be whole. Nothing is
/// written.
///
/// # Errors
/// [`RepairError`]; the inner one says why the repair cannot be undone.
pub(super) fn way_back(
    disk: &dyn ReadAt,
    observation: &Observation,
    newest: Found,
    progress: ProgressSink<'_>,
) -> Result<Result<WayBack, Refusal>, RepairError> {
    let watched = Attentive::new(disk);
    match collect(&watched, observation, newest, progress) {
        Ok(way) => if_read(watched, way),
        Err(RepairError::Journal(JournalError::ChangedSince { offset })) => {
            let place = place_of(observation, offset);
            Ok(Err(Refusal::ChangedSince { offset, place }))
        }
        Err(RepairError::Journal(
            JournalError::UndoOverwritten { .. } | JournalError::DamagedBody { .. },
        )) => Ok(Err(Refusal::UndoOverwritten)),
        Err(error) => Err(error),
    }
}

fn collect(
    disk: &dyn ReadAt,
    observation: &Observation,
    newest: Found,
    progress: ProgressSink<'_>,
) -> Result<Result<WayBack, Refusal>, RepairError> {
    let guid = Some(observation.table.id.to_bytes());
    let now = (disk, observation);
    match Part::of(&newest.header) {
        Part::Whole => {
            journal::check_undo(disk, &newest, guid, &mut |step| {
                progress(Progress::Committing(step))
            })?;
            let old = staged(disk, &newest.header, Way::Back)?;
            let judged = check_undo(now, &[(&newest, &old)], progress)?;
            Ok(judged.map(|()| WayBack(vec![(Originals::default(), newest)])))
        }
        Part::First => {
            let originals = first(disk, observation, &newest, progress)?;
            let view = originals.view(disk, observation.sector_size)?;
            let old = staged(&view, &newest.header, Way::Back)?;
            let judged = check_undo(now, &[(&newest, &old)], progress)?;
            Ok(judged.map(|()| WayBack(vec![(originals, newest)])))
        }
        Part::Second => {
            journal::check_undo(disk, &newest, guid, &mut |step| {
                progress(Progress::Committing(step))
            })?;
            let staged_middle = staged(disk, &newest.header, Way::Back)?;
            let middle = &staged_middle.disk;
            let known = observe(middle, Some(observation.sector_size), Depth::Quick)?;
            let offset = newest.header.header_offset;
            let first_part = first_of(middle, &known, &newest)?;
            let first_part = first_part.ok_or(JournalError::UndoOverwritten { offset })?;
            let originals = first(middle, &known, &first_part, progress)?;
            let view = originals.view(middle, observation.sector_size)?;
            let old = staged(&view, &first_part.header, Way::Back)?;
            let judged = check_undo(now, &[(&newest, &staged_middle), (&first_part, &old)], progress)?;
            Ok(judged.map(|()| WayBack(vec![(Originals::default(), newest), (originals, first_part)])))
        }
    }
}

/// Whether a first part can be undone, and what that takes besides.
fn first(
    disk: &dyn ReadAt,
    observation: &Observation,
    found: &Found,
    progress: ProgressSink<'_>,
) -> Result<Originals, RepairError> {
    let originals = Originals::of(disk, observation, found)?;
    let view = originals.view(disk, observation.sector_size)?;
    let mut compare = |step| progress(Progress::Committing(step));
    journal::check_undo(&view, found, Some(observation.table.id.to_bytes()), &mut compare)?;
    Ok(originals)
}

impl WayBack {
    /// What was done once it was gone.
    pub(super) fn text(&self) -> Text {
        let mut all = self.0.iter().map(|(_, found)| found);
        if all.clone().any(|found| found.header.move_count > 0) {
            text!(
                "The repair was put back: whatever is in use on the disk is bit for bit what it was before. Free \
                 space keeps the copies of the data that had moved."
            )
        } else if all.all(|found| found.header.is_body_in_gap()) {
            text!("The repair was put back; the disk is bit for bit what it was before.")
        } else {
            text!(
                "The repair was put back; the disk is bit for bit what it was before, but for the free clusters that \
                 held the record of it."
            )
        }
    }
}

/// Where a byte of the disk is, in words.
pub(super) fn place_of(observation: &Observation, offset: u64) -> Text {
    let inside = observation
        .partitions
        .iter()
        .find(|p| p.range.start <= offset && offset < p.range.end);
    inside.map_or_else(
        || text!("in the partition table, or in unallocated space"),
        |p| {
            text!(
                "in partition {number}, byte {byte} of it",
                number = p.number,
                byte = offset - p.range.start
            )
        },
    )
}
