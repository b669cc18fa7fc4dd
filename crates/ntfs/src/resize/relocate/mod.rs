//! Emptying the tail of a volume: everything behind a cluster gets another place.
//!
//! Clusters are copied to free ones, so neither the copying nor what this writes into the copies changes the volume.
//! Then the structures that name the clusters are switched, in steps between which the volume can be mounted:
//!
//! | step | what |
//! |---|---|
//! | 0 | the destinations are marked in $Bitmap, new records in $MFT:$BITMAP; whatever changes within the copies |
//! | 1 | file records, new ones too, and their copies in $MFTMirr |
//! | 2 | where the start of the $MFT or $MFTMirr has moved: the boot sector, and with it the record of $MFTMirr |
//! | 3 | the old clusters are marked free |
//!
//! A record within a part of the $MFT that moves is changed in the copy only, and takes effect with that part. Until
//! step 3 old and new places are both marked, so that a file can be read through either version of its record.

mod extension;
mod pieces;
mod place;
mod space;
mod spill;
mod survey;

use super::{ResizeError, Shrink, boot_sector_bytes};
use crate::attribute::ListEntry;
use crate::bitmap::ClusterBitmap;
use crate::edit::{Edits, stream_places, with_runs};
use crate::error::NtfsError;
use crate::file::{Stream, StreamBody};
use crate::fixup;
use crate::record::{self, Record};
use crate::runs::{Run, RunList};
use crate::types::{AttributeType, Geometry, Lcn, RecordNumber};
use crate::volume::Volume;
use extension::Records;
use space::FreeSpace;
use spill::by_id;
use std::collections::{BTreeMap, BTreeSet};
use survey::{Piece, Segment, Survey, moved_runs, survey};
use winrefit_disk::{Move, ReadAt};

/// To keep a run list short, no more than this is moved, or twice what has to move anyway.
const ONE_ROW_BYTES_MAX: u64 = 64 << 20;
/// Bytes of $Bitmap that are compared and written together.
const BITMAP_BLOCK: usize = 512;

/// The copies and edits that leave nothing in use from `limit` on.
///
/// # Errors
/// [`ResizeError::Full`], [`ResizeError::NoRoom`], damage of the volume.
pub(super) fn empty_tail<R: ReadAt>(volume: &Volume<R>, limit: Lcn) -> Result<Shrink, ResizeError> {
    let Survey {
        mut pieces,
        bits,
        used,
    } = survey(volume, limit)?;
    let mut space = FreeSpace::below(&used, limit);
    drop(used);
    place::place(&mut pieces, &mut space, volume.geometry())?;
    let mut relocation = Relocation {
        volume,
        limit,
        pieces,
        space,
        records: BTreeMap::new(),
        file_records: Records::new(),
        lists: BTreeMap::new(),
        taken: Vec::new(),
        released: Vec::new(),
        edits: Edits::default(),
    };
    relocation.drop_bad_clusters()?;
    relocation.switch_runs()?;
    relocation.finish(bits)
}

struct Relocation<'v, R> {
    volume: &'v Volume<R>,
    limit: Lcn,
    pieces: Vec<Piece>,
    space: FreeSpace,
    /// Changed and new records, plain.
    records: BTreeMap<RecordNumber, Record>,
    file_records: Records,
    /// Attribute lists that were changed, by base record.
    lists: BTreeMap<RecordNumber, Vec<ListEntry>>,
    /// Clusters that are used besides those that something moves to, and freed besides those that something leaves.
    taken: Vec<Run>,
    released: Vec<Run>,
    edits: Edits,
}

/// A stream before and after.
struct Moved {
    old: Stream,
    new: Stream,
}

impl<R: ReadAt> Relocation<'_, R> {
    fn record(&mut self, number: RecordNumber) -> Result<&mut Record, NtfsError> {
        use std::collections::btree_map::Entry;
        match self.records.entry(number) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => Ok(entry.insert(self.volume.read_record(number)?)),
        }
    }

    /// Bad clusters behind the limit are not the volume's concern any more.
    fn drop_bad_clusters(&mut self) -> Result<(), ResizeError> {
        let limit = self.limit;
        let record = self.record(RecordNumber::BAD_CLUS)?;
        let bad = record
            .find(AttributeType::DATA, "$Bad")?
            .filter(|a| a.is_non_resident());
        let Some(attribute) = bad else { return Ok(()) };
        let old = attribute.runs()?;
        let mut new = RunList::default();
        for run in &old.0 {
            let kept = match run.lcn {
                Some(lcn) => run.clusters.min(limit.0.saturating_sub(lcn.0)),
                None => 0,
            };
            new.push(Run {
                clusters: kept,
                ..*run
            });
            new.push(Run {
                lcn: None,
                clusters: run.clusters - kept,
            });
        }
        if new == old {
            self.records.remove(&RecordNumber::BAD_CLUS);
            return Ok(());
        }
        let bytes = with_runs(&attribute, &new, None);
        let (offset, length) = (attribute.offset(), attribute.bytes().len());
        Ok(record.replace_attribute(offset, length, &bytes)?)
    }

    /// Puts the new runs into the records.
    fn switch_runs(&mut self) -> Result<(), ResizeError> {
        let mut too_full = Vec::new();
        for index in 0..self.pieces.len() {
            if !self.switch_piece(index)? && !self.switch_to_one_row(index)? {
                too_full.push(index);
            }
        }
        // Not before all others have their room.
        for index in too_full {
            let Piece { record, id, .. } = self.pieces[index];
            let runs = self.new_runs(index)?;
            self.spill(record, id, &runs)?;
        }
        Ok(())
    }

    fn new_runs(&mut self, index: usize) -> Result<RunList, ResizeError> {
        let Piece { record, id, .. } = self.pieces[index];
        let old = by_id(self.record(record)?, id)?.runs()?;
        Ok(moved_runs(&old, &self.pieces[index].segments))
    }

    /// Returns whether the record has room for the new runs.
    fn switch_piece(&mut self, index: usize) -> Result<bool, ResizeError> {
        let Piece { record, id, .. } = self.pieces[index];
        let runs = self.new_runs(index)?;
        let holder = self.record(record)?;
        let attribute = by_id(holder, id)?;
        let new = with_runs(&attribute, &runs, None);
        let (offset, length) = (attribute.offset(), attribute.bytes().len());
        match holder.replace_attribute(offset, length, &new) {
            Err(NtfsError::RecordFull { .. }) => Ok(false),
            other => Ok(other.map(|()| true)?),
        }
    }

    /// Moves all of a piece into one row, so that its run list gets short. Returns whether that could be done.
    fn switch_to_one_row(&mut self, index: usize) -> Result<bool, ResizeError> {
        let Piece { record, id, .. } = self.pieces[index];
        let all: Vec<Segment> = by_id(self.record(record)?, id)?
            .runs()?
            .with_vcns()
            .filter_map(|(vcn, run)| {
                let (from, to) = (run.lcn?, Lcn(0));
                let (vcn, clusters) = (vcn.0, run.clusters);
                Some(Segment {
                    vcn,
                    clusters,
                    from,
                    to,
                })
            })
            .collect();
        let clusters: u64 = all.iter().map(|s| s.clusters).sum();
        let moved = self.pieces[index].clusters();
        let bytes = clusters * u64::from(self.geometry().cluster_size);
        if bytes > ONE_ROW_BYTES_MAX && clusters > 2 * moved {
            return Ok(false);
        }
        let Some(mut to) = self.space.take_row(clusters) else {
            return Ok(false);
        };
        let row = to;
        let mut segments = all;
        for segment in &mut segments {
            segment.to = to;
            to.0 += segment.clusters;
        }
        let before = std::mem::replace(&mut self.pieces[index].segments, segments);
        if self.switch_piece(index)? {
            before.iter().for_each(|s| self.space.give_back(s.to, s.clusters));
            return Ok(true);
        }
        self.pieces[index].segments = before;
        self.space.give_back(row, clusters);
        Ok(false)
    }

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

    fn finish(mut self, bits: ClusterBitmap) -> Result<Shrink, ResizeError> {
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

    fn geometry(&self) -> Geometry {
        self.volume.geometry()
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
            let bytes = self.protected(&record)?;
            let at = number.0 * size;
            // The boot sector and the record of $MFTMirr name the same place, so they change together.
            let is_with_boot = mirror_moves && number == RecordNumber::MFT_MIRR;
            let in_place = if is_with_boot { 2 } else { 1 };
            let new = new_places.places(at, bytes.len());
            let stays = old_places.places(at, bytes.len()) == new;
            for (from, to, place) in new {
                let step = if stays { in_place } else { 0 };
                self.edits.push(step, place, bytes[from..to].to_vec());
            }
            if at + size > mirror.old.len() {
                continue;
            }
            if mirror_moves {
                self.write_stream(0, &mirror.new, at, &bytes)?;
            }
            // Until the boot sector names the new start of the $MFT, the copy is that of the old one.
            match (mirror_moves, start_moves) {
                (false, true) => self.write_stream(2, &mirror.old, at, &bytes)?,
                (_, false) if !is_with_boot => self.write_stream(1, &mirror.old, at, &bytes)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A record as it goes to the disk.
    fn protected(&self, record: &Record) -> Result<Vec<u8>, ResizeError> {
        if record.number().0 < self.volume.records() {
            let raw = self.volume.read_raw_record(record.number())?;
            if raw.starts_with(&record::SIGNATURE) {
                return Ok(fixup::protect_over(record.bytes(), &raw));
            }
        }
        let mut bytes = record.bytes().to_vec();
        fixup::protect(&mut bytes, 1);
        Ok(bytes)
    }

    /// Marks the records that were made.
    fn write_record_bits(&mut self) -> Result<(), ResizeError> {
        if self.file_records.created.is_empty() {
            return Ok(());
        }
        let bits = std::mem::take(&mut self.file_records.bits);
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
