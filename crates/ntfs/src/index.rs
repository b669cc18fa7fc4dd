//! Directories: the $I30 index of file names, a B+tree whose nodes are the resident $INDEX_ROOT and the index blocks
//! of $INDEX_ALLOCATION.
//!
//! Layout: libfsntfs documentation, "Index"; Microsoft INDEX_HEADER, INDEX_ENTRY.

use crate::attribute::FileName;
use crate::bytes::{take, u16_at, u32_at, u64_at};
use crate::error::NtfsError;
use crate::file::{File, StreamReader};
use crate::fixup;
use crate::types::{AttributeType, FileReference, RecordNumber, Vcn};
use crate::upcase::UpCase;
use crate::volume::Volume;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;
use winrefit_disk::ReadAt;

/// Name of the index of file names.
pub const I30: &str = "$I30";
/// Signature of an index block.
pub const SIGNATURE: [u8; 4] = *b"INDX";
/// Entry flag: has a sub-node.
pub const ENTRY_SUBNODE: u16 = 1;
/// Entry flag: the last of its node, without a key.
pub const ENTRY_LAST: u16 = 2;
/// Levels that a tree can have. Even a fan-out of 2 reaches more entries than a volume has records.
const DEPTH_MAX: usize = 48;

/// Offset of the index header (and of the offsets in it) in an $INDEX_ROOT value.
pub const ROOT_HEADER: usize = 0x10;
/// Offset of the index header in an index block.
pub const BLOCK_HEADER: usize = 0x18;

/// One entry of a node.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Byte offset of the entry in its node's buffer.
    pub offset: usize,
    /// The whole entry.
    pub bytes: &'a [u8],
}

impl<'a> Entry<'a> {
    /// The file that the entry names (meaningless in the last entry of a node).
    pub fn reference(&self) -> FileReference {
        FileReference::from_raw(u64_at(self.bytes, 0).unwrap_or(0))
    }

    /// Flags: sub-node, last.
    pub fn flags(&self) -> u16 {
        u16_at(self.bytes, 0x0C).unwrap_or(0)
    }

    /// The key: in $I30 a $FILE_NAME value. Empty in the last entry.
    pub fn key(&self) -> &'a [u8] {
        let length = u16_at(self.bytes, 0x0A).unwrap_or(0);
        if self.flags() & ENTRY_LAST != 0 {
            return &[];
        }
        take(self.bytes, 0x10, length.into()).unwrap_or_default()
    }

    /// The block below, left of this entry's key.
    pub fn subnode(&self) -> Option<Vcn> {
        if self.flags() & ENTRY_SUBNODE == 0 {
            return None;
        }
        u64_at(self.bytes, self.bytes.len().checked_sub(8)?).map(Vcn)
    }
}

/// Takes a node apart. `header` is the offset of the index header in `node`; the entries' offsets count from `node`'s
/// start. The last entry is included.
///
/// # Errors
/// [`NtfsError::BadIndex`] if an entry leaves the node or there is no last one.
pub fn entries(
    node: &[u8],
    header: usize,
    record: RecordNumber,
    block: Option<Vcn>,
) -> Result<Vec<Entry<'_>>, NtfsError> {
    let bad = |offset, problem| NtfsError::BadIndex {
        record,
        block,
        offset,
        problem,
    };
    let first = u32_at(node, header).ok_or_else(|| bad(header, "index header cut off"))? as usize;
    let used = u32_at(node, header + 4).ok_or_else(|| bad(header, "index header cut off"))? as usize;
    let end = header
        .checked_add(used)
        .filter(|&e| e <= node.len())
        .ok_or_else(|| bad(header + 4, "used size"))?;
    let mut offset = header
        .checked_add(first)
        .filter(|&f| f <= end)
        .ok_or_else(|| bad(header, "first entry"))?;
    let mut list = Vec::new();
    loop {
        let length = usize::from(u16_at(node, offset + 8).ok_or_else(|| bad(offset, "entry cut off"))?);
        let bytes = take(node, offset, length)
            .filter(|_| length >= 0x10 && length % 8 == 0 && offset + length <= end)
            .ok_or_else(|| bad(offset, "entry length"))?;
        let entry = Entry { offset, bytes };
        let need = if entry.flags() & ENTRY_LAST != 0 {
            0
        } else {
            usize::from(u16_at(bytes, 0x0A).unwrap_or(0))
        };
        let tail = if entry.flags() & ENTRY_SUBNODE != 0 { 8 } else { 0 };
        if 0x10 + need + tail > length {
            return Err(bad(offset, "key length"));
        }
        list.push(entry);
        if entry.flags() & ENTRY_LAST != 0 {
            return Ok(list);
        }
        offset += length;
    }
}

/// A directory of an opened volume.
pub struct Directory<'v, R> {
    record: RecordNumber,
    root: Vec<u8>,
    block_size: usize,
    blocks: Option<StreamReader<&'v R>>,
    cluster_size: u32,
    upcase: Arc<UpCase>,
}

impl<'v, R: ReadAt> Directory<'v, R> {
    pub(crate) fn open(volume: &'v Volume<R>, file: &File) -> Result<Self, NtfsError> {
        let record = file.number();
        let missing = NtfsError::MissingAttribute {
            record,
            attribute: AttributeType::INDEX_ROOT,
        };
        let root = file.require(AttributeType::INDEX_ROOT, I30)?;
        let crate::file::StreamBody::Resident(root) = root.body else {
            return Err(missing);
        };
        let block_size = u32_at(&root, 8).unwrap_or(0) as usize;
        if !block_size.is_power_of_two() || !(512..=65536).contains(&block_size) {
            return Err(NtfsError::BadIndex {
                record,
                block: None,
                offset: 8,
                problem: "index block size",
            });
        }
        let blocks = match file.stream(AttributeType::INDEX_ALLOCATION, I30)? {
            Some(stream) => Some(volume.stream_reader(stream)?),
            None => None,
        };
        let cluster_size = volume.geometry().cluster_size;
        Ok(Self {
            record,
            root,
            block_size,
            blocks,
            cluster_size,
            upcase: volume.upcase()?,
        })
    }

    /// Reads the block that a VCN names. VCNs count clusters, or 512-byte units where a block is smaller than a cluster.
    fn block(&self, vcn: Vcn) -> Result<Vec<u8>, NtfsError> {
        let bad = |problem| NtfsError::BadIndex {
            record: self.record,
            block: Some(vcn),
            offset: 0,
            problem,
        };
        let unit = if self.block_size >= self.cluster_size as usize {
            self.cluster_size.into()
        } else {
            512u64
        };
        let offset = vcn.0.checked_mul(unit).ok_or_else(|| bad("VCN out of range"))?;
        let blocks = self.blocks.as_ref().ok_or_else(|| bad("no $INDEX_ALLOCATION"))?;
        if offset
            .checked_add(self.block_size as u64)
            .is_none_or(|end| end > blocks.size())
        {
            return Err(bad("VCN out of range"));
        }
        let mut block = blocks.read_vec(offset, self.block_size)?;
        fixup::apply(&mut block, SIGNATURE, "index block", offset)?;
        if u64_at(&block, 0x10) != Some(vcn.0) {
            return Err(bad("own VCN in the block"));
        }
        Ok(block)
    }

    /// Finds the file of this name, ignoring case; where names differ only in case, the exactly equal one.
    ///
    /// # Errors
    /// Damage of the index, or an error of the medium.
    pub fn find(&self, name: &str) -> Result<Option<FileReference>, NtfsError> {
        let wanted: Vec<u16> = name.encode_utf16().collect();
        let mut node = self.root.clone();
        let (mut header, mut block) = (ROOT_HEADER, None);
        let mut found = None;
        for _ in 0..DEPTH_MAX {
            let mut below = None;
            for entry in entries(&node, header, self.record, block)? {
                below = entry.subnode();
                if entry.flags() & ENTRY_LAST != 0 {
                    break;
                }
                let bad = NtfsError::BadIndex {
                    record: self.record,
                    block,
                    offset: entry.offset,
                    problem: "key",
                };
                let key = FileName::parse(entry.key()).ok_or(bad)?;
                match self.upcase.compare(&wanted, &key.name) {
                    Ordering::Less => break,
                    Ordering::Greater => {}
                    Ordering::Equal if key.name == wanted => return Ok(Some(entry.reference())),
                    // Another spelling: an exact one may still follow here or below.
                    Ordering::Equal => found = found.or(Some(entry.reference())),
                }
            }
            let Some(vcn) = below else { return Ok(found) };
            node = self.block(vcn)?;
            (header, block) = (BLOCK_HEADER, Some(vcn));
        }
        let limit = DEPTH_MAX as u64;
        Err(NtfsError::TooMuch {
            what: "levels of an index",
            actual: limit + 1,
            limit,
        })
    }

    /// All entries in the order of the index, DOS names included.
    ///
    /// # Errors
    /// Damage of the index, or an error of the medium.
    pub fn list(&self) -> Result<Vec<(FileReference, FileName)>, NtfsError> {
        let mut all = Vec::new();
        self.each(|reference, name| {
            all.push((reference, name));
            true
        })?;
        Ok(all)
    }

    /// Passes every entry on in the order of the index, DOS names included, until `visit` returns false. Nothing of them
    /// is kept: a directory may have millions.
    ///
    /// # Errors
    /// As [`Directory::list`].
    pub fn each(&self, mut visit: impl FnMut(FileReference, FileName) -> bool) -> Result<(), NtfsError> {
        let mut seen = HashSet::new();
        self.walk((&self.root, ROOT_HEADER, None), 0, &mut seen, &mut visit)
            .map(|_| ())
    }

    /// Returns whether to go on.
    fn walk(
        &self,
        (node, header, block): (&[u8], usize, Option<Vcn>),
        depth: usize,
        seen: &mut HashSet<Vcn>,
        visit: &mut impl FnMut(FileReference, FileName) -> bool,
    ) -> Result<bool, NtfsError> {
        let bad = |offset, problem| NtfsError::BadIndex {
            record: self.record,
            block,
            offset,
            problem,
        };
        if depth >= DEPTH_MAX {
            return Err(bad(0, "too many levels"));
        }
        for entry in entries(node, header, self.record, block)? {
            if let Some(vcn) = entry.subnode() {
                if !seen.insert(vcn) {
                    return Err(bad(entry.offset, "block reached twice"));
                }
                let below = self.block(vcn)?;
                if !self.walk((&below, BLOCK_HEADER, Some(vcn)), depth + 1, seen, visit)? {
                    return Ok(false);
                }
            }
            if entry.flags() & ENTRY_LAST == 0 {
                let key = FileName::parse(entry.key()).ok_or_else(|| bad(entry.offset, "key"))?;
                if !visit(entry.reference(), key) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

impl<R> std::fmt::Debug for Directory<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory")
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}
