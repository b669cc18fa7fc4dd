//! The B+tree of one index: nodes, blocks, their bitmap, and the order of the keys. What the keys say is left to a
//! visitor. Each block is visited once at most, so no tree makes a walk long or deep.

use super::ProblemCode;
use super::bits::{bit, set_bit};
use super::collation::Collation;
use super::problem::Problem;
use super::report::Findings;
use crate::bytes::{take, u16_at, u32_at, u64_at};
use crate::error::NtfsError;
use crate::fixup;
use crate::index::{BLOCK_HEADER, ENTRY_LAST, ENTRY_SUBNODE, ROOT_HEADER, SIGNATURE};
use crate::runs::RunList;
use crate::types::{AttributeType, Geometry, RecordNumber, Vcn};
use crate::upcase::UpCase;
use std::cmp::Ordering;
use winrefit_disk::ReadAt;

/// Levels that a tree can have. Even a fan-out of 2 reaches more entries than a volume has records.
const DEPTH_MAX: usize = 48;
const ENTRY_HEADER: usize = 0x10;
/// Bytes of an index header.
const HEADER: usize = 0x10;
const SUBNODE: usize = 8;

/// An index, its root at hand.
pub(crate) struct Index {
    pub(crate) file: RecordNumber,
    /// UTF-16LE.
    pub(crate) name: Vec<u8>,
    /// Value of $INDEX_ROOT.
    pub(crate) root: Vec<u8>,
    /// Runs of $INDEX_ALLOCATION, to tell places; none where there is no such attribute.
    pub(crate) runs: Option<RunList>,
    pub(crate) block_size: usize,
    /// Value of $BITMAP.
    pub(crate) bitmap: Option<Vec<u8>>,
    pub(crate) collation: Collation,
}

/// An entry with a key.
pub(crate) struct KeyEntry<'e> {
    /// The whole entry.
    pub(crate) bytes: &'e [u8],
    pub(crate) key: &'e [u8],
    /// Whether it lies in the root, and its byte offset in its node.
    block: Option<u64>,
    offset: usize,
}

/// A node on the way from the root to the place at hand.
struct Node {
    bytes: Vec<u8>,
    /// Its block; `None` for the root.
    block: Option<u64>,
    /// The entry at hand.
    offset: usize,
    end: usize,
    is_inner: bool,
    /// Whether the block below the entry at hand has been visited.
    is_descended: bool,
}

/// A header as far as it is used.
struct NodeHeader {
    first: usize,
    end: usize,
    is_inner: bool,
}

pub(crate) struct Walk<'w, R> {
    pub(crate) index: &'w Index,
    /// The bytes of $INDEX_ALLOCATION.
    pub(crate) blocks: R,
    pub(crate) geometry: Geometry,
    pub(crate) upcase: Option<&'w UpCase>,
    pub(crate) findings: &'w mut Findings,
    /// Blocks visited, a bit for each.
    visited: Vec<u8>,
    previous: Option<Vec<u8>>,
    leaf_depth: Option<usize>,
    /// Whether entries may have been passed over.
    pub(crate) is_damaged: bool,
}

impl<'w, R: ReadAt> Walk<'w, R> {
    pub(crate) fn new(
        index: &'w Index,
        blocks: R,
        geometry: Geometry,
        upcase: Option<&'w UpCase>,
        findings: &'w mut Findings,
    ) -> Self {
        let count = blocks.size() / index.block_size as u64;
        Self {
            index,
            blocks,
            geometry,
            upcase,
            findings,
            visited: vec![0; count.div_ceil(8) as usize],
            previous: None,
            leaf_depth: None,
            is_damaged: false,
        }
    }

    /// Walks the tree in the order of its keys.
    ///
    /// # Errors
    /// An error of the medium.
    pub(crate) fn run(mut self, mut visit: impl FnMut(&mut Self, &KeyEntry<'_>)) -> Result<bool, NtfsError> {
        let mut path = Vec::new();
        let mut spare = Vec::new();
        if let Some(root) = self.root() {
            path.push(root);
        }
        while let Some(node) = path.last_mut() {
            let Some((length, flags)) = self.entry(node) else {
                self.is_damaged = true;
                spare.extend(path.pop().map(|node| node.bytes));
                continue;
            };
            let entry = &node.bytes[node.offset..node.offset + length];
            if flags & ENTRY_SUBNODE != 0 && !node.is_descended {
                node.is_descended = true;
                let vcn = u64_at(entry, length - SUBNODE).unwrap_or(u64::MAX);
                let depth = path.len();
                let buf = spare.pop().unwrap_or_default();
                path.extend(self.descend(Vcn(vcn), depth, buf)?);
                continue;
            }
            if flags & ENTRY_LAST != 0 {
                spare.extend(path.pop().map(|node| node.bytes));
                continue;
            }
            let key = u16_at(entry, 0x0A).and_then(|length| take(entry, ENTRY_HEADER, length.into()));
            let key = KeyEntry {
                bytes: entry,
                key: key.unwrap_or_default(),
                block: node.block,
                offset: node.offset,
            };
            self.order(&key);
            visit(&mut self, &key);
            node.offset += length;
            node.is_descended = false;
        }
        if !self.is_damaged {
            self.check_bitmap();
        }
        Ok(self.is_damaged)
    }

    fn problem(&self, code: ProblemCode, block: Option<u64>) -> Problem {
        let type_code = match block {
            Some(_) => AttributeType::INDEX_ALLOCATION,
            None => AttributeType::INDEX_ROOT,
        };
        Problem::of(code, self.index.file).attribute(type_code, &self.index.name)
    }

    /// Tells of a problem at a byte of a node.
    fn tell(&mut self, block: Option<u64>, offset: usize, mut problem: Problem) {
        if self.findings.has_room(problem.code) {
            problem.volume_byte = block.and_then(|block| self.place(block, offset));
        }
        self.findings.push(problem);
    }

    /// Tells of a problem of an entry.
    pub(crate) fn tell_entry(&mut self, entry: &KeyEntry<'_>, code: ProblemCode) {
        self.tell_values(entry, code, |problem| problem);
    }

    /// The same, with something added.
    pub(crate) fn tell_values(
        &mut self,
        entry: &KeyEntry<'_>,
        code: ProblemCode,
        add: impl FnOnce(Problem) -> Problem,
    ) {
        let mut problem = self.problem(code, entry.block);
        if self.index.collation == Collation::FileName {
            problem = problem.name(entry.key.get(0x42..).unwrap_or_default());
        }
        self.tell(entry.block, entry.offset, add(problem));
    }

    fn place(&self, block: u64, offset: usize) -> Option<u64> {
        let byte = block * self.index.block_size as u64 + offset as u64;
        let cluster = u64::from(self.geometry.cluster_size);
        let (start, run) = self.index.runs.as_ref()?.find(Vcn(byte / cluster))?;
        Some(self.geometry.offset_of(run.lcn?) + byte - start.0 * cluster)
    }

    fn root(&mut self) -> Option<Node> {
        let bytes = self.index.root.clone();
        let header = self.header(&bytes, ROOT_HEADER, None)?;
        Some(Node {
            bytes,
            block: None,
            offset: header.first,
            end: header.end,
            is_inner: header.is_inner,
            is_descended: false,
        })
    }

    /// Checks the header at `at` of a node.
    fn header(&mut self, node: &[u8], at: usize, block: Option<u64>) -> Option<NodeHeader> {
        let field = |offset| u32_at(node, at + offset).unwrap_or(0) as usize;
        let (first, used, allocated, flags) = (field(0), field(4), field(8), field(12) & 0xFF);
        let space = node.len().saturating_sub(at);
        let bad = [
            (0, first, first < HEADER || first % 8 != 0 || first > used),
            (4, used, used % 8 != 0 || used > allocated),
            (
                8,
                allocated,
                allocated > space || (block.is_some() && allocated != space),
            ),
            (12, flags, flags > 1),
        ];
        if let Some((offset, actual, _)) = bad.into_iter().find(|(.., is_bad)| *is_bad) {
            let problem = self
                .problem(ProblemCode::IndexNodeHeader, block)
                .actual(actual as u64);
            self.tell(block, at + offset, problem);
            self.is_damaged = true;
            return None;
        }
        Some(NodeHeader {
            first: at + first,
            end: at + used,
            is_inner: flags & 1 != 0,
        })
    }

    /// Length and flags of the entry at hand, whose lengths are checked.
    fn entry(&mut self, node: &Node) -> Option<(usize, u16)> {
        let used = &node.bytes[..node.end];
        let field = |offset: usize| u16_at(used, node.offset + offset);
        let (length, key, flags) = match (field(8), field(0x0A), field(0x0C)) {
            (Some(length), Some(key), Some(flags)) => (usize::from(length), usize::from(key), flags),
            _ => (0, 0, 0),
        };
        let key = if flags & ENTRY_LAST != 0 { 0 } else { key };
        let tail = if flags & ENTRY_SUBNODE != 0 { SUBNODE } else { 0 };
        let fits = take(used, node.offset, length).is_some() && ENTRY_HEADER + key + tail <= length;
        // Behind the last entry there is nothing.
        let ends = flags & ENTRY_LAST == 0 || node.offset + length == node.end;
        if !fits || length % 8 != 0 || !ends {
            let problem = self.problem(ProblemCode::IndexEntryMalformed, node.block);
            self.tell(node.block, node.offset, problem.actual(length as u64));
            return None;
        }
        // In the root the flag says that there are blocks, of which an emptied directory may have kept none.
        if (flags & ENTRY_SUBNODE != 0) != node.is_inner && (node.block.is_some() || !node.is_inner) {
            let problem = self.problem(ProblemCode::IndexSubnode, node.block);
            self.tell(node.block, node.offset, problem);
            return None;
        }
        Some((length, flags))
    }

    /// The block that an entry names, if it may be visited.
    fn descend(&mut self, vcn: Vcn, depth: usize, buf: Vec<u8>) -> Result<Option<Node>, NtfsError> {
        let size = self.index.block_size as u64;
        let unit = vcn_unit(self.index.block_size, self.geometry);
        let byte = vcn.0.checked_mul(unit);
        let inside = byte.filter(|byte| byte % size == 0 && byte / size < self.blocks.size() / size);
        let wrong = match inside {
            _ if self.index.runs.is_none() => Some(ProblemCode::IndexAllocationMissing),
            None => Some(ProblemCode::IndexSubnode),
            Some(_) if depth >= DEPTH_MAX => Some(ProblemCode::IndexSubnode),
            Some(byte) if !set_bit(&mut self.visited, byte / size) => Some(ProblemCode::IndexBlockShared),
            Some(_) => None,
        };
        let block = inside.unwrap_or(0) / size;
        if let Some(code) = wrong {
            let problem = self.problem(code, Some(block)).actual(vcn.0);
            self.tell(None, 0, problem);
            self.is_damaged = true;
            return Ok(None);
        }
        let node = self.load(block, vcn, buf)?;
        self.is_damaged |= node.is_none();
        if let Some(node) = node.as_ref().filter(|node| !node.is_inner) {
            let due = *self.leaf_depth.get_or_insert(depth);
            if due != depth {
                let problem = self.problem(ProblemCode::IndexDepth, node.block);
                self.tell(node.block, 0, problem.values(due as u64, depth as u64));
                self.leaf_depth = Some(depth);
            }
        }
        Ok(node)
    }

    fn load(&mut self, block: u64, vcn: Vcn, mut buf: Vec<u8>) -> Result<Option<Node>, NtfsError> {
        let size = self.index.block_size;
        let bit = self.index.bitmap.as_ref().map(|bitmap| bit(bitmap, block));
        if bit == Some(Some(false)) {
            let problem = self.problem(ProblemCode::IndexBlockUnmarked, Some(block));
            self.tell(Some(block), 0, problem.actual(vcn.0));
        }
        buf.resize(size, 0);
        self.blocks.read_at(block * size as u64, &mut buf)?;
        let wrong = match fixup::apply(&mut buf, SIGNATURE, "index block", 0) {
            Err(NtfsError::TornRecord { .. }) => Some(ProblemCode::IndexBlockTorn),
            Err(_) => Some(ProblemCode::IndexBlockSignature),
            Ok(()) if u64_at(&buf, 0x10) != Some(vcn.0) => Some(ProblemCode::IndexBlockVcn),
            Ok(()) => None,
        };
        if let Some(code) = wrong {
            let problem = self.problem(code, Some(block)).actual(vcn.0);
            self.tell(Some(block), 0, problem);
            return Ok(None);
        }
        let header = self.header(&buf, BLOCK_HEADER, Some(block));
        Ok(header.map(|header| Node {
            bytes: buf,
            block: Some(block),
            offset: header.first,
            end: header.end,
            is_inner: header.is_inner,
            is_descended: false,
        }))
    }

    fn order(&mut self, entry: &KeyEntry<'_>) {
        let previous = self.previous.take();
        if let Some(previous) = &previous {
            let order = self.index.collation.compare(self.upcase, previous, entry.key);
            match order {
                Some(Ordering::Greater) => self.tell_entry(entry, ProblemCode::IndexOrder),
                Some(Ordering::Equal) => self.tell_entry(entry, ProblemCode::IndexEntryDuplicate),
                _ => {}
            }
        }
        let mut previous = previous.unwrap_or_default();
        previous.clear();
        previous.extend_from_slice(entry.key);
        self.previous = Some(previous);
    }

    /// The bitmap against the blocks visited.
    fn check_bitmap(&mut self) {
        let blocks = self.blocks.size() / self.index.block_size as u64;
        let Some(bitmap) = &self.index.bitmap else {
            if self.index.runs.is_some() {
                let problem = self.problem(ProblemCode::IndexBitmapMissing, None);
                self.tell(None, 0, problem);
            }
            return;
        };
        let last = (0..blocks)
            .rev()
            .find(|&block| bit(&self.visited, block) == Some(true));
        let marked = bitmap
            .iter()
            .map(|byte| u64::from(byte.count_ones()))
            .sum::<u64>();
        let used = (0..blocks).filter(|&block| bit(&self.visited, block) == Some(true));
        let used = used.filter(|&block| bit(bitmap, block) == Some(true)).count() as u64;
        let too_small = last.is_some_and(|last| bit(bitmap, last).is_none());
        let bytes = bitmap.len() as u64;
        let problem =
            |code| Problem::of(code, self.index.file).attribute(AttributeType::BITMAP, &self.index.name);
        let small = problem(ProblemCode::IndexBitmapTooSmall).values(blocks.div_ceil(8), bytes);
        let leaked = problem(ProblemCode::IndexBlockLeaked).values(used, marked);
        if too_small {
            self.findings.push(small);
        }
        if marked > used {
            self.findings.push(leaked);
        }
    }
}

/// Bytes that a VCN in an index counts: clusters, or 512-byte units where a block is smaller than a cluster.
pub(crate) fn vcn_unit(block_size: usize, geometry: Geometry) -> u64 {
    if block_size >= geometry.cluster_size as usize {
        geometry.cluster_size.into()
    } else {
        512
    }
}
