//! The boot sector: the first sector of a volume, with a copy in the last sector of its partition.
//!
//! Offsets and meanings: Microsoft "NTFS boot sector" (BIOS parameter block), libfsntfs documentation.

use crate::bytes::{put, u16_at, u32_at, u64_at};
use crate::error::NtfsError;
use crate::types::{Geometry, Lcn};

/// Bytes of the boot sector that carry meaning, on every sector size.
pub const BOOT_SECTOR_BYTES: usize = 512;

const SECTOR_SIZE: usize = 0x0B;
const SECTORS_PER_CLUSTER: usize = 0x0D;
const HIDDEN_SECTORS: usize = 0x1C;
const TOTAL_SECTORS: usize = 0x28;
const MFT_LCN: usize = 0x30;
const MFT_MIRR_LCN: usize = 0x38;
const RECORD_SIZE: usize = 0x40;
const INDEX_BLOCK_SIZE: usize = 0x44;
const SERIAL: usize = 0x48;

/// A validated boot sector. Setters change the bytes that were read, so all that is not understood is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootSector {
    bytes: [u8; BOOT_SECTOR_BYTES],
    geometry: Geometry,
}

impl BootSector {
    /// Reads the fields of a boot sector.
    ///
    /// # Errors
    /// [`NtfsError::NotNtfs`] without the OEM id `NTFS`; [`NtfsError::BadBootSector`] for a value out of range.
    pub fn parse(bytes: &[u8; BOOT_SECTOR_BYTES]) -> Result<Self, NtfsError> {
        let oem: [u8; 8] = bytes[3..11].try_into().unwrap_or_default();
        if &oem != b"NTFS    " {
            return Err(NtfsError::NotNtfs { actual: oem });
        }
        if bytes[510..512] != [0x55, 0xAA] {
            let actual = u16_at(bytes, 510).unwrap_or(0).into();
            return Err(NtfsError::BadBootSector {
                field: "end signature",
                offset: 510,
                actual,
            });
        }
        let bad = |field, offset, actual| NtfsError::BadBootSector {
            field,
            offset,
            actual,
        };
        let sector_size = u32::from(u16_at(bytes, SECTOR_SIZE).unwrap_or(0));
        if ![512, 1024, 2048, 4096].contains(&sector_size) {
            return Err(bad("bytes per sector", SECTOR_SIZE, sector_size.into()));
        }
        let cluster_size = cluster_size(bytes[SECTORS_PER_CLUSTER], sector_size).ok_or_else(|| {
            bad(
                "sectors per cluster",
                SECTORS_PER_CLUSTER,
                bytes[SECTORS_PER_CLUSTER].into(),
            )
        })?;
        let sized = |field, offset: usize, max| {
            clusters_or_exponent(bytes[offset] as i8, cluster_size)
                .filter(|size| size.is_power_of_two() && (512..=max).contains(size))
                .ok_or_else(|| bad(field, offset, bytes[offset].into()))
        };
        let record_size = sized("clusters per file record", RECORD_SIZE, 4096)?;
        let index_block_size = sized("clusters per index block", INDEX_BLOCK_SIZE, 65536)?;
        let total_sectors = u64_at(bytes, TOTAL_SECTORS).unwrap_or(0);
        let geometry = Geometry {
            sector_size,
            cluster_size,
            record_size,
            index_block_size,
            total_sectors,
        };
        // Microsoft: NTFS uses no more than 2^32 - 1 clusters, whatever their size.
        if !(16..=u64::from(u32::MAX)).contains(&geometry.clusters()) {
            return Err(bad("total sectors", TOTAL_SECTORS, total_sectors));
        }
        let boot = Self {
            bytes: *bytes,
            geometry,
        };
        for (field, offset, lcn) in [
            ("LCN of $MFT", MFT_LCN, boot.mft_lcn()),
            ("LCN of $MFTMirr", MFT_MIRR_LCN, boot.mft_mirr_lcn()),
        ] {
            if lcn.0 == 0 || lcn.0 >= geometry.clusters() {
                return Err(bad(field, offset, lcn.0));
            }
        }
        Ok(boot)
    }

    /// The sector's bytes, to be written.
    pub fn bytes(&self) -> &[u8; BOOT_SECTOR_BYTES] {
        &self.bytes
    }

    /// The volume's sizes.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// First cluster of the $MFT.
    pub fn mft_lcn(&self) -> Lcn {
        Lcn(u64_at(&self.bytes, MFT_LCN).unwrap_or(0))
    }

    /// First cluster of the $MFTMirr.
    pub fn mft_mirr_lcn(&self) -> Lcn {
        Lcn(u64_at(&self.bytes, MFT_MIRR_LCN).unwrap_or(0))
    }

    /// Sectors before the volume's partition on its disk, as the low 32 bits of its start.
    pub fn hidden_sectors(&self) -> u32 {
        u32_at(&self.bytes, HIDDEN_SECTORS).unwrap_or(0)
    }

    /// Volume serial number.
    pub fn serial(&self) -> u64 {
        u64_at(&self.bytes, SERIAL).unwrap_or(0)
    }

    /// Sets the size of the volume in sectors, the backup boot sector not counted.
    pub fn set_total_sectors(&mut self, sectors: u64) {
        put(&mut self.bytes, TOTAL_SECTORS, &sectors.to_le_bytes());
        self.geometry.total_sectors = sectors;
    }

    /// Sets the first cluster of the $MFT.
    pub fn set_mft_lcn(&mut self, lcn: Lcn) {
        put(&mut self.bytes, MFT_LCN, &lcn.0.to_le_bytes());
    }

    /// Sets the first cluster of the $MFTMirr.
    pub fn set_mft_mirr_lcn(&mut self, lcn: Lcn) {
        put(&mut self.bytes, MFT_MIRR_LCN, &lcn.0.to_le_bytes());
    }

    /// Sets the sectors before the partition (the field has 32 bits; Windows stores the low ones).
    pub fn set_hidden_sectors(&mut self, sectors: u32) {
        put(&mut self.bytes, HIDDEN_SECTORS, &sectors.to_le_bytes());
    }
}

/// Up to 128 sectors directly; above, the byte is a negative exponent of two sectors.
fn cluster_size(raw: u8, sector_size: u32) -> Option<u32> {
    let sectors = match raw {
        1..=128 if raw.is_power_of_two() => u32::from(raw),
        0xF0..=0xFF => 1u32 << (256 - u32::from(raw)),
        _ => return None,
    };
    sectors.checked_mul(sector_size).filter(|&size| size <= 2 << 20)
}

/// A positive count of clusters, or a negative exponent of two bytes.
fn clusters_or_exponent(raw: i8, cluster_size: u32) -> Option<u32> {
    match raw {
        1.. => u32::from(raw.unsigned_abs()).checked_mul(cluster_size),
        -31..=-1 => Some(1u32 << raw.unsigned_abs()),
        _ => None,
    }
}
