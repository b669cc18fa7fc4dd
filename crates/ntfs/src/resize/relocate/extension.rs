//! File records for what spills: a free one, or one of those that the $MFT gets.

use super::super::ResizeError;
use super::Relocation;
use super::survey::{Piece, Segment};
use crate::attribute::Attribute;
use crate::bytes::put;
use crate::edit::{NewSizes, with_runs};
use crate::fixup;
use crate::record::{self, END_BYTES, Record};
use crate::runs::{Run, RunList};
use crate::types::{AttributeType, FileReference, RecordNumber};
use std::ops::Range;
use winrefit_disk::ReadAt;

/// Records below are for NTFS itself.
const FIRST_USER_RECORD: u64 = 24;
/// Records that the $MFT gets at once.
const GROWTH_RECORDS: u64 = 64;
/// Offset of the update sequence array since NTFS 3.1.
const UPDATE_SEQUENCE: usize = 0x30;
/// Length of $MFT:$BITMAP is a multiple of this.
const BITMAP_UNIT: u64 = 8;

/// Which records are in use, and how the $MFT grows.
pub(super) struct Records {
    /// $MFT:$BITMAP as it will be; empty before it is needed.
    pub(super) bits: Vec<u8>,
    /// Extension records that were made.
    pub(super) created: Vec<RecordNumber>,
    /// Extension records that became empty.
    pub(super) freed: Vec<RecordNumber>,
    /// Records that the $MFT gets.
    pub(super) more: u64,
    /// Clusters that it gets for them.
    pub(super) growth: Vec<Run>,
    /// The records that it gets.
    blank: Range<u64>,
    /// Where to look for the next free record.
    next: u64,
}

impl Records {
    pub(super) fn new() -> Self {
        Self {
            bits: Vec::new(),
            created: Vec::new(),
            freed: Vec::new(),
            more: 0,
            growth: Vec::new(),
            blank: u64::MAX..u64::MAX,
            next: FIRST_USER_RECORD,
        }
    }
}

impl<R: ReadAt> Relocation<'_, R> {
    /// Bytes that an attribute may have in an extension record of its own.
    pub(super) fn extension_room(&self) -> usize {
        let size = self.geometry().record_size;
        size as usize - first_attribute(size) - END_BYTES
    }

    /// A new extension record of a file.
    pub(super) fn new_extension(&mut self, base: RecordNumber) -> Result<RecordNumber, ResizeError> {
        let reference = self.record(base)?.reference();
        let (number, sequence) = self.free_record(base)?;
        let size = self.geometry().record_size;
        let record = empty_record(
            FileReference {
                record: number,
                sequence,
            },
            size,
            record::FLAG_IN_USE,
            reference.to_raw(),
        );
        self.set_record_bit(number);
        self.file_records.created.push(number);
        self.records.insert(number, Record::from_plain(number, record)?);
        Ok(number)
    }

    /// A free record and the sequence number that it is to have.
    fn free_record(&mut self, base: RecordNumber) -> Result<(RecordNumber, u16), ResizeError> {
        if self.file_records.bits.is_empty() {
            let stream = self
                .volume
                .file(RecordNumber::MFT)?
                .require(AttributeType::BITMAP, "")?;
            let limit = self.volume.records() + (1 << 20);
            self.file_records.bits = self.volume.read_stream(stream, limit)?;
        }
        let old = self.volume.records();
        loop {
            let number = self.file_records.next;
            if number >= self.record_count() {
                self.grow_mft(base)?;
                continue;
            }
            self.file_records.next += 1;
            let is_set = self
                .file_records
                .bits
                .get((number / 8) as usize)
                .is_none_or(|byte| byte >> (number % 8) & 1 == 1);
            if is_set || !self.stays(number) {
                continue;
            }
            let number = RecordNumber(number);
            if number.0 >= old {
                return Ok((number, 1));
            }
            let raw = self.volume.read_raw_record(number)?;
            match Record::parse(number, raw.clone()) {
                Ok(record) if record.is_in_use() => {}
                Ok(record) => return Ok((number, record.sequence().max(1))),
                Err(_) if raw.iter().all(|&byte| byte == 0) => return Ok((number, 1)),
                // Whatever that is, it is not ours to overwrite.
                Err(_) => {}
            }
        }
    }

    /// Whether a record is in the same place before and after: then it can be written before anything names it.
    fn stays(&self, number: u64) -> bool {
        let geometry = self.geometry();
        let (size, cluster) = (u64::from(geometry.record_size), u64::from(geometry.cluster_size));
        let (first, last) = (number * size / cluster, ((number + 1) * size - 1) / cluster);
        let moves = |piece: &Piece| {
            let start = |segment: &Segment| piece.lowest_vcn + segment.vcn;
            piece
                .segments
                .iter()
                .any(|s| start(s) <= last && first < start(s) + s.clusters)
        };
        let mft = self
            .pieces
            .iter()
            .filter(|p| p.is_of(RecordNumber::MFT, AttributeType::DATA));
        !mft.into_iter().any(moves)
    }

    fn set_record_bit(&mut self, number: RecordNumber) {
        if let Some(byte) = self.file_records.bits.get_mut((number.0 / 8) as usize) {
            *byte |= 1 << (number.0 % 8);
        }
    }

    fn record_count(&self) -> u64 {
        self.volume.records() + self.file_records.more
    }

    /// Gives the $MFT more records: in its last cluster while there are any, then in new clusters.
    fn grow_mft(&mut self, base: RecordNumber) -> Result<(), ResizeError> {
        let fail = |problem| ResizeError::CannotRelocate {
            record: base,
            attribute: AttributeType::ATTRIBUTE_LIST,
            problem,
        };
        let geometry = self.geometry();
        let cluster = u64::from(geometry.cluster_size);
        let size = u64::from(geometry.record_size);
        let old_end = self.record_count() * size;
        let mut allocated = self.volume.mft_runs().clusters() * cluster;
        allocated += self.grown_clusters() * cluster;
        if old_end + size > allocated {
            let wanted = geometry.clusters_for(GROWTH_RECORDS * size);
            // Whole records in whole clusters.
            let least = geometry.clusters_for(size);
            let row = std::iter::successors(Some(wanted), |&n| (n > least).then(|| (n / 2).max(least)))
                .find_map(|clusters| Some((self.space.take_row(clusters)?, clusters)));
            let (lcn, clusters) = row.ok_or_else(|| fail("no free clusters for the $MFT to grow"))?;
            let run = Run {
                lcn: Some(lcn),
                clusters,
            };
            self.taken.push(run);
            self.file_records.growth.push(run);
            allocated += clusters * cluster;
        }
        let first = self.record_count();
        self.file_records.more = (allocated / size).saturating_sub(self.volume.records());
        let records = self.record_count();
        self.enlarge_mft(records * size)
            .map_err(|_| fail("the record of the $MFT is full"))?;
        self.enlarge_mft_bitmap(records)
            .ok_or_else(|| fail("$MFT:$BITMAP has no room"))??;
        self.file_records.blank = self.file_records.blank.start.min(first)..records;
        Ok(())
    }

    /// The records that the $MFT got and nothing uses yet, for the disk, with their offsets in it.
    pub(super) fn blank_records(&self) -> Vec<(u64, Vec<u8>)> {
        let size = self.geometry().record_size;
        let unused = |number: &u64| !self.file_records.created.contains(&RecordNumber(*number));
        let blank = |number: u64| {
            let reference = FileReference {
                record: RecordNumber(number),
                sequence: 1,
            };
            let mut record = empty_record(reference, size, 0, 0);
            fixup::protect(&mut record, 1);
            (number * u64::from(size), record)
        };
        self.file_records
            .blank
            .clone()
            .filter(unused)
            .map(blank)
            .collect()
    }

    /// Makes the $MFT end at `end`, in the clusters that it has and gets.
    fn enlarge_mft(&mut self, end: u64) -> Result<(), ResizeError> {
        let growth = self.file_records.growth.clone();
        let cluster = u64::from(self.geometry().cluster_size);
        let old = self.volume.mft_runs().clusters();
        let clusters = old + self.grown_clusters();
        self.change_mft(AttributeType::DATA, |attribute| {
            let mut runs = attribute.runs().ok().filter(|runs| runs.clusters() >= old)?;
            // Those of an earlier growth are in it already.
            let mut known = runs.clusters() - old;
            for run in growth {
                match known.checked_sub(run.clusters) {
                    Some(rest) => known = rest,
                    None => runs.push(run),
                }
            }
            let new = NewSizes {
                allocated: clusters * cluster,
                data: end,
                initialized: end,
            };
            Some(with_runs(attribute, &runs, Some(new)))
        })
        .unwrap_or(Err(ResizeError::SystemFileInPieces {
            record: RecordNumber::MFT,
        }))
    }

    /// `None` if the clusters of $MFT:$BITMAP do not hold so many bits.
    fn enlarge_mft_bitmap(&mut self, records: u64) -> Option<Result<(), ResizeError>> {
        let needed = records.div_ceil(8).next_multiple_of(BITMAP_UNIT);
        if needed <= self.file_records.bits.len() as u64 {
            return Some(Ok(()));
        }
        let changed = self.change_mft(AttributeType::BITMAP, |attribute| {
            let sizes = attribute.sizes().filter(|sizes| sizes.allocated >= needed)?;
            let new = NewSizes {
                allocated: sizes.allocated,
                data: needed,
                initialized: needed,
            };
            Some(with_runs(attribute, &attribute.runs().ok()?, Some(new)))
        });
        self.file_records.bits.resize(needed as usize, 0);
        changed
    }

    /// Changes an attribute of the $MFT that is whole in its base record.
    fn change_mft(
        &mut self,
        type_code: AttributeType,
        change: impl FnOnce(&Attribute<'_>) -> Option<Vec<u8>>,
    ) -> Option<Result<(), ResizeError>> {
        let file = self.volume.file(RecordNumber::MFT).ok()?;
        let pieces = file
            .attributes()
            .flatten()
            .filter(|a| a.type_code() == type_code && a.is_named(""));
        if pieces.count() != 1 {
            return None;
        }
        let record = self.record(RecordNumber::MFT).ok()?;
        let attribute = record.find(type_code, "").ok()??;
        let (offset, length) = (attribute.offset(), attribute.bytes().len());
        let new = change(&attribute)?;
        Some(record.replace_attribute(offset, length, &new).map_err(Into::into))
    }

    fn grown_clusters(&self) -> u64 {
        self.file_records.growth.iter().map(|run| run.clusters).sum()
    }

    /// The runs of the $MFT with those that it got.
    pub(super) fn grown(&self, runs: &mut RunList) {
        self.file_records.growth.iter().for_each(|&run| runs.push(run));
    }
}

fn first_attribute(record_size: u32) -> usize {
    let strides = record_size as usize / fixup::STRIDE;
    (UPDATE_SEQUENCE + (strides + 1) * 2).next_multiple_of(8)
}

/// A record without attributes, plain.
fn empty_record(reference: FileReference, record_size: u32, flags: u16, base: u64) -> Vec<u8> {
    let first = first_attribute(record_size);
    let strides = record_size as usize / fixup::STRIDE;
    let mut bytes = vec![0; record_size as usize];
    put(&mut bytes, 0, &record::SIGNATURE);
    put(&mut bytes, 4, &(UPDATE_SEQUENCE as u16).to_le_bytes());
    put(&mut bytes, 6, &((strides + 1) as u16).to_le_bytes());
    put(&mut bytes, record::SEQUENCE, &reference.sequence.to_le_bytes());
    put(&mut bytes, record::FIRST_ATTRIBUTE, &(first as u16).to_le_bytes());
    put(&mut bytes, record::FLAGS, &flags.to_le_bytes());
    put(
        &mut bytes,
        record::BYTES_USED,
        &((first + END_BYTES) as u32).to_le_bytes(),
    );
    put(&mut bytes, record::BYTES_ALLOCATED, &record_size.to_le_bytes());
    put(&mut bytes, record::BASE_REFERENCE, &base.to_le_bytes());
    put(
        &mut bytes,
        record::NUMBER,
        &(reference.record.0 as u32).to_le_bytes(),
    );
    put(&mut bytes, first, &AttributeType::END.0.to_le_bytes());
    bytes
}
