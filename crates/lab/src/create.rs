//! Builds the disk of a profile: what is in its partitions, then the partition table.
//!
//! The partition table comes last: a disk that was not finished has none.

use crate::bcd::{self, BootStore, RecoveryEntry};
use crate::fat::{EspFile, EspOptions, make_esp};
use crate::identity::{Identity, TIME, type_guid};
use crate::profile::{PartitionSpec, PartitionStyle, Place, Profile, Quirk, RecoverySpec, Role, WinRePlace};
use crate::{LabError, bios, data, foreign, mbr, table, volumes};
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
    /// Size of `System.evtx`, in bytes: it gets as many events as fit, in whole chunks of 64 KiB behind its header, and
    /// never fewer than ordinarily. At most 1 GiB of it is made.
    pub event_log: Option<u64>,
}

/// A disk that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedDisk {
    /// Length in bytes.
    pub size_bytes: u64,
    /// GUID of the disk, if it has a GPT.
    pub disk_guid: Uuid,
    /// Signature of the disk, if it has an MBR.
    pub disk_signature: Option<u32>,
    /// Number and place of the extended partition, which is not among the others.
    pub extended: Option<(u32, ByteRange)>,
    /// Its partitions in the order of their places, which is that of their numbers but on some MBR disks.
    pub partitions: Vec<CreatedPartition>,
    /// What the generated files of C: are made from: [`crate::content::tree`] of this and `file_count`.
    pub seed: u64,
    /// Number of generated files on C:.
    pub file_count: u32,
    /// Size that `System.evtx` was to have, if any.
    pub event_log_bytes: Option<u64>,
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
    /// Where its extended boot record lies, in bytes, if it is a logical partition.
    pub ebr: Option<u64>,
    /// Unique GUID, if the disk has a GPT.
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

    /// The partition that the computer starts from: the EFI system partition, or the active one.
    pub fn system(&self) -> Option<&CreatedPartition> {
        let of = |role| self.partition(role);
        let reserved = || of(Role::EfiSystem).or_else(|| of(Role::SystemReserved));
        reserved().or_else(|| self.windows().next())
    }

    /// How a boot store names a partition.
    fn name_of(&self, partition: &CreatedPartition) -> bcd::Partition {
        match self.disk_signature {
            Some(signature) => bcd::Partition::Mbr {
                signature,
                offset: partition.range.start,
            },
            None => bcd::Partition::Gpt {
                disk: self.disk_guid,
                partition: partition.unique_guid,
            },
        }
    }
}

impl CreatedPartition {
    /// What the boot sector of its volume says about the sectors before it.
    ///
    /// For a logical partition these count from its EBR: how Windows is commonly said to do it, and not verified. No
    /// volume that Windows made in an extended partition was at hand; dosfstools' measurements of MS-DOS 7.10 say so
    /// for the extended type 0x05 and the start of the disk for 0x0F, and ntfs-3g takes the start of the disk for all.
    /// Only boot code reads the field, so nothing should be refused for it.
    pub fn hidden_sectors(&self, sector_bytes: u64) -> u64 {
        (self.range.start - self.ebr.unwrap_or(0)) / sector_bytes
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
    let extended = profile.extended(&places);
    let created = |(spec, place): (&PartitionSpec, Place)| {
        let number = place.number?;
        Some(CreatedPartition {
            number,
            role: spec.role,
            range: place.range,
            ebr: place.ebr,
            unique_guid: identity.partition(number),
            free_bytes: None,
        })
    };
    let mut disk = CreatedDisk {
        size_bytes,
        disk_guid: identity.disk(),
        disk_signature: profile.is_mbr().then(|| identity.signature()),
        extended,
        partitions: profile
            .partitions
            .iter()
            .zip(places)
            .filter_map(created)
            .collect(),
        seed: identity.seed(),
        file_count: options.files.unwrap_or(profile.file_count),
        event_log_bytes: options.event_log,
    };
    for index in 0..disk.partitions.len() {
        let partition = disk.partitions[index];
        let mut window = Window::new(&mut *device, partition.range)?;
        disk.partitions[index].free_bytes = write_partition(profile, &disk, &partition, &mut window)?;
    }
    let table_bytes = profile.table_size_bytes(size_bytes);
    let mut known = Window::new(&mut *device, ByteRange::new(0, table_bytes))?;
    match profile.style {
        PartitionStyle::Gpt => {
            write_table(profile, &disk, &mut known)?;
            table::alter(profile, &disk, &mut known)?;
        }
        PartitionStyle::Mbr(spec) => mbr::write(profile, spec, &disk, &mut known)?,
    }
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
        Role::SystemReserved if profile.recovery.place != WinRePlace::SystemPartition => {
            return bios::write_system_reserved(profile, disk, partition, device).map(Some);
        }
        Role::Data => return data::write(profile, disk, partition, device).map(Some),
        Role::Recovery | Role::SystemReserved => {
            return volumes::write_recovery(profile, &profile.recovery, disk, partition, device).map(Some);
        }
        Role::StaleRecovery => {
            return volumes::write_recovery(profile, &STALE_RECOVERY, disk, partition, device).map(Some);
        }
        Role::EmptyRecovery => return volumes::write_empty(profile, partition, device).map(Some),
        Role::Linux => foreign::ext4(seed, device)?,
        Role::Refs => foreign::refs(seed, device)?,
        Role::LdmMetadata => foreign::ldm_metadata(device)?,
        Role::LdmExtent => foreign::noise(seed, device)?,
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

/// A new sparse file for the disk of `profile`, open and locked, that only its owner can read.
///
/// # Errors
/// [`LabError`]; of a file that exists already as well, which stays as it is. Nothing is left behind.
pub fn new_file(profile: &Profile, options: &CreateOptions, path: &Path) -> Result<DiskFile, LabError> {
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
    let mut device = DiskFile::create(path, size_bytes)?;
    device.set_sector_size(profile.sector_size);
    Ok(device)
}

/// Builds the disk of `profile` in a [`new_file`]. A file that was not finished is removed.
///
/// # Errors
/// [`LabError`].
pub fn create_file(profile: &Profile, options: &CreateOptions, path: &Path) -> Result<CreatedDisk, LabError> {
    let mut device = new_file(profile, options, path)?;
    let made = create(profile, options, &mut device);
    drop(device);
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
        WinRePlace::SystemPartition => disk.system(),
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
        partition: disk.name_of(partition),
        loader: uuid("recovery loader"),
        ramdisk: uuid("recovery ramdisk"),
    })
}

/// The boot store; `None` where no Windows is to be started.
pub(crate) fn boot_store(profile: &Profile, disk: &CreatedDisk) -> Result<Option<Vec<u8>>, LabError> {
    let identity = Identity::of(profile);
    // The first Windows is the one that starts.
    let (Some(system), Some(windows)) = (disk.system(), disk.windows().next()) else {
        return Ok(None);
    };
    let mut recovery = recovery_entry(profile, disk, windows);
    if let (Some(Quirk::BootStoreDisagrees), Some(entry), Some(stale)) =
        (profile.quirk, &mut recovery, disk.partition(Role::StaleRecovery))
    {
        entry.partition = disk.name_of(stale);
    }
    let store = BootStore {
        system: disk.name_of(system),
        windows: disk.name_of(windows),
        loader: identity.uuid("windows loader"),
        resume: identity.uuid("resume loader"),
        description: profile.windows.boot_name,
        recovery,
    };
    Ok(Some(store.to_hive(TIME)?))
}

/// No program: only that it is there counts.
const BOOT_MANAGER: &[u8] = b"MZ, of the lab";

fn write_esp(
    profile: &Profile,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
    device: &mut dyn Device,
) -> Result<(), LabError> {
    let store = boot_store(profile, disk)?;
    let files = store.iter().flat_map(|store| {
        [
            (r"EFI\Microsoft\Boot\BCD", store.as_slice()),
            (r"EFI\Microsoft\Boot\bootmgfw.efi", BOOT_MANAGER),
        ]
    });
    let files: Vec<_> = files.map(|(path, bytes)| EspFile { path, bytes }).collect();
    write_fat(profile, partition, &files, device)
}

fn write_fat(
    profile: &Profile,
    partition: &CreatedPartition,
    files: &[EspFile<'_>],
    device: &mut dyn Device,
) -> Result<(), LabError> {
    let hidden_sectors = partition.hidden_sectors(device.sector_size().bytes());
    let options = EspOptions {
        label: partition.role.volume_label(),
        serial: Identity::of(profile).serial(partition.number) as u32,
        // The field has no more bits; nothing depends on it with GPT.
        hidden_sectors: hidden_sectors as u32,
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
