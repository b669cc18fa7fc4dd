//! Reading the stores of a disk and what lies at the ends of their ways.

use super::volume::{Files, Part};
use super::{
    BIOS_BOOT_MANAGER, BIOS_STORE, BootStore, FileFact, Loader, Place, StoreContent, Target,
    UEFI_BOOT_MANAGER, UEFI_STORE, VolumeKind, WinreWay, target,
};
use winrefit_disk::ReadAt;
use winrefit_formats::bcd::{BcdObject, BcdPartition, ChainBreak, DeviceKind, WinreChain, types};
use winrefit_formats::{Bcd, Guid, Hive, replay};

/// Longest store or log that is read; real ones have 32 to 64 KiB.
pub(super) const STORE_BYTES_MAX: u64 = 4 << 20;
/// Most loaders of Windows whose ways are followed.
const LOADERS_MAX: usize = 64;

/// A disk with its partitions as boot stores know them.
pub(super) struct Disk<'d> {
    disk: &'d dyn ReadAt,
    places: Vec<Place>,
}

/// A store that a kind of firmware looks for.
#[derive(Clone, Copy)]
struct Wanted {
    path: &'static str,
    boot_manager_path: &'static str,
    /// Whether a volume that cannot be read may hide one for all that is known.
    is_expected: bool,
}

impl<'d> Disk<'d> {
    pub fn new(disk: &'d dyn ReadAt, places: Vec<Place>) -> Self {
        Self { disk, places }
    }

    pub fn stores(&self) -> Vec<BootStore> {
        let places = self.places.iter();
        places.flat_map(|place| self.stores_on(place)).collect()
    }

    fn stores_on(&self, place: &Place) -> Vec<BootStore> {
        let uefi = Wanted {
            path: UEFI_STORE,
            boot_manager_path: UEFI_BOOT_MANAGER,
            is_expected: place.is_efi_system,
        };
        let bios = Wanted {
            path: BIOS_STORE,
            boot_manager_path: BIOS_BOOT_MANAGER,
            is_expected: false,
        };
        let wanted = match (place.name, place.volume) {
            (BcdPartition::Gpt { .. }, VolumeKind::Fat) if place.is_efi_system => vec![uefi],
            (BcdPartition::Mbr { .. }, VolumeKind::Fat) => vec![uefi, bios],
            (BcdPartition::Mbr { .. }, VolumeKind::Ntfs) => vec![bios],
            _ => return Vec::new(),
        };
        let Some(part) = Part::new(self.disk, place.range) else {
            return Vec::new();
        };
        let volume = part.open(place.volume);
        let stores = wanted
            .into_iter()
            .filter_map(|wanted| self.store(place, volume.as_ref()?, wanted));
        stores.collect()
    }

    fn store(&self, place: &Place, volume: &Result<Files<'_>, String>, wanted: Wanted) -> Option<BootStore> {
        let store = |boot_manager, content| {
            Some(BootStore {
                partition: place.number,
                path: wanted.path,
                boot_manager_path: wanted.boot_manager_path,
                boot_manager,
                content,
            })
        };
        let files = match volume {
            Ok(files) => files,
            Err(problem) if wanted.is_expected => return store(FileFact::NotLooked, Err(problem.clone())),
            Err(_) => return None,
        };
        let content = match files.read(wanted.path, STORE_BYTES_MAX) {
            Ok(None) => return None,
            Ok(Some(hive)) => self.content(place.number, files, wanted.path, &hive),
            Err(problem) => Err(problem),
        };
        store(files.fact(wanted.boot_manager_path), content)
    }

    fn content(&self, own: u32, files: &Files<'_>, path: &str, hive: &[u8]) -> Result<StoreContent, String> {
        let logs = logs(files, path);
        let logs: Vec<&dyn ReadAt> = logs.iter().map(|log| log as &dyn ReadAt).collect();
        let current = replay(&hive, &logs).map_err(|error| error.to_string())?;
        let is_dirty = current.replay() != winrefit_formats::Replay::Clean;
        let hive = Hive::open(&current).map_err(|error| error.to_string())?;
        let bcd = Bcd::read(&hive).map_err(|error| error.to_string())?;
        let loaders: Vec<&BcdObject> = bcd.objects().iter().filter(|object| is_windows(object)).collect();
        if loaders.len() > LOADERS_MAX {
            return Err(format!("the store has {} loaders of Windows", loaders.len()));
        }
        let default_loader = bcd.default_loader().and_then(|id| match bcd.object(id) {
            Some(_) => Ok(id),
            None => Err(ChainBreak::NoObject { id }),
        });
        Ok(StoreContent {
            is_dirty,
            default_loader,
            loaders: loaders
                .into_iter()
                .map(|object| Loader {
                    id: object.id,
                    os: object
                        .device(types::OS_DEVICE)
                        .map(|device| target(&self.places, own, &device.kind)),
                    winre: self.way(own, &bcd, object.id),
                })
                .collect(),
            unknown_devices: bcd.unknown_devices(),
        })
    }

    fn way(&self, own: u32, bcd: &Bcd, loader: Guid) -> Result<WinreWay, ChainBreak> {
        let chain: WinreChain = bcd.winre_of(loader)?;
        let image = target(&self.places, own, &chain.image_device);
        let sdi = target(&self.places, own, &chain.sdi_device);
        Ok(WinreWay {
            image,
            image_file: self.file(image, &chain.image_path),
            sdi,
            sdi_file: self.file(sdi, &chain.sdi_path),
            chain,
        })
    }

    fn file(&self, target: Target, path: &str) -> FileFact {
        let Target::Here(number) = target else {
            return FileFact::NotLooked;
        };
        let place = self.places.iter().find(|place| place.number == number);
        let part = place.and_then(|place| Some((Part::new(self.disk, place.range)?, place.volume)));
        match part.as_ref().and_then(|(part, kind)| part.open(*kind)) {
            Some(Ok(files)) => files.fact(path),
            Some(Err(problem)) => FileFact::Unreadable(problem),
            None => FileFact::NotLooked,
        }
    }
}

/// The logs of a store, newest form first. One that cannot be read cannot complete a hive either.
pub(super) fn logs(files: &Files<'_>, path: &str) -> Vec<Vec<u8>> {
    let names = ["LOG1", "LOG2", "LOG"].map(|extension| format!("{path}.{extension}"));
    let read = names
        .iter()
        .filter_map(|name| files.read(name, STORE_BYTES_MAX).ok()?);
    read.collect()
}

/// Whether an object starts a Windows that is installed. Loaders with a RAM disk start WinRE or Setup.
fn is_windows(object: &BcdObject) -> bool {
    let from_ramdisk = object
        .device(types::OS_DEVICE)
        .is_some_and(|device| matches!(device.kind, DeviceKind::Ramdisk { .. }));
    object.object_type == types::OBJECT_OS_LOADER && !from_ramdisk
}
