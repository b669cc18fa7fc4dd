//! The boot store (BCD): what starts WinRE. Observed as it is; what it means is for diagnosis and planning.

mod files;
mod observe;

pub(crate) use files::Files;
pub use observe::observe;
pub(crate) use observe::{LOGS, STORE_BYTES_MAX};

use crate::observation::{Observation, Partition};
use crate::table::DiskId;
use winrefit_formats::bcd::{Confidence, DeviceKind};
use winrefit_formats::{Bcd, BcdPartition, Guid};

/// The store of a machine that starts by UEFI, on its EFI system partition.
pub const UEFI_STORE: &str = r"\EFI\Microsoft\Boot\BCD";
/// The store of a machine that starts by BIOS, on its active partition.
pub const BIOS_STORE: &str = r"\Boot\BCD";

/// A boot store on the disk.
#[derive(Debug)]
pub struct BootStore {
    /// The partition that holds it.
    pub partition: u32,
    /// Path of its hive there.
    pub path: &'static str,
    /// What it says, or why it cannot be read.
    pub content: Result<BootContent, String>,
}

/// What a boot store says.
#[derive(Debug, PartialEq, Eq)]
pub struct BootContent {
    /// Whether Windows left the hive in the middle of a write, and its logs had to complete it.
    pub is_dirty: bool,
    /// The whole store.
    pub bcd: Bcd,
    /// The loader that is started when nothing else is chosen; or why there is none.
    pub default_loader: Result<Guid, String>,
    /// The ways to WinRE: that of the default loader, and those of the others that have one.
    pub chains: Vec<BootChain>,
}

/// The way from a loader of Windows to its WinRE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootChain {
    /// The loader.
    pub os_loader: Guid,
    /// The partition of this disk that it starts Windows from.
    pub os_partition: Option<u32>,
    /// Where the way leads, or where it breaks.
    pub winre: Result<WinreLink, String>,
}

/// The end of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WinreLink {
    /// The loader of WinRE.
    pub loader: Guid,
    /// What the image lies on, in the store's words.
    pub device: String,
    /// The same as a partition of this disk.
    pub partition: Option<u32>,
    /// Path of the image.
    pub image_path: String,
    /// Whether it is there. `None` where its partition cannot be read.
    pub image_found: Option<bool>,
    /// Path of the RAM disk's frame.
    pub sdi_path: String,
    /// Whether it is there.
    pub sdi_found: Option<bool>,
    /// How well the layout of what was read is known.
    pub confidence: Confidence,
}

impl WinreLink {
    /// Where the way breaks behind the store; `None` if all is there, as far as it can be read.
    pub fn problem(&self) -> Option<String> {
        let Self {
            loader,
            device,
            image_path,
            sdi_path,
            ..
        } = self;
        if self.partition.is_none() {
            Some(format!(
                "object {loader} starts WinRE from {device}, which is no partition of this disk"
            ))
        } else if self.image_found == Some(false) {
            Some(format!(
                "object {loader} starts {image_path} on {device}, which is not there"
            ))
        } else if self.sdi_found == Some(false) {
            Some(format!(
                "the RAM disk of object {loader} needs {sdi_path}, which is not there"
            ))
        } else {
            None
        }
    }
}

impl BootStore {
    /// What the store says, if it can be read.
    pub fn readable(&self) -> Option<&BootContent> {
        self.content.as_ref().ok()
    }

    /// Path and place, for people.
    pub fn place(&self) -> String {
        format!("partition {}, {}", self.partition, self.path)
    }
}

impl Observation {
    /// The way to WinRE of the Windows on a partition, and the store that has it.
    pub fn boot_chain(&self, windows: u32) -> Option<(&BootStore, &BootChain)> {
        self.boot_stores.iter().find_map(|store| {
            let mut chains = store.readable()?.chains.iter();
            let chain = chains.find(|chain| chain.os_partition == Some(windows))?;
            Some((store, chain))
        })
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

/// A device in words.
fn device_text(device: &DeviceKind) -> String {
    match device {
        DeviceKind::Boot => "the partition of the boot manager".to_owned(),
        DeviceKind::Partition(partition) => partition.to_string(),
        DeviceKind::Locate { .. } => "whichever partition has the file".to_owned(),
        _ => "a device that is no partition".to_owned(),
    }
}
