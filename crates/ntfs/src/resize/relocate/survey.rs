//! What lies behind the new end: one pass over the $MFT.

use super::super::ResizeError;
use crate::attribute::Attribute;
use crate::bitmap::ClusterBitmap;
use crate::bytes::u16_at;
use crate::error::NtfsError;
use crate::record::{self, Record};
use crate::runs::{Run, RunList};
use crate::types::{AttributeType, Lcn, RecordNumber};
use crate::volume::Volume;
use std::ops::Range;
use winrefit_disk::ReadAt;

/// Clusters that get another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// First cluster, counted from the piece's first.
    pub(super) vcn: u64,
    pub(super) clusters: u64,
    pub(super) from: Lcn,
    /// Meaningless before it is placed.
    pub(super) to: Lcn,
}

/// An attribute in a record, some of whose clusters move.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) record: RecordNumber,
    /// The file's base record.
    pub(super) owner: RecordNumber,
    /// Id of the attribute in the record.
    pub(super) id: u16,
    pub(super) type_code: AttributeType,
    pub(super) is_named: bool,
    pub(super) lowest_vcn: u64,
    /// In order of VCNs.
    pub(super) segments: Vec<Segment>,
}

impl Piece {
    fn new(record: &Record<&[u8]>, attribute: &Attribute<'_>, segments: Vec<Segment>) -> Self {
        Self {
            record: record.number(),
            owner: record.base().map_or(record.number(), |base| base.record),
            id: attribute.id(),
            type_code: attribute.type_code(),
            is_named: !attribute.name_bytes().is_empty(),
            lowest_vcn: attribute.lowest_vcn().0,
            segments,
        }
    }

    pub(super) fn clusters(&self) -> u64 {
        self.segments.iter().map(|s| s.clusters).sum()
    }

    /// Whether it belongs to this unnamed stream.
    pub(super) fn is_of(&self, owner: RecordNumber, type_code: AttributeType) -> bool {
        self.owner == owner && self.type_code == type_code && !self.is_named
    }
}

/// What the pass found.
pub(super) struct Survey {
    pub(super) pieces: Vec<Piece>,
    /// $Bitmap as it is.
    pub(super) bits: ClusterBitmap,
    /// What $Bitmap or any run list says is used: nothing of it is a destination.
    pub(super) used: ClusterBitmap,
}

/// Runs the pass.
pub(super) fn survey<R: ReadAt>(volume: &Volume<R>, limit: Lcn) -> Result<Survey, ResizeError> {
    let bits = ClusterBitmap::read(volume)?;
    let mut used = bits.clone();
    let mut pieces = Vec::new();
    let mft_moves = mft_moves(volume, limit);
    volume.scan(|number, raw| -> Result<(), ResizeError> {
        let in_use = (raw.starts_with(b"BAAD") || raw.starts_with(&record::SIGNATURE))
            && u16_at(raw, record::FLAGS).is_some_and(|flags| flags & record::FLAG_IN_USE != 0);
        let record = match Record::parse_in_place(number, raw) {
            Ok(record) => record,
            // Whatever it owns would be lost.
            Err(error) if in_use => return Err(error.into()),
            Err(_) => return Ok(()),
        };
        if !record.is_in_use() {
            return Ok(());
        }
        for attribute in record.attributes() {
            let attribute = attribute?;
            if !attribute.is_non_resident() {
                continue;
            }
            let behind = mark(&attribute, &mut used, limit)?;
            let owner = record.base().map_or(number, |base| base.record);
            let is_mft = owner == RecordNumber::MFT && is_unnamed_data(&attribute);
            let is_bad = owner == RecordNumber::BAD_CLUS && attribute.is_named("$Bad");
            let segments = if is_mft && !mft_moves.is_empty() {
                within(&attribute, &mft_moves)?
            } else if behind && !is_bad && !is_mft {
                behind_limit(&attribute, limit)?
            } else {
                Vec::new()
            };
            if !segments.is_empty() {
                pieces.push(Piece::new(&record, &attribute, segments));
            }
        }
        Ok(())
    })?;
    Ok(Survey { pieces, bits, used })
}

fn is_unnamed_data(attribute: &Attribute<'_>) -> bool {
    attribute.type_code() == AttributeType::DATA && attribute.name_bytes().is_empty()
}

/// Marks what an attribute owns; returns whether some of it lies behind the limit.
fn mark(attribute: &Attribute<'_>, used: &mut ClusterBitmap, limit: Lcn) -> Result<bool, NtfsError> {
    let mut behind = false;
    for run in attribute.runs_iter() {
        let Run { lcn, clusters } = run?;
        let Some(lcn) = lcn else { continue };
        let end = lcn.0.saturating_add(clusters);
        if end > used.clusters() {
            return Err(NtfsError::ClusterOutOfBounds {
                record: attribute.record(),
                attribute: attribute.type_code(),
                lcn,
                clusters: used.clusters(),
            });
        }
        used.set_range(lcn, clusters, true);
        behind |= end > limit.0;
    }
    Ok(behind)
}

/// Which of the $MFT's VCNs move: those behind the limit, and with each cluster those that share a record with it, so
/// that no record is half in its old and half in its new place.
fn mft_moves<R: ReadAt>(volume: &Volume<R>, limit: Lcn) -> Vec<Range<u64>> {
    let geometry = volume.geometry();
    let unit = u64::from(geometry.record_size.div_ceil(geometry.cluster_size));
    let total = volume.mft_runs().clusters();
    let mut moves: Vec<Range<u64>> = Vec::new();
    for (vcn, run) in volume.mft_runs().with_vcns() {
        let Some(lcn) = run.lcn.filter(|lcn| lcn.0 + run.clusters > limit.0) else {
            continue;
        };
        let start = vcn.0 + limit.0.saturating_sub(lcn.0);
        let start = start / unit * unit;
        let end = (vcn.0 + run.clusters).next_multiple_of(unit).min(total);
        match moves.last_mut() {
            Some(last) if last.end >= start => last.end = end,
            _ => moves.push(start..end),
        }
    }
    moves
}

/// The parts of an attribute's runs within ranges of VCNs of the whole stream.
fn within(attribute: &Attribute<'_>, ranges: &[Range<u64>]) -> Result<Vec<Segment>, NtfsError> {
    let mut segments = Vec::new();
    let lowest = attribute.lowest_vcn().0;
    for (vcn, run) in attribute.runs()?.with_vcns() {
        let Some(lcn) = run.lcn else { continue };
        let start = lowest + vcn.0;
        for range in ranges {
            let (from, to) = (range.start.max(start), range.end.min(start + run.clusters));
            if from < to {
                segments.push(segment(from - lowest, to - from, lcn.0 + (from - start)));
            }
        }
    }
    Ok(segments)
}

/// The parts of an attribute's runs behind the limit.
fn behind_limit(attribute: &Attribute<'_>, limit: Lcn) -> Result<Vec<Segment>, NtfsError> {
    let mut segments = Vec::new();
    for (vcn, run) in attribute.runs()?.with_vcns() {
        let Some(lcn) = run.lcn else { continue };
        let skip = limit.0.saturating_sub(lcn.0);
        if skip < run.clusters {
            segments.push(segment(vcn.0 + skip, run.clusters - skip, lcn.0 + skip));
        }
    }
    Ok(segments)
}

fn segment(vcn: u64, clusters: u64, from: u64) -> Segment {
    Segment {
        vcn,
        clusters,
        from: Lcn(from),
        to: Lcn(0),
    }
}

/// The runs after the segments have moved. `segments` are in order of VCNs.
pub(super) fn moved_runs(old: &RunList, segments: &[Segment]) -> RunList {
    let mut new = RunList::default();
    let mut segments = segments.iter().peekable();
    for (vcn, run) in old.with_vcns() {
        let Some(lcn) = run.lcn else {
            new.push(run);
            continue;
        };
        let (mut at, end) = (vcn.0, vcn.0 + run.clusters);
        while at < end {
            while segments.next_if(|s| s.vcn + s.clusters <= at).is_some() {}
            let (until, to) = match segments.peek() {
                Some(s) if s.vcn <= at => (s.vcn + s.clusters, s.to.0 + (at - s.vcn)),
                Some(s) => (s.vcn, lcn.0 + (at - vcn.0)),
                None => (end, lcn.0 + (at - vcn.0)),
            };
            let until = until.min(end);
            new.push(Run {
                lcn: Some(Lcn(to)),
                clusters: until - at,
            });
            at = until;
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(lcn: Option<u64>, clusters: u64) -> Run {
        Run {
            lcn: lcn.map(Lcn),
            clusters,
        }
    }

    #[test]
    fn moved_runs_keep_their_vcns_and_join_where_they_continue() {
        let old = RunList(vec![
            run(Some(10), 5),
            run(None, 3),
            run(Some(98), 4),
            run(Some(200), 2),
        ]);
        let at = |vcn, clusters, from, to| Segment {
            vcn,
            clusters,
            from: Lcn(from),
            to: Lcn(to),
        };
        let segments = [at(10, 2, 100, 50), at(12, 2, 200, 52)];
        let new = moved_runs(&old, &segments);
        assert_eq!(
            new.0,
            [run(Some(10), 5), run(None, 3), run(Some(98), 2), run(Some(50), 4)]
        );
        let split = [at(8, 1, 98, 5), at(9, 3, 99, 70)];
        let new = moved_runs(&old, &split);
        assert_eq!(new.0[2..], [run(Some(5), 1), run(Some(70), 3), run(Some(200), 2)]);
        assert_eq!(new.clusters(), old.clusters());
    }
}
