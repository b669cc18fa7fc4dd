//! Reading the boot stores of a disk. What cannot be read is a fact, never an error.

use super::{
    BIOS_BOOT_MANAGER, BIOS_STORE, BootContent, BootStore, FileFact, Files, Loader, Target,
    UEFI_BOOT_MANAGER, UEFI_STORE, WinreWay, name_of,
};
use crate::observation::{Content, Observation, Partition};
use crate::table::DiskId;
use crate::text;
use crate::text::Text;
use std::cell::RefCell;
use std::collections::BTreeMap;
use winrefit_disk::{Allowance, ReadAt};
use winrefit_formats::bcd::{BcdObject, ChainBreak, DeviceKind, types};
use winrefit_formats::{Bcd, Guid, Hive, Replay, replay};

/// Real stores have 24 to 64 KiB, and their logs as much.
pub(crate) const STORE_BYTES_MAX: u64 = 4 << 20;
/// The logs of a hive, by what is added to its name, in the order of [`replay()`].
pub(crate) const LOGS: [&str; 3] = [".LOG1", ".LOG2", ".LOG"];
/// What may be read of a store, and of its logs, to take it in: all of it, many times.
const STORE_READ_BYTES_MAX: u64 = 64 << 20;
/// Stores of one disk that are read. An MBR may name one partition hundreds of times.
const STORES_MAX: usize = 16;
/// Most loaders of Windows whose ways are followed.
const LOADERS_MAX: usize = 64;

/// A store that a kind of firmware looks for.
#[derive(Clone, Copy)]
struct Wanted {
    path: &'static str,
    boot_manager_path: &'static str,
    /// Whether a volume that cannot be read hides one, for all that is known.
    is_expected: bool,
}

/// The boot stores of a disk. On a GPT disk that is the one on the EFI system partition: Windows starts from such a disk
/// by UEFI only, and a conversion to GPT leaves the old store behind.
pub fn observe<'o>(disk: &'o dyn ReadAt, observation: &'o Observation) -> Vec<BootStore> {
    let reader = Reader {
        disk,
        observation,
        opened: RefCell::default(),
    };
    let partitions = observation.partitions.iter();
    let wanted = partitions.flat_map(|partition| {
        let wanted = wanted_on(observation.table.id, partition);
        wanted.into_iter().map(move |wanted| (partition, wanted))
    });
    let mut stores = Vec::new();
    for (partition, wanted) in wanted {
        if stores.len() < STORES_MAX {
            stores.extend(reader.store(partition, wanted));
            continue;
        }
        if !reader.may_have(partition, wanted) {
            continue;
        }
        // What is not read is told of: it might start what is to change.
        let problem = text!("the disk has more boot stores than {count}", count = STORES_MAX);
        stores.push(BootStore {
            partition: partition.number,
            path: wanted.path,
            boot_manager_path: wanted.boot_manager_path,
            boot_manager: FileFact::NotLooked,
            content: Err(problem),
        });
        break;
    }
    stores
}

/// The stores that may be on a partition.
fn wanted_on(id: DiskId, partition: &Partition) -> Vec<Wanted> {
    let uefi = Wanted {
        path: UEFI_STORE,
        boot_manager_path: UEFI_BOOT_MANAGER,
        is_expected: partition.kind.is_efi_system(),
    };
    let bios = Wanted {
        path: BIOS_STORE,
        boot_manager_path: BIOS_BOOT_MANAGER,
        is_expected: partition.is_active,
    };
    match (id, &partition.content) {
        (DiskId::Gpt(_), Content::Fat(_)) if uefi.is_expected => vec![uefi],
        (DiskId::Mbr(_), Content::Fat(_)) => vec![uefi, bios],
        (DiskId::Mbr(_), Content::Ntfs(_) | Content::DamagedNtfs(_)) => vec![bios],
        _ => Vec::new(),
    }
}

/// A disk whose volumes are opened once: opening one reads more than all that is looked for.
struct Reader<'o> {
    disk: &'o dyn ReadAt,
    observation: &'o Observation,
    opened: RefCell<BTreeMap<u32, Option<Result<Files<'o>, Text>>>>,
}

impl<'o> Reader<'o> {
    /// What `look` sees in the volume of a partition; why it cannot be read; `None` if it has none.
    fn with<T>(&self, partition: &Partition, look: impl FnOnce(&Files<'o>) -> T) -> Option<Result<T, Text>> {
        let mut opened = self.opened.borrow_mut();
        let files = opened
            .entry(partition.number)
            .or_insert_with(|| Files::try_open(self.disk, partition.range, &partition.content));
        match files.as_ref()? {
            Ok(files) => Some(Ok(look(files))),
            Err(problem) => Some(Err(problem.clone())),
        }
    }

    /// Whether a store is there, as far as can be told without reading it.
    fn may_have(&self, partition: &Partition, wanted: Wanted) -> bool {
        match self.with(partition, |files| files.fact(wanted.path)) {
            Some(Ok(fact)) => !matches!(fact, FileFact::Missing),
            Some(Err(_)) => wanted.is_expected,
            None => false,
        }
    }

    fn store(&self, partition: &Partition, wanted: Wanted) -> Option<BootStore> {
        let store = |boot_manager, content| BootStore {
            partition: partition.number,
            path: wanted.path,
            boot_manager_path: wanted.boot_manager_path,
            boot_manager,
            content,
        };
        let read = |files: &Files<'_>| {
            let hive = files.read(wanted.path, STORE_BYTES_MAX).transpose()?;
            let logs = LOGS.map(|log| files.read(&format!("{}{log}", wanted.path), STORE_BYTES_MAX));
            Some((hive, logs, files.fact(wanted.boot_manager_path)))
        };
        match self.with(partition, read)? {
            Ok(found) => {
                let (hive, logs, boot_manager) = found?;
                // A log that cannot be read cannot complete a hive either.
                let logs: Vec<Vec<u8>> = logs.into_iter().filter_map(|log| log.ok()?).collect();
                let content = hive.and_then(|hive| self.content(partition, &hive, &logs));
                Some(store(boot_manager, content))
            }
            Err(problem) if wanted.is_expected => Some(store(FileFact::NotLooked, Err(problem))),
            Err(_) => None,
        }
    }

    fn content(&self, own: &Partition, hive: &[u8], logs: &[Vec<u8>]) -> Result<BootContent, Text> {
        let logs: Vec<&dyn ReadAt> = logs.iter().map(|log| log as &dyn ReadAt).collect();
        let current = replay(&hive, &logs).map_err(Text::quoted)?;
        let is_dirty = current.replay() != Replay::Clean;
        let current = Allowance::new(&current, STORE_READ_BYTES_MAX);
        let hive = Hive::open(&current).map_err(Text::quoted)?;
        let bcd = Bcd::read(&hive).map_err(Text::quoted)?;
        let windows: Vec<&BcdObject> = bcd.objects().iter().filter(|object| is_windows(object)).collect();
        if windows.len() > LOADERS_MAX {
            return Err(text!("it has {count} loaders of Windows", count = windows.len()));
        }
        let loaders = windows.into_iter().map(|object| Loader {
            id: object.id,
            os: object
                .device(types::OS_DEVICE)
                .map(|device| self.target(own, &device.kind)),
            winre: self.way(own, &bcd, object.id),
        });
        let loaders = loaders.collect();
        let default_loader = bcd.default_loader().and_then(|id| match bcd.object(id) {
            Some(_) => Ok(id),
            None => Err(ChainBreak::NoObject { id }),
        });
        Ok(BootContent {
            is_dirty,
            default_loader,
            loaders,
            bcd,
        })
    }

    fn way(&self, own: &Partition, bcd: &Bcd, loader: Guid) -> Result<WinreWay, ChainBreak> {
        let chain = bcd.winre_of(loader)?;
        let image = self.target(own, &chain.image_device);
        let sdi = self.target(own, &chain.sdi_device);
        Ok(WinreWay {
            image,
            image_file: self.file(image, &chain.image_path),
            sdi,
            sdi_file: self.file(sdi, &chain.sdi_path),
            chain,
        })
    }

    fn file(&self, target: Target, path: &str) -> FileFact {
        let partition = match target {
            Target::Here(number) => self.observation.partition(number),
            _ => None,
        };
        match partition.and_then(|partition| self.with(partition, |files| files.fact(path))) {
            Some(Ok(fact)) => fact,
            Some(Err(problem)) => FileFact::Unreadable(problem),
            None => FileFact::NotLooked,
        }
    }

    /// What a device comes to, seen from the store on `own`.
    fn target(&self, own: &Partition, device: &DeviceKind) -> Target {
        let named = match device {
            // Where the boot manager was loaded from, which is where it takes the store from.
            DeviceKind::Boot => return Target::Here(own.number),
            DeviceKind::Partition(named) => named,
            _ => return Target::NotFollowed,
        };
        let mut partitions = self.observation.partitions.iter();
        let found = partitions.find(|partition| {
            let name = name_of(self.observation.table.id, partition, partition.range.start);
            name.is_some_and(|name| name.is_same(named))
        });
        found.map_or(Target::NotHere(*named), |partition| {
            Target::Here(partition.number)
        })
    }
}

/// Whether an object starts a Windows that is installed. Loaders with a RAM disk start WinRE or Setup.
fn is_windows(object: &BcdObject) -> bool {
    let from_ramdisk = object
        .device(types::OS_DEVICE)
        .is_some_and(|device| matches!(device.kind, DeviceKind::Ramdisk { .. }));
    object.object_type == types::OBJECT_OS_LOADER && !from_ramdisk
}
