//! $Secure: the security descriptors that files use by number.
//!
//! Layout: libfsntfs documentation, "Security descriptors".

use crate::bytes::{u32_at, u64_at};

/// Bytes between a descriptor and its second copy. Copies take turns: so many bytes of descriptors, then their copies.
pub(crate) const COPY_OFFSET: usize = 0x40000;
/// Bytes before a descriptor in $SDS.
pub(crate) const ENTRY_HEADER: usize = 20;
/// Descriptors begin at multiples of this.
pub(crate) const ENTRY_ALIGNMENT: usize = 16;

/// The header of a descriptor, which $SDS, $SII and $SDH have alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SecurityEntry {
    /// Number that files name it by.
    pub(crate) id: u32,
    pub(crate) hash: u32,
    /// Offset of the header in $SDS.
    pub(crate) offset: u64,
    /// Bytes of header and descriptor.
    pub(crate) length: u32,
}

impl SecurityEntry {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            hash: u32_at(bytes, 0)?,
            id: u32_at(bytes, 4)?,
            offset: u64_at(bytes, 8)?,
            length: u32_at(bytes, 16)?,
        })
    }
}

/// The hash that $SDH orders descriptors by: rotate left by 3 and add, over 32-bit words.
pub(crate) fn hash(descriptor: &[u8]) -> u32 {
    let words = descriptor.as_chunks::<4>().0;
    words.iter().fold(0u32, |hash, word| {
        u32::from_le_bytes(*word).wrapping_add(hash.rotate_left(3))
    })
}
