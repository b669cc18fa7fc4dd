//! Bits numbered as in the bitmaps of NTFS: from the lowest bit of the first byte.

/// The bit, or `None` behind the end.
pub(crate) fn bit(bytes: &[u8], bit: u64) -> Option<bool> {
    let byte = bytes.get(usize::try_from(bit / 8).ok()?)?;
    Some(byte >> (bit % 8) & 1 == 1)
}

/// Sets a bit; whether it was clear.
pub(crate) fn set_bit(bytes: &mut [u8], bit: u64) -> bool {
    let Some(byte) = usize::try_from(bit / 8)
        .ok()
        .and_then(|index| bytes.get_mut(index))
    else {
        return false;
    };
    let mask = 1 << (bit % 8);
    let was_clear = *byte & mask == 0;
    *byte |= mask;
    was_clear
}
