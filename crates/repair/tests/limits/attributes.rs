//! Attributes and run lists, written by hand.

use winrefit_ntfs::AttributeType;

/// A run for the raw lists of this file: 8 bytes for the count, and for the place.
pub fn pairs(runs: &[(Option<u64>, u64)]) -> Vec<u8> {
    let (mut bytes, mut previous) = (Vec::new(), 0i64);
    for &(lcn, count) in runs {
        bytes.push(if lcn.is_some() { 0x88 } else { 0x08 });
        bytes.extend(count.to_le_bytes());
        if let Some(lcn) = lcn {
            bytes.extend((lcn as i64 - previous).to_le_bytes());
            previous = lcn as i64;
        }
    }
    bytes.push(0);
    bytes
}

/// The shortest pairs, for lists with many runs close to each other.
pub fn short_pairs(lcns: &[u64]) -> Vec<u8> {
    let (mut bytes, mut previous) = (Vec::new(), 0i64);
    for &lcn in lcns {
        let delta = lcn as i64 - previous;
        previous = lcn as i64;
        match i8::try_from(delta) {
            Ok(delta) => bytes.extend([0x11, 1, delta as u8]),
            Err(_) => {
                bytes.extend([0x41, 1]);
                bytes.extend((delta as i32).to_le_bytes());
            }
        }
    }
    bytes.push(0);
    bytes
}

/// A non-resident attribute without a name.
pub fn non_resident(
    kind: AttributeType,
    id: u16,
    vcns: (u64, u64),
    sizes: [u64; 3],
    pairs: &[u8],
) -> Vec<u8> {
    let mut bytes = vec![0; 0x40];
    bytes[..4].copy_from_slice(&kind.0.to_le_bytes());
    bytes[8] = 1;
    bytes[0x0A..0x0C].copy_from_slice(&0x40u16.to_le_bytes());
    bytes[0x0E..0x10].copy_from_slice(&id.to_le_bytes());
    bytes[0x10..0x18].copy_from_slice(&vcns.0.to_le_bytes());
    bytes[0x18..0x20].copy_from_slice(&vcns.1.wrapping_sub(1).to_le_bytes());
    bytes[0x20..0x22].copy_from_slice(&0x40u16.to_le_bytes());
    for (at, size) in (0x28..).step_by(8).zip(sizes) {
        bytes[at..at + 8].copy_from_slice(&size.to_le_bytes());
    }
    bytes.extend(pairs);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let length = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// A resident attribute without a name.
pub fn resident(kind: AttributeType, id: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 0x18];
    bytes[..4].copy_from_slice(&kind.0.to_le_bytes());
    bytes[0x0A..0x0C].copy_from_slice(&0x18u16.to_le_bytes());
    bytes[0x0E..0x10].copy_from_slice(&id.to_le_bytes());
    bytes[0x10..0x14].copy_from_slice(&(value.len() as u32).to_le_bytes());
    bytes[0x14..0x16].copy_from_slice(&0x18u16.to_le_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let length = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// An entry of an attribute list.
pub fn list_entry(kind: AttributeType, lowest: u64, holder: (u64, u16), id: u16) -> Vec<u8> {
    let mut bytes = vec![0; 0x20];
    bytes[..4].copy_from_slice(&kind.0.to_le_bytes());
    bytes[4..6].copy_from_slice(&0x20u16.to_le_bytes());
    bytes[7] = 0x1A;
    bytes[8..16].copy_from_slice(&lowest.to_le_bytes());
    bytes[16..24].copy_from_slice(&(holder.0 | u64::from(holder.1) << 48).to_le_bytes());
    bytes[24..26].copy_from_slice(&id.to_le_bytes());
    bytes
}

/// Puts `new` into a plain record in place of what stands at `place`.
pub fn splice(plain: &mut Vec<u8>, place: std::ops::Range<usize>, new: &[u8]) {
    let size = plain.len();
    let used = u32::from_le_bytes(plain[0x18..0x1C].try_into().unwrap()) as usize - place.len() + new.len();
    plain.splice(place, new.iter().copied());
    plain.resize(size.max(used), 0);
    plain.truncate(size);
    assert!(used <= size, "the record overflows");
    plain[used..].fill(0);
    plain[0x18..0x1C].copy_from_slice(&(used as u32).to_le_bytes());
}
