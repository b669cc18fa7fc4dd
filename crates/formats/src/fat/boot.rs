//! The boot sector with its BIOS parameter block, as sizes that hold together.

use super::FatError;
use crate::bytes::{u16_at, u32_at};
use winrefit_disk::ReadAt;

const BOOT_SECTOR_BYTES: usize = 512;
/// First cluster counts (section "FAT Type Determination") at which a volume is FAT16, and too many for one.
const FAT16_CLUSTERS_MIN: u64 = 4085;
const FAT32_CLUSTERS_MIN: u64 = 65_525;
/// Highest cluster count whose numbers stay below the marks for bad clusters and the end (0x0ffffff7).
const CLUSTERS_MAX: u64 = 0x0fff_fff5;
/// More copies of the table than anyone makes.
const TABLES_MAX: u64 = 4;
const SLOT_BYTES: u64 = 32;

/// Which FAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FatKind {
    /// Entries of 12 bits.
    Fat12,
    /// Entries of 16 bits.
    Fat16,
    /// Entries of 32 bits, of which 28 count.
    Fat32,
}

/// Where things lie. All offsets are bytes from the start of the volume, and lie within the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    pub kind: FatKind,
    pub cluster_bytes: u64,
    /// Clusters that both the data area and the table have room for.
    pub clusters: u32,
    /// The copy of the table that counts.
    pub table_offset: u64,
    pub table_bytes: u64,
    /// FAT12, FAT16: the root directory.
    pub root_offset: u64,
    pub root_bytes: u64,
    /// FAT32: its first cluster.
    pub root_cluster: u32,
    pub data_offset: u64,
    /// Byte of the boot sector whose lowest bit says "dirty".
    pub dirty_byte: u64,
}

/// The fields that the geometry follows from.
struct Fields {
    sector_bytes: u64,
    cluster_sectors: u64,
    reserved_sectors: u64,
    tables: u64,
    root_slots: u64,
    total_sectors: u64,
    table_sectors: u64,
    is_fat32: bool,
}

impl Fields {
    fn parse(sector: &[u8]) -> Option<Self> {
        let byte = |at: usize| sector.get(at).map(|&byte| u64::from(byte));
        let word = |at| u16_at(sector, at).map(u64::from);
        let double = |at| u32_at(sector, at).map(u64::from);
        let (total_16, table_16) = (word(19)?, word(22)?);
        Some(Self {
            sector_bytes: word(11)?,
            cluster_sectors: byte(13)?,
            reserved_sectors: word(14)?,
            tables: byte(16)?,
            root_slots: word(17)?,
            total_sectors: if total_16 == 0 { double(32)? } else { total_16 },
            // The field is 0 on FAT32 only, whose own fields follow behind.
            table_sectors: if table_16 == 0 { double(36)? } else { table_16 },
            is_fat32: table_16 == 0,
        })
    }

    fn check(&self) -> Result<(), FatError> {
        let power = |value: u64, range: std::ops::RangeInclusive<u64>| {
            range.contains(&value) && value.is_power_of_two()
        };
        let checks = [
            (
                "BPB_BytsPerSec",
                self.sector_bytes,
                power(self.sector_bytes, 512..=4096),
            ),
            (
                "BPB_SecPerClus",
                self.cluster_sectors,
                power(self.cluster_sectors, 1..=128),
            ),
            ("BPB_RsvdSecCnt", self.reserved_sectors, self.reserved_sectors > 0),
            (
                "BPB_NumFATs",
                self.tables,
                (1..=TABLES_MAX).contains(&self.tables),
            ),
            ("BPB_FATSz", self.table_sectors, self.table_sectors > 0),
            ("BPB_TotSec", self.total_sectors, self.total_sectors > 0),
            (
                "BPB_RootEntCnt",
                self.root_slots,
                self.is_fat32 == (self.root_slots == 0),
            ),
        ];
        match checks.into_iter().find(|(_, _, good)| !good) {
            Some((field, actual, _)) => Err(FatError::Field { field, actual }),
            None => Ok(()),
        }
    }
}

impl Geometry {
    pub fn read(medium: &dyn ReadAt) -> Result<Self, FatError> {
        let truncated = |volume_bytes| FatError::Truncated {
            volume_bytes,
            available_bytes: medium.size(),
        };
        if medium.size() < BOOT_SECTOR_BYTES as u64 {
            return Err(truncated(BOOT_SECTOR_BYTES as u64));
        }
        let sector = medium.read_vec(0, BOOT_SECTOR_BYTES)?;
        let signature = [sector[510], sector[511]];
        if signature != [0x55, 0xaa] {
            return Err(FatError::Signature { actual: signature });
        }
        let fields = Fields::parse(&sector).ok_or_else(|| truncated(BOOT_SECTOR_BYTES as u64))?;
        fields.check()?;
        let geometry = Self::of(&fields, &sector)?;
        // 32 bits of sectors of 4096 bytes: no product here leaves 64 bits.
        let volume_bytes = fields.total_sectors * fields.sector_bytes;
        if volume_bytes > medium.size() {
            return Err(truncated(volume_bytes));
        }
        Ok(geometry)
    }

    fn of(fields: &Fields, sector: &[u8]) -> Result<Self, FatError> {
        let size = fields.sector_bytes;
        let root_sectors = (fields.root_slots * SLOT_BYTES).div_ceil(size);
        let first_root = fields.reserved_sectors + fields.tables * fields.table_sectors;
        let first_data = first_root + root_sectors;
        let clusters = fields.total_sectors.saturating_sub(first_data) / fields.cluster_sectors;
        let total = ("BPB_TotSec", fields.total_sectors);
        let bad = |(field, actual)| Err(FatError::Field { field, actual });
        let (kind, most) = match clusters {
            0 => return bad(total),
            _ if fields.is_fat32 => (FatKind::Fat32, CLUSTERS_MAX),
            _ if clusters < FAT16_CLUSTERS_MIN => (FatKind::Fat12, FAT16_CLUSTERS_MIN - 1),
            _ => (FatKind::Fat16, FAT32_CLUSTERS_MIN - 1),
        };
        if clusters > most {
            return bad(total);
        }
        let table_bytes = fields.table_sectors * size;
        // Windows and others go by the shorter of both, and so do volumes whose tables are a little short.
        let in_table = (table_bytes * 8 / kind.entry_bits()).saturating_sub(2);
        let clusters = clusters.min(in_table);
        if clusters == 0 {
            return bad(("BPB_FATSz", fields.table_sectors));
        }
        let mut active = 0;
        let mut root_cluster = 0;
        if kind == FatKind::Fat32 {
            let flags = u64::from(u16_at(sector, 40).unwrap_or(0));
            // Bit 7: no mirroring, the lowest four bits name the copy that counts.
            active = if flags & 0x80 == 0 { 0 } else { flags & 0x0f };
            if active >= fields.tables {
                return bad(("BPB_ExtFlags", flags));
            }
            let version = u64::from(u16_at(sector, 42).unwrap_or(0));
            if version != 0 {
                return bad(("BPB_FSVer", version));
            }
            root_cluster = u32_at(sector, 44).unwrap_or(0);
        }
        Ok(Self {
            kind,
            cluster_bytes: fields.cluster_sectors * size,
            // At most CLUSTERS_MAX.
            clusters: clusters as u32,
            table_offset: (fields.reserved_sectors + active * fields.table_sectors) * size,
            table_bytes,
            root_offset: first_root * size,
            root_bytes: fields.root_slots * SLOT_BYTES,
            root_cluster,
            data_offset: first_data * size,
            dirty_byte: if kind == FatKind::Fat32 { 0x41 } else { 0x25 },
        })
    }

    /// Whether that number is a cluster's.
    pub fn is_cluster(&self, number: u32) -> bool {
        number >= 2 && number - 2 < self.clusters
    }

    /// Where a cluster begins. The number is one of [`Self::is_cluster`].
    pub fn offset_of(&self, cluster: u32) -> u64 {
        self.data_offset + u64::from(cluster.saturating_sub(2)) * self.cluster_bytes
    }
}

impl FatKind {
    pub(super) fn entry_bits(self) -> u64 {
        match self {
            Self::Fat12 => 12,
            Self::Fat16 => 16,
            Self::Fat32 => 32,
        }
    }
}
