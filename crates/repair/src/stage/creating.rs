//! Making a recovery partition: a volume with the image in it, which is copied from Windows' own.

use super::{StageError, Stager, ntfs_error, phase};
use crate::error::RepairError;
use crate::observation::Observation;
use crate::observe::images::modified_filetime;
use crate::observe::{REAGENT_BYTES_MAX, REAGENT_XML, read_small};
use crate::plan::{Plan, Sectors, Step};
use crate::refusal::Refusal;
use crate::table::PartitionType;
use crate::text;
use crate::text::Text;
use uuid::Uuid;
use winrefit_disk::{ByteRange, Device, DiskError, Lba, Move, Overlay, ReadAt, ReadWindow, SectorSize};
use winrefit_formats::gpt::types as gpt;
use winrefit_formats::mbr::types as mbr;
use winrefit_formats::{Guid, LbaRange};
use winrefit_ntfs::format::{FileData, FormatError, FormatOptions, VolumeBuilder};
use winrefit_ntfs::{AttributeType, Volume};

/// FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM, as reagentc leaves its files.
const CONCEALED: u32 = 0x0000_0006;
/// As Microsoft's instructions label it. Nothing depends on it.
const LABEL: &str = "Windows RE tools";
const NAME: &str = "Recovery";
const FOLDER: &str = r"\Recovery\WindowsRE";
/// Where Windows keeps the frame of a RAM disk; on every edition at both places.
const BOOT_SDI: [&str; 2] = [
    r"\Windows\Boot\DVD\EFI\boot.sdi",
    r"\Windows\Boot\DVD\PCAT\boot.sdi",
];
/// An image has some hundred pieces at most; each of them is a move.
const PIECES_MAX: usize = 1 << 16;

/// A volume that is to be: what is written, and what is copied into it.
pub(super) struct Created {
    partition: u32,
    at: Sectors,
    writes: Vec<(u64, Vec<u8>)>,
    /// Offsets on the disk.
    pub moves: Vec<Move>,
}

/// The volumes that a plan creates.
pub(super) fn created(
    disk: &dyn ReadAt,
    observation: &Observation,
    plan: &Plan,
) -> Result<Vec<Created>, StageError> {
    let mut created = Vec::new();
    for step in &plan.steps {
        if let Step::CreatePartition {
            partition,
            at,
            windows,
            image,
            ..
        } = step
        {
            let source = Source::open(disk, observation, *windows)?;
            created.push(source.create((*partition, *at), image)?);
        }
    }
    Ok(created)
}

/// The volume of Windows, from which files are taken.
struct Source<'d> {
    volume: Volume<ReadWindow<&'d dyn ReadAt>>,
    partition: u32,
    /// Where it begins.
    start: u64,
    sector_size: SectorSize,
}

impl<'d> Source<'d> {
    fn open(disk: &'d dyn ReadAt, observation: &Observation, partition: u32) -> Result<Self, StageError> {
        let known = observation
            .partition(partition)
            .ok_or(RepairError::NoSuchPartition { number: partition })?;
        let volume = Volume::open(ReadWindow::new(disk, known.range)?);
        Ok(Self {
            volume: volume.map_err(|source| ntfs_error(partition, source))?,
            partition,
            start: known.range.start,
            sector_size: observation.sector_size,
        })
    }

    fn create(&self, (partition, at): (u32, Sectors), image: &str) -> Result<Created, StageError> {
        let image = self
            .pieces(image)?
            .ok_or_else(|| self.cannot_copy(image, text!("it is not there")))?;
        let mut boot_sdi = None;
        for path in BOOT_SDI {
            boot_sdi = boot_sdi.or(self.pieces(path).ok().flatten());
        }
        let files = [("Winre.wim", Some(image)), ("boot.sdi", boot_sdi)];
        let recorder = self
            .format(at, &files)
            .map_err(|source| RepairError::Format { partition, source })?;
        let start = at.start * self.sector_size.bytes();
        let mut moves = Vec::new();
        let volume = Volume::open(&recorder.overlay).map_err(|source| ntfs_error(partition, source))?;
        for (name, pieces) in files
            .iter()
            .filter_map(|(name, pieces)| Some((name, pieces.as_ref()?)))
        {
            let path = format!(r"{FOLDER}\{name}");
            let own = Pieces::of(&volume, &path).map_err(|source| ntfs_error(partition, source))?;
            let own = own.ok_or_else(|| self.cannot_copy(&path, text!("it was not made")))?;
            moves.extend(pieces.moves_to(&own, (self.start, start), self.sector_size));
        }
        drop(volume);
        Ok(Created {
            partition,
            at,
            writes: recorder.writes,
            moves,
        })
    }

    /// A volume with room for the files, which are left to be copied.
    fn format(&self, at: Sectors, files: &[(&str, Option<Pieces>)]) -> Result<Recorder, FormatError> {
        let base = match self.sector_size {
            SectorSize::B4096 => FormatOptions::new_4kn(at.count()),
            SectorSize::B512 => FormatOptions::new(at.count()),
        };
        let time = files.iter().find_map(|(_, pieces)| pieces.as_ref()?.modified);
        let mut builder = VolumeBuilder::new(FormatOptions {
            hidden_sectors: at.start,
            serial: self.volume.boot().serial().rotate_left(17) ^ at.start,
            label: LABEL.to_owned(),
            time: time.unwrap_or(base.time),
            ..base
        })?;
        builder.add_directory(r"\Recovery", CONCEALED)?;
        builder.add_directory(FOLDER, CONCEALED)?;
        for (name, pieces) in files {
            if let Some(pieces) = pieces {
                let size = pieces.size;
                let data = FileData::Zeroed {
                    size,
                    pieces: Vec::new(),
                };
                builder.add_file(&format!(r"{FOLDER}\{name}"), CONCEALED, data)?;
            }
        }
        if let Some(bytes) = self.reagent() {
            builder.add_file(
                &format!(r"{FOLDER}\ReAgent.xml"),
                CONCEALED,
                FileData::Bytes(bytes),
            )?;
        }
        let size = at.count() * self.sector_size.bytes();
        let mut recorder = Recorder {
            overlay: Overlay::new(Zeros(size), self.sector_size),
            writes: Vec::new(),
        };
        builder.write_to(&mut recorder)?;
        Ok(recorder)
    }

    /// Windows' ReAgent.xml, which serves people beside the image.
    fn reagent(&self) -> Option<Vec<u8>> {
        read_small(&self.volume, REAGENT_XML, REAGENT_BYTES_MAX).ok()?
    }

    /// Where a file lies; `None` if there is none.
    fn pieces(&self, path: &str) -> Result<Option<Pieces>, StageError> {
        let pieces = Pieces::of(&self.volume, path).map_err(|source| ntfs_error(self.partition, source))?;
        match pieces {
            Some(pieces) if !pieces.is_plain => {
                Err(self.cannot_copy(path, text!("it is compressed, encrypted, sparse or tiny")))
            }
            pieces => Ok(pieces),
        }
    }

    fn cannot_copy(&self, path: &str, problem: Text) -> StageError {
        StageError::Refused(Refusal::CannotCopyImage {
            number: self.partition,
            path: path.to_owned(),
            problem,
        })
    }
}

/// Where the bytes of a file lie on its volume.
struct Pieces {
    size: u64,
    /// FILETIME.
    modified: Option<u64>,
    /// Whether they are there as they are.
    is_plain: bool,
    ranges: Vec<ByteRange>,
}

impl Pieces {
    fn of<R: ReadAt>(volume: &Volume<R>, path: &str) -> Result<Option<Self>, winrefit_ntfs::NtfsError> {
        let Some(file) = volume.lookup(path)? else {
            return Ok(None);
        };
        let stream = file.require(AttributeType::DATA, "")?;
        let ranges = volume.plain_ranges(&stream).ok().flatten();
        let ranges = ranges.filter(|ranges| ranges.len() <= PIECES_MAX);
        Ok(Some(Self {
            size: stream.len(),
            modified: modified_filetime(&file),
            is_plain: ranges.is_some(),
            ranges: ranges.unwrap_or_default(),
        }))
    }

    /// The copies that fill `other`, whole sectors. Both volumes' ranges count from their starts.
    fn moves_to(&self, other: &Self, (from, to): (u64, u64), sector_size: SectorSize) -> Vec<Move> {
        let mut left = self.size.next_multiple_of(sector_size.bytes());
        let mut moves = Vec::new();
        let (mut sources, mut targets) = (self.ranges.iter().copied(), other.ranges.iter().copied());
        let (mut source, mut target) = (sources.next(), targets.next());
        while let (Some(s), Some(t)) = (source, target) {
            let length = s.len().min(t.len()).min(left);
            if left == 0 {
                break;
            }
            moves.push(Move {
                from: from + s.start,
                to: to + t.start,
                length,
            });
            left -= length;
            let rest = |range: ByteRange| ByteRange::new(range.start + length, range.end);
            source = Some(rest(s)).filter(|r| !r.is_empty()).or_else(|| sources.next());
            target = Some(rest(t)).filter(|r| !r.is_empty()).or_else(|| targets.next());
        }
        moves
    }
}

/// Keeps what a formatter writes.
struct Recorder {
    overlay: Overlay<Zeros>,
    writes: Vec<(u64, Vec<u8>)>,
}

/// A new medium.
#[derive(Debug)]
struct Zeros(u64);

impl ReadAt for Zeros {
    fn size(&self) -> u64 {
        self.0
    }

    fn read_at(&self, _: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        buf.fill(0);
        Ok(())
    }
}

impl ReadAt for Recorder {
    fn size(&self) -> u64 {
        self.overlay.size()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.overlay.read_at(offset, buf)
    }
}

impl Device for Recorder {
    fn sector_size(&self) -> SectorSize {
        self.overlay.sector_size()
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.overlay.write_at(offset, bytes)?;
        self.writes.push((offset, bytes.to_vec()));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        Ok(())
    }
}

impl Stager<'_, '_> {
    /// Writes a new volume into unallocated space. Nothing refers to it yet.
    pub(super) fn create_volume(&mut self, number: u32) -> Result<(), StageError> {
        let created = std::mem::take(&mut self.created);
        let size = self.observation.sector_size.bytes();
        for volume in created.into_iter().filter(|created| created.partition == number) {
            let range = ByteRange::new(volume.at.start * size, volume.at.end * size);
            for (offset, bytes) in volume.writes {
                self.write(range, offset, &bytes, phase::SHADOW)?;
            }
        }
        Ok(())
    }

    /// Adds the entry, with type and attributes at once: a partition that is an ordinary one for an instant gets a drive
    /// letter, or is encrypted.
    pub(super) fn add_partition(&mut self, number: u32, at: Sectors) -> Result<(), StageError> {
        let range = LbaRange::new(Lba(at.start), Lba(at.end));
        let (kind, guid) = match self.table.id() {
            crate::table::DiskId::Gpt(disk) => {
                let name = format!("winrefit recovery partition {number} at LBA {}", at.start);
                let guid = Uuid::new_v5(&Uuid::from_bytes_le(disk.to_bytes_le()), name.as_bytes());
                let kind = PartitionType::Gpt(gpt::PARTITION_MSFT_RECOVERY_GUID);
                (kind, Guid::from_u128(guid.as_u128()))
            }
            crate::table::DiskId::Mbr(_) => (PartitionType::Mbr(mbr::PARTITION_MSFT_RECOVERY), Guid::ZERO),
        };
        let attributes = gpt::GPT_ATTRIBUTE_PLATFORM_REQUIRED | gpt::GPT_BASIC_DATA_ATTRIBUTE_NO_DRIVE_LETTER;
        Ok(self
            .table
            .add(number, kind, range, (guid, attributes, NAME))
            .map_err(RepairError::from)?)
    }
}
