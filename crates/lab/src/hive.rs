//! Writes registry hives ("regf", version 1.5) from a tree of keys and values.
//!
//! Layout after Maxim Suhanov's "Windows registry file format specification": a base block of 4096 bytes, then hive
//! bins of whole 4096-byte pages, filled with cells without a gap; cell offsets count from the first bin. A written
//! hive is clean (both sequence numbers equal, no log needed), has one security descriptor for all keys, and depends
//! on nothing but its arguments.

mod layout;
mod log;

use layout::{Bins, NO_CELL};

pub use layout::seal;
pub use log::{interrupted, seal_entry};

/// Longest key name, in UTF-16 units.
const KEY_NAME_LIMIT: usize = 255;
/// Longest value name, in UTF-16 units.
const VALUE_NAME_LIMIT: usize = 16_383;
/// Most bytes of a value that lie in one cell; beyond begins the "big data" form, which nothing here needs.
const VALUE_DATA_LIMIT: usize = 16_344;
/// Most subkeys in one leaf; beyond begins the index root form, which nothing here needs.
const SUBKEY_LIMIT: usize = 1012;
/// Depth of the tree that Windows allows.
const DEPTH_LIMIT: usize = 512;

/// A tree that cannot be written as a hive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HiveError {
    /// A name is empty (keys only), too long, or has a backslash (keys only).
    #[error("the name {name:?} has {length} UTF-16 units; 1 to {limit} without a backslash are allowed")]
    Name {
        /// The name.
        name: String,
        /// Its length in UTF-16 units.
        length: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// Two names in one key are equal but for case.
    #[error("the name {name:?} appears twice in one key")]
    Duplicate {
        /// The second of the two.
        name: String,
    },
    /// A value has too much data.
    #[error("the value {name:?} has {length} bytes of data, more than {limit}")]
    ValueData {
        /// The value's name.
        name: String,
        /// Length of its data in bytes.
        length: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// A key has too many subkeys.
    #[error("the key {name:?} has {count} subkeys, more than {limit}")]
    Subkeys {
        /// The key's name.
        name: String,
        /// Number of its subkeys.
        count: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// The tree is deeper than Windows allows.
    #[error("the tree is deeper than {limit} keys")]
    Depth {
        /// The most that is allowed.
        limit: usize,
    },
}

/// The data of a value, with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// `REG_SZ`
    Text(String),
    /// `REG_EXPAND_SZ`
    ExpandText(String),
    /// `REG_BINARY`
    Binary(Vec<u8>),
    /// `REG_DWORD`
    Dword(u32),
    /// `REG_MULTI_SZ`
    MultiText(Vec<String>),
    /// `REG_QWORD`
    Qword(u64),
}

impl Data {
    /// The type number and the bytes.
    fn encode(&self) -> (u32, Vec<u8>) {
        match self {
            Self::Text(text) => (1, utf16_z(text)),
            Self::ExpandText(text) => (2, utf16_z(text)),
            Self::Binary(bytes) => (3, bytes.clone()),
            Self::Dword(number) => (4, number.to_le_bytes().to_vec()),
            Self::MultiText(texts) => {
                let mut bytes: Vec<u8> = texts.iter().flat_map(|text| utf16_z(text)).collect();
                bytes.extend([0, 0]);
                (7, bytes)
            }
            Self::Qword(number) => (11, number.to_le_bytes().to_vec()),
        }
    }
}

/// A key with its values and subkeys, in any order: writing sorts the subkeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    name: String,
    values: Vec<(String, Data)>,
    keys: Vec<Key>,
}

impl Key {
    /// A key without values and subkeys.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            values: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// The same key with one value more. The empty name is the key's default value.
    #[must_use]
    pub fn value(mut self, name: impl Into<String>, data: Data) -> Self {
        self.values.push((name.into(), data));
        self
    }

    /// The same key with one text value more.
    #[must_use]
    pub fn text(self, name: &str, text: &str) -> Self {
        self.value(name, Data::Text(text.to_owned()))
    }

    /// The same key with one number more.
    #[must_use]
    pub fn dword(self, name: &str, number: u32) -> Self {
        self.value(name, Data::Dword(number))
    }

    /// The same key with one subkey more.
    #[must_use]
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }
}

/// The bytes of a hive with this root key. `file_name` is recorded in the base block (its last 31 characters),
/// `timestamp` (100 ns since 1601) as the time of the last write of the hive and of every key.
///
/// # Errors
/// [`HiveError`] for a tree that the format cannot hold in the simple forms written here.
pub fn write(root: &Key, file_name: &str, timestamp: u64) -> Result<Vec<u8>, HiveError> {
    let mut writer = Writer {
        bins: Bins::new(timestamp),
        timestamp,
        security: NO_CELL,
        key_count: 0,
    };
    let root_cell = writer.key(root, None, 0)?;
    let key_count = writer.key_count;
    writer.bins.put(writer.security + 12, &key_count.to_le_bytes());
    Ok(writer.bins.finish(root_cell, file_name))
}

struct Writer {
    bins: Bins,
    timestamp: u64,
    /// Offset of the one security cell; written right behind the root key.
    security: u32,
    key_count: u32,
}

impl Writer {
    /// Writes `key` and all below it; returns its cell.
    fn key(&mut self, key: &Key, parent: Option<u32>, depth: usize) -> Result<u32, HiveError> {
        if depth == DEPTH_LIMIT {
            return Err(HiveError::Depth { limit: DEPTH_LIMIT });
        }
        if key.keys.len() > SUBKEY_LIMIT {
            let (name, count) = (key.name.clone(), key.keys.len());
            return Err(HiveError::Subkeys {
                name,
                count,
                limit: SUBKEY_LIMIT,
            });
        }
        if key.name.is_empty() || key.name.contains('\\') {
            return Err(bad_name(&key.name, KEY_NAME_LIMIT));
        }
        let (name, ascii) = encode_name(&key.name, KEY_NAME_LIMIT)?;
        let cell = self.bins.allocate(76 + name.len());
        self.key_count += 1;
        if parent.is_none() {
            self.security = self.security_cell();
        }
        let values = self.values(&key.values)?;
        let keys = self.subkeys(&key.keys, cell, depth)?;

        let mut node = Vec::with_capacity(76 + name.len());
        node.extend(b"nk");
        // 0x20: the name is one byte per character; 0x0C: the root of a hive, which must not be deleted.
        let flags = if ascii { 0x20u16 } else { 0 } | if parent.is_none() { 0x0C } else { 0 };
        node.extend(flags.to_le_bytes());
        node.extend(self.timestamp.to_le_bytes());
        let longest_key = longest(key.keys.iter().map(|key| utf16_bytes(&key.name)));
        let longest_name = longest(key.values.iter().map(|(name, _)| utf16_bytes(name)));
        let longest_data = longest(key.values.iter().map(|(_, data)| data.encode().1.len()));
        for number in [
            0,                         // access bits
            parent.unwrap_or(NO_CELL), // parent
            key.keys.len() as u32,
            0, // volatile subkeys
            keys,
            NO_CELL, // list of the volatile subkeys
            key.values.len() as u32,
            values,
            self.security,
            NO_CELL, // class name
            longest_key,
            0, // longest class name of a subkey
            longest_name,
            longest_data,
            0, // work variable
        ] {
            node.extend(number.to_le_bytes());
        }
        node.extend((name.len() as u16).to_le_bytes());
        node.extend(0u16.to_le_bytes()); // class name length
        node.extend(name);
        self.bins.put(cell, &node);
        Ok(cell)
    }

    /// Writes the subkeys and their list; returns the list's cell. Windows looks keys up in it by halving, so it is
    /// sorted by the upper case of the names.
    fn subkeys(&mut self, keys: &[Key], parent: u32, depth: usize) -> Result<u32, HiveError> {
        if keys.is_empty() {
            return Ok(NO_CELL);
        }
        let mut sorted: Vec<(Vec<u16>, &Key)> = keys.iter().map(|key| (upper(&key.name), key)).collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        refuse_twins(sorted.iter().map(|(upper, key)| (upper, key.name.as_str())))?;
        let list = self.bins.allocate(4 + 8 * keys.len());
        let mut leaf = b"lh".to_vec();
        leaf.extend((keys.len() as u16).to_le_bytes());
        for (upper, key) in sorted {
            let cell = self.key(key, Some(parent), depth + 1)?;
            let hash = upper.iter().fold(0u32, |hash, unit| {
                hash.wrapping_mul(37).wrapping_add(u32::from(*unit))
            });
            leaf.extend(cell.to_le_bytes());
            leaf.extend(hash.to_le_bytes());
        }
        self.bins.put(list, &leaf);
        Ok(list)
    }

    /// Writes the values and their list; returns the list's cell.
    fn values(&mut self, values: &[(String, Data)]) -> Result<u32, HiveError> {
        if values.is_empty() {
            return Ok(NO_CELL);
        }
        let mut names: Vec<(Vec<u16>, &str)> =
            values.iter().map(|(name, _)| (upper(name), &name[..])).collect();
        names.sort();
        refuse_twins(names.iter().map(|(upper, name)| (upper, *name)))?;
        let list = self.bins.allocate(4 * values.len());
        let mut cells = Vec::with_capacity(4 * values.len());
        for (name, data) in values {
            cells.extend(self.value(name, data)?.to_le_bytes());
        }
        self.bins.put(list, &cells);
        Ok(list)
    }

    fn value(&mut self, name: &str, data: &Data) -> Result<u32, HiveError> {
        let (kind, bytes) = data.encode();
        if bytes.len() > VALUE_DATA_LIMIT {
            let (name, length) = (name.to_owned(), bytes.len());
            return Err(HiveError::ValueData {
                name,
                length,
                limit: VALUE_DATA_LIMIT,
            });
        }
        let (encoded, ascii) = encode_name(name, VALUE_NAME_LIMIT)?;
        let cell = self.bins.allocate(20 + encoded.len());
        let mut length = bytes.len() as u32;
        let place = if bytes.len() <= 4 {
            // Up to four bytes lie in the place of the offset; the top bit says so.
            length |= 0x8000_0000;
            let mut inline = [0; 4];
            inline[..bytes.len()].copy_from_slice(&bytes);
            u32::from_le_bytes(inline)
        } else {
            let place = self.bins.allocate(bytes.len());
            self.bins.put(place, &bytes);
            place
        };
        let mut node = b"vk".to_vec();
        node.extend((encoded.len() as u16).to_le_bytes());
        for number in [length, place, kind, u32::from(ascii)] {
            node.extend(number.to_le_bytes());
        }
        node.extend(encoded);
        self.bins.put(cell, &node);
        Ok(cell)
    }

    /// Writes the security cell, alone in its ring; the number of its users follows at the end.
    fn security_cell(&mut self) -> u32 {
        let descriptor = layout::security_descriptor();
        let cell = self.bins.allocate(20 + descriptor.len());
        let mut node = b"sk\0\0".to_vec();
        for number in [cell, cell, 0, descriptor.len() as u32] {
            node.extend(number.to_le_bytes());
        }
        node.extend(descriptor);
        self.bins.put(cell, &node);
        cell
    }
}

fn bad_name(name: &str, limit: usize) -> HiveError {
    HiveError::Name {
        name: name.to_owned(),
        length: name.encode_utf16().count(),
        limit,
    }
}

/// The name as it is stored, and whether that is one byte per character.
fn encode_name(name: &str, limit: usize) -> Result<(Vec<u8>, bool), HiveError> {
    if name.encode_utf16().count() > limit {
        return Err(bad_name(name, limit));
    }
    if name.is_ascii() {
        return Ok((name.as_bytes().to_vec(), true));
    }
    Ok((name.encode_utf16().flat_map(u16::to_le_bytes).collect(), false))
}

fn utf16_z(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}

fn utf16_bytes(text: &str) -> usize {
    2 * text.encode_utf16().count()
}

fn longest(lengths: impl Iterator<Item = usize>) -> u32 {
    lengths.max().unwrap_or(0) as u32
}

/// Upper case unit by unit, as Windows does: a character whose upper case is longer stays as it is.
fn upper(name: &str) -> Vec<u16> {
    let single = |letter: char| {
        let mut upper = letter.to_uppercase();
        if upper.len() == 1 {
            upper.next().unwrap_or(letter)
        } else {
            letter
        }
    };
    let text: String = name.chars().map(single).collect();
    text.encode_utf16().collect()
}

fn refuse_twins<'a>(sorted: impl Iterator<Item = (&'a Vec<u16>, &'a str)>) -> Result<(), HiveError> {
    let mut last: Option<&Vec<u16>> = None;
    for (upper, name) in sorted {
        if last == Some(upper) {
            return Err(HiveError::Duplicate {
                name: name.to_owned(),
            });
        }
        last = Some(upper);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
