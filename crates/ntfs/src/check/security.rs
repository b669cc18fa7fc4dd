//! $Secure: the descriptors in $SDS, their two copies, the indexes by id and by hash, and the ids that files have.

use super::ProblemCode;
use super::entries::Views;
use super::facts::MftFacts;
use super::problem::Problem;
use super::report::Findings;
use crate::bytes::{take, u16_at, u32_at};
use crate::error::NtfsError;
use crate::file::{Stream, StreamReader};
use crate::secure::{COPY_OFFSET, ENTRY_ALIGNMENT, ENTRY_HEADER, SecurityEntry, hash};
use crate::types::{AttributeType, Geometry, RecordNumber, Vcn};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// Descriptors of a volume are some thousands, of a few hundred bytes each.
const STREAM_BYTES_MAX: u64 = 1 << 30;
/// Descriptors and their copies take turns in $SDS.
const STRIPE: u64 = 2 * COPY_OFFSET as u64;
const NAME: &[u8] = b"$\0S\0D\0S\0";

fn problem(code: ProblemCode) -> Problem {
    Problem::of(code, RecordNumber::SECURE).attribute(AttributeType::DATA, NAME)
}

/// Checks $Secure against itself, and the ids of files against it.
pub(crate) fn check<R: ReadAt>(
    volume: &Volume<R>,
    facts: &MftFacts,
    views: &Views,
    findings: &mut Findings,
) -> Result<(), NtfsError> {
    let damaged = facts
        .brief(RecordNumber::SECURE)
        .is_none_or(|brief| !brief.is_file() || brief.is_index_damaged());
    if damaged {
        // Told already.
        return Ok(());
    }
    let (Some(by_id), Some(by_hash)) = (&views.by_id, &views.by_hash) else {
        findings.push(problem(ProblemCode::SecurityUnreadable));
        return Ok(());
    };
    let mut listed: Vec<SecurityEntry> = by_id.iter().map(|(_, entry)| *entry).collect();
    let mut hashed: Vec<SecurityEntry> = by_hash.iter().map(|(_, entry)| *entry).collect();
    let wrong_ids = by_id.iter().filter(|(id, entry)| *id != entry.id);
    let wrong_hashes = by_hash
        .iter()
        .filter(|((hash, id), entry)| (*hash, *id) != (entry.hash, entry.id));
    let wrong = wrong_ids
        .map(|(id, _)| *id)
        .chain(wrong_hashes.map(|((_, id), _)| *id));
    for id in wrong {
        findings.push(problem(ProblemCode::SecurityIndex).actual(id.into()));
    }
    listed.sort_unstable();
    hashed.sort_unstable();
    for entry in difference(&listed, &hashed) {
        findings.push(problem(ProblemCode::SecurityIndex).actual(entry.id.into()));
    }
    check_files(facts, &listed, findings);
    let open = || {
        let stream = volume
            .file(RecordNumber::SECURE)?
            .require(AttributeType::DATA, "$SDS")?;
        let owned = stream.runs().map_or(0, |runs| runs.allocated_clusters());
        let owned = owned.saturating_mul(volume.geometry().cluster_size.into());
        let actual = stream.len();
        let limit = owned.min(STREAM_BYTES_MAX);
        if actual > limit {
            return Err(NtfsError::TooMuch {
                what: "bytes of security descriptors",
                actual,
                limit,
            });
        }
        volume.stream_reader(stream)
    };
    let code = ProblemCode::SecurityUnreadable;
    if let Some(reader) = findings.damage(open(), code, RecordNumber::SECURE)? {
        listed.sort_unstable_by_key(|entry| entry.offset);
        check_stream(&reader, volume.geometry(), &listed, findings)?;
    }
    Ok(())
}

/// Entries that only one of two sorted lists has.
fn difference(a: &[SecurityEntry], b: &[SecurityEntry]) -> Vec<SecurityEntry> {
    let missing = |from: &'_ [SecurityEntry], list: &'_ [SecurityEntry]| -> Vec<SecurityEntry> {
        let is_missing = |entry: &&SecurityEntry| list.binary_search(entry).is_err();
        from.iter().filter(is_missing).copied().collect()
    };
    let mut all = missing(a, b);
    all.extend(missing(b, a));
    // An entry that differs is missing in both.
    all.sort_unstable();
    all.dedup_by_key(|entry| entry.id);
    all
}

fn check_files(facts: &MftFacts, listed: &[SecurityEntry], findings: &mut Findings) {
    let mut ids: Vec<_> = facts.security_ids.iter().collect();
    ids.sort_unstable();
    for (&id, &file) in ids {
        if listed.binary_search_by_key(&id, |entry| entry.id).is_err() {
            let problem = Problem::of(ProblemCode::SecurityIdMissing, file);
            let problem = problem.attribute(AttributeType::STANDARD_INFORMATION, &[]);
            findings.push(problem.actual(id.into()));
        }
    }
}

/// Where a byte of a stream lies on the volume.
fn place(stream: &Stream, geometry: Geometry, byte: u64) -> Option<u64> {
    let cluster = u64::from(geometry.cluster_size);
    let (start, run) = stream.runs()?.find(Vcn(byte / cluster))?;
    Some(geometry.offset_of(run.lcn?) + byte - start.0 * cluster)
}

/// Descriptors that the indexes name, in the order of their offsets, and those that they do not.
fn check_stream<R: ReadAt>(
    reader: &StreamReader<&R>,
    geometry: Geometry,
    listed: &[SecurityEntry],
    findings: &mut Findings,
) -> Result<(), NtfsError> {
    let size = reader.size();
    let mut rest = listed;
    for start in (0..size).step_by(STRIPE as usize) {
        let length = (size - start).min(STRIPE) as usize;
        let stripe = reader.read_vec(start, length)?;
        let (here, behind) = rest.split_at(rest.partition_point(|entry| entry.offset < start + STRIPE));
        rest = behind;
        for entry in here {
            for code in check_entry(&stripe, start, entry) {
                let mut problem = problem(code).actual(entry.id.into());
                problem.volume_byte = place(reader.stream(), geometry, entry.offset);
                findings.push(problem);
            }
        }
        for entry in unlisted(&stripe, start, here) {
            findings.push(problem(ProblemCode::SecurityIndex).actual(entry.id.into()));
        }
    }
    for entry in rest {
        findings.push(problem(ProblemCode::SecurityEntry).actual(entry.id.into()));
    }
    Ok(())
}

/// What is wrong with an entry that the indexes name.
fn check_entry(stripe: &[u8], start: u64, due: &SecurityEntry) -> Vec<ProblemCode> {
    let at = (due.offset - start) as usize;
    let primary = &stripe[..stripe.len().min(COPY_OFFSET)];
    let entry = take(primary, at, due.length as usize)
        .filter(|_| at.is_multiple_of(ENTRY_ALIGNMENT) && due.length as usize > ENTRY_HEADER);
    let Some((header, descriptor)) = entry.and_then(|entry| entry.split_at_checked(ENTRY_HEADER)) else {
        return vec![ProblemCode::SecurityEntry];
    };
    let mut codes = Vec::new();
    let found = SecurityEntry::parse(header);
    // Where all but the hash agree, and the hash is that of the descriptor, the indexes are wrong.
    let is_true = found.is_some_and(|found| {
        let hash = hash(descriptor);
        found.hash == hash && SecurityEntry { hash, ..*due } == found
    });
    if found != Some(*due) {
        codes.push(if is_true {
            ProblemCode::SecurityIndex
        } else {
            ProblemCode::SecurityEntry
        });
    } else if hash(descriptor) != due.hash {
        codes.push(ProblemCode::SecurityHash);
    } else if !is_descriptor(descriptor) {
        codes.push(ProblemCode::SecurityDescriptor);
    }
    if take(stripe, at + COPY_OFFSET, due.length as usize) != entry {
        codes.push(ProblemCode::SecurityCopies);
    }
    codes
}

/// Entries that follow each other from the start of a stripe and that the indexes do not name.
fn unlisted(stripe: &[u8], start: u64, listed: &[SecurityEntry]) -> Vec<SecurityEntry> {
    let primary = &stripe[..stripe.len().min(COPY_OFFSET)];
    let (mut at, mut found) = (0, Vec::new());
    while let Some(entry) = primary.get(at..).and_then(SecurityEntry::parse) {
        let length = entry.length as usize;
        let is_sound = length > ENTRY_HEADER && entry.offset == start + at as u64 && entry.id != 0;
        if !is_sound || take(primary, at, length).is_none() {
            break;
        }
        let is_listed = listed
            .binary_search_by_key(&entry.offset, |entry| entry.offset)
            .is_ok();
        if !is_listed {
            found.push(entry);
        }
        at = (at + length).next_multiple_of(ENTRY_ALIGNMENT);
    }
    found
}

/// Whether a self-relative descriptor has its parts within it (MS-DTYP 2.4.6).
fn is_descriptor(bytes: &[u8]) -> bool {
    const HEADER: usize = 20;
    const SELF_RELATIVE: u16 = 0x8000;
    let has = |at: usize, least: usize| {
        let offset = u32_at(bytes, at).unwrap_or(u32::MAX) as usize;
        offset == 0 || (offset >= HEADER && take(bytes, offset, least).is_some())
    };
    // Owner and group: a SID of 8 bytes at least. Both lists: a header of 8 bytes.
    bytes.first() == Some(&1)
        && u16_at(bytes, 2).is_some_and(|control| control & SELF_RELATIVE != 0)
        && [4, 8, 12, 16].into_iter().all(|at| has(at, 8))
}
