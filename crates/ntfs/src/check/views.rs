//! $ObjId and $Reparse: the lists of files with an object id or a reparse point, against those files.

use super::ProblemCode;
use super::entries::Views;
use super::facts::MftFacts;
use super::problem::Problem;
use super::report::Findings;
use crate::types::{AttributeType, FileReference, RecordNumber};

pub(crate) fn check(facts: &MftFacts, views: &Views, findings: &mut Findings) {
    let mut told = Vec::new();
    // The volume's own id is that of $Volume, which no list has.
    let mut ids: Vec<_> = facts
        .object_ids
        .iter()
        .filter(|(file, _)| *file != RecordNumber::VOLUME)
        .collect();
    ids.sort_unstable();
    let listed = views.object_ids.as_deref().unwrap_or_default();
    for (id, reference) in listed {
        let is_there = ids.binary_search(&&(reference.record, *id)).is_ok();
        if !is_there || !is_current(facts, *reference) {
            told.push((ProblemCode::ObjectIdIndex, reference.record));
        }
    }
    let mut keys: Vec<_> = listed.iter().map(|(id, file)| (file.record, *id)).collect();
    keys.sort_unstable();
    for (file, id) in ids {
        if keys.binary_search(&(*file, *id)).is_err() {
            told.push((ProblemCode::ObjectIdIndex, *file));
        }
    }
    check_reparse_points(facts, views, &mut told);
    told.sort_unstable();
    told.dedup();
    for (code, file) in told {
        let type_code = match code {
            ProblemCode::ObjectIdIndex => AttributeType::OBJECT_ID,
            _ => AttributeType::REPARSE_POINT,
        };
        findings.push(Problem::of(code, file).attribute(type_code, &[]));
    }
}

fn check_reparse_points(facts: &MftFacts, views: &Views, told: &mut Vec<(ProblemCode, RecordNumber)>) {
    let mut points = facts.reparse_points.clone();
    points.sort_unstable();
    let listed = views.reparse_points.as_deref().unwrap_or_default();
    for (tag, reference) in listed {
        let place = points.binary_search_by_key(&reference.record, |(file, _)| *file);
        let is_there = place.is_ok_and(|place| points[place].1.is_none_or(|due| due == *tag));
        if !is_there || !is_current(facts, *reference) {
            told.push((ProblemCode::ReparseIndex, reference.record));
        }
    }
    let mut keys: Vec<_> = listed.iter().map(|(_, file)| file.record).collect();
    keys.sort_unstable();
    for (file, _) in points {
        if keys.binary_search(&file).is_err() {
            told.push((ProblemCode::ReparseIndex, file));
        }
    }
}

fn is_current(facts: &MftFacts, reference: FileReference) -> bool {
    facts
        .brief(reference.record)
        .is_some_and(|brief| brief.is_named_by(reference.sequence))
}
