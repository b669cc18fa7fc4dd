//! Reading the boot stores of a disk. What cannot be read is a fact, never an error.

use super::{
    BIOS_STORE, BootChain, BootContent, BootStore, Files, UEFI_STORE, WinreLink, device_text, name_of,
};
use crate::observation::{Content, Observation, Partition};
use std::cell::RefCell;
use std::collections::BTreeMap;
use winrefit_disk::ReadAt;
use winrefit_formats::bcd::{DeviceKind, types};
use winrefit_formats::{Bcd, Guid, Hive, WinreChain, replay};

/// Real stores have 24 to 64 KiB, and their logs as much.
pub(crate) const STORE_BYTES_MAX: u64 = 4 << 20;
/// The logs of a hive, by what is added to its name.
pub(crate) const LOGS: [&str; 3] = [".LOG", ".LOG1", ".LOG2"];

/// The boot stores of a disk.
pub fn observe<'o>(disk: &'o dyn ReadAt, observation: &'o Observation) -> Vec<BootStore> {
    let mut stores = Vec::new();
    let opened = RefCell::default();
    for partition in &observation.partitions {
        let paths: &[&'static str] = match partition.content {
            Content::Fat(_) => &[UEFI_STORE, BIOS_STORE],
            Content::Ntfs(_) => &[BIOS_STORE],
            _ => continue,
        };
        let Some(files) = Files::open(disk, partition) else {
            continue;
        };
        for &path in paths {
            if files.has(path) == Some(true) {
                let here = Here {
                    disk,
                    observation,
                    store: partition,
                    opened: &opened,
                };
                stores.push(BootStore {
                    partition: partition.number,
                    path,
                    content: here.content(&files, path),
                });
            }
        }
    }
    stores
}

/// A store and what it can refer to.
struct Here<'o> {
    disk: &'o dyn ReadAt,
    observation: &'o Observation,
    store: &'o Partition,
    /// Volumes by partition: opening one reads more than all that is looked for.
    opened: &'o RefCell<BTreeMap<u32, Option<Files<'o>>>>,
}

impl<'o> Here<'o> {
    fn content(&self, files: &Files<'_>, path: &str) -> Result<BootContent, String> {
        let missing = || "the file is not there any more".to_owned();
        let file = files.read(path, STORE_BYTES_MAX)?.ok_or_else(missing)?;
        let logs = LOGS.map(|log| {
            files
                .read(&format!("{path}{log}"), STORE_BYTES_MAX)
                .ok()
                .flatten()
        });
        let logs: Vec<&dyn ReadAt> = logs.iter().flatten().map(|log| log as &dyn ReadAt).collect();
        let is_dirty = Hive::open(&file).map_err(|e| e.to_string())?.is_dirty();
        let replayed = replay(&file, &logs).map_err(|e| e.to_string())?;
        let hive = Hive::open(&replayed).map_err(|e| e.to_string())?;
        let bcd = Bcd::read(&hive).map_err(|e| e.to_string())?;
        let default_loader = bcd.default_loader().map_err(|e| e.to_string());
        let others = bcd.loaders_with_recovery().map(|loader| loader.id);
        let mut loaders: Vec<Guid> = default_loader.iter().copied().collect();
        loaders.extend(others.filter(|id| default_loader.as_ref() != Ok(id)));
        let chains = loaders
            .into_iter()
            .map(|loader| self.chain(&bcd, loader))
            .collect();
        Ok(BootContent {
            is_dirty,
            default_loader,
            chains,
            bcd,
        })
    }

    fn chain(&self, bcd: &Bcd, os_loader: Guid) -> BootChain {
        let os_device = bcd
            .object(os_loader)
            .and_then(|loader| loader.device(types::OS_DEVICE));
        BootChain {
            os_loader,
            os_partition: os_device
                .and_then(|device| self.partition(&device.kind))
                .map(|p| p.number),
            winre: bcd
                .winre_of(os_loader)
                .map(|chain| self.link(&chain))
                .map_err(|e| e.to_string()),
        }
    }

    fn link(&self, chain: &WinreChain) -> WinreLink {
        let partition = self.partition(&chain.image_device);
        let found = |partition: Option<&Partition>, path: &str| {
            let partition = partition?;
            let mut opened = self.opened.borrow_mut();
            let files = opened.entry(partition.number);
            let files = files.or_insert_with(|| Files::open(self.disk, partition));
            files.as_ref()?.has(path)
        };
        WinreLink {
            loader: chain.winre_loader,
            device: device_text(&chain.image_device),
            partition: partition.map(|p| p.number),
            image_found: found(partition, &chain.image_path),
            image_path: chain.image_path.clone(),
            sdi_found: found(self.partition(&chain.sdi_device), &chain.sdi_path),
            sdi_path: chain.sdi_path.clone(),
            confidence: chain.confidence(),
        }
    }

    /// The partition of this disk that a device is.
    fn partition(&self, device: &DeviceKind) -> Option<&'o Partition> {
        match device {
            DeviceKind::Boot => Some(self.store),
            DeviceKind::Partition(named) => self.observation.partitions.iter().find(|p| {
                let own = name_of(self.observation.table.id, p, p.range.start);
                own.is_some_and(|own| own.is_same(named))
            }),
            _ => None,
        }
    }
}
