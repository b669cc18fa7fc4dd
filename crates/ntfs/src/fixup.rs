//! Update sequence arrays. The last two bytes of each 512-byte stride of a multi-sector structure are replaced by
//! the update sequence number and kept in the array; a stride that does not end in the number was not written.
//!
//! The stride is 512 bytes on every sector size as far as known (libfsntfs documentation, "fix-up values").

use crate::bytes::{put, take, u16_at};
use crate::error::NtfsError;
use std::ops::Range;

/// Bytes between two protected places.
pub const STRIDE: usize = 512;

/// Checks the signature and the update sequence of `block` and puts the original bytes back in place.
///
/// # Errors
/// [`NtfsError::BadSignature`] or [`NtfsError::TornRecord`]; the block is unchanged then.
pub fn apply(
    block: &mut [u8],
    signature: [u8; 4],
    structure: &'static str,
    position: u64,
) -> Result<(), NtfsError> {
    let actual = block.first_chunk().copied().unwrap_or_default();
    if actual != signature {
        return Err(NtfsError::BadSignature {
            structure,
            position,
            actual,
        });
    }
    let torn = |sector| NtfsError::TornRecord {
        structure,
        position,
        sector,
    };
    let array = array_of(block).ok_or(torn(0))?;
    let (start, sectors) = (array.start, array.len() / 2 - 1);
    let number = take(block, start, 2);
    if let Some(sector) = (0..sectors).find(|sector| take(block, (sector + 1) * STRIDE - 2, 2) != number) {
        return Err(torn(sector));
    }
    for sector in 0..sectors {
        let original = u16_at(block, start + 2 + sector * 2).unwrap_or(0);
        put(block, (sector + 1) * STRIDE - 2, &original.to_le_bytes());
    }
    Ok(())
}

/// The inverse of [`apply`], with update sequence number `number`: protects `block` for the disk. A block without a
/// valid array is left alone.
pub fn protect(block: &mut [u8], number: u16) {
    let Some(length) = array_of(block).map(|array| array.len()) else {
        return;
    };
    let offset = usize::from(u16_at(block, 4).unwrap_or(0));
    put(block, offset, &number.to_le_bytes());
    for sector in 0..(length - 2) / 2 {
        let tail = (sector + 1) * STRIDE - 2;
        let Some(original) = take(block, tail, 2).map(<[u8]>::to_vec) else {
            return;
        };
        put(block, offset + 2 + sector * 2, &original);
        put(block, tail, &number.to_le_bytes());
    }
}

/// The update sequence number of a block.
pub fn number(block: &[u8]) -> Option<u16> {
    u16_at(block, usize::from(u16_at(block, 4)?))
}

/// The number to use after `number`: 0 and 0xFFFF are never used.
pub fn next_number(number: u16) -> u16 {
    if number >= 0xFFFE { 1 } else { number + 1 }
}

/// The form of `plain` (fixups removed) to be written over `on_disk`, the protected form that is there now.
///
/// Where all changed bytes lie within one stride the number is kept: then a single sector differs and its write is
/// atomic. Otherwise the number is advanced, so that a torn write is noticed.
pub fn protect_over(plain: &[u8], on_disk: &[u8]) -> Vec<u8> {
    let old = number(on_disk).unwrap_or(0);
    let mut kept = plain.to_vec();
    protect(&mut kept, old);
    let changed = kept
        .chunks(STRIDE)
        .zip(on_disk.chunks(STRIDE))
        .filter(|(after, before)| after != before)
        .count();
    if changed <= 1 && kept.len() == on_disk.len() {
        return kept;
    }
    let mut advanced = plain.to_vec();
    protect(&mut advanced, next_number(old));
    advanced
}

/// Where the array with its number is, if it lies before the first protected place and covers the block exactly.
fn array_of(block: &[u8]) -> Option<Range<usize>> {
    let offset = usize::from(u16_at(block, 4)?);
    let count = usize::from(u16_at(block, 6)?);
    let covers = block.len().is_multiple_of(STRIDE) && count == block.len() / STRIDE + 1;
    if !covers || offset % 2 != 0 || offset < 8 || offset + count * 2 > STRIDE - 2 {
        return None;
    }
    Some(offset..offset + count * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Vec<u8> {
        let mut block: Vec<u8> = (0..1024u32).map(|i| (i / 3) as u8).collect();
        block[..8].copy_from_slice(b"FILE\x30\0\x03\0");
        block[0x30..0x36].fill(0);
        block
    }

    #[test]
    fn protect_then_apply_is_identity_and_a_torn_stride_is_noticed() {
        let plain = block();
        let mut protected = plain.clone();
        protect(&mut protected, 7);
        assert_eq!((protected[510], protected[1022]), (7, 7));
        let mut back = protected.clone();
        apply(&mut back, *b"FILE", "file record", 0).unwrap();
        assert_eq!(back[510..512], plain[510..512]);
        assert_eq!(back[1022..], plain[1022..]);
        protected[1023] ^= 1;
        let torn = apply(&mut protected, *b"FILE", "file record", 9);
        assert!(matches!(
            torn,
            Err(NtfsError::TornRecord {
                sector: 1,
                position: 9,
                ..
            })
        ));
    }

    #[test]
    fn a_change_within_one_stride_touches_one_sector_only() {
        let mut old = block();
        protect(&mut old, 7);
        let mut plain = old.clone();
        apply(&mut plain, *b"FILE", "file record", 0).unwrap();
        plain[100] ^= 0xFF;
        let one = protect_over(&plain, &old);
        assert_eq!(one[512..], old[512..]);
        plain[600] ^= 0xFF;
        let two = protect_over(&plain, &old);
        assert_eq!(number(&two), Some(8));
        let mut back = two;
        apply(&mut back, *b"FILE", "file record", 0).unwrap();
        assert_eq!(back[100], plain[100]);
        assert_eq!(back[600], plain[600]);
    }

    #[test]
    fn arrays_out_of_place_are_refused() {
        for (at, value) in [(4, 0xFFu8), (4, 2), (6, 4), (6, 0), (5, 0xFF)] {
            let mut bad = block();
            bad[at] = value;
            assert!(
                apply(&mut bad, *b"FILE", "file record", 0).is_err(),
                "byte {at} = {value}"
            );
        }
    }
}
