//! Overwriting values' data in place, without changing any cell's size.
//!
//! The result is a list of writes of values' data. All else in the file stays as it is, the time of the last write and the
//! sequence numbers included: raised ones would say, between two writes, that the hive is dirty, and no log would complete
//! it. Whoever writes in place has to make sure that the hive is good with any choice of the writes. A dirty hive is
//! refused: its current content lies in its logs, and writing into it would mean to apply them for good, which is
//! Windows' business.

use super::base_block::BASE_BLOCK_BYTES;
use super::log::Log;
use super::{Hive, HiveError, Value, replay};
use winrefit_disk::{ByteRange, ReadAt};

/// Bytes for one place in the hive's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiveWrite {
    /// Byte offset in the file.
    pub offset: u64,
    /// What belongs there.
    pub bytes: Vec<u8>,
}

/// Why a hive or a value was not edited.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum HiveEditError {
    /// The hive cannot be read.
    #[error(transparent)]
    Hive(#[from] HiveError),
    /// The hive's last write was not finished.
    #[error(
        "the hive's last write was not finished (sequence numbers {primary} and {secondary}); {}",
        if *logs_apply { "its logs complete it, which Windows does when it loads the hive" }
        else { "none of its logs completes it" }
    )]
    Dirty {
        /// Primary sequence number.
        primary: u32,
        /// Secondary sequence number.
        secondary: u32,
        /// Whether [`replay()`] could complete it for reading.
        logs_apply: bool,
    },
    /// A log holds an entry with a number that the edit would use: if the edit were cut off, Windows would apply it.
    #[error("the hive is clean at number {sequence}, but a log holds entry {log_sequence}")]
    NewerLog {
        /// The hive's sequence number.
        sequence: u32,
        /// The entry's.
        log_sequence: u32,
    },
    /// There is no such value.
    #[error("there is no value {name:?} in key {path:?}")]
    NoSuchValue {
        /// Path of the key.
        path: String,
        /// Name of the value.
        name: String,
    },
    /// The new data is shorter or longer than the old.
    #[error("value {name:?} in key {path:?} has {expected} bytes, the new data {actual}")]
    Length {
        /// Path of the key.
        path: String,
        /// Name of the value.
        name: String,
        /// Size of the value's data in bytes.
        expected: u64,
        /// Size of the new data in bytes.
        actual: u64,
    },
    /// The value was edited before, or shares bytes with one that was.
    #[error("value {name:?} in key {path:?} shares bytes with a value edited before")]
    Overlap {
        /// Path of the key.
        path: String,
        /// Name of the value.
        name: String,
    },
}

/// Edits of a clean hive, to be written in place.
#[derive(Debug)]
pub struct HiveEdit<'f> {
    hive: Hive<'f>,
    edited: Vec<(ByteRange, Vec<u8>)>,
}

impl<'f> HiveEdit<'f> {
    /// Begins edits of the hive in `file`, whose logs are `logs`.
    ///
    /// # Errors
    /// [`HiveEditError`] if the hive is dirty, damaged, or a log is ahead of it.
    pub fn begin(file: &'f dyn ReadAt, logs: &[&dyn ReadAt]) -> Result<Self, HiveEditError> {
        let hive = Hive::open(file)?;
        let (primary, secondary) = hive.sequence_numbers();
        if hive.is_dirty() {
            return Err(HiveEditError::Dirty {
                primary,
                secondary,
                logs_apply: replay(file, logs).is_ok(),
            });
        }
        for log in logs {
            let Some(log) = Log::open(*log)?.filter(Log::is_new) else {
                continue;
            };
            let ahead = log.entries()?.into_iter().map(|entry| entry.sequence);
            if let Some(log_sequence) = ahead.filter(|&sequence| sequence > primary).min() {
                let sequence = primary;
                return Err(HiveEditError::NewerLog {
                    sequence,
                    log_sequence,
                });
            }
        }
        let edited = Vec::new();
        Ok(Self { hive, edited })
    }

    /// The hive as it is in the file, without the edits.
    pub fn hive(&self) -> &Hive<'f> {
        &self.hive
    }

    /// Gives the value `name` of the key at `path` new data of the same length. Its type stays.
    ///
    /// # Errors
    /// [`HiveEditError`]; then nothing has changed.
    pub fn overwrite(&mut self, path: &str, name: &str, data: &[u8]) -> Result<(), HiveEditError> {
        let names = || (path.to_owned(), name.to_owned());
        let value = match self.hive.key(path)? {
            Some(key) => key.value(name)?,
            None => None,
        };
        let Some(value) = value else {
            let (path, name) = names();
            return Err(HiveEditError::NoSuchValue { path, name });
        };
        let ranges = value.data_ranges()?;
        let expected = ranges.iter().map(ByteRange::len).sum();
        if expected != data.len() as u64 {
            let (path, name) = names();
            let actual = data.len() as u64;
            return Err(HiveEditError::Length {
                path,
                name,
                expected,
                actual,
            });
        }
        let shared = |range: &ByteRange| self.edited.iter().any(|(edited, _)| edited.overlaps(range));
        // A damaged hive may also name one segment twice.
        let twice = |(at, range): (usize, &ByteRange)| ranges.iter().skip(at + 1).any(|r| r.overlaps(range));
        if ranges.iter().any(shared) || ranges.iter().enumerate().any(twice) {
            let (path, name) = names();
            return Err(HiveEditError::Overlap { path, name });
        }
        let mut rest = data;
        for range in ranges {
            // The ranges' sum is the data's length.
            let (part, behind) = rest.split_at(range.len() as usize);
            self.edited.push((range, part.to_vec()));
            rest = behind;
        }
        Ok(())
    }

    /// The writes, in the order of their places; none if all data is as it was.
    ///
    /// # Errors
    /// [`HiveError::Disk`] if the file cannot be read.
    pub fn writes(&self) -> Result<Vec<HiveWrite>, HiveError> {
        let mut data = Vec::new();
        for (range, bytes) in &self.edited {
            if &self.hive.file.read_vec(range.start, bytes.len())? != bytes {
                data.push(HiveWrite {
                    offset: range.start,
                    bytes: bytes.clone(),
                });
            }
        }
        data.sort_by_key(|write| write.offset);
        Ok(data)
    }
}

impl Value<'_> {
    /// Where the data lies in the hive's file, in order: one range, or one per segment of large data.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn data_ranges(&self) -> Result<Vec<ByteRange>, HiveError> {
        let ranges = self.data_places()?;
        Ok(ranges
            .into_iter()
            .map(|(in_bins, length)| {
                let start = BASE_BLOCK_BYTES as u64 + in_bins;
                ByteRange::new(start, start + length as u64)
            })
            .collect())
    }
}
