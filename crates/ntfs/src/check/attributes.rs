//! One attribute of a record in use: its runs, its sizes, its value where that is simple.

use super::facts::NameKey;
use super::mft::Pass;
use super::problem::Problem;
use super::split::Piece;
use super::{CheckLevel, ProblemCode};
use crate::attribute::{Attribute, FLAG_COMPRESSED_MASK, FLAG_SPARSE};
use crate::bytes::{take, u32_at};
use crate::record::Record;
use crate::types::{AttributeType, RecordNumber};

/// Attributes that Windows keeps in the file record always (Microsoft $AttrDef: "must be resident").
const RESIDENT_ALWAYS: [AttributeType; 5] = [
    AttributeType::STANDARD_INFORMATION,
    AttributeType::FILE_NAME,
    AttributeType::VOLUME_NAME,
    AttributeType::VOLUME_INFORMATION,
    AttributeType::INDEX_ROOT,
];

/// $STANDARD_INFORMATION as NTFS 1.2 and as NTFS 3 has it.
const STANDARD_INFORMATION_BYTES: [usize; 2] = [0x30, 0x48];
/// Offset of the security id in the longer one.
const SECURITY_ID: usize = 0x34;

/// What is summed up over the attributes of a record.
#[derive(Default)]
pub(crate) struct RecordSums {
    /// $FILE_NAMEs.
    pub(crate) names: u64,
    /// Whether there is a $STANDARD_INFORMATION, sound as far as its length tells.
    pub(crate) has_standard_information: bool,
    /// Whether there is an index.
    pub(crate) has_index: bool,
}

pub(crate) struct AttributeCheck<'c, 'r> {
    pub(crate) record: &'c Record<&'r [u8]>,
    pub(crate) attribute: &'c Attribute<'c>,
    /// Whether the file has an attribute list, so that the stream may have pieces elsewhere.
    pub(crate) is_split: bool,
}

impl AttributeCheck<'_, '_> {
    pub(crate) fn run(&self, pass: &mut Pass<'_>, sums: &mut RecordSums) {
        let attribute = self.attribute;
        let type_code = attribute.type_code();
        let owned = if attribute.is_non_resident() {
            if RESIDENT_ALWAYS.contains(&type_code) {
                self.tell(pass, self.problem(ProblemCode::AttributeNotResident));
            }
            self.sizes(pass);
            self.runs(pass)
        } else {
            self.value(pass, sums, attribute.value().unwrap_or_default());
            Some(0)
        };
        if pass.context.level == CheckLevel::Full {
            self.remember(pass);
        }
        // Runs that cannot be decoded are told already; their sums would only repeat it.
        let Some(owned) = owned else { return };
        if self.is_split {
            pass.facts
                .split
                .add_piece(Piece::new(self.record, attribute, owned));
        } else if attribute.is_non_resident() {
            self.whole_stream(pass, owned);
        }
    }

    /// What is read of a resident value.
    fn value(&self, pass: &mut Pass<'_>, sums: &mut RecordSums, value: &[u8]) {
        match self.attribute.type_code() {
            AttributeType::FILE_NAME => {
                sums.names += 1;
                self.file_name(pass, value);
            }
            AttributeType::INDEX_ROOT => sums.has_index = true,
            AttributeType::STANDARD_INFORMATION => {
                sums.has_standard_information = STANDARD_INFORMATION_BYTES.contains(&value.len());
                let id = u32_at(value, SECURITY_ID).filter(|&id| id != 0);
                if let Some(id) = id.filter(|_| pass.context.level == CheckLevel::Full) {
                    let base = self.base();
                    pass.facts.security_ids.entry(id).or_insert(base);
                }
            }
            _ => {}
        }
    }

    /// What other files say of this one, and so has to be remembered.
    fn remember(&self, pass: &mut Pass<'_>) {
        let (attribute, base) = (self.attribute, self.base());
        let value = attribute.value();
        match attribute.type_code() {
            AttributeType::DATA if attribute.name_bytes().is_empty() => {
                let sizes = match (value, attribute.sizes()) {
                    (Some(value), _) => {
                        let length = value.len() as u64;
                        (length.next_multiple_of(8), length)
                    }
                    (None, Some(sizes)) => {
                        let allocated = attribute.total_allocated().unwrap_or(sizes.allocated);
                        (allocated, sizes.data)
                    }
                    (None, None) => return,
                };
                let is_base = self.record.base().is_none();
                pass.facts.set_sizes(base, is_base, sizes);
            }
            AttributeType::OBJECT_ID => {
                let id = value.and_then(|value| take(value, 0, 16)?.try_into().ok());
                pass.facts.object_ids.push((base, id.unwrap_or_default()));
            }
            AttributeType::REPARSE_POINT => {
                let tag = value.and_then(|value| u32_at(value, 0));
                pass.facts.reparse_points.push((base, tag));
            }
            _ => {}
        }
    }

    fn problem(&self, code: ProblemCode) -> Problem {
        Problem::of(code, self.record.number())
            .attribute(self.attribute.type_code(), self.attribute.name_bytes())
    }

    fn tell(&self, pass: &mut Pass<'_>, problem: Problem) {
        pass.tell(self.record.number(), problem);
    }

    fn base(&self) -> RecordNumber {
        self.record
            .base()
            .map_or(self.record.number(), |base| base.record)
    }

    fn sizes(&self, pass: &mut Pass<'_>) {
        let Some(sizes) = self.attribute.sizes() else {
            return;
        };
        if sizes.data > sizes.allocated {
            let problem = self.problem(ProblemCode::DataSize);
            self.tell(pass, problem.values(sizes.allocated, sizes.data));
        }
        if sizes.initialized > sizes.data {
            let problem = self.problem(ProblemCode::InitializedSize);
            self.tell(pass, problem.values(sizes.data, sizes.initialized));
        }
    }

    /// Claims the clusters; returns how many the piece owns, or `None` if its runs are damaged.
    fn runs(&self, pass: &mut Pass<'_>) -> Option<u64> {
        let clusters = pass.context.geometry.clusters();
        let (mut owned, mut span, mut holes) = (0u64, 0u64, false);
        for run in self.attribute.runs_iter() {
            let Ok(run) = run else {
                self.tell(pass, self.problem(ProblemCode::RunsDamaged));
                return None;
            };
            span = span.saturating_add(run.clusters);
            let Some(lcn) = run.lcn else {
                holes = true;
                continue;
            };
            owned = owned.saturating_add(run.clusters);
            if lcn.0.saturating_add(run.clusters) > clusters {
                let problem = self.problem(ProblemCode::RunOutOfBounds);
                self.tell(pass, problem.clusters(lcn, run.clusters));
            }
            pass.claims.push((lcn, run.clusters));
        }
        let due = self
            .attribute
            .end_vcn()
            .0
            .saturating_sub(self.attribute.lowest_vcn().0);
        if span != due {
            self.tell(pass, self.problem(ProblemCode::RunsLength).values(span, due));
            return None;
        }
        let may_have_holes = self.attribute.flags() & (FLAG_COMPRESSED_MASK | FLAG_SPARSE) != 0
            || (self.base() == RecordNumber::BAD_CLUS && self.attribute.is_named("$Bad"));
        if holes && !may_have_holes {
            self.tell(pass, self.problem(ProblemCode::UnexpectedHole));
        }
        if self.base() == RecordNumber::BAD_CLUS && self.attribute.is_named("$Bad") {
            pass.findings.report.bad_clusters += owned;
        }
        Some(owned)
    }

    /// A stream that is not split has all its clusters here.
    fn whole_stream(&self, pass: &mut Pass<'_>, owned: u64) {
        let cluster = u64::from(pass.context.geometry.cluster_size);
        let Some(sizes) = self.attribute.sizes() else {
            let problem = self.problem(ProblemCode::StreamGap);
            return self.tell(pass, problem.values(0, self.attribute.lowest_vcn().0));
        };
        let spanned = self.attribute.end_vcn().0.saturating_mul(cluster);
        if sizes.allocated != spanned {
            let problem = self.problem(ProblemCode::AllocatedSize);
            self.tell(pass, problem.values(spanned, sizes.allocated));
        }
        let owned = owned.saturating_mul(cluster);
        if let Some(total) = self.attribute.total_allocated().filter(|&total| total != owned) {
            let problem = self.problem(ProblemCode::TotalAllocated);
            self.tell(pass, problem.values(owned, total));
        }
    }

    fn file_name(&self, pass: &mut Pass<'_>, value: &[u8]) {
        let key = NameKey::parse(value);
        let Some(key) = key.filter(|key| !key.name.is_empty() && key.namespace <= 3) else {
            return self.tell(pass, self.problem(ProblemCode::FileNameMalformed));
        };
        if !self.attribute.is_indexed() {
            self.tell(pass, self.problem(ProblemCode::FileNameNotIndexed));
        }
        pass.name(self.base(), &key);
    }
}
