//! A problem with its place and values.

use super::codes::{ProblemCode, Severity};
use super::owners::Owner;
use crate::types::{AttributeType, Lcn, RecordNumber};
use std::fmt;

/// One thing that is wrong, with its place as far as it is known. `Display` is a full sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub code: ProblemCode,
    /// How much it matters.
    pub severity: Severity,
    /// The file record concerned.
    pub record: Option<RecordNumber>,
    /// Path of the file that the record belongs to, where it could be found.
    pub path: Option<String>,
    /// Name in the index entry concerned, or the name concerned.
    pub name: Option<String>,
    /// Type and name of the attribute concerned.
    pub attribute: Option<(AttributeType, String)>,
    /// Byte offset on the volume.
    pub volume_byte: Option<u64>,
    /// First of the clusters concerned.
    pub lcn: Option<Lcn>,
    /// How many clusters are concerned.
    pub clusters: Option<u64>,
    /// The value that is due.
    pub expected: Option<u64>,
    /// The value found.
    pub actual: Option<u64>,
    /// The other owner of the clusters.
    pub other: Option<Box<Owner>>,
}

impl Problem {
    /// A problem of the volume as a whole; the place is added by the other methods.
    pub(crate) fn new(code: ProblemCode) -> Self {
        Self {
            code,
            severity: code.severity(),
            record: None,
            path: None,
            name: None,
            attribute: None,
            volume_byte: None,
            lcn: None,
            clusters: None,
            expected: None,
            actual: None,
            other: None,
        }
    }

    pub(crate) fn of(code: ProblemCode, record: RecordNumber) -> Self {
        Self {
            record: Some(record),
            ..Self::new(code)
        }
    }

    pub(crate) fn attribute(mut self, type_code: AttributeType, name: &[u8]) -> Self {
        let name = String::from_utf16_lossy(&crate::bytes::utf16(name));
        self.attribute = Some((type_code, name));
        self
    }

    /// The name concerned, as UTF-16LE bytes.
    pub(crate) fn name(mut self, name: &[u8]) -> Self {
        self.name = Some(String::from_utf16_lossy(&crate::bytes::utf16(name)));
        self
    }

    pub(crate) fn at(mut self, volume_byte: u64) -> Self {
        self.volume_byte = Some(volume_byte);
        self
    }

    pub(crate) fn clusters(mut self, lcn: Lcn, clusters: u64) -> Self {
        (self.lcn, self.clusters) = (Some(lcn), Some(clusters));
        self
    }

    pub(crate) fn values(mut self, expected: u64, actual: u64) -> Self {
        (self.expected, self.actual) = (Some(expected), Some(actual));
        self
    }

    pub(crate) fn actual(mut self, actual: u64) -> Self {
        self.actual = Some(actual);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(record) = self.record {
            write!(f, "File record {record}")?;
            if let Some(path) = &self.path {
                write!(f, " ({path})")?;
            }
            if let Some((type_code, name)) = &self.attribute {
                let colon = if name.is_empty() { "" } else { ":" };
                write!(f, ", {type_code}{colon}{name}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(self.code.meaning())?;
        if let Some(name) = &self.name {
            write!(f, ", {name:?}")?;
        }
        if let (Some(lcn), Some(clusters)) = (self.lcn, self.clusters) {
            write!(f, ", {clusters} from LCN {lcn}")?;
        }
        if let Some(byte) = self.volume_byte {
            write!(f, ", at byte {byte:#x} of the volume")?;
        }
        match (self.expected, self.actual) {
            (Some(expected), Some(actual)) => write!(f, " (expected {expected}, found {actual})")?,
            (None, Some(actual)) => write!(f, " (found {actual})")?,
            _ => {}
        }
        if let Some(other) = &self.other {
            write!(f, "; the other owner is {other}")?;
        }
        f.write_str(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_a_full_sentence() {
        let problem = Problem::of(ProblemCode::DataSize, RecordNumber(40))
            .attribute(AttributeType::DATA, b"x\0")
            .values(1, 2);
        assert_eq!(
            problem.to_string(),
            "File record 40, $DATA:x: the data size is above the allocated size (expected 1, found 2)."
        );
    }
}
