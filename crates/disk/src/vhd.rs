//! The footer that makes a raw image a VHD of fixed size (Microsoft's Virtual Hard Disk Image Format Specification): the
//! last 512 bytes of the file, big-endian. They are not of the disk, whose last sector lies before them.

/// Bytes of a footer.
pub(crate) const FOOTER_BYTES: usize = 512;

const COOKIE: &[u8; 8] = b"conectix";
const CURRENT_SIZE: usize = 48;
const DISK_TYPE: usize = 60;
const CHECKSUM: usize = 64;
const FIXED: u32 = 2;

/// Bytes of the disk in a file of this length that ends with these bytes. `None` unless it is a VHD of fixed size.
pub(crate) fn disk_bytes(file_bytes: u64, footer: &[u8; FOOTER_BYTES]) -> Option<u64> {
    let field = |at| footer.get(at..at + 4).and_then(|field| field.try_into().ok());
    let number = |at| field(at).map(u32::from_be_bytes);
    let current = (u64::from(number(CURRENT_SIZE)?) << 32) | u64::from(number(CURRENT_SIZE + 4)?);
    let disk_bytes = file_bytes.checked_sub(FOOTER_BYTES as u64)?;
    let is_footer = footer.starts_with(COOKIE) && number(CHECKSUM)? == checksum(footer);
    // The lengths of one that was cut or lengthened tell nothing of where its disk ends.
    (is_footer && number(DISK_TYPE)? == FIXED && current == disk_bytes).then_some(disk_bytes)
}

/// The ones' complement of the sum of all bytes but those of the checksum.
fn checksum(footer: &[u8; FOOTER_BYTES]) -> u32 {
    let of_it = |at: &usize| !(CHECKSUM..CHECKSUM + 4).contains(at);
    let bytes = footer.iter().enumerate().filter(|(at, _)| of_it(at));
    !bytes.map(|(_, &byte)| u32::from(byte)).sum::<u32>()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn footer(disk_bytes: u64, disk_type: u32) -> [u8; FOOTER_BYTES] {
        let mut footer = [0; FOOTER_BYTES];
        footer[..8].copy_from_slice(COOKIE);
        footer[CURRENT_SIZE..CURRENT_SIZE + 8].copy_from_slice(&disk_bytes.to_be_bytes());
        footer[DISK_TYPE..DISK_TYPE + 4].copy_from_slice(&disk_type.to_be_bytes());
        let sum = checksum(&footer);
        footer[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum.to_be_bytes());
        footer
    }

    #[test]
    fn a_disk_ends_before_the_footer_of_its_fixed_size() {
        let whole = footer(5 << 32, FIXED);
        assert_eq!(disk_bytes((5 << 32) + 512, &whole), Some(5 << 32));
        assert_eq!(disk_bytes((5 << 32) + 1024, &whole), None, "lengthened");
        assert_eq!(disk_bytes(511, &whole), None);
        assert_eq!(disk_bytes((5 << 32) + 512, &footer(5 << 32, 3)), None, "dynamic");
        for at in [0, CURRENT_SIZE + 3, DISK_TYPE + 3, CHECKSUM, 511] {
            let mut damaged = whole;
            damaged[at] ^= 1;
            assert_eq!(disk_bytes((5 << 32) + 512, &damaged), None, "byte {at}");
        }
    }
}
