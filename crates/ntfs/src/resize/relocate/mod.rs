//! Emptying the tail of a volume: everything behind a cluster gets another place.
//!
//! Clusters are copied to free ones, so neither the copying nor what this writes into the copies changes the volume.
//! Then the structures that name the clusters are switched, in steps between which the volume can be mounted:
//!
//! | step | what |
//! |---|---|
//! | 0 | the destinations are marked in $Bitmap, new records in $MFT:$BITMAP; whatever changes within the copies; new records |
//! | 1 | file records, and their copies in $MFTMirr |
//! | 2 | where the start of the $MFT or $MFTMirr has moved: the boot sector, and with it the record of $MFTMirr; copies in $MFTMirr of records that a cut could tear; files with records in a part that the $MFT got |
//! | 3 | the old clusters are marked free; attributes and records that spilled leave their old places |
//!
//! A record within a part of the $MFT that moves is changed in the copy only, and takes effect with that part. Until
//! step 3 old and new places are both marked, so that a file can be read through either version of its record.
//!
//! An attribute that spills is written to records that were free and that nothing names yet; its file's base record then
//! switches to them. In between a checker sees its clusters twice; who reads the file goes by the base record.

mod extension;
mod pieces;
mod place;
mod raw;
mod space;
mod spill;
mod survey;
mod write;

use super::{ResizeError, Shrink};
use crate::attribute::{Attribute, ListEntry};
use crate::edit::{Edits, with_runs};
use crate::error::NtfsError;
use crate::record::Record;
use crate::runs::{Run, RunList};
use crate::types::{AttributeType, Geometry, Lcn, RecordNumber};
use crate::volume::Volume;
use extension::Records;
use raw::RawRecords;
use space::FreeSpace;
use spill::by_id;
use std::collections::BTreeMap;
use survey::{Piece, Segment, Survey, moved_runs, survey};
use winrefit_disk::ReadAt;

/// To keep a run list short, no more than this is moved, or twice what has to move anyway.
const ONE_ROW_BYTES_MAX: u64 = 64 << 20;

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
        raw_records: RawRecords::default(),
        records: BTreeMap::new(),
        file_records: Records::new(),
        lists: BTreeMap::new(),
        taken: Vec::new(),
        released: Vec::new(),
        leftovers: BTreeMap::new(),
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
    raw_records: RawRecords,
    /// Changed and new records, plain.
    records: BTreeMap<RecordNumber, Record>,
    file_records: Records,
    /// Attribute lists that were changed, by base record.
    lists: BTreeMap<RecordNumber, Vec<ListEntry>>,
    /// Clusters that are used besides those that something moves to, and freed besides those that something leaves.
    taken: Vec<Run>,
    released: Vec<Run>,
    /// Attributes of extension records that have new ones in other records, by id.
    leftovers: BTreeMap<RecordNumber, Vec<u16>>,
    edits: Edits,
}

impl<R: ReadAt> Relocation<'_, R> {
    fn record(&mut self, number: RecordNumber) -> Result<&mut Record, NtfsError> {
        use std::collections::btree_map::Entry;
        match self.records.entry(number) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let raw = self.raw_records.get(self.volume, number)?;
                Ok(entry.insert(Record::parse(number, raw)?))
            }
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
            let piece = &self.pieces[index];
            let is_list = piece.type_code == AttributeType::ATTRIBUTE_LIST;
            if is_list {
                // It gets a place of its own.
                let owner = piece.owner;
                let entries = self.list_of(owner)?;
                self.lists.insert(owner, entries);
                continue;
            }
            let runs = self.new_runs(index)?;
            self.spill(index, &runs)?;
        }
        self.store_lists()?;
        Ok(())
    }

    /// The attribute of a piece, as changed so far.
    fn attribute_of(&mut self, index: usize) -> Result<Attribute<'_>, ResizeError> {
        let (number, id) = (self.pieces[index].record, self.pieces[index].id);
        let (type_code, lowest_vcn) = (self.pieces[index].type_code, self.pieces[index].lowest_vcn);
        let attribute = by_id(self.record(number)?, id)?;
        if attribute.type_code() != type_code || attribute.lowest_vcn().0 != lowest_vcn {
            return Err(NtfsError::BadRecord {
                record: number,
                field: "attribute id",
                actual: id.into(),
            }
            .into());
        }
        Ok(attribute)
    }

    fn new_runs(&mut self, index: usize) -> Result<RunList, ResizeError> {
        let old = self.attribute_of(index)?.runs()?;
        Ok(moved_runs(&old, &self.pieces[index].segments))
    }

    /// Returns whether the record has room for the new runs.
    fn switch_piece(&mut self, index: usize) -> Result<bool, ResizeError> {
        let runs = self.new_runs(index)?;
        let attribute = self.attribute_of(index)?;
        let new = with_runs(&attribute, &runs, None);
        let (offset, length) = (attribute.offset(), attribute.bytes().len());
        let holder = self.record(self.pieces[index].record)?;
        match holder.replace_attribute(offset, length, &new) {
            Err(NtfsError::RecordFull { .. }) => Ok(false),
            other => Ok(other.map(|()| true)?),
        }
    }

    /// Moves all of a piece into one row, so that its run list gets short. Returns whether that could be done.
    fn switch_to_one_row(&mut self, index: usize) -> Result<bool, ResizeError> {
        let all: Vec<Segment> = self
            .attribute_of(index)?
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

    fn geometry(&self) -> Geometry {
        self.volume.geometry()
    }
}
