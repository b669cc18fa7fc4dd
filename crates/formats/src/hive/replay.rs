//! A hive as it is with its logs applied: what Windows would have in memory after loading it.
//!
//! Nothing is written. The pages from the logs lie over the file; [`ReplayedHive`] reads like a clean one. Of a page its
//! place is kept, not its content: logs may have hundreds of MiB.

use super::HiveError;
use super::base_block::{self, BASE_BLOCK_BYTES, BaseBlock, CHECKED_BYTES};
use super::log::{Entry, Log, PAGE_BYTES, PagePlace};
use std::collections::BTreeMap;
use std::fmt;
use winrefit_disk::{DiskError, ReadAt};

const BASE: u64 = BASE_BLOCK_BYTES as u64;
const PAGE: u64 = PAGE_BYTES as u64;

/// What the logs had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// The hive is clean; its logs do not count, whatever they hold.
    Clean,
    /// Entries of logs in the new format (Windows 8.1 and later) were applied.
    Entries {
        /// How many.
        count: usize,
        /// Sequence number of the last one.
        sequence: u32,
    },
    /// One log in the old format was applied.
    DirtyVector {
        /// Number of its pages.
        pages: usize,
    },
}

/// Why a hive's current content cannot be told.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The hive or a log cannot be read, or the result is no hive.
    #[error(transparent)]
    Hive(#[from] HiveError),
    /// The hive is dirty and no log completes it.
    #[error(
        "the hive's last write was not finished (sequence numbers {primary} and {secondary}), \
         and none of its logs applies"
    )]
    NoLogApplies {
        /// Primary sequence number.
        primary: u32,
        /// Secondary sequence number.
        secondary: u32,
    },
}

/// A hive with its logs applied. Read it with [`super::Hive::open`].
pub struct ReplayedHive<'f> {
    file: &'f dyn ReadAt,
    size: u64,
    /// In place of the file's base block, if that is not the current one.
    base: Option<Vec<u8>>,
    /// The logs that apply.
    logs: Vec<&'f dyn ReadAt>,
    /// Pages in place of the file's, by their number from the first hive bin: a log's index and the byte of it.
    pub(super) pages: BTreeMap<u64, (usize, u64)>,
    replay: Replay,
}

/// Applies `logs` (`.LOG1` first, then `.LOG2`; or `.LOG` alone) to the hive in `file`, in memory.
///
/// A clean hive is returned as it is. Rules of the new format: entries count from the secondary sequence number on, and
/// only as long as each follows the one before. A hive whose base block is damaged gets it from a log.
///
/// # Errors
/// [`ReplayError`] if the hive is dirty and the logs do not complete it, or if it is no hive.
pub fn replay<'f>(file: &'f dyn ReadAt, logs: &[&'f dyn ReadAt]) -> Result<ReplayedHive<'f>, ReplayError> {
    if file.size() < BASE {
        return Err(HiveError::Signature.into());
    }
    let block = file.read_vec(0, BASE_BLOCK_BYTES).map_err(HiveError::from)?;
    let base = BaseBlock::parse_primary(&block, file.size());
    let mut image = ReplayedHive {
        file,
        size: file.size(),
        base: None,
        logs: Vec::new(),
        pages: BTreeMap::new(),
        replay: Replay::Clean,
    };
    let base = match base {
        Ok(base) if !base.is_dirty() => return Ok(image),
        Ok(base) => Some(base),
        // A torn write of the base block; any other defect is no matter for a log.
        Err(error @ HiveError::Checksum { .. }) if logs.is_empty() => return Err(error.into()),
        Err(HiveError::Checksum { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut open = Vec::new();
    for log in logs {
        open.extend(Log::open(*log)?);
    }
    image.logs = open.iter().map(|log| log.file).collect();
    if !image.apply_entries(&open, base.as_ref(), &block)?
        && !image.apply_vector(&open, base.as_ref(), &block)?
    {
        return Err(match (base, BaseBlock::parse(&block)) {
            (Some(base), _) => ReplayError::NoLogApplies {
                primary: base.primary_sequence,
                secondary: base.secondary_sequence,
            },
            (None, Err(error)) => error.into(),
            (None, Ok(_)) => HiveError::Signature.into(),
        });
    }
    image.check()?;
    Ok(image)
}

impl<'f> ReplayedHive<'f> {
    /// What was applied.
    pub fn replay(&self) -> Replay {
        self.replay
    }

    /// Applies logs in the new format. `base` is the hive's base block where that is sound. False if none applies.
    fn apply_entries(
        &mut self,
        logs: &[Log<'_>],
        base: Option<&BaseBlock>,
        block: &[u8],
    ) -> Result<bool, HiveError> {
        let mut entries: Vec<(Entry, usize)> = Vec::new();
        for (number, log) in logs.iter().enumerate().filter(|(_, log)| log.is_new()) {
            entries.extend(log.entries()?.into_iter().map(|entry| (entry, number)));
        }
        // Stable: of two entries with one number the first log's counts.
        entries.sort_by_key(|(entry, _)| entry.sequence);
        entries.dedup_by_key(|(entry, _)| entry.sequence);
        let run = subsequent(&entries, base);
        let Some((last, last_log)) = run.last() else {
            return Ok(false);
        };
        for (entry, log) in run {
            entry.pages.iter().for_each(|page| self.put(*log, *page));
        }
        let last_block = logs.get(*last_log).map_or(block, |log| &log.block);
        let source = if base.is_some() { block } else { last_block };
        let fields = [
            (base_block::PRIMARY_SEQUENCE, last.sequence),
            (base_block::SECONDARY_SEQUENCE, last.sequence),
            (base_block::BINS_SIZE, last.bins_bytes),
            (base_block::FLAGS, last.flags),
        ];
        self.set_base(source, block, &fields, last.bins_bytes);
        self.replay = Replay::Entries {
            count: run.len(),
            sequence: last.sequence,
        };
        Ok(true)
    }

    /// Applies a log in the old format: a complete one of the same time as the hive. False if there is none.
    fn apply_vector(
        &mut self,
        logs: &[Log<'_>],
        base: Option<&BaseBlock>,
        block: &[u8],
    ) -> Result<bool, HiveError> {
        let written = match base {
            Some(base) => base.last_written,
            None => self.first_bin_time()?,
        };
        for (number, log) in logs.iter().enumerate().filter(|(_, log)| log.is_old()) {
            if log.base.is_dirty() || log.base.last_written != written {
                continue;
            }
            let Some(pages) = log.dirty_pages()? else { continue };
            pages.iter().for_each(|page| self.put(number, *page));
            let sequence = log.base.primary_sequence;
            let fields = [
                (base_block::PRIMARY_SEQUENCE, sequence),
                (base_block::SECONDARY_SEQUENCE, sequence),
            ];
            self.set_base(&log.block, block, &fields, log.base.bins_bytes);
            self.replay = Replay::DirtyVector { pages: pages.len() };
            return Ok(true);
        }
        Ok(false)
    }

    /// The time in the first hive bin, a copy of the base block's.
    fn first_bin_time(&self) -> Result<u64, HiveError> {
        let mut time = [0; 8];
        self.file.read_at(BASE + 20, &mut time)?;
        Ok(u64::from_le_bytes(time))
    }

    fn put(&mut self, log: usize, (to, at, size): PagePlace) {
        let first = u64::from(to) / PAGE;
        for page in 0..u64::from(size) / PAGE {
            self.pages.insert(first + page, (log, at + page * PAGE));
        }
    }

    /// The base block: what is guarded by the checksum from `source`, the rest from `block`, and `fields` set.
    fn set_base(&mut self, source: &[u8], block: &[u8], fields: &[(usize, u32)], bins_bytes: u32) {
        let mut base = source.get(..CHECKED_BYTES).unwrap_or_default().to_vec();
        base.extend(block.get(CHECKED_BYTES..).unwrap_or_default());
        base_block::patch(&mut base, &[(base_block::FILE_TYPE, base_block::TYPE_PRIMARY)]);
        base_block::patch(&mut base, fields);
        self.base = Some(base);
        self.size = self.size.max(BASE + u64::from(bins_bytes));
    }

    /// Whether the result begins like a hive.
    fn check(&self) -> Result<(), HiveError> {
        super::Hive::open(self)?;
        let mut signature = [0; 4];
        self.read_at(BASE, &mut signature)?;
        if &signature != b"hbin" {
            return Err(HiveError::Signature);
        }
        Ok(())
    }
}

/// The entries that complete a hive, of all that are in its logs.
fn subsequent<'e>(entries: &'e [(Entry, usize)], base: Option<&BaseBlock>) -> &'e [(Entry, usize)] {
    let follows = |at: &usize| {
        let number = |at: usize| entries.get(at).map(|(entry, _)| entry.sequence);
        number(*at) == number(at - 1).map(|before| before.wrapping_add(1))
    };
    let start = match base {
        Some(base) => {
            let start = entries.partition_point(|(entry, _)| entry.sequence < base.secondary_sequence);
            // A first entry with a higher number would leave a gap: what came between is lost.
            let first = entries.get(start).map(|(entry, _)| entry.sequence);
            let expected = [base.secondary_sequence, base.primary_sequence];
            if !first.is_some_and(|first| expected.contains(&first)) {
                return &[];
            }
            start
        }
        // Without a base block there is no number to begin with; the newest unbroken run is the current one.
        None => (1..entries.len()).rev().find(|at| !follows(at)).unwrap_or(0),
    };
    let end = (start + 1..entries.len())
        .find(|at| !follows(at))
        .unwrap_or(entries.len());
    entries.get(start..end).unwrap_or_default()
}

impl ReadAt for ReplayedHive<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let length = buf.len() as u64;
        let end = offset.checked_add(length).filter(|&end| end <= self.size);
        let end = end.ok_or(DiskError::OutOfBounds {
            offset,
            length,
            device_len: self.size,
        })?;
        // What the file has, and zeros where the hive has grown.
        let in_file = self.file.size().clamp(offset, end) - offset;
        let (old, new) = buf.split_at_mut(in_file as usize);
        new.fill(0);
        if !old.is_empty() {
            self.file.read_at(offset, old)?;
        }
        // The part of the request that `length` bytes at `at` cover: its start, and its place in `buf`.
        let part = |at: u64, length: u64| {
            let (from, to) = (at.max(offset), (at + length).min(end));
            (from < to).then(|| (from - at, (from - offset) as usize..(to - offset) as usize))
        };
        let base = self.base.as_deref().unwrap_or_default();
        if let Some((from, place)) = part(0, base.len() as u64) {
            base.read_at(from, &mut buf[place])?;
        }
        let pages = offset.saturating_sub(BASE) / PAGE..end.saturating_sub(BASE).div_ceil(PAGE);
        for (page, (log, at)) in self.pages.range(pages) {
            let log = self.logs.get(*log);
            if let (Some(log), Some((from, place))) = (log, part(BASE + page * PAGE, PAGE)) {
                log.read_at(at + from, &mut buf[place])?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ReplayedHive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayedHive")
            .field("replay", &self.replay)
            .field("pages", &self.pages.len())
            .finish_non_exhaustive()
    }
}
