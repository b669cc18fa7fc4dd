//! Files of a partition, whichever file system it has.

use crate::observation::{Content, Partition};
use winrefit_disk::{ByteRange, ReadAt, ReadWindow};
use winrefit_formats::fat::{FatError, FatVolume};
use winrefit_ntfs::file::StreamBody;
use winrefit_ntfs::{AttributeType, Volume};

/// The volume of a partition, as far as its files can be read.
pub(crate) enum Files<'d> {
    Ntfs(Volume<ReadWindow<&'d dyn ReadAt>>),
    Fat(ReadWindow<&'d dyn ReadAt>),
}

impl<'d> Files<'d> {
    /// The volume of a partition; `None` if it has none that can be read.
    pub(crate) fn open(disk: &'d dyn ReadAt, partition: &Partition) -> Option<Self> {
        Self::open_at(disk, partition.range, &partition.content)
    }

    /// The volume of that kind at `range` of a disk.
    pub(crate) fn open_at(disk: &'d dyn ReadAt, range: ByteRange, content: &Content) -> Option<Self> {
        let window = ReadWindow::new(disk, range).ok()?;
        match content {
            Content::Ntfs(_) => Volume::open(window).ok().map(Self::Ntfs),
            Content::Fat(_) => FatVolume::open(&window).is_ok().then_some(Self::Fat(window)),
            _ => None,
        }
    }

    /// Whether there is a file; `None` if that cannot be told.
    pub(crate) fn has(&self, path: &str) -> Option<bool> {
        match self {
            Self::Ntfs(volume) => volume.lookup(path).ok().map(|file| file.is_some()),
            Self::Fat(window) => {
                let file = FatVolume::open(window).and_then(|volume| volume.lookup(path));
                file.ok().map(|file| file.is_some())
            }
        }
    }

    /// The content of a file of at most `limit` bytes; `None` if there is none.
    pub(crate) fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, String> {
        match self {
            Self::Ntfs(volume) => {
                let Some(file) = volume.lookup(path).map_err(|e| e.to_string())? else {
                    return Ok(None);
                };
                let bytes = file
                    .require(AttributeType::DATA, "")
                    .and_then(|stream| volume.read_stream(stream, limit));
                bytes.map(Some).map_err(|e| e.to_string())
            }
            Self::Fat(window) => {
                let read = || -> Result<Option<Vec<u8>>, FatError> {
                    let volume = FatVolume::open(window)?;
                    let file = volume.lookup(path)?;
                    file.map(|file| volume.read(&file, limit)).transpose()
                };
                read().map_err(|e| e.to_string())
            }
        }
    }

    /// Where the bytes of a file of at most `limit` bytes lie on the volume, if they lie there as they are.
    pub(crate) fn ranges(&self, path: &str, limit: u64) -> Result<Option<Vec<ByteRange>>, String> {
        match self {
            Self::Ntfs(volume) => {
                let Some(file) = volume.lookup(path).map_err(|e| e.to_string())? else {
                    return Ok(None);
                };
                let stream = file.require(AttributeType::DATA, "").map_err(|e| e.to_string())?;
                // Refuses what is compressed or encrypted.
                volume.stream_reader(stream.clone()).map_err(|e| e.to_string())?;
                let StreamBody::NonResident { runs, sizes } = &stream.body else {
                    return Ok(None);
                };
                let geometry = volume.geometry();
                let cluster = u64::from(geometry.cluster_size);
                let ranges: Option<Vec<ByteRange>> = runs
                    .0
                    .iter()
                    .map(|run| {
                        let start = geometry.offset_of(run.lcn?);
                        Some(ByteRange::new(start, start + run.clusters * cluster))
                    })
                    .collect();
                Ok(ranges.filter(|_| sizes.initialized >= sizes.data && sizes.data <= limit))
            }
            Self::Fat(window) => {
                let ranges = || -> Result<Option<Vec<ByteRange>>, FatError> {
                    let volume = FatVolume::open(window)?;
                    let Some(file) = volume.lookup(path)? else {
                        return Ok(None);
                    };
                    // A cluster that another file has, too, is not this file's to change.
                    volume.require_unshared(&file, limit)?;
                    volume.ranges(&file, limit).map(Some)
                };
                ranges().map_err(|e| e.to_string())
            }
        }
    }
}
