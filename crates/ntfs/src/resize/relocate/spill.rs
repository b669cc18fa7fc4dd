//! What to do where mapping pairs no longer fit their record: the attribute goes to an extension record, in as many
//! pieces as it needs, and the file's attribute list says so.

use super::super::ResizeError;
use super::Relocation;
use super::pieces::{cut, encode_list, non_resident_list, resident_list};
use super::survey::Piece;
use crate::attribute::{Attribute, ListEntry, offsets, parse_attribute_list};
use crate::bytes::put;
use crate::error::NtfsError;
use crate::file::ATTRIBUTE_LIST_BYTES_MAX;
use crate::record::{END_BYTES, NEXT_ID, Record};
use crate::runs::{Run, RunList};
use crate::types::{AttributeType, FileReference, RecordNumber, Vcn};
use winrefit_disk::ReadAt;

/// A longer list goes into clusters, so that the base record keeps room for what has to be in it.
const RESIDENT_LIST_MAX: usize = 384;

impl<R: ReadAt> Relocation<'_, R> {
    /// Moves the attribute of a piece, whose runs are to become `runs`, out of a record that is too full for them, all of
    /// it into new records: the old attribute stays readable until the list names the new ones.
    pub(super) fn spill(&mut self, index: usize, runs: &RunList) -> Result<(), ResizeError> {
        let (holder, id) = (self.pieces[index].record, self.pieces[index].id);
        let bytes = self.attribute_of(index)?.bytes().to_vec();
        let base = self.pieces[index].owner;
        let attribute = Attribute::parse(holder, &bytes, 0)?;
        let type_code = attribute.type_code();
        let fail = |problem| ResizeError::CannotRelocate {
            record: base,
            attribute: type_code,
            problem,
        };
        if holder == RecordNumber::MFT {
            // It has to be found through its base record.
            return Err(fail("the record of the $MFT is full"));
        }
        let mut entries = self.list_of(base)?;
        let place = entries
            .iter()
            .position(|entry| entry.holder.record == holder && entry.id == id)
            .ok_or_else(|| fail("its attribute list does not name it"))?;
        let pieces = cut(&attribute, runs, self.extension_room())
            .ok_or_else(|| fail("a run does not fit a record"))?;
        let mut new = Vec::with_capacity(pieces.len());
        for piece in &pieces {
            let to = self.new_extension(base)?;
            let record_at = to.0 * u64::from(self.geometry().record_size);
            let start = attribute.lowest_vcn().0 * u64::from(self.geometry().cluster_size);
            if base == RecordNumber::MFT && record_at >= start {
                return Err(fail("no free record in the part of the $MFT before it"));
            }
            new.push(self.insert(to, piece)?);
        }
        entries.splice(place..=place, new);
        if holder == base {
            remove(self.record(holder)?, id)?;
        } else {
            self.leftovers.entry(holder).or_default().push(id);
        }
        self.lists.insert(base, entries);
        Ok(())
    }

    /// Stores the lists that changed, once each: storing one may need room for another record only.
    pub(super) fn store_lists(&mut self) -> Result<(), ResizeError> {
        let bases: Vec<RecordNumber> = self.lists.keys().copied().collect();
        bases.into_iter().try_for_each(|base| {
            let entries = self.list_of(base)?;
            self.store_list(base, entries)
        })
    }

    /// The entries of a file's attribute list; without one, those that it would have.
    pub(super) fn list_of(&mut self, base: RecordNumber) -> Result<Vec<ListEntry>, ResizeError> {
        if let Some(entries) = self.lists.get(&base) {
            return Ok(entries.clone());
        }
        if self
            .record(base)?
            .find(AttributeType::ATTRIBUTE_LIST, "")?
            .is_none()
        {
            let record = self.record(base)?;
            let holder = record.reference();
            return Ok(record
                .attributes()
                .map(|attribute| Ok(entry_of(&attribute?, holder)))
                .collect::<Result<_, NtfsError>>()?);
        }
        // Its content does not change when its clusters move.
        let list = self.volume.read_record(base)?;
        let list = crate::file::Stream::whole(&list, AttributeType::ATTRIBUTE_LIST)?;
        let value = self.volume.read_stream(list, ATTRIBUTE_LIST_BYTES_MAX)?;
        Ok(parse_attribute_list(base, &value)?)
    }

    /// Puts an attribute into a record; returns its list entry.
    fn insert(&mut self, to: RecordNumber, bytes: &[u8]) -> Result<ListEntry, ResizeError> {
        let upcase = self.volume.upcase()?;
        let record = self.record(to)?;
        let id = record.next_attribute_id();
        let mut bytes = bytes.to_vec();
        put(&mut bytes, offsets::ID, &id.to_le_bytes());
        let new = Attribute::parse(to, &bytes, 0)?;
        let mut at = record.bytes_used() - END_BYTES;
        for attribute in record.attributes() {
            let attribute = attribute?;
            let order = attribute
                .type_code()
                .cmp(&new.type_code())
                .then_with(|| upcase.compare(&attribute.name(), &new.name()))
                .then_with(|| attribute.lowest_vcn().cmp(&new.lowest_vcn()));
            if order.is_gt() {
                at = attribute.offset();
                break;
            }
        }
        let entry = entry_of(&new, record.reference());
        record.replace_attribute(at, 0, &bytes)?;
        put(record.bytes_mut(), NEXT_ID, &id.wrapping_add(1).to_le_bytes());
        Ok(entry)
    }

    /// Stores a list in its base record, or in clusters; other attributes leave the base record if they have to.
    fn store_list(&mut self, base: RecordNumber, mut entries: Vec<ListEntry>) -> Result<(), ResizeError> {
        self.drop_list(base)?;
        loop {
            let value = encode_list(&entries);
            let fits = |length: usize, record: &Record| length <= room(record);
            let small = value.len() <= RESIDENT_LIST_MAX;
            let record = self.record(base)?;
            if small && fits(resident_list(&value).len(), record) {
                self.insert(base, &resident_list(&value))?;
                break;
            }
            // In clusters it takes this much, whatever its length.
            let run = |lcn| {
                RunList(vec![Run {
                    lcn: Some(lcn),
                    clusters: 1,
                }])
            };
            let longest = non_resident_list(&run(self.limit), 0, 0).len() + 8;
            if !small && fits(longest, self.record(base)?) {
                self.store_in_clusters(base, &value)?;
                break;
            }
            self.evict(base, &mut entries)?;
        }
        self.lists.insert(base, entries);
        Ok(())
    }

    /// Removes the list as it is from its base record; its clusters become free.
    fn drop_list(&mut self, base: RecordNumber) -> Result<(), ResizeError> {
        let record = self.record(base)?;
        let Some(list) = record.find(AttributeType::ATTRIBUTE_LIST, "")? else {
            return Ok(());
        };
        let id = list.id();
        remove(record, id)?;
        // What it has on the disk; if that was to move, it need not any more.
        let old = self.raw_records.get(self.volume, base)?;
        let old = Record::parse(base, old)?;
        if let Some(list) = old.find(AttributeType::ATTRIBUTE_LIST, "")? {
            self.released.extend(list.runs()?.0);
        }
        let is_list = |piece: &&mut Piece| piece.is_of(base, AttributeType::ATTRIBUTE_LIST);
        for segment in self
            .pieces
            .iter_mut()
            .filter(is_list)
            .flat_map(|piece| std::mem::take(&mut piece.segments))
        {
            self.space.give_back(segment.to, segment.clusters);
        }
        Ok(())
    }

    fn store_in_clusters(&mut self, base: RecordNumber, value: &[u8]) -> Result<(), ResizeError> {
        let geometry = self.geometry();
        let clusters = geometry.clusters_for(value.len() as u64);
        let lcn = self.space.take_row(clusters).ok_or(ResizeError::NoRoom {
            record: base,
            clusters,
        })?;
        let run = Run {
            lcn: Some(lcn),
            clusters,
        };
        self.taken.push(run);
        let allocated = clusters * u64::from(geometry.cluster_size);
        let mut content = value.to_vec();
        content.resize(allocated as usize, 0);
        self.edits.push(0, geometry.offset_of(lcn), content);
        let list = non_resident_list(&RunList(vec![run]), allocated, value.len() as u64);
        self.insert(base, &list)?;
        Ok(())
    }

    /// Moves the longest attribute that need not be in the base record to an extension record.
    fn evict(&mut self, base: RecordNumber, entries: &mut [ListEntry]) -> Result<(), ResizeError> {
        let record = self.record(base)?;
        let mut longest: Option<Attribute<'_>> = None;
        for attribute in record.attributes() {
            let attribute = attribute?;
            let stays = matches!(
                attribute.type_code(),
                AttributeType::STANDARD_INFORMATION
                    | AttributeType::ATTRIBUTE_LIST
                    | AttributeType::INDEX_ROOT
            ) || base == RecordNumber::MFT;
            if !stays && longest.is_none_or(|l| l.bytes().len() < attribute.bytes().len()) {
                longest = Some(attribute);
            }
        }
        let problem = ResizeError::CannotRelocate {
            record: base,
            attribute: AttributeType::ATTRIBUTE_LIST,
            problem: "its record has no room for it",
        };
        let (id, bytes) = longest
            .map(|a| (a.id(), a.bytes().to_vec()))
            .ok_or(problem.clone())?;
        let entry = entries
            .iter_mut()
            .find(|entry| entry.holder.record == base && entry.id == id)
            .ok_or(problem)?;
        remove(self.record(base)?, id)?;
        let extension = self.new_extension(base)?;
        *entry = self.insert(extension, &bytes)?;
        // It may be one of those that have no room themselves.
        let new_id = entry.id;
        for piece in &mut self.pieces {
            if (piece.record, piece.id) == (base, id) {
                (piece.record, piece.id) = (extension, new_id);
            }
        }
        Ok(())
    }
}

fn entry_of(attribute: &Attribute<'_>, holder: FileReference) -> ListEntry {
    ListEntry {
        type_code: attribute.type_code(),
        name: attribute.name(),
        lowest_vcn: Vcn(attribute.lowest_vcn().0),
        holder,
        id: attribute.id(),
    }
}

/// Bytes that a record has left.
pub(super) fn room(record: &Record) -> usize {
    record.bytes().len() - record.bytes_used()
}

pub(super) fn by_id(record: &Record, id: u16) -> Result<Attribute<'_>, NtfsError> {
    for attribute in record.attributes() {
        let attribute = attribute?;
        if attribute.id() == id {
            return Ok(attribute);
        }
    }
    Err(NtfsError::BadRecord {
        record: record.number(),
        field: "attribute id",
        actual: id.into(),
    })
}

pub(super) fn remove(record: &mut Record, id: u16) -> Result<(), NtfsError> {
    let attribute = by_id(record, id)?;
    let (offset, length) = (attribute.offset(), attribute.bytes().len());
    record.replace_attribute(offset, length, &[])
}
