//! What a table says of a disk's identity and of a partition's purpose.

use crate::text;
use crate::text::Text;
use std::fmt;
use winrefit_formats::gpt::types as gpt;
use winrefit_formats::mbr::types as mbr;
use winrefit_formats::{Guid, ReAgentLocation};

/// What Windows knows a disk by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskId {
    /// GPT: the disk GUID.
    Gpt(Guid),
    /// MBR: the disk signature.
    Mbr(u32),
}

impl DiskId {
    /// Name of the table's style.
    pub fn style(self) -> &'static str {
        match self {
            Self::Gpt(_) => "gpt",
            Self::Mbr(_) => "mbr",
        }
    }

    /// As a journal keeps it.
    pub fn to_bytes(self) -> [u8; 16] {
        match self {
            Self::Gpt(guid) => guid.to_bytes_le(),
            Self::Mbr(signature) => {
                let mut bytes = *b"MBR signature   ";
                bytes[12..].copy_from_slice(&signature.to_le_bytes());
                bytes
            }
        }
    }

    /// Whether a place in ReAgent.xml is on this disk.
    pub fn is_of(self, location: &ReAgentLocation) -> bool {
        match self {
            Self::Gpt(guid) => location.guid == guid,
            Self::Mbr(signature) => location.guid.is_zero() && location.id == signature && signature != 0,
        }
    }
}

/// What of Windows makes one disk of several, or several of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// Dynamic disks.
    LogicalDiskManager,
    /// Pools.
    StorageSpaces,
}

impl Manager {
    /// Whose a disk is.
    pub fn text(self) -> Text {
        match self {
            Self::LogicalDiskManager => {
                text!("The disk is managed by the Logical Disk Manager (a dynamic disk)")
            }
            Self::StorageSpaces => text!("The disk is managed by Storage Spaces"),
        }
    }
}

/// What a partition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartitionType {
    /// Type GUID.
    Gpt(Guid),
    /// Type byte.
    Mbr(u8),
}

impl PartitionType {
    /// Windows RE tools, and makers' factory images.
    pub fn is_recovery(self) -> bool {
        matches!(
            self,
            Self::Gpt(gpt::PARTITION_MSFT_RECOVERY_GUID) | Self::Mbr(mbr::PARTITION_MSFT_RECOVERY)
        )
    }

    /// An ordinary Windows volume.
    pub fn is_basic_data(self) -> bool {
        matches!(
            self,
            Self::Gpt(gpt::PARTITION_BASIC_DATA_GUID) | Self::Mbr(mbr::PARTITION_IFS)
        )
    }

    /// EFI system partition.
    pub fn is_efi_system(self) -> bool {
        matches!(
            self,
            Self::Gpt(gpt::PARTITION_SYSTEM_GUID) | Self::Mbr(mbr::PARTITION_SYSTEM)
        )
    }

    /// Microsoft reserved partition.
    pub fn is_reserved(self) -> bool {
        self == Self::Gpt(gpt::PARTITION_MSFT_RESERVED_GUID)
    }

    /// What manages a disk that has such a partition, so that its partitions are not what they seem.
    pub fn manager(self) -> Option<Manager> {
        match self {
            Self::Gpt(gpt::PARTITION_LDM_METADATA_GUID | gpt::PARTITION_LDM_DATA_GUID)
            | Self::Mbr(mbr::PARTITION_LDM) => Some(Manager::LogicalDiskManager),
            Self::Gpt(gpt::PARTITION_SPACES_GUID) => Some(Manager::StorageSpaces),
            _ => None,
        }
    }

    /// A short name, where the type is a known one.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Gpt(guid) => gpt::type_name(guid),
            Self::Mbr(code) => mbr::type_name(code),
        }
    }
}

impl fmt::Display for PartitionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gpt(guid) => guid.fmt(f),
            Self::Mbr(code) => write!(f, "{code:#04x}"),
        }
    }
}
