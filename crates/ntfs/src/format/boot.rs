//! The boot sector of a new volume.

use super::FormatOptions;
use super::layout::Layout;
use crate::boot::BOOT_SECTOR_BYTES;
use crate::bytes::put;
use crate::types::Geometry;

/// Jump over the parameter block, and the OEM id.
const START: &[u8; 11] = b"\xEB\x52\x90NTFS    ";
/// Where the jump leads. `int 18h` lets the firmware try its next boot device; then a halt.
const CODE: usize = 0x54;
const NO_BOOT: [u8; 6] = [0xCD, 0x18, 0xFA, 0xF4, 0xEB, 0xFD];

/// Sectors per track and heads: what Windows writes for disks that have neither.
const TRACK: u16 = 63;
const HEADS: u16 = 255;
const FIXED_DISK: u8 = 0xF8;

/// The sector's meaningful bytes.
pub(super) fn sector(
    options: &FormatOptions,
    geometry: &Geometry,
    layout: &Layout,
) -> [u8; BOOT_SECTOR_BYTES] {
    let mut bytes = [0; BOOT_SECTOR_BYTES];
    put(&mut bytes, 0, START);
    put(&mut bytes, 0x0B, &(geometry.sector_size as u16).to_le_bytes());
    put(
        &mut bytes,
        0x0D,
        &[(geometry.cluster_size / geometry.sector_size) as u8],
    );
    put(&mut bytes, 0x15, &[FIXED_DISK]);
    put(&mut bytes, 0x18, &TRACK.to_le_bytes());
    put(&mut bytes, 0x1A, &HEADS.to_le_bytes());
    put(&mut bytes, 0x1C, &(options.hidden_sectors as u32).to_le_bytes());
    put(&mut bytes, 0x24, &[0x80, 0, 0x80, 0]);
    put(&mut bytes, 0x28, &geometry.total_sectors.to_le_bytes());
    put(&mut bytes, 0x30, &layout.mft.lcn.to_le_bytes());
    put(&mut bytes, 0x38, &layout.mirror.lcn.to_le_bytes());
    put(
        &mut bytes,
        0x40,
        &[clusters_or_exponent(geometry.record_size, geometry)],
    );
    put(
        &mut bytes,
        0x44,
        &[clusters_or_exponent(geometry.index_block_size, geometry)],
    );
    put(&mut bytes, 0x48, &options.serial.to_le_bytes());
    put(&mut bytes, CODE, &NO_BOOT);
    put(&mut bytes, 510, &[0x55, 0xAA]);
    bytes
}

/// A count of clusters, or where a cluster is larger a negative exponent of two bytes.
fn clusters_or_exponent(bytes: u32, geometry: &Geometry) -> u8 {
    if bytes >= geometry.cluster_size {
        (bytes / geometry.cluster_size) as u8
    } else {
        bytes.trailing_zeros().wrapping_neg() as u8
    }
}
