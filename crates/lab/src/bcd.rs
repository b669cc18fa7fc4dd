//! The boot configuration store of a Windows, as `bcdboot` and `reagentc` leave it: with UEFI on a GPT disk, with a
//! BIOS on an MBR disk.
//!
//! A store is a registry hive: `Objects\{guid}\Description` has the object's type, `Objects\{guid}\Elements\XXXXXXXX`
//! has the value `Element`. The element's number tells its format in its second highest four bits. There is no
//! public specification of the device elements; their layout here is that of a store of Windows 10. No store of a BIOS
//! machine was at hand: what it has otherwise is from what `bcdedit` prints there.

mod device;

use crate::hive::{self, Data, HiveError, Key};
pub use device::Partition;
use uuid::{Uuid, uuid};

/// The Windows Boot Manager, `{bootmgr}`.
pub const BOOT_MANAGER: Uuid = uuid!("9dea862c-5cdd-4e70-acc1-f32b344d4795");
const GLOBAL_SETTINGS: Uuid = uuid!("7ea2e1ac-2e61-4728-aaa3-896d9d0a9f0e");
const BOOT_LOADER_SETTINGS: Uuid = uuid!("6efb52bf-1766-41db-a6b3-0ee5eff72bd7");
const RESUME_LOADER_SETTINGS: Uuid = uuid!("1afa9c49-16ab-4a5c-901b-212802da9460");
const DEBUGGER_SETTINGS: Uuid = uuid!("4636856e-540f-4170-a130-a84776f4c654");
const EMERGENCY_SETTINGS: Uuid = uuid!("0ce4991b-e6b3-4b16-b23c-5e0d9250e5d9");
const BAD_MEMORY: Uuid = uuid!("5189b25c-5558-4bf2-bca4-289b11bd29e2");
const HYPERVISOR_SETTINGS: Uuid = uuid!("7ff607e0-4395-11db-b0de-0800200c9a66");

const LOCALE: &str = "en-US";

/// What a boot store describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootStore<'a> {
    /// The EFI system partition, or the active partition of an MBR disk. It decides which firmware the store is for.
    pub system: Partition,
    /// The Windows partition.
    pub windows: Partition,
    /// The object that starts Windows.
    pub loader: Uuid,
    /// The object that wakes it from hibernation.
    pub resume: Uuid,
    /// How the boot menu calls Windows.
    pub description: &'a str,
    /// The recovery environment; `None` where it is disabled.
    pub recovery: Option<RecoveryEntry>,
}

/// How a store describes the recovery environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryEntry {
    /// The partition that `\Recovery\WindowsRE` is on.
    pub partition: Partition,
    /// The object that starts it.
    pub loader: Uuid,
    /// The object with the options of its RAM disk.
    pub ramdisk: Uuid,
}

/// The value of an element.
enum Element<'a> {
    Device(Vec<u8>),
    Text(&'a str),
    Object(Uuid),
    Objects(Vec<Uuid>),
    Integer(u64),
    Integers(Vec<u64>),
    Boolean(bool),
}

impl Element<'_> {
    fn data(&self) -> Data {
        match self {
            Self::Device(bytes) => Data::Binary(bytes.clone()),
            Self::Text(text) => Data::Text((*text).to_owned()),
            Self::Object(guid) => Data::Text(braced(*guid)),
            Self::Objects(guids) => Data::MultiText(guids.iter().map(|guid| braced(*guid)).collect()),
            Self::Integer(number) => Data::Binary(number.to_le_bytes().to_vec()),
            Self::Integers(numbers) => {
                Data::Binary(numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
            }
            Self::Boolean(set) => Data::Binary(vec![u8::from(*set)]),
        }
    }
}

impl<'a> BootStore<'a> {
    /// The bytes of the store. `timestamp` as in [`hive::write`].
    ///
    /// # Errors
    /// [`HiveError`] if the description does not fit a value or two object GUIDs are equal.
    pub fn to_hive(&self, timestamp: u64) -> Result<Vec<u8>, HiveError> {
        let mut objects = Key::new("Objects")
            .key(self.boot_manager())
            .key(self.windows_loader())
            .key(self.resume_loader());
        if let Some(recovery) = &self.recovery {
            objects = objects
                .key(self.recovery_loader(recovery))
                .key(self.ramdisk_options(recovery));
        }
        for settings in shared_settings() {
            objects = objects.key(settings);
        }
        let description = Key::new("Description")
            .text("KeyName", "BCD00000000")
            .dword("System", 1)
            .dword("TreatAsSystem", 1);
        let root = Key::new("NewStoreRoot").key(description).key(objects);
        let name = match self.is_bios() {
            true => r"\Device\HarddiskVolume1\Boot\BCD",
            false => r"\Device\HarddiskVolume1\EFI\Microsoft\Boot\BCD",
        };
        hive::write(&root, name, timestamp)
    }

    const fn is_bios(&self) -> bool {
        matches!(self.system, Partition::Mbr { .. })
    }

    fn boot_manager(&self) -> Key {
        let mut elements = vec![
            (0x1100_0001, Element::Device(self.system.element())),
            (0x1200_0004, Element::Text("Windows Boot Manager")),
            (0x1200_0005, Element::Text(LOCALE)),
            (0x1400_0006, Element::Objects(vec![GLOBAL_SETTINGS])),
            (0x2300_0003, Element::Object(self.loader)),
            (0x2300_0006, Element::Object(self.resume)),
            (0x2400_0001, Element::Objects(vec![self.loader])),
            (0x2500_0004, Element::Integer(30)),
        ];
        // A BIOS starts the boot manager by the active partition's code, not by its path.
        if !self.is_bios() {
            elements.push((0x1200_0002, Element::Text(r"\EFI\Microsoft\Boot\bootmgfw.efi")));
        }
        object(BOOT_MANAGER, 0x1010_0002, elements)
    }

    fn windows_loader(&self) -> Key {
        let device = self.windows.element();
        let path = self.by_firmware(r"\Windows\system32\winload.efi", r"\Windows\system32\winload.exe");
        let mut elements = vec![
            (0x1100_0001, Element::Device(device.clone())),
            (0x1200_0002, Element::Text(path)),
            (0x1200_0004, Element::Text(self.description)),
            (0x1200_0005, Element::Text(LOCALE)),
            (0x1400_0006, Element::Objects(vec![BOOT_LOADER_SETTINGS])),
            (0x1700_0077, Element::Integers(vec![0x1500_0075])),
            (0x2100_0001, Element::Device(device)),
            (0x2200_0002, Element::Text(r"\Windows")),
            (0x2300_0003, Element::Object(self.resume)),
            (0x2500_0020, Element::Integer(0)),
            (0x2500_00c2, Element::Integer(1)),
        ];
        elements.extend(self.isolated_context());
        elements.extend(self.recovery_sequence());
        if self.recovery.is_some() {
            elements.push((0x1500_0066, Element::Integer(3)));
        }
        object(self.loader, 0x1020_0003, elements)
    }

    fn resume_loader(&self) -> Key {
        let device = self.windows.element();
        let path = self.by_firmware(
            r"\Windows\system32\winresume.efi",
            r"\Windows\system32\winresume.exe",
        );
        let mut elements = vec![
            (0x1100_0001, Element::Device(device.clone())),
            (0x1200_0002, Element::Text(path)),
            (0x1200_0004, Element::Text("Windows Resume Application")),
            (0x1200_0005, Element::Text(LOCALE)),
            (0x1400_0006, Element::Objects(vec![RESUME_LOADER_SETTINGS])),
            (0x1700_0077, Element::Integers(vec![0x1500_0075])),
            (0x2100_0001, Element::Device(device)),
            (0x2200_0002, Element::Text(r"\hiberfil.sys")),
            (0x2500_0008, Element::Integer(1)),
            (0x2600_0006, Element::Boolean(false)),
        ];
        elements.extend(self.isolated_context());
        elements.extend(self.recovery_sequence());
        object(self.resume, 0x1020_0004, elements)
    }

    const fn by_firmware<'t>(&self, uefi: &'t str, bios: &'t str) -> &'t str {
        if self.is_bios() { bios } else { uefi }
    }

    /// `isolatedcontext`, which only loaders for UEFI have.
    fn isolated_context(&self) -> Option<(u32, Element<'a>)> {
        (!self.is_bios()).then_some((0x1600_0060, Element::Boolean(true)))
    }

    /// What makes a loader start the recovery environment when it fails.
    fn recovery_sequence(&self) -> Vec<(u32, Element<'a>)> {
        self.recovery.map_or(Vec::new(), |recovery| {
            vec![
                (0x1400_0008, Element::Objects(vec![recovery.loader])),
                (0x1600_0009, Element::Boolean(true)),
            ]
        })
    }

    fn recovery_loader(&self, recovery: &RecoveryEntry) -> Key {
        let path = self.by_firmware(r"\windows\system32\winload.efi", r"\windows\system32\winload.exe");
        let device = recovery
            .partition
            .ramdisk_element(recovery.ramdisk, r"\Recovery\WindowsRE\Winre.wim");
        object(
            recovery.loader,
            0x1020_0003,
            vec![
                (0x1100_0001, Element::Device(device.clone())),
                (0x1200_0002, Element::Text(path)),
                (0x1200_0004, Element::Text("Windows Recovery Environment")),
                (0x1200_0005, Element::Text(LOCALE)),
                (0x1400_0006, Element::Objects(vec![BOOT_LOADER_SETTINGS])),
                (0x1500_0065, Element::Integer(3)),
                (0x2100_0001, Element::Device(device)),
                (0x2200_0002, Element::Text(r"\windows")),
                (0x2500_0020, Element::Integer(0)),
                (0x2500_00c2, Element::Integer(1)),
                (0x2600_0022, Element::Boolean(true)),
                (0x4600_0010, Element::Boolean(true)),
            ],
        )
    }

    fn ramdisk_options(&self, recovery: &RecoveryEntry) -> Key {
        object(
            recovery.ramdisk,
            0x3000_0000,
            vec![
                (0x1200_0004, Element::Text("Windows Recovery")),
                (0x3100_0003, Element::Device(recovery.partition.element())),
                (0x3200_0004, Element::Text(r"\Recovery\WindowsRE\boot.sdi")),
            ],
        )
    }
}

/// The objects that the others inherit from, the same in every store.
fn shared_settings() -> [Key; 7] {
    [
        object(
            GLOBAL_SETTINGS,
            0x2010_0000,
            vec![(
                0x1400_0006,
                Element::Objects(vec![DEBUGGER_SETTINGS, EMERGENCY_SETTINGS, BAD_MEMORY]),
            )],
        ),
        object(
            BOOT_LOADER_SETTINGS,
            0x2020_0003,
            vec![(
                0x1400_0006,
                Element::Objects(vec![GLOBAL_SETTINGS, HYPERVISOR_SETTINGS]),
            )],
        ),
        object(
            RESUME_LOADER_SETTINGS,
            0x2020_0004,
            vec![(0x1400_0006, Element::Objects(vec![GLOBAL_SETTINGS]))],
        ),
        object(
            DEBUGGER_SETTINGS,
            0x2010_0000,
            vec![(0x1500_0011, Element::Integer(4))],
        ),
        object(
            EMERGENCY_SETTINGS,
            0x2010_0000,
            vec![(0x1600_0020, Element::Boolean(false))],
        ),
        object(BAD_MEMORY, 0x2010_0000, vec![]),
        object(
            HYPERVISOR_SETTINGS,
            0x2020_0003,
            vec![
                (0x2500_00f3, Element::Integer(0)),
                (0x2500_00f4, Element::Integer(1)),
                (0x2500_00f5, Element::Integer(115_200)),
            ],
        ),
    ]
}

fn object(guid: Uuid, kind: u32, elements: Vec<(u32, Element)>) -> Key {
    let mut list = Key::new("Elements");
    for (number, element) in elements {
        list = list.key(Key::new(format!("{number:08x}")).value("Element", element.data()));
    }
    Key::new(braced(guid))
        .key(Key::new("Description").dword("Type", kind))
        .key(list)
}

fn braced(guid: Uuid) -> String {
    guid.braced().to_string()
}

#[cfg(test)]
mod tests;
