//! Attributes inside a file record.
//!
//! Layout: libfsntfs documentation, "MFT attribute"; Microsoft ATTRIBUTE_RECORD_HEADER.

use crate::bytes::{take, u16_at, u32_at, u64_at, utf16};
use crate::error::NtfsError;
use crate::runs::{MappingPairs, RunList, RunsPlace};
use crate::types::{AttributeType, FileReference, RecordNumber, Vcn};

/// Byte offsets in an attribute's header.
pub mod offsets {
    /// Type code, 4 bytes.
    pub const TYPE: usize = 0x00;
    /// Length of the whole attribute, 4 bytes.
    pub const LENGTH: usize = 0x04;
    /// 0 resident, 1 non-resident.
    pub const NON_RESIDENT: usize = 0x08;
    /// Length of the name in UTF-16 units.
    pub const NAME_LENGTH: usize = 0x09;
    /// Offset of the name, 2 bytes.
    pub const NAME_OFFSET: usize = 0x0A;
    /// Flags, 2 bytes.
    pub const FLAGS: usize = 0x0C;
    /// Attribute id, 2 bytes.
    pub const ID: usize = 0x0E;
    /// Resident: length of the value, 4 bytes.
    pub const VALUE_LENGTH: usize = 0x10;
    /// Resident: offset of the value, 2 bytes.
    pub const VALUE_OFFSET: usize = 0x14;
    /// Resident: 1 where an index holds the value.
    pub const INDEXED: usize = 0x16;
    /// Non-resident: first VCN of this piece, 8 bytes.
    pub const LOWEST_VCN: usize = 0x10;
    /// Non-resident: last VCN of this piece, 8 bytes; -1 where the piece is empty.
    pub const HIGHEST_VCN: usize = 0x18;
    /// Non-resident: offset of the mapping pairs, 2 bytes.
    pub const MAPPING_PAIRS: usize = 0x20;
    /// Non-resident: log2 of the clusters in a compression unit, 2 bytes (1 is used).
    pub const COMPRESSION_UNIT: usize = 0x22;
    /// Non-resident, first piece: allocated bytes, 8 bytes.
    pub const ALLOCATED_SIZE: usize = 0x28;
    /// Non-resident, first piece: bytes of data, 8 bytes.
    pub const DATA_SIZE: usize = 0x30;
    /// Non-resident, first piece: bytes that were ever written, 8 bytes.
    pub const INITIALIZED_SIZE: usize = 0x38;
    /// Non-resident, first piece, compressed or sparse: bytes really allocated, 8 bytes.
    pub const TOTAL_ALLOCATED: usize = 0x40;
}

/// Attribute flag: LZNT1 compressed (any of the low byte).
pub const FLAG_COMPRESSED_MASK: u16 = 0x00FF;
/// Attribute flag: encrypted by EFS.
pub const FLAG_ENCRYPTED: u16 = 0x4000;
/// Attribute flag: may have holes.
pub const FLAG_SPARSE: u16 = 0x8000;

/// One attribute, its header's bounds checked.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'a> {
    record: RecordNumber,
    offset: usize,
    bytes: &'a [u8],
}

/// The sizes of a non-resident stream; only its first piece has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamSizes {
    /// Bytes of the clusters that the stream spans, holes included.
    pub allocated: u64,
    /// Bytes of data.
    pub data: u64,
    /// Bytes that were ever written; the rest reads as zero.
    pub initialized: u64,
}

impl<'a> Attribute<'a> {
    /// The attribute at `offset` of a record whose used bytes are `used`.
    ///
    /// # Errors
    /// [`NtfsError::BadAttribute`] if a length or offset leaves the attribute or the record.
    pub(crate) fn parse(record: RecordNumber, used: &'a [u8], offset: usize) -> Result<Self, NtfsError> {
        let type_code = AttributeType(u32_at(used, offset).unwrap_or(0));
        let bad = |field, actual: u64| NtfsError::BadAttribute {
            record,
            attribute: type_code,
            offset,
            field,
            actual,
        };
        let length = u32_at(used, offset + offsets::LENGTH).ok_or_else(|| bad("length", 0))?;
        let bytes = take(used, offset, length as usize)
            .filter(|_| length >= 0x18 && length % 8 == 0)
            .ok_or_else(|| bad("length", length.into()))?;
        let attribute = Self {
            record,
            offset,
            bytes,
        };
        match bytes[offsets::NON_RESIDENT] {
            0 => {
                take(
                    bytes,
                    attribute.u16(offsets::VALUE_OFFSET).into(),
                    attribute.u32(offsets::VALUE_LENGTH) as usize,
                )
                .ok_or_else(|| bad("value length", attribute.u32(offsets::VALUE_LENGTH).into()))?;
            }
            1 => {
                let pairs = attribute.u16(offsets::MAPPING_PAIRS);
                if length < 0x40 || u32::from(pairs) >= length || pairs < 0x40 {
                    return Err(bad("mapping pairs offset", pairs.into()));
                }
                let (low, high) = (
                    attribute.u64(offsets::LOWEST_VCN),
                    attribute.u64(offsets::HIGHEST_VCN),
                );
                if low > 1 << 62 || (high.wrapping_add(1) < low) || high.wrapping_add(1) > 1 << 62 {
                    return Err(bad("highest VCN", high));
                }
            }
            other => return Err(bad("non-resident flag", other.into())),
        }
        let name = usize::from(bytes[offsets::NAME_LENGTH]) * 2;
        let name_offset = usize::from(attribute.u16(offsets::NAME_OFFSET));
        take(bytes, name_offset, name).ok_or_else(|| bad("name length", name as u64))?;
        // NTFS has the name before the value and the mapping pairs; editing those relies on it.
        let content = if attribute.is_non_resident() {
            offsets::MAPPING_PAIRS
        } else {
            offsets::VALUE_OFFSET
        };
        if name > 0 && name_offset + name > usize::from(attribute.u16(content)) {
            return Err(bad("name offset", name_offset as u64));
        }
        Ok(attribute)
    }

    fn u16(&self, offset: usize) -> u16 {
        u16_at(self.bytes, offset).unwrap_or(0)
    }

    fn u32(&self, offset: usize) -> u32 {
        u32_at(self.bytes, offset).unwrap_or(0)
    }

    fn u64(&self, offset: usize) -> u64 {
        u64_at(self.bytes, offset).unwrap_or(0)
    }

    /// The record that holds the attribute.
    pub fn record(&self) -> RecordNumber {
        self.record
    }

    /// Byte offset in the record.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes of the attribute, header included.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Type code.
    pub fn type_code(&self) -> AttributeType {
        AttributeType(self.u32(offsets::TYPE))
    }

    /// Name in UTF-16 units; empty for the unnamed attribute.
    pub fn name(&self) -> Vec<u16> {
        utf16(self.name_bytes())
    }

    /// Name as UTF-16LE bytes, for comparing without allocation.
    pub fn name_bytes(&self) -> &'a [u8] {
        let length = usize::from(self.bytes[offsets::NAME_LENGTH]) * 2;
        take(self.bytes, self.u16(offsets::NAME_OFFSET).into(), length).unwrap_or_default()
    }

    /// Whether the name is this one (ASCII; attribute names of NTFS itself are).
    pub fn is_named(&self, name: &str) -> bool {
        let bytes = self.name_bytes();
        bytes.len() == name.len() * 2
            && bytes
                .chunks_exact(2)
                .zip(name.bytes())
                .all(|(unit, ascii)| unit == [ascii, 0])
    }

    /// Flags: compressed, encrypted, sparse.
    pub fn flags(&self) -> u16 {
        self.u16(offsets::FLAGS)
    }

    /// Attribute id, unique in its record.
    pub fn id(&self) -> u16 {
        self.u16(offsets::ID)
    }

    /// Whether the value lies in clusters.
    pub fn is_non_resident(&self) -> bool {
        self.bytes[offsets::NON_RESIDENT] == 1
    }

    /// Offset of the resident value in the attribute.
    pub(crate) fn value_offset(&self) -> usize {
        self.u16(offsets::VALUE_OFFSET).into()
    }

    /// The resident value; `None` if the attribute is non-resident.
    pub fn value(&self) -> Option<&'a [u8]> {
        if self.is_non_resident() {
            return None;
        }
        take(
            self.bytes,
            self.value_offset(),
            self.u32(offsets::VALUE_LENGTH) as usize,
        )
    }

    /// Whether the resident value is marked as being in an index.
    pub fn is_indexed(&self) -> bool {
        !self.is_non_resident() && self.bytes[offsets::INDEXED] & 1 != 0
    }

    /// First VCN of this piece; 0 for resident attributes.
    pub fn lowest_vcn(&self) -> Vcn {
        if self.is_non_resident() {
            Vcn(self.u64(offsets::LOWEST_VCN))
        } else {
            Vcn(0)
        }
    }

    /// The VCN behind the last one of this piece.
    pub fn end_vcn(&self) -> Vcn {
        if self.is_non_resident() {
            Vcn(self.u64(offsets::HIGHEST_VCN).wrapping_add(1))
        } else {
            Vcn(0)
        }
    }

    /// log2 of the clusters in a compression unit.
    pub fn compression_unit(&self) -> u8 {
        if self.is_non_resident() {
            self.bytes[offsets::COMPRESSION_UNIT]
        } else {
            0
        }
    }

    /// The sizes, if this is the first piece of a non-resident stream.
    pub fn sizes(&self) -> Option<StreamSizes> {
        (self.is_non_resident() && self.lowest_vcn() == Vcn(0)).then(|| StreamSizes {
            allocated: self.u64(offsets::ALLOCATED_SIZE),
            data: self.u64(offsets::DATA_SIZE),
            initialized: self.u64(offsets::INITIALIZED_SIZE),
        })
    }

    /// Bytes really allocated, where the header has the field (first piece of a compressed or sparse stream).
    pub fn total_allocated(&self) -> Option<u64> {
        let has = self.flags() & (FLAG_COMPRESSED_MASK | FLAG_SPARSE) != 0
            && self.is_non_resident()
            && self.lowest_vcn() == Vcn(0)
            && self.mapping_pairs_offset() >= 0x48;
        has.then(|| self.u64(offsets::TOTAL_ALLOCATED))
    }

    /// Offset of the mapping pairs in the attribute.
    pub fn mapping_pairs_offset(&self) -> usize {
        self.u16(offsets::MAPPING_PAIRS).into()
    }

    /// The mapping pairs with whatever follows them; empty for resident attributes.
    pub fn mapping_pairs(&self) -> &'a [u8] {
        if self.is_non_resident() {
            self.bytes.get(self.mapping_pairs_offset()..).unwrap_or_default()
        } else {
            &[]
        }
    }

    /// The runs of this piece one by one, as they are written; nothing for a resident attribute.
    pub fn runs_iter(&self) -> MappingPairs<'a> {
        let place = RunsPlace {
            record: self.record,
            attribute: self.type_code(),
        };
        let pairs: &[u8] = if self.is_non_resident() {
            self.mapping_pairs()
        } else {
            &[0]
        };
        MappingPairs::new(pairs, place)
    }

    /// The runs of this piece, checked against the piece's VCNs.
    ///
    /// # Errors
    /// [`NtfsError::BadRuns`], or [`NtfsError::BadAttribute`] if the runs do not add up to the VCN range.
    pub fn runs(&self) -> Result<RunList, NtfsError> {
        let runs = RunList(self.runs_iter().collect::<Result<_, _>>()?);
        let span = self.end_vcn().0 - self.lowest_vcn().0;
        if runs.clusters() != span {
            return Err(NtfsError::BadAttribute {
                record: self.record,
                attribute: self.type_code(),
                offset: self.offset,
                field: "sum of the runs",
                actual: runs.clusters(),
            });
        }
        Ok(runs)
    }
}

/// One entry of an $ATTRIBUTE_LIST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// Type of the attribute.
    pub type_code: AttributeType,
    /// Name of the attribute.
    pub name: Vec<u16>,
    /// First VCN of the piece.
    pub lowest_vcn: Vcn,
    /// The record that holds the piece.
    pub holder: FileReference,
    /// Id of the attribute in that record.
    pub id: u16,
}

/// Decodes the value of an $ATTRIBUTE_LIST.
///
/// # Errors
/// [`NtfsError::BadAttribute`] if an entry is cut off.
pub fn parse_attribute_list(record: RecordNumber, value: &[u8]) -> Result<Vec<ListEntry>, NtfsError> {
    let mut entries = Vec::new();
    let mut offset = 0;
    while offset < value.len() {
        let bad = |actual: u64| NtfsError::BadAttribute {
            record,
            attribute: AttributeType::ATTRIBUTE_LIST,
            offset,
            field: "entry length",
            actual,
        };
        let length = usize::from(u16_at(value, offset + 4).ok_or_else(|| bad(0))?);
        let entry = take(value, offset, length)
            .filter(|e| e.len() >= 0x1A)
            .ok_or_else(|| bad(length as u64))?;
        let name =
            take(entry, entry[7].into(), usize::from(entry[6]) * 2).ok_or_else(|| bad(length as u64))?;
        entries.push(ListEntry {
            type_code: AttributeType(u32_at(entry, 0).unwrap_or(0)),
            name: utf16(name),
            lowest_vcn: Vcn(u64_at(entry, 0x08).unwrap_or(0)),
            holder: FileReference::from_raw(u64_at(entry, 0x10).unwrap_or(0)),
            id: u16_at(entry, 0x18).unwrap_or(0),
        });
        offset += length;
    }
    Ok(entries)
}

/// The value of a $FILE_NAME, which is also the key of a directory entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// The directory.
    pub parent: FileReference,
    /// Allocated bytes of the unnamed stream, as last copied here.
    pub allocated_size: u64,
    /// Bytes of the unnamed stream, as last copied here.
    pub data_size: u64,
    /// DOS attributes, and 0x10000000 for a directory.
    pub file_attributes: u32,
    /// 0 POSIX, 1 Win32, 2 DOS, 3 Win32 and DOS.
    pub namespace: u8,
    /// The name in UTF-16 units.
    pub name: Vec<u16>,
}

impl FileName {
    /// Decodes the value.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let length = usize::from(*value.get(0x40)?) * 2;
        Some(Self {
            parent: FileReference::from_raw(u64_at(value, 0)?),
            allocated_size: u64_at(value, 0x28)?,
            data_size: u64_at(value, 0x30)?,
            file_attributes: u32_at(value, 0x38)?,
            namespace: *value.get(0x41)?,
            name: utf16(take(value, 0x42, length)?),
        })
    }

    /// The name for people; unpaired surrogates become U+FFFD.
    pub fn display_name(&self) -> String {
        String::from_utf16_lossy(&self.name)
    }
}
