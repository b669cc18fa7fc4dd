//! Builds the disk of a profile: partition table, EFI system partition, C:, recovery partition.
//!
//! The partition table comes last: a disk that was not finished has none.

use crate::bcd::{BootStore, RecoveryEntry};
use crate::fat::{EspFile, EspOptions, make_esp};
use crate::identity::{Identity, TIME, type_guid};
use crate::profile::{Profile, Role};
use crate::{LabError, volumes};
use std::path::Path;
use uuid::Uuid;
use winrefit_disk::{ByteRange, Device, DiskFile, Lba, SectorSize, Window};
use winrefit_formats::{Gpt, LbaRange, Partition, PartitionName};

/// What may differ from the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CreateOptions {
    /// Size of the disk in bytes, for [`create_file`]; a device has the size it has.
    pub size: Option<u64>,
    /// Number of generated files on C:.
    pub files: Option<u32>,
}

/// A disk that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedDisk {
    /// Length in bytes.
    pub size_bytes: u64,
    /// GUID of the disk.
    pub disk_guid: Uuid,
    /// Its partitions in the order of their numbers.
    pub partitions: Vec<CreatedPartition>,
    /// What the generated files of C: are made from: [`crate::content::tree`] of this and `file_count`.
    pub seed: u64,
    /// Number of generated files on C:.
    pub file_count: u32,
}

/// One partition of a disk that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreatedPartition {
    /// Number in the partition table, from 1.
    pub number: u32,
    /// What it is for.
    pub role: Role,
    /// Where it lies on the disk.
    pub range: ByteRange,
    /// Unique GUID.
    pub unique_guid: Uuid,
    /// Bytes free on its NTFS volume; `None` where there is no such volume.
    pub free_bytes: Option<u64>,
}

impl CreatedDisk {
    /// The first partition of that role.
    pub fn partition(&self, role: Role) -> Option<&CreatedPartition> {
        self.partitions.iter().find(|partition| partition.role == role)
    }
}

/// Builds the disk of `profile` on the whole of `device`, which must read as zero: what is to be zero is not written.
///
/// # Errors
/// [`LabError`]; the device has no partition table then.
pub fn create(
    profile: &Profile,
    options: &CreateOptions,
    device: &mut dyn Device,
) -> Result<CreatedDisk, LabError> {
    let identity = Identity::of(profile);
    let size_bytes = device.size();
    let places = profile.layout(size_bytes)?;
    let placed = profile.partitions.iter().zip(places).zip(1..);
    let mut disk = CreatedDisk {
        size_bytes,
        disk_guid: identity.disk(),
        partitions: placed
            .map(|((spec, range), number)| CreatedPartition {
                number,
                role: spec.role,
                range,
                unique_guid: identity.partition(number),
                free_bytes: None,
            })
            .collect(),
        seed: identity.seed(),
        file_count: options.files.unwrap_or(profile.file_count),
    };
    for index in 0..disk.partitions.len() {
        let partition = disk.partitions[index];
        let mut window = Window::new(&mut *device, partition.range)?;
        disk.partitions[index].free_bytes = match partition.role {
            Role::EfiSystem => {
                write_esp(profile, identity, &disk, &partition, &mut window)?;
                None
            }
            Role::MicrosoftReserved => None,
            Role::Windows => Some(volumes::write_windows(profile, &disk, &partition, &mut window)?),
            Role::Recovery => Some(volumes::write_recovery(profile, &disk, &partition, &mut window)?),
        };
    }
    write_table(profile, &disk, device)?;
    Ok(disk)
}

/// Builds the disk of `profile` in a new sparse file that only its owner can read. A file that was not finished is
/// removed.
///
/// # Errors
/// [`LabError`]; of a file that exists already as well, which stays as it is.
pub fn create_file(profile: &Profile, options: &CreateOptions, path: &Path) -> Result<CreatedDisk, LabError> {
    let size_bytes = options.size.unwrap_or(profile.disk_size_bytes);
    // Before there is a file, so that a size that cannot be leaves nothing behind.
    profile.layout(size_bytes)?;
    let sector_bytes = SectorSize::B512.bytes();
    if !size_bytes.is_multiple_of(sector_bytes) {
        return Err(LabError::PartialSector {
            size_bytes,
            sector_bytes,
        });
    }
    let failed = |action| {
        move |source| LabError::File {
            action,
            path: path.to_owned(),
            source,
        }
    };
    let mut new = std::fs::File::options();
    new.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
    let file = new.open(path).map_err(failed("create"))?;
    let sized = file.set_len(size_bytes).map_err(failed("extend"));
    drop(file);
    let made = sized.and_then(|()| create(profile, options, &mut DiskFile::open_write(path)?));
    if made.is_err() {
        // The error that led here says more than one of removing.
        let _ = std::fs::remove_file(path);
    }
    made
}

/// How the boot store and `ReAgent.xml` call the recovery environment of this disk.
pub(crate) fn recovery_entry(identity: Identity, disk: &CreatedDisk) -> Option<RecoveryEntry> {
    disk.partition(Role::Recovery).map(|partition| RecoveryEntry {
        partition: partition.unique_guid,
        loader: identity.uuid("recovery loader"),
        ramdisk: identity.uuid("recovery ramdisk"),
    })
}

fn write_esp(
    profile: &Profile,
    identity: Identity,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
    device: &mut dyn Device,
) -> Result<(), LabError> {
    let store = match disk.partition(Role::Windows) {
        Some(windows) => BootStore {
            disk: disk.disk_guid,
            esp: partition.unique_guid,
            windows: windows.unique_guid,
            loader: identity.uuid("windows loader"),
            resume: identity.uuid("resume loader"),
            description: profile.windows.boot_name,
            recovery: recovery_entry(identity, disk),
        }
        .to_hive(TIME)?,
        None => Vec::new(),
    };
    let file = EspFile {
        path: r"EFI\Microsoft\Boot\BCD",
        bytes: &store,
    };
    let start_sector = partition.range.start / device.sector_size().bytes();
    let options = EspOptions {
        label: partition.role.volume_label(),
        serial: identity.serial(partition.number) as u32,
        // The field has no more bits; nothing depends on it with GPT.
        hidden_sectors: start_sector as u32,
    };
    let files = if store.is_empty() { &[][..] } else { &[file][..] };
    make_esp(device, options, files)
}

fn write_table(profile: &Profile, disk: &CreatedDisk, device: &mut dyn Device) -> Result<(), LabError> {
    let sector_size = device.sector_size();
    let sectors = device.size() / sector_size.bytes();
    let mut table = Gpt::new(disk.disk_guid.into(), sectors, sector_size)?;
    for (partition, spec) in disk.partitions.iter().zip(profile.partitions) {
        let lba = |offset| Lba(offset / sector_size.bytes());
        table.add(Partition {
            number: partition.number,
            type_guid: type_guid(partition.role),
            unique_guid: partition.unique_guid.into(),
            range: LbaRange::new(lba(partition.range.start), lba(partition.range.end)),
            attributes: partition.role.attributes(),
            name: PartitionName::new(spec.name)?,
        })?;
    }
    table.write_protective_mbr(device)?;
    table.write(device)?;
    Ok(device.flush()?)
}
