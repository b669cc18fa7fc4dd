//! The one sequential pass over the $MFT: headers of the records, their attributes, and what they own.

use super::attributes::{AttributeCheck, RecordSums};
use super::ownership::Ownership;
use super::problem::{Problem, ProblemCode};
use super::report::Findings;
use super::split::SplitFiles;
use crate::attribute::FileName;
use crate::bytes::{u16_at, u32_at};
use crate::error::NtfsError;
use crate::record::{self, Record};
use crate::runs::RunList;
use crate::types::{AttributeType, FileReference, Geometry, RecordNumber, Vcn};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// Names of the system files in records 0 to 11.
pub(crate) const SYSTEM_NAMES: [&str; 12] = [
    "$MFT", "$MFTMirr", "$LogFile", "$Volume", "$AttrDef", ".", "$Bitmap", "$Boot", "$BadClus", "$Secure",
    "$UpCase", "$Extend",
];

/// What is remembered of each record: 4 bytes, so that references between records can be checked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Brief {
    pub(crate) sequence: u16,
    flags: u16,
}

impl Brief {
    const IN_USE: u16 = 1;
    const DIRECTORY: u16 = 2;
    const EXTENSION: u16 = 4;

    fn of(record: &Record<&[u8]>) -> Self {
        let mut flags = 0;
        for (has, flag) in [
            (record.is_in_use(), Self::IN_USE),
            (record.is_directory(), Self::DIRECTORY),
            (record.base().is_some(), Self::EXTENSION),
        ] {
            flags |= if has { flag } else { 0 };
        }
        let sequence = record.sequence();
        Self { sequence, flags }
    }

    pub(crate) fn is_in_use(self) -> bool {
        self.flags & Self::IN_USE != 0
    }

    pub(crate) fn is_directory(self) -> bool {
        self.flags & Self::DIRECTORY != 0
    }

    pub(crate) fn is_extension(self) -> bool {
        self.flags & Self::EXTENSION != 0
    }
}

/// What the pass leaves for the checks behind it.
#[derive(Default)]
pub(crate) struct MftFacts {
    /// One for each record.
    pub(crate) briefs: Vec<Brief>,
    /// Files with more than one record.
    pub(crate) split: SplitFiles,
    /// Which of the system files have their names: a bit for each.
    pub(crate) system_named: u32,
    /// Names whose directory had not been met yet: record, parent.
    parents: Vec<(RecordNumber, FileReference)>,
}

impl MftFacts {
    pub(crate) fn brief(&self, number: RecordNumber) -> Option<Brief> {
        self.briefs.get(usize::try_from(number.0).ok()?).copied()
    }

    fn is_directory(&self, reference: FileReference) -> bool {
        self.brief(reference.record).is_some_and(|brief| {
            let same = reference.sequence == 0 || reference.sequence == brief.sequence;
            brief.is_in_use() && brief.is_directory() && same
        })
    }
}

pub(crate) struct Pass<'a> {
    pub(crate) geometry: Geometry,
    pub(crate) findings: &'a mut Findings,
    pub(crate) ownership: &'a mut Ownership,
    pub(crate) facts: MftFacts,
    mft_runs: &'a RunList,
    mft_bitmap: &'a [u8],
    ids: Vec<u16>,
}

/// Runs the pass.
pub(crate) fn scan<R: ReadAt>(
    volume: &Volume<R>,
    findings: &mut Findings,
    ownership: &mut Ownership,
) -> Result<MftFacts, NtfsError> {
    let mft_bitmap = read_mft_bitmap(volume, findings)?;
    let mut pass = Pass {
        geometry: volume.geometry(),
        findings,
        ownership,
        facts: MftFacts::default(),
        mft_runs: volume.mft_runs(),
        mft_bitmap: &mft_bitmap,
        ids: Vec::new(),
    };
    volume.scan(|number, raw| {
        pass.visit(number, raw);
        Ok::<(), NtfsError>(())
    })?;
    pass.check_parents();
    Ok(pass.facts)
}

/// The bits of the records; as many bytes as the records need, or fewer where the stream is shorter.
fn read_mft_bitmap<R: ReadAt>(volume: &Volume<R>, findings: &mut Findings) -> Result<Vec<u8>, NtfsError> {
    let need = volume.records().div_ceil(8);
    let read = || {
        let stream = volume
            .file(RecordNumber::MFT)?
            .require(AttributeType::BITMAP, "")?;
        let length = stream.len().min(need) as usize;
        Ok(volume.stream_reader(stream)?.read_vec(0, length)?)
    };
    let code = ProblemCode::MftBitmapUnreadable;
    let bytes = findings.damage(read(), code, RecordNumber::MFT)?;
    if let Some(short) = bytes.as_ref().filter(|bytes| (bytes.len() as u64) < need) {
        let problem = Problem::of(ProblemCode::MftBitmapTooSmall, RecordNumber::MFT);
        findings.push(problem.values(need, short.len() as u64));
    }
    Ok(bytes.unwrap_or_default())
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

impl Pass<'_> {
    /// Tells of a problem of a record, with the record's place on the volume.
    pub(crate) fn tell(&mut self, number: RecordNumber, problem: Problem) {
        let byte = number.0 * u64::from(self.geometry.record_size);
        let cluster = u64::from(self.geometry.cluster_size);
        let place = self.mft_runs.find(Vcn(byte / cluster));
        let problem = match place.and_then(|(start, run)| Some((start, run.lcn?))) {
            Some((start, lcn)) => problem.at(self.geometry.offset_of(lcn) + (byte - start.0 * cluster)),
            None => problem,
        };
        self.findings.push(problem);
    }

    /// The record's bit, or `None` if the bitmap has no bit for it (told once, for the bitmap).
    fn mark(&self, number: RecordNumber) -> Option<bool> {
        let byte = self.mft_bitmap.get(usize::try_from(number.0 / 8).ok()?)?;
        Some(byte >> (number.0 % 8) & 1 == 1)
    }

    fn visit(&mut self, number: RecordNumber, raw: &mut [u8]) {
        let mark = self.mark(number);
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
        let mut previous = 0;
        self.ids.clear();
        for attribute in record.attributes() {
            let attribute = match attribute {
                Ok(attribute) => attribute,
                Err(error) => return self.broken_attributes(number, &error),
            };
            let type_code = attribute.type_code();
            if type_code.0 < previous {
                let problem = Problem::of(ProblemCode::AttributeOrder, number);
                self.tell(number, problem.attribute(type_code, attribute.name_bytes()));
            }
            previous = type_code.0;
            if self.ids.contains(&attribute.id()) {
                let problem = Problem::of(ProblemCode::AttributeIdDuplicate, number)
                    .attribute(type_code, attribute.name_bytes());
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
    pub(crate) fn name(&mut self, base: RecordNumber, name: &FileName) {
        if let Some(due) = usize::try_from(base.0).ok().and_then(|n| SYSTEM_NAMES.get(n))
            && name.name.iter().copied().eq(due.encode_utf16())
        {
            self.facts.system_named |= 1 << base.0;
        }
        // Directories mostly lie before what is in them.
        if !self.facts.is_directory(name.parent) {
            self.facts.parents.push((base, name.parent));
        }
    }

    fn check_parents(&mut self) {
        for (record, parent) in std::mem::take(&mut self.facts.parents) {
            if !self.facts.is_directory(parent) {
                let problem = Problem::of(ProblemCode::ParentMissing, record);
                self.tell(record, problem.actual(parent.record.0));
            }
        }
    }
}
