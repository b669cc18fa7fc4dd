//! A volume with somebody's files.

use crate::LabError;
use crate::content::{self, EntryKind, HIDDEN, SYSTEM};
use crate::create::{CreatedDisk, CreatedPartition};
use crate::identity::Identity;
use crate::profile::Profile;
use crate::sources::Generated;
use crate::volumes::{format_failed, new_volume};
use winrefit_disk::Device;
use winrefit_ntfs::format::FileData;

/// Files of the tree that is made for the volume; what of it lies in the users' folders is written.
const TREE_FILES: u32 = 300;
const USERS: &str = "Users";

/// Writes the volume and returns how many bytes are free.
pub(crate) fn write(
    profile: &Profile,
    disk: &CreatedDisk,
    partition: &CreatedPartition,
    device: &mut dyn Device,
) -> Result<u64, LabError> {
    let failed = format_failed(partition);
    let (mut builder, cluster_bytes) =
        new_volume(profile, partition, device.sector_size()).map_err(&failed)?;
    let concealed = HIDDEN | SYSTEM;
    builder
        .add_directory("System Volume Information", concealed)
        .map_err(&failed)?;
    let seed = Identity::of(profile).serial(partition.number);
    for entry in content::tree(seed, TREE_FILES.min(disk.file_count)) {
        // A folder "Windows" would make it one.
        if !entry.path.starts_with(USERS) {
            continue;
        }
        match entry.kind {
            EntryKind::Directory => builder.add_directory(&entry.path, entry.attributes),
            EntryKind::File { size_bytes, seed } => {
                let data = FileData::Reader(Box::new(Generated { size_bytes, seed }));
                builder.add_file(&entry.path, entry.attributes, data)
            }
        }
        .map_err(&failed)?;
    }
    let written = builder.write_to(device).map_err(&failed)?;
    Ok(written.free_clusters * cluster_bytes)
}
