//! The event logs of a lab Windows: the ordinary, and among it what its past tells.

use crate::evidence::{EvidenceSpec, LogState};
use crate::evtx::{Event, LogName, LogWriter, NEW_LOG_BYTES};
use crate::identity::COMPUTER;
use crate::time::{DAY, HOUR, MINUTE};
use crate::{events, software::WindowsRelease};
use winrefit_ntfs::format::FileData;

/// Ordinary events of a System.evtx and an Application.evtx, unless a size is wished.
const SYSTEM_EVENTS: u64 = 300;
const APPLICATION_EVENTS: u64 = 40;
/// Ordinary events are spread over so many days, the last of which is the newest thing that happened.
const SPAN: u64 = 40 * DAY;
/// More bytes than an ordinary event has, so that a wished size is not exceeded before all else is told.
const EVENT_BYTES_MAX: u64 = 700;
/// The largest log that is made; it lies in memory for a while.
const WISHED_BYTES_MAX: u64 = 1 << 30;
/// Unit in which a wished size is reached.
const CHUNK: u64 = 64 << 10;

/// `System.evtx`, and `None` if it is not there. With `size_bytes` it has as many events as fit that.
pub(crate) fn system(
    evidence: &EvidenceSpec,
    release: &WindowsRelease,
    size_bytes: Option<u64>,
) -> Option<FileData> {
    let dirty = match evidence.system_log {
        LogState::Missing => return None,
        LogState::Dirty => true,
        LogState::Sound | LogState::Truncated(_) => false,
    };
    let now = newest(evidence);
    let mut events = events::start_of_windows(now - SPAN - HOUR, release.build);
    let of_past = evidence
        .past
        .iter()
        .filter(|past| !events::is_application(&past.what));
    events.extend(of_past.flat_map(events::of));
    let wished = size_bytes.unwrap_or(0).min(WISHED_BYTES_MAX);
    let count = SYSTEM_EVENTS.max(wished / EVENT_BYTES_MAX);
    events.extend(spread(count, now).map(|(number, time)| events::everyday(number, time)));
    let mut writer = written("System", dirty, events);
    // What remains of a wished size was written later.
    let mut number = count;
    while writer.size_bytes() < wished / CHUNK * CHUNK {
        writer.push(&events::everyday(number, now + DAY + (number - count) * MINUTE));
        number += 1;
    }
    let bytes = writer.finish();
    Some(match evidence.system_log {
        LogState::Truncated(kept_bytes) => {
            let kept_bytes = bytes.len().min(kept_bytes as usize);
            FileData::Bytes(bytes[..kept_bytes].to_vec())
        }
        _ => padded(bytes),
    })
}

/// `Application.evtx`.
pub(crate) fn application(evidence: &EvidenceSpec) -> FileData {
    let of_past = evidence
        .past
        .iter()
        .filter(|past| events::is_application(&past.what));
    let mut events: Vec<Event> = of_past.flat_map(events::of).collect();
    let ordinary = spread(APPLICATION_EVENTS, newest(evidence));
    events.extend(ordinary.map(|(number, time)| events::everyday_application(number, time)));
    padded(written("Application", false, events).finish())
}

/// When Windows ran last.
pub(crate) fn newest(evidence: &EvidenceSpec) -> u64 {
    let past = evidence.past.iter().map(|past| past.time);
    let lines = evidence.lines.iter().map(|lines| lines.time);
    past.chain(lines)
        .fold(evidence.last_run, |last, time| last.max(time + HOUR))
}

/// Numbers and times of `count` events up to `now`.
fn spread(count: u64, now: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..count).map(move |number| (number, now - SPAN + SPAN / count * number))
}

/// A log of these events in the order of their times.
fn written(channel: &'static str, dirty: bool, mut events: Vec<Event>) -> LogWriter {
    events.sort_by_key(|event| event.time);
    let name = LogName {
        channel,
        computer: COMPUTER,
    };
    let mut writer = LogWriter::new(name, dirty);
    events.iter().for_each(|event| writer.push(event));
    writer
}

/// A log in a file as large as Windows makes it; unused chunks are zero.
fn padded(bytes: Vec<u8>) -> FileData {
    FileData::Zeroed {
        size: NEW_LOG_BYTES.max(bytes.len() as u64),
        pieces: vec![(0, bytes)],
    }
}
