//! Partition types and attribute bits, under the names of Microsoft's `winioctl.h` where it has one
//! (`PARTITION_INFORMATION_GPT`), otherwise of the Discoverable Partitions Specification.

use crate::Guid;

/// EFI system partition (ESP).
pub const PARTITION_SYSTEM_GUID: Guid = Guid::from_u128(0xc12a7328_f81f_11d2_ba4b_00a0c93ec93b);
/// Microsoft reserved partition (MSR).
pub const PARTITION_MSFT_RESERVED_GUID: Guid = Guid::from_u128(0xe3c9e316_0b5c_4db8_817d_f92df00215ae);
/// Basic data: every ordinary Windows volume.
pub const PARTITION_BASIC_DATA_GUID: Guid = Guid::from_u128(0xebd0a0a2_b9e5_4433_87c0_68b6b72699c7);
/// Windows recovery environment; makers' factory images use it too.
pub const PARTITION_MSFT_RECOVERY_GUID: Guid = Guid::from_u128(0xde94bba4_06d1_4d40_a16a_bfd50179d6ac);
/// Metadata of a dynamic disk (Logical Disk Manager).
pub const PARTITION_LDM_METADATA_GUID: Guid = Guid::from_u128(0x5808c8aa_7e8f_42e0_85d2_e1e90434cfb3);
/// Data of a dynamic disk (Logical Disk Manager).
pub const PARTITION_LDM_DATA_GUID: Guid = Guid::from_u128(0xaf9b60a0_1431_4f62_bc68_3311714a69ad);
/// Member of a storage pool (Storage Spaces).
pub const PARTITION_SPACES_GUID: Guid = Guid::from_u128(0xe75caf8f_f680_4cee_afa3_b001e56efc2d);
/// Metadata of a failover cluster.
pub const PARTITION_CLUSTER_GUID: Guid = Guid::from_u128(0xdb97dba9_0840_4bae_97f0_ffb9a327c7e1);
/// Linux file system data.
pub const LINUX_FILESYSTEM_GUID: Guid = Guid::from_u128(0x0fc63daf_8483_4772_8e79_3d69d8477de4);
/// Linux swap.
pub const LINUX_SWAP_GUID: Guid = Guid::from_u128(0x0657fd6d_a4ab_43c4_84e5_0933c84b4f4f);
/// Linux LVM physical volume.
pub const LINUX_LVM_GUID: Guid = Guid::from_u128(0xe6d6d379_f507_44c2_a23c_238f2a3df928);

/// Bit 0: the platform needs the partition; Windows shows it as a recovery or OEM partition.
pub const GPT_ATTRIBUTE_PLATFORM_REQUIRED: u64 = 0x0000_0000_0000_0001;
/// Bit 60: read-only.
pub const GPT_BASIC_DATA_ATTRIBUTE_READ_ONLY: u64 = 0x1000_0000_0000_0000;
/// Bit 61: shadow copy of another partition.
pub const GPT_BASIC_DATA_ATTRIBUTE_SHADOW_COPY: u64 = 0x2000_0000_0000_0000;
/// Bit 62: hidden from the mount manager.
pub const GPT_BASIC_DATA_ATTRIBUTE_HIDDEN: u64 = 0x4000_0000_0000_0000;
/// Bit 63: gets no drive letter by default.
pub const GPT_BASIC_DATA_ATTRIBUTE_NO_DRIVE_LETTER: u64 = 0x8000_0000_0000_0000;

/// A short English name of a partition type, or `None` for a type not in this list.
pub fn type_name(type_guid: Guid) -> Option<&'static str> {
    Some(match type_guid {
        PARTITION_SYSTEM_GUID => "EFI system",
        PARTITION_MSFT_RESERVED_GUID => "Microsoft reserved",
        PARTITION_BASIC_DATA_GUID => "basic data",
        PARTITION_MSFT_RECOVERY_GUID => "recovery",
        PARTITION_LDM_METADATA_GUID => "LDM metadata",
        PARTITION_LDM_DATA_GUID => "LDM data",
        PARTITION_SPACES_GUID => "Storage Spaces",
        PARTITION_CLUSTER_GUID => "cluster metadata",
        LINUX_FILESYSTEM_GUID => "Linux file system",
        LINUX_SWAP_GUID => "Linux swap",
        LINUX_LVM_GUID => "Linux LVM",
        _ => return None,
    })
}
