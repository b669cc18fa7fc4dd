//! The volumes of `bench-ntfs`.

use crate::error::Error;
use crate::measure::output_of;
use std::path::Path;
use winrefit_disk::DiskFile;
use winrefit_ntfs::format::{FileData, FormatError, FormatOptions, VolumeBuilder};

/// Of all volumes.
pub const CLUSTER_SIZE: u32 = 4096;
/// Files that are left on the volume with data in its tail.
pub const TAIL_FILES: u32 = 20_000;
/// Bytes of that volume.
const TAIL_BYTES: u64 = 2 << 30;
/// Clusters of one of its files, on average.
const TAIL_CLUSTERS: u32 = 14;

/// 30,000 files over a volume of 2 GiB, of which every other one of the first 20,000 was deleted by ntfs-3g: what lies
/// in the tail goes into holes of a file's size.
///
/// # Errors
/// Making the volume, or mounting it.
pub fn with_data_in_tail(image: &Path) -> Result<(), Error> {
    let mut builder = builder(TAIL_BYTES)?;
    for index in 0..TAIL_FILES + TAIL_FILES / 2 {
        let length = (4 + index % (2 * TAIL_CLUSTERS - 7)) * CLUSTER_SIZE - index % 999;
        // What the bytes are makes no difference, but zeros could be left out by a copy.
        let data = FileData::Bytes(vec![1 + (index % 251) as u8; length as usize]);
        builder
            .add_file(&path(index), 0x20, data)
            .map_err(Error::Format)?;
    }
    write(builder, image, TAIL_BYTES)?;
    let mount = image.with_extension("mounted");
    let create = std::fs::create_dir_all(&mount);
    create.map_err(|source| file_error(&mount, source))?;
    output_of(&["ntfs-3g".into(), image.into(), mount.clone().into()])?;
    let removed = (0..TAIL_FILES).step_by(2).try_for_each(|index| {
        let path = mount.join(path(index));
        std::fs::remove_file(&path).map_err(|source| file_error(&path, source))
    });
    output_of(&["umount".into(), mount.into()])?;
    // ntfs-3g goes on writing for a moment after it has been unmounted.
    std::thread::sleep(std::time::Duration::from_secs(3));
    removed
}

/// A volume of many files in many directories, half of them with a cluster of their own; `full` if it has no room
/// left behind them.
///
/// # Errors
/// Making the volume.
pub fn with_files(image: &Path, files: u32, full: bool) -> Result<(), Error> {
    let used = u64::from(files) * (1024 + 160 + u64::from(CLUSTER_SIZE) / 2) + (100 << 20);
    let bytes = if full { used } else { 4 * used };
    let mut builder = builder(bytes.next_multiple_of(1 << 20))?;
    for index in 0..files {
        let length = if index % 2 == 0 { 300 } else { 3000 };
        let data = FileData::Bytes(vec![1 + (index % 251) as u8; length]);
        builder
            .add_file(&path(index), 0x20, data)
            .map_err(Error::Format)?;
    }
    write(builder, image, bytes.next_multiple_of(1 << 20))
}

fn path(index: u32) -> String {
    format!(
        "directory {}/of files {}/file number {index}",
        index / 20_000,
        index / 500
    )
}

fn builder(bytes: u64) -> Result<VolumeBuilder, Error> {
    let options = FormatOptions {
        cluster_size: CLUSTER_SIZE,
        ..FormatOptions::new(bytes / 512)
    };
    VolumeBuilder::new(options).map_err(Error::Format)
}

fn write(builder: VolumeBuilder, image: &Path, bytes: u64) -> Result<(), Error> {
    let file = std::fs::File::create(image).and_then(|file| file.set_len(bytes));
    file.map_err(|source| file_error(image, source))?;
    let disk = DiskFile::open_write(image).map_err(|error| Error::Format(FormatError::from(error)));
    builder.write_to(&mut disk?).map_err(Error::Format)?;
    Ok(())
}

fn file_error(path: &Path, source: std::io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        source,
    }
}
