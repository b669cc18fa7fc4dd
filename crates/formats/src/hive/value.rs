//! Values and their data.

use super::{BASE_BLOCK_BYTES, Hive, HiveError, VALUE_NAME_BYTES_MAX, name};
use crate::bytes::{array_at, u16_at, u32_at, utf16_units};

const VALUE_FIXED_BYTES: usize = 20;
const NAME_LENGTH_OFFSET: usize = 2;
const DATA_OFFSET_OFFSET: u64 = 8;
const VALUE_COMPRESSED_NAME: u16 = 0x0001;
/// Bit of the data size: the data stands in the place of its own cell offset.
const RESIDENT: u32 = 0x8000_0000;
/// Larger data is cut into segments of this size, from version 1.4 on.
const SEGMENT_BYTES: usize = 16344;
/// Data of a value; Windows recommends less than 2 KiB, and what is looked for has less.
const DATA_BYTES_MAX: u32 = 1 << 20;

const REG_SZ: u32 = 1;
const REG_EXPAND_SZ: u32 = 2;
const REG_BINARY: u32 = 3;
const REG_DWORD: u32 = 4;
const REG_MULTI_SZ: u32 = 7;
const REG_QWORD: u32 = 11;

/// A value of a key. Its data is read when asked for.
#[derive(Debug, Clone)]
pub struct Value<'f> {
    hive: Hive<'f>,
    cell: u32,
    name: String,
    kind: u32,
    size: u32,
    pub(super) data: [u8; 4],
}

/// A value's data by its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryValue {
    /// `REG_SZ` or `REG_EXPAND_SZ`, up to the first zero; unpaired surrogates become U+FFFD.
    String(String),
    /// `REG_MULTI_SZ`, without the empty string that ends it.
    MultiString(Vec<String>),
    /// `REG_DWORD`.
    Dword(u32),
    /// `REG_QWORD`.
    Qword(u64),
    /// `REG_BINARY`.
    Binary(Vec<u8>),
    /// Any other type with its data.
    Other {
        /// The type's number.
        kind: u32,
        /// The data as it is.
        data: Vec<u8>,
    },
}

impl RegistryValue {
    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number in a `REG_DWORD` or `REG_QWORD`.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Dword(number) => Some(u64::from(*number)),
            Self::Qword(number) => Some(*number),
            _ => None,
        }
    }
}

impl<'f> Value<'f> {
    pub(super) fn read(hive: Hive<'f>, cell: u32) -> Result<Self, HiveError> {
        let name_length = (NAME_LENGTH_OFFSET, VALUE_NAME_BYTES_MAX);
        let content = hive.named_cell(cell, "vk", VALUE_FIXED_BYTES, name_length)?;
        let is_compressed = u16_at(&content, 16).unwrap_or(0) & VALUE_COMPRESSED_NAME != 0;
        Ok(Self {
            hive,
            cell,
            name: name(
                content.get(VALUE_FIXED_BYTES..).unwrap_or_default(),
                is_compressed,
            ),
            kind: u32_at(&content, 12).unwrap_or(0),
            size: u32_at(&content, 4).unwrap_or(0),
            data: array_at(&content, DATA_OFFSET_OFFSET as usize).unwrap_or_default(),
        })
    }

    /// Name of the value; empty for a key's default value.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of the type, `REG_SZ` being 1.
    pub fn kind(&self) -> u32 {
        self.kind
    }

    /// Size of the data in bytes.
    pub fn size(&self) -> u32 {
        self.size & !RESIDENT
    }

    /// The data as it is.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn data(&self) -> Result<Vec<u8>, HiveError> {
        let mut data = Vec::new();
        for (at, length) in self.data_places()? {
            let at = BASE_BLOCK_BYTES as u64 + at;
            data.extend(self.hive.file.read_vec(at, length)?);
        }
        Ok(data)
    }

    /// Where the data lies: offsets from the first hive bin, and lengths. In bounds of their cells.
    pub(super) fn data_places(&self) -> Result<Vec<(u64, usize)>, HiveError> {
        let (cell, size) = (self.cell, self.size());
        let wrong = || HiveError::DataSize { cell, size };
        // Behind the size field of the cell.
        let content = |cell: u32| u64::from(cell) + 4;
        if self.size & RESIDENT != 0 {
            if size as usize > self.data.len() {
                return Err(wrong());
            }
            return Ok(vec![(content(cell) + DATA_OFFSET_OFFSET, size as usize)]);
        }
        if size == 0 {
            return Ok(Vec::new());
        }
        if size > DATA_BYTES_MAX.min(self.hive.base.bins_bytes) {
            return Err(wrong());
        }
        let data_cell = u32::from_le_bytes(self.data);
        if size as usize > SEGMENT_BYTES && self.hive.base.minor_version > 3 {
            let head = self.hive.exactly(data_cell, 8)?;
            if head.starts_with(b"db") {
                return self.segments(&head);
            }
        }
        self.hive.require(data_cell, size as usize)?;
        Ok(vec![(content(data_cell), size as usize)])
    }

    fn segments(&self, head: &[u8]) -> Result<Vec<(u64, usize)>, HiveError> {
        let (cell, size) = (self.cell, self.size());
        let count = usize::from(u16_at(head, 2).unwrap_or(0));
        if count != (size as usize).div_ceil(SEGMENT_BYTES) {
            return Err(HiveError::DataSize { cell, size });
        }
        let mut places = Vec::new();
        let mut rest = size as usize;
        for segment in self.hive.offsets(u32_at(head, 4).unwrap_or(0), count)? {
            let length = rest.min(SEGMENT_BYTES);
            self.hive.require(segment, length)?;
            places.push((u64::from(segment) + 4, length));
            rest -= length;
        }
        Ok(places)
    }

    /// The data by its type.
    ///
    /// # Errors
    /// [`HiveError`], among them [`HiveError::TypeSize`] for a number of another size than its type's.
    pub fn decode(&self) -> Result<RegistryValue, HiveError> {
        let data = self.data()?;
        let wrong_size = || HiveError::TypeSize {
            cell: self.cell,
            kind: self.kind,
            size: data.len(),
        };
        Ok(match self.kind {
            REG_SZ | REG_EXPAND_SZ => {
                let units = utf16_units(&data);
                RegistryValue::String(text(units.split(|&unit| unit == 0).next().unwrap_or_default()))
            }
            REG_MULTI_SZ => RegistryValue::MultiString(strings(&utf16_units(&data))),
            REG_DWORD => {
                let bytes = data.as_slice().try_into().map_err(|_| wrong_size())?;
                RegistryValue::Dword(u32::from_le_bytes(bytes))
            }
            REG_QWORD => {
                let bytes = data.as_slice().try_into().map_err(|_| wrong_size())?;
                RegistryValue::Qword(u64::from_le_bytes(bytes))
            }
            REG_BINARY => RegistryValue::Binary(data),
            kind => RegistryValue::Other { kind, data },
        })
    }
}

fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}

fn strings(units: &[u16]) -> Vec<String> {
    units
        .split(|&unit| unit == 0)
        .take_while(|part| !part.is_empty())
        .map(text)
        .collect()
}
