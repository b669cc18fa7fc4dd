//! Little-endian fields cut out of buffers. A field that is not wholly inside the buffer is `None`, never a panic.

pub(crate) fn take(buf: &[u8], offset: usize, length: usize) -> Option<&[u8]> {
    buf.get(offset..offset.checked_add(length)?)
}

pub(crate) fn u16_at(buf: &[u8], offset: usize) -> Option<u16> {
    take(buf, offset, 2)?.try_into().ok().map(u16::from_le_bytes)
}

pub(crate) fn u32_at(buf: &[u8], offset: usize) -> Option<u32> {
    take(buf, offset, 4)?.try_into().ok().map(u32::from_le_bytes)
}

pub(crate) fn u64_at(buf: &[u8], offset: usize) -> Option<u64> {
    take(buf, offset, 8)?.try_into().ok().map(u64::from_le_bytes)
}

/// Writes `value` at `offset`. The caller has validated the offset; a field outside the buffer is left alone.
pub(crate) fn put(buf: &mut [u8], offset: usize, value: &[u8]) {
    if let Some(field) = offset
        .checked_add(value.len())
        .and_then(|end| buf.get_mut(offset..end))
    {
        field.copy_from_slice(value);
    } else {
        debug_assert!(false, "field at {offset} outside a buffer of {} bytes", buf.len());
    }
}

/// UTF-16LE code units of a byte slice; an odd last byte is dropped.
pub(crate) fn utf16(buf: &[u8]) -> Vec<u16> {
    buf.as_chunks::<2>()
        .0
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
        .collect()
}
