//! Files of a partition, whichever file system it has.

use super::FileFact;
use crate::observation::Content;
use crate::observe::read_small;
use crate::text;
use crate::text::Text;
use winrefit_disk::{ByteRange, ReadAt, ReadWindow};
use winrefit_formats::fat::{FatError, FatVolume};
use winrefit_ntfs::{AttributeType, Volume};

/// The volume of a partition, as far as its files can be read.
pub(crate) enum Files<'d> {
    Ntfs(Box<Volume<ReadWindow<&'d dyn ReadAt>>>),
    Fat(ReadWindow<&'d dyn ReadAt>),
}

impl<'d> Files<'d> {
    /// The volume of that kind at `range` of a disk.
    pub(crate) fn open_at(disk: &'d dyn ReadAt, range: ByteRange, content: &Content) -> Option<Self> {
        Self::try_open(disk, range, content)?.ok()
    }

    /// The volume of that kind at `range` of a disk, or why it cannot be read. `None` where there is none of a kind whose
    /// files are looked at.
    pub(super) fn try_open(
        disk: &'d dyn ReadAt,
        range: ByteRange,
        content: &Content,
    ) -> Option<Result<Self, Text>> {
        let window = ReadWindow::new(disk, range).ok()?;
        match content {
            Content::Ntfs(_) => Some(
                Volume::open(window)
                    .map(|volume| Self::Ntfs(Box::new(volume)))
                    .map_err(Text::quoted),
            ),
            Content::DamagedNtfs(error) => Some(Err(Text::quoted(error))),
            Content::Fat(_) => {
                let opened = FatVolume::open(&window).map(|_| ());
                Some(opened.map(|()| Self::Fat(window)).map_err(Text::quoted))
            }
            _ => None,
        }
    }

    /// Whether there is a file.
    pub(crate) fn fact(&self, path: &str) -> FileFact {
        match self.size(path) {
            Ok(Some(size_bytes)) => FileFact::Present(size_bytes),
            Ok(None) => FileFact::Missing,
            Err(problem) => FileFact::Unreadable(problem),
        }
    }

    fn size(&self, path: &str) -> Result<Option<u64>, Text> {
        match self {
            Self::Ntfs(volume) => {
                let file = volume.lookup(path).map_err(Text::quoted)?;
                let file = file.filter(|file| !file.is_directory());
                let stream = file.map(|file| file.require(AttributeType::DATA, "")).transpose();
                let size = stream.map(|stream| stream.map(|stream| stream.len()));
                size.map_err(Text::quoted)
            }
            Self::Fat(window) => {
                let file = FatVolume::open(window).and_then(|volume| volume.lookup(path));
                let file = file.map_err(Text::quoted)?.filter(|file| !file.is_directory);
                Ok(file.map(|file| file.size_bytes.into()))
            }
        }
    }

    /// The content of a file of at most `limit` bytes; `None` if there is none.
    pub(crate) fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Text> {
        match self {
            Self::Ntfs(volume) => read_small(volume, path, limit).map_err(Text::quoted),
            Self::Fat(window) => {
                let read = || -> Result<Option<Vec<u8>>, FatError> {
                    let volume = FatVolume::open(window)?;
                    let file = volume.lookup(path)?;
                    file.map(|file| volume.read(&file, limit)).transpose()
                };
                read().map_err(Text::quoted)
            }
        }
    }

    /// Where the bytes of a file of at most `limit` bytes lie on the volume, if they lie there as they are.
    pub(crate) fn ranges(&self, path: &str, limit: u64) -> Result<Option<Vec<ByteRange>>, Text> {
        match self {
            Self::Ntfs(volume) => {
                let Some(file) = volume.lookup(path).map_err(Text::quoted)? else {
                    return Ok(None);
                };
                let stream = file.require(AttributeType::DATA, "").map_err(Text::quoted)?;
                let ranges = volume.plain_ranges(&stream).map_err(Text::quoted)?;
                Ok(ranges.filter(|ranges| stream.len() <= limit && are_apart(ranges)))
            }
            Self::Fat(window) => {
                let volume = FatVolume::open(window).map_err(Text::quoted)?;
                // What a volume in use says of its files may be old.
                if !volume.state().map_err(Text::quoted)?.is_clean {
                    return Err(text!("its volume was not closed properly"));
                }
                let ranges = || -> Result<Option<Vec<ByteRange>>, FatError> {
                    let Some(file) = volume.lookup(path)? else {
                        return Ok(None);
                    };
                    // A cluster that another file has, too, is not this file's to change.
                    volume.require_unshared(&file, limit)?;
                    volume.ranges(&file, limit).map(Some)
                };
                ranges().map_err(Text::quoted)
            }
        }
    }
}

/// Whether no two ranges share a byte: a damaged file may have one cluster twice.
fn are_apart(ranges: &[ByteRange]) -> bool {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable();
    sorted
        .windows(2)
        .all(|pair| !matches!(pair, [a, b] if a.overlaps(b)))
}
