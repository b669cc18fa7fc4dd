//! The one sequential pass over the $MFT: headers of the records, their attributes, and what they own. One thread reads
//! large pieces, others check the records in them.

use super::attributes::{AttributeCheck, RecordSums};
use super::bits::bit;
use super::facts::{Brief, MftFacts, Name, NameKey};
use super::ownership::Ownership;
use super::parallel::{in_order, workers_for};
use super::problem::Problem;
use super::report::Findings;
use super::{CheckLevel, ProblemCode};
use crate::attribute::Attribute;
use crate::bytes::{u16_at, u32_at, utf16};
use crate::error::NtfsError;
use crate::record::{self, Record};
use crate::runs::RunList;
use crate::types::{AttributeType, Geometry, Lcn, RecordNumber, Vcn};
use crate::upcase::UpCase;
use crate::volume::Volume;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::sync::Arc;
use winrefit_disk::ReadAt;

/// Names of the system files in records 0 to 11.
pub(crate) const SYSTEM_NAMES: [&str; 12] = [
    "$MFT", "$MFTMirr", "$LogFile", "$Volume", "$AttrDef", ".", "$Bitmap", "$Boot", "$BadClus", "$Secure",
    "$UpCase", "$Extend",
];
/// Bytes of one request; a multiple of all record sizes.
const CHUNK_BYTES: usize = 1 << 20;

/// What every record is checked against.
pub(crate) struct Context<'a> {
    pub(crate) geometry: Geometry,
    pub(crate) level: CheckLevel,
    problems_max: usize,
    mft_runs: &'a RunList,
    mft_bitmap: Vec<u8>,
    upcase: Option<Arc<UpCase>>,
}

impl Context<'_> {
    /// The record's bit, or `None` if the bitmap has no bit for it (told once, for the bitmap).
    fn mark(&self, number: RecordNumber) -> Option<bool> {
        bit(&self.mft_bitmap, number.0)
    }
}

/// Where a record lies on the volume.
pub(crate) fn record_place(geometry: Geometry, mft_runs: &RunList, number: RecordNumber) -> Option<u64> {
    let byte = number.0.checked_mul(geometry.record_size.into())?;
    let cluster = u64::from(geometry.cluster_size);
    let (start, run) = mft_runs.find(Vcn(byte / cluster))?;
    Some(geometry.offset_of(run.lcn?) + (byte - start.0 * cluster))
}

/// The records of one request, and what is found in them.
pub(crate) struct Pass<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) findings: Findings,
    /// Runs with clusters.
    pub(crate) claims: Vec<(Lcn, u64)>,
    pub(crate) facts: MftFacts,
    ids: Vec<u16>,
}

/// Runs the pass.
pub(crate) fn scan<R: ReadAt>(
    volume: &Volume<R>,
    level: CheckLevel,
    findings: &mut Findings,
    ownership: &mut Ownership,
) -> Result<MftFacts, NtfsError> {
    let context = Context {
        geometry: volume.geometry(),
        level,
        problems_max: findings.problems_max(),
        mft_runs: volume.mft_runs(),
        mft_bitmap: read_mft_bitmap(volume, findings)?,
        upcase: volume.upcase().ok(),
    };
    let record_size = u64::from(context.geometry.record_size);
    let total = volume.records() * record_size;
    let reader = volume.stream_reader(volume.mft().clone())?;
    let (mut offset, mut facts) = (0, MftFacts::with_room_for(volume.records()));
    let spare: RefCell<Vec<Vec<u8>>> = RefCell::default();
    let produce = || {
        let length = (total - offset).min(CHUNK_BYTES as u64) as usize;
        if length == 0 {
            return Ok(None);
        }
        let mut buf = spare.borrow_mut().pop().unwrap_or_default();
        buf.resize(length, 0);
        reader.read_at(offset, &mut buf)?;
        let first = RecordNumber(offset / record_size);
        offset += length as u64;
        Ok::<_, NtfsError>(Some((first, buf)))
    };
    let work = |(first, mut buf): (RecordNumber, Vec<u8>)| {
        let mut pass = Pass::new(&context);
        for (index, raw) in buf.chunks_exact_mut(record_size as usize).enumerate() {
            pass.visit(RecordNumber(first.0 + index as u64), raw);
        }
        (pass, buf)
    };
    let mut too_much = None;
    in_order(workers_for(total), produce, work, |(pass, buf)| {
        spare.borrow_mut().push(buf);
        findings.append(pass.findings);
        // What is too much is not kept, and told when the pass is over.
        match facts.check_room(&pass.facts) {
            Ok(()) => facts.append(pass.facts),
            Err(error) => too_much = Some(error),
        }
        for (lcn, clusters) in pass.claims {
            ownership.claim(lcn, clusters);
        }
    })?;
    if let Some(error) = too_much {
        return Err(error);
    }
    facts.finish();
    Ok(facts)
}

/// The bits of the records; as many bytes as the records need, or fewer where the stream is shorter.
fn read_mft_bitmap<R: ReadAt>(volume: &Volume<R>, findings: &mut Findings) -> Result<Vec<u8>, NtfsError> {
    let need = volume.records().div_ceil(8);
    let read = || {
        let stream = volume
            .file(RecordNumber::MFT)?
            .require(AttributeType::BITMAP, "")?;
        // Bits for records that do not exist; a bitmap many times too long is not read to its end.
        let length = stream.len().min(need * 2 + 4096) as usize;
        Ok(volume.stream_reader(stream)?.read_vec(0, length)?)
    };
    let code = ProblemCode::MftBitmapUnreadable;
    let Some(bytes) = findings.damage(read(), code, RecordNumber::MFT)? else {
        return Ok(Vec::new());
    };
    if (bytes.len() as u64) < need {
        let problem = Problem::of(ProblemCode::MftBitmapTooSmall, RecordNumber::MFT);
        findings.push(problem.values(need, bytes.len() as u64));
    }
    let mut behind = volume.records()..bytes.len() as u64 * 8;
    if let Some(bit) = behind.find(|&number| bit(&bytes, number) == Some(true)) {
        findings.push(Problem::of(ProblemCode::MftBitmapTail, RecordNumber::MFT).actual(bit));
    }
    Ok(bytes)
}

/// The code for a record that cannot be parsed, with the value found.
pub(crate) fn record_problem(error: &NtfsError) -> Option<(ProblemCode, Option<u64>)> {
    Some(match error {
        NtfsError::BadSignature {
            actual: [b'B', b'A', b'A', b'D'],
            ..
        } => (ProblemCode::RecordMarkedBad, None),
        NtfsError::BadSignature { actual, .. } => {
            (ProblemCode::RecordSignature, u32_at(actual, 0).map(u64::from))
        }
        NtfsError::TornRecord { sector, .. } => (ProblemCode::RecordTorn, Some(*sector as u64)),
        NtfsError::BadRecord { actual, .. } => (ProblemCode::RecordHeader, Some(*actual)),
        _ => return None,
    })
}

impl<'a> Pass<'a> {
    fn new(context: &'a Context<'a>) -> Self {
        Self {
            context,
            findings: Findings::new(context.problems_max),
            claims: Vec::new(),
            facts: MftFacts::default(),
            ids: Vec::new(),
        }
    }

    /// Tells of a problem of a record, with the record's place on the volume.
    pub(crate) fn tell(&mut self, number: RecordNumber, mut problem: Problem) {
        if self.findings.has_room(problem.code) {
            problem.volume_byte = record_place(self.context.geometry, self.context.mft_runs, number);
        }
        self.findings.push(problem);
    }

    fn visit(&mut self, number: RecordNumber, raw: &mut [u8]) {
        let mark = self.context.mark(number);
        if self.context.level == CheckLevel::Full {
            self.facts.sizes.push((0, 0));
        }
        let flagged = raw.starts_with(&record::SIGNATURE)
            && u16_at(raw, record::FLAGS).unwrap_or(0) & record::FLAG_IN_USE != 0;
        let in_use = flagged || mark == Some(true);
        if !in_use && raw.starts_with(&[0; 4]) {
            // Never used since the $MFT grew, or damaged.
            if raw.iter().any(|&byte| byte != 0) {
                self.tell(number, Problem::of(ProblemCode::FreeRecordDamaged, number));
            }
            self.facts.briefs.push(Brief::default());
            return;
        }
        match Record::parse_in_place(number, raw) {
            Ok(record) => {
                self.facts.briefs.push(Brief::of(&record));
                if record.is_in_use() {
                    self.in_use(&record, mark);
                } else if mark == Some(true) {
                    self.tell(number, Problem::of(ProblemCode::RecordLeaked, number));
                }
            }
            Err(error) => {
                self.facts.briefs.push(Brief::default());
                self.unreadable(number, in_use, &error);
            }
        }
    }

    fn unreadable(&mut self, number: RecordNumber, in_use: bool, error: &NtfsError) {
        let damaged = (ProblemCode::FreeRecordDamaged, None);
        let found = record_problem(error).filter(|_| in_use);
        let (code, actual) = found.unwrap_or(damaged);
        let mut problem = Problem::of(code, number);
        problem.actual = actual;
        self.tell(number, problem);
    }

    fn in_use(&mut self, record: &Record<&[u8]>, mark: Option<bool>) {
        let number = record.number();
        self.findings.report.records_in_use += 1;
        self.findings.report.extension_records += u64::from(record.base().is_some());
        self.findings.report.directories += u64::from(record.is_directory());
        if mark == Some(false) {
            self.tell(number, Problem::of(ProblemCode::RecordUnmarked, number));
        }
        if record.sequence() == 0 {
            self.tell(number, Problem::of(ProblemCode::RecordSequence, number));
        }
        let stored = record.stored_number().map(u64::from);
        // The field has the low 32 bits.
        if let Some(stored) = stored.filter(|&stored| stored != number.0 & 0xFFFF_FFFF) {
            let problem = Problem::of(ProblemCode::RecordNumberDiffers, number);
            self.tell(number, problem.values(number.0, stored));
        }
        self.attributes(record);
    }

    fn attributes(&mut self, record: &Record<&[u8]>) {
        let number = record.number();
        let is_split = self.facts.split.add_record(record);
        let mut sums = RecordSums::default();
        let mut end = record.first_attribute();
        let mut previous: Option<Attribute<'_>> = None;
        self.ids.clear();
        for attribute in record.attributes() {
            let attribute = match attribute {
                Ok(attribute) => attribute,
                Err(error) => return self.broken_attributes(number, &error),
            };
            if let Some(previous) = previous {
                self.order(&previous, &attribute, is_split);
            }
            previous = Some(attribute);
            if self.ids.contains(&attribute.id()) {
                let problem = Problem::of(ProblemCode::AttributeIdDuplicate, number)
                    .attribute(attribute.type_code(), attribute.name_bytes());
                self.tell(number, problem.actual(attribute.id().into()));
            }
            self.ids.push(attribute.id());
            AttributeCheck {
                record,
                attribute: &attribute,
                is_split,
            }
            .run(self, &mut sums);
            end = attribute.offset() + attribute.bytes().len();
        }
        // The end marker takes 8 bytes.
        if end + 8 != record.bytes_used() {
            let problem = Problem::of(ProblemCode::BytesUsed, number);
            self.tell(number, problem.values(end as u64 + 8, record.bytes_used() as u64));
        }
        self.check_sums(record, is_split, &sums);
    }

    /// Two neighbours: by type, then by name.
    fn order(&mut self, previous: &Attribute<'_>, attribute: &Attribute<'_>, is_split: bool) {
        let names = (previous.name_bytes(), attribute.name_bytes());
        let order = previous
            .type_code()
            .cmp(&attribute.type_code())
            .then_with(|| name_order(self.context.upcase.as_deref(), names.0, names.1));
        // A piece of a split stream may follow another one; names of files are many and unnamed.
        let is_single = !is_split && attribute.type_code() != AttributeType::FILE_NAME;
        let code = match order {
            Ordering::Greater => ProblemCode::AttributeOrder,
            Ordering::Equal if is_single && names.0 == names.1 => ProblemCode::AttributeDuplicate,
            _ => return,
        };
        let number = attribute.record();
        let problem = Problem::of(code, number).attribute(attribute.type_code(), names.1);
        self.tell(number, problem);
    }

    fn check_sums(&mut self, record: &Record<&[u8]>, is_split: bool, sums: &RecordSums) {
        let number = record.number();
        let next = record.next_attribute_id();
        if let Some(&highest) = self.ids.iter().max().filter(|&&highest| highest >= next) {
            let problem = Problem::of(ProblemCode::NextAttributeId, number);
            self.tell(number, problem.values(u64::from(highest) + 1, next.into()));
        }
        if !is_split && sums.names != u64::from(record.link_count()) {
            let problem = Problem::of(ProblemCode::LinkCount, number);
            self.tell(number, problem.values(sums.names, record.link_count().into()));
        }
        if record.base().is_some() {
            return;
        }
        if !sums.has_standard_information {
            let problem = Problem::of(ProblemCode::StandardInformation, number);
            self.tell(
                number,
                problem.attribute(AttributeType::STANDARD_INFORMATION, &[]),
            );
        }
        let may_have_index = record.is_directory() || sums.has_index || is_split;
        if self.context.level == CheckLevel::Full && may_have_index {
            self.facts.indexed.push(number);
        }
    }

    fn broken_attributes(&mut self, number: RecordNumber, error: &NtfsError) {
        let problem = match error {
            NtfsError::BadAttribute {
                attribute, actual, ..
            } => Problem::of(ProblemCode::AttributeMalformed, number)
                .attribute(*attribute, &[])
                .actual(*actual),
            _ => Problem::of(ProblemCode::AttributesUnterminated, number),
        };
        self.tell(number, problem);
    }

    /// A name of the file `base`.
    pub(crate) fn name(&mut self, base: RecordNumber, key: &NameKey<'_>) {
        if let Some(due) = usize::try_from(base.0).ok().and_then(|n| SYSTEM_NAMES.get(n))
            && key
                .name
                .iter()
                .copied()
                .eq(due.encode_utf16().flat_map(u16::to_le_bytes))
        {
            self.facts.system_named |= 1 << base.0;
        }
        let is_full = self.context.level == CheckLevel::Full;
        let fingerprint = if is_full { key.fingerprint() } else { 0 };
        self.facts.names.push(Name::new(base, key, fingerprint));
    }
}

/// Order of attribute names. Windows ignores case here and ntfs-3g does not: names are out of order if they are for
/// both.
pub(crate) fn name_order(upcase: Option<&UpCase>, a: &[u8], b: &[u8]) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let (a, b) = (utf16(a), utf16(b));
    match (a.cmp(&b), upcase.map(|upcase| upcase.compare(&a, &b))) {
        (Ordering::Greater, Some(Ordering::Greater) | None) => Ordering::Greater,
        _ => Ordering::Less,
    }
}
