//! Builds the disk of a profile: what is in its partitions, then the partition table.
//!
//! The partition table comes last: a disk that was not finished has none.

use crate::bcd::{BootStore, RecoveryEntry};
use crate::fat::{EspFile, EspOptions, make_esp};
use crate::identity::{Identity, TIME, type_guid};
use crate::profile::{Profile, Quirk, RecoverySpec, Role, WinRePlace};
use crate::{LabError, foreign, table, volumes};
use std::path::Path;
use uuid::Uuid;
use winrefit_disk::{ByteRange, Device, DiskFile, Lba, Window};
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
    /// The partitions with a Windows.
    pub fn windows(&self) -> impl Iterator<Item = &CreatedPartition> {
        self.partitions
            .iter()
            .filter(|partition| partition.role.is_windows())
    }

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
    let placed = profile.partitions.iter().zip(places);
    let entered = placed.filter(|(spec, _)| spec.role != Role::Unallocated).zip(1..);
    let mut disk = CreatedDisk {
        size_bytes,
        disk_guid: identity.disk(),
        partitions: entered
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
        disk.partitions[index].free_bytes = write_partition(profile, &disk, &partition, &mut window)?;
    }
    let table_bytes = profile.table_size_bytes(size_bytes);
    let mut known = Window::new(&mut *device, ByteRange::new(0, table_bytes))?;
    write_table(profile, &disk, &mut known)?;
    table::alter(profile, &disk, &mut known)?;
    device.flush()?;
    Ok(disk)
}

/// Writes what is in a partition and returns how many bytes are free, where it is an NTFS volume of ours.
fn write_partition(
    profile: &Profile,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
    device: &mut dyn Device,
) -> Result<Option<u64>, LabError> {
    let seed = Identity::of(profile).serial(partition.number);
    match partition.role {
        Role::EfiSystem => write_esp(profile, disk, partition, device)?,
        Role::Oem => write_fat(profile, partition, &[], device)?,
        Role::Windows if profile.quirk == Some(Quirk::BitLocker) => foreign::bitlocker(seed, device)?,
        Role::Windows if profile.quirk == Some(Quirk::ForeignBootSector) => foreign::noise(seed, device)?,
        Role::Windows | Role::LdmWindows => {
            return volumes::write_windows(profile, disk, partition, device).map(Some);
        }
        Role::Recovery => {
            return volumes::write_recovery(profile, &profile.recovery, disk, partition, device).map(Some);
        }
        Role::StaleRecovery => {
            return volumes::write_recovery(profile, &STALE_RECOVERY, disk, partition, device).map(Some);
        }
        Role::EmptyRecovery => return volumes::write_empty(profile, partition, device).map(Some),
        Role::Linux => foreign::ext4(seed, device)?,
        Role::Refs => foreign::refs(seed, device)?,
        Role::LdmMetadata => foreign::ldm_metadata(device)?,
        Role::StoragePool => foreign::storage_pool(device)?,
        Role::MicrosoftReserved | Role::Unallocated => {}
    }
    Ok(None)
}

/// What an upgrade from Windows 10 of 2019 leaves.
const STALE_RECOVERY: RecoverySpec = RecoverySpec {
    place: WinRePlace::RecoveryPartition,
    free_bytes: 20 << 20,
    image_build: 18_362,
    image_revision: 1,
    registry_version: None,
};

/// Builds the disk of `profile` in a new sparse file that only its owner can read. A file that was not finished is
/// removed.
///
/// # Errors
/// [`LabError`]; of a file that exists already as well, which stays as it is.
pub fn create_file(profile: &Profile, options: &CreateOptions, path: &Path) -> Result<CreatedDisk, LabError> {
    let size_bytes = options.size.unwrap_or(profile.disk_size_bytes);
    // Before there is a file, so that a size that cannot be leaves nothing behind.
    profile.layout(size_bytes)?;
    let sector_bytes = profile.sector_size.bytes();
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
    let made = sized.and_then(|()| {
        let mut device = DiskFile::open_write(path)?;
        device.set_sector_size(profile.sector_size);
        create(profile, options, &mut device)
    });
    if made.is_err() {
        // The error that led here says more than one of removing.
        let _ = std::fs::remove_file(path);
    }
    made
}

/// The partition that `ReAgent.xml` of `windows` names.
pub(crate) fn recovery_of<'d>(
    profile: &Profile,
    disk: &'d CreatedDisk,
    windows: &CreatedPartition,
) -> Option<&'d CreatedPartition> {
    let has_number = |partition: &&CreatedPartition| partition.number == windows.number;
    match profile.recovery.place {
        WinRePlace::Disabled => None,
        WinRePlace::WindowsVolume => disk.partitions.iter().find(has_number),
        WinRePlace::RecoveryPartition | WinRePlace::ImageMissing | WinRePlace::ImageInBackup => {
            let rank = disk.windows().position(|other| other.number == windows.number)?;
            let mut all = disk.partitions.iter().filter(|p| p.role == Role::Recovery);
            all.nth(rank)
        }
    }
}

/// How the boot store and `ReAgent.xml` call the recovery environment of `windows`.
pub(crate) fn recovery_entry(
    profile: &Profile,
    disk: &CreatedDisk,
    windows: &CreatedPartition,
) -> Option<RecoveryEntry> {
    let identity = Identity::of(profile);
    let first = disk.windows().next().map(|first| first.number) == Some(windows.number);
    let uuid = |name: &str| {
        if first {
            identity.uuid(name)
        } else {
            identity.uuid(&format!("{name} {}", windows.number))
        }
    };
    recovery_of(profile, disk, windows).map(|partition| RecoveryEntry {
        partition: partition.unique_guid,
        loader: uuid("recovery loader"),
        ramdisk: uuid("recovery ramdisk"),
    })
}

fn write_esp(
    profile: &Profile,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
    device: &mut dyn Device,
) -> Result<(), LabError> {
    let identity = Identity::of(profile);
    // The first Windows is the one that starts.
    let Some(windows) = disk.windows().next() else {
        return write_fat(profile, partition, &[], device);
    };
    let mut recovery = recovery_entry(profile, disk, windows);
    if let (Some(Quirk::BootStoreDisagrees), Some(entry), Some(stale)) =
        (profile.quirk, &mut recovery, disk.partition(Role::StaleRecovery))
    {
        entry.partition = stale.unique_guid;
    }
    let store = BootStore {
        disk: disk.disk_guid,
        esp: partition.unique_guid,
        windows: windows.unique_guid,
        loader: identity.uuid("windows loader"),
        resume: identity.uuid("resume loader"),
        description: profile.windows.boot_name,
        recovery,
    }
    .to_hive(TIME)?;
    let file = EspFile {
        path: r"EFI\Microsoft\Boot\BCD",
        bytes: &store,
    };
    write_fat(profile, partition, &[file], device)
}

fn write_fat(
    profile: &Profile,
    partition: &CreatedPartition,
    files: &[EspFile<'_>],
    device: &mut dyn Device,
) -> Result<(), LabError> {
    let start_sector = partition.range.start / device.sector_size().bytes();
    let options = EspOptions {
        label: partition.role.volume_label(),
        serial: Identity::of(profile).serial(partition.number) as u32,
        // The field has no more bits; nothing depends on it with GPT.
        hidden_sectors: start_sector as u32,
    };
    make_esp(device, options, files)
}

fn write_table(profile: &Profile, disk: &CreatedDisk, device: &mut dyn Device) -> Result<(), LabError> {
    let sector_size = device.sector_size();
    let sectors = device.size() / sector_size.bytes();
    let mut table = Gpt::new(disk.disk_guid.into(), sectors, sector_size)?;
    let entered = profile
        .partitions
        .iter()
        .filter(|spec| spec.role != Role::Unallocated);
    for (partition, spec) in disk.partitions.iter().zip(entered) {
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
    Ok(table.write(device)?)
}
