//! The result of a check, and how it is gathered.

use super::CheckLevel;
use super::codes::{ProblemCode, Severity};
use super::problem::Problem;
use crate::bitmap::ClusterBitmap;
use crate::error::NtfsError;
use crate::types::RecordNumber;
use std::collections::BTreeMap;
use std::fmt;

/// What a check found. Figures are 0 where the check had to stop before them.
#[derive(Clone)]
#[non_exhaustive]
pub struct CheckReport {
    /// What was checked.
    pub level: CheckLevel,
    /// The problems, at most as many as asked for. No code takes more than a tenth of them.
    pub problems: Vec<Problem>,
    /// All problems, those dropped from `problems` included.
    pub problems_total: u64,
    /// All problems by code.
    pub counts: BTreeMap<ProblemCode, u64>,
    /// Records of the $MFT.
    pub records: u64,
    /// Records in use, extension records included.
    pub records_in_use: u64,
    /// Records in use that extend another one.
    pub extension_records: u64,
    /// Directories.
    pub directories: u64,
    /// Clusters of the volume.
    pub clusters: u64,
    /// Clusters free in $Bitmap.
    pub free_clusters: u64,
    /// Clusters marked in $Bitmap that nothing owns.
    pub leaked_clusters: u64,
    /// Clusters owned but free in $Bitmap.
    pub unmarked_clusters: u64,
    /// Clusters with more than one owner.
    pub shared_clusters: u64,
    /// Clusters that $BadClus owns.
    pub bad_clusters: u64,
    /// The clusters that the runs of all files own, whatever $Bitmap says. `None` if the $MFT could not be read.
    pub owned: Option<ClusterBitmap>,
}

impl CheckReport {
    /// Whether there is no problem of severity [`Severity::Error`].
    pub fn is_consistent(&self) -> bool {
        self.count_of(Severity::Error) == 0
    }

    /// How many problems have this code.
    pub fn count(&self, code: ProblemCode) -> u64 {
        self.counts.get(&code).copied().unwrap_or(0)
    }

    /// How many problems are of this severity.
    pub fn count_of(&self, severity: Severity) -> u64 {
        let same = self.counts.iter().filter(|(code, _)| code.severity() == severity);
        same.map(|(_, count)| count).sum()
    }
}

impl fmt::Debug for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bitmap of the owned clusters would bury the rest.
        f.debug_struct("CheckReport")
            .field("counts", &self.counts)
            .field("records", &self.records)
            .field("records_in_use", &self.records_in_use)
            .field("clusters", &self.clusters)
            .field("free_clusters", &self.free_clusters)
            .field("leaked_clusters", &self.leaked_clusters)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// The report while it grows.
pub(crate) struct Findings {
    pub(crate) report: CheckReport,
    problems_max: usize,
}

impl Findings {
    pub(crate) fn new(problems_max: usize) -> Self {
        let report = CheckReport {
            level: CheckLevel::default(),
            problems: Vec::new(),
            problems_total: 0,
            counts: BTreeMap::new(),
            records: 0,
            records_in_use: 0,
            extension_records: 0,
            directories: 0,
            clusters: 0,
            free_clusters: 0,
            leaked_clusters: 0,
            unmarked_clusters: 0,
            shared_clusters: 0,
            bad_clusters: 0,
            owned: None,
        };
        Self { report, problems_max }
    }

    /// Counts a problem, and keeps it while there is room: ten thousand of one kind must not hide another kind.
    pub(crate) fn push(&mut self, problem: Problem) {
        let has_room = self.has_room(problem.code);
        *self.report.counts.entry(problem.code).or_insert(0) += 1;
        self.report.problems_total += 1;
        if has_room {
            self.report.problems.push(problem);
        }
    }

    /// Whether a problem with this code would be kept.
    pub(crate) fn has_room(&self, code: ProblemCode) -> bool {
        let share = self.problems_max.div_ceil(10) as u64;
        self.report.count(code) < share && self.report.problems.len() < self.problems_max
    }

    pub(crate) fn problems_max(&self) -> usize {
        self.problems_max
    }

    /// Adds what was found elsewhere with the same limit, as if each had been pushed here.
    pub(crate) fn append(&mut self, other: Self) {
        let mut counts = other.report.counts;
        for problem in other.report.problems {
            if let Some(count) = counts.get_mut(&problem.code) {
                *count -= 1;
            }
            self.push(problem);
        }
        for (code, count) in counts {
            *self.report.counts.entry(code).or_insert(0) += count;
            self.report.problems_total += count;
        }
        self.report.records_in_use += other.report.records_in_use;
        self.report.extension_records += other.report.extension_records;
        self.report.directories += other.report.directories;
        self.report.bad_clusters += other.report.bad_clusters;
    }

    /// The value; damage becomes a problem and `None`, while an error of the medium stays one.
    pub(crate) fn damage<T>(
        &mut self,
        result: Result<T, NtfsError>,
        code: ProblemCode,
        record: RecordNumber,
    ) -> Result<Option<T>, NtfsError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_of_medium() => Err(error),
            Err(_) => {
                self.push(Problem::of(code, record));
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_counted_beyond_the_limit_and_one_kind_does_not_hide_another() {
        let mut findings = Findings::new(20);
        for _ in 0..50 {
            findings.push(Problem::new(ProblemCode::ClusterLeaked));
        }
        assert!(findings.report.is_consistent());
        findings.push(Problem::new(ProblemCode::RecordTorn));
        let report = findings.report;
        assert_eq!((report.problems.len(), report.problems_total), (3, 51));
        assert_eq!(report.count(ProblemCode::ClusterLeaked), 50);
        assert!(!report.is_consistent());
    }
}
