//! What a BIOS computer starts Windows from: the boot manager's files on the active partition.

use crate::LabError;
use crate::content::{HIDDEN, READ_ONLY, SYSTEM};
use crate::create::{CreatedDisk, CreatedPartition, boot_store};
use crate::profile::Profile;
use crate::sources::Generated;
use crate::volumes::{NewFile, format_failed, new_volume};
use winrefit_disk::Device;
use winrefit_ntfs::format::FileData;

const CONCEALED: u32 = HIDDEN | SYSTEM;
/// Programs and fonts, with sizes like those of Windows Server 2022; the contents are made up.
const GENERATED: &[(&str, u32, u64)] = &[
    ("bootmgr", CONCEALED | READ_ONLY, 413_738),
    (r"Boot\memtest.exe", CONCEALED, 1_003_376),
    (r"Boot\Fonts\segmono_boot.ttf", CONCEALED, 44_760),
    (r"Boot\Fonts\wgl4_boot.ttf", CONCEALED, 49_088),
    (r"Boot\Resources\bootres.dll", CONCEALED, 94_104),
    (r"Boot\en-US\bootmgr.exe.mui", CONCEALED, 78_176),
];
/// Length of the boot status log.
const STATUS_LOG_BYTES: usize = 65_536;

/// Whether a partition is the active one of an MBR disk.
pub(crate) fn is_system(profile: &Profile, disk: &CreatedDisk, partition: &CreatedPartition) -> bool {
    let number = disk.system().map(|system| system.number);
    profile.is_mbr() && number == Some(partition.number)
}

/// The boot store and the boot manager.
pub(crate) fn files(profile: &Profile, disk: &CreatedDisk) -> Result<Vec<NewFile>, LabError> {
    let generated = GENERATED
        .iter()
        .zip(1..)
        .map(|((path, attributes, size_bytes), number)| {
            let (size_bytes, seed) = (*size_bytes, disk.seed ^ number);
            let data = FileData::Reader(Box::new(Generated { size_bytes, seed }));
            (*path, *attributes, data)
        });
    let mut files: Vec<NewFile> = generated.collect();
    let status_log = FileData::Bytes(vec![0; STATUS_LOG_BYTES]);
    files.push((r"Boot\BOOTSTAT.DAT", CONCEALED, status_log));
    files.push(("BOOTNXT", CONCEALED, FileData::Bytes(b"1".to_vec())));
    if let Some(store) = boot_store(profile, disk)? {
        files.push((r"Boot\BCD", CONCEALED, FileData::Bytes(store)));
    }
    Ok(files)
}

/// Writes a "System Reserved" volume without WinRE and returns how many bytes are free.
pub(crate) fn write_system_reserved(
    profile: &Profile,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
    device: &mut dyn Device,
) -> Result<u64, LabError> {
    let failed = format_failed(partition);
    let (mut builder, cluster_bytes) =
        new_volume(profile, partition, device.sector_size()).map_err(&failed)?;
    for path in ["System Volume Information", "Boot"] {
        builder.add_directory(path, CONCEALED).map_err(&failed)?;
    }
    for (path, attributes, data) in files(profile, disk)? {
        builder.add_file(path, attributes, data).map_err(&failed)?;
    }
    let written = builder.write_to(device).map_err(&failed)?;
    Ok(written.free_clusters * cluster_bytes)
}
