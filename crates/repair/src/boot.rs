//! The boot store (BCD): what starts WinRE. Observed as it is; what it means is for diagnosis and planning.

mod active;
mod files;
mod observe;
mod outcome;
mod words;

pub(crate) use files::Files;
pub use observe::observe;
pub(crate) use observe::{LOGS, STORE_BYTES_MAX};
pub(crate) use outcome::{Break, Outcome, agrees, outcome};
pub(crate) use words::{element_name, hex, partition_text};

use crate::observation::{Observation, Partition};
use crate::table::DiskId;
use crate::text;
use crate::text::Text;
use winrefit_formats::bcd::{ChainBreak, WinreChain};
use winrefit_formats::{Bcd, BcdPartition, Guid};

/// The store of a machine that starts by UEFI, on its EFI system partition.
pub const UEFI_STORE: &str = r"\EFI\Microsoft\Boot\BCD";
/// The store of a machine that starts by BIOS, on its active partition.
pub const BIOS_STORE: &str = r"\Boot\BCD";

const UEFI_BOOT_MANAGER: &str = r"\EFI\Microsoft\Boot\bootmgfw.efi";
const BIOS_BOOT_MANAGER: &str = r"\bootmgr";

/// A boot store on the disk.
#[derive(Debug)]
pub struct BootStore {
    /// The partition that holds it.
    pub partition: u32,
    /// Path of its hive there.
    pub path: &'static str,
    /// Path of the boot manager that reads it.
    pub boot_manager_path: &'static str,
    /// Whether that is there.
    pub boot_manager: FileFact,
    /// What it says, or why it cannot be read.
    pub content: Result<BootContent, Text>,
}

/// What a boot store says.
#[derive(Debug, PartialEq, Eq)]
pub struct BootContent {
    /// Whether Windows left the hive in the middle of a write, and its logs had to complete it.
    pub is_dirty: bool,
    /// The whole store.
    pub bcd: Bcd,
    /// The loader that is started when nothing else is chosen; or why there is none.
    pub default_loader: Result<Guid, ChainBreak>,
    /// The loaders of Windows, WinRE's own apart, in the order of the hive.
    pub loaders: Vec<Loader>,
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
    Unreadable(Text),
    /// Nobody looked: the place is not known, or not a volume that can be read.
    NotLooked,
}

impl BootStore {
    /// What the store says, if it can be read.
    pub fn readable(&self) -> Option<&BootContent> {
        self.content.as_ref().ok()
    }

    /// Path and place, for people.
    pub fn place(&self) -> Text {
        text!(
            "partition {number}, {path}",
            number = self.partition,
            path = self.path
        )
    }

    /// How it was read, where that is not as usual, for people.
    pub(crate) fn reading(&self) -> Option<Text> {
        let content = self.readable()?;
        content.is_dirty.then(|| {
            text!(
                "its last write was not finished; it was read with its logs, which Windows has yet to apply"
            )
        })
    }
}

impl Observation {
    /// The boot store that may be in use and whose way to WinRE leads to a partition.
    pub fn boot_store_of(&self, number: u32) -> Option<&BootStore> {
        let in_use = self.boot_stores.iter().filter(|store| !self.is_leftover(store));
        let leads = |store: &BootStore, loader: &Loader| {
            let mut windows = self.windows.iter();
            let way = loader.winre.as_ref();
            way.is_ok_and(|way| way.image == Target::Here(number))
                && windows.all(|w| !loader.starts(w) || self.may_start(store, w))
        };
        let mut stores = in_use.filter_map(|store| Some((store, store.readable()?)));
        let found = stores.find(|(store, content)| content.loaders.iter().any(|l| leads(store, l)));
        found.map(|(store, _)| store)
    }
}

/// How the boot store of a disk names a partition that begins at byte `start`.
pub(crate) fn name_of(id: DiskId, partition: &Partition, start: u64) -> Option<BcdPartition> {
    Some(match id {
        DiskId::Gpt(disk) => BcdPartition::Gpt {
            disk,
            partition: partition.unique_guid?,
        },
        DiskId::Mbr(signature) => BcdPartition::Mbr {
            signature,
            offset: start,
        },
    })
}
