//! Small disks, what is done on them, and how they end.

use crate::common::disks::{Disk, Kind, Style, disk, part};
use crate::common::{MIB, target};
use crate::update;
use winrefit_disk::{ByteRange, Device, Event, Fault, Faulty, MemoryDevice, Overlay, ReadAt, Recording};
use winrefit_ntfs::check::CheckLevel;
use winrefit_repair::RepairError;
use winrefit_repair::commands::{check, diagnose, fix, reset_update, resume, undo, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::target::Target;

/// A disk in memory that fails, and keeps its changes apart.
pub type Medium<'d> = Faulty<Overlay<&'d MemoryDevice>>;
pub type Outcome = Result<Report, RepairError>;

/// A command.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    Fix,
    Reset,
    Undo,
    Resume,
    Verify,
    Check,
    Diagnose,
}

impl Work {
    pub fn run<D: Device>(self, target: &mut Target<D>) -> Outcome {
        let (yes, quiet) = (&mut |_: &Report| true, &mut |_| ());
        match self {
            Self::Fix => fix(target, &REQUEST, yes, quiet),
            Self::Reset => reset_update(target, &update::ALL, yes, quiet),
            Self::Undo => undo(target, yes, quiet),
            Self::Resume => resume(target, quiet),
            Self::Verify => verify(target, None, quiet),
            Self::Check => check(target, None, CheckLevel::Full, quiet),
            Self::Diagnose => diagnose(target, None),
        }
    }
}

/// A disk, and a repair of it.
pub struct Case {
    pub name: &'static str,
    pub old: MemoryDevice,
    pub new: MemoryDevice,
    pub fix: Work,
    /// What may hold anything on the old disk: copies of data, and the journal's body, in free clusters.
    pub free: Vec<ByteRange>,
}

pub const REQUEST: Request = Request {
    size_bytes: Some(12 * MIB),
    free_bytes: Some(2 * MIB),
    recovery_partition: None,
    drop_shadow_copies: false,
    reclaim: false,
    remove_stale: None,
    create: false,
};

pub fn usual() -> Disk {
    let parts = [part(Kind::Windows, (1, 16)), part(Kind::Recovery, (16, 24))];
    disk(Style::Gpt, 25, &parts)
}

pub fn medium(base: &MemoryDevice, fault: Fault) -> Target<Medium<'_>> {
    target(Faulty::new(Overlay::new(base, base.sector_size()), fault))
}

impl Case {
    fn of(name: &'static str, old: MemoryDevice, fix: Work) -> Self {
        let mut subject = target(Recording::new(old.clone()));
        let report = fix.run(&mut subject).unwrap();
        assert_eq!(report.verdict, Verdict::Repaired, "{name}: {:?}", report.refusal);
        let (new, events) = subject.device.into_parts();
        let header = 34 * old.sector_size().bytes();
        let range = |event: &Event| match event {
            Event::Write { offset, data } => Some(ByteRange::new(*offset, offset + data.len() as u64)),
            Event::Flush => None,
        };
        let written = events.iter().filter_map(range);
        let mut free: Vec<_> = written.take_while(|range| range.start != header).collect();
        let field = |at: u64| u64::from_le_bytes(new.read_vec(header + at, 8).unwrap().try_into().unwrap());
        let (body, length) = (field(72), field(80));
        if body != header + old.sector_size().bytes() {
            free.push(ByteRange::new(body, body + length));
        }
        Self {
            name,
            old,
            new,
            fix,
            free,
        }
    }

    /// Whether the disk is the old one or the new one, to the byte, but for the names of the transaction.
    pub fn is_old_or_new(&self, disk: &dyn ReadAt) -> Result<&'static str, String> {
        let size = self.old.sector_size().bytes();
        let header = ByteRange::new(34 * size, 35 * size);
        let is_new = disk.read_vec(header.start, 8).unwrap() == b"WRFTJRNL";
        let (end, except) = match is_new {
            true => (&self.new, vec![header]),
            false => (&self.old, self.free.clone()),
        };
        if is_new && disk.read_vec(header.start + 12, 1).unwrap() != [3] {
            return Err("the journal is unfinished".to_owned());
        }
        match difference(disk, end, &except) {
            None => Ok(if is_new { "new" } else { "old" }),
            Some(at) => Err(format!("neither old nor new: byte {at} (new: {is_new})")),
        }
    }
}

/// First byte, outside of `except`, in which a disk differs from another.
fn difference(disk: &dyn ReadAt, other: &MemoryDevice, except: &[ByteRange]) -> Option<u64> {
    const CHUNK: usize = 1 << 20;
    for (number, expected) in other.bytes().chunks(CHUNK).enumerate() {
        let start = (number * CHUNK) as u64;
        let found = disk.read_vec(start, expected.len()).unwrap();
        if found == expected {
            continue;
        }
        let differs = found
            .iter()
            .zip(expected)
            .enumerate()
            .filter(|(_, (a, b))| a != b);
        let outside = |at: &u64| !except.iter().any(|range| (range.start..range.end).contains(at));
        if let Some(at) = differs.map(|(at, _)| start + at as u64).find(outside) {
            return Some(at);
        }
    }
    None
}

/// Each strategy on a small disk.
pub fn cases() -> Vec<Case> {
    let behind = disk(
        Style::Gpt,
        33,
        &[part(Kind::Windows, (1, 16)), part(Kind::Recovery, (16, 24))],
    );
    let moved_disk = disk(
        Style::Gpt,
        40,
        &[part(Kind::Recovery, (1, 9)), part(Kind::Windows, (9, 24))],
    );
    vec![
        Case::of("shrink+grow-front", usual().build(), Work::Fix),
        Case::of("grow-end", behind.build(), Work::Fix),
        Case::of("relocate", moved_disk.build(), Work::Fix),
        Case::of("reset-update", update::broken(), Work::Reset),
    ]
}
