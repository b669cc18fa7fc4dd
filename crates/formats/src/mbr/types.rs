//! Partition types of MBR disks, by the names in Microsoft's `winioctl.h` where it has one.

/// An unused entry.
pub const PARTITION_ENTRY_UNUSED: u8 = 0x00;
/// An extended partition.
pub const PARTITION_EXTENDED: u8 = 0x05;
/// NTFS, exFAT or HPFS.
pub const PARTITION_IFS: u8 = 0x07;
/// FAT32.
pub const PARTITION_FAT32: u8 = 0x0b;
/// FAT32, addressed by LBA.
pub const PARTITION_FAT32_XINT13: u8 = 0x0c;
/// FAT16, addressed by LBA.
pub const PARTITION_XINT13: u8 = 0x0e;
/// An extended partition, addressed by LBA: what Windows creates.
pub const PARTITION_XINT13_EXTENDED: u8 = 0x0f;
/// A recovery partition: NTFS, without a drive letter.
pub const PARTITION_MSFT_RECOVERY: u8 = 0x27;
/// A dynamic disk (Logical Disk Manager).
pub const PARTITION_LDM: u8 = 0x42;
/// A Linux file system. Not in `winioctl.h`.
pub const PARTITION_LINUX: u8 = 0x83;
/// An extended partition that only Linux looks into. Not in `winioctl.h`.
pub const PARTITION_LINUX_EXTENDED: u8 = 0x85;
/// The protective entry of a GPT disk.
pub const PARTITION_GPT: u8 = 0xee;
/// An EFI system partition.
pub const PARTITION_SYSTEM: u8 = 0xef;

/// Whether a partition of that type holds logical partitions.
pub const fn is_extended(type_code: u8) -> bool {
    matches!(
        type_code,
        PARTITION_EXTENDED | PARTITION_XINT13_EXTENDED | PARTITION_LINUX_EXTENDED
    )
}

/// A short English name of a partition type, or `None` for a type not in this list.
pub const fn type_name(type_code: u8) -> Option<&'static str> {
    Some(match type_code {
        PARTITION_IFS => "NTFS or exFAT",
        PARTITION_FAT32 | PARTITION_FAT32_XINT13 => "FAT32",
        PARTITION_XINT13 => "FAT16",
        PARTITION_MSFT_RECOVERY => "recovery",
        PARTITION_LDM => "LDM",
        PARTITION_LINUX => "Linux file system",
        PARTITION_SYSTEM => "EFI system",
        _ => return None,
    })
}
