//! Keys and the lists of their subkeys.

use super::{Hive, HiveError, KEY_NAME_BYTES_MAX, SUBKEYS_MAX, Value, name, names_equal};
use crate::bytes::{array_at, u16_at, u32_at, u64_at};

const KEY_FIXED_BYTES: usize = 76;
const NAME_LENGTH_OFFSET: usize = 72;
const LIST_FIXED_BYTES: usize = 4;
/// A key's flag: the name has one byte per character.
const KEY_COMPRESSED_NAME: u16 = 0x0020;
/// Smallest cell of a key and of a value, for bounds on their counts.
const KEY_CELL_BYTES_MIN: u32 = 80;
const VALUE_CELL_BYTES_MIN: u32 = 24;

/// A key of a hive.
#[derive(Debug, Clone)]
pub struct Key<'f> {
    hive: Hive<'f>,
    cell: u32,
    name: String,
    last_written: u64,
    subkey_count: u32,
    subkeys: u32,
    value_count: u32,
    values: u32,
}

/// One entry of a list of subkeys: the key's cell, and the hash of its name where the list has one.
#[derive(Debug, Clone, Copy)]
struct Entry {
    cell: u32,
    hash: Option<u32>,
}

impl<'f> Key<'f> {
    /// Reads the key in `cell`, which must name `parent` as its parent unless it is the root.
    pub(super) fn read(hive: Hive<'f>, cell: u32, parent: Option<u32>) -> Result<Self, HiveError> {
        let name_length = (NAME_LENGTH_OFFSET, KEY_NAME_BYTES_MAX);
        let content = hive.named_cell(cell, "nk", KEY_FIXED_BYTES, name_length)?;
        let word = |at| u32_at(&content, at).unwrap_or(0);
        if let Some(expected) = parent.filter(|&parent| parent != word(16)) {
            let actual = word(16);
            return Err(HiveError::Parent {
                cell,
                expected,
                actual,
            });
        }
        let (subkey_count, value_count) = (word(20), word(36));
        let is_compressed = u16_at(&content, 2).unwrap_or(0) & KEY_COMPRESSED_NAME != 0;
        let too_many = |what, count| HiveError::Count { cell, what, count };
        if subkey_count > hive.base.bins_bytes / KEY_CELL_BYTES_MIN {
            return Err(too_many("subkeys", subkey_count));
        }
        if value_count > hive.base.bins_bytes / VALUE_CELL_BYTES_MIN {
            return Err(too_many("values", value_count));
        }
        Ok(Self {
            hive,
            cell,
            name: name(content.get(KEY_FIXED_BYTES..).unwrap_or_default(), is_compressed),
            last_written: u64_at(&content, 4).unwrap_or(0),
            subkey_count,
            subkeys: word(28),
            value_count,
            values: word(40),
        })
    }

    /// Name of the key, without its path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Time of the last change: 100 ns units since 1601.
    pub fn last_written(&self) -> u64 {
        self.last_written
    }

    /// The subkeys, in the order of their names. Each is read when the iterator gets there.
    ///
    /// # Errors
    /// [`HiveError`] if the lists cannot be read, or from the iterator for a single subkey.
    pub fn subkeys(&self) -> Result<impl Iterator<Item = Result<Key<'f>, HiveError>> + use<'f>, HiveError> {
        let (hive, parent) = (self.hive, self.cell);
        let entries = self.entries()?;
        Ok(entries
            .into_iter()
            .map(move |entry| Key::read(hive, entry.cell, Some(parent))))
    }

    /// The subkey of that name, in any case.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn subkey(&self, name: &str) -> Result<Option<Key<'f>>, HiveError> {
        // The hash saves reading every subkey. It is taken of the name in upper case, which is certain for ASCII only.
        let wanted = name.is_ascii().then(|| hash(name));
        for entry in self.entries()? {
            if matches!((wanted, entry.hash), (Some(wanted), Some(actual)) if wanted != actual) {
                continue;
            }
            let key = Key::read(self.hive, entry.cell, Some(self.cell))?;
            if names_equal(&key.name, name) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// The values, in the order of the hive.
    ///
    /// # Errors
    /// [`HiveError`] if the list cannot be read, or from the iterator for a single value.
    pub fn values(&self) -> Result<impl Iterator<Item = Result<Value<'f>, HiveError>> + use<'f>, HiveError> {
        let hive = self.hive;
        let cells = match self.value_count {
            0 => Vec::new(),
            count => hive.offsets(self.values, count as usize)?,
        };
        Ok(cells.into_iter().map(move |cell| Value::read(hive, cell)))
    }

    /// The value of that name, in any case. The empty name is the key's default value.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn value(&self, name: &str) -> Result<Option<Value<'f>>, HiveError> {
        for value in self.values()? {
            let value = value?;
            if names_equal(value.name(), name) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// All entries of the key's list, or of the lists that it points to. There is one such level at most.
    fn entries(&self) -> Result<Vec<Entry>, HiveError> {
        let mut entries = Vec::new();
        if self.subkey_count == 0 {
            return Ok(entries);
        }
        if self.subkey_count > SUBKEYS_MAX {
            let (cell, what, count) = (self.cell, "subkeys", self.subkey_count);
            return Err(HiveError::Count { cell, what, count });
        }
        let head = self.hive.exactly(self.subkeys, LIST_FIXED_BYTES)?;
        if head.starts_with(b"ri") {
            for leaf in self.list_entries(self.subkeys, &head, 4)? {
                let head = self.hive.exactly(leaf.cell, LIST_FIXED_BYTES)?;
                self.leaf(leaf.cell, &head, &mut entries)?;
            }
        } else {
            self.leaf(self.subkeys, &head, &mut entries)?;
        }
        if entries.len() != self.subkey_count as usize {
            return Err(self.miscounted());
        }
        Ok(entries)
    }

    fn leaf(&self, cell: u32, head: &[u8], entries: &mut Vec<Entry>) -> Result<(), HiveError> {
        let signature = array_at(head, 0).unwrap_or_default();
        let stride = match &signature {
            b"lf" | b"lh" => 8,
            b"li" => 4,
            _ => {
                return Err(HiveError::CellSignature {
                    cell,
                    expected: "lf, lh or li",
                    actual: signature,
                });
            }
        };
        let mut more = self.list_entries(cell, head, stride)?;
        // Only "lh" has the hash of the whole name.
        if &signature != b"lh" {
            more.iter_mut().for_each(|entry| entry.hash = None);
        }
        // Checked per leaf: a list that names one leaf many times must not cost more than the key's count allows.
        if more.is_empty() || entries.len() + more.len() > self.subkey_count as usize {
            return Err(self.miscounted());
        }
        entries.extend(more);
        Ok(())
    }

    /// The entries of a list whose first bytes are `head`.
    fn list_entries(&self, cell: u32, head: &[u8], stride: usize) -> Result<Vec<Entry>, HiveError> {
        let count = usize::from(u16_at(head, 2).unwrap_or(0));
        if count > self.subkey_count as usize {
            return Err(self.miscounted());
        }
        let list = self.hive.exactly(cell, LIST_FIXED_BYTES + count * stride)?;
        let body = list.get(LIST_FIXED_BYTES..).unwrap_or_default();
        Ok(body
            .chunks_exact(stride)
            .map(|entry| Entry {
                cell: u32_at(entry, 0).unwrap_or(0),
                hash: u32_at(entry, 4),
            })
            .collect())
    }

    fn miscounted(&self) -> HiveError {
        HiveError::SubkeyCount {
            cell: self.cell,
            expected: self.subkey_count,
        }
    }
}

/// The hash of an ASCII name in an "lh" list.
fn hash(name: &str) -> u32 {
    let upper = name.bytes().map(|byte| u32::from(byte.to_ascii_uppercase()));
    upper.fold(0, |hash: u32, byte| hash.wrapping_mul(37).wrapping_add(byte))
}
