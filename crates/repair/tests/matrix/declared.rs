//! What a log says of itself: its transactions, and whether each write was one that the journal had declared by then.

use super::common::compare::{in_use, table};
use std::ops::Range;
use winrefit_disk::journal::{self, Header, State, Transaction};
use winrefit_disk::{ByteRange, Device, Event, MemoryDevice, ReadAt};

/// One commit or one undo in a log.
pub struct Work {
    /// Its events, from what is copied beforehand on.
    pub events: Range<usize>,
    pub is_undo: bool,
    /// The header's write that makes it valid: "committed", or "undoing".
    pub record: usize,
    /// The header's write behind which no extent is written any more: "applied", or "preparing".
    pub done: usize,
    pub header: Header,
    /// What the journal writes behind its header until the record is valid: the leftovers of a longer one, too.
    pub cleared: ByteRange,
    pub transaction: Transaction,
    /// The disk before it.
    pub start: MemoryDevice,
}

/// The bytes that a header's write has, if it is one.
fn header_state(event: &Event, sector: u64) -> Option<u32> {
    match event {
        Event::Write { data, .. } if data.len() as u64 == sector && data[..8] == journal::MAGIC => {
            Some(u32::from_le_bytes(data[12..16].try_into().expect("four bytes")))
        }
        _ => None,
    }
}

fn range(event: &Event) -> Option<ByteRange> {
    match event {
        Event::Write { offset, data } => Some(ByteRange::new(*offset, offset + data.len() as u64)),
        Event::Flush => None,
    }
}

/// The works of a log, in their order.
///
/// # Errors
/// What is wrong with the order of the headers.
pub fn works(start: &MemoryDevice, events: &[Event]) -> Result<Vec<Work>, String> {
    let sector = start.sector_size().bytes();
    let (mut works, mut device, mut begin) = (Vec::new(), start.clone(), 0);
    let (mut before, mut record, mut done) = (start.clone(), None::<(usize, Header, Transaction)>, None);
    let (mut is_undo, mut prepared) = (false, None::<ByteRange>);
    for (at, event) in events.iter().enumerate() {
        if let Event::Write { offset, data } = event {
            device
                .write_at(*offset, data)
                .map_err(|error| error.to_string())?;
        }
        let state = header_state(event, sector);
        let offset = range(event).map_or(0, |range| range.start);
        let is_gone = is_undo
            && record
                .as_ref()
                .is_some_and(|(_, header, _)| header.header_offset == offset)
            && matches!(event, Event::Write { data, .. } if data.iter().all(|byte| *byte == 0));
        match state {
            Some(2 | 4) => {
                is_undo = state == Some(State::Undoing.number());
                let (header, transaction) = loaded(&device, offset)?;
                prepared = prepared.or(Some(header.gap()));
                record = Some((at, header, transaction));
            }
            Some(3) => done = Some(at),
            Some(1) if is_undo && record.is_some() => done = Some(at),
            Some(1) => prepared = Some(found(&device, offset)?.gap()),
            _ => {}
        }
        let is_end = is_gone || state == Some(State::Applied.number());
        if let (true, Some((record, header, transaction)), Some(done)) = (is_end, &record, done) {
            let end = (at + 2).min(events.len());
            works.push(Work {
                events: begin..end,
                is_undo,
                record: *record,
                done,
                header: header.clone(),
                cleared: prepared.unwrap_or(header.gap()),
                transaction: transaction.clone(),
                start: std::mem::replace(&mut before, device.clone()),
            });
            begin = end;
        }
        if is_end {
            (record, done, is_undo, prepared) = (None, None, false, None);
        }
    }
    match begin == events.len() && !works.is_empty() {
        true => Ok(works),
        false => Err(format!("the log ends at event {begin} of {}", events.len())),
    }
}

fn found(device: &MemoryDevice, offset: u64) -> Result<Header, String> {
    let whole = ByteRange::new(0, device.size());
    let found = journal::find(device, device.sector_size(), &[offset], whole);
    let found = found.map_err(|error| error.to_string())?;
    Ok(found.ok_or("a header that is none")?.header)
}

fn loaded(device: &MemoryDevice, offset: u64) -> Result<(Header, Transaction), String> {
    let header = found(device, offset)?;
    let transaction = journal::load(device, &header).map_err(|error| error.to_string())?;
    Ok((header, transaction))
}

/// The places that a commit copies data to beforehand.
pub fn copies(transaction: &Transaction) -> impl Iterator<Item = ByteRange> + '_ {
    let moves = transaction.moves.iter();
    moves.map(|m| ByteRange::new(m.to, m.to + m.length))
}

/// Holds every event of a work against what the journal has declared by then.
///
/// # Errors
/// The first write that breaks a rule, and the rule.
pub fn check(work: &Work, events: &[Event]) -> Result<(), String> {
    let sector = work.header.sector_size.bytes();
    let used = in_use(&work.start);
    let header = ByteRange::new(work.header.header_offset, work.header.header_offset + sector);
    let own = [work.cleared, work.header.body()];
    let partitions = partitions(&work.start);
    let flushed = |at: usize| events.get(at) == Some(&Event::Flush);
    let durable = (work.record..work.events.end).find(|at| flushed(*at));
    let durable = durable.ok_or("the record is never flushed")?;
    let mut last_phase = None;
    for at in work.events.clone() {
        let Some(written) = range(&events[at]) else {
            continue;
        };
        let fail = |rule: &str| Err(format!("event {at}, {written}: {rule}"));
        // A journal has what it had once only as long as nobody else does. Whether a volume uses the bytes by now is
        // no matter: the space is the partition's.
        let is_beside = written.overlaps(&work.cleared);
        if let Some(taken) = partitions.iter().find(|p| is_beside && p.overlaps(&written)) {
            return fail(&format!("the journal's gap is taken by the partition at {taken}"));
        }
        if written == header {
            let alone = at == 0 || flushed(at - 1);
            if !(alone && flushed(at + 1)) {
                return fail("a header that is not alone between two flushes");
            }
            continue;
        }
        if at > durable && at < work.done {
            let phase = phase_of(work, &events[at])
                .ok_or(format!("event {at}, {written}: no image of the journal"))?;
            let forward = last_phase.is_none_or(|last| (phase == last) || (phase > last) != work.is_undo);
            if !forward {
                return fail("the phases are not in their order");
            }
            let first = last_phase != Some(phase);
            if first && !flushed(at - 1) {
                return fail("two phases without a flush between them");
            }
            last_phase = Some(phase);
            continue;
        }
        if at < durable && !work.is_undo {
            let is_copy = copies(&work.transaction).any(|copy| copy.contains(&written));
            if !is_copy && !own.iter().any(|own| own.contains(&written)) {
                return fail("written in place before the commit record is durable");
            }
        }
        if at > work.done && !own.iter().any(|own| own.contains(&written)) {
            return fail("written behind the end of the work");
        }
        if let Some(used) = used.iter().find(|used| used.overlaps(&written) && !work.is_undo) {
            return fail(&format!("in use in the old state: {used}"));
        }
        if work.is_undo && at < durable && used.iter().any(|used| used.overlaps(&written)) {
            return fail("originals made anew in what is in use");
        }
    }
    Ok(())
}

fn partitions(disk: &MemoryDevice) -> Vec<ByteRange> {
    let found = table(disk);
    let entries = found.table.entries();
    entries
        .iter()
        .map(|entry| entry.range.bytes(found.sector_size))
        .collect()
}

/// Whether no work writes to a journal that an earlier one has left and that is still wanted.
///
/// # Errors
/// The first place that two share.
pub fn check_apart(works: &[Work]) -> Result<(), String> {
    let commits: Vec<&Work> = works.iter().filter(|work| !work.is_undo).collect();
    for (at, later) in commits.iter().enumerate() {
        let own = [later.header.gap(), later.header.body()];
        let taken = commits[..at]
            .iter()
            .flat_map(|work| [work.header.gap(), work.header.body()]);
        for taken in taken {
            let mut written = own.into_iter().chain(copies(&later.transaction));
            if let Some(written) = written.find(|written| written.overlaps(&taken)) {
                return Err(format!("{written}: an earlier journal lies there"));
            }
        }
    }
    Ok(())
}

/// The phase of which a write is an image, sector by sector: the after-image of a commit, the before-image of an undo.
fn phase_of(work: &Work, event: &Event) -> Option<u8> {
    let Event::Write { offset, data } = event else {
        return None;
    };
    let sector = work.header.sector_size.bytes() as usize;
    let is_image = |phase: u8| {
        data.chunks(sector).enumerate().all(|(index, bytes)| {
            let at = offset + (index * sector) as u64;
            let holds = |extent: &&journal::Extent| {
                let range = ByteRange::new(extent.offset, extent.offset + extent.after.len() as u64);
                extent.phase == phase && range.contains(&ByteRange::new(at, at + sector as u64))
            };
            let extent = work.transaction.extents.iter().find(holds);
            extent.is_some_and(|extent| {
                let image = if work.is_undo {
                    &extent.before
                } else {
                    &extent.after
                };
                let from = (at - extent.offset) as usize;
                image[from..from + sector] == *bytes
            })
        })
    };
    let mut phases: Vec<u8> = work
        .transaction
        .extents
        .iter()
        .map(|extent| extent.phase)
        .collect();
    phases.sort_unstable();
    phases.dedup();
    phases.into_iter().find(|phase| is_image(*phase))
}
