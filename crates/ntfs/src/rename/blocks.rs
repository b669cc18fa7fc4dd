//! Index blocks of a directory: which are in use, where they lie, and how the index gets more of them.

use super::RenameError;
use super::attributes::{add, non_resident, replace, replace_where, resident};
use super::space::Space;
use crate::check::vcn_unit;
use crate::edit::{Editor, NewSizes, with_runs, with_value};
use crate::error::NtfsError;
use crate::file::{File, Stream, StreamBody, read_stream_at};
use crate::index::I30;
use crate::runs::{Run, RunList};
use crate::types::{AttributeType, Geometry, Lcn, RecordNumber, Vcn};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// Bytes that the bitmap of an index grows by: it has a multiple of them.
const BITMAP_STEP: usize = 8;
/// Bytes that the bitmap of an index may have: the blocks of a terabyte.
const BITMAP_BYTES_MAX: u64 = 32 << 20;

/// What several directories of one renaming share.
pub(super) struct Changes<'v, R> {
    pub(super) volume: &'v Volume<R>,
    pub(super) editor: Editor<'v, R>,
    pub(super) space: Space,
}

/// $INDEX_ALLOCATION and $BITMAP of a directory.
pub(super) struct Blocks {
    directory: RecordNumber,
    geometry: Geometry,
    pub(super) size: usize,
    /// $INDEX_ALLOCATION as it will be.
    stream: Option<Stream>,
    /// Bytes of it that are on the disk: what lies behind is new.
    bytes_on_disk: u64,
    /// Records that hold its first and its last piece.
    pieces: (RecordNumber, RecordNumber),
    bitmap: Vec<u8>,
    bitmap_stream: Option<Stream>,
    bitmap_holder: RecordNumber,
    is_bitmap_changed: bool,
    /// Whether the directory has an attribute list, so that no attribute can be added.
    is_split: bool,
}

impl Blocks {
    /// Reads the bitmap, and where the blocks are.
    pub(super) fn open<R: ReadAt>(
        volume: &Volume<R>,
        file: &File,
        block_size: usize,
    ) -> Result<Self, RenameError> {
        let (directory, base) = (file.number(), file.number());
        let stream = file.stream(AttributeType::INDEX_ALLOCATION, I30)?;
        let bitmap_stream = file.stream(AttributeType::BITMAP, I30)?;
        let bitmap = bitmap_stream
            .clone()
            .map(|s| volume.read_stream(s, BITMAP_BYTES_MAX));
        let holders = |type_code| -> Result<Vec<RecordNumber>, NtfsError> {
            let mut pieces = Vec::new();
            for attribute in file.attributes() {
                let attribute = attribute?;
                if attribute.type_code() == type_code && attribute.is_named(I30) {
                    pieces.push((attribute.lowest_vcn(), attribute.record()));
                }
            }
            pieces.sort_unstable();
            Ok(pieces.into_iter().map(|(_, record)| record).collect())
        };
        let pieces = holders(AttributeType::INDEX_ALLOCATION)?;
        let bitmap_pieces = holders(AttributeType::BITMAP)?;
        if let Some(StreamBody::NonResident { sizes, .. }) = stream.as_ref().map(|stream| &stream.body)
            && sizes.initialized != sizes.data
        {
            return Err(full(directory, "its blocks are not initialised to the end"));
        }
        Ok(Self {
            directory,
            geometry: volume.geometry(),
            size: block_size,
            bytes_on_disk: stream.as_ref().map_or(0, Stream::len),
            stream,
            pieces: (
                pieces.first().copied().unwrap_or(base),
                pieces.last().copied().unwrap_or(base),
            ),
            bitmap: bitmap.transpose()?.unwrap_or_default(),
            bitmap_stream,
            bitmap_holder: bitmap_pieces.first().copied().unwrap_or(base),
            is_bitmap_changed: false,
            is_split: file.base().find(AttributeType::ATTRIBUTE_LIST, "")?.is_some(),
        })
    }

    fn unit(&self) -> u64 {
        vcn_unit(self.size, self.geometry)
    }

    /// The bytes of a block as they are on the disk; `None` for one that is new there.
    pub(super) fn read<R: ReadAt>(&self, volume: &Volume<R>, vcn: Vcn) -> Result<Option<Vec<u8>>, NtfsError> {
        let offset = vcn.0.saturating_mul(self.unit());
        let end = offset.saturating_add(self.size as u64);
        let Some(stream) = self.stream.as_ref().filter(|_| end <= self.bytes_on_disk) else {
            return Ok(None);
        };
        let mut bytes = vec![0; self.size];
        read_stream_at(volume.reader(), self.geometry, stream, offset, &mut bytes)?;
        Ok(Some(bytes))
    }

    pub(super) fn write<R: ReadAt>(
        &self,
        editor: &mut Editor<'_, R>,
        (vcn, step): (Vcn, u8),
        bytes: &[u8],
    ) -> Result<(), RenameError> {
        let stream = self.stream.as_ref().ok_or(NtfsError::MissingAttribute {
            record: self.directory,
            attribute: AttributeType::INDEX_ALLOCATION,
        })?;
        Ok(editor.write_stream(step, stream, vcn.0.saturating_mul(self.unit()), bytes)?)
    }

    fn mark(&mut self, block: u64, used: bool) {
        let mask = 1u8 << (block % 8);
        if let Some(byte) = self.bitmap.get_mut((block / 8) as usize) {
            *byte = if used { *byte | mask } else { *byte & !mask };
            self.is_bitmap_changed = true;
        }
    }

    /// Gives a block back.
    pub(super) fn free(&mut self, vcn: Vcn) {
        self.mark(vcn.0.saturating_mul(self.unit()) / self.size as u64, false);
    }

    /// Takes a free block, or a new one at the end.
    pub(super) fn take<R: ReadAt>(&mut self, changes: &mut Changes<'_, R>) -> Result<Vcn, RenameError> {
        let count = self.stream.as_ref().map_or(0, Stream::len) / self.size as u64;
        let is_free = |&block: &u64| {
            let byte = self.bitmap.get((block / 8) as usize);
            byte.is_some_and(|byte| byte >> (block % 8) & 1 == 0)
        };
        let block = match (0..count).find(is_free) {
            Some(block) => block,
            None => {
                self.extend(changes)?;
                count
            }
        };
        self.mark(block, true);
        Ok(Vcn(block * self.size as u64 / self.unit()))
    }

    /// Adds a block at the end.
    fn extend<R: ReadAt>(&mut self, changes: &mut Changes<'_, R>) -> Result<(), RenameError> {
        let size = self.size as u64;
        let length = self.stream.as_ref().map_or(0, Stream::len) + size;
        self.make_bits_for((length / size) as usize, changes)?;
        let (allocated, near) = match self.stream.as_ref().map(|stream| &stream.body) {
            Some(StreamBody::NonResident { sizes, runs }) => {
                let end = |run: &Run| Some(Lcn(run.lcn?.0 + run.clusters));
                (sizes.allocated, runs.0.last().and_then(end).unwrap_or_default())
            }
            Some(StreamBody::Resident(_)) => {
                return Err(full(self.directory, "its blocks lie in the record"));
            }
            None => (0, Lcn(0)),
        };
        let missing = self.geometry.clusters_for(length.saturating_sub(allocated));
        let mut run = None;
        if missing > 0 {
            let lcn = changes.space.take(changes.volume, near, missing)?;
            let lcn = lcn.ok_or_else(|| full(self.directory, "the volume has no free clusters in a row"))?;
            run = Some(Run {
                lcn: Some(lcn),
                clusters: missing,
            });
        }
        let sizes = NewSizes {
            allocated: allocated + missing * u64::from(self.geometry.cluster_size),
            data: length,
            initialized: length,
        };
        let done = match self.stream.is_some() {
            true => self.lengthen(run, sizes, changes),
            false => self.create(run, sizes, changes),
        };
        if done.is_err() && run.is_some() {
            changes.space.undo();
        }
        done
    }

    /// Makes the bitmap long enough.
    fn make_bits_for<R: ReadAt>(
        &mut self,
        blocks: usize,
        changes: &mut Changes<'_, R>,
    ) -> Result<(), RenameError> {
        let before = self.bitmap.len();
        if blocks <= before * 8 {
            return Ok(());
        }
        self.bitmap
            .resize(self.bitmap.len().next_multiple_of(BITMAP_STEP), 0);
        while blocks > self.bitmap.len() * 8 {
            self.bitmap.extend([0; BITMAP_STEP]);
        }
        match self.bitmap_stream.as_mut().map(|stream| &mut stream.body) {
            // Added with the first block.
            None => Ok(()),
            Some(StreamBody::Resident(_)) => {
                let done = self.save_resident_bitmap(&mut changes.editor);
                // The next try has to find it as it is in the record.
                if done.is_err() {
                    self.bitmap.truncate(before);
                }
                done
            }
            Some(StreamBody::NonResident { sizes, .. }) => {
                let length = self.bitmap.len() as u64;
                if length > sizes.allocated || sizes.initialized != sizes.data {
                    return Err(full(self.directory, "the bitmap of its blocks has no room"));
                }
                (sizes.data, sizes.initialized) = (length, length);
                let new = NewSizes {
                    allocated: sizes.allocated,
                    data: length,
                    initialized: length,
                };
                let record = changes.editor.record(self.bitmap_holder)?;
                replace(record, AttributeType::BITMAP, Vcn(0), |attribute| {
                    Ok(with_runs(attribute, &attribute.runs()?, Some(new)))
                })
            }
        }
    }

    fn save_resident_bitmap<R: ReadAt>(&self, editor: &mut Editor<'_, R>) -> Result<(), RenameError> {
        let record = editor.record(self.bitmap_holder)?;
        replace(record, AttributeType::BITMAP, Vcn(0), |attribute| {
            Ok(with_value(attribute, &self.bitmap))
        })
    }

    /// Notes the bitmap, if it has changed.
    pub(super) fn save<R: ReadAt>(&self, editor: &mut Editor<'_, R>, step: u8) -> Result<(), RenameError> {
        match &self.bitmap_stream {
            Some(stream) if self.is_bitmap_changed => match stream.body {
                StreamBody::Resident(_) => self.save_resident_bitmap(editor),
                StreamBody::NonResident { .. } => Ok(editor.write_stream(step, stream, 0, &self.bitmap)?),
            },
            _ => Ok(()),
        }
    }

    /// Lets the blocks' attribute end later.
    fn lengthen<R: ReadAt>(
        &mut self,
        run: Option<Run>,
        sizes: NewSizes,
        changes: &mut Changes<'_, R>,
    ) -> Result<(), RenameError> {
        let Some(StreamBody::NonResident {
            runs: all,
            sizes: known,
        }) = self.stream.as_mut().map(|stream| &mut stream.body)
        else {
            return Ok(());
        };
        let (first, last) = self.pieces;
        let end = Vcn(all.clusters());
        let record = changes.editor.record(first)?;
        replace(record, AttributeType::INDEX_ALLOCATION, Vcn(0), |attribute| {
            Ok(with_runs(attribute, &attribute.runs()?, Some(sizes)))
        })?;
        if let Some(run) = run {
            let record = changes.editor.record(last)?;
            replace_where(
                record,
                |attribute| {
                    attribute.type_code() == AttributeType::INDEX_ALLOCATION
                        && attribute.is_named(I30)
                        && attribute.end_vcn() == end
                },
                |attribute| {
                    let mut runs = attribute.runs()?;
                    runs.push(run);
                    Ok(with_runs(attribute, &runs, None))
                },
            )?;
            all.push(run);
        }
        known.allocated = sizes.allocated;
        known.data = sizes.data;
        known.initialized = sizes.initialized;
        Ok(())
    }

    /// Gives a directory that had none its first block, and the bitmap.
    fn create<R: ReadAt>(
        &mut self,
        run: Option<Run>,
        sizes: NewSizes,
        changes: &mut Changes<'_, R>,
    ) -> Result<(), RenameError> {
        if self.is_split {
            return Err(full(
                self.directory,
                "its attributes are spread over several records",
            ));
        }
        let runs = RunList(run.into_iter().collect());
        let record = changes.editor.record(self.directory)?;
        let template = non_resident(&runs);
        add(record, AttributeType::INDEX_ALLOCATION, template)?;
        replace(record, AttributeType::INDEX_ALLOCATION, Vcn(0), |attribute| {
            Ok(with_runs(attribute, &runs, Some(sizes)))
        })?;
        if self.bitmap_stream.is_none() {
            add(record, AttributeType::BITMAP, resident(&self.bitmap))?;
            self.bitmap_holder = self.directory;
        }
        let file = File::of_base(record.clone());
        self.stream = file.stream(AttributeType::INDEX_ALLOCATION, I30)?;
        if self.bitmap_stream.is_none() {
            self.bitmap_stream = file.stream(AttributeType::BITMAP, I30)?;
        }
        Ok(())
    }
}

pub(super) fn full(directory: RecordNumber, problem: &'static str) -> RenameError {
    RenameError::DirectoryFull { directory, problem }
}
