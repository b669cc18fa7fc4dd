//! The boot store of Windows (BCD): what it says about starting WinRE, as a fact of a disk; and how its elements are
//! made to name a partition at its new place.
//!
//! A UEFI machine starts from `\EFI\Microsoft\Boot\BCD` on the EFI system partition, a BIOS machine from `\Boot\BCD` on
//! the active one. On a GPT disk only the former is looked for, since Windows starts from such a disk with UEFI only, and
//! a conversion leaves the old store behind. Nothing that cannot be read here ends an observation.

mod outcome;
mod read;
mod repoint;
mod volume;

pub(crate) use outcome::{Break, Outcome, agrees, element_name, outcome};
pub(crate) use repoint::element_text;
pub use repoint::{RepointError, StoreWrite, repoint_edits};

use crate::observation::{Content, Partition};
use crate::table::DiskId;
use winrefit_disk::{ByteRange, ReadAt};
use winrefit_formats::bcd::{BcdPartition, ChainBreak, Reference, WinreChain};
use winrefit_formats::{Guid, bcd::DeviceKind};

/// The store of a UEFI machine.
pub const UEFI_STORE: &str = r"\EFI\Microsoft\Boot\BCD";
/// The store of a BIOS machine.
pub const BIOS_STORE: &str = r"\Boot\BCD";
const UEFI_BOOT_MANAGER: &str = r"\EFI\Microsoft\Boot\bootmgfw.efi";
const BIOS_BOOT_MANAGER: &str = r"\bootmgr";

/// A boot store on a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootStore {
    /// The partition that it is on.
    pub partition: u32,
    /// Its path there.
    pub path: &'static str,
    /// Path of the boot manager that reads it.
    pub boot_manager_path: &'static str,
    /// Whether that is there.
    pub boot_manager: FileFact,
    /// What it says, or why it cannot be read.
    pub content: Result<StoreContent, String>,
}

/// What a store says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreContent {
    /// Whether its last write was not finished in the file itself, so that it was read with its logs.
    pub is_dirty: bool,
    /// The loader that the boot manager starts when nothing else is chosen.
    pub default_loader: Result<Guid, ChainBreak>,
    /// The loaders of Windows, WinRE's own apart, in the order of the hive.
    pub loaders: Vec<Loader>,
    /// Device elements that are not understood.
    pub unknown_devices: Vec<Reference>,
}

/// A loader of Windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loader {
    /// Its name.
    pub id: Guid,
    /// Where its Windows lies; `None` if the loader does not say.
    pub os: Option<Target>,
    /// The way from it to WinRE, or where that ends.
    pub winre: Result<WinreWay, ChainBreak>,
}

/// The way to WinRE, with what is at its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WinreWay {
    /// As the store names it.
    pub chain: WinreChain,
    /// The partition of the image.
    pub image: Target,
    /// The image.
    pub image_file: FileFact,
    /// The partition of `boot.sdi`.
    pub sdi: Target,
    /// `boot.sdi`.
    pub sdi_file: FileFact,
}

/// What a device of a store comes to on this disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A partition of this disk.
    Here(u32),
    /// A partition that is not on this disk.
    NotHere(BcdPartition),
    /// A form that is not followed: found by a file, on a virtual disk, or not understood.
    NotFollowed,
}

/// Whether a file is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFact {
    /// It is, with so many bytes.
    Present(u64),
    /// It is not.
    Missing,
    /// The directories on the way cannot be read.
    Unreadable(String),
    /// Nobody looked: the place is not known, or not a volume that can be read.
    NotLooked,
}

/// A partition as boot stores know it. What is known of a disk's partitions gets in here, and nowhere else.
#[derive(Debug, Clone, Copy)]
struct Place {
    number: u32,
    range: ByteRange,
    name: BcdPartition,
    is_efi_system: bool,
    volume: VolumeKind,
}

/// What can be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VolumeKind {
    Ntfs,
    Fat,
    Other,
}

/// How a boot store names a partition.
pub fn name_of(disk: DiskId, partition: &Partition) -> Option<BcdPartition> {
    Some(match disk {
        DiskId::Gpt(disk) => BcdPartition::Gpt {
            disk,
            partition: partition.unique_guid?,
        },
        DiskId::Mbr(signature) => BcdPartition::Mbr {
            signature,
            offset: partition.range.start,
        },
    })
}

/// Reads the boot stores of a disk.
pub(crate) fn stores(disk: &dyn ReadAt, id: DiskId, partitions: &[Partition]) -> Vec<BootStore> {
    let places = partitions.iter().filter_map(|partition| {
        Some(Place {
            number: partition.number,
            range: partition.range,
            name: name_of(id, partition)?,
            is_efi_system: partition.kind.is_efi_system(),
            volume: match partition.content {
                Content::Ntfs(_) => VolumeKind::Ntfs,
                Content::Fat(_) => VolumeKind::Fat,
                _ => VolumeKind::Other,
            },
        })
    });
    read::Disk::new(disk, places.collect()).stores()
}

/// What a device comes to, seen from the store on partition `own`.
fn target(places: &[Place], own: u32, device: &DeviceKind) -> Target {
    match device {
        // Where the boot manager was loaded from, which is where it takes the store from.
        DeviceKind::Boot => Target::Here(own),
        DeviceKind::Partition(named) => places
            .iter()
            .find(|place| place.name.is_same(named))
            .map_or(Target::NotHere(*named), |place| Target::Here(place.number)),
        _ => Target::NotFollowed,
    }
}
