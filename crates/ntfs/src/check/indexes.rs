//! All indexes of a volume: their parts are read by one thread, in large requests, and their trees are walked by others.

use super::collation::Collation;
use super::entries::{Outcome, Shared};
use super::facts::MftFacts;
use super::parallel::{in_order, workers_for};
use super::problem::Problem;
use super::report::Findings;
use super::tree::Index;
use super::window::{Cached, RecordWindow};
use super::{ProblemCode, entries};
use crate::bytes::{u32_at, utf16};
use crate::error::NtfsError;
use crate::file::{File, Stream, StreamReader};
use crate::record::Record;
use crate::types::{AttributeType, RecordNumber};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// Blocks of larger indexes are read when they are reached.
const LOADED_BYTES_MAX: u64 = 2 << 20;
/// A worker gets about so many bytes of indexes at once.
const JOB_BYTES: usize = 256 << 10;
/// Blocks of one index; those of a terabyte.
const BLOCKS_MAX: u64 = 1 << 28;
/// The blocks of all indexes of a sound volume fit it. What claims more than this many volumes is not read.
const BLOCKS_MAX_VOLUMES: u64 = 2;
/// All attribute lists together are at most so many times the $MFT.
const LISTS_MAX_MFTS: u64 = 4;
/// Bytes of an $INDEX_ROOT before its index header.
const ROOT_FIELDS: usize = 0x10;
pub(super) const I30: &[u8] = b"$\0I\x003\x000\0";

/// Some indexes to be walked.
struct Job {
    findings: Findings,
    outcome: Outcome,
    tasks: Vec<(Index, Vec<u8>)>,
    bytes: usize,
}

impl Job {
    fn new(problems_max: usize) -> Self {
        Self {
            findings: Findings::new(problems_max),
            outcome: Outcome::default(),
            tasks: Vec::new(),
            bytes: 0,
        }
    }
}

/// Checks all indexes; gives what the views among them say.
pub(crate) fn check<R: ReadAt>(
    volume: &Volume<R>,
    facts: &mut MftFacts,
    findings: &mut Findings,
) -> Result<entries::Views, NtfsError> {
    let indexed = std::mem::take(&mut facts.indexed);
    let shared = Shared::new(volume, facts);
    let geometry = volume.geometry();
    let volume_bytes = geometry.volume_bytes();
    let problems_max = findings.problems_max();
    let mut gather = Gather {
        volume,
        facts,
        window: RecordWindow::new(volume)?,
        lists_budget: volume.mft().len().saturating_mul(LISTS_MAX_MFTS),
        blocks_budget: volume_bytes.saturating_mul(BLOCKS_MAX_VOLUMES),
    };
    let mut next = 0;
    let produce = || {
        let mut job = Job::new(problems_max);
        while job.bytes < JOB_BYTES && next < indexed.len() {
            gather.add(&indexed[next..], &mut job, &shared)?;
            next += 1;
        }
        Ok::<_, NtfsError>((job.bytes > 0).then_some(job))
    };
    let work = |mut job: Job| {
        for (index, blocks) in std::mem::take(&mut job.tasks) {
            // What is read from memory does not fail.
            let _ = shared.walk(&index, &blocks[..], &mut job.findings, &mut job.outcome);
        }
        job
    };
    let mut outcome = Outcome::default();
    let bytes = indexed.len() as u64 * u64::from(geometry.index_block_size);
    in_order(workers_for(bytes), produce, work, |job| {
        findings.append(job.findings);
        outcome.append(job.outcome);
    })?;
    let seen = shared.into_seen();
    for file in &outcome.damaged {
        facts.set_index_damaged(*file);
    }
    super::names::check(volume, facts, &seen, findings);
    Ok(outcome.views)
}

/// An index, and a reader of its blocks.
pub(super) type Parts<'v, R> = (Index, Option<StreamReader<&'v R>>);

/// The parts of one index; `None` where the root's fields forbid a walk.
pub(super) fn parts<'v, R: ReadAt>(
    volume: &'v Volume<R>,
    file: &File,
    name: &[u8],
    findings: &mut Findings,
) -> Result<Option<Parts<'v, R>>, NtfsError> {
    let mut gather = Gather {
        volume,
        facts: &MftFacts::default(),
        window: RecordWindow::new(volume)?,
        lists_budget: 0,
        blocks_budget: volume.geometry().volume_bytes(),
    };
    gather.parts(file, name, findings)
}

/// Reads the parts of indexes.
struct Gather<'v, 'f, R> {
    volume: &'v Volume<R>,
    facts: &'f MftFacts,
    window: RecordWindow<'v, R>,
    lists_budget: u64,
    blocks_budget: u64,
}

impl<'v, R: ReadAt> Gather<'v, '_, R> {
    /// Adds the indexes of the first of `files` to the job. A very large one is walked at once.
    fn add(&mut self, files: &[RecordNumber], job: &mut Job, shared: &Shared<'_>) -> Result<(), NtfsError> {
        let Some(&number) = files.first() else {
            return Ok(());
        };
        let is_directory = self.facts.brief(number).is_some_and(|brief| brief.is_directory());
        // Whatever comes of it, it counts as work done.
        job.bytes += self.volume.geometry().record_size as usize;
        let file = match self.file(files) {
            Err(error) if error.is_of_medium() => return Err(error),
            Err(_) if is_directory => {
                self.unreadable(job, number, I30);
                return Ok(());
            }
            // What has no index, and is damaged otherwise, is told elsewhere.
            Err(_) => return Ok(()),
            Ok(file) => file,
        };
        let names = index_names(&file);
        let is_indexed = names.iter().any(|name| name == I30);
        let code = match (is_directory, is_indexed) {
            (true, false) => Some(ProblemCode::IndexRootMissing),
            (false, true) => Some(ProblemCode::IndexWithoutFlag),
            _ => None,
        };
        if let Some(code) = code {
            job.findings
                .push(Problem::of(code, number).attribute(AttributeType::INDEX_ROOT, I30));
            job.outcome.damaged.push(number);
        }
        for name in names {
            match self.parts(&file, &name, &mut job.findings) {
                Err(error) if error.is_of_medium() => return Err(error),
                Err(_) => self.unreadable(job, number, &name),
                Ok(None) => job.outcome.damaged.push(number),
                Ok(Some((index, blocks))) => {
                    let size = blocks.as_ref().map_or(0, ReadAt::size);
                    match blocks {
                        Some(blocks) if size > LOADED_BYTES_MAX => {
                            let (findings, outcome) = (&mut job.findings, &mut job.outcome);
                            shared.walk(&index, Cached::new(blocks), findings, outcome)?;
                        }
                        Some(blocks) => {
                            let blocks = blocks.read_vec(0, size as usize)?;
                            job.bytes += blocks.len();
                            job.tasks.push((index, blocks));
                        }
                        None => job.tasks.push((index, Vec::new())),
                    }
                }
            }
        }
        Ok(())
    }

    fn unreadable(&self, job: &mut Job, number: RecordNumber, name: &[u8]) {
        let problem = Problem::of(ProblemCode::IndexUnreadable, number);
        job.findings
            .push(problem.attribute(AttributeType::INDEX_ROOT, name));
        job.outcome.damaged.push(number);
    }

    fn file(&mut self, files: &[RecordNumber]) -> Result<File, NtfsError> {
        let raw = self.window.record(files)?;
        let base = Record::parse(files[0], raw)?;
        if let Some(list) = base.find(AttributeType::ATTRIBUTE_LIST, "")? {
            let length = list.sizes().map_or(0, |sizes| sizes.data);
            self.lists_budget = self.lists_budget.saturating_sub(length);
            if self.lists_budget == 0 {
                return Err(too_much("bytes of attribute lists", length));
            }
        }
        self.volume.gather(base)
    }

    /// The root, the bitmap and a reader of the blocks; `None` where the root's fields forbid a walk.
    fn parts(
        &mut self,
        file: &File,
        name: &[u8],
        findings: &mut Findings,
    ) -> Result<Option<Parts<'v, R>>, NtfsError> {
        let geometry = self.volume.geometry();
        let text = String::from_utf16_lossy(&utf16(name));
        let root = file.require(AttributeType::INDEX_ROOT, &text)?;
        let root = self.volume.read_stream(root, geometry.record_size.into())?;
        let field = |offset| u32_at(&root, offset).unwrap_or(0);
        let block_size = field(8) as usize;
        let rules = Collation::rules_due(name);
        // Where a cluster is larger than a block formatters differ in what they count here.
        let blocks_due = match block_size as u64 / u64::from(geometry.cluster_size) {
            0 => field(12) & 0xFF,
            blocks => (blocks & 0xFF) as u32,
        };
        let type_due = if name == I30 {
            AttributeType::FILE_NAME.0
        } else {
            0
        };
        let wrong = [
            (0, field(0), !rules.is_empty() && field(0) != type_due),
            (4, field(4), !rules.is_empty() && !rules.contains(&field(4))),
            (
                8,
                field(8),
                block_size as u64 != u64::from(geometry.index_block_size),
            ),
            (12, field(12) & 0xFF, field(12) & 0xFF != blocks_due),
            (ROOT_FIELDS, root.len() as u32, root.len() < ROOT_FIELDS * 2),
        ];
        if let Some((_, actual, _)) = wrong.into_iter().find(|(.., is_wrong)| *is_wrong) {
            let problem = Problem::of(ProblemCode::IndexRootField, file.number());
            findings.push(
                problem
                    .attribute(AttributeType::INDEX_ROOT, name)
                    .actual(actual.into()),
            );
            return Ok(None);
        }
        let blocks = file.stream(AttributeType::INDEX_ALLOCATION, &text)?;
        let runs = blocks.as_ref().and_then(Stream::runs).cloned();
        let blocks = blocks.map(|blocks| self.blocks(blocks, block_size)).transpose()?;
        let count = blocks.as_ref().map_or(0, ReadAt::size) / block_size as u64;
        let bitmap = file.stream(AttributeType::BITMAP, &text)?;
        let bitmap = bitmap.map(|bitmap| self.bitmap(bitmap, count)).transpose()?;
        let index = Index {
            file: file.number(),
            name: name.to_vec(),
            collation: Collation::from_rule(field(4)),
            root,
            runs,
            block_size,
            bitmap,
        };
        Ok(Some((index, blocks)))
    }

    /// A reader of the blocks, if their number is one that the volume can hold.
    fn blocks(&mut self, stream: Stream, block_size: usize) -> Result<StreamReader<&'v R>, NtfsError> {
        let geometry = self.volume.geometry();
        let owned = stream.runs().map_or(0, |runs| runs.allocated_clusters());
        let owned = owned.saturating_mul(geometry.cluster_size.into());
        let size = stream.len();
        let is_large = size > owned || size / block_size as u64 > BLOCKS_MAX;
        if is_large || size > self.blocks_budget {
            return Err(too_much("bytes of index blocks", size));
        }
        self.blocks_budget -= size;
        self.volume.stream_reader(stream)
    }

    /// The bitmap; of a longer one than there are blocks only so much as tells that.
    fn bitmap(&self, stream: Stream, blocks: u64) -> Result<Vec<u8>, NtfsError> {
        const BEHIND: u64 = 4096;
        let length = stream.len().min(blocks.div_ceil(8) + BEHIND) as usize;
        Ok(self.volume.stream_reader(stream)?.read_vec(0, length)?)
    }
}

fn too_much(what: &'static str, actual: u64) -> NtfsError {
    NtfsError::TooMuch {
        what,
        actual,
        limit: 0,
    }
}

/// Names of the indexes of a file, as UTF-16LE.
fn index_names(file: &File) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    for attribute in file.attributes().map_while(Result::ok) {
        let name = attribute.name_bytes();
        if attribute.type_code() == AttributeType::INDEX_ROOT && !names.iter().any(|known| known == name) {
            names.push(name.to_vec());
        }
    }
    names
}
