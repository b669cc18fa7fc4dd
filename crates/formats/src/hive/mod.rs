//! Registry hives, read on demand: a cell is fetched when it is asked for, because a real SOFTWARE hive has 100 MB.
//!
//! Source: "Windows registry file format specification" by Maxim Suhanov. Bounds: a cell has at most 2 MiB, a value's
//! data at most 16 MiB, no count exceeds what the hive has room for, and a subkey must name the key that lists it as
//! its parent, so that a walk downwards ends.
//!
//! A hive whose last write was not finished ([`Hive::is_dirty`]) is read as it stands in the file; newer content may
//! lie in its log files.

mod error;
mod key;
#[cfg(test)]
mod tests;
mod value;

pub use error::HiveError;
pub use key::Key;
pub use value::{RegistryValue, Value};

use crate::bytes::{array_at, u16_at, u32_at, u64_at};
use std::fmt;
use winrefit_disk::ReadAt;

const BASE_BLOCK_BYTES: usize = 4096;
const CHECKSUM_OFFSET: usize = 508;
const CELL_BYTES_MAX: u32 = 2 << 20;
/// Names of up to this size are read together with what stands before them.
const SHORT_NAME_BYTES: usize = 128;

/// A hive in a file.
#[derive(Clone, Copy)]
pub struct Hive<'f> {
    file: &'f dyn ReadAt,
    primary_sequence: u32,
    secondary_sequence: u32,
    last_written: u64,
    minor_version: u32,
    root: u32,
    bins_bytes: u32,
}

impl<'f> Hive<'f> {
    /// Reads and checks the base block.
    ///
    /// # Errors
    /// [`HiveError`] if the file is no hive that can be read. A dirty one is no error.
    pub fn open(file: &'f dyn ReadAt) -> Result<Self, HiveError> {
        if file.size() < BASE_BLOCK_BYTES as u64 {
            return Err(HiveError::Signature);
        }
        let block = file.read_vec(0, BASE_BLOCK_BYTES)?;
        if !block.starts_with(b"regf") {
            return Err(HiveError::Signature);
        }
        let expected = u32_at(&block, CHECKSUM_OFFSET).unwrap_or(0);
        let actual = checksum(&block);
        if actual != expected {
            return Err(HiveError::Checksum { expected, actual });
        }
        let field = |at| u32_at(&block, at).unwrap_or(0);
        let (major, minor, file_type, format) = (field(20), field(24), field(28), field(32));
        if major != 1 || !(3..=6).contains(&minor) || file_type != 0 || format != 1 {
            return Err(HiveError::Version {
                major,
                minor,
                file_type,
                format,
            });
        }
        let bins_bytes = field(40);
        let file_bytes = file.size();
        if bins_bytes == 0 || u64::from(bins_bytes) > file_bytes - BASE_BLOCK_BYTES as u64 {
            return Err(HiveError::BinsSize {
                bins_bytes,
                file_bytes,
            });
        }
        Ok(Self {
            file,
            primary_sequence: field(4),
            secondary_sequence: field(8),
            last_written: u64_at(&block, 12).unwrap_or(0),
            minor_version: minor,
            root: field(36),
            bins_bytes,
        })
    }

    /// Whether a write was begun and not finished: the two sequence numbers differ.
    pub fn is_dirty(&self) -> bool {
        self.primary_sequence != self.secondary_sequence
    }

    /// Primary and secondary sequence number.
    pub fn sequence_numbers(&self) -> (u32, u32) {
        (self.primary_sequence, self.secondary_sequence)
    }

    /// Time of the last write: 100 ns units since 1601; 0 if not known.
    pub fn last_written(&self) -> u64 {
        self.last_written
    }

    /// The root key.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn root(&self) -> Result<Key<'f>, HiveError> {
        Key::read(*self, self.root, None)
    }

    /// The key at `path` below the root, components divided by backslashes, in any case. The empty path is the root.
    /// `None` if there is no such key.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn key(&self, path: &str) -> Result<Option<Key<'f>>, HiveError> {
        let mut key = self.root()?;
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            match key.subkey(name)? {
                Some(subkey) => key = subkey,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// The value `name` of the key at `path`, decoded. `None` if either does not exist.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn value(&self, path: &str, name: &str) -> Result<Option<RegistryValue>, HiveError> {
        let Some(key) = self.key(path)? else {
            return Ok(None);
        };
        key.value(name)?.map(|value| value.decode()).transpose()
    }

    /// The first `most` bytes of an allocated cell's content, or all of it if it is shorter. What is not needed is not
    /// read: hostile lists may name one large cell many times.
    fn prefix(&self, cell: u32, most: usize) -> Result<Vec<u8>, HiveError> {
        let bounds = |size| HiveError::CellBounds {
            cell,
            size,
            bins_bytes: self.bins_bytes,
        };
        let room = self
            .bins_bytes
            .checked_sub(cell)
            .filter(|&room| room >= 4)
            .ok_or_else(|| bounds(0))?;
        let at = BASE_BLOCK_BYTES as u64 + u64::from(cell);
        let mut field = [0; 4];
        self.file.read_at(at, &mut field)?;
        let field = i32::from_le_bytes(field);
        let size = field.unsigned_abs();
        if size < 8 || size > room.min(CELL_BYTES_MAX) {
            return Err(bounds(size));
        }
        // Allocated cells have a negative size.
        if field > 0 {
            return Err(HiveError::CellFree { cell });
        }
        Ok(self.file.read_vec(at + 4, most.min(size as usize - 4))?)
    }

    /// Exactly the first `needed` bytes of a cell's content.
    fn exactly(&self, cell: u32, needed: usize) -> Result<Vec<u8>, HiveError> {
        let content = self.prefix(cell, needed)?;
        if content.len() < needed {
            return Err(HiveError::CellTooShort { cell, needed });
        }
        Ok(content)
    }

    /// A cell that begins with `signature` and has `fixed` bytes before a name, whose length stands at `length_at`.
    /// Content behind the name is left out.
    fn named_cell(
        &self,
        cell: u32,
        signature: &'static str,
        fixed: usize,
        length_at: usize,
    ) -> Result<Vec<u8>, HiveError> {
        let content = self.prefix(cell, fixed + SHORT_NAME_BYTES)?;
        if !content.starts_with(signature.as_bytes()) {
            return Err(HiveError::CellSignature {
                cell,
                expected: signature,
                actual: array_at(&content, 0).unwrap_or_default(),
            });
        }
        let length = u16_at(&content, length_at).filter(|_| content.len() >= fixed);
        let needed = fixed + usize::from(length.ok_or(HiveError::CellTooShort { cell, needed: fixed })?);
        if needed > fixed + SHORT_NAME_BYTES {
            return self.exactly(cell, needed);
        }
        content
            .get(..needed)
            .map(<[u8]>::to_vec)
            .ok_or(HiveError::CellTooShort { cell, needed })
    }

    /// The first `count` cell offsets in a cell that is nothing but a list of them.
    fn offsets(&self, cell: u32, count: usize) -> Result<Vec<u32>, HiveError> {
        let list = self.exactly(cell, count.saturating_mul(4))?;
        Ok(list
            .chunks_exact(4)
            .filter_map(|entry| u32_at(entry, 0))
            .collect())
    }
}

impl fmt::Debug for Hive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hive")
            .field("sequence_numbers", &self.sequence_numbers())
            .field("bins_bytes", &self.bins_bytes)
            .finish_non_exhaustive()
    }
}

/// Exclusive or of the 127 words before the checksum's own place; 0 and all ones are never written.
fn checksum(block: &[u8]) -> u32 {
    let words = block.get(..CHECKSUM_OFFSET).unwrap_or_default().chunks_exact(4);
    match words
        .filter_map(|word| u32_at(word, 0))
        .fold(0, |sum, word| sum ^ word)
    {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

/// A key's or value's name: one byte per character where the flag says so, otherwise UTF-16LE.
fn name(bytes: &[u8], is_compressed: bool) -> String {
    if is_compressed {
        return bytes.iter().copied().map(char::from).collect();
    }
    String::from_utf16_lossy(&crate::bytes::utf16_units(bytes))
}

/// Whether two names are the same to Windows, but for its treatment of rare letters.
fn names_equal(a: &str, b: &str) -> bool {
    let upper = |text: &'_ str| text.chars().flat_map(char::to_uppercase).collect::<String>();
    a == b || a.eq_ignore_ascii_case(b) || (!(a.is_ascii() && b.is_ascii()) && upper(a) == upper(b))
}
