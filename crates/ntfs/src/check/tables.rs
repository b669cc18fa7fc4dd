//! $UpCase and $AttrDef, and the records that NTFS keeps for itself.

use super::ProblemCode;
use super::facts::MftFacts;
use super::problem::Problem;
use super::report::Findings;
use crate::bytes::{u32_at, u64_at, utf16};
use crate::error::NtfsError;
use crate::types::{AttributeType, RecordNumber};
use crate::upcase::{UpCase, checksum};
use crate::volume::Volume;
use std::ops::Range;
use winrefit_disk::ReadAt;

/// In use without being files.
const RESERVED: Range<u64> = 12..16;
/// Free, or extending the $MFT.
const KEPT_FOR_MFT: Range<u64> = 16..24;
/// Bytes of a definition in $AttrDef, and of the name that it begins with.
const DEFINITION: usize = 160;
const DEFINITION_NAME: usize = 128;
/// mkntfs makes 2560 bytes; older systems had 36,000.
const DEFINITIONS_BYTES_MAX: u64 = 1 << 20;
/// Types that a volume cannot do without.
const DEFINED_ALWAYS: [AttributeType; 7] = [
    AttributeType::STANDARD_INFORMATION,
    AttributeType::ATTRIBUTE_LIST,
    AttributeType::FILE_NAME,
    AttributeType::DATA,
    AttributeType::INDEX_ROOT,
    AttributeType::INDEX_ALLOCATION,
    AttributeType::BITMAP,
];

pub(crate) fn check<R: ReadAt>(
    volume: &Volume<R>,
    facts: &MftFacts,
    findings: &mut Findings,
) -> Result<(), NtfsError> {
    check_reserved(facts, findings);
    check_upcase(volume, findings)?;
    check_definitions(volume, findings)
}

fn check_reserved(facts: &MftFacts, findings: &mut Findings) {
    for number in RESERVED.map(RecordNumber) {
        if facts.brief(number).is_some_and(|brief| !brief.is_in_use()) {
            findings.push(Problem::of(ProblemCode::ReservedRecordFree, number));
        }
    }
    for number in KEPT_FOR_MFT.map(RecordNumber) {
        if facts.brief(number).is_some_and(|brief| brief.is_file()) {
            findings.push(Problem::of(ProblemCode::ReservedRecordUsed, number));
        }
    }
}

fn check_upcase<R: ReadAt>(volume: &Volume<R>, findings: &mut Findings) -> Result<(), NtfsError> {
    let number = RecordNumber::UP_CASE;
    let code = ProblemCode::UpCaseUnreadable;
    let Some(table) = findings.damage(volume.upcase(), code, number)? else {
        return Ok(());
    };
    if let Some(unit) = wrong_mapping(&table) {
        let (due, actual) = (due_of(&table, unit), table.map(unit));
        let problem = Problem::of(ProblemCode::UpCaseMapping, number);
        findings.push(problem.values(due.into(), actual.into()));
    }
    let read = || {
        let stream = volume.file(number)?.stream(AttributeType::DATA, "$Info")?;
        stream.map(|stream| volume.read_stream(stream, 4096)).transpose()
    };
    let info = findings.damage(read(), code, number)?.flatten();
    if let Some(actual) = info.and_then(|info| u64_at(&info, 8)) {
        let due = checksum(&table.to_bytes());
        if due != actual {
            findings.push(Problem::of(ProblemCode::UpCaseChecksum, number).values(due, actual));
        }
    }
    Ok(())
}

/// What a unit must map to: ASCII is fixed, and an upper case is its own upper case.
fn due_of(table: &UpCase, unit: u16) -> u16 {
    match u8::try_from(unit) {
        Ok(ascii) if ascii.is_ascii() => ascii.to_ascii_uppercase().into(),
        _ => table.map(table.map(unit)),
    }
}

fn wrong_mapping(table: &UpCase) -> Option<u16> {
    (0..=u16::MAX).find(|&unit| table.map(unit) != due_of(table, unit))
}

fn check_definitions<R: ReadAt>(volume: &Volume<R>, findings: &mut Findings) -> Result<(), NtfsError> {
    let number = RecordNumber::ATTR_DEF;
    let read = || {
        let stream = volume.file(number)?.require(AttributeType::DATA, "")?;
        volume.read_stream(stream, DEFINITIONS_BYTES_MAX)
    };
    let code = ProblemCode::AttributeDefinitions;
    let Some(table) = findings.damage(read(), code, number)? else {
        return Ok(());
    };
    let type_of = |definition: &[u8]| AttributeType(u32_at(definition, DEFINITION_NAME).unwrap_or(0));
    let definitions: Vec<&[u8]> = table
        .chunks_exact(DEFINITION)
        .take_while(|definition| type_of(definition).0 != 0)
        .collect();
    let is_named = |definition: &&[u8]| {
        let units = utf16(&definition[..DEFINITION_NAME]);
        let length = units.iter().position(|&unit| unit == 0).unwrap_or(units.len());
        let due = type_of(definition).name();
        due.is_none_or(|due| due.encode_utf16().eq(units[..length].iter().copied()))
    };
    let is_sound = definitions.iter().all(is_named)
        && definitions.is_sorted_by(|a, b| type_of(a) < type_of(b))
        && DEFINED_ALWAYS
            .iter()
            .all(|due| definitions.iter().any(|definition| type_of(definition) == *due));
    if !is_sound {
        findings.push(Problem::of(code, number));
    }
    Ok(())
}
