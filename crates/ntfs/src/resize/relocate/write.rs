//! The copies and edits of a relocation, once every piece has its place.

use super::super::{ResizeError, Shrink, boot_sector_bytes};
use super::Relocation;
use super::spill::remove;
use super::survey::{self, moved_runs};
use crate::bitmap::ClusterBitmap;
use crate::bytes::put;
use crate::edit::stream_places;
use crate::file::{Stream, StreamBody};
use crate::fixup;
use crate::record::{self, Record};
use crate::runs::{Run, RunList};
use crate::types::{AttributeType, Geometry, Lcn, RecordNumber};
use std::collections::BTreeSet;
use winrefit_disk::{Move, ReadAt};

/// Bytes of $Bitmap that are compared and written together.
const BITMAP_BLOCK: usize = 512;

/// A stream before and after.
struct Moved {
    old: Stream,
    new: Stream,
}

impl<R: ReadAt> Relocation<'_, R> {
    /// An unnamed stream with its runs before and after.
    fn moved(&self, owner: RecordNumber, type_code: AttributeType) -> Result<Moved, ResizeError> {
        let old = self.volume.file(owner)?.require(type_code, "")?;
        let mut segments: Vec<_> = self
            .pieces
            .iter()
            .filter(|piece| piece.is_of(owner, type_code))
            .flat_map(|piece| {
                let absolute = |s: &survey::Segment| survey::Segment {
                    vcn: piece.lowest_vcn + s.vcn,
                    ..*s
                };
                piece.segments.iter().map(absolute)
            })
            .collect();
        segments.sort_unstable_by_key(|s| s.vcn);
        let mut new = old.clone();
        if let StreamBody::NonResident { runs, .. } = &mut new.body {
            *runs = moved_runs(runs, &segments);
            if owner == RecordNumber::MFT && type_code == AttributeType::DATA {
                self.grown(runs);
            }
        }
        Ok(Moved { old, new })
    }

    pub(super) fn finish(mut self, bits: ClusterBitmap) -> Result<Shrink, ResizeError> {
        let mft = self.moved(RecordNumber::MFT, AttributeType::DATA)?;
        let mirror = self.moved(RecordNumber::MFT_MIRR, AttributeType::DATA)?;
        let bitmap = self.moved(RecordNumber::BITMAP, AttributeType::DATA)?;
        self.write_records(&mft, &mirror)?;
        self.write_boot(&mft, &mirror)?;
        self.write_bitmap(&bitmap, bits)?;
        self.write_record_bits()?;
        self.edits.0.sort_by_key(|edit| edit.step);
        Ok(Shrink {
            moves: self.moves(),
            edits: self.edits,
        })
    }

    fn write_records(&mut self, mft: &Moved, mirror: &Moved) -> Result<(), ResizeError> {
        let size = u64::from(self.geometry().record_size);
        let start_moves = first_cluster(&mft.old) != first_cluster(&mft.new);
        let mirror_moves = first_cluster(&mirror.old) != first_cluster(&mirror.new);
        let old_places = StreamMap::of(&mft.old, self.geometry());
        let new_places = StreamMap::of(&mft.new, self.geometry());
        for (at, bytes) in self.blank_records() {
            for (from, to, place) in new_places.places(at, bytes.len()) {
                self.edits.push(0, place, bytes[from..to].to_vec());
            }
        }
        for (number, record) in std::mem::take(&mut self.records) {
            let (bytes, is_atomic) = self.protected(&record)?;
            let at = number.0 * size;
            let in_place = self.step_of(number, mirror_moves);
            let new = new_places.places(at, bytes.len());
            let stays = old_places.places(at, bytes.len()) == new;
            for &(from, to, place) in &new {
                let step = if stays { in_place } else { 0 };
                self.edits.push(step, place, bytes[from..to].to_vec());
            }
            if let Some(ids) = self.leftovers.remove(&number) {
                let bytes = self.without(record, &ids, &bytes)?;
                for (from, to, place) in new {
                    self.edits.push(3, place, bytes[from..to].to_vec());
                }
            }
            if at + size > mirror.old.len() {
                continue;
            }
            if mirror_moves {
                self.write_stream(0, &mirror.new, at, &bytes)?;
            }
            // A record and its copy are not to be torn by the same cut; and until the boot sector names the new start of
            // the $MFT, the copy is that of the old one.
            let step = if is_atomic && !start_moves { in_place } else { 2 };
            let is_with_boot = mirror_moves && (start_moves || number == RecordNumber::MFT_MIRR);
            if !is_with_boot {
                self.write_stream(step, &mirror.old, at, &bytes)?;
            }
        }
        Ok(())
    }

    /// When a record that stays in its place is written.
    fn step_of(&self, number: RecordNumber, mirror_moves: bool) -> u8 {
        let is_new = self.file_records.created.contains(&number);
        // The boot sector and the record of $MFTMirr name the same place, so they change together.
        let is_with_boot = mirror_moves && number == RecordNumber::MFT_MIRR;
        // Records that the $MFT got exist once its own record is written.
        let is_behind_growth = !self.file_records.growth.is_empty() && self.lists.contains_key(&number);
        match () {
            () if is_new => 0,
            () if is_with_boot || is_behind_growth => 2,
            () => 1,
        }
    }

    /// The record without these attributes; if none is left, it becomes free.
    fn without(&mut self, mut record: Record, ids: &[u16], on_disk: &[u8]) -> Result<Vec<u8>, ResizeError> {
        for &id in ids {
            remove(&mut record, id)?;
        }
        if record.attributes().next().is_none() {
            let sequence = record.sequence().wrapping_add(1).max(1);
            let flags = record.flags() & !record::FLAG_IN_USE;
            let bytes = record.bytes_mut();
            put(bytes, record::SEQUENCE, &sequence.to_le_bytes());
            put(bytes, record::FLAGS, &flags.to_le_bytes());
            put(bytes, record::BASE_REFERENCE, &[0; 8]);
            self.file_records.freed.push(record.number());
        }
        Ok(fixup::protect_over(record.bytes(), on_disk))
    }

    /// A record as it goes to the disk, and whether its write changes one sector only, which no cut can tear.
    fn protected(&mut self, record: &Record) -> Result<(Vec<u8>, bool), ResizeError> {
        if record.number().0 < self.volume.records() {
            let raw = self.raw_records.get(self.volume, record.number())?;
            if raw.starts_with(&record::SIGNATURE) {
                let bytes = fixup::protect_over(record.bytes(), &raw);
                let is_atomic = fixup::number(&bytes) == fixup::number(&raw);
                return Ok((bytes, is_atomic));
            }
        }
        let mut bytes = record.bytes().to_vec();
        fixup::protect(&mut bytes, 1);
        Ok((bytes, false))
    }

    /// Marks the records that were made.
    fn write_record_bits(&mut self) -> Result<(), ResizeError> {
        if self.file_records.created.is_empty() {
            return Ok(());
        }
        let mut bits = std::mem::take(&mut self.file_records.bits);
        let Moved { old, new } = self.moved(RecordNumber::MFT, AttributeType::BITMAP)?;
        if old.runs().is_none() {
            return Err(ResizeError::CannotRelocate {
                record: RecordNumber::MFT,
                attribute: AttributeType::BITMAP,
                problem: "it is resident",
            });
        }
        self.write_stream(0, &new, 0, &bits)?;
        if old != new {
            self.write_stream(0, &old, 0, &bits)?;
        }
        for number in &self.file_records.freed {
            if let Some(byte) = bits.get_mut((number.0 / 8) as usize) {
                *byte &= !(1 << (number.0 % 8));
            }
        }
        if !self.file_records.freed.is_empty() {
            self.write_stream(3, &new, 0, &bits)?;
        }
        Ok(())
    }

    fn write_boot(&mut self, mft: &Moved, mirror: &Moved) -> Result<(), ResizeError> {
        let mut boot = self.volume.boot().clone();
        for (stream, set) in [
            (&mft.new, crate::boot::BootSector::set_mft_lcn as fn(&mut _, Lcn)),
            (&mirror.new, crate::boot::BootSector::set_mft_mirr_lcn),
        ] {
            if let Some(lcn) = first_cluster(stream) {
                set(&mut boot, lcn);
            }
        }
        if boot.bytes() != self.volume.boot().bytes() {
            let sector = boot_sector_bytes(self.volume, &boot)?;
            self.edits.push(2, 0, sector);
        }
        Ok(())
    }

    fn write_bitmap(&mut self, bitmap: &Moved, mut bits: ClusterBitmap) -> Result<(), ResizeError> {
        let lcns = |run: &Run| run.lcn.map(|lcn| (lcn, run.clusters));
        let segments = || self.pieces.iter().flat_map(|piece| &piece.segments);
        let gained: Vec<_> = segments()
            .map(|s| (s.to, s.clusters))
            .chain(self.taken.iter().filter_map(lcns))
            .collect();
        let behind = (self.limit, bits.clusters() - self.limit.0);
        let lost: Vec<_> = segments()
            .map(|s| (s.from, s.clusters))
            .chain(self.released.iter().filter_map(lcns))
            .chain([behind])
            .collect();
        for (at, block) in set_ranges(&mut bits, &gained, true) {
            self.write_stream(0, &bitmap.old, at, &block)?;
            if bitmap.old != bitmap.new {
                self.write_stream(0, &bitmap.new, at, &block)?;
            }
        }
        for (at, block) in set_ranges(&mut bits, &lost, false) {
            self.write_stream(3, &bitmap.new, at, &block)?;
        }
        Ok(())
    }

    fn write_stream(
        &mut self,
        step: u8,
        stream: &Stream,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), ResizeError> {
        for (from, to, at) in stream_places(stream, self.geometry(), offset, bytes.len())? {
            self.edits.push(step, at, bytes[from..to].to_vec());
        }
        Ok(())
    }

    /// All copies, joined where they continue each other.
    fn moves(&self) -> Vec<Move> {
        let geometry = self.geometry();
        let mut all: Vec<Move> = self
            .pieces
            .iter()
            .flat_map(|piece| &piece.segments)
            .map(|s| Move {
                to: geometry.offset_of(s.to),
                from: geometry.offset_of(s.from),
                length: s.clusters * u64::from(geometry.cluster_size),
            })
            .collect();
        all.sort_unstable();
        all.dedup_by(|next, last| {
            let joins = last.to + last.length == next.to && last.from + last.length == next.from;
            if joins {
                last.length += next.length;
            }
            joins
        });
        all
    }
}

/// Where the bytes of a stream lie, for many lookups.
struct StreamMap {
    /// Offset in the stream, length, offset on the volume of each run.
    runs: Vec<(u64, u64, u64)>,
}

impl StreamMap {
    fn of(stream: &Stream, geometry: Geometry) -> Self {
        let cluster = u64::from(geometry.cluster_size);
        let runs = stream.runs().into_iter().flat_map(RunList::with_vcns);
        let runs = runs.filter_map(|(vcn, run)| {
            let at = geometry.offset_of(run.lcn?);
            Some((vcn.0 * cluster, run.clusters * cluster, at))
        });
        Self { runs: runs.collect() }
    }

    /// Part of the bytes asked for (from, to), and the place on the volume.
    fn places(&self, offset: u64, length: usize) -> Vec<(usize, usize, u64)> {
        let end = offset + length as u64;
        let first = self.runs.partition_point(|run| run.0 + run.1 <= offset);
        let touched = self.runs[first..].iter().take_while(|run| run.0 < end);
        let part = |&(start, bytes, at): &(u64, u64, u64)| {
            let (from, to) = (start.max(offset), (start + bytes).min(end));
            (
                (from - offset) as usize,
                (to - offset) as usize,
                at + (from - start),
            )
        };
        touched.map(part).collect()
    }
}

fn first_cluster(stream: &Stream) -> Option<Lcn> {
    stream.runs()?.0.first()?.lcn
}

/// Changes ranges of bits; returns the blocks of $Bitmap that differ then, with their offsets.
fn set_ranges(bits: &mut ClusterBitmap, ranges: &[(Lcn, u64)], used: bool) -> Vec<(u64, Vec<u8>)> {
    let block_of = |lcn: u64| lcn / (BITMAP_BLOCK as u64 * 8);
    let touched: BTreeSet<u64> = ranges
        .iter()
        .filter(|range| range.1 > 0)
        .flat_map(|&(lcn, clusters)| block_of(lcn.0)..=block_of(lcn.0 + clusters - 1))
        .collect();
    let content = |bits: &ClusterBitmap, block: u64| {
        let start = (block as usize * BITMAP_BLOCK).min(bits.bytes().len());
        let end = (start + BITMAP_BLOCK).min(bits.bytes().len());
        bits.bytes()[start..end].to_vec()
    };
    let before: Vec<_> = touched
        .into_iter()
        .map(|block| (block, content(bits, block)))
        .collect();
    for &(lcn, clusters) in ranges {
        bits.set_range(lcn, clusters, used);
    }
    let changed = before.into_iter().filter_map(|(block, old)| {
        let new = content(bits, block);
        (new != old).then_some((block * BITMAP_BLOCK as u64, new))
    });
    changed.collect()
}
