//! Attributes as bytes: cutting one with many runs into pieces, and the entries of an attribute list.

use crate::attribute::{Attribute, FLAG_COMPRESSED_MASK, ListEntry, offsets};
use crate::bytes::put;
use crate::runs::RunList;
use crate::types::AttributeType;

/// Length of a list entry without its name.
const ENTRY: usize = 0x1A;
/// Header of a resident attribute, and of a non-resident one.
const RESIDENT: usize = 0x18;
const NON_RESIDENT: usize = 0x40;

/// The attribute cut into pieces of at most `limit` bytes, with `runs` in place of its own. A compression unit stays in
/// one piece. `None` if not even one run, or unit, fits.
pub(super) fn cut(attribute: &Attribute<'_>, runs: &RunList, limit: usize) -> Option<Vec<Vec<u8>>> {
    let unit = match attribute.flags() & FLAG_COMPRESSED_MASK {
        0 => 1,
        _ => 1u64.checked_shl(attribute.compression_unit().into())?,
    };
    let header = &attribute.bytes()[..attribute.mapping_pairs_offset()];
    let mut pieces = Vec::new();
    let mut vcn = attribute.lowest_vcn().0;
    let mut rest = &runs.0[..];
    while !rest.is_empty() {
        let mut count = runs_within(rest, limit.checked_sub(header.len())?);
        let end = |count: usize| vcn + rest[..count].iter().map(|run| run.clusters).sum::<u64>();
        while count < rest.len() && count > 0 && !end(count).is_multiple_of(unit) {
            count -= 1;
        }
        if count == 0 {
            return None;
        }
        let part = RunList(rest[..count].to_vec());
        pieces.push(piece(header, vcn, &part));
        vcn += part.clusters();
        rest = &rest[count..];
    }
    Some(pieces)
}

/// How many of the first runs encode to at most `limit` bytes, padding included.
fn runs_within(runs: &[crate::runs::Run], limit: usize) -> usize {
    let fits = |count: usize| RunList(runs[..count].to_vec()).encode().len().next_multiple_of(8) <= limit;
    // Each run more takes more bytes, so the boundary can be bisected.
    let (mut low, mut high) = (0, runs.len());
    while low < high {
        let middle = (low + high).div_ceil(2);
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

fn piece(header: &[u8], lowest_vcn: u64, runs: &RunList) -> Vec<u8> {
    let mut bytes = header.to_vec();
    bytes.extend(runs.encode());
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let length = bytes.len() as u32;
    put(&mut bytes, offsets::LENGTH, &length.to_le_bytes());
    put(&mut bytes, offsets::LOWEST_VCN, &lowest_vcn.to_le_bytes());
    let highest = (lowest_vcn + runs.clusters()).wrapping_sub(1);
    put(&mut bytes, offsets::HIGHEST_VCN, &highest.to_le_bytes());
    if lowest_vcn > 0 {
        // Only the first piece has the sizes.
        let name = bytes[offsets::NAME_LENGTH] != 0;
        let name_at = usize::from(u16::from_le_bytes([
            bytes[offsets::NAME_OFFSET],
            bytes[offsets::NAME_OFFSET + 1],
        ]));
        let end = if name { name_at } else { header.len() };
        let sizes = offsets::ALLOCATED_SIZE..end.clamp(offsets::ALLOCATED_SIZE, header.len());
        bytes[sizes].fill(0);
    }
    bytes
}

/// The value of an attribute list.
pub(super) fn encode_list(entries: &[ListEntry]) -> Vec<u8> {
    let mut value = Vec::new();
    for entry in entries {
        let start = value.len();
        let length = (ENTRY + entry.name.len() * 2).next_multiple_of(8);
        value.resize(start + length, 0);
        let bytes = &mut value[start..];
        put(bytes, 0x00, &entry.type_code.0.to_le_bytes());
        put(bytes, 0x04, &(length as u16).to_le_bytes());
        put(bytes, 0x06, &[entry.name.len() as u8, ENTRY as u8]);
        put(bytes, 0x08, &entry.lowest_vcn.0.to_le_bytes());
        put(bytes, 0x10, &entry.holder.to_raw().to_le_bytes());
        put(bytes, 0x18, &entry.id.to_le_bytes());
        for (index, unit) in entry.name.iter().enumerate() {
            put(bytes, ENTRY + index * 2, &unit.to_le_bytes());
        }
    }
    value
}

/// A resident $ATTRIBUTE_LIST.
pub(super) fn resident_list(value: &[u8]) -> Vec<u8> {
    let length = (RESIDENT + value.len()).next_multiple_of(8);
    let mut bytes = vec![0; length];
    put(
        &mut bytes,
        offsets::TYPE,
        &AttributeType::ATTRIBUTE_LIST.0.to_le_bytes(),
    );
    put(&mut bytes, offsets::LENGTH, &(length as u32).to_le_bytes());
    put(&mut bytes, offsets::NAME_OFFSET, &(RESIDENT as u16).to_le_bytes());
    put(
        &mut bytes,
        offsets::VALUE_LENGTH,
        &(value.len() as u32).to_le_bytes(),
    );
    put(
        &mut bytes,
        offsets::VALUE_OFFSET,
        &(RESIDENT as u16).to_le_bytes(),
    );
    put(&mut bytes, RESIDENT, value);
    bytes
}

/// A non-resident $ATTRIBUTE_LIST.
pub(super) fn non_resident_list(runs: &RunList, allocated: u64, data: u64) -> Vec<u8> {
    let mut header = vec![0; NON_RESIDENT];
    put(
        &mut header,
        offsets::TYPE,
        &AttributeType::ATTRIBUTE_LIST.0.to_le_bytes(),
    );
    put(&mut header, offsets::NON_RESIDENT, &[1]);
    put(
        &mut header,
        offsets::NAME_OFFSET,
        &(NON_RESIDENT as u16).to_le_bytes(),
    );
    put(
        &mut header,
        offsets::MAPPING_PAIRS,
        &(NON_RESIDENT as u16).to_le_bytes(),
    );
    put(&mut header, offsets::ALLOCATED_SIZE, &allocated.to_le_bytes());
    put(&mut header, offsets::DATA_SIZE, &data.to_le_bytes());
    put(&mut header, offsets::INITIALIZED_SIZE, &data.to_le_bytes());
    piece(&header, 0, runs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::parse_attribute_list;
    use crate::runs::Run;
    use crate::types::{FileReference, Lcn, RecordNumber, Vcn};

    #[test]
    fn a_list_comes_back_as_it_was() {
        let entry = |type_code, name: &str, vcn| ListEntry {
            type_code,
            name: name.encode_utf16().collect(),
            lowest_vcn: Vcn(vcn),
            holder: FileReference {
                record: RecordNumber(99),
                sequence: 7,
            },
            id: 3,
        };
        let entries = [
            entry(AttributeType::STANDARD_INFORMATION, "", 0),
            entry(AttributeType::DATA, "stream", 1 << 33),
        ];
        let value = encode_list(&entries);
        assert_eq!(value.len(), 0x20 + 0x28);
        assert_eq!(parse_attribute_list(RecordNumber(5), &value).unwrap(), entries);
        let list = resident_list(&value);
        let parsed = Attribute::parse(RecordNumber(5), &list, 0).unwrap();
        assert_eq!(parsed.value().unwrap(), value);
    }

    #[test]
    fn pieces_join_to_what_was_cut() {
        let runs = RunList(
            (0..300)
                .map(|n| Run {
                    lcn: (n % 7 != 3).then_some(Lcn((n * 7919) % 100_003 + 1)),
                    clusters: n + 1,
                })
                .collect(),
        );
        let whole = non_resident_list(&runs, runs.clusters() * 512, 77);
        let attribute = Attribute::parse(RecordNumber(5), &whole, 0).unwrap();
        let pieces = cut(&attribute, &runs, 400).unwrap();
        assert!(pieces.len() > 2 && pieces.iter().all(|p| p.len() <= 400));
        let mut joined = RunList::default();
        for bytes in &pieces {
            let piece = Attribute::parse(RecordNumber(5), bytes, 0).unwrap();
            assert_eq!(piece.lowest_vcn().0, joined.clusters());
            piece
                .runs()
                .unwrap()
                .0
                .into_iter()
                .for_each(|run| joined.push(run));
        }
        assert_eq!(joined, runs);
        let second = Attribute::parse(RecordNumber(5), &pieces[1], 0).unwrap();
        assert_eq!(&second.bytes()[offsets::ALLOCATED_SIZE..0x40], [0; 0x18]);
        assert!(cut(&attribute, &runs, 0x40).is_none());

        let mut compressed = whole.clone();
        put(&mut compressed, offsets::FLAGS, &[1, 0]);
        put(&mut compressed, offsets::COMPRESSION_UNIT, &[4, 0]);
        let attribute = Attribute::parse(RecordNumber(5), &compressed, 0).unwrap();
        for bytes in cut(&attribute, &runs, 400).unwrap() {
            let piece = Attribute::parse(RecordNumber(5), &bytes, 0).unwrap();
            assert_eq!(piece.lowest_vcn().0 % 16, 0);
        }
    }
}
