//! The two NTFS volumes of a lab disk: C: and the recovery partition.

use crate::LabError;
use crate::content::{self, ARCHIVE, EntryKind, HIDDEN, SYSTEM};
use crate::create::{CreatedDisk, CreatedPartition, recovery_entry};
use crate::identity::{Identity, TIME};
use crate::profile::{Profile, Role};
use crate::software::software_hive;
use winrefit_disk::{Device, DiskError, ReadAt, SectorSize};
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

/// Writes C: and returns how many bytes are free on it.
pub(crate) fn write_windows(
    profile: &Profile,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
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
    let software = software_hive(&profile.windows, profile.recovery.registry_version, TIME)?;
    let files = [
        (r"Windows\System32\config\SOFTWARE", software),
        (
            r"Windows\System32\Recovery\ReAgent.xml",
            reagent_xml(profile, disk),
        ),
        (r"Windows\Boot\DVD\EFI\boot.sdi", boot_sdi(disk.seed)),
    ];
    for (path, bytes) in files {
        builder
            .add_file(path, ARCHIVE, FileData::Bytes(bytes))
            .map_err(&failed)?;
    }
    let written = builder.write_to(device).map_err(&failed)?;
    Ok(written.free_clusters * cluster_bytes)
}

/// Writes the recovery volume, with an image that leaves exactly what the profile says, and returns how many bytes
/// are free.
pub(crate) fn write_recovery(
    profile: &Profile,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
    device: &mut dyn Device,
) -> Result<u64, LabError> {
    let expected_bytes = profile.recovery.free_bytes;
    let mut trial = Nowhere {
        size_bytes: device.size(),
        sector_size: device.sector_size(),
    };
    let free_bytes = try_recovery(profile, disk, partition, TRIAL_IMAGE_BYTES, &mut trial)?;
    // All that the image's size changes is the number of its clusters, so the second volume comes out right.
    let Some(spare_bytes) = free_bytes.checked_sub(expected_bytes) else {
        return Err(LabError::FreeSpace {
            partition: partition.number,
            expected_bytes,
            actual_bytes: free_bytes,
        });
    };
    let image_bytes = TRIAL_IMAGE_BYTES + spare_bytes - IMAGE_SLACK_BYTES;
    let actual_bytes = try_recovery(profile, disk, partition, image_bytes, device)?;
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
    disk: &CreatedDisk,
    partition: &CreatedPartition,
    image_bytes: u64,
    device: &mut dyn Device,
) -> Result<u64, LabError> {
    const CONCEALED: u32 = HIDDEN | SYSTEM;
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
    let files = [
        ("boot.sdi", CONCEALED, FileData::Bytes(boot_sdi(disk.seed))),
        (
            "ReAgent.xml",
            CONCEALED | NOT_CONTENT_INDEXED,
            FileData::Bytes(reagent_xml(profile, disk)),
        ),
        ("Winre.wim", CONCEALED, image(profile, disk.seed, image_bytes)),
    ];
    for (name, attributes, data) in files {
        let path = format!(r"Recovery\WindowsRE\{name}");
        builder.add_file(&path, attributes, data).map_err(&failed)?;
    }
    let Written { free_clusters, .. } = builder.write_to(device).map_err(&failed)?;
    Ok(free_clusters * cluster_bytes)
}

/// An empty volume for a partition, and the size of its clusters.
fn new_volume(
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
        hidden_sectors: sectors(partition.range.start),
        serial: Identity::of(profile).serial(partition.number),
        label: partition.role.volume_label().to_owned(),
        time: TIME,
        ..base
    })?;
    let cluster_bytes = u64::from(builder.geometry().cluster_size);
    Ok((builder, cluster_bytes))
}

fn format_failed(partition: &CreatedPartition) -> impl Fn(FormatError) -> LabError + use<> {
    let partition = partition.number;
    move |source| LabError::Format { partition, source }
}

/// `ReAgent.xml` of a Windows whose recovery environment is enabled, or of one that has none.
fn reagent_xml(profile: &Profile, disk: &CreatedDisk) -> Vec<u8> {
    let entry = recovery_entry(Identity::of(profile), disk);
    let place = entry.zip(disk.partition(Role::Recovery));
    place
        .map_or_else(ReAgentTemplate::default, |(entry, partition)| ReAgentTemplate {
            winre_bcd_id: entry.loader.into(),
            winre_location: ReAgentLocation {
                path: r"\Recovery\WindowsRE".to_owned(),
                id: 0,
                offset: partition.range.start,
                guid: disk.disk_guid.into(),
            },
            install_state: 1,
            ..ReAgentTemplate::default()
        })
        .to_bytes()
}

fn boot_sdi(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; BOOT_SDI_BYTES as usize];
    content::fill(seed, 0, &mut bytes);
    bytes[..SDI_SIGNATURE.len()].copy_from_slice(SDI_SIGNATURE);
    bytes
}

/// A WIM file with a true header, an empty image and a true description of it; a filler makes up the size.
fn image(profile: &Profile, seed: u64, size_bytes: u64) -> FileData {
    let skeleton = WimTemplate {
        guid: Identity::of(profile).uuid("image").into(),
        name: "Microsoft Windows Recovery Environment (amd64)".to_owned(),
        version: WimVersion {
            major: 10,
            minor: 0,
            build: profile.recovery.image_build,
            sp_build: profile.recovery.image_revision,
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
    FileData::Zeroed {
        size: skeleton.size_bytes,
        pieces,
    }
}

fn check_bounds(offset: u64, length: usize, device_len: u64) -> Result<(), DiskError> {
    let length = length as u64;
    match offset.checked_add(length) {
        Some(end) if end <= device_len => Ok(()),
        _ => Err(DiskError::OutOfBounds {
            offset,
            length,
            device_len,
        }),
    }
}

/// The content of a generated file.
struct Generated {
    size_bytes: u64,
    seed: u64,
}

impl ReadAt for Generated {
    fn size(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        check_bounds(offset, buf.len(), self.size_bytes)?;
        content::fill(self.seed, offset, buf);
        Ok(())
    }
}

/// A device that takes everything and keeps nothing, to learn how large a volume becomes.
struct Nowhere {
    size_bytes: u64,
    sector_size: SectorSize,
}

impl ReadAt for Nowhere {
    fn size(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        check_bounds(offset, buf.len(), self.size_bytes)?;
        buf.fill(0);
        Ok(())
    }
}

impl Device for Nowhere {
    fn sector_size(&self) -> SectorSize {
        self.sector_size
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        check_bounds(offset, data.len(), self.size_bytes)
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        Ok(())
    }
}
