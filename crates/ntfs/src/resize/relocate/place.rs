//! New places for what moves: each piece in one row where there is one, in the order in which it is read.

use super::super::ResizeError;
use super::space::FreeSpace;
use super::survey::{Piece, Segment};
use crate::types::{AttributeType, Geometry, Lcn, RecordNumber};

/// A piece of this many bytes gets the shortest row that holds it, before the small ones use up the long rows.
const LARGE_BYTES: u64 = 1 << 20;
/// Records at the start of the $MFT that lie in one row: the system files.
const SYSTEM_RECORDS: u64 = 16;

/// Gives every segment its place.
///
/// # Errors
/// [`ResizeError::NoRoom`] for what has to lie in one row; [`ResizeError::Full`] if the clusters do not suffice.
pub(super) fn place(
    pieces: &mut [Piece],
    space: &mut FreeSpace,
    geometry: Geometry,
) -> Result<(), ResizeError> {
    let needed = pieces.iter().map(Piece::clusters).sum();
    let full = ResizeError::Full {
        needed,
        free: space.free(),
    };
    if needed > space.free() {
        return Err(full);
    }
    let large = LARGE_BYTES / u64::from(geometry.cluster_size);
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by_cached_key(|&index| {
        let piece = &pieces[index];
        let first = piece.segments.first().map_or(0, |s| s.from.0);
        match piece.clusters() {
            _ if piece.is_of(RecordNumber::MFT_MIRR, AttributeType::DATA) => (0, 0, first),
            _ if piece.is_of(RecordNumber::MFT, AttributeType::DATA) => (1, piece.lowest_vcn, first),
            // Windows makes it in one row, and some who read it rely on that.
            _ if piece.is_of(RecordNumber::LOG_FILE, AttributeType::DATA) => (2, 0, first),
            clusters if clusters >= large => (3, u64::MAX - clusters, first),
            _ => (4, 0, first),
        }
    });
    for index in order {
        let piece = &mut pieces[index];
        if piece.is_of(RecordNumber::MFT_MIRR, AttributeType::DATA) {
            in_one_row(piece, space)?;
            continue;
        }
        let is_large = piece.clusters() >= large;
        if whole(piece, space, is_large) {
            continue;
        }
        let head = if piece.is_of(RecordNumber::MFT, AttributeType::DATA) {
            system_records(piece, space, geometry)?
        } else {
            None
        };
        one_by_one(piece, space).ok_or_else(|| full.clone())?;
        piece.segments.splice(..0, head);
    }
    Ok(())
}

/// What the boot sector names is looked for in one row from there on.
fn in_one_row(piece: &mut Piece, space: &mut FreeSpace) -> Result<(), ResizeError> {
    if whole(piece, space, true) {
        return Ok(());
    }
    Err(ResizeError::NoRoom {
        record: piece.owner,
        clusters: piece.clusters(),
    })
}

/// The first segment of the $MFT cut behind the system files, if it begins with them; their part is placed in a row.
fn system_records(
    piece: &mut Piece,
    space: &mut FreeSpace,
    geometry: Geometry,
) -> Result<Option<Segment>, ResizeError> {
    let system = geometry.clusters_for(SYSTEM_RECORDS * u64::from(geometry.record_size));
    let Some(first) = piece
        .segments
        .first_mut()
        .filter(|s| piece.lowest_vcn + s.vcn == 0)
    else {
        return Ok(None);
    };
    let clusters = system.min(first.clusters);
    let to = space.take_row(clusters).ok_or(ResizeError::NoRoom {
        record: piece.owner,
        clusters,
    })?;
    let head = Segment {
        clusters,
        to,
        ..*first
    };
    first.vcn += clusters;
    first.from.0 += clusters;
    first.clusters -= clusters;
    piece.segments.retain(|s| s.clusters > 0);
    Ok(Some(head))
}

/// All segments in one row, so that the run list gets no longer.
fn whole(piece: &mut Piece, space: &mut FreeSpace, is_large: bool) -> bool {
    let clusters = piece.clusters();
    let row = if is_large {
        space.take_row(clusters)
    } else {
        space.take_next(clusters)
    };
    let Some(mut to) = row else { return false };
    for segment in &mut piece.segments {
        segment.to = to;
        to = Lcn(to.0 + segment.clusters);
    }
    true
}

/// Each segment in a row of its own, cut only where there is none; longest first, as they are hardest to place.
fn one_by_one(piece: &mut Piece, space: &mut FreeSpace) -> Option<()> {
    let mut order: Vec<usize> = (0..piece.segments.len()).collect();
    order.sort_by_key(|&index| u64::MAX - piece.segments[index].clusters);
    let mut placed = Vec::with_capacity(order.len());
    for index in order {
        let segment = piece.segments[index];
        let mut done = 0;
        for run in space.take_pieces(segment.clusters)? {
            placed.push(Segment {
                vcn: segment.vcn + done,
                clusters: run.clusters,
                from: Lcn(segment.from.0 + done),
                to: run.lcn?,
            });
            done += run.clusters;
        }
    }
    placed.sort_unstable_by_key(|segment| segment.vcn);
    piece.segments = placed;
    Some(())
}
