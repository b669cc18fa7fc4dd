//! An opened volume. Opening reads the boot sector and the $MFT's own record, nothing else.

use crate::boot::{BOOT_SECTOR_BYTES, BootSector};
use crate::error::NtfsError;
use crate::file::{ATTRIBUTE_LIST_BYTES_MAX, File, Stream, StreamBody, StreamReader, read_stream_at};
use crate::index::Directory;
use crate::mft::bootstrap_mft;
use crate::record::Record;
use crate::runs::{Run, RunList};
use crate::types::{AttributeType, FileReference, Geometry, Lcn, RecordNumber};
use crate::upcase::UpCase;
use std::sync::{Arc, OnceLock};
use winrefit_disk::{ByteRange, ReadAt};

/// Bytes per read when scanning. Sequential reads are joined by read-ahead; a chunk that stays in the processor's cache
/// makes a scan twice as fast as one of 1 MiB.
const SCAN_CHUNK_BYTES: usize = 64 << 10;
/// Records of a volume that is gone through: some sixteen million, a $MFT of 16 GiB.
pub const RECORDS_MAX: u64 = 1 << 24;
/// Components that a path may have.
const PATH_DEPTH_MAX: usize = 256;

/// An NTFS volume that is read. `R` is the medium from the boot sector on.
#[derive(Debug)]
pub struct Volume<R> {
    reader: R,
    boot: BootSector,
    mft: Stream,
    upcase: OnceLock<Arc<UpCase>>,
}

impl<R: ReadAt> Volume<R> {
    /// Opens the volume that begins at byte 0 of `reader`.
    ///
    /// # Errors
    /// [`NtfsError::NotNtfs`], [`NtfsError::BadBootSector`], [`NtfsError::Truncated`], or damage of the $MFT's record.
    pub fn open(reader: R) -> Result<Self, NtfsError> {
        let mut sector = [0; BOOT_SECTOR_BYTES];
        reader.read_at(0, &mut sector)?;
        let boot = BootSector::parse(&sector)?;
        let geometry = boot.geometry();
        let volume_bytes = geometry.total_sectors.saturating_mul(geometry.sector_size.into());
        if volume_bytes > reader.size() {
            return Err(NtfsError::Truncated {
                volume_bytes,
                available_bytes: reader.size(),
            });
        }
        let raw = reader.read_vec(geometry.offset_of(boot.mft_lcn()), geometry.record_size as usize)?;
        let base = Record::parse(RecordNumber::MFT, raw)?;
        let mft = bootstrap_mft(&reader, geometry, base)?;
        Ok(Self {
            reader,
            boot,
            mft,
            upcase: OnceLock::new(),
        })
    }

    /// The medium.
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// The boot sector.
    pub fn boot(&self) -> &BootSector {
        &self.boot
    }

    /// The volume's sizes.
    pub fn geometry(&self) -> Geometry {
        self.boot.geometry()
    }

    /// The $MFT's data stream.
    pub fn mft(&self) -> &Stream {
        &self.mft
    }

    /// The runs of the $MFT's data.
    pub fn mft_runs(&self) -> &RunList {
        static EMPTY: RunList = RunList(Vec::new());
        self.mft.runs().unwrap_or(&EMPTY)
    }

    /// Number of records in the $MFT.
    pub fn records(&self) -> u64 {
        self.mft.len() / u64::from(self.geometry().record_size)
    }

    /// Reads one record as it is on the disk, fixups in place.
    ///
    /// # Errors
    /// [`NtfsError::NoSuchRecord`] or an error of the medium.
    pub fn read_raw_record(&self, number: RecordNumber) -> Result<Vec<u8>, NtfsError> {
        read_raw_record(&self.reader, self.geometry(), &self.mft, number)
    }

    /// Reads one record.
    ///
    /// # Errors
    /// [`NtfsError::NoSuchRecord`], damage of the record, or an error of the medium.
    pub fn read_record(&self, number: RecordNumber) -> Result<Record, NtfsError> {
        Record::parse(number, self.read_raw_record(number)?)
    }

    /// Reads a file with its extension records.
    ///
    /// # Errors
    /// As [`Volume::read_record`], for any of the records.
    pub fn file(&self, number: RecordNumber) -> Result<File, NtfsError> {
        self.gather(self.read_record(number)?)
    }

    /// The file with this base record.
    pub(crate) fn gather(&self, base: Record) -> Result<File, NtfsError> {
        File::gather(
            base,
            |stream| self.read_small(stream),
            |number| self.read_record(number),
        )
    }

    /// Reads the file that a reference names.
    ///
    /// # Errors
    /// [`NtfsError::StaleReference`] if the record has been reused or is free.
    pub fn file_by_reference(&self, reference: FileReference) -> Result<File, NtfsError> {
        let file = self.file(reference.record)?;
        self.require_current(&file, reference)?;
        Ok(file)
    }

    /// Refuses a file that the reference does not name, or not any more.
    pub(crate) fn require_current(&self, file: &File, reference: FileReference) -> Result<(), NtfsError> {
        let actual = file.base().sequence();
        if !file.base().is_in_use() || (reference.sequence != 0 && reference.sequence != actual) {
            let (record, expected) = (reference.record, reference.sequence);
            return Err(NtfsError::StaleReference {
                record,
                expected,
                actual,
            });
        }
        Ok(())
    }

    /// A reader of a stream of this volume.
    ///
    /// # Errors
    /// As [`Stream::reader`].
    pub fn stream_reader(&self, stream: Stream) -> Result<StreamReader<&R>, NtfsError> {
        stream.reader(&self.reader, self.geometry())
    }

    /// Where the bytes of a stream lie on the volume, run by run, if they lie there as they are: `None` for a resident
    /// stream, one with holes, one that is not initialised to its end, and one with too few clusters.
    ///
    /// # Errors
    /// As [`Stream::reader`]: a compressed or encrypted stream, or one whose runs leave the volume.
    pub fn plain_ranges(&self, stream: &Stream) -> Result<Option<Vec<ByteRange>>, NtfsError> {
        self.stream_reader(stream.clone())?;
        let StreamBody::NonResident { runs, sizes } = &stream.body else {
            return Ok(None);
        };
        let geometry = self.geometry();
        let clusters = geometry.clusters();
        let range = |run: &Run| {
            let is_inside = |lcn: &Lcn| lcn.0 <= clusters && run.clusters <= clusters - lcn.0;
            let lcn = run.lcn.filter(is_inside)?;
            let end = geometry.offset_of(Lcn(lcn.0 + run.clusters));
            Some(ByteRange::new(geometry.offset_of(lcn), end))
        };
        let ranges: Option<Vec<ByteRange>> = runs.0.iter().map(range).collect();
        let is_whole = |ranges: &Vec<ByteRange>| {
            // One cluster may be named often by a damaged list.
            let length = ranges
                .iter()
                .fold(0u64, |sum, range| sum.saturating_add(range.len()));
            sizes.initialized >= sizes.data && length >= sizes.data
        };
        Ok(ranges.filter(is_whole))
    }

    /// The whole of a stream of at most `limit` bytes.
    ///
    /// # Errors
    /// [`NtfsError::TooMuch`] for a longer stream, and the errors of [`Stream::reader`].
    pub fn read_stream(&self, stream: Stream, limit: u64) -> Result<Vec<u8>, NtfsError> {
        let actual = stream.len();
        if actual > limit {
            return Err(NtfsError::TooMuch {
                what: "bytes of a stream",
                actual,
                limit,
            });
        }
        let reader = self.stream_reader(stream)?;
        Ok(reader.read_vec(0, actual as usize)?)
    }

    fn read_small(&self, stream: &Stream) -> Result<Vec<u8>, NtfsError> {
        self.read_stream(stream.clone(), ATTRIBUTE_LIST_BYTES_MAX)
    }

    /// The volume's own upper-case table, which directories are ordered by.
    ///
    /// # Errors
    /// Damage of $UpCase.
    pub fn upcase(&self) -> Result<Arc<UpCase>, NtfsError> {
        if let Some(table) = self.upcase.get() {
            return Ok(Arc::clone(table));
        }
        let stream = self
            .file(RecordNumber::UP_CASE)?
            .require(AttributeType::DATA, "")?;
        let table = Arc::new(UpCase::from_bytes(
            &self.read_stream(stream, UpCase::BYTES as u64)?,
        )?);
        Ok(Arc::clone(self.upcase.get_or_init(|| table)))
    }

    /// The directory that a file is.
    ///
    /// # Errors
    /// [`NtfsError::MissingAttribute`] if the file is no directory, or damage of its index.
    pub fn directory(&self, file: &File) -> Result<Directory<'_, R>, NtfsError> {
        Directory::open(self, file)
    }

    /// Finds a file by its path from the root, components separated by `\` or `/`, ignoring case.
    ///
    /// # Errors
    /// Damage met on the way. A path that does not exist is `Ok(None)`.
    pub fn lookup(&self, path: &str) -> Result<Option<File>, NtfsError> {
        let mut file = self.file(RecordNumber::ROOT)?;
        for (depth, component) in path.split(['\\', '/']).filter(|c| !c.is_empty()).enumerate() {
            if depth >= PATH_DEPTH_MAX || !file.is_directory() {
                return Ok(None);
            }
            match self.directory(&file)?.find(component)? {
                Some(reference) => file = self.file_by_reference(reference)?,
                None => return Ok(None),
            }
        }
        Ok(Some(file))
    }

    /// Whether there are no more records than can be gone through.
    ///
    /// # Errors
    /// [`NtfsError::TooMuch`] for more than [`RECORDS_MAX`].
    pub(crate) fn check_records(&self) -> Result<(), NtfsError> {
        let (what, actual, limit) = ("file records", self.records(), RECORDS_MAX);
        match actual > limit {
            true => Err(NtfsError::TooMuch { what, actual, limit }),
            false => Ok(()),
        }
    }

    /// Calls `visit` for every record of the $MFT in order, with the record's bytes as they are on the disk. Reads
    /// in large chunks.
    ///
    /// # Errors
    /// An error of the medium or of `visit`; [`NtfsError::TooMuch`] for more than [`RECORDS_MAX`].
    pub fn scan<E: From<NtfsError>>(
        &self,
        mut visit: impl FnMut(RecordNumber, &mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check_records()?;
        let record_size = self.geometry().record_size as usize;
        let reader = self.stream_reader(self.mft.clone())?;
        let total = self.records() * record_size as u64;
        let mut buf = vec![0; SCAN_CHUNK_BYTES];
        let mut offset = 0u64;
        while offset < total {
            let length = (total - offset).min(buf.len() as u64) as usize;
            let chunk = &mut buf[..length];
            reader.read_at(offset, chunk).map_err(NtfsError::from)?;
            for (index, raw) in chunk.chunks_exact_mut(record_size).enumerate() {
                visit(RecordNumber(offset / record_size as u64 + index as u64), raw)?;
            }
            offset += length as u64;
        }
        Ok(())
    }
}

pub(crate) fn read_raw_record<R: ReadAt>(
    reader: &R,
    geometry: Geometry,
    mft: &Stream,
    number: RecordNumber,
) -> Result<Vec<u8>, NtfsError> {
    let size = u64::from(geometry.record_size);
    let records = mft.len() / size;
    if number.0 >= records {
        return Err(NtfsError::NoSuchRecord {
            record: number,
            records,
        });
    }
    let mut raw = vec![0; size as usize];
    read_stream_at(reader, geometry, mft, number.0 * size, &mut raw)?;
    Ok(raw)
}
