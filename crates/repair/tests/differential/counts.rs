//! How often each thing happened, and which oracle is asked about which disk.

use crate::volume::random::Random;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Counts by what was counted.
#[derive(Debug, Default)]
pub struct Counts(RefCell<BTreeMap<String, u64>>);

impl Counts {
    pub fn add(&self, what: impl Into<String>) {
        *self.0.borrow_mut().entry(what.into()).or_default() += 1;
    }

    /// The sum of all counts whose name begins so.
    pub fn sum(&self, prefix: &str) -> u64 {
        let counts = self.0.borrow();
        let with_prefix = counts.iter().filter(|(what, _)| what.starts_with(prefix));
        with_prefix.map(|(_, count)| count).sum()
    }

    pub fn print(&self) {
        for (what, count) in &*self.0.borrow() {
            eprintln!("{count:6} {what}");
        }
    }
}

/// What is the same for all oracles of a case. Slow ones see a share of the disks, chosen by the case's seed.
pub struct Bench<'c> {
    counts: &'c Counts,
    random: RefCell<Random>,
}

impl<'c> Bench<'c> {
    pub fn new(counts: &'c Counts, seed: u64) -> Self {
        let random = RefCell::new(Random::new(seed ^ 0x00AC_1E5E));
        Self { counts, random }
    }

    /// True once in `n` times.
    pub fn one_in(&self, n: u64) -> bool {
        self.random.borrow_mut().below(n) == 0
    }

    /// An oracle has judged, and had nothing to object to.
    pub fn judged(&self, who: &str) {
        self.counts.add(format!("judged: {who}"));
    }

    pub fn note(&self, what: impl Into<String>) {
        self.counts.add(what);
    }
}
