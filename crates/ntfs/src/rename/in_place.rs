//! A new name that takes the place of the old one.
//!
//! A name that differs from the old one in its last unit, and sorts where that did, changes two bytes of the index and
//! two of the file's record. Either lie in one sector, whatever the sizes of blocks and sectors are, as the update
//! sequence numbers stay. So each of the two writes is atomic, and the directory can be read before and after each: a power
//! cut can at most leave the index and the record with different names.

use super::names::Name;
use super::node::Item;
use super::record::{change_time, find_name};
use super::tree::Tree;
use super::{Checked, RenameError, Renamed, STEP, find_old, names, parent_of, sound};
use crate::attribute::FileName;
use crate::bytes::put;
use crate::edit::Editor;
use crate::file::File;
use crate::fixup::{self, STRIDE};
use crate::format::names::{WIN32_AND_DOS, namespace};
use crate::index::{BLOCK_HEADER, I30, ROOT_HEADER, SIGNATURE, entries};
use crate::record::Record;
use crate::types::{AttributeType, RecordNumber};
use crate::upcase::UpCase;
use crate::volume::Volume;
use std::cmp::Ordering;
use winrefit_disk::ReadAt;

/// What the last unit may become, in descending order.
const LAST_UNITS: &str = "~_9876543210-";
/// Offset of the key in an entry of an index, and of the name in a $FILE_NAME value.
const KEY: usize = 0x10;
const NAME: usize = 0x42;

/// An entry of a directory between those beside it.
struct Entry {
    file: File,
    /// That of the long name, and its partner of the 8.3 form.
    items: Vec<Item>,
    name: FileName,
    before: Option<FileName>,
    after: Option<FileName>,
}

/// The first name that [`rename_in_place`] can give the entry `old` of a directory; `None` if all are taken, or others
/// have come between.
///
/// # Errors
/// [`RenameError`], as far as it is not about the new name.
pub fn name_in_place<R: ReadAt>(
    volume: &Volume<R>,
    directory: &str,
    old: &str,
) -> Result<Option<String>, RenameError> {
    let parent = parent_of(volume, directory)?;
    let entry = Entry::find(volume, &parent, (directory, old))?;
    let upcase = volume.upcase()?;
    let candidate = |last| {
        let mut units = entry.name.name.clone();
        units.pop();
        units.push(last);
        units
    };
    let candidates = LAST_UNITS.encode_utf16().map(candidate);
    let is_behind = |units: &Vec<u16>| upcase.compare(units, &entry.name.name) == Ordering::Greater;
    let (behind, before): (Vec<_>, Vec<_>) = candidates.partition(is_behind);
    // From the farthest to the nearest: what is taken does not come between the next one and the old name then.
    for units in behind.into_iter().chain(before.into_iter().rev()) {
        // Half of a pair of units is no name.
        if let Ok(name) = String::from_utf16(&units)
            && entry.problem((&name, &units), &upcase).is_none()
            && names::checked(&name).is_ok()
        {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// As [`super::rename`], where the new name differs from the old one in its last unit and nothing sorts between them. Each
/// of the edits changes one sector, and a partner of the 8.3 form stays as it is.
///
/// ```
/// use winrefit_disk::{MemoryDevice, SectorSize};
/// use winrefit_ntfs::Volume;
/// use winrefit_ntfs::format::{FormatOptions, VolumeBuilder};
/// use winrefit_ntfs::rename::{name_in_place, rename_in_place};
///
/// let mut disk = MemoryDevice::zeroed(16 << 20, SectorSize::B512);
/// let mut builder = VolumeBuilder::new(FormatOptions::new((16 << 20) / 512))?;
/// builder.add_directory("Windows/System32/catroot2/state", 0)?;
/// builder.write_to(&mut disk)?;
///
/// let (volume, system32) = (Volume::open(&disk)?, "Windows/System32");
/// let new = name_in_place(&volume, system32, "catroot2")?.unwrap_or_default();
/// assert_eq!(new, "catroot~");
/// let now = 133_500_000_000_000_000;
/// let renamed = rename_in_place(&volume, system32, "catroot2", &new, now)?;
/// renamed.edits.apply(&mut disk)?;
/// assert!(Volume::open(&disk)?.lookup("Windows/System32/catroot~/state")?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`RenameError::NotInPlace`] if the new name is not such a one; otherwise as [`super::rename`].
pub fn rename_in_place<R: ReadAt>(
    volume: &Volume<R>,
    directory: &str,
    old: &str,
    new: &str,
    time: u64,
) -> Result<Renamed, RenameError> {
    let units = names::checked(new)?;
    let parent = parent_of(volume, directory)?;
    sound(volume, &parent)?;
    let entry = Entry::find(volume, &parent, (directory, old))?;
    let refused = |problem| RenameError::NotInPlace {
        old: entry.name.display_name(),
        new: new.to_owned(),
        problem,
    };
    if let Some(problem) = entry.problem((new, &units), &*volume.upcase()?) {
        return Err(refused(problem));
    }
    let at = NAME + (units.len() - 1) * 2;
    let last = units.last().copied().unwrap_or_default().to_le_bytes();
    let mut editor = Editor::new(volume);
    let changed = change_index(&mut editor, (volume, &parent), &entry, (at, last))?;
    let record = editor.record(entry.file.number())?;
    let name = Name {
        units: entry.name.name.clone(),
        namespace: entry.name.namespace,
    };
    change_record(record, (parent.number(), &name), (at, last), time)?;
    for (raw, new_raw) in [changed, editor.protected(entry.file.number())?] {
        let strides = raw.chunks(STRIDE).zip(new_raw.chunks(STRIDE));
        if strides.filter(|(old, new)| old != new).count() > 1 {
            return Err(refused("it would take more than one sector"));
        }
    }
    Ok(Renamed {
        edits: editor.finish(STEP)?,
        file: entry.file.base().reference(),
        old: entry.name.display_name(),
        short: entry
            .items
            .get(1)
            .map(|item| String::from_utf16_lossy(&item.name())),
    })
}

impl Entry {
    fn find<R: ReadAt>(volume: &Volume<R>, parent: &File, (path, old): (&str, &str)) -> Checked<Self> {
        let mut tree = Tree::open(volume, parent)?;
        let (file, items) = find_old(volume, &mut tree, parent, (path, old))?;
        let reference = file.base().reference();
        let (mut name, mut before, mut after) = (None, None, None);
        volume.directory(parent)?.each(|file, found| {
            if name.is_some() {
                after = Some(found);
                return false;
            }
            let is_it = |item: &Item| file == reference && item.name() == found.name;
            match items.first().is_some_and(is_it) {
                true => name = Some(found),
                false => before = Some(found),
            }
            true
        })?;
        let name = name.ok_or_else(|| RenameError::NotFound {
            path: path.to_owned(),
            name: old.to_owned(),
        })?;
        Ok(Self {
            file,
            items,
            name,
            before,
            after,
        })
    }

    /// Why a name cannot take the place of this one.
    fn problem(&self, (new, units): (&str, &[u16]), upcase: &UpCase) -> Option<&'static str> {
        let old = &self.name.name;
        let stem = |units: &[u16]| units.split_last().map(|(_, stem)| stem.to_vec());
        let is_in_order = |a: &[u16], b: &[u16]| upcase.compare(a, b) == Ordering::Less;
        let is_behind = self
            .before
            .as_ref()
            .is_none_or(|before| is_in_order(&before.name, units));
        let is_before = self
            .after
            .as_ref()
            .is_none_or(|after| is_in_order(units, &after.name));
        if old.len() != units.len() || stem(old) != stem(units) || old.last() == units.last() {
            Some("more or less than the last character is another")
        } else if !is_behind || !is_before {
            Some("another name is there or comes between")
        } else if self.name.namespace == WIN32_AND_DOS && namespace(new) != WIN32_AND_DOS {
            Some("it would need a name of the 8.3 form beside it")
        } else {
            None
        }
    }
}

/// Puts two bytes into the key of the entry in the index. Returns the block or record as it is on the disk, and as it will be.
fn change_index<R: ReadAt>(
    editor: &mut Editor<'_, R>,
    (volume, parent): (&Volume<R>, &File),
    entry: &Entry,
    (at, bytes): (usize, [u8; 2]),
) -> Checked<(Vec<u8>, Vec<u8>)> {
    let mut tree = Tree::open(volume, parent)?;
    let key = entry.items.first().map(Item::key).unwrap_or_default();
    let (path, found) = tree.descend(volume, key)?;
    let place = path.last().copied().flatten();
    let missing = || tree.bad(place, "entry not found again");
    let index = found.map_err(|_| missing())?;
    let offset_in = |node: &[u8], header| -> Checked<usize> {
        let entries = entries(node, header, parent.number(), place)?;
        Ok(entries.get(index).ok_or_else(missing)?.offset + KEY + at)
    };
    let Some(vcn) = place else {
        let record = editor.record(tree.root_holder)?;
        let root = record.find(AttributeType::INDEX_ROOT, I30)?.ok_or_else(missing)?;
        let value = root.value().ok_or_else(missing)?;
        let offset = root.offset() + root.value_offset() + offset_in(value, ROOT_HEADER)?;
        put(record.bytes_mut(), offset, &bytes);
        return Ok(editor.protected(tree.root_holder)?);
    };
    let raw = tree.blocks.read(volume, vcn)?.ok_or_else(missing)?;
    let mut block = raw.clone();
    fixup::apply(&mut block, SIGNATURE, "index block", vcn.0)?;
    let offset = offset_in(&block, BLOCK_HEADER)?;
    put(&mut block, offset, &bytes);
    let new_raw = fixup::protect_over(&block, &raw);
    tree.blocks.write(editor, (vcn, STEP), &new_raw)?;
    Ok((raw, new_raw))
}

/// Puts two bytes into the name in the file's record, and the time of the change if it lies in the same sector: one that
/// does not is left out, for what it tells is less than what two sectors risk.
fn change_record(
    record: &mut Record,
    (directory, name): (RecordNumber, &Name),
    (at, bytes): (usize, [u8; 2]),
    time: u64,
) -> Checked<()> {
    let attribute = find_name(record, directory, name)?;
    let place = attribute.offset() + attribute.value_offset() + at;
    put(record.bytes_mut(), place, &bytes);
    let changed = change_time(record)?;
    if changed / STRIDE == stored_in(place) {
        put(record.bytes_mut(), changed, &time.to_le_bytes());
    }
    Ok(())
}

/// The stride that holds a place: the last bytes of each are kept in the update sequence array, which lies in the first.
fn stored_in(place: usize) -> usize {
    match place % STRIDE {
        510.. => 0,
        _ => place / STRIDE,
    }
}
