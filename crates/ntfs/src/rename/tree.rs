//! The B+tree of a directory while it is changed: nodes are read when they are reached, kept in memory, and noted for
//! writing at the end. The checker has walked the tree before, so it has no cycles; bounds hold all the same.
//!
//! A node may be too large for its place while an entry is put in or taken out; [`Tree::settle`] then splits it.

use super::RenameError;
use super::attributes::replace;
use super::blocks::{Blocks, Changes, full};
use super::node::{Item, Node, first_entry};
use crate::edit::with_value;
use crate::error::NtfsError;
use crate::file::{File, StreamBody};
use crate::fixup;
use crate::index::{BLOCK_HEADER, I30, ROOT_HEADER, SIGNATURE};
use crate::record::Record;
use crate::types::{AttributeType, RecordNumber, Vcn};
use crate::upcase::UpCase;
use crate::{bytes, volume::Volume};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use winrefit_disk::ReadAt;

/// Levels that a tree can have, as for readers.
pub(super) const DEPTH_MAX: usize = 48;
/// Splits that putting in one entry can cause: one for each level, and one for the root.
const SPLITS_MAX: usize = 2 * DEPTH_MAX;
/// Names of one directory that differ in case only.
const EQUALS_MAX: usize = 1 << 16;

/// A node's place: the root, or a block.
pub(super) type Place = Option<Vcn>;

/// A block in memory.
struct Loaded {
    node: Node,
    /// Offset of the first entry.
    first: usize,
    is_changed: bool,
}

pub(super) struct Tree {
    directory: RecordNumber,
    /// Record that holds the root.
    pub(super) root_holder: RecordNumber,
    root: Node,
    /// Value of $INDEX_ROOT as it was.
    root_value: Vec<u8>,
    is_root_changed: bool,
    pub(super) blocks: Blocks,
    loaded: BTreeMap<Vcn, Loaded>,
    pub(super) upcase: Arc<UpCase>,
}

impl Tree {
    pub(super) fn open<R: ReadAt>(volume: &Volume<R>, file: &File) -> Result<Self, RenameError> {
        let directory = file.number();
        let missing = || NtfsError::MissingAttribute {
            record: directory,
            attribute: AttributeType::INDEX_ROOT,
        };
        let StreamBody::Resident(root_value) = file.require(AttributeType::INDEX_ROOT, I30)?.body else {
            return Err(missing().into());
        };
        let root_holder = file
            .attributes()
            .flatten()
            .find(|a| a.type_code() == AttributeType::INDEX_ROOT && a.is_named(I30))
            .map(|attribute| attribute.record())
            .ok_or_else(missing)?;
        let block_size = bytes::u32_at(&root_value, 8).unwrap_or(0) as usize;
        Ok(Self {
            directory,
            root_holder,
            root: Node::parse(&root_value, ROOT_HEADER, (directory, None))?,
            root_value,
            is_root_changed: false,
            blocks: Blocks::open(volume, file, block_size)?,
            loaded: BTreeMap::new(),
            upcase: volume.upcase()?,
        })
    }

    pub(super) fn bad(&self, block: Place, problem: &'static str) -> RenameError {
        let record = self.directory;
        NtfsError::BadIndex {
            record,
            block,
            offset: 0,
            problem,
        }
        .into()
    }

    pub(super) fn is_root_leaf(&self) -> bool {
        self.root.is_leaf()
    }

    /// A copy of a node.
    pub(super) fn node<R: ReadAt>(&mut self, volume: &Volume<R>, place: Place) -> Result<Node, RenameError> {
        let Some(vcn) = place else {
            return Ok(self.root.clone());
        };
        if let Some(loaded) = self.loaded.get(&vcn) {
            return Ok(loaded.node.clone());
        }
        let raw = self.blocks.read(volume, vcn)?;
        let mut plain = raw.ok_or_else(|| self.bad(place, "VCN out of range"))?;
        fixup::apply(&mut plain, SIGNATURE, "index block", vcn.0)?;
        let node = Node::parse(&plain, BLOCK_HEADER, (self.directory, place))?;
        let loaded = Loaded {
            node: node.clone(),
            first: first_entry(plain.len(), Some(&plain)),
            is_changed: false,
        };
        self.loaded.insert(vcn, loaded);
        Ok(node)
    }

    pub(super) fn set_node(&mut self, place: Place, node: Node) {
        let Some(vcn) = place else {
            self.root = node;
            self.is_root_changed = true;
            return;
        };
        let first = first_entry(self.blocks.size, None);
        let first = self.loaded.get(&vcn).map_or(first, |loaded| loaded.first);
        let loaded = Loaded {
            node,
            first,
            is_changed: true,
        };
        self.loaded.insert(vcn, loaded);
    }

    /// Gives a block back that is not in the tree any more. It is left without entries, for readers who look at all
    /// blocks and not at the bitmap.
    pub(super) fn drop_node(&mut self, vcn: Vcn) {
        self.set_node(Some(vcn), Node::default());
        self.blocks.free(vcn);
    }

    /// Bytes that the entries of a block may take.
    pub(super) fn room(&self, vcn: Vcn) -> usize {
        let first = first_entry(self.blocks.size, None);
        let first = self.loaded.get(&vcn).map_or(first, |loaded| loaded.first);
        self.blocks.size.saturating_sub(first)
    }

    /// The nodes from the root to the one that has the key, or to the leaf where it would have to be; and where in the
    /// last one it is.
    pub(super) fn descend<R: ReadAt>(
        &mut self,
        volume: &Volume<R>,
        key: &[u8],
    ) -> Result<(Vec<Place>, Result<usize, usize>), RenameError> {
        let mut path = vec![None];
        loop {
            let place = path.last().copied().flatten();
            let node = self.node(volume, place)?;
            let found = node.search(&self.upcase, key);
            let below = match found {
                Ok(_) => None,
                Err(index) => node.child(index),
            };
            let Some(vcn) = below else {
                return Ok((path, found));
            };
            if path.len() > DEPTH_MAX {
                return Err(self.bad(place, "too many levels"));
            }
            path.push(Some(vcn));
        }
    }

    /// All entries whose names are equal to this one but for their case.
    pub(super) fn equals<R: ReadAt>(
        &mut self,
        volume: &Volume<R>,
        name: &[u16],
    ) -> Result<Vec<Item>, RenameError> {
        let mut equals = Vec::new();
        let mut places = vec![(None, 0)];
        // Equal names are neighbours: only the blocks between them and those at their ends are looked at.
        while let Some((place, depth)) = places.pop() {
            if depth > DEPTH_MAX || equals.len() > EQUALS_MAX {
                return Err(self.bad(place, "too many levels"));
            }
            let node = self.node(volume, place)?;
            let order = |item: &Item| self.upcase.compare(&item.name(), name);
            let first = node.items.partition_point(|item| order(item) == Ordering::Less);
            let same = node.items[first..]
                .iter()
                .take_while(|item| order(item) == Ordering::Equal);
            let count = same.clone().count();
            equals.extend(same.cloned());
            let below = (first..=first + count).filter_map(|index| node.child(index));
            places.extend(below.map(|vcn| (Some(vcn), depth + 1)));
        }
        Ok(equals)
    }

    /// The key of a name, if the index has exactly this one.
    pub(super) fn find<R: ReadAt>(
        &mut self,
        volume: &Volume<R>,
        key: &[u8],
    ) -> Result<Option<Item>, RenameError> {
        let (path, found) = self.descend(volume, key)?;
        let node = self.node(volume, path.last().copied().flatten())?;
        Ok(found.ok().and_then(|index| node.items.get(index).cloned()))
    }

    /// Bytes that the value of $INDEX_ROOT may have in its record as that is now.
    fn root_room<R: ReadAt>(&self, changes: &mut Changes<'_, R>) -> Result<usize, RenameError> {
        let record = changes.editor.record(self.root_holder)?;
        let free = record.bytes().len() - record.bytes_used();
        let attribute = record.find(AttributeType::INDEX_ROOT, I30)?;
        let attribute = attribute.ok_or(NtfsError::MissingAttribute {
            record: self.directory,
            attribute: AttributeType::INDEX_ROOT,
        })?;
        Ok((attribute.bytes().len() + free).saturating_sub(attribute.value_offset()))
    }

    /// Puts the root into its record.
    fn store_root(&self, record: &mut Record) -> Result<(), RenameError> {
        replace(record, AttributeType::INDEX_ROOT, Vcn(0), |attribute| {
            Ok(with_value(attribute, &self.root.to_root(&self.root_value)))
        })
    }

    /// Moves what is in the root into a block below it: the record gets room, and the tree another level.
    pub(super) fn push_root<R: ReadAt>(&mut self, changes: &mut Changes<'_, R>) -> Result<Vcn, RenameError> {
        if self.root.items.is_empty() {
            return Err(full(self.directory, "its file record has no room"));
        }
        let moved = std::mem::take(&mut self.root);
        // The smallest root goes into the record first, so that there is room for what the new block needs.
        self.root.last = Some(Vcn(0));
        self.is_root_changed = true;
        self.store_root(changes.editor.record(self.root_holder)?)?;
        let vcn = self
            .blocks
            .take(changes)
            .map_err(|error| no_room(error, self.directory))?;
        self.root.last = Some(vcn);
        self.set_node(Some(vcn), moved);
        Ok(vcn)
    }

    /// A block for a new node.
    fn take_block<R: ReadAt>(&mut self, changes: &mut Changes<'_, R>) -> Result<Vcn, RenameError> {
        match self.blocks.take(changes) {
            Err(RenameError::Ntfs(NtfsError::RecordFull { .. })) if !self.root.items.is_empty() => {
                self.push_root(changes)?;
                let again = self.blocks.take(changes);
                again.map_err(|error| no_room(error, self.directory))
            }
            taken => taken.map_err(|error| no_room(error, self.directory)),
        }
    }

    /// Splits what has become too large for its place, from the leaves to the root.
    pub(super) fn settle<R: ReadAt>(&mut self, changes: &mut Changes<'_, R>) -> Result<(), RenameError> {
        for _ in 0..SPLITS_MAX {
            if let Some(vcn) = self.oversized() {
                self.split(changes, vcn)?;
            } else if self.is_root_changed && self.root.root_bytes() > self.root_room(changes)? {
                self.push_root(changes)?;
            } else {
                return Ok(());
            }
        }
        Err(self.bad(None, "too many splits"))
    }

    fn oversized(&self) -> Option<Vcn> {
        let mut changed = self.loaded.iter().filter(|(_, loaded)| loaded.is_changed);
        let is_large = |(_, loaded): &(&Vcn, &Loaded)| loaded.first + loaded.node.bytes() > self.blocks.size;
        changed.find(is_large).map(|(&vcn, _)| vcn)
    }

    /// Splits a block: the entry in the middle goes up, what is right of it into a new block.
    fn split<R: ReadAt>(&mut self, changes: &mut Changes<'_, R>, vcn: Vcn) -> Result<(), RenameError> {
        // First of all, as this may push the root down.
        let new = self.take_block(changes)?;
        let mut left = self.node(changes.volume, Some(vcn))?;
        let middle = middle(&left).ok_or_else(|| full(self.directory, "an entry does not fit a block"))?;
        let (mut path, _) = self.descend(changes.volume, left.items[middle].key())?;
        path.truncate(path.iter().position(|&place| place == Some(vcn)).unwrap_or(0));
        let place = path.last().copied();
        let place = place.ok_or_else(|| self.bad(Some(vcn), "a block that no path leads to"))?;
        let mut parent = self.node(changes.volume, place)?;
        let position = parent.position_of(vcn);
        let position = position.ok_or_else(|| self.bad(place, "a block that its parent does not have"))?;

        let right = Node {
            items: left.items.split_off(middle + 1),
            last: left.last,
        };
        let Some(up) = left.items.pop() else { return Ok(()) };
        left.last = up.below;
        parent.set_child(position, new);
        parent.items.insert(position, up.above(Some(vcn)));
        self.set_node(Some(vcn), left);
        self.set_node(Some(new), right);
        self.set_node(place, parent);
        Ok(())
    }

    /// Notes all that has changed.
    pub(super) fn save<R: ReadAt>(&self, changes: &mut Changes<'_, R>, step: u8) -> Result<(), RenameError> {
        if self.is_root_changed {
            self.store_root(changes.editor.record(self.root_holder)?)?;
        }
        self.blocks.save(&mut changes.editor, step)?;
        for (&vcn, loaded) in self.loaded.iter().filter(|(_, loaded)| loaded.is_changed) {
            let raw = self.blocks.read(changes.volume, vcn)?;
            let bytes = block_bytes(&loaded.node, (vcn, self.blocks.size), raw.as_deref());
            self.blocks.write(&mut changes.editor, (vcn, step), &bytes)?;
        }
        Ok(())
    }
}

/// A record without room for the index is a directory that cannot grow.
fn no_room(error: RenameError, directory: RecordNumber) -> RenameError {
    match error {
        RenameError::Ntfs(NtfsError::RecordFull { .. }) => full(directory, "its file record has no room"),
        error => error,
    }
}

/// The entry that halves a node best, with something on either side.
fn middle(node: &Node) -> Option<usize> {
    let sizes: Vec<usize> = node.items.iter().map(Item::bytes).collect();
    let all: usize = sizes.iter().sum();
    let mut left = 0;
    let mut best = None;
    for (index, size) in sizes.iter().enumerate() {
        let larger = left.max(all - left - size);
        if index > 0 && index + 1 < sizes.len() && best.is_none_or(|(known, _)| larger < known) {
            best = Some((larger, index));
        }
        left += size;
    }
    best.map(|(_, index)| index)
}

/// A block for the disk, over what is there.
fn block_bytes(node: &Node, (vcn, size): (Vcn, usize), raw: Option<&[u8]>) -> Vec<u8> {
    let plain = raw.and_then(|raw| {
        let mut plain = raw.to_vec();
        let is_this = fixup::apply(&mut plain, SIGNATURE, "index block", vcn.0).is_ok()
            && bytes::u64_at(&plain, 0x10) == Some(vcn.0);
        is_this.then_some(plain)
    });
    match (raw, plain) {
        (Some(raw), Some(plain)) => fixup::protect_over(&node.to_block(vcn, size, Some(&plain)), raw),
        _ => {
            let mut block = node.to_block(vcn, size, None);
            fixup::protect(&mut block, 1);
            block
        }
    }
}

#[cfg(test)]
mod tests;
