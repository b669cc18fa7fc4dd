//! The log files of a hive in both formats, read entry by entry.
//!
//! Source: "Windows registry file format specification", "Format of transaction log files". Bounds: a log is looked at
//! up to 256 MiB, an entry has at most 64 MiB and is read piece by piece. What is kept of it are the places of its pages,
//! once its hashes are found right.

use super::base_block::{BaseBlock, CHECKED_BYTES};
use super::{HiveError, marvin};
use crate::bytes::{u32_at, u64_at};
use winrefit_disk::ReadAt;

/// Smallest unit of a hive that a log can hold.
pub(super) const PAGE_BYTES: usize = 512;
const LOG_BYTES_MAX: u64 = 256 << 20;
const ENTRY_BYTES_MAX: u32 = 64 << 20;
const ENTRY_FIXED_BYTES: usize = 40;
/// An entry is hashed in pieces of so many bytes.
const PIECE_BYTES: u64 = 1 << 20;
/// A page's place in the hive bins and its size.
const REFERENCE_BYTES: usize = 8;
const TYPE_NEW_LOG: u32 = 6;
/// Written by Windows XP and later, and by Windows 2000.
const TYPES_OLD_LOG: [u32; 2] = [1, 2];

/// A page of a log: its place in the hive bins, its place in the log, its size.
pub(super) type PagePlace = (u32, u64, u32);

/// A log file whose own base block is sound.
pub(super) struct Log<'f> {
    pub file: &'f dyn ReadAt,
    pub base: BaseBlock,
    /// The first sector: the part of a base block that the log keeps.
    pub block: Vec<u8>,
}

/// One entry of a log in the new format.
pub(super) struct Entry {
    pub sequence: u32,
    pub bins_bytes: u32,
    pub flags: u32,
    /// Its pages, in the order in which they apply.
    pub pages: Vec<PagePlace>,
}

impl<'f> Log<'f> {
    /// `None` if the file is no log or its base block is damaged: Windows does not use it either.
    pub fn open(file: &'f dyn ReadAt) -> Result<Option<Self>, HiveError> {
        if file.size() < CHECKED_BYTES as u64 {
            return Ok(None);
        }
        let block = file.read_vec(0, CHECKED_BYTES)?;
        let base = BaseBlock::parse(&block).ok();
        Ok(base.map(|base| Self { file, base, block }))
    }

    pub fn is_new(&self) -> bool {
        self.base.file_type == TYPE_NEW_LOG
    }

    pub fn is_old(&self) -> bool {
        TYPES_OLD_LOG.contains(&self.base.file_type)
    }

    fn size(&self) -> u64 {
        self.file.size().min(LOG_BYTES_MAX)
    }

    /// The entries from the log's beginning on, up to the first that is damaged or does not follow its predecessor.
    pub fn entries(&self) -> Result<Vec<Entry>, HiveError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut at = CHECKED_BYTES as u64;
        while let Some((entry, size)) = self.entry(at)? {
            let follows = |last: &Entry| last.sequence.wrapping_add(1) == entry.sequence;
            if !entries.last().is_none_or(follows) {
                break;
            }
            entries.push(entry);
            at += u64::from(size);
        }
        Ok(entries)
    }

    fn entry(&self, at: u64) -> Result<Option<(Entry, u32)>, HiveError> {
        if at.saturating_add(ENTRY_FIXED_BYTES as u64) > self.size() {
            return Ok(None);
        }
        let head = self.file.read_vec(at, ENTRY_FIXED_BYTES)?;
        let field = |at| u32_at(&head, at).unwrap_or(0);
        let (size, bins_bytes, count) = (field(4), field(16), field(20));
        let fits = size as usize >= ENTRY_FIXED_BYTES
            && size.is_multiple_of(PAGE_BYTES as u32)
            && size <= ENTRY_BYTES_MAX
            && at + u64::from(size) <= self.size();
        if !head.starts_with(b"HvLE") || !fits || !bins_bytes.is_multiple_of(4096) {
            return Ok(None);
        }
        let head_hash = marvin::hash(head.get(..32).unwrap_or_default());
        if u64_at(&head, 32) != Some(head_hash) {
            return Ok(None);
        }
        let (body_at, body_bytes) = (
            at + ENTRY_FIXED_BYTES as u64,
            u64::from(size) - ENTRY_FIXED_BYTES as u64,
        );
        // A page has at least so many bytes, and its reference as many more.
        let fits = u64::from(count) * (REFERENCE_BYTES + PAGE_BYTES) as u64 <= body_bytes;
        if !fits || u64_at(&head, 24) != Some(self.hash(body_at, body_bytes)?) {
            return Ok(None);
        }
        let references = self.file.read_vec(body_at, count as usize * REFERENCE_BYTES)?;
        let pages = page_places(&references, (body_at, body_bytes), bins_bytes);
        Ok(pages.map(|pages| {
            let entry = Entry {
                sequence: field(12),
                bins_bytes,
                flags: field(8),
                pages,
            };
            (entry, size)
        }))
    }

    /// The hash of a part of the log.
    fn hash(&self, start: u64, bytes: u64) -> Result<u64, HiveError> {
        let (mut hasher, end) = (marvin::Hasher::new(), start + bytes);
        let mut at = start;
        loop {
            let piece = self.file.read_vec(at, (end - at).min(PIECE_BYTES) as usize)?;
            at += piece.len() as u64;
            if at < end {
                hasher.update(&piece);
                continue;
            }
            let (words, rest) = piece.split_at(piece.len() / 4 * 4);
            hasher.update(words);
            return Ok(hasher.finish(rest));
        }
    }

    /// The pages of a log in the old format; `None` if it is incomplete. A page has 512 bytes.
    pub fn dirty_pages(&self) -> Result<Option<Vec<PagePlace>>, HiveError> {
        let sector = u64::from(self.base.clustering_factor.clamp(1, 8)) * 512;
        let page_count = self.base.bins_bytes as usize / PAGE_BYTES;
        let vector_bytes = 4 + page_count.div_ceil(8);
        if sector + vector_bytes as u64 > self.size() {
            return Ok(None);
        }
        let vector = self.file.read_vec(sector, vector_bytes)?;
        let Some(bitmap) = vector.strip_prefix(b"DIRT") else {
            return Ok(None);
        };
        let mut at = (sector + vector_bytes as u64).next_multiple_of(sector);
        let mut pages = Vec::new();
        for page in 0..page_count {
            if bitmap
                .get(page / 8)
                .is_none_or(|bits| bits >> (page % 8) & 1 == 0)
            {
                continue;
            }
            if at + PAGE_BYTES as u64 > self.size() {
                return Ok(None);
            }
            pages.push(((page * PAGE_BYTES) as u32, at, PAGE_BYTES as u32));
            at += PAGE_BYTES as u64;
        }
        Ok(Some(pages))
    }
}

/// Where an entry's pages go and where they lie; `None` if they do not fit the entry's body or the hive.
fn page_places(
    references: &[u8],
    (body_at, body_bytes): (u64, u64),
    bins_bytes: u32,
) -> Option<Vec<PagePlace>> {
    let mut at = references.len() as u64;
    let mut pages = Vec::with_capacity(references.len() / REFERENCE_BYTES);
    for reference in references.chunks_exact(REFERENCE_BYTES) {
        let (to, size) = (u32_at(reference, 0)?, u32_at(reference, 4)?);
        let is_page = (to | size).is_multiple_of(PAGE_BYTES as u32) && size != 0;
        let end = at.checked_add(u64::from(size))?;
        if !is_page || to.checked_add(size)? > bins_bytes || end > body_bytes {
            return None;
        }
        pages.push((to, body_at + at, size));
        at = end;
    }
    Some(pages)
}
