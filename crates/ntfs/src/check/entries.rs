//! What index entries say, against the files: names of directories, and the views of NTFS' own files.

use super::ProblemCode;
use super::facts::{MftFacts, NameKey};
use super::report::Findings;
use super::tree::{Index, KeyEntry, Walk};
use crate::bytes::{take, u16_at, u32_at, u64_at};
use crate::error::NtfsError;
use crate::secure::SecurityEntry;
use crate::types::{FileReference, Geometry, RecordNumber};
use crate::upcase::UpCase;
use crate::volume::Volume;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use winrefit_disk::ReadAt;

/// Records below this number are NTFS' own files.
const FIRST_USER_RECORD: u64 = 24;

/// What the views say. Their entries are few next to the files.
#[derive(Default)]
pub(crate) struct Views {
    /// Entries of $SII: the key and the copy of the header in $SDS.
    pub(crate) by_id: Option<Vec<(u32, SecurityEntry)>>,
    /// Entries of $SDH: hash and id in the key, and the header.
    pub(crate) by_hash: Option<Vec<((u32, u32), SecurityEntry)>>,
    /// Entries of $ObjId.
    pub(crate) object_ids: Option<Vec<([u8; 16], FileReference)>>,
    /// Entries of $Reparse.
    pub(crate) reparse_points: Option<Vec<(u32, FileReference)>>,
}

/// What walking indexes gave besides problems.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Files with an index of which something may have been passed over.
    pub(crate) damaged: Vec<RecordNumber>,
    pub(crate) views: Views,
}

impl Outcome {
    pub(crate) fn append(&mut self, next: Self) {
        fn add<T>(all: &mut Option<Vec<T>>, next: Option<Vec<T>>) {
            if let Some(next) = next {
                all.get_or_insert_default().extend(next);
            }
        }
        self.damaged.extend(next.damaged);
        add(&mut self.views.by_id, next.views.by_id);
        add(&mut self.views.by_hash, next.views.by_hash);
        add(&mut self.views.object_ids, next.views.object_ids);
        add(&mut self.views.reparse_points, next.views.reparse_points);
    }
}

/// What all indexes are compared with.
pub(crate) struct Shared<'a> {
    facts: &'a MftFacts,
    geometry: Geometry,
    upcase: Option<Arc<UpCase>>,
    /// Names found in an index, a bit for each.
    seen: Vec<AtomicU64>,
}

/// Names found in an index.
pub(crate) struct Seen(Vec<AtomicU64>);

impl Seen {
    pub(crate) fn has(&self, name: usize) -> bool {
        let word = self
            .0
            .get(name / 64)
            .map_or(0, |word| word.load(Ordering::Relaxed));
        word >> (name % 64) & 1 == 1
    }
}

impl<'a> Shared<'a> {
    pub(crate) fn new<R: ReadAt>(volume: &Volume<R>, facts: &'a MftFacts) -> Self {
        let words = facts.names.len().div_ceil(64);
        Self {
            facts,
            geometry: volume.geometry(),
            upcase: volume.upcase().ok(),
            seen: (0..words).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(crate) fn into_seen(self) -> Seen {
        Seen(self.seen)
    }

    /// Walks one index.
    ///
    /// # Errors
    /// An error of the medium.
    pub(crate) fn walk<R: ReadAt>(
        &self,
        index: &Index,
        blocks: R,
        findings: &mut Findings,
        outcome: &mut Outcome,
    ) -> Result<(), NtfsError> {
        let is_secure = index.file == RecordNumber::SECURE;
        let is_by_numbers = u32_at(&index.root, 4) == Some(0x13);
        let walk = Walk::new(index, blocks, self.geometry, self.upcase.as_deref(), findings);
        let views = &mut outcome.views;
        let is_damaged = match index.name.as_slice() {
            b"$\0I\x003\x000\0" => walk.run(|walk, entry| self.file_name(walk, entry)),
            b"$\0S\0I\0I\0" if is_secure => {
                let list = views.by_id.get_or_insert_default();
                walk.run(|walk, entry| {
                    let key = u32_at(entry.key, 0);
                    collect(
                        walk,
                        entry,
                        key.zip(data(entry).and_then(SecurityEntry::parse)),
                        list,
                    );
                })
            }
            b"$\0S\0D\0H\0" if is_secure => {
                let list = views.by_hash.get_or_insert_default();
                walk.run(|walk, entry| {
                    let key = u32_at(entry.key, 0).zip(u32_at(entry.key, 4));
                    collect(
                        walk,
                        entry,
                        key.zip(data(entry).and_then(SecurityEntry::parse)),
                        list,
                    );
                })
            }
            b"$\0O\0" if is_by_numbers => {
                let list = views.object_ids.get_or_insert_default();
                walk.run(|walk, entry| {
                    let key = entry.key.try_into().ok();
                    let file = data(entry).and_then(|data| u64_at(data, 0));
                    collect(walk, entry, key.zip(file.map(FileReference::from_raw)), list);
                })
            }
            b"$\0R\0" => {
                let list = views.reparse_points.get_or_insert_default();
                walk.run(|walk, entry| {
                    let file = u64_at(entry.key, 4).map(FileReference::from_raw);
                    collect(walk, entry, u32_at(entry.key, 0).zip(file), list);
                })
            }
            _ => walk.run(|_, _| {}),
        };
        if is_damaged? {
            outcome.damaged.push(index.file);
        }
        Ok(())
    }

    /// An entry of a directory.
    fn file_name<R: ReadAt>(&self, walk: &mut Walk<'_, R>, entry: &KeyEntry<'_>) {
        let Some(key) = NameKey::parse(entry.key).filter(|key| !key.name.is_empty()) else {
            return walk.tell_entry(entry, ProblemCode::IndexEntryMalformed);
        };
        let directory = walk.index.file;
        let sequence = self.facts.brief(directory).map_or(0, |brief| brief.sequence);
        let is_here = key.parent.record == directory && [0, sequence].contains(&key.parent.sequence);
        if !is_here {
            let actual = key.parent.record.0;
            return walk.tell_values(entry, ProblemCode::IndexEntryParent, |problem| {
                problem.values(directory.0, actual)
            });
        }
        let reference = FileReference::from_raw(u64_at(entry.bytes, 0).unwrap_or(0));
        let number = reference.record.0;
        let brief = self.facts.brief(reference.record);
        let Some(brief) = brief.filter(|brief| brief.is_file() && brief.sequence == reference.sequence)
        else {
            return walk.tell_values(entry, ProblemCode::IndexEntryDangling, |problem| {
                problem.actual(number)
            });
        };
        let fingerprint = key.fingerprint();
        let (first, names) = self.facts.names_of(reference.record);
        let place = names.binary_search_by_key(&fingerprint, |name| name.fingerprint);
        let Ok(place) = place.map(|place| first + place) else {
            return walk.tell_values(entry, ProblemCode::IndexEntryUnmatched, |problem| {
                problem.actual(number)
            });
        };
        let mask = 1 << (place % 64);
        self.seen[place / 64].fetch_or(mask, Ordering::Relaxed);
        if key.is_of_directory() != brief.is_directory() {
            walk.tell_values(entry, ProblemCode::IndexEntryFlags, |problem| {
                problem.actual(number)
            });
        }
        if !brief.is_directory() && number >= FIRST_USER_RECORD && names.len() == 1 {
            self.file_sizes(walk, entry, &key, reference.record);
        }
    }

    /// Windows copies the sizes into the entry that a file was opened by, and not for its own files, where they stay 0.
    fn file_sizes<R: ReadAt>(
        &self,
        walk: &mut Walk<'_, R>,
        entry: &KeyEntry<'_>,
        key: &NameKey<'_>,
        file: RecordNumber,
    ) {
        let due = self.facts.sizes_of(file).unwrap_or_default();
        let sizes = key.sizes();
        if sizes != due && sizes != (0, 0) {
            let (due, actual) = if sizes.1 == due.1 {
                (due.0, sizes.0)
            } else {
                (due.1, sizes.1)
            };
            walk.tell_values(entry, ProblemCode::IndexEntrySizes, |problem| {
                problem.values(due, actual)
            });
        }
    }
}

/// The data of an entry of a view.
fn data<'e>(entry: &KeyEntry<'e>) -> Option<&'e [u8]> {
    let (offset, length) = (u16_at(entry.bytes, 0)?, u16_at(entry.bytes, 2)?);
    take(entry.bytes, offset.into(), length.into())
}

fn collect<R: ReadAt, T>(walk: &mut Walk<'_, R>, entry: &KeyEntry<'_>, item: Option<T>, list: &mut Vec<T>) {
    match item {
        Some(item) => list.push(item),
        None => walk.tell_entry(entry, ProblemCode::IndexEntryMalformed),
    }
}
