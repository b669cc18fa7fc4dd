//! Looking for images of the recovery environment: where Windows puts it, and where one is left behind.
//!
//! Little is read of each: its file record, the header of the image, and the description in it. What cannot be read
//! counts as not there; the checker says why.

use super::WINRE_IMAGE;
use crate::observation::{Partition, WinRe, Windows};
use winrefit_disk::{ReadAt, ReadWindow};
use winrefit_formats::Wim;
use winrefit_ntfs::file::File;
use winrefit_ntfs::index::I30;
use winrefit_ntfs::{AttributeType, NtfsError, Volume};

/// Where the image of a disabled WinRE waits; `reagentc /enable` takes it from there.
pub const STAGED_IMAGE: &str = r"\Windows\System32\Recovery\Winre.wim";
/// Where servicing keeps the image that it replaces.
pub const BACKUP_IMAGE: &str = r"\$WinREAgent\Backup\Winre.wim";
/// The folder of the recovery environment; computer makers and Windows 7 give it folders of other names inside.
const RECOVERY_FOLDER: &str = r"\Recovery";
const IMAGE_NAME: &str = "Winre.wim";
/// Folders in it that are looked into.
const FOLDERS_MAX: usize = 8;
/// Longest index of that folder that is read: some hundreds of names.
const INDEX_BYTES_MAX: u64 = 64 << 10;
/// Seconds from 1601, where NTFS begins to count, to 1970.
const UNIX_EPOCH_SECONDS: u64 = 11_644_473_600;
/// Offset of the time of the last change of the content in $STANDARD_INFORMATION (libfsntfs documentation).
const MODIFIED_OFFSET: usize = 8;

/// The image at its standard place, and those at other places.
pub(super) fn find<R: ReadAt>(volume: &Volume<R>) -> (Option<WinRe>, Vec<WinRe>) {
    let mut others: Vec<WinRe> = [STAGED_IMAGE, BACKUP_IMAGE]
        .iter()
        .filter_map(|path| image(volume, path))
        .collect();
    for folder in folders(volume).unwrap_or_default() {
        let path = format!(r"{RECOVERY_FOLDER}\{folder}\{IMAGE_NAME}");
        if !path.eq_ignore_ascii_case(WINRE_IMAGE) {
            others.extend(image(volume, &path));
        }
    }
    (image(volume, WINRE_IMAGE), others)
}

/// Looks where each Windows says that its image is, if that is a place of its own.
pub(super) fn add_named(disk: &dyn ReadAt, partitions: &mut [Partition], windows: &[Windows]) {
    for named in windows {
        let (Some(path), Some(number)) = (named.image_path(), named.recovery_partition) else {
            continue;
        };
        let Some(partition) = partitions.iter_mut().find(|p| p.number == number) else {
            continue;
        };
        if partition.ntfs().is_none() || partition.image(&path).is_some() {
            continue;
        }
        let volume = ReadWindow::new(disk, partition.range)
            .map_err(NtfsError::from)
            .and_then(Volume::open);
        partition
            .other_images
            .extend(volume.ok().and_then(|volume| image(&volume, &path)));
    }
}

/// The folders in \Recovery, each by one name.
fn folders<R: ReadAt>(volume: &Volume<R>) -> Result<Vec<String>, NtfsError> {
    /// A DOS name, which belongs to a file that has another one, too.
    const DOS: u8 = 2;
    /// File attribute in a directory entry: a directory.
    const DIRECTORY: u32 = 0x1000_0000;
    let Some(file) = volume.lookup(RECOVERY_FOLDER)?.filter(File::is_directory) else {
        return Ok(Vec::new());
    };
    let blocks = file.stream(AttributeType::INDEX_ALLOCATION, I30)?;
    if blocks.is_some_and(|blocks| blocks.len() > INDEX_BYTES_MAX) {
        return Ok(Vec::new());
    }
    let entries = volume.directory(&file)?.list()?.into_iter();
    Ok(entries
        .filter(|(_, name)| name.namespace != DOS && name.file_attributes & DIRECTORY != 0)
        .map(|(_, name)| name.display_name())
        .take(FOLDERS_MAX)
        .collect())
}

fn image<R: ReadAt>(volume: &Volume<R>, path: &str) -> Option<WinRe> {
    let file = volume.lookup(path).ok()??;
    if file.is_directory() {
        return None;
    }
    let mut image = WinRe {
        path: path.to_owned(),
        size_bytes: 0,
        version: Ok(None),
        architecture: None,
        modified: modified(&file),
    };
    let stream = file.require(AttributeType::DATA, "");
    match stream.and_then(|stream| volume.stream_reader(stream)) {
        Err(error) => image.version = Err(error.to_string()),
        Ok(reader) => {
            image.size_bytes = reader.size();
            let wim = Wim::read(&reader);
            image.architecture = wim.as_ref().ok().and_then(|wim| wim.images.first()?.architecture);
            image.version = wim
                .map(|wim| wim.images.first().and_then(|image| image.version()))
                .map_err(|e| e.to_string());
        }
    }
    Some(image)
}

/// When the content was changed last, in seconds since 1970.
fn modified(file: &File) -> Option<u64> {
    (modified_filetime(file)? / 10_000_000).checked_sub(UNIX_EPOCH_SECONDS)
}

/// When the content was changed last, as NTFS keeps it (FILETIME).
pub(crate) fn modified_filetime(file: &File) -> Option<u64> {
    let times = file
        .base()
        .find(AttributeType::STANDARD_INFORMATION, "")
        .ok()??
        .value()?;
    let bytes = times.get(MODIFIED_OFFSET..MODIFIED_OFFSET + 8)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}
