//! Who owns which cluster: marking all runs in a bitmap, and naming the owners of clusters claimed twice.

use super::codes::ProblemCode;
use super::owners::{Owner, for_each_run, owner};
use super::problem::Problem;
use super::report::Findings;
use crate::bitmap::ClusterBitmap;
use crate::error::NtfsError;
use crate::types::{Lcn, Vcn};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// Ranges of doubly owned clusters that are told apart; the owners of more are not looked for.
const CONFLICTS_MAX: usize = 4096;
/// Owners that are named for one range.
const OWNERS_MAX: usize = 16;
/// Steps of the search for owners; a sound volume with some cross-linked files needs few.
const SEARCH_STEPS_MAX: usize = 1 << 24;
/// Runs of a sound volume claim each cluster once. Behind so many times the volume the claims of a malicious one are
/// counted and not marked any more, which bounds the time.
const CLAIMS_MAX_VOLUMES: u64 = 4;

/// The clusters that runs own.
pub(crate) struct Ownership {
    bitmap: ClusterBitmap,
    claimed: u64,
    shared: u64,
    conflicts: Vec<(u64, u64)>,
}

impl Ownership {
    pub(crate) fn new(clusters: u64) -> Self {
        Self {
            bitmap: ClusterBitmap::new_free(clusters),
            claimed: 0,
            shared: 0,
            conflicts: Vec::new(),
        }
    }

    /// Marks clusters; those behind the end of the volume are passed over.
    pub(crate) fn claim(&mut self, lcn: Lcn, count: u64) {
        let clusters = self.bitmap.clusters();
        let end = lcn.0.saturating_add(count).min(clusters);
        let count = end.saturating_sub(lcn.0);
        self.claimed = self.claimed.saturating_add(count);
        if self.claimed > clusters.saturating_mul(CLAIMS_MAX_VOLUMES) {
            self.shared = self.shared.saturating_add(count);
            return;
        }
        let (shared, conflicts) = (&mut self.shared, &mut self.conflicts);
        for_words(self.bitmap.bytes_mut(), lcn.0, end, |first_bit, word, mask| {
            let twice = *word & mask;
            *word |= mask;
            if twice != 0 {
                *shared += u64::from(twice.count_ones());
                bit_ranges(first_bit, twice, |start, end| note_range(conflicts, start, end));
            }
        });
    }

    pub(crate) fn bitmap(&self) -> &ClusterBitmap {
        &self.bitmap
    }

    pub(crate) fn into_bitmap(self) -> ClusterBitmap {
        self.bitmap
    }

    /// Looks for the owners of the clusters that were claimed twice. Reads the $MFT again, and only if there are any.
    pub(crate) fn report_conflicts<R: ReadAt>(
        &mut self,
        volume: &Volume<R>,
        findings: &mut Findings,
    ) -> Result<(), NtfsError> {
        findings.report.shared_clusters = self.shared;
        if self.conflicts.is_empty() {
            return Ok(());
        }
        let ranges = merged(std::mem::take(&mut self.conflicts));
        let mut owners: Vec<Vec<Owner>> = vec![Vec::new(); ranges.len()];
        let mut steps = 0;
        for_each_run(volume, |holder, attribute, vcn, start, clusters| {
            let end = start.0.saturating_add(clusters);
            let first = ranges.partition_point(|range| range.1 <= start.0);
            for (range, owners) in ranges.iter().zip(&mut owners).skip(first) {
                if range.0 >= end || steps >= SEARCH_STEPS_MAX {
                    break;
                }
                steps += 1;
                if owners.len() < OWNERS_MAX {
                    let (from, to) = (start.0.max(range.0), end.min(range.1));
                    let vcn = Vcn(vcn.0.saturating_add(from - start.0));
                    owners.push(owner(holder, attribute, vcn, Lcn(from), to - from));
                }
            }
        })?;
        for (range, owners) in ranges.iter().zip(owners) {
            report_owners(*range, &owners, findings);
        }
        Ok(())
    }
}

/// One problem for each owner but the first, which is named as the other one.
fn report_owners(range: (u64, u64), owners: &[Owner], findings: &mut Findings) {
    let code = ProblemCode::ClusterOwnedTwice;
    let Some((first, others)) = owners.split_first().filter(|(_, others)| !others.is_empty()) else {
        findings.push(Problem::new(code).clusters(Lcn(range.0), range.1 - range.0));
        return;
    };
    for other in others {
        let mut problem = Problem::of(code, other.record).clusters(other.lcn, other.clusters);
        problem.attribute = Some(other.attribute.clone());
        problem.other = Some(Box::new(first.clone()));
        findings.push(problem);
    }
}

fn note_range(ranges: &mut Vec<(u64, u64)>, start: u64, end: u64) {
    let has_room = ranges.len() < CONFLICTS_MAX;
    match ranges.last_mut() {
        Some(last) if last.1 == start => last.1 = end,
        _ if has_room => ranges.push((start, end)),
        _ => {}
    }
}

fn merged(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (start, end) in ranges {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// Calls `visit` with the number of the first bit, the word, and the mask of the bits within `from..to` for every
/// 64-bit word that the range touches.
fn for_words(bytes: &mut [u8], from: u64, to: u64, mut visit: impl FnMut(u64, &mut u64, u64)) {
    if from >= to {
        return;
    }
    let (first, last) = (from / 64, (to - 1) / 64);
    let words = bytes.as_chunks_mut::<8>().0;
    let end = words.len().min(last as usize + 1);
    for (index, bytes) in words[..end].iter_mut().enumerate().skip(first as usize) {
        let mut mask = u64::MAX;
        if index as u64 == first {
            mask &= u64::MAX << (from % 64);
        }
        if index as u64 == last {
            mask &= u64::MAX >> (63 - (to - 1) % 64);
        }
        let mut word = u64::from_le_bytes(*bytes);
        visit(index as u64 * 64, &mut word, mask);
        *bytes = word.to_le_bytes();
    }
}

/// Calls `visit` with the half-open ranges of set bits in `word`, whose lowest bit has the number `first_bit`.
pub(crate) fn bit_ranges(first_bit: u64, mut word: u64, mut visit: impl FnMut(u64, u64)) {
    while word != 0 {
        let start = word.trailing_zeros();
        let length = (word >> start).trailing_ones();
        visit(
            first_bit + u64::from(start),
            first_bit + u64::from(start + length),
        );
        let through = start + length;
        word = if through == 64 {
            0
        } else {
            word & (u64::MAX << through)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_mark_what_single_bits_would_and_overlaps_are_found_exactly() {
        let edges = [0, 1, 63, 64, 65, 127, 128, 500, 511, 512, 699];
        for &a in &edges {
            for &b in edges.iter().filter(|&&b| b > a) {
                let mut ownership = Ownership::new(700);
                ownership.claim(Lcn(a), b - a);
                assert!((0..700).all(|bit| ownership.bitmap.is_set(Lcn(bit)) == (a..b).contains(&bit)));
                ownership.claim(Lcn(60), 10);
                let (start, end) = (a.max(60), b.min(70));
                let expected = if start < end { vec![(start, end)] } else { vec![] };
                assert_eq!(merged(ownership.conflicts), expected, "{a}..{b}");
                assert_eq!(ownership.shared, end.saturating_sub(start));
            }
        }
    }

    #[test]
    fn a_wild_claim_ends_at_the_volume_and_hides_no_later_one() {
        let mut ownership = Ownership::new(100);
        ownership.claim(Lcn(90), u64::MAX);
        ownership.claim(Lcn(u64::MAX), 5);
        ownership.claim(Lcn(0), 10);
        assert_eq!(ownership.bitmap.free_clusters(), 80);
        assert_eq!(ownership.shared, 0);
        for _ in 0..10 {
            ownership.claim(Lcn(0), 100);
        }
        assert!(ownership.shared > 900 && !ownership.conflicts.is_empty());
    }

    #[test]
    fn a_word_falls_apart_into_its_ranges() {
        let mut ranges = Vec::new();
        bit_ranges(64, 0x8000_0000_0000_00F1, |start, end| ranges.push((start, end)));
        bit_ranges(0, u64::MAX, |start, end| ranges.push((start, end)));
        assert_eq!(ranges, [(64, 65), (68, 72), (127, 128), (0, 64)]);
    }
}
