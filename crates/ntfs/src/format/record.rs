//! Building file records.

use super::{FormatError, tree};
use crate::attribute::{StreamSizes, offsets};
use crate::bytes::put;
use crate::fixup;
use crate::record::{self, END_BYTES};
use crate::runs::RunList;
use crate::types::{AttributeType, FileReference};

/// Offset of the update sequence array in a record since NTFS 3.1.
const UPDATE_SEQUENCE: usize = 0x30;
/// Attribute header with the name's place, resident and non-resident.
const RESIDENT_HEADER: usize = 0x18;
const NON_RESIDENT_HEADER: usize = 0x40;

/// Offset of the first attribute in a record of `record_size` bytes.
pub(super) fn first_attribute(record_size: u32) -> usize {
    let strides = record_size as usize / fixup::STRIDE;
    (UPDATE_SEQUENCE + (strides + 1) * 2).next_multiple_of(8)
}

/// Bytes that a resident attribute takes.
pub(super) fn resident_bytes(name: &str, value: usize) -> usize {
    ((RESIDENT_HEADER + name.len() * 2).next_multiple_of(8) + value).next_multiple_of(8)
}

/// A record under construction. Attributes are to be added in order of type and name.
pub(super) struct RecordBuilder {
    number: u64,
    bytes: Vec<u8>,
    size: usize,
    next_id: u16,
}

impl RecordBuilder {
    /// A record without attributes.
    pub(super) fn new(reference: FileReference, record_size: u32, flags: u16, links: u16) -> Self {
        let (size, first) = (record_size as usize, first_attribute(record_size));
        let number = reference.record.0;
        let mut bytes = Vec::with_capacity(size);
        bytes.resize(first, 0);
        put(&mut bytes, 0, &record::SIGNATURE);
        put(&mut bytes, 4, &(UPDATE_SEQUENCE as u16).to_le_bytes());
        put(&mut bytes, 6, &((size / fixup::STRIDE + 1) as u16).to_le_bytes());
        put(&mut bytes, record::SEQUENCE, &reference.sequence.to_le_bytes());
        put(&mut bytes, record::LINK_COUNT, &links.to_le_bytes());
        put(&mut bytes, record::FIRST_ATTRIBUTE, &(first as u16).to_le_bytes());
        put(&mut bytes, record::FLAGS, &flags.to_le_bytes());
        put(&mut bytes, record::BYTES_ALLOCATED, &record_size.to_le_bytes());
        put(&mut bytes, record::NUMBER, &(number as u32).to_le_bytes());
        let next_id = 0;
        Self {
            number,
            bytes,
            size,
            next_id,
        }
    }

    /// The record of a file that does not exist.
    pub(super) fn unused(number: u64, record_size: u32) -> Self {
        Self::new(tree::reference(number), record_size, 0, 0)
    }

    /// Bytes that further attributes can take.
    pub(super) fn room(&self) -> usize {
        self.size.saturating_sub(self.bytes.len() + END_BYTES)
    }

    /// Type, name and id; the caller completes the rest of the header.
    fn header(&mut self, type_code: AttributeType, length: usize, name: &str, name_offset: usize) -> Vec<u8> {
        let mut attribute = vec![0; length];
        put(&mut attribute, offsets::TYPE, &type_code.0.to_le_bytes());
        put(&mut attribute, offsets::LENGTH, &(length as u32).to_le_bytes());
        put(&mut attribute, offsets::NAME_LENGTH, &[name.len() as u8]);
        put(
            &mut attribute,
            offsets::NAME_OFFSET,
            &(name_offset as u16).to_le_bytes(),
        );
        put(&mut attribute, offsets::ID, &self.next_id.to_le_bytes());
        for (index, unit) in name.encode_utf16().enumerate() {
            put(&mut attribute, name_offset + index * 2, &unit.to_le_bytes());
        }
        self.next_id += 1;
        attribute
    }

    /// Adds a resident attribute. `name` is ASCII. A $FILE_NAME is marked as being in an index.
    pub(super) fn resident(&mut self, type_code: AttributeType, name: &str, value: &[u8]) -> &mut Self {
        let at = (RESIDENT_HEADER + name.len() * 2).next_multiple_of(8);
        let length = resident_bytes(name, value.len());
        let mut attribute = self.header(type_code, length, name, RESIDENT_HEADER);
        let indexed = u8::from(type_code == AttributeType::FILE_NAME);
        put(
            &mut attribute,
            offsets::VALUE_LENGTH,
            &(value.len() as u32).to_le_bytes(),
        );
        put(&mut attribute, offsets::VALUE_OFFSET, &(at as u16).to_le_bytes());
        put(&mut attribute, offsets::INDEXED, &[indexed]);
        put(&mut attribute, at, value);
        self.bytes.extend(attribute);
        self
    }

    /// Adds a non-resident attribute that is whole in this record. `name` is ASCII.
    pub(super) fn non_resident(
        &mut self,
        type_code: AttributeType,
        name: &str,
        runs: &RunList,
        sizes: StreamSizes,
    ) -> &mut Self {
        let pairs = runs.encode();
        let at = (NON_RESIDENT_HEADER + name.len() * 2).next_multiple_of(8);
        let length = (at + pairs.len()).next_multiple_of(8);
        let mut attribute = self.header(type_code, length, name, NON_RESIDENT_HEADER);
        let highest = runs.clusters().wrapping_sub(1);
        put(&mut attribute, offsets::NON_RESIDENT, &[1]);
        put(&mut attribute, offsets::HIGHEST_VCN, &highest.to_le_bytes());
        put(&mut attribute, offsets::MAPPING_PAIRS, &(at as u16).to_le_bytes());
        put(
            &mut attribute,
            offsets::ALLOCATED_SIZE,
            &sizes.allocated.to_le_bytes(),
        );
        put(&mut attribute, offsets::DATA_SIZE, &sizes.data.to_le_bytes());
        put(
            &mut attribute,
            offsets::INITIALIZED_SIZE,
            &sizes.initialized.to_le_bytes(),
        );
        put(&mut attribute, at, &pairs);
        self.bytes.extend(attribute);
        self
    }

    /// The record's bytes for the disk.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, FormatError> {
        self.bytes.extend(AttributeType::END.0.to_le_bytes());
        self.bytes.extend([0; 4]);
        let used = self.bytes.len();
        if used > self.size {
            return Err(FormatError::RecordOverflow { record: self.number });
        }
        put(&mut self.bytes, record::BYTES_USED, &(used as u32).to_le_bytes());
        put(&mut self.bytes, record::NEXT_ID, &self.next_id.to_le_bytes());
        self.bytes.resize(self.size, 0);
        fixup::protect(&mut self.bytes, 1);
        Ok(self.bytes)
    }
}
