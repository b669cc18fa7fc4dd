//! What the pass over the $MFT remembers of the records for the checks behind it: about 50 bytes for a file with one
//! name.

use super::split::SplitFiles;
use crate::bytes::{take, u64_at};
use crate::error::NtfsError;
use crate::record::Record;
use crate::types::{FileReference, RecordNumber};
use crate::volume::RECORDS_MAX;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

/// Names of all files: two for each record, as short names make them.
const NAMES_MAX: usize = 2 * RECORDS_MAX as usize;
/// Attributes of all files that have several records.
const PIECES_MAX: usize = 1 << 22;

/// Records that memory is taken for at once.
const RECORDS_EXPECTED_MAX: u64 = 1 << 22;

/// Names of a file that are counted one by one.
const NAMES_EXPECTED_MAX: usize = 8;

/// What is remembered of each record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Brief {
    pub(crate) sequence: u16,
    flags: u16,
    /// Where the names of the record's file begin in [`MftFacts::names`].
    first_name: u32,
}

impl Default for Brief {
    fn default() -> Self {
        Self {
            sequence: 0,
            flags: 0,
            first_name: Self::NO_NAME,
        }
    }
}

impl Brief {
    const IN_USE: u16 = 1;
    const DIRECTORY: u16 = 2;
    const EXTENSION: u16 = 4;
    const INDEX_DAMAGED: u16 = 8;
    const NO_NAME: u32 = u32::MAX;

    pub(crate) fn of(record: &Record<&[u8]>) -> Self {
        let mut flags = 0;
        for (has, flag) in [
            (record.is_in_use(), Self::IN_USE),
            (record.is_directory(), Self::DIRECTORY),
            (record.base().is_some(), Self::EXTENSION),
        ] {
            flags |= if has { flag } else { 0 };
        }
        let sequence = record.sequence();
        Self {
            sequence,
            flags,
            ..Self::default()
        }
    }

    pub(crate) fn is_in_use(self) -> bool {
        self.flags & Self::IN_USE != 0
    }

    pub(crate) fn is_directory(self) -> bool {
        self.flags & Self::DIRECTORY != 0
    }

    pub(crate) fn is_extension(self) -> bool {
        self.flags & Self::EXTENSION != 0
    }

    /// Whether the record is the base record of a file.
    pub(crate) fn is_file(self) -> bool {
        self.is_in_use() && !self.is_extension()
    }

    /// Whether a reference with this sequence number names the file; 0 names any.
    pub(crate) fn is_named_by(self, sequence: u16) -> bool {
        self.is_file() && (sequence == 0 || sequence == self.sequence)
    }

    /// Whether entries of the directory's index may have been passed over.
    pub(crate) fn is_index_damaged(self) -> bool {
        self.flags & Self::INDEX_DAMAGED != 0
    }
}

/// A name of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name {
    /// Record number of the file, with the namespace above.
    file: u64,
    pub(crate) parent: FileReference,
    /// Stands for parent, namespace and name.
    pub(crate) fingerprint: u64,
}

impl Name {
    const NUMBER: u64 = 0xFFFF_FFFF_FFFF;

    pub(crate) fn new(file: RecordNumber, key: &NameKey<'_>, fingerprint: u64) -> Self {
        Self {
            file: file.0 & Self::NUMBER | u64::from(key.namespace) << 48,
            parent: key.parent,
            fingerprint,
        }
    }

    pub(crate) fn file(&self) -> RecordNumber {
        RecordNumber(self.file & Self::NUMBER)
    }

    pub(crate) fn namespace(&self) -> u8 {
        (self.file >> 48) as u8
    }
}

/// The parts of a $FILE_NAME that are the same in the file's record and in the directory's index, where sizes, times
/// and DOS attributes may differ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameKey<'v> {
    value: &'v [u8],
    pub(crate) parent: FileReference,
    pub(crate) namespace: u8,
    /// UTF-16LE.
    pub(crate) name: &'v [u8],
}

impl<'v> NameKey<'v> {
    /// Bytes before the name.
    const HEADER: usize = 0x42;

    pub(crate) fn parse(value: &'v [u8]) -> Option<Self> {
        let length = usize::from(*value.get(0x40)?) * 2;
        Some(Self {
            value,
            parent: FileReference::from_raw(u64_at(value, 0)?),
            namespace: *value.get(0x41)?,
            name: take(value, Self::HEADER, length)?,
        })
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(self.value.get(..8).unwrap_or_default());
        hasher.write(self.value.get(0x40..Self::HEADER).unwrap_or_default());
        hasher.write(self.name);
        hasher.finish()
    }

    /// Allocated and data bytes of the unnamed stream, as last copied here.
    pub(crate) fn sizes(&self) -> (u64, u64) {
        let field = |offset| u64_at(self.value, offset).unwrap_or(0);
        (field(0x28), field(0x30))
    }

    /// Whether the name is marked as a directory's.
    pub(crate) fn is_of_directory(&self) -> bool {
        const DIRECTORY: u8 = 0x10;
        self.value.get(0x3B).is_some_and(|byte| byte & DIRECTORY != 0)
    }
}

fn within(what: &'static str, actual: u64, limit: u64) -> Result<(), NtfsError> {
    match actual > limit {
        true => Err(NtfsError::TooMuch { what, actual, limit }),
        false => Ok(()),
    }
}

/// What the pass leaves for the checks behind it.
#[derive(Default)]
pub(crate) struct MftFacts {
    /// One for each record.
    pub(crate) briefs: Vec<Brief>,
    /// Files with more than one record.
    pub(crate) split: SplitFiles,
    /// Which of the system files have their names: a bit for each.
    pub(crate) system_named: u32,
    /// All names, in the order of their files, those of a file in the order of their fingerprints.
    pub(crate) names: Vec<Name>,
    /// Allocated and data bytes of the unnamed stream, one for each record. Of a full check, as all that follows.
    pub(crate) sizes: Vec<(u64, u64)>,
    /// The same where the stream begins in an extension record.
    far_sizes: Vec<(RecordNumber, (u64, u64))>,
    /// Base records that have an index.
    pub(crate) indexed: Vec<RecordNumber>,
    /// Security ids in use, each with the first file that has it.
    pub(crate) security_ids: HashMap<u32, RecordNumber>,
    /// Files with an object id.
    pub(crate) object_ids: Vec<(RecordNumber, [u8; 16])>,
    /// Files with a reparse point, and its tag where it lies in the record.
    pub(crate) reparse_points: Vec<(RecordNumber, Option<u32>)>,
}

impl MftFacts {
    /// Nothing yet, with room for what most volumes with so many records have.
    pub(crate) fn with_room_for(records: u64) -> Self {
        let room = records.min(RECORDS_EXPECTED_MAX) as usize;
        Self {
            briefs: Vec::with_capacity(room),
            names: Vec::with_capacity(room),
            ..Self::default()
        }
    }

    pub(crate) fn brief(&self, number: RecordNumber) -> Option<Brief> {
        self.briefs.get(usize::try_from(number.0).ok()?).copied()
    }

    /// Whether the reference names a directory.
    pub(crate) fn is_directory(&self, reference: FileReference) -> bool {
        self.brief(reference.record)
            .is_some_and(|brief| brief.is_directory() && brief.is_named_by(reference.sequence))
    }

    /// The names of a file, and the place of the first one in [`MftFacts::names`].
    pub(crate) fn names_of(&self, file: RecordNumber) -> (usize, &[Name]) {
        let start = self
            .brief(file)
            .map_or(usize::MAX, |brief| brief.first_name as usize);
        let rest = self.names.get(start..).unwrap_or_default();
        let is_own = |name: &Name| name.file() == file;
        // Few have more than two; a search from here on is for those with thousands.
        let near = rest
            .iter()
            .take(NAMES_EXPECTED_MAX)
            .take_while(|name| is_own(name));
        let count = match near.count() {
            NAMES_EXPECTED_MAX => rest.partition_point(is_own),
            count => count,
        };
        (start, &rest[..count])
    }

    pub(crate) fn sizes_of(&self, file: RecordNumber) -> Option<(u64, u64)> {
        self.sizes.get(usize::try_from(file.0).ok()?).copied()
    }

    /// Notes the sizes of the unnamed stream, found in a record that is or extends the file.
    pub(crate) fn set_sizes(&mut self, file: RecordNumber, is_base: bool, sizes: (u64, u64)) {
        match self.sizes.last_mut().filter(|_| is_base) {
            Some(last) => *last = sizes,
            None => self.far_sizes.push((file, sizes)),
        }
    }

    pub(crate) fn set_index_damaged(&mut self, file: RecordNumber) {
        let index = usize::try_from(file.0).unwrap_or(usize::MAX);
        if let Some(brief) = self.briefs.get_mut(index) {
            brief.flags |= Brief::INDEX_DAMAGED;
        }
    }

    /// Whether the facts of the records that follow can be kept as well.
    ///
    /// # Errors
    /// [`NtfsError::TooMuch`].
    pub(crate) fn check_room(&self, next: &Self) -> Result<(), NtfsError> {
        let (names, pieces) = (
            self.names.len() + next.names.len(),
            self.split.len() + next.split.len(),
        );
        within("names of files", names as u64, NAMES_MAX as u64)?;
        within(
            "attributes of files with several records",
            pieces as u64,
            PIECES_MAX as u64,
        )
    }

    /// Adds the facts of the records that follow.
    pub(crate) fn append(&mut self, mut next: Self) {
        self.briefs.append(&mut next.briefs);
        self.split.append(next.split);
        self.system_named |= next.system_named;
        self.names.append(&mut next.names);
        self.sizes.append(&mut next.sizes);
        self.far_sizes.append(&mut next.far_sizes);
        self.indexed.append(&mut next.indexed);
        for (id, file) in next.security_ids {
            self.security_ids.entry(id).or_insert(file);
        }
        self.object_ids.append(&mut next.object_ids);
        self.reparse_points.append(&mut next.reparse_points);
    }

    /// Makes the facts ready for looking up.
    pub(crate) fn finish(&mut self) {
        // Only names in extension records are out of order.
        if !self.names.is_sorted_by_key(Name::file) {
            self.names.sort_by_key(Name::file);
        }
        for names in self.names.chunk_by_mut(|a, b| a.file() == b.file()) {
            names.sort_unstable_by_key(|name| name.fingerprint);
        }
        for (index, name) in self.names.iter().enumerate().rev() {
            let place = usize::try_from(name.file().0).unwrap_or(usize::MAX);
            if let Some(brief) = self.briefs.get_mut(place) {
                brief.first_name = u32::try_from(index).unwrap_or(Brief::NO_NAME);
            }
        }
        for (file, sizes) in std::mem::take(&mut self.far_sizes) {
            let place = usize::try_from(file.0).unwrap_or(usize::MAX);
            if let Some(place) = self.sizes.get_mut(place) {
                *place = sizes;
            }
        }
    }
}
