//! Runs of a property over many random cases from one seed: `WINREFIT_PROPTEST_CASES` sets how many,
//! `WINREFIT_PROPTEST_SEED` repeats a run whose seed was printed.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestError, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::{SystemTime, UNIX_EPOCH};

/// What cases came to, and how often.
#[derive(Default)]
pub struct Counts(RefCell<BTreeMap<String, u32>>);

impl Counts {
    pub fn add(&self, what: &str) {
        *self.0.borrow_mut().entry(what.to_owned()).or_default() += 1;
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap())
}

/// Runs so many cases, unless the environment says otherwise, and shrinks one that fails in so many steps.
pub fn run_cases<S: Strategy>(
    strategy: &S,
    (cases, max_shrink_iters): (u32, u32),
    run: impl Fn(S::Value, &Counts) -> TestCaseResult,
) where
    S::Value: Debug,
{
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = number("WINREFIT_PROPTEST_SEED").unwrap_or_else(now);
    let cases = number("WINREFIT_PROPTEST_CASES").map_or(cases, |cases| cases as u32);
    let config = Config {
        cases,
        max_shrink_iters,
        max_global_rejects: cases * 4 + 100,
        failure_persistence: None,
        ..Config::default()
    };
    let mut seed_bytes = [0; 32];
    seed_bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes);
    eprintln!("WINREFIT_PROPTEST_SEED={seed} WINREFIT_PROPTEST_CASES={cases}");
    let counts = Counts::default();
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(strategy, |case| run(case, &counts));
    for (what, count) in &*counts.0.borrow() {
        eprintln!("{count:5} {what}");
    }
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, case)) => panic!("WINREFIT_PROPTEST_SEED={seed}: {why}\n{case:?}"),
        Err(error) => panic!("WINREFIT_PROPTEST_SEED={seed}: {error}"),
    }
}
