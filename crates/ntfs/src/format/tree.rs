//! The tree of files that a volume is to have. A file's place in the list of nodes is the number of its file record.

use super::{FileData, FormatError, names, record};
use crate::types::{FileReference, Geometry, RecordNumber};
use crate::upcase::UpCase;
use std::collections::BTreeMap;

/// First record of files that are not NTFS' own.
pub(super) const FIRST_USER_RECORD: u64 = 27;
pub(super) const QUOTA: u64 = 24;
pub(super) const OBJECT_IDS: u64 = 25;
pub(super) const REPARSE_POINTS: u64 = 26;
/// Records 12 to 15 are in use without being files; 16 to 23 are free, kept for the $MFT's own extension.
pub(super) const RESERVED: std::ops::Range<u64> = 12..16;

const HIDDEN_AND_SYSTEM: u32 = 0x06;
/// Marks of directories and of files with view indexes in $FILE_NAME.
pub(super) const DIRECTORY: u32 = 0x1000_0000;
pub(super) const VIEW_INDEX: u32 = 0x2000_0000;
/// What callers may choose: read-only, hidden, system, archive, temporary, offline, not indexed by content.
const CHOOSABLE: u32 = 0x3127;

const STANDARD_INFORMATION_BYTES: usize = 72;
/// Bytes of a $FILE_NAME before the name.
const FILE_NAME_HEADER: usize = 0x42;

/// What a record is for.
#[derive(Debug)]
pub(super) enum Kind {
    /// A file of NTFS, one that is free, or one that is reserved: its number says which.
    System,
    /// A directory; whether it only exists because something below it was added.
    Directory { implied: bool },
    /// A file; its content until that is written.
    File(Option<FileData>),
}

/// A file or directory.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) parent: u64,
    pub(super) name: Vec<u16>,
    pub(super) namespace: u8,
    /// As in $FILE_NAME.
    pub(super) attributes: u32,
    /// Allocated and data bytes of the unnamed stream.
    pub(super) sizes: (u64, u64),
    pub(super) kind: Kind,
}

impl Node {
    pub(super) fn is_directory(&self) -> bool {
        self.attributes & DIRECTORY != 0
    }
}

/// All files of the volume.
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// By directory and upper-case name: children of a directory are in order of collation.
    children: BTreeMap<(u64, Vec<u16>), u64>,
    pub(super) upcase: UpCase,
}

impl Tree {
    /// The files of NTFS itself.
    pub(super) fn new(upcase: UpCase) -> Self {
        let mut tree = Self {
            nodes: Vec::new(),
            children: BTreeMap::new(),
            upcase,
        };
        let (root, extend) = (RecordNumber::ROOT.0, RecordNumber::EXTEND.0);
        let (both, posix) = (names::WIN32_AND_DOS, names::POSIX);
        for number in 0..FIRST_USER_RECORD {
            let (parent, name, namespace, mark) = match number {
                0 => (root, "$MFT", both, 0),
                1 => (root, "$MFTMirr", both, 0),
                2 => (root, "$LogFile", both, 0),
                3 => (root, "$Volume", both, 0),
                4 => (root, "$AttrDef", both, 0),
                5 => (root, ".", both, DIRECTORY),
                6 => (root, "$Bitmap", both, 0),
                7 => (root, "$Boot", both, 0),
                8 => (root, "$BadClus", both, 0),
                9 => (root, "$Secure", both, VIEW_INDEX),
                10 => (root, "$UpCase", both, 0),
                11 => (root, "$Extend", both, DIRECTORY),
                QUOTA => (extend, "$Quota", posix, VIEW_INDEX),
                OBJECT_IDS => (extend, "$ObjId", posix, VIEW_INDEX),
                REPARSE_POINTS => (extend, "$Reparse", posix, VIEW_INDEX),
                _ => (root, "", posix, 0),
            };
            tree.nodes.push(Node {
                parent,
                name: name.encode_utf16().collect(),
                namespace,
                attributes: HIDDEN_AND_SYSTEM | mark,
                sizes: (0, 0),
                kind: Kind::System,
            });
            if !name.is_empty() {
                tree.link(number);
            }
        }
        tree
    }

    fn key(&self, parent: u64, name: &[u16]) -> (u64, Vec<u16>) {
        (parent, name.iter().map(|&unit| self.upcase.map(unit)).collect())
    }

    fn link(&mut self, number: u64) {
        let node = &self.nodes[number as usize];
        let key = self.key(node.parent, &node.name);
        self.children.insert(key, number);
    }

    /// The children of a directory in order of collation.
    pub(super) fn children(&self, directory: u64) -> impl Iterator<Item = u64> {
        let range = (directory, Vec::new())..(directory + 1, Vec::new());
        self.children.range(range).map(|(_, &number)| number)
    }

    /// Adds a directory, or takes over one that was implied.
    pub(super) fn add_directory(&mut self, path: &str, attributes: u32) -> Result<(), FormatError> {
        let (parent, name) = self.parent_of(path)?;
        let attributes = attributes & CHOOSABLE | DIRECTORY;
        if let Some(&existing) = self.children.get(&self.key(parent, &name)) {
            let node = &mut self.nodes[existing as usize];
            if !matches!(node.kind, Kind::Directory { implied: true }) {
                return Err(exists(path));
            }
            (node.attributes, node.name) = (attributes, name);
            node.kind = Kind::Directory { implied: false };
            return Ok(());
        }
        self.push(
            parent,
            name,
            attributes,
            (0, 0),
            Kind::Directory { implied: false },
        );
        Ok(())
    }

    /// Adds a file.
    pub(super) fn add_file(
        &mut self,
        path: &str,
        attributes: u32,
        mut data: FileData,
        geometry: &Geometry,
    ) -> Result<(), FormatError> {
        if let Some((offset, length)) = data.bad_piece() {
            let path = path.to_owned();
            return Err(FormatError::BadPiece { path, offset, length });
        }
        let (parent, name) = self.parent_of(path)?;
        if self.children.contains_key(&self.key(parent, &name)) {
            return Err(exists(path));
        }
        let size = data.size();
        let allocated = if fits_record(geometry, name.len(), size) {
            size.next_multiple_of(8)
        } else {
            let cluster = u64::from(geometry.cluster_size);
            let needed = geometry.clusters_for(size);
            let available = geometry.clusters();
            if needed > available {
                return Err(FormatError::NoSpace { needed, available });
            }
            needed * cluster
        };
        let kind = Kind::File(Some(data));
        self.push(parent, name, attributes & CHOOSABLE, (allocated, size), kind);
        Ok(())
    }

    fn push(&mut self, parent: u64, name: Vec<u16>, attributes: u32, sizes: (u64, u64), kind: Kind) -> u64 {
        let number = self.nodes.len() as u64;
        let namespace = names::namespace(&String::from_utf16_lossy(&name));
        self.nodes.push(Node {
            parent,
            name,
            namespace,
            attributes,
            sizes,
            kind,
        });
        self.link(number);
        number
    }

    /// The directory that a path leads to and the name in it. Missing directories are made.
    fn parent_of(&mut self, path: &str) -> Result<(u64, Vec<u16>), FormatError> {
        let bad = |name: &str, problem| FormatError::BadName {
            path: path.to_owned(),
            name: name.to_owned(),
            problem,
        };
        let trimmed = path.trim_start_matches(['\\', '/']);
        let components: Vec<&str> = trimmed.split(['\\', '/']).collect();
        // All are checked first, so that a refused path leaves no directory behind.
        let mut names = Vec::with_capacity(components.len());
        for name in &components {
            names.push(names::units(name).map_err(|problem| bad(name, problem))?);
        }
        let Some(last) = names.pop() else {
            return Err(bad("", "it is empty"));
        };
        let mut directory = RecordNumber::ROOT.0;
        for (name, component) in names.into_iter().zip(components) {
            directory = match self.children.get(&self.key(directory, &name)) {
                Some(&number) if matches!(self.nodes[number as usize].kind, Kind::Directory { .. }) => number,
                Some(_) => {
                    let (path, name) = (path.to_owned(), component.to_owned());
                    return Err(FormatError::NotADirectory { path, name });
                }
                None => self.push(
                    directory,
                    name,
                    DIRECTORY,
                    (0, 0),
                    Kind::Directory { implied: true },
                ),
            };
        }
        Ok((directory, last))
    }

    /// The value of a node's $FILE_NAME, which is also its key in the directory. `time` stands for all four stamps.
    pub(super) fn file_name(&self, number: u64, time: u64) -> Vec<u8> {
        let node = &self.nodes[number as usize];
        let mut value = Vec::with_capacity(FILE_NAME_HEADER + node.name.len() * 2);
        value.extend(reference(node.parent).to_raw().to_le_bytes());
        for field in [time, time, time, time, node.sizes.0, node.sizes.1] {
            value.extend(field.to_le_bytes());
        }
        value.extend(node.attributes.to_le_bytes());
        value.extend([0; 4]);
        value.extend([node.name.len() as u8, node.namespace]);
        value.extend(node.name.iter().flat_map(|unit| unit.to_le_bytes()));
        value
    }
}

/// The sequence number of a record: that of system files is their number, but never 0.
pub(super) fn sequence(number: u64) -> u16 {
    if number < RESERVED.end {
        (number as u16).max(1)
    } else {
        1
    }
}

/// The reference to a record.
pub(super) fn reference(number: u64) -> FileReference {
    FileReference {
        record: RecordNumber(number),
        sequence: sequence(number),
    }
}

/// Whether a file's content fits its record. Attributes before it: $STANDARD_INFORMATION and $FILE_NAME.
pub(super) fn fits_record(geometry: &Geometry, name_units: usize, size: u64) -> bool {
    let before = record::first_attribute(geometry.record_size)
        + record::resident_bytes("", STANDARD_INFORMATION_BYTES)
        + record::resident_bytes("", FILE_NAME_HEADER + name_units * 2);
    let room = (geometry.record_size as usize).saturating_sub(before + 8);
    usize::try_from(size).is_ok_and(|size| size <= room && record::resident_bytes("", size) <= room)
}

/// The value of $STANDARD_INFORMATION: with a number of a security descriptor in $Secure, or in the short form of
/// files that have a descriptor of their own.
pub(super) fn standard_information(attributes: u32, time: u64, security: Option<u32>) -> Vec<u8> {
    let mut value: Vec<u8> = [time; 4].iter().flat_map(|stamp| stamp.to_le_bytes()).collect();
    value.extend((attributes & !DIRECTORY).to_le_bytes());
    value.extend([0; 12]);
    if let Some(number) = security {
        value.extend([0; 4]);
        value.extend(number.to_le_bytes());
        value.resize(STANDARD_INFORMATION_BYTES, 0);
    }
    value
}

fn exists(path: &str) -> FormatError {
    let path = path.to_owned();
    FormatError::Exists { path }
}
