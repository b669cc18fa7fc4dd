//! Attributes of a directory's index in its records: replaced, added at their place.

use super::RenameError;
use crate::attribute::{Attribute, offsets};
use crate::bytes::put;
use crate::error::NtfsError;
use crate::index::I30;
use crate::record::{NEXT_ID, Record};
use crate::runs::RunList;
use crate::types::{AttributeType, Vcn};
use std::cmp::Ordering;

const RESIDENT_HEADER: usize = 0x18;
const NON_RESIDENT_HEADER: usize = 0x40;

/// Replaces the piece of the directory's index that begins with `lowest`.
pub(super) fn replace(
    record: &mut Record,
    type_code: AttributeType,
    lowest: Vcn,
    change: impl FnOnce(&Attribute<'_>) -> Result<Vec<u8>, NtfsError>,
) -> Result<(), RenameError> {
    let is_it = |attribute: &Attribute<'_>| {
        attribute.type_code() == type_code && attribute.is_named(I30) && attribute.lowest_vcn() == lowest
    };
    replace_where(record, is_it, change)
}

/// Replaces the first attribute for which `is_it` holds.
pub(super) fn replace_where(
    record: &mut Record,
    is_it: impl Fn(&Attribute<'_>) -> bool,
    change: impl FnOnce(&Attribute<'_>) -> Result<Vec<u8>, NtfsError>,
) -> Result<(), RenameError> {
    let number = record.number();
    for attribute in record.attributes() {
        let attribute = attribute?;
        if is_it(&attribute) {
            let (offset, length) = (attribute.offset(), attribute.bytes().len());
            let new = change(&attribute)?;
            return Ok(record.replace_attribute(offset, length, &new)?);
        }
    }
    Err(NtfsError::MissingAttribute {
        record: number,
        attribute: AttributeType::INDEX_ALLOCATION,
    }
    .into())
}

/// Adds an attribute of the directory's index at its place, with an id of its own.
pub(super) fn add(
    record: &mut Record,
    type_code: AttributeType,
    mut attribute: Vec<u8>,
) -> Result<(), RenameError> {
    let id = next_id(record)?;
    put(&mut attribute, offsets::TYPE, &type_code.0.to_le_bytes());
    put(&mut attribute, offsets::ID, &id.to_le_bytes());
    let name: Vec<u16> = I30.encode_utf16().collect();
    let is_behind = |other: &Attribute<'_>| {
        let order = other.type_code().cmp(&type_code);
        order.then_with(|| other.name().cmp(&name)) == Ordering::Greater
    };
    let place = place_before(record, is_behind)?;
    record.replace_attribute(place, 0, &attribute)?;
    put(record.bytes_mut(), NEXT_ID, &(id + 1).to_le_bytes());
    Ok(())
}

/// The offset of the first attribute for which `is_behind` holds, or of the end marker.
pub(super) fn place_before(
    record: &Record,
    is_behind: impl Fn(&Attribute<'_>) -> bool,
) -> Result<usize, NtfsError> {
    let mut end = record.first_attribute();
    for attribute in record.attributes() {
        let attribute = attribute?;
        if is_behind(&attribute) {
            break;
        }
        end = attribute.offset() + attribute.bytes().len();
    }
    Ok(end)
}

/// The id for a new attribute, above all that are used.
pub(super) fn next_id(record: &Record) -> Result<u16, NtfsError> {
    let mut next = record.next_attribute_id();
    for attribute in record.attributes() {
        next = next.max(attribute?.id().saturating_add(1));
    }
    // The counter has to be above it again.
    let limit = u64::from(u16::MAX) - 1;
    if u64::from(next) > limit {
        return Err(NtfsError::TooMuch {
            what: "attribute ids of a file record",
            actual: next.into(),
            limit,
        });
    }
    Ok(next)
}

fn header(name_offset: usize, length: usize) -> Vec<u8> {
    let mut attribute = vec![0; length];
    put(&mut attribute, offsets::LENGTH, &(length as u32).to_le_bytes());
    put(&mut attribute, offsets::NAME_LENGTH, &[I30.len() as u8]);
    put(
        &mut attribute,
        offsets::NAME_OFFSET,
        &(name_offset as u16).to_le_bytes(),
    );
    for (index, unit) in I30.encode_utf16().enumerate() {
        put(&mut attribute, name_offset + index * 2, &unit.to_le_bytes());
    }
    attribute
}

/// A resident attribute of the directory's index, without type and id.
pub(super) fn resident(value: &[u8]) -> Vec<u8> {
    let at = RESIDENT_HEADER + I30.len() * 2;
    let mut attribute = header(RESIDENT_HEADER, (at + value.len()).next_multiple_of(8));
    put(
        &mut attribute,
        offsets::VALUE_LENGTH,
        &(value.len() as u32).to_le_bytes(),
    );
    put(&mut attribute, offsets::VALUE_OFFSET, &(at as u16).to_le_bytes());
    put(&mut attribute, at, value);
    attribute
}

/// A non-resident attribute of the directory's index, without type, id and sizes.
pub(super) fn non_resident(runs: &RunList) -> Vec<u8> {
    let at = NON_RESIDENT_HEADER + I30.len() * 2;
    let pairs = runs.encode();
    let mut attribute = header(NON_RESIDENT_HEADER, (at + pairs.len()).next_multiple_of(8));
    let highest = runs.clusters().wrapping_sub(1);
    put(&mut attribute, offsets::NON_RESIDENT, &[1]);
    put(&mut attribute, offsets::HIGHEST_VCN, &highest.to_le_bytes());
    put(&mut attribute, offsets::MAPPING_PAIRS, &(at as u16).to_le_bytes());
    put(&mut attribute, at, &pairs);
    attribute
}
