//! Places that the medium could not give.

use super::{evidence, finding};
use crate::observation::Observation;
use crate::report::{FindingReport, Severity};
use crate::text;
use crate::text::Text;
use std::collections::BTreeMap;
use winrefit_disk::DiskError;

/// What to do before anything else: what strains a disk that fails may end it, chkdsk above all.
pub(crate) fn copy_first() -> Text {
    text!(
        "Copy the whole disk first, with `ddrescue` to one of exactly the same size, and go on with the copy."
    )
}

/// The finding on reads that failed, by the byte at which they began.
pub(crate) fn of_reads(
    observation: &Observation,
    failed: &BTreeMap<u64, DiskError>,
) -> Option<FindingReport> {
    if failed.is_empty() {
        return None;
    }
    let place = |offset: u64| {
        let mut all = observation.partitions.iter();
        match all.find(|p| p.range.start <= offset && offset < p.range.end) {
            Some(p) => text!(
                "partition {number}, byte {byte} of it",
                number = p.number,
                byte = offset - p.range.start
            ),
            None => text!("outside of all partitions"),
        }
    };
    let all = failed
        .iter()
        .map(|(&offset, error)| evidence(place(offset), Text::quoted(error)));
    Some(finding(
        "unreadable-sectors",
        Severity::Warning,
        text!("The disk cannot read some of its sectors"),
        text!("What is said here may lack what lies there. A disk that begins to fail soon fails more."),
        copy_first(),
        all.collect(),
    ))
}
