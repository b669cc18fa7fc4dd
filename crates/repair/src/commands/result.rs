//! What the work of a journal would leave, judged before it is done: the disk may have been used since.
//!
//! The journal knows the sectors that it writes and the copies that it relies on. Windows may have written to others
//! since: files into clusters that another volume is to get, or into a volume whose $MFT is there twice. And what an
//! undo goes back to may lie in clusters that are free by now. Only the result as a whole shows that.

use super::parts::was_sound;
use super::way_back::place_of;
use super::{Progress, ProgressSink};
use crate::error::RepairError;
use crate::observation::{Content, Observation, Partition};
use crate::observe::unreadable::Attentive;
use crate::observe::{Depth, observe};
use crate::plan::at_rest::check_volume;
use crate::refusal::Refusal;
use crate::text;
use crate::text::Text;
use crate::verify::check_partition;
use std::cmp::Reverse;
use winrefit_disk::journal::{self, Decision, Found, Header, Whole};
use winrefit_disk::{ByteRange, Device, Extent, Overlay, ReadAt, ReadWindow};
use winrefit_ntfs::check::{CheckLevel, Severity, path_of};
use winrefit_ntfs::{AttributeType, NtfsError, RecordNumber, Volume};

/// Bytes of $STANDARD_INFORMATION up to the time of the last access: created, written, record changed.
const TIMES_BYTES: usize = 24;
/// The first file that is not NTFS's own.
const FIRST_FILE: u64 = 24;

/// Which of its images a journal writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The new state is made.
    Forward,
    /// The old state is put back.
    Back,
}

/// A disk with the images of a journal in their places.
pub(super) struct Staged<'d> {
    pub(super) disk: Overlay<&'d dyn ReadAt>,
    written: Written,
}

/// What is known of the writes that lead to a result.
#[derive(Debug)]
struct Written {
    touched: Vec<ByteRange>,
    /// Whether a warning of a volume can only be a new one.
    was_sound: bool,
}

/// How a resume goes on.
#[derive(Debug)]
pub(super) enum Onward {
    /// As the journal has it.
    AsRecorded,
    /// The journal is removed, since nothing of its work is in place. The text says why the work is not done, unless the
    /// journal itself says that it is to be removed.
    Discard(Option<Text>),
    /// The journal says that its work is done, since all of it is in place. The text says why it is not gone on with.
    Keep(Text),
}

/// How a resume goes on so that nothing is lost of what was written since the cut. Nothing is written.
///
/// # Errors
/// [`RepairError`]; the inner one says why the work is not gone on with.
pub(super) fn check_resume(
    disk: &dyn ReadAt,
    observation: &Observation,
    found: &Found,
    progress: ProgressSink<'_>,
) -> Result<Result<Onward, Refusal>, RepairError> {
    let (guid, header) = (observation.table.id.to_bytes(), &found.header);
    let mut compare = |step| progress(Progress::Committing(step));
    let seen = journal::inspect(disk, found, Some(guid), &mut compare)?;
    let way = match (seen.decision, seen.content) {
        // Nothing but the journal's own place is written, so there is nothing to judge.
        (Decision::Discard, _) | (Decision::FinishUndo, journal::Content::Before) => {
            let onward = match place_is_free(observation, header.gap(), header) {
                Ok(()) => Ok(Onward::AsRecorded),
                Err(_) => header_is_free(observation, header).map(|()| Onward::Discard(None)),
            };
            return Ok(onward);
        }
        // What is missing is the header's sector.
        (Decision::Resume, journal::Content::After) => {
            return Ok(header_is_free(observation, header).map(|()| Onward::AsRecorded));
        }
        (Decision::Resume, _) => Way::Forward,
        (Decision::FinishUndo, _) => Way::Back,
        (Decision::StopForeignWrites { offset }, _) if seen.whole.is_some() => {
            let why = text!(
                "Byte {offset} of the disk ({place}) was changed by something else.",
                offset,
                place = place_of(observation, offset)
            );
            return Ok(match is_whole(disk, observation, header, progress)? {
                true => header_is_free(observation, header).map(|()| ended(seen.whole, why)),
                false => Ok(Onward::AsRecorded),
            });
        }
        // The journal stops by itself, or has nothing to do.
        _ => return Ok(Ok(Onward::AsRecorded)),
    };
    let refusal = match judge_resume(disk, observation, (header, way), progress)? {
        Ok(()) => return Ok(Ok(Onward::AsRecorded)),
        Err(refusal) => of_resume(refusal),
    };
    let why = refusal.report().explained.detail;
    Ok(match header_is_free(observation, header) {
        Err(_) => Err(refusal),
        Ok(()) if seen.whole.is_some() => Ok(ended(seen.whole, why)),
        Ok(()) => Err(refusal),
    })
}

/// Whether the volumes that the work touches are without a fault as they are. Where something else has written, sectors can
/// look as before the work, because a file was deleted whose data had moved: then something is left over.
fn is_whole(
    disk: &dyn ReadAt,
    observation: &Observation,
    header: &Header,
    progress: ProgressSink<'_>,
) -> Result<bool, RepairError> {
    let watched = Attentive::new(disk);
    let Written { touched, was_sound } = written(header, &journal::load(&watched, header)?.extents);
    let mut whole = was_sound;
    for partition in observation.partitions.iter().filter(|p| is_touched(p, &touched)) {
        progress(Progress::Checking {
            partition: partition.number,
        });
        whole &= match partition.content {
            Content::Ntfs(_) if whole => {
                let (report, _) =
                    check_partition(&watched, observation.sector_size, partition, CheckLevel::Full)?;
                report.count_of(Severity::Error) + report.count_of(Severity::Warning) == 0
            }
            Content::DamagedNtfs(_) => false,
            _ => whole,
        };
    }
    match watched.into_failed().into_values().next() {
        Some(error) => Err(error.into()),
        None => Ok(whole),
    }
}

/// One of the two states is in place, with what was written to it since: nothing is lost if the work ends there.
fn ended(whole: Option<Whole>, why: Text) -> Onward {
    match whole {
        Some(Whole::New) => Onward::Keep(why),
        Some(Whole::Old) | None => Onward::Discard(Some(why)),
    }
}

fn judge_resume(
    disk: &dyn ReadAt,
    observation: &Observation,
    (header, way): (&Header, Way),
    progress: ProgressSink<'_>,
) -> Result<Result<(), Refusal>, RepairError> {
    let is_free = match way {
        Way::Forward => header_is_free(observation, header),
        Way::Back => place_is_free(observation, header.gap(), header),
    };
    if let Err(refusal) = is_free {
        return Ok(Err(refusal));
    }
    let watched = Attentive::new(disk);
    let result = staged(&watched, header, way)?;
    let judged = judge((&watched, observation), &result.disk, &result.written, progress)?;
    drop(result);
    if_read(watched, judged)
}

/// On a disk between two states the advice is another one.
fn of_resume(refusal: Refusal) -> Refusal {
    let problem = refusal.report().explained.title;
    match refusal {
        Refusal::UndoWouldDamage { number, problem } => Refusal::ResumeWouldDamage { number, problem },
        Refusal::Dirty { .. } => Refusal::ResumeNotAtRest {
            problem,
            is_dirty: true,
        },
        Refusal::Hibernated { .. } | Refusal::UncleanLog { .. } => Refusal::ResumeNotAtRest {
            problem,
            is_dirty: false,
        },
        refusal => refusal,
    }
}

/// A refusal, unless sectors could not be read: then nobody knows.
pub(super) fn if_read<T>(
    watched: Attentive<'_>,
    judged: Result<T, Refusal>,
) -> Result<Result<T, Refusal>, RepairError> {
    match (judged, watched.into_failed().into_values().next()) {
        (Err(_), Some(error)) => Err(error.into()),
        (judged, _) => Ok(judged),
    }
}

/// Whether an undo would lose nothing of what was written since the repair. `undone` are the journals, the oldest last, each
/// with the disk that undoing it leaves.
pub(super) fn check_undo(
    now: (&dyn ReadAt, &Observation),
    undone: &[(&Found, &Staged<'_>)],
    progress: ProgressSink<'_>,
) -> Result<Result<(), Refusal>, RepairError> {
    let mut written = Written {
        touched: Vec::new(),
        // Each part tells of the volumes that it changes alone.
        was_sound: undone.iter().all(|(_, staged)| staged.written.was_sound),
    };
    for (found, staged) in undone {
        if let Err(refusal) = place_is_free(now.1, found.header.gap(), &found.header) {
            return Ok(Err(refusal));
        }
        written.touched.extend(&staged.written.touched);
    }
    match undone.last() {
        Some((_, result)) => judge(now, &result.disk, &written, progress),
        None => Ok(Ok(())),
    }
}

pub(super) fn staged<'d>(disk: &'d dyn ReadAt, header: &Header, way: Way) -> Result<Staged<'d>, RepairError> {
    let mut extents = journal::load(disk, header)?.extents;
    match way {
        Way::Forward => extents.sort_by_key(|extent| extent.phase),
        Way::Back => extents.sort_by_key(|extent| Reverse(extent.phase)),
    }
    let mut result = Overlay::new(disk, header.sector_size);
    for extent in &extents {
        let image = match way {
            Way::Forward => &extent.after,
            Way::Back => &extent.before,
        };
        result.write_at(extent.offset, image)?;
    }
    Ok(Staged {
        disk: result,
        written: written(header, &extents),
    })
}

fn written(header: &Header, extents: &[Extent]) -> Written {
    let range = |extent: &Extent| {
        let length = extent.after.len() as u64;
        ByteRange::new(extent.offset, extent.offset + length)
    };
    Written {
        touched: extents.iter().map(range).collect(),
        was_sound: was_sound(header),
    }
}

/// The gap of a journal was unallocated before and after its repair. A partition that lies there is a new one, and is
/// not to be filled with zeros.
fn place_is_free(observation: &Observation, place: ByteRange, header: &Header) -> Result<(), Refusal> {
    let taken = observation.partitions.iter().find(|p| p.range.overlaps(&place));
    taken.map_or(Ok(()), |partition| {
        Err(Refusal::JournalPlaceTaken {
            number: partition.number,
            offset: header.header_offset,
        })
    })
}

/// The same of the one sector that cannot be left behind.
fn header_is_free(observation: &Observation, header: &Header) -> Result<(), Refusal> {
    let end = header.header_offset + header.sector_size.bytes();
    place_is_free(observation, ByteRange::new(header.header_offset, end), header)
}

fn judge(
    (disk, observation): (&dyn ReadAt, &Observation),
    result: &dyn ReadAt,
    written: &Written,
    progress: ProgressSink<'_>,
) -> Result<Result<(), Refusal>, RepairError> {
    let touched = &written.touched;
    if let Err(refusal) = at_rest(observation, touched) {
        return Ok(Err(refusal));
    }
    let after = observe(result, Some(observation.sector_size), Depth::Quick)?;
    for partition in &after.partitions {
        let now = observation.partition(partition.number);
        let is_same_place = now.is_some_and(|now| now.range == partition.range);
        if is_same_place && !is_touched(partition, touched) {
            continue;
        }
        progress(Progress::Checking {
            partition: partition.number,
        });
        let disks = [(disk, observation), (result, &after)];
        let mut problem = problem_of(disks, (now, partition), written.was_sound)?;
        // A volume that gets another place altogether is copied, and the journal compares copies with originals.
        let has_new_front = |now: &&Partition| {
            now.range.start != partition.range.start && now.range.overlaps(&partition.range)
        };
        if let Some(now) = now.filter(has_new_front).filter(|_| problem.is_none()) {
            problem = changed_file((disk, now.range), (result, partition.range));
        }
        if let Some(problem) = problem {
            let number = partition.number;
            return Ok(Err(Refusal::UndoWouldDamage { number, problem }));
        }
    }
    Ok(Ok(()))
}

fn is_touched(partition: &Partition, touched: &[ByteRange]) -> bool {
    touched.iter().any(|range| range.overlaps(&partition.range))
}

/// A Windows that is hibernated, or was not shut down, goes on with what it remembers: of its volume, and where the work
/// changes the partition table, of that. What cannot be read is no reason here: a cut may have left a record half written.
fn at_rest(observation: &Observation, touched: &[ByteRange]) -> Result<(), Refusal> {
    let is_windows = |p: &Partition| observation.windows.iter().any(|w| w.partition == p.number);
    let is_in_volume = |range: &ByteRange| observation.partitions.iter().any(|p| p.range.contains(range));
    let is_table_touched = !touched.iter().all(is_in_volume);
    let concerned = observation
        .partitions
        .iter()
        .filter(|p| is_table_touched && is_windows(p) || is_touched(p, touched));
    for partition in concerned {
        if let Err(
            refusal @ (Refusal::Hibernated { .. } | Refusal::Dirty { .. } | Refusal::UncleanLog { .. }),
        ) = check_volume(partition)
        {
            return Err(refusal);
        }
    }
    Ok(())
}

/// What would be wrong with a volume of the result, and is not wrong with it now.
fn problem_of(
    [(disk, before), (result, after)]: [(&dyn ReadAt, &Observation); 2],
    (now, partition): (Option<&Partition>, &Partition),
    was_sound: bool,
) -> Result<Option<Text>, RepairError> {
    let now = now.filter(|now| now.ntfs().is_some());
    match (&partition.content, now) {
        (Content::Ntfs(_), _) => {
            let counts = |severity| severity == Severity::Error || was_sound && severity == Severity::Warning;
            let (report, _) = check_partition(result, after.sector_size, partition, CheckLevel::Full)?;
            let mut found = report
                .counts
                .iter()
                .filter(|(code, _)| counts(code.severity()))
                .peekable();
            if found.peek().is_none() {
                return Ok(None);
            }
            let old = match now {
                Some(now) => Some(check_partition(disk, before.sector_size, now, CheckLevel::Full)?.0),
                None => None,
            };
            let old = |code| old.as_ref().map_or(0, |old| old.count(code));
            let new = found.find(|&(&code, &count)| count > old(code));
            Ok(new.map(|(code, _)| {
                let told = report.problems.iter().find(|problem| problem.code == *code);
                told.map_or_else(|| Text::raw(code.meaning()), Text::quoted)
            }))
        }
        (Content::DamagedNtfs(error), Some(_)) => Ok(Some(Text::quoted(error))),
        (other, Some(_)) => Ok(Some(text!(
            "its first sector would be that of: {found}",
            found = other.text()
        ))),
        _ => Ok(None),
    }
}

/// A file that is not the same in two places of one volume. A volume that cannot be read has none: its own check says
/// more.
fn changed_file(
    (disk, now): (&dyn ReadAt, ByteRange),
    (result, after): (&dyn ReadAt, ByteRange),
) -> Option<Text> {
    let now = Volume::open(ReadWindow::new(disk, now).ok()?).ok()?;
    let after = Volume::open(ReadWindow::new(result, after).ok()?).ok()?;
    let last = now.records().max(after.records());
    let record = (FIRST_FILE..last)
        .map(RecordNumber)
        .find(|&record| look(&now, record).ok() != look(&after, record).ok())?;
    let path = path_of(&now, record).or_else(|_| path_of(&after, record));
    Some(match path {
        Ok(path) => text!("{path} was added, changed or removed since", path),
        Err(_) => text!(
            "the file of record {record} was added, changed or removed since",
            record = record.0
        ),
    })
}

/// What changes with a file whenever a driver changes it, and not when its volume gets another place: its sequence number,
/// names, times, and the length of its data. `None` for what is no file.
type Look = Option<(u16, Vec<(u64, String)>, Vec<u8>, Option<u64>)>;

fn look<R: ReadAt>(volume: &Volume<R>, record: RecordNumber) -> Result<Look, NtfsError> {
    if record.0 >= volume.records() {
        return Ok(None);
    }
    let base = match volume.read_record(record) {
        Ok(base) if base.is_in_use() && base.base().is_none() => base,
        // Records that were never used have no signature.
        _ => return Ok(None),
    };
    let times = base
        .find(AttributeType::STANDARD_INFORMATION, "")?
        .and_then(|attribute| attribute.value()?.get(..TIMES_BYTES).map(<[u8]>::to_vec))
        .unwrap_or_default();
    let file = volume.file(record)?;
    let names = file.names()?;
    let names = names
        .iter()
        .map(|name| (name.parent.record.0, name.display_name()))
        .collect();
    let length = file.stream(AttributeType::DATA, "")?.map(|stream| stream.len());
    Ok(Some((base.sequence(), names, times, length)))
}
