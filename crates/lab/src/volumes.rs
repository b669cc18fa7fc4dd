//! The NTFS volumes of a lab disk: C: and recovery partitions.

use crate::LabError;
use crate::content::{self, ARCHIVE, EntryKind, HIDDEN, SYSTEM};
use crate::create::{CreatedDisk, CreatedPartition, recovery_entry, recovery_of};
use crate::identity::{Identity, TIME};
use crate::profile::{Profile, Quirk, RecoverySpec, Role, WinRePlace};
use crate::sources::{Generated, Nowhere};
use crate::{alter, bios, history, shadow};
use uuid::Uuid;
use winrefit_disk::{Device, SectorSize};
use winrefit_formats::{ReAgentLocation, ReAgentTemplate, WimArchitecture, WimTemplate, WimVersion};
use winrefit_ntfs::format::{FileData, FormatError, FormatOptions, VolumeBuilder, Written};

/// Length of `boot.sdi`, which has been the same in every Windows since Vista.
const BOOT_SDI_BYTES: u64 = 3_170_304;
/// First bytes of a system deployment image.
const SDI_SIGNATURE: &[u8] = b"$SDI0001";
/// File attribute: not to be indexed by content.
const NOT_CONTENT_INDEXED: u32 = 0x2000;
/// Size of the image with which the space that everything else takes is measured.
const TRIAL_IMAGE_BYTES: u64 = 1 << 20;
/// The filler of an image is zero (and takes no space in a sparse file) but for one cluster every so often, so that
/// clusters that went astray show in the file's hash.
const MARK_DISTANCE: u64 = 8 << 20;
const MARK_BYTES: usize = 4096;
/// What the image lacks to whole clusters, as images do.
const IMAGE_SLACK_BYTES: u64 = 1234;

/// Size of an image that is not on a recovery partition.
const STASHED_IMAGE_BYTES: u64 = 441 * (1 << 20) + IMAGE_SLACK_BYTES;
/// Length of `hiberfil.sys`: two fifths of 4 GiB of memory.
const HIBERNATION_BYTES: u64 = 4 * (1 << 30) / 10 * 4;
/// Attributes of what Windows hides.
const CONCEALED: u32 = HIDDEN | SYSTEM;

/// Writes C: and returns how many bytes are free on it.
pub(crate) fn write_windows(
    profile: &Profile,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
    device: &mut dyn Device,
) -> Result<u64, LabError> {
    let quirk = profile
        .quirk
        .filter(|_| disk.windows().next().map(|first| first.number) == Some(partition.number));
    let filler_bytes = match quirk {
        Some(Quirk::FreeBytes(expected_bytes)) => {
            let mut trial = Nowhere::like(device);
            let free_bytes = try_windows(profile, disk, partition, quirk, 0, &mut trial)?;
            spare(partition, free_bytes, expected_bytes)?
        }
        _ => 0,
    };
    let free_bytes = try_windows(profile, disk, partition, quirk, filler_bytes, device)?;
    let used_bytes = match quirk {
        Some(Quirk::ShadowCopies(count)) => {
            shadow::write(device, count)?;
            0
        }
        Some(quirk) => alter::windows_volume(quirk, device)?,
        None => 0,
    };
    Ok(free_bytes - used_bytes)
}

fn try_windows(
    profile: &Profile,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
    quirk: Option<Quirk>,
    filler_bytes: u64,
    device: &mut dyn Device,
) -> Result<u64, LabError> {
    let failed = format_failed(partition);
    let (mut builder, cluster_bytes) =
        new_volume(profile, partition, device.sector_size()).map_err(&failed)?;
    for entry in content::tree(disk.seed, disk.file_count) {
        match entry.kind {
            EntryKind::Directory => builder.add_directory(&entry.path, entry.attributes),
            EntryKind::File { size_bytes, seed } => {
                let data = FileData::Reader(Box::new(Generated { size_bytes, seed }));
                builder.add_file(&entry.path, entry.attributes, data)
            }
        }
        .map_err(&failed)?;
    }
    let files = windows_files(profile, disk, partition)?;
    for (path, attributes, data) in files {
        builder.add_file(path, attributes, data).map_err(&failed)?;
    }
    if filler_bytes > 0 {
        let data = zeroed(filler_bytes, Vec::new());
        builder
            .add_file(r"Users\Public\archive.vhdx", ARCHIVE, data)
            .map_err(&failed)?;
    }
    match quirk {
        Some(Quirk::Hibernated) => {
            let head = vec![(0, b"HIBR".to_vec())];
            let data = zeroed(HIBERNATION_BYTES, head);
            builder
                .add_file("hiberfil.sys", CONCEALED, data)
                .map_err(&failed)?;
        }
        Some(Quirk::ShadowCopies(count)) => shadow::add_files(&mut builder, count).map_err(&failed)?,
        _ => {}
    }
    let written = builder.write_to(device).map_err(&failed)?;
    Ok(written.free_clusters * cluster_bytes)
}

/// A file of a volume to be made: path, attributes, content.
pub(crate) type NewFile = (&'static str, u32, FileData);

/// What makes the volume a Windows, and the recovery environment as far as it is there.
fn windows_files(
    profile: &Profile,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
) -> Result<Vec<NewFile>, LabError> {
    let reagent = || FileData::Bytes(reagent_xml(profile, disk, Some(partition)));
    let sdi = || FileData::Bytes(boot_sdi(disk.seed));
    let image = || {
        image(
            &profile.recovery,
            Identity::of(profile),
            disk.seed,
            STASHED_IMAGE_BYTES,
        )
    };
    let mut files = vec![
        (r"Windows\System32\Recovery\ReAgent.xml", ARCHIVE, reagent()),
        // Every Windows has both, whatever its firmware.
        (r"Windows\Boot\DVD\EFI\boot.sdi", ARCHIVE, sdi()),
        (r"Windows\Boot\DVD\PCAT\boot.sdi", ARCHIVE, sdi()),
    ];
    files.extend(history::files(profile, disk.seed, disk.event_log_bytes)?);
    match profile.recovery.place {
        WinRePlace::RecoveryPartition | WinRePlace::SystemPartition | WinRePlace::ImageMissing => {}
        WinRePlace::WindowsVolume => files.extend([
            (r"Recovery\WindowsRE\boot.sdi", CONCEALED, sdi()),
            (r"Recovery\WindowsRE\ReAgent.xml", CONCEALED, reagent()),
            (r"Recovery\WindowsRE\Winre.wim", CONCEALED, image()),
        ]),
        WinRePlace::Disabled => {
            files.push((r"Windows\System32\Recovery\Winre.wim", CONCEALED, image()));
        }
        WinRePlace::ImageInBackup => {}
    }
    let backed_up = profile.evidence.servicing_folder || profile.recovery.place == WinRePlace::ImageInBackup;
    if backed_up {
        files.push((r"$WinREAgent\Backup\Winre.wim", CONCEALED, image()));
    }
    if bios::is_system(profile, disk, partition) {
        files.extend(bios::files(profile, disk)?);
    }
    Ok(files)
}

/// How much of what is free is to be taken.
fn spare(partition: &CreatedPartition, actual_bytes: u64, expected_bytes: u64) -> Result<u64, LabError> {
    actual_bytes
        .checked_sub(expected_bytes)
        .ok_or(LabError::FreeSpace {
            partition: partition.number,
            expected_bytes,
            actual_bytes,
        })
}

/// Writes an empty volume and returns how many bytes are free.
pub(crate) fn write_empty(
    profile: &Profile,
    partition: &CreatedPartition,
    device: &mut dyn Device,
) -> Result<u64, LabError> {
    let failed = format_failed(partition);
    let (builder, cluster_bytes) = new_volume(profile, partition, device.sector_size()).map_err(&failed)?;
    let written = builder.write_to(device).map_err(&failed)?;
    Ok(written.free_clusters * cluster_bytes)
}

/// Writes a recovery volume, with an image that leaves exactly what `spec` says if it is to be there, and returns how
/// many bytes are free.
pub(crate) fn write_recovery(
    profile: &Profile,
    spec: &RecoverySpec,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
    device: &mut dyn Device,
) -> Result<u64, LabError> {
    let write = |image_bytes, device: &mut dyn Device| {
        try_recovery(profile, spec, disk, partition, image_bytes, device)
    };
    let is_there = match spec.place {
        WinRePlace::RecoveryPartition => true,
        WinRePlace::SystemPartition => partition.role == Role::SystemReserved,
        _ => false,
    };
    if !is_there {
        return write(None, device);
    }
    let expected_bytes = spec.free_bytes;
    let free_bytes = write(Some(TRIAL_IMAGE_BYTES), &mut Nowhere::like(device))?;
    // All that the image's size changes is the number of its clusters, so the second volume comes out right.
    let image_bytes = TRIAL_IMAGE_BYTES + spare(partition, free_bytes, expected_bytes)? - IMAGE_SLACK_BYTES;
    let actual_bytes = write(Some(image_bytes), device)?;
    if actual_bytes != expected_bytes {
        return Err(LabError::FreeSpace {
            partition: partition.number,
            expected_bytes,
            actual_bytes,
        });
    }
    Ok(actual_bytes)
}

fn try_recovery(
    profile: &Profile,
    spec: &RecoverySpec,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
    image_bytes: Option<u64>,
    device: &mut dyn Device,
) -> Result<u64, LabError> {
    let failed = format_failed(partition);
    let (mut builder, cluster_bytes) =
        new_volume(profile, partition, device.sector_size()).map_err(&failed)?;
    for path in [
        "System Volume Information",
        "Recovery",
        r"Recovery\Logs",
        r"Recovery\WindowsRE",
    ] {
        builder.add_directory(path, CONCEALED).map_err(&failed)?;
    }
    let user = disk
        .windows()
        .find(|windows| recovery_of(profile, disk, windows).map(|p| p.number) == Some(partition.number));
    let files = [
        ("boot.sdi", CONCEALED, FileData::Bytes(boot_sdi(disk.seed))),
        (
            "ReAgent.xml",
            CONCEALED | NOT_CONTENT_INDEXED,
            FileData::Bytes(reagent_xml(profile, disk, user)),
        ),
    ];
    let image = image_bytes.map(|size_bytes| {
        let data = image(spec, Identity::of(profile), disk.seed, size_bytes);
        ("Winre.wim", CONCEALED, data)
    });
    for (name, attributes, data) in files.into_iter().chain(image) {
        let path = format!(r"Recovery\WindowsRE\{name}");
        builder.add_file(&path, attributes, data).map_err(&failed)?;
    }
    if bios::is_system(profile, disk, partition) {
        for (path, attributes, data) in bios::files(profile, disk)? {
            builder.add_file(path, attributes, data).map_err(&failed)?;
        }
    }
    let Written { free_clusters, .. } = builder.write_to(device).map_err(&failed)?;
    Ok(free_clusters * cluster_bytes)
}

/// An empty volume for a partition, and the size of its clusters.
pub(crate) fn new_volume(
    profile: &Profile,
    partition: &CreatedPartition,
    sector_size: SectorSize,
) -> Result<(VolumeBuilder, u64), FormatError> {
    let sectors = |bytes| bytes / sector_size.bytes();
    let partition_sectors = sectors(partition.range.len());
    let base = match sector_size {
        SectorSize::B512 => FormatOptions::new(partition_sectors),
        SectorSize::B4096 => FormatOptions::new_4kn(partition_sectors),
    };
    let builder = VolumeBuilder::new(FormatOptions {
        hidden_sectors: partition.hidden_sectors(sector_size.bytes()),
        serial: Identity::of(profile).serial(partition.number),
        label: partition.role.volume_label().to_owned(),
        time: TIME,
        ..base
    })?;
    let cluster_bytes = u64::from(builder.geometry().cluster_size);
    Ok((builder, cluster_bytes))
}

pub(crate) fn format_failed(partition: &CreatedPartition) -> impl Fn(FormatError) -> LabError + use<> {
    let partition = partition.number;
    move |source| LabError::Format { partition, source }
}

/// `ReAgent.xml` of `windows`, whose recovery environment is enabled; or of one that has none.
fn reagent_xml(profile: &Profile, disk: &CreatedDisk, windows: Option<&CreatedPartition>) -> Vec<u8> {
    let place = windows.and_then(|windows| {
        let entry = recovery_entry(profile, disk, windows)?;
        Some((entry, recovery_of(profile, disk, windows)?))
    });
    place
        .map_or_else(ReAgentTemplate::default, |(entry, partition)| ReAgentTemplate {
            winre_bcd_id: entry.loader.into(),
            winre_location: ReAgentLocation {
                path: r"\Recovery\WindowsRE".to_owned(),
                id: disk.disk_signature.unwrap_or(0),
                offset: partition.range.start,
                guid: disk.disk_signature.map_or(disk.disk_guid, |_| Uuid::nil()).into(),
            },
            install_state: 1,
            ..ReAgentTemplate::default()
        })
        .to_bytes()
}

/// Zeros with these pieces.
fn zeroed(size: u64, pieces: Vec<(u64, Vec<u8>)>) -> FileData {
    FileData::Zeroed { size, pieces }
}

fn boot_sdi(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; BOOT_SDI_BYTES as usize];
    content::fill(seed, 0, &mut bytes);
    bytes[..SDI_SIGNATURE.len()].copy_from_slice(SDI_SIGNATURE);
    bytes
}

/// A WIM file with a true header, an empty image and a true description of it; a filler makes up the size.
fn image(spec: &RecoverySpec, identity: Identity, seed: u64, size_bytes: u64) -> FileData {
    let skeleton = WimTemplate {
        guid: identity.uuid("image").into(),
        name: "Microsoft Windows Recovery Environment (amd64)".to_owned(),
        version: WimVersion {
            major: 10,
            minor: 0,
            build: spec.image_build,
            sp_build: spec.image_revision,
        },
        architecture: WimArchitecture::Amd64,
        size_bytes,
    }
    .build();
    let last = skeleton.tail_offset().saturating_sub(MARK_BYTES as u64);
    let marks = (1..)
        .map(|number| number * MARK_DISTANCE)
        .take_while(|at| *at <= last);
    let mut pieces: Vec<(u64, Vec<u8>)> = marks
        .map(|at| {
            let mut mark = vec![0; MARK_BYTES];
            content::fill(seed, at, &mut mark);
            (at, mark)
        })
        .collect();
    let tail_offset = skeleton.tail_offset();
    pieces.extend([(0, skeleton.head), (tail_offset, skeleton.tail)]);
    zeroed(skeleton.size_bytes, pieces)
}
