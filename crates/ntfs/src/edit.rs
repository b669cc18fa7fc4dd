//! Changes to a volume as values: a list of writes, each with the step it belongs to. Nothing here writes; the
//! caller applies the edits to a staged copy, proves the result, and commits the steps in order.

use crate::attribute::{Attribute, FileName, offsets};
use crate::bytes::put;
use crate::error::NtfsError;
use crate::file::{File, Stream, StreamBody};
use crate::fixup;
use crate::record::Record;
use crate::runs::RunList;
use crate::sizes::{SizeChange, update_entries, update_own_name};
use crate::types::{AttributeType, Geometry, RecordNumber};
use crate::volume::Volume;
use std::collections::{BTreeMap, BTreeSet};
use winrefit_disk::{Device, DiskError, ReadAt};

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Edits of a lower step have to be durable before those of a higher one.
    pub step: u8,
    /// Byte offset from the start of the volume.
    pub offset: u64,
    /// The new bytes.
    pub bytes: Vec<u8>,
}

/// All writes of one change, in order of their steps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edits(pub Vec<Edit>);

impl Edits {
    /// Writes all edits to `device`, which begins where the volume does.
    ///
    /// # Errors
    /// Whatever writing returns.
    pub fn apply<D: Device + ?Sized>(&self, device: &mut D) -> Result<(), DiskError> {
        self.0
            .iter()
            .try_for_each(|edit| device.write_at(edit.offset, &edit.bytes))
    }

    pub(crate) fn push(&mut self, step: u8, offset: u64, bytes: Vec<u8>) {
        self.0.push(Edit { step, offset, bytes });
    }
}

/// Collects changes of records and streams of a volume.
pub(crate) struct Editor<'v, R> {
    volume: &'v Volume<R>,
    /// Records being changed, with their bytes on the disk.
    records: BTreeMap<RecordNumber, (Vec<u8>, Record)>,
    edits: Edits,
}

impl<'v, R: ReadAt> Editor<'v, R> {
    pub(crate) fn new(volume: &'v Volume<R>) -> Self {
        Self {
            volume,
            records: BTreeMap::new(),
            edits: Edits::default(),
        }
    }

    /// The record as changed so far.
    pub(crate) fn record(&mut self, number: RecordNumber) -> Result<&mut Record, NtfsError> {
        match self.records.entry(number) {
            std::collections::btree_map::Entry::Occupied(entry) => Ok(&mut entry.into_mut().1),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let raw = self.volume.read_raw_record(number)?;
                let record = Record::parse(number, raw.clone())?;
                Ok(&mut entry.insert((raw, record)).1)
            }
        }
    }

    /// The record as it is on the disk, and as it will be there.
    pub(crate) fn protected(&mut self, number: RecordNumber) -> Result<(Vec<u8>, Vec<u8>), NtfsError> {
        let bytes = self.record(number)?.bytes().to_vec();
        let raw = self
            .records
            .get(&number)
            .map(|(raw, _)| raw.clone())
            .unwrap_or_default();
        let protected = fixup::protect_over(&bytes, &raw);
        Ok((raw, protected))
    }

    /// Writes at a byte offset of the volume.
    pub(crate) fn write(&mut self, step: u8, offset: u64, bytes: Vec<u8>) {
        self.edits.push(step, offset, bytes);
    }

    /// Writes into the clusters that a stream has.
    pub(crate) fn write_stream(
        &mut self,
        step: u8,
        stream: &Stream,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), NtfsError> {
        for (from, to, at) in stream_places(stream, self.volume.geometry(), offset, bytes.len())? {
            self.edits.push(step, at, bytes[from..to].to_vec());
        }
        Ok(())
    }

    /// The edits, those of the changed records (and of their copies in $MFTMirr) in `step`.
    pub(crate) fn finish(mut self, step: u8) -> Result<Edits, NtfsError> {
        let record_size = u64::from(self.volume.geometry().record_size);
        let mirror = self
            .volume
            .file(RecordNumber::MFT_MIRR)?
            .require(AttributeType::DATA, "")?;
        for (number, (raw, record)) in std::mem::take(&mut self.records) {
            let bytes = fixup::protect_over(record.bytes(), &raw);
            let at = number.0 * record_size;
            self.write_stream(step, self.volume.mft(), at, &bytes)?;
            if at + record_size <= mirror.len() {
                self.write_stream(step, &mirror, at, &bytes)?;
            }
        }
        self.edits.0.sort_by_key(|edit| edit.step);
        Ok(self.edits)
    }
}

/// Where `length` bytes at `offset` of a stream lie: (from, to) in the bytes, and the place on the volume.
pub(crate) fn stream_places(
    stream: &Stream,
    geometry: Geometry,
    offset: u64,
    length: usize,
) -> Result<Vec<(usize, usize, u64)>, NtfsError> {
    let outside = || {
        let disk = DiskError::OutOfBounds {
            offset,
            length: length as u64,
            device_len: stream.len(),
        };
        NtfsError::Disk(disk)
    };
    let end = offset.checked_add(length as u64).ok_or_else(outside)?;
    let mut places = Vec::new();
    let mut start = 0u64;
    for run in stream.runs().into_iter().flat_map(|runs| &runs.0) {
        let run_end = start.saturating_add(run.clusters.saturating_mul(geometry.cluster_size.into()));
        let (from, to) = (start.max(offset), run_end.min(end));
        if from < to {
            let lcn = run.lcn.ok_or_else(outside)?;
            let at = geometry.offset_of(lcn) + (from - start);
            places.push(((from - offset) as usize, (to - offset) as usize, at));
        }
        start = run_end;
    }
    if places.last().map_or(0, |place| place.1) != length {
        return Err(outside());
    }
    Ok(places)
}

/// New sizes of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewSizes {
    pub allocated: u64,
    pub data: u64,
    pub initialized: u64,
}

/// The attribute with other runs and, where given, other sizes. Never shorter than it was, so that what follows in
/// the record moves only when it must.
pub(crate) fn with_runs(attribute: &Attribute<'_>, runs: &RunList, sizes: Option<NewSizes>) -> Vec<u8> {
    let pairs_at = attribute.mapping_pairs_offset();
    let mut bytes = attribute.bytes()[..pairs_at].to_vec();
    bytes.extend_from_slice(&runs.encode());
    bytes.resize(bytes.len().next_multiple_of(8).max(attribute.bytes().len()), 0);
    let length = bytes.len() as u32;
    put(&mut bytes, offsets::LENGTH, &length.to_le_bytes());
    let highest = (attribute.lowest_vcn().0 + runs.clusters()).wrapping_sub(1);
    put(&mut bytes, offsets::HIGHEST_VCN, &highest.to_le_bytes());
    if let Some(sizes) = sizes {
        put(
            &mut bytes,
            offsets::ALLOCATED_SIZE,
            &sizes.allocated.to_le_bytes(),
        );
        put(&mut bytes, offsets::DATA_SIZE, &sizes.data.to_le_bytes());
        put(
            &mut bytes,
            offsets::INITIALIZED_SIZE,
            &sizes.initialized.to_le_bytes(),
        );
    }
    bytes
}

/// The attribute with another resident value.
pub(crate) fn with_value(attribute: &Attribute<'_>, value: &[u8]) -> Vec<u8> {
    let value_at = attribute.value_offset();
    let mut bytes = attribute.bytes()[..value_at].to_vec();
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let length = bytes.len() as u32;
    put(&mut bytes, offsets::LENGTH, &length.to_le_bytes());
    put(
        &mut bytes,
        offsets::VALUE_LENGTH,
        &(value.len() as u32).to_le_bytes(),
    );
    bytes
}

/// Why a file's content cannot be replaced in place.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The volume is damaged, or the medium failed.
    #[error(transparent)]
    Ntfs(#[from] NtfsError),
    /// No such file.
    #[error("there is no file {path}")]
    NotFound {
        /// The path looked for.
        path: String,
    },
    /// The new content needs more clusters than the file has.
    #[error("{path} has room for {room} bytes, and {needed} are needed")]
    NoRoom {
        /// The file.
        path: String,
        /// Bytes that fit.
        room: u64,
        /// Bytes of the new content.
        needed: u64,
    },
}

/// The edits that give the file at `path` another content, within the record or the clusters that it has now. Copies of
/// its sizes in its directories are updated where they were true.
///
/// ```
/// use winrefit_disk::{MemoryDevice, SectorSize};
/// use winrefit_ntfs::edit::replace_content;
/// use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
/// use winrefit_ntfs::{AttributeType, Volume};
///
/// let mut disk = MemoryDevice::zeroed(16 << 20, SectorSize::B512);
/// let mut builder = VolumeBuilder::new(FormatOptions::new((16 << 20) / 512))?;
/// builder.add_file("a.txt", 0, FileData::Bytes(b"old".to_vec()))?;
/// builder.write_to(&mut disk)?;
///
/// let edits = replace_content(&Volume::open(&disk)?, "a.txt", b"newer")?;
/// edits.apply(&mut disk)?;
///
/// let volume = Volume::open(&disk)?;
/// let file = volume.lookup("a.txt")?.ok_or("no such file")?;
/// let stream = file.require(AttributeType::DATA, "")?;
/// assert_eq!(volume.read_stream(stream, 1 << 20)?, b"newer");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`EditError`]; a compressed or encrypted file is [`NtfsError::NotPlain`].
pub fn replace_content<R: ReadAt>(
    volume: &Volume<R>,
    path: &str,
    content: &[u8],
) -> Result<Edits, EditError> {
    let not_found = || EditError::NotFound {
        path: path.to_owned(),
    };
    let file = volume.lookup(path)?.ok_or_else(not_found)?;
    let stream = file.require(AttributeType::DATA, "")?;
    // Refuses what is not plain before anything is planned.
    let reader = volume.stream_reader(stream.clone())?;
    let mut editor = Editor::new(volume);
    let needed = content.len() as u64;
    let holder = file
        .attributes()
        .flatten()
        .find(|a| a.type_code() == AttributeType::DATA && a.is_named("") && a.lowest_vcn().0 == 0)
        .map_or(file.number(), |a| a.record());
    let data = |record: &Record| -> Result<(usize, usize, Vec<u8>), NtfsError> {
        let missing = NtfsError::MissingAttribute {
            record: file.number(),
            attribute: AttributeType::DATA,
        };
        let attribute = record.find(AttributeType::DATA, "")?.ok_or(missing)?;
        let new = match &stream.body {
            StreamBody::Resident(_) => with_value(&attribute, content),
            StreamBody::NonResident { runs: _, sizes } => {
                let sizes = NewSizes {
                    allocated: sizes.allocated,
                    data: needed,
                    initialized: needed,
                };
                with_runs(&attribute, &attribute.runs()?, Some(sizes))
            }
        };
        Ok((attribute.offset(), attribute.bytes().len(), new))
    };
    if let StreamBody::NonResident { sizes, .. } = &stream.body {
        if needed > sizes.allocated {
            return Err(EditError::NoRoom {
                path: path.to_owned(),
                room: sizes.allocated,
                needed,
            });
        }
        // Unchanged bytes are not written: a patch of one number touches one sector.
        let old = reader
            .read_vec(0, sizes.data.min(needed) as usize)
            .map_err(NtfsError::from)?;
        let first = old.iter().zip(content).take_while(|(a, b)| a == b).count();
        // Behind the initialised size the clusters hold something else than the zeros that were read.
        let first = first.min(sizes.initialized as usize);
        if first < content.len() {
            editor.write_stream(0, &stream, first as u64, &content[first..])?;
        }
        if sizes.data == needed && sizes.initialized >= needed {
            return Ok(editor.finish(0)?);
        }
    }
    let record = editor.record(holder)?;
    let (offset, old_length, new) = data(record)?;
    record.replace_attribute(offset, old_length, &new)?;
    update_size_copies(volume, &mut editor, (&file, &stream), needed)?;
    Ok(editor.finish(0)?)
}

/// Updates the copies of a file's sizes in its name and in its directories.
fn update_size_copies<R: ReadAt>(
    volume: &Volume<R>,
    editor: &mut Editor<'_, R>,
    (file, stream): (&File, &Stream),
    needed: u64,
) -> Result<(), NtfsError> {
    let (before, allocated) = match &stream.body {
        StreamBody::Resident(value) => {
            let length = value.len() as u64;
            ((length.next_multiple_of(8), length), needed.next_multiple_of(8))
        }
        StreamBody::NonResident { sizes, .. } => ((sizes.allocated, sizes.data), sizes.allocated),
    };
    let change = SizeChange {
        record: file.number(),
        before,
        after: (allocated, needed),
    };
    let names = file.attributes().flatten();
    let names = names.filter(|a| a.type_code() == AttributeType::FILE_NAME);
    let parents: BTreeSet<_> = names
        .filter_map(|a| Some(FileName::parse(a.value()?)?.parent.record))
        .collect();
    update_own_name(editor.record(file.number())?, &change)?;
    for parent in parents {
        update_entries(volume, editor, (parent, 0), &[change])?;
    }
    Ok(())
}
