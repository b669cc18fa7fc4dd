//! Registry hives, read on demand: a cell is fetched when it is asked for, because a real SOFTWARE hive has 100 MB.
//!
//! Source: "Windows registry file format specification" by Maxim Suhanov. Bounds: a cell has at most 2 MiB, a value's
//! data 1 MiB, a name what Windows allows, a key [`SUBKEYS_MAX`] subkeys, no count exceeds what the hive has room for,
//! and a subkey must name the key that lists it as its parent, so that a walk downwards ends. All of that can be said by
//! a few bytes many times over: who reads a hive from a disk wraps it in an [`Allowance`](winrefit_disk::Allowance).
//!
//! A hive whose last write was not finished ([`Hive::is_dirty`]) is read as it stands in the file; newer content may
//! lie in its log files, and [`replay()`] shows the hive with it. [`HiveEdit`] overwrites values' data in place.

mod base_block;
mod edit;
mod error;
mod key;
mod log;
mod lookup;
mod marvin;
mod open;
mod replay;
#[cfg(test)]
mod tests;
mod value;

pub use base_block::BaseBlock;
pub use edit::{HiveEdit, HiveEditError, HiveWrite};
pub use error::HiveError;
pub use key::Key;
pub use lookup::Subkeys;
pub use open::{CurrentHive, open_with_logs};
pub use replay::{Replay, ReplayError, ReplayedHive, replay};
pub use value::{RegistryValue, Value};

use base_block::BASE_BLOCK_BYTES;

use crate::bytes::{array_at, u16_at, u32_at};
use std::fmt;
use winrefit_disk::ReadAt;

const CELL_BYTES_MAX: u32 = 2 << 20;
/// Subkeys of one key; the largest lists of a Windows, in COMPONENTS, have some ten thousand.
pub const SUBKEYS_MAX: u32 = 1 << 18;
/// Names of keys: 255 UTF-16 units ("Registry element size limits", Microsoft).
const KEY_NAME_BYTES_MAX: usize = 2 * 255;
/// Names of values: 16,383 UTF-16 units.
const VALUE_NAME_BYTES_MAX: usize = 2 * 16_383;
/// Names of up to this size are read together with what stands before them.
const SHORT_NAME_BYTES: usize = 128;

/// A hive in a file.
#[derive(Clone, Copy)]
pub struct Hive<'f> {
    file: &'f dyn ReadAt,
    base: BaseBlock,
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
        let base = BaseBlock::parse_primary(&block, file.size())?;
        Ok(Self { file, base })
    }

    /// The fields of the base block.
    pub fn base_block(&self) -> &BaseBlock {
        &self.base
    }

    /// Whether a write was begun and not finished: the two sequence numbers differ.
    pub fn is_dirty(&self) -> bool {
        self.base.is_dirty()
    }

    /// Primary and secondary sequence number.
    pub fn sequence_numbers(&self) -> (u32, u32) {
        (self.base.primary_sequence, self.base.secondary_sequence)
    }

    /// Time of the last write: 100 ns units since 1601; 0 if not known.
    pub fn last_written(&self) -> u64 {
        self.base.last_written
    }

    /// The root key.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn root(&self) -> Result<Key<'f>, HiveError> {
        Key::read(*self, self.base.root, None)
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

    /// Size of an allocated cell's content.
    fn content_size(&self, cell: u32) -> Result<usize, HiveError> {
        let bounds = |size| HiveError::CellBounds {
            cell,
            size,
            bins_bytes: self.base.bins_bytes,
        };
        let room = self
            .base
            .bins_bytes
            .checked_sub(cell)
            .filter(|&room| room >= 4)
            .ok_or_else(|| bounds(0))?;
        let mut field = [0; 4];
        let at = BASE_BLOCK_BYTES as u64 + u64::from(cell);
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
        Ok(size as usize - 4)
    }

    /// The first `most` bytes of an allocated cell's content, or all of it if it is shorter. What is not needed is not
    /// read: hostile lists may name one large cell many times.
    fn prefix(&self, cell: u32, most: usize) -> Result<Vec<u8>, HiveError> {
        let size = self.content_size(cell)?;
        let at = BASE_BLOCK_BYTES as u64 + u64::from(cell) + 4;
        Ok(self.file.read_vec(at, most.min(size))?)
    }

    /// Whether a cell's content has at least `needed` bytes; an error if not.
    fn require(&self, cell: u32, needed: usize) -> Result<(), HiveError> {
        if self.content_size(cell)? < needed {
            return Err(HiveError::CellTooShort { cell, needed });
        }
        Ok(())
    }

    /// Exactly the first `needed` bytes of a cell's content.
    fn exactly(&self, cell: u32, needed: usize) -> Result<Vec<u8>, HiveError> {
        let content = self.prefix(cell, needed)?;
        if content.len() < needed {
            return Err(HiveError::CellTooShort { cell, needed });
        }
        Ok(content)
    }

    /// A cell that begins with `signature` and has `fixed` bytes before a name of at most `limit`, whose length stands at
    /// `length_at`. Content behind the name is left out.
    fn named_cell(
        &self,
        cell: u32,
        signature: &'static str,
        fixed: usize,
        (length_at, limit): (usize, usize),
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
        let length = usize::from(length.ok_or(HiveError::CellTooShort { cell, needed: fixed })?);
        if length > limit {
            return Err(HiveError::NameLength { cell, length, limit });
        }
        let needed = fixed + length;
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
            .field("bins_bytes", &self.base.bins_bytes)
            .finish_non_exhaustive()
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
