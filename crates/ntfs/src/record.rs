//! File records: the entries of the $MFT.
//!
//! Layout: libfsntfs documentation, "MFT entry"; Microsoft FILE_RECORD_SEGMENT_HEADER.

use crate::attribute::Attribute;
use crate::bytes::{put, u16_at, u32_at, u64_at};
use crate::error::NtfsError;
use crate::fixup;
use crate::types::{AttributeType, FileReference, RecordNumber};

/// Signature of a file record.
pub const SIGNATURE: [u8; 4] = *b"FILE";
/// Record flag: in use.
pub const FLAG_IN_USE: u16 = 0x0001;
/// Record flag: has a directory index.
pub const FLAG_DIRECTORY: u16 = 0x0002;
/// Record flag: has an index other than a directory's.
pub const FLAG_VIEW_INDEX: u16 = 0x0008;

pub(crate) const SEQUENCE: usize = 0x10;
pub(crate) const LINK_COUNT: usize = 0x12;
pub(crate) const FIRST_ATTRIBUTE: usize = 0x14;
pub(crate) const FLAGS: usize = 0x16;
pub(crate) const BYTES_USED: usize = 0x18;
pub(crate) const BYTES_ALLOCATED: usize = 0x1C;
pub(crate) const BASE_REFERENCE: usize = 0x20;
pub(crate) const NEXT_ID: usize = 0x28;
pub(crate) const NUMBER: usize = 0x2C;
/// The end marker: the END type code and four bytes that mean nothing.
pub(crate) const END_BYTES: usize = 8;

/// A file record with its fixups removed and its header checked. `B` owns or borrows the bytes.
#[derive(Debug, Clone)]
pub struct Record<B = Vec<u8>> {
    number: RecordNumber,
    bytes: B,
}

impl<'a> Record<&'a [u8]> {
    /// Removes the fixups in `raw` and checks the header, without copying.
    ///
    /// # Errors
    /// [`NtfsError::BadSignature`], [`NtfsError::TornRecord`] or [`NtfsError::BadRecord`].
    pub fn parse_in_place(number: RecordNumber, raw: &'a mut [u8]) -> Result<Self, NtfsError> {
        let position = number.0.saturating_mul(raw.len() as u64);
        fixup::apply(raw, SIGNATURE, "file record", position)?;
        let record = Self { number, bytes: &*raw };
        record.check_header()?;
        Ok(record)
    }
}

impl Record<Vec<u8>> {
    /// Removes the fixups of `raw` and checks the header.
    ///
    /// # Errors
    /// As [`Record::parse_in_place`].
    pub fn parse(number: RecordNumber, mut raw: Vec<u8>) -> Result<Self, NtfsError> {
        Record::parse_in_place(number, &mut raw)?;
        Ok(Self { number, bytes: raw })
    }

    /// A record made here.
    pub(crate) fn from_plain(number: RecordNumber, bytes: Vec<u8>) -> Result<Self, NtfsError> {
        let record = Self { number, bytes };
        record.check_header()?;
        Ok(record)
    }

    /// The plain bytes, to be changed in place. Whoever changes lengths keeps the header true.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Replaces the attribute at `offset` by `new`, whose length may differ, and moves what follows.
    ///
    /// # Errors
    /// [`NtfsError::RecordFull`] if the record has no room; it is unchanged then.
    pub fn replace_attribute(
        &mut self,
        offset: usize,
        old_length: usize,
        new: &[u8],
    ) -> Result<(), NtfsError> {
        debug_assert!(new.len().is_multiple_of(8));
        let used = self.bytes_used();
        let allocated = self.bytes.len();
        let new_used = used - old_length + new.len();
        if new_used > allocated {
            return Err(NtfsError::RecordFull {
                record: self.number,
                needed: new_used - used,
                free: allocated - used,
            });
        }
        self.bytes
            .copy_within(offset + old_length..used, offset + new.len());
        self.bytes[offset..offset + new.len()].copy_from_slice(new);
        if new_used < used {
            self.bytes[new_used..used].fill(0);
        }
        put(&mut self.bytes, BYTES_USED, &(new_used as u32).to_le_bytes());
        Ok(())
    }
}

impl<B: AsRef<[u8]>> Record<B> {
    fn check_header(&self) -> Result<(), NtfsError> {
        let bytes = self.bytes();
        let bad = |field, actual: usize| NtfsError::BadRecord {
            record: self.number,
            field,
            actual: actual as u64,
        };
        let (first, used, allocated) = (self.first_attribute(), self.bytes_used(), self.bytes_allocated());
        if allocated != bytes.len() {
            return Err(bad("allocated size", allocated));
        }
        if used > allocated || used % 8 != 0 || used < first + 8 {
            return Err(bad("used size", used));
        }
        if first % 8 != 0 || first < 0x28 {
            return Err(bad("offset of the first attribute", first));
        }
        Ok(())
    }

    /// Number of the record.
    pub fn number(&self) -> RecordNumber {
        self.number
    }

    /// The plain bytes, fixups removed.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// How often the record was reused.
    pub fn sequence(&self) -> u16 {
        u16_at(self.bytes(), SEQUENCE).unwrap_or(0)
    }

    /// The reference that names this record now.
    pub fn reference(&self) -> FileReference {
        FileReference {
            record: self.number,
            sequence: self.sequence(),
        }
    }

    /// Number of names in directories.
    pub fn link_count(&self) -> u16 {
        u16_at(self.bytes(), LINK_COUNT).unwrap_or(0)
    }

    /// Flags: in use, directory.
    pub fn flags(&self) -> u16 {
        u16_at(self.bytes(), FLAGS).unwrap_or(0)
    }

    /// Whether a file has this record.
    pub fn is_in_use(&self) -> bool {
        self.flags() & FLAG_IN_USE != 0
    }

    /// Whether the file is a directory.
    pub fn is_directory(&self) -> bool {
        self.flags() & FLAG_DIRECTORY != 0
    }

    /// Bytes in use, the end marker included.
    pub fn bytes_used(&self) -> usize {
        u32_at(self.bytes(), BYTES_USED).unwrap_or(0) as usize
    }

    /// Bytes of the record according to its header.
    pub fn bytes_allocated(&self) -> usize {
        u32_at(self.bytes(), BYTES_ALLOCATED).unwrap_or(0) as usize
    }

    /// Offset of the first attribute.
    pub fn first_attribute(&self) -> usize {
        u16_at(self.bytes(), FIRST_ATTRIBUTE).unwrap_or(0).into()
    }

    /// The base record of an extension record; `None` for a base record.
    pub fn base(&self) -> Option<FileReference> {
        Some(u64_at(self.bytes(), BASE_REFERENCE)?)
            .filter(|&raw| raw != 0)
            .map(FileReference::from_raw)
    }

    /// The id that the next new attribute gets.
    pub fn next_attribute_id(&self) -> u16 {
        u16_at(self.bytes(), NEXT_ID).unwrap_or(0)
    }

    /// The record's own number as stored in it (NTFS 3.1, where the header has the field).
    pub fn stored_number(&self) -> Option<u32> {
        // Older records begin their update sequence array where the field would be.
        let array = u16_at(self.bytes(), 4)?;
        (array >= 0x30).then(|| u32_at(self.bytes(), NUMBER)).flatten()
    }

    /// The attributes in record order. Stops behind the first damaged one.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes {
            record: self.number,
            used: self.bytes().get(..self.bytes_used()).unwrap_or_default(),
            offset: Some(self.first_attribute()),
        }
    }

    /// The first attribute of this type and name in this record.
    ///
    /// # Errors
    /// The damage met on the way to it.
    pub fn find(&self, type_code: AttributeType, name: &str) -> Result<Option<Attribute<'_>>, NtfsError> {
        for attribute in self.attributes() {
            let attribute = attribute?;
            if attribute.type_code() == type_code && attribute.is_named(name) {
                return Ok(Some(attribute));
            }
        }
        Ok(None)
    }
}

/// Iterator over the attributes of a record.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    record: RecordNumber,
    used: &'a [u8],
    offset: Option<usize>,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, NtfsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.offset.take()?;
        let Some(type_code) = u32_at(self.used, offset).map(AttributeType) else {
            return Some(Err(NtfsError::BadRecord {
                record: self.record,
                field: "end of the attributes (no end marker)",
                actual: offset as u64,
            }));
        };
        if type_code == AttributeType::END {
            return None;
        }
        let attribute = Attribute::parse(self.record, self.used, offset);
        if let Ok(attribute) = &attribute {
            self.offset = Some(offset + attribute.bytes().len());
        }
        Some(attribute)
    }
}
