//! A file: its base record, its extension records, and the streams whose pieces lie in them.

use crate::attribute::{
    Attribute, FLAG_COMPRESSED_MASK, FLAG_ENCRYPTED, FileName, StreamSizes, parse_attribute_list,
};
use crate::error::NtfsError;
pub use crate::reader::StreamReader;
pub(crate) use crate::reader::read_stream_at;
use crate::record::Record;
use crate::runs::RunList;
use crate::types::{AttributeType, Geometry, RecordNumber, Vcn};
use std::collections::HashSet;
use winrefit_disk::ReadAt;

/// Records that one file can have. Windows allows an attribute list of 256 KiB, entries of at least 32 bytes.
pub const RECORDS_MAX_PER_FILE: usize = 8192;
/// Runs that one stream can have: some more than an attribute list can name in records of 1 KiB.
pub const RUNS_MAX_PER_STREAM: usize = 1 << 21;
/// Bytes that an attribute list can have (Microsoft: 256 KiB).
pub const ATTRIBUTE_LIST_BYTES_MAX: u64 = 256 << 10;

/// A file with all its records.
#[derive(Debug, Clone)]
pub struct File {
    records: Vec<Record>,
}

impl File {
    /// Gathers the extension records that the base record's attribute list names, through `read_record`.
    ///
    /// # Errors
    /// Whatever reading returns; [`NtfsError::StaleReference`] if an extension record belongs to another file.
    pub(crate) fn gather(
        base: Record,
        read_stream: impl Fn(&Stream) -> Result<Vec<u8>, NtfsError>,
        read_record: impl Fn(RecordNumber) -> Result<Record, NtfsError>,
    ) -> Result<Self, NtfsError> {
        let number = base.number();
        let list = match base.find(AttributeType::ATTRIBUTE_LIST, "")? {
            None => return Ok(Self { records: vec![base] }),
            Some(list) => match list.value() {
                Some(value) => value.to_vec(),
                None => read_stream(&Stream::from_pieces(
                    number,
                    AttributeType::ATTRIBUTE_LIST,
                    &[list],
                )?)?,
            },
        };
        let own = base.reference();
        let mut records = vec![base];
        let mut known = HashSet::from([number]);
        for entry in parse_attribute_list(number, &list)? {
            if !known.insert(entry.holder.record) {
                continue;
            }
            if records.len() >= RECORDS_MAX_PER_FILE {
                let limit = RECORDS_MAX_PER_FILE as u64;
                return Err(NtfsError::TooMuch {
                    what: "records of one file",
                    actual: limit + 1,
                    limit,
                });
            }
            let extension = read_record(entry.holder.record)?;
            if !extension.is_in_use() || extension.base().map(|b| b.record) != Some(own.record) {
                return Err(NtfsError::StaleReference {
                    record: entry.holder.record,
                    expected: entry.holder.sequence,
                    actual: extension.sequence(),
                });
            }
            records.push(extension);
        }
        Ok(Self { records })
    }

    /// A file as far as its base record tells.
    pub(crate) fn of_base(base: Record) -> Self {
        Self { records: vec![base] }
    }

    /// The base record.
    pub fn base(&self) -> &Record {
        &self.records[0]
    }

    /// Base record first, then the extension records.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Number of the base record.
    pub fn number(&self) -> RecordNumber {
        self.base().number()
    }

    /// Whether the file is a directory.
    pub fn is_directory(&self) -> bool {
        self.base().is_directory()
    }

    /// All attributes of all records. Damage ends the record it is in.
    pub fn attributes(&self) -> impl Iterator<Item = Result<Attribute<'_>, NtfsError>> {
        self.records.iter().flat_map(Record::attributes)
    }

    /// The names of the file, DOS names included.
    ///
    /// # Errors
    /// The damage met.
    pub fn names(&self) -> Result<Vec<FileName>, NtfsError> {
        let mut names = Vec::new();
        for attribute in self.attributes() {
            let attribute = attribute?;
            if attribute.type_code() == AttributeType::FILE_NAME {
                names.extend(attribute.value().and_then(FileName::parse));
            }
        }
        Ok(names)
    }

    /// The stream of this type and name, or `None` if the file has none.
    ///
    /// # Errors
    /// The damage met; [`NtfsError::StreamGap`] if a piece is missing.
    pub fn stream(&self, type_code: AttributeType, name: &str) -> Result<Option<Stream>, NtfsError> {
        let mut pieces = Vec::new();
        for attribute in self.attributes() {
            let attribute = attribute?;
            if attribute.type_code() == type_code && attribute.is_named(name) {
                pieces.push(attribute);
            }
        }
        if pieces.is_empty() {
            return Ok(None);
        }
        pieces.sort_by_key(Attribute::lowest_vcn);
        Stream::from_pieces(self.number(), type_code, &pieces).map(Some)
    }

    /// As [`File::stream`], where the file must have it.
    ///
    /// # Errors
    /// [`NtfsError::MissingAttribute`] besides the errors of [`File::stream`].
    pub fn require(&self, type_code: AttributeType, name: &str) -> Result<Stream, NtfsError> {
        let missing = NtfsError::MissingAttribute {
            record: self.number(),
            attribute: type_code,
        };
        self.stream(type_code, name)?.ok_or(missing)
    }
}

/// Where the bytes of a stream are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamBody {
    /// In the file record.
    Resident(Vec<u8>),
    /// In clusters.
    NonResident {
        /// All runs.
        runs: RunList,
        /// The three sizes.
        sizes: StreamSizes,
    },
}

/// A stream, independent of the record it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The file's base record.
    pub record: RecordNumber,
    /// Type of the attribute.
    pub type_code: AttributeType,
    /// Flags of the attribute: compressed, encrypted, sparse.
    pub flags: u16,
    /// The bytes or where they are.
    pub body: StreamBody,
}

impl Stream {
    /// An unnamed stream that is whole in this record.
    pub(crate) fn whole(record: &Record, type_code: AttributeType) -> Result<Self, NtfsError> {
        let pieces: Vec<_> = record.find(type_code, "")?.into_iter().collect();
        Self::from_pieces(record.number(), type_code, &pieces)
    }

    fn from_pieces(
        record: RecordNumber,
        type_code: AttributeType,
        pieces: &[Attribute<'_>],
    ) -> Result<Self, NtfsError> {
        let Some(first) = pieces.first() else {
            return Err(NtfsError::MissingAttribute {
                record,
                attribute: type_code,
            });
        };
        let flags = first.flags();
        if let Some(value) = first.value() {
            return Ok(Self {
                record,
                type_code,
                flags,
                body: StreamBody::Resident(value.to_vec()),
            });
        }
        let mut runs = RunList::default();
        let mut expected = Vcn(0);
        for piece in pieces {
            if piece.lowest_vcn() != expected {
                let actual = piece.lowest_vcn();
                return Err(NtfsError::StreamGap {
                    record,
                    attribute: type_code,
                    expected,
                    actual,
                });
            }
            for run in piece.runs()?.0 {
                runs.push(run);
            }
            if runs.0.len() > RUNS_MAX_PER_STREAM {
                return Err(NtfsError::TooMuch {
                    what: "runs of one stream",
                    actual: runs.0.len() as u64,
                    limit: RUNS_MAX_PER_STREAM as u64,
                });
            }
            expected = piece.end_vcn();
        }
        let gap = NtfsError::StreamGap {
            record,
            attribute: type_code,
            expected: Vcn(0),
            actual: first.lowest_vcn(),
        };
        let sizes = first.sizes().ok_or(gap)?;
        Ok(Self {
            record,
            type_code,
            flags,
            body: StreamBody::NonResident { runs, sizes },
        })
    }

    /// Bytes of data.
    pub fn len(&self) -> u64 {
        match &self.body {
            StreamBody::Resident(value) => value.len() as u64,
            StreamBody::NonResident { sizes, .. } => sizes.data,
        }
    }

    /// Whether the stream has no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The runs, or `None` for a resident stream.
    pub fn runs(&self) -> Option<&RunList> {
        match &self.body {
            StreamBody::Resident(_) => None,
            StreamBody::NonResident { runs, .. } => Some(runs),
        }
    }

    /// A reader of the stream's bytes on the volume `volume`.
    ///
    /// # Errors
    /// [`NtfsError::NotPlain`] if the stream is compressed or encrypted; [`NtfsError::ClusterOutOfBounds`].
    pub fn reader<R: ReadAt>(self, volume: R, geometry: Geometry) -> Result<StreamReader<R>, NtfsError> {
        let not_plain = |how| {
            Err(NtfsError::NotPlain {
                record: self.record,
                attribute: self.type_code,
                how,
            })
        };
        // A sparse stream has the mask bits clear; its holes read as zeros.
        if self.flags & FLAG_COMPRESSED_MASK != 0 && matches!(self.body, StreamBody::NonResident { .. }) {
            return not_plain("compressed");
        }
        if self.flags & FLAG_ENCRYPTED != 0 {
            return not_plain("encrypted");
        }
        let clusters = geometry.clusters();
        for run in self.runs().iter().flat_map(|runs| &runs.0) {
            if let Some(lcn) = run
                .lcn
                .filter(|lcn| lcn.0.saturating_add(run.clusters) > clusters)
            {
                return Err(NtfsError::ClusterOutOfBounds {
                    record: self.record,
                    attribute: self.type_code,
                    lcn,
                    clusters,
                });
            }
        }
        Ok(StreamReader::new(volume, geometry, self))
    }
}
