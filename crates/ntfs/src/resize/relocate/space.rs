//! Free clusters below the new end, as runs that are handed out.

use crate::bitmap::ClusterBitmap;
use crate::runs::Run;
use crate::types::Lcn;
use std::collections::BTreeSet;

/// A pool of free runs.
#[derive(Debug)]
pub(super) struct FreeSpace {
    /// Length and first cluster.
    runs: BTreeSet<(u64, u64)>,
    /// The run that small streams are put into one behind the other: length and first cluster.
    current: (u64, u64),
}

impl FreeSpace {
    /// What is free below `limit`.
    pub(super) fn below(used: &ClusterBitmap, limit: Lcn) -> Self {
        let runs = used
            .free_runs(limit)
            .map(|run| (run.clusters, run.lcn.unwrap_or_default().0));
        Self {
            runs: runs.collect(),
            current: (0, 0),
        }
    }

    /// Clusters left.
    pub(super) fn free(&self) -> u64 {
        self.current.0 + self.runs.iter().map(|run| run.0).sum::<u64>()
    }

    /// A row of clusters from the shortest run that has them: keeps long runs for what needs them.
    pub(super) fn take_row(&mut self, clusters: u64) -> Option<Lcn> {
        self.retire_current();
        let run = *self.runs.range((clusters, 0)..).next()?;
        self.runs.remove(&run);
        self.give_back(Lcn(run.1 + clusters), run.0 - clusters);
        Some(Lcn(run.1))
    }

    /// A row of clusters behind the ones that this handed out last, as long as the longest run lasts: what is asked
    /// for in order lies in order.
    pub(super) fn take_next(&mut self, clusters: u64) -> Option<Lcn> {
        if self.current.0 < clusters {
            self.retire_current();
            if self.runs.last()?.0 < clusters {
                return None;
            }
            self.current = self.runs.pop_last()?;
        }
        let (length, start) = self.current;
        self.current = (length - clusters, start + clusters);
        Some(Lcn(start))
    }

    /// As many clusters in as few runs as there are.
    pub(super) fn take_pieces(&mut self, clusters: u64) -> Option<Vec<Run>> {
        self.retire_current();
        let mut taken = Vec::new();
        let mut left = clusters;
        while left > 0 {
            // The last part need not come from the longest run.
            if let Some(lcn) = self.take_row(left) {
                taken.push(run(lcn.0, left));
                return Some(taken);
            }
            let Some((length, start)) = self.runs.pop_last() else {
                for run in taken {
                    self.give_back(run.lcn.unwrap_or_default(), run.clusters);
                }
                return None;
            };
            taken.push(run(start, length));
            left -= length;
        }
        Some(taken)
    }

    /// Takes clusters that nobody uses yet back.
    pub(super) fn give_back(&mut self, lcn: Lcn, clusters: u64) {
        if clusters > 0 {
            self.runs.insert((clusters, lcn.0));
        }
    }

    fn retire_current(&mut self) {
        let (length, start) = std::mem::take(&mut self.current);
        self.give_back(Lcn(start), length);
    }
}

fn run(lcn: u64, clusters: u64) -> Run {
    Run {
        lcn: Some(Lcn(lcn)),
        clusters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Free: 10..14, 20..30, 40..43, and 90..100 behind the limit.
    fn space() -> FreeSpace {
        let mut used = ClusterBitmap::new_free(100);
        used.set_range(Lcn(0), 100, true);
        for (lcn, clusters) in [(10, 4), (20, 10), (40, 3), (88, 12)] {
            used.set_range(Lcn(lcn), clusters, false);
        }
        FreeSpace::below(&used, Lcn(90))
    }

    #[test]
    fn a_row_comes_from_the_shortest_run_that_has_it() {
        let mut space = space();
        assert_eq!(space.free(), 19);
        assert_eq!(space.take_row(3), Some(Lcn(40)));
        assert_eq!(space.take_row(3), Some(Lcn(10)));
        assert_eq!(space.take_row(11), None);
        assert_eq!(space.free(), 13);
    }

    #[test]
    fn small_streams_follow_each_other() {
        let mut space = space();
        let places: Vec<_> = [4, 5, 2, 2, 3]
            .iter()
            .map(|&n| space.take_next(n).map(|l| l.0))
            .collect();
        assert_eq!(places, [Some(20), Some(24), Some(10), Some(12), Some(40)]);
        assert_eq!((space.free(), space.take_next(3)), (3, None));
    }

    #[test]
    fn pieces_are_few_and_nothing_is_lost_where_there_are_too_few() {
        let mut space = space();
        let runs: Vec<_> = space
            .take_pieces(12)
            .unwrap()
            .iter()
            .map(|r| (r.lcn.unwrap().0, r.clusters))
            .collect();
        assert_eq!(runs, [(20, 10), (88, 2)]);
        assert!(space.take_pieces(8).is_none());
        assert_eq!(space.free(), 7);
        assert!(space.take_pieces(7).is_some());
    }
}
