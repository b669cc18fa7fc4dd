//! Files with an attribute list: their pieces, which lie in several records, against the list and each other.
//! Such files are few, so their attributes are remembered during the pass and compared behind it.

use super::codes::ProblemCode;
use super::facts::{Brief, MftFacts};
use super::mft::name_order;
use super::problem::Problem;
use super::report::Findings;
use crate::attribute::{Attribute, ListEntry, StreamSizes, parse_attribute_list};
use crate::error::NtfsError;
use crate::file::{ATTRIBUTE_LIST_BYTES_MAX, Stream, StreamBody};
use crate::record::Record;
use crate::types::{AttributeType, FileReference, RecordNumber};
use crate::upcase::UpCase;
use crate::volume::Volume;
use std::collections::HashSet;
use winrefit_disk::ReadAt;

/// All attribute lists together are at most so many times the $MFT: each entry has an attribute in a record, which is
/// nearly as long. More is a malicious volume, and reading it all would take forever.
const LISTS_MAX_MFTS: u64 = 4;

/// An attribute of a file with an attribute list.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    base: RecordNumber,
    type_code: AttributeType,
    name: Box<[u8]>,
    lowest_vcn: u64,
    end_vcn: u64,
    holder: RecordNumber,
    id: u16,
    /// Clusters owned.
    owned: u64,
    is_resident: bool,
    sizes: Option<StreamSizes>,
    total_allocated: Option<u64>,
}

impl Piece {
    pub(crate) fn new(record: &Record<&[u8]>, attribute: &Attribute<'_>, owned: u64) -> Self {
        Self {
            base: record.base().map_or(record.number(), |base| base.record),
            type_code: attribute.type_code(),
            name: attribute.name_bytes().into(),
            lowest_vcn: attribute.lowest_vcn().0,
            end_vcn: attribute.end_vcn().0,
            holder: record.number(),
            id: attribute.id(),
            owned,
            is_resident: !attribute.is_non_resident(),
            sizes: attribute.sizes(),
            total_allocated: attribute.total_allocated(),
        }
    }

    /// The pieces of one stream have the same.
    fn stream(&self) -> (RecordNumber, AttributeType, &[u8]) {
        (self.base, self.type_code, &self.name)
    }

    fn problem(&self, code: ProblemCode) -> Problem {
        Problem::of(code, self.base).attribute(self.type_code, &self.name)
    }
}

/// A base record with an attribute list.
struct ListedBase {
    number: RecordNumber,
    link_count: u16,
    list: Stream,
}

/// What the pass remembers of files with attribute lists.
#[derive(Default)]
pub(crate) struct SplitFiles {
    bases: Vec<ListedBase>,
    extensions: Vec<(RecordNumber, FileReference)>,
    pieces: Vec<Piece>,
}

impl SplitFiles {
    /// Remembers the record if its file has, or should have, an attribute list; returns whether it does.
    pub(crate) fn add_record(&mut self, record: &Record<&[u8]>) -> bool {
        if let Some(base) = record.base() {
            self.extensions.push((record.number(), base));
            return true;
        }
        let list = record
            .attributes()
            .map_while(Result::ok)
            .take_while(|attribute| attribute.type_code() <= AttributeType::ATTRIBUTE_LIST)
            .find(|attribute| attribute.type_code() == AttributeType::ATTRIBUTE_LIST);
        let Some(list) = list else { return false };
        let body = match (list.value(), list.sizes(), list.runs()) {
            (Some(value), ..) => StreamBody::Resident(value.to_vec()),
            (None, Some(sizes), Ok(runs)) => StreamBody::NonResident { runs, sizes },
            // An empty list names nothing, which is told.
            _ => StreamBody::Resident(Vec::new()),
        };
        self.bases.push(ListedBase {
            number: record.number(),
            link_count: record.link_count(),
            list: Stream {
                record: record.number(),
                type_code: AttributeType::ATTRIBUTE_LIST,
                flags: list.flags(),
                body,
            },
        });
        true
    }

    /// Attributes that are remembered.
    pub(crate) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Adds what is known of the records that follow.
    pub(crate) fn append(&mut self, mut next: Self) {
        self.bases.append(&mut next.bases);
        self.extensions.append(&mut next.extensions);
        self.pieces.append(&mut next.pieces);
    }

    pub(crate) fn add_piece(&mut self, piece: Piece) {
        self.pieces.push(piece);
    }
}

/// Compares what the pass remembered.
pub(crate) fn check<R: ReadAt>(
    volume: &Volume<R>,
    facts: &mut MftFacts,
    findings: &mut Findings,
) -> Result<(), NtfsError> {
    let mut split = std::mem::take(&mut facts.split);
    let mut orphans = HashSet::new();
    for &(number, base) in &split.extensions {
        let is_base = |brief: Brief| brief.is_named_by(base.sequence);
        if !facts.brief(base.record).is_some_and(is_base) {
            findings.push(Problem::of(ProblemCode::ExtensionOrphan, number).actual(base.record.0));
            orphans.insert(number);
        }
    }
    // What an orphan holds has no file to be compared with.
    split
        .pieces
        .retain(|piece| piece.holder == piece.base || !orphans.contains(&piece.holder));
    split.pieces.sort_by(|a, b| {
        (a.stream(), a.lowest_vcn, a.holder, a.id).cmp(&(b.stream(), b.lowest_vcn, b.holder, b.id))
    });
    for stream in split.pieces.chunk_by(|a, b| a.stream() == b.stream()) {
        check_stream(volume, stream, findings);
    }
    check_lists(volume, facts, &split, findings)
}

/// The pieces of a stream follow each other and add up to its sizes.
fn check_stream<R: ReadAt>(volume: &Volume<R>, pieces: &[Piece], findings: &mut Findings) {
    let cluster = u64::from(volume.geometry().cluster_size);
    let (mut expected, mut owned) = (0, 0u64);
    for piece in pieces {
        if piece.is_resident {
            continue;
        }
        if piece.lowest_vcn != expected {
            let problem = piece.problem(ProblemCode::StreamGap);
            return findings.push(problem.values(expected, piece.lowest_vcn));
        }
        expected = piece.end_vcn;
        owned = owned.saturating_add(piece.owned);
    }
    let Some((first, sizes)) = pieces.first().and_then(|first| Some((first, first.sizes?))) else {
        return;
    };
    let (spanned, owned) = (expected.saturating_mul(cluster), owned.saturating_mul(cluster));
    if sizes.allocated != spanned {
        let problem = first.problem(ProblemCode::AllocatedSize);
        findings.push(problem.values(spanned, sizes.allocated));
    }
    if let Some(total) = first.total_allocated.filter(|&total| total != owned) {
        findings.push(first.problem(ProblemCode::TotalAllocated).values(owned, total));
    }
}

fn check_lists<R: ReadAt>(
    volume: &Volume<R>,
    facts: &MftFacts,
    split: &SplitFiles,
    findings: &mut Findings,
) -> Result<(), NtfsError> {
    let upcase = volume.upcase().ok();
    let mut budget = volume.mft().len().saturating_mul(LISTS_MAX_MFTS);
    for base in &split.bases {
        let start = split.pieces.partition_point(|piece| piece.base < base.number);
        let pieces = split.pieces.get(start..).unwrap_or_default();
        let pieces = &pieces[..pieces.partition_point(|piece| piece.base == base.number)];
        let names = pieces
            .iter()
            .filter(|piece| piece.type_code == AttributeType::FILE_NAME)
            .count() as u64;
        if names != u64::from(base.link_count) {
            let problem = Problem::of(ProblemCode::LinkCount, base.number);
            findings.push(problem.values(names, base.link_count.into()));
        }
        budget = budget.saturating_sub(base.list.len());
        let entries = read_list(volume, base, budget > 0);
        if entries.as_ref().is_err_and(NtfsError::is_of_medium) {
            return entries.map(|_| ());
        }
        match entries {
            Ok(entries) => {
                check_order(base.number, &entries, upcase.as_deref(), findings);
                compare(base.number, &entries, pieces, facts, findings);
            }
            Err(_) => findings.push(
                Problem::of(ProblemCode::AttributeListDamaged, base.number)
                    .attribute(AttributeType::ATTRIBUTE_LIST, &[])
                    .actual(base.list.len()),
            ),
        }
    }
    // Pieces of a base record without a list: every extension record must be listed.
    let mut previous = None;
    for piece in split.pieces.iter().filter(|piece| piece.holder != piece.base) {
        let has_list = split
            .bases
            .binary_search_by_key(&piece.base, |base| base.number)
            .is_ok();
        if !has_list && previous.replace(piece.holder) != Some(piece.holder) {
            findings.push(
                piece
                    .problem(ProblemCode::AttributeUnlisted)
                    .actual(piece.holder.0),
            );
        }
    }
    Ok(())
}

fn read_list<R: ReadAt>(
    volume: &Volume<R>,
    base: &ListedBase,
    in_budget: bool,
) -> Result<Vec<ListEntry>, NtfsError> {
    let limit = if in_budget { ATTRIBUTE_LIST_BYTES_MAX } else { 0 };
    let value = volume.read_stream(base.list.clone(), limit)?;
    parse_attribute_list(base.number, &value)
}

/// Entries are ordered by type, name and VCN; Windows ends a search at the first that is greater.
fn check_order(base: RecordNumber, entries: &[ListEntry], upcase: Option<&UpCase>, findings: &mut Findings) {
    let bytes =
        |entry: &ListEntry| -> Vec<u8> { entry.name.iter().flat_map(|unit| unit.to_le_bytes()).collect() };
    let is_wrong = |pair: &&[ListEntry]| {
        let [a, b] = pair else { return false };
        let by_name = || {
            if a.name == b.name {
                a.lowest_vcn.cmp(&b.lowest_vcn)
            } else {
                name_order(upcase, &bytes(a), &bytes(b))
            }
        };
        a.type_code.cmp(&b.type_code).then_with(by_name).is_gt()
    };
    if let Some([_, entry]) = entries.windows(2).find(is_wrong) {
        let problem = Problem::of(ProblemCode::AttributeListOrder, base);
        findings.push(
            problem
                .attribute(entry.type_code, &bytes(entry))
                .actual(entry.lowest_vcn.0),
        );
    }
}

/// List against pieces, and back.
fn compare(
    base: RecordNumber,
    entries: &[ListEntry],
    pieces: &[Piece],
    facts: &MftFacts,
    findings: &mut Findings,
) {
    type Key<'k> = (AttributeType, &'k [u8], u64, RecordNumber, u16);
    let names: Vec<Vec<u8>> = entries
        .iter()
        .map(|entry| entry.name.iter().flat_map(|unit| unit.to_le_bytes()).collect())
        .collect();
    let keys: HashSet<Key<'_>> = entries
        .iter()
        .zip(&names)
        .map(|(e, name)| {
            (
                e.type_code,
                name.as_slice(),
                e.lowest_vcn.0,
                e.holder.record,
                e.id,
            )
        })
        .collect();
    let mut found: HashSet<Key<'_>> = HashSet::with_capacity(pieces.len());
    for piece in pieces {
        let key = (
            piece.type_code,
            &*piece.name,
            piece.lowest_vcn,
            piece.holder,
            piece.id,
        );
        if piece.type_code != AttributeType::ATTRIBUTE_LIST && !keys.contains(&key) {
            findings.push(
                piece
                    .problem(ProblemCode::AttributeUnlisted)
                    .actual(piece.holder.0),
            );
        }
        found.insert(key);
    }
    for (entry, name) in entries.iter().zip(&names) {
        let key = (
            entry.type_code,
            name.as_slice(),
            entry.lowest_vcn.0,
            entry.holder.record,
            entry.id,
        );
        let sequence = facts.brief(entry.holder.record).map(|brief| brief.sequence);
        let stale = entry.holder.sequence != 0 && sequence != Some(entry.holder.sequence);
        if stale || !found.contains(&key) {
            let problem = Problem::of(ProblemCode::AttributeListDangling, base);
            findings.push(
                problem
                    .attribute(entry.type_code, name)
                    .actual(entry.holder.record.0),
            );
        }
    }
}
