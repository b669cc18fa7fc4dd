//! Run lists: which clusters of the volume hold a stream, and their on-disk form, the mapping pairs.
//!
//! Each pair is a byte of two nibbles (size of the length field, size of the LCN field), the length (positive), and
//! the LCN as a signed difference to the previous one. An absent LCN field is a hole; a present one of value zero is
//! not. The first LCN of a list is a difference to 0, so it alone is absolute.

use crate::error::NtfsError;
use crate::types::{AttributeType, Lcn, RecordNumber, Vcn};

/// Runs that one attribute record can hold at most: two bytes a run in the largest record (4096 bytes).
const RUNS_MAX_IN_RECORD: usize = 2048;

/// Some clusters in a row, or a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// First cluster, or `None` for a hole.
    pub lcn: Option<Lcn>,
    /// Number of clusters, never 0.
    pub clusters: u64,
}

/// The runs of a stream in order of their VCNs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunList(pub Vec<Run>);

/// Where damaged mapping pairs were found, for the error.
#[derive(Debug, Clone, Copy)]
pub struct RunsPlace {
    /// The record that holds the attribute.
    pub record: RecordNumber,
    /// The attribute's type.
    pub attribute: AttributeType,
}

impl RunList {
    /// Decodes mapping pairs up to their end marker.
    ///
    /// # Errors
    /// [`NtfsError::BadRuns`] if a pair is cut off, a length is not positive, an LCN is negative, or a sum overflows.
    pub fn decode(pairs: &[u8], place: RunsPlace) -> Result<Self, NtfsError> {
        MappingPairs::new(pairs, place)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Encodes as mapping pairs with their end marker, in the shortest form.
    pub fn encode(&self) -> Vec<u8> {
        let mut pairs = Vec::with_capacity(self.0.len() * 4 + 1);
        let mut previous = 0i64;
        for run in &self.0 {
            let length = shortest(run.clusters as i64);
            let delta = run.lcn.map_or_else(Vec::new, |lcn| {
                // Run lists of free records are not checked and may hold anything.
                let delta = (lcn.0 as i64).wrapping_sub(previous);
                previous = lcn.0 as i64;
                shortest(delta)
            });
            pairs.push((delta.len() as u8) << 4 | length.len() as u8);
            pairs.extend_from_slice(&length);
            pairs.extend_from_slice(&delta);
        }
        pairs.push(0);
        pairs
    }

    /// Clusters of the stream, holes included.
    pub fn clusters(&self) -> u64 {
        self.0.iter().map(|run| run.clusters).sum()
    }

    /// Clusters of the volume that the stream owns.
    pub fn allocated_clusters(&self) -> u64 {
        self.0
            .iter()
            .filter(|run| run.lcn.is_some())
            .map(|run| run.clusters)
            .sum()
    }

    /// Each run with the VCN that it begins with, counted from the list's first.
    pub fn with_vcns(&self) -> impl Iterator<Item = (Vcn, Run)> {
        self.0.iter().scan(0, |next, &run| {
            let vcn = *next;
            *next += run.clusters;
            Some((Vcn(vcn), run))
        })
    }

    /// The run that holds `vcn`, with the VCN that it begins with.
    pub fn find(&self, vcn: Vcn) -> Option<(Vcn, Run)> {
        let mut start = 0;
        for &run in &self.0 {
            if vcn.0 < start + run.clusters {
                return Some((Vcn(start), run));
            }
            start += run.clusters;
        }
        None
    }

    /// Appends a run, joining it with the last one where they continue each other.
    pub fn push(&mut self, run: Run) {
        if let Some(last) = self.0.last_mut() {
            let continues = match (last.lcn, run.lcn) {
                (Some(a), Some(b)) => a.0 + last.clusters == b.0,
                (None, None) => true,
                _ => false,
            };
            if continues {
                last.clusters += run.clusters;
                return;
            }
        }
        if run.clusters > 0 {
            self.0.push(run);
        }
    }

    /// The same stream on a volume whose first cluster lies `by` clusters earlier: every LCN is `by` higher.
    pub fn rebased(&self, by: u64) -> Self {
        let move_run = |run: &Run| Run {
            lcn: run.lcn.map(|lcn| Lcn(lcn.0 + by)),
            ..*run
        };
        Self(self.0.iter().map(move_run).collect())
    }
}

/// Decodes mapping pairs one by one, without allocating. Ends at the end marker or behind the first error, which is
/// always [`NtfsError::BadRuns`].
#[derive(Debug, Clone)]
pub struct MappingPairs<'a> {
    pairs: &'a [u8],
    place: RunsPlace,
    offset: usize,
    lcn: i64,
    vcn: u64,
    count: usize,
    ended: bool,
}

impl<'a> MappingPairs<'a> {
    /// The runs in `pairs`; what follows the end marker is ignored.
    pub fn new(pairs: &'a [u8], place: RunsPlace) -> Self {
        Self {
            pairs,
            place,
            offset: 0,
            lcn: 0,
            vcn: 0,
            count: 0,
            ended: false,
        }
    }

    /// One pair, or `None` at the end marker.
    fn step(&mut self) -> Result<Option<Run>, &'static str> {
        let &head = self.pairs.get(self.offset).ok_or("no end marker")?;
        if head == 0 {
            return Ok(None);
        }
        let (length_size, lcn_size) = (usize::from(head & 0xF), usize::from(head >> 4));
        if length_size == 0 || length_size > 8 || lcn_size > 8 {
            return Err("field size out of range");
        }
        let next = self.offset + 1 + length_size + lcn_size;
        let body = self.pairs.get(self.offset + 1..next).ok_or("cut off")?;
        let (length, delta) = body.split_at(length_size);
        let clusters = u64::try_from(signed(length))
            .ok()
            .filter(|&n| n > 0)
            .ok_or("length not positive")?;
        let vcn = self.vcn.checked_add(clusters).filter(|&v| v < 1 << 62);
        self.vcn = vcn.ok_or("length overflows")?;
        let lcn = if lcn_size == 0 {
            None
        } else {
            let lcn = self.lcn.checked_add(signed(delta)).filter(|&l| l >= 0);
            self.lcn = lcn.ok_or("LCN negative")?;
            Some(Lcn(self.lcn.unsigned_abs()))
        };
        if self.count >= RUNS_MAX_IN_RECORD {
            return Err("too many runs");
        }
        self.count += 1;
        self.offset = next;
        Ok(Some(Run { lcn, clusters }))
    }
}

impl Iterator for MappingPairs<'_> {
    type Item = Result<Run, NtfsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let (RunsPlace { record, attribute }, offset) = (self.place, self.offset);
        let item = self.step().map_err(|problem| NtfsError::BadRuns {
            record,
            attribute,
            offset,
            problem,
        });
        self.ended = !matches!(item, Ok(Some(_)));
        item.transpose()
    }
}

/// Sign-extended little-endian integer of 0 to 8 bytes.
fn signed(bytes: &[u8]) -> i64 {
    let mut full = if bytes.last().is_some_and(|b| b & 0x80 != 0) {
        [0xFF; 8]
    } else {
        [0; 8]
    };
    full[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(full)
}

/// The fewest bytes that give the number back when sign-extended.
fn shortest(value: i64) -> Vec<u8> {
    let full = value.to_le_bytes();
    let size = (1..8).find(|&n| signed(&full[..n]) == value).unwrap_or(8);
    full[..size].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: RunsPlace = RunsPlace {
        record: RecordNumber(5),
        attribute: AttributeType::DATA,
    };

    fn run(lcn: Option<u64>, clusters: u64) -> Run {
        Run {
            lcn: lcn.map(Lcn),
            clusters,
        }
    }

    #[test]
    fn decodes_the_documented_examples() {
        // Regular, hole, and a backward step; from the NTFS documentation's description of data runs.
        let list =
            RunList::decode(&[0x21, 0x18, 0x34, 0x56, 0x01, 0x10, 0x11, 0x04, 0xF0, 0], PLACE).unwrap();
        assert_eq!(
            list.0,
            [run(Some(0x5634), 0x18), run(None, 0x10), run(Some(0x5624), 4)]
        );
        assert_eq!((list.clusters(), list.allocated_clusters()), (0x2C, 0x1C));
    }

    #[test]
    fn an_lcn_field_of_zero_is_cluster_zero_and_not_a_hole() {
        assert_eq!(
            RunList::decode(&[0x11, 2, 0, 0], PLACE).unwrap().0,
            [run(Some(0), 2)]
        );
    }

    #[test]
    fn encode_then_decode_is_identity_at_every_width() {
        let edges = [
            0u64,
            1,
            127,
            128,
            255,
            256,
            32767,
            32768,
            1 << 23,
            1 << 31,
            1 << 39,
            1 << 47,
        ];
        for &a in &edges {
            for &b in &edges {
                let list = RunList(vec![run(Some(a), b + 1), run(None, a + 1), run(Some(b), 1)]);
                assert_eq!(RunList::decode(&list.encode(), PLACE).unwrap(), list);
            }
        }
    }

    #[test]
    fn damaged_pairs_are_refused() {
        let cases: [&[u8]; 7] = [
            &[],
            &[0x11, 1],
            &[0x10, 5, 0],
            &[0x11, 0x80, 1, 0],
            &[0x11, 1, 0x80, 0],
            &[0x19; 20],
            &[0x11, 0, 1, 0],
        ];
        for pairs in cases {
            assert!(
                matches!(RunList::decode(pairs, PLACE), Err(NtfsError::BadRuns { .. })),
                "{pairs:02x?}"
            );
        }
    }

    #[test]
    fn rebasing_moves_runs_and_leaves_holes() {
        let list = RunList(vec![run(Some(100), 5), run(None, 3), run(Some(10), 1)]);
        assert_eq!(
            list.rebased(1000).0,
            [run(Some(1100), 5), run(None, 3), run(Some(1010), 1)]
        );
    }
}
