//! The names in a file's own record.

use super::RenameError;
use super::attributes::{next_id, place_before};
use super::names::Name;
use super::node::{name_of, with_name};
use crate::attribute::{Attribute, FileName, offsets};
use crate::bytes::put;
use crate::edit::with_value;
use crate::error::NtfsError;
use crate::record::{LINK_COUNT, NEXT_ID, Record};
use crate::types::{AttributeType, RecordNumber};

/// Offset of the time of the last change of the record in $STANDARD_INFORMATION.
const CHANGE_TIME: usize = 0x10;

/// What is to become of a file's names in a directory. The first name on either side is the long one.
pub(super) struct Plan {
    pub(super) directory: RecordNumber,
    pub(super) removed: Vec<Name>,
    pub(super) added: Vec<Name>,
    /// FILETIME.
    pub(super) time: u64,
}

/// The record with the new names. A new name has times, sizes, flags and id of the name that it replaces; what a second
/// one has nothing to take from, it takes from the first, with an id of its own.
///
/// # Errors
/// [`NtfsError::RecordFull`]; [`RenameError::NamesDiffer`] if a name is not there.
pub(super) fn renamed(record: &Record, plan: &Plan) -> Result<Record, RenameError> {
    let mut record = record.clone();
    let mut old = Vec::new();
    for name in &plan.removed {
        old.push(take_name(&mut record, plan.directory, name)?);
    }
    for (index, name) in plan.added.iter().enumerate() {
        let Some(template) = old.get(index).or(old.first()) else {
            break;
        };
        let mut attribute = renamed_attribute(template, name);
        if index >= old.len() {
            let id = next_id(&record)?;
            put(&mut attribute, offsets::ID, &id.to_le_bytes());
            put(record.bytes_mut(), NEXT_ID, &(id + 1).to_le_bytes());
        }
        put_name(&mut record, &attribute)?;
    }
    // Windows counts DOS names, too.
    let links = usize::from(record.link_count()) + plan.added.len();
    let links = links
        .checked_sub(plan.removed.len())
        .and_then(|n| u16::try_from(n).ok());
    let links = links.filter(|&links| links > 0).ok_or(NtfsError::BadRecord {
        record: record.number(),
        field: "link count",
        actual: record.link_count().into(),
    })?;
    put(record.bytes_mut(), LINK_COUNT, &links.to_le_bytes());
    let at = change_time(&record)?;
    put(record.bytes_mut(), at, &plan.time.to_le_bytes());
    Ok(record)
}

/// A $FILE_NAME of the record.
///
/// # Errors
/// [`RenameError::NamesDiffer`] if the name is not there.
pub(super) fn find_name<'r>(
    record: &'r Record,
    directory: RecordNumber,
    name: &Name,
) -> Result<Attribute<'r>, RenameError> {
    for attribute in record.attributes() {
        let attribute = attribute?;
        let found = (attribute.type_code() == AttributeType::FILE_NAME)
            .then(|| attribute.value().and_then(FileName::parse))
            .flatten();
        let is_it = |found: &FileName| {
            found.parent.record == directory && found.namespace == name.namespace && found.name == name.units
        };
        if found.is_some_and(|found| is_it(&found)) {
            return Ok(attribute);
        }
    }
    Err(RenameError::NamesDiffer {
        record: record.number(),
        directory,
        name: String::from_utf16_lossy(&name.units),
    })
}

/// Takes a $FILE_NAME out of the record.
fn take_name(record: &mut Record, directory: RecordNumber, name: &Name) -> Result<Vec<u8>, RenameError> {
    let attribute = find_name(record, directory, name)?;
    let (offset, bytes) = (attribute.offset(), attribute.bytes().to_vec());
    record.replace_attribute(offset, bytes.len(), &[])?;
    Ok(bytes)
}

/// Another $FILE_NAME with the header and the fixed fields of this one, which was in a record.
fn renamed_attribute(template: &[u8], name: &Name) -> Vec<u8> {
    match Attribute::parse(RecordNumber::MFT, template, 0) {
        Ok(attribute) => {
            let value = attribute.value().unwrap_or_default();
            with_value(&attribute, &with_name(value, &name.units, name.namespace))
        }
        Err(_) => Vec::new(),
    }
}

/// Puts a $FILE_NAME among those of the record. They are ordered by their values, byte by byte, as lookups by value
/// rely on: with the same parent, times and sizes, the shorter name comes first.
fn put_name(record: &mut Record, attribute: &[u8]) -> Result<(), NtfsError> {
    let value_of = |bytes: &[u8]| {
        let attribute = Attribute::parse(RecordNumber::MFT, bytes, 0).ok()?;
        attribute.value().map(<[u8]>::to_vec)
    };
    let value = value_of(attribute).unwrap_or_default();
    let place = place_before(record, |other| {
        other.type_code() > AttributeType::FILE_NAME
            || (other.type_code() == AttributeType::FILE_NAME
                && other.value().is_some_and(|other| other > value.as_slice()))
    })?;
    record.replace_attribute(place, 0, attribute)
}

/// Where the time of the last change is: Windows notes a renaming as one of the file's record, not of its content.
pub(super) fn change_time(record: &Record) -> Result<usize, NtfsError> {
    let attribute = record.find(AttributeType::STANDARD_INFORMATION, "")?;
    let at = attribute.and_then(|attribute| {
        let is_whole = attribute.value().is_some_and(|v| v.len() >= CHANGE_TIME + 8);
        is_whole.then(|| attribute.offset() + attribute.value_offset() + CHANGE_TIME)
    });
    at.ok_or(NtfsError::MissingAttribute {
        record: record.number(),
        attribute: AttributeType::STANDARD_INFORMATION,
    })
}

/// The names that a record has, each with its directory.
pub(super) fn names(record: &Record) -> Result<Vec<(RecordNumber, Name)>, NtfsError> {
    let mut names = Vec::new();
    for attribute in record.attributes() {
        let attribute = attribute?;
        let value = attribute
            .value()
            .filter(|_| attribute.type_code() == AttributeType::FILE_NAME);
        if let Some((value, parsed)) = value.and_then(|value| Some((value, FileName::parse(value)?))) {
            let (units, namespace) = (name_of(value), parsed.namespace);
            names.push((parsed.parent.record, Name { units, namespace }));
        }
    }
    Ok(names)
}
