//! Giving a file or directory another name in its directory.
//!
//! The names in the file's record, the index of the directory, and where the index has to grow, its blocks and $Bitmap are
//! changed together. As everywhere in this crate the result is a value, [`Edits`]: everything is worked out in memory,
//! and an error leaves nothing behind.
//!
//! # What is written
//!
//! * The file's record: its $FILE_NAMEs, its link count where their number changes, and the time of the last change in
//!   its $STANDARD_INFORMATION. A directory whose record has no room for a longer name gives up the entries in its own
//!   $INDEX_ROOT, which then lie in an index block.
//! * The directory's record, where $INDEX_ROOT, the bitmap of the blocks or the length of $INDEX_ALLOCATION change.
//! * Whole index blocks of the directory: mostly the one or two leaves with the old and the new names, and where a leaf
//!   is split or given up, its neighbour and those above it. One that is given up is left
//!   without entries, and marked as free.
//! * The bytes of $Bitmap of clusters that new blocks lie in, and those clusters, which were free.
//!
//! All of these are in one step. Until all are written the directory and the file disagree, and blocks may be torn: a journal
//! has to make them one change. Copies of records in $MFTMirr are kept true. [`rename_in_place`] does with two writes of one
//! sector each, but not for every name.
//!
//! # What is not
//!
//! $UsnJrnl: its records are numbered by their place in a stream that Windows opens by its own state, and no tool from
//! outside writes them. Programs that follow the journal (the search index) find the new name with their next full scan. $LogFile must
//! be at rest, which callers check. The times of the parent directory stay as they are, and so do the copies of times
//! and sizes beside the names.

mod attributes;
mod blocks;
mod error;
mod in_place;
mod insert;
mod names;
mod node;
mod record;
mod remove;
mod short;
mod space;
mod tree;

pub use error::RenameError;
pub use in_place::{name_in_place, rename_in_place};

use crate::check::check_directory;
use crate::edit::{Editor, Edits};
use crate::error::NtfsError;
use crate::file::File;
use crate::index::I30;
use crate::types::{AttributeType, FileReference, RecordNumber};
use crate::volume::Volume;
use blocks::Changes;
use names::{DOS, Name, Situation, WIN32};
use node::{Item, with_name};
use record::Plan;
use space::Space;
use tree::Tree;
use winrefit_disk::ReadAt;

/// Records below this number, and what is in $Extend, are NTFS' own files.
const FIRST_USER_RECORD: u64 = 24;
/// There is no order among the writes of a renaming.
const STEP: u8 = 0;

type Checked<T> = Result<T, RenameError>;

/// A renaming that is ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Renamed {
    /// The writes.
    pub edits: Edits,
    /// The file.
    pub file: FileReference,
    /// The name that it had, as it is spelt in the directory; the long one of a pair.
    pub old: String,
    /// The name of the 8.3 form that it gets beside the new one. A new name that is of that form has none beside it.
    pub short: Option<String>,
}

/// Gives the entry `old` of the directory at the path `directory` the name `new`, at `time` (100 ns since 1601).
///
/// `old` is looked up as Windows does: in any case, by its long or its 8.3 name. With a long name goes its partner of the
/// 8.3 form; the new name gets one if the old one had it, as Windows would make it. Another spelling of the same name
/// is a new name.
///
/// ```
/// use winrefit_disk::{MemoryDevice, SectorSize};
/// use winrefit_ntfs::Volume;
/// use winrefit_ntfs::format::{FormatOptions, VolumeBuilder};
/// use winrefit_ntfs::rename::rename;
///
/// let mut disk = MemoryDevice::zeroed(16 << 20, SectorSize::B512);
/// let mut builder = VolumeBuilder::new(FormatOptions::new((16 << 20) / 512))?;
/// builder.add_directory("Windows/System32/catroot2/state", 0)?;
/// builder.write_to(&mut disk)?;
///
/// let now = 133_500_000_000_000_000;
/// let renamed = rename(&Volume::open(&disk)?, "Windows/System32", "catroot2", "catroot2.old", now)?;
/// renamed.edits.apply(&mut disk)?;
///
/// let volume = Volume::open(&disk)?;
/// assert!(volume.lookup("Windows/System32/catroot2.old/state")?.is_some());
/// assert!(volume.lookup("Windows/System32/catroot2")?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`RenameError`]. Nothing has been changed then.
pub fn rename<R: ReadAt>(
    volume: &Volume<R>,
    directory: &str,
    old: &str,
    new: &str,
    time: u64,
) -> Result<Renamed, RenameError> {
    let long = names::checked(new)?;
    let parent = parent_of(volume, directory)?;
    let entries = sound(volume, &parent)?;
    let mut tree = Tree::open(volume, &parent)?;
    let (file, removed) = find_old(volume, &mut tree, &parent, (directory, old))?;
    let taken = |tree: &mut Tree, name: &[u16]| -> Checked<Option<String>> {
        let equals = tree.equals(volume, name)?;
        let mut others = equals.iter().filter(|item| !removed.contains(item));
        Ok(others.next().map(|item| String::from_utf16_lossy(&item.name())))
    };
    let is_same = removed.iter().any(|item| item.name() == long);
    let there = if is_same {
        Some(new.to_owned())
    } else {
        taken(&mut tree, &long)?
    };
    if let Some(name) = there {
        let path = directory.to_owned();
        return Err(RenameError::Exists { path, name });
    }
    let situation = situation(&file, &parent, &removed)?;
    let added = names::choose((new, &long), &situation, parent.number(), |name| {
        Ok(taken(&mut tree, name)?.is_some())
    })?;
    let plan = Plan {
        directory: parent.number(),
        removed: removed.iter().map(name).collect(),
        added,
        time,
    };

    let mut changes = Changes {
        volume,
        editor: Editor::new(volume),
        space: Space::default(),
    };
    change_index(&mut tree, &mut changes, &removed, &plan, entries)?;
    tree.save(&mut changes, STEP)?;
    change_record(&mut changes, &file, &plan)?;
    changes.space.save(volume, &mut changes.editor, STEP)?;
    let text = |name: &Name| String::from_utf16_lossy(&name.units);
    Ok(Renamed {
        edits: changes.editor.finish(STEP)?,
        file: file.base().reference(),
        old: plan.removed.first().map(text).unwrap_or_default(),
        short: plan.added.get(1).map(text),
    })
}

fn parent_of<R: ReadAt>(volume: &Volume<R>, path: &str) -> Checked<File> {
    let parent = volume.lookup(path)?.filter(File::is_directory);
    parent.ok_or_else(|| RenameError::NoDirectory {
        path: path.to_owned(),
    })
}

/// The number of entries of a directory whose index is sound.
fn sound<R: ReadAt>(volume: &Volume<R>, directory: &File) -> Checked<u64> {
    let checked = check_directory(volume, directory)?;
    let sound = checked.map_err(|problem| RenameError::DirectoryDamaged {
        directory: directory.number(),
        problem,
    })?;
    Ok(sound.entries)
}

fn name(item: &Item) -> Name {
    Name {
        units: item.name(),
        namespace: item.namespace(),
    }
}

/// The file with the old name, and the entries that are to go: that of the long name first, then its partner.
fn find_old<R: ReadAt>(
    volume: &Volume<R>,
    tree: &mut Tree,
    parent: &File,
    (path, old): (&str, &str),
) -> Checked<(File, Vec<Item>)> {
    let units: Vec<u16> = old.encode_utf16().collect();
    let equals = tree.equals(volume, &units)?;
    let exact = equals.iter().find(|item| item.name() == units);
    let entry = exact
        .or(equals.first())
        .cloned()
        .ok_or_else(|| RenameError::NotFound {
            path: path.to_owned(),
            name: old.to_owned(),
        })?;
    let reference = entry.reference();
    let record = reference.record;
    if record.0 < FIRST_USER_RECORD || parent.number() == RecordNumber::EXTEND {
        return Err(RenameError::SystemFile { record });
    }
    let base = volume.read_record(record)?;
    if base.find(AttributeType::ATTRIBUTE_LIST, "")?.is_some() {
        return Err(RenameError::SplitRecord { record });
    }
    let file = volume.file_by_reference(reference)?;
    let differ = |item: &Item| RenameError::NamesDiffer {
        record,
        directory: parent.number(),
        name: String::from_utf16_lossy(&item.name()),
    };
    let wanted = match entry.namespace() {
        WIN32 => DOS,
        DOS => WIN32,
        _ => return Ok((file, vec![entry])),
    };
    let here: Vec<Name> = record::names(file.base())?
        .into_iter()
        .filter(|(directory, _)| *directory == parent.number())
        .map(|(_, name)| name)
        .collect();
    let count = |namespace| here.iter().filter(|name| name.namespace == namespace).count();
    let Some(partner) = here.iter().find(|name| name.namespace == wanted) else {
        return match wanted {
            // A Win32 name may be alone, a DOS name may not.
            DOS => Ok((file, vec![entry])),
            _ => Err(differ(&entry)),
        };
    };
    if count(WIN32) != 1 || count(DOS) != 1 {
        return Err(differ(&entry));
    }
    let key = with_name(entry.key(), &partner.units, partner.namespace);
    let found = tree
        .find(volume, &key)?
        .filter(|item| item.reference() == reference && item.namespace() == wanted);
    let partner = found.ok_or_else(|| differ(&entry))?;
    let pair = if wanted == DOS {
        vec![entry, partner]
    } else {
        vec![partner, entry]
    };
    Ok((file, pair))
}

/// Whether the old name served DOS, and whether another link does.
fn situation(file: &File, parent: &File, removed: &[Item]) -> Checked<Situation> {
    let is_for_dos = |namespace| namespace == DOS || namespace == crate::format::names::WIN32_AND_DOS;
    let removed: Vec<Name> = removed.iter().map(name).collect();
    let others = record::names(file.base())?;
    let mut others = others
        .iter()
        .filter(|(directory, name)| *directory != parent.number() || !removed.contains(name));
    Ok(Situation {
        had_short: removed.iter().any(|name| is_for_dos(name.namespace)),
        has_short_elsewhere: others.any(|(_, name)| is_for_dos(name.namespace)),
    })
}

/// Takes the old entries out and puts the new ones in.
fn change_index<R: ReadAt>(
    tree: &mut Tree,
    changes: &mut Changes<'_, R>,
    removed: &[Item],
    plan: &Plan,
    entries: u64,
) -> Checked<()> {
    let mut added = Vec::new();
    for (index, name) in plan.added.iter().enumerate() {
        if let Some(template) = removed.get(index).or(removed.first()) {
            let key = with_name(template.key(), &name.units, name.namespace);
            added.push(Item::new(template.reference(), &key));
        }
    }
    // Entries go first, as that makes room; but an index with blocks must not become empty in between.
    let is_all = entries <= removed.len() as u64 && !tree.is_root_leaf();
    let mut added = added.into_iter();
    // Only the new name of the 8.3 form may be one of those that go.
    if let Some(long) = is_all.then(|| added.next()).flatten() {
        tree.insert(changes, long)?;
    }
    for item in removed {
        tree.remove(changes, item.key())?;
    }
    for item in added {
        tree.insert(changes, item)?;
    }
    Ok(())
}

/// Changes the names in the file's record. A directory makes room there by moving its entries out.
fn change_record<R: ReadAt>(changes: &mut Changes<'_, R>, file: &File, plan: &Plan) -> Checked<()> {
    let number = file.number();
    let full = match record::renamed(changes.editor.record(number)?, plan) {
        Ok(renamed) => {
            *changes.editor.record(number)? = renamed;
            return Ok(());
        }
        Err(RenameError::Ntfs(NtfsError::RecordFull { needed, free, .. })) => RenameError::RecordFull {
            record: number,
            needed,
            free,
        },
        Err(error) => return Err(error),
    };
    let is_directory = file.is_directory() && file.base().find(AttributeType::INDEX_ROOT, I30)?.is_some();
    if !is_directory || file.number() == plan.directory {
        return Err(full);
    }
    sound(changes.volume, file)?;
    let mut tree = Tree::open(changes.volume, file)?;
    match tree.push_root(changes) {
        Err(RenameError::DirectoryFull { .. }) => return Err(full),
        pushed => pushed?,
    };
    tree.settle(changes)?;
    tree.save(changes, STEP)?;
    let renamed = record::renamed(changes.editor.record(number)?, plan).map_err(|error| match error {
        RenameError::Ntfs(NtfsError::RecordFull { .. }) => full,
        error => error,
    })?;
    *changes.editor.record(number)? = renamed;
    Ok(())
}
