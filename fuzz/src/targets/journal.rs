//! The journal: a device on which the power was cut anywhere in a commit or undo, with damage in what the journal has
//! written, or with a journal made up by somebody.

use super::input::{Input, change};
use crate::journal_case::{Case, GUID, SECTOR, moving, plain};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;
use winrefit_disk::journal::{self, Found, JournalError};
use winrefit_disk::recording::replay;
use winrefit_disk::{ByteRange, Device, Event, MemoryDevice, Metered, ReadAt, Recording, SectorSize};

/// What is tried: a case, and the writes of its commit and of its undo.
struct Tried {
    case: Case,
    events: Vec<Event>,
}

fn tried() -> &'static [Tried] {
    static CASES: OnceLock<Vec<Tried>> = OnceLock::new();
    CASES.get_or_init(|| {
        [plain(), moving()]
            .into_iter()
            .map(|case| {
                let (device, mut events) = case.committed(&case.base);
                let found = case.find(&device).expect("a journal was written");
                let mut undone = Recording::new(device);
                journal::undo(&mut undone, &found, Some(GUID), &mut |_| ()).expect("undo works");
                events.extend(undone.into_parts().1);
                Tried { case, events }
            })
            .collect()
    })
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(field) = bytes.get_mut(at..at + value.len()) {
        field.copy_from_slice(value);
    }
}

fn number(bytes: &[u8], at: usize) -> usize {
    let field = bytes.get(at..at + 8).and_then(|field| field.try_into().ok());
    u64::from_le_bytes(field.unwrap_or_default()) as usize
}

/// Sets the checksum of the body and that of the header, as docs/formats/journal.md has them.
fn seal(disk: &mut [u8], header: usize) {
    let (body, length) = (number(disk, header + 72), number(disk, header + 80));
    if let Some(body) = disk.get(body..body.saturating_add(length)) {
        let sum = Sha256::digest(body);
        put(disk, header + 104, &sum);
    }
    let sum = crc32fast::hash(&disk[header..header + 508]);
    put(disk, header + 508, &sum.to_le_bytes());
}

fn find(device: &MemoryDevice, case: &Case) -> Result<Option<Found>, JournalError> {
    let within = ByteRange::new(SECTOR, device.size());
    journal::find(device, SectorSize::B512, &[case.gap.start], within)
}

/// The target: reading never writes, what fails has written nothing, and damage alone never makes anything but the old
/// or the new content.
pub fn journal(data: &[u8]) {
    let mut input = Input(data);
    let which = input.number(1) as usize;
    let Tried { case, events } = &tried()[which & 1];
    let is_sealed = which & 2 != 0;
    let cut = input.below(events.len() + 1);
    let mut device = case.base.clone();
    replay(&mut device, &events[..cut]).expect("the writes of a commit");
    let places = [case.gap, case.place.body, ByteRange::new(0, device.size())];
    let disk = device.bytes_mut();
    let mut is_damaged = false;
    for _ in 0..8 {
        if input.is_empty() {
            break;
        }
        let header = case.gap.start as usize;
        let place = places[input.below(if is_sealed { 4 } else { 2 }).min(2)];
        // Most of what decides lies at the front of each.
        let length = [place.len(), 512, 128][input.below(3)].min(place.len());
        let start = place.start as usize;
        change(&mut input, &mut disk[start..start + length as usize]);
        is_damaged = true;
        if is_sealed {
            seal(disk, header);
        }
    }
    let before = device.clone();
    let Ok(Some(found)) = find(&device, case) else {
        return;
    };
    let _ = (
        journal::assess(&device, &found, Some(GUID)),
        journal::load(&device, &found.header),
    );
    let is_undoable = journal::check_undo(&device, &found, Some(GUID), &mut |_| ()).is_ok();
    let mut metered = Metered::new(device);
    let resumed = journal::resume(&mut metered, &found, Some(GUID), &mut |_| ());
    let written = metered.writes();
    let device = metered.into_inner();
    if let Err(error) = &resumed {
        assert!(
            written == 0 || !is_refusal(error),
            "{error} after {written} writes"
        );
    }
    if !is_sealed {
        judge(case, (&before, &device), resumed.is_ok(), is_damaged);
    }
    let mut device = before;
    if is_undoable {
        journal::undo(&mut device, &found, Some(GUID), &mut |_| ()).expect("it was said to be possible");
        assert!(
            is_sealed || case.outside(&device) == case.old_content(),
            "undone, and not the old content"
        );
    }
    let _ = device.flush();
}

/// Whether an error is an answer that is given before the first write.
fn is_refusal(error: &JournalError) -> bool {
    !matches!(error, JournalError::Disk(_) | JournalError::ReadBack { .. })
}

fn judge(case: &Case, (before, after): (&MemoryDevice, &MemoryDevice), is_done: bool, is_damaged: bool) {
    let (old, new) = (case.old_content(), case.new_content());
    let outside = case.outside(after);
    if is_done {
        assert!(
            outside == old || outside == new,
            "neither the old nor the new content"
        );
    } else {
        assert!(is_damaged, "a resume failed without damage");
        assert!(
            outside == case.outside(before),
            "a resume that failed has written"
        );
    }
}
