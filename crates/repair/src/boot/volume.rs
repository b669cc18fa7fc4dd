//! Files of a volume that a boot program can read: NTFS or FAT.

use super::{FileFact, VolumeKind};
use winrefit_disk::{ByteRange, ReadAt, ReadWindow};
use winrefit_formats::FatVolume;
use winrefit_ntfs::{AttributeType, Volume};

/// An opened volume.
pub(super) enum Files<'p> {
    Ntfs(Box<Volume<&'p dyn ReadAt>>),
    Fat(FatVolume<'p>),
}

/// A part of the disk, to be opened as a volume.
pub(super) struct Part<'d>(ReadWindow<&'d dyn ReadAt>);

impl<'d> Part<'d> {
    pub fn new(disk: &'d dyn ReadAt, range: ByteRange) -> Option<Self> {
        ReadWindow::new(disk, range).ok().map(Self)
    }

    /// The volume on it, or why it cannot be opened. `None` where none is expected.
    pub fn open(&self, kind: VolumeKind) -> Option<Result<Files<'_>, String>> {
        Files::open(&self.0, kind)
    }
}

impl<'p> Files<'p> {
    /// Opens the volume on `part`. `None` where none is expected.
    pub fn open(part: &'p dyn ReadAt, kind: VolumeKind) -> Option<Result<Self, String>> {
        Some(match kind {
            VolumeKind::Other => return None,
            VolumeKind::Ntfs => Volume::open(part)
                .map(|volume| Self::Ntfs(Box::new(volume)))
                .map_err(|error| error.to_string()),
            VolumeKind::Fat => FatVolume::open(part)
                .map(Self::Fat)
                .map_err(|error| error.to_string()),
        })
    }

    /// Whether a file is there.
    pub fn fact(&self, path: &str) -> FileFact {
        let size = match self {
            Self::Ntfs(volume) => volume
                .lookup(path)
                .and_then(|file| {
                    let stream = file.filter(|file| !file.is_directory());
                    stream
                        .map(|file| file.require(AttributeType::DATA, ""))
                        .transpose()
                })
                .map(|stream| stream.map(|stream| stream.len()))
                .map_err(|error| error.to_string()),
            Self::Fat(volume) => volume
                .lookup(path)
                .map(|file| file.filter(|file| !file.is_directory))
                .map(|file| file.map(|file| u64::from(file.size_bytes)))
                .map_err(|error| error.to_string()),
        };
        match size {
            Ok(Some(size_bytes)) => FileFact::Present(size_bytes),
            Ok(None) => FileFact::Missing,
            Err(problem) => FileFact::Unreadable(problem),
        }
    }

    /// The content of a file of at most `limit` bytes; `None` if there is no such file.
    pub fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, String> {
        match self {
            Self::Ntfs(volume) => {
                let read = || {
                    let Some(file) = volume.lookup(path)? else {
                        return Ok(None);
                    };
                    let stream = file.require(AttributeType::DATA, "")?;
                    volume.read_stream(stream, limit).map(Some)
                };
                read().map_err(|error: winrefit_ntfs::NtfsError| error.to_string())
            }
            Self::Fat(volume) => {
                let file = volume.lookup(path).map_err(|error| error.to_string())?;
                let content = file.map(|file| volume.read(&file, limit)).transpose();
                content.map_err(|error| error.to_string())
            }
        }
    }
}
