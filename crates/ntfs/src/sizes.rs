//! The sizes of a file are copied into its $FILE_NAME and into the entry of its directory. Windows leaves the copies
//! of system files at zero, other formatters fill them in: a copy is updated where it was true before, and left
//! alone otherwise.

use crate::attribute::FileName;
use crate::bytes::put;
use crate::edit::Editor;
use crate::error::NtfsError;
use crate::fixup;
use crate::index::{self, BLOCK_HEADER, I30, ROOT_HEADER};
use crate::record::Record;
use crate::runs::RunList;
use crate::types::{AttributeType, RecordNumber, Vcn};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// Offset of the allocated size in a $FILE_NAME; the data size follows.
const SIZES: usize = 0x28;
/// Offset of the key in an index entry.
const KEY: usize = 0x10;

/// Sizes of the unnamed stream of a root file, before and after.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SizeChange {
    pub record: RecordNumber,
    pub before: (u64, u64),
    pub after: (u64, u64),
}

impl SizeChange {
    fn patch(&self, buf: &mut [u8], at: usize) {
        put(buf, at + SIZES, &self.after.0.to_le_bytes());
        put(buf, at + SIZES + 8, &self.after.1.to_le_bytes());
    }

    fn was_true_in(&self, name: &FileName) -> bool {
        (name.allocated_size, name.data_size) == self.before
    }
}

/// Updates the $FILE_NAME of the changed file's own record.
pub(crate) fn update_own_name(record: &mut Record, change: &SizeChange) -> Result<(), NtfsError> {
    let Some(attribute) = record.find(AttributeType::FILE_NAME, "")? else {
        return Ok(());
    };
    let Some(value) = attribute.value() else {
        return Ok(());
    };
    let Some(name) = FileName::parse(value) else {
        return Ok(());
    };
    let at = attribute.offset() + attribute.value_offset();
    if change.was_true_in(&name) {
        change.patch(record.bytes_mut(), at);
    }
    Ok(())
}

/// Updates the entries of the root directory that name the changed files.
pub(crate) fn update_root_entries<R: ReadAt>(
    volume: &Volume<R>,
    editor: &mut Editor<'_, R>,
    step: u8,
    changes: &[SizeChange],
) -> Result<(), NtfsError> {
    update_entries(volume, editor, (RecordNumber::ROOT, step), changes)
}

/// Updates the entries of a directory that name the changed files.
pub(crate) fn update_entries<R: ReadAt>(
    volume: &Volume<R>,
    editor: &mut Editor<'_, R>,
    (directory, step): (RecordNumber, u8),
    changes: &[SizeChange],
) -> Result<(), NtfsError> {
    update_root_node(editor.record(directory)?, changes)?;
    for (offset, bytes) in changed_blocks(volume, directory, changes)? {
        let directory = volume.file(directory)?;
        let stream = directory.require(AttributeType::INDEX_ALLOCATION, I30)?;
        editor.write_stream(step, &stream, offset, &bytes)?;
    }
    Ok(())
}

/// Updates entries in the resident root node of a directory.
pub(crate) fn update_root_node(record: &mut Record, changes: &[SizeChange]) -> Result<(), NtfsError> {
    let number = record.number();
    let Some(attribute) = record.find(AttributeType::INDEX_ROOT, I30)? else {
        return Ok(());
    };
    let Some(value) = attribute.value() else {
        return Ok(());
    };
    let base = attribute.offset() + attribute.value_offset();
    let patches = patches_of_node(value, (number, ROOT_HEADER, None), changes)?;
    for (at, change) in patches {
        change.patch(record.bytes_mut(), base + at);
    }
    Ok(())
}

/// Index blocks of a directory with updated entries: offset in $INDEX_ALLOCATION and the block as on disk.
pub(crate) fn changed_blocks<R: ReadAt>(
    volume: &Volume<R>,
    directory: RecordNumber,
    changes: &[SizeChange],
) -> Result<Vec<(u64, Vec<u8>)>, NtfsError> {
    let file = volume.file(directory)?;
    let Some(stream) = file.stream(AttributeType::INDEX_ALLOCATION, I30)? else {
        return Ok(Vec::new());
    };
    let block_size = volume.geometry().index_block_size as usize;
    // Holes read as zeros, so a wild size would be read for ever.
    let owned = stream.runs().map_or(0, RunList::allocated_clusters);
    let limit = owned.saturating_mul(volume.geometry().cluster_size.into());
    let actual = stream.len();
    if actual > limit {
        return Err(NtfsError::TooMuch {
            what: "bytes of a directory's index",
            actual,
            limit,
        });
    }
    let reader = volume.stream_reader(stream)?;
    let mut changed = Vec::new();
    for offset in (0..reader.size() / block_size as u64).map(|index| index * block_size as u64) {
        let raw = reader.read_vec(offset, block_size)?;
        let mut block = raw.clone();
        // Blocks that the index does not use may hold anything.
        if fixup::apply(&mut block, index::SIGNATURE, "index block", offset).is_err() {
            continue;
        }
        let Ok(patches) = patches_of_node(&block, (directory, BLOCK_HEADER, Some(Vcn(0))), changes) else {
            continue;
        };
        if patches.is_empty() {
            continue;
        }
        for (at, change) in patches {
            change.patch(&mut block, at);
        }
        changed.push((offset, fixup::protect_over(&block, &raw)));
    }
    Ok(changed)
}

/// Offsets of the keys to be patched in a node of a directory, whose index header lies at `header`.
fn patches_of_node(
    node: &[u8],
    (directory, header, block): (RecordNumber, usize, Option<Vcn>),
    changes: &[SizeChange],
) -> Result<Vec<(usize, SizeChange)>, NtfsError> {
    let mut patches = Vec::new();
    for entry in index::entries(node, header, directory, block)? {
        let Some(name) = FileName::parse(entry.key()) else {
            continue;
        };
        let change = changes
            .iter()
            .find(|change| change.record == entry.reference().record);
        if let Some(change) = change.filter(|change| change.was_true_in(&name)) {
            patches.push((entry.offset + KEY, *change));
        }
    }
    Ok(patches)
}
