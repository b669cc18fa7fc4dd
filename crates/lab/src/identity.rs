//! GUIDs, serial numbers and the seed of a lab disk: all from the name of its profile, by name-based UUIDs (RFC 9562,
//! version 5). So the same profile always gives the same bytes, tests can name what they expect, and two bug reports
//! about one profile speak of the same disk. The price: two disks of one profile have the same GUIDs, which no
//! running system should see at once.

use crate::profile::{Profile, Role};
use uuid::{Uuid, uuid};
use winrefit_formats::Guid;

/// The name space of all names in here.
const NAMESPACE: Uuid = uuid!("0d0b4d3e-4c5e-4b8e-9a65-2f0f5a3c9d17");

/// The name of every lab Windows.
pub(crate) const COMPUTER: &str = "WIN-LABDISK";

/// What a file carries as its time, in 100 ns since 1601: the day the lab's Windows was installed.
pub(crate) const TIME: u64 = (crate::software::INSTALL_DATE as u64 + 11_644_473_600) * 10_000_000;

/// The identities of the disk of one profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity(Uuid);

impl Identity {
    pub(crate) fn of(profile: &Profile) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, profile.name.as_bytes()))
    }

    /// The GUID of anything there is one of.
    pub(crate) fn uuid(self, name: &str) -> Uuid {
        Uuid::new_v5(&self.0, name.as_bytes())
    }

    /// The GUID of the disk.
    pub(crate) fn disk(self) -> Uuid {
        self.uuid("disk")
    }

    /// The signature of a disk with an MBR; never zero, which means none.
    pub(crate) fn signature(self) -> u32 {
        self.uuid("disk signature").as_u64_pair().1 as u32 | 1
    }

    /// The unique GUID of a partition.
    pub(crate) fn partition(self, number: u32) -> Uuid {
        self.uuid(&format!("partition {number}"))
    }

    /// The serial number of a partition's volume; of FAT the low half.
    pub(crate) fn serial(self, number: u32) -> u64 {
        self.partition(number).as_u64_pair().1
    }

    /// The seed of the files' contents.
    pub(crate) fn seed(self) -> u64 {
        self.uuid("files").as_u64_pair().0
    }
}

/// The type of the partitions of a role on an MBR disk.
pub(crate) fn type_code(role: Role, is_dynamic: bool) -> u8 {
    use winrefit_formats::mbr::types;
    /// The makers' tools: Compaq's first, then others' (the list of types in util-linux).
    const OEM: u8 = 0x12;
    match role {
        Role::EfiSystem => types::PARTITION_SYSTEM,
        // Windows gives them all this type when it makes the disk a dynamic one.
        Role::SystemReserved | Role::Windows | Role::Data if is_dynamic => types::PARTITION_LDM,
        Role::LdmMetadata | Role::LdmWindows | Role::LdmExtent => types::PARTITION_LDM,
        Role::Recovery | Role::StaleRecovery | Role::EmptyRecovery => types::PARTITION_MSFT_RECOVERY,
        Role::Linux => types::PARTITION_LINUX,
        Role::Oem => OEM,
        Role::SystemReserved
        | Role::Windows
        | Role::Data
        | Role::Refs
        | Role::MicrosoftReserved
        | Role::StoragePool
        | Role::Unallocated => types::PARTITION_IFS,
    }
}

/// The type of the partitions of a role on a GPT disk.
pub(crate) fn type_guid(role: Role) -> Guid {
    use winrefit_formats::gpt::types;
    /// Lenovo's (gdisk's list of types).
    const OEM: Guid = Guid::from_u128(0xbfbf_afe7_a34f_448a_9a5b_6213_eb73_6c22);
    match role {
        Role::EfiSystem => types::PARTITION_SYSTEM_GUID,
        Role::MicrosoftReserved => types::PARTITION_MSFT_RESERVED_GUID,
        Role::SystemReserved | Role::Windows | Role::Data | Role::Refs | Role::Unallocated => {
            types::PARTITION_BASIC_DATA_GUID
        }
        Role::Recovery | Role::StaleRecovery | Role::EmptyRecovery => types::PARTITION_MSFT_RECOVERY_GUID,
        Role::Linux => types::LINUX_FILESYSTEM_GUID,
        Role::Oem => OEM,
        Role::LdmMetadata => types::PARTITION_LDM_METADATA_GUID,
        Role::LdmWindows | Role::LdmExtent => types::PARTITION_LDM_DATA_GUID,
        Role::StoragePool => types::PARTITION_SPACES_GUID,
    }
}
